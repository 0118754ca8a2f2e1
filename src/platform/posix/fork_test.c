/* Forked processes: signals, descriptors, and threads that are not there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/platform.h"

/* Runs `child` in a forked process; gives what waitpid says. */
static int fork_for(int (*child)(void *context), void *context)
{
    int status = -1;
    const pid_t number = fork();
    if (number == 0)
        _exit(child(context));
    assert_true(number > 0);
    assert_int_equal(waitpid(number, &status, 0), number);
    return status;
}

static bool is_open(int descriptor)
{
    return fcntl(descriptor, F_GETFD) != -1;
}

static int hidden_is_closed(void *context)
{
    const int *ends = context;
    return is_open(ends[0]) || !is_open(ends[1]);
}

static void hidden_descriptors_are_closed(void **unused)
{
    (void)unused;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    rmi_platform_hide(-1);
    rmi_platform_hide(ends[0]);
    rmi_platform_hide(ends[1]);
    rmi_platform_unhide(ends[1]);
    assert_int_equal(fork_for(hidden_is_closed, ends), 0);
    assert_true(is_open(ends[0]));
    rmi_platform_unhide(ends[0]);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static volatile sig_atomic_t calls;

static void count(void)
{
    calls++;
}

static int end_by_signal(void *context)
{
    return raise(*(const int *)context);
}

static int has_counted(void *context)
{
    (void)context;
    return calls;
}

static void signals_are_as_before(void **unused)
{
    (void)unused;
    const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    sigset_t blocked;
    (void)signal(SIGHUP, SIG_IGN);
    rmi_platform_take_signals(count);
    assert_true(rmi_platform_took_signals());
    for (size_t i = 0; i < 2; i++) {
        int number = numbers[i];
        const int status = fork_for(end_by_signal, &number);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), number);
        assert_int_equal(raise(number), 0);
        (void)signal(number, SIG_DFL);
        rmi_platform_take_back_signal(number);
        assert_int_equal(raise(number), 0);
        assert_int_equal(calls, 2 * i + 2);
    }
    int ignored = SIGHUP;
    assert_int_equal(fork_for(end_by_signal, &ignored), 0);
    assert_int_equal(raise(SIGHUP), 0);
    assert_int_equal(calls, 4);
    assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &blocked), 0);
    assert_false(sigismember(&blocked, SIGTERM));
    rmi_platform_ignore_signals();
}

static void functions_run_first_and_once(void **unused)
{
    (void)unused;
    calls = 0;
    const unsigned forks = rmi_platform_forks();
    rmi_platform_in_child(count);
    rmi_platform_in_child(count);
    assert_int_equal(WEXITSTATUS(fork_for(has_counted, NULL)), 1);
    assert_int_equal(calls, 0);
    assert_int_equal(rmi_platform_forks(), forks);
}

/* ---- Threads ---- */

typedef struct threads {
    rmi_watchdog *watchdog;
    rmi_handover *handover, *other;
} threads;

static int64_t never(void *context)
{
    (void)context;
    return INT64_MAX;
}

static void park(void *context)
{
    rmi_handover_park(*(rmi_handover **)context);
}

static int frees_them(void *context)
{
    threads *t = context;
    const bool resumed = rmi_handover_resume(t->handover);
    rmi_handover_free(t->handover);
    rmi_handover_free(t->other);
    rmi_watchdog_stop(t->watchdog);
    return resumed;
}

static void threads_are_gone(void **unused)
{
    (void)unused;
    threads t;
    assert_int_equal(rmi_watchdog_start(NULL, never, NULL, &t.watchdog, NULL), RM_OK);
    assert_int_equal(rmi_handover_new(NULL, park, &t.handover, &t.handover, NULL), RM_OK);
    assert_int_equal(rmi_handover_new(NULL, park, &t.other, &t.other, NULL), RM_OK);
    assert_true(rmi_handover_resume(t.handover));
    assert_int_equal(fork_for(frees_them, &t), 0);
    assert_false(rmi_handover_resume(t.handover)); /* here they go on */
    rmi_handover_free(t.handover);
    rmi_handover_free(t.other);
    rmi_watchdog_stop(t.watchdog);
}

_Noreturn static void wait_for_ever(void)
{
    for (;;)
        (void)pause();
}

static void children_are_asked_to_end(void **unused)
{
    (void)unused;
    int status = 0;
    (void)signal(SIGTERM, SIG_DFL);
    const pid_t here = fork(), elsewhere = here != 0 ? fork() : 0;
    if (here == 0)
        wait_for_ever();
    if (elsewhere == 0) {
        (void)setpgid(0, 0);
        wait_for_ever();
    }
    (void)setpgid(elsewhere, elsewhere); /* the child may not have done it yet */
    rmi_platform_end_children();
    assert_int_equal(waitpid(here, &status, 0), here);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    assert_int_equal(waitpid(elsewhere, &status, WNOHANG), 0);
    assert_int_equal(kill(elsewhere, SIGKILL), 0);
    assert_int_equal(waitpid(elsewhere, &status, 0), elsewhere);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hidden_descriptors_are_closed), cmocka_unit_test(signals_are_as_before),
        cmocka_unit_test(functions_run_first_and_once),  cmocka_unit_test(threads_are_gone),
        cmocka_unit_test(children_are_asked_to_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
