#include "transport/trust.h"

#include <string.h>

#include "graph/graph.h"
#include "graph/registry.h"
#include "transport/remote/attached.h"

static const char sandboxed[] = "cpython_wasm";

/* ---- Code */

void rmi_force_sandbox(rm_manifest *manifest)
{
    for (size_t i = 0; i < manifest->node_count; i++)
        if (rm_runtime_find_type(manifest->runtime, manifest->nodes[i].node_type) == NULL)
            manifest->nodes[i].runtime_hint = sandboxed;
}

int rmi_check_code(const rm_manifest *manifest, bool sandbox, rm_error *err)
{
    for (size_t i = 0; i < manifest->node_count; i++) {
        const rmi_manifest_node *node = &manifest->nodes[i];
        const bool has_file = rmi_type_module(node->node_type) != NULL;
        if (!has_file && (sandbox || !rmi_wants_sandbox(node)))
            continue;
        (void)rm_error_set(err, RM_E_UNSUPPORTED,
                           has_file ? "node '%s' uses a file of the server, which clients may not"
                                    : "node '%s' runs code in a sandbox, which clients may not",
                           node->id);
        rm_error_pointer(err, "/nodes/%zu", i);
        rm_error_hint(err, "the server's operator allows it by %s", has_file ? "--trust-code" : "--sandbox");
        return RM_E_UNSUPPORTED;
    }
    return RM_OK;
}

/* ---- Files */

/* Whether the parameter names a file, and is given. */
static bool names_file(const rm_param *param, rm_value params)
{
    return param->type == RM_PARAM_STRING && (param->flags & RM_PARAM_PATH) != 0 &&
           rm_map_get(params, param->name, strlen(param->name), NULL);
}

static bool is_remote(const rmi_graph *graph, const rmi_graph_node *node)
{
    return rmi_wants_remote(graph->runtime, node->source) ||
           strcmp(node->type->name, rmi_remote_pipeline_node.name) == 0;
}

/* Strangers may not make this server connect to others. */
static int refuse_remote(const rmi_graph_node *node, uint32_t index, rm_error *err)
{
    (void)rm_error_set(err, RM_E_UNSUPPORTED,
                       "node '%s' runs on another server, which clients may not ask for", node->source->id);
    rm_error_pointer(err, "/nodes/%u/%s", index, node->source->host != NULL ? "host" : "node_type");
    rm_error_hint(err, "the server's operator allows it by --trust-code");
    return RM_E_UNSUPPORTED;
}

static int check_node(const rmi_graph *graph, uint32_t index, rm_error *err)
{
    const rmi_graph_node *node = &graph->nodes[index];
    rm_value params = rm_null();
    if (is_remote(graph, node))
        return refuse_remote(node, index, err);
    int rc = rmi_params_map(graph, index, &params, err);
    for (const rm_param *param = node->type->params; rc == RM_OK && param != NULL && param->name != NULL;
         param++) {
        if (!names_file(param, params))
            continue;
        rc = rm_error_set(err, RM_E_UNSUPPORTED,
                          "node '%s' (%s) uses a file of the server, which clients may not", node->source->id,
                          node->type->name);
        rm_error_pointer(err, "/nodes/%u/params/%s", index, param->name);
        rm_error_hint(err, "the server's operator allows it by --trust-code");
    }
    rm_value_clear(&params);
    return rc;
}

int rmi_check_untrusted(rm_manifest *manifest, rm_error *err)
{
    rmi_graph graph = {0};
    int rc = rmi_graph_take(manifest, &graph, err);
    for (uint32_t i = 0; rc == RM_OK && i < graph.node_count; i++)
        rc = check_node(&graph, i, err);
    if (rc == RM_OK)
        return rmi_graph_keep(manifest, &graph, err);
    rmi_graph_free(&graph);
    return rc;
}
