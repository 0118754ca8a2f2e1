/* Ctrl-C, SIGTERM and --timeout: stops the program's work, and ends the process when the work does not
 * stop. */
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

/* Why the program has to stop: the first reason. */
typedef enum rmi_stop { RMI_STOP_NOT, RMI_STOP_INTERRUPTED, RMI_STOP_TIMED_OUT } rmi_stop;

/* Lives in the caller's stack frame, which outlives it. */
typedef struct rmi_guard {
    rmi_wake *wake;         /* raised again and again once the program has to stop: every wait includes it */
    rmi_watchdog *watchdog; /* NULL where there are no threads */
    uintptr_t thread;       /* the thread that started the guard and does the command's work */
    atomic_int stop;        /* rmi_stop */
    atomic_int calls;       /* the program's own system calls in progress that may block */
    atomic_int interrupts;  /* signals so far, without those that came together with the first */
    int64_t interrupted_at; /* the signal handler's: monotonic ns of the first */
    atomic_flag watched;    /* held while the watchdog uses the next three fields */
    _Atomic(rm_runtime *) runtime;
    _Atomic(rm_pipeline *) pipeline;
    _Atomic(const rmi_guarded *) other;
    int64_t timeout_ms;        /* for the message */
    _Atomic int64_t times_out; /* monotonic ns; INT64_MAX: never */
    atomic_bool finishing;     /* all is done but what Python code has left running */
    atomic_int document;       /* descriptor for an error document; -1: none */
    int64_t grace_ms;          /* how long the work may take to stop, beyond 5 s */
    int64_t gives_up;          /* the watchdog's: when it ends the process */
} rmi_guard;

/* Takes over the signals and starts the watchdog. After `timeout_ms` (0: never) the program has to stop too.
 * One guard at a time. Call rmi_guard_stop also after a failure. */
RM_MUST_CHECK int rmi_guard_start(rmi_guard *guard, int64_t timeout_ms, rm_error *err);
/* Ignores the signals: the process ends soon, with the outcome of the run. */
void rmi_guard_stop(rmi_guard *guard);
/* Sets what a stop ends; set NULL before it is freed. Of a runtime, a stop ends the code that it is
 * loading. */
void rmi_guard_watch_runtime(rmi_guard *guard, rm_runtime *runtime);
void rmi_guard_watch(rmi_guard *guard, rm_pipeline *pipeline);
/* The same for something else; borrowed until it is set to NULL. */
void rmi_guard_watch_other(rmi_guard *guard, const rmi_guarded *other);
/* Restarts the clock: the program has to stop after `timeout_ms` (0: never) plus `more_ms`, which messages
 * leave out. */
void rmi_guard_limit(rmi_guard *guard, int64_t timeout_ms, int64_t more_ms);
/* Whether the watchdog watches the time; else the pipeline has to. */
bool rmi_guard_has_clock(const rmi_guard *guard);
/* When the program had to stop, replaces the failure `err` by the reason, whatever the failure is: calls end
 * in many ways then. `what` did not end in time. Node, item and pointer stay where stopping caused the
 * failure. Else changes neither `err` nor *code. */
void rmi_guard_explain(const rmi_guard *guard, const char *what, rm_error *err, rmi_exit *code);

/* When the program had to stop: asks the child processes that nodes have left to end. */
void rmi_guard_end_children(const rmi_guard *guard);

/* ---- The guard in use; without one, calls are not ended. */
/* Put these around system calls that may block: the calls end with EINTR, again and again, once the program
 * has to stop. */
void rmi_guard_call_begins(void);
void rmi_guard_call_ends(void);
/* Whether the program has to stop, so that it may not wait for anything. */
bool rmi_guard_stopping(void);

#endif
