/* Room on links, and their end. */
#include "exec/link.h"

#include "exec/pipeline.h"

size_t rmi_room_of_all(const rm_node *node)
{
    size_t room = RMI_BATCH;
    for (uint32_t port = 0; port < node->out.port_count; port++)
        for (uint32_t i = 0; room > 0 && i < node->out.ports[port].count; i++)
            room = rmi_link_room(node->out.ports[port].links[i], room);
    return node->out.results != NULL && room > 0 ? rmi_link_room(node->out.results, room) : room;
}

void rmi_block(rm_node *node)
{
    node->pipeline->blocked_count += !node->out.blocked;
    node->out.blocked = true;
}

void rmi_unblock(rm_node *node)
{
    RMI_CHECK(!node->out.blocked || node->pipeline->blocked_count > 0);
    node->pipeline->blocked_count -= node->out.blocked;
    node->out.blocked = false;
}

void rmi_drained_blocked(rmi_link *link)
{
    RMI_CHECK(link->from->out.blocked);
    if (rmi_link_full(link))
        return;
    rmi_unblock(link->from);
    rmi_ready(link->from);
}

/* Whether all consumers of the node have closed; then *seq is the highest seq at which one of them did. */
static bool all_outputs_closed(const rm_node *node, int64_t *seq)
{
    *seq = INT64_MIN;
    if (node->out.results != NULL || node->graph->output_count == 0)
        return false;
    for (uint32_t port = 0; port < node->out.port_count; port++)
        for (uint32_t i = 0; i < node->out.ports[port].count; i++) {
            const rmi_link *link = node->out.ports[port].links[i];
            if (!link->closed)
                return false;
            if (link->close_seq > *seq)
                *seq = link->close_seq;
        }
    return true;
}

static void close_link(rmi_link *link, int64_t seq, bool in_use)
{
    RMI_CHECK(!link->closed);
    link->closed = true;
    link->close_seq = seq;
    link->bound = RMI_FOREVER;
    if (!in_use)
        rmi_queue_clear(&link->queue);
    if (link->from != NULL && link->from->out.blocked) {
        rmi_unblock(link->from);
        rmi_ready(link->from);
    }
}

static void close_node(rm_node *node, int64_t seq)
{
    node->in.closed = true;
    node->generate.on = false;
    if (!node->call.busy)
        rmi_queue_clear(&node->merge.queue);
    for (uint32_t i = 0; i < node->in.count; i++)
        close_link(node->in.links[i], seq, node->call.busy);
    rmi_ready(node);
}

/* The node had closed on its own at a later item than the last one that its consumers wanted. The result must
 * not depend on which of the two came first. */
static void close_earlier(rm_node *node, int64_t seq)
{
    for (uint32_t i = 0; i < node->in.count; i++)
        if (node->in.links[i]->close_seq > seq)
            node->in.links[i]->close_seq = seq;
}

/* Goes over the ranks downwards instead of up the graph, so that long chains cost no stack. */
void rmi_close_inputs(rm_node *node, int64_t seq)
{
    rm_pipeline *p = node->pipeline;
    if (!node->in.closed)
        close_node(node, seq);
    for (uint32_t rank = node->rank; rank-- > 0;) {
        rm_node *at = &p->nodes[rank];
        int64_t last = 0;
        if (!all_outputs_closed(at, &last) || (at->out.unwanted && last >= at->out.close_seq))
            continue;
        at->out.unwanted = true;
        at->out.close_seq = last;
        if (!at->in.closed)
            close_node(at, last);
        else
            close_earlier(at, last);
        rmi_ready(at);
        rmi_failure_void(at);
    }
}
