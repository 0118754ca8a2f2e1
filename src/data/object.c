/* Opaque references, and the conversion of those at any depth of a value. */
#include "data/blocks.h"

int rm_object_new(const rm_allocator *allocator, const rm_object_type *type, void *object, rm_value *out,
                  rm_error *err)
{
    rm_heap *heap = rmi_heap_new(allocator, RM_OBJECT, sizeof(rmi_object_block), err);
    *out = rm_null();
    if (heap == NULL) {
        type->release(object);
        return RM_E_OUT_OF_MEMORY;
    }
    rmi_object_of(heap)->type = type;
    rmi_object_of(heap)->object = object;
    *out = rmi_value_of(heap);
    return RM_OK;
}

void *rm_object_get(rm_value value, const rm_object_type *type)
{
    if (value.kind != RM_OBJECT || (type != NULL && rmi_object_of(value.heap)->type != type))
        return NULL;
    return rmi_object_of(value.heap)->object;
}

const rm_object_type *rm_object_type_of(rm_value value)
{
    return value.kind == RM_OBJECT ? rmi_object_of(value.heap)->type : NULL;
}

/* ---- Objects at any depth ---- */

static bool has_object(rm_value value, int depth)
{
    bool found = value.kind == RM_OBJECT || depth > RMI_VALUE_MAX_NESTING;
    if (found || !rmi_may_hold_object(value))
        return found;
    if (value.kind == RM_LIST) {
        const rmi_list_block *list = rmi_list_of(value.heap);
        for (size_t i = 0; !found && i < list->length; i++)
            found = has_object(list->items[i], depth + 1);
    } else {
        const rmi_map_block *map = rmi_map_of(value.heap);
        for (size_t i = 0; !found && i < map->length; i++)
            found = has_object(map->entries[i].item, depth + 1);
    }
    return found;
}

bool rmi_value_has_object(rm_value value)
{
    return has_object(value, 0);
}

/* How to rebuild a value with objects inside. */
typedef struct rebuild {
    const rm_allocator *allocator; /* for new blocks, unless own_allocator */
    bool to_plain;                 /* else: a copy for another branch */
    bool own_allocator;            /* a container is copied with its own */
} rebuild;

static int rebuild_value(const rebuild *how, rm_value value, int depth, rm_value *out, rm_error *err);

static int rebuild_object(const rebuild *how, rm_value value, int depth, rm_value *out, rm_error *err)
{
    const rmi_object_block *block = rmi_object_of(value.heap);
    rm_value converted = rm_null();
    int rc = RM_OK;
    if (!how->to_plain) {
        if (block->type->copy != NULL)
            return block->type->copy(block->object, out, err);
        *out = rm_value_retain(value);
        return RM_OK;
    }
    rc = block->type->to_value(block->object, how->allocator, &converted, err);
    if (rc == RM_OK && rmi_may_hold_object(converted)) /* it has objects inside */
        rc = rebuild_value(how, converted, depth + 1, out, err);
    else if (rc == RM_OK)
        *out = rm_value_move(&converted);
    rm_value_clear(&converted);
    return rc;
}

static int rebuild_list(const rebuild *how, rm_value value, int depth, rm_value *out, rm_error *err)
{
    const rmi_list_block *list = rmi_list_of(value.heap);
    const rm_allocator *allocator = how->own_allocator ? value.heap->allocator : how->allocator;
    int rc = rm_list_new(allocator, list->length, out, err);
    for (size_t i = 0; rc == RM_OK && i < list->length; i++) {
        rm_value item = rm_null();
        rc = rebuild_value(how, list->items[i], depth + 1, &item, err);
        if (rc == RM_OK)
            rmi_list_put(rmi_list_of(out->heap), item);
    }
    return rc;
}

static int rebuild_map(const rebuild *how, rm_value value, int depth, rm_value *out, rm_error *err)
{
    const rmi_map_block *map = rmi_map_of(value.heap);
    const rm_allocator *allocator = how->own_allocator ? value.heap->allocator : how->allocator;
    int rc = rm_map_new(allocator, map->length, out, err);
    for (size_t i = 0; rc == RM_OK && i < map->length; i++) {
        rm_value item = rm_null();
        rc = rebuild_value(how, map->entries[i].item, depth + 1, &item, err);
        if (rc == RM_OK)
            rmi_map_put(rmi_map_of(out->heap), rm_value_retain(rmi_value_of(map->entries[i].key)).heap, item);
    }
    return rc;
}

static int rebuild_value(const rebuild *how, rm_value value, int depth, rm_value *out, rm_error *err)
{
    int rc = RM_OK;
    *out = rm_null();
    if (!how->to_plain)
        rmi_value_mark_branched(value);
    if (!rmi_may_hold_object(value))
        *out = rm_value_retain(value);
    else if (depth > RMI_VALUE_MAX_NESTING)
        rc = rm_error_set(err, RM_E_LIMIT, "a value is nested deeper than %d levels", RMI_VALUE_MAX_NESTING);
    else if (value.kind == RM_OBJECT)
        rc = rebuild_object(how, value, depth, out, err);
    else if (value.kind == RM_LIST)
        rc = rebuild_list(how, value, depth, out, err);
    else
        rc = rebuild_map(how, value, depth, out, err);
    if (rc != RM_OK)
        rm_value_clear(out);
    return rc;
}

int rm_value_to_plain(const rm_allocator *allocator, rm_value value, rm_value *out, rm_error *err)
{
    const rebuild how = {.allocator = allocator, .to_plain = true};
    return rebuild_value(&how, value, 0, out, err);
}

int rm_value_for_branch(rm_value value, rm_value *out, rm_error *err)
{
    const rebuild how = {.own_allocator = true};
    return rebuild_value(&how, value, 0, out, err);
}
