/* MP3, and MPEG audio of layers 1 and 2. The library decodes a frame; where frames are, which of them have sound
 * and how much of it counts is found here. Files that were joined are read one after the other. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <miniaudio_mp3.h>

#include "nodes/audio_file/audio_decoder.h"
#include "nodes/audio_file/audio_tags.h"
#include "nodes/audio_file/mp3_frame.h"

/* The samples that decoding delays by itself; the bytes in which it shows that a stream begins. */
enum { DELAY = 529, LOOKED_AT = 5 * RMI_MP3_FRAME };

typedef struct mp3_decoder {
    rmi_audio_decoder base;
    ma_dr_mp3dec decoder;
    size_t free_size;  /* of frames that do not tell theirs */
    bool known;        /* `stream` is */
    uint8_t stream[4]; /* the head of a frame of this stream */
    /* One part of a file that was joined: what its first frame says, and how far it was read. */
    rmi_mp3_info info;
    uint64_t frames;     /* with sound */
    uint64_t skip, left; /* samples to leave out at the start; to give after that, or RMI_AUDIO_UNKNOWN */
    uint64_t lost;       /* bytes between frames that are none, nor tags */
    uint64_t samples_so_far;
    size_t next, waiting;
    float samples[MA_DR_MP3_MAX_SAMPLES_PER_FRAME];
} mp3_decoder;

/* A format without a magic number: all of `head` is looked at. */
static bool mp3_recognises(const uint8_t *head, size_t length)
{
    rmi_mp3_head first;
    const bool ended = length < RMI_AUDIO_AHEAD;
    if (ended && length >= RMI_MP3_HEAD && rmi_mp3_head_read(head, 0, &first) && first.layer > 1 &&
        first.size > length)
        return true; /* one frame, cut off */
    return rmi_mp3_first(head, length, ended) < length;
}

/* ---- Between frames */

/* Looks for the next frame behind bytes that are none; false where there is none. */
static bool find_frame(mp3_decoder *m)
{
    rmi_audio_input *input = m->base.input;
    uint64_t passed = 0;
    for (;;) {
        const uint8_t *bytes = NULL;
        const size_t there = rmi_audio_input_peek(input, RMI_AUDIO_AHEAD, &bytes);
        const bool ended = there < RMI_AUDIO_AHEAD;
        const size_t at = rmi_mp3_find(bytes, there, ended, m->known ? m->stream : NULL);
        const size_t step = at < there || ended ? at : there - LOOKED_AT;
        rmi_audio_input_take(input, step);
        passed += step;
        if (at < there)
            m->lost += passed;
        else if (ended && m->base.sample_rate != 0)
            (void)snprintf(m->base.warning, sizeof m->base.warning,
                           "ends with %" PRIu64 " bytes that are no frame of MP3: they are passed over",
                           passed);
        if (at < there || ended)
            return at < there;
    }
}

/* ---- Frames */

static int no_frames(const mp3_decoder *m, rm_error *err)
{
    return rmi_audio_damaged(m->base.input, err, "is not a sound MP3 file: it has no whole frame");
}

/* The part of the file ends here: checks that it was whole. */
static int end_of_part(const mp3_decoder *m, rm_error *err)
{
    const uint64_t promised = m->info.frames;
    /* Without a name behind it, the number may count the frame that it stands in. */
    if (promised > m->frames + (m->info.has_gaps ? 0 : 1))
        return rmi_audio_damaged(m->base.input, err,
                                 "is cut off: it has %" PRIu64 " frames of MP3, of which %" PRIu64
                                 " can be read",
                                 promised, m->frames);
    return RM_OK;
}

static int end_of_file(const mp3_decoder *m, rm_error *err)
{
    const int rc = end_of_part(m, err);
    if (rc == RM_OK && m->lost > 0)
        return rmi_audio_damaged(m->base.input, err,
                                 "is damaged: %" PRIu64 " bytes between its frames are none", m->lost);
    return rc == RM_OK ? RM_DONE : rc;
}

/* Begins the part of the file whose first frame this is. */
static void begin_part(mp3_decoder *m, const rmi_mp3_info *info, const rmi_mp3_head *head)
{
    m->info = *info;
    m->frames = m->skip = 0;
    m->left = RMI_AUDIO_UNKNOWN;
    m->decoder.header[0] = 0;
    if (!info->has_gaps)
        return;
    const uint64_t all = (uint64_t)info->frames * (uint64_t)head->samples;
    const uint64_t behind = info->padding > DELAY ? info->padding - DELAY : 0;
    m->skip = info->delay + DELAY;
    m->left = all > m->skip + behind ? all - m->skip - behind : 0;
}

/* Looks for a tag inside the frame at the input: the frame was cut off there. Returns RMI_MP3_CUT where the file has
 * nothing behind the tags, RMI_MP3_OTHER where it may; else `next`. *part is what there is of a frame that was cut off. */
static rmi_mp3_next find_cut(const mp3_decoder *m, const rmi_mp3_head *head, rmi_mp3_next next, size_t *part)
{
    const uint8_t *bytes = NULL;
    const size_t there = rmi_audio_input_peek(m->base.input, RMI_AUDIO_AHEAD, &bytes);
    const bool ended = there < RMI_AUDIO_AHEAD;
    *part = ended ? rmi_audio_tags_behind(bytes, there) : there;
    if (*part < head->size)
        return RMI_MP3_CUT;
    for (size_t at = RMI_MP3_HEAD; at < head->size && at < there; at++) {
        /* the three letters "TAG" say little, where they are not at their place */
        const uint64_t tag = bytes[at] != 'T' ? rmi_audio_tag_size(bytes + at, there - at) : 0;
        if (tag == 0)
            continue;
        *part = at;
        return ended && rmi_audio_tags_only(bytes + at, there - at) ? RMI_MP3_CUT : RMI_MP3_OTHER;
    }
    return next;
}

/* Finds the next frame; *bytes has all of it. RM_DONE: there is none. */
static int find_next(mp3_decoder *m, const uint8_t **bytes, rmi_mp3_head *head, rm_error *err)
{
    rmi_audio_input *input = m->base.input;
    bool searched = false;
    for (;;) {
        rmi_audio_tags_pass(input);
        const size_t there = rmi_audio_input_peek(input, RMI_MP3_FRAME, bytes);
        const bool ended = there < RMI_MP3_FRAME;
        bool sound = there >= RMI_MP3_HEAD && rmi_mp3_head_read(*bytes, m->free_size, head);
        if (sound && head->free && m->free_size == 0) {
            head->size = rmi_mp3_free_size(*bytes, there);
            m->free_size = head->size > head->padding ? head->size - head->padding : 0;
            sound = m->free_size != 0;
        }
        rmi_mp3_next next = sound ? rmi_mp3_follows(*bytes, there, head, ended) : RMI_MP3_OTHER;
        const bool expected =
            sound && m->decoder.header[0] == 0xff && rmi_mp3_head_same(m->decoder.header, *bytes);
        size_t part = SIZE_MAX;
        if (sound && next != RMI_MP3_SAME) {
            next = find_cut(m, head, next, &part);
            (void)rmi_audio_input_peek(input, RMI_MP3_FRAME, bytes);
        }
        if (next == RMI_MP3_OTHER && expected && part < head->size) { /* a tag follows */
            rmi_audio_input_take(input, part);
            m->lost += part;
            continue;
        }
        if (next == RMI_MP3_CUT && (expected || m->base.sample_rate == 0))
            return m->frames == 0 && m->base.sample_rate == 0
                       ? no_frames(m, err)
                       : rmi_audio_damaged(input, err, "is cut off: its last frame has %zu of %zu bytes",
                                           part, head->size);
        if (next == RMI_MP3_SAME || next == RMI_MP3_END || (next == RMI_MP3_OTHER && expected))
            return RM_OK;
        if (searched) /* what the search found ends differently when seen from here */
            rmi_audio_input_take(input, 1);
        m->free_size = 0;
        if (there == 0 || rmi_audio_tags_end(input) || !find_frame(m))
            return RM_DONE;
        searched = true;
    }
}

/* Decodes the frame, or gives silence where it needs bytes of frames before it that are not there. */
static void decode(mp3_decoder *m, const uint8_t *bytes, const rmi_mp3_head *head)
{
    ma_dr_mp3dec_frame_info info;
    if (m->decoder.header[0] != 0xff) { /* the library need not look for it */
        memset(&m->decoder, 0, sizeof m->decoder);
        memcpy(m->decoder.header, bytes, RMI_MP3_HEAD);
    }
    memcpy(m->stream, bytes, RMI_MP3_HEAD);
    m->known = true;
    m->decoder.free_format_bytes = (int)(head->free ? head->size - head->padding : 0);
    const int got = ma_dr_mp3dec_decode_frame(&m->decoder, bytes, (int)head->size, m->samples, &info);
    if (got != head->samples)
        memset(m->samples, 0, (size_t)head->samples * (size_t)head->channels * sizeof *m->samples);
    m->next = 0;
    m->waiting = (size_t)head->samples;
}

/* Leaves out what the encoder put in front and behind. */
static void trim(mp3_decoder *m)
{
    const size_t skip = m->skip < m->waiting ? (size_t)m->skip : m->waiting;
    m->skip -= skip;
    m->next += skip;
    m->waiting -= skip;
    if (m->left == RMI_AUDIO_UNKNOWN)
        return;
    m->waiting = m->left < m->waiting ? (size_t)m->left : m->waiting;
    m->left -= m->waiting;
}

/* Decodes the next frame. RM_DONE: the end; RM_AGAIN: it has another format than those before. */
static int next_frame(mp3_decoder *m, rm_error *err)
{
    const uint8_t *bytes = NULL;
    rmi_mp3_head head;
    rmi_mp3_info info;
    int rc = find_next(m, &bytes, &head, err);
    if (rc != RM_OK)
        return rc == RM_DONE ? end_of_file(m, err) : rc;
    rmi_mp3_info_read(bytes, &head, &info);
    const bool other = head.channels != m->base.channels || head.sample_rate != m->base.sample_rate;
    const bool over = m->info.frames != 0 && m->frames >= m->info.frames;
    if (info.is_info || over || other) {
        rc = end_of_part(m, err);
        if (rc != RM_OK)
            return rc;
        begin_part(m, &info, &head);
    }
    if (info.is_info) {
        rmi_audio_input_take(m->base.input, head.size);
        m->samples_so_far += (uint64_t)head.samples;
    }
    if (other) {
        m->base.channels = head.channels;
        m->base.sample_rate = head.sample_rate;
        return RM_AGAIN;
    }
    if (info.is_info)
        return RM_OK;
    decode(m, bytes, &head);
    rmi_audio_input_take(m->base.input, head.size);
    m->frames++;
    m->samples_so_far += (uint64_t)head.samples;
    trim(m);
    return RM_OK;
}

static void mp3_close(rmi_audio_decoder *decoder)
{
    rmi_audio_decoder_delete(decoder, sizeof(mp3_decoder));
}

/* Goes to the first frame. What was cut in front of it is nobody's loss; a frame of the same stream there is damaged. */
static void find_start(mp3_decoder *m)
{
    rmi_audio_input *input = m->base.input;
    const uint8_t *bytes = NULL;
    rmi_audio_tags_pass(input);
    const size_t there = rmi_audio_input_peek(input, RMI_AUDIO_AHEAD, &bytes);
    const size_t at = rmi_mp3_first(bytes, there, there < RMI_AUDIO_AHEAD);
    if (at == there)
        return;
    memcpy(m->stream, bytes + at, RMI_MP3_HEAD);
    m->known = true;
    if (at == 0 || rmi_mp3_head_alike(bytes, m->stream))
        return;
    rmi_audio_input_take(input, at);
    (void)snprintf(m->base.warning, sizeof m->base.warning,
                   "begins with %zu bytes that are no frame of MP3: they are passed over", at);
}

static int mp3_open(rmi_audio_input *input, rmi_audio_decoder **out, rm_error *err)
{
    mp3_decoder *m = rmi_audio_decoder_new(&rmi_audio_mp3, sizeof *m, input);
    *out = NULL;
    if (m == NULL)
        return rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory");
    find_start(m);
    int rc = next_frame(m, err); /* sets the format */
    if (rc == RM_DONE)
        rc = no_frames(m, err);
    if (rc == RM_AGAIN) {
        *out = &m->base;
        return RM_OK;
    }
    mp3_close(&m->base);
    return rc;
}

static int mp3_read(rmi_audio_decoder *decoder, float *samples, size_t frames, size_t *got, rm_error *err)
{
    mp3_decoder *m = (mp3_decoder *)decoder;
    const size_t channels = (size_t)decoder->channels;
    *got = 0;
    while (m->waiting == 0) {
        const int rc = next_frame(m, err);
        if (rc != RM_OK)
            return rc == RM_DONE ? RM_OK : rc;
    }
    *got = m->waiting < frames ? m->waiting : frames;
    memcpy(samples, m->samples + m->next * channels, *got * channels * sizeof *samples);
    m->next += *got;
    m->waiting -= *got;
    return RM_OK;
}

uint64_t rmi_audio_mp3_samples(const rmi_audio_decoder *mp3)
{
    return ((const mp3_decoder *)mp3)->samples_so_far;
}

const rmi_audio_decoder_type rmi_audio_mp3 = {
    .recognises = mp3_recognises, .open = mp3_open, .read = mp3_read, .close = mp3_close};
