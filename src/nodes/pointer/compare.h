/* Comparing values as a reader of JSON expects: 1 equals 1.0, the order of keys does not count. */
#ifndef NODES_POINTER_COMPARE_H
#define NODES_POINTER_COMPARE_H

#include "remotemedia/node.h"

typedef enum rmi_order { RMI_LESS = -1, RMI_EQUAL, RMI_GREATER, RMI_UNORDERED } rmi_order;

/* The order of two numbers (exact, at any size; NaN is unordered) or two strings (by code point). RM_E_TYPE
 * for anything else. */
RM_MUST_CHECK int rmi_order_of(const rm_allocator *allocator, rm_value a, rm_value b, rmi_order *order,
                               rm_error *err);
/* Sets *same to whether `a` equals `b`, at any depth; different kinds differ. Fails only when memory is
 * out. */
RM_MUST_CHECK int rmi_same(const rm_allocator *allocator, rm_value a, rm_value b, bool *same, rm_error *err);
/* Python's truth: null, false, 0 and empty values are false, all others true. */
bool rmi_truth(rm_value value);

#endif
