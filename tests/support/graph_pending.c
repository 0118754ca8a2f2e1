/* Node types whose results come later. Numbers with a meaning: 13 fails, 14 fails the first two times. */
#include "tests/support/graph_types.h"

#include <pthread.h>

/* ---- Later   ------------------------------------------------------------------------------------------------ */

/* Items under way, finished in reverse order of arrival, tenfold. */
enum { MOST_LATE = 4 };
struct late {
    uint64_t tokens[MOST_LATE];
    int64_t values[MOST_LATE], seen;
    int count, polls;
};
static int late(rm_node *node, void *state, unsigned port, rm_packet in, rm_error *err)
{
    struct late *l = state;
    (void)port, (void)err;
    rmt_called(node);
    l->tokens[l->count] = rm_node_suspend(node);
    l->values[l->count++] = in.value.i;
    rm_packet_clear(&in);
    rmt_graph_of(node)->suspended++;
    return RM_PENDING;
}
static int finish_last(rm_node *node, struct late *l)
{
    rm_error failure = {0};
    const int64_t value = l->values[--l->count];
    int code = RM_OK;
    rmt_graph_of(node)->finished_tokens++;
    rm_node_resume(node, l->tokens[l->count]);
    const int rc = rm_emit_value(node, rm_int(value * 10));
    if (value == 13 || (value == 14 && l->seen++ < 2))
        code = rm_error_set(&failure, RM_E_VALUE, "late %lld", (long long)value);
    return rc == RM_OK ? rm_node_finish(node, l->tokens[l->count], code, &failure) : rc;
}
static int late_poll(rm_node *node, void *state, rm_wait *wait, rm_error *err)
{
    struct late *l = state;
    int rc = RM_OK;
    (void)wait, (void)err;
    rmt_called(node);
    while (rc == RM_OK && l->count > 0)
        rc = finish_last(node, l);
    return rc;
}
static void late_abandon(rm_node *node, void *state, uint64_t token)
{
    struct late *l = state;
    int kept = 0;
    rmt_called(node);
    for (int i = 0; i < l->count; i++)
        if (l->tokens[i] != token) {
            l->tokens[kept] = l->tokens[i];
            l->values[kept++] = l->values[i];
        }
    rmt_graph_of(node)->abandoned += (size_t)(l->count - kept);
    l->count = kept;
}

/* Finishes one item a poll; every second poll only returns a deadline that has passed. */
static int soon_poll(rm_node *node, void *state, rm_wait *wait, rm_error *err)
{
    struct late *l = state;
    (void)err;
    rmt_called(node);
    wait->deadline = 0;
    if (l->count == 0)
        return RM_OK;
    if (l->polls++ % 2 == 0)
        return RM_PENDING;
    const int rc = finish_last(node, l);
    return rc < 0 ? rc : l->count > 0 ? RM_PENDING : RM_OK;
}

/* Asks for another call at once. */
static int again_poll(rm_node *node, void *state, rm_wait *wait, rm_error *err)
{
    struct late *l = state;
    (void)wait, (void)err;
    rmt_called(node);
    const int rc = l->count > 0 ? finish_last(node, l) : RM_OK;
    return rc < 0 ? rc : l->count > 0 ? RM_MORE : RM_OK;
}

/* Waits until three items are under way, then for `polls` polls; finishes all of them. */
struct patient {
    struct late late; /* first */
    int64_t polls;
};
static int patient_poll(rm_node *node, void *state, rm_wait *wait, rm_error *err)
{
    struct patient *p = state;
    if (p->late.count == 3 && p->polls-- <= 0)
        return late_poll(node, state, wait, err);
    rmt_called(node);
    if (p->late.count == 3)
        wait->deadline = 0;
    return p->late.count > 0 ? RM_PENDING : RM_OK;
}

/* Waits in its flush for the second poll, and gives 99 then. */
struct ending {
    struct late late; /* first */
    int flushes, polls;
};
static int ending_poll(rm_node *node, void *state, rm_wait *wait, rm_error *err)
{
    struct ending *e = state;
    if (e->flushes == 0)
        return late_poll(node, state, wait, err);
    rmt_called(node);
    wait->deadline = 0;
    return e->polls++ == 0 ? RM_PENDING : RM_OK;
}
static int ending_flush(rm_node *node, void *state, rm_error *err)
{
    struct ending *e = state;
    (void)err;
    rmt_called(node);
    return e->flushes++ == 0 ? RM_PENDING : rm_emit_value(node, rm_int(99));
}

/* Finishes its item more than once, and emits for items that are over or never were. */
static int twice(rm_node *node, void *state, unsigned port, rm_packet in, rm_error *err)
{
    struct late *l = state;
    const int rc = late(node, state, port, in, err);
    return rm_node_suspend(node) == l->tokens[l->count - 1]
               ? rc
               : rm_error_set(err, RM_E_INTERNAL, "another token");
}
static int twice_poll(rm_node *node, void *state, rm_wait *wait, rm_error *err)
{
    struct late *l = state;
    rm_error failure = {0};
    (void)wait;
    rmt_called(node);
    if (l->count == 0)
        return RM_OK;
    if (rm_node_suspend(node) != 0)
        return rm_error_set(err, RM_E_INTERNAL, "a token outside process");
    const uint64_t token = l->tokens[l->count - 1];
    int rc = finish_last(node, l);
    rm_node_resume(node, token);
    if (rc == RM_OK)
        rc = rm_emit_value(node, rm_int(-1));
    rm_node_resume(node, token + 1000);
    if (rc == RM_OK)
        rc = rm_emit_value(node, rm_int(-2));
    (void)rm_error_set(&failure, RM_E_VALUE, "once more");
    if (rc == RM_OK)
        rc = rm_node_finish(node, token, RM_E_VALUE, &failure);
    return rc == RM_OK && l->count > 0 ? RM_MORE : rc;
}

/* Finishes at once, and is woken afterwards: a late wake must not cost any node a turn. */
static int eager(rm_node *node, void *state, unsigned port, rm_packet in, rm_error *err)
{
    (void)state, (void)port, (void)err;
    rmt_called(node);
    rm_node_wake(node);
    return rm_emit(node, 0, in);
}

/* Never finishes its items. */
static int never_poll(rm_node *node, void *state, rm_wait *wait, rm_error *err)
{
    (void)state, (void)wait, (void)err;
    rmt_called(node);
    return RM_PENDING;
}

/* Fails the poll instead of one of its items. */
static int fail_in_poll(rm_node *node, void *state, rm_wait *wait, rm_error *err)
{
    (void)state, (void)wait;
    rmt_called(node);
    return rm_error_set(err, RM_E_VALUE, "no poll");
}

/* Holds its first packet past its timeout, and tries to emit for it when the second one comes. */
struct tardy {
    uint64_t tokens[2];
    int count;
    bool abandoned;
};
static int tardy(rm_node *node, void *state, unsigned port, rm_packet in, rm_error *err)
{
    struct tardy *t = state;
    (void)port, (void)err;
    rmt_called(node);
    rm_packet_clear(&in);
    t->tokens[t->count++ % 2] = rm_node_suspend(node);
    return RM_PENDING;
}
static int tardy_poll(rm_node *node, void *state, rm_wait *wait, rm_error *err)
{
    struct tardy *t = state;
    int rc = RM_OK;
    (void)wait, (void)err;
    rmt_called(node);
    if (!t->abandoned || t->count < 2)
        return RM_PENDING;
    for (int i = 0; rc == RM_OK && i < 2; i++) {
        rm_node_resume(node, t->tokens[i]);
        rc = rm_emit_value(node, rm_int(i == 0 ? 111 : 2));
        rc = rc == RM_OK ? rm_node_finish(node, t->tokens[i], RM_OK, NULL) : rc;
    }
    return rc;
}
static void tardy_abandon(rm_node *node, void *state, uint64_t token)
{
    struct tardy *t = state;
    (void)token;
    rmt_called(node);
    t->abandoned = true;
}

/* A thread of its own finishes the work on an item, and wakes the node. */
struct woken {
    struct late late; /* first */
    pthread_t thread;
    rm_node *node;
    bool started;
    atomic_bool ready;
};
static void *work_elsewhere(void *context)
{
    struct woken *w = context;
    atomic_store(&w->ready, true);
    rm_node_wake(w->node);
    return NULL;
}
static void join(struct woken *w)
{
    if (w->started)
        (void)pthread_join(w->thread, NULL);
    w->started = false;
}
static int woken(rm_node *node, void *state, unsigned port, rm_packet in, rm_error *err)
{
    struct woken *w = state;
    const int rc = late(node, state, port, in, err);
    join(w);
    w->node = node;
    w->started = pthread_create(&w->thread, NULL, work_elsewhere, w) == 0;
    return w->started ? rc : rm_error_set(err, RM_E_MISSING_FEATURE, "no threads");
}
static int woken_poll(rm_node *node, void *state, rm_wait *wait, rm_error *err)
{
    struct woken *w = state;
    return atomic_exchange(&w->ready, false) ? late_poll(node, state, wait, err) : RM_PENDING;
}
static int woken_close(rm_node *node, void *state, rm_error *err)
{
    join(state);
    return rmt_type_close(node, state, err);
}

/* ---- The table ---------------------------------------------------------------------------------------------- */

static const rm_param patient_params[] = {
    {.name = "polls",
     .text = "How many polls",
     .type = RM_PARAM_INT64,
     .offset = offsetof(struct patient, polls),
     .i64 = {.fallback = 0, .min = 0, .max = INT64_MAX}},
    {0},
};

static const rm_port number_ports[] = {
    {.name = "in", .direction = RM_INPUT, .kinds = RM_KIND_INT, .text = "numbers"},
    {.name = "out", .direction = RM_OUTPUT, .kinds = RM_KIND_INT, .text = "numbers"},
    {0},
};

#define LATE(NAME, MOST, POLL)                                                                      \
    {RMT_TYPE(NAME, sizeof(struct late)), .process = late, .poll = (POLL), .max_in_flight = (MOST), \
     .abandon = late_abandon}
static const rm_node_type types[] = {
    LATE("Late", 3, late_poll),
    LATE("Soon", 3, soon_poll),
    {RMT_TYPE("LateNumber", sizeof(struct late)), .process = late, .poll = soon_poll, .max_in_flight = 3,
     .ports = number_ports, .abandon = late_abandon},
    {RMT_TYPE("LateEnd", sizeof(struct ending)), .process = late, .poll = ending_poll, .flush = ending_flush,
     .max_in_flight = 3, .abandon = late_abandon},
    LATE("Again", 3, again_poll),
    LATE("Never", 0, never_poll),
    LATE("NeverMany", 3, never_poll),
    {RMT_TYPE("Twice", sizeof(struct late)), .process = twice, .poll = twice_poll, .max_in_flight = 3,
     .abandon = late_abandon},
    LATE("PollFails", 2, fail_in_poll),
    {RMT_TYPE("Patient", sizeof(struct patient)), .process = late, .poll = patient_poll, .max_in_flight = 3,
     .abandon = late_abandon, .params = patient_params},
    {RMT_TYPE("Eager", 0), .process = eager, .poll = never_poll},
    {RMT_TYPE("Tardy", sizeof(struct tardy)), .process = tardy, .poll = tardy_poll, .abandon = tardy_abandon},
    {.abi_version = RM_NODE_ABI_VERSION,
     .size = sizeof(rm_node_type),
     .name = "Woken",
     .state_size = sizeof(struct woken),
     .open = rmt_type_open,
     .close = woken_close,
     .process = woken,
     .poll = woken_poll,
     .abandon = late_abandon,
     .max_in_flight = 1},
};

int rmt_graph_pending_types(rm_runtime *runtime, rm_error *err)
{
    int rc = RM_OK;
    for (size_t i = 0; rc == RM_OK && i < RMT_COUNT(types); i++)
        rc = rm_runtime_add_type(runtime, &types[i], err);
    return rc;
}
