/* The blocks of each kind, for src/data alone. */
#ifndef DATA_BLOCKS_H
#define DATA_BLOCKS_H

#include "base/check.h"
#include "data/tensor.h"
#include "data/value.h"

/* The deepest nesting that functions over whole values follow; deeper values are RM_E_LIMIT, so that no stack
 * overflows. */
enum { RMI_VALUE_MAX_NESTING = 1000 };

/* A bit of head.extra in strings: JSON writes the text without escapes. Not set: unknown. */
enum { RMI_PLAIN_TEXT = 1 };

typedef struct rmi_string_block {
    rm_heap head;
    size_t length;
    char text[]; /* NUL-terminated */
} rmi_string_block;

typedef struct rmi_bytes_block {
    rm_heap head;
    size_t length;
    uint8_t data[];
} rmi_bytes_block;

/* Sign and magnitude; head.extra is 1 for negative ones. Never fits int64_t; the last limb is not 0. */
typedef struct rmi_bigint_block {
    rm_heap head;
    size_t count;
    uint64_t limbs[]; /* least significant first */
} rmi_bigint_block;

/* The storage starts behind the head and moves to its own block when it grows, so that the head never
 * moves. */
typedef struct rmi_list_block {
    rm_heap head;
    size_t length, capacity;
    rm_value *items;
    rm_value own[];
} rmi_list_block;

typedef struct rmi_map_entry {
    rm_heap *key; /* a string */
    rm_value item;
} rmi_map_entry;

/* A bucket in the index of a large map: `entry` is the index of an entry plus 1; 0: the bucket is free. */
typedef struct rmi_map_bucket {
    uint32_t hash, entry;
} rmi_map_bucket;

typedef struct rmi_map_block {
    rm_heap head;
    size_t length, capacity;
    rmi_map_entry *entries;
    rmi_map_bucket *buckets; /* behind the entries; NULL in small maps, which are searched in order */
    size_t bucket_mask;
    rmi_map_entry own[];
} rmi_map_block;

typedef struct rmi_tensor_block {
    rm_heap head;
    rm_tensor view;
    rm_heap *parent;              /* of a slice: the tensor with the memory, owned */
    void *owner;                  /* of wrapped memory */
    void (*release)(void *owner); /* NULL when the memory is in this block or the parent's */
    int64_t layout[];             /* shape, strides, then the elements of an own tensor */
} rmi_tensor_block;

typedef struct rmi_object_block {
    rm_heap head;
    const rm_object_type *type;
    void *object;
} rmi_object_block;

static inline rmi_string_block *rmi_string_of(rm_heap *heap)
{
    RMI_CHECK(heap->kind == RM_STRING);
    return (rmi_string_block *)heap;
}
static inline rmi_bytes_block *rmi_bytes_of(rm_heap *heap)
{
    RMI_CHECK(heap->kind == RM_BYTES);
    return (rmi_bytes_block *)heap;
}
static inline rmi_bigint_block *rmi_bigint_of(rm_heap *heap)
{
    RMI_CHECK(heap->kind == RM_BIGINT);
    return (rmi_bigint_block *)heap;
}
static inline rmi_list_block *rmi_list_of(rm_heap *heap)
{
    RMI_CHECK(heap->kind == RM_LIST);
    return (rmi_list_block *)heap;
}
static inline rmi_map_block *rmi_map_of(rm_heap *heap)
{
    RMI_CHECK(heap->kind == RM_MAP);
    return (rmi_map_block *)heap;
}
static inline rmi_tensor_block *rmi_tensor_of(rm_heap *heap)
{
    RMI_CHECK(heap->kind == RM_TENSOR);
    return (rmi_tensor_block *)heap;
}
static inline rmi_object_block *rmi_object_of(rm_heap *heap)
{
    RMI_CHECK(heap->kind == RM_OBJECT);
    return (rmi_object_block *)heap;
}
static inline rm_value rmi_value_of(rm_heap *heap)
{
    return (rm_value){.kind = heap->kind, .heap = heap};
}

/* Allocates a block of `size` bytes and fills its head: one owner, `extra` 0. NULL, with `err` filled, when
 * memory is out. */
RM_MUST_CHECK rm_heap *rmi_heap_new(const rm_allocator *allocator, rm_kind kind, size_t size, rm_error *err);

/* Frees storage outside the head's block; the caller has released the entries or items. */
void rmi_list_free_storage(rmi_list_block *list);
void rmi_map_free_storage(rmi_map_block *map);
/* Shallow copies; *out is owned. */
RM_MUST_CHECK int rmi_list_copy(const rm_allocator *allocator, rm_value list, rm_value *out, rm_error *err);
RM_MUST_CHECK int rmi_map_copy(const rm_allocator *allocator, rm_value map, rm_value *out, rm_error *err);
/* Releases the parent or the wrapped memory, but not the block. */
void rmi_tensor_release(rmi_tensor_block *tensor);

/* For builders that know the count: appends to a map with room left, without a check of the key's text. `key`
 * is a string block; key and `item` are consumed. An existing key gets the new item and keeps its place. */
void rmi_map_put(rmi_map_block *map, rm_heap *key, rm_value item);
/* The same for a key that the map does not have. */
void rmi_map_append_indexed(rmi_map_block *map, rm_heap *key, rm_value item);
static inline void rmi_map_append(rmi_map_block *map, rm_heap *key, rm_value item)
{
    if (map->buckets != NULL) {
        rmi_map_append_indexed(map, key, item);
        return;
    }
    map->head.extra |= rmi_may_hold_object(item) ? RMI_MAY_HOLD_OBJECT : 0u;
    RMI_CHECK(map->length < map->capacity && key->kind == RM_STRING);
    map->entries[map->length++] = (rmi_map_entry){.key = key, .item = item};
}
/* The same for a list with room left. */
static inline void rmi_list_put(rmi_list_block *list, rm_value item)
{
    list->head.extra |= rmi_may_hold_object(item) ? RMI_MAY_HOLD_OBJECT : 0u;
    RMI_CHECK(list->length < list->capacity);
    list->items[list->length++] = item;
}

#endif
