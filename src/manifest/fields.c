#include "manifest/fields.h"

#include <string.h>

#include "base/alloc.h"
#include "base/suggest.h"
#include "base/text.h"

/* One field of one object in process. */
typedef struct spot {
    const rmi_field *field;
    yyjson_val *value;
    const rmi_place *place;
    void *target; /* NULL: checks only */
} spot;

const char *rmi_json_kind_text(yyjson_val *element)
{
    if (yyjson_is_raw(element)) /* an integer that fits no C type */
        return "an int";
    if (yyjson_is_num(element))
        return yyjson_is_real(element) ? "a float" : "an int";
    return yyjson_is_null(element)   ? "null"
           : yyjson_is_bool(element) ? "a bool"
           : yyjson_is_str(element)  ? "a string"
           : yyjson_is_arr(element)  ? "a list"
                                     : "an object";
}

bool rmi_json_int64(yyjson_val *element, int64_t *out, bool *too_large)
{
    const double limit = 9223372036854775808.0;
    double real = 0;
    *too_large = false;
    switch (unsafe_yyjson_get_tag(element) & YYJSON_TAG_MASK) {
    case YYJSON_TYPE_NUM | YYJSON_SUBTYPE_UINT:
        *too_large = unsafe_yyjson_get_uint(element) > INT64_MAX;
        *out = (int64_t)unsafe_yyjson_get_uint(element);
        return !*too_large;
    case YYJSON_TYPE_NUM | YYJSON_SUBTYPE_SINT:
        *out = unsafe_yyjson_get_sint(element);
        return true;
    case YYJSON_TYPE_NUM | YYJSON_SUBTYPE_REAL:
        real = unsafe_yyjson_get_real(element);
        *too_large = !(real >= -limit && real < limit);
        if (*too_large || real != (double)(int64_t)real)
            return false;
        *out = (int64_t)real;
        return true;
    default:
        *too_large = yyjson_is_raw(element);
        return false;
    }
}

static int wrong_type(const spot *at, const char *expected, rm_error *err)
{
    char pointer[256];
    rmi_place_print(at->place, pointer, sizeof pointer);
    int rc = at->place == NULL ? rmi_manifest_error(err, RM_E_TYPE, "the manifest: expected %s, got %s",
                                                    expected, rmi_json_kind_text(at->value))
                               : rmi_manifest_error(err, RM_E_TYPE, "%s: expected %s, got %s", pointer,
                                                    expected, rmi_json_kind_text(at->value));
    rmi_manifest_error_place(err, at->place);
    return rc;
}

/* The error of a value of the right kind that is not allowed here; `text` follows the field's pointer. */
static int wrong_value(const spot *at, const char *text, rm_error *err)
{
    char pointer[256];
    rmi_place_print(at->place, pointer, sizeof pointer);
    (void)rmi_manifest_error(err, RM_E_VALUE, "%s %s", pointer, text);
    rmi_manifest_error_place(err, at->place);
    return RM_E_VALUE;
}

static bool is_id(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                    c == '-';
        if (!good)
            return false;
    }
    return length != 0;
}

static size_t characters(const char *text, size_t length)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++)
        count += ((unsigned char)text[i] & 0xC0) != 0x80;
    return count;
}

static int read_text(const spot *at, rm_error *err)
{
    const rmi_field *field = at->field;
    if (!yyjson_is_str(at->value))
        return wrong_type(at, "a string", err);
    const char *text = unsafe_yyjson_get_str(at->value);
    size_t length = unsafe_yyjson_get_len(at->value), longest = field->length.longest;
    if (memchr(text, '\0', length) != NULL)
        return wrong_value(at, "must not contain a NUL character", err);
    if (length < field->length.shortest)
        return wrong_value(at, "must not be empty", err);
    if (longest != 0 && length > longest && characters(text, length) > longest) {
        char words[64] = "must have at most 255 characters"; /* the only limit in use */
        return wrong_value(at, words, err);
    }
    if ((field->flags & RMI_FIELD_ID) != 0 && !is_id(text, length))
        return wrong_value(at, "must consist of letters, digits, '_' and '-'", err);
    if (at->target != NULL)
        memcpy(at->target, &text, sizeof text);
    return RM_OK;
}

/* WORD and CHOICE. */
static int read_choice(const spot *at, rm_error *err)
{
    const char *const *choices = at->field->choices;
    char list[160] = "", pointer[256];
    size_t used = 0;
    if (!yyjson_is_str(at->value))
        return wrong_type(at, "a string", err);
    for (int i = 0; choices[i] != NULL; i++) {
        if (yyjson_equals_str(at->value, choices[i])) {
            if (at->target != NULL && at->field->type == RMI_FIELD_CHOICE)
                memcpy(at->target, &i, sizeof i);
            else if (at->target != NULL)
                memcpy(at->target, &choices[i], sizeof choices[i]);
            return RM_OK;
        }
    }
    char room[128];
    rmi_suggestion near = rmi_suggest_for(rmi_text_without_nul(
        unsafe_yyjson_get_str(at->value), unsafe_yyjson_get_len(at->value), room, sizeof room));
    for (int i = 0; choices[i] != NULL && used < sizeof list; i++) {
        int added = snprintf(list + used, sizeof list - used, "%s'%s'", i == 0 ? "" : ", ", choices[i]);
        used += added > 0 ? (size_t)added : 0;
        rmi_suggest_offer(&near, choices[i]);
    }
    rmi_place_print(at->place, pointer, sizeof pointer);
    int rc = rmi_manifest_error(err, RM_E_VALUE, "%s must be one of %s; got '%s'%s%s%s", pointer, list,
                                near.word, near.best != NULL ? "; did you mean '" : "",
                                near.best != NULL ? near.best : "", near.best != NULL ? "'?" : "");
    rmi_manifest_error_place(err, at->place);
    return rc;
}

static int read_int(const spot *at, rm_error *err)
{
    int64_t number = 0, min = at->field->range.min, max = at->field->range.max;
    bool too_large = false;
    char pointer[256];
    bool integer = rmi_json_int64(at->value, &number, &too_large);
    if (!integer && !too_large)
        return wrong_type(at, "an int", err);
    if (!integer || number < min || number > max) {
        rmi_place_print(at->place, pointer, sizeof pointer);
        (void)rmi_manifest_error(err, RM_E_VALUE, "%s must be from %lld to %lld", pointer, (long long)min,
                                 (long long)max);
        rmi_manifest_error_place(err, at->place);
        return RM_E_VALUE;
    }
    if (at->target != NULL)
        memcpy(at->target, &number, sizeof number);
    return RM_OK;
}

static int read_number(const spot *at, rm_error *err)
{
    double number = yyjson_get_num(at->value);
    if (yyjson_is_raw(at->value))
        return wrong_value(at, "is past the range of numbers", err);
    if (!yyjson_is_num(at->value))
        return wrong_type(at, "a number", err);
    if (number < 0)
        return wrong_value(at, "must not be negative", err);
    if (at->target != NULL)
        memcpy(at->target, &number, sizeof number);
    return RM_OK;
}

static int read_texts(const spot *at, rm_error *err)
{
    size_t index, count;
    yyjson_val *item;
    if (!yyjson_is_arr(at->value))
        return wrong_type(at, "a list", err);
    yyjson_arr_foreach(at->value, index, count, item)
    {
        rmi_place place = {.above = at->place, .index = index};
        if (!yyjson_is_str(item))
            return wrong_type(&(spot){.value = item, .place = &place}, "a string", err);
    }
    if (at->target != NULL)
        memcpy(at->target, &at->value, sizeof(yyjson_val *));
    return RM_OK;
}

/* The node's id if it is fit for an error, else NULL. */
static const char *id_of(yyjson_val *node)
{
    yyjson_val *id = yyjson_obj_get(node, "id");
    return yyjson_is_str(id) && is_id(yyjson_get_str(id), yyjson_get_len(id)) ? yyjson_get_str(id) : NULL;
}

static int read_list(rmi_manifest_reader *reader, const spot *at, void *record, rm_error *err)
{
    const rmi_list *list = at->field->list;
    size_t index, count = yyjson_arr_size(at->value);
    yyjson_val *item;
    if (!yyjson_is_arr(at->value))
        return wrong_type(at, "a list", err);
    if (count < list->shortest) {
        (void)rmi_manifest_error(err, RM_E_VALUE, "%s", list->too_short);
        rmi_manifest_error_place(err, at->place);
        return RM_E_VALUE;
    }
    unsigned char *items = rmi_arena_alloc(reader->arena, count, list->item_size);
    if (items == NULL)
        return rmi_out_of_memory(err);
    memcpy(at->target, &items, sizeof items);
    memcpy((char *)record + list->count_offset, &count, sizeof count);
    yyjson_arr_foreach(at->value, index, count, item)
    {
        rmi_place place = {
            .above = at->place, .index = index, .is_root = reader->is_one_node && list->items_are_nodes};
        if (list->initial != NULL)
            memcpy(items, list->initial, list->item_size);
        reader->node = list->items_are_nodes ? id_of(item) : NULL;
        int rc = rmi_fields_read(reader, list->shape, item, &place, items, err);
        if (rc != RM_OK) {
            rmi_manifest_error_node(err, reader->node);
            return rc;
        }
        items += list->item_size;
    }
    reader->node = NULL;
    return RM_OK;
}

/* Records the use of a field without effect, when its value is not the default. */
static void note(rmi_manifest_reader *reader, const spot *at)
{
    bool says_nothing =
        yyjson_is_false(at->value) || (yyjson_is_ctn(at->value) && unsafe_yyjson_get_len(at->value) == 0);
    size_t i = 0;
    while (i < reader->noted_count && strcmp(reader->noted[i].field, at->field->name) != 0)
        i++;
    if (says_nothing || i == RMI_MAX_NOTED)
        return;
    if (i == reader->noted_count)
        reader->noted[reader->noted_count++] = (rmi_noted){.field = at->field->name, .node = reader->node};
    reader->noted[i].count++;
}

static int read_field(rmi_manifest_reader *reader, const spot *at, void *record, rm_error *err)
{
    switch (at->field->type) {
    case RMI_FIELD_TEXT:
        return read_text(at, err);
    case RMI_FIELD_WORD:
    case RMI_FIELD_CHOICE:
        return read_choice(at, err);
    case RMI_FIELD_BOOL:
        if (!yyjson_is_bool(at->value))
            return wrong_type(at, "a bool", err);
        if (at->target != NULL)
            *(bool *)at->target = unsafe_yyjson_get_bool(at->value);
        return RM_OK;
    case RMI_FIELD_INT:
        return read_int(at, err);
    case RMI_FIELD_NUMBER:
        return read_number(at, err);
    case RMI_FIELD_MAP:
    case RMI_FIELD_PART:
        if (!yyjson_is_obj(at->value))
            return wrong_type(at, "an object", err);
        if (at->target != NULL)
            memcpy(at->target, &at->value, sizeof(yyjson_val *));
        return at->field->type == RMI_FIELD_MAP
                   ? RM_OK
                   : rmi_fields_read(reader, at->field->shape, at->value, at->place, NULL, err);
    case RMI_FIELD_TEXTS:
        return read_texts(at, err);
    case RMI_FIELD_OBJECT:
        return rmi_fields_read(reader, at->field->shape, at->value, at->place, record, err);
    case RMI_FIELD_LIST:
        return read_list(reader, at, record, err);
    }
    return rmi_manifest_error(err, RM_E_INTERNAL, "a field of the manifest has no type");
}

static int unknown_field(const rmi_field *shape, const char *key, const rmi_place *place, rm_error *err)
{
    char pointer[256], known[sizeof err->hint] = "";
    size_t used = 0;
    rmi_suggestion near = rmi_suggest_for(key);
    rmi_place_print(place->above, pointer, sizeof pointer);
    for (; shape->name != NULL; shape++) {
        rmi_suggest_offer(&near, shape->name);
        int added = snprintf(known + used, sizeof known - used, "%s%s", used == 0 ? "" : ", ", shape->name);
        used += added > 0 && (size_t)added < sizeof known - used ? (size_t)added : 0;
    }
    int rc = near.best != NULL
                 ? rmi_manifest_error(err, RM_E_UNKNOWN_FIELD, "unknown field '%s' at %s; did you mean '%s'?",
                                      key, pointer[0] != '\0' ? pointer : "the top level", near.best)
                 : rmi_manifest_error(err, RM_E_UNKNOWN_FIELD, "unknown field '%s' at %s", key,
                                      pointer[0] != '\0' ? pointer : "the top level");
    rmi_manifest_error_place(err, place);
    rm_error_hint(err, "fields there: %s", known);
    return rc;
}

/* The index of `key`, or SIZE_MAX. The search starts at `from`, since manifests mostly keep the table's
 * order. */
static size_t find_field(const rmi_field *shape, yyjson_val *key, size_t from)
{
    for (size_t i = from; shape[i].name != NULL; i++) {
        if (yyjson_equals_str(key, shape[i].name))
            return i;
    }
    for (size_t i = 0; i < from; i++) {
        if (yyjson_equals_str(key, shape[i].name))
            return i;
    }
    return SIZE_MAX;
}

static bool allows_others(const rmi_field *shape)
{
    while (shape->name != NULL)
        shape++;
    return (shape->flags & RMI_FIELD_OTHERS) != 0;
}

static int missing_field(const rmi_field *shape, uint64_t seen, const rmi_place *place, rm_error *err)
{
    char pointer[256];
    for (size_t i = 0; shape[i].name != NULL; i++) {
        if ((shape[i].flags & RMI_FIELD_REQUIRED) == 0 || (seen >> i & 1) != 0)
            continue;
        rmi_place_print(place, pointer, sizeof pointer);
        int rc = rmi_manifest_error(err, RM_E_MISSING_FIELD, "missing field '%s' at %s", shape[i].name,
                                    pointer[0] != '\0' ? pointer : "the top level");
        rmi_manifest_error_place(err, place);
        return rc;
    }
    return RM_OK;
}

int rmi_fields_read(rmi_manifest_reader *reader, const rmi_field *shape, yyjson_val *object,
                    const rmi_place *place, void *record, rm_error *err)
{
    uint64_t seen = 0;
    size_t next = 0, position, count;
    yyjson_val *key, *value;
    if (!yyjson_is_obj(object))
        return wrong_type(&(spot){.value = object, .place = place}, "an object", err);
    yyjson_obj_foreach(object, position, count, key, value)
    {
        rmi_place here = {.above = place, .key = unsafe_yyjson_get_str(key)};
        size_t i = find_field(shape, key, next);
        if (i == SIZE_MAX && allows_others(shape))
            continue;
        if (i == SIZE_MAX) {
            char room[128];
            here.key = rmi_text_without_nul(here.key, unsafe_yyjson_get_len(key), room, sizeof room);
            return unknown_field(shape, here.key, &here, err);
        }
        const rmi_field *field = &shape[i];
        bool stored = record != NULL && (field->flags & RMI_FIELD_UNSTORED) == 0;
        spot at = {field, value, &here, stored ? (char *)record + field->offset : NULL};
        if ((seen >> i & 1) != 0)
            return wrong_value(&at, "is given twice", err);
        seen |= (uint64_t)1 << i;
        next = i + 1;
        if (yyjson_is_null(value) && (field->flags & RMI_FIELD_NULLABLE) != 0)
            continue;
        int rc = read_field(reader, &at, record, err);
        if (rc != RM_OK)
            return rc;
        if ((field->flags & RMI_FIELD_NO_EFFECT) != 0)
            note(reader, &at);
    }
    return missing_field(shape, seen, place, err);
}
