/* One input: the first two bytes choose the allocation that fails, the rest is the target's. It runs once without a failure,
 * which counts the allocations, and once with it. Neither run may leak. */
#include "fuzz/fuzz.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { KEEP_FAILING = 0x8000 };

void rmf_require(bool holds, const char *format, ...)
{
    va_list arguments;
    if (holds)
        return;
    va_start(arguments, format);
    (void)fprintf(stderr, "fuzz: ");
    (void)vfprintf(stderr, format, arguments);
    (void)fprintf(stderr, "\n");
    va_end(arguments);
    abort();
}

static uint64_t number(rmf_input *input, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size && input->left > 0; i++, input->left--)
        value |= (uint64_t)*input->data++ << (8 * i);
    return value;
}

uint8_t rmf_u8(rmf_input *input)
{
    return (uint8_t)number(input, 1);
}

uint16_t rmf_u16(rmf_input *input)
{
    return (uint16_t)number(input, 2);
}

uint32_t rmf_u32(rmf_input *input)
{
    return (uint32_t)number(input, 4);
}

uint64_t rmf_u64(rmf_input *input)
{
    return number(input, 8);
}

uint8_t *rmf_bytes(rmf_input *input, size_t *size)
{
    if (*size > input->left)
        *size = input->left;
    uint8_t *copy = malloc(*size != 0 ? *size : 1);
    rmf_require(copy != NULL, "no memory for the input");
    if (*size != 0)
        memcpy(copy, input->data, *size);
    input->data += *size;
    input->left -= *size;
    return copy;
}

uint8_t *rmf_rest(rmf_input *input, size_t *size)
{
    *size = input->left;
    return rmf_bytes(input, size);
}

/* Runs the target and checks its heap. `nth` 0: nothing fails. */
static int run(rmt_heap *heap, rmf_input input, size_t nth, bool keeps)
{
    rmt_heap_init(heap, nth);
    heap->keep_failing = keeps;
    const int code = rmf_run(heap, input);
    rmf_require(heap->mistakes == 0, "the heap was told a wrong size");
    rmf_require(heap->live_blocks == 0, "%zu blocks of %zu bytes are left, allocation %zu having failed",
                (size_t)heap->live_blocks, (size_t)heap->live_bytes, nth);
    return code;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static rmt_heap heap;
    rmf_input input = {data, size};
    if (size < 2)
        return 0;
    const uint16_t chosen = rmf_u16(&input);
    const size_t nth = chosen & (KEEP_FAILING - 1);
    const int expected = run(&heap, input, 0, false);
    const size_t calls = heap.calls;
    if (nth == 0 || calls == 0)
        return 0;
    const int code = run(&heap, input, 1 + (nth - 1) % calls, (chosen & KEEP_FAILING) != 0);
    rmf_require(code == expected || code == RM_E_OUT_OF_MEMORY,
                "without memory (allocation %zu) it answers %d, else %d", 1 + (nth - 1) % calls, code,
                expected);
    return 0;
}
