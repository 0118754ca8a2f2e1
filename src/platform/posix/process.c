/* What the program does to its own process: descriptors and signals. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/platform.h"
#include "platform/posix/break_call.h"
#include "platform/posix/fork.h"

void rmi_platform_take_streams(int *input, int *output)
{
    int opened = 0;
    *input = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    *output = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    while (opened >= 0 && opened <= STDERR_FILENO) /* else a file could become one of the three by chance */
        opened = open("/dev/null", O_RDWR);
    if (opened >= 0) {
        (void)dup2(opened, STDIN_FILENO);
        (void)close(opened);
    }
    (void)dup2(STDERR_FILENO, STDOUT_FILENO);
    rmi_platform_hide(*input);
    rmi_platform_hide(*output);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN);
}

static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
enum { SIGNALS = sizeof signals / sizeof signals[0] };

/* A handler gets only the signal's number, so the function to call is global. */
static struct {
    _Atomic(void (*)(void)) function;
    pthread_t thread;
    atomic_bool ever;
    struct sigaction before[SIGNALS];
} taken;

/* The signal must reach one certain thread: that thread's blocking calls must end. */
static void on_signal(int number)
{
    int saved = errno;
    void (*function)(void) = atomic_load(&taken.function);
    if (function != NULL && !pthread_equal(pthread_self(), taken.thread))
        (void)pthread_kill(taken.thread, number);
    else if (function != NULL)
        function();
    errno = saved;
}

/* Without SA_RESTART, so that waiting calls end. */
static void install(int number)
{
    struct sigaction action = {.sa_handler = on_signal};
    (void)sigfillset(&action.sa_mask);
    (void)sigaction(number, &action, NULL);
}

void rmi_platform_take_signals(void (*function)(void))
{
    taken.thread = pthread_self();
    atomic_store(&taken.function, function);
    (void)rmi_platform_forks();
    rmi_platform_let_calls_break();
    for (size_t i = 0; i < SIGNALS; i++) {
        /* A signal that the parent ignores (nohup, a job of a script) stays ignored. */
        struct sigaction before;
        if (sigaction(signals[i], NULL, &before) != 0 || before.sa_handler == SIG_IGN)
            continue;
        if (before.sa_handler != on_signal)
            taken.before[i] = before;
        install(signals[i]);
    }
    atomic_store(&taken.ever, true);
}

void rmi_platform_take_back_signal(int number)
{
    for (size_t i = 0; i < SIGNALS; i++)
        if (signals[i] == number && atomic_load(&taken.function) != NULL)
            install(number);
}

bool rmi_platform_is_interrupt(int number)
{
    return number == SIGINT;
}

bool rmi_platform_took_signals(void)
{
    return atomic_load(&taken.ever);
}

/* A handler that a node has installed stays. */
void rmi_signals_forget(void)
{
    atomic_store(&taken.function, NULL);
    for (size_t i = 0; i < SIGNALS; i++) {
        struct sigaction now;
        if (sigaction(signals[i], NULL, &now) == 0 && now.sa_handler == on_signal)
            (void)sigaction(signals[i], &taken.before[i], NULL);
    }
}

void rmi_platform_keep_interrupt(void (*function)(void *), void *context)
{
    struct sigaction before;
    const bool known = sigaction(SIGINT, NULL, &before) == 0;
    function(context);
    if (known)
        (void)sigaction(SIGINT, &before, NULL);
}

void rmi_platform_ignore_signals(void)
{
    for (size_t i = 0; i < SIGNALS; i++) {
        struct sigaction action = {.sa_handler = SIG_IGN}, before;
        if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler == on_signal)
            (void)sigaction(signals[i], &action, NULL);
    }
    atomic_store(&taken.function, NULL);
}

bool rmi_platform_is_terminal(int descriptor)
{
    return isatty(descriptor) == 1;
}

bool rmi_platform_ends_reads(void)
{
    return false;
}

bool rmi_platform_would_block(int descriptor)
{
    return poll(&(struct pollfd){.fd = descriptor, .events = POLLIN}, 1, 0) == 0;
}

void rmi_platform_wait_writable(int descriptor)
{
    (void)poll(&(struct pollfd){.fd = descriptor, .events = POLLOUT}, 1, -1);
}

bool rmi_platform_can_write(int descriptor)
{
    /* A pipe that is ready has room for PIPE_BUF bytes, at least 512. */
    struct pollfd polled = {.fd = descriptor, .events = POLLOUT};
    return poll(&polled, 1, 0) == 1 && (polled.revents & POLLOUT) != 0;
}

uintptr_t rmi_platform_this_thread(void)
{
    return (uintptr_t)pthread_self();
}

long rmi_platform_process_number(void)
{
    return (long)getpid();
}

void rmi_platform_copy_mode(const char *path, int descriptor)
{
    struct stat status;
    if (stat(path, &status) == 0)
        (void)fchmod(descriptor, status.st_mode & 07777);
}
