/* A link: a queue with its limits and a bound. There is one for each connection, one for the input of each
 * source (its feed), and one for the results of each output node. */
#ifndef EXEC_LINK_H
#define EXEC_LINK_H

#include "exec/queue.h"
#include "remotemedia/node.h"

#define RMI_FOREVER INT64_MAX

typedef struct rmi_link {
    rmi_queue queue;
    rm_node *from, *to; /* NULL: a feed has no `from`, results no `to` */
    int64_t bound;      /* no packet with a lower seq will come */
    size_t limit, unit_limit;
    int64_t close_seq; /* of the packet after which `to` wanted no more */
    uint32_t port;     /* of `to` */
    bool closed;       /* nobody wants its packets */
} rmi_link;

static inline bool rmi_link_full(const rmi_link *link)
{
    return link->queue.count >= link->limit || link->queue.units >= link->unit_limit;
}
/* How many of `room` packets may be put on the link; all of them where nobody wants them. */
static inline size_t rmi_link_room(const rmi_link *link, size_t room)
{
    if (link->closed)
        return room;
    if (rmi_link_full(link))
        return 0;
    return link->limit - link->queue.count < room ? link->limit - link->queue.count : room;
}

/* Marks the node as waiting for room; rmi_drained of a link behind it ends that. */
void rmi_block(rm_node *node);
void rmi_unblock(rm_node *node);
/* The node wants no packet after this seq. Its inputs close. So do the inputs of nodes that only fed it, and
 * so on upwards: they are unwanted. */
void rmi_close_inputs(rm_node *node, int64_t seq);

#endif
