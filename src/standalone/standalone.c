#include "standalone/standalone.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "graph/describe.h"
#include "graph/registry.h"
#include "standalone/standalone_parts.h"

/* ---- Making */

/* The graph's errors refer to the made-up manifest. Their pointer is made to start at the node. */
static void make_relative(rm_error *err)
{
    static const char place[] = "/nodes/0";
    const size_t length = sizeof place - 1;
    if (err == NULL || err->code == RM_OK)
        return;
    if (err->has_pointer && strncmp(err->pointer, place, length) == 0)
        memmove(err->pointer, err->pointer + length, strlen(err->pointer + length) + 1);
    else if (err->has_pointer) {
        err->has_pointer = false;
        err->pointer[0] = '\0';
    }
}

static int make(rmi_standalone *standalone, rm_runtime *runtime, const rmi_standalone_config *config,
                rm_error *err)
{
    const rm_pipeline_options options = {.size = sizeof options, .generate = config->generates};
    int rc = rmi_standalone_manifest(runtime, config, &standalone->manifest, err);
    if (rc == RM_OK)
        rc = rmi_pipeline_new(standalone->manifest, &options, &standalone->pipeline, err);
    if (rc == RM_OK)
        rc = rmi_standalone_name_inputs(standalone->manifest, config, err);
    make_relative(err);
    return rc;
}

int rmi_standalone_new(rm_runtime *runtime, rm_value config, const rmi_standalone_caller *caller,
                       rmi_standalone **out, rm_error *err)
{
    const rm_allocator *allocator = rm_runtime_allocator(runtime);
    rmi_standalone_config chosen;
    *out = NULL;
    int rc = rmi_standalone_config_read(config, &chosen, err);
    if (rc != RM_OK)
        return rc;
    rmi_standalone *standalone = rmi_alloc_zeroed(allocator, sizeof *standalone);
    if (standalone == NULL)
        return rmi_out_of_memory(err);
    standalone->allocator = allocator;
    rc = make(standalone, runtime, &chosen, err);
    if (rc == RM_OK) {
        rm_node *node = standalone->node = standalone->pipeline->by_index[0];
        standalone->caller = *caller;
        if (!chosen.waits)
            standalone->caller.wait = NULL;
        node->host = &rmi_standalone_host;
        node->host_context = standalone;
        node->generate.on = false; /* the caller numbers generated items */
        node->watched = false;
        node->out.bound = -1; /* the caller keeps the bounds */
        *out = standalone;
    } else
        rmi_standalone_free(standalone);
    return rc;
}

int rmi_standalone_use(rmi_standalone *standalone, rm_value config, const rmi_standalone_caller *caller,
                       rm_error *err)
{
    rmi_standalone_config chosen;
    const int rc = rmi_standalone_config_read(config, &chosen, err);
    if (rc != RM_OK)
        return rc;
    standalone->pipeline->generate = chosen.generates;
    standalone->node->plain = standalone->node->plain && !chosen.generates;
    standalone->caller = *caller;
    if (!chosen.waits)
        standalone->caller.wait = NULL;
    return RM_OK;
}

void rmi_standalone_free(rmi_standalone *standalone)
{
    if (standalone == NULL)
        return;
    rm_pipeline_free(standalone->pipeline);
    rm_manifest_free(standalone->manifest);
    rmi_free(standalone->allocator, standalone, sizeof *standalone);
}

/* ---- Description */

static rm_value names_of(rmi_builder *b, const rm_node_type *type, rm_direction direction)
{
    rm_value list = rmi_build_list(b);
    for (const rm_port *port = rmi_type_ports(type); port->name != NULL; port++)
        if (port->direction == direction)
            rmi_build_add(b, &list, rmi_build_string(b, port->name));
    return list;
}

static bool is_variadic(const rm_node_type *type)
{
    bool variadic = false;
    for (const rm_port *port = rmi_type_ports(type); port->name != NULL; port++)
        variadic |= port->direction == RM_INPUT && port->variadic;
    return variadic;
}

int rmi_standalone_describe(const rmi_standalone *standalone, rm_value *out, rm_error *err)
{
    const rm_node_type *type = standalone->node->type;
    rmi_builder b = rmi_builder_start(standalone->allocator, err);
    rm_value map = rmi_build_map(&b);
    rmi_build_put(&b, &map, "inputs", names_of(&b, type, RM_INPUT));
    rmi_build_put(&b, &map, "outputs", names_of(&b, type, RM_OUTPUT));
    rmi_build_put(&b, &map, "variadic", rm_bool(is_variadic(type)));
    rmi_describe_calls(&b, &map, type);
    return rmi_build_end(&b, &map, out);
}

/* ---- Calls */

static int check_open(const rmi_standalone *standalone, rm_error *err)
{
    return standalone->node->open
               ? RM_OK
               : rm_error_set(err, RM_E_USAGE, "node '%s' is not open", rm_node_id(standalone->node));
}

static int no_such_slot(const rmi_standalone *standalone, const char *slot, rm_error *err)
{
    return rm_error_set(err, RM_E_USAGE, "node '%s' (%s) has no %s", rm_node_id(standalone->node),
                        standalone->node->type->name, slot);
}

/* Prepares a call; `token` for the packet in process, if it may become pending, else 0. */
static void begin(rm_node *node, uint64_t token)
{
    node->flight.staging = 0;
    node->flight.in_call = token;
    node->flight.suspended = node->stream.starved = false;
}

/* Handles the return codes that every slot may give. */
static int end(rm_node *node, int rc, rm_error *err)
{
    atomic_store_explicit(&node->pipeline->expired, NULL, memory_order_relaxed);
    if (node->flight.suspended && rc != RM_PENDING)
        rmi_standalone_forget(node, node->flight.in_call);
    node->flight.next_token += node->flight.suspended;
    if (rc < 0)
        rm_error_move(err, &node->pipeline->scratch);
    node->more = rc == RM_MORE;
    if (rc == RM_PENDING)
        node->poll.wait = (rm_wait){.deadline = 0, .descriptor = -1};
    return rc;
}

void rmi_standalone_interrupt(rmi_standalone *standalone)
{
    rm_node *node = standalone->node;
    if (!node->call.busy || node->type->interrupt == NULL)
        return;
    atomic_store(&standalone->pipeline->expired, node); /* rm_node_cancelled returns true now */
    node->type->interrupt(node, node->state);
}

int rmi_standalone_open(rmi_standalone *standalone, rm_error *err)
{
    rm_error local = {0};
    int rc = RM_E_USAGE;
    if (standalone->pipeline->closed || standalone->node->open)
        return rm_error_set(err, rc, "node '%s' has been opened already", rm_node_id(standalone->node));
    rc = rmi_open_node(standalone->pipeline, standalone->node, &local);
    make_relative(&local);
    rm_error_move(err, &local);
    return rc;
}

static int call_process(rm_node *node, uint32_t port, rm_packet *packets, size_t n, size_t *done,
                        rm_error *err)
{
    rmi_set_current(node, &packets[0]);
    begin(node, node->flight.next_token + 1);
    const int rc = rmi_call_process(node, port, packets, n, done);
    if (rc == RM_MORE && *done > 0)
        node->current.seq = packets[*done - 1].seq;
    return end(node, rc, err);
}

/* Gives a slow node its packets one by one, which costs little: where the caller cannot report an emission,
 * exactly this packet fails. */
static int process_items(rm_node *node, uint32_t port, rm_packet *packets, size_t n, size_t *done,
                         rm_error *err)
{
    const bool singly = node->type->process_many == NULL || node->type->flags & RM_NODE_SLOW;
    int rc = RM_OK;
    while (rc == RM_OK && *done < n) {
        rm_packet *next = packets + *done;
        size_t count = singly ? 1 : n - *done, took = 0;
        if (!node->takes_any)
            count = rmi_acceptable(node, next, port, count, &rc);
        if (count > 0)
            rc = call_process(node, port, next, count, &took, err);
        else {
            rm_error_move(err, &node->pipeline->scratch);
            rm_packet_clear(next);
        }
        *done += took;
    }
    return rc;
}

/* Whether the streaming node needs another call, although it has not returned RM_MORE. */
static bool has_stream(const rm_node *node)
{
    return node->type->stream != NULL &&
           (node->merge.queue.count > 0 || (node->stream.ended && !node->stream.told));
}

/* Calls a streaming node, which pulls; it may leave packets for the next call. */
static int call_stream(rm_node *node, rm_error *err)
{
    const bool at_end = node->stream.ended && node->merge.queue.count == 0 && !node->more;
    node->stream.told |= at_end;
    begin(node, 0);
    const int rc = end(node, rmi_call_stream(node, at_end), err);
    return rc == RM_OK && has_stream(node) ? RM_MORE : rc;
}

static int check_process(const rmi_standalone *standalone, uint32_t port, rm_error *err)
{
    const rm_node *node = standalone->node;
    const uint32_t ports = node->graph->input_ports > 0 ? node->graph->input_ports : 1;
    const bool streams = node->type->stream != NULL;
    int rc = check_open(standalone, err);
    if (rc == RM_OK && node->type->process == NULL && node->type->process_many == NULL && !streams)
        rc = no_such_slot(standalone, "process", err);
    if (rc == RM_OK && port >= ports)
        rc = rm_error_set(err, RM_E_USAGE, "node '%s' has no input %u; there are %u", rm_node_id(node), port,
                          ports);
    if (rc == RM_OK && node->more && !streams)
        rc = rm_error_set(err, RM_E_USAGE, "node '%s' has more to emit before it takes another packet",
                          rm_node_id(node));
    return rc;
}

int rmi_standalone_process(rmi_standalone *standalone, uint32_t port, rm_packet *packets, size_t n,
                           size_t *done, rm_error *err)
{
    rm_node *node = standalone->node;
    *done = 0;
    int rc = check_process(standalone, port, err);
    if (rc != RM_OK) {
        if (n > 0)
            rm_packet_clear(&packets[0]);
        return rc;
    }
    if (node->type->stream == NULL)
        return process_items(node, port, packets, n, done, err);
    rc = rmi_standalone_queue(node, packets, n, err);
    *done = n;
    return rc == RM_OK ? call_stream(node, err) : rc;
}

int rmi_standalone_more(rmi_standalone *standalone, rm_error *err)
{
    rm_node *node = standalone->node;
    int rc = check_open(standalone, err);
    const bool has_more = node->more && (node->type->more != NULL || node->type->stream != NULL);
    if (rc == RM_OK && !has_more && !has_stream(node))
        rc = rm_error_set(err, RM_E_USAGE, "node '%s' has said nothing of more", rm_node_id(node));
    if (rc != RM_OK || node->type->stream != NULL)
        return rc == RM_OK ? call_stream(node, err) : rc;
    begin(node, node->flight.next_token + 1);
    return end(node, rmi_call_more(node), err);
}

int rmi_standalone_generate(rmi_standalone *standalone, rm_error *err)
{
    rm_node *node = standalone->node;
    int rc = check_open(standalone, err);
    if (rc == RM_OK &&
        (node->type->generate == NULL || !node->graph->is_source || !standalone->pipeline->generate))
        rc = no_such_slot(standalone, "generate", err);
    if (rc != RM_OK)
        return rc;
    rmi_set_seq(node, -1);
    begin(node, 0);
    rc = end(node, rmi_call_generate(node), err);
    node->more = false; /* means the same as RM_OK */
    return rc;
}

int rmi_standalone_poll(rmi_standalone *standalone, rm_error *err)
{
    rm_node *node = standalone->node;
    rm_wait wait;
    const bool more = node->more;
    int rc = check_open(standalone, err);
    if (rc == RM_OK && node->type->poll == NULL)
        rc = no_such_slot(standalone, "poll", err);
    if (rc != RM_OK)
        return rc;
    begin(node, 0);
    atomic_store(&node->poll.woken, false);
    rc = end(node, rmi_call_poll(node, &wait), err);
    node->more = more; /* RM_MORE requests another poll */
    node->poll.wait = wait;
    if (atomic_load(&node->poll.woken))
        node->poll.wait.deadline = 0;
    return rc;
}

int rmi_standalone_end(rmi_standalone *standalone, rm_error *err)
{
    int rc = check_open(standalone, err);
    if (rc == RM_OK && standalone->node->type->stream == NULL)
        rc = rm_error_set(err, RM_E_USAGE, "node '%s' does not take its input as a stream",
                          rm_node_id(standalone->node));
    if (rc != RM_OK)
        return rc;
    standalone->node->stream.ended = true;
    return call_stream(standalone->node, err);
}

int rmi_standalone_advance(rmi_standalone *standalone, int64_t bound, rm_error *err)
{
    rm_node *node = standalone->node;
    int rc = check_open(standalone, err);
    if (rc != RM_OK || node->type->advance == NULL)
        return rc;
    begin(node, 0);
    return end(node, rmi_call_advance(node, bound), err);
}

int rmi_standalone_flush(rmi_standalone *standalone, rm_error *err)
{
    rm_node *node = standalone->node;
    int rc = check_open(standalone, err);
    if (rc != RM_OK || node->type->flush == NULL)
        return rc;
    rmi_set_seq(node, -1);
    begin(node, 0);
    rc = end(node, rmi_call_flush(node), err);
    node->more = false; /* RM_MORE requests another flush */
    return rc;
}

int rmi_standalone_abandon(rmi_standalone *standalone, uint64_t token, rm_error *err)
{
    rm_node *node = standalone->node;
    const bool more = node->more;
    int rc = check_open(standalone, err);
    if (rc != RM_OK)
        return rc;
    rmi_standalone_forget(node, token);
    if (node->type->abandon == NULL)
        return RM_OK;
    begin(node, 0);
    rmi_call_abandon(node, token);
    rc = end(node, RM_OK, err);
    node->more = more;
    return rc;
}

int rmi_standalone_close(rmi_standalone *standalone, rm_error *err)
{
    rm_node *node = standalone->node;
    int rc = check_open(standalone, err);
    if (rc != RM_OK)
        return rc;
    node->open = false;
    standalone->pipeline->closed = true;
    if (node->type->close == NULL)
        return RM_OK;
    rmi_set_seq(node, -1);
    begin(node, 0);
    return end(node, rmi_call_close(node), err);
}

double rmi_standalone_wait_ms(const rmi_standalone *standalone)
{
    const int64_t deadline = standalone->node->poll.wait.deadline;
    if (deadline == RMI_FOREVER)
        return (double)INFINITY;
    const double left = deadline > 0 ? (double)(deadline - rmi_platform_now()) / 1e6 : 0;
    return left > 0 ? left : 0;
}
