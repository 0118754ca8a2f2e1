/* What a guest's node did in a call, done again in the pipeline: packets emitted, results that come later, log lines. All of
 * it comes from the guest, so nothing of it is taken on trust. */
#include <string.h>

#include "base/alloc.h"
#include "data/wire/wire.h"
#include "sandbox/guest_node.h"

/* What a line of the log takes besides its text: so long is what stands before it at least. */
enum { LINE_BYTES = 16 };
/* Memory that a line of the log, or an error, may take here. */
enum { MOST_BESIDE = 64 << 20 };

/* The events of one call. */
typedef struct events {
    rmi_sandbox_state *state;
    const rmi_guest_answer *answer;
    size_t at;
    const rm_packet *batch;
    size_t n;
    rmi_wire_bound bound; /* of what it emits in this call */
} events;

static const char output_area[] = "output";

static int read_value(events *from, rm_value *out, rm_error *err)
{
    rmi_wire_bound bound = {.left = MOST_BESIDE};
    return rmi_guest_read(rmi_wire_read_within(rm_node_allocator(from->state->node), from->answer->output,
                                               from->answer->length, &from->at, &bound, out, err),
                          output_area, err);
}

/* Whether the guest may emit something that derives from item `seq`: it was given that one, or has been told of no end of
 * it, and none earlier comes after a later one. */
static bool may_emit(const events *from, int64_t seq)
{
    const rmi_sandbox_state *state = from->state;
    if (state->advancing)
        return seq < state->bound && seq >= state->last_seq;
    if (from->batch == NULL)
        return false;
    const int64_t least = state->use->type.advance != NULL ? state->bound : from->batch[0].seq;
    return seq >= least && seq <= from->batch[from->n - 1].seq && seq >= state->last_seq;
}

/* `what` says how its limit was passed; it cannot start again. */
static int end_for_output(rmi_sandbox_state *state, const char *what, rm_error *err)
{
    state->spent = rm_error_set(&state->why, RM_E_LIMIT, "its sandbox emitted %s its limit of %llu bytes",
                                what, (unsigned long long)state->use->policy.limits.output_bytes);
    return rm_error_set(err, state->spent, "%s", state->why.message);
}

static int count_output(rmi_sandbox_state *state, size_t size, rm_error *err)
{
    const uint64_t limit = state->use->policy.limits.output_bytes;
    state->emitted += size;
    return limit == 0 || state->emitted <= limit ? RM_OK : end_for_output(state, "more than", err);
}

static int emitted(events *from, uint32_t port, rm_error *err)
{
    rmi_sandbox_state *state = from->state;
    rm_packet packet;
    const size_t start = from->at;
    if (state->no_emitting)
        return rmi_guest_broken(err, "it emits while it is opened or closed");
    int rc = rmi_guest_read(rmi_wire_read_packet(rm_node_allocator(state->node), from->answer->output,
                                                 from->answer->length, &from->at, &from->bound, &packet, err),
                            output_area, err);
    if (from->bound.over)
        return end_for_output(state, "values that take more memory than", err);
    if (rc == RM_OK && state->is_unwanted) {
        rm_packet_clear(&packet);
        return RM_OK;
    }
    const bool numbered = packet.seq >= 0 && (from->batch != NULL || state->advancing);
    if (rc == RM_OK && numbered && !may_emit(from, packet.seq))
        rc = rmi_guest_broken(err, "it emitted for item %lld, which is not its turn", (long long)packet.seq);
    if (rc == RM_OK && numbered)
        state->last_seq = packet.seq;
    if (rc == RM_OK)
        rc = count_output(state, from->at - start, err);
    if (rc != RM_OK) {
        rm_packet_clear(&packet);
        return rc;
    }
    if (!numbered) {
        packet.seq = -1;
        return rm_emit(state->node, port, packet);
    }
    return rm_emit_many(state->node, port, &packet, 1);
}

/* ---- Results that come later */

static int suspended(events *from, uint64_t token, rm_error *err)
{
    rmi_sandbox_state *state = from->state;
    void *block = state->tokens;
    if (state->use->type.poll == NULL || state->no_emitting || state->suspended)
        return rmi_guest_broken(err, "it suspends where nothing can be pending");
    int rc = rmi_grow(rm_node_allocator(state->node), &block, &state->token_capacity, state->token_count + 1,
                      sizeof *state->tokens, err);
    state->tokens = block;
    if (rc != RM_OK)
        return rc;
    const uint32_t place =
        from->answer->done > 0 && from->answer->done <= from->n ? from->answer->done - 1 : 0;
    if (from->batch != NULL)
        rm_node_set_current(state->node, &from->batch[place]);
    state->suspended = true;
    state->tokens[state->token_count++] = (rmi_token){.guest = token, .host = rm_node_suspend(state->node)};
    return RM_OK;
}

static rmi_token *find_token(rmi_sandbox_state *state, uint64_t token)
{
    for (size_t i = 0; i < state->token_count; i++)
        if (state->tokens[i].guest == token)
            return &state->tokens[i];
    return NULL;
}

static int finished(events *from, rmi_token *found, rm_error *err)
{
    rmi_sandbox_state *state = from->state;
    rm_value document = rm_null();
    rm_error failure = {0};
    int32_t code = 0;
    if (!rmi_wire_read_raw(from->answer->output, from->answer->length, &from->at, &code, sizeof code))
        return rmi_guest_broken(err, "an event ends too early");
    int rc = read_value(from, &document, err);
    if (rc != RM_OK)
        return rc;
    if (code < 0)
        code = rmi_guest_error(document, code,
                               rm_node_cancelled(state->node) || rmi_guest_was_asked(state->guest), &failure);
    rm_value_clear(&document);
    const uint64_t host = found->host;
    *found = state->tokens[--state->token_count];
    rc = rm_node_finish(state->node, host, code < 0 ? code : RM_OK, &failure);
    rm_error_clear(&failure);
    return rc;
}

/* ---- The log */

void rmi_sandbox_tell_lost(rmi_sandbox_state *state)
{
    if (state->log.lost > 0)
        rm_node_log(state->node, RM_LOG_WARNING, "%llu lines came too fast and were dropped",
                    (unsigned long long)state->log.lost);
    state->log.used = state->log.lost = 0;
}

static int logged(events *from, uint32_t level, rm_error *err)
{
    rmi_sandbox_state *state = from->state;
    rm_value text = rm_null();
    size_t length = 0;
    const int rc = read_value(from, &text, err);
    if (rc != RM_OK)
        return rc;
    const uint64_t left = rmi_rate_left(&state->log, state->use->policy.limits.log_bytes, rmi_platform_now());
    if (state->log.used == 0) /* a new second */
        rmi_sandbox_tell_lost(state);
    const char *line = text.kind == RM_STRING ? rm_string_text(text, &length) : "";
    const size_t bytes = length + LINE_BYTES;
    state->log.used += bytes;
    if (bytes <= left)
        rm_node_log(state->node, level <= RM_LOG_DEBUG ? (rm_log_level)level : RM_LOG_INFO, "%s", line);
    else
        state->log.lost++;
    rm_value_clear(&text);
    return RM_OK;
}

/* ---- */

static int replay_one(events *from, rm_error *err)
{
    const rmi_guest_answer *answer = from->answer;
    uint32_t head[2];
    uint64_t token = 0;
    rmi_token *found = NULL;
    if (!rmi_wire_read_raw(answer->output, answer->length, &from->at, head, sizeof head))
        return rmi_guest_broken(err, "an event ends too early");
    if (head[0] == RMI_EMITTED)
        return emitted(from, head[1], err);
    if (head[0] == RMI_LOGGED)
        return logged(from, head[1], err);
    if (head[0] == RMI_WANTS) {
        from->state->wants = true;
        return RM_OK;
    }
    if (head[0] != RMI_SUSPENDED && head[0] != RMI_RESUMED && head[0] != RMI_FINISHED)
        return rmi_guest_broken(err, "there is no event of kind %u", (unsigned)head[0]);
    if (!rmi_wire_read_raw(answer->output, answer->length, &from->at, &token, sizeof token))
        return rmi_guest_broken(err, "an event ends too early");
    if (head[0] == RMI_SUSPENDED)
        return suspended(from, token, err);
    found = find_token(from->state, token);
    if (found == NULL)
        return rmi_guest_broken(err, "no packet is pending as %llu", (unsigned long long)token);
    if (head[0] == RMI_FINISHED)
        return finished(from, found, err);
    rm_node_resume(from->state->node, found->host);
    return RM_OK;
}

/* Before anything of it is taken: what goes far past the limit is not even read. */
static int check_length(rmi_sandbox_state *state, const rmi_guest_answer *answer, rm_error *err)
{
    const uint64_t limit = state->use->policy.limits.output_bytes, beside = 4 << 20; /* heads, log lines */
    return limit == 0 || answer->length <= limit + beside ? RM_OK : count_output(state, answer->length, err);
}

int rmi_sandbox_replay(rmi_sandbox_state *state, const rmi_guest_answer *answer, const rm_packet *batch,
                       size_t n, rm_error *err)
{
    events from = {.state = state, .answer = answer, .batch = n > 0 ? batch : NULL, .n = n};
    const uint64_t limit = state->use->policy.limits.output_bytes;
    from.bound.left = limit > 0 && limit < SIZE_MAX ? (size_t)limit : SIZE_MAX;
    int rc = check_length(state, answer, err);
    for (unsigned i = 1; rc == RM_OK && from.at < answer->length; i++) {
        rc = replay_one(&from, err);
        if (rc == RM_OK && i % 1024 == 0 && rm_node_cancelled(state->node)) /* there may be millions */
            rc = rm_node_cancel_error(state->node, err);
    }
    return rc;
}
