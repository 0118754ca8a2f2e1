/* Calling a node's slots, and what its answers mean. */
#include "exec/pipeline.h"

int64_t rmi_call_watch(rm_node *node)
{
    rm_pipeline *p = node->pipeline;
    const int64_t timeout_ms = node->graph->source->timeout_ms, now = rmi_platform_now();
    node->outer_deadline = atomic_load(&p->call_deadline);
    node->outer_limited = atomic_load(&p->limited);
    if (timeout_ms > 0) {
        rm_node *late = node; /* of an earlier call, told too late */
        (void)atomic_compare_exchange_strong(&p->expired, &late, NULL);
        atomic_store(&p->call_deadline, now + timeout_ms * 1000000);
        atomic_store(&p->limited, node);
    }
    return now;
}

int rmi_call_unwatch(rm_node *node, int64_t started, int rc)
{
    rm_pipeline *p = node->pipeline;
    const int64_t timeout_ms = node->graph->source->timeout_ms;
    const int64_t took = rmi_platform_now() - started;
    node->counters.ns += (uint64_t)took;
    if (took > RMI_LONG_CALL_NS) {
        p->pause = true;
        node->run = 1;
    } else if (node->run < RMI_RUN)
        node->run *= 2;
    rm_node *expired = node;
    atomic_store(&p->limited, node->outer_limited);
    atomic_store(&p->call_deadline, node->outer_deadline);
    if (timeout_ms == 0 || !atomic_compare_exchange_strong(&p->expired, &expired, NULL) || rc >= 0 ||
        p->failed)
        return rc;
    rm_error_clear(&p->emit_error);
    return rm_error_set(&p->scratch, RM_E_TIMEOUT, "node '%s' took longer than its timeout_ms of %lld",
                        rm_node_id(node), (long long)timeout_ms);
}

/* A failure inside rm_emit counts also when the node did not look at its answer. */
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

/* What an answer other than a failure means for a plain node. One that it cannot give would lose the
 * packet: it is told. */
static int heed(rm_node *node, int64_t seq, int rc)
{
    rm_pipeline *p = node->pipeline;
    if (rc == RM_MORE && node->type->more != NULL) {
        node->more = true;
        rmi_ready(node);
    } else if (rc == RM_DONE)
        rmi_close_inputs(node);
    else if (rc != RM_OK) {
        rc = rm_error_set(&p->scratch, RM_E_INTERNAL,
                          rc == RM_PENDING ? "%s answered RM_PENDING (%d), but has no poll"
                          : rc == RM_MORE  ? "%s answered RM_MORE (%d), but has no more"
                                           : "%s answered %d, which process may not",
                          node->type->name, rc);
        return rmi_item_failed(node, seq, &p->scratch, rc);
    }
    return RM_OK;
}

static int no_progress(rm_node *node)
{
    return rm_error_set(&node->pipeline->scratch, RM_E_INTERNAL,
                        "process_many of '%s' took nothing and said nothing", node->type->name);
}

int rmi_call_settle(rm_node *node, rmi_queue *queue, size_t n, size_t units, size_t done, int rc)
{
    rm_packet *run = rmi_queue_first(queue);
    if (rc == RM_OK && done == 0)
        rc = no_progress(node);
    const int64_t seq = run[rc < 0 && done < n ? done : 0].seq;
    if (rc < 0 && done < n)
        done++; /* the failed one is consumed too */
    if (rc == RM_MORE && done > 0)
        node->current.seq = run[done - 1].seq;
    node->counters.in += done;
    rmi_queue_drop(queue, done, n, units);
    return rc < 0 ? rmi_item_failed(node, seq, &node->pipeline->scratch, rc) : heed(node, seq, rc);
}

static int call_many(rm_node *node, rmi_queue *queue, uint32_t port, size_t n)
{
    rm_pipeline *p = node->pipeline;
    const size_t units = rmi_queue_units(queue, n);
    size_t done = 0;
    rmi_set_current(node, rmi_queue_first(queue));
    const int64_t started = rmi_call_begin(node);
    int rc = node->type->process_many(node, node->state, port, rmi_queue_first(queue), n, &done, &p->scratch);
    rc = rmi_call_end(node, started, rc);
    return rmi_call_settle(node, queue, n, units, done, rc);
}

/* One packet through `process`. */
static int call_one(rm_node *node, rmi_queue *queue, uint32_t port)
{
    rm_pipeline *p = node->pipeline;
    const size_t units = rmi_queue_units(queue, 1);
    const rm_packet packet = *rmi_queue_first(queue);
    rmi_set_current(node, &packet);
    rmi_queue_drop(queue, 1, 1, units);
    node->counters.in++;
    const int64_t started = rmi_call_begin(node);
    int rc = node->type->process(node, node->state, port, packet, &p->scratch);
    rc = rmi_call_end(node, started, rc);
    return rc < 0 ? rmi_item_failed(node, packet.seq, &p->scratch, rc) : heed(node, packet.seq, rc);
}

int rmi_call_process(rm_node *node, rmi_queue *queue, uint32_t port, size_t n)
{
    if (node->type->process_many != NULL)
        return call_many(node, queue, port, n);
    int rc = RM_OK;
    for (size_t i = 0; rc == RM_OK && i < n && !node->more && !node->closed; i++) {
        if (i > 0 && rmi_output_room(node) == 0)
            break;
        rc = call_one(node, queue, port);
    }
    return rc;
}

/* The call after RM_MORE: no packet, the same one in process. */
int rmi_call_more(rm_node *node)
{
    rm_pipeline *p = node->pipeline;
    node->more = false;
    rmi_ready(node);                                     /* more packets may wait behind this one */
    if (p->failed && node->current.seq >= p->failed_seq) /* it might go on for ever */
        return RM_OK;
    const int64_t seq = node->current.seq;
    const int64_t started = rmi_call_begin(node);
    int rc = node->type->more(node, node->state, &p->scratch);
    rc = rmi_call_end(node, started, rc);
    return rc < 0 ? rmi_item_failed(node, seq, &p->scratch, rc) : heed(node, seq, rc);
}

/* What an answer of generate means; a failed item counts, so that the next one has its own number. */
static int heed_generate(rm_node *node, int rc)
{
    rm_pipeline *p = node->pipeline;
    const int64_t seq = node->next_seq;
    if (rc < 0) {
        node->next_seq++;
        rc = rmi_item_failed(node, seq, &p->scratch, rc);
        if (p->failed)
            return rc; /* call_generate ends it when its turn comes */
    }
    if (rc == RM_PENDING) {
        node->polling = true;
        node->wait = (rm_wait){.deadline = RMI_FOREVER, .descriptor = -1};
        node->poll_due = node->type->poll != NULL;
    } else if (rc == RM_DONE) {
        node->generating = false;
        rmi_close_inputs(node);
    }
    return rc < 0 ? rc : RM_OK;
}

int rmi_call_generate(rm_node *node, size_t room)
{
    rm_pipeline *p = node->pipeline;
    const bool live = (node->type->flags & RM_NODE_LIVE) != 0;
    const size_t calls = live ? 1 : room;
    int rc = RM_OK;
    rmi_set_origin(node, (rmi_origin){.seq = -1, .timestamp = RM_NO_TIME, .duration = RM_NO_TIME});
    for (size_t i = 0; i < calls && (rc == RM_OK || rc == RM_MORE); i++) {
        if (p->failed && (live || node->next_seq > p->failed_seq || node->rank == p->failed_rank))
            rc = RM_DONE;
        else if (i > 0 && rmi_output_room(node) == 0)
            break;
        else {
            const int64_t started = rmi_call_begin(node);
            rc = node->type->generate(node, node->state, &p->scratch);
            rc = rmi_call_end(node, started, rc);
        }
    }
    rc = heed_generate(node, rc);
    rmi_ready(node);
    node->inputs[0]->bound = node->generating ? node->next_seq : RMI_FOREVER;
    return rc;
}

int rmi_call_flush(rm_node *node)
{
    rm_pipeline *p = node->pipeline;
    if (node->type->flush == NULL)
        return RM_OK;
    const int64_t seq = RM_SEQ_END + node->rank;
    rmi_set_origin(node, (rmi_origin){.seq = seq, .timestamp = RM_NO_TIME, .duration = RM_NO_TIME});
    const int64_t started = rmi_call_begin(node);
    int rc = node->type->flush(node, node->state, &p->scratch);
    rc = rmi_call_end(node, started, rc);
    return rc < 0 ? rmi_item_failed(node, seq, &p->scratch, rc) : rc;
}
