/* A link: a queue with a limit and a bound. There is one for each connection, one for what each source is fed, and one
 * for the results of each output node. */
#ifndef EXEC_LINK_H
#define EXEC_LINK_H

#include "exec/queue.h"
#include "remotemedia/node.h"

#define RMI_FOREVER INT64_MAX

typedef struct rmi_link {
    rmi_queue queue;
    rm_node *from, *to; /* NULL: fed from outside; read as results */
    int64_t bound;      /* no packet with a lower seq will come any more */
    size_t limit, unit_limit;
    int64_t close_seq; /* of the packet with which `to` had all that it wanted */
    uint32_t port;     /* of `to` */
    bool closed;       /* nobody wants its packets any more */
} rmi_link;

static inline bool rmi_link_full(const rmi_link *link)
{
    return link->queue.count >= link->limit || link->queue.units >= link->unit_limit;
}
/* How many of `room` packets may be put on the link; all where nobody wants them. */
static inline size_t rmi_link_room(const rmi_link *link, size_t room)
{
    if (link->closed)
        return room;
    if (rmi_link_full(link))
        return 0;
    return link->limit - link->queue.count < room ? link->limit - link->queue.count : room;
}

/* The node waits for room; its consumer's rmi_drained ends that. */
void rmi_block(rm_node *node);
void rmi_unblock(rm_node *node);
/* The node has had all that it wants with a packet of this seq. Its inputs close; so do those of nodes that only fed it,
 * and theirs: nobody wants what they emit. */
void rmi_close_inputs(rm_node *node, int64_t seq);

#endif
