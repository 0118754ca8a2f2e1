/* Whether two values have the same content. */
#include <string.h>

#include "data/blocks.h"
#include "data/tensor.h"

static bool same_float(double a, double b)
{
    uint64_t a_bits = 0, b_bits = 0;
    memcpy(&a_bits, &a, sizeof a);
    memcpy(&b_bits, &b, sizeof b);
    return a_bits == b_bits || (a != a && b != b);
}

static bool same_bytes(const void *a, size_t a_length, const void *b, size_t b_length)
{
    return a_length == b_length && (a_length == 0 || memcmp(a, b, a_length) == 0);
}

/* The form of a floating element type: the bytes of one part (a complex number has two) and the bits of
 * infinity. */
static bool float_parts(rm_dtype dtype, size_t *size, uint64_t *infinity)
{
    switch (dtype) {
    case RM_FLOAT16:
        *size = 2, *infinity = 0x7C00;
        return true;
    case RM_BFLOAT16:
        *size = 2, *infinity = 0x7F80;
        return true;
    case RM_FLOAT32:
    case RM_COMPLEX64:
        *size = 4, *infinity = 0x7F800000;
        return true;
    case RM_FLOAT64:
    case RM_COMPLEX128:
        *size = 8, *infinity = 0x7FF0000000000000;
        return true;
    default:
        return false;
    }
}

static bool part_is_nan(const char *part, size_t size, uint64_t infinity)
{
    uint16_t two = 0;
    uint32_t four = 0;
    uint64_t bits = 0;
    if (size == sizeof two) {
        memcpy(&two, part, size);
        bits = two;
    } else if (size == sizeof four) {
        memcpy(&four, part, size);
        bits = four;
    } else {
        memcpy(&bits, part, size);
    }
    return (bits & (((uint64_t)1 << (size * 8 - 1)) - 1)) > infinity;
}

static bool same_element(rm_dtype dtype, size_t whole, const char *a, const char *b)
{
    size_t size = whole;
    uint64_t infinity = 0;
    if (memcmp(a, b, whole) == 0)
        return true;
    if (!float_parts(dtype, &size, &infinity))
        return false;
    for (size_t at = 0; at < whole; at += size) {
        bool both_nan = part_is_nan(a + at, size, infinity) && part_is_nan(b + at, size, infinity);
        if (memcmp(a + at, b + at, size) != 0 && !both_nan)
            return false;
    }
    return true;
}

static bool same_tensor(rm_value a, rm_value b)
{
    rm_tensor x = rm_tensor_view(a), y = rm_tensor_view(b);
    rmi_tensor_walk left, right;
    bool same = x.dtype == y.dtype && same_bytes(x.shape, (size_t)x.dimensions * sizeof *x.shape, y.shape,
                                                 (size_t)y.dimensions * sizeof *y.shape);
    same = same && x.item_size == y.item_size && (x.description == NULL) == (y.description == NULL) &&
           (x.description == NULL || strcmp(x.description, y.description) == 0);
    if (!same || x.item_size == 0) /* elements of no bytes may be more than can be counted */
        return same;
    const size_t bytes = rm_tensor_bytes(a);
    if (rm_tensor_is_contiguous(a) && rm_tensor_is_contiguous(b) && same_bytes(x.data, bytes, y.data, bytes))
        return true;
    rmi_tensor_walk_start(&left, &x);
    rmi_tensor_walk_start(&right, &y);
    while (same && left.left != 0) {
        same = same_element(x.dtype, x.item_size, left.at, right.at);
        rmi_tensor_walk_next(&left);
        rmi_tensor_walk_next(&right);
    }
    return same;
}

static bool same_value(rm_value a, rm_value b, int depth);

static bool same_list(const rmi_list_block *a, const rmi_list_block *b, int depth)
{
    bool same = a->length == b->length;
    for (size_t i = 0; same && i < a->length; i++)
        same = same_value(a->items[i], b->items[i], depth);
    return same;
}

static bool same_map(const rmi_map_block *a, const rmi_map_block *b, int depth)
{
    bool same = a->length == b->length;
    for (size_t i = 0; same && i < a->length; i++)
        same = same_value(rmi_value_of(a->entries[i].key), rmi_value_of(b->entries[i].key), depth) &&
               same_value(a->entries[i].item, b->entries[i].item, depth);
    return same;
}

static bool same_block(rm_heap *a, rm_heap *b, int depth)
{
    switch (a->kind) {
    case RM_BIGINT:
        return a->extra == b->extra &&
               same_bytes(rmi_bigint_of(a)->limbs, rmi_bigint_of(a)->count * sizeof(uint64_t),
                          rmi_bigint_of(b)->limbs, rmi_bigint_of(b)->count * sizeof(uint64_t));
    case RM_STRING:
        return same_bytes(rmi_string_of(a)->text, rmi_string_of(a)->length, rmi_string_of(b)->text,
                          rmi_string_of(b)->length);
    case RM_BYTES:
        return same_bytes(rmi_bytes_of(a)->data, rmi_bytes_of(a)->length, rmi_bytes_of(b)->data,
                          rmi_bytes_of(b)->length);
    case RM_LIST:
        return same_list(rmi_list_of(a), rmi_list_of(b), depth + 1);
    case RM_MAP:
        return same_map(rmi_map_of(a), rmi_map_of(b), depth + 1);
    case RM_TENSOR:
        return same_tensor(rmi_value_of(a), rmi_value_of(b));
    default:
        return rmi_object_of(a)->type == rmi_object_of(b)->type &&
               rmi_object_of(a)->object == rmi_object_of(b)->object;
    }
}

static bool same_value(rm_value a, rm_value b, int depth)
{
    if (a.kind != b.kind || depth > RMI_VALUE_MAX_NESTING)
        return false;
    switch (a.kind) {
    case RM_NULL:
        return true;
    case RM_BOOL:
        return a.b == b.b;
    case RM_INT:
        return a.i == b.i;
    case RM_FLOAT:
        return same_float(a.f, b.f);
    default:
        return a.heap == b.heap || same_block(a.heap, b.heap, depth);
    }
}

bool rm_value_equal(rm_value a, rm_value b)
{
    return same_value(a, b, 0);
}
