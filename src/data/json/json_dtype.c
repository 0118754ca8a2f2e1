/* The element types of tensors in JSON: names and letters (dtype_names.h), and lists of fields for records. */
#include <string.h>

#include "base/alloc.h"
#include "data/dtype_names.h"
#include "data/json/json.h"
#include "data/json/json_parts.h"

enum { DEEPEST_RECORD = 16, LONGEST_DESCRIPTION = 65536 };

/* ---- Records ---- */

static int read_any(yyjson_val *description, int depth, rmi_element *out, rm_error *err);

/* Reads how often a field is repeated in the record: the product of its shape, a size or a list of sizes. */
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
    if (!yyjson_is_arr(shape) || yyjson_arr_size(shape) > RM_MAX_DIMENSIONS)
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

void rmi_json_field_name(yyjson_val *field, const char **name, size_t *length)
{
    yyjson_val *given = yyjson_arr_get(field, 0), *type = yyjson_arr_get(field, 1);
    rmi_element element;
    if (yyjson_is_arr(given)) /* [title, name] */
        given = yyjson_arr_get(given, 1);
    *name = yyjson_get_str(given);
    *length = yyjson_get_len(given);
    if (*length == 0 && yyjson_is_str(type) &&
        rmi_element_read(yyjson_get_str(type), &element, NULL) == RM_OK && element.kind == 'V')
        *name = NULL;
}

void rmi_json_field_shape(yyjson_val *field, int32_t *dimensions, int64_t *shape)
{
    yyjson_val *given = yyjson_arr_get(field, 2), *size = NULL;
    size_t index = 0, count = 0;
    *dimensions = yyjson_is_uint(given) ? 1 : 0;
    if (*dimensions == 1)
        shape[0] = (int64_t)yyjson_get_uint(given);
    yyjson_arr_foreach(given, index, count, size)
    {
        shape[(*dimensions)++] = (int64_t)yyjson_get_uint(size);
    }
}

static int read_record(yyjson_val *fields, int depth, rmi_element *out, rm_error *err)
{
    size_t index = 0, count = 0, repeats = 0;
    yyjson_val *field = NULL;
    rmi_element inner;
    *out = (rmi_element){.kind = 'V', .dtype = RM_OPAQUE, .unit = ""};
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

static int read_any(yyjson_val *description, int depth, rmi_element *out, rm_error *err)
{
    if (depth > DEEPEST_RECORD)
        return rm_error_set(err, RM_E_LIMIT, "a dtype has records %d deep at most", DEEPEST_RECORD);
    if (yyjson_is_str(description) && strlen(yyjson_get_str(description)) == yyjson_get_len(description))
        return rmi_element_read(yyjson_get_str(description), out, err);
    if (yyjson_is_arr(description) && yyjson_arr_size(description) != 0)
        return read_record(description, depth, out, err);
    return rm_error_set(err, RM_E_TYPE,
                        "\"dtype\" must be a string such as \"float32\", or a list of fields");
}

/* ---- Both ways ---- */

int rmi_json_read_dtype(const rm_allocator *allocator, yyjson_val *description, rm_tensor *view,
                        rmi_text *text, rm_error *err)
{
    rmi_element found;
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

int rmi_json_check_dtype(const rm_allocator *allocator, const char *description, size_t item_size)
{
    rmi_json_document *document = NULL;
    rm_tensor found = {0};
    rmi_text text;
    rmi_text_init(&text, allocator);
    int rc = rmi_json_read(allocator, description, strlen(description), "dtype", &document, NULL);
    if (rc == RM_OK)
        rc = rmi_json_read_dtype(allocator, rmi_json_root(document), &found, &text, NULL);
    const bool is = rc == RM_OK && found.dtype == RM_OPAQUE && found.item_size == item_size;
    if (!is && rc != RM_E_OUT_OF_MEMORY)
        rc = RM_E_VALUE;
    rmi_json_document_free(document);
    rmi_text_clear(&text);
    return rc;
}

int rmi_json_dtype_form(const rm_allocator *allocator, const rm_tensor *view, rm_value *out, rm_error *err)
{
    if (view->description != NULL)
        return rm_json_parse(allocator, view->description, strlen(view->description), RM_JSON_RAW, out, err);
    const char *name = rm_dtype_name(view->dtype);
    return rmi_string_new_unchecked(allocator, name, strlen(name), out, err);
}
