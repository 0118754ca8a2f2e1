/* The slots of a node in a sandbox: each is the guest's function of the same name. */
#include "sandbox/guest_node.h"

#include <string.h>

#include "base/alloc.h"
#include "base/spin.h"
#include "data/builder.h"

/* ---- The guest */

/* Frees the guest before. */
static void set_guest(rmi_sandbox_state *state, rmi_guest *guest)
{
    rmi_guest *before = state->guest;
    const uint64_t lost = before != NULL ? rmi_guest_lost(before) : 0;
    rmi_spin_lock(&state->guard);
    state->guest = guest;
    rmi_spin_unlock(&state->guard);
    if (lost > 0)
        rm_node_log(state->node, RM_LOG_WARNING,
                    "%llu bytes of its log came faster than %llu a second and were dropped",
                    (unsigned long long)lost, (unsigned long long)state->use->policy.limits.log_bytes);
    rmi_guest_free(before);
}

static int open_guest(rmi_sandbox_state *state, rm_error *err)
{
    rmi_guest_answer answer;
    rm_value config = rm_null();
    rmi_guest *made = NULL;
    int rc = state->loaded == NULL ? rmi_attached_load(state->use, state->node, &state->loaded, err) : RM_OK;
    if (rc == RM_OK && state->guest == NULL) {
        rc = rmi_guest_new(state->use->attached->sandbox, state->loaded, &state->use->policy, state->used,
                           &made, err);
        set_guest(state, made);
    }
    if (rc == RM_OK && state->use->type.flags & RM_NODE_WAITS)
        rc = rmi_guest_let_wait(state->guest, err);
    if (rc == RM_OK)
        rc = rmi_sandbox_configuration(state->node, state->use, &config, err);
    if (rc == RM_OK)
        rc = rmi_sandbox_configure(state->guest, config, RMI_GUEST_OPEN, &answer, err);
    if (rc > 0)
        rc = rmi_guest_answered(RMI_GUEST_OPEN, rc, err);
    state->no_emitting = true;
    if (rc == RM_OK)
        rc = rmi_sandbox_replay(state, &answer, NULL, 0, err);
    state->no_emitting = false;
    rm_value_clear(&config);
    if (rc != RM_OK)
        set_guest(state, NULL);
    return rc;
}

/* No new guest is made: every later call fails with `rc` and the message of `err`. */
static void end_for_good(rmi_sandbox_state *state, int rc, const rm_error *err)
{
    rm_error_clear(&state->why);
    state->spent = rm_error_set(&state->why, rc, "%s", err->message);
}

/* Makes a new guest when the one before has died, except after end_for_good. */
static int need_guest(rmi_sandbox_state *state, rm_error *err)
{
    if (state->spent != 0)
        return rm_error_set(err, state->spent, "%s", state->why.message);
    if (state->guest != NULL)
        return RM_OK;
    rm_node_log(state->node, RM_LOG_WARNING, "starts again in a new sandbox: the one before was ended");
    const int rc = open_guest(state, err);
    if (rc < 0 && err != NULL) /* another attempt would fail as well */
        end_for_good(state, rc, err);
    return rc;
}

/* Fails the packets that were pending in the dead guest. Fails only when the run has stopped. */
static int fail_pending(rmi_sandbox_state *state, int rc, const rm_error *why)
{
    int failed = RM_OK;
    while (state->token_count > 0) {
        const uint64_t host = state->tokens[--state->token_count].host;
        rm_error failure = {0};
        (void)rm_error_set(&failure, rc, "%s", why != NULL ? why->message : "its sandbox was ended");
        const int finished = rm_node_finish(state->node, host, rc, &failure);
        failed = failed == RM_OK ? finished : failed;
        rm_error_clear(&failure);
    }
    return failed;
}

/* Called with the code `rc` of each call. Frees a dead guest and fails its pending packets. */
static int settle(rmi_sandbox_state *state, int rc, rm_error *err)
{
    int failed = RM_OK;
    if (state->guest == NULL || !rmi_guest_is_dead(state->guest))
        return rc;
    if (rmi_guest_is_spent(state->guest) && err != NULL)
        end_for_good(state, rc, err);
    state->used = rmi_guest_used(state->guest);
    if (rc >= 0) /* the stop came when the call had just ended */
        rc = rm_error_set(err, RM_E_CANCELLED, "its sandbox was stopped");
    set_guest(state, NULL);
    if (rm_node_cancelled(state->node))
        state->token_count = 0;
    else
        failed = fail_pending(state, rc, err);
    if (failed != RM_OK)
        return failed;
    return rc == RM_E_CANCELLED && rm_node_cancelled(state->node) ? rm_node_cancel_error(state->node, err)
                                                                  : rc;
}

/* Gives up a guest that broke the interface, as `err` says. */
static int give_up(rmi_sandbox_state *state, int rc, rm_error *err)
{
    rmi_guest_give_up(state->guest);
    return settle(state, rc, err);
}

enum { MOST_ASKED = 1000 }; /* times that code may catch the end of its stream and wait again */
/* The codes that a call may return beside 0 and failures. */
enum { MAY_MORE = 1, MAY_PEND = 2, MAY_BE_DONE = 4, MAY_ALL = MAY_MORE | MAY_PEND | MAY_BE_DONE };

static bool may_answer(const rmi_sandbox_state *state, int rc, unsigned may)
{
    if (state->use->type.poll == NULL)
        may &= ~(unsigned)MAY_PEND;
    return rc <= RM_OK || (rc == RM_MORE && may & MAY_MORE) || (rc == RM_PENDING && may & MAY_PEND) ||
           (rc == RM_DONE && may & MAY_BE_DONE);
}

/* Repeats the events of a call, and checks its code `rc`. */
static int heed(rmi_sandbox_state *state, rmi_guest_call which, int rc, unsigned may,
                const rmi_guest_answer *answer, rm_error *err)
{
    if (!rmi_guest_is_dead(state->guest)) { /* also after a failure: it may have emitted before */
        const int replayed = rmi_sandbox_replay(state, answer, NULL, 0, rc < 0 ? NULL : err);
        if (replayed < 0)
            return give_up(state, rc < 0 ? rc : replayed, err);
        if (!may_answer(state, rc, may))
            return give_up(state, rmi_guest_answered(which, rc, err), err);
    }
    return settle(state, rc, err);
}

static int simple_call(rmi_sandbox_state *state, rmi_guest_call which, rmi_slot first, unsigned may,
                       rmi_guest_answer *answer, rm_error *err)
{
    rmi_slot slots[2] = {first, {0}};
    const int rc = rmi_guest_call_it(state->guest, which, slots, answer, err);
    return heed(state, which, rc, may, answer, err);
}

/* ---- Slots */

/* Frees all but the guest, which the caller has freed. */
static void free_parts(rmi_sandbox_state *state)
{
    rmi_free(rm_node_allocator(state->node), state->tokens, state->token_capacity * sizeof *state->tokens);
    rmi_sandbox_module_done(state->use->attached->sandbox, state->loaded);
}

static int node_open(rm_node *node, void *memory, rm_error *err)
{
    rmi_sandbox_state *state = memory;
    rmi_sandboxed *use = rm_node_type_data(node);
    state->node = node;
    state->use = use;
    state->last_seq = state->bound = INT64_MIN;
    atomic_flag_clear(&state->guard);
    state->guest = atomic_exchange(&use->guest, NULL); /* the guest that described the node, if it is left */
    if (use->loaded != NULL)
        state->loaded = rmi_sandbox_module_share(use->attached->sandbox, use->loaded);
    const int rc = open_guest(state, err);
    if (rc != RM_OK)
        free_parts(state);
    return rc;
}

/* Packs *n packets, or the first that make MOST_AT_ONCE bytes, and sets *n to their number. More would take
 * memory of the guest, and would leave the processor's cache before their results come back. */
static int pack_run(rmi_wire_writer *packer, const rm_packet *batch, size_t *n, rm_error *err)
{
    enum { MOST_AT_ONCE = 256 << 10 };
    size_t i = 0;
    int rc = RM_OK;
    rmi_wire_put_u32(packer, 0); /* their number */
    rmi_wire_put_u32(packer, 0);
    while (rc == RM_OK && i < *n && packer->length < MOST_AT_ONCE)
        rc = rmi_wire_write_packet(packer, &batch[i++], err);
    rmi_wire_set_u32(packer, 0, (uint32_t)i);
    if (rc == RM_OK)
        *n = i;
    return rc;
}

/* Puts the first packets of `batch` into the input area: *n of them, or fewer where they are large or one
 * cannot be written. *length: the bytes that they take. */
static int put_batch(rmi_sandbox_state *state, const rm_packet *batch, size_t *n, size_t *length,
                     rm_error *err)
{
    rmi_wire_writer packer;
    uint8_t *data = NULL;
    size_t capacity = 0, wanted = 1;
    for (;;) {
        int rc = rmi_guest_input(state->guest, wanted, &data, &capacity, err);
        if (rc != RM_OK)
            return rc;
        rmi_wire_init_fixed(&packer, data, capacity);
        packer.any_order = state->use->is_python;
        rc = pack_run(&packer, batch, n, err);
        if (rc != RM_OK && *n > 1) { /* halves until only the packet that cannot be written is left */
            rm_error_clear(err);
            *n /= 2;
            continue;
        }
        *length = wanted = packer.length;
        if (rc != RM_OK || rmi_wire_fits(&packer))
            return rc;
        if (packer.failed)
            return rm_error_set(err, RM_E_LIMIT, "more than a sandbox can take at once");
    }
}

/* Whether the interface allows the code `rc` for `n` packets; `err` says why not. */
static bool makes_sense(const rmi_sandbox_state *state, int rc, size_t n, uint32_t done, rm_error *err)
{
    const unsigned more = rmi_guest_has(state->guest, RMI_GUEST_MORE) ? MAY_MORE : 0;
    if (done > n)
        (void)rmi_guest_broken(err, "rm_node_process has finished %u of %zu packets", done, n);
    else if (rc == RM_OK && done < n)
        (void)rmi_guest_broken(err, "rm_node_process answers 0 after %u of %zu packets", done, n);
    else if (rc < 0 && done == n)
        (void)rmi_guest_broken(err, "rm_node_process fails after its last packet");
    else if (!may_answer(state, rc, MAY_PEND | MAY_BE_DONE | more) || (rc > 0 && done == 0))
        (void)rmi_guest_answered(RMI_GUEST_PROCESS, rc, err);
    else if (rc == RM_PENDING && !state->suspended)
        (void)rmi_guest_broken(err, "rm_node_process answers 2, but no packet is pending");
    else
        return true;
    return false;
}

/* The packet of `batch` that was in process when the guest emitted last. */
static size_t place_of(const rmi_sandbox_state *state, const rm_packet *batch, size_t n)
{
    size_t i = 0;
    while (i + 1 < n && batch[i].seq < state->last_seq)
        i++;
    return i;
}

static int process_some(rmi_sandbox_state *state, unsigned port, const rm_packet *batch, size_t n,
                        size_t *done, rm_error *err)
{
    rmi_guest_answer answer;
    size_t length = 0;
    state->fell = false;
    int rc = put_batch(state, batch, &n, &length, err);
    if (rc != RM_OK)
        return settle(state, rc, err);
    rmi_slot slots[2] = {{.u32 = port}, {.u32 = (uint32_t)length}};
    rc = rmi_guest_call_it(state->guest, RMI_GUEST_PROCESS, slots, &answer, err);
    state->fell = rmi_guest_is_dead(state->guest);
    if (state->fell)
        return settle(state, rc, err);
    state->suspended = false;
    if (batch[0].seq < state->last_seq) /* a retry of an item after later ones */
        state->last_seq = batch[0].seq;
    const int replayed = rmi_sandbox_replay(state, &answer, batch, n, rc < 0 ? NULL : err);
    if (replayed >= 0 && makes_sense(state, rc, n, answer.done, err)) {
        *done = answer.done;
        return rc;
    }
    *done = place_of(state, batch, n);
    return give_up(state, replayed >= 0 ? RM_E_VALUE : rc < 0 ? rc : replayed, err);
}

static int node_more(rm_node *node, void *memory, rm_error *err)
{
    rmi_sandbox_state *state = memory;
    rmi_guest_answer answer;
    (void)node;
    const int rc = need_guest(state, err);
    if (rc != RM_OK)
        return rc;
    state->suspended = false;
    return simple_call(state, RMI_GUEST_MORE, (rmi_slot){0}, MAY_ALL, &answer, err);
}

/* Whether the guest died in the batch by itself: not of a limit, and not because the run was cancelled. */
static bool fell_unasked(const rmi_sandbox_state *state)
{
    return state->fell && state->guest == NULL && state->spent == 0 && !rm_node_cancelled(state->node);
}

static int node_process_many(rm_node *node, void *memory, unsigned port, rm_packet *batch, size_t n,
                             size_t *done, rm_error *err)
{
    rmi_sandbox_state *state = memory;
    (void)node;
    int rc = need_guest(state, err);
    const rm_sandbox_limits *limits = &state->use->policy.limits;
    bool singly =
        limits->fuel > 0 || limits->timeout_ms > 0; /* so that a limit ends it always at the same item */
    *done = 0;
    while (rc == RM_OK && *done < n) {
        size_t some = 0;
        const size_t start = *done, most = singly ? 1 : n - start;
        rc = process_some(state, port, batch + start, most, &some, err);
        if (rc < 0 && most > 1 && fell_unasked(state)) { /* of which packet? a new guest shows it */
            rm_error_clear(err);
            singly = true;
            rc = need_guest(state, err);
            if (rc == RM_OK)
                continue;
        }
        for (size_t i = 0; i < some + (rc < 0); i++)
            rm_packet_clear(&batch[start + i]);
        *done += some;
        if (rc == RM_OK && some == 0)
            return rm_error_set(err, RM_E_INTERNAL, "a sandbox does not take its packets");
    }
    return rc;
}

/* ---- Streams */

/* Continues the call that waits for the stream. Returns the guest's code. */
static int go_on(rmi_sandbox_state *state, uint32_t length, rm_error *err)
{
    rmi_guest_answer said;
    const int rc = rmi_guest_go_on(state->guest, length, &said, err);
    return heed(state, RMI_GUEST_PROCESS, rc, MAY_ALL, &said, err);
}

/* Ends a call that waits for its stream when nobody wants its results. */
static int unwind(rmi_sandbox_state *state, rm_error *err)
{
    int rc = RM_OK;
    if (state->guest == NULL || !rmi_guest_waits(state->guest))
        return RM_OK;
    state->is_unwanted = true;
    for (int i = 0; rc == RM_OK && i < MOST_ASKED && state->guest != NULL && rmi_guest_waits(state->guest);
         i++)
        rc = go_on(state, RMI_STREAM_CLOSED, err);
    state->is_unwanted = false;
    if (rc >= 0 && state->guest != NULL && rmi_guest_waits(state->guest))
        rc = give_up(state, rmi_guest_broken(err, "it waits for packets after its stream was closed"), err);
    return rc < 0 ? rc : RM_OK;
}

/* Gives the guest the next packet of its stream, or the end of the stream. Returns the guest's code;
 * RM_AGAIN: no packet is there yet. */
static int next_of_stream(rmi_sandbox_state *state, rm_error *err)
{
    rm_packet packet;
    rmi_guest_answer said;
    size_t one = 1, length = 0;
    int rc = rm_node_pull(state->node, false, &packet, err);
    if (rc == RM_DONE && !state->ended && rmi_guest_waits(state->guest)) {
        state->ended = true;
        return go_on(state, RMI_STREAM_ENDED, err);
    }
    if (rc == RM_DONE && !state->ended && rmi_guest_has(state->guest, RMI_GUEST_END)) {
        state->ended = true;
        return simple_call(state, RMI_GUEST_END, (rmi_slot){0}, MAY_ALL, &said, err);
    }
    if (rc != RM_OK)
        return rc;
    rc = put_batch(state, &packet, &one, &length, err);
    rm_packet_clear(&packet);
    if (rc != RM_OK)
        return settle(state, rc, err);
    if (rmi_guest_waits(state->guest))
        return go_on(state, (uint32_t)length, err);
    rmi_slot slots[2] = {{0}, {.u32 = (uint32_t)length}};
    rc = rmi_guest_call_it(state->guest, RMI_GUEST_PROCESS, slots, &said, err);
    return heed(state, RMI_GUEST_PROCESS, rc, MAY_ALL, &said, err);
}

/* Gives the guest packets, after it returned `answer`, as long as it wants more of its stream and there are
 * some; *gave: it gave one, or the end. */
static int feed(rmi_sandbox_state *state, int answer, bool *gave, rm_error *err)
{
    while (answer == RM_OK || (answer == RM_PENDING && state->wants)) {
        state->wants = false;
        const int next = next_of_stream(state, err);
        if (next == RM_AGAIN || (next == RM_DONE && state->ended))
            return answer == RM_OK && next == RM_DONE ? RM_DONE : answer;
        *gave = true;
        answer = next;
    }
    return answer;
}

static int node_stream(rm_node *node, void *memory, rm_error *err)
{
    rmi_sandbox_state *state = memory;
    rmi_guest_answer said;
    bool gave = false;
    (void)node;
    int rc = need_guest(state, err);
    if (rc != RM_OK)
        return rc;
    state->wants = false;
    if (state->more && rmi_guest_has(state->guest, RMI_GUEST_MORE))
        rc = simple_call(state, RMI_GUEST_MORE, (rmi_slot){0}, MAY_ALL, &said, err);
    rc = feed(state, rc, &gave, err);
    state->more = rc == RM_MORE;
    return rc;
}

/* ---- Sources, pending ones, the end */

static int node_generate(rm_node *node, void *memory, rm_error *err)
{
    rmi_sandbox_state *state = memory;
    rmi_guest_answer answer;
    (void)node;
    int rc = need_guest(state, err);
    if (rc == RM_OK)
        rc = simple_call(state, RMI_GUEST_GENERATE, (rmi_slot){0}, MAY_ALL, &answer, err);
    return rc;
}

static int node_poll(rm_node *node, void *memory, rm_wait *wait, rm_error *err)
{
    rmi_sandbox_state *state = memory;
    rmi_guest_answer answer;
    (void)node;
    if (state->guest == NULL) { /* the pending packets died with the guest */
        wait->deadline = INT64_MAX;
        return RM_OK;
    }
    state->wants = false;
    int rc = simple_call(state, RMI_GUEST_POLL, (rmi_slot){0}, MAY_ALL, &answer, err);
    if (rc == RM_OK && state->token_count > 0)
        return give_up(state, rmi_guest_broken(err, "rm_node_poll answers 0, but packets are pending"), err);
    bool gave = false; /* what it waits for may have changed then */
    if (rc == RM_PENDING && state->wants)
        rc = feed(state, rc, &gave, err);
    const double ms = rc == RM_PENDING && !gave && answer.wait_ms > 0 ? answer.wait_ms : 0;
    wait->descriptor = -1;
    wait->deadline = rc == RM_PENDING && ms < 1e12 ? rm_clock_now() + (int64_t)(ms * 1e6) : INT64_MAX;
    return rc;
}

static int node_advance(rm_node *node, void *memory, int64_t bound, rm_error *err)
{
    rmi_sandbox_state *state = memory;
    rmi_guest_answer answer;
    (void)node;
    state->bound = bound;
    if (state->guest == NULL || !rmi_guest_has(state->guest, RMI_GUEST_ADVANCE))
        return RM_OK;
    state->advancing = true;
    const int rc = simple_call(state, RMI_GUEST_ADVANCE, (rmi_slot){.u64 = (uint64_t)bound}, 0, &answer, err);
    state->advancing = false;
    return rc;
}

static int node_flush(rm_node *node, void *memory, rm_error *err)
{
    rmi_sandbox_state *state = memory;
    rmi_guest_answer answer;
    (void)node;
    const int rc = unwind(state, err);
    if (rc != RM_OK || state->guest == NULL || !rmi_guest_has(state->guest, RMI_GUEST_FLUSH))
        return rc;
    return simple_call(state, RMI_GUEST_FLUSH, (rmi_slot){0}, MAY_MORE, &answer, err);
}

static void node_abandon(rm_node *node, void *memory, uint64_t token)
{
    rmi_sandbox_state *state = memory;
    rmi_guest_answer answer;
    (void)node;
    for (size_t i = 0; state->guest != NULL && i < state->token_count; i++) {
        if (state->tokens[i].host != token)
            continue;
        const uint64_t guests = state->tokens[i].guest;
        state->tokens[i] = state->tokens[--state->token_count];
        state->no_emitting = true;
        if (rmi_guest_has(state->guest, RMI_GUEST_ABANDON))
            (void)simple_call(state, RMI_GUEST_ABANDON, (rmi_slot){.u64 = guests}, 0, &answer, NULL);
        state->no_emitting = false;
        return;
    }
}

/* Any thread. */
static void node_interrupt(rm_node *node, void *memory)
{
    rmi_sandbox_state *state = memory;
    if (!rm_node_cancelled(node)) /* the interrupt is for an item of another node */
        return;
    rmi_spin_lock(&state->guard);
    if (state->guest != NULL)
        rmi_guest_stop(state->guest);
    rmi_spin_unlock(&state->guard);
}

static int node_close(rm_node *node, void *memory, rm_error *err)
{
    rmi_sandbox_state *state = memory;
    rmi_guest_answer answer;
    rm_error more = {0};
    (void)node;
    int rc = unwind(state, err);
    state->no_emitting = true;
    if (state->guest != NULL && rmi_guest_has(state->guest, RMI_GUEST_CLOSE)) {
        const int closed = simple_call(state, RMI_GUEST_CLOSE, (rmi_slot){0}, 0, &answer, &more);
        if (rc == RM_OK && closed < 0)
            rm_error_move(err, &more);
        rc = rc == RM_OK ? closed : rc;
    }
    rm_error_clear(&more);
    set_guest(state, NULL);
    rmi_sandbox_tell_lost(state);
    free_parts(state);
    rm_error_clear(&state->why);
    return rc;
}

/* ---- Which of them a node has */

static bool flag(rm_value description, const char *key)
{
    rm_value value = rm_null();
    return rm_map_get(description, key, strlen(key), &value) && value.kind == RM_BOOL && value.b;
}

void rmi_sandboxed_set_slots(rmi_sandboxed *use, rm_value description)
{
    rm_node_type *type = &use->type;
    rm_value most = rm_null();
    type->abi_version = RM_NODE_ABI_VERSION;
    type->size = sizeof *type;
    type->state_size = sizeof(rmi_sandbox_state);
    type->flags = RM_NODE_ANY_PARAMS | (flag(description, "slow") ? RM_NODE_SLOW : 0u) |
                  (flag(description, "live") ? RM_NODE_LIVE : 0u);
    type->open = node_open;
    type->flush = node_flush;
    type->interrupt = node_interrupt;
    type->close = node_close;
    if (flag(description, "pending"))
        type->poll = node_poll;
    type->abandon = type->poll != NULL ? node_abandon : NULL;
    if (flag(description, "advance"))
        type->advance = node_advance;
    if (flag(description, "generates"))
        type->generate = node_generate;
    if (flag(description, "streaming")) {
        type->flags |= flag(description, "waits") ? RM_NODE_WAITS : 0u;
        type->stream = node_stream;
        type->end = node_stream;
    } else {
        type->process_many = node_process_many;
        type->more = node_more;
    }
    if (rm_map_get(description, "max_in_flight", 13, &most) && most.kind == RM_INT && most.i > 0 &&
        most.i <= 65536)
        type->max_in_flight = (uint32_t)most.i;
}
