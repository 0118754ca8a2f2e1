/* Python's own kinds of values (tuples, sets and the like) on their way through a pipeline outside Python. */
#include <math.h>

#include "base/alloc.h"
#include "base/text.h"
#include "data/blocks.h"
#include "data/keys.h"
#include "data/wire/wire.h"

/* ---- Failures ---- */

int rmi_unsupported_type(const char *type, const char *advice, rm_error *err)
{
    (void)rm_error_set(err, RM_E_UNSUPPORTED, "a Python object of type '%s' is no plain value", type);
    rm_error_hint(err, "%s", advice);
    return RM_E_UNSUPPORTED;
}

/* ---- Making them ---- */

int rmi_wire_object_new(const rm_allocator *allocator, uint32_t tag, rm_value content, rm_value *out,
                        rm_error *err)
{
    rmi_wire_object *made = rmi_alloc(allocator, sizeof *made);
    *out = rm_null();
    if (made == NULL) {
        rm_value_clear(&content);
        return rmi_out_of_memory(err);
    }
    *made = (rmi_wire_object){.allocator = allocator, .tag = tag, .content = content};
    return rm_object_new(allocator, &rmi_wire_object_type.base, made, out, err);
}

const rmi_wire_object *rmi_wire_object_of(rm_value value)
{
    return rm_object_get(value, &rmi_wire_object_type.base);
}

static void packed_release(void *object)
{
    rmi_wire_object *packed = object;
    rm_value_clear(&packed->content);
    rmi_free(packed->allocator, packed, sizeof *packed);
}

/* Shares the content; a tensor's memory must be marked as shared. */
static int packed_copy(void *object, rm_value *out, rm_error *err)
{
    const rmi_wire_object *packed = object;
    rm_value content = rm_null();
    const int rc = rm_value_for_branch(packed->content, &content, err);
    *out = rm_null();
    return rc == RM_OK ? rmi_wire_object_new(packed->allocator, packed->tag, content, out, err) : rc;
}

/* ---- Their plain form ---- */

static const char *packed_type_name(void *object)
{
    static const char *const names[RMI_WIRE_TAGS] = {
        [RMI_WIRE_LIST] = "list",
        [RMI_WIRE_MAP] = "dict",
        [RMI_WIRE_TENSOR] = "numpy.ndarray",
        [RMI_WIRE_TUPLE] = "tuple",
        [RMI_WIRE_SET] = "set",
        [RMI_WIRE_FROZENSET] = "frozenset",
        [RMI_WIRE_DICT] = "dict",
        [RMI_WIRE_BYTEARRAY] = "bytearray",
    };
    return names[((const rmi_wire_object *)object)->tag];
}

/* Makes a key; errors name the types of objects as Python names them. *out is owned. */
static int key_of(const rm_allocator *allocator, rm_value key, rm_value *out, rm_error *err)
{
    if (key.kind == RM_OBJECT)
        return rmi_unsupported_key(packed_type_name(rm_object_get(key, &rmi_wire_object_type.base)), err);
    if (key.kind == RM_TENSOR)
        return rmi_unsupported_key("remotemedia.Tensor", err);
    return rmi_key_of(allocator, key, out, err);
}

/* Names a key as Python writes it, but for texts that need escapes. */
static void show(rmi_text *text, rm_value key)
{
    size_t length = 0;
    rm_value written = rm_null();
    const char *shown = rm_string_text(key, &length);
    if (key.kind == RM_NULL || key.kind == RM_BOOL)
        shown = key.kind == RM_NULL ? "None" : key.b ? "True" : "False";
    else if (key.kind == RM_FLOAT && !isfinite(key.f))
        shown = isnan(key.f) ? "nan" : key.f > 0 ? "inf" : "-inf";
    else if (key.kind != RM_STRING && rmi_key_of(text->allocator, key, &written, NULL) == RM_OK)
        shown = rm_string_text(written, &length);
    rmi_text_append_c(text, key.kind == RM_STRING ? "'" : "");
    rmi_text_append_c(text, shown != NULL ? shown : "?");
    rmi_text_append_c(text, key.kind == RM_STRING ? "'" : "");
    rm_value_clear(&written);
}

int rmi_same_text(const char *one, const char *other, const char *type, rm_error *err)
{
    (void)rm_error_set(err, RM_E_UNSUPPORTED, "the keys %s and %s of a Python %s have the same text", one,
                       other, type);
    rm_error_hint(err, "list(x.items()) makes it a list of pairs");
    return RM_E_UNSUPPORTED;
}

static int fail_same_text(const rm_allocator *allocator, rm_value pairs, size_t place, rm_value text,
                          rm_error *err)
{
    rmi_text names[2];
    rm_value other = rm_null();
    size_t first = 0;
    bool found = false;
    for (; !found && first < place; first += found ? 0 : 2) {
        found = key_of(allocator, rm_list_get(pairs, first), &other, NULL) == RM_OK &&
                rm_value_equal(text, other);
        rm_value_clear(&other);
    }
    for (size_t i = 0; i < 2; i++) {
        rmi_text_init(&names[i], allocator);
        show(&names[i], rm_list_get(pairs, i == 0 ? first : place));
    }
    const int rc = names[0].failed || names[1].failed
                       ? rmi_out_of_memory(err)
                       : rmi_same_text(names[0].data, names[1].data, "dict", err);
    rmi_text_clear(&names[0]);
    rmi_text_clear(&names[1]);
    return rc;
}

static int dict_to_value(const rm_allocator *allocator, rm_value pairs, rm_value *out, rm_error *err)
{
    const size_t length = rm_list_length(pairs);
    rm_value key = rm_null();
    int rc = rm_map_new(allocator, length / 2, out, err);
    for (size_t i = 0; rc == RM_OK && i < length; i += 2) {
        rc = key_of(allocator, rm_list_get(pairs, i), &key, err);
        if (rc == RM_OK)
            rc = rm_map_set_key(out, rm_value_retain(key), rm_value_retain(rm_list_get(pairs, i + 1)), err);
        if (rc == RM_OK && rm_map_length(*out) != i / 2 + 1) /* the key was there */
            rc = fail_same_text(allocator, pairs, i, key, err);
        rm_value_clear(&key);
    }
    if (rc != RM_OK)
        rm_value_clear(out);
    return rc;
}

static int packed_to_value(void *object, const rm_allocator *allocator, rm_value *out, rm_error *err)
{
    const rmi_wire_object *packed = object;
    *out = rm_null();
    if (packed->tag == RMI_WIRE_SET || packed->tag == RMI_WIRE_FROZENSET)
        return rmi_unsupported_type(packed_type_name(object), RMI_SET_ADVICE, err);
    if (packed->tag == RMI_WIRE_DICT)
        return dict_to_value(allocator, packed->content, out, err);
    *out = rm_value_retain(packed->content);
    return RM_OK;
}

static size_t packed_bytes(void *object)
{
    const rm_value content = ((const rmi_wire_object *)object)->content;
    return sizeof(rmi_wire_object) + content.heap->size + rm_tensor_bytes(content);
}

/* ---- Packing them ---- */

static int pack_items(rmi_wire_writer *packer, const rmi_wire_object *packed, unsigned depth, rm_error *err)
{
    const size_t length = rm_list_length(packed->content);
    if (depth >= RMI_WIRE_MAX_NESTING)
        return rmi_wire_too_deep(err);
    int rc = rmi_wire_write_head(packer, (uint8_t)packed->tag,
                                 packed->tag == RMI_WIRE_DICT ? length / 2 : length, err);
    for (size_t i = 0; rc == RM_OK && i < length; i++)
        rc = rmi_wire_write_nested(packer, rm_list_get(packed->content, i), depth + 1, err);
    return rc;
}

static int packed_pack(void *object, rmi_wire_writer *packer, unsigned depth, rm_error *err)
{
    const rmi_wire_object *packed = object;
    size_t length = 0;
    switch (packed->tag) {
    case RMI_WIRE_BYTEARRAY: {
        const uint8_t *data = rm_bytes_data(packed->content, &length);
        return rmi_wire_write_bytes(packer, RMI_WIRE_BYTEARRAY, data, length, err);
    }
    case RMI_WIRE_TENSOR: {
        const rm_tensor view = rm_tensor_view(packed->content);
        return rmi_wire_write_tensor(packer, &view, RMI_WIRE_ARRAY, err);
    }
    case RMI_WIRE_LIST:
    case RMI_WIRE_MAP:
        return rmi_wire_write_nested(packer, packed->content, depth, err);
    default:
        return pack_items(packer, packed, depth, err);
    }
}

const rmi_wire_writable_type rmi_wire_object_type = {
    .base = {.size = sizeof(rmi_wire_writable_type),
             .name = "Python value",
             .release = packed_release,
             .copy = packed_copy,
             .to_value = packed_to_value,
             .type_name = packed_type_name,
             .bytes = packed_bytes},
    .pack = packed_pack,
};
