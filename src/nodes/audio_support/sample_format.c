#include "nodes/audio_support/sample_format.h"

#include <math.h>
#include <string.h>

/* Samples are converted in pieces of this many. */
enum { PIECE = 256 };

rm_dtype rmi_sample_dtype(rmi_sample_format format)
{
    static const rm_dtype dtypes[] = {RM_INT16, RM_INT32, RM_INT32, RM_FLOAT32};
    return dtypes[format];
}

/* A number that looks random (the output function of splitmix64). */
static uint64_t scramble(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* The noise of a sample, in steps: the sum of two uniform numbers, each a step wide. */
static double noise(const rmi_quantiser *q, uint64_t position)
{
    const uint64_t bits = scramble(q->seed + (position + 1) * UINT64_C(0x9e3779b97f4a7c15));
    return ((double)(bits >> 32) + (double)(uint32_t)bits) * 0x1p-32 - (1.0 - 0x1p-32);
}

/* Samples as doubles whose full scale is `scale`. */
static void read_samples(rm_dtype from, const void *in, size_t count, double scale, double *to)
{
    const float *floats = in;
    const int16_t *shorts = in;
    const int32_t *ints = in;
    for (size_t i = 0; i < count && from == RM_FLOAT32; i++)
        to[i] = (double)floats[i] * scale;
    for (size_t i = 0; i < count && from == RM_INT16; i++)
        to[i] = (double)shorts[i] * (scale * 0x1p-15);
    for (size_t i = 0; i < count && from == RM_INT32; i++)
        to[i] = (double)ints[i] * (scale * 0x1p-31);
}

/* Makes whole numbers of samples whose full scale is `scale`, and counts those that do not fit. */
static void quantise(rmi_quantiser *q, double *samples, size_t count, double scale)
{
    /* Adding it leaves no bits behind the point; the sum is rounded to the nearest, and to even ones. */
    const double rounder = 0x1.8p52;
    size_t clipped = 0, nan = 0;
    for (size_t i = 0; i < count; i++)
        nan += samples[i] != samples[i];
    for (size_t i = 0; nan > 0 && i < count; i++)
        samples[i] = samples[i] == samples[i] ? samples[i] : 0.0;
    for (size_t i = 0; q->dithers && i < count; i++)
        samples[i] += noise(q, q->position + i);
    for (size_t i = 0; i < count; i++) {
        const double low = samples[i] < -scale - 1.0 ? -scale - 1.0 : samples[i];
        const double near = ((low > scale ? scale : low) + rounder) - rounder;
        clipped += near > scale - 1.0 || near < -scale;
        const double above = near < -scale ? -scale : near;
        samples[i] = above > scale - 1.0 ? scale - 1.0 : above;
    }
    q->clipped += clipped;
    q->nan += nan;
}

/* Whether `from` has no bits beyond those of `format`: then nothing is rounded, and no noise is added. */
static bool is_exact(rm_dtype from, rmi_sample_format format)
{
    return from == RM_INT16 || (from == RM_INT32 && format == RMI_SAMPLE_INT32);
}

int rmi_sample_convert(rmi_quantiser *q, rm_dtype from, const void *in, size_t count,
                       rmi_sample_format format, void *out, rm_error *err)
{
    static const double scales[] = {0x1p15, 0x1p23, 0x1p31, 1.0};
    const size_t size = rm_dtype_size(from), to_size = rm_dtype_size(rmi_sample_dtype(format));
    double piece[PIECE];
    if (from != RM_FLOAT32 && from != RM_INT16 && from != RM_INT32)
        return rm_error_set(err, RM_E_TYPE, "expected audio of int16, int32 or float32, got %s",
                            rm_dtype_name(from));
    if (from == RM_FLOAT32 && format == RMI_SAMPLE_FLOAT32) {
        memcpy(out, in, count * size);
        return RM_OK;
    }
    for (size_t done = 0; done < count; done += PIECE) {
        const size_t part = count - done < PIECE ? count - done : PIECE;
        char *to = (char *)out + done * to_size;
        float *floats = (float *)(void *)to;
        int16_t *shorts = (int16_t *)(void *)to;
        int32_t *ints = (int32_t *)(void *)to;
        read_samples(from, (const char *)in + done * size, part, scales[format], piece);
        if (format != RMI_SAMPLE_FLOAT32 && !is_exact(from, format))
            quantise(q, piece, part, scales[format]);
        q->position += part;
        for (size_t i = 0; i < part && format == RMI_SAMPLE_FLOAT32; i++)
            floats[i] = (float)piece[i];
        for (size_t i = 0; i < part && format == RMI_SAMPLE_INT16; i++)
            shorts[i] = (int16_t)piece[i];
        for (size_t i = 0; i < part && format == RMI_SAMPLE_INT24; i++)
            ints[i] = (int32_t)piece[i] * 256;
        for (size_t i = 0; i < part && format == RMI_SAMPLE_INT32; i++)
            ints[i] = (int32_t)piece[i];
    }
    return RM_OK;
}
