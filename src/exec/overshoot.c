/* The way out where bounded queues block each other: a node that merges waits for a packet on one link, and
 * the node that would make the packet waits for room on another. When nothing else moves, this finds the
 * nodes that the waiting merges need, going up from their empty links. The needed node that waits for room
 * may put its packets where there is none, once. (Parks, "Bounded Scheduling of Process Networks", 1995, lets
 * the smallest full queue grow; here the right queue is known.) */
#include "exec/pipeline.h"

/* Marks the nodes before those empty links that may still bring a packet up to `seq`. */
static void need_missing(rmi_link *const *links, uint32_t count, int64_t seq)
{
    for (uint32_t i = 0; i < count; i++) {
        const rmi_link *link = links[i];
        if (link->queue.count == 0 && link->bound <= seq && link->bound != RMI_FOREVER && link->from != NULL)
            link->from->out.needed = true;
    }
}

static bool waits_for_room(const rm_node *node)
{
    rmi_reason why;
    return rmi_node_work(node, &why) == RMI_WAIT && why == RMI_FOR_ROOM;
}

/* Marks the nodes that could bring what this one lacks: packets of its lowest seq where some wait already,
 * else any. */
static void need_inputs(const rm_node *node)
{
    const int64_t lowest = rmi_lowest_seq(node->in.links, node->in.count), limit = node->pipeline->limit;
    const bool waits = lowest != RMI_FOREVER && lowest <= limit;
    if (waits || node->out.needed)
        need_missing(node->in.links, node->in.count, waits ? lowest : limit);
}

/* From the sinks up: the nodes before a merge that waits are needed, and the nodes before a needed one that
 * gets nothing. */
static void find_needed(rm_pipeline *p)
{
    for (uint32_t i = 0; i < p->node_count; i++)
        p->nodes[i].out.needed = false;
    need_missing(p->results, p->result_count, rmi_lowest_seq(p->results, p->result_count));
    for (uint32_t rank = p->node_count; rank-- > 0;) {
        rm_node *node = &p->nodes[rank];
        const bool pulls = node == p->puller;
        node->out.needed |= pulls;
        if (pulls || (!node->call.busy && !waits_for_room(node)))
            need_inputs(node);
    }
}

static bool let_go(rm_node *node)
{
    rmi_unblock(node);
    node->out.overshoot = true;
    rmi_ready(node);
    return true;
}

/* Whether a needed source gets nothing because another source's feed is full. */
static bool a_needed_source_starves(const rm_pipeline *p)
{
    for (uint32_t i = 0; !p->finished && i < p->feed_count; i++) {
        const rmi_link *feed = p->feeds[i];
        if (feed->to->out.needed && !feed->closed && feed->queue.count == 0 && feed->bound <= p->limit)
            return true;
    }
    return false;
}

/* Whether the missing packet comes when a node is flushed, and nothing prevents that flush. */
static bool a_flush_is_needed(const rm_pipeline *p)
{
    rmi_reason why;
    for (uint32_t i = p->flush_rank; i < p->node_count && RM_SEQ_END + i <= p->limit; i++) {
        if (rmi_node_work(&p->nodes[i], &why) != RMI_WAIT || why != RMI_FOR_FLUSH)
            return false;
        if (p->nodes[i].out.needed)
            return true;
    }
    return false;
}

bool rmi_overshoot(rm_pipeline *p)
{
    rm_node *last = NULL;
    if (p->blocked_count == 0 && p->feed_count < 2)
        return false;
    find_needed(p);
    for (uint32_t i = 0; i < p->node_count; i++) {
        rm_node *node = &p->nodes[i];
        if (!waits_for_room(node))
            continue;
        if (node->out.needed)
            return let_go(node);
        last = node;
    }
    if (a_needed_source_starves(p)) {
        p->feed_overshoot = true; /* for rm_pipeline_push */
        return p->input != NULL && p->input_code == RM_OK && rmi_take_input(p) == RM_OK;
    }
    return last != NULL && !a_flush_is_needed(p) && let_go(last);
}
