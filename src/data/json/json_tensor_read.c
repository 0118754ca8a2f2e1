/* Reads tensors in JSON: {"__numpy__": true, "array": {"meta": {"shape", "dtype", ...}, "data": base64}}, and
 * "media" beside "array" for audio. The elements are in C order, or in Fortran order where "c_contiguous" is
 * false and "f_contiguous" is true. */
#include <string.h>

#include <libbase64.h>

#include "base/alloc.h"
#include "data/blocks.h"
#include "data/json/json_parts.h"
#include "data/tensor.h"

static bool has_only(yyjson_val *object, const char *const *known)
{
    yyjson_obj_iter iter = yyjson_obj_iter_with(object);
    for (yyjson_val *key = yyjson_obj_iter_next(&iter); key != NULL; key = yyjson_obj_iter_next(&iter)) {
        size_t i = 0;
        while (known[i] != NULL && !yyjson_equals_str(key, known[i]))
            i++;
        if (known[i] == NULL)
            return false;
    }
    return true;
}

bool rmi_json_is_tensor(yyjson_val *object)
{
    static const char *const outer[] = {"__numpy__", "array", "media", NULL};
    static const char *const inner[] = {"meta", "data", NULL};
    static const char *const meta_keys[] = {"shape", "dtype", "size", "c_contiguous", "f_contiguous", NULL};
    yyjson_val *array = yyjson_obj_get(object, "array");
    yyjson_val *meta = yyjson_obj_get(array, "meta");
    return yyjson_is_true(yyjson_obj_get(object, "__numpy__")) && has_only(object, outer) &&
           yyjson_is_obj(array) && has_only(array, inner) && yyjson_obj_get(array, "data") != NULL &&
           yyjson_is_obj(meta) && has_only(meta, meta_keys) && yyjson_obj_get(meta, "shape") != NULL &&
           yyjson_obj_get(meta, "dtype") != NULL;
}

static int read_shape(yyjson_val *meta, int64_t *shape, int32_t *dimensions, const char **where,
                      rm_error *err)
{
    yyjson_val *element = yyjson_obj_get(meta, "shape"), *item = NULL;
    size_t index = 0, count = 0;
    *where = "/array/meta/shape";
    if (!yyjson_is_arr(element))
        return rm_error_set(err, RM_E_TYPE, "\"shape\" must be a list of sizes");
    if (yyjson_arr_size(element) > RM_MAX_DIMENSIONS)
        return rm_error_set(err, RM_E_LIMIT, "a tensor has at most %d dimensions, not %zu", RM_MAX_DIMENSIONS,
                            yyjson_arr_size(element));
    yyjson_arr_foreach(element, index, count, item)
    {
        if (!yyjson_is_uint(item) || yyjson_get_uint(item) > INT64_MAX)
            return rm_error_set(err, RM_E_VALUE,
                                "\"shape\" must hold integers from 0, but has another value at %zu", index);
        shape[index] = (int64_t)yyjson_get_uint(item);
    }
    *dimensions = (int32_t)count;
    return RM_OK;
}

/* Checks the other members of "meta"; *fortran is the order of the elements. */
static int check_meta(yyjson_val *meta, size_t elements, bool *fortran, const char **where, rm_error *err)
{
    yyjson_val *size = yyjson_obj_get(meta, "size"), *c_order = yyjson_obj_get(meta, "c_contiguous"),
               *f_order = yyjson_obj_get(meta, "f_contiguous");
    *where = "/array/meta/size";
    if (size != NULL && (!yyjson_is_uint(size) || yyjson_get_uint(size) != elements))
        return rm_error_set(err, RM_E_VALUE, "\"size\" is not the number of elements, which is %zu",
                            elements);
    *where = "/array/meta/c_contiguous";
    if (c_order != NULL && !yyjson_is_bool(c_order))
        return rm_error_set(err, RM_E_TYPE, "\"c_contiguous\" must be true or false");
    *where = "/array/meta/f_contiguous";
    if (f_order != NULL && !yyjson_is_bool(f_order))
        return rm_error_set(err, RM_E_TYPE, "\"f_contiguous\" must be true or false");
    *fortran = yyjson_is_false(c_order) && yyjson_is_true(f_order);
    return RM_OK;
}

/* The form's data. */
typedef struct base64_text {
    const char *text; /* NULL: not a string */
    size_t length;
} base64_text;

/* Whether the last characters encode exactly the last bytes: their spare bits must be 0. */
static bool ends_exactly(base64_text data, const unsigned char *last, size_t count)
{
    char again[8];
    size_t written = 0;
    base64_encode((const char *)last, count, again, &written, 0);
    return memcmp(again, data.text + data.length - written, written) == 0;
}

static int read_data(base64_text data, const rm_tensor *view, size_t bytes, const char **where, rm_error *err)
{
    const char *text = data.text;
    size_t length = data.length, written = 0, padding = 0;
    *where = "/array/data";
    if (text == NULL)
        return rm_error_set(err, RM_E_TYPE, "\"data\" must be a string of base64");
    if (length % 4 != 0)
        return rm_error_set(err, RM_E_VALUE, "\"data\" is not base64: its length %zu is no multiple of 4",
                            length);
    while (padding < 2 && padding < length && text[length - 1 - padding] == '=')
        padding++;
    if (length / 4 * 3 - padding != bytes)
        return rm_error_set(err, RM_E_VALUE, "\"data\" has %zu bytes, but shape and dtype need %zu",
                            length / 4 * 3 - padding, bytes);
    if (bytes != 0 && (base64_decode(text, length, view->data, &written, 0) != 1 || written != bytes))
        return rm_error_set(err, RM_E_VALUE,
                            "\"data\" is not base64: it has a character that is not of its alphabet, or '=' "
                            "before its end");
    const size_t tail = bytes % 3;
    if (tail != 0 && !ends_exactly(data, (const unsigned char *)view->data + bytes - tail, tail))
        return rm_error_set(err, RM_E_VALUE, "\"data\" is not base64: its last character has bits too many");
    return RM_OK;
}

static int read_media(yyjson_val *element, rm_value *tensor, const char **where, rm_error *err)
{
    static const char *const known[] = {"kind", "sample_rate", "channel_layout", NULL};
    yyjson_val *rate = yyjson_obj_get(element, "sample_rate"),
               *layout = yyjson_obj_get(element, "channel_layout");
    rm_media media = {.kind = RM_MEDIA_AUDIO};
    *where = "/media";
    if (element == NULL)
        return RM_OK;
    if (!yyjson_is_obj(element) || !has_only(element, known))
        return rm_error_set(err, RM_E_TYPE,
                            "\"media\" must be {\"kind\", \"sample_rate\", \"channel_layout\"}");
    *where = "/media/kind";
    if (!yyjson_equals_str(yyjson_obj_get(element, "kind"), "audio"))
        return rm_error_set(err, RM_E_VALUE, "\"kind\" must be \"audio\"");
    *where = "/media/sample_rate";
    if (!yyjson_is_uint(rate) || yyjson_get_uint(rate) == 0 || yyjson_get_uint(rate) > INT32_MAX)
        return rm_error_set(err, RM_E_VALUE, "\"sample_rate\" must be a number of Hz from 1");
    *where = "/media/channel_layout";
    if (layout != NULL && !yyjson_is_uint(layout))
        return rm_error_set(err, RM_E_VALUE, "\"channel_layout\" must be a bit mask of channels");
    *where = "/array/meta/shape";
    if (rm_tensor_view(*tensor).dimensions != 2)
        return rm_error_set(err, RM_E_VALUE, "audio has two dimensions, frames and channels");
    media.sample_rate = (int32_t)yyjson_get_uint(rate);
    media.channel_layout = yyjson_get_uint(layout);
    return rm_tensor_set_media(tensor, media, err);
}

/* Reads dtype, shape and order, and checks them against each other and the length of the data before anything
 * is allocated for elements. */
static int read_layout(const rm_allocator *allocator, yyjson_val *meta, size_t length, rm_tensor *view,
                       int64_t *shape, rmi_text *text, size_t *bytes, bool *fortran, const char **where,
                       rm_error *err)
{
    size_t elements = 0;
    *where = "/array/meta/dtype";
    int rc = rmi_json_read_dtype(allocator, yyjson_obj_get(meta, "dtype"), view, text, err);
    if (rc == RM_OK)
        rc = read_shape(meta, shape, &view->dimensions, where, err);
    if (rc != RM_OK)
        return rc;
    view->shape = shape;
    if (!rmi_tensor_measure(view->item_size, view->dimensions, shape, &elements, bytes))
        return rm_error_set(err, RM_E_LIMIT, "an array of this shape does not fit memory");
    rc = check_meta(meta, elements, fortran, where, err);
    if (rc == RM_OK && *bytes / 3 > length) {
        *where = "/array/data";
        rc = rm_error_set(err, RM_E_VALUE, "\"data\" is too short: shape and dtype need %zu bytes", *bytes);
    }
    return rc;
}

int rmi_json_read_tensor(const rm_allocator *allocator, yyjson_val *object, rmi_json_cuts *cuts,
                         rm_value *out, const char **where, rm_error *err)
{
    yyjson_val *array = yyjson_obj_get(object, "array"), *element = yyjson_obj_get(array, "data");
    base64_text data = {.text = yyjson_get_str(element), .length = yyjson_get_len(element)};
    int64_t shape[RM_MAX_DIMENSIONS];
    rm_tensor view = {0};
    rmi_text description;
    size_t bytes = 0;
    bool fortran = false;
    *out = rm_null();
    rmi_text_init(&description, allocator);
    (void)rmi_json_cut_string(cuts, &data.text, &data.length);
    int rc = read_layout(allocator, yyjson_obj_get(array, "meta"), data.length, &view, shape, &description,
                         &bytes, &fortran, where, err);
    if (rc == RM_OK)
        rc = rmi_tensor_new_unset(allocator, &view, fortran, out, err);
    if (rc == RM_OK) {
        view = rm_tensor_view(*out);
        rc = read_data(data, &view, bytes, where, err);
    }
    if (rc == RM_OK)
        rc = read_media(yyjson_obj_get(object, "media"), out, where, err);
    if (rc != RM_OK)
        rm_value_clear(out);
    rmi_text_clear(&description);
    return rc;
}
