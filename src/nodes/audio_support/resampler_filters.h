/* The filters of the resampler, computed in double precision: a kernel for any time, and half-band filters. */
#ifndef NODES_AUDIO_SUPPORT_RESAMPLER_FILTERS_H
#define NODES_AUDIO_SUPPORT_RESAMPLER_FILTERS_H

#include "nodes/audio_support/resampler.h"

/* A low-pass at twice the lower rate, symmetric around the middle between two taps: the right half. */
typedef struct rmi_resampler_prototype {
    const double *taps;
    int count;    /* of the right half */
    double depth; /* of the interpolating kernel and of half-band filters, dB */
    int pairs;    /* pairs of taps of a half-band filter beside its middle */
} rmi_resampler_prototype;
extern const rmi_resampler_prototype rmi_resampler_prototypes[]; /* by rmi_resample_quality */

/* The prototype as a function of continuous time, whose unit is a frame of the lower rate. */
typedef struct rmi_resampler_kernel {
    double width;   /* the kernel is 0 from here on, on both sides */
    double *values; /* owned */
    size_t count;
} rmi_resampler_kernel;

/* RM_E_OUT_OF_MEMORY. *kernel is owned: rmi_resampler_kernel_free. */
RM_MUST_CHECK int rmi_resampler_kernel_new(const rm_allocator *allocator, rmi_resample_quality quality,
                                           rmi_resampler_kernel *kernel, rm_error *err);
double rmi_resampler_kernel_at(const rmi_resampler_kernel *kernel, double time);
void rmi_resampler_kernel_free(const rm_allocator *allocator, rmi_resampler_kernel *kernel);

/* Most pairs of taps in a half-band filter. */
enum { RMI_HALF_BAND_MOST = 16 };
/* The taps of a half-band filter at the distances 1, 3, 5 ... from its middle (which is 0.5), flat to a sixth
 * of the rate and closed from a third on. Returns their number. */
size_t rmi_half_band(rmi_resample_quality quality, float taps[RMI_HALF_BAND_MOST]);

#endif
