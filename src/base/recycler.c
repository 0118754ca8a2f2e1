#include "base/recycler.h"

#include "base/alloc.h"
#include "base/check.h"

/* Stands in a kept block: the next block of its size. */
typedef struct rmi_recycled {
    struct rmi_recycled *next;
} rmi_recycled;

/* An address that no other running thread has. */
static const void *this_thread(void)
{
    static _Thread_local const char mark = 0;
    return &mark;
}

/* Small blocks have whole steps: a block then serves all sizes of its list. */
static size_t whole_steps(size_t size)
{
    const size_t step = RMI_RECYCLED_STEP;
    return size <= RMI_RECYCLED_LARGEST ? (size + step - 1) / step * step : size;
}

/* The list of blocks with `whole` bytes; NULL where this size or thread has none. */
static rmi_recycled **list_for(rmi_recycler *recycler, size_t whole)
{
    if (whole - 1 >= RMI_RECYCLED_LARGEST || recycler->thread != this_thread())
        return NULL;
    return &recycler->lists[whole / RMI_RECYCLED_STEP - 1];
}

static void *take(rmi_recycler *recycler, size_t whole)
{
    rmi_recycled **list = list_for(recycler, whole), *first = list != NULL ? *list : NULL;
    if (first == NULL)
        return rmi_alloc(recycler->behind, whole);
    RMI_CHECK(recycler->kept >= whole);
    *list = first->next;
    recycler->kept -= whole;
    return first;
}

static void give(rmi_recycler *recycler, rmi_recycled *block, size_t whole)
{
    rmi_recycled **list = list_for(recycler, whole); /* first: only the owner's thread may read `kept` */
    if (list == NULL || recycler->kept + whole > RM_RECYCLED_BYTES) {
        rmi_free(recycler->behind, block, whole);
        return;
    }
    RMI_CHECK(whole >= sizeof *block && whole % RMI_RECYCLED_STEP == 0);
    block->next = *list;
    *list = block;
    recycler->kept += whole;
}

static void *recycler_resize(void *context, void *block, size_t old_size, size_t new_size)
{
    rmi_recycler *recycler = context;
    const size_t old_whole = whole_steps(old_size), new_whole = whole_steps(new_size);
    if (block == NULL)
        return take(recycler, new_whole);
    if (new_size == 0) {
        give(recycler, block, old_whole);
        return NULL;
    }
    return old_whole != new_whole ? rmi_resize(recycler->behind, block, old_whole, new_whole) : block;
}

void rmi_recycler_init(rmi_recycler *recycler, const rm_allocator *behind)
{
    *recycler = (rmi_recycler){
        .allocator = {.context = recycler, .resize = recycler_resize},
        .behind = behind,
        .thread = this_thread(),
    };
}

void rmi_recycler_clear(rmi_recycler *recycler)
{
    for (size_t i = 0; i < sizeof recycler->lists / sizeof *recycler->lists; i++) {
        while (recycler->lists[i] != NULL) {
            rmi_recycled *first = recycler->lists[i];
            recycler->lists[i] = first->next;
            recycler->kept -= (i + 1) * RMI_RECYCLED_STEP;
            rmi_free(recycler->behind, first, (i + 1) * RMI_RECYCLED_STEP);
        }
    }
    RMI_CHECK(recycler->kept == 0);
}
