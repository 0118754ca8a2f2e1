/* Cancel and deadlines. Every turn checks `stop`. Inside a call the watchdog (where there are threads) asks
 * the node to stop, again and again until the call returns. */
#include "exec/pipeline.h"

enum { TICK_NS = 10 * 1000 * 1000 };

static bool any_item_timeout(const rm_pipeline *p)
{
    for (uint32_t i = 0; i < p->node_count; i++)
        if (p->nodes[i].graph->source->timeout_ms > 0)
            return true;
    return false;
}

static void ask_to_stop(rm_node *node)
{
    if (node != NULL && node->type->interrupt != NULL)
        node->type->interrupt(node, node->state);
}

/* Called on the watchdog's thread. Returns the time of the next call. */
static int64_t watch(void *context)
{
    rm_pipeline *p = context;
    rmi_wake *wake = atomic_load(&p->wake);
    const int64_t now = rmi_platform_now();
    int running = RMI_RUNNING;
    if (now >= p->deadline && atomic_compare_exchange_strong(&p->stop, &running, RMI_TIMED_OUT) &&
        wake != NULL)
        rmi_wake_raise(wake);
    rm_node *node = atomic_load(&p->calling);
    if (atomic_load(&p->stop) != RMI_RUNNING) {
        ask_to_stop(node);
        return now + TICK_NS;
    }
    if (!p->item_timeouts)
        return p->deadline;
    if (now >= atomic_load(&p->call_deadline) && node != NULL && node == atomic_load(&p->limited) &&
        node == atomic_load(&p->calling)) {
        atomic_store(&p->expired, node);
        if (wake != NULL) /* it may wait for a descriptor */
            rmi_wake_raise(wake);
        ask_to_stop(node);
    }
    return now + TICK_NS < p->deadline ? now + TICK_NS : p->deadline;
}

int64_t rmi_first_timeout_of(rm_node *node)
{
    int64_t first = RMI_FOREVER;
    for (size_t k = 0; k < node->flight.count; k++) {
        const rmi_flight *flight = &node->flight.items[k];
        if (!flight->finished && !flight->waiting && flight->deadline < first)
            first = flight->deadline;
    }
    atomic_store(&node->late_at, first);
    return first;
}

int64_t rmi_first_timeout(rm_pipeline *p)
{
    int64_t first = RMI_FOREVER;
    for (uint32_t i = 0; p->item_timeouts && i < p->node_count; i++) {
        const int64_t of_node = rmi_first_timeout_of(&p->nodes[i]);
        first = of_node < first ? of_node : first;
    }
    return first;
}

int rmi_deadline_start(rm_pipeline *p, int64_t timeout_ms, rm_error *err)
{
    bool interruptible = false;
    int rc = RM_OK;
    p->timeout_ms = timeout_ms;
    const int64_t longest = INT64_MAX / 2000000; /* 146 years: as good as none */
    p->deadline =
        timeout_ms > 0 && timeout_ms < longest ? rmi_platform_now() + timeout_ms * 1000000 : RMI_FOREVER;
    p->item_timeouts = any_item_timeout(p);
    for (uint32_t i = 0; i < p->node_count; i++)
        interruptible |= p->nodes[i].type->interrupt != NULL;
    if (timeout_ms > 0 || p->item_timeouts || interruptible) {
        rmi_wake *wake = NULL;
        rc = rmi_wake_new(p->allocator, &wake, err);
        atomic_store(&p->wake, wake);
    }
    if (rc == RM_OK && (timeout_ms > 0 || p->item_timeouts || interruptible))
        rc = rmi_watchdog_start(p->allocator, watch, p, &p->watchdog, err);
    if (rc == RM_E_MISSING_FEATURE) { /* no threads: deadlines take effect between turns */
        rm_error_clear(err);
        rc = RM_OK;
    }
    p->own_clock = p->deadline != RMI_FOREVER && p->watchdog == NULL;
    return rc;
}

void rmi_deadline_stop(rm_pipeline *p)
{
    rmi_watchdog_stop(p->watchdog);
    p->watchdog = NULL;
    rmi_wake *wake = atomic_exchange(&p->wake, NULL);
    if (wake != NULL)
        rmi_wake_free(wake);
}

int rmi_timeout_error(const rm_node *node, rm_error *err)
{
    return rm_error_set(err, RM_E_TIMEOUT, "node '%s' took longer than its timeout_ms of %lld",
                        rm_node_id(node), (long long)node->graph->source->timeout_ms);
}

rmi_wake *rmi_deadline_wake(rm_pipeline *p)
{
    rmi_wake *wake = atomic_load(&p->wake);
    if (wake == NULL && rmi_wake_new(p->allocator, &wake, NULL) == RM_OK)
        atomic_store(&p->wake, wake); /* before `stop` is read: no cancel is missed */
    return atomic_load(&p->stop) == RMI_RUNNING && !atomic_load(&p->any_woken) ? wake : NULL;
}

/* Whether the call in progress has to stop; without threads nobody else looks at the clock. */
static bool must_stop(rm_node *node)
{
    rm_pipeline *p = node->pipeline;
    int running = RMI_RUNNING;
    if (p->own_clock && rmi_platform_now() >= p->deadline)
        (void)atomic_compare_exchange_strong(&p->stop, &running, RMI_TIMED_OUT);
    return rm_node_cancelled(node);
}

int rmi_wait_in_call(rm_node *node, int descriptor, bool writing, int64_t until, rm_error *err)
{
    rm_pipeline *p = node->pipeline;
    if (!rmi_platform_has_threads() && !p->own_clock)
        return RM_DONE;
    (void)rmi_deadline_wake(p);
    rmi_wake *wake = atomic_load(&p->wake);
    if (wake == NULL)
        return rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory");
    while (!must_stop(node)) {
        const int64_t end = p->own_clock && p->deadline < until ? p->deadline : until;
        if (rmi_wake_wait_for(wake, descriptor, writing, end) || rmi_platform_now() >= until)
            return RM_OK;
    }
    return rm_node_cancel_error(node, err);
}

int rmi_stop_now(rm_pipeline *p)
{
    int stop = atomic_load_explicit(&p->stop, memory_order_relaxed);
    if (p->stopped)
        return p->failed;
    if (stop == RMI_RUNNING && p->own_clock && rmi_platform_now() >= p->deadline)
        stop = RMI_TIMED_OUT;
    if (stop == RMI_RUNNING)
        return RM_OK;
    rm_error error = {0};
    if (p->failing != NULL) /* the run would have ended with this failure, which may be the cause */
        rm_runtime_log(p->runtime, RM_LOG_ERROR, rm_node_id(p->failing), "item %lld had failed: %s",
                       (long long)p->failing->failure.seq, p->failing->failure.error->message);
    const int rc = stop == RMI_TIMED_OUT ? rm_error_set(&error, RM_E_TIMEOUT,
                                                        "the run did not end within its timeout of %lld ms",
                                                        (long long)p->timeout_ms)
                                         : rm_error_set(&error, RM_E_CANCELLED, "the run was cancelled");
    return rmi_stop_with(p, NULL, &error, rc);
}

void rm_pipeline_cancel(rm_pipeline *pipeline)
{
    int running = RMI_RUNNING;
    (void)atomic_compare_exchange_strong(&pipeline->stop, &running, RMI_CANCELLED);
    rmi_wake *wake = atomic_load(&pipeline->wake);
    if (wake != NULL)
        rmi_wake_raise(wake);
    if (pipeline->woken != NULL)
        pipeline->woken(pipeline->woken_context);
    if (pipeline->watchdog != NULL)
        rmi_watchdog_poke(pipeline->watchdog);
}

/* A poll is interrupted when an item of any node is late, since nodes share a loop; each node then checks its
 * own items. */
bool rm_node_cancelled(const rm_node *node)
{
    rm_pipeline *p = node->pipeline;
    if (atomic_load_explicit(&p->stop, memory_order_relaxed) != RMI_RUNNING)
        return true;
    const rm_node *expired = atomic_load_explicit(&p->expired, memory_order_relaxed);
    if (expired == NULL || !atomic_load(&p->polled))
        return expired == node;
    return rmi_platform_now() >= atomic_load(&node->late_at);
}

int rm_node_cancel_error(rm_node *node, rm_error *err)
{
    return rm_error_set(err, RM_E_CANCELLED, "node '%s' was asked to stop", rm_node_id(node));
}
