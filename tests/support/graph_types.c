/* Node types that process items: plain ones, and those that answer RM_MORE or RM_PENDING. Numbers with a meaning: 13 fails,
 * 14 fails the first two times. */
#include "tests/support/graph_types.h"

#include <pthread.h>
#include <string.h>

/* ---- Open and close ----------------------------------------------------------------------------------------- */

static size_t place_of(const rmt_graph *g, const rm_node *node)
{
    size_t i = 0;
    while (i < RMT_NODES && g->open[i] != node)
        i++;
    return i;
}

int rmt_type_open(rm_node *node, void *state, rm_error *err)
{
    rmt_graph *g = rmt_graph_of(node);
    const size_t free = place_of(g, NULL);
    (void)state, (void)err;
    rmt_called(node);
    if (place_of(g, node) != RMT_NODES || free == RMT_NODES)
        rmt_trouble(g, "'%s' was opened twice", rm_node_id(node));
    else
        g->open[free] = node;
    g->opened++;
    return RM_OK;
}

int rmt_type_close(rm_node *node, void *state, rm_error *err)
{
    rmt_graph *g = rmt_graph_of(node);
    const size_t place = place_of(g, node);
    (void)state, (void)err;
    rmt_called(node);
    if (place == RMT_NODES)
        rmt_trouble(g, "'%s' was closed, but is not open", rm_node_id(node));
    else
        g->open[place] = NULL;
    g->closed++;
    return RM_OK;
}

static int fail_to_open(rm_node *node, void *state, rm_error *err)
{
    (void)node, (void)state;
    return rm_error_set(err, RM_E_VALUE, "will not open");
}

static int fail_to_close(rm_node *node, void *state, rm_error *err)
{
    (void)rmt_type_close(node, state, err);
    return rm_error_set(err, RM_E_VALUE, "will not close");
}

/* ---- Plain nodes -------------------------------------------------------------------------------------------- */

static int pass(rm_node *node, void *state, unsigned port, rm_packet in, rm_error *err)
{
    (void)state, (void)port, (void)err;
    rmt_called(node);
    return rm_emit(node, 0, in);
}

/* The same in batches, the shortest way through the executor. */
static int pass_many(rm_node *node, void *state, unsigned port, rm_packet *run, size_t n, size_t *done,
                     rm_error *err)
{
    (void)state, (void)port, (void)err;
    rmt_called(node);
    *done = n;
    return rm_emit_many(node, 0, run, n);
}

/* In batches, up to the first packet that fails (13), or after which nothing more is wanted (99). */
static int picky_many(rm_node *node, void *state, unsigned port, rm_packet *run, size_t n, size_t *done,
                      rm_error *err)
{
    (void)state, (void)port;
    rmt_called(node);
    for (*done = 0; *done < n; ++*done) {
        const int64_t value = run[*done].value.i;
        rm_node_set_current(node, &run[*done]);
        if (value == 13)
            return rm_error_set(err, RM_E_VALUE, "thirteen");
        const int rc = rm_emit_value(node, rm_int(value));
        if (rc != RM_OK)
            return rc;
        if (value == 99) {
            ++*done;
            return RM_DONE;
        }
    }
    return RM_OK;
}

/* Takes nothing of what it is given. */
static int take_none(rm_node *node, void *state, unsigned port, rm_packet *run, size_t n, size_t *done,
                     rm_error *err)
{
    (void)state, (void)port, (void)run, (void)n, (void)err;
    rmt_called(node);
    *done = 0;
    return RM_OK;
}

/* Emits an item `item` times, so 0 drops it. */
static int repeat(rm_node *node, void *state, unsigned port, rm_packet in, rm_error *err)
{
    int rc = RM_OK;
    (void)state, (void)port, (void)err;
    rmt_called(node);
    for (int64_t i = 0; rc == RM_OK && i < in.value.i; i++)
        rc = rm_emit_value(node, rm_int(in.value.i));
    rm_packet_clear(&in);
    return rc;
}

/* Passes even items only, or odd ones. */
static int even(rm_node *node, void *state, unsigned port, rm_packet in, rm_error *err)
{
    (void)state, (void)port, (void)err;
    rmt_called(node);
    if (in.value.i % 2 == 0)
        return rm_emit(node, 0, in);
    rm_packet_clear(&in);
    return RM_OK;
}
static int odd(rm_node *node, void *state, unsigned port, rm_packet in, rm_error *err)
{
    (void)state, (void)port, (void)err;
    rmt_called(node);
    if (in.value.i % 2 != 0)
        return rm_emit(node, 0, in);
    rm_packet_clear(&in);
    return RM_OK;
}

/* Two outputs: small numbers on the first, others on the second. */
static int split(rm_node *node, void *state, unsigned port, rm_packet in, rm_error *err)
{
    (void)state, (void)port, (void)err;
    rmt_called(node);
    return rm_emit(node, in.value.i < 10 ? 0 : 1, in);
}

/* A number as so many bytes, and back. */
static int inflate(rm_node *node, void *state, unsigned port, rm_packet in, rm_error *err)
{
    rm_value bytes = rm_null();
    (void)state, (void)port;
    rmt_called(node);
    const size_t size = (size_t)in.value.i;
    rm_packet_clear(&in);
    const int rc = rm_bytes_new(rm_node_allocator(node), NULL, size, &bytes, err);
    return rc == RM_OK ? rm_emit_value(node, bytes) : rc;
}
static int measure(rm_node *node, void *state, unsigned port, rm_packet in, rm_error *err)
{
    size_t length = 0;
    (void)state, (void)port, (void)err;
    rmt_called(node);
    (void)rm_bytes_data(in.value, &length);
    rm_packet_clear(&in);
    return rm_emit_value(node, rm_int((int64_t)length));
}

/* Gives item `i` the time 10 i, the duration i, and metadata. */
static int stamp(rm_node *node, void *state, unsigned port, rm_packet in, rm_error *err)
{
    rm_value map = rm_null();
    (void)state, (void)port;
    rmt_called(node);
    int rc = rm_map_new(rm_node_allocator(node), 1, &map, err);
    if (rc == RM_OK)
        rc = rm_map_set(&map, "k", 1, rm_int(1), err);
    if (rc != RM_OK) {
        rm_value_clear(&map);
        return rc;
    }
    in.timestamp = in.value.i * 10;
    in.duration = in.value.i;
    rm_packet_set_metadata(&in, map);
    return rm_emit(node, 0, in);
}

/* Emits on an output that there is not, and does not look at the answer. */
static int emit_anywhere(rm_node *node, void *state, unsigned port, rm_packet in, rm_error *err)
{
    (void)state, (void)port, (void)err;
    rmt_called(node);
    (void)rm_emit(node, 7, in);
    return RM_OK;
}

/* Passes three items, then wants no more. */
static int first_three(rm_node *node, void *state, unsigned port, rm_packet in, rm_error *err)
{
    int64_t *seen = state;
    (void)port, (void)err;
    rmt_called(node);
    const int rc = rm_emit(node, 0, in);
    return rc == RM_OK && ++*seen == 3 ? RM_DONE : rc;
}

/* Emits every item, also one that fails. */
static int picky(rm_node *node, void *state, unsigned port, rm_packet in, rm_error *err)
{
    int64_t *seen = state;
    (void)port;
    rmt_called(node);
    const int64_t value = in.value.i;
    const int rc = rm_emit(node, 0, in);
    if (rc == RM_OK && value == 13)
        return rm_error_set(err, RM_E_VALUE, "thirteen");
    if (rc == RM_OK && value == 14 && (*seen)++ < 2)
        return rm_error_set(err, RM_E_VALUE, "not yet");
    return rc;
}

/* Fails without saying why. */
static int speechless(rm_node *node, void *state, unsigned port, rm_packet in, rm_error *err)
{
    (void)state, (void)port, (void)err;
    rmt_called(node);
    rm_packet_clear(&in);
    return RM_E_VALUE;
}

/* Answers what it must not: it has no poll, and no more. */
static int answer_pending(rm_node *node, void *state, unsigned port, rm_packet in, rm_error *err)
{
    (void)state, (void)port, (void)err;
    rmt_called(node);
    rm_packet_clear(&in);
    return RM_PENDING;
}
static int answer_more(rm_node *node, void *state, unsigned port, rm_packet in, rm_error *err)
{
    (void)state, (void)port, (void)err;
    rmt_called(node);
    rm_packet_clear(&in);
    return RM_MORE;
}

/* ---- Flushes ------------------------------------------------------------------------------------------------ */

/* Sums what it gets and emits the sum at the end. */
static int add(rm_node *node, void *state, unsigned port, rm_packet in, rm_error *err)
{
    int64_t *sum = state;
    (void)port, (void)err;
    rmt_called(node);
    *sum += in.value.i;
    rm_packet_clear(&in);
    return RM_OK;
}
static int flush_sum(rm_node *node, void *state, rm_error *err)
{
    const int64_t *sum = state;
    (void)err;
    rmt_called(node);
    return rm_emit_value(node, rm_int(*sum));
}
/* The same, then fails. */
static int fail_in_flush(rm_node *node, void *state, rm_error *err)
{
    const int rc = flush_sum(node, state, err);
    return rc == RM_OK ? rm_error_set(err, RM_E_VALUE, "no flush") : rc;
}
/* Emits as often as its sum says, one emission a call. */
static int flush_slowly(rm_node *node, void *state, rm_error *err)
{
    int64_t *left = state;
    (void)err;
    rmt_called(node);
    if (*left <= 0)
        return RM_OK;
    const int rc = rm_emit_value(node, rm_int((*left)--));
    return rc == RM_OK ? RM_MORE : rc;
}

/* ---- More --------------------------------------------------------------------------------------------------- */

/* Emits an item `item` times, one emission a call; 13 fails at its second, 14 does so the first two times. */
struct slow {
    int64_t left, value, seen;
};
static int slow_more(rm_node *node, void *state, rm_error *err)
{
    struct slow *s = state;
    rmt_called(node);
    const bool second = s->left == s->value - 1;
    if (second && (s->value == 13 || (s->value == 14 && s->seen++ < 2)))
        return rm_error_set(err, RM_E_VALUE, "slow %lld", (long long)s->value);
    if (s->left-- <= 0)
        return RM_OK;
    const int rc = rm_emit_value(node, rm_int(s->value));
    return rc == RM_OK && s->left > 0 ? RM_MORE : rc;
}
static int slow(rm_node *node, void *state, unsigned port, rm_packet in, rm_error *err)
{
    struct slow *s = state;
    (void)port;
    s->left = s->value = in.value.i;
    rm_packet_clear(&in);
    return slow_more(node, state, err);
}
/* The same as part of a batch. */
static int slow_many(rm_node *node, void *state, unsigned port, rm_packet *run, size_t n, size_t *done,
                     rm_error *err)
{
    int rc = RM_OK;
    for (*done = 0; rc == RM_OK && *done < n;) {
        rm_node_set_current(node, &run[*done]);
        rc = slow(node, state, port, run[*done], err);
        *done += rc >= 0;
    }
    return rc;
}

/* ---- Pending ------------------------------------------------------------------------------------------------ */

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

/* One a poll, each second poll says only that its time has passed already. */
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

/* Asks to be called again at once. */
static int again_poll(rm_node *node, void *state, rm_wait *wait, rm_error *err)
{
    struct late *l = state;
    (void)wait, (void)err;
    rmt_called(node);
    const int rc = l->count > 0 ? finish_last(node, l) : RM_OK;
    return rc < 0 ? rc : l->count > 0 ? RM_MORE : RM_OK;
}

/* Waits until three items are under way, then for so many polls; finishes all of them. */
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

/* Finishes at once, and is woken all the same: a wake that comes too late must not cost anybody a turn. */
static int eager(rm_node *node, void *state, unsigned port, rm_packet in, rm_error *err)
{
    (void)state, (void)port, (void)err;
    rmt_called(node);
    rm_node_wake(node);
    return rm_emit(node, 0, in);
}

/* Never finishes by itself. */
static int never_poll(rm_node *node, void *state, rm_wait *wait, rm_error *err)
{
    (void)state, (void)wait, (void)err;
    rmt_called(node);
    return RM_PENDING;
}

/* Fails itself instead of one of its items. */
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

static const rm_port split_ports[] = {
    {.name = "in", .direction = RM_INPUT, .kinds = RM_KIND_INT, .text = "numbers"},
    {.name = "small", .direction = RM_OUTPUT, .kinds = RM_KIND_INT, .text = "below 10"},
    {.name = "large", .direction = RM_OUTPUT, .kinds = RM_KIND_INT, .text = "others"},
    {0},
};

static const rm_param patient_params[] = {
    {.name = "polls",
     .text = "How many polls",
     .type = RM_PARAM_INT64,
     .offset = offsetof(struct patient, polls),
     .i64 = {.fallback = 0, .min = 0, .max = INT64_MAX}},
    {0},
};

#define LATE(NAME, MOST, POLL)                                                                    \
    {RMT_TYPE(NAME, sizeof(struct late)), .process = late, .poll = POLL, .max_in_flight = (MOST), \
     .abandon = late_abandon}
static const rm_node_type types[] = {
    {RMT_TYPE("Pass", 0), .process = pass},
    {RMT_TYPE("PassMany", 0), .process_many = pass_many},
    {RMT_TYPE("PickyMany", 0), .process_many = picky_many},
    {RMT_TYPE("TakeNone", 0), .process_many = take_none},
    {RMT_TYPE("Repeat", 0), .process = repeat},
    {RMT_TYPE("Even", 0), .process = even},
    {RMT_TYPE("Odd", 0), .process = odd},
    {RMT_TYPE("Split", 0), .process = split, .ports = split_ports},
    {RMT_TYPE("Inflate", 0), .process = inflate},
    {RMT_TYPE("Measure", 0), .process = measure},
    {RMT_TYPE("Stamp", 0), .process = stamp},
    {RMT_TYPE("EmitsAnywhere", 0), .process = emit_anywhere},
    {RMT_TYPE("FirstThree", sizeof(int64_t)), .process = first_three},
    {RMT_TYPE("Picky", sizeof(int64_t)), .process = picky},
    {RMT_TYPE("Speechless", 0), .process = speechless},
    {RMT_TYPE("SaysPending", 0), .process = answer_pending},
    {RMT_TYPE("SaysMore", 0), .process = answer_more},
    {RMT_TYPE("Sum", sizeof(int64_t)), .process = add, .flush = flush_sum},
    {RMT_TYPE("SumFails", sizeof(int64_t)), .process = add, .flush = fail_in_flush},
    {RMT_TYPE("SumSlow", sizeof(int64_t)), .process = add, .flush = flush_slowly},
    {RMT_TYPE("Slow", sizeof(struct slow)), .process = slow, .more = slow_more},
    {RMT_TYPE("SlowMany", sizeof(struct slow)), .process_many = slow_many, .more = slow_more},
    LATE("Late", 3, late_poll),
    LATE("Soon", 3, soon_poll),
    LATE("Again", 3, again_poll),
    LATE("Never", 0, never_poll),
    LATE("NeverMany", 3, never_poll),
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
    {.abi_version = RM_NODE_ABI_VERSION,
     .size = sizeof(rm_node_type),
     .name = "OpenFails",
     .open = fail_to_open,
     .process = pass},
    {.abi_version = RM_NODE_ABI_VERSION,
     .size = sizeof(rm_node_type),
     .name = "CloseFails",
     .open = rmt_type_open,
     .close = fail_to_close,
     .process = pass},
};

int rmt_graph_types(rm_runtime *runtime, rm_error *err)
{
    int rc = RM_OK;
    for (size_t i = 0; rc == RM_OK && i < RMT_COUNT(types); i++)
        rc = rm_runtime_add_type(runtime, &types[i], err);
    return rc == RM_OK ? rmt_graph_stream_types(runtime, err) : rc;
}
