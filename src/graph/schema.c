/* The JSON Schema of manifests: from the tables that read them and from the node types' descriptors. */
#include <string.h>

#include "graph/build.h"
#include "graph/describe.h"

static rm_value object_schema(rmi_builder *b, const rmi_field *shape);

/* {"type": name}, or {"type": [name, "null"]}. */
static rm_value typed(rmi_builder *b, const char *name, bool nullable)
{
    rm_value schema = rmi_build_map(b);
    if (nullable) {
        const char *const both[] = {name, "null", NULL};
        rmi_build_put(b, &schema, "type", rmi_describe_choices(b, both));
    } else {
        rmi_build_text(b, &schema, "type", name);
    }
    return schema;
}

static rm_value reference(rmi_builder *b, const char *to)
{
    rm_value schema = rmi_build_map(b);
    rmi_build_text(b, &schema, "$ref", to);
    return schema;
}

static rm_value text_schema(rmi_builder *b, const rmi_field *field, bool nullable)
{
    rm_value schema = typed(b, "string", nullable);
    if (field->length.shortest != 0)
        rmi_build_put(b, &schema, "minLength", rm_int((int64_t)field->length.shortest));
    if (field->length.longest != 0)
        rmi_build_put(b, &schema, "maxLength", rm_int((int64_t)field->length.longest));
    if ((field->flags & RMI_FIELD_ID) != 0)
        rmi_build_text(b, &schema, "pattern", RMI_ID_PATTERN);
    return schema;
}

static rm_value choice_schema(rmi_builder *b, const rmi_field *field, bool nullable)
{
    rm_value schema = typed(b, "string", nullable), choices = rmi_describe_choices(b, field->choices);
    if (nullable)
        rmi_build_add(b, &choices, rm_null());
    rmi_build_put(b, &schema, "enum", choices);
    return schema;
}

static rm_value number_schema(rmi_builder *b, const rmi_field *field, bool nullable)
{
    bool integer = field->type == RMI_FIELD_INT;
    rm_value schema = typed(b, integer ? "integer" : "number", nullable);
    rmi_build_put(b, &schema, "minimum", rm_int(integer ? field->range.min : 0));
    if (integer)
        rmi_build_put(b, &schema, "maximum", rm_int(field->range.max));
    return schema;
}

/* Lists of nodes refer to a definition, to which the parts of the node types are added. */
static rm_value list_schema(rmi_builder *b, const rmi_field *field, bool nullable)
{
    rm_value schema = typed(b, "array", nullable), items;
    if (field->type == RMI_FIELD_TEXTS)
        items = typed(b, "string", false);
    else
        items = field->list->items_are_nodes ? reference(b, "#/$defs/node")
                                             : object_schema(b, field->list->shape);
    rmi_build_put(b, &schema, "items", items);
    if (field->type == RMI_FIELD_LIST && field->list->shortest != 0)
        rmi_build_put(b, &schema, "minItems", rm_int((int64_t)field->list->shortest));
    return schema;
}

static rm_value nested_schema(rmi_builder *b, const rmi_field *field, bool nullable)
{
    rm_value schema = object_schema(b, field->shape);
    if (nullable) {
        const char *const both[] = {"object", "null", NULL};
        rmi_build_put(b, &schema, "type", rmi_describe_choices(b, both));
    }
    return schema;
}

static rm_value field_schema(rmi_builder *b, const rmi_field *field)
{
    bool nullable = (field->flags & RMI_FIELD_NULLABLE) != 0;
    rm_value schema = rm_null();
    switch (field->type) {
    case RMI_FIELD_TEXT:
        schema = text_schema(b, field, nullable);
        break;
    case RMI_FIELD_WORD:
    case RMI_FIELD_CHOICE:
        schema = choice_schema(b, field, nullable);
        break;
    case RMI_FIELD_BOOL:
        schema = typed(b, "boolean", nullable);
        break;
    case RMI_FIELD_INT:
    case RMI_FIELD_NUMBER:
        schema = number_schema(b, field, nullable);
        break;
    case RMI_FIELD_MAP:
        schema = typed(b, "object", nullable);
        break;
    case RMI_FIELD_OBJECT:
    case RMI_FIELD_PART:
        schema = nested_schema(b, field, nullable);
        break;
    case RMI_FIELD_TEXTS:
    case RMI_FIELD_LIST:
        schema = list_schema(b, field, nullable);
        break;
    }
    rmi_build_text(b, &schema, "description", field->text);
    return schema;
}

static rm_value object_schema(rmi_builder *b, const rmi_field *shape)
{
    rm_value schema = typed(b, "object", false), properties = rmi_build_map(b), required = rmi_build_list(b);
    for (; shape->name != NULL; shape++) {
        rmi_build_put(b, &properties, shape->name, field_schema(b, shape));
        if ((shape->flags & RMI_FIELD_REQUIRED) != 0)
            rmi_build_add(b, &required, rmi_build_string(b, shape->name));
    }
    rmi_build_put(b, &schema, "properties", properties);
    rmi_build_put(b, &schema, "required", required);
    rmi_build_put(b, &schema, "additionalProperties", rm_bool((shape->flags & RMI_FIELD_OTHERS) != 0));
    return schema;
}

static rm_value param_schema(rmi_builder *b, const rm_param *param)
{
    static const char *const types[] = {
        [RM_PARAM_BOOL] = "boolean",  [RM_PARAM_INT64] = "integer", [RM_PARAM_FLOAT64] = "number",
        [RM_PARAM_STRING] = "string", [RM_PARAM_ENUM] = "string",   [RM_PARAM_NUMBER] = "number",
    };
    bool any = param->type == RM_PARAM_VALUE;
    rm_value schema = any ? rmi_build_map(b) : typed(b, types[param->type], false);
    if (param->type == RM_PARAM_INT64) {
        bool free = param->i64.min == 0 && param->i64.max == 0;
        rmi_build_put(b, &schema, "minimum", rm_int(free ? INT64_MIN : param->i64.min));
        rmi_build_put(b, &schema, "maximum", rm_int(free ? INT64_MAX : param->i64.max));
    }
    if (param->type == RM_PARAM_FLOAT64 && (param->f64.min != 0 || param->f64.max != 0)) {
        rmi_build_put(b, &schema, "minimum", rm_float(param->f64.min));
        rmi_build_put(b, &schema, "maximum", rm_float(param->f64.max));
    }
    if (param->type == RM_PARAM_ENUM)
        rmi_build_put(b, &schema, "enum", rmi_describe_choices(b, param->choice.choices));
    if ((param->flags & RM_PARAM_REQUIRED) == 0)
        rmi_build_put(b, &schema, "default", rmi_describe_default(b, param));
    rmi_build_text(b, &schema, "description", param->text);
    return schema;
}

/* {"if": this node type, "then": these parameters}. With a hint at Python the native type does not apply. */
static rm_value type_rule(rmi_builder *b, const rm_node_type *type)
{
    static const char *const python_hints[] = {"cpython", "cpython_wasm", "rust_python", NULL};
    static const char *const type_key[] = {"node_type", NULL}, *const params_key[] = {"params", NULL};
    rm_value names = rmi_build_list(b), name = rmi_build_map(b), hints = rmi_build_map(b),
             not_python = rmi_build_map(b);
    rm_value properties = rmi_build_map(b), condition = rmi_build_map(b), rule = rmi_build_map(b);
    rm_value params = rm_null(), entries = rmi_build_map(b), required = rmi_build_list(b);
    rm_value then = rmi_build_map(b), then_properties = rmi_build_map(b);

    rmi_build_add(b, &names, rmi_build_string(b, type->name));
    for (const char *const *alias = type->aliases; alias != NULL && *alias != NULL; alias++)
        rmi_build_add(b, &names, rmi_build_string(b, *alias));
    rmi_build_put(b, &name, "enum", names);
    rmi_build_put(b, &hints, "enum", rmi_describe_choices(b, python_hints));
    rmi_build_put(b, &not_python, "not", hints);
    rmi_build_put(b, &properties, "node_type", name);
    rmi_build_put(b, &properties, "runtime_hint", not_python);
    rmi_build_put(b, &condition, "properties", properties);
    rmi_build_put(b, &condition, "required", rmi_describe_choices(b, type_key));

    for (const rm_param *param = type->params; param != NULL && param->name != NULL; param++) {
        rmi_build_put(b, &entries, param->name, param_schema(b, param));
        if ((param->flags & RM_PARAM_REQUIRED) != 0)
            rmi_build_add(b, &required, rmi_build_string(b, param->name));
    }
    bool needs_params = rm_list_length(required) != 0;
    params = typed(b, "object", !needs_params); /* null counts as an empty map */
    rmi_build_put(b, &params, "properties", entries);
    rmi_build_put(b, &params, "required", required);
    rmi_build_put(b, &params, "additionalProperties", rm_bool((type->flags & RM_NODE_ANY_PARAMS) != 0));
    rmi_build_text(b, &params, "description", type->summary);
    rmi_build_put(b, &then_properties, "params", params);
    rmi_build_put(b, &then, "properties", then_properties);
    if (needs_params)
        rmi_build_put(b, &then, "required", rmi_describe_choices(b, params_key));
    rmi_build_put(b, &rule, "if", condition);
    rmi_build_put(b, &rule, "then", then);
    return rule;
}

static rm_value node_schema(rmi_builder *b, const rm_runtime *runtime)
{
    const rmi_field *field = rmi_manifest_shape;
    while (field->type != RMI_FIELD_LIST || !field->list->items_are_nodes)
        field++;
    rm_value schema = object_schema(b, field->list->shape), rules = rmi_build_list(b);
    for (size_t i = 0; i < runtime->type_count; i++)
        rmi_build_add(b, &rules, type_rule(b, runtime->types[i]));
    if (runtime->type_count != 0) /* JSON Schema does not allow an empty allOf */
        rmi_build_put(b, &schema, "allOf", rules);
    else
        rm_value_clear(&rules);
    return schema;
}

/* A manifest beside its input. */
static rm_value envelope_schema(rmi_builder *b)
{
    rm_value schema = typed(b, "object", false), properties = rmi_build_map(b), input = rmi_build_map(b);
    static const char *const types[] = {"array", "object", "null", NULL};
    rm_value lists = typed(b, "array", false);
    rmi_build_put(b, &input, "type", rmi_describe_choices(b, types));
    rmi_build_put(b, &input, "additionalProperties", lists);
    rmi_build_text(b, &input, "description", "Items for every source, or an object from source id to items");
    rmi_build_put(b, &properties, "manifest", reference(b, "#/$defs/manifest"));
    rmi_build_put(b, &properties, "input_data", input);
    rmi_build_put(b, &schema, "properties", properties);
    rmi_build_put(b, &schema, "additionalProperties", rm_bool(false));
    return schema;
}

int rm_runtime_schema(const rm_runtime *runtime, rm_value *out, rm_error *err)
{
    static const char *const manifest_key[] = {"manifest", NULL};
    rmi_builder b = rmi_builder_start(runtime->allocator, err);
    rm_value schema = rmi_build_map(&b), definitions = rmi_build_map(&b), condition = rmi_build_map(&b);
    rmi_build_text(&b, &schema, "$schema", "https://json-schema.org/draft/2020-12/schema");
    rmi_build_text(&b, &schema, "title", "RemoteMedia pipeline manifest, v1");
    rmi_build_text(
        &b, &schema, "description",
        "A manifest, or an object with a manifest and the input_data for its sources. Connections, ports "
        "and types that a schema cannot check are checked by `remotemedia validate`.");
    rmi_build_text(&b, &schema, "type", "object");
    rmi_build_put(&b, &condition, "required", rmi_describe_choices(&b, manifest_key));
    rmi_build_put(&b, &schema, "if", condition);
    rmi_build_put(&b, &schema, "then", envelope_schema(&b));
    rmi_build_put(&b, &schema, "else", reference(&b, "#/$defs/manifest"));
    rmi_build_put(&b, &definitions, "manifest", object_schema(&b, rmi_manifest_shape));
    rmi_build_put(&b, &definitions, "node", node_schema(&b, runtime));
    rmi_build_put(&b, &schema, "$defs", definitions);
    return rmi_build_end(&b, &schema, out);
}
