/* Batch: collects `size` items in a list. */
#include "nodes/process_many.h"

enum { ROOM_AT_FIRST = 64 }; /* a huge size must not take memory before items come */

struct batch {
    int64_t size;        /* parameter */
    bool drop_remainder; /* parameter */
    rm_value list;       /* the items of the next list so far; null when there are none */
    int64_t start, end;  /* of its items, ns; RM_NO_TIME where not known */
};

static int64_t end_of(const rm_packet *packet)
{
    if (packet->timestamp == RM_NO_TIME || packet->duration == RM_NO_TIME)
        return RM_NO_TIME;
    return packet->timestamp + packet->duration;
}

/* Moves the packet's value into the list. */
static int batch_add(rm_node *node, struct batch *b, rm_packet *packet, rm_error *err)
{
    int rc = RM_OK;
    if (b->list.kind == RM_NULL) {
        rc = rm_list_new(rm_node_allocator(node), (size_t)(b->size < ROOM_AT_FIRST ? b->size : ROOM_AT_FIRST),
                         &b->list, err);
        b->start = packet->timestamp;
    }
    if (rc == RM_OK)
        rc = rm_list_append(&b->list, rm_value_move(&packet->value), err);
    if (rc == RM_OK)
        b->end = end_of(packet);
    return rc;
}

static rm_packet batch_take(struct batch *b, int64_t seq)
{
    rm_packet packet = rm_packet_of(rm_value_move(&b->list));
    packet.seq = seq;
    packet.timestamp = b->start;
    if (b->start != RM_NO_TIME && b->end != RM_NO_TIME && b->end >= b->start)
        packet.duration = b->end - b->start;
    return packet;
}

/* Full lists gather at the front of `batch`, each with the seq of its last item. */
static int batch_process_many(rm_node *node, void *state, unsigned port, rm_packet *batch, size_t n,
                              size_t *done, rm_error *err)
{
    struct batch *b = state;
    size_t full = 0, i = 0;
    int rc = RM_OK;
    (void)port;
    for (; i < n && (rc = batch_add(node, b, &batch[i], err)) == RM_OK; i++) {
        const int64_t seq = batch[i].seq;
        rm_packet_clear(&batch[i]);
        if (rm_list_length(b->list) == (size_t)b->size)
            batch[full++] = batch_take(b, seq);
    }
    return rmi_batch_end(node, batch, full, i, done, rc, err);
}

static int batch_flush(rm_node *node, void *state, rm_error *err)
{
    struct batch *b = state;
    (void)err;
    if (b->drop_remainder || b->list.kind == RM_NULL)
        return RM_OK;
    return rm_emit(node, 0, batch_take(b, -1));
}

static int batch_close(rm_node *node, void *state, rm_error *err)
{
    (void)node, (void)err;
    rm_value_clear(&((struct batch *)state)->list);
    return RM_OK;
}

static const rm_port batch_ports[] = {
    {.name = "in", .direction = RM_INPUT, .kinds = RM_KIND_PLAIN, .text = "Any item"},
    {.name = "out", .direction = RM_OUTPUT, .kinds = RM_KIND_LIST, .text = "Lists of `size` items"},
    {0},
};

static const rm_param batch_params[] = {
    {.name = "size",
     .text = "Items in a list",
     .type = RM_PARAM_INT64,
     .flags = RM_PARAM_REQUIRED,
     .offset = offsetof(struct batch, size),
     .i64 = {.min = 1, .max = INT32_MAX}},
    {.name = "drop_remainder",
     .text = "Drop what is left at the end instead of emitting a shorter list",
     .type = RM_PARAM_BOOL,
     .offset = offsetof(struct batch, drop_remainder),
     .flag = {.fallback = false}},
    {0},
};

const rm_node_type rmi_node_batch = {
    .abi_version = RM_NODE_ABI_VERSION,
    .size = sizeof(rm_node_type),
    .name = "Batch",
    .summary = "Collects items into lists of a fixed size",
    .description =
        "A list is emitted with its last item; what is left at the end comes as a shorter list unless "
        "drop_remainder is set. Its timestamp is the first item's, its duration reaches to the end of "
        "the last.",
    .ports = batch_ports,
    .params = batch_params,
    .state_size = sizeof(struct batch),
    .process_many = batch_process_many,
    .flush = batch_flush,
    .close = batch_close,
};
