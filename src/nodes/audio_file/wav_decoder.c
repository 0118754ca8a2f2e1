/* WAV in its four containers: RIFF, its big-endian form RIFX, RF64 (also called BW64) and Sony's W64, both for
 * more than 4 GiB. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "nodes/audio_file/audio_tags.h"
#include "nodes/audio_file/sample_data.h"
#include "nodes/audio_file/wav_tags.h"

/* Programs that write into a pipe put about 2 or 4 GiB where a length belongs: from here on, up to 2 GiB, and
 * from here on, up to 4 GiB. */
#define NO_LENGTH_2 UINT64_C(0x7ff00000)
#define NO_LENGTH_4 UINT64_C(0xfff00000)
/* The same for lengths of 64 bits: from here on. No file is as long. */
#define NO_LENGTH_8 UINT64_C(0x7fffffffffff0000)

typedef struct wav_decoder {
    rmi_audio_decoder base;
    rmi_sample_data data;
    bool big, is_64; /* RIFX; RF64 */
    bool w64;
    bool has_format;
    bool has_wave_list; /* samples in pieces, with silence between them */
    unsigned tag;
    uint64_t frames;            /* of "fact" or "ds64", for ADPCM; or RMI_AUDIO_UNKNOWN */
    uint64_t data_size;         /* of "ds64" */
    uint64_t start, end;        /* of the outermost chunk, by its size; `end` may be RMI_AUDIO_UNKNOWN */
    rmi_audio_input *mp3_input; /* MP3, as a file of its own inside "data" */
    rmi_audio_decoder *mp3;
} wav_decoder;

/* A chunk's name, and the size of what is in it. */
typedef struct chunk {
    char name[5];
    uint64_t size;
} chunk;

static const uint8_t w64_tail[12] = {0xf3, 0xac, 0xd3, 0x11, 0x8c, 0xd1, 0x00, 0xc0, 0x4f, 0x8e, 0xdb, 0x8a};
static const uint8_t w64_riff[16] = {'r',  'i',  'f',  'f',  0x2e, 0x91, 0xcf, 0x11,
                                     0xa5, 0xd6, 0x28, 0xdb, 0x04, 0xc1, 0x00, 0x00};

static bool wav_recognises(const uint8_t *head, size_t length)
{
    if (length >= 16 && memcmp(head, w64_riff, 16) == 0)
        return true;
    const bool known = length >= 4 && (memcmp(head, "RIFF", 4) == 0 || memcmp(head, "RIFX", 4) == 0 ||
                                       memcmp(head, "RF64", 4) == 0 || memcmp(head, "BW64", 4) == 0);
    return known && (length < 12 || memcmp(head + 8, "WAVE", 4) == 0);
}

static uint32_t word16(const wav_decoder *w, const uint8_t *bytes)
{
    return w->big ? rmi_big16(bytes) : rmi_little16(bytes);
}

static uint32_t word32(const wav_decoder *w, const uint8_t *bytes)
{
    return w->big ? rmi_big32(bytes) : rmi_little32(bytes);
}

/* Takes the size of the outermost chunk. */
static void take_end(wav_decoder *w, uint64_t size)
{
    w->end = size == 0 || size >= NO_LENGTH_8 ? RMI_AUDIO_UNKNOWN : w->start + size;
}

/* Whether a length of 32 bits may stand for none. */
static bool no_length(uint64_t size)
{
    return (size >= NO_LENGTH_2 && size <= UINT64_C(0x80000000)) || size >= NO_LENGTH_4;
}

static int no_samples(const wav_decoder *w, rm_error *err)
{
    if (w->has_wave_list)
        return rm_error_set(err, RM_E_UNSUPPORTED,
                            "'%s' is WAV with its samples in a list (LIST wavl), which is not read",
                            rmi_audio_input_name(w->base.input));
    return rmi_audio_damaged(w->base.input, err, "is not a sound WAV file: it ends before its samples begin");
}

/* Reads the head of the file. */
static int read_head(wav_decoder *w, rm_error *err)
{
    uint8_t head[40];
    if (rmi_audio_input_read(w->base.input, head, 12) != 12)
        return no_samples(w, err);
    w->big = memcmp(head, "RIFX", 4) == 0;
    w->is_64 = memcmp(head, "RF64", 4) == 0 || memcmp(head, "BW64", 4) == 0;
    w->w64 = head[0] == 'r';
    w->start = rmi_audio_input_position(w->base.input) - (w->w64 ? 12 : 4); /* from where the size counts */
    if (w->w64 && rmi_audio_input_read(w->base.input, head + 12, 28) != 28)
        return no_samples(w, err);
    const uint64_t size = w->w64 ? rmi_little64(head + 16) : word32(w, head + 4);
    take_end(w, w->is_64 || (!w->w64 && no_length(size)) ? 0 : size);
    return RM_OK;
}

/* Reads the head of the next chunk. */
static bool next_chunk(wav_decoder *w, chunk *out)
{
    uint8_t head[24];
    const size_t size = w->w64 ? 24 : 8;
    if (rmi_audio_input_read(w->base.input, head, size) != size)
        return false;
    memcpy(out->name, head, 4);
    out->name[4] = '\0';
    out->size = w->w64 ? rmi_little64(head + 16) : word32(w, head + 4);
    if (w->w64) /* the size counts the head */
        out->size = out->size >= 24 ? out->size - 24 : 0;
    if (w->w64 && memcmp(head + 4, w64_tail, sizeof w64_tail) != 0)
        out->name[0] = '\0';
    return true;
}

/* Passes the rest of a chunk, of which `left` bytes were not read, and its padding. Some programs leave out the
 * padding. */
static void pass(wav_decoder *w, const chunk *c, uint64_t left)
{
    rmi_audio_input *input = w->base.input;
    const uint8_t *next = NULL;
    (void)rmi_audio_input_skip(input, left);
    if (w->w64) {
        (void)rmi_audio_input_skip(input, -c->size & 7);
    } else if ((c->size & 1) != 0) {
        const size_t there = rmi_audio_input_peek(input, 4, &next);
        if (there >= 4 ? memcmp(next, "data", 4) != 0 && memcmp(next, "fmt ", 4) != 0
                       : there > 0 && next[0] == 0)
            rmi_audio_input_take(input, 1);
    }
}

static int not_decoded(const wav_decoder *w, uint32_t tag, uint32_t bits, rm_error *err)
{
    char what[96];
    const char *name = rmi_wav_tag_name(tag);
    if (tag == RMI_WAV_FLOAT || tag == RMI_WAV_PCM)
        (void)snprintf(what, sizeof what, "WAV with %s of %" PRIu32 " bits", name, bits);
    else if (name != NULL)
        (void)snprintf(what, sizeof what, "WAV with %s (format tag 0x%04" PRIx32 ")", name, tag);
    else
        (void)snprintf(what, sizeof what, "WAV with an unknown codec, format tag 0x%04" PRIx32, tag);
    return rmi_audio_unsupported(w->base.input, what, err);
}

/* The places by the mask; those of more places than channels are the first ones. Fewer: unknown. */
static uint64_t layout_of(uint32_t mask, int32_t channels)
{
    uint64_t layout = 0;
    int32_t count = 0;
    for (unsigned bit = 0; bit < 31 && count < channels; bit++)
        if ((mask >> bit & 1) != 0) {
            layout |= UINT64_C(1) << bit;
            count++;
        }
    return count == channels ? layout : 0;
}

/* Chooses how samples are decoded. `align` is the size of a frame, or of a block. */
static int choose_codec(wav_decoder *w, uint32_t align, uint32_t bits, rm_error *err)
{
    static const uint8_t kinds[] = {[RMI_WAV_PCM] = RMI_PCM_SIGNED,
                                    [RMI_WAV_FLOAT] = RMI_PCM_FLOAT,
                                    [RMI_WAV_ALAW] = RMI_PCM_ALAW,
                                    [RMI_WAV_MULAW] = RMI_PCM_MULAW};
    const uint32_t channels = (uint32_t)w->base.channels, tag = w->tag;
    rmi_sample_data *data = &w->data;
    const rmi_adpcm_kind adpcm = tag == RMI_WAV_MS_ADPCM    ? RMI_ADPCM_MS
                                 : tag == RMI_WAV_IMA_ADPCM ? RMI_ADPCM_IMA
                                                            : RMI_ADPCM_NONE;
    if (adpcm != RMI_ADPCM_NONE) {
        if (bits != 4)
            return not_decoded(w, tag, bits, err);
        if (!rmi_adpcm_init(&data->adpcm, adpcm, channels, align))
            return rmi_audio_damaged(w->base.input, err, "has blocks of %" PRIu32 " bytes of ADPCM", align);
        return rmi_adpcm_allocate(&data->adpcm, rmi_audio_input_allocator(w->base.input), err);
    }
    if (tag >= sizeof kinds || kinds[tag] == RMI_PCM_NONE)
        return not_decoded(w, tag, bits, err);
    data->pcm = (rmi_pcm){.kind = (rmi_pcm_kind)kinds[tag], .big = w->big, .bytes = (bits + 7) / 8};
    /* Samples of fewer bits than their bytes have them at the top. */
    if (align != 0 && align % channels == 0 && align / channels > data->pcm.bytes &&
        data->pcm.kind == RMI_PCM_SIGNED)
        data->pcm.bytes = align / channels;
    if (data->pcm.kind == RMI_PCM_SIGNED && data->pcm.bytes == 1)
        data->pcm.kind = RMI_PCM_UNSIGNED;
    data->frame_size = data->pcm.bytes * channels;
    return rmi_pcm_exists(&data->pcm) ? RM_OK : not_decoded(w, tag, bits, err);
}

static int read_format(wav_decoder *w, const chunk *c, rm_error *err)
{
    static const uint8_t guid_tail[14] = {0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x80,
                                          0x00, 0x00, 0xaa, 0x00, 0x38, 0x9b, 0x71};
    static const uint8_t ambisonic_tail[14] = {0x00, 0x00, 0x21, 0x07, 0xd3, 0x11, 0x86,
                                               0x44, 0xc8, 0xc1, 0xca, 0x00, 0x00, 0x00};
    uint8_t f[40] = {0};
    const size_t size = c->size < sizeof f ? (size_t)c->size : sizeof f;
    const size_t got = rmi_audio_input_read(w->base.input, f, size);
    if (got < 14)
        return no_samples(w, err);
    w->tag = word16(w, f);
    const uint32_t channels = word16(w, f + 2), rate = word32(w, f + 4), bits = word16(w, f + 14);
    if (channels > RMI_AUDIO_MOST_CHANNELS)
        return rmi_audio_many_channels(w->base.input, channels, err);
    if (channels == 0 || rate == 0 || rate > INT32_MAX)
        return rmi_audio_damaged(w->base.input, err,
                                 "is not a sound WAV file: it has %" PRIu32 " channel(s) at %" PRIu32 " Hz",
                                 channels, rate);
    w->base.channels = (int32_t)channels;
    w->base.sample_rate = (int32_t)rate;
    if (w->tag == RMI_WAV_EXTENSIBLE && got >= 40) {
        w->base.channel_layout = layout_of(word32(w, f + 20), w->base.channels);
        w->tag = word16(w, f + 24);
        if (!w->big && memcmp(f + 26, guid_tail, sizeof guid_tail) != 0 &&
            memcmp(f + 26, ambisonic_tail, sizeof ambisonic_tail) != 0 && w->tag > RMI_WAV_FLOAT)
            return rmi_audio_unsupported(w->base.input, "WAV with a codec of its own kind", err);
    }
    w->has_format = true;
    if (w->tag == RMI_WAV_MP3) {
        pass(w, c, c->size - got);
        return RM_OK;
    }
    const int rc = choose_codec(w, word16(w, f + 12), bits, err);
    if (rc == RM_OK)
        pass(w, c, c->size - got);
    return rc;
}

/* Sizes that do not fit in the chunks' own heads. */
static void read_ds64(wav_decoder *w, const chunk *c)
{
    uint8_t sizes[24];
    const size_t got = rmi_audio_input_read(w->base.input, sizes, c->size < 24 ? (size_t)c->size : 24);
    if (got >= 8)
        take_end(w, rmi_little64(sizes));
    if (got >= 16)
        w->data_size = rmi_little64(sizes + 8);
    if (got >= 24)
        w->frames = rmi_little64(sizes + 16);
    pass(w, c, c->size - got);
}

static void read_fact(wav_decoder *w, const chunk *c)
{
    uint8_t fact[8];
    const size_t got = rmi_audio_input_read(w->base.input, fact, c->size < 8 ? (size_t)c->size : 8);
    if (w->w64 && got == 8)
        w->frames = rmi_little64(fact);
    else if (!w->w64 && got >= 4 && word32(w, fact) != UINT32_MAX)
        w->frames = word32(w, fact);
    pass(w, c, c->size - got);
}

static void read_list(wav_decoder *w, const chunk *c)
{
    uint8_t type[4] = {0};
    const size_t got = rmi_audio_input_read(w->base.input, type, c->size < 4 ? (size_t)c->size : 4);
    w->has_wave_list = w->has_wave_list || memcmp(type, "wavl", 4) == 0;
    pass(w, c, c->size - got);
}

/* Whether another chunk follows here. */
static bool chunk_follows(wav_decoder *w)
{
    const uint8_t *next = NULL;
    const size_t size = w->w64 ? 24 : 8;
    if (rmi_audio_input_peek(w->base.input, size, &next) < size)
        return true; /* nothing does: no samples either */
    if (w->w64)
        return memcmp(next + 4, w64_tail, sizeof w64_tail) == 0 &&
               rmi_little64(next + 16) <= rmi_audio_input_left(w->base.input);
    for (size_t i = 0; i < 4; i++)
        if (next[i] < 0x20 || next[i] > 0x7e)
            return false;
    return word32(w, next + 4) <= rmi_audio_input_left(w->base.input);
}

/* SoX cannot go back in a pipe: it writes the head of W64 again, in front of the samples and behind them. */
static int check_doubled(wav_decoder *w, rm_error *err)
{
    const uint8_t *next = NULL;
    if (!w->w64 || rmi_audio_input_peek(w->base.input, sizeof w64_riff, &next) < sizeof w64_riff ||
        memcmp(next, w64_riff, sizeof w64_riff) != 0)
        return RM_OK;
    const int rc = rmi_audio_damaged(
        w->base.input, err,
        "is not a sound W64 file: its header states no length and stands in it twice, as SoX writes W64 into a pipe");
    if (err != NULL)
        rm_error_hint(err, "SoX writes W64 right into a file, and WAV also into a pipe: sox ... -t wav -");
    return rc;
}

/* What the size of "data" means. */
static void take_size(wav_decoder *w, uint64_t size)
{
    rmi_sample_data *data = &w->data;
    const uint64_t left = rmi_audio_input_left(w->base.input);
    const bool wrapped = !w->w64 && !w->is_64 && no_length(size);
    data->promised = size;
    if (w->is_64 && size == UINT32_MAX)
        data->promised = w->data_size;
    if ((wrapped && (left == RMI_AUDIO_UNKNOWN || size > left)) ||
        (data->promised == 0 && w->is_64 && size != 0) || data->promised >= NO_LENGTH_8)
        data->promised = RMI_AUDIO_UNKNOWN;
    if (size != 0 || chunk_follows(w))
        return;
    data->promised = RMI_AUDIO_UNKNOWN;
    (void)snprintf(w->base.warning, sizeof w->base.warning,
                   "states that it has no samples, and has some: it is read to its end");
}

static int read_chunks(wav_decoder *w, rm_error *err)
{
    chunk c;
    while (next_chunk(w, &c)) {
        int rc = RM_OK;
        if (strcmp(c.name, "data") == 0) {
            if (!w->has_format)
                return rmi_audio_damaged(w->base.input, err,
                                         "is not a sound WAV file: its samples come before their format");
            take_size(w, c.size);
            return c.size == 0 ? check_doubled(w, err) : RM_OK;
        }
        if (strcmp(c.name, "fmt ") == 0 && !w->has_format)
            rc = read_format(w, &c, err);
        else if (strcmp(c.name, "ds64") == 0 && w->is_64)
            read_ds64(w, &c);
        else if (strcmp(c.name, "fact") == 0)
            read_fact(w, &c);
        else if (strcmp(c.name, "LIST") == 0)
            read_list(w, &c);
        else
            pass(w, &c, c.size);
        if (rc != RM_OK)
            return rc;
    }
    return no_samples(w, err);
}

static void wav_close(rmi_audio_decoder *decoder)
{
    wav_decoder *w = (wav_decoder *)decoder;
    if (w->mp3 != NULL)
        w->mp3->type->close(w->mp3);
    rmi_audio_input_close(w->mp3_input);
    rmi_adpcm_free(&w->data.adpcm, rmi_audio_input_allocator(decoder->input));
    rmi_audio_decoder_delete(decoder, sizeof *w);
}

/* Blocks of ADPCM may have more frames than "fact" states. */
static void limit_frames(wav_decoder *w)
{
    const bool adpcm = w->data.pcm.kind == RMI_PCM_NONE;
    w->data.frames_left = adpcm && w->frames != 0 ? w->frames : RMI_AUDIO_UNKNOWN;
}

/* Whether the file's chunks have ended here. What stands behind them, other than tags, is passed over. */
static bool chunks_end(wav_decoder *w)
{
    rmi_audio_input *input = w->base.input;
    const uint8_t *next = NULL;
    const size_t there = rmi_audio_input_peek(input, sizeof w64_riff, &next);
    const bool data = there >= 4 && memcmp(next, "data", 4) == 0;
    if (data || (rmi_audio_input_position(input) < w->end && !wav_recognises(next, there)))
        return false;
    rmi_audio_tags_pass(input);
    const uint64_t rest = rmi_audio_input_skip(input, UINT64_MAX);
    if (rest != 0)
        (void)snprintf(w->base.warning, sizeof w->base.warning,
                       "has %" PRIu64 " bytes behind its last chunk: they are passed over", rest);
    return true;
}

/* Behind the samples: looks for more of them. */
static bool more_data(wav_decoder *w)
{
    chunk c = {.size = w->data.taken};
    if (w->data.promised == RMI_AUDIO_UNKNOWN)
        return false;
    pass(w, &c, w->data.promised - w->data.taken);
    if (rmi_audio_input_position(w->base.input) - 8 > w->end) /* which is wrong */
        w->end = RMI_AUDIO_UNKNOWN;
    while (!chunks_end(w) && next_chunk(w, &c)) {
        if (strcmp(c.name, "data") == 0) {
            w->data.promised = c.size;
            w->data.taken = 0;
            return true;
        }
        pass(w, &c, c.size);
    }
    w->data.promised = w->data.taken = 0;
    return false;
}

/* ---- MP3 --------------------------------------------------------------------------------------------------- */

/* Gives the bytes of "data" as those of a file. */
static int fill_mp3(void *context, uint8_t *bytes, size_t wanted, size_t *got, rm_error *err)
{
    wav_decoder *w = context;
    rmi_sample_data *data = &w->data;
    const uint8_t *from = NULL;
    (void)err; /* whoever reads the file asks it */
    *got = 0;
    while (data->promised != RMI_AUDIO_UNKNOWN && data->taken == data->promised)
        if (!more_data(w))
            return RM_OK;
    const uint64_t left =
        data->promised == RMI_AUDIO_UNKNOWN ? RMI_AUDIO_UNKNOWN : data->promised - data->taken;
    const size_t there = rmi_audio_input_peek(w->base.input, 1, &from);
    *got = there < wanted ? there : wanted;
    *got = *got < left ? *got : (size_t)left;
    memcpy(bytes, from, *got);
    rmi_audio_input_take(w->base.input, *got);
    data->taken += *got;
    return RM_OK;
}

/* The format is that of the frames. */
static void take_mp3_format(wav_decoder *w)
{
    w->base.channels = w->mp3->channels;
    w->base.sample_rate = w->mp3->sample_rate;
    if (w->mp3->warning[0] != '\0')
        memcpy(w->base.warning, w->mp3->warning, sizeof w->base.warning);
    w->mp3->warning[0] = '\0';
}

static int open_mp3(wav_decoder *w, rm_error *err)
{
    const rmi_audio_input *input = w->base.input;
    if (w->data.promised == 0 && !more_data(w))
        return RM_OK; /* no samples */
    int rc = rmi_audio_input_over(rmi_audio_input_allocator(input), rmi_audio_input_name(input), fill_mp3, w,
                                  &w->mp3_input, err);
    if (rc == RM_OK)
        rc = rmi_audio_mp3.open(w->mp3_input, &w->mp3, err);
    if (rc == RM_OK)
        take_mp3_format(w);
    return rc;
}

static int read_mp3(wav_decoder *w, float *samples, size_t frames, size_t *got, rm_error *err)
{
    *got = 0;
    if (w->mp3 == NULL)
        return RM_OK;
    int rc = w->mp3->type->read(w->mp3, samples, frames, got, err);
    take_mp3_format(w);
    if (rc != RM_OK || *got != 0)
        return rc;
    rc = rmi_sample_data_end(&w->data, w->base.input, err);
    const uint64_t samples_there = rmi_audio_mp3_samples(w->mp3);
    if (rc == RM_OK && w->frames != RMI_AUDIO_UNKNOWN && samples_there < w->frames)
        rc = rmi_audio_damaged(w->base.input, err,
                               "is cut off: it states %" PRIu64 " frames, of which %" PRIu64 " can be read",
                               w->frames, samples_there);
    return rc;
}

/* ---- Any codec --------------------------------------------------------------------------------------------- */

static int wav_open(rmi_audio_input *input, rmi_audio_decoder **out, rm_error *err)
{
    wav_decoder *w = rmi_audio_decoder_new(&rmi_audio_wav, sizeof *w, input);
    *out = NULL;
    if (w == NULL)
        return rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory");
    w->frames = RMI_AUDIO_UNKNOWN;
    int rc = read_head(w, err);
    if (rc == RM_OK)
        rc = read_chunks(w, err);
    if (rc == RM_OK && w->tag == RMI_WAV_MP3)
        rc = open_mp3(w, err);
    if (rc == RM_OK) {
        limit_frames(w);
        *out = &w->base;
    } else {
        wav_close(&w->base);
    }
    return rc;
}

static int wav_read(rmi_audio_decoder *decoder, float *samples, size_t frames, size_t *got, rm_error *err)
{
    wav_decoder *w = (wav_decoder *)decoder;
    int rc;
    if (w->tag == RMI_WAV_MP3)
        return read_mp3(w, samples, frames, got, err);
    do {
        rc = rmi_sample_data_read(&w->data, decoder, samples, frames, got, err);
    } while (rc == RM_OK && *got == 0 && more_data(w));
    if (rc == RM_OK && *got == 0 && w->data.frames_left != 0 && w->data.frames_left != RMI_AUDIO_UNKNOWN)
        (void)snprintf(decoder->warning, sizeof decoder->warning,
                       "states %" PRIu64 " frames, and has %" PRIu64, w->frames,
                       w->frames - w->data.frames_left);
    return rc;
}

const rmi_audio_decoder_type rmi_audio_wav = {
    .recognises = wav_recognises, .open = wav_open, .read = wav_read, .close = wav_close};
