/* Finds each node's type: a native one by name or alias, else one from a resolver. */
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "graph/build.h"

static bool wants_python(const rmi_manifest_node *node)
{
    return strcmp(node->runtime_hint, "auto") != 0;
}

bool rmi_wants_sandbox(const rmi_manifest_node *node)
{
    return node->placement == RMI_PLACE_SANDBOX || strcmp(node->runtime_hint, "cpython_wasm") == 0 ||
           rmi_type_module(node->node_type) != NULL;
}

bool rmi_wants_remote(const rm_runtime *runtime, const rmi_manifest_node *node)
{
    const bool elsewhere = node->placement == RMI_PLACE_AUTO || node->placement == RMI_PLACE_REMOTE ||
                           node->placement == RMI_PLACE_PREFER_REMOTE;
    return runtime->remote != NULL && node->host != NULL && elsewhere;
}

static int no_python(const rmi_manifest_node *node, const char *what, const char *name, const char *field,
                     uint32_t index, rm_error *err)
{
    (void)rmi_manifest_error(err, RM_E_MISSING_FEATURE,
                             "node '%s': %s '%s' needs Python (RM_PYTHON), which %s", node->id, what, name,
                             rmi_feature_available("RM_PYTHON") ? "this program did not attach"
                                                                : "this build does not have");
    rmi_manifest_error_node(err, node->id);
    rm_error_pointer(err, "/nodes/%u/%s", index, field);
    return RM_E_MISSING_FEATURE;
}

/* The error of an unknown type; it names every place that was searched. */
static int unknown_type(const rmi_graph *graph, uint32_t index, const rmi_text *looked, rm_error *err)
{
    const rm_runtime *runtime = graph->runtime;
    const rmi_manifest_node *node = graph->nodes[index].source;
    char near[128];
    bool python_only = runtime->resolver_count == 0 &&
                       (strchr(node->node_type, ':') != NULL || strcmp(node->node_type, "Python") == 0);
    if (looked->failed)
        return rmi_out_of_memory(err);
    if (python_only)
        return no_python(node, "node_type", node->node_type, "node_type", index, err);
    int rc = rmi_runtime_near_type(runtime, node->node_type, near, sizeof near, err);
    if (rc != RM_OK)
        return rc;
    (void)rmi_manifest_error(
        err, RM_E_UNKNOWN_NODE_TYPE, "unknown node type '%s' of node '%s'%s%s%s%s%s%s", node->node_type,
        node->id, near[0] != '\0' ? "; did you mean '" : "", near,
        near[0] != '\0' ? "'? Looked in: " : "; looked in: ", wants_python(node) ? "" : "native node types",
        looked->length != 0 ? looked->data : "",
        runtime->resolver_count == 0 ? " (no Python here: RM_PYTHON)" : "");
    rmi_manifest_error_node(err, node->id);
    rm_error_pointer(err, "/nodes/%u/node_type", index);
    rm_error_hint(err, "`remotemedia nodes` lists the node types");
    return RM_E_UNKNOWN_NODE_TYPE;
}

/* Adds place and node to a resolver's error, whose pointer is relative to the node. */
static int failed_in_resolver(const rmi_manifest_node *node, uint32_t index, int rc, rm_error *err)
{
    if (err != NULL && err->node[0] == '\0')
        rmi_manifest_error_node(err, node->id);
    char inside[sizeof err->pointer] = "/node_type";
    if (err != NULL && err->has_pointer)
        memcpy(inside, err->pointer, sizeof inside);
    if (err != NULL)
        rm_error_pointer(err, "/nodes/%u%.*s", index, (int)sizeof inside - 24, inside);
    return rc;
}

static rmi_node_query query_of(const rmi_graph *graph, uint32_t index)
{
    const rmi_graph_node *node = &graph->nodes[index];
    const rmi_manifest_node *source = node->source;
    return (rmi_node_query){
        .base =
            {
                .node_type = source->node_type,
                .id = source->id,
                .runtime_hint = source->runtime_hint,
                .params = node->params,
                .is_streaming = source->is_streaming,
                .is_source = node->is_source,
                .directory = graph->directory,
                .sandboxed = rmi_wants_sandbox(source),
                .limits = {.memory_bytes = (uint64_t)source->limits.memory_bytes,
                           .timeout_ms = source->limits.timeout_ms,
                           .fuel = (uint64_t)source->limits.fuel,
                           .output_bytes = (uint64_t)source->limits.output_bytes,
                           .log_bytes = (uint64_t)source->limits.log_bytes},
            },
        .arrays = source->arrays >= 0 ? (rm_arrays)(source->arrays + 1) : graph->runtime->arrays,
        .graph = graph,
        .index = index,
    };
}

/* Asks one resolver. RM_DONE: it is no type of its own, and *where says where it looked. */
static int ask(rmi_graph *graph, uint32_t index, const rm_resolver *resolver, const char **where,
               rm_error *err)
{
    rmi_graph_node *node = &graph->nodes[index];
    const rmi_node_query query = query_of(graph, index);
    void *data = NULL;
    int rc = resolver->resolve(resolver->context, &query.base, &node->type, &data, where, err);
    if (rc == RM_OK && node->type == NULL)
        rc = rm_error_set(err, RM_E_INTERNAL, "a resolver answered without a type");
    if (rc == RM_OK) {
        node->resolver = resolver;
        node->data = data;
        rc = rmi_type_check(node->type, "resolver", err);
        if (rc != RM_OK)
            (void)failed_in_resolver(node->source, index, rc, err);
    } else if (rc == RM_DONE)
        node->type = NULL;
    else
        rc = failed_in_resolver(node->source, index, rc, err);
    return rc;
}

static int ask_resolvers(rmi_graph *graph, uint32_t index, rm_error *err)
{
    const rm_runtime *runtime = graph->runtime;
    rmi_graph_node *node = &graph->nodes[index];
    rmi_text looked;
    rmi_text_init(&looked, runtime->allocator);
    int rc = rmi_params_map(graph, index, &node->params, err);
    for (size_t i = 0; i < runtime->resolver_count && rc == RM_OK && node->type == NULL; i++) {
        const char *where = NULL;
        rc = ask(graph, index, runtime->resolvers[i], &where, err);
        if (rc == RM_DONE) {
            rc = RM_OK;
            where = where != NULL ? where : "a resolver";
            if (*where != '\0' && (looked.length > 0 || !wants_python(node->source)))
                rmi_text_append_c(&looked, ", ");
            rmi_text_append_c(&looked, where);
        }
    }
    if (rc == RM_OK && node->type == NULL)
        rc = unknown_type(graph, index, &looked, err);
    rmi_text_clear(&looked);
    return rc;
}

static int ask_remote(rmi_graph *graph, uint32_t index, rm_error *err)
{
    const char *where = NULL;
    const int rc = rmi_params_map(graph, index, &graph->nodes[index].params, err);
    return rc == RM_OK ? ask(graph, index, graph->runtime->remote, &where, err) : rc;
}

/* Finds the native type. The node before often has the same type, which saves a search. */
static const rm_node_type *find_native(const rmi_graph *graph, uint32_t index)
{
    const char *name = graph->nodes[index].source->node_type;
    if (index > 0 && graph->nodes[index - 1].resolver == NULL && graph->nodes[index - 1].type != NULL &&
        strcmp(graph->nodes[index - 1].type->name, name) == 0)
        return graph->nodes[index - 1].type;
    return rm_runtime_find_type(graph->runtime, name);
}

int rmi_graph_resolve(rmi_graph *graph, rm_error *err)
{
    int rc = RM_OK;
    for (uint32_t i = 0; i < graph->node_count && rc == RM_OK; i++) {
        rmi_graph_node *node = &graph->nodes[i];
        bool python = wants_python(node->source), sandboxed = rmi_wants_sandbox(node->source);
        if (rmi_wants_remote(graph->runtime, node->source)) {
            rc = ask_remote(graph, i, err);
            continue;
        }
        if (python && !sandboxed && graph->runtime->resolver_count == 0)
            return no_python(node->source, "runtime_hint", node->source->runtime_hint, "runtime_hint", i,
                             err);
        if (!python && !sandboxed)
            node->type = find_native(graph, i);
        if (node->type == NULL)
            rc = ask_resolvers(graph, i, err);
    }
    return rc;
}
