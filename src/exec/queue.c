#include "exec/queue.h"

#include <string.h>

#include "base/alloc.h"
#include "data/value.h"

enum { FIRST_CAPACITY = 8, UNIT = 256 };

uint32_t rmi_queue_units_of(rm_value value)
{
    size_t bytes = value.heap->size + rm_tensor_bytes(value);
    if (value.kind == RM_OBJECT) {
        const rm_object_type *type = rm_object_type_of(value);
        bytes += type->bytes != NULL ? type->bytes(rm_object_get(value, type)) : 0;
    }
    const size_t units = bytes / UNIT;
    return units > UINT32_MAX ? UINT32_MAX : (uint32_t)units;
}

/* Moves the waiting packets to the front only when they are few compared with those that have left. So a
 * queue that is never quite empty does not move its packets all the time. */
int rmi_queue_make_room(const rm_allocator *allocator, rmi_queue *queue, size_t n)
{
    if (queue->head >= queue->count && queue->head > 0) {
        memmove(queue->packets, queue->packets + queue->head, queue->count * sizeof(rm_packet));
        queue->head = 0;
        if (queue->count + n <= queue->capacity)
            return RM_OK;
    }
    const size_t end = queue->head + queue->count + n;
    void *block = queue->packets;
    const int rc = rmi_grow(allocator, &block, &queue->capacity, end < FIRST_CAPACITY ? FIRST_CAPACITY : end,
                            sizeof(rm_packet), NULL);
    queue->packets = block;
    RMI_CHECK(rc != RM_OK || end <= queue->capacity);
    return rc;
}

size_t rmi_queue_units(const rmi_queue *queue, size_t n)
{
    size_t units = 0;
    RMI_CHECK(n <= queue->count);
    if (queue->units > 0)
        for (size_t i = 0; i < n; i++)
            units += rmi_queue_first(queue)[i].reserved;
    return units;
}

void rmi_queue_drop(rmi_queue *queue, size_t n, size_t offered, size_t units)
{
    RMI_CHECK(n <= offered && offered <= queue->count && units <= queue->units);
    if (units > 0) {
        queue->units -= units;
        for (size_t i = n; i < offered; i++) /* not taken: still whole */
            queue->units += rmi_queue_first(queue)[i].reserved;
    }
    queue->count -= n;
    queue->head = queue->count == 0 ? 0 : queue->head + n;
}

void rmi_queue_clear(rmi_queue *queue)
{
    RMI_CHECK(queue->head + queue->count <= queue->capacity);
    for (size_t i = 0; i < queue->count; i++)
        rmi_packet_clear(rmi_queue_first(queue) + i);
    queue->head = queue->count = queue->units = 0;
}

void rmi_queue_free(const rm_allocator *allocator, rmi_queue *queue)
{
    rmi_queue_clear(queue);
    rmi_free(allocator, queue->packets, queue->capacity * sizeof(rm_packet));
    *queue = (rmi_queue){0};
}
