/* An allocator for tests: counts blocks, checks sizes, and fails on request. */
#ifndef TESTS_SUPPORT_HEAP_H
#define TESTS_SUPPORT_HEAP_H

#include <stdatomic.h>

#include "remotemedia/remotemedia.h"

/* Must not move while `allocator` (pass its address) is in use. Every allocation, growth and shrinking counts
 * as a call, freeing does not. Blocks move on every resize and are filled with rubbish when new and when
 * freed. */
typedef struct rmt_heap {
    rm_allocator allocator;
    size_t fail_at;    /* the number of the call that fails, from 1; 0: none */
    bool keep_failing; /* all later calls fail too */
    atomic_size_t calls;
    atomic_size_t faults;      /* calls that were made to fail */
    atomic_size_t live_blocks; /* allocated and not freed yet */
    atomic_size_t live_bytes;
    atomic_size_t mistakes; /* wrong old_size, or a block of another heap; reported on stderr too */
} rmt_heap;

/* A heap whose `nth` call fails; 0: none does. */
void rmt_heap_init(rmt_heap *heap, size_t nth);

#endif
