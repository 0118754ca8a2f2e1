#include "nodes/audio_file/audio_tags.h"

#include <string.h>

static uint64_t id3v2_size(const uint8_t *bytes)
{
    const uint64_t size =
        (uint64_t)bytes[6] << 21 | (uint64_t)bytes[7] << 14 | (uint64_t)bytes[8] << 7 | bytes[9];
    const uint64_t copy = (bytes[5] & 0x10) != 0 ? 10 : 0; /* of its head, at its end */
    return 10 + size + copy;
}

uint64_t rmi_audio_tag_size(const uint8_t *bytes, size_t length)
{
    const uint32_t has_head = UINT32_C(1) << 29;
    if (length >= 10 && memcmp(bytes, "ID3", 3) == 0 && bytes[3] >= 2 && bytes[3] <= 4 && bytes[4] != 0xff &&
        ((bytes[6] | bytes[7] | bytes[8] | bytes[9]) & 0x80) == 0)
        return id3v2_size(bytes);
    if (length >= 4 && memcmp(bytes, "TAG", 3) == 0)
        return bytes[3] == '+' ? 227 : 128;
    if (length >= 32 &&
        memcmp(bytes, "APETAGEX", 8) == 0) /* at the front it counts what follows, with the foot */
        return 32 + ((rmi_little32(bytes + 20) & has_head) != 0 ? (uint64_t)rmi_little32(bytes + 12) : 0);
    return length >= 11 && memcmp(bytes, "LYRICSBEGIN", 11) == 0 ? 11 : 0;
}

void rmi_audio_tags_pass(rmi_audio_input *input)
{
    for (;;) {
        const uint8_t *bytes = NULL;
        const size_t there = rmi_audio_input_peek(input, RMI_AUDIO_TAG_HEAD, &bytes);
        const uint64_t size = rmi_audio_tag_size(bytes, there);
        if (size != 0)
            (void)rmi_audio_input_skip(input, size);
        else if (there > 0 && bytes[0] == 0)
            rmi_audio_input_take(input, 1);
        else
            return;
    }
}
