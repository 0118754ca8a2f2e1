#include <string.h>

#include "base/alloc.h"
#include "data/blocks.h"

int rm_list_new(const rm_allocator *allocator, size_t capacity, rm_value *out, rm_error *err)
{
    size_t size = 0;
    *out = rm_null();
    if (!rmi_multiply(capacity, sizeof(rm_value), &size) || !rmi_add(size, sizeof(rmi_list_block), &size))
        return rmi_out_of_memory(err);
    rm_heap *heap = rmi_heap_new(allocator, RM_LIST, size, err);
    if (heap == NULL)
        return RM_E_OUT_OF_MEMORY;
    rmi_list_block *list = rmi_list_of(heap);
    list->length = 0;
    list->capacity = capacity;
    list->items = list->own;
    *out = rmi_value_of(heap);
    return RM_OK;
}

void rmi_list_free_storage(rmi_list_block *list)
{
    if (list->items != list->own)
        rmi_free(list->head.allocator, list->items, list->capacity * sizeof(rm_value));
}

static int grow(rmi_list_block *list, rm_error *err)
{
    void *storage = list->items == list->own ? NULL : list->items;
    size_t capacity = storage != NULL ? list->capacity : 0;
    size_t wanted = list->length < 4 ? 8 : list->length * 2;
    int rc = rmi_grow(list->head.allocator, &storage, &capacity, wanted, sizeof(rm_value), err);
    if (rc != RM_OK)
        return rc;
    if (list->items == list->own && list->length != 0)
        memcpy(storage, list->own, list->length * sizeof(rm_value));
    list->items = storage;
    list->capacity = capacity;
    return RM_OK;
}

int rm_list_append(rm_value *list, rm_value item, rm_error *err)
{
    int rc = RM_OK;
    if (list->kind != RM_LIST || rmi_owners(*list) != 1)
        rc = rm_error_set(err, RM_E_USAGE, "appending to %s that %s", rm_kind_name((rm_kind)list->kind),
                          list->kind == RM_LIST ? "has other owners" : "is no list");
    if (rc == RM_OK && rmi_list_of(list->heap)->length == rmi_list_of(list->heap)->capacity)
        rc = grow(rmi_list_of(list->heap), err);
    if (rc == RM_OK)
        rmi_list_put(rmi_list_of(list->heap), item);
    else
        rm_value_clear(&item);
    return rc;
}

size_t rm_list_length(rm_value list)
{
    return list.kind == RM_LIST ? rmi_list_of(list.heap)->length : 0;
}

rm_value rm_list_get(rm_value list, size_t index)
{
    return index < rm_list_length(list) ? rmi_list_of(list.heap)->items[index] : rm_null();
}

int rmi_list_copy(const rm_allocator *allocator, rm_value list, rm_value *out, rm_error *err)
{
    const rmi_list_block *from = rmi_list_of(list.heap);
    int rc = rm_list_new(allocator, from->length, out, err);
    for (size_t i = 0; rc == RM_OK && i < from->length; i++)
        rmi_list_put(rmi_list_of(out->heap), rm_value_retain(from->items[i]));
    return rc;
}
