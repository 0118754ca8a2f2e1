/* Several inputs in one order: by seq, then by connection, then as emitted. The bound of an empty connection
 * says what may still come (as MediaPipe's timestamp bounds do), so that no node waits for a packet that was
 * dropped. */
#include "exec/pipeline.h"

/* Finds the lowest seq that waits, if no empty link may still bring a lower one. */
static bool lowest(rmi_link *const *links, uint32_t count, bool all, int64_t *seq)
{
    int64_t found = INT64_MAX, may_come = INT64_MAX;
    for (uint32_t i = 0; i < count; i++) {
        const rmi_link *link = links[i];
        if (link->queue.count > 0 && rmi_queue_first(&link->queue)->seq < found)
            found = rmi_queue_first(&link->queue)->seq;
        if (link->queue.count == 0 && link->bound < may_come && !all)
            may_come = link->bound;
    }
    if (found == INT64_MAX || may_come < found)
        return false;
    *seq = found;
    return true;
}

/* Links before *index have no more packets at *seq. */
uint32_t rmi_next_link(rmi_link *const *links, uint32_t count, int64_t *seq, uint32_t *index, bool all)
{
    for (;;) {
        if (*seq == INT64_MAX) {
            *index = 0;
            if (!lowest(links, count, all, seq))
                return count;
        }
        for (; *index < count; ++*index) {
            const rmi_link *link = links[*index];
            if (link->queue.count > 0 && rmi_queue_first(&link->queue)->seq == *seq)
                return *index;
            if (link->queue.count == 0 && link->bound <= *seq && !all)
                return count; /* a packet of this seq may still come */
        }
        *seq = INT64_MAX;
    }
}

int64_t rmi_lowest_seq(rmi_link *const *links, uint32_t count)
{
    int64_t found = INT64_MAX;
    (void)lowest(links, count, true, &found);
    return found;
}

int64_t rmi_next_seq(const rm_node *node)
{
    const rmi_queue *queue = node->in.count == 1 ? &node->in.links[0]->queue : &node->merge.queue;
    int64_t seq = node->merge.seq;
    uint32_t index = node->merge.index;
    if (queue->count > 0)
        return rmi_queue_first(queue)->seq;
    if (node->in.count < 2 ||
        rmi_next_link(node->in.links, node->in.count, &seq, &index, false) == node->in.count)
        return RMI_FOREVER;
    return seq;
}

int64_t rmi_input_bound(const rm_node *node)
{
    int64_t bound = RMI_FOREVER;
    if (node->merge.queue.count > 0)
        bound = rmi_queue_first(&node->merge.queue)->seq;
    if (node->in.closed)
        return RMI_FOREVER;
    for (uint32_t i = 0; i < node->in.count; i++) {
        const rmi_link *link = node->in.links[i];
        const int64_t next = link->queue.count > 0 ? rmi_queue_first(&link->queue)->seq : link->bound;
        if (next < bound)
            bound = next;
    }
    return bound;
}

/* How many packets at the front of `queue` have this seq. */
static size_t count_of_seq(const rmi_queue *queue, int64_t seq, size_t most)
{
    size_t n = 0;
    while (n < queue->count && n < most && rmi_queue_first(queue)[n].seq == seq)
        n++;
    return n;
}

int rmi_merge(rm_node *node)
{
    rm_pipeline *p = node->pipeline;
    rmi_queue *merged = &node->merge.queue;
    if (rmi_queue_reserve(p->allocator, merged, RMI_BATCH) != RM_OK)
        return rmi_stop_with(p, node, NULL, RM_E_OUT_OF_MEMORY);
    while (merged->count < RMI_BATCH) {
        const uint32_t i =
            rmi_next_link(node->in.links, node->in.count, &node->merge.seq, &node->merge.index, false);
        if (i == node->in.count)
            break;
        rmi_link *link = node->in.links[i];
        RMI_CHECK(!link->closed && link->queue.count > 0);
        const size_t n = count_of_seq(&link->queue, node->merge.seq, RMI_BATCH - merged->count);
        const size_t units = link->queue.units > 0 ? rmi_queue_units(&link->queue, n) : 0;
        rm_packet *to = rmi_queue_first(merged) + merged->count;
        for (size_t k = 0; k < n; k++) { /* merged packets are few: `reserved` is the port, not the units */
            to[k] = rmi_queue_first(&link->queue)[k];
            to[k].reserved = link->port;
        }
        RMI_CHECK(n > 0 && merged->count + n <= RMI_BATCH);
        RMI_CHECK(merged->count == 0 || to[-1].seq <= to[0].seq);
        merged->count += n;
        rmi_queue_drop(&link->queue, n, n, units);
        rmi_drained(link);
    }
    return RM_OK;
}

/* ---- Bounds */

/* Whether the node may still emit for the packet in process, although it takes no other packet now. */
static bool holds_current(const rm_node *node)
{
    if (node->flushed || node->current.seq < 0)
        return false;
    if (node->type->stream == NULL) /* flights have their own seq */
        return node->more && node->flight.count == 0;
    const bool through = node->in.closed || (node->stream.told && !node->poll.on);
    return node->more || (!node->stream.starved && !through);
}

/* The lowest seq that the node may still emit, when `bound` is the lowest that it may still get. */
static int64_t output_bound(const rm_node *node, int64_t bound)
{
    if (node->failure.error != NULL)
        return RMI_FOREVER;
    if (!node->flushed && bound > RM_SEQ_END + node->rank)
        bound = RM_SEQ_END + node->rank;
    if (node->flight.count > 0 && node->flight.items[0].origin.seq < bound)
        bound = node->flight.items[0].origin.seq;
    if (holds_current(node) && node->current.seq < bound)
        bound = node->current.seq;
    return bound;
}

/* Calls the node's advance: all packets below the bound are finished, so the node may emit what it held back
 * for them. */
static int advance(rm_node *node, int64_t bound)
{
    const int64_t first = node->flight.count > 0 ? node->flight.items[0].origin.seq : RMI_FOREVER;
    bound = first < bound ? first : bound;
    if (bound <= node->merge.advanced || !node->open || node->in.closed || node->call.busy || node->more)
        return RM_OK;
    node->merge.advanced = bound;
    const int rc = rmi_call_advance(node, bound);
    return rc < 0 ? rmi_item_failed(node, bound - 1, &node->pipeline->scratch, rc) : RM_OK;
}

static void raise_bound(rm_node *node, rmi_link *link, int64_t bound)
{
    if (link->bound >= bound)
        return;
    RMI_CHECK(!link->closed && link->from == node);
    link->bound = bound;
    node->pipeline->idle_turns = 0;
    if (link->to != NULL)
        rmi_ready(link->to);
}

int rmi_raise_bounds(rm_node *node)
{
    int64_t bound = rmi_input_bound(node);
    if (node->type->advance != NULL) {
        const int rc = advance(node, bound);
        if (rc != RM_OK)
            return rc;
    }
    bound = output_bound(node, bound);
    if (bound <= node->out.bound)
        return RM_OK;
    node->out.bound = bound;
    if (node->out.results != NULL)
        raise_bound(node, node->out.results, bound);
    for (uint32_t port = 0; port < node->out.port_count; port++)
        for (uint32_t i = 0; i < node->out.ports[port].count; i++)
            raise_bound(node, node->out.ports[port].links[i], bound);
    return RM_OK;
}
