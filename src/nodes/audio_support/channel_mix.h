/* Mixes the channels of float32 audio: by loudspeakers as ITU-R BS.775-3 does, or by any matrix. */
#ifndef NODES_AUDIO_SUPPORT_CHANNEL_MIX_H
#define NODES_AUDIO_SUPPORT_CHANNEL_MIX_H

#include "remotemedia/node.h"

/* A place for the channels of a stream: a mask, or 0 where the places are not known. */
typedef struct rmi_channel_set {
    int32_t channels;
    uint64_t layout; /* 0, or a mask of `channels` bits */
} rmi_channel_set;

/* A channel of the output is the sum of gain * channel of the input, in the order of the input, without those
 * whose gain is 0. */
typedef struct rmi_channel_mix rmi_channel_mix;

/* Makes the mix from one set of channels to another. A channel goes to its own place; where the output has no
 * such place: front centre to left and right at 0.707, back and side channels to each other, else to the
 * front at 0.707, back centre to both of them at 0.707 of that, LFE nowhere. To mono the whole lies 3 dB
 * lower, so that it is the mean of left and right; mono to left and right is 1. Sets of equal size with an
 * unknown layout keep their order; any set to mono without known places is the mean. `normalize`: all gains
 * are lowered so that no sum of full-scale channels clips. *out is owned: rmi_channel_mix_free. RM_E_VALUE
 * where the places are unknown. */
RM_MUST_CHECK int rmi_channel_mix_new(const rm_allocator *allocator, rmi_channel_set from, rmi_channel_set to,
                                      bool normalize, rmi_channel_mix **out, rm_error *err);
/* The same of a matrix, a row of `in` gains for each of the `out_count` outputs. */
RM_MUST_CHECK int rmi_channel_mix_of(const rm_allocator *allocator, const double *gains, int32_t in,
                                     int32_t out_count, rmi_channel_mix **out, rm_error *err);
/* Whether every channel stays what and where it is. */
bool rmi_channel_mix_is_identity(const rmi_channel_mix *mix);
/* Mixes interleaved frames; `out` has room for them and does not overlap `in`. */
void rmi_channel_mix_frames(const rmi_channel_mix *mix, const float *in, size_t frames, float *out);
/* NULL is fine. */
void rmi_channel_mix_free(rmi_channel_mix *mix);

#endif
