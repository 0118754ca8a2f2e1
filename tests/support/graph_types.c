/* Node types that process items: plain ones, and those that return RM_MORE. Numbers with a meaning: 13 fails,
 * 14 fails the first two times. */
#include "tests/support/graph_types.h"

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

/* As pass, but in batches: the shortest way through the executor. */
static int pass_many(rm_node *node, void *state, unsigned port, rm_packet *batch, size_t n, size_t *done,
                     rm_error *err)
{
    (void)state, (void)port, (void)err;
    rmt_called(node);
    *done = n;
    return rm_emit_many(node, 0, batch, n);
}

/* Passes a batch up to the first packet that fails (13), or after which it wants no more (99). */
static int picky_many(rm_node *node, void *state, unsigned port, rm_packet *batch, size_t n, size_t *done,
                      rm_error *err)
{
    (void)state, (void)port;
    rmt_called(node);
    for (*done = 0; *done < n; ++*done) {
        const int64_t value = batch[*done].value.i;
        rm_node_set_current(node, &batch[*done]);
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

/* Takes none of its packets. */
static int take_none(rm_node *node, void *state, unsigned port, rm_packet *batch, size_t n, size_t *done,
                     rm_error *err)
{
    (void)state, (void)port, (void)batch, (void)n, (void)err;
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

/* A number to that many bytes. */
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

/* Emits on a missing output, and ignores what rm_emit returns. */
static int emit_anywhere(rm_node *node, void *state, unsigned port, rm_packet in, rm_error *err)
{
    (void)state, (void)port, (void)err;
    rmt_called(node);
    return rm_emit(node, 7, in) == RM_OK ? RM_DONE : RM_OK;
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

/* These two return a code that they may not: the type has no poll, and no more. */
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

/* Sums its items and emits the sum at the end. */
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
/* Emits the sum, then fails. */
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
/* As slow, in batches. */
static int slow_many(rm_node *node, void *state, unsigned port, rm_packet *batch, size_t n, size_t *done,
                     rm_error *err)
{
    int rc = RM_OK;
    for (*done = 0; rc == RM_OK && *done < n;) {
        rm_node_set_current(node, &batch[*done]);
        rc = slow(node, state, port, batch[*done], err);
        *done += rc >= 0;
    }
    return rc;
}

/* ---- The table ---------------------------------------------------------------------------------------------- */

static const rm_port split_ports[] = {
    {.name = "in", .direction = RM_INPUT, .kinds = RM_KIND_INT, .text = "numbers"},
    {.name = "small", .direction = RM_OUTPUT, .kinds = RM_KIND_INT, .text = "below 10"},
    {.name = "large", .direction = RM_OUTPUT, .kinds = RM_KIND_INT, .text = "others"},
    {0},
};

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
    if (rc == RM_OK)
        rc = rmt_graph_pending_types(runtime, err);
    return rc == RM_OK ? rmt_graph_stream_types(runtime, err) : rc;
}
