/* How a streaming node gets its next packet.
 *
 * A pull that may wait runs the other nodes inside itself. It cannot wait for itself: nodes whose packets
 * come by way of a node that waits in a pull (`below`) do not begin before that pull has returned. So a node
 * that pulls inside another node's pull depends on none of the nodes that wait under it. Packets that those
 * do not take meanwhile may exceed their queues (overshoot.c). But an outer pull goes on only when the inner
 * ones have returned. So where there are threads, rm_node_can_wait returns true only for the one streaming
 * node of a pipeline. */
#include "exec/pipeline.h"

static int take(rm_node *node, rm_packet *packet)
{
    rm_pipeline *p = node->pipeline;
    rmi_queue *queue = node->in.count == 1 ? &node->in.links[0]->queue : &node->merge.queue;
    bool given = false;
    while (!given) {
        if (queue->count == 0 || rmi_queue_first(queue)->seq > p->limit)
            return RM_AGAIN;
        rmi_queue_take(queue, packet);
        given = !node->probed || rmi_probe_pulled(node, packet);
        if (!given)
            rm_packet_clear(packet);
    }
    if (node->in.count == 1)
        rmi_drained(node->in.links[0]);
    node->counters.in++;
    node->stream.starved = false;
    rmi_set_current(node, packet);
    return RM_OK;
}

/* Marks the nodes that get their packets by way of a node that waits in a pull. */
static void mark_below(rm_pipeline *p)
{
    for (uint32_t rank = 0; p->stream_count > 1 && rank < p->node_count; rank++) {
        rm_node *node = &p->nodes[rank];
        const bool before = node->stream.below;
        node->stream.below = false;
        for (uint32_t i = 0; i < node->in.count && !node->stream.below; i++) {
            const rm_node *from = node->in.links[i]->from;
            node->stream.below = from != NULL && (from->stream.below || from->stream.waits);
        }
        if (before && !node->stream.below)
            rmi_ready(node);
    }
}

static bool was_pushed(const rm_pipeline *p)
{
    for (uint32_t i = 0; i < p->feed_count; i++)
        if (!p->feeds[i]->to->generate.on && p->feeds[i]->bound > 0)
            return true;
    return false;
}

static int wait_outside(rm_pipeline *p, int rc)
{
    if (p->wait != NULL) {
        rc = p->wait(p->wait_context, p, &p->scratch);
        return rc < 0 ? rmi_stop_with(p, NULL, &p->scratch, rc) : RM_OK;
    }
    if (rc == RM_PENDING && (p->may_block || p->input == NULL)) {
        rm_pipeline_wait(p, NULL, 0);
        return RM_OK;
    }
    if (p->input == NULL && !p->finished && !was_pushed(p)) /* nothing was pushed: the sources generate */
        return rm_pipeline_finish(p, NULL);
    return RM_AGAIN;
}

/* A call was long: results are handed out before the next one. */
static bool shows_results(rm_pipeline *p)
{
    const bool pause = p->pause;
    p->pause = false;
    p->results_wanted = pause && p->wait != NULL && rmi_results_deliverable(p);
    return p->results_wanted;
}

/* Lets the other nodes work until a packet may have come. RM_OK: look again; else the reason why none
 * comes. */
static int run_others(rm_node *node)
{
    rm_pipeline *p = node->pipeline;
    int rc = p->tracked ? rmi_raise_bounds(node) : RM_OK; /* other nodes may wait for this one's bound */
    if (rc != RM_OK)
        return rc;
    rm_node *outer = p->puller;
    p->pulls++;
    p->idle_turns = 0;
    p->puller = node;
    node->stream.waits = true;
    mark_below(p);
    do
        rc = rmi_turn(p);
    while (rc == RM_OK && !rmi_stream_waits(node) && !node->stream.ended && !node->in.closed &&
           !node->stream.given_up && !shows_results(p));
    if (rc == RM_OK && p->results_wanted)
        rc = RM_AGAIN;
    if (rc == RM_PENDING || rc == RM_AGAIN)
        rc = wait_outside(p, rc);
    p->puller = outer;
    p->idle_turns = 0;
    p->pulls--;
    node->stream.waits = false;
    mark_below(p);
    return rc;
}

/* After the end of its stream a node emits at the end of the run, as in flush. */
static int at_the_end(rm_node *node)
{
    rmi_set_seq(node, RM_SEQ_END + node->rank);
    return RM_DONE;
}

/* A stream carries any kind of value: the node itself refuses what it does not take. */
int rmi_pull(rm_node *node, bool wait, rm_packet *packet, rm_error *err)
{
    for (;;) {
        if (node->in.closed)
            return RM_DONE;
        if (node->stream.given_up)
            return rm_error_set(err, RM_E_CANCELLED, "the run has ended");
        int rc = node->in.count > 1 ? rmi_merge(node) : RM_OK;
        if (rc == RM_OK)
            rc = take(node, packet);
        if (rc == RM_OK)
            return RM_OK;
        if (rc == RM_AGAIN && node->stream.ended && rmi_next_seq(node) == RMI_FOREVER)
            return at_the_end(node);
        node->stream.starved = true;
        if (rc == RM_AGAIN && (!wait || !rmi_can_nest(node->pipeline)))
            return RM_AGAIN;
        node->stream.has_waited = true;
        if (rc == RM_AGAIN)
            rc = run_others(node);
        if (rc < 0) /* whoever stopped the run reports the cause */
            return rm_error_set(err, RM_E_CANCELLED, "the run has ended");
        if (rc != RM_OK)
            return rc;
    }
}
