/* The C library's nanosleep knows no EINTR. The linker replaces it by this one (--wrap), so that a host can
 * wake a sleeping program. */
#include <errno.h>
#include <stdbool.h>
#include <time.h>
#include <wasi/api.h>

int __wrap_nanosleep(const struct timespec *wanted, struct timespec *left);

static uint64_t now(void)
{
    __wasi_timestamp_t time = 0;
    (void)__wasi_clock_time_get(__WASI_CLOCKID_MONOTONIC, 1, &time);
    return time;
}

/* Whether the host interrupted the wait. A host that cannot wait, or ends the wait early, is asked again: so the
 * clock is looked at until then. */
static bool sleep_until(uint64_t end)
{
    __wasi_event_t event;
    __wasi_size_t happened = 0;
    __wasi_errno_t error = 0;
    for (uint64_t at = now(); at < end && error != __WASI_ERRNO_INTR; at = now()) {
        /* Relative: Node's WASI never returns from an absolute time on the monotonic clock. */
        const __wasi_subscription_t clock = {
            .u = {.tag = __WASI_EVENTTYPE_CLOCK,
                  .u.clock = {.id = __WASI_CLOCKID_MONOTONIC, .timeout = end - at}}};
        error = __wasi_poll_oneoff(&clock, &event, 1, &happened);
    }
    return error == __WASI_ERRNO_INTR;
}

int __wrap_nanosleep(const struct timespec *wanted, struct timespec *left)
{
    const uint64_t second = 1000000000, started = now(), most = (UINT64_MAX - started) / second - 1;
    if (wanted->tv_sec < 0 || wanted->tv_nsec < 0 || wanted->tv_nsec >= (long)second) {
        errno = EINVAL;
        return -1;
    }
    const uint64_t seconds = (uint64_t)wanted->tv_sec < most ? (uint64_t)wanted->tv_sec : most;
    const uint64_t end = started + seconds * second + (uint64_t)wanted->tv_nsec;
    if (!sleep_until(end))
        return 0;
    const uint64_t at = now(), rest = at < end ? end - at : 0;
    if (left != NULL)
        *left = (struct timespec){.tv_sec = (time_t)(rest / second), .tv_nsec = (long)(rest % second)};
    errno = EINTR;
    return -1;
}
