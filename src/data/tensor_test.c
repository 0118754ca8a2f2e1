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
    assert_int_equal(rm_tensor_new(NULL, RM_INT8, RM_MAX_DIMENSIONS + 1, hidden, &tensor, NULL), RM_E_LIMIT);
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

static void strides_that_lead_out_of_memory_are_refused(void **unused)
{
    (void)unused;
    static const int64_t shape[] = {3, 2};
    static const int64_t strides[][2] = {
        {INT64_MAX, 1}, {1, INT64_MIN}, {INT64_MAX / 4, INT64_MAX / 4}, {-1, INT64_MAX / 2}};
    int16_t memory[6] = {0};
    for (size_t i = 0; i < sizeof strides / sizeof *strides; i++) {
        int released = 0;
        rm_value wrapped = rm_null();
        const rm_tensor view = {
            .data = memory, .dtype = RM_INT16, .dimensions = 2, .shape = shape, .strides = strides[i]};
        assert_int_equal(rm_tensor_wrap(NULL, &view, &released, count_release, &wrapped, NULL), RM_E_LIMIT);
        assert_int_equal(released, 1);
    }
}

/* Layouts of 6 elements, 0 to 5, that start at one of them. */
static const struct {
    const char *label;
    rm_dtype dtype;
    int32_t dimensions;
    int64_t start, shape[3], strides[3];
    bool in_c; /* no strides are given */
    int rc;
    const char *list;
} layouts[] = {
    {"a column", RM_INT16, 1, 1, {2}, {3}, false, RM_OK, "[1,4]"},
    {"backwards", RM_INT16, 1, 5, {6}, {-1}, false, RM_OK, "[5,4,3,2,1,0]"},
    {"transposed", RM_INT16, 2, 0, {3, 2}, {1, 3}, false, RM_OK, "[[0,3],[1,4],[2,5]]"},
    {"other dimensions", RM_INT16, 3, 0, {1, 3, 2}, {0}, true, RM_OK, "[[[0,1],[2,3],[4,5]]]"},
    {"one of them", RM_INT16, 0, 3, {0}, {0}, true, RM_OK, "3"},
    {"again and again", RM_INT16, 2, 2, {2, 2}, {0, 1}, false, RM_OK, "[[2,3],[2,3]]"},
    {"its bytes", RM_UINT8, 1, 0, {3}, {4}, false, RM_OK, "[0,2,4]"},
    {"nothing, anywhere", RM_INT16, 2, 100, {4, 0}, {1000, 1}, false, RM_OK, "[[],[],[],[]]"},
    {"one too many", RM_INT16, 1, 0, {7}, {1}, false, RM_E_VALUE, NULL},
    {"before the first", RM_INT16, 1, 0, {2}, {-1}, false, RM_E_VALUE, NULL},
    {"behind the last", RM_INT16, 1, 6, {1}, {1}, false, RM_E_VALUE, NULL},
    {"half behind the last", RM_INT32, 1, 5, {1}, {1}, false, RM_E_VALUE, NULL},
    {"round the world", RM_INT16, 1, 0, {3}, {INT64_MAX}, false, RM_E_VALUE, NULL},
    {"a negative size", RM_INT16, 1, 0, {-1}, {1}, false, RM_E_VALUE, NULL},
};

static void layouts_share_memory(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
        for (size_t nth = 1, faults = 1; faults != 0; nth++) {
            rmt_heap heap;
            rm_value part = rm_null(), tensor = counting(NULL);
            char *list = NULL;
            size_t length = 0;
            int16_t *memory = rm_tensor_view(tensor).data;
            const rm_tensor view = {.data = memory + layouts[i].start,
                                    .dtype = layouts[i].dtype,
                                    .dimensions = layouts[i].dimensions,
                                    .shape = layouts[i].shape,
                                    .strides = layouts[i].in_c ? NULL : layouts[i].strides};
            rmt_heap_init(&heap, nth);
            int rc = rm_tensor_share(&heap.allocator, tensor, &view, &part, NULL);
            faults = heap.faults;
            if (rc != (faults != 0 ? RM_E_OUT_OF_MEMORY : layouts[i].rc))
                fail_msg("%s: %d", layouts[i].label, rc);
            rm_value_clear(&tensor); /* the part keeps the memory */
            if (rc == RM_OK) {
                assert_ptr_equal(rm_tensor_view(part).data, view.data);
                assert_int_equal(
                    rm_json_write(NULL, part, RM_JSON_ARRAYS_AS_LISTS, &list, &length, NULL, NULL), RM_OK);
                assert_string_equal(list, layouts[i].list);
                rm_text_free(NULL, list, length);
            }
            rm_value_clear(&part);
            assert_int_equal(heap.live_blocks, 0);
        }
    }
}

static void an_element_seen_twice_is_copied_before_a_change(void **unused)
{
    (void)unused;
    const int64_t shape[] = {2, 3}, strides[] = {0, 1};
    rm_value tensor = counting(NULL), part = rm_null();
    rm_tensor view = rm_tensor_view(tensor);
    view.shape = shape;
    view.strides = strides;
    assert_int_equal(rm_tensor_share(NULL, tensor, &view, &part, NULL), RM_OK);
    rm_value_clear(&tensor);
    assert_int_equal(rm_value_make_unique(NULL, &part, NULL), RM_OK);
    int16_t *copy = rm_tensor_view(part).data;
    copy[0] = 7;
    assert_int_equal(copy[3], 0);
    assert_true(rm_tensor_is_contiguous(part));
    assert_int_equal(rm_tensor_count(part), 6);
    assert_int_equal(rm_tensor_bytes(part), 12);
    rm_value_clear(&part);
}

/* Random layouts over a small memory: an accepted layout reads as its elements one by one; a refused one has
 * an element outside. */
static void random_layouts_read_what_lies_there(void **unused)
{
    (void)unused;
    enum { ROUNDS = 20000, ELEMENTS = 40 };
    const int64_t whole_shape[] = {ELEMENTS};
    rm_value whole = rm_null();
    uint64_t random = 88172645463325252u;
    assert_int_equal(rm_tensor_new(NULL, RM_UINT8, 1, whole_shape, &whole, NULL), RM_OK);
    uint8_t *memory = rm_tensor_view(whole).data;
    for (int i = 0; i < ELEMENTS; i++)
        memory[i] = (uint8_t)i;
    for (int round = 0; round < ROUNDS; round++) {
        int64_t shape[3], strides[3], numbers[7];
        for (int i = 0; i < 7; i++) {
            random ^= random << 13, random ^= random >> 7, random ^= random << 17;
            numbers[i] = (int64_t)(random % 97);
        }
        for (int i = 0; i < 3; i++) {
            shape[i] = numbers[i] % 4;
            strides[i] = numbers[3 + i] % 25 - 12;
        }
        const rm_tensor view = {.data = memory + numbers[6] % ELEMENTS,
                                .dtype = RM_UINT8,
                                .dimensions = 3,
                                .shape = shape,
                                .strides = strides};
        rm_value part = rm_null(), flat = rm_null();
        int64_t low = INT64_MAX, high = INT64_MIN;
        for (int64_t i = 0; i < shape[0] * shape[1] * shape[2]; i++) {
            const int64_t at = numbers[6] % ELEMENTS + i / (shape[1] * shape[2]) * strides[0] +
                               i / shape[2] % shape[1] * strides[1] + i % shape[2] * strides[2];
            low = at < low ? at : low;
            high = at > high ? at : high;
        }
        const bool inside = low > high || (low >= 0 && high < ELEMENTS);
        assert_int_equal(rm_tensor_share(NULL, whole, &view, &part, NULL), inside ? RM_OK : RM_E_VALUE);
        if (!inside)
            continue;
        assert_int_equal(rm_tensor_contiguous(NULL, part, &flat, NULL), RM_OK);
        const uint8_t *at = rm_tensor_view(flat).data;
        for (int64_t i = 0; i < shape[0] * shape[1] * shape[2]; i++)
            assert_int_equal(at[i], numbers[6] % ELEMENTS + i / (shape[1] * shape[2]) * strides[0] +
                                        i / shape[2] % shape[1] * strides[1] + i % shape[2] * strides[2]);
        rm_value_clear(&flat);
        rm_value_clear(&part);
    }
    rm_value_clear(&whole);
}

static void names_of_dtypes_lead_back(void **unused)
{
    (void)unused;
    for (int dtype = RM_BOOL8; dtype < RM_DTYPE_COUNT; dtype++)
        assert_int_equal(rm_dtype_from_name(rm_dtype_name((rm_dtype)dtype)), dtype);
    assert_int_equal(rm_dtype_from_name("opaque"), 0);
    assert_int_equal(rm_dtype_from_name("float"), 0);
    assert_int_equal(rm_tensor_count(rm_int(1)), 0);
    assert_int_equal(rm_tensor_bytes(rm_null()), 0);
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
        cmocka_unit_test(strides_that_lead_out_of_memory_are_refused),
        cmocka_unit_test(layouts_share_memory),
        cmocka_unit_test(an_element_seen_twice_is_copied_before_a_change),
        cmocka_unit_test(random_layouts_read_what_lies_there),
        cmocka_unit_test(names_of_dtypes_lead_back),
        cmocka_unit_test(media_goes_with_copies),
        cmocka_unit_test(nan_elements_are_equal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
