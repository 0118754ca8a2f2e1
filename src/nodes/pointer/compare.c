#include "nodes/pointer/compare.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "nodes/number.h"

static rmi_order sign_of(rm_value integer)
{
    uint8_t bytes[2048]; /* 4,300 digits are 1,786 bytes */
    if (integer.kind == RM_INT)
        return integer.i < 0 ? RMI_LESS : integer.i > 0 ? RMI_GREATER : RMI_EQUAL;
    const size_t size = rm_integer_to_bytes(integer, bytes, sizeof bytes);
    return size > 0 && size <= sizeof bytes && bytes[size - 1] >= 0x80 ? RMI_LESS : RMI_GREATER;
}

static int order_integers(const rm_allocator *allocator, rm_value a, rm_value b, rmi_order *order,
                          rm_error *err)
{
    rm_value difference = rm_null();
    if (a.kind == RM_INT && b.kind == RM_INT) {
        *order = a.i < b.i ? RMI_LESS : a.i > b.i ? RMI_GREATER : RMI_EQUAL;
        return RM_OK;
    }
    const rmi_order sign = sign_of(a);
    if (sign != sign_of(b)) {
        *order = sign == RMI_LESS || sign_of(b) == RMI_GREATER ? RMI_LESS : RMI_GREATER;
        return RM_OK;
    }
    int rc = rm_number_compute(allocator, RM_SUBTRACT, a, b, &difference, err); /* same sign: not longer */
    if (rc == RM_OK)
        *order = sign_of(difference);
    rm_value_clear(&difference);
    return rc;
}

/* Compares an integer with a float: first with its integer part, which is exact, then by its fraction. */
static int order_integer_float(const rm_allocator *allocator, rm_value a, double b, rmi_order *order,
                               rm_error *err)
{
    const double past_int64 = 9223372036854775808.0;
    char digits[400];
    rm_value whole = rm_null();
    int rc = RM_OK;
    if (isnan(b) || isinf(b)) {
        *order = isnan(b) ? RMI_UNORDERED : b > 0 ? RMI_LESS : RMI_GREATER;
        return RM_OK;
    }
    if (fabs(b) < past_int64) {
        whole = rm_int((int64_t)b);
    } else {
        const int length = snprintf(digits, sizeof digits, "%.0f", b);
        rc = rm_integer_parse(allocator, digits, (size_t)length, &whole, err);
    }
    if (rc == RM_OK)
        rc = order_integers(allocator, a, whole, order, err);
    if (rc == RM_OK && *order == RMI_EQUAL && b != trunc(b))
        *order = b > trunc(b) ? RMI_LESS : RMI_GREATER;
    rm_value_clear(&whole);
    return rc;
}

static int order_numbers(const rm_allocator *allocator, rm_value a, rm_value b, rmi_order *order,
                         rm_error *err)
{
    if (a.kind == RM_FLOAT && b.kind == RM_FLOAT) {
        *order = a.f < b.f ? RMI_LESS : a.f > b.f ? RMI_GREATER : a.f == b.f ? RMI_EQUAL : RMI_UNORDERED;
        return RM_OK;
    }
    if (b.kind == RM_FLOAT)
        return order_integer_float(allocator, a, b.f, order, err);
    if (a.kind != RM_FLOAT)
        return order_integers(allocator, a, b, order, err);
    int rc = order_integer_float(allocator, b, a.f, order, err);
    if (rc == RM_OK && *order != RMI_UNORDERED)
        *order = (rmi_order) - (int)*order;
    return rc;
}

/* Comparing UTF-8 byte by byte gives the order of code points. */
static rmi_order order_strings(rm_value a, rm_value b)
{
    size_t a_length, b_length;
    const char *a_text = rm_string_text(a, &a_length), *b_text = rm_string_text(b, &b_length);
    const int order = memcmp(a_text, b_text, a_length < b_length ? a_length : b_length);
    if (order != 0)
        return order < 0 ? RMI_LESS : RMI_GREATER;
    return a_length < b_length ? RMI_LESS : a_length > b_length ? RMI_GREATER : RMI_EQUAL;
}

int rmi_order_of(const rm_allocator *allocator, rm_value a, rm_value b, rmi_order *order, rm_error *err)
{
    if (rmi_is_number(a) && rmi_is_number(b))
        return order_numbers(allocator, a, b, order, err);
    if (a.kind == RM_STRING && b.kind == RM_STRING) {
        *order = order_strings(a, b);
        return RM_OK;
    }
    return rm_error_set(err, RM_E_TYPE, "cannot order %s and %s: both must be numbers or both strings",
                        rm_kind_name((rm_kind)a.kind), rm_kind_name((rm_kind)b.kind));
}

static int same_lists(const rm_allocator *allocator, rm_value a, rm_value b, bool *same, rm_error *err)
{
    const size_t n = rm_list_length(a);
    int rc = RM_OK;
    *same = n == rm_list_length(b);
    for (size_t i = 0; i < n && *same && rc == RM_OK; i++)
        rc = rmi_same(allocator, rm_list_get(a, i), rm_list_get(b, i), same, err);
    return rc;
}

static int same_maps(const rm_allocator *allocator, rm_value a, rm_value b, bool *same, rm_error *err)
{
    rm_value key, left, right;
    int rc = RM_OK;
    *same = rm_map_length(a) == rm_map_length(b);
    for (size_t i = 0; *same && rc == RM_OK && rm_map_at(a, i, &key, &left); i++) {
        size_t length;
        const char *text = rm_string_text(key, &length);
        *same = rm_map_get(b, text, length, &right);
        if (*same)
            rc = rmi_same(allocator, left, right, same, err);
    }
    return rc;
}

int rmi_same(const rm_allocator *allocator, rm_value a, rm_value b, bool *same, rm_error *err)
{
    rmi_order order = RMI_UNORDERED;
    int rc = RM_OK;
    if (rmi_is_number(a) && rmi_is_number(b)) {
        rc = order_numbers(allocator, a, b, &order, err);
        *same = order == RMI_EQUAL;
    } else if (a.kind == RM_LIST && b.kind == RM_LIST) {
        rc = same_lists(allocator, a, b, same, err);
    } else if (a.kind == RM_MAP && b.kind == RM_MAP) {
        rc = same_maps(allocator, a, b, same, err);
    } else {
        *same = rm_value_equal(a, b);
    }
    return rc;
}

bool rmi_truth(rm_value value)
{
    size_t length = 1;
    switch (value.kind) {
    case RM_NULL:
        return false;
    case RM_BOOL:
        return value.b;
    case RM_INT:
        return value.i != 0;
    case RM_FLOAT:
        return value.f != 0.0;
    case RM_STRING:
        (void)rm_string_text(value, &length);
        return length > 0;
    case RM_BYTES:
        (void)rm_bytes_data(value, &length);
        return length > 0;
    case RM_LIST:
        return rm_list_length(value) > 0;
    case RM_MAP:
        return rm_map_length(value) > 0;
    default:
        return true;
    }
}
