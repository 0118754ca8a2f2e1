/* Several inputs in one order: by seq, then by connection, then as emitted. A connection that is empty
 * says by its bound what may still come (as MediaPipe's timestamp bounds do), so that nobody waits for
 * what was dropped. */
#include "exec/pipeline.h"

/* The lowest seq that waits, if no empty link may still bring a lower one. */
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

/* Links before *index have nothing at *seq any more. */
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
                return count; /* it may still come */
        }
        *seq = INT64_MAX;
    }
}

int64_t rmi_input_bound(const rm_node *node)
{
    int64_t bound = RMI_FOREVER;
    if (node->merged.count > 0)
        bound = rmi_queue_first(&node->merged)->seq;
    if (node->closed)
        return RMI_FOREVER;
    for (uint32_t i = 0; i < node->input_count; i++) {
        const rmi_link *link = node->inputs[i];
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
    if (rmi_queue_reserve(p->allocator, &node->merged, RMI_RUN) != RM_OK)
        return rmi_stop_with(p, node, NULL, RM_E_OUT_OF_MEMORY);
    while (node->merged.count < RMI_RUN) {
        const uint32_t i =
            rmi_next_link(node->inputs, node->input_count, &node->merge_seq, &node->merge_index, false);
        if (i == node->input_count)
            break;
        rmi_link *link = node->inputs[i];
        const size_t n = count_of_seq(&link->queue, node->merge_seq, RMI_RUN - node->merged.count);
        const size_t units = link->queue.units > 0 ? rmi_queue_units(&link->queue, n) : 0;
        rm_packet *to = rmi_queue_first(&node->merged) + node->merged.count;
        for (size_t k = 0; k < n; k++) { /* merged packets are few: their port matters, not what they hold */
            to[k] = rmi_queue_first(&link->queue)[k];
            to[k].reserved = link->port;
        }
        node->merged.count += n;
        rmi_queue_drop(&link->queue, n, n, units);
        rmi_drained(link);
    }
    return RM_OK;
}

/* What the node may still emit at the lowest, given what it may still get. */
static int64_t output_bound(const rm_node *node, int64_t bound)
{
    if (!node->flushed && bound > RM_SEQ_END + node->rank)
        bound = RM_SEQ_END + node->rank;
    if (node->flight_count > 0 && node->flights[0].origin.seq < bound)
        bound = node->flights[0].origin.seq;
    const bool holds = node->more || (node->type->stream != NULL && !node->starved && !node->closed);
    if (holds && !node->flushed && node->current.seq >= 0 && node->current.seq < bound)
        bound = node->current.seq;
    return bound;
}

static int advance(rm_node *node, int64_t bound)
{
    rm_pipeline *p = node->pipeline;
    node->advanced = bound;
    rmi_set_origin(node, (rmi_origin){.seq = bound - 1, .timestamp = RM_NO_TIME, .duration = RM_NO_TIME});
    const int64_t started = rmi_call_begin(node);
    int rc = node->type->advance(node, node->state, bound, &p->scratch);
    rc = rmi_call_end(node, started, rc);
    return rc < 0 ? rmi_item_failed(node, node->current.seq, &p->scratch, rc) : RM_OK;
}

int rmi_raise_bounds(rm_node *node)
{
    int64_t bound = rmi_input_bound(node);
    const bool free = node->open && !node->closed && !node->busy && !node->more;
    const int64_t told =
        node->flight_count > 0 && node->flights[0].origin.seq < bound ? node->flights[0].origin.seq : bound;
    if (node->type->advance != NULL && free && told > node->advanced) {
        const int rc = advance(node, told);
        if (rc != RM_OK)
            return rc;
    }
    bound = output_bound(node, bound);
    if (node->results != NULL && node->results->bound < bound)
        node->results->bound = bound;
    for (uint32_t port = 0; port < node->output_ports; port++)
        for (uint32_t i = 0; i < node->outputs[port].count; i++) {
            rmi_link *link = node->outputs[port].links[i];
            if (link->bound >= bound)
                continue;
            link->bound = bound;
            rmi_ready(link->to);
        }
    return RM_OK;
}
