/* The value of one parameter: its type, its range, its place in the state. */
#include "graph/param.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/suggest.h"
#include "base/text.h"

rmi_given rmi_given_of_json(yyjson_val *json)
{
    rmi_given g = {.kind = RM_NULL, .json = json};
    bool too_large = false;
    if (yyjson_is_bool(json)) {
        g.kind = RM_BOOL;
        g.b = yyjson_get_bool(json);
    } else if (yyjson_is_raw(json)) {
        g.kind = RM_BIGINT;
        g.f = INFINITY;
    } else if (yyjson_is_real(json)) {
        g.kind = RM_FLOAT;
        g.f = yyjson_get_real(json);
    } else if (yyjson_is_num(json)) {
        g.kind = rmi_json_int64(json, &g.i, &too_large) ? RM_INT : RM_BIGINT;
        g.f = yyjson_get_num(json);
    } else if (yyjson_is_str(json)) {
        g.kind = RM_STRING;
        g.text = yyjson_get_str(json);
        g.length = yyjson_get_len(json);
    } else if (!yyjson_is_null(json)) {
        g.kind = yyjson_is_arr(json) ? RM_LIST : RM_MAP;
    }
    return g;
}

rmi_given rmi_given_of_value(const rm_value *value)
{
    rmi_given g = {.kind = value->kind, .value = value};
    if (value->kind == RM_BOOL)
        g.b = value->b;
    if (value->kind == RM_INT)
        g.i = value->i;
    g.f = value->kind == RM_INT ? (double)value->i : value->kind == RM_FLOAT ? value->f : INFINITY;
    if (value->kind == RM_STRING)
        g.text = rm_string_text(*value, &g.length);
    return g;
}

int rmi_param_error_place(const rmi_filler *f, const char *name, int code, rm_error *err)
{
    const rmi_place nodes = {.key = "nodes"}, node = {.above = &nodes, .index = f->index};
    const rmi_place params = {.above = &node, .key = "params"}, place = {.above = &params, .key = name};
    rmi_manifest_error_node(err, f->node->source->id);
    rmi_manifest_error_place(err, &place);
    return code;
}

/* The place of a wrong value, and what the parameter is. */
static int misfit(const rmi_filler *f, const rm_param *param, int code, rm_error *err)
{
    if (param->text != NULL)
        rm_error_hint(err, "%s: %s", param->name, param->text);
    return rmi_param_error_place(f, param->name, code, err);
}

static const char *article(const char *noun)
{
    return strchr("aeiou", noun[0]) != NULL && noun[0] != '\0' ? "an " : "a ";
}

static int wrong_type(const rmi_filler *f, const rm_param *param, const rmi_given *g, const char *expected,
                      rm_error *err)
{
    const char *kind = g->json == NULL ? rm_kind_name((rm_kind)g->kind) : rmi_json_kind_text(g->json);
    (void)rmi_manifest_error(err, RM_E_TYPE, "parameter '%s' of node '%s' (%s): expected %s, got %s%s",
                             param->name, f->node->source->id, f->node->type->name, expected,
                             g->json == NULL && g->kind != RM_NULL ? article(kind) : "", kind);
    return misfit(f, param, RM_E_TYPE, err);
}

static int wrong_value(const rmi_filler *f, const rm_param *param, const char *text, rm_error *err)
{
    (void)rmi_manifest_error(err, RM_E_VALUE, "parameter '%s' of node '%s' (%s) %s", param->name,
                             f->node->source->id, f->node->type->name, text);
    return misfit(f, param, RM_E_VALUE, err);
}

static void store(const rmi_filler *f, const rm_param *param, const void *value, size_t size)
{
    if (f->state != NULL)
        memcpy(f->state + param->offset, value, size);
}

static int fill_int(const rmi_filler *f, const rm_param *param, const rmi_given *g, rm_error *err)
{
    const int64_t min = param->i64.min, max = param->i64.max;
    const double limit = 9223372036854775808.0;
    char text[96];
    int64_t number = g->i;
    bool fits = g->kind == RM_INT;
    if (g->kind == RM_FLOAT && g->f == floor(g->f) && g->f >= -limit && g->f < limit) {
        number = (int64_t)g->f; /* 2.0 is an integer, as in JSON Schema */
        fits = true;
    }
    if (!fits && g->kind != RM_BIGINT)
        return wrong_type(f, param, g, "an int", err);
    bool any = min == 0 && max == 0;
    if (fits && (any || (number >= min && number <= max))) {
        store(f, param, &number, sizeof number);
        return RM_OK;
    }
    if (any)
        (void)snprintf(text, sizeof text, "must fit 64 bits");
    else if (max == INT64_MAX && fits)
        (void)snprintf(text, sizeof text, "must be at least %lld, got %lld", (long long)min,
                       (long long)number);
    else if (fits)
        (void)snprintf(text, sizeof text, "must be from %lld to %lld, got %lld", (long long)min,
                       (long long)max, (long long)number);
    else
        (void)snprintf(text, sizeof text, "must be from %lld to %lld", (long long)min, (long long)max);
    return wrong_value(f, param, text, err);
}

/* A big integer as a double; infinite when it is too large. */
static int big_to_double(const rmi_filler *f, const rmi_given *g, double *out, rm_error *err)
{
    const rm_allocator *allocator = f->graph->runtime->allocator;
    rm_value big = rm_null(), product = rm_null();
    int rc = RM_OK;
    if (g->value != NULL)
        big = rm_value_retain(*g->value);
    else
        rc = rmi_json_to_value(allocator, g->json, 0, "", &big, err);
    if (rc == RM_OK && rm_number_compute(allocator, RM_MULTIPLY, big, rm_float(1.0), &product, NULL) != RM_OK)
        product = rm_float(INFINITY);
    *out = product.kind == RM_FLOAT ? product.f : INFINITY;
    rm_value_clear(&product);
    rm_value_clear(&big);
    return rc;
}

static int fill_float(const rmi_filler *f, const rm_param *param, const rmi_given *g, rm_error *err)
{
    const double min = param->f64.min, max = param->f64.max;
    double number = g->f;
    char text[96];
    int rc = RM_OK;
    if (g->kind != RM_INT && g->kind != RM_FLOAT && g->kind != RM_BIGINT)
        return wrong_type(f, param, g, "a number", err);
    if (g->kind == RM_BIGINT)
        rc = big_to_double(f, g, &number, err);
    if (rc != RM_OK)
        return rmi_param_error_place(f, param->name, rc, err);
    bool any = min == 0 && max == 0;
    if (isfinite(number) && (any || (number >= min && number <= max))) {
        store(f, param, &number, sizeof number);
        return RM_OK;
    }
    if (any)
        return wrong_value(f, param, "must be a finite number", err);
    if (isfinite(number))
        (void)snprintf(text, sizeof text, "must be from %.15g to %.15g, got %.15g", min, max, number);
    else
        (void)snprintf(text, sizeof text, "must be from %.15g to %.15g", min, max);
    return wrong_value(f, param, text, err);
}

static int fill_string(const rmi_filler *f, const rm_param *param, const rmi_given *g, rm_error *err)
{
    const char *text = g->text;
    if (g->kind != RM_STRING)
        return wrong_type(f, param, g, "a string", err);
    if (memchr(text, '\0', g->length) != NULL)
        return wrong_value(f, param, "must not contain a NUL character", err);
    if (f->state != NULL && g->value != NULL) /* the override may be replaced while the node lives */
        text = rmi_arena_text(f->arena, text, g->length);
    if (text == NULL)
        return rmi_out_of_memory(err);
    store(f, param, &text, sizeof text);
    return RM_OK;
}

static int fill_enum(const rmi_filler *f, const rm_param *param, const rmi_given *g, rm_error *err)
{
    const char *const *choices = param->choice.choices;
    char list[240] = "";
    size_t used = 0;
    if (g->kind != RM_STRING)
        return wrong_type(f, param, g, "a string", err);
    char room[128];
    const char *text = rmi_text_without_nul(g->text, g->length, room, sizeof room);
    rmi_suggestion near = rmi_suggest_for(text);
    for (int i = 0; choices[i] != NULL; i++) {
        if (strlen(choices[i]) == g->length && memcmp(choices[i], g->text, g->length) == 0) {
            store(f, param, &i, sizeof i);
            return RM_OK;
        }
        int added = snprintf(list + used, sizeof list - used, "%s'%s'", i == 0 ? "" : ", ", choices[i]);
        used += added > 0 && (size_t)added < sizeof list - used ? (size_t)added : 0;
        rmi_suggest_offer(&near, choices[i]);
    }
    (void)rmi_manifest_error(
        err, RM_E_VALUE, "parameter '%s' of node '%s' (%s) must be one of %s; got '%s'%s%s%s", param->name,
        f->node->source->id, f->node->type->name, list, text, near.best != NULL ? "; did you mean '" : "",
        near.best != NULL ? near.best : "", near.best != NULL ? "'?" : "");
    return misfit(f, param, RM_E_VALUE, err);
}

/* NUMBER and VALUE: a scalar is stored whole; a value with memory is borrowed from the map. */
static int fill_value(const rmi_filler *f, const rm_param *param, const rmi_given *g, rm_error *err)
{
    rm_value value = rm_null();
    bool number = g->kind == RM_INT || g->kind == RM_FLOAT || g->kind == RM_BIGINT;
    if (param->type == RM_PARAM_NUMBER && !number)
        return wrong_type(f, param, g, "a number", err);
    if (number && g->kind == RM_FLOAT && !isfinite(g->f))
        return wrong_value(f, param, "must be a finite number", err);
    if (g->kind == RM_BOOL)
        value = rm_bool(g->b);
    else if (g->kind == RM_INT)
        value = rm_int(g->i);
    else if (g->kind == RM_FLOAT)
        value = rm_float(g->f);
    else if (g->kind != RM_NULL && f->state != NULL)
        (void)rm_map_get(*f->map, param->name, strlen(param->name), &value);
    else if (g->json != NULL && g->kind != RM_NULL) { /* the JSON inside can be wrong too */
        char pointer[256];
        (void)snprintf(pointer, sizeof pointer, "/nodes/%u/params/%s", f->index, param->name);
        int rc = rmi_json_to_value(f->graph->runtime->allocator, g->json, 0, pointer, &value, err);
        rm_value_clear(&value);
        if (rc != RM_OK)
            rmi_manifest_error_node(err, f->node->source->id);
        return rc;
    }
    store(f, param, &value, sizeof value);
    return RM_OK;
}

int rmi_param_fill(const rmi_filler *f, const rm_param *param, const rmi_given *g, rm_error *err)
{
    switch (param->type) {
    case RM_PARAM_BOOL:
        if (g->kind != RM_BOOL)
            return wrong_type(f, param, g, "a bool", err);
        store(f, param, &g->b, sizeof g->b);
        return RM_OK;
    case RM_PARAM_INT64:
        return fill_int(f, param, g, err);
    case RM_PARAM_FLOAT64:
        return fill_float(f, param, g, err);
    case RM_PARAM_STRING:
        return fill_string(f, param, g, err);
    case RM_PARAM_ENUM:
        return fill_enum(f, param, g, err);
    case RM_PARAM_NUMBER:
    case RM_PARAM_VALUE:
        return fill_value(f, param, g, err);
    }
    return rm_error_set(err, RM_E_INTERNAL, "parameter '%s' has no type", param->name);
}
