/* Pipelines for another server: what goes in, what comes out, what can be said about them in the protocol. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "data/builder.h"
#include "data/value.h"
#include "graph/registry.h"
#include "manifest/manifest.h"
#include "transport/remote/plan.h"

enum { MOST_SOURCES = 32 };

void rmi_remote_work_free(const rm_allocator *allocator, rmi_remote_work *work)
{
    rmi_free(allocator, work->sources, work->capacity * sizeof *work->sources);
    rmi_free(allocator, work->sinks, work->capacity * sizeof *work->sinks);
    rmi_free_text(allocator, work->acknowledging);
    rm_value_clear(&work->manifest);
    *work = (rmi_remote_work){.manifest = rm_null()};
}

static const char *text_field(rm_value map, const char *key)
{
    return rm_string_text(rmi_map_field(map, key), NULL);
}

/* ---- What the protocol can carry */

/* Refuses fields that are not among `known` (ends with NULL). */
static int check_fields(rm_value map, const char *const *known, const char *place, rm_error *err)
{
    for (size_t i = 0; i < rm_map_length(map); i++) {
        rm_value key, value;
        (void)rm_map_at(map, i, &key, &value);
        const char *const *at = known;
        while (*at != NULL && strcmp(*at, rm_string_text(key, NULL)) != 0)
            at++;
        if (*at != NULL || value.kind == RM_NULL)
            continue;
        const int rc = rm_error_set(err, RM_E_UNSUPPORTED, "the protocol cannot carry '%s' to another server",
                                    rm_string_text(key, NULL));
        rm_error_pointer(err, "%s/%s", place, rm_string_text(key, NULL));
        return rc;
    }
    return RM_OK;
}

static int wrong(rm_error *err, const char *place, const char *what)
{
    const int rc = rm_error_set(err, RM_E_VALUE, "a manifest needs %s", what);
    rm_error_pointer(err, "%s", place);
    return rc;
}

static int check_node(rm_value node, size_t index, rm_error *err)
{
    static const char *const known[] = {"id",           "node_type", "params",       "is_streaming",
                                        "capabilities", "host",      "runtime_hint", NULL};
    char place[64];
    const rm_value streaming = rmi_map_field(node, "is_streaming");
    (void)snprintf(place, sizeof place, "/nodes/%zu", index);
    if (text_field(node, "id") == NULL || text_field(node, "node_type") == NULL)
        return wrong(err, place, "an id and a node_type for each node");
    const int rc = check_fields(node, known, place, err);
    if (rc != RM_OK || streaming.kind != RM_BOOL || !streaming.b)
        return rc;
    (void)rm_error_set(
        err, RM_E_UNSUPPORTED,
        "a node that takes its whole stream cannot run on another server: its items are not done "
        "one by one");
    rm_error_pointer(err, "%s/is_streaming", place);
    return RM_E_UNSUPPORTED;
}

static int check_manifest(rm_value manifest, rm_error *err)
{
    static const char *const known[] = {"version", "metadata", "nodes", "connections", NULL},
                             *const ends[] = {"from", "to", NULL};
    const rm_value nodes = rmi_map_field(manifest, "nodes"),
                   connections = rmi_map_field(manifest, "connections");
    char place[64];
    int rc = check_fields(manifest, known, "", err);
    if (rc == RM_OK && (nodes.kind != RM_LIST || rm_list_length(nodes) == 0))
        rc = wrong(err, "/nodes", "a list of nodes");
    for (size_t i = 0; rc == RM_OK && i < rm_list_length(nodes); i++)
        rc = check_node(rm_list_get(nodes, i), i, err);
    for (size_t i = 0; rc == RM_OK && i < rm_list_length(connections); i++) {
        const rm_value connection = rm_list_get(connections, i);
        (void)snprintf(place, sizeof place, "/connections/%zu", i);
        rc = check_fields(connection, ends, place, err);
        if (rc == RM_OK && (text_field(connection, "from") == NULL || text_field(connection, "to") == NULL))
            rc = wrong(err, place, "from and to for each connection");
    }
    return rc;
}

/* ---- Ends */

/* Whether a connection begins (`key` "from") or ends ("to") at the node. */
static bool is_connected(rm_value connections, const char *key, const char *id)
{
    const size_t length = strlen(id);
    for (size_t i = 0; i < rm_list_length(connections); i++) {
        const char *end = text_field(rm_list_get(connections, i), key);
        if (strncmp(end, id, length) == 0 && (end[length] == '\0' || end[length] == '.'))
            return true;
    }
    return false;
}

static int find_ends(const rm_allocator *allocator, rmi_remote_work *work, rm_error *err)
{
    const rm_value nodes = rmi_map_field(work->manifest, "nodes"),
                   connections = rmi_map_field(work->manifest, "connections");
    const size_t count = rm_list_length(nodes);
    size_t source_count = 0;
    work->capacity = count + 1;
    work->sources = rmi_alloc_zeroed(allocator, work->capacity * sizeof *work->sources);
    work->sinks = rmi_alloc_zeroed(allocator, work->capacity * sizeof *work->sinks);
    if (work->sources == NULL || work->sinks == NULL)
        return rmi_out_of_memory(err);
    for (size_t i = 0, sinks = 0; i < count; i++) {
        const char *id = text_field(rm_list_get(nodes, i), "id");
        if (strcmp(id, work->acknowledging) != 0 && !is_connected(connections, "to", id))
            work->sources[source_count++] = id;
        if (!is_connected(connections, "from", id))
            work->sinks[sinks++] = id;
    }
    work->source_count = source_count;
    if (source_count < 1 || source_count > MOST_SOURCES)
        return rm_error_set(err, RM_E_VALUE, "a pipeline on another server needs 1 to %d sources, not %zu",
                            (int)MOST_SOURCES, source_count);
    return RM_OK;
}

/* A name that no node has. */
static int name_acknowledging(const rm_allocator *allocator, rm_value nodes, rmi_remote_work *work,
                              rm_error *err)
{
    char name[32] = "acknowledged";
    unsigned number = 1;
    for (size_t i = 0; i < rm_list_length(nodes); i++) {
        if (strcmp(text_field(rm_list_get(nodes, i), "id"), name) != 0)
            continue;
        (void)snprintf(name, sizeof name, "acknowledged_%u", ++number);
        i = SIZE_MAX; /* look again from the first */
    }
    work->acknowledging = rmi_copy_text(allocator, name);
    return work->acknowledging != NULL ? RM_OK : rmi_out_of_memory(err);
}

/* A copy with one node more. */
static int add_acknowledging(const rm_allocator *allocator, rm_value manifest, rmi_remote_work *work,
                             rm_error *err)
{
    rmi_builder b = rmi_builder_start(allocator, err);
    const rm_value given = rmi_map_field(manifest, "nodes");
    rm_value map = rmi_build_map(&b), nodes = rmi_build_list(&b), node = rmi_build_map(&b);
    rmi_build_text(&b, &node, "id", work->acknowledging);
    rmi_build_text(&b, &node, "node_type", "PassThrough");
    rmi_build_add(&b, &nodes, node);
    for (size_t i = 0; i < rm_list_length(given); i++)
        rmi_build_add(&b, &nodes, rm_value_retain(rm_list_get(given, i)));
    for (size_t i = 0; i < rm_map_length(manifest); i++) {
        rm_value key, value;
        (void)rm_map_at(manifest, i, &key, &value);
        const char *name = rm_string_text(key, NULL);
        rmi_build_put(&b, &map, name,
                      strcmp(name, "nodes") == 0 ? rm_value_move(&nodes) : rm_value_retain(value));
    }
    rm_value_clear(&nodes);
    return rmi_build_end(&b, &map, &work->manifest);
}

int rmi_remote_work_make(const rm_allocator *allocator, rm_value manifest, rmi_remote_work *work,
                         rm_error *err)
{
    *work = (rmi_remote_work){.manifest = rm_null()};
    int rc = check_manifest(manifest, err);
    if (rc == RM_OK)
        rc = name_acknowledging(allocator, rmi_map_field(manifest, "nodes"), work, err);
    if (rc == RM_OK)
        rc = add_acknowledging(allocator, manifest, work, err);
    if (rc == RM_OK)
        rc = find_ends(allocator, work, err);
    rm_value_clear(&manifest);
    return rc;
}

/* ---- A single node */

/* Fields of the node that another server does not get. */
static int check_one(const rmi_manifest_node *source, rm_error *err)
{
    if (source->arrays >= 0) {
        (void)rm_error_set(err, RM_E_UNSUPPORTED, "the protocol cannot carry 'arrays' to another server");
        rm_error_pointer(err, "/arrays");
        return RM_E_UNSUPPORTED;
    }
    return RM_OK;
}

static int manifest_of(const rmi_graph *graph, uint32_t index, bool there, rm_value *out, rm_error *err)
{
    const rmi_manifest_node *source = graph->nodes[index].source;
    rmi_builder b = rmi_builder_start(graph->runtime->allocator, err);
    rm_value params = rm_null(), capabilities = rm_null();
    int rc = there ? check_one(source, err) : RM_OK;
    if (rc == RM_OK)
        rc = rmi_params_map(graph, index, &params, err);
    if (rc == RM_OK && there && source->capabilities != NULL)
        rc = rmi_json_to_value(graph->runtime->allocator, source->capabilities, 0, "", &capabilities, err);
    if (rc != RM_OK) {
        rm_value_clear(&params);
        return rc;
    }
    rm_value map = rmi_build_map(&b), metadata = rmi_build_map(&b), nodes = rmi_build_list(&b),
             node = rmi_build_map(&b);
    rmi_build_text(&b, &node, "id", source->id);
    rmi_build_text(&b, &node, "node_type", source->node_type);
    if (params.kind == RM_MAP)
        rmi_build_put(&b, &node, "params", rm_value_move(&params));
    if (source->is_streaming)
        rmi_build_put(&b, &node, "is_streaming", rm_bool(true));
    if (strcmp(source->runtime_hint, "auto") != 0)
        rmi_build_text(&b, &node, "runtime_hint", source->runtime_hint);
    if (capabilities.kind == RM_MAP)
        rmi_build_put(&b, &node, "capabilities", rm_value_move(&capabilities));
    rmi_build_add(&b, &nodes, node);
    rmi_build_text(&b, &metadata, "name", source->id);
    rmi_build_text(&b, &map, "version", "v1");
    rmi_build_put(&b, &map, "metadata", metadata);
    rmi_build_put(&b, &map, "nodes", nodes);
    rm_value_clear(&params);
    rm_value_clear(&capabilities);
    return rmi_build_end(&b, &map, out);
}

int rmi_remote_work_of_node(const rmi_graph *graph, uint32_t index, bool there, rmi_remote_work *work,
                            rm_error *err)
{
    rm_value manifest = rm_null();
    const int rc = manifest_of(graph, index, there, &manifest, err);
    return rc == RM_OK ? rmi_remote_work_make(graph->runtime->allocator, manifest, work, err) : rc;
}

uint32_t rmi_remote_fallback_of(const rmi_graph *graph, uint32_t index)
{
    const char *id = graph->nodes[index].source->fallback;
    uint32_t i = id != NULL ? 0 : graph->node_count;
    while (i < graph->node_count && strcmp(graph->nodes[i].source->id, id) != 0)
        i++;
    return i;
}
