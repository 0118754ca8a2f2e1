/* From a node to its connections: fills in seq, times and metadata of the packet in process, copies for
 * branches, collects results. */
#include "exec/pipeline.h"

#include "base/alloc.h"
#include "data/value.h"

static void release_metadata(struct rm_heap *metadata)
{
    if (metadata == NULL)
        return;
    rm_value map = {.kind = RM_MAP, .heap = metadata};
    rm_value_clear(&map);
}

static struct rm_heap *retain_metadata(struct rm_heap *metadata)
{
    if (metadata != NULL)
        (void)rm_value_retain((rm_value){.kind = RM_MAP, .heap = metadata});
    return metadata;
}

void rmi_set_origin(rm_node *node, rmi_origin origin)
{
    (void)retain_metadata(origin.metadata);
    release_metadata(node->current.metadata);
    node->current = origin;
}

void rmi_set_current(rm_node *node, const rm_packet *packet)
{
    rmi_set_origin(node, (rmi_origin){.seq = packet->seq,
                                      .timestamp = packet->timestamp,
                                      .duration = packet->duration,
                                      .metadata = packet->metadata});
}

void rmi_set_seq(rm_node *node, int64_t seq)
{
    rmi_set_origin(node, (rmi_origin){.seq = seq, .timestamp = RM_NO_TIME, .duration = RM_NO_TIME});
}

static void fill_in(rm_node *node, rm_packet *packet)
{
    const rmi_origin *from = &node->current;
    if (packet->seq < 0)
        packet->seq = node->generate.on ? node->generate.next_seq++ : from->seq;
    if (node->type->stream != NULL && node->pipeline->tracked && packet->seq < node->out.bound)
        packet->seq = node->out.bound; /* its links have that bound already */
    if (packet->timestamp == RM_NO_TIME)
        packet->timestamp = from->timestamp;
    if (packet->duration == RM_NO_TIME)
        packet->duration = from->duration;
    if (packet->metadata == NULL)
        packet->metadata = retain_metadata(from->metadata);
}

static void clear_packets(rm_packet *packets, size_t n)
{
    for (size_t i = 0; i < n; i++)
        rmi_packet_clear(&packets[i]);
}

/* Records a failure for the call in progress; its node may ignore what rm_emit returns. */
static int emit_failed(rm_node *node, int rc)
{
    rm_pipeline *p = node->pipeline;
    if (rc == RM_E_OUT_OF_MEMORY && p->emit_error.code == RM_OK)
        (void)rmi_out_of_memory(&p->emit_error);
    return rc;
}

static bool owns_nothing(const rm_packet *packets, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (rm_value_is_heap(packets[i].value) || packets[i].metadata != NULL)
            return false;
    return true;
}

/* Replaces *value, which is released where it is `owned`. */
static int make_plain(rm_pipeline *p, rm_value *value, bool owned)
{
    rm_value plain = rm_null();
    const int rc = rm_value_to_plain(p->allocator, *value, &plain, &p->emit_error);
    if (owned)
        rm_value_clear(value);
    *value = plain;
    return rc;
}

/* Results leave as plain values, converted now: a Python node may change its object later. Objects leave as they are only
 * where the caller takes them. Consumes the packets when `all`; else they stay the caller's. */
static int put_results(rm_node *node, rm_packet *packets, size_t n, bool all)
{
    rm_pipeline *p = node->pipeline;
    int rc = rmi_queue_reserve(p->allocator, &node->out.results->queue, n);
    if (rc == RM_OK && all && owns_nothing(packets, n))
        return rmi_queue_append(p->allocator, &node->out.results->queue, packets, n); /* has room */
    size_t i = 0;
    for (; rc == RM_OK && i < n; i++) {
        rm_packet result = packets[i];
        const bool converted =
            !p->object_results && result.value.kind >= RM_LIST && rmi_value_has_object(result.value);
        if (!all) /* other links get it too */
            rc = rm_value_for_branch(packets[i].value, &result.value, &p->emit_error);
        if (rc == RM_OK && converted)
            rc = make_plain(p, &result.value, !all);
        if (rc != RM_OK) {
            rc = rmi_item_failed(node, packets[i].seq, &p->emit_error, rc);
            if (all)
                rmi_packet_clear(&packets[i]);
            continue;
        }
        if (all && converted)
            rm_value_clear(&packets[i].value);
        if (!all)
            result.metadata = retain_metadata(packets[i].metadata);
        rc = rmi_queue_append(p->allocator, &node->out.results->queue, &result, 1); /* has room */
    }
    if (all)
        clear_packets(packets + i, n - i);
    return rc;
}

static int put_branch_copies(rm_node *node, rmi_link *link, const rm_packet *packets, size_t n)
{
    rm_pipeline *p = node->pipeline;
    int rc = RM_OK;
    for (size_t i = 0; rc == RM_OK && i < n; i++) {
        rm_packet copy = packets[i];
        if (rm_value_is_heap(copy.value))
            rc = rm_value_for_branch(packets[i].value, &copy.value, &p->emit_error);
        if (rc != RM_OK)
            break;
        copy.metadata = retain_metadata(packets[i].metadata);
        rc = rmi_queue_append(p->allocator, &link->queue, &copy, 1); /* has room */
    }
    return rc;
}

static int put_copies(rm_node *node, rmi_link *link, const rm_packet *packets, size_t n)
{
    rm_pipeline *p = node->pipeline;
    int rc = rmi_queue_reserve(p->allocator, &link->queue, n);
    if (rc == RM_OK && owns_nothing(packets, n))
        rc = rmi_queue_append(p->allocator, &link->queue, packets, n);
    else
        rc = rc == RM_OK ? put_branch_copies(node, link, packets, n) : rc;
    if (rc == RM_OK)
        rmi_ready(link->to);
    return rc;
}

static int put_last(rm_node *node, rmi_link *link, rm_packet *packets, size_t n)
{
    const int rc = rmi_queue_append(node->pipeline->allocator, &link->queue, packets, n);
    if (rc != RM_OK) {
        clear_packets(packets, n);
        return emit_failed(node, rc);
    }
    rmi_ready(link->to);
    return RM_OK;
}

int rmi_deliver(rm_node *node, uint32_t port, rm_packet *packets, size_t n)
{
    const rmi_outputs *out = &node->out.ports[port];
    RMI_CHECK(port < node->out.port_count && n > 0);
    if (node->probed && (n = rmi_probe_output(node, port, packets, n)) == 0)
        return RM_OK;
    RMI_CHECK(!node->pipeline->tracked || node->out.unwanted || packets[0].seq >= node->out.bound);
    node->counters.out += n;
    if (node->out.only != NULL && !node->out.only->closed)
        return put_last(node, node->out.only, packets, n);

    rmi_link *last = NULL;
    int rc = RM_OK;
    for (uint32_t i = 0; rc == RM_OK && i < out->count; i++) {
        if (out->links[i]->closed)
            continue;
        if (last != NULL)
            rc = put_copies(node, last, packets, n);
        last = out->links[i];
    }
    if (rc == RM_OK && node->out.results != NULL) {
        rc = put_results(node, packets, n, last == NULL);
        if (last == NULL)
            return rc == RM_OK ? RM_OK : emit_failed(node, rc);
    }
    if (rc == RM_OK && last != NULL)
        return put_last(node, last, packets, n);
    clear_packets(packets, n);
    return rc == RM_OK ? RM_OK : emit_failed(node, rc);
}

int rmi_emit(rm_node *node, unsigned port, rm_packet *packets, size_t n)
{
    rm_pipeline *p = node->pipeline;
    int rc = RM_OK;
    if (!node->call.busy || port >= node->out.port_count)
        rc = rm_error_set(&p->emit_error, RM_E_USAGE,
                          node->call.busy ? "node '%s' emitted on output %u, but has %u"
                                          : "node '%s' emitted on output %u of %u outside a call",
                          rm_node_id(node), port, node->out.port_count);
    else if (node->failure.error != NULL ||
             node->stream.given_up) { /* it has failed in this call, with an earlier item */
        clear_packets(packets, n);
        return RM_OK;
    } else if (node->flight.staging == 0)
        return rmi_deliver(node, port, packets, n);
    else if (node->flight.staging != RMI_DISCARD) {
        rc = emit_failed(node, rmi_flight_stage(node, port, packets, n));
        if (rc == RM_OK)
            return RM_OK;
    }
    clear_packets(packets, n);
    return rc;
}

int rm_emit(rm_node *node, unsigned port, rm_packet packet)
{
    fill_in(node, &packet);
    return node->host->emit(node, port, &packet, 1);
}

int rm_emit_many(rm_node *node, unsigned port, rm_packet *packets, size_t n)
{
    rmi_link *only = node->out.only;
    if (node->lean && node->call.busy && port == 0 && !only->closed &&
        rmi_queue_append(node->pipeline->allocator, &only->queue, packets, n) == RM_OK) {
        node->counters.out += n;
        rmi_ready(only->to);
        return RM_OK;
    }
    if (n == 0)
        return RM_OK;
    if (node->generate.on || packets[0].seq < 0)
        for (size_t i = 0; i < n; i++)
            fill_in(node, &packets[i]);
    return node->host->emit(node, port, packets, n);
}

int rm_emit_value(rm_node *node, rm_value value)
{
    return rm_emit(node, 0, rm_packet_of(value));
}

void rm_node_set_current(rm_node *node, const rm_packet *packet)
{
    rmi_set_current(node, packet);
}
