/* Take and Skip: the first items of a stream, and all others. */
#include "nodes/process_many.h"

struct limit {
    int64_t count; /* parameter */
    int64_t seen;  /* items so far, at most `count` */
};

static size_t part_of_run(const struct limit *limit, size_t n)
{
    const uint64_t left = (uint64_t)(limit->count - limit->seen);
    return left < n ? (size_t)left : n;
}

static int take_process_many(rm_node *node, void *state, unsigned port, rm_packet *batch, size_t n,
                             size_t *done, rm_error *err)
{
    struct limit *take = state;
    const size_t part = part_of_run(take, n);
    (void)port;
    take->seen += (int64_t)part;
    return rmi_batch_end(node, batch, part, part, done, take->seen == take->count ? RM_DONE : RM_OK, err);
}

static int skip_process_many(rm_node *node, void *state, unsigned port, rm_packet *batch, size_t n,
                             size_t *done, rm_error *err)
{
    struct limit *skip = state;
    const size_t part = part_of_run(skip, n);
    (void)port;
    skip->seen += (int64_t)part;
    for (size_t i = 0; i < part; i++)
        rm_packet_clear(&batch[i]);
    const int rc = rmi_batch_end(node, batch + part, n - part, n - part, done, RM_OK, err);
    *done += part;
    return rc;
}

static const rm_port limit_ports[] = {
    {.name = "in", .direction = RM_INPUT, .kinds = RM_KIND_ANY, .text = "Any item"},
    {.name = "out",
     .direction = RM_OUTPUT,
     .kinds = RM_KIND_ANY,
     .text = "The items that are kept, unchanged"},
    {0},
};

static const rm_param take_params[] = {
    {.name = "count",
     .text = "How many items are kept",
     .type = RM_PARAM_INT64,
     .flags = RM_PARAM_REQUIRED,
     .offset = offsetof(struct limit, count),
     .i64 = {.min = 0, .max = INT64_MAX}},
    {0},
};

const rm_node_type rmi_node_take = {
    .abi_version = RM_NODE_ABI_VERSION,
    .size = sizeof(rm_node_type),
    .name = "Take",
    .summary = "Keeps the first items and ends the stream after them",
    .description =
        "After `count` items nothing more is asked of the nodes before it: Take after an endless source "
        "ends the run.",
    .ports = limit_ports,
    .params = take_params,
    .state_size = sizeof(struct limit),
    .process_many = take_process_many,
};

static const rm_param skip_params[] = {
    {.name = "count",
     .text = "How many items are dropped",
     .type = RM_PARAM_INT64,
     .flags = RM_PARAM_REQUIRED,
     .offset = offsetof(struct limit, count),
     .i64 = {.min = 0, .max = INT64_MAX}},
    {0},
};

const rm_node_type rmi_node_skip = {
    .abi_version = RM_NODE_ABI_VERSION,
    .size = sizeof(rm_node_type),
    .name = "Skip",
    .summary = "Drops the first items and keeps the rest",
    .ports = limit_ports,
    .params = skip_params,
    .state_size = sizeof(struct limit),
    .process_many = skip_process_many,
};
