/* Clocks and random numbers. In deterministic mode both are the same in every run. */
#include "sandbox/wasi/wasi_state.h"

#include <errno.h>
#include <sys/random.h>
#include <time.h>

enum { STEP = 1000, /* ns that a clock advances a call */ RANDOM_PIECE = 1 << 20 };
static const uint64_t EPOCH =
    1577836800000000000u; /* 2020-01-01, where real time starts in deterministic mode */

/* false: there is no such clock. */
static bool host_clock(uint32_t id, clockid_t *out)
{
    static const clockid_t hosts[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID,
                                      CLOCK_THREAD_CPUTIME_ID};
    if (id >= sizeof hosts / sizeof *hosts)
        return false;
    *out = hosts[id];
    return true;
}

uint64_t rmi_wasi_now(const rmi_wasi *wasi, uint32_t id)
{
    clockid_t clock = CLOCK_REALTIME;
    struct timespec now = {0};
    if (wasi->deterministic)
        return wasi->time + (id == WASI_CLOCK_REALTIME ? EPOCH : 0);
    if (!host_clock(id, &clock) || clock_gettime(clock, &now) != 0)
        return 0;
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int rmi_preview1_clock_res_get(void *context, rmi_guest_memory memory, const rmi_slot *args, rmi_slot *result)
{
    const rmi_wasi *wasi = context;
    struct timespec resolution = {.tv_nsec = STEP};
    clockid_t clock;
    int error = host_clock(args[0].u32, &clock) ? 0 : WASI_EINVAL;
    if (error == 0 && !wasi->deterministic)
        error = rmi_wasi_check(clock_getres(clock, &resolution));
    if (error == 0)
        error = rmi_wasi_put_u64(memory, args[1].u32,
                                 (uint64_t)resolution.tv_sec * 1000000000u + (uint64_t)resolution.tv_nsec);
    return rmi_wasi_answer(result, error);
}

int rmi_preview1_clock_time_get(void *context, rmi_guest_memory memory, const rmi_slot *args,
                                rmi_slot *result)
{
    rmi_wasi *wasi = context;
    clockid_t clock;
    if (!host_clock(args[0].u32, &clock))
        return rmi_wasi_answer(result, WASI_EINVAL);
    wasi->time += STEP;
    return rmi_wasi_answer(result, rmi_wasi_put_u64(memory, args[2].u32, rmi_wasi_now(wasi, args[0].u32)));
}

/* ---- Random numbers */

/* splitmix64, by Sebastiano Vigna. */
static uint64_t next_number(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static int fill_same(rmi_wasi *wasi, uint8_t *out, size_t length)
{
    for (size_t i = 0; i < length;) {
        if (i % RANDOM_PIECE == 0 && rmi_wasi_stopped(wasi))
            return WASI_ENDS;
        uint64_t number = next_number(&wasi->random);
        size_t part = length - i < sizeof number ? length - i : sizeof number;
        memcpy(out + i, &number, part);
        i += part;
    }
    return 0;
}

static int fill_random(const rmi_wasi *wasi, uint8_t *out, size_t length)
{
    for (size_t i = 0; i < length;) {
        ssize_t got = getrandom(out + i, length - i < RANDOM_PIECE ? length - i : RANDOM_PIECE, 0);
        if (rmi_wasi_stopped(wasi))
            return WASI_ENDS;
        if (got < 0 && errno != EINTR)
            return rmi_wasi_errno(errno);
        i += got > 0 ? (size_t)got : 0;
    }
    return 0;
}

int rmi_preview1_random_get(void *context, rmi_guest_memory memory, const rmi_slot *args, rmi_slot *result)
{
    rmi_wasi *wasi = context;
    const uint32_t length = args[1].u32;
    uint8_t *out = rmi_guest_range(memory, args[0].u32, length);
    if (out == NULL)
        return rmi_wasi_answer(result, WASI_EFAULT);
    return rmi_wasi_answer(result, wasi->deterministic ? fill_same(wasi, out, length)
                                                       : fill_random(wasi, out, length));
}
