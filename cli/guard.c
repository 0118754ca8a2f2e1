#include "cli/guard.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/report.h"

/* How long nodes may take to stop after they were asked to, before the process ends without them. */
static const int64_t grace = 5000000000;

/* Signals nearer together than this are one: `timeout` and shells send theirs to the process and to its
 * group. */
static const int64_t same_signal = 500000000;

/* A signal handler is given nothing, so the guard in use stands here; this is the program's only global. */
static _Atomic(rmi_guard *) guard_in_use;

/* In a signal handler, on the thread that runs the pipeline. */
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
 * touched. */
static void give_up(rmi_guard *guard, const char *why, const char *code_name, rmi_exit code)
{
    char message[256], text[640];
    rm_pipeline *pipeline = atomic_load(&guard->pipeline);
    const char *node = pipeline != NULL ? rm_pipeline_current_node(pipeline) : NULL;
    if (node != NULL)
        (void)snprintf(message, sizeof message, "%s, but node '%s' does not stop; it was not closed", why,
                       node);
    else
        (void)snprintf(message, sizeof message,
                       "%s, but the run does not stop; nodes may not have been closed", why);
    (void)snprintf(text, sizeof text, "error: %s\n", message);
    rmi_report_raw(text, strlen(text));
    int document = atomic_load(&guard->document);
    if (document >= 0) { /* ids need no escapes in JSON */
        int length = snprintf(text, sizeof text,
                              "{\"status\":\"error\",\"error\":{\"code\":\"%s\",\"message\":\"%s\"%s%s%s}}\n",
                              code_name, message, node != NULL ? ",\"node\":\"" : "",
                              node != NULL ? node : "", node != NULL ? "\"" : "");
        if (write(document, text, (size_t)length) < 0)
            code = RMI_EXIT_IO;
    }
    _exit(code);
}

/* The watchdog: returns when it wants to be called again. */
static int64_t look(void *context)
{
    rmi_guard *guard = context;
    int64_t now = rmi_platform_now(), times_out = atomic_load(&guard->times_out);
    int interrupts = atomic_load(&guard->interrupts);
    if (interrupts > 1)
        give_up(guard, "interrupted again", "cancelled", RMI_EXIT_INTERRUPTED);
    if (interrupts == 1) {
        if (guard->gives_up == INT64_MAX)
            guard->gives_up = now + grace;
        if (now >= guard->gives_up)
            give_up(guard, "interrupted", "cancelled", RMI_EXIT_INTERRUPTED);
        return guard->gives_up;
    }
    if (times_out == INT64_MAX)
        return INT64_MAX;
    if (now >= times_out + grace)
        give_up(guard, "the time was up", "timeout", RMI_EXIT_TIMEOUT);
    return times_out + grace;
}

int rmi_guard_start(rmi_guard *guard, rm_error *err)
{
    *guard = (rmi_guard){.gives_up = INT64_MAX};
    atomic_init(&guard->times_out, INT64_MAX);
    atomic_init(&guard->document, -1);
    int rc = rmi_wake_new(NULL, &guard->wake, err);
    if (rc != RM_OK)
        return rc;
    rc = rmi_watchdog_start(NULL, look, guard, &guard->watchdog, err);
    if (rc == RM_E_MISSING_FEATURE) { /* without threads the host of the program is its watchdog */
        rm_error_clear(err);
        rc = RM_OK;
    }
    if (rc != RM_OK)
        return rc;
    atomic_store(&guard_in_use, guard);
    rmi_platform_take_signals(on_signal);
    return RM_OK;
}

void rmi_guard_stop(rmi_guard *guard)
{
    if (atomic_load(&guard_in_use) == guard) {
        rmi_platform_ignore_signals(); /* how the run ended is settled */
        atomic_store(&guard_in_use, NULL);
    }
    rmi_watchdog_stop(guard->watchdog);
    guard->watchdog = NULL;
    if (guard->wake != NULL)
        rmi_wake_free(guard->wake);
    guard->wake = NULL;
}

void rmi_guard_watch(rmi_guard *guard, rm_pipeline *pipeline)
{
    atomic_store(&guard->pipeline, pipeline);
    if (pipeline != NULL && rmi_guard_interrupted(guard))
        rm_pipeline_cancel(pipeline); /* the signal came while the pipeline was opened */
}

void rmi_guard_watch_other(rmi_guard *guard, const rmi_guarded *other)
{
    atomic_store(&guard->other, other);
    if (other != NULL && rmi_guard_interrupted(guard))
        other->stop(other->context);
}

void rmi_guard_limit(rmi_guard *guard, int64_t times_out)
{
    atomic_store(&guard->times_out, times_out);
    if (guard->watchdog != NULL)
        rmi_watchdog_poke(guard->watchdog);
}

bool rmi_guard_interrupted(rmi_guard *guard)
{
    return atomic_load(&guard->interrupts) != 0;
}
