#include "platform/wasi/poll.h"

#include <unistd.h>

#include "platform/platform.h"

enum { MOST_DESCRIPTORS = 15 };

/* The longest a single wait lasts where nothing ends it. */
static const int64_t long_time = 3600 * INT64_C(1000000000);

/* Relative: Node's WASI never returns from an absolute time on the monotonic clock. In whole
 * milliseconds, as Node cuts off the rest; and at least one beside descriptors, since with none Node
 * reports only the clock. */
static __wasi_subscription_t clock_until(int64_t deadline, bool alone)
{
    const int64_t millisecond = 1000000;
    int64_t left = deadline == INT64_MAX ? long_time : deadline - rmi_platform_now();
    if (left < (alone ? 0 : millisecond))
        left = alone ? 0 : millisecond;
    left = (left + millisecond - 1) / millisecond * millisecond;
    return (__wasi_subscription_t){
        .u = {.tag = __WASI_EVENTTYPE_CLOCK,
              .u.clock = {.id = __WASI_CLOCKID_MONOTONIC, .timeout = (__wasi_timestamp_t)left}}};
}

static __wasi_subscription_t descriptor_ready(int descriptor, __wasi_eventtype_t what)
{
    __wasi_subscription_t made = {.userdata = 1, .u = {.tag = what}};
    if (what == __WASI_EVENTTYPE_FD_READ)
        made.u.u.fd_read.file_descriptor = descriptor;
    else
        made.u.u.fd_write.file_descriptor = descriptor;
    return made;
}

bool rmi_wasi_poll(const int *descriptors, size_t count, __wasi_eventtype_t what, int64_t deadline,
                   const atomic_bool *raised)
{
    __wasi_subscription_t wanted[MOST_DESCRIPTORS + 1];
    __wasi_event_t events[MOST_DESCRIPTORS + 1];
    __wasi_size_t happened = 0;
    bool ready = false;
    if (count == 0 && deadline <= rmi_platform_now())
        return false;             /* there is nothing to wait for */
    if (count > MOST_DESCRIPTORS) /* looks at some: the caller calls again */
        count = MOST_DESCRIPTORS;
    do {
        happened = 0;
        wanted[0] = clock_until(deadline, count == 0);
        for (size_t i = 0; i < count; i++)
            wanted[i + 1] = descriptor_ready(descriptors[i], what);
        const __wasi_errno_t error = __wasi_poll_oneoff(wanted, events, count + 1, &happened);
        if (raised != NULL && atomic_load(raised))
            return true;
        if (error == __WASI_ERRNO_INTR)
            continue;
        if (error != 0)
            return true;
        for (size_t i = 0; i < happened; i++)
            ready |= events[i].userdata == 1;
    } while (!ready && rmi_platform_now() < deadline);
    return ready;
}

bool rmi_wasi_names_descriptors(void)
{
    enum { UNKNOWN, NAMES, DOES_NOT };
    static int known = UNKNOWN; /* of the host, which stays the same */
    if (known == UNKNOWN) {
        const __wasi_subscription_t wanted[] = {clock_until(rmi_platform_now(), false),
                                                descriptor_ready(STDERR_FILENO, __WASI_EVENTTYPE_FD_WRITE)};
        __wasi_event_t events[2];
        __wasi_size_t happened = 0;
        known = DOES_NOT;
        if (__wasi_poll_oneoff(wanted, events, 2, &happened) == 0)
            for (size_t i = 0; i < happened && i < 2; i++)
                if (events[i].userdata == wanted[1].userdata)
                    known = NAMES;
    }
    return known == NAMES;
}
