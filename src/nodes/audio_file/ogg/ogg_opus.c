/* Opus in Ogg (RFC 7845), by libopus, whose decoder lives in memory of ours. Always at 48 kHz. */
#include <opus_multistream.h>
#include <string.h>

#include "nodes/audio_file/ogg/ogg_codec.h"

enum { RATE = 48000, MOST_FRAMES = RATE / 1000 * 120, HEAD = 19, NO_STREAM = 255 };

typedef struct opus_state {
    const rm_allocator *allocator;
    size_t size;
    max_align_t decoder[];
} opus_state;

/* What the first packet says of the decoder. */
typedef struct opus_layout {
    int streams, coupled;
    const uint8_t *mapping; /* the decoded channel of each of the stream */
    int16_t gain;           /* in 1/256 dB */
} opus_layout;

/* The layout of one or two channels without a mapping of their own. */
static const uint8_t usual[] = {0, 1};

static int read_head(const rmi_audio_input *input, const uint8_t *packet, size_t length, opus_layout *layout,
                     rmi_ogg_format *format, rm_error *err)
{
    const bool whole = length >= HEAD && packet[9] != 0;
    if (!whole)
        return rmi_audio_damaged(input, err, "is not a sound Opus file: its first header is damaged");
    const uint8_t channels = packet[9], family = packet[18];
    if ((packet[8] & 0xf0) != 0 || (family > 2 && family != 255)) {
        rm_error_set(err, RM_E_UNSUPPORTED,
                     "'%s' is Opus of version %d with the channel mapping family %d, which is not read",
                     rmi_audio_input_name(input), packet[8], family);
        return RM_E_UNSUPPORTED;
    }
    format->channels = channels;
    format->sample_rate = RATE;
    format->pre_skip = rmi_little16(packet + 10);
    layout->gain = (int16_t)rmi_little16(packet + 16);
    layout->streams = 1;
    layout->coupled = channels - 1;
    bool right = channels <= 2;
    if (family != 0) {
        right = length >= HEAD + 2 + (size_t)channels && (family != 1 || channels <= 8);
        layout->streams = right ? packet[HEAD] : 0;
        layout->coupled = right ? packet[HEAD + 1] : 0;
        layout->mapping = packet + HEAD + 2;
        right = right && layout->streams > 0 && layout->coupled <= layout->streams &&
                layout->streams + layout->coupled <= 255;
        for (int i = 0; right && i < channels; i++)
            right = layout->mapping[i] < layout->streams + layout->coupled || layout->mapping[i] == NO_STREAM;
    }
    if (!right)
        return rmi_audio_damaged(input, err, "is not a sound Opus file: its channel mapping is damaged");
    rmi_ogg_order_channels(format, family < 2);
    return RM_OK;
}

static int ogg_opus_open(const rmi_audio_input *input, const uint8_t *packet, size_t length, void **state,
                         rmi_ogg_format *format, rm_error *err)
{
    const rm_allocator *allocator = rmi_audio_input_allocator(input);
    opus_layout layout = {.mapping = usual};
    uint8_t mapping[255];
    const int rc = read_head(input, packet, length, &layout, format, err);
    if (rc != RM_OK)
        return rc;
    const size_t size =
        sizeof(opus_state) + (size_t)opus_multistream_decoder_get_size(layout.streams, layout.coupled);
    opus_state *opus = allocator->resize(allocator->context, NULL, 0, size);
    if (opus == NULL)
        return rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory");
    *opus = (opus_state){.allocator = allocator, .size = size};
    for (int32_t i = 0; i < format->channels; i++)
        mapping[i] = layout.mapping[format->places[i]];
    OpusMSDecoder *decoder = (OpusMSDecoder *)opus->decoder;
    int failed = opus_multistream_decoder_init(decoder, RATE, format->channels, layout.streams,
                                               layout.coupled, mapping);
    failed = failed != OPUS_OK ? failed : opus_multistream_decoder_ctl(decoder, OPUS_SET_GAIN(layout.gain));
    *state = opus;
    if (failed == OPUS_OK)
        return RM_OK;
    allocator->resize(allocator->context, opus, size, 0);
    *state = NULL;
    return rmi_audio_damaged(input, err, "is not a sound Opus file: %s", opus_strerror(failed));
}

static size_t ogg_opus_measure(void *state, const uint8_t *packet, size_t length)
{
    (void)state;
    const int frames =
        length > 0 && length <= INT32_MAX ? opus_packet_get_nb_samples(packet, (opus_int32)length, RATE) : 0;
    return frames > 0 ? (size_t)frames : 0;
}

static bool ogg_opus_decode(void *state, const rmi_ogg_format *format, const uint8_t *packet, size_t length,
                            float *samples, size_t *frames)
{
    opus_state *opus = state;
    (void)format;
    const int got = opus_multistream_decode_float((OpusMSDecoder *)opus->decoder, packet, (opus_int32)length,
                                                  samples, MOST_FRAMES, 0);
    *frames = got > 0 ? (size_t)got : 0;
    return got > 0;
}

/* The decoder goes on: it comes back to the right samples by itself. */
static void ogg_opus_reset(void *state)
{
    (void)state;
}

static void ogg_opus_close(void *state)
{
    opus_state *opus = state;
    if (opus != NULL)
        opus->allocator->resize(opus->allocator->context, opus, opus->size, 0);
}

const rmi_ogg_codec rmi_ogg_opus = {.headers = 2,
                                    .comment = "OpusTags",
                                    .most_frames = MOST_FRAMES,
                                    .open = ogg_opus_open,
                                    .measure = ogg_opus_measure,
                                    .decode = ogg_opus_decode,
                                    .reset = ogg_opus_reset,
                                    .close = ogg_opus_close};
