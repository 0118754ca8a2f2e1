/* The format tags of WAV files. */
#ifndef NODES_AUDIO_FILE_WAV_TAGS_H
#define NODES_AUDIO_FILE_WAV_TAGS_H

#include <stddef.h>
#include <stdint.h>

enum {
    RMI_WAV_PCM = 1,
    RMI_WAV_MS_ADPCM = 2,
    RMI_WAV_FLOAT = 3,
    RMI_WAV_ALAW = 6,
    RMI_WAV_MULAW = 7,
    RMI_WAV_IMA_ADPCM = 0x11,
    RMI_WAV_MP3 = 0x55,
    RMI_WAV_EXTENSIBLE = 0xfffe
};

/* The codec's usual name, or NULL. */
const char *rmi_wav_tag_name(uint32_t tag);

#endif
