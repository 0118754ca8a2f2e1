/* PassThrough: emits its items unchanged; the measure of the least cost of a node. */
#include "nodes/process_many.h"

static int passthrough_process_many(rm_node *node, void *state, unsigned port, rm_packet *batch, size_t n,
                                    size_t *done, rm_error *err)
{
    (void)state, (void)port;
    return rmi_batch_end(node, batch, n, n, done, RM_OK, err);
}

static const rm_port passthrough_ports[] = {
    {.name = "in", .direction = RM_INPUT, .kinds = RM_KIND_ANY, .text = "Any item"},
    {.name = "out", .direction = RM_OUTPUT, .kinds = RM_KIND_ANY, .text = "The same item"},
    {0},
};

const rm_node_type rmi_node_passthrough = {
    .abi_version = RM_NODE_ABI_VERSION,
    .size = sizeof(rm_node_type),
    .name = "PassThrough",
    .aliases = (const char *const[]){"PassThroughNode", NULL},
    .summary = "Hands every item on unchanged",
    .description =
        "Every item leaves as it came, Python objects and null too. Useful as a named point to branch "
        "from or to report results at.",
    .ports = passthrough_ports,
    .process_many = passthrough_process_many,
};
