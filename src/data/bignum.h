/* Arithmetic past 64 bits. */
#ifndef DATA_BIGNUM_H
#define DATA_BIGNUM_H

#include "remotemedia/remotemedia.h"

/* As rm_number_compute, for two integers (int, bool, big). The divisor is not 0, the exponent not
 * negative. */
RM_MUST_CHECK int rmi_bignum_compute(const rm_allocator *allocator, rm_operation operation, rm_value a,
                                     rm_value b, rm_value *out, rm_error *err);

#endif
