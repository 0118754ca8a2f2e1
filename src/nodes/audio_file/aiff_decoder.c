/* AIFF and AIFF-C. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "nodes/audio_file/sample_data.h"

/* What SoX puts into a pipe where a length belongs: 0x7f000000 bytes of samples, as far as whole frames go, and the 8
 * in front of them. */
#define NO_LENGTH_MOST UINT64_C(0x7f000008)
#define NO_LENGTH_LEAST (NO_LENGTH_MOST - RMI_AUDIO_MOST_CHANNELS * UINT64_C(8))

typedef struct aiff_decoder {
    rmi_audio_decoder base;
    rmi_sample_data data;
    bool compressed, has_format; /* AIFF-C; COMM has been read */
    uint64_t frames;             /* of COMM */
} aiff_decoder;

static bool aiff_recognises(const uint8_t *head, size_t length)
{
    return length >= 12 && memcmp(head, "FORM", 4) == 0 &&
           (memcmp(head + 8, "AIFF", 4) == 0 || memcmp(head + 8, "AIFC", 4) == 0);
}

/* An 80-bit float, the sample rate; 0 where it is none. */
static int32_t rate_of(const uint8_t *bytes)
{
    const uint32_t exponent = rmi_big16(bytes);
    const uint64_t mantissa = rmi_big64(bytes + 2);
    if (exponent < 16383 || exponent > 16383 + 31)
        return 0;
    const uint32_t shift = 63 - (exponent - 16383);
    const uint64_t rate = (mantissa >> shift) + (mantissa >> (shift - 1) & 1);
    return rate <= INT32_MAX ? (int32_t)rate : 0;
}

/* How AIFF-C names the codecs that are read. `bits` 0: as COMM says. */
static const struct {
    const char *name;
    rmi_pcm_kind kind;
    bool big;
    size_t bytes;
} codecs[] = {
    {"NONE", RMI_PCM_SIGNED, true, 0},  {"twos", RMI_PCM_SIGNED, true, 0},
    {"sowt", RMI_PCM_SIGNED, false, 0}, {"raw ", RMI_PCM_UNSIGNED, true, 0},
    {"in24", RMI_PCM_SIGNED, true, 3},  {"in32", RMI_PCM_SIGNED, true, 4},
    {"42ni", RMI_PCM_SIGNED, false, 3}, {"23ni", RMI_PCM_SIGNED, false, 4},
    {"fl32", RMI_PCM_FLOAT, true, 4},   {"FL32", RMI_PCM_FLOAT, true, 4},
    {"fl64", RMI_PCM_FLOAT, true, 8},   {"FL64", RMI_PCM_FLOAT, true, 8},
    {"alaw", RMI_PCM_ALAW, true, 1},    {"ALAW", RMI_PCM_ALAW, true, 1},
    {"ulaw", RMI_PCM_MULAW, true, 1},   {"ULAW", RMI_PCM_MULAW, true, 1},
};
enum { CODECS = sizeof codecs / sizeof *codecs };

static int choose_codec(aiff_decoder *a, const char *name, uint32_t bits, rm_error *err)
{
    char what[64];
    size_t i = 0;
    while (i < CODECS && memcmp(codecs[i].name, name, 4) != 0)
        i++;
    if (i < CODECS) {
        a->data.pcm = (rmi_pcm){codecs[i].kind, codecs[i].big, codecs[i].bytes};
        if (a->data.pcm.bytes == 0)
            a->data.pcm.bytes = (bits + 7) / 8;
        a->data.frame_size = a->data.pcm.bytes * (size_t)a->base.channels;
        if (rmi_pcm_exists(&a->data.pcm))
            return RM_OK;
        (void)snprintf(what, sizeof what, "AIFF with samples of %" PRIu32 " bits", bits);
    } else {
        (void)snprintf(what, sizeof what, "AIFF-C with the codec '%.4s'", name);
    }
    return rmi_audio_unsupported(a->base.input, what, err);
}

static int read_format(aiff_decoder *a, uint64_t size, rm_error *err)
{
    uint8_t comm[22];
    const size_t wanted = a->compressed ? 22 : 18;
    if (size < wanted || rmi_audio_input_read(a->base.input, comm, wanted) != wanted)
        return rmi_audio_damaged(a->base.input, err, "is not a sound AIFF file: its format is cut off");
    const uint32_t channels = rmi_big16(comm);
    a->base.channels = (int32_t)channels;
    a->base.sample_rate = rate_of(comm + 8);
    a->frames = rmi_big32(comm + 2);
    if (channels > RMI_AUDIO_MOST_CHANNELS)
        return rmi_audio_many_channels(a->base.input, channels, err);
    if (channels == 0 || a->base.sample_rate == 0)
        return rmi_audio_damaged(a->base.input, err,
                                 "is not a sound AIFF file: it has %" PRIu32 " channel(s) at %" PRId32 " Hz",
                                 channels, a->base.sample_rate);
    (void)rmi_audio_input_skip(a->base.input, size - wanted + (size & 1));
    a->has_format = true;
    return choose_codec(a, a->compressed ? (const char *)comm + 18 : "NONE", rmi_big16(comm + 6), err);
}

/* Whether the size of SSND, whose first 8 bytes have been read, is none. */
static bool no_length(const aiff_decoder *a, uint64_t size)
{
    const uint64_t left = rmi_audio_input_left(a->base.input);
    return size == 0 || size == UINT32_MAX ||
           (size >= NO_LENGTH_LEAST && size <= NO_LENGTH_MOST &&
            (left == RMI_AUDIO_UNKNOWN || size - 8 > left));
}

/* The samples begin behind an offset. A file that was written into a pipe may state no length. */
static int read_start(aiff_decoder *a, uint64_t size, rm_error *err)
{
    uint8_t head[8];
    if (!a->has_format)
        return rmi_audio_unsupported(a->base.input,
                                     "AIFF with its samples (SSND) in front of their format (COMM)", err);
    if (rmi_audio_input_read(a->base.input, head, 8) != 8)
        return rmi_audio_damaged(a->base.input, err,
                                 "is not a sound AIFF file: it ends before its samples begin");
    const bool unknown = no_length(a, size);
    const uint64_t offset = rmi_big32(head);
    (void)rmi_audio_input_skip(a->base.input, offset);
    const uint64_t by_frames = a->frames * a->data.frame_size;
    const bool knows = a->frames != 0 && a->frames != UINT32_MAX && size != UINT32_MAX;
    const uint64_t by_chunk = size >= 8 + offset ? size - 8 - offset : 0;
    a->data.promised = knows ? by_frames : by_chunk;
    if (knows && by_chunk >= by_frames + a->data.frame_size)
        (void)snprintf(a->base.warning, sizeof a->base.warning,
                       "has room for %" PRIu64 " frames, and states %" PRIu64 ", which are read",
                       by_chunk / a->data.frame_size, a->frames);
    if (unknown)
        a->data.promised = RMI_AUDIO_UNKNOWN;
    return RM_OK;
}

static int read_chunks(aiff_decoder *a, rm_error *err)
{
    uint8_t head[12];
    if (rmi_audio_input_read(a->base.input, head, 12) == 12)
        a->compressed = memcmp(head + 8, "AIFC", 4) == 0;
    while (rmi_audio_input_read(a->base.input, head, 8) == 8) {
        const uint64_t size = rmi_big32(head + 4);
        int rc = RM_OK;
        if (memcmp(head, "SSND", 4) == 0)
            return read_start(a, size, err);
        if (memcmp(head, "COMM", 4) == 0 && !a->has_format)
            rc = read_format(a, size, err);
        else
            (void)rmi_audio_input_skip(a->base.input, size + (size & 1));
        if (rc != RM_OK)
            return rc;
    }
    if (a->has_format && a->frames == 0) { /* without samples there need be no SSND */
        a->data.promised = 0;
        return RM_OK;
    }
    return rmi_audio_damaged(a->base.input, err,
                             "is not a sound AIFF file: it ends before its samples begin");
}

static void aiff_close(rmi_audio_decoder *decoder)
{
    rmi_audio_decoder_delete(decoder, sizeof(aiff_decoder));
}

static int aiff_open(rmi_audio_input *input, rmi_audio_decoder **out, rm_error *err)
{
    aiff_decoder *a = rmi_audio_decoder_new(&rmi_audio_aiff, sizeof *a, input);
    *out = NULL;
    if (a == NULL)
        return rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory");
    const int rc = read_chunks(a, err);
    if (rc == RM_OK)
        *out = &a->base;
    else
        aiff_close(&a->base);
    return rc;
}

static int aiff_read(rmi_audio_decoder *decoder, float *samples, size_t frames, size_t *got, rm_error *err)
{
    return rmi_sample_data_read(&((aiff_decoder *)decoder)->data, decoder, samples, frames, got, err);
}

const rmi_audio_decoder_type rmi_audio_aiff = {
    .recognises = aiff_recognises, .open = aiff_open, .read = aiff_read, .close = aiff_close};
