#include "data/value.h"

#include <string.h>

#include "base/alloc.h"
#include "data/blocks.h"

const char *rm_kind_name(rm_kind kind)
{
    static const char *const names[RM_KIND_COUNT] = {
        [RM_NULL] = "null",  [RM_BOOL] = "bool",     [RM_INT] = "int",       [RM_FLOAT] = "float",
        [RM_BIGINT] = "int", [RM_STRING] = "string", [RM_BYTES] = "bytes",   [RM_LIST] = "list",
        [RM_MAP] = "map",    [RM_TENSOR] = "tensor", [RM_OBJECT] = "object",
    };
    return (unsigned)kind < RM_KIND_COUNT ? names[kind] : "unknown";
}

rm_heap *rmi_heap_new(const rm_allocator *allocator, rm_kind kind, size_t size, rm_error *err)
{
    if (allocator == NULL)
        allocator = rm_allocator_default();
    RMI_CHECK(size >= sizeof(rm_heap) && kind >= RM_BIGINT && kind < RM_KIND_COUNT);
    rm_heap *heap = rmi_alloc(allocator, size);
    if (heap == NULL) {
        (void)rmi_out_of_memory(err);
        return NULL;
    }
    atomic_init(&heap->owners, 1);
    heap->allocator = allocator;
    heap->size = size;
    heap->kind = kind;
    heap->extra = 0;
    return heap;
}

rm_value rm_value_retain(rm_value value)
{
    if (!rm_value_is_heap(value))
        return value;
    const size_t owners = atomic_fetch_add_explicit(&value.heap->owners, 1, memory_order_relaxed);
    RMI_CHECK(owners > 0 && value.kind == value.heap->kind);
    return value;
}

/* Drops one ownership; true when it was the last one. A sole owner needs no locked instruction: nobody else
 * has the block, so nobody can change the count. */
static inline bool drop(rm_heap *heap)
{
    if (atomic_load_explicit(&heap->owners, memory_order_acquire) == 1)
        return true;
    const size_t owners = atomic_fetch_sub_explicit(&heap->owners, 1, memory_order_acq_rel);
    RMI_CHECK(owners > 0);
    return owners == 1;
}

/* Blocks without owners whose content is still to be released; linked by the unused count. */
typedef struct pending_blocks {
    rm_heap *first;
} pending_blocks;

static void push_pending(pending_blocks *pending, rm_heap *heap)
{
    atomic_store_explicit(&heap->owners, (size_t)(uintptr_t)pending->first, memory_order_relaxed);
    pending->first = heap;
}

static rm_heap *pop_pending(pending_blocks *pending)
{
    rm_heap *heap = pending->first;
    pending->first = (rm_heap *)(uintptr_t)atomic_load_explicit(&heap->owners, memory_order_relaxed);
    return heap;
}

/* Frees a block without values inside, and keeps one with values for later: depth must not become stack. */
static void release_block(pending_blocks *pending, rm_heap *heap)
{
    RMI_CHECK(heap->kind >= RM_BIGINT && heap->kind < RM_KIND_COUNT && heap->size >= sizeof *heap);
    switch (heap->kind) {
    case RM_LIST:
    case RM_MAP:
        push_pending(pending, heap);
        return;
    case RM_TENSOR:
        rmi_tensor_release(rmi_tensor_of(heap));
        break;
    case RM_OBJECT:
        rmi_object_of(heap)->type->release(rmi_object_of(heap)->object);
        break;
    default:
        break;
    }
    rmi_free(heap->allocator, heap, heap->size);
}

static void release_value(pending_blocks *pending, rm_value value)
{
    RMI_CHECK(!rm_value_is_heap(value) || value.kind == value.heap->kind);
    if (rm_value_is_heap(value) && drop(value.heap))
        release_block(pending, value.heap);
}

static void release_content(pending_blocks *pending, rm_heap *heap)
{
    if (heap->kind == RM_LIST) {
        rmi_list_block *list = rmi_list_of(heap);
        for (size_t i = 0; i < list->length; i++)
            release_value(pending, list->items[i]);
        rmi_list_free_storage(list);
    } else {
        rmi_map_block *map = rmi_map_of(heap);
        for (size_t i = 0; i < map->length; i++) {
            RMI_CHECK(map->entries[i].key->kind == RM_STRING);
            if (drop(map->entries[i].key))
                rmi_free(map->entries[i].key->allocator, map->entries[i].key, map->entries[i].key->size);
            release_value(pending, map->entries[i].item);
        }
        rmi_map_free_storage(map);
    }
    rmi_free(heap->allocator, heap, heap->size);
}

void rm_value_clear(rm_value *value)
{
    pending_blocks pending = {NULL};
    rm_value taken = rm_value_move(value);
    release_value(&pending, taken);
    while (pending.first != NULL)
        release_content(&pending, pop_pending(&pending));
}

static int copy_shallow(const rm_allocator *allocator, rm_value value, rm_value *out, rm_error *err)
{
    switch (value.kind) {
    case RM_LIST:
        return rmi_list_copy(allocator, value, out, err);
    case RM_MAP:
        return rmi_map_copy(allocator, value, out, err);
    case RM_TENSOR:
        return rmi_tensor_copy(allocator, value, out, err);
    default: {
        size_t length = 0;
        const uint8_t *data = rm_bytes_data(value, &length);
        return rm_bytes_new(allocator, data, length, out, err);
    }
    }
}

int rm_value_make_unique(const rm_allocator *allocator, rm_value *value, rm_error *err)
{
    rm_value copy = rm_null();
    bool changeable = value->kind == RM_LIST || value->kind == RM_MAP || value->kind == RM_BYTES;
    bool shared =
        value->kind == RM_TENSOR ? !rmi_tensor_is_unique(*value) : changeable && rmi_owners(*value) != 1;
    if (!shared)
        return RM_OK;
    int rc = copy_shallow(allocator, *value, &copy, err);
    if (rc == RM_OK) {
        rm_value_clear(value);
        *value = copy;
    }
    return rc;
}
