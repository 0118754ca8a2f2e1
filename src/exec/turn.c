/* One turn of one node: what it is called with. */
#include "exec/pipeline.h"

static size_t link_room(const rmi_link *link, size_t room)
{
    if (link->closed)
        return room;
    if (link->queue.count >= link->limit || link->queue.units >= link->unit_limit)
        return 0;
    return link->limit - link->queue.count < room ? link->limit - link->queue.count : room;
}

size_t rmi_output_room(const rm_node *node)
{
    size_t room = RMI_RUN;
    if (node->overshoot)
        return room;
    if (node->only_output != NULL)
        return link_room(node->only_output, room);
    for (uint32_t port = 0; port < node->output_ports; port++)
        for (uint32_t i = 0; room > 0 && i < node->outputs[port].count; i++)
            room = link_room(node->outputs[port].links[i], room);
    return node->results != NULL && room > 0 ? link_room(node->results, room) : room;
}

void rmi_drained(rmi_link *link)
{
    if (link->from == NULL || !link->from->blocked || link->queue.count >= link->limit)
        return;
    rmi_unblock(link->from);
    rmi_ready(link->from);
}

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
    if (n > node->run)
        n = node->run;
    if (merged)
        n = same_port(queue, n);
    if (p->failed && (n = rmi_before_failure(node, rmi_queue_first(queue), n)) == 0) {
        rmi_queue_clear(queue);
        return RM_OK;
    }
    if (!node->takes_any)
        n = rmi_acceptable(node, rmi_queue_first(queue), port, n, &rc);
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
        return node->polling ? RM_OK : rmi_call_generate(node, room);
    if (node->type->stream != NULL)
        return rmi_stream_turn(node);
    if (node->more)
        return rmi_flight_more(node);
    return rmi_flight_room(node) ? process_turn(node, room) : RM_OK;
}

/* The way of most packets: one input, one output, process_many, and nothing to look at in between. */
static int lean_turn(rm_node *node)
{
    rm_pipeline *p = node->pipeline;
    rmi_link *in = node->inputs[0];
    rm_packet *run = rmi_queue_first(&in->queue);
    const size_t room = link_room(node->only_output, RMI_RUN);
    size_t n = in->queue.count < room ? in->queue.count : room;
    n = n < node->run ? n : node->run;
    const size_t units = in->queue.units > 0 ? rmi_queue_units(&in->queue, n) : 0;
    size_t done = 0;
    if (n == 0) {
        if (room == 0)
            rmi_block(node);
        return RM_OK;
    }
    if (node->current.metadata == NULL && run->metadata == NULL)
        node->current = (rmi_origin){run->seq, run->timestamp, run->duration, NULL};
    else
        rmi_set_current(node, run);
    const int64_t started = rmi_call_begin(node);
    int rc = node->type->process_many(node, node->state, in->port, run, n, &done, &p->scratch);
    rc = rmi_call_end(node, started, rc);
    if (rc == RM_OK && done == in->queue.count && units == 0) {
        node->counters.in += n;
        in->queue.head = in->queue.count = 0;
    } else
        rc = rmi_call_settle(node, &in->queue, n, units, done, rc);
    rmi_drained(in);
    if (in->queue.count > 0)
        rmi_ready(node);
    return rc;
}

int rmi_node_turn(rm_node *node)
{
    if (node->busy)
        return RM_OK;
    if (node->lean && !node->more && !node->closed && !node->overshoot && !node->pipeline->failed)
        return lean_turn(node);
    const size_t room = rmi_output_room(node);
    if (room == 0 && !node->closed) {
        rmi_block(node);
        return RM_OK;
    }
    node->overshoot = false;
    int rc = RM_OK;
    if (!node->plain)
        rc = special_turn(node, room);
    else if (node->more)
        rc = rmi_call_more(node);
    else
        rc = process_turn(node, room);
    if (rc == RM_OK && node->pipeline->tracked)
        rc = rmi_raise_bounds(node);
    return rc;
}
