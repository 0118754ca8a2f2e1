/* Memory that is freed all at once: for data that lives as long as one manifest or one pipeline. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "remotemedia/remotemedia.h"

typedef struct rmi_arena {
    const rm_allocator *allocator;
    struct rmi_arena_block *blocks;
    size_t used, capacity; /* of the newest block */
} rmi_arena;

void rmi_arena_init(rmi_arena *arena, const rm_allocator *allocator);
void rmi_arena_free(rmi_arena *arena);
/* Zeroed, aligned to 16 bytes; NULL when memory is out (or the product wraps). A count of 0 gives a unique
 * pointer. */
RM_MUST_CHECK void *rmi_arena_alloc(rmi_arena *arena, size_t count, size_t element_size);
/* A NUL-terminated copy, or NULL. */
RM_MUST_CHECK char *rmi_arena_text(rmi_arena *arena, const char *text, size_t length);

#endif
