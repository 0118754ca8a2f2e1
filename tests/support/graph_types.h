/* Shared by the node types of graph_types.c, graph_pending.c and graph_streams.c. */
#ifndef TESTS_SUPPORT_GRAPH_TYPES_H
#define TESTS_SUPPORT_GRAPH_TYPES_H

#include "tests/support/test_graph.h"

int rmt_type_open(rm_node *node, void *state, rm_error *err);
int rmt_type_close(rm_node *node, void *state, rm_error *err);
#define RMT_TYPE(NAME, SIZE)                                                                                \
    .abi_version = RM_NODE_ABI_VERSION, .size = sizeof(rm_node_type), .name = NAME, .summary = "For tests", \
    .state_size = SIZE, .open = rmt_type_open, .close = rmt_type_close

/* Nodes whose results come later: graph_pending.c. Streaming nodes and sources: graph_streams.c. */
int rmt_graph_pending_types(rm_runtime *runtime, rm_error *err);
int rmt_graph_stream_types(rm_runtime *runtime, rm_error *err);

#endif
