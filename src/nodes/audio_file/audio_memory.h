/* What both halves of the codec need of the decoding library: its header, and memory from our allocator.
 * Included by codec's own .c files only. */
#ifndef NODES_AUDIO_FILE_AUDIO_MEMORY_H
#define NODES_AUDIO_FILE_AUDIO_MEMORY_H

#include <miniaudio.h>

#include "remotemedia/node.h"

/* The library frees without telling sizes, so each block begins with its own. */
typedef struct rmi_audio_memory {
    const rm_allocator *allocator;
    bool exhausted; /* an allocation failed: whatever the library then says, this is the cause */
} rmi_audio_memory;

/* Callbacks over `memory`, which must outlive what is made with them. */
ma_allocation_callbacks rmi_audio_callbacks(rmi_audio_memory *memory);

#endif
