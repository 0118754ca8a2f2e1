/* Makes values of parsed JSON. */
#include <string.h>

#include "base/alloc.h"
#include "data/blocks.h"
#include "data/integer.h"
#include "data/json/json_parts.h"

typedef struct reader {
    rmi_json_target *target;
    rm_error *err;
    const char *pointer;
} reader;

static void point_at(reader *r, const rmi_json_path *at, const char *below)
{
    char pointer[sizeof r->err->pointer];
    if (r->err == NULL)
        return;
    rmi_json_path_text(at, r->pointer, pointer, sizeof pointer);
    rm_error_pointer(r->err, "%s%s", pointer, below);
}

static int read_number(reader *r, yyjson_val *element, rm_value *out)
{
    if (unsafe_yyjson_is_real(element))
        *out = rm_float(unsafe_yyjson_get_real(element));
    else if (unsafe_yyjson_is_uint(element) && unsafe_yyjson_get_uint(element) > INT64_MAX)
        return rmi_integer_from_limbs(r->target->allocator, &element->uni.u64, 1, false, out, r->err);
    else
        *out = rm_int(unsafe_yyjson_get_sint(element));
    return RM_OK;
}

static int read_string(reader *r, yyjson_val *element, rm_value *out)
{
    const char *text = unsafe_yyjson_get_str(element);
    size_t length = unsafe_yyjson_get_len(element);
    if (rmi_json_cut_string(r->target->cuts, &text, &length) && !rmi_json_is_plain_ascii(text, length))
        return rm_error_set(r->err, RM_E_PARSE, "a long string has more than letters");
    return rmi_string_new_unchecked(r->target->allocator, text, length, out, r->err);
}

static int read_value(reader *r, yyjson_val *element, rmi_json_path *at, size_t depth, rm_value *out);

static int read_list(reader *r, yyjson_val *element, rmi_json_path *at, size_t depth, rm_value *out)
{
    size_t count = unsafe_yyjson_get_len(element);
    rmi_json_path inner = {.parent = at};
    yyjson_val *item = unsafe_yyjson_get_first(element);
    int rc = rm_list_new(r->target->allocator, count, out, r->err);
    for (; rc == RM_OK && inner.index < count; inner.index++) {
        rm_value value = rm_null();
        rc = read_value(r, item, &inner, depth + 1, &value);
        if (rc == RM_OK)
            rmi_list_put(rmi_list_of(out->heap), value);
        item = unsafe_yyjson_get_next(item);
    }
    return rc;
}

/* Keys that mark a map as something else. */
enum { PLAIN_KEY, NUMPY_KEY, PICKLED_KEY };

static int special_key(const reader *r, yyjson_val *key)
{
    const char *text = unsafe_yyjson_get_str(key);
    if (text[0] != '_' || (r->target->flags & RM_JSON_RAW) != 0)
        return PLAIN_KEY;
    return unsafe_yyjson_equals_str(key, "__numpy__")     ? NUMPY_KEY
           : unsafe_yyjson_equals_str(key, "__pickled__") ? PICKLED_KEY
                                                          : PLAIN_KEY;
}

static int refuse_pickled(reader *r, const rmi_json_path *at)
{
    (void)rm_error_set(r->err, RM_E_UNSUPPORTED,
                       "\"__pickled__\" data is refused: unpickling it could run any code");
    rm_error_hint(r->err,
                  "send plain values or \"__numpy__\" arrays; reading raw input keeps the map as it is");
    point_at(r, at, "");
    return RM_E_UNSUPPORTED;
}

static int read_tensor(reader *r, yyjson_val *element, const rmi_json_path *at, rm_value *out)
{
    const char *where = "";
    r->target->doubtful = true;
    int rc = rmi_json_read_tensor(r->target->lasting, element, r->target->cuts, out, &where, r->err);
    if (rc != RM_OK && rc != RM_E_OUT_OF_MEMORY)
        point_at(r, at, where);
    return rc;
}

static int read_map(reader *r, yyjson_val *element, rmi_json_path *at, size_t depth, rm_value *out)
{
    size_t count = unsafe_yyjson_get_len(element);
    uint64_t places = 0; /* of the keys so far: a key in a free place is a new one */
    rmi_json_path inner = {.parent = at};
    yyjson_val *key = unsafe_yyjson_get_first(element);
    int rc = rm_map_new(r->target->allocator, count, out, r->err);
    for (size_t i = 0; rc == RM_OK && i < count; i++) {
        rm_value value = rm_null();
        int special = special_key(r, key);
        inner.key = unsafe_yyjson_get_str(key);
        inner.key_length = unsafe_yyjson_get_len(key);
        if (special == PICKLED_KEY)
            return refuse_pickled(r, &inner);
        if (special == NUMPY_KEY && rmi_json_is_tensor(element)) {
            rm_value_clear(out);
            return read_tensor(r, element, at, out);
        }
        size_t place = rmi_key_place(inner.key, inner.key_length, RMI_KEPT_KEYS);
        rm_heap *name =
            rmi_keys_take(r->target->keys, place, r->target->allocator, inner.key, inner.key_length, r->err);
        if (name == NULL)
            return RM_E_OUT_OF_MEMORY;
        rc = read_value(r, key + 1, &inner, depth + 1, &value);
        if (place < RMI_KEPT_KEYS && (places >> place & 1) == 0)
            rmi_map_append(rmi_map_of(out->heap), name, value);
        else
            rmi_map_put(rmi_map_of(out->heap), name, value);
        places |= place < RMI_KEPT_KEYS ? (uint64_t)1 << place : 0;
        key = unsafe_yyjson_get_next(key + 1);
    }
    return rc;
}

static int read_value(reader *r, yyjson_val *element, rmi_json_path *at, size_t depth, rm_value *out)
{
    int rc = RM_OK;
    switch (unsafe_yyjson_get_type(element)) {
    case YYJSON_TYPE_BOOL:
        *out = rm_bool(unsafe_yyjson_get_bool(element));
        return RM_OK;
    case YYJSON_TYPE_NUM:
        return read_number(r, element, out);
    case YYJSON_TYPE_STR:
        return read_string(r, element, out);
    case YYJSON_TYPE_RAW:
        r->target->doubtful = true;
        return rm_integer_parse(r->target->allocator, unsafe_yyjson_get_raw(element),
                                unsafe_yyjson_get_len(element), out, r->err);
    case YYJSON_TYPE_ARR:
    case YYJSON_TYPE_OBJ:
        break;
    default:
        *out = rm_null();
        return RM_OK;
    }
    if (depth >= RMI_JSON_MAX_NESTING) {
        rc = rm_error_set(r->err, RM_E_LIMIT, "nested deeper than %d levels", RMI_JSON_MAX_NESTING);
        point_at(r, at, "");
        return rc;
    }
    rc = unsafe_yyjson_is_arr(element) ? read_list(r, element, at, depth, out)
                                       : read_map(r, element, at, depth, out);
    if (rc != RM_OK)
        rm_value_clear(out);
    return rc;
}

int rmi_json_build(rmi_json_target *target, yyjson_val *element, const char *pointer, rm_value *out,
                   rm_error *err)
{
    reader r = {.target = target, .err = err, .pointer = pointer};
    rmi_json_path root = {0};
    *out = rm_null();
    return read_value(&r, element, &root, 0, out);
}

int rmi_json_to_value(const rm_allocator *allocator, yyjson_val *element, unsigned flags, const char *pointer,
                      rm_value *out, rm_error *err)
{
    rmi_keys keys;
    rmi_json_target target = {.allocator = allocator, .lasting = allocator, .keys = &keys, .flags = flags};
    keys.kept = 0;
    int rc = rmi_json_build(&target, element, pointer, out, err);
    rmi_keys_clear(&keys);
    return rc;
}
