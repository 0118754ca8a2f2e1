/* FLAC (RFC 9639). Files that were joined are read one after the other. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nodes/audio_file/audio_decoder.h"
#include "nodes/audio_file/audio_tags.h"
#include "nodes/audio_file/flac_frame.h"

typedef struct flac_decoder {
    rmi_audio_decoder base;
    rmi_flac_stream stream;
    uint64_t frames;          /* by STREAMINFO, or RMI_AUDIO_UNKNOWN */
    uint64_t position, count; /* samples a channel, and frames, of this stream that were decoded */
    uint64_t first;           /* the number of its first frame: a recording may begin late */
    bool begun;               /* `first` is known */
    rmi_flac_header header;   /* of the frame in the buffers */
    size_t next, waiting;     /* frames of it, from `next` on */
    size_t room;              /* frames in a buffer */
    int32_t *samples;         /* the channels' buffers, one behind the other */
    int64_t *wide;            /* the same for streams of 32 bits */
} flac_decoder;

static bool flac_recognises(const uint8_t *head, size_t length)
{
    return length >= 4 && memcmp(head, "fLaC", 4) == 0;
}

static int cut(const flac_decoder *f, rm_error *err)
{
    if (f->frames != RMI_AUDIO_UNKNOWN && f->frames > f->position)
        return rmi_audio_damaged(f->base.input, err,
                                 "is damaged or cut off: it has %" PRIu64 " frames, of which %" PRIu64
                                 " can be read",
                                 f->frames, f->position);
    return rmi_audio_damaged(f->base.input, err,
                             "is damaged or cut off: %" PRIu64
                             " frames can be read, then, before byte %" PRIu64 ", one that cannot",
                             f->position, rmi_audio_input_position(f->base.input));
}

/* ---- Metadata */

static int take_stream_info(flac_decoder *f, size_t size, rm_error *err)
{
    uint8_t info[34];
    if (size < sizeof info || rmi_audio_input_read(f->base.input, info, sizeof info) != sizeof info)
        return rmi_audio_damaged(f->base.input, err, "is not a sound FLAC file: its head is cut off");
    const uint64_t packed = rmi_big64(info + 10);
    f->stream = (rmi_flac_stream){.sample_rate = (int32_t)(packed >> 44),
                                  .channels = (int32_t)(packed >> 41 & 7) + 1,
                                  .bits = (uint32_t)(packed >> 36 & 31) + 1,
                                  .block = rmi_big16(info + 2)};
    const uint64_t frames = packed & UINT64_C(0xfffffffff);
    f->frames = frames != 0 ? frames : RMI_AUDIO_UNKNOWN;
    (void)rmi_audio_input_skip(f->base.input, size - sizeof info);
    if (f->stream.sample_rate == 0 || f->stream.bits < 4)
        return rmi_audio_damaged(f->base.input, err,
                                 "is not a sound FLAC file: it has samples of %" PRIu32 " bits at %" PRId32
                                 " Hz",
                                 f->stream.bits, f->stream.sample_rate);
    return RM_OK;
}

/* Finds the places of the channels, where a comment has them. */
static void take_comments(flac_decoder *f, size_t size)
{
    static const char name[] = "WAVEFORMATEXTENSIBLE_CHANNEL_MASK=";
    rmi_audio_input *input = f->base.input;
    char text[sizeof name + 16];
    uint8_t number[4];
    size_t left = size;
    for (uint32_t i = 0, count = 1; i <= count && left >= 4; i++) { /* the first text is the vendor's */
        if (rmi_audio_input_read(input, number, 4) != 4)
            break;
        const uint32_t length = rmi_little32(number);
        left -= 4;
        if (length > left)
            break;
        const size_t shown = length < sizeof text - 1 ? length : sizeof text - 1;
        if (rmi_audio_input_read(input, text, shown) != shown)
            break;
        text[shown] = '\0';
        (void)rmi_audio_input_skip(input, length - shown);
        left -= length;
        if (strncmp(text, name, sizeof name - 1) == 0) {
            const unsigned long mask = strtoul(text + sizeof name - 1, NULL, 0);
            if (mask <= 0x3ffff && __builtin_popcountl(mask) == f->stream.channels)
                f->base.channel_layout = mask;
        }
        if (i == 0) {
            if (left < 4 || rmi_audio_input_read(input, number, 4) != 4)
                break;
            left -= 4;
            count = rmi_little32(number);
        }
    }
    (void)rmi_audio_input_skip(input, left);
}

/* Reads from "fLaC" up to the first frame. */
static int read_metadata(flac_decoder *f, rm_error *err)
{
    enum { STREAM_INFO = 0, COMMENTS = 4 };
    uint8_t head[4];
    int rc = RM_OK;
    (void)rmi_audio_input_skip(f->base.input, 4);
    f->stream = (rmi_flac_stream){0};
    f->position = f->count = 0;
    f->begun = false;
    f->base.channel_layout = 0;
    for (bool last = false; rc == RM_OK && !last;) {
        const uint8_t *next = NULL;
        if (rmi_audio_input_peek(f->base.input, 2, &next) >= 2 && next[0] == 0xff && (next[1] & 0xfe) == 0xf8)
            break; /* a frame: the last part of the head is missing */
        if (rmi_audio_input_read(f->base.input, head, 4) != 4)
            return rmi_audio_damaged(f->base.input, err, "is not a sound FLAC file: its head is cut off");
        const size_t size = rmi_big32(head) & 0xffffff;
        const unsigned kind = head[0] & 0x7f;
        last = (head[0] & 0x80) != 0;
        if (kind == STREAM_INFO)
            rc = take_stream_info(f, size, err);
        else if (kind == COMMENTS && f->stream.channels != 0)
            take_comments(f, size);
        else
            (void)rmi_audio_input_skip(f->base.input, size);
    }
    if (rc == RM_OK && f->stream.channels == 0)
        rc = rmi_audio_damaged(f->base.input, err, "is not a sound FLAC file: it has no STREAMINFO");
    return rc;
}

/* ---- Frames */

static void free_buffers(flac_decoder *f)
{
    const rm_allocator *allocator = rmi_audio_input_allocator(f->base.input);
    const size_t count = rmi_flac_room(f->room) * RMI_FLAC_CHANNELS;
    if (f->samples != NULL)
        allocator->resize(allocator->context, f->samples, count * sizeof *f->samples, 0);
    if (f->wide != NULL)
        allocator->resize(allocator->context, f->wide, count * sizeof *f->wide, 0);
    f->samples = NULL;
    f->wide = NULL;
}

/* Room for frames of `frames` samples a channel. */
static int make_room(flac_decoder *f, size_t frames, bool wide, rm_error *err)
{
    const rm_allocator *allocator = rmi_audio_input_allocator(f->base.input);
    if (frames <= f->room && f->samples != NULL && (!wide || f->wide != NULL))
        return RM_OK;
    free_buffers(f);
    f->room = frames > f->room ? frames : f->room;
    const size_t count = rmi_flac_room(f->room) * RMI_FLAC_CHANNELS;
    f->samples = allocator->resize(allocator->context, NULL, 0, count * sizeof *f->samples);
    if (wide)
        f->wide = allocator->resize(allocator->context, NULL, 0, count * sizeof *f->wide);
    if (f->samples == NULL || (wide && f->wide == NULL))
        return rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory");
    return RM_OK;
}

/* Whether `head` begins a frame of this stream. */
static bool frame_begins(const flac_decoder *f, const uint8_t *head, size_t length, rmi_flac_header *header)
{
    return rmi_flac_header_read(head, length, &f->stream, header) && header->channels == f->stream.channels &&
           header->sample_rate == f->stream.sample_rate;
}

static void warn(flac_decoder *f, const char *text)
{
    (void)snprintf(f->base.warning, sizeof f->base.warning, "%s", text);
}

/* The stream's end, or what stands where a frame should. RM_AGAIN: another stream follows, in another format. */
static int end_of_stream(flac_decoder *f, rm_error *err)
{
    rmi_audio_input *input = f->base.input;
    const uint8_t *head = NULL;
    if (f->frames != RMI_AUDIO_UNKNOWN && f->position < f->frames)
        return cut(f, err);
    rmi_audio_tags_pass(input);
    (void)rmi_audio_tags_end(input);
    const size_t there = rmi_audio_input_peek(input, 4, &head);
    const bool joined = there >= 4 && flac_recognises(head, there);
    if (there != 0 && !joined && f->position != f->frames)
        return cut(f, err);
    if (there != 0 && !joined)
        warn(f, "has bytes behind its last frame that are no FLAC: they are passed over");
    else if (f->frames != RMI_AUDIO_UNKNOWN && f->position > f->frames)
        warn(f, "has more frames than its head states: all are read");
    if (!joined)
        return RM_DONE;
    const uint64_t layout = f->base.channel_layout;
    const int rc = read_metadata(f, err);
    if (rc != RM_OK)
        return rc;
    const bool same = f->stream.channels == f->base.channels &&
                      f->stream.sample_rate == f->base.sample_rate && layout == f->base.channel_layout;
    f->base.channels = f->stream.channels;
    f->base.sample_rate = f->stream.sample_rate;
    return same ? RM_OK : RM_AGAIN;
}

/* Decodes the next frame into the buffers; RM_DONE at the end. */
static int next_frame(flac_decoder *f, rm_error *err)
{
    const uint8_t *head = NULL;
    rmi_flac_header *h = &f->header;
    const size_t there = rmi_audio_input_peek(f->base.input, RMI_FLAC_HEADER, &head);
    if (!frame_begins(f, head, there, h))
        return end_of_stream(f, err);
    if (!f->begun)
        f->first = h->number;
    f->begun = true;
    /* A number counts frames or samples; the flag that tells which is younger than the format. */
    if (h->number > f->first + f->count && h->number > f->first + f->position)
        return cut(f, err); /* frames are missing */
    int rc = make_room(f, h->frames > f->stream.block ? h->frames : f->stream.block, h->bits == 32, err);
    if (rc != RM_OK)
        return rc;
    int32_t *samples[RMI_FLAC_CHANNELS];
    int64_t *wide[RMI_FLAC_CHANNELS] = {0};
    for (size_t c = 0; c < RMI_FLAC_CHANNELS; c++) {
        samples[c] = f->samples + c * rmi_flac_room(f->room);
        wide[c] = f->wide != NULL ? f->wide + c * rmi_flac_room(f->room) : NULL;
    }
    if (!rmi_flac_frame_decode(f->base.input, h, samples, wide))
        return cut(f, err);
    f->next = 0;
    f->waiting = h->frames;
    f->position += f->waiting;
    f->count++;
    return RM_OK;
}

static void flac_close(rmi_audio_decoder *decoder)
{
    free_buffers((flac_decoder *)decoder);
    rmi_audio_decoder_delete(decoder, sizeof(flac_decoder));
}

static int flac_open(rmi_audio_input *input, rmi_audio_decoder **out, rm_error *err)
{
    flac_decoder *f = rmi_audio_decoder_new(&rmi_audio_flac, sizeof *f, input);
    *out = NULL;
    if (f == NULL)
        return rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory");
    const int rc = read_metadata(f, err);
    if (rc != RM_OK) {
        flac_close(&f->base);
        return rc;
    }
    f->base.channels = f->stream.channels;
    f->base.sample_rate = f->stream.sample_rate;
    *out = &f->base;
    return RM_OK;
}

/* Gives `count` frames of the buffers. */
static void put_out(const flac_decoder *f, float *out, size_t count)
{
    const size_t channels = (size_t)f->header.channels, stride = rmi_flac_room(f->room);
    const float scale = 1.0f / (float)(UINT64_C(1) << (f->header.bits - 1));
    const int32_t *from = f->samples + f->next;
    if (f->header.bits == 32) {
        for (size_t c = 0; c < channels; c++)
            for (size_t i = 0; i < count; i++)
                out[i * channels + c] = (float)f->wide[c * stride + f->next + i] * scale;
    } else if (channels == 2) {
        for (size_t i = 0; i < count; i++) {
            out[2 * i] = (float)from[i] * scale;
            out[2 * i + 1] = (float)from[stride + i] * scale;
        }
    } else {
        for (size_t c = 0; c < channels; c++)
            for (size_t i = 0; i < count; i++)
                out[i * channels + c] = (float)from[c * stride + i] * scale;
    }
}

static int flac_read(rmi_audio_decoder *decoder, float *samples, size_t frames, size_t *got, rm_error *err)
{
    flac_decoder *f = (flac_decoder *)decoder;
    *got = 0;
    while (f->waiting == 0) {
        const int rc = next_frame(f, err);
        if (rc != RM_OK)
            return rc == RM_DONE ? RM_OK : rc;
    }
    *got = f->waiting < frames ? f->waiting : frames;
    put_out(f, samples, *got);
    f->next += *got;
    f->waiting -= *got;
    return RM_OK;
}

const rmi_audio_decoder_type rmi_audio_flac = {
    .recognises = flac_recognises, .open = flac_open, .read = flac_read, .close = flac_close};
