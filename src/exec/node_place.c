#include "exec/node_place.h"

#include "exec/pipeline.h"

const rmi_graph *rmi_node_graph(const rm_node *node, uint32_t *index)
{
    const rmi_graph *graph = &node->pipeline->graph;
    *index = (uint32_t)(node->graph - graph->nodes);
    return graph;
}

int64_t rmi_node_run_deadline(const rm_node *node)
{
    return node->pipeline->deadline;
}
