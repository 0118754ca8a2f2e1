/* The protocol's manifest as JSON, so that one reader checks every manifest. */
#include <string.h>

#include "data/builder.h"
#include "transport/grpc/messages.h"

typedef Remotemedia__V1__NodeManifest node_message;

const char *const rmi_runtime_hints[RMI_RUNTIME_HINTS] = {NULL, "rust_python", "cpython", "cpython_wasm",
                                                          "auto"};

/* Texts that are not set are empty. */
static void put_text(rmi_builder *b, rm_value *map, const char *key, const char *text)
{
    if (text[0] != '\0')
        rmi_build_text(b, map, key, text);
}

static rm_value gpu_value(rmi_builder *b, const Remotemedia__V1__GpuRequirement *gpu)
{
    rm_value map = rmi_build_map(b);
    rmi_build_text(b, &map, "type", gpu->type);
    if (gpu->min_memory_gb != 0)
        rmi_build_put(b, &map, "min_memory_gb", rm_float(gpu->min_memory_gb));
    rmi_build_put(b, &map, "required", rm_bool(gpu->required));
    return map;
}

static rm_value cpu_value(rmi_builder *b, const Remotemedia__V1__CpuRequirement *cpu)
{
    rm_value map = rmi_build_map(b);
    if (cpu->cores != 0)
        rmi_build_put(b, &map, "cores", rm_int(cpu->cores));
    put_text(b, &map, "arch", cpu->arch);
    return map;
}

static rm_value capabilities_value(rmi_builder *b, const Remotemedia__V1__CapabilityRequirements *given)
{
    rm_value map = rmi_build_map(b);
    if (given->gpu != NULL)
        rmi_build_put(b, &map, "gpu", gpu_value(b, given->gpu));
    if (given->cpu != NULL)
        rmi_build_put(b, &map, "cpu", cpu_value(b, given->cpu));
    if (given->memory_gb != 0)
        rmi_build_put(b, &map, "memory_gb", rm_float(given->memory_gb));
    return map;
}

/* `params` is JSON text. */
static rm_value params_value(rmi_builder *b, const node_message *node, size_t index)
{
    rm_value params = rm_null();
    if (b->rc != RM_OK)
        return params;
    b->rc = rm_json_parse(b->allocator, node->params, strlen(node->params), 0, &params, b->err);
    if (b->rc == RM_OK && params.kind != RM_MAP) {
        b->rc = rm_error_set(b->err, RM_E_TYPE, "params of node '%s' must be a JSON object, not %s", node->id,
                             rm_kind_name((rm_kind)params.kind));
        rm_value_clear(&params);
    }
    if (b->rc != RM_OK)
        rm_error_pointer(b->err, "/nodes/%zu/params", index);
    return params;
}

static rm_value node_value(rmi_builder *b, const node_message *node, size_t index)
{
    const size_t hint = (size_t)node->runtime_hint;
    rm_value map = rmi_build_map(b);
    put_text(b, &map, "id", node->id);
    put_text(b, &map, "node_type", node->node_type);
    if (node->params[0] != '\0')
        rmi_build_put(b, &map, "params", params_value(b, node, index));
    if (node->is_streaming)
        rmi_build_put(b, &map, "is_streaming", rm_bool(true));
    if (node->capabilities != NULL)
        rmi_build_put(b, &map, "capabilities", capabilities_value(b, node->capabilities));
    put_text(b, &map, "host", node->host);
    if (hint < RMI_RUNTIME_HINTS)
        rmi_build_text(b, &map, "runtime_hint", rmi_runtime_hints[hint]);
    else
        rmi_build_put(b, &map, "runtime_hint", rm_int(node->runtime_hint)); /* refused with its place */
    return map;
}

static rm_value connection_value(rmi_builder *b, const Remotemedia__V1__Connection *connection)
{
    rm_value map = rmi_build_map(b);
    put_text(b, &map, "from", connection->from);
    put_text(b, &map, "to", connection->to);
    return map;
}

static rm_value metadata_value(rmi_builder *b, const Remotemedia__V1__ManifestMetadata *metadata)
{
    rm_value map = rmi_build_map(b);
    put_text(b, &map, "name", metadata->name);
    put_text(b, &map, "description", metadata->description);
    put_text(b, &map, "created_at", metadata->created_at);
    return map;
}

int rmi_manifest_text(const Remotemedia__V1__PipelineManifest *message, char **text, size_t *length,
                      rm_error *err)
{
    rmi_builder b = rmi_builder_start(NULL, err);
    rm_value map = rmi_build_map(&b), nodes = rmi_build_list(&b), connections = rmi_build_list(&b),
             document = rm_null();
    put_text(&b, &map, "version", message->version);
    if (message->metadata != NULL)
        rmi_build_put(&b, &map, "metadata", metadata_value(&b, message->metadata));
    for (size_t i = 0; i < message->n_nodes; i++)
        rmi_build_add(&b, &nodes, node_value(&b, message->nodes[i], i));
    for (size_t i = 0; i < message->n_connections; i++)
        rmi_build_add(&b, &connections, connection_value(&b, message->connections[i]));
    rmi_build_put(&b, &map, "nodes", nodes);
    rmi_build_put(&b, &map, "connections", connections);
    int rc = rmi_build_end(&b, &map, &document);
    if (rc == RM_OK)
        rc = rm_json_write(NULL, document, 0, text, length, NULL, err);
    rm_value_clear(&document);
    return rc;
}
