/* A look at an audio file before it is decoded: which format, and whether its end is missing. */
#ifndef NODES_AUDIO_FILE_PROBE_H
#define NODES_AUDIO_FILE_PROBE_H

#include <stdio.h>

#include "remotemedia/node.h"

typedef enum rmi_audio_container {
    RMI_AUDIO_UNKNOWN,
    RMI_AUDIO_WAV,
    RMI_AUDIO_FLAC,
    RMI_AUDIO_MP3,
    RMI_AUDIO_OGG
} rmi_audio_container;

typedef struct rmi_audio_probe {
    rmi_audio_container container;
    bool knows_length; /* MP3: its first frame says how long it is */
    char missing[128]; /* what of the end is missing; empty: nothing, or it cannot be told */
} rmi_audio_probe;

/* Reads here and there in `file` (borrowed; left at its start). RM_E_IO with `path` in the message; a file
 * that is no audio is no failure but RMI_AUDIO_UNKNOWN. */
RM_MUST_CHECK int rmi_audio_probe_file(const rm_allocator *allocator, FILE *file, const char *path,
                                       rmi_audio_probe *out, rm_error *err);

#endif
