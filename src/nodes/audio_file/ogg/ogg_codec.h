/* A codec in Ogg: one constant rmi_ogg_codec each. */
#ifndef NODES_AUDIO_FILE_OGG_CODEC_H
#define NODES_AUDIO_FILE_OGG_CODEC_H

#include "nodes/audio_file/audio_decoder.h"

typedef struct rmi_ogg_format {
    int32_t channels, sample_rate;
    uint64_t channel_layout;                     /* as in rmi_audio_decoder */
    uint8_t places[RMI_AUDIO_MOST_CHANNELS + 1]; /* the stream's channel for each of the output */
    uint64_t pre_skip;                           /* frames at the start that are not part of the audio */
} rmi_ogg_format;

typedef struct rmi_ogg_codec {
    unsigned headers;    /* packets before the audio; the second has comments, and is not given */
    const char *comment; /* how that one begins */
    size_t most_frames;  /* that a packet gives */
    /* Makes a decoder from the first packet. *state is owned. RM_E_PARSE, RM_E_UNSUPPORTED. */
    int (*open)(const rmi_audio_input *input, const uint8_t *packet, size_t length, void **state,
                rmi_ogg_format *format, rm_error *err);
    /* Reads the third packet. */
    int (*setup)(const rmi_audio_input *input, void *state, const uint8_t *packet, size_t length,
                 rm_error *err);
    /* The frames that the packet will give. Called once for each, in their order, before it is decoded;
     * `packet` may have only its first 255 bytes. */
    size_t (*measure)(void *state, const uint8_t *packet, size_t length);
    /* Decodes into interleaved `samples`, with room for most_frames. False: the packet is damaged. */
    bool (*decode)(void *state, const rmi_ogg_format *format, const uint8_t *packet, size_t length,
                   float *samples, size_t *frames);
    /* Packets are missing here. */
    void (*reset)(void *state);
    void (*close)(void *state);
} rmi_ogg_codec;

extern const rmi_ogg_codec rmi_ogg_vorbis, rmi_ogg_opus;

/* Fills in places and channel_layout for streams with Vorbis' order of channels (Vorbis I, 4.3.9): the output
 * has that of the WAV channel mask. Where the order is not defined, it stays. */
void rmi_ogg_order_channels(rmi_ogg_format *format, bool defined);

#endif
