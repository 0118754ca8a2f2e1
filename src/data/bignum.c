/* Arithmetic by libtommath, which no other file uses. Operands and results are bounded, so that nothing takes
 * long. */
#include "data/bignum.h"

#include <float.h>
#include <math.h>

#include <tommath.h>

#include "base/alloc.h"
#include "data/integer.h"

enum {
    MAX_BITS = 14285, /* of 4,300 digits */
    MAX_LIMBS = 224,
};

typedef struct operands {
    mp_int a, b, result, rest;
    size_t a_bits, b_bits;
} operands;

static int to_code(mp_err failure, rm_error *err)
{
    if (failure == MP_OKAY)
        return RM_OK;
    return failure == MP_MEM
               ? rmi_out_of_memory(err)
               : rm_error_set(err, RM_E_INTERNAL, "big integers: %s", mp_error_to_string(failure));
}

static mp_err load(mp_int *to, rm_value value, size_t *bits)
{
    uint64_t room = 0;
    rmi_magnitude magnitude = rmi_integer_magnitude(&value, &room);
    *bits = rmi_magnitude_bits(magnitude);
    if (*bits > MAX_BITS)
        return MP_OKAY; /* the caller refuses this case */
    mp_err failure = mp_unpack(to, magnitude.count, MP_LSB_FIRST, sizeof *magnitude.limbs, MP_NATIVE_ENDIAN,
                               0, magnitude.limbs);
    return failure == MP_OKAY && magnitude.negative ? mp_neg(to, to) : failure;
}

/* An integer result as a value. */
static int store(const rm_allocator *allocator, const mp_int *from, rm_value *out, rm_error *err)
{
    uint64_t limbs[MAX_LIMBS];
    size_t count = 0;
    if (mp_count_bits(from) > MAX_BITS)
        return rmi_integer_too_long(err);
    int rc = to_code(
        mp_pack(limbs, MAX_LIMBS, &count, MP_LSB_FIRST, sizeof *limbs, MP_NATIVE_ENDIAN, 0, from), err);
    if (rc == RM_OK)
        rc = rmi_integer_from_limbs(allocator, limbs, count, mp_isneg(from), out, err);
    if (rc == RM_OK && !rmi_integer_fits_digits(*out)) {
        rm_value_clear(out);
        rc = rmi_integer_too_long(err);
    }
    return rc;
}

/* x = |a| shifted right by `shift` bits (left if negative) and divided by |b|; *inexact when bits were
 * lost. */
static mp_err scaled_quotient(operands *n, int shift, uint64_t *x, bool *inexact)
{
    mp_err failure =
        shift > 0 ? mp_div_2d(&n->a, shift, &n->result, &n->rest) : mp_mul_2d(&n->a, -shift, &n->result);
    if (failure != MP_OKAY)
        return failure;
    *inexact = shift > 0 && !mp_iszero(&n->rest);
    failure = mp_div(&n->result, &n->b, &n->result, &n->rest);
    *inexact = *inexact || !mp_iszero(&n->rest);
    *x = mp_get_mag_u64(&n->result);
    return failure;
}

/* The nearest double of a / b, ties to even, subnormal ones included: the quotient is computed to two or
 * three bits more than a double has, with everything below it gathered in the last bit, and rounded once. */
static int divide_to_double(operands *n, double *out, rm_error *err)
{
    int difference = (int)n->a_bits - (int)n->b_bits, shift = 0, bits = 0, extra = 0;
    bool negative = mp_isneg(&n->a) != mp_isneg(&n->b), inexact = false;
    uint64_t x = 0, half = 0;
    *out = negative ? -0.0 : 0.0;
    if (difference < DBL_MIN_EXP - DBL_MANT_DIG - 1)
        return RM_OK;
    if (difference > DBL_MAX_EXP)
        return rm_error_set(err, RM_E_ARITHMETIC,
                            "the quotient of two integers is past the range of a float");
    shift = (difference > DBL_MIN_EXP ? difference : DBL_MIN_EXP) - DBL_MANT_DIG - 2;
    int rc = to_code(scaled_quotient(n, shift, &x, &inexact), err);
    if (rc != RM_OK || x == 0)
        return rc;
    bits = 64 - __builtin_clzll(x);
    extra = (bits > DBL_MIN_EXP - shift ? bits : DBL_MIN_EXP - shift) - DBL_MANT_DIG;
    half = (uint64_t)1 << (extra - 1);
    x |= inexact;
    if ((x & half) != 0 && (x & (3 * half - 1)) != 0)
        x += half;
    x &= ~(2 * half - 1);
    *out = ldexp((double)x, shift);
    if (isinf(*out))
        return rm_error_set(err, RM_E_ARITHMETIC,
                            "the quotient of two integers is past the range of a float");
    *out = negative ? -*out : *out;
    return RM_OK;
}

static int divide(const rm_allocator *allocator, operands *n, rm_value *out, rm_error *err)
{
    double quotient = 0;
    int rc = to_code(mp_div(&n->a, &n->b, &n->result, &n->rest), err);
    if (rc != RM_OK)
        return rc;
    if (mp_iszero(&n->rest))
        return store(allocator, &n->result, out, err);
    rc = divide_to_double(n, &quotient, err);
    *out = rm_float(quotient);
    return rc;
}

/* The size is known before the work: a power of 4,300 digits or less takes microseconds. */
static int power(const rm_allocator *allocator, operands *n, rm_value *out, rm_error *err)
{
    size_t product = 0;
    uint64_t exponent = mp_get_mag_u64(&n->b);
    if (n->a_bits <= 1) { /* 0, 1 or -1 */
        int64_t base = mp_get_i64(&n->a);
        *out = rm_int(mp_iszero(&n->b) || (base < 0 && mp_iseven(&n->b)) ? 1 : base);
        return RM_OK;
    }
    if (n->b_bits > 32 || !rmi_multiply(n->a_bits - 1, (size_t)exponent, &product) || product >= MAX_BITS)
        return rmi_integer_too_long(err);
    int rc = to_code(mp_expt_n(&n->a, (int)exponent, &n->result), err);
    return rc == RM_OK ? store(allocator, &n->result, out, err) : rc;
}

static int compute(const rm_allocator *allocator, rm_operation operation, operands *n, rm_value *out,
                   rm_error *err)
{
    mp_err failure = MP_OKAY;
    switch (operation) {
    case RM_ADD:
        failure = mp_add(&n->a, &n->b, &n->result);
        break;
    case RM_SUBTRACT:
        failure = mp_sub(&n->a, &n->b, &n->result);
        break;
    case RM_MULTIPLY:
        if (n->a_bits + n->b_bits > MAX_BITS + 1)
            return rmi_integer_too_long(err);
        failure = mp_mul(&n->a, &n->b, &n->result);
        break;
    case RM_MODULO:
        failure = mp_mod(&n->a, &n->b, &n->result); /* has the sign of the divisor */
        break;
    case RM_DIVIDE:
        return divide(allocator, n, out, err);
    default:
        return power(allocator, n, out, err);
    }
    int rc = to_code(failure, err);
    return rc == RM_OK ? store(allocator, &n->result, out, err) : rc;
}

int rmi_bignum_compute(const rm_allocator *allocator, rm_operation operation, rm_value a, rm_value b,
                       rm_value *out, rm_error *err)
{
    operands n;
    *out = rm_null();
    int rc = to_code(mp_init_multi(&n.a, &n.b, &n.result, &n.rest, NULL), err);
    if (rc != RM_OK)
        return rc;
    rc = to_code(load(&n.a, a, &n.a_bits), err);
    if (rc == RM_OK)
        rc = to_code(load(&n.b, b, &n.b_bits), err);
    if (rc == RM_OK && (n.a_bits > MAX_BITS || n.b_bits > MAX_BITS))
        rc = rmi_integer_too_long(err);
    if (rc == RM_OK)
        rc = compute(allocator, operation, &n, out, err);
    mp_clear_multi(&n.a, &n.b, &n.result, &n.rest, NULL);
    return rc;
}
