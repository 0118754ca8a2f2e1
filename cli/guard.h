/* Ctrl-C, SIGTERM and time limits: asks a run to stop, and ends the process when a node does not. */
#ifndef CLI_GUARD_H
#define CLI_GUARD_H

#include <stdatomic.h>

#include "cli/program.h"
#include "platform/platform.h"

/* Something that can be stopped: `stop` is called on any thread and in signal handlers. */
typedef struct rmi_guarded {
    void (*stop)(void *context);
    void *context;
} rmi_guarded;

/* Lies in the caller's frame, which outlives it. */
typedef struct rmi_guard {
    rmi_wake *wake;         /* raised by a signal: wait on it wherever the program waits */
    rmi_watchdog *watchdog; /* NULL where there are no threads */
    atomic_int interrupts;  /* signals so far, but not those that came together with the first */
    int64_t interrupted_at; /* the signal handler's own: monotonic ns of the first */
    _Atomic(rm_pipeline *) pipeline;
    _Atomic(const rmi_guarded *) other; /* something else that signals stop */
    _Atomic int64_t times_out;          /* monotonic ns; INT64_MAX: never */
    atomic_int document;                /* where an error document may still be written; -1: nowhere */
    int64_t gives_up;                   /* the watchdog's own: when it ends the process */
} rmi_guard;

/* Takes the signals over and starts the watchdog. One guard at a time. rmi_guard_stop also after a
 * failure. */
int rmi_guard_start(rmi_guard *guard, rm_error *err);
/* From now on the signals do nothing: the process is about to end as the run did. */
void rmi_guard_stop(rmi_guard *guard);
/* What signals cancel from now on; NULL before the pipeline is freed. */
void rmi_guard_watch(rmi_guard *guard, rm_pipeline *pipeline);
/* The same for something else; borrowed until it is NULL again. */
void rmi_guard_watch_other(rmi_guard *guard, const rmi_guarded *other);
/* The run must have ended at this time (monotonic ns) and a little. */
void rmi_guard_limit(rmi_guard *guard, int64_t times_out);
bool rmi_guard_interrupted(rmi_guard *guard);

#endif
