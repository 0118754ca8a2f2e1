/* Node types as documents, for `nodes list`, `nodes info` and other readers. */
#include "graph/describe.h"

#include <stdio.h>
#include <string.h>

#include "graph/build.h"

static const char *const type_names[] = {
    [RM_PARAM_BOOL] = "bool",     [RM_PARAM_INT64] = "int", [RM_PARAM_FLOAT64] = "float",
    [RM_PARAM_STRING] = "string", [RM_PARAM_ENUM] = "enum", [RM_PARAM_NUMBER] = "number",
    [RM_PARAM_VALUE] = "value",
};

void rmi_describe_calls(rmi_builder *b, rm_value *map, const rm_node_type *type)
{
    const bool takes = type->process != NULL || type->process_many != NULL || type->stream != NULL;
    rmi_build_put(b, map, "process", rm_bool(takes));
    rmi_build_put(b, map, "streaming", rm_bool(type->stream != NULL));
    rmi_build_put(b, map, "generates", rm_bool(type->generate != NULL));
    rmi_build_put(b, map, "live", rm_bool(type->flags & RM_NODE_LIVE));
    rmi_build_put(b, map, "pending", rm_bool(type->poll != NULL));
    rmi_build_put(b, map, "slow", rm_bool(type->flags & RM_NODE_SLOW));
    rmi_build_put(b, map, "flush", rm_bool(type->flush != NULL));
    rmi_build_put(b, map, "max_in_flight", rm_int(type->max_in_flight > 0 ? type->max_in_flight : 1));
    if (type->stream != NULL && type->flags & RM_NODE_WAITS)
        rmi_build_put(b, map, "waits", rm_bool(true));
    if (type->advance != NULL)
        rmi_build_put(b, map, "advance", rm_bool(true));
}

rm_value rmi_describe_default(rmi_builder *b, const rm_param *param)
{
    switch (param->type) {
    case RM_PARAM_BOOL:
        return rm_bool(param->flag.fallback);
    case RM_PARAM_INT64:
        return rm_int(param->i64.fallback);
    case RM_PARAM_FLOAT64:
        return rm_float(param->f64.fallback);
    case RM_PARAM_STRING:
        return param->text_value.fallback != NULL ? rmi_build_string(b, param->text_value.fallback)
                                                  : rm_null();
    case RM_PARAM_ENUM:
        return rmi_build_string(b, param->choice.choices[param->choice.fallback]);
    case RM_PARAM_NUMBER:
    case RM_PARAM_VALUE:
        return param->value.fallback_json != NULL ? rmi_build_json(b, param->value.fallback_json) : rm_null();
    }
    return rm_null();
}

rm_value rmi_describe_choices(rmi_builder *b, const char *const *choices)
{
    rm_value list = rmi_build_list(b);
    for (; choices != NULL && *choices != NULL; choices++)
        rmi_build_add(b, &list, rmi_build_string(b, *choices));
    return list;
}

static rm_value describe_param(rmi_builder *b, const rm_param *param)
{
    rm_value map = rmi_build_map(b);
    rmi_build_text(b, &map, "name", param->name);
    rmi_build_text(b, &map, "type", type_names[param->type]);
    rmi_build_text(b, &map, "text", param->text);
    rmi_build_put(b, &map, "required", rm_bool((param->flags & RM_PARAM_REQUIRED) != 0));
    if ((param->flags & RM_PARAM_REQUIRED) == 0)
        rmi_build_put(b, &map, "default", rmi_describe_default(b, param));
    if (param->type == RM_PARAM_INT64 && (param->i64.min != 0 || param->i64.max != 0)) {
        rmi_build_put(b, &map, "min", rm_int(param->i64.min));
        rmi_build_put(b, &map, "max", rm_int(param->i64.max));
    }
    if (param->type == RM_PARAM_FLOAT64 && (param->f64.min != 0 || param->f64.max != 0)) {
        rmi_build_put(b, &map, "min", rm_float(param->f64.min));
        rmi_build_put(b, &map, "max", rm_float(param->f64.max));
    }
    if (param->type == RM_PARAM_ENUM)
        rmi_build_put(b, &map, "choices", rmi_describe_choices(b, param->choice.choices));
    if ((param->flags & RM_PARAM_LIVE) != 0)
        rmi_build_put(b, &map, "live", rm_bool(true));
    if ((param->flags & RM_PARAM_PATH) != 0)
        rmi_build_put(b, &map, "path", rm_bool(true));
    return map;
}

static rm_value describe_format(rmi_builder *b, const rm_format *format)
{
    rm_value map = rmi_build_map(b);
    if (format->dtype != 0)
        rmi_build_text(b, &map, "dtype", rm_dtype_name(format->dtype));
    if (format->channels != 0)
        rmi_build_put(b, &map, "channels", rm_int(format->channels));
    if (format->sample_rate != 0)
        rmi_build_put(b, &map, "sample_rate", rm_int(format->sample_rate));
    return map;
}

static rm_value describe_port(rmi_builder *b, const rm_port *port)
{
    rm_value map = rmi_build_map(b), kinds = rmi_build_list(b);
    const char *kind = NULL;
    for (size_t i = 0; (kind = rmi_kind_at(port->kinds, i)) != NULL; i++)
        rmi_build_add(b, &kinds, rmi_build_string(b, kind));
    rmi_build_text(b, &map, "name", port->name);
    rmi_build_text(b, &map, "direction", port->direction == RM_INPUT ? "input" : "output");
    rmi_build_put(b, &map, "kinds", kinds);
    if (port->direction == RM_INPUT) {
        rmi_build_put(b, &map, "optional", rm_bool(port->optional));
        rmi_build_put(b, &map, "variadic", rm_bool(port->variadic));
    }
    if (port->format.dtype != 0 || port->format.channels != 0 || port->format.sample_rate != 0)
        rmi_build_put(b, &map, "format", describe_format(b, &port->format));
    rmi_build_text(b, &map, "text", port->text);
    return map;
}

/* The keys that `nodes list` shows. */
static rm_value describe_head(rmi_builder *b, const rm_node_type *type)
{
    rm_value map = rmi_build_map(b);
    rmi_build_text(b, &map, "name", type->name);
    rmi_build_put(b, &map, "aliases", rmi_describe_choices(b, type->aliases));
    rmi_build_text(b, &map, "summary", type->summary);
    return map;
}

static rm_value describe_type(rmi_builder *b, const rm_node_type *type)
{
    rm_value map = describe_head(b, type), params = rmi_build_list(b), ports = rmi_build_list(b);
    for (const rm_param *param = type->params; param != NULL && param->name != NULL; param++)
        rmi_build_add(b, &params, describe_param(b, param));
    for (const rm_port *port = rmi_type_ports(type); port->name != NULL; port++)
        rmi_build_add(b, &ports, describe_port(b, port));
    rmi_build_text(b, &map, "description", type->description);
    rmi_build_put(b, &map, "params", params);
    if ((type->flags & RM_NODE_ANY_PARAMS) != 0)
        rmi_build_put(b, &map, "any_params", rm_bool(true));
    rmi_build_put(b, &map, "ports", ports);
    return map;
}

int rm_node_type_describe(const rm_allocator *allocator, const rm_node_type *type, rm_value *out,
                          rm_error *err)
{
    rmi_builder b = rmi_builder_start(allocator, err);
    rm_value map = describe_type(&b, type);
    return rmi_build_end(&b, &map, out);
}

/* Appends the types that the resolvers know; a resolver that does not know `name` adds nothing. */
static int describe_resolved(const rm_runtime *runtime, const char *name, rm_value *list, rm_error *err)
{
    int rc = RM_OK;
    for (size_t i = 0; i < runtime->resolver_count && rc == RM_OK; i++) {
        const rm_resolver *resolver = runtime->resolvers[i];
        if (resolver->describe != NULL)
            rc = resolver->describe(resolver->context, name, list, err);
        if (rc == RM_DONE || (rc == RM_E_UNKNOWN_NODE_TYPE && name != NULL))
            rc = RM_OK;
    }
    return rc;
}

int rmi_runtime_near_type(const rm_runtime *runtime, const char *name, char *buffer, size_t size,
                          rm_error *err)
{
    rm_value all = rm_null(), item = rm_null();
    rmi_suggestion near = rmi_suggest_for(name);
    int rc = rm_list_new(runtime->allocator, 0, &all, err);
    if (rc == RM_OK)
        rc = describe_resolved(runtime, NULL, &all, err);
    for (size_t i = 0; i < runtime->name_count; i++)
        rmi_suggest_offer(&near, runtime->names[i].name);
    for (size_t i = 0; i < rm_list_length(all); i++) {
        if (rm_map_get(rm_list_get(all, i), "name", 4, &item) && item.kind == RM_STRING)
            rmi_suggest_offer(&near, rm_string_text(item, NULL));
    }
    (void)snprintf(buffer, size, "%s", near.best != NULL ? near.best : "");
    rm_value_clear(&all);
    return rc == RM_E_OUT_OF_MEMORY ? rc
                                    : RM_OK; /* a resolver that cannot list its types has none to suggest */
}

static int unknown_type(const rm_runtime *runtime, const char *name, rm_error *err)
{
    char near[128];
    int rc = rmi_runtime_near_type(runtime, name, near, sizeof near, err);
    if (rc != RM_OK)
        return rc;
    return near[0] != '\0' ? rm_error_set(err, RM_E_UNKNOWN_NODE_TYPE,
                                          "unknown node type '%s'; did you mean '%s'?", name, near)
                           : rm_error_set(err, RM_E_UNKNOWN_NODE_TYPE, "unknown node type '%s'", name);
}

int rm_runtime_describe_nodes(const rm_runtime *runtime, const char *name, rm_value *list, rm_error *err)
{
    rmi_builder b = rmi_builder_start(runtime->allocator, err);
    const size_t before = rm_list_length(*list);
    const rm_node_type *only = name != NULL ? rm_runtime_find_type(runtime, name) : NULL;
    for (size_t i = 0; i < runtime->type_count; i++) {
        if (name != NULL && runtime->types[i] != only)
            continue;
        rm_value map = name != NULL ? describe_type(&b, only) : describe_head(&b, runtime->types[i]);
        rmi_build_text(&b, &map, "kind", "native");
        rmi_build_add(&b, list, map);
    }
    int rc = b.rc;
    if (rc == RM_OK)
        rc = describe_resolved(runtime, name, list, err);
    if (rc == RM_OK && name != NULL && rm_list_length(*list) == before)
        rc = unknown_type(runtime, name, err);
    return rc;
}
