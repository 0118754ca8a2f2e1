/* Bools of other libraries, with bytes other than 0 and 1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "data/tensor.h"
#include "data/value.h"
#include "tests/support/heap.h"

static const struct {
    const char *label;
    rm_dtype dtype;
    unsigned char bytes[6];
    int64_t shape[2], strides[2];
    size_t first; /* of the bytes */
    bool copied;
    unsigned char wanted[6]; /* in C order, of a copy */
} cases[] = {
    {"0 and 1 stay where they are", RM_BOOL8, {0, 1, 1, 0, 1, 0}, {2, 3}, {3, 1}, 0, false, {0}},
    {"in Fortran order too", RM_BOOL8, {0, 1, 1, 0, 1, 0}, {2, 3}, {1, 2}, 0, false, {0}},
    {"other bytes become 1", RM_BOOL8, {0, 255, 1, 2, 128, 0}, {2, 3}, {3, 1}, 0, true, {0, 1, 1, 1, 1, 0}},
    {"in Fortran order too", RM_BOOL8, {0, 255, 1, 2, 128, 0}, {2, 3}, {1, 2}, 0, true, {0, 1, 1, 1, 1, 0}},
    {"backwards", RM_BOOL8, {0, 2, 0, 0, 0, 1}, {6, 1}, {-1, 1}, 5, true, {1, 0, 0, 0, 1, 0}},
    {"what is between the elements does not count",
     RM_BOOL8,
     {1, 2, 1, 2, 1, 2},
     {3, 1},
     {2, 1},
     0,
     false,
     {0}},
    {"no elements", RM_BOOL8, {2, 2, 2, 2, 2, 2}, {0, 3}, {3, 1}, 0, false, {0}},
    {"numbers are no bools", RM_UINT8, {0, 255, 1, 2, 128, 0}, {2, 3}, {3, 1}, 0, false, {0}},
};

static void have_bytes_of_0_and_1(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t nth = 0, faults = 1; faults != 0; nth++) {
            unsigned char bytes[6];
            rmt_heap heap;
            rm_error err = {0};
            rm_value tensor = rm_null();
            rmt_heap_init(&heap, nth == 0 ? 0 : nth + 1); /* the first block is the test's own */
            memcpy(bytes, cases[i].bytes, sizeof bytes);
            const rm_tensor view = {.data = bytes + cases[i].first,
                                    .dtype = cases[i].dtype,
                                    .dimensions = 2,
                                    .shape = cases[i].shape,
                                    .strides = cases[i].strides};
            assert_int_equal(rm_tensor_wrap(&heap.allocator, &view, NULL, NULL, &tensor, NULL), RM_OK);
            const int rc = rmi_tensor_plain_bools(&heap.allocator, &tensor, &err);
            faults = nth == 0 ? 1 : heap.faults;
            assert_int_equal(rc, nth != 0 && faults != 0 ? RM_E_OUT_OF_MEMORY : RM_OK);
            if (rc == RM_OK) {
                const rm_tensor after = rm_tensor_view(tensor);
                if ((after.data == view.data) == cases[i].copied)
                    fail_msg("%s", cases[i].label);
                if (cases[i].copied)
                    assert_memory_equal(after.data, cases[i].wanted, rm_tensor_bytes(tensor));
            } else {
                assert_int_equal(tensor.kind, RM_NULL);
            }
            assert_memory_equal(bytes, cases[i].bytes, sizeof bytes);
            rm_value_clear(&tensor);
            assert_int_equal(heap.live_blocks, 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(have_bytes_of_0_and_1)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
