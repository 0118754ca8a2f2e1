/* Waits without threads or signals: for a flag, which only a call of the host in between can raise, and for
 * the host's clock and descriptors. */
#include <wasi/api.h>

#include "base/alloc.h"
#include "platform/platform.h"
#include "platform/wasi/poll.h"

struct rmi_wake {
    const rm_allocator *allocator;
    atomic_bool raised;
};

/* The program has one thread, and waits for one thing at a time. */
static int may_read = -1;

bool rmi_wasi_may_read(int descriptor)
{
    const bool may = descriptor == may_read;
    may_read = -1;
    return may;
}

int rmi_wake_new(const rm_allocator *allocator, rmi_wake **out, rm_error *err)
{
    *out = rmi_alloc(allocator, sizeof **out);
    if (*out == NULL)
        return rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory");
    (*out)->allocator = allocator;
    atomic_init(&(*out)->raised, false);
    return RM_OK;
}

void rmi_wake_free(rmi_wake *wake)
{
    if (wake != NULL)
        rmi_free(wake->allocator, wake, sizeof *wake);
}

void rmi_wake_raise(rmi_wake *wake)
{
    atomic_store(&wake->raised, true);
}

bool rmi_wake_wait(rmi_wake *wake, const int *descriptors, size_t count, int64_t deadline)
{
    /* Nothing else can happen, so the read itself may wait; unless nobody has read since the last wait. */
    const bool reads = count == 1 && deadline == INT64_MAX && may_read != descriptors[0];
    may_read = reads ? descriptors[0] : -1;
    const bool ended = atomic_load(&wake->raised) || reads ||
                       rmi_wasi_poll(descriptors, count, __WASI_EVENTTYPE_FD_READ, deadline, &wake->raised);
    atomic_store(&wake->raised, false);
    return ended;
}

bool rmi_wake_wait_for(rmi_wake *wake, int descriptor, bool writing, int64_t deadline)
{
    const __wasi_eventtype_t what = writing ? __WASI_EVENTTYPE_FD_WRITE : __WASI_EVENTTYPE_FD_READ;
    const bool asks =
        descriptor < 0 || rmi_wasi_names_descriptors(); /* else the read or write itself waits */
    const bool ready =
        !atomic_load(&wake->raised) &&
        (!asks || rmi_wasi_poll(&descriptor, descriptor >= 0 ? 1 : 0, what, deadline, &wake->raised));
    return !atomic_exchange(&wake->raised, false) && ready;
}
