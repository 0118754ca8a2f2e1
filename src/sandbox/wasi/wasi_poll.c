/* poll_oneoff: waits for clocks, and for input and output. */
#include "sandbox/wasi/wasi_state.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <time.h>

#include "base/alloc.h"

enum { SUBSCRIPTIONS = 4096 };

/* One subscription and its state. */
typedef struct wait {
    uint64_t userdata;
    uint64_t when;  /* of a clock: its time in monotonic ns (in deterministic mode ns since the start) */
    uint64_t bytes; /* of a descriptor: bytes that can be read */
    size_t polled;  /* its index in `polled`; 0: a clock, or ready at once */
    int error;
    uint16_t flags;
    uint8_t type;
    bool ready;
} wait;

typedef struct waits {
    wait *list;
    struct pollfd *polled; /* the first is the stop descriptor */
    size_t count, polled_count;
    uint64_t when; /* the first clock's */
    bool ready, timed;
} waits;

/* ---- Reading the subscriptions */

static uint64_t add_up_to_max(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static void add_clock(const rmi_wasi *wasi, const uint8_t *at, wait *out, waits *all)
{
    uint32_t id = 0;
    uint64_t timeout = 0;
    uint16_t flags = 0;
    memcpy(&id, at, sizeof id);
    memcpy(&timeout, at + 8, sizeof timeout);
    memcpy(&flags, at + 24, sizeof flags);
    uint64_t now = rmi_wasi_now(wasi, WASI_CLOCK_MONOTONIC);
    if (id > WASI_CLOCK_MONOTONIC || (flags & ~WASI_CLOCK_ABSOLUTE) != 0) {
        out->error = WASI_EINVAL;
        out->ready = true;
        return;
    }
    if ((flags & WASI_CLOCK_ABSOLUTE) != 0) {
        uint64_t other = rmi_wasi_now(wasi, id);
        timeout = timeout > other ? timeout - other : 0;
    }
    out->when = add_up_to_max(now, timeout);
    all->when = !all->timed || out->when < all->when ? out->when : all->when;
    all->timed = true;
}

/* Files and directories are always ready; input and output are polled. */
static void add_descriptor(rmi_wasi *wasi, const uint8_t *at, wait *out, waits *all)
{
    uint32_t number = 0;
    memcpy(&number, at, sizeof number);
    const rmi_fd *fd = rmi_wasi_fd(wasi, number);
    bool reads = out->type == WASI_EVENT_READ;
    struct stat status;
    out->ready = true;
    if (fd == NULL || (fd->kind == RMI_FD_INPUT && !reads) || (fd->kind == RMI_FD_OUTPUT && reads))
        out->error = WASI_EBADF;
    else if (fd->host >= 0 && fd->waits) {
        out->ready = false;
        out->polled = all->polled_count;
        all->polled[all->polled_count++] =
            (struct pollfd){.fd = fd->host, .events = reads ? POLLIN : POLLOUT};
    } else if (reads && fd->host >= 0 && fd->kind != RMI_FD_DIRECTORY && fstat(fd->host, &status) == 0)
        out->bytes = (uint64_t)status.st_size;
}

static int read_subscriptions(rmi_wasi *wasi, const uint8_t *in, waits *all)
{
    all->polled[0] = (struct pollfd){.fd = wasi->stop, .events = POLLIN};
    all->polled_count = 1;
    for (size_t i = 0; i < all->count; i++, in += WASI_SUBSCRIPTION_SIZE) {
        wait *one = &all->list[i];
        *one = (wait){.type = in[8]};
        memcpy(&one->userdata, in, sizeof one->userdata);
        if (one->type > WASI_EVENT_WRITE)
            return WASI_EINVAL;
        if (one->type == WASI_EVENT_CLOCK)
            add_clock(wasi, in + 16, one, all);
        else
            add_descriptor(wasi, in + 16, one, all);
        all->ready = all->ready || one->ready;
    }
    return 0;
}

/* ---- Waiting */

/* The time until the first clock; NULL: there is no clock. */
static const struct timespec *time_left(const rmi_wasi *wasi, const waits *all, struct timespec *out)
{
    uint64_t now = rmi_wasi_now(wasi, WASI_CLOCK_MONOTONIC);
    uint64_t left = all->when > now ? all->when - now : 0;
    if (all->ready || (all->timed && wasi->deterministic)) /* this time does not pass by waiting */
        left = 0;
    else if (!all->timed)
        return NULL;
    *out = (struct timespec){.tv_sec = (time_t)(left / 1000000000u), .tv_nsec = (long)(left % 1000000000u)};
    return out;
}

static int wait_for_any(rmi_wasi *wasi, waits *all)
{
    struct timespec left;
    bool over = false;
    while (!over) {
        int ready = 0;
        const int error =
            rmi_wasi_poll(wasi, all->polled, all->polled_count, time_left(wasi, all, &left), &ready);
        if (error != 0)
            return error;
        over = ready >= 0;
        if (ready == 0 && !all->ready && wasi->deterministic && all->timed && all->when > wasi->time)
            wasi->time = all->when;
    }
    return 0;
}

/* ---- Writing the events */

static void look(const waits *all, uint64_t now, wait *one)
{
    int bytes = 0;
    if (one->ready)
        return;
    if (one->type == WASI_EVENT_CLOCK) {
        one->ready = one->when <= now;
        return;
    }
    const struct pollfd *polled = &all->polled[one->polled];
    one->ready = polled->revents != 0;
    if ((polled->revents & POLLNVAL) != 0)
        one->error = WASI_EBADF;
    if ((polled->revents & (POLLHUP | POLLERR)) != 0)
        one->flags = WASI_EVENT_HANGUP;
    if (one->ready && one->type == WASI_EVENT_READ && ioctl(polled->fd, FIONREAD, &bytes) == 0 && bytes > 0)
        one->bytes = (uint64_t)bytes;
}

static uint32_t write_events(const rmi_wasi *wasi, waits *all, uint8_t *out)
{
    const uint64_t now = rmi_wasi_now(wasi, WASI_CLOCK_MONOTONIC);
    uint32_t count = 0;
    for (size_t i = 0; i < all->count; i++) {
        wait *one = &all->list[i];
        uint8_t event[WASI_EVENT_SIZE] = {0};
        look(all, now, one);
        if (!one->ready)
            continue;
        const uint16_t error = (uint16_t)one->error;
        memcpy(event, &one->userdata, sizeof one->userdata);
        memcpy(event + 8, &error, sizeof error);
        event[10] = one->type;
        memcpy(event + 16, &one->bytes, sizeof one->bytes);
        memcpy(event + 24, &one->flags, sizeof one->flags);
        memcpy(out + (size_t)count * WASI_EVENT_SIZE, event, sizeof event);
        count++;
    }
    return count;
}

static int poll_all(rmi_wasi *wasi, const uint8_t *in, uint8_t *out, waits *all, uint32_t *events)
{
    int error = read_subscriptions(wasi, in, all);
    do { /* the wait may end a moment before the clock's time */
        if (error == 0)
            error = wait_for_any(wasi, all);
        if (error == 0)
            *events = write_events(wasi, all, out);
    } while (error == 0 && *events == 0);
    return error;
}

int rmi_preview1_poll_oneoff(void *context, rmi_guest_memory memory, const rmi_slot *args, rmi_slot *result)
{
    rmi_wasi *wasi = context;
    const size_t count = args[2].u32, polled_size = (count + 1) * sizeof(struct pollfd);
    const uint8_t *in = rmi_guest_range(memory, args[0].u32, (uint64_t)count * WASI_SUBSCRIPTION_SIZE);
    uint8_t *out = rmi_guest_range(memory, args[1].u32, (uint64_t)count * WASI_EVENT_SIZE);
    uint32_t events = 0;
    waits all = {.count = count};
    int error = count == 0 || count > SUBSCRIPTIONS ? WASI_EINVAL : 0;
    if (in == NULL || out == NULL || !rmi_wasi_reaches(memory, args[3].u32, sizeof events))
        error = WASI_EFAULT;
    if (error != 0)
        return rmi_wasi_answer(result, error);
    all.list = rmi_alloc(wasi->allocator, count * sizeof *all.list);
    all.polled = rmi_alloc(wasi->allocator, polled_size);
    error = all.list == NULL || all.polled == NULL ? WASI_ENOMEM : poll_all(wasi, in, out, &all, &events);
    rmi_free(wasi->allocator, all.list, count * sizeof *all.list);
    rmi_free(wasi->allocator, all.polled, polled_size);
    return rmi_wasi_answer(result, error != 0 ? error : rmi_wasi_put_u32(memory, args[3].u32, events));
}
