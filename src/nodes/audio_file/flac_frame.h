/* One frame of a FLAC stream (RFC 9639, chapter 9). */
#ifndef NODES_AUDIO_FILE_FLAC_FRAME_H
#define NODES_AUDIO_FILE_FLAC_FRAME_H

#include "nodes/audio_file/flac_bits.h"

enum { RMI_FLAC_CHANNELS = 8 };

/* What STREAMINFO says, which a frame's header may leave out. */
typedef struct rmi_flac_stream {
    int32_t channels, sample_rate;
    uint32_t bits, block; /* a sample; the longest block's frames */
} rmi_flac_stream;

typedef struct rmi_flac_header {
    int32_t channels, sample_rate;
    uint32_t bits, frames;
    unsigned pairing; /* RMI_FLAC_APART ... */
    uint64_t number;
    size_t size; /* bytes */
} rmi_flac_header;
enum { RMI_FLAC_APART, RMI_FLAC_LEFT_SIDE, RMI_FLAC_SIDE_RIGHT, RMI_FLAC_MID_SIDE };

/* The longest header, with its sum. */
enum { RMI_FLAC_HEADER = 16 };

/* Reads the header at `bytes`; false where there is none: another sync code, a reserved value, a wrong sum. */
bool rmi_flac_header_read(const uint8_t *bytes, size_t length, const rmi_flac_stream *stream,
                          rmi_flac_header *out);
/* Room for a channel of `frames` samples. */
static inline size_t rmi_flac_room(size_t frames)
{
    return frames + RMI_FLAC_CHANNELS;
}
/* Decodes the frame whose header is the input's next bytes into one buffer a channel, of rmi_flac_room
 * samples; `wide` are those of 32 bits, whose sides need 33. The frame is taken from the input. false: it is
 * damaged, or the file ends in it. */
bool rmi_flac_frame_decode(rmi_audio_input *input, const rmi_flac_header *header, int32_t *const *samples,
                           int64_t *const *wide);

#endif
