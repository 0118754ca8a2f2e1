/* Samples as integers and as floats. Full scale is 1.0, or the integer's range: 32768 for int16, 2^31 for
 * int32. An int24 sample is an int32 whose lowest 8 bits are 0, so that its full scale is that of int32. */
#ifndef NODES_AUDIO_SUPPORT_SAMPLE_FORMAT_H
#define NODES_AUDIO_SUPPORT_SAMPLE_FORMAT_H

#include "remotemedia/node.h"

typedef enum rmi_sample_format {
    RMI_SAMPLE_INT16,
    RMI_SAMPLE_INT24,
    RMI_SAMPLE_INT32,
    RMI_SAMPLE_FLOAT32
} rmi_sample_format;

/* How samples become integers, and what did not fit. */
typedef struct rmi_quantiser {
    bool dithers;          /* adds noise of triangular density, two steps wide, before rounding */
    uint64_t seed;         /* of the noise */
    uint64_t position;     /* samples so far: the noise of a sample depends on its place alone */
    uint64_t clipped, nan; /* samples beyond full scale, and those that are no numbers */
} rmi_quantiser;

/* The dtype of the samples. */
rm_dtype rmi_sample_dtype(rmi_sample_format format);
/* Converts `count` samples of `from` (int16, int32 or float32) to `format`. Floats become the nearest integer
 * (of two equally near ones the even one) and are clipped; NaN becomes 0. Integers become floats exactly,
 * those of more than 24 bits rounded. RM_E_TYPE for another dtype. */
RM_MUST_CHECK int rmi_sample_convert(rmi_quantiser *quantiser, rm_dtype from, const void *in, size_t count,
                                     rmi_sample_format format, void *out, rm_error *err);

#endif
