/* Waiting: a descriptor that any thread or signal handler can raise. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "platform/platform.h"

enum { FEW_DESCRIPTORS = 15 };

struct rmi_wake {
    const rm_allocator *allocator;
    int descriptor;
};

int rmi_wake_new(const rm_allocator *allocator, rmi_wake **out, rm_error *err)
{
    rmi_wake *wake = rmi_alloc(allocator, sizeof *wake);
    *out = NULL;
    if (wake == NULL)
        return rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory");
    *wake = (rmi_wake){.allocator = allocator, .descriptor = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
    if (wake->descriptor < 0) {
        int rc = rm_error_set(err, RM_E_IO, "no descriptor for waking: %s", strerror(errno));
        rmi_free(allocator, wake, sizeof *wake);
        return rc;
    }
    *out = wake;
    return RM_OK;
}

void rmi_wake_free(rmi_wake *wake)
{
    if (wake == NULL)
        return;
    (void)close(wake->descriptor);
    rmi_free(wake->allocator, wake, sizeof *wake);
}

void rmi_wake_raise(rmi_wake *wake)
{
    const uint64_t one = 1;
    int saved = errno;                                           /* a signal handler must not change errno */
    ssize_t written = write(wake->descriptor, &one, sizeof one); /* fails only when raised already */
    (void)written;
    errno = saved;
}

static bool lower(const rmi_wake *wake)
{
    uint64_t count = 0;
    return read(wake->descriptor, &count, sizeof count) == (ssize_t)sizeof count;
}

/* Milliseconds for poll, rounded up: the deadline has then passed; -1: no deadline. */
static int timeout_until(int64_t deadline)
{
    if (deadline == INT64_MAX)
        return -1;
    int64_t left = deadline - rmi_platform_now();
    if (left <= 0)
        return 0;
    return left / 1000000 >= INT_MAX ? INT_MAX : (int)((left + 999999) / 1000000);
}

bool rmi_wake_wait(rmi_wake *wake, const int *descriptors, size_t count, int64_t deadline)
{
    struct pollfd few[FEW_DESCRIPTORS + 1], *polled = few;
    size_t bytes = (count + 1) * sizeof *polled;
    int ready = 0;
    if (count > FEW_DESCRIPTORS)
        polled = rmi_alloc(wake->allocator, bytes);
    if (polled == NULL) { /* without memory for all it looks at some: the caller calls again */
        polled = few;
        count = FEW_DESCRIPTORS;
    }
    polled[0] = (struct pollfd){.fd = wake->descriptor, .events = POLLIN};
    for (size_t i = 0; i < count; i++)
        polled[i + 1] = (struct pollfd){.fd = descriptors[i], .events = POLLIN};
    do {
        ready = poll(polled, (nfds_t)(count + 1), timeout_until(deadline));
    } while (ready == 0 && deadline != INT64_MAX && rmi_platform_now() < deadline);
    if (ready > 0 && polled[0].revents != 0)
        (void)lower(wake);
    if (polled != few)
        rmi_free(wake->allocator, polled, bytes);
    return ready != 0;
}

bool rmi_wake_wait_for(rmi_wake *wake, int descriptor, bool writing, int64_t deadline)
{
    struct pollfd polled[] = {{.fd = descriptor, .events = writing ? POLLOUT : POLLIN},
                              {.fd = wake->descriptor, .events = POLLIN}};
    const int ready = poll(polled, 2, timeout_until(deadline));
    if (ready > 0 && polled[1].revents != 0)
        (void)lower(wake);
    return ready > 0 && polled[0].revents != 0;
}
