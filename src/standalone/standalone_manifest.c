/* The manifest of a standalone node: the node, and for each incoming connection a node in place of the one
 * before. */
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "data/builder.h"
#include "graph/graph.h"
#include "standalone/standalone_parts.h"

/* ---- Reading the configuration */

/* The text at `key`, borrowed; `fallback` where there is none. */
static int text_at(rm_value config, const char *key, const char *fallback, const char **out, rm_error *err)
{
    rm_value value = rm_null();
    size_t length = 0;
    *out = fallback;
    if (!rm_map_get(config, key, strlen(key), &value) || value.kind == RM_NULL)
        return fallback != NULL || strcmp(key, "directory") == 0
                   ? RM_OK
                   : rm_error_set(err, RM_E_MISSING_FIELD, "the configuration of a node needs '%s'", key);
    const char *text = value.kind == RM_STRING ? rm_string_text(value, &length) : NULL;
    if (text == NULL || strlen(text) != length)
        return rm_error_set(err, RM_E_TYPE, "'%s' of a node's configuration is a string", key);
    *out = text;
    return RM_OK;
}

static int flag_at(rm_value config, const char *key, bool *out, rm_error *err)
{
    rm_value value = rm_null();
    if (!rm_map_get(config, key, strlen(key), &value) || value.kind == RM_NULL)
        return RM_OK;
    if (value.kind != RM_BOOL)
        return rm_error_set(err, RM_E_TYPE, "'%s' of a node's configuration is true or false", key);
    *out = value.b;
    return RM_OK;
}

static int read_inputs(rm_value config, rmi_standalone_config *into, rm_error *err)
{
    (void)rm_map_get(config, "inputs", 6, &into->inputs);
    if (into->inputs.kind != RM_LIST && into->inputs.kind != RM_NULL)
        return rm_error_set(err, RM_E_TYPE, "'inputs' of a node's configuration is a list");
    into->input_count = into->inputs.kind == RM_LIST ? rm_list_length(into->inputs) : 0;
    for (size_t i = 0; i < into->input_count; i++) {
        const rm_value pair = rm_list_get(into->inputs, i);
        const bool two = pair.kind == RM_LIST && rm_list_length(pair) == 2;
        const uint32_t port = two ? rm_list_get(pair, 1).kind : RM_LIST;
        if (!two || rm_list_get(pair, 0).kind != RM_STRING || (port != RM_STRING && port != RM_NULL))
            return rm_error_set(
                err, RM_E_TYPE,
                "an input of a node's configuration is [id of a node, name of a port or null]");
    }
    into->is_source = into->input_count == 0;
    const int rc = flag_at(config, "is_source", &into->is_source, err);
    if (rc == RM_OK && into->is_source && into->input_count > 0)
        return rm_error_set(err, RM_E_VALUE, "a node with inputs is no source");
    return rc;
}

int rmi_standalone_config_read(rm_value config, rmi_standalone_config *into, rm_error *err)
{
    *into = (rmi_standalone_config){0};
    if (config.kind != RM_MAP)
        return rm_error_set(err, RM_E_TYPE, "the configuration of a node is a map");
    int rc = text_at(config, "node_type", NULL, &into->node_type, err);
    if (rc == RM_OK)
        rc = text_at(config, "id", NULL, &into->id, err);
    if (rc == RM_OK)
        rc = text_at(config, "runtime_hint", "auto", &into->runtime_hint, err);
    if (rc == RM_OK)
        rc = text_at(config, "directory", NULL, &into->directory, err);
    if (rc == RM_OK)
        rc = flag_at(config, "is_streaming", &into->is_streaming, err);
    if (rc == RM_OK)
        rc = flag_at(config, "generates", &into->generates, err);
    if (rc == RM_OK)
        rc = flag_at(config, "waits", &into->waits, err);
    if (rc == RM_OK)
        rc = read_inputs(config, into, err);
    (void)rm_map_get(config, "params", 6, &into->params);
    if (rc == RM_OK && into->params.kind != RM_MAP && into->params.kind != RM_NULL) {
        (void)rm_error_set(err, RM_E_TYPE, "the parameters of node '%s' are a map", into->id);
        rm_error_pointer(err, "/params");
        return RM_E_TYPE;
    }
    if (rc == RM_OK &&
        strcmp(into->runtime_hint, "cpython_wasm") == 0) /* inside the sandbox Python is CPython */
        into->runtime_hint = "cpython";
    return rc;
}

/* ---- The manifest */

/* The id of the placeholder differs from the node's own id. rmi_standalone_name_inputs gives it the real id,
 * which may be the same as the node's. */
static void add_input(rmi_builder *b, const rmi_standalone_config *config, size_t index, rm_value *nodes,
                      rm_value *connections)
{
    const rm_value pair = index < config->input_count ? rm_list_get(config->inputs, index) : rm_null();
    const rm_value port = pair.kind == RM_LIST ? rm_list_get(pair, 1) : rm_null();
    const bool has_port = port.kind == RM_STRING;
    rm_value node = rmi_build_map(b), connection = rmi_build_map(b);
    rmi_text id, to;
    rmi_text_init(&id, b->allocator);
    rmi_text_init(&to, b->allocator);
    rmi_text_printf(&id, "%s-%zu", config->id, index);
    rmi_text_printf(&to, "%s%s%s", config->id, has_port ? "." : "",
                    has_port ? rm_string_text(port, NULL) : "");
    if ((id.failed || to.failed) && b->rc == RM_OK)
        b->rc = rmi_out_of_memory(b->err);
    rmi_build_text(b, &node, "id", id.data);
    rmi_build_text(b, &node, "node_type", "PassThrough");
    rmi_build_text(b, &connection, "from", id.data);
    rmi_build_text(b, &connection, "to", to.data);
    rmi_build_add(b, nodes, node);
    rmi_build_add(b, connections, connection);
    rmi_text_clear(&to);
    rmi_text_clear(&id);
}

/* Builds the manifest without the parameters, because JSON text might change their values. */
static int build(const rm_allocator *allocator, const rmi_standalone_config *config, rm_value *out,
                 rm_error *err)
{
    rmi_builder b = rmi_builder_start(allocator, err);
    rm_value manifest = rmi_build_map(&b), metadata = rmi_build_map(&b), node = rmi_build_map(&b);
    rm_value nodes = rmi_build_list(&b), connections = rmi_build_list(&b);
    const size_t inputs = config->is_source ? 0 : config->input_count > 0 ? config->input_count : 1;
    rmi_build_text(&b, &node, "id", config->id);
    rmi_build_text(&b, &node, "node_type", config->node_type);
    rmi_build_text(&b, &node, "runtime_hint", config->runtime_hint);
    rmi_build_put(&b, &node, "is_streaming", rm_bool(config->is_streaming));
    if (config->params.kind == RM_MAP)
        rmi_build_put(&b, &node, "params", rmi_build_map(&b));
    rmi_build_add(&b, &nodes, node);
    for (size_t i = 0; b.rc == RM_OK && i < inputs; i++)
        add_input(&b, config, i, &nodes, &connections);
    rmi_build_text(&b, &metadata, "name", config->id);
    rmi_build_text(&b, &manifest, "version", "v1");
    rmi_build_put(&b, &manifest, "metadata", metadata);
    rmi_build_put(&b, &manifest, "nodes", nodes);
    rmi_build_put(&b, &manifest, "connections", connections);
    return rmi_build_end(&b, &manifest, out);
}

static int set_params(rm_manifest *manifest, const rmi_standalone_config *config, rm_error *err)
{
    rm_value key, value;
    int rc = RM_OK;
    for (size_t i = 0; rc == RM_OK && rm_map_at(config->params, i, &key, &value); i++) {
        size_t length = 0;
        const char *name = rm_string_text(key, &length);
        rc = strlen(name) == length
                 ? rm_manifest_set_param(manifest, config->id, name, rm_value_retain(value), err)
                 : rm_error_set(err, RM_E_UNKNOWN_PARAMETER, "a parameter's name has a NUL after '%s'", name);
    }
    return rc;
}

int rmi_standalone_manifest(rm_runtime *runtime, const rmi_standalone_config *config, rm_manifest **out,
                            rm_error *err)
{
    const rm_allocator *allocator = rm_runtime_allocator(runtime);
    rm_value manifest = rm_null();
    rmi_text path;
    char *text = NULL;
    size_t length = 0;
    *out = NULL;
    rmi_text_init(&path, allocator);
    int rc = build(allocator, config, &manifest, err);
    if (rc == RM_OK)
        rc = rm_json_write(allocator, manifest, 0, &text, &length, NULL, err);
    const bool beside = config->directory != NULL && config->directory[0] != '\0';
    if (rc == RM_OK && beside)
        rmi_text_printf(&path, "%s/manifest", config->directory);
    if (rc == RM_OK && path.failed)
        rc = rmi_out_of_memory(err);
    if (rc == RM_OK)
        rc = rmi_manifest_parse_one_node(runtime, text, length, beside ? path.data : NULL, out, err);
    if (rc == RM_OK)
        rc = set_params(*out, config, err);
    rmi_text_clear(&path);
    rm_text_free(allocator, text, length);
    rm_value_clear(&manifest);
    return rc;
}

int rmi_standalone_name_inputs(rm_manifest *manifest, const rmi_standalone_config *config, rm_error *err)
{
    for (size_t i = 1; i < manifest->node_count; i++) {
        const rm_value id =
            i <= config->input_count ? rm_list_get(rm_list_get(config->inputs, i - 1), 0) : rm_null();
        const char *text = id.kind == RM_STRING ? rm_string_text(id, NULL) : "input";
        manifest->nodes[i].id = rmi_arena_text(&manifest->arena, text, strlen(text));
        if (manifest->nodes[i].id == NULL)
            return rmi_out_of_memory(err);
    }
    return RM_OK;
}
