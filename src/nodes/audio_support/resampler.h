/* Converts the sample rate of float32 audio, with linear-phase filters and without delay: output frame i is
 * the input at the time i / rate_out. The same bits on every host, and for any division of the input into
 * calls. Samples that are no numbers (NaN, infinite) count as silence. */
#ifndef NODES_AUDIO_SUPPORT_RESAMPLER_H
#define NODES_AUDIO_SUPPORT_RESAMPLER_H

#include "remotemedia/node.h"

/* In parts of the lower rate: the end of the pass band, how flat it is, and the depth of the stop band, which
 * begins at 0.5. docs/audio.md has the figures as measured. */
typedef enum rmi_resample_quality {
    RMI_RESAMPLE_FAST,     /* 0.40, 0.1 dB, 75 dB */
    RMI_RESAMPLE_STANDARD, /* 0.45, 0.1 dB, 100 dB */
    RMI_RESAMPLE_BEST,     /* 0.475, 0.05 dB, 125 dB */
} rmi_resample_quality;

enum { RMI_RESAMPLE_SLOWEST = 1000, RMI_RESAMPLE_FASTEST = 384000 }; /* the rates, Hz */

typedef struct rmi_resampler rmi_resampler;

/* Makes a converter between two different rates; frames are interleaved. All memory is allocated here: the
 * filter, at most 512 KiB, and some KiB for each channel. *out is owned: rmi_resampler_free. RM_E_VALUE for
 * rates outside of the limits. */
RM_MUST_CHECK int rmi_resampler_new(const rm_allocator *allocator, int32_t rate_in, int32_t rate_out,
                                    int32_t channels, rmi_resample_quality quality, rmi_resampler **out,
                                    rm_error *err);
/* The number of frames that can be put out once `frames` more have come in (0: at once). */
uint64_t rmi_resampler_ready(const rmi_resampler *resampler, size_t frames);
/* Takes up to `frames` frames in and puts up to `room` frames out. *used is less than `frames` only when the
 * room is full. */
void rmi_resampler_process(rmi_resampler *resampler, const float *in, size_t frames, size_t *used, float *out,
                           size_t room, size_t *made);
/* After the last input: puts out up to `room` of the frames that remain and returns their number; 0 when all
 * ceil(frames in * rate_out / rate_in) have been put out. No input may follow before a restart. */
size_t rmi_resampler_flush(rmi_resampler *resampler, float *out, size_t room);
/* The number of frames that rmi_resampler_flush still has. */
uint64_t rmi_resampler_rest(const rmi_resampler *resampler);
/* Forgets everything that came in. */
void rmi_resampler_restart(rmi_resampler *resampler);
/* NULL is fine. */
void rmi_resampler_free(rmi_resampler *resampler);

#endif
