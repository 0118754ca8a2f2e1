#include "nodes/audio_file/audio_memory.h"

#include <stddef.h>

typedef union head {
    size_t size; /* of the whole block */
    max_align_t align;
} head;

static void *memory_resize(void *block, size_t size, void *context)
{
    rmi_audio_memory *memory = context;
    const rm_allocator *allocator = memory->allocator;
    head *old = block ? (head *)block - 1 : NULL, *fresh = NULL;
    size_t whole;
    if (!__builtin_add_overflow(size, sizeof(head), &whole))
        fresh = allocator->resize(allocator->context, old, old ? old->size : 0, whole);
    memory->exhausted = memory->exhausted || fresh == NULL;
    if (fresh == NULL)
        return NULL;
    fresh->size = whole;
    return fresh + 1;
}

static void *memory_new(size_t size, void *context)
{
    return memory_resize(NULL, size, context);
}

static void memory_free(void *block, void *context)
{
    const rm_allocator *allocator = ((rmi_audio_memory *)context)->allocator;
    head *old = block ? (head *)block - 1 : NULL;
    if (old != NULL)
        allocator->resize(allocator->context, old, old->size, 0);
}

ma_allocation_callbacks rmi_audio_callbacks(rmi_audio_memory *memory)
{
    return (ma_allocation_callbacks){
        .pUserData = memory, .onMalloc = memory_new, .onRealloc = memory_resize, .onFree = memory_free};
}
