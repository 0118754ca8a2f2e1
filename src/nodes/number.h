/* Numbers: int, big integer and float, not bool. */
#ifndef NODES_NUMBER_H
#define NODES_NUMBER_H

#include "remotemedia/node.h"

static inline bool rmi_is_number(rm_value value)
{
    return value.kind == RM_INT || value.kind == RM_FLOAT || value.kind == RM_BIGINT;
}

/* Replaces *value by `value operation operand`; a failure leaves it unchanged. */
RM_MUST_CHECK static inline int rmi_number_apply(rm_node *node, rm_operation operation, rm_value *value,
                                                 rm_value operand, rm_error *err)
{
    rm_value result = rm_null();
    int rc = rm_number_compute(rm_node_allocator(node), operation, *value, operand, &result, err);
    if (rc == RM_OK) {
        rm_value_clear(value);
        *value = result;
    }
    return rc;
}

#endif
