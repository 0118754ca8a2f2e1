/* One turn of one node: what it is called with, and what its answer means. */
#include "exec/pipeline.h"

#include <stdio.h>

int64_t rmi_call_begin(rm_node *node)
{
    rm_pipeline *p = node->pipeline;
    const int64_t timeout_ms = node->graph->source->timeout_ms;
    node->busy = true;
    node->outer = atomic_load_explicit(&p->calling, memory_order_relaxed);
    node->outer_deadline = atomic_load_explicit(&p->call_deadline, memory_order_relaxed);
    const int64_t now = p->measure || timeout_ms > 0 ? rmi_platform_now() : 0;
    if (timeout_ms > 0)
        atomic_store(&p->call_deadline, now + timeout_ms * 1000000);
    atomic_store_explicit(&p->calling, node, memory_order_release);
    return now;
}

int rmi_call_end(rm_node *node, int64_t started, int rc)
{
    rm_pipeline *p = node->pipeline;
    atomic_store_explicit(&p->calling, node->outer, memory_order_release);
    if (p->measure)
        node->counters.ns += (uint64_t)(rmi_platform_now() - started);
    if (node->graph->source->timeout_ms > 0) {
        atomic_store(&p->call_deadline, node->outer_deadline);
        if (atomic_exchange(&p->item_expired, false) && rc < 0 && !p->failed) {
            rm_error_clear(&p->emit_error);
            rc = rm_error_set(&p->scratch, RM_E_TIMEOUT, "node '%s' took longer than its timeout_ms of %lld",
                              rm_node_id(node), (long long)node->graph->source->timeout_ms);
        }
    }
    node->busy = false;
    if (p->emit_error.code != RM_OK) { /* also when the node did not look at rm_emit's answer */
        if (rc >= 0 || p->scratch.code == RM_OK) {
            rc = p->emit_error.code;
            rm_error_move(&p->scratch, &p->emit_error);
        } else
            rm_error_clear(&p->emit_error);
    }
    if (rc < 0 && p->scratch.code == RM_OK)
        (void)rm_error_set(&p->scratch, rc, "node '%s' failed (%s) without saying why", rm_node_id(node),
                           rm_code_name(rc));
    return rc;
}

size_t rmi_output_room(const rm_node *node)
{
    size_t room = RMI_RUN;
    if (node->overshoot)
        return room;
    for (uint32_t port = 0; port < node->output_ports; port++)
        for (uint32_t i = 0; i < node->outputs[port].count; i++) {
            const rmi_link *link = node->outputs[port].links[i];
            if (link->closed)
                continue;
            if (link->queue.count >= link->limit || link->queue.units >= link->unit_limit)
                return 0;
            if (link->limit - link->queue.count < room)
                room = link->limit - link->queue.count;
        }
    if (node->results != NULL) {
        if (node->results->queue.count >= node->results->limit)
            return 0;
        if (node->results->limit - node->results->queue.count < room)
            room = node->results->limit - node->results->queue.count;
    }
    return room;
}

void rmi_drained(rmi_link *link)
{
    if (link->from == NULL || !link->from->blocked || link->queue.count >= link->limit)
        return;
    link->from->blocked = false;
    rmi_ready(link->from);
}

/* ---- What may reach the node ------------------------------------------------------------------------------- */

static bool format_fits(const rm_format *want, const rm_tensor *tensor, uint32_t kinds)
{
    if (!(kinds & RM_KIND_TENSOR) && tensor->media.kind != RM_MEDIA_AUDIO)
        return false;
    if (want->dtype != 0 && want->dtype != tensor->dtype)
        return false;
    if (want->sample_rate != 0 && want->sample_rate != tensor->media.sample_rate)
        return false;
    return want->channels == 0 || (tensor->dimensions == 2 && tensor->shape[1] == want->channels);
}

static const char *what_it_is(rm_value value)
{
    if (value.kind == RM_TENSOR && rm_tensor_view(value).media.kind == RM_MEDIA_AUDIO)
        return "audio";
    return rm_kind_name((rm_kind)value.kind);
}

static const char *what_is_wanted(uint32_t kinds)
{
    if (kinds == RM_KIND_AUDIO)
        return "audio";
    if (kinds & RM_KIND_TENSOR && !(kinds & RM_KIND_MAP))
        return "tensors";
    for (uint32_t kind = 0; kind < RM_KIND_COUNT; kind++)
        if ((kinds & ~(1u << RM_BIGINT)) == 1u << kind)
            return rm_kind_name((rm_kind)kind);
    return kinds == RM_KIND_NUMBER ? "numbers" : "other kinds of values";
}

/* " (float32, 2 channels, 16000 Hz)": what is known of a tensor's format, or nothing. */
static void describe_format(rm_format format, char *text, size_t size)
{
    char channels[32] = "", rate[32] = "";
    if (format.channels != 0)
        snprintf(channels, sizeof channels, ", %d channel%s", (int)format.channels,
                 format.channels == 1 ? "" : "s");
    if (format.sample_rate != 0)
        snprintf(rate, sizeof rate, ", %d Hz", (int)format.sample_rate);
    if (format.dtype != 0 || format.channels != 0 || format.sample_rate != 0)
        snprintf(text, size, " (%s%s%s)", format.dtype != 0 ? rm_dtype_name(format.dtype) : "any dtype",
                 channels, rate);
}

/* Makes a packet's value what the port accepts, or says why it cannot. */
static int fit(rm_node *node, const rm_port *port, rm_packet *packet)
{
    rm_pipeline *p = node->pipeline;
    const uint32_t kinds = port != NULL ? port->kinds : RM_KIND_PLAIN;
    if (packet->value.kind == RM_OBJECT && !(kinds & RM_KIND_OBJECT)) {
        rm_value plain = rm_null();
        const int rc = rm_value_to_plain(p->allocator, packet->value, &plain, &p->scratch);
        if (rc != RM_OK)
            return rc;
        rm_value_clear(&packet->value);
        packet->value = plain;
    }
    if (packet->value.kind == RM_TENSOR && (kinds & (RM_KIND_TENSOR | RM_KIND_AUDIO))) {
        const rm_tensor view = rm_tensor_view(packet->value);
        if (port == NULL || format_fits(&port->format, &view, kinds))
            return RM_OK;
    } else if (kinds >> packet->value.kind & 1)
        return RM_OK;
    char format[80] = "", got[80] = "";
    if (port != NULL && packet->value.kind == RM_TENSOR) {
        const rm_tensor view = rm_tensor_view(packet->value);
        describe_format(port->format, format, sizeof format);
        describe_format((rm_format){.dtype = view.dtype,
                                    .channels = view.dimensions == 2 ? (int32_t)view.shape[1] : 0,
                                    .sample_rate = view.media.sample_rate},
                        got, sizeof got);
    }
    return rm_error_set(&p->scratch, RM_E_TYPE, "%s '%s' takes %s%s, got %s%s", node->type->name,
                        rm_node_id(node), what_is_wanted(kinds), format, what_it_is(packet->value), got);
}

static bool takes_anything(const rm_port *port)
{
    return port != NULL && port->kinds == RM_KIND_ANY && port->format.dtype == 0 &&
           port->format.channels == 0 && port->format.sample_rate == 0;
}

/* How many of the first `n` packets may be given to the node; *rc is the first one's failure when that is 0. */
static size_t acceptable(rm_node *node, rm_packet *packets, uint32_t port, size_t n, int *rc)
{
    const rm_port *description = node->takes[port];
    const uint32_t scalars = (description != NULL ? description->kinds : RM_KIND_PLAIN) & RM_KIND_PLAIN;
    *rc = RM_OK;
    if (takes_anything(description))
        return n;
    for (size_t i = 0; i < n; i++) {
        if (packets[i].value.kind != RM_TENSOR && scalars >> packets[i].value.kind & 1)
            continue;
        *rc = fit(node, description, &packets[i]);
        if (*rc != RM_OK) {
            if (i > 0) /* found again, and told, when it comes first */
                rm_error_clear(&node->pipeline->scratch), *rc = RM_OK;
            return i;
        }
    }
    return n;
}

/* ---- Calling ----------------------------------------------------------------------------------------------- */

/* What an answer other than a failure means for the node. */
static void heed(rm_node *node, int rc)
{
    if (rc == RM_MORE) {
        node->more = true;
        rmi_ready(node);
    } else if (rc == RM_DONE)
        rmi_close_inputs(node);
}

static int no_progress(rm_node *node)
{
    return rm_error_set(&node->pipeline->scratch, RM_E_INTERNAL,
                        "process_many of '%s' took nothing and said nothing", node->type->name);
}

static int call_many(rm_node *node, rmi_queue *queue, uint32_t port, size_t n)
{
    rm_pipeline *p = node->pipeline;
    rm_packet *run = rmi_queue_first(queue);
    const size_t units = rmi_queue_units(queue, n);
    size_t done = 0;
    rmi_set_current(node, run);
    const int64_t started = rmi_call_begin(node);
    int rc = node->type->process_many(node, node->state, port, run, n, &done, &p->scratch);
    rc = rmi_call_end(node, started, rc);
    if (rc == RM_OK && done == 0)
        rc = no_progress(node);
    const int64_t seq = run[rc < 0 && done < n ? done : 0].seq;
    if (rc < 0 && done < n)
        done++; /* the failed one is consumed too */
    if (rc == RM_MORE && done > 0)
        node->current.seq = run[done - 1].seq;
    node->counters.in += done;
    rmi_queue_drop(queue, done, n, units);
    if (rc < 0)
        return rmi_item_failed(node, seq, &p->scratch, rc);
    heed(node, rc);
    return RM_OK;
}

/* One packet through `process`. */
static int call_one(rm_node *node, rmi_queue *queue, uint32_t port)
{
    rm_pipeline *p = node->pipeline;
    const size_t units = rmi_queue_units(queue, 1);
    const rm_packet packet = *rmi_queue_first(queue);
    rmi_set_current(node, &packet);
    rmi_queue_drop(queue, 1, 1, units);
    node->counters.in++;
    const int64_t started = rmi_call_begin(node);
    int rc = node->type->process(node, node->state, port, packet, &p->scratch);
    rc = rmi_call_end(node, started, rc);
    if (rc < 0)
        return rmi_item_failed(node, packet.seq, &p->scratch, rc);
    heed(node, rc);
    return RM_OK;
}

int rmi_call_process(rm_node *node, rmi_queue *queue, uint32_t port, size_t n)
{
    if (node->type->process_many != NULL)
        return call_many(node, queue, port, n);
    int rc = RM_OK;
    for (size_t i = 0; rc == RM_OK && i < n && !node->more && !node->closed; i++) {
        if (i > 0 && rmi_output_room(node) == 0)
            break;
        rc = call_one(node, queue, port);
    }
    return rc;
}

/* The call after RM_MORE: no packet, the same one in process. */
static int call_more(rm_node *node)
{
    rm_pipeline *p = node->pipeline;
    size_t done = 0;
    node->more = false;
    rmi_ready(node); /* more packets may wait behind this one */
    if (p->failed && node->current.seq >= p->failed_seq) /* it might go on for ever */
        return RM_OK;
    const int64_t seq = node->current.seq;
    const int64_t started = rmi_call_begin(node);
    int rc = node->type->process_many != NULL
                 ? node->type->process_many(node, node->state, 0, NULL, 0, &done, &p->scratch)
                 : node->type->process(node, node->state, 0, rm_packet_of(rm_null()), &p->scratch);
    rc = rmi_call_end(node, started, rc);
    if (rc < 0)
        return rmi_item_failed(node, seq, &p->scratch, rc);
    heed(node, rc);
    return RM_OK;
}

/* What an answer of generate means; a failed item counts, so that the next one has its own number. */
static int heed_generate(rm_node *node, int rc)
{
    rm_pipeline *p = node->pipeline;
    const int64_t seq = node->next_seq;
    if (rc < 0) {
        node->next_seq++;
        rc = rmi_item_failed(node, seq, &p->scratch, rc);
        if (p->failed)
            return rc; /* call_generate ends it when its turn comes */
    }
    if (rc == RM_PENDING) {
        node->polling = true;
        node->wait = (rm_wait){.deadline = RMI_FOREVER, .descriptor = -1};
        node->poll_due = node->type->poll != NULL;
    } else if (rc == RM_DONE) {
        node->generating = false;
        rmi_close_inputs(node);
    }
    return rc < 0 ? rc : RM_OK;
}

static int call_generate(rm_node *node, size_t room)
{
    rm_pipeline *p = node->pipeline;
    const size_t calls = node->type->flags & RM_NODE_LIVE ? 1 : room;
    int rc = RM_OK;
    rmi_set_origin(node, (rmi_origin){.seq = -1, .timestamp = RM_NO_TIME, .duration = RM_NO_TIME});
    for (size_t i = 0; i < calls && (rc == RM_OK || rc == RM_MORE); i++) {
        if (p->failed && (calls == 1 || node->next_seq > p->failed_seq || node->rank == p->failed_rank))
            rc = RM_DONE;
        else if (i > 0 && rmi_output_room(node) == 0)
            break;
        else {
            const int64_t started = rmi_call_begin(node);
            rc = node->type->generate(node, node->state, &p->scratch);
            rc = rmi_call_end(node, started, rc);
        }
    }
    rc = heed_generate(node, rc);
    rmi_ready(node);
    node->inputs[0]->bound = node->generating ? node->next_seq : RMI_FOREVER;
    return rc;
}

int rmi_call_flush(rm_node *node)
{
    rm_pipeline *p = node->pipeline;
    if (node->type->flush == NULL)
        return RM_OK;
    const int64_t seq = RM_SEQ_END + node->rank;
    rmi_set_origin(node, (rmi_origin){.seq = seq, .timestamp = RM_NO_TIME, .duration = RM_NO_TIME});
    const int64_t started = rmi_call_begin(node);
    int rc = node->type->flush(node, node->state, &p->scratch);
    rc = rmi_call_end(node, started, rc);
    return rc < 0 ? rmi_item_failed(node, seq, &p->scratch, rc) : rc;
}

/* ---- Turns ------------------------------------------------------------------------------------------------- */

static size_t same_port(const rmi_queue *queue, size_t n)
{
    const rm_packet *packets = rmi_queue_first(queue);
    size_t same = 1;
    while (same < n && packets[same].reserved == packets[0].reserved)
        same++;
    return same;
}

/* Calls the node with what waits in `queue`. */
static int take_from(rm_node *node, rmi_queue *queue, size_t room)
{
    rm_pipeline *p = node->pipeline;
    const bool merged = queue == &node->merged;
    const uint32_t port = merged ? rmi_queue_first(queue)->reserved : node->inputs[0]->port;
    size_t n = queue->count < room ? queue->count : room;
    int rc = RM_OK;
    if (merged)
        n = same_port(queue, n);
    if (p->failed && (n = rmi_before_failure(node, rmi_queue_first(queue), n)) == 0) {
        rmi_queue_clear(queue);
        return RM_OK;
    }
    n = acceptable(node, rmi_queue_first(queue), port, n, &rc);
    if (n > 0)
        return node->plain ? rmi_call_process(node, queue, port, n) : rmi_flight_process(node, queue, port);
    const rm_packet failed = *rmi_queue_first(queue);
    rmi_queue_drop(queue, 1, 1, rmi_queue_units(queue, 1));
    node->counters.in++;
    rc = rmi_item_failed(node, failed.seq, &p->scratch, rc);
    rm_packet_clear(&(rm_packet){.value = failed.value, .metadata = failed.metadata});
    return rc;
}

static int process_turn(rm_node *node, size_t room)
{
    int rc = RM_OK;
    if (node->input_count == 1) {
        rmi_link *link = node->inputs[0];
        if (node->closed)
            rmi_queue_clear(&link->queue);
        if (link->queue.count == 0)
            return RM_OK;
        rc = take_from(node, &link->queue, room);
        rmi_drained(link);
        if (link->queue.count > 0)
            rmi_ready(node);
        return rc;
    }
    rc = rmi_merge(node);
    if (rc != RM_OK || node->merged.count == 0)
        return rc;
    rmi_ready(node); /* until nothing can be merged */
    return take_from(node, &node->merged, room);
}

static int special_turn(rm_node *node, size_t room)
{
    if (node->poll_due)
        return rmi_poll(node);
    if (node->generating)
        return node->polling ? RM_OK : call_generate(node, room);
    if (node->type->flags & RM_NODE_STREAMING)
        return rmi_stream_turn(node);
    if (node->more)
        return rmi_flight_more(node);
    return rmi_flight_room(node) ? process_turn(node, room) : RM_OK;
}

int rmi_node_turn(rm_node *node)
{
    if (node->busy)
        return RM_OK;
    const size_t room = rmi_output_room(node);
    if (room == 0 && !node->closed) {
        node->blocked = true;
        return RM_OK;
    }
    node->overshoot = false;
    int rc = RM_OK;
    if (!node->plain)
        rc = special_turn(node, room);
    else if (node->more)
        rc = call_more(node);
    else
        rc = process_turn(node, room);
    if (rc == RM_OK && node->pipeline->tracked)
        rc = rmi_raise_bounds(node);
    return rc;
}
