/* What a container or codec has to give: one constant rmi_audio_decoder_type each, in a file of its own. A
 * decoder alone knows its format's headers: nothing else looks at them. */
#ifndef NODES_AUDIO_FILE_AUDIO_DECODER_H
#define NODES_AUDIO_FILE_AUDIO_DECODER_H

#include "nodes/audio_file/audio_input.h"
#include "nodes/audio_file/codec.h"

typedef struct rmi_audio_decoder rmi_audio_decoder;

typedef struct rmi_audio_decoder_type {
    /* Whether a file that begins with `head` (16 bytes or more, fewer where the file is shorter) is of this
     * format. Reads nothing else. */
    bool (*recognises)(const uint8_t *head, size_t length);
    /* Reads the file up to its first samples. *out is owned, with its fields filled in; on failure the
     * decoder has released what it took. RM_E_PARSE for damage, RM_E_UNSUPPORTED, by name, for a codec that
     * is not read. */
    int (*open)(rmi_audio_input *input, rmi_audio_decoder **out, rm_error *err);
    /* Reads up to `frames` > 0 interleaved frames. RM_OK with *got > 0: there may be more; with *got == 0:
     * the sound end of the file. A failure, with *got == 0, comes after all frames that can be read:
     * RM_E_PARSE where the file is cut off or damaged. RM_AGAIN, with *got == 0: from here on rate, channels or
     * layout are others, and stand in the decoder's fields. */
    int (*read)(rmi_audio_decoder *decoder, float *samples, size_t frames, size_t *got, rm_error *err);
    void (*close)(rmi_audio_decoder *decoder);
} rmi_audio_decoder_type;

/* The head of each decoder's own struct. */
struct rmi_audio_decoder {
    const rmi_audio_decoder_type *type;
    rmi_audio_input *input; /* borrowed */
    int32_t channels, sample_rate;
    /* Bits of the WAV channel mask, as RM_CHANNEL_*, in the order of the channels, which is the mask's order
     * for every format. 0: the file does not say, and the places are the usual ones for the count. */
    uint64_t channel_layout;
    char warning
        [160]; /* something to tell, although the file is read; emptied when told; "" if there is nothing */
};

/* The decoder type of the file, told from its first bytes (an ID3v2 tag at the start is passed over). Else
 * RM_E_UNSUPPORTED, naming a format that is known and not read, or RM_E_PARSE. */
RM_MUST_CHECK int rmi_audio_decoder_find(rmi_audio_input *input, const rmi_audio_decoder_type **out,
                                         rm_error *err);
/* RM_E_UNSUPPORTED: "'a.wav' holds X in WAV, which is not read; ffmpeg can convert it", with the command as a
 * hint. `what` names the codec. */
RM_MUST_CHECK int rmi_audio_unsupported(const rmi_audio_input *input, const char *what, rm_error *err);
/* RM_E_UNSUPPORTED: the file has too many channels. */
RM_MUST_CHECK int rmi_audio_many_channels(const rmi_audio_input *input, uint32_t channels, rm_error *err);
/* RM_E_PARSE: the file's name and then the text ("is cut off: it has 3 of 4 frames"). */
RM_MUST_CHECK int rmi_audio_damaged(const rmi_audio_input *input, rm_error *err, const char *format, ...)
    RM_PRINTF(3, 4);

/* A zeroed decoder struct of `size` bytes that begins with an rmi_audio_decoder; NULL when memory is out. */
RM_MUST_CHECK void *rmi_audio_decoder_new(const rmi_audio_decoder_type *type, size_t size,
                                          rmi_audio_input *input);
void rmi_audio_decoder_delete(rmi_audio_decoder *decoder, size_t size);

/* The samples a channel in all frames so far of an MP3 file, with those that were left out. */
uint64_t rmi_audio_mp3_samples(const rmi_audio_decoder *mp3);

extern const rmi_audio_decoder_type rmi_audio_wav, rmi_audio_aiff, rmi_audio_flac, rmi_audio_mp3,
    rmi_audio_ogg;

#endif
