#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#include "base/alloc.h"
#include "platform/platform.h"

struct rmi_watchdog {
    const rm_allocator *allocator;
    int64_t (*function)(void *context);
    void *context;
    rmi_wake *wake;
    atomic_bool stopping;
    unsigned forks; /* when the thread started */
    pthread_t thread;
};

static void *watch(void *argument)
{
    rmi_watchdog *watchdog = argument;
    while (!atomic_load(&watchdog->stopping)) {
        int64_t deadline = watchdog->function(watchdog->context);
        if (!atomic_load(&watchdog->stopping))
            (void)rmi_wake_wait(watchdog->wake, NULL, 0, deadline);
    }
    return NULL;
}

/* Blocks all signals: they are for the program's own threads. */
static int start_thread(rmi_watchdog *watchdog)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    int failure = pthread_sigmask(SIG_SETMASK, &all, &before);
    if (failure != 0)
        return failure;
    failure = pthread_create(&watchdog->thread, NULL, watch, watchdog);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failure;
}

int rmi_watchdog_start(const rm_allocator *allocator, int64_t (*function)(void *context), void *context,
                       rmi_watchdog **out, rm_error *err)
{
    rmi_watchdog *watchdog = rmi_alloc(allocator, sizeof *watchdog);
    int failure = 0, rc = RM_OK;
    *out = NULL;
    if (watchdog == NULL)
        return rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory");
    watchdog->allocator = allocator;
    watchdog->function = function;
    watchdog->context = context;
    watchdog->wake = NULL;
    watchdog->forks = rmi_platform_forks();
    atomic_init(&watchdog->stopping, false);
    rc = rmi_wake_new(allocator, &watchdog->wake, err);
    if (rc != RM_OK)
        goto done;
    failure = start_thread(watchdog);
    if (failure != 0) {
        rc = rm_error_set(err, RM_E_MISSING_FEATURE, "no thread for deadlines: %s", strerror(failure));
        goto done;
    }
    *out = watchdog;
    watchdog = NULL;
done:
    if (watchdog != NULL) {
        rmi_wake_free(watchdog->wake);
        rmi_free(allocator, watchdog, sizeof *watchdog);
    }
    return rc;
}

void rmi_watchdog_poke(rmi_watchdog *watchdog)
{
    rmi_wake_raise(watchdog->wake);
}

void rmi_watchdog_stop(rmi_watchdog *watchdog)
{
    if (watchdog == NULL)
        return;
    atomic_store(&watchdog->stopping, true);
    rmi_wake_raise(watchdog->wake);
    if (watchdog->forks == rmi_platform_forks()) /* else this is a forked process, without the thread */
        (void)pthread_join(watchdog->thread, NULL);
    rmi_wake_free(watchdog->wake);
    rmi_free(watchdog->allocator, watchdog, sizeof *watchdog);
}

bool rmi_platform_has_threads(void)
{
    return true;
}
