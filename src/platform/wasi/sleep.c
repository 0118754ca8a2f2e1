/* The C library's nanosleep knows no EINTR. The linker replaces it by this one (--wrap), so that a host can
 * wake a sleeping program. */
#include <errno.h>
#include <time.h>
#include <wasi/api.h>

int __wrap_nanosleep(const struct timespec *wanted, struct timespec *left);

static uint64_t now(void)
{
    __wasi_timestamp_t time = 0;
    (void)__wasi_clock_time_get(__WASI_CLOCKID_MONOTONIC, 1, &time);
    return time;
}

int __wrap_nanosleep(const struct timespec *wanted, struct timespec *left)
{
    const uint64_t second = 1000000000, most = UINT64_MAX / second - 1, started = now();
    __wasi_event_t event;
    __wasi_size_t happened = 0;
    if (wanted->tv_sec < 0 || wanted->tv_nsec < 0 || wanted->tv_nsec >= (long)second) {
        errno = EINVAL;
        return -1;
    }
    const uint64_t seconds = (uint64_t)wanted->tv_sec < most ? (uint64_t)wanted->tv_sec : most;
    const uint64_t length = seconds * second + (uint64_t)wanted->tv_nsec;
    /* Relative: Node's WASI never returns from an absolute time on the monotonic clock. */
    const __wasi_subscription_t clock = {
        .u = {.tag = __WASI_EVENTTYPE_CLOCK, .u.clock = {.id = __WASI_CLOCKID_MONOTONIC, .timeout = length}}};
    const __wasi_errno_t error = __wasi_poll_oneoff(&clock, &event, 1, &happened);
    if (error == 0 && event.error == 0)
        return 0;
    const uint64_t slept = now() - started, rest = slept < length ? length - slept : 0;
    if (left != NULL)
        *left = (struct timespec){.tv_sec = (time_t)(rest / second), .tv_nsec = (long)(rest % second)};
    errno = error == __WASI_ERRNO_INTR ? EINTR : ENOTSUP;
    return -1;
}
