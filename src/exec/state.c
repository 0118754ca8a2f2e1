/* What a node can do now, or else what it waits for. All decisions about what comes next are made here;
 * schedule.c acts on them. docs/architecture.md has the same as a table, and says who ends each wait. */
#include <stdio.h>
#include <string.h>

#include "exec/pipeline.h"

static rmi_work wait_for(rmi_reason *why, rmi_reason reason)
{
    *why = reason;
    return RMI_WAIT;
}

/* Returns `work`, on a packet of `seq`, unless a failure or a full output holds the packet up. */
static rmi_work unless_held(const rm_node *node, rmi_work work, int64_t seq, rmi_reason *why)
{
    if (seq > node->pipeline->limit)
        return wait_for(why, RMI_FOR_FAILURE);
    return rmi_output_room(node) > 0 ? work : wait_for(why, RMI_FOR_ROOM);
}

/* Something with this seq is under way in the node and goes on without the scheduler: names what the node
 * waits for. */
static rmi_work wait_for_outside(const rm_node *node, int64_t seq, rmi_reason *why)
{
    return wait_for(why, seq > node->pipeline->limit ? RMI_FOR_FAILURE : RMI_FOR_OUTSIDE);
}

/* Names what the node waits for when nothing is under way in it and no packet waits. */
static rmi_work wait_for_more(const rm_node *node, rmi_reason *why)
{
    if (node->flushed)
        return wait_for(why, RMI_FOR_NOTHING);
    const bool at_end = node->in.closed || rmi_input_bound(node) == RMI_FOREVER;
    return wait_for(why, at_end ? RMI_FOR_FLUSH : RMI_FOR_INPUT);
}

static int64_t first_flight(const rm_node *node)
{
    return node->flight.items[0].origin.seq;
}

static bool has_under_way(const rm_node *node)
{
    return node->flight.count > 0 || node->more || node->poll.on || node->generate.on;
}

/* The item that is under way in a node that is polled. */
static int64_t polled_seq(const rm_node *node)
{
    if (node->flight.count > 0)
        return first_flight(node);
    return node->generate.on ? node->generate.next_seq : node->current.seq;
}

static bool poll_is_due(const rm_node *node)
{
    return node->poll.on &&
           (node->poll.due || atomic_load_explicit(&node->poll.woken, memory_order_relaxed) ||
            node->poll.wait.deadline <= node->pipeline->now);
}

/* The work that time, a wake-up or an earlier packet has made possible. */
static rmi_work due_work(const rm_node *node, rmi_reason *why)
{
    const rm_pipeline *p = node->pipeline;
    const rmi_flight *first = node->flight.items;
    if (node->flight.count > 0 && first->finished && first->origin.seq <= p->limit)
        return RMI_COMMIT;
    for (size_t i = 0; i < node->flight.count; i++) {
        const rmi_flight *flight = &node->flight.items[i];
        if (flight->finished || flight->deadline > p->now || flight->origin.seq > p->limit)
            continue;
        if (!flight->waiting)
            return RMI_EXPIRE;
        if (!node->more)
            return rmi_output_room(node) > 0 ? RMI_RETRY : wait_for(why, RMI_FOR_ROOM);
    }
    return poll_is_due(node) ? unless_held(node, RMI_POLL, polled_seq(node), why) : RMI_WAIT;
}

static rmi_work stream_work(const rm_node *node, rmi_reason *why)
{
    const bool asks = !node->poll.on || node->stream.starved; /* else it waits for its poll, and pulls then */
    if (node->stream.below || node->stream.given_up)
        return wait_for(why, node->stream.below ? RMI_FOR_CALL : RMI_FOR_FAILURE);
    if (node->in.closed)
        return node->poll.on ? wait_for_outside(node, node->current.seq, why) : wait_for_more(node, why);
    const int64_t next = rmi_next_seq(node);
    if (next != RMI_FOREVER && asks && (next <= node->pipeline->limit || !node->more))
        return unless_held(node, RMI_STREAM, next, why);
    if (node->more)
        return unless_held(node, rmi_may_wait(node) ? RMI_STREAM_LATER : RMI_STREAM, node->current.seq, why);
    if (next == RMI_FOREVER && node->stream.ended && !node->stream.told)
        return unless_held(node, RMI_END, RM_SEQ_END + node->rank, why);
    return asks ? wait_for_more(node, why) : wait_for_outside(node, node->current.seq, why);
}

/* A node in which nothing is under way between two calls. */
static rmi_work plain_work(const rm_node *node, rmi_reason *why)
{
    if (node->more)
        return unless_held(node, RMI_GO_ON, node->current.seq, why);
    const int64_t next = node->in.closed ? RMI_FOREVER : rmi_next_seq(node);
    return next != RMI_FOREVER ? unless_held(node, RMI_PROCESS, next, why) : wait_for_more(node, why);
}

rmi_work rmi_node_work(const rm_node *node, rmi_reason *why)
{
    *why = RMI_FOR_NOTHING;
    if (node->call.busy || !node->open)
        return wait_for(why, node->call.busy ? RMI_FOR_CALL : RMI_FOR_NOTHING);
    if ((node->out.unwanted || node->failure.error != NULL) && has_under_way(node))
        return RMI_ABANDON;
    if (node->plain)
        return plain_work(node, why);
    const rmi_work due = due_work(node, why);
    if (due != RMI_WAIT || *why != RMI_FOR_NOTHING)
        return due;
    if (node->type->stream != NULL)
        return stream_work(node, why);
    if (node->more) /* also for a later item: an earlier one may have to wait for it */
        return unless_held(node, RMI_GO_ON, node->flight.count > 0 ? first_flight(node) : node->current.seq,
                           why);
    if (node->generate.on)
        return node->poll.on ? wait_for_outside(node, node->generate.next_seq, why)
                             : unless_held(node, RMI_GENERATE, node->generate.next_seq, why);
    const int64_t next = node->in.closed || !rmi_flight_room(node) ? RMI_FOREVER : rmi_next_seq(node);
    const rmi_work work = next != RMI_FOREVER ? unless_held(node, RMI_PROCESS, next, why) : RMI_WAIT;
    if (work != RMI_WAIT || *why == RMI_FOR_ROOM)
        return work;
    if (node->flight.count > 0)
        return wait_for_outside(node, first_flight(node), why);
    if (node->flushing && node->poll.on)
        return wait_for_outside(node, RM_SEQ_END + node->rank, why);
    return *why == RMI_FOR_FAILURE ? RMI_WAIT : wait_for_more(node, why);
}

int rmi_node_descriptor(const rm_node *node)
{
    return node->poll.on && !node->call.busy && !poll_is_due(node) ? node->poll.wait.descriptor : -1;
}

/* Work that is due already waits for something other than time (room, say): no time ends that wait. */
int64_t rmi_node_deadline(const rm_node *node)
{
    int64_t deadline = RMI_FOREVER;
    if (node->plain || node->call.busy || node->out.unwanted || node->failure.error != NULL)
        return deadline;
    if (node->poll.on && !poll_is_due(node))
        deadline = node->poll.wait.deadline;
    for (size_t i = 0; i < node->flight.count; i++) {
        const rmi_flight *flight = &node->flight.items[i];
        const bool is_due = flight->finished || flight->deadline <= node->pipeline->now;
        if (!is_due && flight->origin.seq <= node->pipeline->limit && flight->deadline < deadline)
            deadline = flight->deadline;
    }
    return deadline;
}

void rmi_describe_waits(const rm_pipeline *p, char *text, size_t size)
{
    static const char *const reasons[] = {
        [RMI_FOR_INPUT] = "input",
        [RMI_FOR_ROOM] = "room behind it",
        [RMI_FOR_OUTSIDE] = "a wake-up",
        [RMI_FOR_CALL] = "a call to return",
        [RMI_FOR_FAILURE] = "the outcome of a failure",
        [RMI_FOR_FLUSH] = "its turn to flush",
        [RMI_FOR_NOTHING] = "nothing",
    };
    text[0] = '\0';
    for (uint32_t i = 0; i < p->node_count; i++) {
        const size_t used = strlen(text);
        rmi_reason why;
        const rmi_work work = rmi_node_work(&p->nodes[i], &why);
        if (work == RMI_WAIT && why == RMI_FOR_NOTHING)
            continue;
        (void)snprintf(text + used, size - used, "%s'%s' %s%s", used > 0 ? ", " : "",
                       rm_node_id(&p->nodes[i]), work == RMI_WAIT ? "waits for " : "could work",
                       work == RMI_WAIT ? reasons[why] : "");
    }
}
