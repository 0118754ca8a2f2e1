/* Node types that pull their input as a stream, and sources. */
#include "tests/support/graph_types.h"

#include <string.h>

/* ---- Streams ------------------------------------------------------------------------------------------------ */

/* Takes one packet of its stream a call. */
static int one_by_one(rm_node *node, void *state, rm_error *err)
{
    rm_packet packet = rm_packet_of(rm_null());
    (void)state;
    rmt_called(node);
    const int rc = rm_node_pull(node, false, &packet, err);
    if (rc != RM_OK)
        return rc == RM_AGAIN ? RM_OK : rc;
    rmt_progress(rmt_graph_of(node));
    const int emitted = rm_emit_value(node, rm_value_move(&packet.value));
    rm_packet_clear(&packet);
    return emitted;
}

/* Pulls the next number; waits for it where it can. */
static int pull(rm_node *node, int64_t *value, rm_error *err)
{
    rm_packet packet = rm_packet_of(rm_null());
    const int rc = rm_node_pull(node, true, &packet, err);
    *value = packet.value.i;
    if (rc == RM_OK)
        rmt_progress(rmt_graph_of(node));
    rm_packet_clear(&packet);
    return rc;
}

/* Emits the sums of `size` items each; the last may be of fewer. Size 0: one sum, at the end. */
struct window {
    int64_t size, sum, count;
};
static int emit_sum(rm_node *node, struct window *w)
{
    const int64_t sum = w->sum;
    w->sum = w->count = 0;
    return rm_emit_value(node, rm_int(sum));
}
static int window(rm_node *node, void *state, rm_error *err)
{
    struct window *w = state;
    int64_t value = 0;
    int rc;
    rmt_called(node);
    while ((rc = pull(node, &value, err)) == RM_OK) {
        w->sum += value;
        if (++w->count == w->size)
            return (rc = emit_sum(node, w)) == RM_OK ? RM_MORE : rc;
    }
    if (rc == RM_DONE && w->count > 0) {
        rc = emit_sum(node, w);
        return rc == RM_OK ? RM_DONE : rc;
    }
    return rc == RM_AGAIN ? RM_OK : rc;
}

/* Emits each item when it comes and stays in its call; 13 fails. */
static int stay(rm_node *node, void *state, rm_error *err)
{
    int64_t value = 0;
    int rc;
    (void)state;
    rmt_called(node);
    while ((rc = pull(node, &value, err)) == RM_OK) {
        rc = rm_emit_value(node, rm_int(value));
        if (rc == RM_OK && value == 13)
            rc = rm_error_set(err, RM_E_VALUE, "stream thirteen");
        if (rc != RM_OK)
            return rc;
    }
    return rc == RM_AGAIN ? RM_OK : rc;
}

/* As stay, but fails when its stream ends, however it ends. */
static int stay_in_vain(rm_node *node, void *state, rm_error *err)
{
    const int rc = stay(node, state, err);
    return rc == RM_DONE ? rm_error_set(err, RM_E_VALUE, "grumpy") : rc;
}

/* Emits two items, then wants no more. */
static int quit(rm_node *node, void *state, rm_error *err)
{
    int64_t *seen = state, value = 0;
    int rc;
    rmt_called(node);
    while ((rc = pull(node, &value, err)) == RM_OK) {
        rc = rm_emit_value(node, rm_int(value));
        if (rc != RM_OK || ++*seen == 2)
            return rc == RM_OK ? RM_DONE : rc;
    }
    return rc == RM_AGAIN ? RM_OK : rc;
}

/* Takes everything, and fails at the end. */
static int fail_at_end(rm_node *node, void *state, rm_error *err)
{
    int64_t value = 0;
    int rc;
    (void)state;
    rmt_called(node);
    while ((rc = pull(node, &value, err)) == RM_OK)
        continue;
    if (rc == RM_DONE)
        return rm_error_set(err, RM_E_VALUE, "no end");
    return rc == RM_AGAIN ? RM_OK : rc;
}

/* A stream whose items are emitted later: RM_PENDING after each. */
struct dreamer {
    int64_t value;
    bool has;
};
static int dream(rm_node *node, void *state, rm_error *err)
{
    struct dreamer *d = state;
    rm_packet packet = rm_packet_of(rm_null());
    rmt_called(node);
    const int rc = rm_node_pull(node, false, &packet, err);
    if (rc != RM_OK)
        return rc == RM_AGAIN ? RM_OK : rc;
    rmt_progress(rmt_graph_of(node));
    d->value = packet.value.i;
    d->has = true;
    return RM_PENDING;
}
static int dream_poll(rm_node *node, void *state, rm_wait *wait, rm_error *err)
{
    struct dreamer *d = state;
    (void)wait, (void)err;
    rmt_called(node);
    const bool has = d->has;
    d->has = false;
    return has ? rm_emit_value(node, rm_int(d->value)) : RM_OK;
}

/* ---- Sources ------------------------------------------------------------------------------------------------ */

/* 0, 1, 2 ... up to `count` of them. */
struct source {
    int64_t count, next;
    bool waits;
};
static int count_up(rm_node *node, void *state, rm_error *err)
{
    struct source *s = state;
    (void)err;
    rmt_called(node);
    return s->next == s->count ? RM_DONE : rm_emit_value(node, rm_int(s->next++));
}

/* The same, but number 3 fails. */
static int count_picky(rm_node *node, void *state, rm_error *err)
{
    struct source *s = state;
    if (s->next != 3)
        return count_up(node, state, err);
    rmt_called(node);
    s->next++;
    return rm_error_set(err, RM_E_VALUE, "three");
}

/* The same, each number after a wait that a poll ends. */
static int count_late(rm_node *node, void *state, rm_error *err)
{
    struct source *s = state;
    s->waits = !s->waits;
    if (!s->waits)
        return count_up(node, state, err);
    rmt_called(node);
    return RM_PENDING;
}
static int count_poll(rm_node *node, void *state, rm_wait *wait, rm_error *err)
{
    (void)state, (void)wait, (void)err;
    rmt_called(node);
    return RM_OK;
}

/* ---- The table ---------------------------------------------------------------------------------------------- */

static const rm_port source_ports[] = {
    {.name = "out", .direction = RM_OUTPUT, .kinds = RM_KIND_INT, .text = "numbers"},
    {0},
};
static const rm_param count_params[] = {
    {.name = "count",
     .text = "How many",
     .type = RM_PARAM_INT64,
     .offset = offsetof(struct source, count),
     .i64 = {.fallback = -1, .min = -1, .max = INT64_MAX}},
    {0},
};
#define SIZE_PARAMS(NAME, SIZE)                                    \
    static const rm_param NAME[] = {                               \
        {.name = "size",                                           \
         .text = "How many items a sum",                           \
         .type = RM_PARAM_INT64,                                   \
         .offset = offsetof(struct window, size),                  \
         .i64 = {.fallback = (SIZE), .min = 0, .max = INT64_MAX}}, \
        {0},                                                       \
    }
SIZE_PARAMS(one_params, 1);
SIZE_PARAMS(two_params, 2);
SIZE_PARAMS(three_params, 3);
SIZE_PARAMS(all_params, 0);

#define WINDOW(NAME, PARAMS) \
    {RMT_TYPE(NAME, sizeof(struct window)), .stream = window, .end = window, .params = (PARAMS)}
#define SOURCE(NAME, GENERATE, ...)                                                        \
    {RMT_TYPE(NAME, sizeof(struct source)), .generate = (GENERATE), .ports = source_ports, \
     .params = count_params, __VA_ARGS__}
static const rm_node_type types[] = {
    {RMT_TYPE("OneByOne", 0), .stream = one_by_one, .end = one_by_one},
    WINDOW("Ones", one_params),
    WINDOW("Pairs", two_params),
    WINDOW("Threes", three_params),
    WINDOW("Total", all_params),
    {RMT_TYPE("Stay", 0), .stream = stay, .end = stay},
    {RMT_TYPE("Grumpy", 0), .stream = stay_in_vain, .end = stay_in_vain},
    {RMT_TYPE("Quit", sizeof(int64_t)), .stream = quit, .end = quit},
    {RMT_TYPE("EndFails", 0), .stream = fail_at_end, .end = fail_at_end},
    {RMT_TYPE("Dreamer", sizeof(struct dreamer)), .stream = dream, .end = dream, .poll = dream_poll},
    SOURCE("CountUp", count_up, .flags = 0),
    SOURCE("CountLive", count_up, .flags = RM_NODE_LIVE),
    SOURCE("CountPicky", count_picky, .flags = 0),
    SOURCE("CountLate", count_late, .poll = count_poll),
};

int rmt_graph_stream_types(rm_runtime *runtime, rm_error *err)
{
    int rc = RM_OK;
    for (size_t i = 0; rc == RM_OK && i < RMT_COUNT(types); i++)
        rc = rm_runtime_add_type(runtime, &types[i], err);
    return rc;
}
