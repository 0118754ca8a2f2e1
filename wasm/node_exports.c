#include <sched.h>
#include <string.h>

#include "base/alloc.h"
#include "graph/registry.h"
#include "platform/wasi/tick.h"
#include "wasm/exported_node.h"

static struct node {
    rmi_node_buffers buffers;
    rm_runtime *runtime;
    rmi_standalone *standalone;
    uint8_t *config; /* owned: the encoded configuration of the node */
    size_t config_length;
    bool open;
    bool recording; /* the output buffer holds events, not a value */
    bool refused; /* the call in progress came inside another, or after a trap: it must not change anything */
    rm_error failure;
} node;

#define EXPORT(name) __attribute__((export_name(name), used))

EXPORT("rm_node_interface") int32_t export_node_interface(void);
EXPORT("rm_node_exchange") const void *export_node_exchange(void);
EXPORT("rm_node_reserve") int32_t export_node_reserve(uint32_t size);
EXPORT("rm_node_describe") int32_t export_node_describe(uint32_t length);
EXPORT("rm_node_open") int32_t export_node_open(uint32_t length);
EXPORT("rm_node_process") int32_t export_node_process(uint32_t port, uint32_t length);
EXPORT("rm_node_more") int32_t export_node_more(void);
EXPORT("rm_node_generate") int32_t export_node_generate(void);
EXPORT("rm_node_poll") int32_t export_node_poll(void);
EXPORT("rm_node_end") int32_t export_node_end(void);
EXPORT("rm_node_flush") int32_t export_node_flush(void);
EXPORT("rm_node_advance") int32_t export_node_advance(int64_t bound);
EXPORT("rm_node_abandon") int32_t export_node_abandon(uint64_t token);
EXPORT("rm_node_interrupt") void export_node_interrupt(void);
EXPORT("rm_node_close") int32_t export_node_close(void);

/* ---- A call */

/* Begins a call; leave must always follow. */
static int enter(void)
{
    node.refused = rmi_reactor_is_busy();
    const int rc = rmi_reactor_enter(&node.failure);
    if (!node.refused) {
        rmi_node_buffers_begin(&node.buffers);
        node.recording = rc == RM_OK;
    }
    return rc;
}

static int32_t leave(int rc)
{
    if (!node.refused) {
        rmi_node_buffers_end(&node.buffers, rc < 0 ? &node.failure : NULL);
        if (rc == RM_PENDING && node.standalone != NULL)
            node.buffers.exchange.wait_ms = rmi_standalone_wait_ms(node.standalone);
        node.recording = false;
    }
    node.refused = false;
    return rmi_reactor_leave(rc);
}

static int find(rm_error *err)
{
    return node.standalone != NULL
               ? RM_OK
               : rm_error_set(err, RM_E_USAGE, "there is no node; rm_node_open makes one");
}

/* ---- The buffers */

int32_t export_node_interface(void)
{
    return RMI_NODE_INTERFACE;
}

const void *export_node_exchange(void)
{
    return &node.buffers.exchange;
}

int32_t export_node_reserve(uint32_t size)
{
    int rc = enter();
    if (rc == RM_OK)
        rc = rmi_node_buffers_reserve(&node.buffers, size, &node.failure);
    return leave(rc);
}

/* ---- Making the node */

static int report(void *context, const rmi_event *event, rm_error *err)
{
    (void)context;
    return rmi_node_buffers_event(&node.buffers, event, err);
}

/* Waits for the stream: the host puts packets into the buffer, or the end, while this waits in sched_yield. A
 * host that does not know this leaves the field unchanged: RM_AGAIN. */
static int wait_for_stream(void *context, rm_packet **packets, size_t *n, rm_error *err)
{
    rmi_node_buffers *buffers = &node.buffers;
    int rc = RM_OK;
    (void)context;
    buffers->packet_count = 0; /* the node has taken the packets of the call in progress */
    do {
        rmi_node_buffers_end(buffers, NULL);
        buffers->exchange.stream = RMI_STREAM_WAITS;
        (void)sched_yield();
        rmi_node_buffers_begin(buffers);
        const uint32_t length = buffers->exchange.stream;
        buffers->exchange.stream = 0;
        if (length == RMI_STREAM_ENDED)
            return RM_DONE;
        if (length == RMI_STREAM_WAITS || length == RMI_STREAM_CLOSED)
            return RM_AGAIN;
        if (length > buffers->exchange.input_size)
            rc = rmi_node_buffers_reserve(buffers, length, err);
        else
            rc = rmi_node_buffers_take_packets(buffers, length, err);
    } while (rc == RM_OK && buffers->packet_count == 0);
    *packets = buffers->packets;
    *n = buffers->packet_count;
    buffers->packet_count = 0;
    return rc;
}

/* Logs a message of the runtime: as an event of the node where events are recorded, else through the
 * reactor. */
static void tell(void *context, rm_log_level level, const char *id, const char *text)
{
    const rmi_event event = {.kind = RMI_LOGGED, .level = level, .text = text};
    if (!node.recording || rmi_node_buffers_event(&node.buffers, &event, NULL) != RM_OK)
        rmi_reactor_log(context, level, id, text);
}

static void drop_config(void)
{
    rmi_free(NULL, node.config, node.config_length);
    node.config = NULL;
    node.config_length = 0;
}

static void drop_node(void)
{
    rmi_standalone_free(node.standalone);
    rm_runtime_free(node.runtime);
    drop_config();
    node.standalone = NULL;
    node.runtime = NULL;
    node.open = false;
}

static int keep_config(const uint8_t *data, size_t length, rm_error *err)
{
    node.config = rmi_alloc(NULL, length);
    if (node.config == NULL)
        return rmi_out_of_memory(err);
    node.config_length = length;
    memcpy(node.config, data, length);
    return RM_OK;
}

static const rmi_standalone_caller caller = {.report = report, .wait = wait_for_stream};

static int make_from(rm_value config, rm_error *err)
{
    rmi_python_options python = {0};
    rm_value key, value;
    int rc = RM_OK;
    for (size_t i = 0; config.kind == RM_MAP && rc == RM_OK && rm_map_at(config, i, &key, &value); i++)
        if (value.kind != RM_NULL)
            (void)rmi_python_option(&python, rm_string_text(key, NULL), value, &rc, err);
    if (rc == RM_OK)
        rc = rmi_reactor_runtime(&python, tell, &node.runtime, err);
    if (rc == RM_E_MISSING_FEATURE) { /* no Python here: a native node needs none */
        rm_error_clear(err);
        rc = RM_OK;
    }
    if (rc == RM_OK && rm_map_get(config, "node_arrays", 11, &value) && value.kind != RM_NULL)
        rc = rmi_arrays_option(&node.runtime->arrays, "node_arrays", value, err);
    return rc == RM_OK ? rmi_standalone_new(node.runtime, config, &caller, &node.standalone, err) : rc;
}

/* Whether all that `a` says of the node, but not of its use, is in `b`. */
static bool covers(rm_value a, rm_value b)
{
    rm_value key, value, other;
    bool same = a.kind == RM_MAP && b.kind == RM_MAP;
    for (size_t i = 0; same && rm_map_at(a, i, &key, &value); i++) {
        size_t length = 0;
        const char *name = rm_string_text(key, &length);
        const bool is_use = strcmp(name, "generates") == 0 || strcmp(name, "waits") == 0;
        same = is_use || (rm_map_get(b, name, length, &other) && rm_value_equal(value, other));
    }
    return same;
}

/* Whether the present node, which is not open, is that of `config`: its code does not run again then. */
static bool is_present(rm_value config)
{
    rm_value present = rm_null();
    size_t at = 0;
    const bool same = node.standalone != NULL &&
                      rmi_wire_read(NULL, node.config, node.config_length, &at, &present, NULL) == RM_OK &&
                      covers(present, config) && covers(config, present);
    rm_value_clear(&present);
    return same;
}

/* Makes the node of the configuration in the input buffer, unless the present node is the same. */
static int prepare(uint32_t length, rm_error *err)
{
    const uint8_t *data = NULL;
    rm_value config = rm_null();
    size_t at = 0;
    int rc = rmi_node_buffers_input(&node.buffers, length, &data, err);
    if (rc != RM_OK)
        return rc;
    if (node.standalone != NULL && node.config_length == length && memcmp(node.config, data, length) == 0)
        return RM_OK;
    if (node.open)
        return rm_error_set(err, RM_E_USAGE, "the instance has an open node already");
    rc = rmi_wire_read(NULL, data, length, &at, &config, err);
    if (rc == RM_OK && at != length)
        rc = rm_error_set(err, RM_E_VALUE, "more than a configuration is in the input buffer");
    const bool present = rc == RM_OK && is_present(config);
    if (present)
        drop_config();
    else
        drop_node();
    if (rc == RM_OK)
        rc = keep_config(data, length, err);
    if (rc == RM_OK)
        rc = present ? rmi_standalone_use(node.standalone, config, &caller, err) : make_from(config, err);
    if (rc != RM_OK)
        drop_node();
    rm_value_clear(&config);
    return rc;
}

int32_t export_node_describe(uint32_t length)
{
    rm_value what = rm_null();
    int rc = enter();
    if (rc == RM_OK) {
        node.recording = false;
        rc = prepare(length, &node.failure);
    }
    if (rc == RM_OK)
        rc = rmi_standalone_describe(node.standalone, &what, &node.failure);
    if (rc == RM_OK)
        rc = rmi_wire_write(&node.buffers.output, what, &node.failure);
    rm_value_clear(&what);
    return leave(rc);
}

int32_t export_node_open(uint32_t length)
{
    int rc = enter();
    if (rc == RM_OK)
        rc = prepare(length, &node.failure);
    if (rc == RM_OK)
        rc = rmi_standalone_open(node.standalone, &node.failure);
    node.open = node.open || rc == RM_OK;
    return leave(rc);
}

/* ---- Running it */

int32_t export_node_process(uint32_t port, uint32_t length)
{
    rmi_node_buffers *buffers = &node.buffers;
    size_t done = 0;
    int rc = enter();
    if (rc == RM_OK)
        rc = find(&node.failure);
    if (rc == RM_OK)
        rc = rmi_node_buffers_take_packets(buffers, length, &node.failure);
    if (rc == RM_OK) {
        rc = rmi_standalone_process(node.standalone, port, buffers->packets, buffers->packet_count, &done,
                                    &node.failure);
        rmi_node_buffers_drop_packets(buffers, rc < 0 ? done + 1 : done);
        buffers->exchange.done = (uint32_t)done;
    }
    return leave(rc);
}

static int32_t call(int (*slot)(rmi_standalone *standalone, rm_error *err))
{
    int rc = enter();
    if (rc == RM_OK)
        rc = find(&node.failure);
    if (rc == RM_OK)
        rc = slot(node.standalone, &node.failure);
    return leave(rc);
}

int32_t export_node_more(void)
{
    return call(rmi_standalone_more);
}

int32_t export_node_generate(void)
{
    return call(rmi_standalone_generate);
}

int32_t export_node_poll(void)
{
    return call(rmi_standalone_poll);
}

int32_t export_node_end(void)
{
    return call(rmi_standalone_end);
}

int32_t export_node_flush(void)
{
    return call(rmi_standalone_flush);
}

int32_t export_node_advance(int64_t bound)
{
    int rc = enter();
    if (rc == RM_OK)
        rc = find(&node.failure);
    if (rc == RM_OK)
        rc = rmi_standalone_advance(node.standalone, bound, &node.failure);
    return leave(rc);
}

int32_t export_node_abandon(uint64_t token)
{
    int rc = enter();
    if (rc == RM_OK)
        rc = find(&node.failure);
    if (rc == RM_OK)
        rc = rmi_standalone_abandon(node.standalone, token, &node.failure);
    return leave(rc);
}

/* May be called in the middle of another call. */
void export_node_interrupt(void)
{
    if (node.standalone != NULL && node.open)
        RMI_ABOVE_RED_ZONE(rmi_standalone_interrupt(node.standalone));
}

int32_t export_node_close(void)
{
    int rc = enter();
    if (rc == RM_OK)
        rc = find(&node.failure);
    if (rc == RM_OK) {
        rc = node.open ? rmi_standalone_close(node.standalone, &node.failure) : RM_OK;
        drop_node();
    }
    return leave(rc);
}
