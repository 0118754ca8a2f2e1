/* The element types of tensors in JSON: numpy's names ("float32"), its letters ("<f4", ">i2", "M8[ns]"), and lists
 * of fields for records. Numbers in this machine's order have a dtype of ours; all else is opaque. */
#include <string.h>

#include "base/alloc.h"
#include "data/json.h"
#include "data/json_parts.h"

enum { DEEPEST_RECORD = 16, LONGEST_DESCRIPTION = 65536 };

static const struct {
    char letter;
    uint8_t size;
    rm_dtype dtype;
} numbers[] = {
    {'b', 1, RM_BOOL8},     {'i', 1, RM_INT8},        {'i', 2, RM_INT16},   {'i', 4, RM_INT32},
    {'i', 8, RM_INT64},     {'u', 1, RM_UINT8},       {'u', 2, RM_UINT16},  {'u', 4, RM_UINT32},
    {'u', 8, RM_UINT64},    {'f', 2, RM_FLOAT16},     {'f', 4, RM_FLOAT32}, {'f', 8, RM_FLOAT64},
    {'c', 8, RM_COMPLEX64}, {'c', 16, RM_COMPLEX128},
};

/* What an element is: its bytes, and the dtype where it is one of ours in this machine's order. */
typedef struct element {
    size_t size;
    rm_dtype dtype;
} element;

static int fail_unknown(const char *name, rm_error *err)
{
    const bool holds_references = strcmp(name, "object") == 0 || strcmp(name, "O") == 0 ||
                                  strcmp(name, "|O") == 0 || strcmp(name, "|O8") == 0;
    if (holds_references)
        return rm_error_set(err, RM_E_UNSUPPORTED,
                            "elements of dtype '%s' are references, which cannot be sent", name);
    (void)rm_error_set(err, RM_E_VALUE, "unknown dtype '%s'", name);
    rm_error_hint(err,
                  "known are bool, int8 to int64, uint8 to uint64, float16, bfloat16, float32, float64, "
                  "complex64, complex128, numpy's letters such as \"<f4\" or \"S10\", and lists of fields");
    return RM_E_VALUE;
}

/* Digits up to a limit that no element reaches. */
static bool read_count(const char **at, size_t *count)
{
    const char *from = *at;
    size_t value = 0;
    while (**at >= '0' && **at <= '9' && value <= INT32_MAX)
        value = value * 10 + (size_t)(*(*at)++ - '0');
    *count = value;
    return *at != from && value <= INT32_MAX;
}

/* The unit of a date: "[ns]", "[10ms]"; may be absent. */
static bool skip_unit(const char **at)
{
    static const char *const units[] = {"Y",  "M",  "W",  "D",  "h",  "m", "s",
                                        "ms", "us", "ns", "ps", "fs", "as"};
    size_t count = 0;
    if (**at != '[')
        return true;
    ++*at;
    (void)read_count(at, &count);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        const size_t length = strlen(units[i]);
        if (strncmp(*at, units[i], length) == 0 && (*at)[length] == ']') {
            *at += length + 1;
            return true;
        }
    }
    return false;
}

/* Numpy's letters: [order]kind size, as in dtype.str. */
static bool read_letters(const char *text, element *out)
{
    const bool ordered = *text != '\0' && strchr("<>=|", *text) != NULL;
    const bool swapped = *text == '>';
    const char *at = text + (ordered ? 1 : 0);
    const char kind = *at;
    size_t count = 0;
    if (kind == '\0')
        return false;
    at++;
    if (!read_count(&at, &count))
        return false;
    *out = (element){.size = count, .dtype = RM_OPAQUE};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (*at == '\0' && numbers[i].letter == kind && numbers[i].size == count) {
            out->dtype = swapped && count > 1 ? RM_OPAQUE : numbers[i].dtype;
            return true;
        }
    if (kind == 'U')
        out->size *= 4;
    if (kind == 'M' || kind == 'm')
        return count == 8 && skip_unit(&at) && *at == '\0';
    const bool extended = (kind == 'f' && count == 16) || (kind == 'c' && count == 32);
    return *at == '\0' && (extended || kind == 'S' || kind == 'U' || kind == 'V');
}

/* Names that str(dtype) gives for what is none of ours. */
static bool read_long_name(const char *name, element *out)
{
    static const struct {
        const char *name;
        size_t size;
    } known[] = {{"datetime64", 8}, {"timedelta64", 8}, {"float128", 16}, {"complex256", 32}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const size_t length = strlen(known[i].name);
        const char *rest = name + length;
        if (strncmp(name, known[i].name, length) != 0)
            continue;
        *out = (element){.size = known[i].size, .dtype = RM_OPAQUE};
        return (*rest == '\0' || known[i].size == 8) && skip_unit(&rest) && *rest == '\0';
    }
    return false;
}

static int read_name(const char *name, element *out, rm_error *err)
{
    for (int dtype = RM_BOOL8; dtype < RM_DTYPE_COUNT; dtype++) {
        if (strcmp(name, rm_dtype_name((rm_dtype)dtype)) == 0) {
            *out = (element){.size = rm_dtype_size((rm_dtype)dtype), .dtype = (rm_dtype)dtype};
            return RM_OK;
        }
    }
    if (read_letters(name, out) || read_long_name(name, out))
        return RM_OK;
    return fail_unknown(name, err);
}

/* ---- Records ---- */

static int read_any(yyjson_val *description, int depth, element *out, rm_error *err);

/* How often a field stands in the record: the product of its shape, a size or a list of sizes. */
static bool read_repeats(yyjson_val *shape, size_t *repeats)
{
    size_t index = 0, count = 0;
    yyjson_val *size = NULL;
    *repeats = 1;
    if (shape == NULL)
        return true;
    if (yyjson_is_uint(shape)) {
        *repeats = yyjson_get_uint(shape) <= INT32_MAX ? (size_t)yyjson_get_uint(shape) : SIZE_MAX;
        return *repeats != SIZE_MAX;
    }
    if (!yyjson_is_arr(shape))
        return false;
    yyjson_arr_foreach(shape, index, count, size)
    {
        if (!yyjson_is_uint(size) || yyjson_get_uint(size) > INT32_MAX ||
            !rmi_multiply(*repeats, (size_t)yyjson_get_uint(size), repeats))
            return false;
    }
    return true;
}

/* The name of a field is text, or a title and a name. */
static bool is_field_name(yyjson_val *name)
{
    return yyjson_is_str(name) ||
           (yyjson_is_arr(name) && yyjson_arr_size(name) == 2 && yyjson_is_str(yyjson_arr_get(name, 0)) &&
            yyjson_is_str(yyjson_arr_get(name, 1)));
}

static int read_record(yyjson_val *fields, int depth, element *out, rm_error *err)
{
    size_t index = 0, count = 0, repeats = 0;
    yyjson_val *field = NULL;
    element inner;
    *out = (element){.dtype = RM_OPAQUE};
    yyjson_arr_foreach(fields, index, count, field)
    {
        const size_t parts = yyjson_arr_size(field);
        if (parts < 2 || parts > 3 || !is_field_name(yyjson_arr_get(field, 0)) ||
            !read_repeats(yyjson_arr_get(field, 2), &repeats))
            return rm_error_set(err, RM_E_VALUE,
                                "field %zu of the dtype must be [name, dtype] or [name, dtype, shape]",
                                index);
        int rc = read_any(yyjson_arr_get(field, 1), depth + 1, &inner, err);
        if (rc != RM_OK)
            return rc;
        if (!rmi_multiply(inner.size, repeats, &inner.size) || !rmi_add(out->size, inner.size, &out->size) ||
            out->size > INT32_MAX)
            return rm_error_set(err, RM_E_LIMIT, "an element of this dtype does not fit memory");
    }
    return RM_OK;
}

static int read_any(yyjson_val *description, int depth, element *out, rm_error *err)
{
    if (depth > DEEPEST_RECORD)
        return rm_error_set(err, RM_E_LIMIT, "a dtype has records %d deep at most", DEEPEST_RECORD);
    if (yyjson_is_str(description) && strlen(yyjson_get_str(description)) == yyjson_get_len(description))
        return read_name(yyjson_get_str(description), out, err);
    if (yyjson_is_arr(description) && yyjson_arr_size(description) != 0)
        return read_record(description, depth, out, err);
    return rm_error_set(err, RM_E_TYPE,
                        "\"dtype\" must be a string such as \"float32\", or a list of fields");
}

/* ---- Both ways ---- */

int rmi_json_read_dtype(const rm_allocator *allocator, yyjson_val *description, rm_tensor *view,
                        rmi_text *text, rm_error *err)
{
    element found;
    rm_value plain = rm_null();
    char *json = NULL;
    size_t length = 0;
    int rc = read_any(description, 0, &found, err);
    if (rc != RM_OK)
        return rc;
    view->dtype = found.dtype;
    view->item_size = found.size;
    if (found.dtype != RM_OPAQUE)
        return RM_OK;
    rc = rmi_json_to_value(allocator, description, RM_JSON_RAW, "", &plain, err);
    if (rc == RM_OK)
        rc = rm_json_write(allocator, plain, 0, &json, &length, NULL, err);
    if (rc == RM_OK && length > LONGEST_DESCRIPTION)
        rc = rm_error_set(err, RM_E_LIMIT, "a dtype's description has at most %d bytes", LONGEST_DESCRIPTION);
    if (rc == RM_OK) {
        rmi_text_append(text, json, length);
        rc = text->failed ? rmi_out_of_memory(err) : RM_OK;
        view->description = text->data;
    }
    rm_text_free(allocator, json, length);
    rm_value_clear(&plain);
    return rc;
}

int rmi_json_dtype_form(const rm_allocator *allocator, const rm_tensor *view, rm_value *out, rm_error *err)
{
    if (view->description != NULL)
        return rm_json_parse(allocator, view->description, strlen(view->description), RM_JSON_RAW, out, err);
    const char *name = rm_dtype_name(view->dtype);
    return rmi_string_new_unchecked(allocator, name, strlen(name), out, err);
}
