/* Strings and bytes: one block each. */
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "data/blocks.h"

int rmi_string_new_unchecked(const rm_allocator *allocator, const char *text, size_t length, rm_value *out,
                             rm_error *err)
{
    size_t size = 0;
    *out = rm_null();
    if (!rmi_add(length, sizeof(rmi_string_block) + 1, &size))
        return rmi_out_of_memory(err);
    rm_heap *heap = rmi_heap_new(allocator, RM_STRING, size, err);
    if (heap == NULL)
        return RM_E_OUT_OF_MEMORY;
    rmi_string_block *block = rmi_string_of(heap);
    block->length = length;
    if (length != 0)
        memcpy(block->text, text, length);
    block->text[length] = '\0';
    *out = rmi_value_of(heap);
    return RM_OK;
}

int rm_string_new(const rm_allocator *allocator, const char *text, size_t length, rm_value *out,
                  rm_error *err)
{
    size_t bad = rmi_utf8_check(text, length);
    *out = rm_null();
    if (bad != length)
        return rm_error_set(err, RM_E_PARSE, "text is not UTF-8 at byte %zu", bad);
    return rmi_string_new_unchecked(allocator, text, length, out, err);
}

const char *rm_string_text(rm_value value, size_t *length)
{
    const rmi_string_block *block = value.kind == RM_STRING ? rmi_string_of(value.heap) : NULL;
    if (length != NULL)
        *length = block != NULL ? block->length : 0;
    return block != NULL ? block->text : NULL;
}

int rm_bytes_new(const rm_allocator *allocator, const void *data, size_t length, rm_value *out, rm_error *err)
{
    size_t size = 0;
    *out = rm_null();
    if (!rmi_add(length, sizeof(rmi_bytes_block), &size))
        return rmi_out_of_memory(err);
    rm_heap *heap = rmi_heap_new(allocator, RM_BYTES, size, err);
    if (heap == NULL)
        return RM_E_OUT_OF_MEMORY;
    rmi_bytes_block *block = rmi_bytes_of(heap);
    block->length = length;
    if (length != 0 && data != NULL)
        memcpy(block->data, data, length);
    else
        memset(block->data, 0, length);
    *out = rmi_value_of(heap);
    return RM_OK;
}

const uint8_t *rm_bytes_data(rm_value value, size_t *length)
{
    const rmi_bytes_block *block = value.kind == RM_BYTES ? rmi_bytes_of(value.heap) : NULL;
    if (length != NULL)
        *length = block != NULL ? block->length : 0;
    return block != NULL ? block->data : NULL;
}

uint8_t *rm_bytes_data_mut(rm_value value, size_t *length)
{
    rmi_bytes_block *block =
        value.kind == RM_BYTES && rmi_owners(value) == 1 ? rmi_bytes_of(value.heap) : NULL;
    if (length != NULL)
        *length = block != NULL ? block->length : 0;
    return block != NULL ? block->data : NULL;
}
