/* MultiplyNode and AddNode: one exact operation with a fixed operand. */
#include "nodes/number.h"
#include "nodes/process_many.h"

struct scale {
    rm_value operand; /* parameter */
};

static bool has_number(rm_value list)
{
    for (size_t i = 0; i < rm_list_length(list); i++)
        if (rmi_is_number(rm_list_get(list, i)))
            return true;
    return false;
}

/* Replaces the numbers in a list by the results; other elements stay the same. */
static int scale_list(rm_node *node, rm_operation operation, rm_value operand, rm_value *list, rm_error *err)
{
    const size_t n = rm_list_length(*list);
    rm_value results = rm_null();
    if (!has_number(*list))
        return RM_OK;
    int rc = rm_list_new(rm_node_allocator(node), n, &results, err);
    for (size_t i = 0; i < n && rc == RM_OK; i++) {
        rm_value result = rm_value_retain(rm_list_get(*list, i));
        if (rmi_is_number(result))
            rc = rmi_number_apply(node, operation, &result, operand, err);
        if (rc != RM_OK)
            rm_value_clear(&result);
        else
            rc = rm_list_append(&results, result, err);
    }
    if (rc == RM_OK) {
        rm_value_clear(list);
        *list = rm_value_move(&results);
    }
    rm_value_clear(&results);
    return rc;
}

/* Separate from the loop that calls it, so that the loop stays short. */
__attribute__((noinline, cold)) static int scale_slowly(rm_node *node, rm_operation operation,
                                                        rm_value operand, rm_value *value, rm_error *err)
{
    if (rmi_is_number(*value))
        return rmi_number_apply(node, operation, value, operand, err);
    if (value->kind == RM_LIST)
        return scale_list(node, operation, operand, value, err);
    if (value->kind == RM_TENSOR && rm_tensor_view(*value).dtype != RM_BOOL8)
        return rm_tensor_compute(rm_node_allocator(node), operation, value, operand, err);
    return RM_OK;
}

static int multiply_process_many(rm_node *node, void *state, unsigned port, rm_packet *batch, size_t n,
                                 size_t *done, rm_error *err)
{
    const rm_value factor = ((const struct scale *)state)->operand;
    int rc = RM_OK;
    size_t i = 0;
    (void)port;
    for (; i < n; i++) {
        rm_value *value = &batch[i].value;
        int64_t product;
        if (value->kind == RM_INT && factor.kind == RM_INT &&
            !__builtin_mul_overflow(value->i, factor.i, &product))
            value->i = product;
        else if ((rc = scale_slowly(node, RM_MULTIPLY, factor, value, err)) != RM_OK)
            break;
    }
    return rmi_batch_end(node, batch, i, i, done, rc, err);
}

static int add_process_many(rm_node *node, void *state, unsigned port, rm_packet *batch, size_t n,
                            size_t *done, rm_error *err)
{
    const rm_value addend = ((const struct scale *)state)->operand;
    int rc = RM_OK;
    size_t i = 0;
    (void)port;
    for (; i < n; i++) {
        rm_value *value = &batch[i].value;
        int64_t sum;
        if (value->kind == RM_INT && addend.kind == RM_INT &&
            !__builtin_add_overflow(value->i, addend.i, &sum))
            value->i = sum;
        else if ((rc = scale_slowly(node, RM_ADD, addend, value, err)) != RM_OK)
            break;
    }
    return rmi_batch_end(node, batch, i, i, done, rc, err);
}

#define SCALE_TEXT                                                                                            \
    "Takes a number, an array of numbers, or a list: the numbers in it are changed, the rest passes (one "    \
    "level). Every other item, true and false and numeric strings too, passes unchanged. Arithmetic is "      \
    "Python's: integers stay exact at any size, a float stays a float.\n\n"                                   \
    "With arrays (and audio) it is numpy's with a number of Python's: the dtype stays, integers wrap around " \
    "at their width, and float16, bfloat16 and float32 round the number first; only integers and a float "    \
    "give float64. A whole number that an array of integers cannot hold (300 in uint8) is an error. Arrays "  \
    "of bool pass unchanged; those of other elements (texts, dates, records, the other byte order) are an "   \
    "error. Shape and sample rate stay."

static const rm_param multiply_params[] = {
    {.name = "factor",
     .text = "What each number is multiplied by",
     .type = RM_PARAM_NUMBER,
     .flags = RM_PARAM_LIVE,
     .offset = offsetof(struct scale, operand),
     .value = {.fallback_json = "2"}},
    {0},
};

const rm_node_type rmi_node_multiply = {
    .abi_version = RM_NODE_ABI_VERSION,
    .size = sizeof(rm_node_type),
    .name = "MultiplyNode",
    .aliases = (const char *const[]){"Multiply", NULL},
    .summary = "Multiplies numbers, also those in lists and arrays, by a factor",
    .description = SCALE_TEXT,
    .params = multiply_params,
    .state_size = sizeof(struct scale),
    .process_many = multiply_process_many,
};

static const rm_param add_params[] = {
    {.name = "addend",
     .text = "What is added to each number",
     .type = RM_PARAM_NUMBER,
     .flags = RM_PARAM_LIVE,
     .offset = offsetof(struct scale, operand),
     .value = {.fallback_json = "0"}},
    {0},
};

const rm_node_type rmi_node_add = {
    .abi_version = RM_NODE_ABI_VERSION,
    .size = sizeof(rm_node_type),
    .name = "AddNode",
    .aliases = (const char *const[]){"Add", NULL},
    .summary = "Adds a fixed number to numbers, also those in lists and arrays",
    .description = SCALE_TEXT,
    .params = add_params,
    .state_size = sizeof(struct scale),
    .process_many = add_process_many,
};
