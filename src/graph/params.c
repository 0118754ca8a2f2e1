/* Fills in all parameters of a node by its type's table. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/suggest.h"
#include "base/text.h"
#include "graph/param.h"

enum { MOST_PARAMS = 256 }; /* rmi_type_check refuses more */

/* The parameters of the table that have been given. */
typedef struct seen {
    uint64_t bits[MOST_PARAMS / 64];
    size_t count;
} seen;

static bool was_seen(const seen *s, size_t i)
{
    return (s->bits[i / 64] >> i % 64 & 1) != 0;
}

static void mark(seen *s, size_t i)
{
    s->bits[i / 64] |= (uint64_t)1 << i % 64;
    s->count++;
}

int rmi_params_map(const rmi_graph *graph, uint32_t index, rm_value *out, rm_error *err)
{
    const rm_allocator *allocator = graph->runtime->allocator;
    const rmi_manifest_node *source = graph->nodes[index].source;
    char pointer[48];
    rm_value map = rm_null();
    int rc = RM_OK;
    if (source->params != NULL && yyjson_obj_size(source->params) != 0) {
        (void)snprintf(pointer, sizeof pointer, "/nodes/%u/params", index);
        rc = rmi_json_to_value(allocator, source->params, 0, pointer, &map, err);
    }
    if (rc == RM_OK && map.kind != RM_MAP && map.kind != RM_NULL)
        rc = rmi_manifest_error(err, RM_E_TYPE, "the parameters of node '%s' are no map", source->id);
    if (rc == RM_OK && map.kind == RM_NULL && source->overrides != NULL)
        rc = rm_map_new(allocator, 0, &map, err);
    for (const rmi_manifest_override *at = source->overrides; at != NULL && rc == RM_OK; at = at->next)
        rc = rm_map_set(&map, at->name, strlen(at->name), rm_value_retain(at->value), err);
    if (rc != RM_OK) {
        rmi_manifest_error_node(err, source->id);
        rm_value_clear(&map);
    }
    *out = rm_value_move(&map);
    return rc;
}

static size_t find_param(const rm_param *params, const char *name)
{
    for (size_t i = 0; params != NULL && params[i].name != NULL; i++) {
        if (strcmp(params[i].name, name) == 0)
            return i;
    }
    return SIZE_MAX;
}

/* An error that names the type's parameters: the nearest, the only one, or all. */
static int unknown_param(const rmi_filler *f, const char *name, rm_error *err)
{
    const rm_param *params = f->node->type->params;
    const char *type = f->node->type->name, *best = NULL;
    char known[256] = "", place[48] = "/params";
    size_t used = 0, count = 0;
    rmi_suggestion near = rmi_suggest_for(name);
    for (; params != NULL && params[count].name != NULL; count++) {
        int added =
            snprintf(known + used, sizeof known - used, "%s%s", count == 0 ? "" : ", ", params[count].name);
        used += added > 0 && (size_t)added < sizeof known - used ? (size_t)added : 0;
        rmi_suggest_offer(&near, params[count].name);
    }
    if (!f->graph->is_one_node)
        (void)snprintf(place, sizeof place, "/nodes/%u/params", f->index);
    best = near.best != NULL ? near.best : count == 1 ? params[0].name : NULL;
    if (best != NULL)
        (void)rmi_manifest_error(err, RM_E_UNKNOWN_PARAMETER,
                                 "unknown parameter '%s' at %s; did you mean '%s'?", name, place, best);
    else if (count == 0)
        (void)rmi_manifest_error(err, RM_E_UNKNOWN_PARAMETER,
                                 "unknown parameter '%s' at %s; %s has no parameters", name, place, type);
    else
        (void)rmi_manifest_error(err, RM_E_UNKNOWN_PARAMETER, "unknown parameter '%s' at %s; %s has: %s",
                                 name, place, type, known);
    (void)rmi_param_error_place(f, name, RM_E_UNKNOWN_PARAMETER, err);
    if (best != NULL)
        rm_error_hint(err, "%s has: %s", type, known);
    return RM_E_UNKNOWN_PARAMETER;
}

static int fill_overrides(const rmi_filler *f, seen *done, rm_error *err)
{
    int rc = RM_OK;
    for (const rmi_manifest_override *at = f->node->source->overrides; at != NULL && rc == RM_OK;
         at = at->next) {
        size_t i = find_param(f->node->type->params, at->name);
        if (i == SIZE_MAX)
            return unknown_param(f, at->name, err);
        const rmi_given given = rmi_given_of_value(&at->value);
        rc = rmi_param_fill(f, &f->node->type->params[i], &given, err);
        mark(done, i);
    }
    return rc;
}

static int fill_given(const rmi_filler *f, seen *done, rm_error *err)
{
    size_t position, count;
    yyjson_val *key, *value;
    seen here = {0};
    if (f->node->source->params == NULL)
        return RM_OK;
    yyjson_obj_foreach(f->node->source->params, position, count, key, value)
    {
        char room[128];
        const char *name = rmi_text_without_nul(yyjson_get_str(key), yyjson_get_len(key), room, sizeof room);
        size_t i = name != room ? find_param(f->node->type->params, name) : SIZE_MAX;
        if (i == SIZE_MAX)
            return unknown_param(f, name, err);
        if (was_seen(&here, i)) {
            (void)rmi_manifest_error(err, RM_E_VALUE, "parameter '%s' of node '%s' is given twice", name,
                                     f->node->source->id);
            return rmi_param_error_place(f, name, RM_E_VALUE, err);
        }
        mark(&here, i);
        if (was_seen(done, i)) /* overridden */
            continue;
        mark(done, i);
        const rmi_given given = rmi_given_of_json(value);
        int rc = rmi_param_fill(f, &f->node->type->params[i], &given, err);
        if (rc != RM_OK)
            return rc;
    }
    return RM_OK;
}

static int missing_param(const rmi_filler *f, const rm_param *param, rm_error *err)
{
    (void)rmi_manifest_error(err, RM_E_MISSING_PARAMETER, "node '%s' (%s) needs the parameter '%s': %s",
                             f->node->source->id, f->node->type->name, param->name,
                             param->text != NULL ? param->text : "");
    rmi_manifest_error_node(err, f->node->source->id);
    rm_error_pointer(err, f->node->source->params != NULL ? "/nodes/%u/params" : "/nodes/%u", f->index);
    return RM_E_MISSING_PARAMETER;
}

/* Fills in the default of NUMBER and VALUE; the map keeps a value with memory alive. */
static int fill_fallback_value(const rmi_filler *f, const rm_param *param, rm_error *err)
{
    const rm_allocator *allocator = f->graph->runtime->allocator;
    const char *json = param->value.fallback_json;
    rm_value value = rm_null();
    int rc = json != NULL ? rm_json_parse(allocator, json, strlen(json), 0, &value, err) : RM_OK;
    if (rc != RM_OK)
        return rmi_param_error_place(f, param->name, rc, err);
    memcpy(f->state + param->offset, &value, sizeof value);
    if (!rm_value_is_heap(value))
        return RM_OK;
    if (f->map->kind == RM_NULL)
        rc = rm_map_new(allocator, 0, f->map, err);
    else
        rc = rm_value_make_unique(allocator, f->map, err);
    if (rc == RM_OK)
        rc = rm_map_set(f->map, param->name, strlen(param->name), rm_value_move(&value), err);
    rm_value_clear(&value);
    return rc;
}

static int fill_fallback(const rmi_filler *f, const rm_param *param, rm_error *err)
{
    unsigned char *to = f->state + param->offset;
    switch (param->type) {
    case RM_PARAM_BOOL:
        memcpy(to, &param->flag.fallback, sizeof param->flag.fallback);
        break;
    case RM_PARAM_INT64:
        memcpy(to, &param->i64.fallback, sizeof param->i64.fallback);
        break;
    case RM_PARAM_FLOAT64:
        memcpy(to, &param->f64.fallback, sizeof param->f64.fallback);
        break;
    case RM_PARAM_STRING:
        memcpy(to, &param->text_value.fallback, sizeof param->text_value.fallback);
        break;
    case RM_PARAM_ENUM:
        memcpy(to, &param->choice.fallback, sizeof param->choice.fallback);
        break;
    case RM_PARAM_NUMBER:
    case RM_PARAM_VALUE:
        return fill_fallback_value(f, param, err);
    }
    return RM_OK;
}

static int fill_rest(const rmi_filler *f, const seen *done, rm_error *err)
{
    const rm_param *params = f->node->type->params;
    int rc = RM_OK;
    for (size_t i = 0; params != NULL && params[i].name != NULL && rc == RM_OK; i++) {
        if (was_seen(done, i))
            continue;
        if ((params[i].flags & RM_PARAM_REQUIRED) != 0)
            rc = missing_param(f, &params[i], err);
        else if (f->state != NULL)
            rc = fill_fallback(f, &params[i], err);
    }
    return rc;
}

/* Fills in all parameters, or only checks them where the filler has no state. */
static int fill_all(const rmi_filler *filler, rm_error *err)
{
    seen done = {0};
    int rc = fill_overrides(filler, &done, err);
    if (rc == RM_OK)
        rc = fill_given(filler, &done, err);
    return rc == RM_OK ? fill_rest(filler, &done, err) : rc;
}

/* The parameters as a resolver has made them, or else as rmi_params_map does. */
static int map_of(const rmi_graph *graph, uint32_t index, rm_value *out, rm_error *err)
{
    const rmi_graph_node *node = &graph->nodes[index];
    if (node->params.kind == RM_NULL)
        return rmi_params_map(graph, index, out, err);
    *out = rm_value_retain(node->params);
    return RM_OK;
}

int rmi_params_fill(const rmi_graph *graph, uint32_t index, void *state, rmi_arena *arena, rm_value *params,
                    rm_error *err)
{
    const rmi_graph_node *node = &graph->nodes[index];
    rm_value map = rm_null();
    int rc = RM_OK;
    const bool any = (node->type->flags & RM_NODE_ANY_PARAMS) != 0;
    const rmi_filler filler = {graph, node, index, state, arena, &map};
    if (node->params.kind != RM_NULL || state != NULL || params != NULL || (any && node->resolver == NULL))
        rc = map_of(graph, index, &map, err);
    if (rc == RM_OK && !any)
        rc = fill_all(&filler, err);
    if (rc == RM_OK && params != NULL)
        *params = rm_value_move(&map);
    rm_value_clear(&map);
    return rc;
}

/* The type whose table checks the node's parameters; NULL: the parameters are not checked. In a sandbox a native
 * type is described by its own table, and its code runs inside. */
static const rm_node_type *described_by(const rmi_graph *graph, const rmi_graph_node *node)
{
    if ((node->type->flags & RM_NODE_ANY_PARAMS) == 0)
        return node->type;
    if (node->resolver == NULL || node->type->params == NULL)
        return NULL;
    const rm_node_type *native = rm_runtime_find_type(graph->runtime, node->source->node_type);
    return native != NULL && native->params == node->type->params ? native : node->type;
}

/* Calls the type's own check. */
static int check_together(const rmi_filler *f, const rm_node_type *type, rm_error *err)
{
    rm_error found = {0};
    const int rc = type->check(f->state, &found);
    if (rc < 0) {
        (void)rmi_manifest_error(err, rc, "node '%s' (%s): %s", f->node->source->id, f->node->type->name,
                                 found.message);
        rmi_manifest_error_node(err, f->node->source->id);
        rm_error_pointer(err, "/nodes/%u%.*s", f->index, (int)sizeof found.pointer - 24,
                         found.has_pointer                 ? found.pointer
                         : f->node->source->params != NULL ? "/params"
                                                           : "");
        rm_error_hint(err, "%s", found.hint);
    }
    rm_error_clear(&found);
    return rc;
}

int rmi_graph_check_params(const rmi_graph *graph, uint32_t index, rm_error *err)
{
    const rmi_graph_node *node = &graph->nodes[index];
    const rm_node_type *type = described_by(graph, node);
    rm_value map = rm_null();
    rmi_arena arena;
    rmi_filler filler = {.graph = graph, .node = node, .index = index, .arena = &arena, .map = &map};
    int rc = RM_OK;
    if (type == NULL)
        return rmi_params_fill(graph, index, NULL, NULL, NULL, err);
    rmi_arena_init(&arena, graph->runtime->allocator);
    if (type->check != NULL) {
        filler.state = rmi_arena_alloc(&arena, 1, type->state_size);
        rc = filler.state == NULL ? rmi_out_of_memory(err) : map_of(graph, index, &map, err);
    }
    if (rc == RM_OK)
        rc = fill_all(&filler, err);
    if (rc == RM_OK && type->check != NULL)
        rc = check_together(&filler, type, err);
    rm_value_clear(&map);
    rmi_arena_free(&arena);
    return rc;
}

int rmi_params_change(const rmi_graph *graph, uint32_t index, void *state, rmi_arena *arena, rm_value *params,
                      const char *name, rm_value value, const rm_param **changed, rm_error *err)
{
    const rm_allocator *allocator = graph->runtime->allocator;
    rmi_filler filler = {
        .graph = graph, .node = &graph->nodes[index], .index = index, .arena = arena, .map = params};
    const rm_node_type *type = filler.node->type;
    const size_t i = find_param(type->params, name);
    const rmi_given given = rmi_given_of_value(&value);
    int rc = RM_OK;
    *changed = i != SIZE_MAX ? &type->params[i] : NULL;
    if (*changed == NULL)
        rc = unknown_param(&filler, name, err);
    else if (((*changed)->flags & RM_PARAM_LIVE) == 0 || (type->flags & RM_NODE_ANY_PARAMS) != 0)
        rc = rm_error_set(err, RM_E_USAGE, "parameter '%s' of %s cannot change while the pipeline runs", name,
                          type->name);
    if (rc == RM_OK)
        rc = rmi_param_fill(&filler, *changed, &given, err); /* without a state it only checks */
    if (rc == RM_OK)
        rc = params->kind == RM_NULL ? rm_map_new(allocator, 1, params, err)
                                     : rm_value_make_unique(allocator, params, err);
    if (rc == RM_OK)
        rc = rm_map_set(params, name, strlen(name), rm_value_retain(value), err);
    filler.state = state;
    if (rc == RM_OK)
        rc = rmi_param_fill(&filler, *changed, &given, err);
    rm_value_clear(&value);
    return rc;
}
