/* SimpleSource: generates the same value `count` times. */
#include "nodes/process_many.h"

enum { A_CALL = 32 }; /* values generated in one call: enough to make the call cheap */

struct simple_source {
    int64_t count;  /* parameter */
    rm_value value; /* parameter */
    int64_t given;
};

static int simple_source_generate(rm_node *node, void *state, rm_error *err)
{
    struct simple_source *s = state;
    int rc = RM_OK;
    (void)err;
    for (int i = 0; i < A_CALL && s->given < s->count && rc == RM_OK; i++) {
        rc = rm_emit(node, 0, rm_packet_of(rm_value_retain(s->value)));
        s->given++;
    }
    return rc == RM_OK && s->given >= s->count ? RM_DONE : rc;
}

static const rm_port simple_source_ports[] = {
    {.name = "out", .direction = RM_OUTPUT, .kinds = RM_KIND_PLAIN, .text = "The value"},
    {0},
};

static const rm_param simple_source_params[] = {
    {.name = "count",
     .text = "How many times the value is generated",
     .type = RM_PARAM_INT64,
     .offset = offsetof(struct simple_source, count),
     .i64 = {.fallback = 1, .min = 0, .max = INT64_MAX}},
    {.name = "value",
     .text = "The value, of any kind",
     .type = RM_PARAM_VALUE,
     .offset = offsetof(struct simple_source, value),
     .value = {.fallback_json = "null"}},
    {0},
};

const rm_node_type rmi_node_simple_source = {
    .abi_version = RM_NODE_ABI_VERSION,
    .size = sizeof(rm_node_type),
    .name = "SimpleSource",
    .summary = "Generates a value a number of times",
    .description = "Generates `value` `count` times. It takes no input.",
    .ports = simple_source_ports,
    .params = simple_source_params,
    .state_size = sizeof(struct simple_source),
    .generate = simple_source_generate,
};
