/* WASI for a guest: its input and output with their limits, waiting, clocks and random numbers, and how it is stopped. */
#include "tests/support/wasi_guest.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/platform.h"
#include "tests/support/heap.h"

static const rmi_wasi_config nothing = {
    .input = -1, .output = {.descriptor = -1}, .errors = {.descriptor = -1}};

/* ---- Being stopped ---- */

/* Stops the guest, from another thread, once its own thread is about to wait: it says so by a byte in the pipe. */
typedef struct stopper {
    rmi_wasi *wasi;
    int ends[2];
    pthread_t thread;
} stopper;

static void *stop(void *context)
{
    stopper *s = context;
    char byte = 0;
    if (read(s->ends[0], &byte, 1) == 1)
        rmi_wasi_stop(s->wasi);
    return NULL;
}

static void stopper_start(stopper *s, rmi_wasi *wasi)
{
    s->wasi = wasi;
    assert_int_equal(pipe(s->ends), 0);
    assert_int_equal(pthread_create(&s->thread, NULL, stop, s), 0);
    assert_int_equal(write(s->ends[1], "", 1), 1);
}

static void stopper_join(stopper *s)
{
    assert_int_equal(pthread_join(s->thread, NULL), 0);
    assert_true(rmi_wasi_stopped(s->wasi));
    (void)close(s->ends[0]);
    (void)close(s->ends[1]);
}

static void put_clock(rmt_guest *guest, uint32_t at, uint32_t clock, uint64_t timeout, uint16_t flags)
{
    memset(guest->memory + at, 0, WASI_SUBSCRIPTION_SIZE);
    memcpy(guest->memory + at, &at, sizeof at); /* its userdata is where it is */
    memcpy(guest->memory + at + 16, &clock, sizeof clock);
    memcpy(guest->memory + at + 24, &timeout, sizeof timeout);
    memcpy(guest->memory + at + 40, &flags, sizeof flags);
}

static void put_descriptor(rmt_guest *guest, uint32_t at, uint8_t type, uint32_t fd)
{
    memset(guest->memory + at, 0, WASI_SUBSCRIPTION_SIZE);
    memcpy(guest->memory + at, &at, sizeof at);
    guest->memory[at + 8] = type;
    memcpy(guest->memory + at + 16, &fd, sizeof fd);
}

static void a_stop_ends_every_wait(void **unused)
{
    (void)unused;
    enum { READING, WRITING, SLEEPING, POLLING, OPENING, LAST };
    char path[] = "/tmp/wasi-fifo-XXXXXX";
    assert_int_equal(close(mkstemp(path)), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    const rm_sandbox_grant fifo = {path, "fifo", true, true};
    for (int waiting = READING; waiting < LAST; waiting++) {
        int before = rmt_open_descriptors(), input[2], output[2], result = 0;
        rmt_guest guest;
        rmi_wasi_config config = nothing;
        stopper s;
        char buffer[16];
        assert_int_equal(pipe(input), 0);
        assert_int_equal(pipe(output), 0);
        config.input = input[0];
        config.output.descriptor = output[1];
        config.grants = &fifo;
        config.grant_count = 1;
        rmt_guest_init(&guest, &config);
        put_clock(&guest, 64, WASI_CLOCK_MONOTONIC, UINT64_MAX, 0);
        put_descriptor(&guest, 128, WASI_EVENT_READ, 0);
        stopper_start(&s, guest.wasi);
        switch (waiting) {
        case READING:
            result = rmt_guest_read(&guest, 0, buffer, sizeof buffer);
            break;
        case WRITING: /* nobody reads: the pipe is full after a while */
            while (result >= 0)
                result = rmt_guest_write(&guest, 1, "0123456789012345678901234567890123456789");
            break;
        case SLEEPING:
            result = RMT_GUEST_CALL(&guest, "poll_oneoff", 64, 256, 1, 0);
            break;
        case POLLING:
            result = RMT_GUEST_CALL(&guest, "poll_oneoff", 128, 256, 1, 0);
            break;
        default: /* a pipe that nobody reads */
            result = rmt_guest_open(&guest, 3, "fifo", 0, WASI_RIGHT_FD_WRITE);
            result = result == -RMT_ENDED ? RMT_ENDED : result;
        }
        assert_int_equal(result, RMT_ENDED);
        stopper_join(&s);
        assert_int_equal(rmt_guest_read(&guest, 0, buffer, 1), RMT_ENDED); /* and it stays so */
        assert_false(rmi_wasi_exited(guest.wasi, NULL));
        rmt_guest_clear(&guest);
        for (int i = 0; i < 2; i++)
            (void)close(input[i]), (void)close(output[i]);
        assert_int_equal(rmt_open_descriptors(), before);
    }
    assert_int_equal(unlink(path), 0);
}

/* ---- Input and output ---- */

static void input_comes_as_it_is_written(void **unused)
{
    (void)unused;
    int ends[2];
    rmt_guest guest;
    rmi_wasi_config config = nothing;
    char text[16] = {0};
    assert_int_equal(pipe(ends), 0);
    config.input = ends[0];
    rmt_guest_init(&guest, &config);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_fdstat_set_flags", 0, WASI_FD_NONBLOCK), 0);
    assert_int_equal(rmt_guest_read(&guest, 0, text, sizeof text), -WASI_EAGAIN - 1000);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_fdstat_set_flags", 0, 0), 0);
    assert_int_equal(write(ends[1], "one", 3), 3);
    assert_int_equal(rmt_guest_read(&guest, 0, text, sizeof text), 3);
    assert_int_equal(write(ends[1], "second", 6), 6);
    assert_int_equal(rmt_guest_read(&guest, 0, text, 2), 2);
    assert_memory_equal(text, "se", 2);
    put_descriptor(&guest, 64, WASI_EVENT_READ, 0);
    assert_int_equal(RMT_GUEST_CALL(&guest, "poll_oneoff", 64, 256, 1, 0), 0);
    assert_int_equal(rmt_guest_get32(&guest, 0), 1);
    assert_int_equal(rmt_guest_get64(&guest, 256), 64);
    assert_int_equal(rmt_guest_get64(&guest, 256 + 16), 4);
    assert_int_equal(rmt_guest_read(&guest, 0, text, sizeof text), 4);
    (void)close(ends[1]);
    assert_int_equal(RMT_GUEST_CALL(&guest, "poll_oneoff", 64, 256, 1, 0), 0);
    assert_int_equal(guest.memory[256 + 24], WASI_EVENT_HANGUP);
    assert_int_equal(rmt_guest_read(&guest, 0, text, sizeof text), 0);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_seek", 0, 0, 0, 0), WASI_ESPIPE);
    rmt_guest_clear(&guest);
    assert_int_equal(fcntl(ends[0], F_GETFD) >= 0, 1); /* borrowed */
    (void)close(ends[0]);
}

typedef struct collected {
    char text[64];
    size_t length;
    int error;
} collected;

static int collect(void *context, const void *data, size_t length)
{
    collected *c = context;
    if (c->error != 0)
        return c->error;
    assert_true(c->length + length < sizeof c->text);
    memcpy(c->text + c->length, data, length);
    c->length += length;
    return 0;
}

static void output_goes_where_it_is_sent(void **unused)
{
    (void)unused;
    int ends[2];
    rmt_guest guest;
    rmi_wasi_config config = nothing;
    collected errors = {.error = 0};
    char text[16] = {0};
    (void)signal(SIGPIPE, SIG_IGN);
    assert_int_equal(pipe(ends), 0);
    config.output.descriptor = ends[1];
    config.errors.write = collect;
    config.errors.context = &errors;
    rmt_guest_init(&guest, &config);
    assert_int_equal(rmt_guest_write(&guest, 1, "result"), 6);
    assert_int_equal(read(ends[0], text, sizeof text), 6);
    assert_string_equal(text, "result");
    assert_int_equal(rmt_guest_write(&guest, 2, "warning"), 7);
    assert_string_equal(errors.text, "warning");
    errors.error = ENOSPC;
    assert_int_equal(rmt_guest_write(&guest, 2, "warning"), -WASI_ENOSPC - 1000);
    (void)close(ends[0]);
    assert_int_equal(rmt_guest_write(&guest, 1, "result"), -WASI_EPIPE - 1000);
    rmt_guest_clear(&guest);
    (void)close(ends[1]);
}

static void output_over_its_limit_ends_the_guest(void **unused)
{
    (void)unused;
    rmt_guest guest;
    rmi_wasi_config config = nothing;
    collected output = {.error = 0};
    config.output = (rmi_wasi_stream){.write = collect, .context = &output, .limit = 10};
    rmt_guest_init(&guest, &config);
    assert_int_equal(rmt_guest_write(&guest, 1, "12345"), 5);
    assert_int_equal(rmt_guest_write(&guest, 1, "67890"), 5);
    assert_int_equal(rmi_wasi_overflowed(guest.wasi), 0);
    assert_int_equal(rmt_guest_write(&guest, 1, ""), 0);
    assert_int_equal(rmt_guest_write(&guest, 1, "1"), RMT_ENDED);
    assert_int_equal(rmi_wasi_overflowed(guest.wasi), 1);
    assert_string_equal(output.text, "1234567890");
    rmt_guest_clear(&guest);
    output = (collected){.error = 0};
    rmt_guest_init(&guest, &config);
    assert_int_equal(rmt_guest_write(&guest, 1, "what fits is written"), RMT_ENDED);
    assert_string_equal(output.text, "what fits ");
    rmt_guest_clear(&guest);
}

static void output_over_its_rate_is_dropped(void **unused)
{
    (void)unused;
    rmt_guest guest;
    rmi_wasi_config config = nothing;
    collected errors = {.error = 0};
    config.errors = (rmi_wasi_stream){.write = collect, .context = &errors, .rate = 4, .limit = 40};
    rmt_guest_init(&guest, &config);
    int64_t start = rmi_platform_now() / 1000000000;
    for (int i = 0; i < 100; i++)
        assert_int_equal(rmt_guest_write(&guest, 2, "123456"), 6);
    size_t seconds =
        (size_t)(rmi_platform_now() / 1000000000 - start) + 1; /* one, or two around a full second */
    assert_in_range(errors.length, 4, 4 * seconds);
    assert_int_equal(rmi_wasi_dropped(guest.wasi, 2), 600 - errors.length);
    assert_int_equal(rmi_wasi_dropped(guest.wasi, 1), 0);
    assert_int_equal(rmi_wasi_dropped(guest.wasi, 3), 0);
    assert_int_equal(rmi_wasi_overflowed(guest.wasi), 0);
    rmt_guest_clear(&guest);
}

static void a_large_output_comes_whole_through_a_pipe(void **unused)
{
    (void)unused;
    enum { SIZE = 200000 };
    int ends[2];
    rmt_guest guest;
    rmi_wasi_config config = nothing;
    static char got[SIZE];
    size_t length = 0;
    assert_int_equal(pipe(ends), 0);
    config.output.descriptor = ends[1];
    rmt_guest_init(&guest, &config);
    for (uint32_t i = 0; i < SIZE; i++)
        guest.memory[1024 + i] = (uint8_t)(i * 7919 >> 5);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_fdstat_set_flags", 1, WASI_FD_NONBLOCK), 0);
    while (length < SIZE) {
        const uint32_t vectors[] = {(uint32_t)(1024 + length), 1, (uint32_t)(1025 + length),
                                    (uint32_t)(SIZE - length - 1)};
        memcpy(guest.memory + 64, vectors, sizeof vectors);
        assert_int_equal(RMT_GUEST_CALL(&guest, "fd_write", 1, 64, 2, 0), 0); /* as much as the pipe takes */
        size_t put = rmt_guest_get32(&guest, 0);
        assert_true(put > 0);
        for (size_t end = length + put; length < end;)
            length += (size_t)read(ends[0], got + length, end - length);
    }
    assert_memory_equal(got, guest.memory + 1024, SIZE);
    rmt_guest_clear(&guest);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void a_granted_device_can_be_read(void **unused)
{
    (void)unused;
    rmt_guest guest;
    rmi_wasi_config config = nothing;
    const rm_sandbox_grant grants[] = {{"/dev/zero", "/dev/zero", false, true},
                                       {"/dev/null", "null", true, true}};
    char bytes[4] = "abc";
    config.grants = grants;
    config.grant_count = 2;
    rmt_guest_init(&guest, &config);
    assert_int_equal(rmt_guest_open(&guest, 3, "dev/zero", 0, WASI_RIGHT_FD_READ), 5);
    assert_int_equal(rmt_guest_read(&guest, 5, bytes, 4), 4);
    assert_int_equal(bytes[0], 0);
    assert_int_equal(rmt_guest_open(&guest, 3, "dev/zero", 0, WASI_RIGHT_FD_WRITE), -WASI_EROFS);
    assert_int_equal(rmt_guest_open(&guest, 3, "null", WASI_O_CREAT | WASI_O_TRUNC, WASI_RIGHT_FD_WRITE), 6);
    assert_int_equal(rmt_guest_write(&guest, 6, "gone"), 4);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_fdstat_get", 6, 64), 0);
    assert_int_equal(guest.memory[64], WASI_TYPE_UNKNOWN); /* no terminal */
    assert_int_equal(rmt_guest_open(&guest, 3, "null.x", WASI_O_CREAT, WASI_RIGHT_FD_WRITE), -WASI_EACCES);
    rmt_guest_clear(&guest);
}

/* ---- Waiting ---- */

static void waits_end_when_they_should(void **unused)
{
    (void)unused;
    int ends[2];
    rmt_guest guest;
    rmi_wasi_config config = nothing;
    assert_int_equal(pipe(ends), 0);
    config.input = ends[0];
    config.output.descriptor = ends[1];
    rmt_guest_init(&guest, &config);
    put_clock(&guest, 64, WASI_CLOCK_MONOTONIC, 2000000, 0);
    put_descriptor(&guest, 112, WASI_EVENT_READ, 0);
    int64_t before = rmi_platform_now();
    assert_int_equal(RMT_GUEST_CALL(&guest, "poll_oneoff", 64, 1000, 2, 0), 0);
    assert_true(rmi_platform_now() - before >= 2000000);
    assert_int_equal(rmt_guest_get32(&guest, 0), 1);
    assert_int_equal(rmt_guest_get64(&guest, 1000), 64);
    put_descriptor(&guest, 160, WASI_EVENT_WRITE, 1); /* ready at once, as the others are not */
    put_clock(&guest, 64, WASI_CLOCK_MONOTONIC, UINT64_MAX, 0);
    assert_int_equal(RMT_GUEST_CALL(&guest, "poll_oneoff", 64, 1000, 3, 0), 0);
    assert_int_equal(rmt_guest_get32(&guest, 0), 1);
    assert_int_equal(rmt_guest_get64(&guest, 1000), 160);
    put_clock(&guest, 64, WASI_CLOCK_REALTIME, 1, WASI_CLOCK_ABSOLUTE); /* long past */
    put_clock(&guest, 112, WASI_CLOCK_THREAD, 1, 0);
    put_descriptor(&guest, 160, WASI_EVENT_READ, 77);
    assert_int_equal(RMT_GUEST_CALL(&guest, "poll_oneoff", 64, 1000, 3, 0), 0);
    assert_int_equal(rmt_guest_get32(&guest, 0), 3);
    assert_int_equal(guest.memory[1000 + 8], 0);
    assert_int_equal(guest.memory[1032 + 8], WASI_EINVAL);
    assert_int_equal(guest.memory[1064 + 8], WASI_EBADF);
    put_descriptor(&guest, 64, 3, 0); /* no such kind */
    assert_int_equal(RMT_GUEST_CALL(&guest, "poll_oneoff", 64, 1000, 1, 0), WASI_EINVAL);
    assert_int_equal(RMT_GUEST_CALL(&guest, "poll_oneoff", 64, 1000, 0, 0), WASI_EINVAL);
    assert_int_equal(RMT_GUEST_CALL(&guest, "poll_oneoff", 0, 0, 5000, 0), WASI_EINVAL);
    rmt_guest_clear(&guest);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

/* ---- Clocks and random numbers ---- */

static void clocks_tell_the_time(void **unused)
{
    (void)unused;
    rmt_guest guest;
    rmt_guest_init(&guest, &nothing);
    for (uint32_t id = 0; id < 4; id++) {
        assert_int_equal(RMT_GUEST_CALL(&guest, "clock_res_get", id, 64), 0);
        assert_in_range(rmt_guest_get64(&guest, 64), 1, 1000000000);
        assert_int_equal(RMT_GUEST_CALL(&guest, "clock_time_get", id, 0, 64), 0);
        assert_int_equal(RMT_GUEST_CALL(&guest, "clock_time_get", id, 0, 72), 0);
        assert_true(rmt_guest_get64(&guest, 72) >= rmt_guest_get64(&guest, 64) || id == 0);
    }
    assert_int_equal(RMT_GUEST_CALL(&guest, "clock_time_get", 4, 0, 64), WASI_EINVAL);
    assert_int_equal(RMT_GUEST_CALL(&guest, "clock_res_get", UINT32_MAX, 64), WASI_EINVAL);
    assert_int_equal(RMT_GUEST_CALL(&guest, "random_get", 64, 32), 0);
    assert_int_equal(RMT_GUEST_CALL(&guest, "random_get", 128, 32), 0);
    assert_memory_not_equal(guest.memory + 64, guest.memory + 128, 32);
    assert_int_equal(RMT_GUEST_CALL(&guest, "random_get", RMT_GUEST_MEMORY, 0), 0);
    rmt_guest_clear(&guest);
}

static void deterministic_runs_are_the_same(void **unused)
{
    (void)unused;
    uint64_t numbers[2][6];
    for (int run = 0; run < 2; run++) {
        rmt_guest guest;
        rmi_wasi_config config = nothing;
        config.deterministic = true;
        rmt_guest_init(&guest, &config);
        assert_int_equal(RMT_GUEST_CALL(&guest, "random_get", 64, 16), 0);
        assert_int_equal(RMT_GUEST_CALL(&guest, "clock_time_get", 0, 0, 80), 0);
        assert_int_equal(RMT_GUEST_CALL(&guest, "clock_time_get", 1, 0, 88), 0);
        put_clock(&guest, 256, WASI_CLOCK_MONOTONIC, 3600000000000, 0); /* an hour, at once */
        assert_int_equal(RMT_GUEST_CALL(&guest, "poll_oneoff", 256, 512, 1, 0), 0);
        assert_int_equal(RMT_GUEST_CALL(&guest, "clock_time_get", 1, 0, 96), 0);
        put_clock(&guest, 256, WASI_CLOCK_REALTIME, 2000000000000000000, WASI_CLOCK_ABSOLUTE);
        assert_int_equal(RMT_GUEST_CALL(&guest, "poll_oneoff", 256, 512, 1, 0), 0);
        assert_int_equal(RMT_GUEST_CALL(&guest, "clock_time_get", 0, 0, 104), 0);
        memcpy(numbers[run], guest.memory + 64, sizeof numbers[run]);
        rmt_guest_clear(&guest);
    }
    assert_memory_equal(numbers[0], numbers[1], sizeof numbers[0]);
    assert_true(numbers[0][4] - numbers[0][3] > 3600000000000);
    assert_true(numbers[0][4] - numbers[0][3] < 3600000100000);
    assert_true(numbers[0][5] >= 2000000000000000000);
}

/* ---- Memory ---- */

static void without_memory_it_is_an_error(void **unused)
{
    (void)unused;
    static const char *const args[] = {"program", NULL};
    char directory[] = "/tmp/wasi-test-XXXXXX", file[64];
    rmt_guest_needs_directories();
    assert_non_null(mkdtemp(directory));
    (void)snprintf(file, sizeof file, "%s/file", directory);
    const rm_sandbox_grant grants[] = {
        {directory, "/data", false, false}, {file, "out", true, true}, {file, "./out", true, true}};
    int before = rmt_open_descriptors();
    for (size_t nth = 1, faults = 1; faults != 0; nth++) {
        rmt_heap heap;
        rmi_wasi *wasi = NULL;
        rm_error err = {0};
        rmt_heap_init(&heap, nth);
        rmi_wasi_config config = nothing;
        config.allocator = &heap.allocator;
        config.args = config.env = args;
        config.grants = grants;
        config.grant_count = 3;
        int rc = rmi_wasi_new(&config, &wasi, &err);
        faults = heap.faults;
        assert_int_equal(rc, faults != 0 ? RM_E_OUT_OF_MEMORY : RM_OK);
        rmi_wasi_free(wasi);
        assert_int_equal(heap.live_blocks, 0);
        assert_int_equal(heap.mistakes, 0);
        assert_int_equal(rmt_open_descriptors(), before);
    }
    for (size_t nth = 1, faults = 1; faults != 0; nth++) {
        rmt_heap heap;
        rmt_guest guest;
        rmt_heap_init(&heap, 0);
        rmi_wasi_config config = nothing;
        config.allocator = &heap.allocator;
        config.grants = grants;
        config.grant_count = 3;
        rmt_guest_init(&guest, &config);
        heap.fail_at = heap.calls + nth;
        int last = 3, error = 0;
        for (int i = 0; i < 20 && last >= 0; i++)
            last = rmt_guest_open(&guest, 4, ".", WASI_O_DIRECTORY, WASI_RIGHT_FD_READDIR);
        error = RMT_GUEST_CALL(&guest, "fd_readdir", 3, 1000, 1000, 0, 0);
        put_clock(&guest, 64, WASI_CLOCK_MONOTONIC, 0, 0);
        if (error == 0)
            error = RMT_GUEST_CALL(&guest, "poll_oneoff", 64, 1000, 1, 0);
        faults = heap.faults;
        assert_true(faults == 0 ? last > 0 && error == 0 : last == -WASI_ENOMEM || error == WASI_ENOMEM);
        rmt_guest_clear(&guest);
        assert_int_equal(heap.live_blocks, 0);
        assert_int_equal(heap.mistakes, 0);
        assert_int_equal(rmt_open_descriptors(), before);
    }
    assert_int_equal(rmdir(directory), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stop_ends_every_wait),
        cmocka_unit_test(input_comes_as_it_is_written),
        cmocka_unit_test(output_goes_where_it_is_sent),
        cmocka_unit_test(output_over_its_limit_ends_the_guest),
        cmocka_unit_test(output_over_its_rate_is_dropped),
        cmocka_unit_test(a_large_output_comes_whole_through_a_pipe),
        cmocka_unit_test(a_granted_device_can_be_read),
        cmocka_unit_test(waits_end_when_they_should),
        cmocka_unit_test(clocks_tell_the_time),
        cmocka_unit_test(deterministic_runs_are_the_same),
        cmocka_unit_test(without_memory_it_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
