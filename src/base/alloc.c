#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

static void *plain_resize(void *context, void *block, size_t old_size, size_t new_size)
{
    (void)context, (void)old_size;
    if (new_size != 0)
        return realloc(block, new_size);
    free(block);
    return NULL;
}

static const rm_allocator *known(const rm_allocator *allocator)
{
    static const rm_allocator plain = {.resize = plain_resize};
    return allocator != NULL ? allocator : &plain;
}

void *rmi_resize(const rm_allocator *allocator, void *block, size_t old_size, size_t new_size)
{
    const rm_allocator *from = known(allocator);
    return from->resize(from->context, block, old_size, new_size);
}

void *rmi_alloc(const rm_allocator *allocator, size_t size)
{
    return size != 0 ? rmi_resize(allocator, NULL, 0, size) : NULL;
}

void *rmi_alloc_zeroed(const rm_allocator *allocator, size_t size)
{
    void *block = rmi_alloc(allocator, size);
    if (block != NULL)
        memset(block, 0, size);
    return block;
}

void rmi_free(const rm_allocator *allocator, void *block, size_t size)
{
    const rm_allocator *from = known(allocator);
    if (block != NULL)
        (void)from->resize(from->context, block, size, 0);
}

int rmi_grow(const rm_allocator *allocator, void **block, size_t *capacity, size_t wanted,
             size_t element_size, rm_error *err)
{
    size_t count = *capacity, old_bytes = count * element_size, bytes = 0;
    if (wanted <= count)
        return RM_OK;
    if (!rmi_multiply(count, 2, &count) || count < wanted)
        count = wanted;
    if (count < 4)
        count = 4;
    if (!rmi_multiply(count, element_size, &bytes))
        return rmi_out_of_memory(err);
    void *grown = rmi_resize(allocator, *block, old_bytes, bytes);
    if (grown == NULL)
        return rmi_out_of_memory(err);
    *block = grown;
    *capacity = count;
    return RM_OK;
}

char *rmi_copy_text(const rm_allocator *allocator, const char *text)
{
    const size_t size = strlen(text) + 1;
    char *copy = rmi_alloc(allocator, size);
    return copy != NULL ? memcpy(copy, text, size) : NULL;
}

void rmi_free_text(const rm_allocator *allocator, char *text)
{
    rmi_free(allocator, text, text != NULL ? strlen(text) + 1 : 0);
}

int rmi_out_of_memory(rm_error *err)
{
    return rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory");
}

void rmi_explain_memory(rm_error *err, uint64_t limit)
{
    if (limit > 0 && err != NULL && (err->code == RM_E_OUT_OF_MEMORY || err->no_memory))
        rm_error_hint(err, "its sandbox has a limit of %llu bytes of memory", (unsigned long long)limit);
}
