/* Packets under way in a node: those whose results come later (RM_PENDING), those that may be tried again,
 * those with a timeout. They stay in the order of their packets, whichever finishes first. */
#include "exec/pipeline.h"

#include <string.h>

#include "base/alloc.h"

rmi_flight *rmi_flight_find(const rm_node *node, uint64_t token)
{
    for (size_t i = 0; i < node->flight.count; i++)
        if (node->flight.items[i].token == token && token != 0)
            return &node->flight.items[i];
    return NULL;
}

bool rmi_flight_room(const rm_node *node)
{
    const uint32_t most = node->max_in_flight;
    if (node->state_set != 0 && node->flight.count > 0) /* a bypassed item must not overtake them */
        return node->plain;
    return node->plain || (!node->more && node->flight.count < (most > 0 ? most : 1));
}

static void clear_one(rm_node *node, rmi_flight *flight)
{
    const rm_allocator *allocator = node->pipeline->allocator;
    rm_value metadata = {.kind = flight->origin.metadata ? RM_MAP : RM_NULL, .heap = flight->origin.metadata};
    rm_value_clear(&metadata);
    rmi_queue_free(allocator, &flight->staged);
    rm_packet_clear(&flight->retry);
    if (flight->error != NULL)
        rm_error_clear(flight->error);
    rmi_free(allocator, flight->error, sizeof *flight->error);
}

void rmi_flights_clear(rm_node *node)
{
    for (size_t i = 0; i < node->flight.count; i++)
        clear_one(node, &node->flight.items[i]);
    node->flight.items = node->flight.block;
    node->flight.count = 0;
}

void rmi_flights_free(rm_node *node)
{
    rmi_flights_clear(node);
    rmi_free(node->pipeline->allocator, node->flight.block,
             node->flight.capacity * sizeof *node->flight.block);
    node->flight.items = node->flight.block = NULL;
    node->flight.capacity = 0;
}

void rmi_flight_remove(rm_node *node, rmi_flight *flight)
{
    RMI_CHECK(flight >= node->flight.items && flight < node->flight.items + node->flight.count);
    clear_one(node, flight);
    node->flight.count--;
    if (flight == node->flight.items) { /* nearly always */
        node->flight.items = node->flight.count > 0 ? flight + 1 : node->flight.block;
        return;
    }
    for (size_t i = (size_t)(flight - node->flight.items); i < node->flight.count; i++)
        node->flight.items[i] = node->flight.items[i + 1];
}

/* Makes room behind the last flight. The places of those that have gone are used once they are half of all. */
static int make_room(rm_node *node)
{
    const size_t gone = (size_t)(node->flight.items - node->flight.block);
    void *block = node->flight.block;
    if (gone + node->flight.count < node->flight.capacity)
        return RM_OK;
    if (gone > 0 && gone >= node->flight.count) {
        memmove(block, node->flight.items, node->flight.count * sizeof *node->flight.items);
        node->flight.items = block;
        return RM_OK;
    }
    const int rc = rmi_grow(node->pipeline->allocator, &block, &node->flight.capacity,
                            gone + node->flight.count + 1, sizeof *node->flight.block, NULL);
    if (rc != RM_OK)
        return rc;
    node->flight.block = block;
    node->flight.items = node->flight.block + gone;
    return RM_OK;
}

int rmi_flight_add(rm_node *node, const rmi_flight *flight)
{
    const rmi_flight *last = node->flight.count > 0 ? &node->flight.items[node->flight.count - 1] : NULL;
    RMI_CHECK(last == NULL || last->origin.seq <= flight->origin.seq);
    RMI_CHECK(rmi_flight_find(node, flight->token) == NULL);
    const int rc = make_room(node);
    if (rc != RM_OK)
        return rc;
    if (flight->origin.metadata != NULL)
        (void)rm_value_retain((rm_value){.kind = RM_MAP, .heap = flight->origin.metadata});
    node->flight.items[node->flight.count++] = *flight;
    return RM_OK;
}

int rmi_flight_stage(rm_node *node, uint32_t port, const rm_packet *packets, size_t n)
{
    rmi_flight *flight = rmi_flight_find(node, node->flight.staging);
    if (flight == NULL)
        return RM_E_INTERNAL;
    const int rc = rmi_queue_append(node->pipeline->allocator, &flight->staged, packets, n);
    if (rc != RM_OK)
        return rc;
    RMI_CHECK(!flight->finished && flight->staged.count >= n);
    rm_packet *staged = rmi_queue_first(&flight->staged) + flight->staged.count - n;
    for (size_t i = 0; i < n; i++)
        staged[i].reserved = port;
    flight->staged.units = 0;
    return RM_OK;
}
