/* Messages whose large tensors and bytes lie elsewhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "data/wire/wire.h"
#include "tests/support/heap.h"

enum { LARGE = RMI_WIRE_PART_LEAST, OWNERS = 16 };

static rm_value tensor_of(const rm_allocator *allocator, int64_t size)
{
    rm_value tensor = rm_null();
    if (rm_tensor_new(allocator, RM_UINT8, 1, &size, &tensor, NULL) == RM_OK)
        memset(rm_tensor_view(tensor).data, 7, (size_t)size);
    return tensor;
}

/* [a large tensor, a small one, "between", a large one of odd size]; null where memory is out. */
static rm_value sample(const rm_allocator *allocator)
{
    static const int64_t sizes[] = {LARGE, LARGE - 1, -1, LARGE + 3};
    rm_value list = rm_null();
    if (rm_list_new(allocator, 4, &list, NULL) != RM_OK)
        return list;
    for (size_t i = 0; i < 4; i++) {
        rm_value item = rm_null();
        if (sizes[i] >= 0)
            item = tensor_of(allocator, sizes[i]);
        else if (rm_string_new(allocator, "between", 7, &item, NULL) != RM_OK)
            item = rm_null();
        if (item.kind == RM_NULL || rm_list_append(&list, item, NULL) != RM_OK) {
            rm_value_clear(&list);
            return rm_null();
        }
    }
    return list;
}

/* Lends what a writer left where it was; counts what readers keep. */
typedef struct lender {
    rmi_wire_lender base;
    const rmi_wire_parts *parts;
    size_t kept;
} lender;

static const void *find(const rmi_wire_lender *base, size_t at, size_t length, void **owner)
{
    lender *from = (lender *)(uintptr_t)base;
    for (size_t i = 0; i < from->parts->count; i++) {
        if (from->parts->list[i].at != at || from->parts->list[i].length != length)
            continue;
        if (owner != NULL) {
            from->kept++;
            *owner = from;
        }
        return from->parts->list[i].data;
    }
    return NULL;
}

static void release(void *owner)
{
    ((lender *)owner)->kept--;
}

static void tensors_share_the_memory_of_their_parts(void **unused)
{
    rm_value value = sample(NULL), back = rm_null();
    rmi_wire_parts parts = {0};
    lender from = {{find, release}, &parts, 0};
    rmi_wire_writer packer;
    size_t at = 0;
    (void)unused;
    rmi_wire_init(&packer, NULL);
    packer.parts = &parts;
    assert_int_equal(rmi_wire_write(&packer, value, NULL), RM_OK);
    assert_int_equal(parts.count, 2);
    assert_true(packer.length < LARGE + 1000);
    assert_int_equal(rmi_wire_read_lent(NULL, packer.data, packer.length, &at, &from.base, &back, NULL),
                     RM_OK);
    assert_int_equal(at, packer.length);
    assert_true(rm_value_equal(back, value));
    assert_int_equal(from.kept, 2);
    for (size_t i = 0; i < 4; i += 3)
        assert_ptr_equal(rm_tensor_view(rm_list_get(back, i)).data,
                         rm_tensor_view(rm_list_get(value, i)).data);
    rm_value_clear(&back);
    assert_int_equal(from.kept, 0);
    at = 0; /* without its parts the message ends too early */
    assert_int_equal(rmi_wire_read(NULL, packer.data, packer.length, &at, &back, NULL), RM_E_VALUE);
    rmi_wire_clear(&packer);
    rmi_wire_parts_clear(&parts, NULL);
    rm_value_clear(&value);
}

static void bytes_are_copied(void **unused)
{
    enum { HEAD = 1 + 4 };
    static uint8_t content[LARGE];
    const uint32_t length = LARGE;
    rmi_wire_part part = {HEAD, content, LARGE};
    const rmi_wire_parts parts = {&part, 1, 1};
    lender from = {{find, release}, &parts, 0};
    uint8_t message[HEAD] = {RMI_WIRE_BYTES};
    rm_value back = rm_null();
    size_t at = 0, read = 0;
    (void)unused;
    content[LARGE - 1] = 9;
    memcpy(message + 1, &length, sizeof length);
    assert_int_equal(rmi_wire_read_lent(NULL, message, HEAD, &at, &from.base, &back, NULL), RM_OK);
    assert_memory_equal(rm_bytes_data(back, &read), content, LARGE);
    assert_int_equal(read, LARGE);
    assert_int_equal(from.kept, 0);
    rm_value_clear(&back);
    part.at = 0; /* no part of this value */
    at = 0;
    assert_int_equal(rmi_wire_read_lent(NULL, message, HEAD, &at, &from.base, &back, NULL), RM_E_VALUE);
}

static void gives_the_answer_or_out_of_memory(void **unused)
{
    rm_value value = sample(NULL);
    (void)unused;
    for (size_t nth = 1, faults = 1; faults != 0; nth++) {
        rm_value back = rm_null();
        rm_error err = {0};
        rmi_wire_parts parts = {0};
        lender from = {{find, release}, &parts, 0};
        rmi_wire_writer packer;
        rmt_heap heap;
        size_t at = 0;
        rmt_heap_init(&heap, nth);
        rmi_wire_init(&packer, &heap.allocator);
        packer.parts = &parts;
        int rc = rmi_wire_write(&packer, value, &err);
        if (rc == RM_OK)
            rc =
                rmi_wire_read_lent(&heap.allocator, packer.data, packer.length, &at, &from.base, &back, &err);
        faults = heap.faults;
        if (rc != (faults != 0 ? RM_E_OUT_OF_MEMORY : RM_OK) || err.code != rc)
            fail_msg("allocation %zu: %d %s", nth, rc, err.message);
        rm_value_clear(&back);
        assert_int_equal(from.kept, 0);
        rmi_wire_clear(&packer);
        rmi_wire_parts_clear(&parts, &heap.allocator);
        assert_int_equal(heap.live_blocks, 0);
    }
    rm_value_clear(&value);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(tensors_share_the_memory_of_their_parts),
        cmocka_unit_test(bytes_are_copied),
        cmocka_unit_test(gives_the_answer_or_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
