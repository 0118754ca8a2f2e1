/* Python's arithmetic: 64-bit integers and floats here, larger integers in bignum.c. */
#include <math.h>

#include "data/bignum.h"
#include "data/blocks.h"
#include "data/integer.h"

static const int64_t EXACT_IN_DOUBLE = (int64_t)1 << 53;

static bool is_integer(rm_value value)
{
    return value.kind == RM_INT || value.kind == RM_BIGINT || value.kind == RM_BOOL;
}

static int fail_by_zero(rm_error *err)
{
    return rm_error_set(err, RM_E_ARITHMETIC, "division by zero");
}

/* ---- Floats ---- */

static int float_power(double a, double b, rm_value *out, rm_error *err)
{
    bool finite = isfinite(a) && isfinite(b);
    if (a == 0 && b < 0)
        return rm_error_set(err, RM_E_ARITHMETIC, "zero to a negative power");
    if (finite && a < 0 && b != floor(b))
        return rm_error_set(err, RM_E_ARITHMETIC,
                            "a negative number to a fractional power is no real number");
    double result = pow(a, b);
    if (finite && isinf(result))
        return rm_error_set(err, RM_E_ARITHMETIC, "the power is past the range of a float");
    *out = rm_float(result);
    return RM_OK;
}

static double float_modulo(double a, double b)
{
    double rest = fmod(a, b);
    if (rest == 0)
        return copysign(0.0, b);
    return (b < 0) != (rest < 0) ? rest + b : rest;
}

static int float_compute(rm_operation operation, double a, double b, rm_value *out, rm_error *err)
{
    switch (operation) {
    case RM_ADD:
        *out = rm_float(a + b);
        return RM_OK;
    case RM_SUBTRACT:
        *out = rm_float(a - b);
        return RM_OK;
    case RM_MULTIPLY:
        *out = rm_float(a * b);
        return RM_OK;
    case RM_DIVIDE:
        if (b == 0)
            return fail_by_zero(err);
        *out = rm_float(a / b);
        return RM_OK;
    case RM_MODULO:
        if (b == 0)
            return fail_by_zero(err);
        *out = rm_float(float_modulo(a, b));
        return RM_OK;
    default:
        return float_power(a, b, out, err);
    }
}

static int as_floats(rm_operation operation, rm_value a, rm_value b, rm_value *out, rm_error *err)
{
    double x = a.f, y = b.f;
    if ((a.kind != RM_FLOAT && !rmi_integer_to_double(a, &x)) ||
        (b.kind != RM_FLOAT && !rmi_integer_to_double(b, &y)))
        return rm_error_set(err, RM_E_ARITHMETIC, "an integer is too large to become a float");
    return float_compute(operation, x, y, out, err);
}

/* ---- Integers of 64 bits ---- */

/* Returns false when the result does not fit. */
static bool small_power(int64_t base, int64_t exponent, int64_t *out)
{
    int64_t result = 1;
    while (exponent != 0) {
        if ((exponent & 1) != 0 && __builtin_mul_overflow(result, base, &result))
            return false;
        exponent >>= 1;
        if (exponent != 0 && __builtin_mul_overflow(base, base, &base))
            return false;
    }
    *out = result;
    return true;
}

static bool small_divide(int64_t a, int64_t b, rm_value *out)
{
    if (b == -1) {
        *out = rm_int(0 - (a != INT64_MIN ? a : 0));
        return a != INT64_MIN;
    }
    if (a % b == 0) {
        *out = rm_int(a / b);
        return true;
    }
    *out = rm_float((double)a / (double)b);
    return a >= -EXACT_IN_DOUBLE && a <= EXACT_IN_DOUBLE && b >= -EXACT_IN_DOUBLE && b <= EXACT_IN_DOUBLE;
}

static int64_t small_modulo(int64_t a, int64_t b)
{
    int64_t rest = b != -1 ? a % b : 0;
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

/* Returns false when the result needs more than 64 bits, or bignum.c has to round it. The divisor is not 0,
 * the exponent not negative. */
static bool small_compute(rm_operation operation, int64_t a, int64_t b, rm_value *out)
{
    int64_t result = 0;
    bool fits = true;
    switch (operation) {
    case RM_ADD:
        fits = !__builtin_add_overflow(a, b, &result);
        break;
    case RM_SUBTRACT:
        fits = !__builtin_sub_overflow(a, b, &result);
        break;
    case RM_MULTIPLY:
        fits = !__builtin_mul_overflow(a, b, &result);
        break;
    case RM_DIVIDE:
        return small_divide(a, b, out);
    case RM_MODULO:
        result = small_modulo(a, b);
        break;
    default:
        fits = small_power(a, b, &result);
        break;
    }
    *out = rm_int(result);
    return fits;
}

/* ---- All ---- */

static bool is_negative(rm_value integer)
{
    return integer.kind == RM_BIGINT ? integer.heap->extra != 0 : integer.kind == RM_INT && integer.i < 0;
}

static int64_t small(rm_value value)
{
    return value.kind == RM_BOOL ? value.b : value.i;
}

static int fail_kind(rm_operation operation, rm_value a, rm_value b, rm_error *err)
{
    static const char *const verbs[] = {
        [RM_ADD] = "add",       [RM_SUBTRACT] = "subtract", [RM_MULTIPLY] = "multiply",
        [RM_DIVIDE] = "divide", [RM_POWER] = "raise",       [RM_MODULO] = "take the modulo of",
    };
    return rm_error_set(err, RM_E_TYPE, "cannot %s %s and %s; both must be numbers", verbs[operation],
                        rm_kind_name((rm_kind)a.kind), rm_kind_name((rm_kind)b.kind));
}

int rm_number_compute(const rm_allocator *allocator, rm_operation operation, rm_value a, rm_value b,
                      rm_value *out, rm_error *err)
{
    rm_value result = rm_null();
    int rc = RM_OK;
    *out = rm_null();
    if ((unsigned)operation > RM_MODULO)
        return rm_error_set(err, RM_E_USAGE, "%d is no operation", (int)operation);
    bool a_float = a.kind == RM_FLOAT, b_float = b.kind == RM_FLOAT;
    if ((!a_float && !is_integer(a)) || (!b_float && !is_integer(b)))
        return fail_kind(operation, a, b, err);
    bool divides = operation == RM_DIVIDE || operation == RM_MODULO;
    if (a_float || b_float || (operation == RM_POWER && is_negative(b)))
        rc = as_floats(operation, a, b, &result, err);
    else if (divides && b.kind != RM_BIGINT && small(b) == 0)
        rc = fail_by_zero(err);
    else if (a.kind == RM_BIGINT || b.kind == RM_BIGINT ||
             !small_compute(operation, small(a), small(b), &result))
        rc = rmi_bignum_compute(allocator, operation, a, b, &result, err);
    if (rc == RM_OK)
        *out = result;
    return rc;
}
