/* A node for a host that runs it by itself: the exports of docs/wasm-node.md. One node an instance. What an instance holds
 * is one global, as for the reactor's other exports. */
#ifndef WASM_NODE_H
#define WASM_NODE_H

#include "data/packed.h"
#include "lone/lone.h"
#include "wasm/reactor.h"

/* Memory that host and guest share; all of it is kept from call to call, so that small packets cost no allocation. */
typedef struct rmi_areas {
    rmi_exchange exchange;
    uint8_t *input; /* owned; the area in it begins at a multiple of RMI_PACKED_ALIGNMENT */
    size_t input_capacity;
    rmi_packer output, error;
    rm_packet *packets; /* owned: those of the call in progress, [0, packet_count) */
    size_t packet_count, packet_capacity;
} rmi_areas;

/* ---- node_areas.c */
/* Makes the input area at least `size` bytes; what was in it is lost. */
int rmi_areas_reserve(rmi_areas *areas, uint32_t size, rm_error *err);
/* The first `length` bytes of the input area; RM_E_USAGE where it has not so many. */
int rmi_areas_input(const rmi_areas *areas, uint32_t length, const uint8_t **data, rm_error *err);
/* Reads the packets in the input area into areas->packets. */
int rmi_areas_take_packets(rmi_areas *areas, uint32_t length, rm_error *err);
/* Clears the packets from the `first` on. */
void rmi_areas_drop_packets(rmi_areas *areas, size_t first);
/* Before and after a call: empties output and error; tells the host where they are. */
void rmi_areas_begin(rmi_areas *areas);
void rmi_areas_end(rmi_areas *areas, const rm_error *failure);
/* Writes an event to the output area: a record. */
int rmi_areas_record(rmi_areas *areas, const rmi_event *event, rm_error *err);

#endif
