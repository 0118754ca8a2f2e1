/* What only Python has, on its way through a pipeline that is not in Python. */
#include <math.h>

#include "base/alloc.h"
#include "base/text.h"
#include "data/blocks.h"
#include "data/integer.h"
#include "data/json.h"
#include "data/packed.h"

/* ---- Failures ---- */

int rmi_unsupported_type(const char *type, const char *advice, rm_error *err)
{
    (void)rm_error_set(err, RM_E_UNSUPPORTED, "a Python object of type '%s' is no plain value", type);
    rm_error_hint(err, "%s", advice);
    return RM_E_UNSUPPORTED;
}

int rmi_unsupported_key(const char *type, rm_error *err)
{
    (void)rm_error_set(err, RM_E_UNSUPPORTED, "a dict key of type '%s' has no plain form", type);
    rm_error_hint(err, "keys may be str, int, float, bool or None");
    return RM_E_UNSUPPORTED;
}

/* ---- Making them ---- */

int rmi_packed_new(const rm_allocator *allocator, uint32_t tag, rm_value content, rm_value *out,
                   rm_error *err)
{
    rmi_packed *made = rmi_alloc(allocator, sizeof *made);
    *out = rm_null();
    if (made == NULL) {
        rm_value_clear(&content);
        return rmi_out_of_memory(err);
    }
    *made = (rmi_packed){.allocator = allocator, .tag = tag, .content = content};
    return rm_object_new(allocator, &rmi_packed_object.base, made, out, err);
}

const rmi_packed *rmi_packed_of(rm_value value)
{
    return rm_object_get(value, &rmi_packed_object.base);
}

static void packed_release(void *object)
{
    rmi_packed *packed = object;
    rm_value_clear(&packed->content);
    rmi_free(packed->allocator, packed, sizeof *packed);
}

/* The content is shared, but a tensor's memory must be known to be. */
static int packed_copy(void *object, rm_value *out, rm_error *err)
{
    const rmi_packed *packed = object;
    rm_value content = rm_null();
    const int rc = rm_value_for_branch(packed->content, &content, err);
    *out = rm_null();
    return rc == RM_OK ? rmi_packed_new(packed->allocator, packed->tag, content, out, err) : rc;
}

/* ---- Their plain form ---- */

static const char *packed_type_name(void *object)
{
    static const char *const names[RMI_PACKED_TAGS] = {
        [RMI_PACKED_LIST] = "list",
        [RMI_PACKED_MAP] = "dict",
        [RMI_PACKED_TENSOR] = "numpy.ndarray",
        [RMI_PACKED_TUPLE] = "tuple",
        [RMI_PACKED_SET] = "set",
        [RMI_PACKED_FROZENSET] = "frozenset",
        [RMI_PACKED_DICT] = "dict",
        [RMI_PACKED_BYTEARRAY] = "bytearray",
    };
    return names[((const rmi_packed *)object)->tag];
}

static const char *type_of_key(rm_value key)
{
    if (key.kind == RM_OBJECT)
        return packed_type_name(rm_object_get(key, &rmi_packed_object.base));
    return key.kind == RM_BYTES ? "bytes" : "remotemedia.Tensor";
}

static void append_float(rmi_text *text, double number)
{
    char digits[RMI_FLOAT_TEXT];
    if (isnan(number))
        rmi_text_append_c(text, "NaN");
    else if (isinf(number))
        rmi_text_append_c(text, number > 0 ? "Infinity" : "-Infinity");
    else
        rmi_text_append(text, digits, rmi_float_text(number, digits));
}

/* A key as Python's json prints it. *out is owned. */
static int key_text(const rm_allocator *allocator, rm_value key, rm_value *out, rm_error *err)
{
    rmi_text text;
    int rc = RM_OK;
    if (key.kind == RM_STRING) {
        *out = rm_value_retain(key);
        return RM_OK;
    }
    rmi_text_init(&text, allocator);
    if (key.kind == RM_NULL)
        rmi_text_append_c(&text, "null");
    else if (key.kind == RM_BOOL)
        rmi_text_append_c(&text, key.b ? "true" : "false");
    else if (key.kind == RM_FLOAT)
        append_float(&text, key.f);
    else if (key.kind == RM_INT || key.kind == RM_BIGINT)
        rc = rmi_integer_append(&text, key, err);
    else
        rc = rmi_unsupported_key(type_of_key(key), err);
    if (rc == RM_OK)
        rc = text.failed ? rmi_out_of_memory(err)
                         : rmi_string_new_unchecked(allocator, text.data, text.length, out, err);
    rmi_text_clear(&text);
    return rc;
}

static int dict_to_value(const rm_allocator *allocator, rm_value pairs, rm_value *out, rm_error *err)
{
    const size_t length = rm_list_length(pairs);
    rm_value key = rm_null();
    int rc = rm_map_new(allocator, length / 2, out, err);
    for (size_t i = 0; rc == RM_OK && i < length; i += 2) {
        rc = key_text(allocator, rm_list_get(pairs, i), &key, err);
        if (rc == RM_OK)
            rc = rm_map_set_key(out, rm_value_move(&key), rm_value_retain(rm_list_get(pairs, i + 1)), err);
    }
    if (rc != RM_OK)
        rm_value_clear(out);
    return rc;
}

static int packed_to_value(void *object, const rm_allocator *allocator, rm_value *out, rm_error *err)
{
    const rmi_packed *packed = object;
    *out = rm_null();
    if (packed->tag == RMI_PACKED_SET || packed->tag == RMI_PACKED_FROZENSET)
        return rmi_unsupported_type(packed_type_name(object), RMI_SET_ADVICE, err);
    if (packed->tag == RMI_PACKED_DICT)
        return dict_to_value(allocator, packed->content, out, err);
    *out = rm_value_retain(packed->content);
    return RM_OK;
}

static size_t packed_bytes(void *object)
{
    const rm_value content = ((const rmi_packed *)object)->content;
    return sizeof(rmi_packed) + content.heap->size + rm_tensor_bytes(content);
}

/* ---- Packing them ---- */

static int pack_items(rmi_packer *packer, const rmi_packed *packed, unsigned depth, rm_error *err)
{
    const size_t length = rm_list_length(packed->content);
    if (depth >= RMI_PACKED_MAX_NESTING)
        return rmi_packed_too_deep(err);
    int rc = rmi_pack_head(packer, (uint8_t)packed->tag, packed->tag == RMI_PACKED_DICT ? length / 2 : length,
                           err);
    for (size_t i = 0; rc == RM_OK && i < length; i++)
        rc = rmi_pack_nested(packer, rm_list_get(packed->content, i), depth + 1, err);
    return rc;
}

static int packed_pack(void *object, rmi_packer *packer, unsigned depth, rm_error *err)
{
    const rmi_packed *packed = object;
    size_t length = 0;
    switch (packed->tag) {
    case RMI_PACKED_BYTEARRAY: {
        const uint8_t *data = rm_bytes_data(packed->content, &length);
        return rmi_pack_bytes(packer, RMI_PACKED_BYTEARRAY, data, length, err);
    }
    case RMI_PACKED_TENSOR: {
        const rm_tensor view = rm_tensor_view(packed->content);
        return rmi_pack_tensor(packer, &view, RMI_PACKED_ARRAY, err);
    }
    case RMI_PACKED_LIST:
    case RMI_PACKED_MAP:
        return rmi_pack_nested(packer, packed->content, depth, err);
    default:
        return pack_items(packer, packed, depth, err);
    }
}

const rmi_packing_type rmi_packed_object = {
    .base = {.size = sizeof(rmi_packing_type),
             .name = "Python value",
             .release = packed_release,
             .copy = packed_copy,
             .to_value = packed_to_value,
             .type_name = packed_type_name,
             .bytes = packed_bytes},
    .pack = packed_pack,
};
