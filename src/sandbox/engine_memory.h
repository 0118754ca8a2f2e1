/* The allocator for an engine: the engine's shared object does not contain src/base. */
#ifndef SANDBOX_ENGINE_MEMORY_H
#define SANDBOX_ENGINE_MEMORY_H

#include "remotemedia/remotemedia.h"

static inline void *rmi_engine_resize(const rm_allocator *allocator, void *block, size_t old_size,
                                      size_t new_size)
{
    const rm_allocator *from = allocator != NULL ? allocator : rm_allocator_default();
    return from->resize(from->context, block, old_size, new_size);
}

static inline void *rmi_engine_alloc(const rm_allocator *allocator, size_t size)
{
    return rmi_engine_resize(allocator, NULL, 0, size);
}

static inline void rmi_engine_free(const rm_allocator *allocator, void *block, size_t size)
{
    if (block != NULL)
        (void)rmi_engine_resize(allocator, block, size, 0);
}

#endif
