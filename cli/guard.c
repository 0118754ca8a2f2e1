#include "cli/guard.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/spin.h"
#include "cli/report.h"

/* How many ns nodes may take to stop before the process ends without them; and the ns between two requests to
 * stop, to nodes and to calls of the program's own. */
static const int64_t grace = 5000000000, again = 10000000;

/* Signals closer together than this count as one: `timeout` and shells send theirs to the process and to its
 * group. */
static const int64_t same_signal = 500000000;

/* A signal handler has no context, so the guard in use is here; this is the program's only global. */
static _Atomic(rmi_guard *) guard_in_use;

static void set_stop(rmi_guard *guard, rmi_stop why)
{
    int before = RMI_STOP_NOT;
    (void)atomic_compare_exchange_strong(&guard->stop, &before, (int)why);
}

/* Called in a signal handler, on the thread that runs the pipeline. */
static void on_signal(void)
{
    rmi_guard *guard = atomic_load(&guard_in_use);
    if (guard == NULL)
        return;
    rm_pipeline *pipeline = atomic_load(&guard->pipeline);
    int64_t now = rmi_platform_now();
    bool first = atomic_load(&guard->interrupts) == 0;
    if (first)
        guard->interrupted_at = now;
    if (first || now - guard->interrupted_at > same_signal)
        atomic_fetch_add(&guard->interrupts, 1);
    set_stop(guard, RMI_STOP_INTERRUPTED);
    const rmi_guarded *other = atomic_load(&guard->other);
    if (pipeline != NULL)
        rm_pipeline_cancel(pipeline);
    if (other != NULL)
        other->stop(other->context);
    rmi_wake_raise(guard->wake);
    if (guard->watchdog != NULL)
        rmi_watchdog_poke(guard->watchdog);
}

/* Ends the process: something does not stop, so nothing can be waited for and nothing of the run may be
 * touched. Nor may this function wait for a reader of its output. */
static void give_up(rmi_guard *guard, const char *why, const char *code_name, rmi_exit code)
{
    char message[256], text[640];
    rm_pipeline *pipeline = atomic_load(&guard->pipeline);
    const char *node = pipeline != NULL ? rm_pipeline_current_node(pipeline) : NULL;
    if (atomic_load(&guard->finishing))
        (void)snprintf(message, sizeof message, "%s, but Python's threads or exit functions do not end", why);
    else if (node != NULL)
        (void)snprintf(message, sizeof message, "%s, but node '%s' does not stop; it was not closed", why,
                       node);
    else
        (void)snprintf(message, sizeof message,
                       "%s, but the run does not stop; nodes may not have been closed", why);
    (void)snprintf(text, sizeof text, "error: %s\n", message);
    if (rmi_platform_can_write(STDERR_FILENO))
        rmi_report_raw(text, strlen(text));
    int document = atomic_load(&guard->document);
    if (document >= 0 && rmi_platform_can_write(document)) { /* ids need no escapes in JSON */
        int length = snprintf(text, sizeof text,
                              "{\"status\":\"error\",\"error\":{\"code\":\"%s\",\"message\":\"%s\"%s%s%s}}\n",
                              code_name, message, node != NULL ? ",\"node\":\"" : "",
                              node != NULL ? node : "", node != NULL ? "\"" : "");
        if (write(document, text, (size_t)length) < 0)
            code = RMI_EXIT_IO;
    }
    rmi_platform_end_children();
    _exit(code);
}

/* Called on the watchdog's thread. Leaves out what the main thread is just replacing; the next call asks
 * again. */
static void ask_to_stop(rmi_guard *guard)
{
    rmi_wake_raise(guard->wake);
    if (rmi_spin_try(&guard->watched)) {
        rm_runtime *runtime = atomic_load(&guard->runtime);
        rm_pipeline *pipeline = atomic_load(&guard->pipeline);
        const rmi_guarded *other = atomic_load(&guard->other);
        if (pipeline != NULL)
            rm_pipeline_cancel(pipeline);
        else if (runtime != NULL)
            rm_runtime_interrupt(runtime);
        if (other != NULL)
            other->stop(other->context);
        rmi_spin_unlock(&guard->watched);
    }
    if (atomic_load(&guard->calls) != 0)
        rmi_platform_break_call(guard->thread);
}

/* The watchdog's function: returns the time of its next call. */
static int64_t look(void *context)
{
    rmi_guard *guard = context;
    int64_t now = rmi_platform_now(), times_out = atomic_load(&guard->times_out);
    if (now >= times_out)
        set_stop(guard, RMI_STOP_TIMED_OUT);
    const int stop = atomic_load(&guard->stop);
    if (stop == RMI_STOP_NOT)
        return times_out;
    if (guard->gives_up == INT64_MAX)
        guard->gives_up = now + grace + guard->grace_ms * 1000000;
    if (atomic_load(&guard->interrupts) > 1)
        give_up(guard, "interrupted again", "cancelled", RMI_EXIT_INTERRUPTED);
    if (now >= guard->gives_up && stop == RMI_STOP_TIMED_OUT)
        give_up(guard, "the time was up", "timeout", RMI_EXIT_TIMEOUT);
    if (now >= guard->gives_up)
        give_up(guard, "interrupted", "cancelled", RMI_EXIT_INTERRUPTED);
    ask_to_stop(guard);
    return now + again < guard->gives_up ? now + again : guard->gives_up;
}

/* A forked process has no run: its code gets its signals, and its calls may block. */
static void forget(void)
{
    atomic_store(&guard_in_use, NULL);
}

static int64_t end_of(int64_t timeout_ms)
{
    const int64_t longest = INT64_MAX / 4000000; /* 73 years: as good as none */
    return timeout_ms > 0 && timeout_ms < longest ? rmi_platform_now() + timeout_ms * 1000000 : INT64_MAX;
}

int rmi_guard_start(rmi_guard *guard, int64_t timeout_ms, rm_error *err)
{
    *guard = (rmi_guard){.gives_up = INT64_MAX,
                         .timeout_ms = timeout_ms,
                         .thread = rmi_platform_this_thread(),
                         .watched = ATOMIC_FLAG_INIT};
    atomic_init(&guard->times_out, end_of(timeout_ms));
    atomic_init(&guard->document, -1);
    int rc = rmi_wake_new(NULL, &guard->wake, err);
    if (rc != RM_OK)
        return rc;
    atomic_store(&guard_in_use, guard);
    rmi_platform_in_child(forget);
    rmi_platform_take_signals(on_signal);
    rc = rmi_watchdog_start(NULL, look, guard, &guard->watchdog, err);
    if (rc == RM_E_MISSING_FEATURE) { /* without threads the program's host watches */
        rm_error_clear(err);
        rc = RM_OK;
    }
    return rc;
}

void rmi_guard_stop(rmi_guard *guard)
{
    if (atomic_load(&guard_in_use) == guard)
        rmi_platform_ignore_signals(); /* the outcome of the run stands */
    rmi_watchdog_stop(guard->watchdog);
    guard->watchdog = NULL;
    if (atomic_load(&guard_in_use) == guard)
        atomic_store(&guard_in_use, NULL);
    if (guard->wake != NULL)
        rmi_wake_free(guard->wake);
    guard->wake = NULL;
}

void rmi_guard_watch_runtime(rmi_guard *guard, rm_runtime *runtime)
{
    rmi_spin_lock(&guard->watched); /* the watchdog may be using the former runtime */
    atomic_store(&guard->runtime, runtime);
    rmi_spin_unlock(&guard->watched);
}

void rmi_guard_watch(rmi_guard *guard, rm_pipeline *pipeline)
{
    rmi_spin_lock(&guard->watched);
    atomic_store(&guard->pipeline, pipeline);
    rmi_spin_unlock(&guard->watched);
    if (pipeline != NULL && atomic_load(&guard->stop) != RMI_STOP_NOT)
        rm_pipeline_cancel(pipeline); /* the stop came while the pipeline was opened */
}

void rmi_guard_watch_other(rmi_guard *guard, const rmi_guarded *other)
{
    rmi_spin_lock(&guard->watched);
    atomic_store(&guard->other, other);
    rmi_spin_unlock(&guard->watched);
    if (other != NULL && atomic_load(&guard->stop) != RMI_STOP_NOT)
        other->stop(other->context);
}

void rmi_guard_limit(rmi_guard *guard, int64_t timeout_ms, int64_t more_ms)
{
    guard->timeout_ms = timeout_ms;
    atomic_store(&guard->times_out, timeout_ms != 0 ? end_of(timeout_ms + more_ms) : INT64_MAX);
    if (guard->watchdog != NULL)
        rmi_watchdog_poke(guard->watchdog);
}

bool rmi_guard_has_clock(const rmi_guard *guard)
{
    return guard->watchdog != NULL;
}

void rmi_guard_explain(const rmi_guard *guard, const char *what, rm_error *err, rmi_exit *code)
{
    const int stop = atomic_load(&guard->stop);
    if (stop == RMI_STOP_NOT)
        return;
    if (err->code != RM_E_CANCELLED && (err->code != RM_E_TIMEOUT || stop != RMI_STOP_TIMED_OUT))
        (void)rm_error_set(err, RM_E_CANCELLED, "interrupted");
    *code = RMI_EXIT_INTERRUPTED;
    if (stop == RMI_STOP_TIMED_OUT) {
        err->code = RM_E_TIMEOUT;
        (void)snprintf(err->message, sizeof err->message, "%s did not end within its timeout of %lld ms",
                       what, (long long)guard->timeout_ms);
        *code = RMI_EXIT_TIMEOUT;
    }
}

void rmi_guard_call_begins(void)
{
    rmi_guard *guard = atomic_load(&guard_in_use);
    if (guard != NULL)
        atomic_fetch_add(&guard->calls, 1);
}

void rmi_guard_call_ends(void)
{
    rmi_guard *guard = atomic_load(&guard_in_use);
    if (guard != NULL)
        atomic_fetch_sub(&guard->calls, 1);
}

void rmi_guard_end_children(const rmi_guard *guard)
{
    if (atomic_load(&guard->stop) != RMI_STOP_NOT)
        rmi_platform_end_children();
}

bool rmi_guard_stopping(void)
{
    rmi_guard *guard = atomic_load(&guard_in_use);
    return guard != NULL && atomic_load(&guard->stop) != RMI_STOP_NOT;
}
