/* Calling a node's slots. */
#include "exec/pipeline.h"

/* ---- Around every call */

/* A poll may process items of other nodes (they share an event loop), so the first timeout of all of them
 * ends it. */
static int64_t deadline_of_call(const rm_node *node, int64_t now)
{
    const int64_t timeout_ms = node->graph->source->timeout_ms;
    if (node->poll.calling)
        return rmi_first_timeout(node->pipeline);
    return timeout_ms > 0 ? now + timeout_ms * 1000000 : RMI_FOREVER;
}

int64_t rmi_call_watch(rm_node *node)
{
    rm_pipeline *p = node->pipeline;
    const int64_t now = rmi_platform_now(), deadline = deadline_of_call(node, now);
    node->call.outer_deadline = atomic_load(&p->call_deadline);
    node->call.outer_limited = atomic_load(&p->limited);
    if (deadline != RMI_FOREVER) {
        rm_node *late = node; /* left over from an earlier call */
        (void)atomic_compare_exchange_strong(&p->expired, &late, NULL);
        atomic_store(&p->polled, node->poll.calling);
        atomic_store(&p->call_deadline, deadline);
        atomic_store(&p->limited, node);
    }
    return now;
}

int rmi_call_unwatch(rm_node *node, int64_t started, int rc)
{
    rm_pipeline *p = node->pipeline;
    const int64_t took = rmi_platform_now() - started;
    node->counters.ns += (uint64_t)took;
    if (took > RMI_LONG_CALL_NS) {
        p->pause = true;
        node->call.batch = 1;
    } else if (node->call.batch < RMI_BATCH)
        node->call.batch *= 2;
    rm_node *expired = node;
    atomic_store(&p->polled, false); /* no poll is in progress around another call */
    atomic_store(&p->limited, node->call.outer_limited);
    atomic_store(&p->call_deadline, node->call.outer_deadline);
    if (!atomic_compare_exchange_strong(&p->expired, &expired, NULL) || rc >= 0 || p->stopped)
        return rc;
    if (node->poll.calling) { /* the node of the late item reports it; the others go on */
        if (rc == RM_E_CANCELLED && atomic_load(&p->stop) == RMI_RUNNING) {
            rm_error_clear(&p->scratch);
            rc = RM_MORE;
        }
        return rc;
    }
    rm_error_clear(&p->emit_error);
    return rmi_timeout_error(node, &p->scratch);
}

/* A failure inside rm_emit fails the call even if the node ignored what rm_emit returned. */
int rmi_call_failed(rm_node *node, int rc)
{
    rm_pipeline *p = node->pipeline;
    if (p->emit_error.code != RM_OK && (rc >= 0 || p->scratch.code == RM_OK)) {
        rc = p->emit_error.code;
        rm_error_move(&p->scratch, &p->emit_error);
    }
    rm_error_clear(&p->emit_error);
    if (rc < 0 && p->scratch.code == RM_OK)
        (void)rm_error_set(&p->scratch, rc, "node '%s' failed (%s) without saying why", rm_node_id(node),
                           rm_code_name(rc));
    return rc;
}

/* ---- The slots */

int rmi_call_took_nothing(rm_node *node)
{
    return rm_error_set(&node->pipeline->scratch, RM_E_INTERNAL,
                        "process_many of '%s' took nothing and said nothing", node->type->name);
}

int rmi_call_process(rm_node *node, uint32_t port, rm_packet *packets, size_t n, size_t *done)
{
    const rm_node_type *type = node->type;
    rm_error *err = &node->pipeline->scratch;
    int rc;
    *done = 0;
    const int64_t started = rmi_call_begin(node);
    if (type->process_many != NULL)
        rc = type->process_many(node, node->state, port, packets, n, done, err);
    else {
        rc = type->process(node, node->state, port, packets[0], err);
        *done = rc < 0 ? 0 : 1;
    }
    rc = rmi_call_end(node, started, rc);
    if ((rc == RM_OK || rc == RM_MORE || rc == RM_PENDING) &&
        *done == 0) { /* after RM_DONE none may be wanted */
        rm_packet_clear(&packets[0]);
        rc = rmi_call_took_nothing(node);
    }
    return rc;
}

int rmi_call_more(rm_node *node)
{
    const int64_t started = rmi_call_begin(node);
    return rmi_call_end(node, started, node->type->more(node, node->state, &node->pipeline->scratch));
}

int rmi_call_generate(rm_node *node)
{
    const int64_t started = rmi_call_begin(node);
    return rmi_call_end(node, started, node->type->generate(node, node->state, &node->pipeline->scratch));
}

int rmi_call_stream(rm_node *node, bool at_end)
{
    const rm_node_type *type = node->type;
    int (*slot)(rm_node *, void *, rm_error *) = at_end ? type->end : type->stream;
    if (slot == NULL)
        return RM_OK;
    const int64_t started = rmi_call_begin(node);
    return rmi_call_end(node, started, slot(node, node->state, &node->pipeline->scratch));
}

int rmi_call_poll(rm_node *node, rm_wait *wait)
{
    rm_pipeline *p = node->pipeline;
    const bool worked = p->worked;
    *wait = (rm_wait){.deadline = RMI_FOREVER, .descriptor = -1};
    node->poll.calling = true;
    const int64_t started = rmi_call_begin(node);
    const int rc = rmi_call_end(node, started, node->type->poll(node, node->state, wait, &p->scratch));
    node->poll.calling = false;
    p->worked = worked;
    return rc;
}

int rmi_call_advance(rm_node *node, int64_t bound)
{
    rmi_set_seq(node, bound - 1);
    const int64_t started = rmi_call_begin(node);
    return rmi_call_end(node, started,
                        node->type->advance(node, node->state, bound, &node->pipeline->scratch));
}

int rmi_call_flush(rm_node *node)
{
    if (node->type->flush == NULL)
        return RM_OK;
    const int64_t started = rmi_call_begin(node);
    return rmi_call_end(node, started, node->type->flush(node, node->state, &node->pipeline->scratch));
}

int rmi_call_close(rm_node *node)
{
    if (node->type->close == NULL)
        return RM_OK;
    const int64_t started = rmi_call_begin(node);
    return rmi_call_end(node, started, node->type->close(node, node->state, &node->pipeline->scratch));
}

void rmi_call_abandon(rm_node *node, uint64_t token)
{
    if (node->type->abandon == NULL)
        return;
    const int64_t started = rmi_call_begin(node);
    node->type->abandon(node, node->state, token);
    if (rmi_call_end(node, started, RM_OK) != RM_OK) /* abandon may not emit: drops the failure */
        rm_error_clear(&node->pipeline->scratch);
}
