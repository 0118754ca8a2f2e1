/* Samples of WAV and AIFF files as floats whose full scale is 1.0. */
#ifndef NODES_AUDIO_FILE_PCM_H
#define NODES_AUDIO_FILE_PCM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum rmi_pcm_kind {
    RMI_PCM_NONE,
    RMI_PCM_UNSIGNED, /* 8 bits: 128 is silence */
    RMI_PCM_SIGNED,   /* 8 to 64 bits */
    RMI_PCM_FLOAT,    /* 32, 64 */
    RMI_PCM_ALAW,
    RMI_PCM_MULAW
} rmi_pcm_kind;

typedef struct rmi_pcm {
    rmi_pcm_kind kind;
    bool big;     /* the most significant byte comes first */
    size_t bytes; /* a sample */
} rmi_pcm;

/* Whether there are such samples. */
bool rmi_pcm_exists(const rmi_pcm *pcm);
/* Decodes `count` samples. Integers become floats by division with 2^(bits - 1): exactly up to 24 bits, to the
 * nearest beyond. */
void rmi_pcm_decode(const rmi_pcm *pcm, const uint8_t *bytes, size_t count, float *samples);

#endif
