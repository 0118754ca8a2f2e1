/* Nodes that take their input as a stream: they are called when something waits and pull it themselves. */
#include "exec/pipeline.h"

static bool stream_waits(const rm_node *node)
{
    return (node->input_count == 1 ? node->inputs[0]->queue.count : node->merged.count) > 0;
}

int rmi_stream_turn(rm_node *node)
{
    rm_pipeline *p = node->pipeline;
    int rc = RM_OK;
    if (node->closed)
        return RM_OK;
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
    node->more = false;
    const int64_t started = rmi_call_begin(node);
    rc = node->type->process(node, node->state, 0, rm_packet_of(rm_null()), &p->scratch);
    rc = rmi_call_end(node, started, rc);
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

/* Lets the other nodes work until something may have come: RM_OK to look again, else why nothing can be
 * had. */
static int run_upstream(rm_node *node)
{
    rm_pipeline *p = node->pipeline;
    int rc = p->tracked ? rmi_raise_bounds(node) : RM_OK; /* what others wait for may depend on this one */
    if (rc != RM_OK)
        return rc;
    p->reentry++;
    rc = rmi_turn(p);
    p->reentry--;
    if (rc == RM_PENDING && p->may_block) {
        rm_pipeline_wait(p, NULL, 0);
        return RM_OK;
    }
    return rc == RM_PENDING ? RM_AGAIN : rc;
}

/* Streams are of any kind: the node itself sees to values that it does not take. */
int rm_node_pull(rm_node *node, bool wait, rm_packet *packet, rm_error *err)
{
    rm_pipeline *p = node->pipeline;
    for (;;) {
        int rc = node->input_count > 1 ? rmi_merge(node) : RM_OK;
        if (rc == RM_OK)
            rc = take(node, packet);
        if (rc == RM_OK)
            return RM_OK;
        if (rc == RM_AGAIN && (node->ended || node->closed))
            return RM_DONE;
        node->starved = true;
        if (rc == RM_AGAIN &&
            (!wait || p->reentry >= RMI_MAX_REENTRY || (p->input == NULL && rmi_feed_open(p))))
            return RM_AGAIN;
        if (rc == RM_AGAIN)
            rc = run_upstream(node);
        if (rc < 0) /* told already, or to be told by the one who stopped the run */
            return rm_error_set(err, RM_E_CANCELLED, "the run has ended");
        if (rc != RM_OK)
            return rc;
    }
}
