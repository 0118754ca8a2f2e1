/* The platform's functions: waking, deadlines, files, shared objects. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "platform/platform.h"
#include "tests/support/heap.h"

static const int64_t MILLISECOND = 1000000;

/* ---- Waking ---- */

static void a_raised_flag_ends_the_wait(void **unused)
{
    (void)unused;
    rmt_heap heap;
    rmi_wake *wake = NULL;
    rmt_heap_init(&heap, 0);
    assert_int_equal(rmi_wake_new(&heap.allocator, &wake, NULL), RM_OK);
    rmi_wake_raise(wake);
    rmi_wake_raise(wake);
    assert_true(rmi_wake_wait(wake, NULL, 0, INT64_MAX));
    assert_false(rmi_wake_wait(wake, NULL, 0, 0)); /* lowered; the deadline has passed */
    int64_t deadline = rmi_platform_now() + 2 * MILLISECOND;
    assert_false(rmi_wake_wait(wake, NULL, 0, deadline));
    assert_true(rmi_platform_now() >= deadline);
    rmi_wake_free(wake);
    rmi_wake_free(NULL);
    assert_int_equal(heap.live_blocks, 0);
}

static void a_readable_descriptor_ends_the_wait(void **unused)
{
    (void)unused;
    int ends[2], many[40];
    rmi_wake *wake = NULL;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(rmi_wake_new(NULL, &wake, NULL), RM_OK);
    for (size_t i = 0; i < sizeof many / sizeof *many; i++)
        many[i] = -1;
    many[39] = ends[0];
    assert_false(rmi_wake_wait(wake, ends, 1, 0));
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_true(rmi_wake_wait(wake, ends, 1, INT64_MAX));
    assert_true(rmi_wake_wait(wake, many, 40, INT64_MAX));
    rmi_wake_free(wake);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

/* ---- Watchdog ---- */

typedef struct watched {
    atomic_int calls;
    atomic_bool blocks_signals;
    rmi_wake *called;
    int64_t deadline; /* returned once, then none */
} watched;

static int64_t on_watch(void *context)
{
    watched *w = context;
    sigset_t blocked;
    (void)pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    w->blocks_signals = sigismember(&blocked, SIGINT) == 1 && sigismember(&blocked, SIGTERM) == 1;
    int64_t deadline = w->calls == 0 ? w->deadline : INT64_MAX;
    w->calls++;
    rmi_wake_raise(w->called);
    return deadline;
}

static void wait_for_calls(watched *w, int calls)
{
    while (w->calls < calls)
        (void)rmi_wake_wait(w->called, NULL, 0, INT64_MAX);
}

static void the_watchdog_calls_at_deadlines_and_when_poked(void **unused)
{
    (void)unused;
    rmt_heap heap;
    rmi_watchdog *watchdog = NULL;
    watched w = {.deadline = rmi_platform_now() + 5 * MILLISECOND};
    rmt_heap_init(&heap, 0);
    assert_int_equal(rmi_wake_new(NULL, &w.called, NULL), RM_OK);
    assert_int_equal(rmi_watchdog_start(&heap.allocator, on_watch, &w, &watchdog, NULL), RM_OK);
    wait_for_calls(&w, 2);
    assert_true(rmi_platform_now() >= w.deadline);
    rmi_watchdog_poke(watchdog);
    wait_for_calls(&w, 3);
    assert_true(w.blocks_signals);
    rmi_watchdog_stop(watchdog);
    rmi_watchdog_stop(NULL);
    rmi_wake_free(w.called);
    assert_int_equal(heap.live_blocks, 0);
}

static void starting_survives_failing_memory(void **unused)
{
    (void)unused;
    watched w = {.deadline = INT64_MAX};
    assert_int_equal(rmi_wake_new(NULL, &w.called, NULL), RM_OK);
    for (size_t nth = 1, faults = 1; faults != 0; nth++) {
        rmt_heap heap;
        rmi_watchdog *watchdog = NULL;
        rmt_heap_init(&heap, nth);
        int rc = rmi_watchdog_start(&heap.allocator, on_watch, &w, &watchdog, NULL);
        faults = heap.faults;
        assert_int_equal(rc, faults != 0 ? RM_E_OUT_OF_MEMORY : RM_OK);
        rmi_watchdog_stop(watchdog);
        assert_int_equal(heap.live_blocks, 0);
    }
    rmi_wake_free(w.called);
}

/* ---- Turns ---- */

typedef struct counted {
    rmi_handover *handover;
    int turns, of, seen; /* plain members: the turn itself orders what both sides do */
    pthread_t thread;
    atomic_bool ended;
} counted;

static void count_turns(void *context)
{
    counted *c = context;
    c->thread = pthread_self();
    for (c->turns = 1; c->turns < c->of; c->turns++) {
        c->seen = c->turns;
        rmi_handover_park(c->handover);
    }
    c->ended = true;
}

static void turns_are_given_and_come_back(void **unused)
{
    (void)unused;
    rmt_heap heap;
    rmt_heap_init(&heap, 0);
    counted c = {.of = 1000};
    assert_true(rmi_platform_has_threads());
    assert_int_equal(rmi_handover_new(&heap.allocator, count_turns, &c, &c.handover, NULL), RM_OK);
    assert_int_equal(c.turns, 0); /* the function begins with its first turn */
    for (int turn = 1; turn < c.of; turn++) {
        assert_true(rmi_handover_resume(c.handover));
        assert_int_equal(c.seen, turn);
        assert_false(pthread_equal(c.thread, pthread_self()));
    }
    assert_false(rmi_handover_resume(c.handover));
    assert_true(c.ended);
    assert_false(rmi_handover_resume(c.handover));
    rmi_handover_free(c.handover);
    rmi_handover_free(NULL);
    assert_int_equal(heap.live_blocks, 0);
}

static void a_thread_that_has_not_ended_is_left_behind(void **unused)
{
    (void)unused;
    rmt_heap heap;
    rmt_heap_init(&heap, 0);
    for (int resumed = 0; resumed <= 1; resumed++) {
        static counted c; /* static: the thread outlives the test */
        c = (counted){.of = 10};
        assert_int_equal(rmi_handover_new(&heap.allocator, count_turns, &c, &c.handover, NULL), RM_OK);
        for (int i = 0; i < resumed; i++)
            assert_true(rmi_handover_resume(c.handover));
        rmi_handover_free(c.handover);
        assert_int_equal(c.turns, resumed);
        assert_false(c.ended);
    }
    assert_int_equal(heap.live_blocks, 0);
    rmt_heap_init(&heap, 1);
    counted none = {0};
    assert_int_equal(rmi_handover_new(&heap.allocator, count_turns, &none, &none.handover, NULL),
                     RM_E_OUT_OF_MEMORY);
    assert_null(none.handover);
}

/* ---- Files ---- */

static void make_file(char *path, const char *content, size_t length)
{
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, content, length), (ssize_t)length);
    (void)close(descriptor);
}

static void files_are_read_whole(void **unused)
{
    (void)unused;
    char path[] = "/tmp/rm-posix-test-XXXXXX";
    make_file(path, "a\0bc", 4);
    for (size_t nth = 1, faults = 1; faults != 0; nth++) {
        rmt_heap heap;
        char *data = NULL;
        size_t length = 0;
        rmt_heap_init(&heap, nth);
        int rc = rmi_platform_read_file(&heap.allocator, path, 4, &data, &length, NULL);
        faults = heap.faults;
        assert_int_equal(rc, faults != 0 ? RM_E_OUT_OF_MEMORY : RM_OK);
        if (rc == RM_OK) {
            assert_int_equal(length, 4);
            assert_memory_equal(data, "a\0bc", 5);
            rm_text_free(&heap.allocator, data, length);
        }
        assert_int_equal(heap.live_blocks, 0);
        assert_int_equal(heap.mistakes, 0);
    }
    (void)unlink(path);
}

static void what_cannot_be_read_is_told(void **unused)
{
    (void)unused;
    char path[] = "/tmp/rm-posix-test-XXXXXX", *data = NULL;
    size_t length = 0;
    rm_error err = {0};
    make_file(path, "abcde", 5);
    assert_int_equal(rmi_platform_read_file(NULL, path, 4, &data, &length, &err), RM_E_LIMIT);
    assert_non_null(strstr(err.message, "4 bytes"));
    assert_non_null(strstr(err.message, path));
    (void)unlink(path);
    assert_int_equal(rmi_platform_read_file(NULL, path, 4, &data, &length, &err), RM_E_NOT_FOUND);
    assert_int_equal(rmi_platform_read_file(NULL, "/tmp", 4, &data, &length, &err), RM_E_IO);
    assert_int_equal(rmi_platform_read_file(NULL, "/dev/zero", 1 << 20, &data, &length, &err), RM_E_LIMIT);
    assert_non_null(strstr(err.message, "1 MiB"));
    assert_null(data);
}

static void standard_input_is_a_dash(void **unused)
{
    (void)unused;
    int ends[2], saved = dup(STDIN_FILENO);
    char *data = NULL;
    size_t length = 0;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "hello", 5), 5);
    (void)close(ends[1]);
    assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    assert_int_equal(rmi_platform_read_file(NULL, "-", 100, &data, &length, NULL), RM_OK);
    assert_string_equal(data, "hello");
    rm_text_free(NULL, data, length);
    (void)dup2(saved, STDIN_FILENO);
    (void)close(saved);
    (void)close(ends[0]);
}

static void links_lead_to_files(void **unused)
{
    (void)unused;
    char folder[] = "/tmp/rm-posix-test-XXXXXX", link[64], path[64], target[4096], small[8];
    rmi_file_id one, other;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(link, sizeof link, "%s/link", folder);
    (void)snprintf(path, sizeof path, "%s/file", folder);
    assert_int_equal(symlink("file", link), 0);
    assert_true(rmi_platform_follow(link, target, sizeof target));
    assert_string_equal(target, path);
    assert_false(rmi_platform_follow(link, small, sizeof small));
    assert_int_equal(rmi_platform_identify(link, &one), RMI_FILE_REGULAR); /* it is not there yet */
    assert_int_equal(rmi_platform_identify(path, &other), RMI_FILE_REGULAR);
    assert_true(rmi_platform_same_file(&one, &other));
    assert_string_equal(one.name, "file");
    const int descriptor = open(link, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(rmi_platform_identify(link, &one), RMI_FILE_REGULAR);
    assert_int_equal(rmi_platform_identify_descriptor(descriptor, &other), RMI_FILE_REGULAR);
    assert_true(rmi_platform_same_file(&one, &other));
    assert_true(rmi_platform_locate(link, &one));
    assert_string_equal(one.name, "file");
    assert_true(rmi_platform_identify_folder(folder, &other));
    assert_int_equal(one.number, other.number);
    (void)close(descriptor);
    (void)unlink(path);
    (void)unlink(link);
    assert_int_equal(symlink("link", link), 0); /* a circle */
    assert_false(rmi_platform_follow(link, target, sizeof target));
    assert_int_equal(rmi_platform_identify(link, &one), RMI_FILE_OTHER);
    (void)unlink(link);
    (void)rmdir(folder);
    assert_int_equal(rmi_platform_identify(link, &one), RMI_FILE_OTHER); /* nor is its folder there */
    assert_int_equal(rmi_platform_identify("/dev/null", &one), RMI_FILE_OTHER);
    assert_int_equal(rmi_platform_identify_descriptor(-1, &one), RMI_FILE_OTHER);
}

static void a_wait_for_one_descriptor(void **unused)
{
    (void)unused;
    int ends[2];
    rmi_wake *wake = NULL;
    rmi_file_id id;
    assert_int_equal(rmi_wake_new(NULL, &wake, NULL), RM_OK);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(rmi_platform_identify_descriptor(ends[0], &id), RMI_FILE_STREAM);
    assert_true(rmi_wake_wait_for(wake, ends[1], true, INT64_MAX));
    assert_false(rmi_wake_wait_for(wake, ends[0], false, rmi_platform_now() + 1000000));
    rmi_wake_raise(wake);
    assert_false(rmi_wake_wait_for(wake, ends[0], false, INT64_MAX));
    assert_false(rmi_wake_wait_for(wake, -1, false, rmi_platform_now()));
    (void)close(ends[1]);
    assert_true(rmi_wake_wait_for(wake, ends[0], false, INT64_MAX)); /* its other end has gone */
    (void)close(ends[0]);
    rmi_wake_free(wake);
}

/* ---- The rest ---- */

static void shared_objects_have_functions(void **unused)
{
    (void)unused;
    rmi_library *library = NULL;
    rm_error err = {0};
    double (*cosine)(double) = NULL;
    void *absent = NULL;
    assert_int_equal(rmi_library_open(NULL, "absent.so", &library, &err), RM_E_IO);
    assert_non_null(strstr(err.message, "absent.so"));
    assert_null(library);
    if (rmi_library_open(NULL, "/lib/x86_64-linux-gnu/libm.so.6", &library, &err) != RM_OK)
        skip(); /* another architecture has the library elsewhere */
    assert_true(rmi_library_function(library, "cos", &cosine, sizeof cosine));
    assert_true(cosine(0.0) == 1.0);
    assert_false(rmi_library_function(library, "no_such_function", &absent, sizeof absent));
    assert_null(absent);
    rmi_library_close(library);
    rmi_library_close(NULL);
}

static void the_machine_is_described(void **unused)
{
    (void)unused;
    char directory[4096], small[4];
    assert_true(rmi_platform_cpu_count() >= 1);
    assert_true(rmi_platform_memory_gb() > 0.01);
    assert_true(strlen(rmi_platform_architecture()) > 0);
    assert_true(rmi_platform_program_directory(directory, sizeof directory));
    assert_int_equal(access(directory, X_OK), 0);
    assert_false(rmi_platform_program_directory(small, sizeof small));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_raised_flag_ends_the_wait),
        cmocka_unit_test(a_readable_descriptor_ends_the_wait),
        cmocka_unit_test(the_watchdog_calls_at_deadlines_and_when_poked),
        cmocka_unit_test(starting_survives_failing_memory),
        cmocka_unit_test(turns_are_given_and_come_back),
        cmocka_unit_test(a_thread_that_has_not_ended_is_left_behind),
        cmocka_unit_test(files_are_read_whole),
        cmocka_unit_test(what_cannot_be_read_is_told),
        cmocka_unit_test(standard_input_is_a_dash),
        cmocka_unit_test(links_lead_to_files),
        cmocka_unit_test(a_wait_for_one_descriptor),
        cmocka_unit_test(shared_objects_have_functions),
        cmocka_unit_test(the_machine_is_described),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
