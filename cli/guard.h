/* Ctrl-C, SIGTERM and --timeout: has whatever the program is doing stop, and ends the process when it does not. */
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

/* Why the program is to stop: the first reason there was. */
typedef enum rmi_stop { RMI_STOP_NOT, RMI_STOP_INTERRUPTED, RMI_STOP_TIMED_OUT } rmi_stop;

/* Lies in the caller's frame, which outlives it. */
typedef struct rmi_guard {
    rmi_wake *wake; /* raised again and again once the program is to stop: wait on it wherever it waits */
    rmi_watchdog *watchdog; /* NULL where there are no threads */
    uintptr_t thread;       /* that started the guard, and does the command's work */
    atomic_int stop;        /* rmi_stop */
    atomic_int calls;       /* system calls in progress that may block, of the program's own */
    atomic_int interrupts;  /* signals so far, but not those that came together with the first */
    int64_t interrupted_at; /* the signal handler's own: monotonic ns of the first */
    atomic_flag watched;    /* held while the watchdog uses what follows */
    _Atomic(rm_runtime *) runtime;
    _Atomic(rm_pipeline *) pipeline;
    _Atomic(const rmi_guarded *) other;
    int64_t timeout_ms;        /* for the message */
    _Atomic int64_t times_out; /* monotonic ns; INT64_MAX: never */
    atomic_int document;       /* where an error document may still be written; -1: nowhere */
    int64_t gives_up;          /* the watchdog's own: when it ends the process */
} rmi_guard;

/* Takes the signals over and starts the watchdog; after `timeout_ms` (0: never) the program is to stop as well. One guard at a time. rmi_guard_stop also after a failure. */
RM_MUST_CHECK int rmi_guard_start(rmi_guard *guard, int64_t timeout_ms, rm_error *err);
/* From now on the signals do nothing: the process is about to end as the run did. */
void rmi_guard_stop(rmi_guard *guard);
/* What is stopped from now on; NULL before it is freed. Of a runtime: the code that it is loading. */
void rmi_guard_watch_runtime(rmi_guard *guard, rm_runtime *runtime);
void rmi_guard_watch(rmi_guard *guard, rm_pipeline *pipeline);
/* The same for something else; borrowed until it is NULL again. */
void rmi_guard_watch_other(rmi_guard *guard, const rmi_guarded *other);
/* From now on the program is to stop after `timeout_ms` (0: never) and `more_ms`, of which nothing is said. */
void rmi_guard_limit(rmi_guard *guard, int64_t timeout_ms, int64_t more_ms);
/* Whether the watchdog looks after the time: else the pipeline has to. */
bool rmi_guard_has_clock(const rmi_guard *guard);
/* Turns the failure `err` of a program that was to stop into the reason for that, whatever it is: calls end in many
 * ways then. `what` did not end in time. The node, item and pointer stay where the failure came of stopping. Else leaves both as they are. */
void rmi_guard_explain(const rmi_guard *guard, const char *what, rm_error *err, rmi_exit *code);

/* ---- Of the guard that there is; without one, calls are not ended. */
/* Around system calls that may block: they end with EINTR, again and again, once the program is to stop. */
void rmi_guard_call_begins(void);
void rmi_guard_call_ends(void);
/* Whether nothing may be waited for any longer. */
bool rmi_guard_stopping(void);

#endif
