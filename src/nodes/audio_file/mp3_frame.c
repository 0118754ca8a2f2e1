#include "nodes/audio_file/mp3_frame.h"

#include <string.h>

#include "nodes/audio_file/audio_input.h"
#include "nodes/audio_file/audio_tags.h"

/* kbit/s by index: MPEG 1 layers 1, 2, 3, then MPEG 2 layer 1, then its layers 2 and 3. */
static const uint16_t bit_rates[5][15] = {
    {0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448},
    {0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384},
    {0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320},
    {0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256},
    {0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160}};

bool rmi_mp3_head_read(const uint8_t *bytes, size_t free_size, rmi_mp3_head *out)
{
    static const int rates[3] = {44100, 48000, 32000};
    const unsigned version = bytes[1] >> 3 & 3, layer_bits = bytes[1] >> 1 & 3;
    const unsigned bit_rate = bytes[2] >> 4, rate = bytes[2] >> 2 & 3;
    if (bytes[0] != 0xff || (bytes[1] & 0xe0) != 0xe0 || version == 1 || layer_bits == 0 || bit_rate == 15 ||
        rate == 3 || (version == 0 && layer_bits != 1)) /* MPEG 2.5 has layer 3 alone */
        return false;
    const int layer = 4 - (int)layer_bits;
    *out = (rmi_mp3_head){.layer = layer,
                          .channels = bytes[3] >> 6 == 3 ? 1 : 2,
                          .mpeg1 = version == 3,
                          .free = bit_rate == 0,
                          .sample_rate = rates[rate] >> (version == 3   ? 0
                                                         : version == 2 ? 1
                                                                        : 2)};
    out->samples = layer == 1 ? 384 : layer == 2 || out->mpeg1 ? 1152 : 576;
    out->padding = (bytes[2] & 2) == 0 ? 0 : layer == 1 ? 4 : 1;
    const size_t table = out->mpeg1 ? (size_t)layer - 1 : layer == 1 ? 3 : 4;
    size_t size = (size_t)out->samples * bit_rates[table][bit_rate] * 125 / (size_t)out->sample_rate;
    if (layer == 1)
        size &= ~(size_t)3;
    if (out->free)
        size = free_size;
    out->size = size != 0 ? size + out->padding : 0;
    return true;
}

bool rmi_mp3_head_same(const uint8_t *a, const uint8_t *b)
{
    rmi_mp3_head head;
    return rmi_mp3_head_read(b, 0, &head) && ((a[1] ^ b[1]) & 0xfe) == 0 && ((a[2] ^ b[2]) & 0x0c) == 0 &&
           ((a[2] & 0xf0) == 0) == ((b[2] & 0xf0) == 0);
}

bool rmi_mp3_head_alike(const uint8_t *a, const uint8_t *b)
{
    return rmi_mp3_head_same(a, b) && (a[3] >> 6 == 3) == (b[3] >> 6 == 3);
}

size_t rmi_mp3_free_size(const uint8_t *bytes, size_t length)
{
    rmi_mp3_head first, second;
    if (length < RMI_MP3_HEAD || !rmi_mp3_head_read(bytes, 0, &first))
        return 0;
    for (size_t at = 24; at < RMI_MP3_FREE && at + RMI_MP3_HEAD <= length; at++) {
        if (at <= first.padding || !rmi_mp3_head_same(bytes, bytes + at))
            continue;
        (void)rmi_mp3_head_read(bytes + at, at - first.padding, &second);
        const size_t third = at + second.size;
        if (third + RMI_MP3_HEAD > length || rmi_mp3_head_same(bytes, bytes + third))
            return at;
    }
    return 0;
}

rmi_mp3_next rmi_mp3_follows(const uint8_t *bytes, size_t length, const rmi_mp3_head *head, bool ended)
{
    if (head->size > length)
        return ended ? RMI_MP3_CUT : RMI_MP3_OTHER;
    const size_t left = length - head->size;
    const uint8_t *next = bytes + head->size;
    if (left >= RMI_MP3_HEAD && rmi_mp3_head_same(bytes, next))
        return RMI_MP3_SAME;
    return (left == 0 && ended) || rmi_audio_tag_size(next, left) != 0 ? RMI_MP3_END : RMI_MP3_OTHER;
}

/* Reads the head at `bytes`, with the frame's size, in any stream. */
static bool read_any(const uint8_t *bytes, size_t length, rmi_mp3_head *head)
{
    if (length < RMI_MP3_HEAD || bytes[0] != 0xff || !rmi_mp3_head_read(bytes, 0, head))
        return false;
    if (head->free)
        head->size = rmi_mp3_free_size(bytes, length);
    return head->size != 0;
}

static uint32_t take_bits(const uint8_t *bytes, size_t *at, unsigned count)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < count; i++, (*at)++)
        value = value << 1 | (bytes[*at / 8] >> (7 - *at % 8) & 1u);
    return value;
}

static size_t side_size(const rmi_mp3_head *head)
{
    return head->mpeg1 ? (head->channels == 1 ? 17 : 32) : head->channels == 1 ? 9 : 17;
}

/* Whether the frame can be sound: it does not repeat a few bytes, and what layer 3 says in front of its bits
 * (ISO 11172-3, 2.4.1.7) fits in it. */
static bool is_plausible(const uint8_t *frame, const rmi_mp3_head *head)
{
    enum { MOST_PAIRS = 288, PERIOD = 64 };
    const size_t side = RMI_MP3_HEAD + ((frame[1] & 1) == 0 ? 2 : 0), data = side + side_size(head);
    const unsigned channels = (unsigned)head->channels, granules = head->mpeg1 ? 2 : 1;
    size_t at = side * 8, wanted = 0;
    for (size_t i = 1; i <= PERIOD && i + RMI_MP3_HEAD <= head->size; i++)
        if (memcmp(frame, frame + i, RMI_MP3_HEAD) == 0)
            return false; /* a picture of one colour */
    if (head->layer != 3)
        return true;
    if (data > head->size)
        return false;
    const size_t room = 8 * (take_bits(frame, &at, head->mpeg1 ? 9 : 8) + head->size - data);
    at += head->mpeg1 ? (channels == 1 ? 5 : 3) + 4 * channels : channels;
    for (unsigned i = 0; i < granules * channels; i++) {
        wanted += take_bits(frame, &at, 12);
        if (take_bits(frame, &at, 9) > MOST_PAIRS)
            return false;
        at += head->mpeg1 ? 12 : 17;
        const bool window = take_bits(frame, &at, 1) != 0;
        if (window && take_bits(frame, &at, 2) == 0)
            return false;
        at += (window ? 20 : 22) + (head->mpeg1 ? 3 : 2);
    }
    return wanted <= room;
}

/* Counts the frames of one stream that follow one another from `bytes` on, up to `most`; *next is what stands behind the
 * last of them. */
static int count_frames(const uint8_t *bytes, size_t length, bool ended, int most, rmi_mp3_next *next)
{
    rmi_mp3_head head;
    int count = 0;
    *next = RMI_MP3_OTHER;
    if (!read_any(bytes, length, &head))
        return 0;
    const size_t free_size = head.free ? head.size - head.padding : 0;
    for (size_t at = 0; count < most; at += head.size) {
        (void)rmi_mp3_head_read(bytes + at, free_size, &head);
        *next = rmi_mp3_follows(bytes + at, length - at, &head, ended);
        if (head.size <= length - at && !is_plausible(bytes + at, &head))
            return 0;
        count += head.size <= length - at;
        if (*next != RMI_MP3_SAME || !rmi_mp3_head_alike(bytes, bytes + at + head.size))
            break;
    }
    return count;
}

/* Whether frames follow one another here that other bytes would hardly have. */
static bool stream_begins(const uint8_t *bytes, size_t length, bool ended, bool at_start)
{
    enum { LAYER = 6, LAYER_1 = 6, LAYER_3 = 2, BIT_RATE = 0xf0, AT_START = 3, ELSEWHERE = 4, AT_END = 2 };
    const int enough = at_start ? AT_START : ELSEWHERE;
    rmi_mp3_next next;
    const int count = count_frames(bytes, length, ended, enough, &next);
    /* UTF-16 begins like layer 1. Only frames of layer 3 say enough of themselves to be free in their size too. */
    const unsigned layer = bytes[1] & LAYER;
    const bool doubtful = layer == LAYER_1 || ((bytes[2] & BIT_RATE) == 0 && layer != LAYER_3);
    if (count >= enough)
        return !doubtful || at_start;
    if (doubtful)
        return false;
    return at_start ? count > 0 && (next == RMI_MP3_END || next == RMI_MP3_CUT)
                    : count >= AT_END && next == RMI_MP3_END;
}

size_t rmi_mp3_first(const uint8_t *bytes, size_t length, bool ended)
{
    size_t start = 0;
    while (start < length && bytes[start] == 0)
        start++;
    for (size_t at = start; at + RMI_MP3_HEAD <= length && at - start <= RMI_MP3_JUNK; at++)
        if (bytes[at] == 0xff && stream_begins(bytes + at, length - at, ended, at == start))
            return at;
    return length;
}

size_t rmi_mp3_find(const uint8_t *bytes, size_t length, bool ended, const uint8_t *stream)
{
    for (size_t at = 0; at + RMI_MP3_HEAD <= length; at++) {
        const uint8_t *here = bytes + at;
        const size_t left = length - at;
        rmi_mp3_head head;
        if (!read_any(here, left, &head))
            continue;
        const rmi_mp3_next next = rmi_mp3_follows(here, left, &head, ended);
        const bool ours = stream != NULL && rmi_mp3_head_same(stream, here);
        if ((ours && (next == RMI_MP3_SAME || next == RMI_MP3_END)) ||
            stream_begins(here, left, ended, false))
            return at;
    }
    return length;
}

/* "Xing" or "Info", with what LAME added behind it. */
static void read_xing(const uint8_t *tag, size_t length, rmi_mp3_info *out)
{
    enum { HAS_FRAMES = 1, HAS_BYTES = 2, HAS_TABLE = 4, HAS_QUALITY = 8 };
    const uint32_t flags = length >= 8 ? rmi_big32(tag + 4) : 0;
    size_t at = 8;
    out->is_info = true;
    if ((flags & HAS_FRAMES) != 0 && at + 4 <= length)
        out->frames = rmi_big32(tag + at);
    at += (flags & HAS_FRAMES) != 0 ? 4 : 0;
    at += (flags & HAS_BYTES) != 0 ? 4 : 0;
    at += (flags & HAS_TABLE) != 0 ? 100 : 0;
    at += (flags & HAS_QUALITY) != 0 ? 4 : 0;
    if (at + 24 > length)
        return;
    for (size_t i = 0; i < 4; i++) /* the encoder's name */
        if (tag[at + i] < 0x20 || tag[at + i] > 0x7e)
            return;
    out->has_gaps = out->frames != 0;
    out->delay = (uint32_t)tag[at + 21] << 4 | tag[at + 22] >> 4;
    out->padding = (uint32_t)(tag[at + 22] & 15) << 8 | tag[at + 23];
}

void rmi_mp3_info_read(const uint8_t *frame, const rmi_mp3_head *head, rmi_mp3_info *out)
{
    const size_t side = side_size(head);
    *out = (rmi_mp3_info){0};
    if (head->layer != 3)
        return;
    /* Encoders leave no room for the sum of a protected frame, some do. */
    for (size_t at = RMI_MP3_HEAD + side; at <= RMI_MP3_HEAD + side + 2 && !out->is_info; at += 2)
        if (at + 8 <= head->size &&
            (memcmp(frame + at, "Xing", 4) == 0 || memcmp(frame + at, "Info", 4) == 0))
            read_xing(frame + at, head->size - at, out);
    if (!out->is_info && head->size >= 36 + 18 && memcmp(frame + 36, "VBRI", 4) == 0) {
        out->is_info = true;
        out->frames = rmi_big32(frame + 36 + 14);
    }
}
