/* Echo: wraps each item in a numbered map. */
#include "nodes/process_many.h"

struct echo {
    int64_t count; /* items so far */
};

static int wrap(rm_node *node, struct echo *echo, rm_value *item, rm_error *err)
{
    const rm_allocator *allocator = rm_node_allocator(node);
    rm_value map = rm_null(), name = rm_null();
    int rc = rm_map_new(allocator, 3, &map, err);
    if (rc == RM_OK)
        rc = rm_map_set(&map, "input", 5, rm_value_retain(*item), err);
    if (rc == RM_OK)
        rc = rm_map_set(&map, "counter", 7, rm_int(echo->count + 1), err);
    if (rc == RM_OK)
        rc = rm_string_new(allocator, "Echo", 4, &name, err);
    if (rc == RM_OK)
        rc = rm_map_set(&map, "node", 4, rm_value_move(&name), err);
    if (rc == RM_OK) {
        echo->count++;
        rm_value_clear(item);
        *item = rm_value_move(&map);
    }
    rm_value_clear(&map);
    return rc;
}

static int echo_process_many(rm_node *node, void *state, unsigned port, rm_packet *batch, size_t n,
                             size_t *done, rm_error *err)
{
    int rc = RM_OK;
    size_t i = 0;
    (void)port;
    while (i < n && (rc = wrap(node, state, &batch[i].value, err)) == RM_OK)
        i++;
    return rmi_batch_end(node, batch, i, i, done, rc, err);
}

const rm_node_type rmi_node_echo = {
    .abi_version = RM_NODE_ABI_VERSION,
    .size = sizeof(rm_node_type),
    .name = "Echo",
    .aliases = (const char *const[]){"EchoNode", NULL},
    .summary = "Wraps each item: {\"input\": item, \"counter\": n, \"node\": \"Echo\"}",
    .description = "`counter` counts the items of the run from 1; `node` is always \"Echo\".",
    .state_size = sizeof(struct echo),
    .process_many = echo_process_many,
};
