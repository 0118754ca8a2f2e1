/* An allocator for tests: counts blocks, checks the sizes it is told, and fails where it is asked to. */
#ifndef TESTS_SUPPORT_HEAP_H
#define TESTS_SUPPORT_HEAP_H

#include <stdatomic.h>

#include "remotemedia/remotemedia.h"

/* Must stay where it is while `allocator` (pass its address) is used. Every allocation, growth and
 * shrinking counts as a call, freeing does not. Blocks move on every resize and are filled with rubbish
 * when new and when freed. */
typedef struct rmt_heap {
    rm_allocator allocator;
    size_t fail_at;    /* the number of the call that fails, from 1; 0: none */
    bool keep_failing; /* all later ones fail too */
    atomic_size_t calls;
    atomic_size_t faults;      /* calls that were made to fail */
    atomic_size_t live_blocks; /* allocated and not freed yet */
    atomic_size_t live_bytes;
    atomic_size_t
        mistakes; /* old_size was wrong, or the block not one of this heap's; told on stderr as well */
} rmt_heap;

/* A heap whose `nth` call fails; 0: none does. */
void rmt_heap_init(rmt_heap *heap, size_t nth);

#endif
