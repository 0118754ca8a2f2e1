/* Multiplies numbers, float32 tensors and audio by "factor". A tensor keeps its shape, audio what it is.
 *
 *   clang --target=wasm32 -O2 -nostdlib -Wl,--no-entry gain.c -o gain.wasm */
#include "node.h"

static double factor = 1;

static int configure(const node_value *params, const node_value *config)
{
    static const char *const names[] = {"factor", NULL};
    (void)config;
    const int rc = node_only_params(params, names);
    return rc == NODE_OK ? node_number_param(params, "/params/factor", &factor) : rc;
}

static int multiply_tensor(const node_tensor *in)
{
    if (in->dtype != NODE_FLOAT32)
        return node_fail(NODE_E_TYPE, "gain takes tensors of float32 only");
    node_emit(0);
    const float *from = in->data, by = (float)factor;
    float *to = node_put_tensor(in); /* of the same shape; NULL without memory, which is told for us */
    for (uint32_t i = 0; to != NULL && i < in->size / sizeof *to; i++)
        to[i] = from[i] * by;
    return NODE_OK;
}

static int process(uint32_t port, const node_packet *packet)
{
    const node_value *value = &packet->value;
    (void)port;
    if (value->kind == NODE_TENSOR)
        return multiply_tensor(&value->tensor);
    if (!node_is_number(value))
        return node_fail(NODE_E_TYPE, "gain takes numbers, tensors and audio, got ", node_kind_name(value));
    node_emit(0);
    node_put_float(value->number * factor);
    return NODE_OK;
}

const node_type node = {.configure = configure, .process = process};
