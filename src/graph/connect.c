/* Connections as edges between nodes, before anything is known about types. */
#include <string.h>

#include "base/alloc.h"
#include "graph/build.h"

static int unknown_end(const rm_manifest *manifest, size_t connection, bool target, rm_error *err)
{
    const rmi_manifest_connection *at = &manifest->connections[connection];
    const char *id = target ? at->to : at->from;
    const char *near = rmi_manifest_near_id(manifest, id);
    (void)rmi_manifest_error(err, RM_E_UNKNOWN_NODE, "Connection references unknown %s node: %s%s%s%s",
                             target ? "target" : "source", id, near != NULL ? "; did you mean '" : "",
                             near != NULL ? near : "", near != NULL ? "'?" : "");
    rm_error_pointer(err, "/connections/%zu/%s", connection, target ? "to" : "from");
    return RM_E_UNKNOWN_NODE;
}

static int self_loop(const char *id, size_t connection, rm_error *err)
{
    (void)rmi_manifest_error(err, RM_E_CYCLE,
                             "Pipeline contains a cycle - cannot execute: %s -> %s (connected to itself)", id,
                             id);
    rmi_manifest_error_node(err, id);
    rm_error_pointer(err, "/connections/%zu", connection);
    return RM_E_CYCLE;
}

/* Gives each node its part of one array of edge numbers. */
/* Whether the node only waits to run in place of one on another server: it has no connections of its own, and gets no items. */
static bool stands_by(const rmi_graph *graph, const rmi_graph_node *node)
{
    bool named = false;
    if (graph->runtime->remote == NULL || node->input_count > 0 || node->output_count > 0)
        return false;
    for (uint32_t i = 0; i < graph->node_count; i++) {
        const rmi_graph_node *other = &graph->nodes[i];
        named |= other != node && other->source->fallback != NULL &&
                 strcmp(other->source->fallback, node->source->id) == 0;
    }
    return named;
}

static int list_edges(rmi_graph *graph, rm_error *err)
{
    uint32_t *lists = rmi_arena_alloc(&graph->arena, (size_t)graph->edge_count * 2, sizeof *lists);
    if (lists == NULL)
        return rmi_out_of_memory(err);
    for (uint32_t i = 0; i < graph->node_count; i++) {
        rmi_graph_node *node = &graph->nodes[i];
        node->inputs = lists;
        node->outputs = lists + node->input_count;
        lists += node->input_count + node->output_count;
        node->is_source = node->input_count == 0;
        node->is_sink = node->output_count == 0;
        if (stands_by(graph, node))
            node->is_source = node->is_sink = false;
        node->is_output = node->is_sink || node->source->is_output_node;
        node->input_count = node->output_count = 0; /* the loop below counts them again */
    }
    for (uint32_t e = 0; e < graph->edge_count; e++) {
        rmi_graph_node *from = &graph->nodes[graph->edges[e].from], *to = &graph->nodes[graph->edges[e].to];
        from->outputs[from->output_count++] = e;
        to->inputs[to->input_count++] = e;
    }
    return RM_OK;
}

static size_t to_size(int64_t number)
{
    return (uint64_t)number > SIZE_MAX ? SIZE_MAX : (size_t)number;
}

int rmi_graph_connect(const rm_manifest *manifest, rmi_graph *graph, rm_error *err)
{
    for (uint32_t e = 0; e < graph->edge_count; e++) {
        const rmi_manifest_connection *connection = &manifest->connections[e];
        size_t from = rmi_manifest_find(manifest, connection->from);
        size_t to = rmi_manifest_find(manifest, connection->to);
        if (from == SIZE_MAX || to == SIZE_MAX)
            return unknown_end(manifest, e, from != SIZE_MAX, err);
        if (from == to)
            return self_loop(connection->from, e, err);
        graph->edges[e] = (rmi_edge){
            .from = (uint32_t)from,
            .to = (uint32_t)to,
            .manifest_index = e,
            .queue_packets = to_size(connection->queue_packets),
            .queue_bytes = to_size(connection->queue_bytes),
        };
        graph->nodes[from].output_count++;
        graph->nodes[to].input_count++;
    }
    return list_edges(graph, err);
}
