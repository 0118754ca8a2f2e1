/* Reuses small blocks, which come and go by the thousand: the owner's thread gets blocks that it freed again,
 * without a call of the allocator behind. */
#ifndef BASE_RECYCLER_H
#define BASE_RECYCLER_H

#include "remotemedia/remotemedia.h"

enum { RMI_RECYCLED_STEP = 16, RMI_RECYCLED_LARGEST = 512 };

/* Any thread may use `allocator` (pass its address); the recycler must not move meanwhile. Only the thread
 * that called rmi_recycler_init, the owner, takes from the kept blocks and adds to them. */
typedef struct rmi_recycler {
    rm_allocator allocator;
    const rm_allocator *behind;
    const void *thread;
    size_t kept; /* bytes in all lists, RM_RECYCLED_BYTES at most */
    struct rmi_recycled *lists[RMI_RECYCLED_LARGEST / RMI_RECYCLED_STEP];
} rmi_recycler;

void rmi_recycler_init(rmi_recycler *recycler, const rm_allocator *behind);
/* Frees the kept blocks. The owner's thread calls it, after all blocks in use were freed. */
void rmi_recycler_clear(rmi_recycler *recycler);

#endif
