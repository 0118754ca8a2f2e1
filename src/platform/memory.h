/* The allocator without src/base, which stands above the platform. */
#ifndef PLATFORM_MEMORY_H
#define PLATFORM_MEMORY_H

#include "remotemedia/remotemedia.h"

RM_MUST_CHECK static inline void *rmi_platform_resize(const rm_allocator *allocator, void *block,
                                                      size_t old_size, size_t new_size)
{
    const rm_allocator *from = allocator != NULL ? allocator : rm_allocator_default();
    return from->resize(from->context, block, old_size, new_size);
}

RM_MUST_CHECK static inline void *rmi_platform_alloc(const rm_allocator *allocator, size_t size)
{
    return rmi_platform_resize(allocator, NULL, 0, size);
}

static inline void rmi_platform_free(const rm_allocator *allocator, void *block, size_t size)
{
    const rm_allocator *from = allocator != NULL ? allocator : rm_allocator_default();
    if (block != NULL)
        (void)from->resize(from->context, block, size, 0);
}

#endif
