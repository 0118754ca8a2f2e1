/* The C library's memory, with large pages for large blocks. */
#include <stdlib.h>

#include "platform/platform.h"

enum { LARGE = 8 << 20 };

static void *default_resize(void *context, void *block, size_t old_size, size_t new_size)
{
    (void)context, (void)old_size;
    if (new_size == 0) {
        free(block);
        return NULL;
    }
    void *made = realloc(block, new_size);
    if (made != NULL && new_size >= LARGE)
        rmi_platform_use_large_pages(made, new_size);
    return made;
}

const rm_allocator *rm_allocator_default(void)
{
    static const rm_allocator allocator = {.resize = default_resize};
    return &allocator;
}
