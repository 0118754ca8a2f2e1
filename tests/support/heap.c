#include "tests/support/heap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIVE = 0x11fe, DEAD = 0xdead };

typedef struct block_head {
    size_t size;
    size_t mark;
    rmt_heap *heap;
    _Alignas(16) unsigned char data[];
} block_head;

static block_head *head_of(rmt_heap *heap, void *block, size_t old_size)
{
    block_head *head = (block_head *)((unsigned char *)block - sizeof(block_head));
    if (head->mark != LIVE || head->heap != heap || head->size != old_size) {
        (void)fprintf(stderr, "rmt_heap: block %p: told %zu bytes, has %zu%s\n", block, old_size, head->size,
                      head->mark != LIVE || head->heap != heap ? ", and is not this heap's" : "");
        heap->mistakes++;
    }
    return head;
}

static void give_back(rmt_heap *heap, block_head *head)
{
    heap->live_blocks--;
    heap->live_bytes -= head->size;
    memset(head->data, 0xdd, head->size);
    head->mark = DEAD;
    free(head);
}

static bool must_fail(rmt_heap *heap)
{
    size_t call = atomic_fetch_add(&heap->calls, 1) + 1;
    bool fails =
        heap->fail_at != 0 && (call == heap->fail_at || (heap->keep_failing && call > heap->fail_at));
    if (fails)
        heap->faults++;
    return fails;
}

static void *heap_resize(void *context, void *block, size_t old_size, size_t new_size)
{
    rmt_heap *heap = context;
    block_head *old = block != NULL ? head_of(heap, block, old_size) : NULL;
    if (old == NULL && old_size != 0)
        heap->mistakes++;
    if (new_size == 0) {
        if (old != NULL)
            give_back(heap, old);
        return NULL;
    }
    block_head *fresh = must_fail(heap) || new_size > SIZE_MAX / 2 ? NULL : malloc(sizeof *fresh + new_size);
    if (fresh == NULL)
        return NULL;
    *fresh = (block_head){.size = new_size, .mark = LIVE, .heap = heap};
    memset(fresh->data, 0xa5, new_size);
    heap->live_blocks++;
    heap->live_bytes += new_size;
    if (old != NULL) {
        memcpy(fresh->data, old->data, old->size < new_size ? old->size : new_size);
        give_back(heap, old);
    }
    return fresh->data;
}

void rmt_heap_init(rmt_heap *heap, size_t nth)
{
    *heap = (rmt_heap){.allocator = {.context = heap, .resize = heap_resize}, .fail_at = nth};
}
