/* Tensors, for code that reads them element by element. */
#ifndef DATA_TENSOR_H
#define DATA_TENSOR_H

#include "remotemedia/remotemedia.h"

/* Counts elements and bytes of a C-contiguous tensor; returns false where they do not fit memory. The shape
 * is not negative. */
bool rmi_tensor_measure(size_t item_size, int32_t dimensions, const int64_t *shape, size_t *count,
                        size_t *bytes);

/* As rm_tensor_new_like, but the elements are not set. */
RM_MUST_CHECK int rmi_tensor_new_unset(const rm_allocator *allocator, const rm_tensor *wanted, bool fortran,
                                       rm_value *out, rm_error *err);

/* Whether the elements are contiguous, in C order or in Fortran order. */
bool rmi_tensor_is_in_order(const rm_tensor *view, bool fortran);

/* A copy with memory of its own; *out is owned. */
RM_MUST_CHECK int rmi_tensor_copy(const rm_allocator *allocator, rm_value tensor, rm_value *out,
                                  rm_error *err);
/* Whether nobody else can see the elements and they may be changed. */
bool rmi_tensor_is_unique(rm_value tensor);
/* The owner of memory that the tensor, or the tensor that it is a slice of, was wrapped around with this
 * `release`. NULL: the tensor has memory of its own, or another release. Borrowed. */
void *rmi_tensor_owner(rm_value tensor, void (*release)(void *owner));

/* Replaces a tensor of bools that has other bytes than 0 and 1 by a copy whose bytes are 0 and 1. On failure
 * *tensor is null. */
RM_MUST_CHECK int rmi_tensor_plain_bools(const rm_allocator *allocator, rm_value *tensor, rm_error *err);

/* Copies the elements in C order. */
void rmi_tensor_copy_elements(const rm_tensor *view, void *to);

/* All elements in C order: `at` is the next one while `left` is not 0. Borrows the view. */
typedef struct rmi_tensor_walk {
    const rm_tensor *view;
    const char *at;
    size_t left;
    int64_t size; /* bytes an element */
    int64_t index[RM_MAX_DIMENSIONS];
} rmi_tensor_walk;
void rmi_tensor_walk_start(rmi_tensor_walk *walk, const rm_tensor *view);
void rmi_tensor_walk_next(rmi_tensor_walk *walk);

#endif
