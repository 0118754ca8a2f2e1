/* Arithmetic of a tensor and a number, as numpy does it with an array and a Python number. */
#include <inttypes.h>
#include <math.h>

#include "data/blocks.h"
#include "data/half.h"
#include "data/integer.h"
#include "data/tensor.h"

/* The number, in the forms that the elements' dtypes need. */
typedef struct number {
    uint64_t bits; /* an integer, modulo 2 to the 64th */
    double f64;
    float f32; /* rounded for the narrower floats */
} number;

/* `from` and `to` may be the same memory. */
typedef void kernel(const void *from, void *to, size_t count, const number *given);

/* Replaces every NaN by one: processors differ in its bits. */
static inline float one_nan_f32(float x)
{
    return x == x ? x : NAN;
}

static inline double one_nan_f64(double x)
{
    return x == x ? x : (double)NAN;
}

/* One loop over elements `a[i]` and the number `b`. */
#define KERNEL(name, type, result, ...)                                             \
    static void name(const void *from, void *to, size_t count, const number *given) \
    {                                                                               \
        const type *a = from;                                                       \
        const number b = *given;                                                    \
        result *r = to;                                                             \
        for (size_t i = 0; i < count; i++)                                          \
            r[i] = __VA_ARGS__;                                                     \
    }

/* Integers wrap around; the low bits of signed and unsigned ones are the same. */
#define WRAPPING(bits_, type)                              \
    KERNEL(add_##bits_, type, type, (type)(a[i] + b.bits)) \
    KERNEL(multiply_##bits_, type, type, (type)(a[i] * b.bits))
WRAPPING(8, uint8_t)
WRAPPING(16, uint16_t)
WRAPPING(32, uint32_t)
WRAPPING(64, uint64_t)

/* Integers and a float: float64. */
#define WIDENING(name, type)                                            \
    KERNEL(add_##name, type, double, one_nan_f64((double)a[i] + b.f64)) \
    KERNEL(multiply_##name, type, double, one_nan_f64((double)a[i] * b.f64))
WIDENING(int8, int8_t)
WIDENING(int16, int16_t)
WIDENING(int32, int32_t)
WIDENING(int64, int64_t)
WIDENING(uint8, uint8_t)
WIDENING(uint16, uint16_t)
WIDENING(uint32, uint32_t)
WIDENING(uint64, uint64_t)

static inline uint16_t half(float x)
{
    return rmi_double_to_half((double)x);
}

KERNEL(add_half, uint16_t, uint16_t, half(rmi_half_to_float(a[i]) + b.f32))
KERNEL(multiply_half, uint16_t, uint16_t, half(rmi_half_to_float(a[i]) * b.f32))
KERNEL(add_bfloat16, uint16_t, uint16_t, rmi_float_to_bfloat16(rmi_bfloat16_to_float(a[i]) + b.f32))
KERNEL(multiply_bfloat16, uint16_t, uint16_t, rmi_float_to_bfloat16(rmi_bfloat16_to_float(a[i]) * b.f32))
KERNEL(add_f32, float, float, one_nan_f32(a[i] + b.f32))
KERNEL(multiply_f32, float, float, one_nan_f32(a[i] * b.f32))
KERNEL(add_f64, double, double, one_nan_f64(a[i] + b.f64))
KERNEL(multiply_f64, double, double, one_nan_f64(a[i] * b.f64))

typedef struct complex64 {
    float re, im;
} complex64;
typedef struct complex128 {
    double re, im;
} complex128;

/* The number counts as complex, with 0 as its other part. */
KERNEL(add_c64, complex64, complex64, (complex64){one_nan_f32(a[i].re + b.f32), one_nan_f32(a[i].im + 0.0F)})
KERNEL(multiply_c64, complex64, complex64,
       (complex64){one_nan_f32(a[i].re * b.f32 - a[i].im * 0.0F),
                   one_nan_f32(a[i].re * 0.0F + a[i].im * b.f32)})
KERNEL(add_c128, complex128, complex128,
       (complex128){one_nan_f64(a[i].re + b.f64), one_nan_f64(a[i].im + 0.0)})
KERNEL(multiply_c128, complex128, complex128,
       (complex128){one_nan_f64(a[i].re * b.f64 - a[i].im * 0.0),
                    one_nan_f64(a[i].re * 0.0 + a[i].im * b.f64)})

/* The functions for elements of a dtype; integers have a range, and other functions for a float. */
static const struct row {
    kernel *add, *multiply, *add_float, *multiply_float;
    int64_t min;
    uint64_t max;
} rows[RM_DTYPE_COUNT] = {
    [RM_INT8] = {add_8, multiply_8, add_int8, multiply_int8, INT8_MIN, INT8_MAX},
    [RM_INT16] = {add_16, multiply_16, add_int16, multiply_int16, INT16_MIN, INT16_MAX},
    [RM_INT32] = {add_32, multiply_32, add_int32, multiply_int32, INT32_MIN, INT32_MAX},
    [RM_INT64] = {add_64, multiply_64, add_int64, multiply_int64, INT64_MIN, INT64_MAX},
    [RM_UINT8] = {add_8, multiply_8, add_uint8, multiply_uint8, 0, UINT8_MAX},
    [RM_UINT16] = {add_16, multiply_16, add_uint16, multiply_uint16, 0, UINT16_MAX},
    [RM_UINT32] = {add_32, multiply_32, add_uint32, multiply_uint32, 0, UINT32_MAX},
    [RM_UINT64] = {add_64, multiply_64, add_uint64, multiply_uint64, 0, UINT64_MAX},
    [RM_FLOAT16] = {.add = add_half, .multiply = multiply_half},
    [RM_BFLOAT16] = {.add = add_bfloat16, .multiply = multiply_bfloat16},
    [RM_FLOAT32] = {.add = add_f32, .multiply = multiply_f32},
    [RM_FLOAT64] = {.add = add_f64, .multiply = multiply_f64},
    [RM_COMPLEX64] = {.add = add_c64, .multiply = multiply_c64},
    [RM_COMPLEX128] = {.add = add_c128, .multiply = multiply_c128},
};

/* The integer for integer elements: it must be one that they can hold. */
static int integer_for(const struct row *row, rm_dtype dtype, rm_value operand, number *out, rm_error *err)
{
    uint64_t room = 0;
    const rmi_magnitude size = rmi_integer_magnitude(&operand, &room);
    const uint64_t low = size.count > 0 ? size.limbs[0] : 0;
    const bool fits =
        size.count <= 1 && (size.negative ? low <= (uint64_t)0 - (uint64_t)row->min : low <= row->max);
    out->bits = size.negative ? (uint64_t)0 - low : low;
    if (fits)
        return RM_OK;
    if (operand.kind == RM_INT)
        return rm_error_set(err, RM_E_VALUE, "%" PRId64 " is out of bounds for an array of %s", operand.i,
                            rm_dtype_name(dtype));
    return rm_error_set(err, RM_E_VALUE, "an integer past 64 bits is out of bounds for an array of %s",
                        rm_dtype_name(dtype));
}

static int float_for(rm_dtype dtype, rm_value operand, number *out, rm_error *err)
{
    out->f64 = operand.f;
    if (operand.kind != RM_FLOAT && !rmi_integer_to_double(operand, &out->f64))
        return rm_error_set(err, RM_E_ARITHMETIC, "an integer is too large to become a float");
    out->f32 = (float)out->f64;
    if (dtype == RM_FLOAT16)
        out->f32 = rmi_half_to_float(rmi_double_to_half(out->f64));
    if (dtype == RM_BFLOAT16)
        out->f32 = rmi_bfloat16_to_float(rmi_float_to_bfloat16(out->f32));
    return RM_OK;
}

static int refuse(const rm_tensor *view, rm_error *err)
{
    const bool opaque = view->dtype == RM_OPAQUE && view->description != NULL;
    return rm_error_set(err, RM_E_TYPE, "an array of dtype %.200s cannot be computed with",
                        opaque ? view->description : rm_dtype_name(view->dtype));
}

/* Makes *tensor a tensor of `dtype` without other owners and applies `apply` meanwhile. It is in Fortran
 * order where it was in Fortran order, else in C order. The order does not depend on the number of owners. */
static int compute(const rm_allocator *allocator, rm_value *tensor, rm_dtype dtype, kernel *apply,
                   const number *given, rm_error *err)
{
    rm_value dense = rm_null(), result = rm_null();
    const bool fortran = rm_tensor_is_fortran(*tensor) && !rm_tensor_is_contiguous(*tensor);
    int rc = RM_OK;
    if (fortran)
        dense = rm_value_retain(*tensor);
    else
        rc = rm_tensor_contiguous(allocator, *tensor, &dense, err);
    if (rc != RM_OK)
        return rc;
    rm_value_clear(tensor); /* so that a sole owner counts as one */
    *tensor = rm_value_move(&dense);
    const rm_tensor view = rm_tensor_view(*tensor);
    const size_t count = rm_tensor_count(*tensor);
    if (view.dtype == dtype && rmi_tensor_is_unique(*tensor) && !rmi_value_is_branched(*tensor)) {
        apply(view.data, view.data, count, given);
        return RM_OK;
    }
    rm_tensor wanted = view;
    wanted.dtype = dtype;
    wanted.item_size = rm_dtype_size(dtype);
    rc = rmi_tensor_new_unset(allocator, &wanted, fortran, &result, err);
    if (rc == RM_OK) {
        apply(view.data, rm_tensor_view(result).data, count, given);
        rm_value_clear(tensor);
        *tensor = result;
    }
    return rc;
}

int rm_tensor_compute(const rm_allocator *allocator, rm_operation operation, rm_value *tensor,
                      rm_value operand, rm_error *err)
{
    const rm_tensor view = rm_tensor_view(*tensor);
    const struct row *row = view.dtype < RM_DTYPE_COUNT ? &rows[view.dtype] : NULL;
    const bool widens = row != NULL && row->add_float != NULL && operand.kind == RM_FLOAT;
    number given = {0};
    int rc = RM_OK;
    if (tensor->kind != RM_TENSOR || (operation != RM_ADD && operation != RM_MULTIPLY))
        return rm_error_set(err, RM_E_USAGE, "tensors can be added to and multiplied");
    if (operand.kind != RM_INT && operand.kind != RM_BIGINT && operand.kind != RM_FLOAT)
        return rm_error_set(err, RM_E_TYPE, "a tensor and %s", rm_kind_name((rm_kind)operand.kind));
    if (row == NULL || row->add == NULL)
        return refuse(&view, err);
    if (row->add_float != NULL && !widens)
        rc = integer_for(row, view.dtype, operand, &given, err);
    else
        rc = float_for(view.dtype, operand, &given, err);
    if (rc != RM_OK)
        return rc;
    kernel *plain = operation == RM_ADD ? row->add : row->multiply;
    kernel *wider = operation == RM_ADD ? row->add_float : row->multiply_float;
    return compute(allocator, tensor, widens ? RM_FLOAT64 : view.dtype, widens ? wider : plain, &given, err);
}
