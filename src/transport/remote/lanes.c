/* Which endpoint gets which packet, and what happens when one is lost. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "exec/node_place.h"
#include "transport/remote/remote_run.h"

enum { LONGEST_PAUSE_MS = 60000 };

bool rmi_may_resend(const rmi_remote_state *state)
{
    return state->plan->retries > 0 || state->plan->has_here;
}

bool rmi_lane_is_open(const rmi_remote_state *state, size_t index)
{
    return state->lanes[index].stream != NULL || state->lanes[index].here != NULL;
}

/* What messages call it. */
static const char *name_of(const rmi_remote_lane *lane)
{
    return lane->endpoint != NULL ? lane->endpoint : "this process";
}

/* ---- A lane */

/* Any thread. */
static void woken(void *context)
{
    rmi_remote_state *state = context;
    rm_node_wake(state->node);
}

static int open_there(rmi_remote_state *state, rmi_remote_lane *lane, rm_error *err)
{
    const rmi_remote_plan *plan = state->plan;
    const int64_t deadline = rmi_node_run_deadline(state->node);
    int64_t left_ms = 0;
    if (deadline != INT64_MAX) {
        left_ms = (deadline - rm_clock_now()) / 1000000;
        left_ms = left_ms > 0 ? left_ms : 1;
    }
    int rc =
        state->api == NULL ? rmi_remote_client_of(state->attached, &state->api, &state->client, err) : RM_OK;
    if (rc != RM_OK)
        return rc;
    const rmi_remote_options options = {
        .endpoint = lane->endpoint,
        .token = plan->token,
        .authorities = plan->authorities_file != NULL ? state->authorities
                       : plan == &state->own          ? NULL
                                                      : rmi_remote_authorities(state->attached),
        .manifest = plan->there.manifest,
        .sources = plan->there.sources,
        .acknowledging = plan->there.acknowledging,
        .sinks = plan->there.sinks,
        .hops = state->graph->hops + 1,
        .timeout_ms = left_ms,
        .woken = woken,
        .context = state,
    };
    return state->api->open(state->client, &options, &lane->stream, err);
}

static int open_here(rmi_remote_state *state, rmi_remote_lane *lane, rm_error *err)
{
    const rmi_local_options options = {
        .runtime = rmi_remote_runtime(state->attached),
        .work = &state->plan->here,
        .directory = state->plan->directory,
        .hops = state->graph->hops,
        .woken = woken,
        .context = state,
    };
    lane->ready = true;
    return rmi_local_stream_open(&options, &lane->here, err);
}

int rmi_lane_open(rmi_remote_state *state, size_t index, rm_error *err)
{
    rmi_remote_lane *lane = &state->lanes[index];
    lane->next = 0;
    lane->ready = lane->finishing = lane->closed = false;
    lane->heard = rm_clock_now();
    return lane->endpoint != NULL ? open_there(state, lane, err) : open_here(state, lane, err);
}

void rmi_lane_close(rmi_remote_state *state, size_t index)
{
    rmi_remote_lane *lane = &state->lanes[index];
    if (lane->stream != NULL)
        state->api->free(lane->stream);
    rmi_local_stream_free(lane->here);
    lane->stream = NULL;
    lane->here = NULL;
    for (size_t i = 0; i < state->count; i++)
        if (state->passages[i].lane == index)
            state->passages[i].lane = RMI_UNSENT;
    lane->waiting = 0;
}

int rmi_lane_next(const rmi_remote_state *state, size_t index, rmi_remote_event *event)
{
    const rmi_remote_lane *lane = &state->lanes[index];
    if (lane->stream != NULL)
        return state->api->next(lane->stream, event);
    return lane->here != NULL ? rmi_local_stream_next(lane->here, event) : RM_AGAIN;
}

void rmi_lane_finish(rmi_remote_state *state, size_t index)
{
    rmi_remote_lane *lane = &state->lanes[index];
    if (lane->finishing)
        return;
    lane->finishing = true;
    lane->heard = rm_clock_now();
    if (lane->stream != NULL)
        state->api->finish(lane->stream);
    if (lane->here != NULL)
        rmi_local_stream_finish(lane->here);
}

static int send_on(rmi_remote_state *state, rmi_remote_lane *lane, const rm_packet *packet, rm_error *err)
{
    return lane->stream != NULL ? state->api->send(lane->stream, lane->next, packet, err)
                                : rmi_local_stream_send(lane->here, lane->next, packet, err);
}

/* ---- Which lane */

static bool is_blocked(const rmi_remote_lane *lane, int64_t now)
{
    return lane->blocked_until > now;
}

/* The next lane from `from` on that is not blocked; the number of endpoints: there is none. */
static size_t next_free(const rmi_remote_state *state, size_t from, int64_t now)
{
    const size_t count = state->plan->endpoint_count;
    for (size_t i = 0; i < count; i++)
        if (!is_blocked(&state->lanes[(from + i) % count], now))
            return (from + i) % count;
    return count;
}

static size_t least_loaded(const rmi_remote_state *state, int64_t now)
{
    const size_t count = state->plan->endpoint_count;
    size_t best = count;
    for (size_t i = 0; i < count; i++)
        if (!is_blocked(&state->lanes[i], now) &&
            (best == count || state->lanes[i].waiting < state->lanes[best].waiting))
            best = i;
    return best;
}

/* Returns the endpoint for the next packet; the number of endpoints: this process, or none. */
static size_t choose(const rmi_remote_state *state, int64_t now)
{
    if (state->runs_here)
        return state->plan->endpoint_count;
    if (state->plan->balancing == RMI_LEAST_LOADED)
        return least_loaded(state, now);
    return next_free(state, state->current, now);
}

static int64_t first_unblocked(const rmi_remote_state *state)
{
    int64_t first = INT64_MAX;
    for (size_t i = 0; i < state->plan->endpoint_count; i++)
        if (state->lanes[i].blocked_until < first)
            first = state->lanes[i].blocked_until;
    return first;
}

/* Whether the circuit breakers of all endpoints are open. */
static bool all_broken(const rmi_remote_state *state)
{
    const rmi_remote_plan *plan = state->plan;
    bool broken = plan->breaker_failures > 0;
    for (size_t i = 0; i < plan->endpoint_count; i++)
        broken = broken && state->lanes[i].failures >= plan->breaker_failures;
    return broken;
}

/* ---- Failures */

/* Fails the passages of a lane, or all that were not sent, each with a copy of the failure. */
static int fail_all(rmi_remote_state *state, size_t lane, const rm_error *why)
{
    int rc = RM_OK;
    size_t i = 0;
    while (rc == RM_OK && i < state->count) {
        if (state->passages[i].lane != lane) {
            i++;
            continue;
        }
        rm_error copy = *why;
        copy.traceback = copy.detail = rm_null();
        copy.release = NULL;
        rc = rmi_passage_end(state, i, why->code, &copy);
    }
    return rc;
}

static void start_here(rmi_remote_state *state, const rm_error *why)
{
    state->runs_here = true;
    rm_node_log(state->node, RM_LOG_WARNING, "runs here from now on: %s", why->message);
}

void rmi_lane_name(const rmi_remote_state *state, size_t index, rm_error *err)
{
    const char *name = name_of(&state->lanes[index]);
    char said[sizeof err->message], there[160] = "";
    (void)snprintf(said, sizeof said, "%.*s", (int)sizeof said - 1, err->message);
    if (err->node[0] != '\0' && strcmp(err->node, rm_node_id(state->node)) != 0)
        (void)snprintf(there, sizeof there, " (node '%.100s' there)", err->node);
    const int room = (int)(sizeof err->message - strlen(there) - strlen(name) - sizeof ": ");
    (void)snprintf(err->message, sizeof err->message, "%.256s: %.*s%s", name, room, said, there);
    err->node[0] = '\0';
    err->has_item = false;
    err->has_pointer = false;
    err->pointer[0] = '\0';
}

/* The lane is lost, and its passages are unsent again: which of them fail? */
static int settle_loss(rmi_remote_state *state, rm_error *why)
{
    const rmi_remote_plan *plan = state->plan;
    const int64_t tries = plan->retries > 0 ? plan->retries
                          : plan->has_here  ? (int64_t)plan->endpoint_count - 1
                                            : 0;
    state->attempts++;
    if (state->attempts <= tries && !all_broken(state)) {
        int64_t pause_ms = plan->backoff_ms;
        for (int64_t i = 1; i < state->attempts && pause_ms < LONGEST_PAUSE_MS; i++)
            pause_ms *= 2;
        pause_ms = pause_ms < LONGEST_PAUSE_MS ? pause_ms : LONGEST_PAUSE_MS;
        const bool another = next_free(state, state->current, rm_clock_now()) < plan->endpoint_count;
        state->resume_at = another && state->attempts < (int64_t)plan->endpoint_count
                               ? 0
                               : rm_clock_now() + pause_ms * 1000000;
        return RM_OK;
    }
    state->attempts = 0;
    if (plan->has_here) {
        start_here(state, why);
        return RM_OK;
    }
    return fail_all(state, RMI_UNSENT, why);
}

/* Marks the passages of a lane that were sent, before they are sent again or fail. Those never sent stay apart. */
static int fail_sent(rmi_remote_state *state, size_t index, rm_error *why)
{
    const int rc = fail_all(state, index, why);
    rmi_lane_close(state, index);
    return rc;
}

static void note_failure(rmi_remote_state *state, size_t index)
{
    rmi_remote_lane *lane = &state->lanes[index];
    const rmi_remote_plan *plan = state->plan;
    if (lane->endpoint == NULL)
        return;
    lane->failures++;
    const bool broken = plan->breaker_failures > 0 && lane->failures >= plan->breaker_failures;
    lane->blocked_until = rm_clock_now() + (broken ? plan->breaker_reset_ms : plan->backoff_ms) * 1000000;
    state->current = (index + 1) % plan->endpoint_count;
}

/* A message was too large: packets go one at a time, and then it is clear which one it was. */
static int too_large(rmi_remote_state *state, size_t index, rm_error *why)
{
    bool may_again = true; /* not what has given results already */
    for (size_t i = 0; i < state->count; i++)
        may_again = may_again && !(state->passages[i].lane == index && state->passages[i].has_emitted);
    state->singly = state->lanes[index].waiting > 1 && may_again;
    if (!state->singly)
        return fail_sent(state, index, why);
    rmi_lane_close(state, index);
    return RM_OK;
}

/* Every item fails in this way. */
static int refuse(rmi_remote_state *state, size_t index, rm_error *why)
{
    rmi_lane_close(state, index);
    const int rc = fail_all(state, RMI_UNSENT, why);
    rm_error_move(&state->refused, why);
    return rc;
}

/* The pipeline has failed at an item: the items after it are sent once more. */
static int fail_one(rmi_remote_state *state, size_t lane, size_t passage, rm_error *why)
{
    const int rc = rmi_passage_end(state, passage, why->code, why);
    rmi_lane_close(state, lane);
    return rc;
}

int rmi_lane_lost(rmi_remote_state *state, size_t index, rmi_remote_event *event)
{
    rmi_remote_lane *lane = &state->lanes[index];
    const bool failed = event->kind == RMI_REMOTE_FAILED;
    const size_t passage = event->has_sequence ? rmi_passage_find(state, index, event->sequence) : SIZE_MAX;
    const bool busy = failed && event->error.code == RM_E_LIMIT; /* the server takes no more runs */
    rm_error why = {0};
    int rc;
    rm_error_move(&why, &event->error);
    rmi_lane_name(state, index, &why);
    if (failed && passage != SIZE_MAX)
        rc = fail_one(state, index, passage, &why);
    else if (lane->endpoint == NULL || event->for_good || (failed && !lane->ready && !busy))
        rc = refuse(state, index, &why);
    else if (event->too_large)
        rc = too_large(state, index, &why);
    else {
        note_failure(state, index);
        if (rmi_may_resend(state)) {
            rmi_lane_close(state, index);
            rc = settle_loss(state, &why);
        } else
            rc = fail_sent(state, index, &why);
    }
    rm_error_clear(&why);
    return rc;
}

rmi_remote_event rmi_lane_silent(const rmi_remote_state *state)
{
    rmi_remote_event event = {.kind = RMI_REMOTE_LOST, .packet = rm_packet_of(rm_null())};
    (void)rm_error_set(&event.error, RM_E_TIMEOUT, "no answer within %lld ms",
                       (long long)state->plan->timeout_ms);
    return event;
}

int rmi_lanes_check(rmi_remote_state *state)
{
    const int64_t limit = state->plan->timeout_ms * 1000000, now = rm_clock_now();
    int rc = RM_OK;
    for (size_t i = 0; limit > 0 && rc == RM_OK && i < state->plan->endpoint_count; i++) {
        const rmi_remote_lane *lane = &state->lanes[i];
        if (lane->stream == NULL || (lane->waiting == 0 && !lane->finishing) || now - lane->heard < limit)
            continue;
        rmi_remote_event event = rmi_lane_silent(state);
        rc = rmi_lane_lost(state, i, &event);
    }
    return rc;
}

/* ---- Sending */

/* There is no endpoint to send to. */
static int nowhere(rmi_remote_state *state)
{
    rm_error why = {0};
    int rc = RM_OK;
    if (!all_broken(state)) {
        state->resume_at = first_unblocked(state);
        return RM_OK;
    }
    (void)rm_error_set(&why, RM_E_IO,
                       "%s: it has failed %lld times, and is not tried before its circuit breaker is reset",
                       state->lanes[0].endpoint, (long long)state->lanes[0].failures);
    if (state->plan->has_here)
        start_here(state, &why);
    else
        rc = fail_all(state, RMI_UNSENT, &why);
    return rc;
}

/* Sends a passage. RM_AGAIN: its lane takes nothing now. */
static int send_one(rmi_remote_state *state, size_t index, size_t lane_index)
{
    rmi_remote_lane *lane = &state->lanes[lane_index];
    rmi_passage *passage = &state->passages[index];
    rm_error err = {0};
    rmi_remote_event event = {.kind = RMI_REMOTE_LOST, .for_good = true, .packet = rm_packet_of(rm_null())};
    int rc = RM_OK;
    if (!rmi_lane_is_open(state, lane_index)) {
        rc = rmi_lane_open(state, lane_index, &event.error);
        if (rc != RM_OK)
            return rmi_lane_lost(state, lane_index, &event);
    }
    rc = send_on(state, lane, &passage->packet, &err);
    if (rc == RM_AGAIN)
        return rc;
    if (rc < 0)
        return rmi_passage_end(state, index, rc, &err);
    for (size_t i = 0; i < passage->held_count; i++) /* of an attempt before */
        rm_packet_clear(&passage->held[i]);
    passage->held_count = 0;
    passage->lane = lane_index;
    passage->sequence = lane->next++;
    if (lane->waiting++ == 0)
        lane->heard = rm_clock_now();
    if (state->plan->balancing == RMI_ROUND_ROBIN && lane->endpoint != NULL)
        state->current = (lane_index + 1) % state->plan->endpoint_count;
    return RM_OK;
}

/* The first passage that was not sent, or SIZE_MAX. */
static size_t first_unsent(const rmi_remote_state *state)
{
    size_t sent = 0;
    for (size_t i = 0; i < state->count; i++) {
        if (state->passages[i].lane == RMI_UNSENT)
            return state->singly && sent > 0 ? SIZE_MAX : i;
        sent++;
    }
    return SIZE_MAX;
}

int rmi_lanes_send(rmi_remote_state *state)
{
    int rc = RM_OK;
    size_t index;
    while (rc == RM_OK && (index = first_unsent(state)) != SIZE_MAX) {
        const int64_t now = rm_clock_now();
        if (state->passages[index].unwanted) {
            rc = rmi_passage_end(state, index, RM_OK, NULL);
            continue;
        }
        if (state->refused.code != RM_OK)
            return fail_all(state, RMI_UNSENT, &state->refused);
        if (state->resume_at > now && !state->runs_here)
            return RM_OK;
        const size_t lane = choose(state, now);
        if (lane == state->plan->endpoint_count && !state->runs_here) {
            rc = nowhere(state);
            if (state->resume_at > now && !state->runs_here)
                return rc;
            continue;
        }
        rc = send_one(state, index, lane);
    }
    return rc == RM_AGAIN ? RM_OK : rc;
}

void rmi_lanes_wait(const rmi_remote_state *state, rm_wait *wait)
{
    const int64_t limit = state->plan->timeout_ms * 1000000;
    *wait = (rm_wait){.deadline = INT64_MAX, .descriptor = -1};
    for (size_t i = 0; i < state->lane_count; i++) {
        const rmi_remote_lane *lane = &state->lanes[i];
        if (lane->here != NULL)
            rmi_local_stream_wait(lane->here, wait);
        if (limit > 0 && lane->stream != NULL && (lane->waiting > 0 || lane->finishing) &&
            lane->heard + limit < wait->deadline)
            wait->deadline = lane->heard + limit;
    }
    if (!state->runs_here && first_unsent(state) != SIZE_MAX && state->resume_at > 0 &&
        state->resume_at < wait->deadline)
        wait->deadline = state->resume_at;
}
