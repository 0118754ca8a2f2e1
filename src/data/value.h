/* The blocks behind heap values. Only src/data, and src/exec where it must be fast, use their fields. */
#ifndef DATA_VALUE_H
#define DATA_VALUE_H

#include <stdatomic.h>
#include <string.h>

#include "remotemedia/remotemedia.h"

/* The head of every block; the content follows in the same allocation (text, bytes, digits), or the block
 * points at it. */
typedef struct rm_heap {
    atomic_size_t owners;
    const rm_allocator *allocator;
    size_t size; /* bytes of this allocation, for the allocator */
    uint32_t kind;
    uint32_t extra; /* for the kind's own use */
} rm_heap;

/* The member with this key, borrowed; null where there is none, or `map` is no map. */
static inline rm_value rmi_map_field(rm_value map, const char *key)
{
    rm_value value = rm_null();
    return map.kind == RM_MAP && rm_map_get(map, key, strlen(key), &value) ? value : rm_null();
}

static inline size_t rmi_owners(rm_value v)
{
    return rm_value_is_heap(v) ? atomic_load_explicit(&v.heap->owners, memory_order_acquire) : 1;
}
/* A bit of head.extra in tensors: several branches have held it. The last holder must not see it as writable
 * either, or the result would depend on which branch was faster. */
enum { RMI_BRANCHED = 1 };
static inline void rmi_value_mark_branched(rm_value v)
{
    if (v.kind == RM_TENSOR)
        (void)__atomic_fetch_or(&v.heap->extra, (uint32_t)RMI_BRANCHED, __ATOMIC_RELAXED);
}
static inline bool rmi_value_is_branched(rm_value tensor)
{
    return (__atomic_load_n(&tensor.heap->extra, __ATOMIC_RELAXED) & RMI_BRANCHED) != 0;
}
/* Bits of head.extra in lists and maps. */
enum { RMI_MAY_HOLD_OBJECT = 1 };

/* Whether `value` is, or may have inside, an object. */
static inline bool rmi_may_hold_object(rm_value value)
{
    return value.kind == RM_OBJECT || ((value.kind == RM_LIST || value.kind == RM_MAP) &&
                                       (value.heap->extra & RMI_MAY_HOLD_OBJECT) != 0);
}
/* Makes a string of a text that is known to be UTF-8. *out is owned. */
RM_MUST_CHECK int rmi_string_new_unchecked(const rm_allocator *allocator, const char *text, size_t length,
                                           rm_value *out, rm_error *err);
/* Puts a traceback and a detail, both consumed, into `err`, which has neither. */
/* Of the document of an error: the code with this name (NULL is fine), or RM_OK where there is none; and the list of places in
 * a Python node's code, owned, or null where it is none. */
int rmi_code_named(const char *name);
rm_value rmi_traceback_of(rm_value document);
void rmi_error_keep(rm_error *err, rm_value traceback, rm_value detail);
/* As rm_map_set_key, for a key that the map does not have, and a map without other owners. */
RM_MUST_CHECK int rmi_map_add(rm_value *map, rm_value key, rm_value item, rm_error *err);
/* Whether an object is inside, at any depth: then rm_value_to_plain changes the value. */
bool rmi_value_has_object(rm_value value);

#endif
