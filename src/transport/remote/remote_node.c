/* The slots of nodes that run elsewhere. Each packet is pending until the other side has acknowledged it; poll passes on what has come,
 * and sends what waits. */
#include <stddef.h>
#include <string.h>

#include "base/alloc.h"
#include "exec/node_place.h"
#include "graph/registry.h"
#include "transport/remote/remote_run.h"

/* ---- Begin and end */

/* RemotePipelineNode: what runs when no endpoint answers. */
static int add_fallback(rmi_remote_state *state, rm_error *err)
{
    const rmi_graph *graph = state->graph;
    const uint32_t index = rmi_remote_fallback_of(graph, state->index);
    state->own.directory = graph->directory;
    state->own.has_here = index < graph->node_count;
    return state->own.has_here ? rmi_remote_work_of_node(graph, index, false, &state->own.here, err) : RM_OK;
}

static int make_plan(rmi_remote_state *state, rm_error *err)
{
    const rm_allocator *allocator = rm_node_allocator(state->node);
    const rmi_hosted *hosted = rm_node_type_data(state->node);
    state->own = rmi_remote_plan_preset();
    state->plan = hosted != NULL ? rmi_hosted_plan(hosted) : &state->own;
    if (hosted != NULL)
        return RM_OK;
    int rc = rmi_remote_plan_read(allocator, &state->params, &state->own, err);
    if (rc == RM_OK)
        rc = add_fallback(state, err);
    if (rc == RM_OK && state->own.authorities_file != NULL)
        rc = rmi_platform_read_file(allocator, state->own.authorities_file, 1 << 20, &state->authorities,
                                    &state->authorities_length, err);
    return rc;
}

static int check_hops(const rmi_remote_state *state, rm_error *err)
{
    const unsigned hops = state->graph->hops;
    if (hops < state->plan->most_hops)
        return RM_OK;
    (void)rm_error_set(
        err, RM_E_LIMIT,
        "the run has come through %u servers, which is the hop limit: do they call each other in a circle?",
        hops);
    return RM_E_LIMIT;
}

static void free_all(rmi_remote_state *state)
{
    const rm_allocator *allocator = rm_node_allocator(state->node);
    for (size_t i = 0; i < state->lane_count; i++)
        rmi_lane_close(state, i);
    rmi_passages_free(state);
    rmi_free(allocator, state->lanes, state->lane_count * sizeof *state->lanes);
    rm_text_free(allocator, state->authorities, state->authorities_length);
    rmi_remote_plan_free(allocator, &state->own);
    rm_error_clear(&state->refused);
    if (state->has_saved) {
        rm_packet_clear(&state->saved.packet);
        rm_error_clear(&state->saved.error);
    }
}

static int node_open(rm_node *node, void *memory, rm_error *err)
{
    rmi_remote_state *state = memory;
    state->node = node;
    state->graph = rmi_node_graph(node, &state->index);
    state->attached = state->graph->runtime->remote->context;
    int rc = make_plan(state, err);
    if (rc == RM_OK)
        rc = check_hops(state, err);
    const size_t count = state->plan->endpoint_count + state->plan->has_here;
    if (rc == RM_OK) {
        state->lanes = rmi_alloc_zeroed(rm_node_allocator(node), count * sizeof *state->lanes);
        state->lane_count = state->lanes != NULL ? count : 0;
        rc = state->lanes != NULL ? RM_OK : rmi_out_of_memory(err);
    }
    for (size_t i = 0; i < state->lane_count; i++)
        state->lanes[i] =
            (rmi_remote_lane){.endpoint = state->plan->endpoints[i], .blocked_until = INT64_MIN};
    if (rc != RM_OK)
        free_all(state);
    return rc;
}

static int node_close(rm_node *node, void *memory, rm_error *err)
{
    (void)node, (void)err;
    free_all(memory);
    return RM_OK;
}

static int check(const void *memory, rm_error *err)
{
    const rmi_remote_state *state = memory;
    rmi_remote_plan plan;
    const int rc = rmi_remote_plan_read(NULL, &state->params, &plan, err);
    rmi_remote_plan_free(NULL, &plan);
    return rc;
}

/* ---- What comes back */

/* The first output node acknowledges the item before its packet. */
static bool acknowledges(const rmi_remote_event *event)
{
    return event->sink == 0;
}

static int take_acknowledgement(rmi_remote_state *state, size_t lane, uint64_t sequence)
{
    const size_t index = sequence > 0 ? rmi_passage_find(state, lane, sequence - 1) : SIZE_MAX;
    if (index == SIZE_MAX)
        return RM_OK;
    state->lanes[lane].failures = 0;
    state->lanes[lane].blocked_until = INT64_MIN;
    state->attempts = 0;
    return rmi_passage_end(state, index, RM_OK, NULL);
}

static int take_result(rmi_remote_state *state, size_t lane, rmi_remote_event *event)
{
    const size_t index = acknowledges(event) ? SIZE_MAX : rmi_passage_find(state, lane, event->sequence);
    if (index != SIZE_MAX)
        return rmi_passage_result(state, index, &event->packet);
    rm_packet_clear(&event->packet);
    return acknowledges(event) ? take_acknowledgement(state, lane, event->sequence) : RM_OK;
}

/* The other side wants no more items: those that it has are done. */
static int take_end(rmi_remote_state *state, size_t lane)
{
    int rc = RM_OK;
    for (size_t i = 0; rc == RM_OK && i < state->count;) {
        if (state->passages[i].lane == lane)
            rc = rmi_passage_end(state, i, RM_OK, NULL);
        else
            i++;
    }
    rmi_lane_close(state, lane);
    state->wants_no_more = true;
    return rc;
}

static int take_event(rmi_remote_state *state, size_t lane, rmi_remote_event *event)
{
    state->lanes[lane].heard = rm_clock_now();
    switch (event->kind) {
    case RMI_REMOTE_READY:
        state->lanes[lane].ready = true;
        return RM_OK;
    case RMI_REMOTE_RESULT:
        return take_result(state, lane, event);
    case RMI_REMOTE_CLOSED:
        return take_end(state, lane);
    case RMI_REMOTE_FAILED:
    case RMI_REMOTE_LOST:
        break;
    }
    return rmi_lane_lost(state, lane, event);
}

/* Takes what has come while there is room; *took: how much. */
static int take_events(rmi_remote_state *state, size_t *took)
{
    rmi_remote_event event;
    int rc = RM_OK;
    *took = 0;
    for (size_t lane = 0; rc == RM_OK && lane < state->lane_count; lane++)
        while (rc == RM_OK && rm_node_room(state->node) > 0 && rmi_lane_next(state, lane, &event) == RM_OK) {
            rc = take_event(state, lane, &event);
            ++*took;
        }
    return rc;
}

/* ---- Slots */

static int node_process(rm_node *node, void *memory, unsigned port, rm_packet in, rm_error *err)
{
    rmi_remote_state *state = memory;
    (void)port;
    const uint64_t token = rm_node_suspend(node);
    const int rc = rmi_passage_add(state, token, &in, err);
    rm_packet_clear(&in);
    return rc == RM_OK ? RM_PENDING : rc;
}

/* While it is flushed: whether something has come. */
static int poll_flush(rmi_remote_state *state, rm_wait *wait)
{
    for (size_t lane = 0; !state->has_saved && lane < state->lane_count; lane++)
        if (rmi_lane_is_open(state, lane)) {
            state->has_saved = rmi_lane_next(state, lane, &state->saved) == RM_OK;
            break; /* one after the other */
        }
    rmi_lanes_wait(state, wait);
    return state->has_saved || wait->deadline <= rm_clock_now() ? RM_OK : RM_PENDING;
}

static int node_poll(rm_node *node, void *memory, rm_wait *wait, rm_error *err)
{
    rmi_remote_state *state = memory;
    size_t took = 1;
    int rc = RM_OK;
    (void)err; /* each item has its own */
    if (state->flushing)
        return poll_flush(state, wait);
    while (rc == RM_OK && took > 0) {
        rc = rmi_lanes_check(state);
        if (rc == RM_OK)
            rc = rmi_lanes_send(state);
        if (rc == RM_OK)
            rc = take_events(state, &took);
        if (rc == RM_OK && rm_node_room(node) == 0)
            return RM_MORE;
    }
    if (rc != RM_OK)
        return rc;
    rmi_lanes_wait(state, wait);
    if (state->wants_no_more)
        return RM_DONE;
    return rmi_passages_wanted(state) > 0 ? RM_PENDING : RM_OK;
}

/* Ends the input of all lanes that are open, or of one, so that the pipeline is flushed also where no item came. */
static int begin_flush(rmi_remote_state *state, rm_error *err)
{
    bool any = false;
    int rc = RM_OK;
    state->flushing = true;
    for (size_t i = 0; i < state->lane_count; i++)
        any |= rmi_lane_is_open(state, i);
    if (!any && !state->wants_no_more && state->refused.code == RM_OK) {
        const size_t lane = state->runs_here ? state->lane_count - 1 : state->current;
        rc = rmi_lane_open(state, lane, err);
    }
    for (size_t i = 0; rc == RM_OK && i < state->lane_count; i++)
        if (rmi_lane_is_open(state, i))
            rmi_lane_finish(state, i);
    return rc;
}

/* A lane has failed, or is lost, before its end. */
static int end_badly(rmi_remote_state *state, size_t lane, rmi_remote_event *event, rm_error *err)
{
    const bool forgive = event->kind == RMI_REMOTE_LOST && rmi_may_resend(state);
    rmi_lane_name(state, lane, &event->error);
    rmi_lane_close(state, lane);
    if (forgive) {
        rm_node_log(state->node, RM_LOG_WARNING, "lost at its end: %s", event->error.message);
        rm_error_clear(&event->error);
        return RM_OK;
    }
    rm_error_move(err, &event->error);
    return err->code;
}

static int flush_event(rmi_remote_state *state, size_t lane, rmi_remote_event *event, rm_error *err)
{
    state->lanes[lane].heard = rm_clock_now();
    switch (event->kind) {
    case RMI_REMOTE_READY:
        return RM_OK;
    case RMI_REMOTE_RESULT:
        event->packet.seq = -1;
        if (!acknowledges(event))
            return rm_emit(state->node, 0, rm_packet_move(&event->packet));
        rm_packet_clear(&event->packet);
        return RM_OK;
    case RMI_REMOTE_CLOSED:
        rmi_lane_close(state, lane);
        return RM_OK;
    case RMI_REMOTE_FAILED:
    case RMI_REMOTE_LOST:
        break;
    }
    return end_badly(state, lane, event, err);
}

static int flush_lane(rmi_remote_state *state, size_t lane, rm_error *err)
{
    int rc = RM_OK;
    while (rc == RM_OK && rmi_lane_is_open(state, lane)) {
        if (rm_node_room(state->node) == 0)
            return RM_MORE;
        rmi_remote_event event = state->saved;
        if (!state->has_saved && rmi_lane_next(state, lane, &event) != RM_OK) {
            rm_wait wait;
            rmi_lanes_wait(state, &wait);
            if (state->plan->timeout_ms == 0 || state->lanes[lane].stream == NULL ||
                wait.deadline > rm_clock_now())
                return RM_PENDING;
            event = rmi_lane_silent(state);
        }
        state->has_saved = false;
        rc = flush_event(state, lane, &event, err);
    }
    return rc;
}

static int node_flush(rm_node *node, void *memory, rm_error *err)
{
    rmi_remote_state *state = memory;
    int rc = RM_OK;
    (void)node;
    if (state->plan->keeps_nothing) {
        for (size_t i = 0; i < state->lane_count; i++)
            rmi_lane_close(state, i);
        return RM_OK;
    }
    if (!state->flushing)
        rc = begin_flush(state, err);
    for (size_t lane = 0; rc == RM_OK && lane < state->lane_count; lane++)
        rc = flush_lane(state, lane, err);
    return rc;
}

static void node_abandon(rm_node *node, void *memory, uint64_t token)
{
    rmi_remote_state *state = memory;
    (void)node;
    for (size_t i = 0; i < state->count; i++)
        state->passages[i].unwanted |= token == 0 || state->passages[i].token == token;
}

#define AT(member) offsetof(rmi_remote_state, params.member)
static const rm_param params[] = {
    {.name = "endpoints",
     .text = "Servers that can run it: a list of HOST:PORT",
     .type = RM_PARAM_VALUE,
     .flags = RM_PARAM_REQUIRED,
     .offset = AT(endpoints)},
    {.name = "manifest",
     .text = "The pipeline that runs there",
     .type = RM_PARAM_VALUE,
     .flags = RM_PARAM_REQUIRED,
     .offset = AT(manifest)},
    {.name = "load_balancing",
     .text =
         "failover: the next endpoint when one is lost; round_robin, least_loaded: items go to all of them",
     .type = RM_PARAM_ENUM,
     .offset = AT(balancing),
     .choice = {rmi_balancings, RMI_FAILOVER}},
    {.name = "retry",
     .text =
         "{\"max\": n, \"backoff_ms\": t}: when an endpoint is lost, items that it has not finished are sent again, up to n "
         "times without an answer; default 0, 100 ms",
     .type = RM_PARAM_VALUE,
     .offset = AT(retry)},
    {.name = "circuit_breaker",
     .text =
         "{\"failures\": n, \"reset_ms\": t}: after n losses in a row an endpoint is left alone for t ms; default 5, "
         "30000; n 0: never",
     .type = RM_PARAM_VALUE,
     .offset = AT(breaker)},
    {.name = "timeout_ms",
     .text = "Longest time without an answer while one is due, ms; 0: any",
     .type = RM_PARAM_INT64,
     .offset = AT(timeout_ms),
     .i64 = {0, 0, INT64_C(31622400000)}},
    {.name = "token",
     .text = "The token that the servers want",
     .type = RM_PARAM_STRING,
     .offset = AT(token)},
    {.name = "ca",
     .text = "TLS: a file with the certificates (PEM) of authorities that sign the servers'",
     .type = RM_PARAM_STRING,
     .flags = RM_PARAM_PATH,
     .offset = AT(authorities_file)},
    {.name = "max_hops",
     .text = "Servers that a run may come through",
     .type = RM_PARAM_INT64,
     .offset = AT(most_hops),
     .i64 = {RMI_MOST_HOPS, 1, 64}},
    {0},
};

const rm_node_type rmi_remote_pipeline_node = {
    .abi_version = RM_NODE_ABI_VERSION,
    .size = sizeof(rm_node_type),
    .name = "RemotePipelineNode",
    .summary = "Runs a pipeline on another server",
    .description =
        "Each item goes to the sources of the pipeline, and what its sinks give comes out, in the order of the items. "
        "max_in_flight items (16 unless the manifest says otherwise) are on the way at once. With retry an item may be "
        "processed twice, its results come out once; what the pipeline remembers of earlier items is lost with a "
        "server.",
    .params = params,
    .state_size = sizeof(rmi_remote_state),
    .max_in_flight = RMI_IN_FLIGHT,
    .check = check,
    .open = node_open,
    .process = node_process,
    .poll = node_poll,
    .flush = node_flush,
    .abandon = node_abandon,
    .close = node_close,
};

void rmi_hosted_set_slots(rm_node_type *type)
{
    type->abi_version = RM_NODE_ABI_VERSION;
    type->size = sizeof *type;
    type->state_size = sizeof(rmi_remote_state);
    type->max_in_flight = RMI_IN_FLIGHT;
    type->open = node_open;
    type->process = node_process;
    type->poll = node_poll;
    type->flush = node_flush;
    type->abandon = node_abandon;
    type->close = node_close;
}
