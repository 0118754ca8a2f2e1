/* From text to struct rm_manifest, and the functions on one. */
#include <string.h>

#include "base/alloc.h"
#include "manifest/fields.h"
#include "manifest/ids.h"
#include "manifest/manifest.h"

/* Checks the version first: another version may have other fields. */
static int check_version(yyjson_val *manifest, rm_error *err)
{
    yyjson_val *version = yyjson_obj_get(manifest, "version");
    if (!yyjson_is_str(version) || yyjson_equals_str(version, "v1"))
        return RM_OK;
    (void)rmi_manifest_error(err, RM_E_UNSUPPORTED_VERSION,
                             "Unsupported manifest version: %s (this runtime reads v1)",
                             yyjson_get_str(version));
    rm_error_pointer(err, "/version");
    return RM_E_UNSUPPORTED_VERSION;
}

/* Finds the manifest and its input in the document: an envelope with both, or a bare manifest. */
static int open_envelope(yyjson_val *root, yyjson_val **manifest, yyjson_val **input, rm_error *err)
{
    size_t position, count;
    yyjson_val *key, *value;
    *manifest = yyjson_obj_get(root, "manifest");
    *input = NULL;
    if (*manifest == NULL) {
        *manifest = root;
        return RM_OK;
    }
    yyjson_obj_foreach(root, position, count, key, value)
    {
        const char *name = yyjson_get_str(key);
        bool is_input = yyjson_equals_str(key, "input_data");
        if (is_input && *input == NULL) {
            *input = value;
        } else if (is_input || (value != *manifest)) {
            rmi_place place = {.key = name};
            int rc =
                rmi_manifest_error(err, RM_E_UNKNOWN_FIELD,
                                   is_input || yyjson_equals_str(key, "manifest")
                                       ? "field '%s' is given twice"
                                       : "unknown field '%s' beside 'manifest'; 'input_data' may stand there",
                                   name);
            rmi_manifest_error_place(err, &place);
            return rc;
        }
    }
    return RM_OK;
}

static int wrong_input(yyjson_val *input, const rmi_place *place, const char *expected, rm_error *err)
{
    char pointer[256];
    rmi_place_print(place, pointer, sizeof pointer);
    (void)rmi_manifest_error(err, RM_E_TYPE, "%s: expected %s, got %s", pointer, expected,
                             rmi_json_kind_text(input));
    rmi_manifest_error_place(err, place);
    return RM_E_TYPE;
}

/* Puts the prefix before the JSON reader's message; returns `rc`. */
static int add_prefix(int rc, rm_error *err)
{
    static const char prefix[] = "Manifest error: ";
    const size_t length = sizeof prefix - 1;
    if (rc == RM_OK || rc == RM_E_OUT_OF_MEMORY || err == NULL)
        return rc;
    memmove(err->message + length, err->message, sizeof err->message - length);
    memcpy(err->message, prefix, length);
    err->message[sizeof err->message - 1] = '\0';
    return rc;
}

static int read_input(rm_manifest *manifest, yyjson_val *input, unsigned flags, rm_error *err)
{
    const rmi_place place = {.key = "input_data"};
    size_t position, count;
    yyjson_val *key, *value;
    if (input == NULL || yyjson_is_null(input))
        return RM_OK;
    if (!yyjson_is_ctn(input))
        return wrong_input(input, &place, "a list, or an object from source id to list", err);
    if (yyjson_is_obj(input)) {
        yyjson_obj_foreach(input, position, count, key, value)
        {
            rmi_place below = {.above = &place, .key = yyjson_get_str(key)};
            if (!yyjson_is_arr(value))
                return wrong_input(value, &below, "a list", err);
        }
    }
    return add_prefix(
        rmi_json_to_value(manifest->arena.allocator, input, flags, "/input_data", &manifest->input, err),
        err);
}

/* Splits "id.port" in two. */
static int split_port(rmi_arena *arena, const char **id, const char **port, rm_error *err)
{
    const char *dot = strchr(*id, '.');
    if (dot == NULL)
        return RM_OK;
    char *copy = rmi_arena_text(arena, *id, strlen(*id));
    if (copy == NULL)
        return rmi_out_of_memory(err);
    copy[dot - *id] = '\0';
    *port = copy + (dot - *id) + 1;
    *id = copy;
    return RM_OK;
}

static int split_ports(rm_manifest *manifest, rm_error *err)
{
    int rc = RM_OK;
    for (size_t i = 0; i < manifest->connection_count && rc == RM_OK; i++) {
        rmi_manifest_connection *connection = &manifest->connections[i];
        rc = split_port(&manifest->arena, &connection->from, &connection->from_port, err);
        if (rc == RM_OK)
            rc = split_port(&manifest->arena, &connection->to, &connection->to_port, err);
    }
    return rc;
}

static int read_document(rm_manifest *manifest, yyjson_val *root, const rmi_manifest_options *options,
                         rm_error *err)
{
    yyjson_val *body = NULL, *input = NULL;
    rmi_manifest_reader reader = {.arena = &manifest->arena, .is_one_node = manifest->is_one_node};
    int rc = open_envelope(root, &body, &input, err);
    if (rc == RM_OK)
        rc = check_version(body, err);
    if (rc == RM_OK)
        rc = rmi_fields_read(&reader, rmi_manifest_shape, body, NULL, manifest, err);
    if (rc == RM_E_UNKNOWN_FIELD && err != NULL && strcmp(err->pointer, "/input_data") == 0)
        rm_error_hint(err, "it stands beside the manifest: {\"manifest\": {...}, \"input_data\": [...]}");
    if (rc == RM_OK)
        rc = rmi_manifest_index(manifest, err);
    if (rc == RM_OK)
        rc = split_ports(manifest, err);
    if (rc == RM_OK)
        rc = read_input(manifest, input, options->input_flags, err);
    for (size_t i = 0; rc == RM_OK && i < reader.noted_count; i++)
        options->noted(options->context, &reader.noted[i]);
    return rc;
}

/* Keeps the manifest's folder, where modules are looked for. */
static int keep_directory(rm_manifest *manifest, const char *path, rm_error *err)
{
    const char *slash = path != NULL ? strrchr(path, '/') : NULL;
    if (path == NULL || strcmp(path, "-") == 0)
        return RM_OK;
    if (slash == path)
        manifest->directory = "/";
    else
        manifest->directory =
            slash != NULL ? rmi_arena_text(&manifest->arena, path, (size_t)(slash - path)) : ".";
    return manifest->directory != NULL ? RM_OK : rmi_out_of_memory(err);
}

int rmi_manifest_parse(const rm_allocator *allocator, const char *text, size_t length,
                       const rmi_manifest_options *options, rm_manifest **out, rm_error *err)
{
    rm_manifest *manifest = NULL;
    int rc = RM_OK;
    *out = NULL;
    if (length > RMI_MANIFEST_LARGEST) {
        rc = rmi_manifest_error(err, RM_E_LIMIT, "the manifest has %zu bytes; %d MiB are the limit", length,
                                RMI_MANIFEST_LARGEST >> 20);
        goto done;
    }
    manifest = rmi_alloc_zeroed(allocator, sizeof *manifest);
    if (manifest == NULL) {
        rc = rmi_out_of_memory(err);
        goto done;
    }
    manifest->is_one_node = options->is_one_node;
    rmi_arena_init(&manifest->arena, allocator);
    rc = add_prefix(rmi_json_read(allocator, text, length, "manifest", &manifest->document, err), err);
    if (rc == RM_OK)
        rc = read_document(manifest, rmi_json_root(manifest->document), options, err);
    if (rc == RM_OK)
        rc = keep_directory(manifest, options->path, err);
done:
    if (rc != RM_OK) {
        rm_manifest_free(manifest);
        manifest = NULL;
    }
    *out = manifest;
    return rc;
}

static void drop_validated(rm_manifest *manifest)
{
    struct rmi_graph *graph = atomic_exchange(&manifest->validated, NULL);
    if (graph != NULL)
        manifest->graph_free(graph);
}

void rm_manifest_free(rm_manifest *manifest)
{
    if (manifest == NULL)
        return;
    drop_validated(manifest);
    for (size_t i = 0; manifest->nodes != NULL && i < manifest->node_count; i++) {
        for (rmi_manifest_override *at = manifest->nodes[i].overrides; at != NULL; at = at->next)
            rm_value_clear(&at->value);
    }
    rm_value_clear(&manifest->input);
    rmi_json_document_free(manifest->document);
    const rm_allocator *allocator = manifest->arena.allocator;
    rmi_arena_free(&manifest->arena);
    rmi_free(allocator, manifest, sizeof *manifest);
}

rm_value rm_manifest_input(const rm_manifest *manifest)
{
    return manifest->input;
}

/* The pointer to the override of `param`, or to the end of the list, where a new one belongs. */
static rmi_manifest_override **find_override(rmi_manifest_node *node, const char *param)
{
    rmi_manifest_override **at = &node->overrides;
    while (*at != NULL && strcmp((*at)->name, param) != 0)
        at = &(*at)->next;
    return at;
}

int rm_manifest_set_param(rm_manifest *manifest, const char *node, const char *param, rm_value value,
                          rm_error *err)
{
    int rc = RM_OK;
    size_t index = rmi_manifest_find(manifest, node);
    if (index == SIZE_MAX) {
        const char *near = rmi_manifest_near_id(manifest, node);
        rc = near != NULL
                 ? rmi_manifest_error(err, RM_E_UNKNOWN_NODE,
                                      "no node '%s' to set '%s' of; did you mean '%s'?", node, param, near)
                 : rmi_manifest_error(err, RM_E_UNKNOWN_NODE, "no node '%s' to set '%s' of", node, param);
        goto done;
    }
    rmi_manifest_override **at = find_override(&manifest->nodes[index], param);
    if (*at == NULL) {
        rmi_manifest_override *added = rmi_arena_alloc(&manifest->arena, 1, sizeof *added);
        char *name = rmi_arena_text(&manifest->arena, param, strlen(param));
        if (added == NULL || name == NULL) {
            rc = rmi_out_of_memory(err);
            goto done;
        }
        added->name = name;
        *at = added;
    }
    drop_validated(manifest);
    rm_value_clear(&(*at)->value);
    (*at)->value = rm_value_move(&value);
done:
    rm_value_clear(&value);
    return rc;
}
