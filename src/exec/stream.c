/* Nodes that take their input as a stream: the scheduler calls them when a packet waits, and they pull it
 * themselves (pull.c). */
#include "exec/pipeline.h"

bool rmi_stream_waits(const rm_node *node)
{
    const int64_t next = rmi_next_seq(node);
    return next != RMI_FOREVER && next <= node->pipeline->limit;
}

int rmi_stream_failed(rm_node *node, int rc)
{
    const int64_t seq = node->current.seq;
    if (!node->pipeline->stopped)
        rmi_close_inputs(node, seq);
    return rmi_item_failed(node, seq, &node->pipeline->scratch, rc);
}

/* Handles what stream or end returned. */
static int heed(rm_node *node, int rc)
{
    const int64_t seq = node->current.seq;
    if (node->stream.given_up && !node->pipeline->stopped) {
        rm_error_clear(&node->pipeline->scratch);
        return RM_OK;
    }
    if (rc < 0)
        return rmi_stream_failed(node, rc);
    node->more = rc == RM_MORE;
    node->stream.starved |= rc == RM_OK; /* it wants more */
    node->poll.on = rc == RM_PENDING;
    node->poll.due = rc == RM_PENDING && node->type->poll != NULL;
    if (rc == RM_DONE)
        rmi_close_inputs(node, seq);
    rmi_ready(node);
    return RM_OK;
}

int rmi_stream_turn(rm_node *node, bool at_end)
{
    int rc = node->in.count > 1 ? rmi_merge(node) : RM_OK;
    if (rc != RM_OK)
        return rc;
    node->more = false;
    if (at_end)
        node->stream.told = true;
    rc = rmi_call_stream(node, at_end);
    return heed(node, rc);
}

/* ---- Waiting */

/* Whether input comes without pushes from outside: then others can work inside a pull. */
static bool comes_by_itself(const rm_pipeline *p)
{
    return p->input == NULL ? p->generate : p->wait != NULL || p->may_block;
}

bool rmi_can_nest(const rm_pipeline *p)
{
    return comes_by_itself(p) && p->pulls < RMI_MAX_PULLS;
}

bool rmi_can_wait(const rm_node *node)
{
    const rm_pipeline *p = node->pipeline;
    return rmi_can_nest(p) && (p->stream_count == 1 || !rmi_platform_has_threads());
}

bool rmi_may_wait(const rm_node *node)
{
    const rm_pipeline *p = node->pipeline;
    const bool does = node->stream.has_waited || !rmi_platform_has_threads();
    return p->stream_count > 1 && !node->stream.ended && does && comes_by_itself(p);
}
