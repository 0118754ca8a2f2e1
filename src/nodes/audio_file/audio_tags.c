#include "nodes/audio_file/audio_tags.h"

#include <string.h>

enum { ID3V1 = 128, ID3V1_MORE = 227, APE_FOOT = 32 };

static uint64_t id3v2_size(const uint8_t *bytes)
{
    const uint64_t size =
        (uint64_t)bytes[6] << 21 | (uint64_t)bytes[7] << 14 | (uint64_t)bytes[8] << 7 | bytes[9];
    const uint64_t copy = (bytes[5] & 0x10) != 0 ? 10 : 0; /* of its head, at its end */
    return 10 + size + copy;
}

/* Lyrics3: the first version ends within some KiB; the second tells its size at its end, in six digits. */
enum { LYRICS_BEGIN = 11, LYRICS_END = 9, LYRICS_DIGITS = 6, LYRICS_MOST = 5120 };

static bool stands_at(const uint8_t *bytes, size_t length, size_t at, const char *text)
{
    const size_t size = strlen(text);
    return at <= length && size <= length - at && memcmp(bytes + at, text, size) == 0;
}

/* The size of the Lyrics3 tag whose end is the end of these bytes; 0: there is none. */
static size_t lyrics_behind(const uint8_t *bytes, size_t length)
{
    if (length < LYRICS_BEGIN + LYRICS_END)
        return 0;
    const size_t foot = length - LYRICS_END;
    if (stands_at(bytes, length, foot, "LYRICS200") && foot >= LYRICS_DIGITS) {
        size_t size = 0;
        for (size_t i = foot - LYRICS_DIGITS; i < foot; i++)
            size = bytes[i] >= '0' && bytes[i] <= '9' ? size * 10 + (bytes[i] - '0') : length;
        size += LYRICS_DIGITS + LYRICS_END;
        return size <= length && stands_at(bytes, length, length - size, "LYRICSBEGIN") ? size : 0;
    }
    if (!stands_at(bytes, length, foot, "LYRICSEND"))
        return 0;
    for (size_t size = LYRICS_BEGIN + LYRICS_END; size <= length && size <= LYRICS_MOST; size++)
        if (stands_at(bytes, length, length - size, "LYRICSBEGIN"))
            return size;
    return 0;
}

/* The size of the Lyrics3 tag that begins here; of its first word, where its end is not among these bytes. */
static size_t lyrics_size(const uint8_t *bytes, size_t length)
{
    for (size_t at = LYRICS_BEGIN; at < length; at++) {
        if (bytes[at] != 'L')
            continue;
        if (stands_at(bytes, length, at, "LYRICSEND") || stands_at(bytes, length, at, "LYRICS200"))
            return at + LYRICS_END;
        if (stands_at(bytes, length, at, "LYRICSBEGIN"))
            break;
    }
    return LYRICS_BEGIN;
}

/* The size of the APE tag whose end is the end of these bytes; 0: there is none. The first version has a foot alone. */
static size_t ape_behind(const uint8_t *bytes, size_t length)
{
    const uint32_t has_head = UINT32_C(1) << 31;
    if (length < APE_FOOT || !stands_at(bytes, length, length - APE_FOOT, "APETAGEX"))
        return 0;
    const uint8_t *foot = bytes + length - APE_FOOT;
    const uint64_t head =
        (rmi_little32(foot + 20) & has_head) != 0 && rmi_little32(foot + 8) >= 2000 ? APE_FOOT : 0;
    const uint64_t size = head + rmi_little32(foot + 12);
    return size >= APE_FOOT && size <= length ? (size_t)size : 0;
}

size_t rmi_audio_tags_behind(const uint8_t *bytes, size_t length)
{
    for (;;) {
        size_t size = 0;
        if (length >= ID3V1 && memcmp(bytes + length - ID3V1, "TAG", 3) == 0)
            size = ID3V1;
        else if (length >= ID3V1_MORE && memcmp(bytes + length - ID3V1_MORE, "TAG+", 4) == 0)
            size = ID3V1_MORE;
        else
            size = ape_behind(bytes, length);
        if (size == 0)
            size = lyrics_behind(bytes, length);
        if (size == 0)
            return length;
        length -= size;
    }
}

uint64_t rmi_audio_tag_size(const uint8_t *bytes, size_t length)
{
    const uint32_t has_head = UINT32_C(1) << 29;
    if (length >= 10 && memcmp(bytes, "ID3", 3) == 0 && bytes[3] >= 2 && bytes[3] <= 4 && bytes[4] != 0xff &&
        ((bytes[6] | bytes[7] | bytes[8] | bytes[9]) & 0x80) == 0)
        return id3v2_size(bytes);
    if (length >= 4 && memcmp(bytes, "TAG", 3) == 0)
        return bytes[3] == '+' ? ID3V1_MORE : ID3V1;
    if (length >= APE_FOOT &&
        memcmp(bytes, "APETAGEX", 8) == 0) /* at the front it counts what follows, with the foot */
        return APE_FOOT +
               ((rmi_little32(bytes + 20) & has_head) != 0 ? (uint64_t)rmi_little32(bytes + 12) : 0);
    return stands_at(bytes, length, 0, "LYRICSBEGIN") ? lyrics_size(bytes, length) : 0;
}

bool rmi_audio_tags_only(const uint8_t *bytes, size_t length)
{
    while (rmi_audio_tags_behind(bytes, length) != 0) {
        const uint64_t size = rmi_audio_tag_size(bytes, length);
        if (size == 0 || size >= length)
            return size != 0;
        bytes += size;
        length -= (size_t)size;
    }
    return true;
}

bool rmi_audio_tags_end(rmi_audio_input *input)
{
    const uint8_t *bytes = NULL;
    const size_t there = rmi_audio_input_peek(input, RMI_AUDIO_AHEAD, &bytes);
    if (there == RMI_AUDIO_AHEAD || !rmi_audio_tags_only(bytes, there))
        return false;
    rmi_audio_input_take(input, there);
    return true;
}

void rmi_audio_tags_pass(rmi_audio_input *input)
{
    for (;;) {
        const uint8_t *bytes = NULL;
        size_t there = rmi_audio_input_peek(input, RMI_AUDIO_TAG_HEAD, &bytes);
        if (stands_at(bytes, there, 0, "LYRICSBEGIN"))
            there = rmi_audio_input_peek(input, RMI_AUDIO_AHEAD, &bytes);
        const uint64_t size = rmi_audio_tag_size(bytes, there);
        if (size != 0)
            (void)rmi_audio_input_skip(input, size);
        else if (there > 0 && bytes[0] == 0)
            rmi_audio_input_take(input, 1);
        else
            return;
    }
}
