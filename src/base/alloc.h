/* Memory through the caller's allocator, and arithmetic on sizes that cannot wrap. */
#ifndef BASE_ALLOC_H
#define BASE_ALLOC_H

#include "remotemedia/remotemedia.h"

/* Uninitialised memory, or NULL; a size of 0 gives NULL. Without an allocator it is the C library's. */
RM_MUST_CHECK void *rmi_alloc(const rm_allocator *allocator, size_t size);
RM_MUST_CHECK void *rmi_alloc_zeroed(const rm_allocator *allocator, size_t size);
RM_MUST_CHECK void *rmi_resize(const rm_allocator *allocator, void *block, size_t old_size, size_t new_size);
void rmi_free(const rm_allocator *allocator, void *block, size_t size);

/* Grows *block (an array of *capacity elements) to hold at least `wanted`; RM_E_OUT_OF_MEMORY or RM_OK. */
RM_MUST_CHECK int rmi_grow(const rm_allocator *allocator, void **block, size_t *capacity, size_t wanted,
                           size_t element_size, rm_error *err);
/* A copy of a text that ends with a NUL, owned: rmi_free_text; or NULL without memory. */
RM_MUST_CHECK char *rmi_copy_text(const rm_allocator *allocator, const char *text);
/* A copy as rmi_copy_text made it, and not changed since; NULL is fine. */
void rmi_free_text(const rm_allocator *allocator, char *text);
/* Fills `err` and returns RM_E_OUT_OF_MEMORY. */
int rmi_out_of_memory(rm_error *err);
/* Adds a hint on the limit of `limit` bytes (0: none) to an `err` (NULL is fine) about memory that ran out,
 * ours or Python's. */
void rmi_explain_memory(rm_error *err, uint64_t limit);

/* *out = a * b or a + b; false where that does not fit. */
RM_MUST_CHECK static inline bool rmi_multiply(size_t a, size_t b, size_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}
RM_MUST_CHECK static inline bool rmi_add(size_t a, size_t b, size_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}

#endif
