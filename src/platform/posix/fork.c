/* What a forked process has to change before its own code runs. The process has one thread, the one that forked: other
 * threads are gone, with the locks that they held. */
#include "platform/posix/fork.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "platform/platform.h"

enum { FUNCTIONS = 4, DESCRIPTORS = 16 };

/* Handlers of fork get no argument. */
static struct {
    pthread_once_t once;
    atomic_uint forks;
    _Atomic(void (*)(void)) functions[FUNCTIONS];
    atomic_int hidden[DESCRIPTORS]; /* 1 + descriptor; 0: free */
} process = {.once = PTHREAD_ONCE_INIT};

/* The signals that the thread in fork blocked before. */
static _Thread_local sigset_t blocked;

/* A signal for a new process must not reach our handler, which the process still has. */
static void before_fork(void)
{
    sigset_t all;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &blocked);
}

static void in_parent(void)
{
    (void)pthread_sigmask(SIG_SETMASK, &blocked, NULL);
}

/* Only what a signal handler may do. */
static void in_child(void)
{
    atomic_fetch_add(&process.forks, 1);
    rmi_signals_forget();
    for (size_t i = 0; i < DESCRIPTORS; i++) {
        const int descriptor = atomic_exchange(&process.hidden[i], 0) - 1;
        if (descriptor >= 0)
            (void)close(descriptor);
    }
    for (size_t i = 0; i < FUNCTIONS; i++) {
        void (*function)(void) = atomic_load(&process.functions[i]);
        if (function != NULL)
            function();
    }
    (void)pthread_sigmask(SIG_SETMASK, &blocked, NULL);
}

static void watch(void)
{
    (void)pthread_atfork(before_fork, in_parent, in_child);
}

unsigned rmi_platform_forks(void)
{
    (void)pthread_once(&process.once, watch);
    return atomic_load_explicit(&process.forks, memory_order_relaxed);
}

void rmi_platform_in_child(void (*function)(void))
{
    (void)rmi_platform_forks();
    for (size_t i = 0; i < FUNCTIONS; i++) {
        void (*there)(void) = NULL;
        if (atomic_compare_exchange_strong(&process.functions[i], &there, function) || there == function)
            return;
    }
}

void rmi_platform_hide(int descriptor)
{
    (void)rmi_platform_forks();
    for (size_t i = 0; descriptor >= 0 && i < DESCRIPTORS; i++) {
        int there = 0;
        if (atomic_compare_exchange_strong(&process.hidden[i], &there, descriptor + 1))
            return;
    }
}

void rmi_platform_unhide(int descriptor)
{
    for (size_t i = 0; descriptor >= 0 && i < DESCRIPTORS; i++) {
        int there = descriptor + 1;
        if (atomic_compare_exchange_strong(&process.hidden[i], &there, 0))
            return;
    }
}
