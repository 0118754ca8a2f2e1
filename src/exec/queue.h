/* A first-in first-out queue of packets, contiguous, so that a node can be called with many at once. */
#ifndef EXEC_QUEUE_H
#define EXEC_QUEUE_H

#include "base/check.h"
#include "remotemedia/remotemedia.h"

typedef struct rmi_queue {
    rm_packet *packets; /* [head, head + count) are waiting */
    size_t head, count, capacity;
    size_t
        units; /* the size of waiting heap values in units of 256 bytes; `reserved` has each packet's share */
} rmi_queue;

/* Makes room for `n` more packets; the next rmi_queue_append of up to `n` cannot fail. */
RM_MUST_CHECK int rmi_queue_make_room(const rm_allocator *allocator, rmi_queue *queue, size_t n);
/* The size of a heap value in units, with the tensor or object that it holds, but without a container's
 * items: enough to bound frames and long texts. */
uint32_t rmi_queue_units_of(rm_value value);
/* The units of the first `n` packets; call this before they are given away, for rmi_queue_drop. */
size_t rmi_queue_units(const rmi_queue *queue, size_t n);
/* Removes the first `n` of the `offered` packets, which held `units`; their content has been consumed. */
void rmi_queue_drop(rmi_queue *queue, size_t n, size_t offered, size_t units);
/* Moves the first packet out of a queue that has one; *packet is owned. */
static inline void rmi_queue_take(rmi_queue *queue, rm_packet *packet);
/* Clears the packets that wait. */
void rmi_queue_clear(rmi_queue *queue);
void rmi_queue_free(const rm_allocator *allocator, rmi_queue *queue);

/* rm_packet_clear, without the call for packets that own nothing. */
static inline void rmi_packet_clear(rm_packet *packet)
{
    if (rm_value_is_heap(packet->value) || packet->metadata != NULL)
        rm_packet_clear(packet);
}

static inline rm_packet *rmi_queue_first(const rmi_queue *queue)
{
    return queue->packets + queue->head;
}

static inline void rmi_queue_take(rmi_queue *queue, rm_packet *packet)
{
    RMI_CHECK(queue->count > 0 && queue->head + queue->count <= queue->capacity);
    *packet = *rmi_queue_first(queue);
    RMI_CHECK(queue->units == 0 || queue->units >= packet->reserved);
    if (queue->units > 0) /* `reserved` is the port in a merged queue, which has no units */
        queue->units -= packet->reserved;
    packet->reserved = 0;
    queue->count--;
    queue->head = queue->count == 0 ? 0 : queue->head + 1;
}

RM_MUST_CHECK static inline int rmi_queue_reserve(const rm_allocator *allocator, rmi_queue *queue, size_t n)
{
    return queue->head + queue->count + n <= queue->capacity ? RM_OK
                                                             : rmi_queue_make_room(allocator, queue, n);
}

/* Moves `n` packets to the end; on RM_E_OUT_OF_MEMORY (without text) the caller keeps them. */
RM_MUST_CHECK static inline int rmi_queue_append(const rm_allocator *allocator, rmi_queue *queue,
                                                 const rm_packet *packets, size_t n)
{
    const int rc = rmi_queue_reserve(allocator, queue, n);
    if (rc != RM_OK)
        return rc;
    RMI_CHECK(queue->head + queue->count + n <= queue->capacity);
    const size_t end = queue->head + queue->count;
    for (size_t i = 0; i < n; i++) {
        rm_packet *packet = &queue->packets[end + i];
        *packet = packets[i];
        packet->reserved = packets[i].value.kind < RM_STRING ? 0 : rmi_queue_units_of(packets[i].value);
        queue->units += packet->reserved;
    }
    queue->count += n;
    return RM_OK;
}

#endif
