/* Nodes that take their input as a stream: they are called when something waits and pull it themselves. */
#include "exec/pipeline.h"

static bool stream_waits(const rm_node *node)
{
    return (node->input_count == 1 ? node->inputs[0]->queue.count : node->merged.count) > 0;
}

/* While a stream node pulls, those after it do not begin: they would pull in turn what can only come when
 * the first one has gone on. They have their turn when it has returned. */
static bool must_stand_back(const rm_node *node)
{
    const rm_pipeline *p = node->pipeline;
    return p->reentry > 0 && node->rank > p->pull_rank;
}

static void those_who_stood_back(rm_pipeline *p)
{
    for (uint32_t i = 0; p->stood_back && i < p->node_count; i++)
        if (p->nodes[i].type->stream != NULL)
            rmi_ready(&p->nodes[i]);
    p->stood_back = false;
}

int rmi_stream_turn(rm_node *node)
{
    rm_pipeline *p = node->pipeline;
    int rc = RM_OK;
    if (node->closed)
        return RM_OK;
    if (must_stand_back(node)) {
        p->stood_back = true;
        return RM_OK;
    }
    if (node->polling && !node->starved && !node->more && !node->ended)
        return RM_OK; /* it waits for something else, and pulls when that has come */
    if (node->input_count > 1)
        rc = rmi_merge(node);
    if (rc != RM_OK || !(stream_waits(node) || node->more || node->ended))
        return rc;
    if (p->failed && node->more && node->current.seq >= p->failed_seq) {
        node->more = false;
        return RM_OK;
    }
    const bool more = node->more;
    node->more = false;
    const int64_t started = rmi_call_begin(node);
    const bool at_end = node->ended && !stream_waits(node) && !more;
    if (!at_end)
        rc = node->type->stream(node, node->state, &p->scratch);
    else if (node->type->end != NULL)
        rc = node->type->end(node, node->state, &p->scratch);
    rc = rmi_call_end(node, started, rc);
    those_who_stood_back(p);
    if (atomic_load(&node->woken)) /* while it was busy nobody could poll it */
        atomic_store(&p->any_woken, true);
    if (rc < 0) {
        const int64_t seq = node->current.seq;
        rmi_close_inputs(node); /* a stream that failed does not go on, whatever on_error says */
        return rmi_item_failed(node, seq, &p->scratch, rc);
    }
    if (rc == RM_DONE)
        rmi_close_inputs(node);
    else if (rc == RM_PENDING)
        node->polling = node->poll_due = true;
    node->more = rc == RM_MORE;
    if (rc == RM_MORE || rc == RM_PENDING || stream_waits(node))
        rmi_ready(node);
    return RM_OK;
}

static int take(rm_node *node, rm_packet *packet)
{
    rmi_queue *queue = node->input_count == 1 ? &node->inputs[0]->queue : &node->merged;
    if (queue->count == 0)
        return RM_AGAIN;
    if (!rmi_is_before_failure(node, rmi_queue_first(queue)->seq))
        return RM_E_CANCELLED;
    const size_t units = rmi_queue_units(queue, 1);
    *packet = *rmi_queue_first(queue);
    packet->reserved = 0;
    rmi_queue_drop(queue, 1, 1, units);
    if (node->input_count == 1)
        rmi_drained(node->inputs[0]);
    node->counters.in++;
    node->starved = false;
    rmi_set_current(node, packet);
    return RM_OK;
}

bool rm_node_can_wait(const rm_node *node)
{
    const rm_pipeline *p = node->pipeline;
    uint32_t streams = 0;
    for (uint32_t i = 0; i < p->node_count; i++)
        streams += p->nodes[i].type->stream != NULL;
    if (streams > 1 && rmi_platform_has_threads())
        return false;
    const bool comes_by_itself = p->input == NULL ? p->generate : p->wait != NULL || p->may_block;
    return comes_by_itself && p->reentry < RMI_MAX_REENTRY && p->record == NULL;
}

/* Lets the other nodes work until something may have come: RM_OK to look again, else why nothing can be
 * had. */
static int run_upstream(rm_node *node)
{
    rm_pipeline *p = node->pipeline;
    int rc = p->tracked ? rmi_raise_bounds(node) : RM_OK; /* what others wait for may depend on this one */
    if (rc != RM_OK)
        return rc;
    const uint32_t outer_rank = p->pull_rank;
    p->reentry++;
    p->pull_rank = node->rank;
    rc = rmi_turn(p);
    p->pull_rank = outer_rank;
    p->reentry--;
    if (rc != RM_PENDING && rc != RM_AGAIN)
        return rc;
    if (p->wait != NULL) {
        rc = p->wait(p->wait_context, p, &p->scratch);
        return rc < 0 ? rmi_stop_with(p, NULL, &p->scratch, rc) : RM_OK;
    }
    if (rc == RM_PENDING && (p->may_block || p->input == NULL)) {
        rm_pipeline_wait(p, NULL, 0);
        return RM_OK;
    }
    return RM_AGAIN;
}

/* Streams are of any kind: the node itself sees to values that it does not take. */
int rm_node_pull(rm_node *node, bool wait, rm_packet *packet, rm_error *err)
{
    if (node->pipeline->record != NULL)
        return rmi_lone_pull(node, packet);
    for (;;) {
        int rc = node->input_count > 1 ? rmi_merge(node) : RM_OK;
        if (rc == RM_OK)
            rc = take(node, packet);
        if (rc == RM_OK)
            return RM_OK;
        if (rc == RM_AGAIN && (node->ended || node->closed))
            return RM_DONE;
        node->starved = true;
        if (rc == RM_AGAIN && (!wait || !rm_node_can_wait(node)))
            return RM_AGAIN;
        if (rc == RM_AGAIN)
            rc = run_upstream(node);
        if (rc < 0) /* told already, or to be told by the one who stopped the run */
            return rm_error_set(err, RM_E_CANCELLED, "the run has ended");
        if (rc != RM_OK)
            return rc;
    }
}
