/* Checks an audio file before it is decoded: its format, and whether its end is missing. */
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
    bool knows_length; /* MP3: its first frame has the length */
    char missing[128]; /* the missing part of the end; empty: none, or unknown */
} rmi_audio_probe;

/* Reads parts of `file` (borrowed; left at its start). RM_E_IO with `path` in the message; a file that is no
 * audio gives RMI_AUDIO_UNKNOWN, not a failure. */
RM_MUST_CHECK int rmi_audio_probe_file(const rm_allocator *allocator, FILE *file, const char *path,
                                       rmi_audio_probe *out, rm_error *err);

#endif
