/* A thread that takes turns with its caller. */
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "platform/platform.h"

enum { STACK = 8 << 20 }; /* as the main thread has; the system gives only the used pages */

typedef enum turn { OF_CALLER, OF_THREAD, FINISHED, LEFT } turn;

struct rmi_handover {
    const rm_allocator *allocator;
    void (*function)(void *context);
    void *context;
    pthread_mutex_t lock; /* guards `turn`, and orders all that the two do */
    pthread_cond_t for_caller, for_thread;
    turn turn;
    bool began;     /* the function has begun */
    unsigned forks; /* when the thread started */
    pthread_t thread;
};

/* In the thread, with the lock. False: the thread is left behind. */
static bool wait_for_turn(rmi_handover *h)
{
    while (h->turn == OF_CALLER)
        (void)pthread_cond_wait(&h->for_thread, &h->lock);
    return h->turn == OF_THREAD;
}

/* Gives the turn back for the last time, with the lock: after that the caller may free `h`. */
static void finish(rmi_handover *h)
{
    h->turn = FINISHED;
    (void)pthread_cond_signal(&h->for_caller);
    (void)pthread_mutex_unlock(&h->lock);
}

static void *run(void *argument)
{
    rmi_handover *h = argument;
    (void)pthread_mutex_lock(&h->lock);
    if (wait_for_turn(h)) {
        (void)pthread_mutex_unlock(&h->lock);
        h->function(h->context);
        (void)pthread_mutex_lock(&h->lock);
    }
    finish(h);
    return NULL;
}

static int start_thread(rmi_handover *h)
{
    pthread_attr_t attributes;
    int failure = pthread_attr_init(&attributes);
    if (failure != 0)
        return failure;
    failure = pthread_attr_setstacksize(&attributes, STACK);
    if (failure == 0)
        failure = pthread_create(&h->thread, &attributes, run, h);
    (void)pthread_attr_destroy(&attributes);
    return failure;
}

static void destroy(rmi_handover *h)
{
    (void)pthread_cond_destroy(&h->for_caller);
    (void)pthread_cond_destroy(&h->for_thread);
    (void)pthread_mutex_destroy(&h->lock);
    rmi_free(h->allocator, h, sizeof *h);
}

int rmi_handover_new(const rm_allocator *allocator, void (*function)(void *context), void *context,
                     rmi_handover **out, rm_error *err)
{
    rmi_handover *h = rmi_alloc(allocator, sizeof *h);
    *out = NULL;
    if (h == NULL)
        return rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory");
    *h = (rmi_handover){.allocator = allocator,
                        .function = function,
                        .context = context,
                        .turn = OF_CALLER,
                        .forks = rmi_platform_forks()};
    (void)pthread_mutex_init(&h->lock, NULL); /* cannot fail here without attributes */
    (void)pthread_cond_init(&h->for_caller, NULL);
    (void)pthread_cond_init(&h->for_thread, NULL);
    const int failure = start_thread(h);
    if (failure != 0) {
        destroy(h);
        return rm_error_set(err, RM_E_LIMIT, "no thread could be started: %s", strerror(failure));
    }
    *out = h;
    return RM_OK;
}

/* In a forked process the thread is gone, and somebody may have the lock for ever. */
static bool is_gone(const rmi_handover *h)
{
    return h->forks != rmi_platform_forks();
}

bool rmi_handover_resume(rmi_handover *h)
{
    if (is_gone(h))
        return false;
    (void)pthread_mutex_lock(&h->lock);
    if (h->turn == OF_CALLER) {
        h->turn = OF_THREAD;
        h->began = true;
        (void)pthread_cond_signal(&h->for_thread);
        while (h->turn == OF_THREAD)
            (void)pthread_cond_wait(&h->for_caller, &h->lock);
    }
    const bool parked = h->turn == OF_CALLER;
    (void)pthread_mutex_unlock(&h->lock);
    return parked;
}

void rmi_handover_park(rmi_handover *h)
{
    (void)pthread_mutex_lock(&h->lock);
    h->turn = OF_CALLER;
    (void)pthread_cond_signal(&h->for_caller);
    if (wait_for_turn(h)) {
        (void)pthread_mutex_unlock(&h->lock);
        return;
    }
    finish(h);
    for (;;) /* the function on the stack can neither continue nor be removed */
        (void)pause();
}

void rmi_handover_free(rmi_handover *h)
{
    if (h == NULL)
        return;
    if (is_gone(h)) {
        rmi_free(h->allocator, h, sizeof *h);
        return;
    }
    (void)pthread_mutex_lock(&h->lock);
    const bool parked = h->turn == OF_CALLER;
    if (parked) {
        h->turn = LEFT;
        (void)pthread_cond_signal(&h->for_thread);
        while (h->turn != FINISHED)
            (void)pthread_cond_wait(&h->for_caller, &h->lock);
    }
    (void)pthread_mutex_unlock(&h->lock);
    if (parked && h->began)
        (void)pthread_detach(h->thread);
    else
        (void)pthread_join(h->thread, NULL);
    destroy(h);
}
