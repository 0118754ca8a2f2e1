#include "graph/build.h"

#include "base/alloc.h"

static int prepare(rm_manifest *manifest, rmi_graph *graph, rm_error *err)
{
    if (manifest->node_count >= UINT32_MAX || manifest->connection_count >= UINT32_MAX / 2)
        return rmi_manifest_error(err, RM_E_LIMIT, "too many nodes or connections");
    graph->node_count = (uint32_t)manifest->node_count;
    graph->edge_count = (uint32_t)manifest->connection_count;
    graph->nodes = rmi_arena_alloc(&graph->arena, graph->node_count, sizeof *graph->nodes);
    graph->edges = rmi_arena_alloc(&graph->arena, graph->edge_count, sizeof *graph->edges);
    graph->order = rmi_arena_alloc(&graph->arena, graph->node_count, sizeof *graph->order);
    if (graph->nodes == NULL || graph->edges == NULL || graph->order == NULL) {
        graph->node_count = 0;
        return rmi_out_of_memory(err);
    }
    for (uint32_t i = 0; i < graph->node_count; i++)
        graph->nodes[i].source = &manifest->nodes[i];
    return RM_OK;
}

static int check_params(const rmi_graph *graph, rm_error *err)
{
    int rc = RM_OK;
    for (uint32_t i = 0; i < graph->node_count && rc == RM_OK; i++)
        rc = rmi_graph_check_params(graph, i, err);
    return rc;
}

int rmi_graph_build(rm_manifest *manifest, rmi_graph *graph, rm_error *err)
{
    *graph = (rmi_graph){.runtime = manifest->runtime,
                         .directory = manifest->directory,
                         .is_one_node = manifest->is_one_node,
                         .hops = manifest->hops,
                         .type_count = manifest->runtime->type_count,
                         .resolver_count = manifest->runtime->resolver_count};
    rmi_arena_init(&graph->arena, manifest->runtime->allocator);
    int rc = prepare(manifest, graph, err);
    if (rc == RM_OK)
        rc = rmi_graph_connect(manifest, graph, err);
    if (rc == RM_OK)
        rc = rmi_graph_sort(graph, err);
    if (rc == RM_OK)
        rc = rmi_graph_check_placement(manifest, graph, err);
    if (rc == RM_OK)
        rc = rmi_graph_resolve(graph, err);
    if (rc == RM_OK)
        rc = rmi_graph_connect_ports(manifest, graph, err);
    if (rc == RM_OK)
        rc = check_params(graph, err);
    return rc;
}

void rmi_graph_free(rmi_graph *graph)
{
    for (uint32_t i = 0; i < graph->node_count; i++) {
        rmi_graph_node *node = &graph->nodes[i];
        rm_value_clear(&node->params);
        if (node->resolver != NULL && node->resolver->release_data != NULL)
            node->resolver->release_data(node->resolver->context, node->data);
    }
    rmi_arena_free(&graph->arena);
    graph->nodes = NULL;
    graph->edges = NULL;
    graph->order = NULL;
    graph->node_count = graph->edge_count = 0;
}

static void drop(rmi_graph *graph)
{
    if (graph == NULL)
        return;
    const rm_allocator *allocator = graph->runtime->allocator;
    rmi_graph_free(graph);
    rmi_free(allocator, graph, sizeof *graph);
}

int rmi_graph_keep(rm_manifest *manifest, rmi_graph *graph, rm_error *err)
{
    rmi_graph *kept = rmi_alloc_zeroed(manifest->runtime->allocator, sizeof *kept);
    if (kept == NULL) {
        rmi_graph_free(graph);
        return rmi_out_of_memory(err);
    }
    *kept = *graph;
    manifest->graph_free = drop;
    drop(atomic_exchange(&manifest->validated, kept));
    return RM_OK;
}

int rmi_graph_take(rm_manifest *manifest, rmi_graph *out, rm_error *err)
{
    const rm_runtime *runtime = manifest->runtime;
    rmi_graph *graph = atomic_exchange(&manifest->validated, NULL);
    if (graph == NULL || graph->type_count != runtime->type_count ||
        graph->resolver_count != runtime->resolver_count) {
        drop(graph);
        return rmi_graph_build(manifest, out, err);
    }
    *out = *graph;
    rmi_free(runtime->allocator, graph, sizeof *graph);
    return RM_OK;
}

int rm_manifest_validate(rm_manifest *manifest, rm_error *err)
{
    rmi_graph graph = {0};
    drop(atomic_exchange(&manifest->validated, NULL)); /* code that is loaded again is not there twice */
    int rc = rmi_graph_build(manifest, &graph, err);
    if (rc == RM_OK)
        rc = rm_manifest_check_input(manifest, manifest->input, err);
    if (rc == RM_OK)
        return rmi_graph_keep(manifest, &graph, err);
    rmi_graph_free(&graph);
    return rc;
}
