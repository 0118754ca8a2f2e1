/* Shared by both halves of the codec: the decoding library's header, and memory from our allocator. Only the
 * codec's own .c files include it. */
#ifndef NODES_AUDIO_FILE_AUDIO_MEMORY_H
#define NODES_AUDIO_FILE_AUDIO_MEMORY_H

#include <miniaudio.h>

#include "remotemedia/node.h"

/* The library frees without sizes, so each block begins with its own. */
typedef struct rmi_audio_memory {
    const rm_allocator *allocator;
    bool exhausted; /* an allocation failed: this is the cause, whatever code the library returns */
} rmi_audio_memory;

/* Callbacks over `memory`, which must outlive the objects made with them. */
ma_allocation_callbacks rmi_audio_callbacks(rmi_audio_memory *memory);

#endif
