/* Where a node is: for layers above whose nodes are more than a node's interface tells. */
#ifndef EXEC_NODE_PLACE_H
#define EXEC_NODE_PLACE_H

#include "graph/graph.h"

/* The graph, borrowed until after close, and the node's place in it. */
const rmi_graph *rmi_node_graph(const rm_node *node, uint32_t *index);
/* When the run has to end, monotonic ns; INT64_MAX: at any time. */
int64_t rmi_node_run_deadline(const rm_node *node);

#endif
