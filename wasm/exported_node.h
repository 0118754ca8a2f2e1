/* A node for a host that runs it without a pipeline: the exports of docs/wasm-node.md. One node an instance,
 * in one global, as for the reactor's other exports. */
#ifndef WASM_EXPORTED_NODE_H
#define WASM_EXPORTED_NODE_H

#include "data/wire/wire.h"
#include "standalone/standalone.h"
#include "wasm/reactor.h"

/* Memory that host and guest share; kept from call to call, so that small packets need no allocation. */
typedef struct rmi_node_buffers {
    rmi_exchange exchange;
    uint8_t *input; /* owned; the input area in it begins at a multiple of RMI_WIRE_ALIGNMENT */
    size_t input_capacity;
    rmi_wire_writer output, error;
    rm_packet *packets; /* owned: those of the call in progress, [0, packet_count) */
    size_t packet_count, packet_capacity;
} rmi_node_buffers;

/* ---- node_buffers.c */
/* Makes the input buffer at least `size` bytes large; its content is lost. */
RM_MUST_CHECK int rmi_node_buffers_reserve(rmi_node_buffers *buffers, uint32_t size, rm_error *err);
/* The first `length` bytes of the input buffer, borrowed; RM_E_USAGE where it is shorter. */
RM_MUST_CHECK int rmi_node_buffers_input(const rmi_node_buffers *buffers, uint32_t length,
                                         const uint8_t **data, rm_error *err);
/* Reads the packets in the input buffer into buffers->packets. */
RM_MUST_CHECK int rmi_node_buffers_take_packets(rmi_node_buffers *buffers, uint32_t length, rm_error *err);
/* Clears the packets from the `first` on. */
void rmi_node_buffers_drop_packets(rmi_node_buffers *buffers, size_t first);
/* Call these before and after a call of an export: begin empties output and error; end tells the host where
 * they are. */
void rmi_node_buffers_begin(rmi_node_buffers *buffers);
void rmi_node_buffers_end(rmi_node_buffers *buffers, const rm_error *failure);
/* Writes an event to the output buffer. */
RM_MUST_CHECK int rmi_node_buffers_event(rmi_node_buffers *buffers, const rmi_event *event, rm_error *err);

#endif
