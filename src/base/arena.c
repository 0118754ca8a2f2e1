#include "base/arena.h"

#include <string.h>

#include "base/alloc.h"
#include "base/check.h"

enum { FIRST_BLOCK = 2048, LARGEST_BLOCK = 65536, ALIGNMENT = 16 };

typedef struct rmi_arena_block {
    struct rmi_arena_block *next; /* older */
    size_t size;                  /* bytes of this allocation */
    _Alignas(ALIGNMENT) unsigned char data[];
} arena_block;

void rmi_arena_init(rmi_arena *arena, const rm_allocator *allocator)
{
    *arena = (rmi_arena){.allocator = allocator};
}

void rmi_arena_free(rmi_arena *arena)
{
    arena_block *block = arena->blocks;
    while (block != NULL) {
        arena_block *next = block->next;
        rmi_free(arena->allocator, block, block->size);
        block = next;
    }
    rmi_arena_init(arena, arena->allocator);
}

/* Adds a block that holds `bytes`. Blocks double: small arenas stay small, and large ones cost few calls. */
static bool add_block(rmi_arena *arena, size_t bytes)
{
    size_t size = arena->blocks != NULL ? arena->blocks->size * 2 : FIRST_BLOCK, needed = 0;
    if (!rmi_add(bytes, sizeof(arena_block), &needed))
        return false;
    if (size > LARGEST_BLOCK)
        size = LARGEST_BLOCK;
    if (size < needed)
        size = needed;
    arena_block *block = rmi_alloc(arena->allocator, size);
    if (block == NULL)
        return false;
    *block = (arena_block){.next = arena->blocks, .size = size};
    arena->blocks = block;
    arena->used = 0;
    arena->capacity = size - sizeof(arena_block);
    return true;
}

/* Uninitialised. */
static void *take(rmi_arena *arena, size_t bytes)
{
    size_t rounded = 0;
    if (!rmi_add(bytes != 0 ? bytes : 1, ALIGNMENT - 1, &rounded))
        return NULL;
    rounded &= ~(size_t)(ALIGNMENT - 1);
    if (rounded > arena->capacity - arena->used && !add_block(arena, rounded))
        return NULL;
    void *taken = arena->blocks->data + arena->used;
    arena->used += rounded;
    RMI_CHECK((uintptr_t)taken % ALIGNMENT == 0 && arena->used <= arena->capacity);
    return taken;
}

void *rmi_arena_alloc(rmi_arena *arena, size_t count, size_t element_size)
{
    size_t bytes = 0;
    void *taken = rmi_multiply(count, element_size, &bytes) ? take(arena, bytes) : NULL;
    if (taken != NULL)
        memset(taken, 0, bytes);
    return taken;
}

char *rmi_arena_text(rmi_arena *arena, const char *text, size_t length)
{
    size_t bytes = 0;
    char *copy = rmi_add(length, 1, &bytes) ? take(arena, bytes) : NULL;
    if (copy != NULL) {
        if (length != 0)
            memcpy(copy, text, length);
        copy[length] = '\0';
    }
    return copy;
}
