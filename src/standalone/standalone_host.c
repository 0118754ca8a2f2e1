/* The functions that a standalone node calls: each reports an event to the caller. */
#include "base/alloc.h"
#include "standalone/standalone_parts.h"

/* Keeps a failure for the call in progress: not every function here can return it. */
static int report(rm_node *node, const rmi_event *event)
{
    rm_pipeline *p = node->pipeline;
    const rmi_standalone *standalone = node->host_context;
    rm_error err = {0};
    const int rc = standalone->caller.report(standalone->caller.context, event, &err);
    if (rc != RM_OK && err.code == RM_OK)
        (void)rmi_out_of_memory(&err);
    if (rc != RM_OK && p->emit_error.code == RM_OK)
        rm_error_move(&p->emit_error, &err);
    rm_error_clear(&err);
    return rc;
}

static int lone_emit(rm_node *node, unsigned port, rm_packet *packets, size_t n)
{
    const rmi_event event = {.kind = RMI_EMITTED, .port = port, .packets = packets, .n = n};
    const int rc = node->flight.staging == RMI_DISCARD ? RM_OK : report(node, &event);
    for (size_t i = 0; i < n; i++)
        rmi_packet_clear(&packets[i]);
    return rc;
}

static void lone_log(rm_node *node, rm_log_level level, const char *text)
{
    (void)report(node, &(rmi_event){.kind = RMI_LOGGED, .level = level, .text = text});
}

/* ---- Pending packets */

void rmi_standalone_forget(rm_node *node, uint64_t token)
{
    rmi_flight *flight = rmi_flight_find(node, token);
    if (flight != NULL)
        rmi_flight_remove(node, flight);
}

static uint64_t lone_suspend(rm_node *node)
{
    rm_pipeline *p = node->pipeline;
    const uint64_t token = node->flight.in_call;
    if (token == 0 || node->flight.suspended)
        return token;
    const rmi_flight flight = {
        .token = token, .origin = node->current, .retry = rm_packet_of(rm_null()), .deadline = RMI_FOREVER};
    node->flight.suspended = true;
    if (rmi_flight_add(node, &flight) == RM_OK)
        (void)report(node, &(rmi_event){.kind = RMI_SUSPENDED, .token = token});
    else if (p->emit_error.code == RM_OK)
        (void)rmi_out_of_memory(&p->emit_error);
    return token;
}

static void lone_resume(rm_node *node, uint64_t token)
{
    const rmi_flight *flight = rmi_flight_find(node, token);
    node->flight.staging = flight != NULL ? 0 : RMI_DISCARD;
    if (flight == NULL)
        return;
    rmi_set_origin(node, flight->origin);
    (void)report(node, &(rmi_event){.kind = RMI_RESUMED, .token = token});
}

/* A failed emission is this packet's failure, not that of the poll in which it happened. */
static int lone_finish(rm_node *node, uint64_t token, int code, rm_error *err)
{
    rm_pipeline *p = node->pipeline;
    int rc = RM_OK;
    node->flight.staging = 0;
    if (p->emit_error.code != RM_OK && p->emit_error.code != RM_E_OUT_OF_MEMORY) {
        if (err->code == RM_OK) {
            code = p->emit_error.code;
            rm_error_move(err, &p->emit_error);
        }
        rm_error_clear(&p->emit_error);
    }
    if (rmi_flight_find(node, token) != NULL) {
        rmi_standalone_forget(node, token);
        rc = report(node,
                    &(rmi_event){
                        .kind = RMI_FINISHED, .token = token, .code = code < 0 ? code : RM_OK, .error = err});
    }
    rm_error_clear(err);
    return rc;
}

/* ---- Streams */

int rmi_standalone_queue(rm_node *node, rm_packet *packets, size_t n, rm_error *err)
{
    const int rc = rmi_queue_append(node->pipeline->allocator, &node->merge.queue, packets, n);
    for (size_t i = 0; rc != RM_OK && i < n; i++)
        rm_packet_clear(&packets[i]);
    return rc == RM_OK ? RM_OK : rmi_out_of_memory(err);
}

/* The queue is empty: asks the caller for packets. RM_OK when the caller has given some. */
static int need_more(rm_node *node, bool wait, rm_error *err)
{
    const rmi_standalone_caller *caller = &((const rmi_standalone *)node->host_context)->caller;
    rm_packet *packets = NULL;
    size_t n = 0;
    if (!node->stream.starved)
        (void)report(node, &(rmi_event){.kind = RMI_WANTS});
    node->stream.starved = true;
    if (!wait || caller->wait == NULL)
        return RM_AGAIN;
    const int rc = caller->wait(caller->context, &packets, &n, err);
    node->stream.ended = rc == RM_DONE;
    return rc == RM_OK ? rmi_standalone_queue(node, packets, n, err) : rc;
}

static int lone_pull(rm_node *node, bool wait, rm_packet *packet, rm_error *err)
{
    rmi_queue *queue = &node->merge.queue;
    int rc = RM_OK;
    while (rc == RM_OK && queue->count == 0 && !node->stream.ended)
        rc = need_more(node, wait, err);
    if (queue->count == 0 && node->stream.ended) {
        rmi_set_seq(node, -1); /* later emissions belong to no item */
        return RM_DONE;
    }
    if (rc != RM_OK)
        return rc;
    rmi_queue_take(queue, packet);
    rmi_set_current(node, packet);
    return RM_OK;
}

static bool lone_can_wait(const rm_node *node)
{
    return ((const rmi_standalone *)node->host_context)->caller.wait != NULL;
}

static int lone_standard_input(rm_node *node, int *descriptor, rm_error *err)
{
    (void)node;
    *descriptor = -1;
    return rm_error_set(err, RM_E_USAGE, "a node in a sandbox has no standard input");
}

static int lone_standard_output(rm_node *node, int *descriptor, rm_error *err)
{
    (void)node;
    *descriptor = -1;
    return rm_error_set(err, RM_E_USAGE, "a node in a sandbox has no standard output");
}

/* The host of the sandbox ends a call that waits. */
static int lone_wait(rm_node *node, int descriptor, bool writing, int64_t until, rm_error *err)
{
    (void)node, (void)descriptor, (void)writing, (void)until, (void)err;
    return RM_DONE;
}

/* The caller takes the events of a call when the call has returned. */
static size_t lone_room(const rm_node *node)
{
    (void)node;
    return RMI_BATCH;
}

const rmi_node_host rmi_standalone_host = {
    .emit = lone_emit,
    .suspend = lone_suspend,
    .resume = lone_resume,
    .finish = lone_finish,
    .pull = lone_pull,
    .can_wait = lone_can_wait,
    .room = lone_room,
    .log = lone_log,
    .standard_input = lone_standard_input,
    .standard_output = lone_standard_output,
    .wait = lone_wait,
};
