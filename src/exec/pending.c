/* Packets in flight: those whose results come later (RM_PENDING), that may be tried again, or that have a
 * timeout. Whatever finishes first, results leave the node in the order of the packets. */
#include "base/alloc.h"
#include "exec/pipeline.h"

rmi_flight *rmi_flight_find(const rm_node *node, uint64_t token)
{
    for (size_t i = 0; i < node->flight_count; i++)
        if (node->flights[i].token == token && token != 0)
            return &node->flights[i];
    return NULL;
}

static bool may_retry(const rm_node *node)
{
    return node->graph->source->retry_attempts > 0;
}

bool rmi_flight_room(const rm_node *node)
{
    const uint32_t most = node->max_in_flight;
    return !node->more && node->flight_count < (most > 0 ? most : 1);
}

static void flight_clear(rm_node *node, rmi_flight *flight)
{
    const rm_allocator *allocator = node->pipeline->allocator;
    rm_value metadata = {.kind = flight->origin.metadata ? RM_MAP : RM_NULL, .heap = flight->origin.metadata};
    rm_value_clear(&metadata);
    rmi_queue_free(allocator, &flight->staged);
    rm_packet_clear(&flight->retry);
    if (flight->error != NULL)
        rm_error_clear(flight->error);
    rmi_free(allocator, flight->error, sizeof *flight->error);
}

void rmi_flights_free(rm_node *node)
{
    for (size_t i = 0; i < node->flight_count; i++)
        flight_clear(node, &node->flights[i]);
    rmi_free(node->pipeline->allocator, node->flights, node->flight_capacity * sizeof *node->flights);
    node->flights = NULL;
    node->flight_count = node->flight_capacity = 0;
}

void rmi_flight_remove(rm_node *node, rmi_flight *flight)
{
    flight_clear(node, flight);
    node->flight_count--;
    for (size_t i = (size_t)(flight - node->flights); i < node->flight_count; i++)
        node->flights[i] = node->flights[i + 1];
}

int rmi_flight_add(rm_node *node, const rmi_flight *flight)
{
    void *block = node->flights;
    const int rc = rmi_grow(node->pipeline->allocator, &block, &node->flight_capacity, node->flight_count + 1,
                            sizeof *flight, NULL);
    node->flights = block;
    if (rc != RM_OK)
        return rc;
    if (flight->origin.metadata != NULL)
        (void)rm_value_retain((rm_value){.kind = RM_MAP, .heap = flight->origin.metadata});
    node->flights[node->flight_count++] = *flight;
    return RM_OK;
}

/* Starts a flight for `packet` (borrowed). */
static int start(rm_node *node, const rm_packet *packet, uint32_t port, uint64_t *token)
{
    const rmi_manifest_node *source = node->graph->source;
    int rc = RM_OK;
    rmi_flight flight = {.token = ++node->next_token,
                         .origin = {packet->seq, packet->timestamp, packet->duration, packet->metadata},
                         .port = port,
                         .attempts = source->retry_attempts,
                         .deadline = RMI_FOREVER,
                         .retry = rm_packet_of(rm_null())};
    if (source->timeout_ms > 0)
        flight.deadline = rmi_platform_now() + source->timeout_ms * 1000000;
    if (may_retry(node)) {
        flight.retry = *packet;
        flight.retry.metadata = NULL;
        rc = rm_value_for_branch(packet->value, &flight.retry.value, &node->pipeline->scratch);
    }
    if (rc == RM_OK && (rc = rmi_flight_add(node, &flight)) != RM_OK)
        rm_packet_clear(&flight.retry);
    *token = flight.token;
    return rc;
}

int rmi_flight_stage(rm_node *node, uint32_t port, const rm_packet *packets, size_t n)
{
    rmi_flight *flight = rmi_flight_find(node, node->staging);
    if (flight == NULL)
        return RM_E_INTERNAL;
    const int rc = rmi_queue_append(node->pipeline->allocator, &flight->staged, packets, n);
    if (rc != RM_OK)
        return rc;
    rm_packet *staged = rmi_queue_first(&flight->staged) + flight->staged.count - n;
    for (size_t i = 0; i < n; i++)
        staged[i].reserved = port;
    flight->staged.units = 0;
    return RM_OK;
}

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

/* Sends out, in order, what is finished at the front. */
static int commit(rm_node *node)
{
    rm_pipeline *p = node->pipeline;
    int rc = RM_OK;
    while (rc == RM_OK && node->flight_count > 0) {
        rmi_flight *first = &node->flights[0];
        if (first->finished || !may_retry(node))
            rc = deliver_staged(node, first);
        if (!first->finished)
            break;
        if (rc == RM_OK && first->code < 0)
            rc = rmi_item_failed(node, first->origin.seq, first->error, first->code);
        rmi_flight_remove(node, &node->flights[0]);
    }
    if (rc < 0 && !p->failed)
        (void)rmi_stop_with(p, node, &p->emit_error, rc);
    rmi_ready(node);
    return p->stopped ? p->failed : RM_OK;
}

/* A flight has its outcome. `error` is emptied. */
static int settle(rm_node *node, uint64_t token, int rc, rm_error *error)
{
    rm_pipeline *p = node->pipeline;
    rmi_flight *flight = rmi_flight_find(node, token);
    if (flight == NULL || flight->finished) { /* its timeout has told already */
        rm_error_clear(error);
        return RM_OK;
    }
    if (rc < 0 && may_retry(node))
        rmi_queue_clear(&flight->staged);
    if (rc < 0 && flight->attempts > 0 && rc != RM_E_OUT_OF_MEMORY && rc != RM_E_CANCELLED) {
        flight->attempts--;
        flight->waiting = true;
        flight->deadline = rmi_platform_now() + node->graph->source->retry_backoff_ms * 1000000;
        node->poll_due = node->graph->source->retry_backoff_ms == 0;
        rm_error_clear(error);
        rmi_ready(node);
        return RM_OK;
    }
    flight->finished = true;
    flight->code = rc < 0 ? rc : RM_OK;
    if (rc < 0) {
        flight->error = rmi_alloc_zeroed(p->allocator, sizeof *flight->error);
        if (flight->error == NULL)
            return rmi_stop_with(p, node, NULL, RM_E_OUT_OF_MEMORY);
        rm_error_move(flight->error, error);
    }
    return commit(node);
}

/* What an answer of process means for the flight it was called for. */
static int outcome(rm_node *node, uint64_t token, int rc)
{
    rm_pipeline *p = node->pipeline;
    node->staging = 0;
    if (rc == RM_PENDING && (!node->suspended || node->type->poll == NULL))
        rc = rm_error_set(&p->scratch, RM_E_INTERNAL,
                          "%s answered RM_PENDING without rm_node_suspend or poll", node->type->name);
    if (rc == RM_MORE && node->type->more == NULL)
        rc = rm_error_set(&p->scratch, RM_E_INTERNAL, "%s answered RM_MORE without more", node->type->name);
    if (rc == RM_PENDING) {
        node->polling = node->poll_due = true;
        rmi_ready(node);
        return commit(node);
    }
    if (rc == RM_MORE) {
        node->more = true;
        node->more_token = token;
        rmi_ready(node);
        return commit(node);
    }
    const bool done = rc == RM_DONE;
    rc = settle(node, token, rc, &p->scratch);
    if (done)
        rmi_close_inputs(node);
    return rc;
}

static void enter(rm_node *node, const rmi_flight *flight)
{
    node->in_call = flight->token;
    node->suspended = false;
    node->staging = may_retry(node) || flight != node->flights ? flight->token : 0;
    rmi_set_origin(node, flight->origin);
}

/* Calls the node with `packet` (consumed; NULL: after RM_MORE) for the flight. */
static int attempt(rm_node *node, uint64_t token, uint32_t port, rm_packet *packet)
{
    rm_pipeline *p = node->pipeline;
    const rm_node_type *type = node->type;
    size_t done = 0;
    int rc;
    enter(node, rmi_flight_find(node, token));
    const int64_t started = rmi_call_begin(node);
    if (packet == NULL)
        rc = type->more(node, node->state, &p->scratch);
    else if (type->process_many != NULL)
        rc = type->process_many(node, node->state, port, packet, 1, &done, &p->scratch);
    else
        rc = type->process(node, node->state, port, *packet, &p->scratch);
    rc = rmi_call_end(node, started, rc);
    if (type->process_many != NULL && packet != NULL && rc >= 0 && done == 0) {
        rm_packet_clear(packet);
        rc = rm_error_set(&p->scratch, RM_E_INTERNAL, "process_many of '%s' did not take its packet",
                          type->name);
    }
    return outcome(node, token, rc);
}

int rmi_flight_process(rm_node *node, rmi_queue *queue, uint32_t port)
{
    rm_pipeline *p = node->pipeline;
    const size_t units = rmi_queue_units(queue, 1);
    rm_packet packet = *rmi_queue_first(queue);
    uint64_t token = 0;
    rmi_queue_drop(queue, 1, 1, units);
    node->counters.in++;
    const int rc = start(node, &packet, port, &token);
    if (rc != RM_OK) {
        rm_packet_clear(&packet);
        return rmi_item_failed(node, packet.seq, &p->scratch, rc);
    }
    return attempt(node, token, port, &packet);
}

int rmi_flight_more(rm_node *node)
{
    const rm_pipeline *p = node->pipeline;
    const rmi_flight *flight = rmi_flight_find(node, node->more_token);
    node->more = false;
    if (flight == NULL)
        return RM_OK;
    if (p->failed && flight->origin.seq >= p->failed_seq) { /* it might go on for ever */
        rm_error none = {0};
        return settle(node, flight->token, RM_OK, &none);
    }
    return attempt(node, flight->token, flight->port, NULL);
}

static int attempt_again(rm_node *node, rmi_flight *flight)
{
    rm_pipeline *p = node->pipeline;
    const uint64_t token = flight->token;
    const uint32_t port = flight->port;
    rm_packet packet = flight->retry;
    flight->waiting = false;
    flight->deadline = RMI_FOREVER;
    if (node->graph->source->timeout_ms > 0)
        flight->deadline = rmi_platform_now() + node->graph->source->timeout_ms * 1000000;
    int rc = rm_value_for_branch(flight->retry.value, &packet.value, &p->scratch);
    if (rc != RM_OK)
        return settle(node, token, rc, &p->scratch);
    packet.metadata = flight->origin.metadata;
    if (packet.metadata != NULL)
        (void)rm_value_retain(rm_packet_metadata(&packet));
    return attempt(node, token, port, &packet);
}

static int out_of_time(rm_node *node, rmi_flight *flight)
{
    rm_pipeline *p = node->pipeline;
    const uint64_t token = flight->token;
    if (node->type->abandon != NULL) {
        const int64_t started = rmi_call_begin(node);
        node->type->abandon(node, node->state, token);
        (void)rmi_call_end(node, started, RM_OK);
    }
    const int rc =
        rm_error_set(&p->scratch, RM_E_TIMEOUT, "node '%s' took longer than its timeout_ms of %lld",
                     rm_node_id(node), (long long)node->graph->source->timeout_ms);
    return settle(node, token, rc, &p->scratch);
}

static int call_poll(rm_node *node)
{
    rm_pipeline *p = node->pipeline;
    rm_wait wait = {.deadline = RMI_FOREVER, .descriptor = -1};
    const int64_t seq = node->generating ? node->next_seq : node->current.seq;
    const bool worked = p->worked;
    node->in_call = 0;
    const int64_t started = rmi_call_begin(node);
    int rc = node->type->poll(node, node->state, &wait, &p->scratch);
    rc = rmi_call_end(node, started, rc);
    p->worked = worked;
    node->staging = 0;
    node->polling = rc == RM_PENDING || rc == RM_MORE;
    node->poll_due = rc == RM_MORE;
    node->wait = wait;
    rmi_ready(node);
    if (node->generating)
        node->inputs[0]->bound = node->next_seq;
    if (rc == RM_DONE)
        rmi_close_inputs(node);
    return rc < 0 ? rmi_item_failed(node, seq, &p->scratch, rc) : RM_OK;
}

int rmi_poll(rm_node *node)
{
    int rc = RM_OK;
    node->poll_due = false;
    rmi_ready(node); /* this was not the turn of what waits in its inputs */
    if (node->polling && node->type->poll != NULL)
        rc = call_poll(node);
    else
        node->polling = false;
    const int64_t now = node->flight_count > 0 ? rmi_platform_now() : 0;
    for (size_t i = 0; rc == RM_OK && i < node->flight_count; i++) {
        rmi_flight *flight = &node->flights[i];
        if (flight->finished || flight->deadline > now)
            continue;
        rc = flight->waiting ? attempt_again(node, flight) : out_of_time(node, flight);
        break; /* the flights may have moved; the others have their turn */
    }
    return rc;
}

int64_t rmi_pending_deadline(const rm_node *node)
{
    int64_t deadline = node->polling ? node->wait.deadline : RMI_FOREVER;
    for (size_t i = 0; i < node->flight_count; i++)
        if (!node->flights[i].finished && node->flights[i].deadline < deadline)
            deadline = node->flights[i].deadline;
    return deadline;
}

bool rmi_is_pending(const rm_node *node)
{
    const bool endless = (node->generating || node->type->stream != NULL) && !node->closed;
    if (node->polling && node->flight_count > 0)
        return rmi_is_before_failure(node, node->flights[0].origin.seq);
    if (node->polling && endless)
        return !node->starved && !node->pipeline->failed;
    for (size_t i = 0; i < node->flight_count; i++)
        if (node->flights[i].waiting && rmi_is_before_failure(node, node->flights[i].origin.seq))
            return true;
    return false;
}

/* ---- What nodes call ---------------------------------------------------------------------------------------- */

uint64_t rm_node_suspend(rm_node *node)
{
    if (node->pipeline->record != NULL)
        return rmi_lone_suspend(node);
    node->suspended = node->in_call != 0;
    return node->in_call;
}

void rm_node_resume(rm_node *node, uint64_t token)
{
    if (node->pipeline->record != NULL) {
        rmi_lone_resume(node, token);
        return;
    }
    const rmi_flight *flight = rmi_flight_find(node, token);
    if (flight == NULL) { /* its timeout has passed: what is emitted now belongs nowhere */
        node->staging = RMI_DISCARD;
        return;
    }
    node->staging = may_retry(node) || flight != node->flights ? token : 0;
    rmi_set_origin(node, flight->origin);
}

int rm_node_finish(rm_node *node, uint64_t token, int code, rm_error *err)
{
    rm_error none = {0};
    if (node->pipeline->record != NULL)
        return rmi_lone_finish(node, token, code, err != NULL ? err : &none);
    node->staging = 0;
    return settle(node, token, code, err != NULL ? err : &none);
}

void rm_node_wake(rm_node *node)
{
    atomic_store(&node->woken, true);
    atomic_store(&node->pipeline->any_woken, true);
    rmi_wake *wake = atomic_load(&node->pipeline->wake);
    if (wake != NULL)
        rmi_wake_raise(wake);
}
