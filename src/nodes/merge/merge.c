/* Merge: one map of the values that several nodes made of the same input item. */
#include "nodes/process_many.h"

#include <string.h>

enum several { SEVERAL_ERROR, SEVERAL_LIST, SEVERAL_FIRST, SEVERAL_LAST };
static const char *const several_choices[] = {"error", "list", "first", "last", NULL};

/* A connection. Connections from one node share the place of the first of them. */
struct place {
    size_t first;
    rm_value key; /* the node's id */
    rm_value value;
    bool filled;
};

struct merge {
    int several; /* parameter: enum several */
    struct place *places;
    size_t count;
    size_t filled;  /* places that are filled */
    rm_packet item; /* seq, timestamp, duration and metadata of the map that is being filled */
};

static int merge_close(rm_node *node, void *state, rm_error *err)
{
    struct merge *m = state;
    (void)err;
    for (size_t i = 0; i < m->count; i++) {
        rm_value_clear(&m->places[i].key);
        rm_value_clear(&m->places[i].value);
    }
    rm_packet_clear(&m->item);
    rmi_node_free(node, m->places, m->count * sizeof *m->places);
    return RM_OK;
}

static int merge_open(rm_node *node, void *state, rm_error *err)
{
    struct merge *m = state;
    int rc = RM_OK;
    m->item = rm_packet_of(rm_null());
    const size_t count = rm_node_input_count(node);
    m->places = rmi_node_resize(node, NULL, 0, count * sizeof *m->places, err);
    if (m->places == NULL)
        return RM_E_OUT_OF_MEMORY;
    m->count = count;
    memset(m->places, 0, count * sizeof *m->places);
    for (size_t i = 0; i < count && rc == RM_OK; i++) {
        const char *id = rm_node_input_source(node, (unsigned)i);
        size_t first = 0;
        while (first < i && strcmp(id, rm_node_input_source(node, (unsigned)first)) != 0)
            first++;
        m->places[i].first = first;
        if (first == i)
            rc = rm_string_new(rm_node_allocator(node), id, strlen(id), &m->places[i].key, err);
    }
    if (rc != RM_OK)
        (void)merge_close(node, state, NULL);
    return rc;
}

/* Builds the map of the values in the places, in the order of connections; empties the places. *map is
 * owned. */
static int build(rm_node *node, struct merge *m, rm_value *map, rm_error *err)
{
    int rc = rm_map_new(rm_node_allocator(node), m->filled, map, err);
    for (size_t i = 0; i < m->count; i++) {
        struct place *place = &m->places[i];
        if (place->filled && rc == RM_OK)
            rc = rm_map_set_key(map, rm_value_retain(place->key), rm_value_move(&place->value), err);
        rm_value_clear(&place->value);
        place->filled = false;
    }
    m->filled = 0;
    if (rc != RM_OK)
        rm_value_clear(map);
    return rc;
}

/* Sends the map as a packet of its item; the map of the end of the run belongs to no item. */
static int merge_send(rm_node *node, struct merge *m, rm_error *err)
{
    rm_packet packet = rm_packet_move(&m->item);
    int rc = build(node, m, &packet.value, err);
    if (rc != RM_OK) {
        rm_packet_clear(&packet);
        return rc;
    }
    if (packet.seq < RM_SEQ_END)
        return rm_emit_many(node, 0, &packet, 1);
    packet.seq = -1;
    return rm_emit(node, 0, packet);
}

static int put_another(rm_node *node, const struct merge *m, struct place *place, rm_packet *packet,
                       rm_error *err)
{
    (void)node;
    switch (m->several) {
    case SEVERAL_LIST:
        return rm_list_append(&place->value, rm_value_move(&packet->value), err);
    case SEVERAL_LAST:
        rm_value_clear(&place->value);
        place->value = rm_value_move(&packet->value);
        return RM_OK;
    case SEVERAL_FIRST:
        return RM_OK;
    default:
        return rm_error_set(
            err, RM_E_VALUE,
            "'%s' gave more than one value for the same item; set \"several\" to \"list\" to keep "
            "them all, or to \"first\" or \"last\"",
            rm_string_text(place->key, NULL));
    }
}

static int put(rm_node *node, struct merge *m, unsigned port, rm_packet *packet, rm_error *err)
{
    struct place *place = &m->places[m->places[port].first];
    int rc = RM_OK;
    if (place->filled)
        return put_another(node, m, place, packet, err);
    if (m->several == SEVERAL_LIST) {
        rc = rm_list_new(rm_node_allocator(node), 1, &place->value, err);
        if (rc == RM_OK)
            rc = rm_list_append(&place->value, rm_value_move(&packet->value), err);
    } else {
        place->value = rm_value_move(&packet->value);
    }
    if (rc != RM_OK) {
        rm_value_clear(&place->value);
        return rc;
    }
    place->filled = true;
    if (m->filled++ == 0)
        m->item = rm_packet_move(packet);
    return RM_OK;
}

/* Whether two seqs are of one item. Packets that nodes emit when they are flushed belong together, although
 * each node's have a seq of their own. */
static bool same_item(int64_t a, int64_t b)
{
    return a == b || (a >= RM_SEQ_END && b >= RM_SEQ_END);
}

static int merge_process_many(rm_node *node, void *state, unsigned port, rm_packet *batch, size_t n,
                              size_t *done, rm_error *err)
{
    struct merge *m = state;
    size_t i = 0;
    int rc = RM_OK;
    for (; i < n; i++) {
        if (m->filled > 0 && !same_item(m->item.seq, batch[i].seq))
            rc = merge_send(node, m, err);
        if (rc == RM_OK)
            rc = put(node, m, port, &batch[i], err);
        if (rc != RM_OK)
            break;
        rm_packet_clear(&batch[i]);
    }
    return rmi_batch_end(node, batch, 0, i, done, rc, err);
}

static int merge_advance(rm_node *node, void *state, int64_t bound, rm_error *err)
{
    struct merge *m = state;
    if (m->filled == 0 || m->item.seq >= bound || m->item.seq >= RM_SEQ_END)
        return RM_OK;
    return merge_send(node, m, err);
}

static int merge_flush(rm_node *node, void *state, rm_error *err)
{
    struct merge *m = state;
    return m->filled > 0 ? merge_send(node, m, err) : RM_OK;
}

static const rm_port merge_ports[] = {
    {.name = "in",
     .direction = RM_INPUT,
     .kinds = RM_KIND_PLAIN,
     .variadic = true,
     .text = "Any item; each connection is an input of its own"},
    {.name = "out",
     .direction = RM_OUTPUT,
     .kinds = RM_KIND_MAP,
     .text = "One map an item: node id to value"},
    {0},
};

static const rm_param merge_params[] = {
    {.name = "several",
     .text = "What to do when a node gave several values for one input item",
     .type = RM_PARAM_ENUM,
     .offset = offsetof(struct merge, several),
     .choice = {.choices = several_choices, .fallback = SEVERAL_ERROR}},
    {0},
};

const rm_node_type rmi_node_merge = {
    .abi_version = RM_NODE_ABI_VERSION,
    .size = sizeof(rm_node_type),
    .name = "Merge",
    .summary = "Joins what several nodes made of the same item: {node id: value}",
    .description =
        "For each input item, one map from the id of each connected node to the value that it made of "
        "the item, in the order of the connections. A node that dropped the item is absent; an item "
        "that all dropped gives nothing. The map leaves as soon as no connected node can add to it.\n\n"
        "A node may give several values for one item. By default that is an error, so that nothing is "
        "lost unnoticed; with \"several\": \"list\" every value in the map is a list of all that the "
        "node gave; \"first\" and \"last\" keep one. What nodes emit when the stream ends (the "
        "remainder of a Batch) is joined into one last map.",
    .ports = merge_ports,
    .params = merge_params,
    .state_size = sizeof(struct merge),
    .open = merge_open,
    .process_many = merge_process_many,
    .advance = merge_advance,
    .flush = merge_flush,
    .close = merge_close,
};
