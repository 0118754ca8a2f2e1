/* What happens to packets under way (flight.c): attempts, polls, outcomes, and sending their results in
 * order. */
#include "exec/pipeline.h"

#include "base/alloc.h"

/* ---- Sending out */

static int deliver_staged(rm_node *node, rmi_flight *flight)
{
    rmi_queue staged = flight->staged; /* delivering may change the flights */
    flight->staged = (rmi_queue){0};
    int rc = RM_OK;
    for (size_t i = 0; i < staged.count; i++) {
        rm_packet *packet = rmi_queue_first(&staged) + i;
        const uint32_t port = packet->reserved;
        if (rc == RM_OK)
            rc = rmi_deliver(node, port, packet, 1);
        else
            rm_packet_clear(packet);
    }
    staged.count = 0; /* all consumed */
    rmi_queue_free(node->pipeline->allocator, &staged);
    return rc;
}

/* Delivers what the first flight has emitted so far; true when it is finished and the next one is first. */
static bool commit_first(rm_node *node, int *rc)
{
    rmi_flight *first = &node->flight.items[0];
    const bool finished = first->finished;
    RMI_CHECK(node->flight.count > 0 && !(finished && first->waiting));
    if (first->origin.seq > node->pipeline->limit)
        return false;
    if (finished || !rmi_may_retry(node))
        *rc = deliver_staged(node, first);
    if (!finished)
        return false;
    if (*rc == RM_OK && first->code < 0)
        *rc = rmi_item_failed(node, first->origin.seq, first->error, first->code);
    rmi_flight_remove(node, first);
    return *rc == RM_OK;
}

int rmi_flight_commit(rm_node *node)
{
    rm_pipeline *p = node->pipeline;
    int rc = RM_OK;
    while (node->flight.count > 0 && node->failure.error == NULL && commit_first(node, &rc)) {
    }
    if (rc < 0 && !p->stopped)
        (void)rmi_stop_with(p, node, &p->emit_error, rc);
    rmi_ready(node);
    return p->stopped ? p->failed : RM_OK;
}

/* ---- Outcomes */

/* The item failed, and is tried again later. */
static int wait_for_retry(rm_node *node, rmi_flight *flight, rm_error *error)
{
    const int64_t backoff_ms = node->graph->source->retry_backoff_ms;
    flight->attempts--;
    flight->waiting = true;
    (void)rmi_first_timeout_of(node);
    flight->deadline = backoff_ms > 0 ? rmi_platform_now() + backoff_ms * 1000000 : 0;
    rm_error_clear(error);
    rmi_ready(node);
    return RM_OK;
}

/* Turns RM_E_CANCELLED into the timeout's error: the node was interrupted because an item was late, maybe
 * another one. */
static int told_as_timeout(const rm_node *node, int rc, rm_error *error)
{
    const bool limited = node->graph->source->timeout_ms > 0;
    const bool running = atomic_load_explicit(&node->pipeline->stop, memory_order_relaxed) == RMI_RUNNING;
    if (rc != RM_E_CANCELLED || !limited || !running)
        return rc;
    return rmi_timeout_error(node, error);
}

/* Records the outcome `rc` of a flight. `error` is emptied. */
static int settle(rm_node *node, uint64_t token, int rc, rm_error *error)
{
    rm_pipeline *p = node->pipeline;
    rmi_flight *flight = rmi_flight_find(node, token);
    if (flight == NULL || flight->finished) { /* its timeout was reported already */
        rm_error_clear(error);
        return RM_OK;
    }
    if (rc < 0)
        rc = told_as_timeout(node, rc, error);
    if (rc < 0 && rmi_may_retry(node))
        rmi_queue_clear(&flight->staged);
    if (rc < 0 && flight->attempts > 0 && rc != RM_E_OUT_OF_MEMORY && rc != RM_E_CANCELLED)
        return wait_for_retry(node, flight, error);
    flight->finished = true;
    (void)rmi_first_timeout_of(node);
    flight->code = rc < 0 ? rc : RM_OK;
    if (rc < 0) {
        flight->error = rmi_alloc_zeroed(p->allocator, sizeof *flight->error);
        if (flight->error == NULL)
            return rmi_stop_with(p, node, NULL, RM_E_OUT_OF_MEMORY);
        rm_error_move(flight->error, error);
    }
    return rmi_flight_commit(node);
}

/* Refuses RM_MORE and RM_PENDING where the node has no way to go on after them. */
static int check_answer(rm_node *node, int rc)
{
    rm_error *err = &node->pipeline->scratch;
    if (rc == RM_PENDING && (!node->flight.suspended || node->type->poll == NULL))
        return rm_error_set(err, RM_E_INTERNAL, "%s answered RM_PENDING without rm_node_suspend or poll",
                            node->type->name);
    if (rc == RM_MORE && node->type->more == NULL)
        return rm_error_set(err, RM_E_INTERNAL, "%s answered RM_MORE (%d), but has no more", node->type->name,
                            rc);
    return rc;
}

/* Handles what process or more returned for the flight that it was called for. */
static int outcome(rm_node *node, uint64_t token, int64_t seq, int rc)
{
    node->flight.staging = 0;
    node->flight.in_call = 0;
    rc = check_answer(node, rc);
    if (rc == RM_PENDING)
        node->poll.on = node->poll.due = true;
    if (rc == RM_MORE) {
        node->more = true;
        node->flight.more_token = token;
    }
    rmi_ready(node);
    if (rc == RM_PENDING || rc == RM_MORE)
        return rmi_flight_commit(node);
    const bool done = rc == RM_DONE;
    rc = settle(node, token, rc, &node->pipeline->scratch);
    if (done)
        rmi_close_inputs(node, seq);
    return rc;
}

/* ---- Attempts */

static int64_t timeout_from_now(const rm_node *node)
{
    const int64_t timeout_ms = node->graph->source->timeout_ms;
    return timeout_ms > 0 ? rmi_platform_now() + timeout_ms * 1000000 : RMI_FOREVER;
}

/* Starts a flight for `packet` (borrowed). */
static int start(rm_node *node, const rm_packet *packet, uint32_t port, uint64_t *token)
{
    int rc = RM_OK;
    rmi_flight flight = {.token = ++node->flight.next_token,
                         .origin = {packet->seq, packet->timestamp, packet->duration, packet->metadata},
                         .port = port,
                         .attempts = node->graph->source->retry_attempts,
                         .deadline = timeout_from_now(node),
                         .retry = rm_packet_of(rm_null())};
    if (rmi_may_retry(node)) {
        flight.retry = *packet;
        flight.retry.metadata = NULL;
        rc = rm_value_for_branch(packet->value, &flight.retry.value, &node->pipeline->scratch);
    }
    if (rc == RM_OK && (rc = rmi_flight_add(node, &flight)) != RM_OK)
        rm_packet_clear(&flight.retry);
    *token = flight.token;
    return rc;
}

static int64_t enter(rm_node *node, const rmi_flight *flight)
{
    node->flight.in_call = flight->token;
    node->flight.suspended = false;
    node->flight.staging = rmi_may_retry(node) || flight != node->flight.items ? flight->token : 0;
    rmi_set_origin(node, flight->origin);
    return flight->origin.seq;
}

/* Calls process for the flight; consumes *packet. */
static int attempt(rm_node *node, uint64_t token, uint32_t port, rm_packet *packet)
{
    size_t done = 0;
    const int64_t seq = enter(node, rmi_flight_find(node, token));
    const int rc = rmi_call_process(node, port, packet, 1, &done);
    if (rc == RM_DONE && done == 0)
        rm_packet_clear(packet);
    return outcome(node, token, seq, rc);
}

int rmi_flight_process(rm_node *node, rmi_queue *queue, uint32_t port)
{
    rm_packet packet;
    uint64_t token = 0;
    rmi_queue_take(queue, &packet);
    const int64_t seq = packet.seq;
    node->counters.in++;
    const int rc = start(node, &packet, port, &token);
    if (rc != RM_OK) {
        rm_packet_clear(&packet);
        return rmi_item_failed(node, seq, &node->pipeline->scratch, rc);
    }
    return attempt(node, token, port, &packet);
}

int rmi_flight_refuse(rm_node *node, rmi_queue *queue, int code)
{
    rm_packet packet;
    rm_error why = {0};
    uint64_t token = 0;
    rmi_queue_take(queue, &packet);
    const int64_t seq = packet.seq;
    node->counters.in++;
    rm_error_move(&why, &node->pipeline->scratch);
    int rc = start(node, &packet, 0, &token);
    rm_packet_clear(&packet);
    if (rc != RM_OK) {
        rm_error_clear(&why);
        return rmi_item_failed(node, seq, &node->pipeline->scratch, rc);
    }
    rmi_flight_find(node, token)->attempts = 0;
    return settle(node, token, code, &why);
}

int rmi_flight_more(rm_node *node)
{
    const rmi_flight *flight = rmi_flight_find(node, node->flight.more_token);
    node->more = false;
    rmi_ready(node);
    if (flight == NULL || flight->finished)
        return RM_OK;
    const uint64_t token = flight->token;
    const int64_t seq = enter(node, flight);
    return outcome(node, token, seq, rmi_call_more(node));
}

/* The first flight whose deadline has passed, `waiting` for its next attempt or not. */
static rmi_flight *due_flight(const rm_node *node, bool waiting)
{
    const rm_pipeline *p = node->pipeline;
    for (size_t i = 0; i < node->flight.count; i++) {
        rmi_flight *flight = &node->flight.items[i];
        if (!flight->finished && flight->waiting == waiting && flight->deadline <= p->now &&
            flight->origin.seq <= p->limit)
            return flight;
    }
    return NULL;
}

int rmi_flight_retry(rm_node *node)
{
    rm_pipeline *p = node->pipeline;
    rmi_flight *flight = due_flight(node, true);
    if (flight == NULL)
        return RM_OK;
    const uint64_t token = flight->token;
    const uint32_t port = flight->port;
    rm_packet packet = flight->retry;
    flight->waiting = false;
    flight->deadline = timeout_from_now(node);
    const int rc = rm_value_for_branch(flight->retry.value, &packet.value, &p->scratch);
    if (rc != RM_OK)
        return settle(node, token, rc, &p->scratch);
    packet.metadata = flight->origin.metadata;
    if (packet.metadata != NULL)
        (void)rm_value_retain(rm_packet_metadata(&packet));
    return attempt(node, token, port, &packet);
}

int rmi_flight_expire(rm_node *node)
{
    rm_pipeline *p = node->pipeline;
    const rmi_flight *flight = due_flight(node, false);
    if (flight == NULL)
        return RM_OK;
    const uint64_t token = flight->token;
    if (node->more && node->flight.more_token == token)
        node->more = false;
    rmi_call_abandon(node, token);
    return settle(node, token, rmi_timeout_error(node, &p->scratch), &p->scratch);
}

/* ---- Polls */

static int call_poll(rm_node *node)
{
    rm_wait wait;
    node->flight.in_call = 0;
    int rc = rmi_call_poll(node, &wait);
    const int64_t seq = node->generate.on ? node->generate.next_seq : node->current.seq;
    node->flight.staging = 0;
    node->poll.on = rc == RM_PENDING || rc == RM_MORE;
    node->poll.due = rc == RM_MORE;
    node->poll.wait = wait;
    node->stream.starved |= rc == RM_OK;
    RMI_CHECK(!node->generate.on || node->in.links[0]->bound <= node->generate.next_seq);
    if (node->generate.on)
        node->in.links[0]->bound = node->generate.next_seq;
    if (rc == RM_DONE)
        rmi_close_inputs(node, seq);
    if (rc < 0 && node->type->stream != NULL)
        return rmi_stream_failed(node, rc);
    return rc < 0 ? rmi_item_failed(node, seq, &node->pipeline->scratch, rc) : RM_OK;
}

int rmi_poll(rm_node *node)
{
    node->poll.due = false;
    atomic_store(&node->poll.woken, false);
    rmi_ready(node); /* packets may wait in its inputs */
    if (node->type->poll != NULL)
        return call_poll(node);
    node->poll.on = false; /* a source that was woken: generate is called again */
    return RM_OK;
}

void rmi_abandon(rm_node *node)
{
    for (size_t i = 0; i < node->flight.count; i++) {
        const rmi_flight *flight = &node->flight.items[i];
        if (!flight->finished && !flight->waiting)
            rmi_call_abandon(node, flight->token);
    }
    if (node->flight.count == 0)
        rmi_call_abandon(node, 0);
    rmi_flights_clear(node);
    node->more = node->poll.on = node->poll.due = node->generate.on = false;
    rmi_ready(node);
}

/* ---- What nodes call */

uint64_t rmi_suspend(rm_node *node)
{
    node->flight.suspended = node->flight.in_call != 0;
    return node->flight.in_call;
}

void rmi_resume(rm_node *node, uint64_t token)
{
    const rmi_flight *flight = rmi_flight_find(node, token);
    if (flight == NULL || flight->finished) { /* after its timeout, emissions are discarded */
        node->flight.staging = RMI_DISCARD;
        return;
    }
    node->flight.staging = rmi_may_retry(node) || flight != node->flight.items ? token : 0;
    rmi_set_origin(node, flight->origin);
}

int rmi_finish(rm_node *node, uint64_t token, int code, rm_error *err)
{
    node->flight.staging = 0;
    return settle(node, token, code, err);
}
