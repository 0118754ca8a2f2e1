/* Shared by the audio nodes: the check of a packet, decibels, and the time line of a stream. */
#ifndef NODES_AUDIO_SUPPORT_H
#define NODES_AUDIO_SUPPORT_H

#include "remotemedia/node.h"

/* The level of silence, in dB; no lower level is reported. */
#define RMI_AUDIO_SILENCE_DB (-120.0)

/* The float32 samples of `value`, borrowed; RM_E_TYPE for anything else. */
RM_MUST_CHECK int rmi_audio_of(rm_value value, rm_samples *out, rm_error *err);
/* Converts a mean square (1.0: full scale) to dB, not below RMI_AUDIO_SILENCE_DB; NaN and infinities stay the
 * same. */
double rmi_audio_decibels(double power);
/* Rounds to two decimals, as levels are shown. */
double rmi_audio_round(double decibels);

/* Puts `value`, consumed, into the packet's metadata. */
RM_MUST_CHECK int rmi_audio_annotate(const rm_allocator *allocator, rm_packet *packet, const char *key,
                                     rm_value value, rm_error *err);

/* The position of a stream of audio packets. Start from {0}. */
typedef struct rmi_audio_stream {
    int32_t channels, sample_rate; /* 0 before the first packet */
    int64_t base;                  /* time of the first frame since the last jump, ns */
    int64_t frames;                /* frames since then */
    bool jump;                     /* a packet without frames was flagged as a discontinuity */
} rmi_audio_stream;

/* Whether a packet has no frames: it decides nothing, and the node leaves it out. Its flag goes to the next packet. */
bool rmi_audio_stream_skips(rmi_audio_stream *stream, const rm_samples *audio, rm_packet *packet);
/* RM_E_VALUE when `audio` has another rate or number of channels than the stream so far. The first packet
 * decides. */
RM_MUST_CHECK int rmi_audio_stream_check(rmi_audio_stream *stream, const rm_samples *audio, rm_error *err);
/* Whether `packet` does not continue the stream: it is flagged so, or its timestamp is off by more than one
 * frame. A packet without a timestamp continues it. Always true for the first packet. */
bool rmi_audio_stream_jumps(const rmi_audio_stream *stream, const rm_packet *packet);
/* Restarts the stream at `packet`; without a timestamp at the stream's end (at first: 0). */
void rmi_audio_stream_anchor(rmi_audio_stream *stream, const rm_packet *packet);
/* The time of a frame counted from the last jump, ns: the error is at most the rounding of one division. */
int64_t rmi_audio_stream_time(const rmi_audio_stream *stream, int64_t frame);

#endif
