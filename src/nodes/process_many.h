/* Shared by the nodes: ending a process_many, and memory. */
#ifndef NODES_PROCESS_MANY_H
#define NODES_PROCESS_MANY_H

#include "remotemedia/node.h"

/* Ends a process_many that has finished the first `used` packets of `batch`: emits the first `kept` packets
 * of the array on port 0, together. If `rc` is a failure, batch[used] is the packet that failed: it is
 * consumed, after the emission. Sets *done; returns the code for process_many. */
RM_MUST_CHECK static inline int rmi_batch_end(rm_node *node, rm_packet *batch, size_t kept, size_t used,
                                              size_t *done, int rc, rm_error *err)
{
    int sent = kept > 0 ? rm_emit_many(node, 0, batch, kept) : RM_OK;
    *done = used;
    if (rc < 0) {
        rm_value_clear(&batch[used].value); /* not rm_packet_clear: its seq names the failed item */
        rm_packet_set_metadata(&batch[used], rm_null());
    } else if (sent < 0 && used > 0) {
        *done = used - 1;
    }
    if (sent < 0)
        rm_error_clear(err); /* the failure to emit is recorded, and matters more */
    return sent < 0 || rc == RM_OK ? sent : rc;
}

/* Allocates or resizes; new bytes are uninitialised. NULL with `err` filled on failure. Free it with
 * rmi_node_free and the same size. */
RM_MUST_CHECK static inline void *rmi_node_resize(rm_node *node, void *block, size_t old_size,
                                                  size_t new_size, rm_error *err)
{
    const rm_allocator *allocator = rm_node_allocator(node);
    void *grown = allocator->resize(allocator->context, block, old_size, new_size);
    if (grown == NULL)
        (void)rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory (%zu bytes)", new_size);
    return grown;
}

static inline void rmi_node_free(rm_node *node, void *block, size_t size)
{
    const rm_allocator *allocator = rm_node_allocator(node);
    if (block != NULL)
        (void)allocator->resize(allocator->context, block, size, 0);
}

#endif
