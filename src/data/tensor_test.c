/* Tensors: layout, sharing of memory, release, comparison. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "data/value.h"
#include "tests/support/heap.h"

static void count_release(void *owner)
{
    ++*(int *)owner;
}

/* 2 by 3 elements 0 to 5 of int16. */
static rm_value counting(const rm_allocator *allocator)
{
    const int64_t shape[] = {2, 3};
    rm_value tensor = rm_null();
    if (rm_tensor_new(allocator, RM_INT16, 2, shape, &tensor, NULL) == RM_OK) {
        int16_t *at = rm_tensor_view(tensor).data;
        for (int16_t i = 0; i < 6; i++)
            at[i] = i;
    }
    return tensor;
}

static void new_ones_are_aligned_and_zero(void **unused)
{
    (void)unused;
    rmt_heap heap;
    rmt_heap_init(&heap, 0);
    for (int dtype = RM_BOOL8; dtype < RM_DTYPE_COUNT; dtype++) {
        const int64_t shape[] = {3, 0, 2}, full[] = {5};
        rm_value tensor = rm_null();
        assert_int_equal(rm_tensor_new(&heap.allocator, (rm_dtype)dtype, 1, full, &tensor, NULL), RM_OK);
        const uint8_t *bytes = rm_tensor_view(tensor).data;
        assert_int_equal((uintptr_t)bytes % 64, 0);
        for (size_t i = 0; i < 5 * rm_dtype_size((rm_dtype)dtype); i++)
            assert_int_equal(bytes[i], 0);
        rm_value_clear(&tensor);
        assert_int_equal(rm_tensor_new(&heap.allocator, (rm_dtype)dtype, 3, shape, &tensor, NULL), RM_OK);
        assert_true(rm_tensor_is_contiguous(tensor));
        rm_value_clear(&tensor);
        assert_int_equal(rm_tensor_new(&heap.allocator, (rm_dtype)dtype, 0, NULL, &tensor, NULL), RM_OK);
        assert_true(rm_tensor_is_contiguous(tensor));
        rm_value_clear(&tensor);
    }
    assert_int_equal(heap.live_blocks, 0);
    assert_int_equal(heap.mistakes, 0);
}

static void impossible_shapes_are_refused(void **unused)
{
    (void)unused;
    const int64_t negative[] = {-1}, huge[] = {INT64_MAX, 2}, hidden[] = {INT64_MAX, INT64_MAX, 0};
    rm_value tensor = rm_null();
    assert_int_equal(rm_tensor_new(NULL, RM_INT8, 1, negative, &tensor, NULL), RM_E_VALUE);
    assert_int_equal(rm_tensor_new(NULL, RM_INT8, 2, huge, &tensor, NULL), RM_E_LIMIT);
    assert_int_equal(rm_tensor_new(NULL, RM_INT8, 3, hidden, &tensor, NULL), RM_E_LIMIT);
    assert_int_equal(rm_tensor_new(NULL, RM_INT8, 33, hidden, &tensor, NULL), RM_E_LIMIT);
    assert_int_equal(rm_tensor_new(NULL, (rm_dtype)0, 0, NULL, &tensor, NULL), RM_E_VALUE);
    assert_string_equal(rm_dtype_name((rm_dtype)77), "unknown");
}

static void slices_share_and_are_copied_before_a_change(void **unused)
{
    (void)unused;
    rmt_heap heap;
    rm_value slice = rm_null(), deeper = rm_null(), out = rm_null();
    rmt_heap_init(&heap, 0);
    rm_value tensor = counting(&heap.allocator);
    assert_int_equal(rm_tensor_slice(&heap.allocator, tensor, 1, 1, &slice, NULL), RM_OK);
    assert_int_equal(rm_tensor_slice(&heap.allocator, slice, 0, 1, &deeper, NULL), RM_OK);
    assert_ptr_equal(rm_tensor_view(deeper).data, (int16_t *)rm_tensor_view(tensor).data + 3);
    assert_int_equal(rm_tensor_slice(&heap.allocator, tensor, 1, 2, &out, NULL), RM_E_VALUE);
    assert_int_equal(rm_tensor_slice(&heap.allocator, tensor, -1, 1, &out, NULL), RM_E_VALUE);
    assert_int_equal(rm_tensor_slice(&heap.allocator, rm_int(1), 0, 0, &out, NULL), RM_E_TYPE);
    assert_int_equal(rm_value_make_unique(&heap.allocator, &slice, NULL), RM_OK);
    ((int16_t *)rm_tensor_view(slice).data)[0] = 99;
    assert_int_equal(((int16_t *)rm_tensor_view(tensor).data)[3], 3);
    rm_value_clear(&tensor); /* the deeper slice keeps the memory */
    assert_int_equal(((int16_t *)rm_tensor_view(deeper).data)[2], 5);
    const void *before = rm_tensor_view(deeper).data;
    assert_int_equal(rm_value_make_unique(&heap.allocator, &deeper, NULL), RM_OK);
    assert_ptr_equal(rm_tensor_view(deeper).data, before); /* its only owner now: no copy */
    rm_value_clear(&slice);
    rm_value_clear(&deeper);
    assert_int_equal(heap.live_blocks, 0);
    assert_int_equal(heap.mistakes, 0);
}

static void wrapped_memory_is_released_once(void **unused)
{
    (void)unused;
    int16_t memory[6] = {0, 1, 2, 3, 4, 5};
    const int64_t shape[] = {3, 2}, strides[] = {1, 3}, bad[] = {-1, 2};
    rm_tensor view = {.data = memory,
                      .dtype = RM_INT16,
                      .dimensions = 2,
                      .shape = shape,
                      .strides = strides,
                      .read_only = true};
    for (size_t nth = 1, faults = 1; faults != 0; nth++) {
        int released = 0;
        rmt_heap heap;
        rm_value wrapped = rm_null(), flat = rm_null();
        rmt_heap_init(&heap, nth);
        int rc = rm_tensor_wrap(&heap.allocator, &view, &released, count_release, &wrapped, NULL);
        if (rc == RM_OK)
            rc = rm_tensor_contiguous(&heap.allocator, wrapped, &flat, NULL);
        if (rc == RM_OK) {
            const int16_t want[] = {0, 3, 1, 4, 2, 5};
            assert_memory_equal(rm_tensor_view(flat).data, want, sizeof want);
            assert_false(rm_tensor_is_contiguous(wrapped));
            assert_true(rm_value_equal(wrapped, flat));
            ((int16_t *)rm_tensor_view(flat).data)[5] = 6;
            assert_false(rm_value_equal(wrapped, flat));
            rc = rm_value_make_unique(&heap.allocator, &wrapped, NULL); /* read only: a copy */
        }
        if (rc == RM_OK)
            assert_ptr_not_equal(rm_tensor_view(wrapped).data, memory);
        faults = heap.faults;
        assert_int_equal(rc, faults != 0 ? RM_E_OUT_OF_MEMORY : RM_OK);
        rm_value_clear(&wrapped);
        rm_value_clear(&flat);
        assert_int_equal(released, 1);
        assert_int_equal(heap.live_blocks, 0);
    }
    int released = 0;
    rm_value wrapped = rm_null();
    view.shape = bad;
    assert_int_equal(rm_tensor_wrap(NULL, &view, &released, count_release, &wrapped, NULL), RM_E_VALUE);
    assert_int_equal(released, 1);
}

static void media_goes_with_copies(void **unused)
{
    (void)unused;
    const rm_media audio = {.kind = RM_MEDIA_AUDIO, .sample_rate = 8000, .channel_layout = 3};
    rm_value tensor = counting(NULL), part = rm_null();
    assert_int_equal(rm_tensor_set_media(&tensor, audio, NULL), RM_OK);
    assert_int_equal(rm_tensor_slice(NULL, tensor, 0, 1, &part, NULL), RM_OK);
    assert_int_equal(rm_tensor_view(part).media.sample_rate, 8000);
    rm_value other = rm_value_retain(tensor);
    assert_int_equal(rm_tensor_set_media(&tensor, audio, NULL), RM_E_USAGE);
    assert_int_equal(rm_value_make_unique(NULL, &tensor, NULL), RM_OK);
    assert_int_equal(rm_tensor_view(tensor).media.channel_layout, 3);
    rm_value_clear(&tensor);
    rm_value_clear(&other);
    rm_value_clear(&part);
}

static void nan_elements_are_equal(void **unused)
{
    (void)unused;
    static const struct {
        rm_dtype dtype;
        uint64_t a, b;
        bool equal;
    } rows[] = {
        {RM_FLOAT32, 0x7FC00000, 0xFFC00001, true},
        {RM_FLOAT32, 0x7F800000, 0xFF800000, false},
        {RM_FLOAT16, 0x7E00, 0x7E01, true},
        {RM_BFLOAT16, 0x7FC0, 0x7FC1, true},
        {RM_FLOAT64, UINT64_MAX, UINT64_MAX - 1, true},
        {RM_INT32, 0x7FC00000, 0xFFC00001, false},
    };
    const int64_t shape[] = {1};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rm_value a = rm_null(), b = rm_null();
        assert_int_equal(rm_tensor_new(NULL, rows[i].dtype, 1, shape, &a, NULL), RM_OK);
        assert_int_equal(rm_tensor_new(NULL, rows[i].dtype, 1, shape, &b, NULL), RM_OK);
        memcpy(rm_tensor_view(a).data, &rows[i].a, rm_dtype_size(rows[i].dtype));
        memcpy(rm_tensor_view(b).data, &rows[i].b, rm_dtype_size(rows[i].dtype));
        assert_int_equal(rm_value_equal(a, b), rows[i].equal);
        rm_value_clear(&a);
        rm_value_clear(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_ones_are_aligned_and_zero),
        cmocka_unit_test(impossible_shapes_are_refused),
        cmocka_unit_test(slices_share_and_are_copied_before_a_change),
        cmocka_unit_test(wrapped_memory_is_released_once),
        cmocka_unit_test(media_goes_with_copies),
        cmocka_unit_test(nan_elements_are_equal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
