/* Memory through the caller's allocator, and arithmetic on sizes that cannot wrap. */
#ifndef BASE_ALLOC_H
#define BASE_ALLOC_H

#include "remotemedia/remotemedia.h"

/* Uninitialised memory, or NULL; a size of 0 gives NULL. A NULL allocator is the default one. */
void *rmi_alloc(const rm_allocator *allocator, size_t size);
void *rmi_alloc_zeroed(const rm_allocator *allocator, size_t size);
void *rmi_resize(const rm_allocator *allocator, void *block, size_t old_size, size_t new_size);
void rmi_free(const rm_allocator *allocator, void *block, size_t size);

/* Grows *block (an array of *capacity elements) to hold at least `wanted`; RM_E_OUT_OF_MEMORY or RM_OK. */
int rmi_grow(const rm_allocator *allocator, void **block, size_t *capacity, size_t wanted,
             size_t element_size, rm_error *err);
/* Fills `err` and returns RM_E_OUT_OF_MEMORY. */
int rmi_out_of_memory(rm_error *err);

/* *out = a * b or a + b; false where that does not fit. */
static inline bool rmi_multiply(size_t a, size_t b, size_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}
static inline bool rmi_add(size_t a, size_t b, size_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}

#endif
