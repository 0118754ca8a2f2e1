#include "nodes/audio_support/resampler_filters.h"

#include <math.h>
#include <string.h>

/* Values of the kernel's table in one frame of the lower rate. Between them six-point interpolation is exact
 * to the float's last bit. */
enum { FINE = 64, MARGIN = 4 };
static const double pi = 3.14159265358979323846;

/* The modified Bessel function of order 0. */
static double bessel(double x)
{
    const double quarter = x * x / 4.0;
    double sum = 1.0, term = 1.0;
    for (int k = 1; term > sum * 1e-17; k++) {
        term *= quarter / ((double)k * k);
        sum += term;
    }
    return sum;
}

/* Kaiser's window of `depth` dB at x, from -1 to 1. */
static double kaiser(double x, double depth)
{
    const double beta = 0.1102 * (depth - 8.7);
    return fabs(x) < 1.0 ? bessel(beta * sqrt(1.0 - x * x)) / bessel(beta) : 0.0;
}

/* Half the length of a Kaiser-windowed filter whose transition band is `band` of its rate. */
static double kaiser_reach(double depth, double band)
{
    return (depth - 7.95) / (14.36 * band) / 2.0;
}

/* The interpolating kernel between taps at twice the lower rate: it lets 0.5 of the lower rate through and
 * is closed from 1.5 on. */
static double interpolate(double x, double reach, double depth)
{
    const double sinc = x != 0.0 ? sin(pi * x) / (pi * x) : 1.0;
    return sinc * kaiser(x / reach, depth);
}

int rmi_resampler_kernel_new(const rm_allocator *allocator, rmi_resample_quality quality,
                             rmi_resampler_kernel *kernel, rm_error *err)
{
    const rmi_resampler_prototype *prototype = &rmi_resampler_prototypes[quality];
    const double reach = kaiser_reach(prototype->depth, 0.5);
    const int side = (int)ceil(reach);
    double between[2 * RMI_HALF_BAND_MOST];
    *kernel = (rmi_resampler_kernel){.width = (prototype->count - 0.5 + reach) / 2.0};
    kernel->count = (size_t)ceil(kernel->width) * FINE + 2 * MARGIN;
    kernel->values = allocator->resize(allocator->context, NULL, 0, kernel->count * sizeof(double));
    if (kernel->values == NULL)
        return rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory (%zu bytes)",
                            kernel->count * sizeof(double));
    memset(kernel->values, 0, kernel->count * sizeof(double));
    /* A value at the time t has taps at 2 t - distance: the distances repeat every half frame. */
    for (int step = 0; step < FINE / 2; step++) {
        const double offset = 2.0 * step / FINE + 0.5; /* from the tap below; taps lie at halves */
        const double fraction = offset - floor(offset);
        for (int k = 0; k < 2 * side; k++)
            between[k] = interpolate(fraction + (side - 1 - k), reach, prototype->depth);
        for (size_t at = (size_t)step; at < kernel->count; at += FINE / 2) {
            const int below = (int)floor(2.0 * (double)at / FINE + 0.5); /* tap k lies at k - 0.5 */
            double sum = 0.0;
            for (int k = 0; k < 2 * side; k++) {
                const int tap = below - (side - 1) + k, mirrored = tap > 0 ? tap - 1 : -tap;
                if (mirrored < prototype->count)
                    sum += prototype->taps[mirrored] * between[k];
            }
            kernel->values[at] = sum;
        }
    }
    return RM_OK;
}

/* By Lagrange's formula. */
double rmi_resampler_kernel_at(const rmi_resampler_kernel *kernel, double time)
{
    static const double scales[] = {-1.0 / 120, 1.0 / 24, -1.0 / 12, 1.0 / 12, -1.0 / 24, 1.0 / 120};
    const double at = fabs(time) * FINE;
    if (fabs(time) >= kernel->width)
        return 0.0;
    const int first = (int)at - 2; /* of six values */
    const double x = at - first;
    double sum = 0.0;
    for (int i = 0; i < 6; i++) {
        double weight = scales[i];
        for (int j = 0; j < 6; j++)
            weight *= j != i ? x - j : 1.0;
        sum += weight * kernel->values[first + i < 0 ? -(first + i) : first + i];
    }
    return sum;
}

void rmi_resampler_kernel_free(const rm_allocator *allocator, rmi_resampler_kernel *kernel)
{
    if (kernel->values != NULL)
        allocator->resize(allocator->context, kernel->values, kernel->count * sizeof(double), 0);
    *kernel = (rmi_resampler_kernel){0};
}

size_t rmi_half_band(rmi_resample_quality quality, float taps[RMI_HALF_BAND_MOST])
{
    const rmi_resampler_prototype *prototype = &rmi_resampler_prototypes[quality];
    double exact[RMI_HALF_BAND_MOST], sum = 0.0;
    const int pairs = prototype->pairs;
    for (int k = 0; k < pairs; k++) {
        const double distance = 2.0 * k + 1.0;
        const double window = kaiser(distance / (2.0 * pairs), prototype->depth);
        exact[k] = (k % 2 == 0 ? 1.0 : -1.0) / (pi * distance) * window;
        sum += 2.0 * exact[k];
    }
    for (int k = 0; k < pairs; k++)
        taps[k] = (float)(exact[k] * 0.5 / sum);
    return (size_t)pairs;
}
