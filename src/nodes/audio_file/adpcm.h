/* The two kinds of ADPCM that WAV files have: 4 bits a sample, in blocks. */
#ifndef NODES_AUDIO_FILE_ADPCM_H
#define NODES_AUDIO_FILE_ADPCM_H

#include "remotemedia/node.h"

typedef enum rmi_adpcm_kind { RMI_ADPCM_NONE, RMI_ADPCM_MS, RMI_ADPCM_IMA } rmi_adpcm_kind;

typedef struct rmi_adpcm {
    rmi_adpcm_kind kind;
    size_t channels, block_size, block_frames; /* bytes and frames of a whole block */
    float *ready; /* a decoded block, of which `waiting` frames from `next` on wait */
    size_t next, waiting;
} rmi_adpcm;

/* Sets the sizes; false where no such blocks can be. */
bool rmi_adpcm_init(rmi_adpcm *adpcm, rmi_adpcm_kind kind, size_t channels, size_t block_size);
RM_MUST_CHECK int rmi_adpcm_allocate(rmi_adpcm *adpcm, const rm_allocator *allocator, rm_error *err);
void rmi_adpcm_free(rmi_adpcm *adpcm, const rm_allocator *allocator);
/* Decodes a block of `size` bytes, which may be cut short, into `ready`. false: it is damaged. */
bool rmi_adpcm_decode(rmi_adpcm *adpcm, const uint8_t *block, size_t size);

#endif
