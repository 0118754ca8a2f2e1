/* Small blocks that come and go by the thousand: what one thread frees it gets again, without a look at the
 * allocator behind. */
#ifndef BASE_RECYCLER_H
#define BASE_RECYCLER_H

#include "remotemedia/remotemedia.h"

enum { RMI_RECYCLED_STEP = 16, RMI_RECYCLED_LARGEST = 512 };

/* Must stay where it is while `allocator` (pass its address) is used, by any thread; only the thread that
 * called rmi_recycler_init takes from the kept blocks and adds to them. */
typedef struct rmi_recycler {
    rm_allocator allocator;
    const rm_allocator *behind;
    const void *thread;
    size_t kept; /* bytes in all lists, RM_RECYCLED_BYTES at most */
    struct rmi_recycled *lists[RMI_RECYCLED_LARGEST / RMI_RECYCLED_STEP];
} rmi_recycler;

void rmi_recycler_init(rmi_recycler *recycler, const rm_allocator *behind);
/* Gives back what is kept. Called by the thread of rmi_recycler_init; blocks in use must be freed before. */
void rmi_recycler_clear(rmi_recycler *recycler);

#endif
