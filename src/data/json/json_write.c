/* Writes values as JSON text. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "data/blocks.h"
#include "data/integer.h"
#include "data/json/json_parts.h"

typedef rmi_json_writer writer;

static int end_of(const writer *w)
{
    return w->text->failed ? rmi_out_of_memory(w->err) : RM_OK;
}

static inline void put_char(const writer *w, char c)
{
    char *to = rmi_text_reserve(w->text, 1);
    if (to != NULL) {
        *to = c;
        w->text->length++;
    }
}

/* ---- Strings ---- */

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c != '"' && c != '\\';
}

/* Looks at eight characters at a time. */
size_t rmi_json_plain_run(const char *text, size_t at, size_t length)
{
    const uint64_t ones = 0x0101010101010101u, high = ones * 0x80;
    size_t start = at;
    for (; length - at >= sizeof(uint64_t); at += sizeof(uint64_t)) {
        uint64_t eight = 0;
        memcpy(&eight, text + at, sizeof eight);
        uint64_t quote = eight ^ ones * '"', slash = eight ^ ones * '\\';
        if ((((eight - ones * 0x20) & ~eight) | ((quote - ones) & ~quote) | ((slash - ones) & ~slash)) & high)
            break;
    }
    while (at < length && is_plain((unsigned char)text[at]))
        at++;
    return at - start;
}

bool rmi_json_is_plain_ascii(const char *text, size_t length)
{
    unsigned char all = 0;
    for (size_t i = 0; i < length; i++)
        all |= (unsigned char)text[i];
    return all < 0x80 && rmi_json_plain_run(text, 0, length) == length;
}

static void put_escape(const writer *w, unsigned char c)
{
    static const char letters[] = "\bb\ff\nn\rr\tt\"\"\\\\", hex[] = "0123456789abcdef";
    char unicode[] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]}, pair[2] = {'\\', 0};
    for (size_t i = 0; i + 1 < sizeof letters; i += 2) {
        if ((unsigned char)letters[i] == c)
            pair[1] = letters[i + 1];
    }
    if (pair[1] != 0)
        rmi_text_append(w->text, pair, sizeof pair);
    else
        rmi_text_append(w->text, unicode, sizeof unicode);
}

/* Writes the string behind its first plain run: escapes, and further runs. */
static void put_rest(const writer *w, const char *text, size_t length, size_t at)
{
    while (at < length) {
        put_escape(w, (unsigned char)text[at++]);
        size_t run = rmi_json_plain_run(text, at, length);
        rmi_text_append(w->text, text + at, run);
        at += run;
    }
}

/* Writes the string in quotes between two characters, which are left out where they are 0. */
static void put_string(const writer *w, char before, const rmi_string_block *string, char after)
{
    bool plain = (string->head.extra & RMI_PLAIN_TEXT) != 0;
    size_t run = plain ? string->length : rmi_json_plain_run(string->text, 0, string->length);
    char *start = rmi_text_reserve(w->text, run + 4), *to = start;
    if (to == NULL)
        return;
    if (before != 0)
        *to++ = before;
    *to++ = '"';
    memcpy(to, string->text, run);
    to += run;
    if (run != string->length) {
        w->text->length += (size_t)(to - start);
        put_rest(w, string->text, string->length, run);
        put_char(w, '"');
        if (after != 0)
            put_char(w, after);
        return;
    }
    *to++ = '"';
    if (after != 0)
        *to++ = after;
    w->text->length += (size_t)(to - start);
}

void rmi_json_put_text(const writer *w, const char *text, size_t length)
{
    const size_t run = rmi_json_plain_run(text, 0, length);
    put_char(w, '"');
    rmi_text_append(w->text, text, run);
    put_rest(w, text, length, run);
    put_char(w, '"');
}

/* ---- Numbers ---- */

void rmi_json_put_int(const writer *w, int64_t value)
{
    char *to = rmi_text_reserve(w->text, RMI_INT64_TEXT);
    if (to != NULL)
        w->text->length += rmi_int64_text(value, to);
}

void rmi_json_put_float(const writer *w, double value, rmi_float_precision precision)
{
    const double past_int64 = 9223372036854775808.0;
    if (!isfinite(value)) {
        rmi_text_append(w->text, "null", 4);
        if (w->had_nan != NULL)
            *w->had_nan = true;
        return;
    }
    bool whole = (w->flags & RM_JSON_WHOLE_AS_INT) != 0 && fabs(value) < past_int64 && value == trunc(value);
    if (whole) {
        rmi_json_put_int(w, (int64_t)value);
        return;
    }
    char *to = rmi_text_reserve(w->text, RMI_FLOAT_TEXT);
    if (to != NULL)
        w->text->length += precision == RMI_FLOAT64 ? rmi_float_text(value, to)
                                                    : rmi_narrow_float_text(value, precision, to);
}

/* ---- Containers ---- */

static int write_value(const writer *w, rm_value value, const rmi_json_path *at, size_t depth);

static void put_line(const writer *w, size_t depth)
{
    if ((w->flags & RM_JSON_PRETTY) == 0)
        return;
    RMI_CHECK(depth <= RMI_VALUE_MAX_NESTING + 2);
    char *to = rmi_text_reserve(w->text, 1 + 2 * depth);
    if (to == NULL)
        return;
    to[0] = '\n';
    memset(to + 1, ' ', 2 * depth);
    w->text->length += 1 + 2 * depth;
}

static int write_list(const writer *w, const rmi_list_block *list, const rmi_json_path *at, size_t depth)
{
    rmi_json_path inner = {.parent = at};
    int rc = RM_OK;
    put_char(w, '[');
    for (; rc == RM_OK && inner.index < list->length; inner.index++) {
        if (inner.index != 0)
            put_char(w, ',');
        put_line(w, depth + 1);
        rc = write_value(w, list->items[inner.index], &inner, depth + 1);
    }
    if (list->length != 0)
        put_line(w, depth);
    put_char(w, ']');
    return rc;
}

static int write_map(const writer *w, const rmi_map_block *map, const rmi_json_path *at, size_t depth)
{
    rmi_json_path inner = {.parent = at};
    int rc = RM_OK;
    put_char(w, '{');
    for (size_t i = 0; rc == RM_OK && i < map->length; i++) {
        const rmi_string_block *key = rmi_string_of(map->entries[i].key);
        inner.key = key->text;
        inner.key_length = key->length;
        if ((w->flags & RM_JSON_PRETTY) == 0) {
            put_string(w, i != 0 ? ',' : 0, key, ':');
        } else {
            if (i != 0)
                put_char(w, ',');
            put_line(w, depth + 1);
            put_string(w, 0, key, ':');
            put_char(w, ' ');
        }
        rc = write_value(w, map->entries[i].item, &inner, depth + 1);
    }
    if (map->length != 0)
        put_line(w, depth);
    put_char(w, '}');
    return rc;
}

/* ---- Tensors ---- */

/* Begins a member of an object that has members. */
static void put_key(const writer *w, const char *key, bool first, size_t depth)
{
    const bool pretty = (w->flags & RM_JSON_PRETTY) != 0;
    if (!first)
        put_char(w, ',');
    put_line(w, depth);
    put_char(w, '"');
    rmi_text_append_c(w->text, key);
    rmi_text_append(w->text, "\": ", pretty ? 3 : 2);
}

/* {"__numpy__": true, "array": {"meta": {...}, "data": "..."}, "media": {...}} */
static int write_form(const writer *w, const rmi_json_form *form, const rmi_json_path *at, size_t depth)
{
    put_char(w, '{');
    put_key(w, "__numpy__", true, depth + 1);
    rmi_text_append(w->text, "true", 4);
    put_key(w, "array", false, depth + 1);
    put_char(w, '{');
    put_key(w, "meta", true, depth + 2);
    int rc = write_value(w, form->meta, at, depth + 2);
    put_key(w, "data", false, depth + 2);
    rmi_json_put_base64(w->text, form->data, form->bytes);
    put_line(w, depth + 1);
    put_char(w, '}');
    if (rc == RM_OK && form->media.kind != RM_NULL) {
        put_key(w, "media", false, depth + 1);
        rc = write_value(w, form->media, at, depth + 1);
    }
    put_line(w, depth);
    put_char(w, '}');
    return rc;
}

/* Adds the tensor's place to the error: it cannot be written in the form asked for. */
static int add_place(const writer *w, int rc, const rmi_json_path *at)
{
    char place[128], says[sizeof w->err->message];
    if (rc != RM_E_UNSUPPORTED || w->err == NULL)
        return rc;
    rmi_json_path_text(at, "", place, sizeof place);
    memcpy(says, w->err->message, sizeof says);
    if (place[0] != '\0')
        (void)snprintf(w->err->message, sizeof says, "%.300s, found at %s", says, place);
    return rc;
}

static int write_tensor(const writer *w, rm_value tensor, const rmi_json_path *at, size_t depth)
{
    const rmi_json_style *style = w->style;
    rmi_json_form form;
    if (style->tensor != NULL)
        return add_place(w, style->tensor(style->context, w->text, tensor, w->err), at);
    if ((style->flags & RM_JSON_ARRAYS_AS_LISTS) != 0)
        return add_place(w, rmi_json_put_lists(w, tensor), at);
    int rc = rmi_json_form_of(w->text->allocator, tensor, &form, w->err);
    if (rc == RM_OK)
        rc = write_form(w, &form, at, depth);
    rmi_json_form_clear(&form);
    return rc;
}

/* ---- All kinds ---- */

static int refuse(const writer *w, rm_value value, const rmi_json_path *at)
{
    char place[128];
    const rm_object_type *type = rm_object_type_of(value);
    rmi_json_path_text(at, "", place, sizeof place);
    const char *name = type == NULL              ? rm_kind_name((rm_kind)value.kind)
                       : type->type_name != NULL ? type->type_name(rm_object_get(value, type))
                                                 : type->name;
    (void)rm_error_set(w->err, RM_E_UNSUPPORTED, "JSON has no word for %s%s%s", name,
                       place[0] != '\0' ? ", found at " : "", place);
    rm_error_hint(
        w->err, "%s",
        value.kind == RM_BYTES
            ? "decode the bytes to text, or encode them as base64: in Python base64.b64encode(x).decode()"
            : "convert it to numbers, text, lists or maps");
    return RM_E_UNSUPPORTED;
}

static int write_value(const writer *w, rm_value value, const rmi_json_path *at, size_t depth)
{
    if (depth > RMI_VALUE_MAX_NESTING)
        return rm_error_set(w->err, RM_E_LIMIT, "a value is nested deeper than %d levels",
                            RMI_VALUE_MAX_NESTING);
    switch (value.kind) {
    case RM_NULL:
        rmi_text_append(w->text, "null", 4);
        break;
    case RM_BOOL:
        rmi_text_append(w->text, value.b ? "true" : "false", value.b ? 4 : 5);
        break;
    case RM_INT:
        rmi_json_put_int(w, value.i);
        break;
    case RM_FLOAT:
        rmi_json_put_float(w, value.f, RMI_FLOAT64);
        break;
    case RM_BIGINT:
        return rmi_integer_append(w->text, value, w->err);
    case RM_STRING:
        put_string(w, 0, rmi_string_of(value.heap), 0);
        break;
    case RM_LIST:
        return write_list(w, rmi_list_of(value.heap), at, depth);
    case RM_MAP:
        return write_map(w, rmi_map_of(value.heap), at, depth);
    case RM_TENSOR:
        return write_tensor(w, value, at, depth);
    default:
        return refuse(w, value, at);
    }
    return RM_OK;
}

int rmi_json_append(rmi_text *text, rm_value value, const rmi_json_style *style, bool *had_nan, rm_error *err)
{
    const writer w = {.text = text, .style = style, .flags = style->flags, .had_nan = had_nan, .err = err};
    const rmi_json_path root = {0};
    int rc = write_value(&w, value, &root, 0);
    if (rc == RM_OK || text->failed)
        rc = end_of(&w);
    if (rc == RM_OK && text->data != NULL)
        text->data[text->length] = '\0';
    return rc;
}

int rmi_json_append_layout(rmi_text *text, rm_value tensor, rm_error *err)
{
    static const char *const members[] = {"shape", "dtype"};
    const rmi_json_style style = {0};
    const writer w = {.text = text, .style = &style, .err = err};
    const rmi_json_path root = {0};
    rmi_json_form form;
    rm_value item = rm_null();
    int rc = rmi_json_form_of(text->allocator, tensor, &form, err);
    for (size_t i = 0; rc == RM_OK && i < sizeof members / sizeof *members; i++) {
        put_key(&w, members[i], i == 0, 0);
        (void)rm_map_get(form.meta, members[i], strlen(members[i]), &item);
        rc = write_value(&w, item, &root, 0);
    }
    if (rc == RM_OK && form.media.kind != RM_NULL) {
        put_key(&w, "media", false, 0);
        rc = write_value(&w, form.media, &root, 0);
    }
    rmi_json_form_clear(&form);
    return rc == RM_OK ? end_of(&w) : rc;
}

int rm_json_write(const rm_allocator *allocator, rm_value value, unsigned flags, char **text, size_t *length,
                  bool *had_nan, rm_error *err)
{
    const rmi_json_style style = {.flags = flags};
    rmi_text written;
    rmi_text_init(&written, allocator);
    *text = NULL;
    *length = 0;
    int rc = rmi_json_append(&written, value, &style, had_nan, err);
    if (rc == RM_OK)
        rc = rmi_text_take(&written, text, length, err);
    rmi_text_clear(&written);
    return rc;
}
