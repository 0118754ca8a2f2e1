/* Select: a part of each item, or a new map of its parts. */
#include <string.h>

#include "nodes/pointer/pointer.h"
#include "nodes/process_many.h"

enum missing { MISSING_ERROR, MISSING_NULL, MISSING_DROP };
static const char *const missing_choices[] = {"error", "null", "drop", NULL};

struct select {
    const char *pointer;   /* parameter; NULL if not given */
    rm_value fields;       /* parameter: a map from name to pointer, or null */
    int missing;           /* parameter: enum missing */
    rmi_pointer *pointers; /* one, or one a field */
    size_t count;
};

static int select_close(rm_node *node, void *state, rm_error *err)
{
    struct select *s = state;
    (void)err;
    for (size_t i = 0; i < s->count; i++)
        rmi_pointer_free(node, &s->pointers[i]);
    rmi_node_free(node, s->pointers, s->count * sizeof *s->pointers);
    return RM_OK;
}

/* Sets the place and the hint of an error; returns its code. */
static int wrong(int code, const char *param, rm_error *err)
{
    if (param != NULL)
        rm_error_pointer(err, "/params/%s", param);
    rm_error_hint(err,
                  "\"pointer\": \"/user/name\" emits one part, \"fields\": {\"who\": \"/user/name\"} a map");
    return code;
}

static int check_field(rm_value name, rm_value pointer, rm_error *err)
{
    size_t length;
    const char *field = rm_string_text(name, NULL);
    if (pointer.kind != RM_STRING) {
        rm_error_set(err, RM_E_TYPE, "\"fields\" maps names to JSON pointers, but '%.60s' is %s", field,
                     rm_kind_name((rm_kind)pointer.kind));
        return wrong(RM_E_TYPE, "fields", err);
    }
    const char *text = rm_string_text(pointer, &length);
    return rmi_pointer_check("fields", field, text, length, err);
}

static int select_check(const void *state, rm_error *err)
{
    const struct select *s = state;
    rm_value name, pointer;
    int rc = RM_OK;
    if (s->fields.kind != RM_NULL && s->fields.kind != RM_MAP) {
        rm_error_set(err, RM_E_TYPE, "\"fields\" must be a map from names to JSON pointers, not %s",
                     rm_kind_name((rm_kind)s->fields.kind));
        return wrong(RM_E_TYPE, "fields", err);
    }
    if ((s->pointer != NULL) == (s->fields.kind == RM_MAP)) {
        rc = rm_error_set(err, s->pointer != NULL ? RM_E_VALUE : RM_E_MISSING_PARAMETER,
                          "Select needs either \"pointer\" (one part) or \"fields\" (a map of parts)%s",
                          s->pointer != NULL ? ", not both" : "");
        return wrong(rc, s->pointer != NULL ? "fields" : NULL, err);
    }
    if (s->pointer != NULL)
        return rmi_pointer_check("pointer", "pointer", s->pointer, strlen(s->pointer), err);
    for (size_t i = 0; rc == RM_OK && rm_map_at(s->fields, i, &name, &pointer); i++)
        rc = check_field(name, pointer, err);
    return rc;
}

static int parse_fields(rm_node *node, struct select *s, rm_error *err)
{
    rm_value name, pointer;
    int rc = RM_OK;
    for (size_t i = 0; rc == RM_OK && rm_map_at(s->fields, i, &name, &pointer); i++) {
        size_t length;
        const char *text = rm_string_text(pointer, &length);
        rc = rmi_pointer_parse(node, text, length, &s->pointers[i], err);
    }
    return rc;
}

static int select_open(rm_node *node, void *state, rm_error *err)
{
    struct select *s = state;
    int rc = select_check(state, err);
    if (rc != RM_OK)
        return rc;
    const size_t count = s->pointer != NULL ? 1 : rm_map_length(s->fields);
    if (count > 0) {
        s->pointers = rmi_node_resize(node, NULL, 0, count * sizeof *s->pointers, err);
        if (s->pointers == NULL)
            return RM_E_OUT_OF_MEMORY;
        memset(s->pointers, 0, count * sizeof *s->pointers);
        s->count = count;
    }
    if (s->pointer != NULL)
        rc = rmi_pointer_parse(node, s->pointer, strlen(s->pointer), &s->pointers[0], err);
    else
        rc = parse_fields(node, s, err);
    if (rc != RM_OK)
        (void)select_close(node, state, NULL);
    return rc;
}

/* Finds one part, borrowed from the item. A missing one is null, or sets *drop, or is an error that names
 * it. */
static int part_of(const struct select *s, size_t index, rm_value item, rm_value *part, bool *drop,
                   rm_error *err)
{
    rm_value name = rm_null(), pointer = rm_null();
    if (rmi_pointer_get(&s->pointers[index], item, part) || s->missing == MISSING_NULL)
        return RM_OK;
    *drop = s->missing == MISSING_DROP;
    if (*drop)
        return RM_OK;
    (void)rm_map_at(s->fields, index, &name, &pointer);
    return rm_error_set(err, RM_E_VALUE,
                        "the item has nothing at '%.120s'; \"missing\" may be set to \"null\" or \"drop\"",
                        s->pointer != NULL ? s->pointer : rm_string_text(pointer, NULL));
}

static int select_parts(rm_node *node, const struct select *s, rm_value item, rm_value *out, bool *drop,
                        rm_error *err)
{
    rm_value name, unused, part = rm_null();
    if (s->pointer != NULL) {
        int rc = part_of(s, 0, item, &part, drop, err);
        *out = rm_value_retain(part);
        return rc;
    }
    int rc = rm_map_new(rm_node_allocator(node), s->count, out, err);
    for (size_t i = 0; i < s->count && rc == RM_OK && !*drop; i++) {
        rc = part_of(s, i, item, &part, drop, err);
        if (rc == RM_OK && !*drop && rm_map_at(s->fields, i, &name, &unused))
            rc = rm_map_set_key(out, rm_value_retain(name), rm_value_retain(part), err);
    }
    return rc;
}

static int select_process_many(rm_node *node, void *state, unsigned port, rm_packet *batch, size_t n,
                               size_t *done, rm_error *err)
{
    const struct select *s = state;
    size_t kept = 0, i = 0;
    int rc = RM_OK;
    (void)port;
    for (; i < n; i++) {
        rm_value parts = rm_null();
        bool drop = false;
        rc = select_parts(node, s, batch[i].value, &parts, &drop, err);
        if (rc != RM_OK || drop)
            rm_value_clear(&parts);
        if (rc != RM_OK)
            break;
        if (drop) {
            rm_packet_clear(&batch[i]);
            continue;
        }
        rm_value_clear(&batch[i].value);
        batch[i].value = parts;
        if (kept++ != i)
            batch[kept - 1] = rm_packet_move(&batch[i]);
    }
    return rmi_batch_end(node, batch, kept, i, done, rc, err);
}

static const rm_port select_ports[] = {
    {.name = "in", .direction = RM_INPUT, .kinds = RM_KIND_PLAIN, .text = "Any item, usually a map or list"},
    {.name = "out",
     .direction = RM_OUTPUT,
     .kinds = RM_KIND_PLAIN,
     .text = "The part, or a map of the parts"},
    {0},
};

static const rm_param select_params[] = {
    {.name = "pointer",
     .text = "JSON pointer to the part to emit (\"/user/name\"); not with fields",
     .type = RM_PARAM_STRING,
     .offset = offsetof(struct select, pointer),
     .text_value = {.fallback = NULL}},
    {.name = "fields",
     .text = "Map from name to JSON pointer: the map to emit; not with pointer",
     .type = RM_PARAM_VALUE,
     .offset = offsetof(struct select, fields),
     .value = {.fallback_json = "null"}},
    {.name = "missing",
     .text = "Where there is no such part: an error, null in its place, or the item is dropped",
     .type = RM_PARAM_ENUM,
     .offset = offsetof(struct select, missing),
     .choice = {.choices = missing_choices, .fallback = MISSING_ERROR}},
    {0},
};

const rm_node_type rmi_node_select = {
    .abi_version = RM_NODE_ABI_VERSION,
    .size = sizeof(rm_node_type),
    .name = "Select",
    .summary = "Emits a part of each item, or a map of its parts",
    .description =
        "Parts are named by JSON pointers (RFC 6901): \"/user/name\" is a key of a key, \"/tags/0\" the "
        "first of a list, \"\" the item itself; '/' and '~' in a key are written ~1 and ~0. With "
        "`pointer` the part itself is emitted, with `fields` a map {name: part}.",
    .ports = select_ports,
    .params = select_params,
    .state_size = sizeof(struct select),
    .check = select_check,
    .open = select_open,
    .process_many = select_process_many,
    .close = select_close,
};
