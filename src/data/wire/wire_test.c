/* Values as bytes, there and back; and bytes that are no values. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "data/wire/wire.h"
#include "data/tensor.h"
#include "data/value.h"
#include "tests/support/heap.h"
#include "tests/support/wire_bytes.h"

/* ---- What is packed ---- */

static rm_value json(const rm_allocator *allocator, const char *text)
{
    rm_value value = rm_null();
    return rm_json_parse(allocator, text, strlen(text), 0, &value, NULL) == RM_OK ? value : rm_null();
}

static rm_value special(const rm_allocator *allocator, uint32_t tag, const char *text)
{
    rm_value value = rm_null(), content = json(allocator, text);
    if (content.kind == RM_NULL)
        return value;
    return rmi_wire_object_new(allocator, tag, content, &value, NULL) == RM_OK ? value : rm_null();
}

/* 2 by 3 elements, every other one of a row. */
static rm_value strided(const rm_allocator *allocator)
{
    static const int64_t whole[] = {2, 6}, shape[] = {2, 3}, strides[] = {6, 2};
    rm_value tensor = rm_null(), part = rm_null();
    if (rm_tensor_new(allocator, RM_INT32, 2, whole, &tensor, NULL) != RM_OK)
        return part;
    rm_tensor view = rm_tensor_view(tensor);
    for (int i = 0; i < 12; i++)
        ((int32_t *)view.data)[i] = i;
    view.shape = shape;
    view.strides = strides;
    const int rc = rm_tensor_share(allocator, tensor, &view, &part, NULL);
    rm_value_clear(&tensor);
    return rc == RM_OK ? part : rm_null();
}

static rm_value audio(const rm_allocator *allocator)
{
    static const int64_t shape[] = {5, 2};
    rm_value tensor = rm_null();
    if (rm_tensor_new(allocator, RM_FLOAT32, 2, shape, &tensor, NULL) == RM_OK) {
        assert_int_equal(rm_tensor_set_media(&tensor, (rm_media){RM_MEDIA_AUDIO, 48000, 3}, NULL), RM_OK);
        for (int i = 0; i < 10; i++)
            ((float *)rm_tensor_view(tensor).data)[i] = (float)i;
    }
    return tensor;
}

static rm_value opaque(const rm_allocator *allocator)
{
    static const int64_t shape[] = {2};
    const rm_tensor view = {.dtype = RM_OPAQUE,
                            .item_size = 6,
                            .description = "[[\"x\",\">i2\"],[\"y\",\"<f4\"]]",
                            .dimensions = 1,
                            .shape = shape};
    rm_value tensor = rm_null();
    return rm_tensor_new_like(allocator, &view, false, &tensor, NULL) == RM_OK ? tensor : rm_null();
}

static rm_value array(const rm_allocator *allocator)
{
    static const int64_t shape[] = {3};
    rm_value tensor = rm_null(), value = rm_null();
    int rc = rm_tensor_new(allocator, RM_UINT8, 1, shape, &tensor, NULL);
    if (rc == RM_OK)
        rc = rmi_wire_object_new(allocator, RMI_WIRE_TENSOR, tensor, &value, NULL);
    return rc == RM_OK ? value : rm_null();
}

static rm_value bytearray(const rm_allocator *allocator)
{
    rm_value content = rm_null(), value = rm_null();
    int rc = rm_bytes_new(allocator, "ab\0", 3, &content, NULL);
    if (rc == RM_OK)
        rc = rmi_wire_object_new(allocator, RMI_WIRE_BYTEARRAY, content, &value, NULL);
    return rc == RM_OK ? value : rm_null();
}

/* Null when memory runs out. */
static rm_value sample(const rm_allocator *allocator, bool plain)
{
    rm_value list = json(
        allocator, "[null, true, false, 0, -1, 9223372036854775807, 1.5, 36893488147419103232, "
                   "-9223372036854775809, \"\", \"h\\u00e9\\u0000\", [], [[1]], {}, {\"a\": 1, \"\": [2], "
                   "\"c\": {\"d\": null}, \"e\": 1, \"f\": 2, \"g\": 3, \"h\": 4, \"i\": 5, \"j\": 6}]");
    rm_value more[] = {rm_float(NAN),
                       rm_float(-INFINITY),
                       strided(allocator),
                       audio(allocator),
                       opaque(allocator),
                       plain ? rm_int(1) : array(allocator),
                       plain ? rm_int(2) : bytearray(allocator),
                       plain ? rm_int(3) : special(allocator, RMI_WIRE_TUPLE, "[1, [2], \"x\"]"),
                       plain ? rm_int(4) : special(allocator, RMI_WIRE_SET, "[1, \"x\"]"),
                       plain ? rm_int(5) : special(allocator, RMI_WIRE_FROZENSET, "[]"),
                       plain ? rm_int(6)
                             : special(allocator, RMI_WIRE_DICT, "[1, [2], null, 2.5, \"x\", {}]")};
    rm_value bytes = rm_null();
    int rc = rm_bytes_new(allocator, "\xff\0", 2, &bytes, NULL);
    bool whole = list.kind == RM_LIST && rc == RM_OK;
    for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
        whole = whole && more[i].kind != RM_NULL;
        if (list.kind == RM_LIST && rc == RM_OK)
            rc = rm_list_append(&list, more[i], NULL);
        else
            rm_value_clear(&more[i]);
    }
    if (whole && rc == RM_OK)
        rc = rm_list_append(&list, rm_value_move(&bytes), NULL);
    rm_value_clear(&bytes);
    if (!whole || rc != RM_OK)
        rm_value_clear(&list);
    return list;
}

/* ---- There and back ---- */

static void plain_values_come_back(void **unused)
{
    rmt_heap heap;
    rm_value back = rm_null();
    (void)unused;
    rmt_heap_init(&heap, 0);
    rm_value value = sample(&heap.allocator, true);
    rmi_wire_writer packer = packed(value);
    assert_int_equal(unpack(&heap.allocator, packer.data, packer.length, &back, NULL), RM_OK);
    assert_int_equal(back.kind, RM_LIST);
    assert_false(rmi_value_has_object(back));
    assert_true(rm_value_equal(value, back));
    const rm_tensor view = rm_tensor_view(rm_list_get(back, 18));
    assert_int_equal(view.media.sample_rate, 48000);
    assert_int_equal(view.media.channel_layout, 3);
    assert_int_equal(((const int32_t *)rm_tensor_view(rm_list_get(back, 17)).data)[5], 10);
    rmi_wire_clear(&packer);
    rm_value_clear(&value);
    rm_value_clear(&back);
    assert_int_equal(heap.live_blocks, 0);
    assert_int_equal(heap.mistakes, 0);
}

static void what_only_python_has_is_one_object(void **unused)
{
    rmt_heap heap;
    rm_value back = rm_null(), branch = rm_null();
    (void)unused;
    rmt_heap_init(&heap, 0);
    rm_value value = sample(&heap.allocator, false);
    rmi_wire_writer packer = packed(value);
    assert_int_equal(unpack(&heap.allocator, packer.data, packer.length, &back, NULL), RM_OK);
    assert_ptr_equal(rm_object_type_of(back), &rmi_wire_object_type.base);
    assert_int_equal(rmi_wire_object_of(back)->tag, RMI_WIRE_LIST);
    assert_int_equal(rm_value_for_branch(back, &branch, NULL), RM_OK);
    assert_true(rmi_wire_object_type.base.bytes(rm_object_get(branch, NULL)) > 0);
    rm_value_clear(&back);
    rmi_wire_writer again = packed(branch);
    assert_int_equal(again.length, packer.length);
    assert_memory_equal(again.data, packer.data, packer.length);
    rmi_wire_clear(&again);
    rmi_wire_clear(&packer);
    rm_value_clear(&value);
    rm_value_clear(&branch);
    assert_int_equal(heap.live_blocks, 0);
}

static const struct {
    uint32_t tag;
    const char *content, *plain, *message, *hint;
} forms[] = {
    {RMI_WIRE_TUPLE, "[1, [2]]", "[1,[2]]", NULL, NULL},
    {RMI_WIRE_DICT, "[1, 2, true, 3, null, 4, 0.1, 5, \"x\", 6, 36893488147419103232, 7, -0.0, 8, \"y\", 9]",
     "{\"1\":2,\"true\":3,\"null\":4,\"0.1\":5,\"x\":6,\"36893488147419103232\":7,\"-0.0\":8,\"y\":9}", NULL,
     NULL},
    {RMI_WIRE_DICT, "[0, 0, \"1\", 2, 1, 3]", NULL, "the keys '1' and 1 of a Python dict have the same text",
     "list(x.items()) makes it a list of pairs"},
    {RMI_WIRE_DICT, "[\"a\", 0, true, 2, \"true\", 3]", NULL,
     "the keys True and 'true' of a Python dict have the same text",
     "list(x.items()) makes it a list of pairs"},
    {RMI_WIRE_DICT, "[\"null\", 0, null, 2]", NULL,
     "the keys 'null' and None of a Python dict have the same text",
     "list(x.items()) makes it a list of pairs"},
    {RMI_WIRE_SET, "[1]", NULL, "a Python object of type 'set' is no plain value",
     "sorted(x, key=repr) makes it a list in an order that does not change"},
    {RMI_WIRE_FROZENSET, "[1]", NULL, "a Python object of type 'frozenset' is no plain value",
     "sorted(x, key=repr) makes it a list in an order that does not change"},
};

static void the_plain_form_is_that_of_the_python_host(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        rm_value value = special(NULL, forms[i].tag, forms[i].content), plain = rm_null();
        rm_error err = {0};
        char *text = NULL;
        size_t length = 0;
        const int rc = rm_value_to_plain(NULL, value, &plain, &err);
        assert_int_equal(rc, forms[i].plain != NULL ? RM_OK : RM_E_UNSUPPORTED);
        if (rc == RM_OK) {
            assert_int_equal(rm_json_write(NULL, plain, 0, &text, &length, NULL, NULL), RM_OK);
            assert_string_equal(text, forms[i].plain);
        } else {
            assert_string_equal(err.message, forms[i].message);
            assert_string_equal(err.hint, forms[i].hint);
        }
        rm_text_free(NULL, text, length);
        rm_value_clear(&plain);
        rm_value_clear(&value);
    }
}

static void a_key_without_a_plain_form_is_an_error(void **unused)
{
    rm_value pairs = rm_null(), value = rm_null(), plain = rm_null();
    rm_error err = {0};
    (void)unused;
    assert_int_equal(rm_list_new(NULL, 2, &pairs, NULL), RM_OK);
    assert_int_equal(rm_list_append(&pairs, special(NULL, RMI_WIRE_TUPLE, "[1]"), NULL), RM_OK);
    assert_int_equal(rm_list_append(&pairs, rm_int(1), NULL), RM_OK);
    assert_int_equal(rmi_wire_object_new(NULL, RMI_WIRE_DICT, pairs, &value, NULL), RM_OK);
    assert_int_equal(rm_value_to_plain(NULL, value, &plain, &err), RM_E_UNSUPPORTED);
    assert_string_equal(err.message, "a dict key of type 'tuple' has no plain form");
    assert_string_equal(
        err.hint,
        "keys may be str, int, float, bool or None: {str(k): v for k, v in x.items()} makes them str");
    rm_value_clear(&value);
}

static void tensors_of_any_layout_are_packed_in_c_order(void **unused)
{
    static const struct {
        int32_t dimensions;
        int64_t shape[3], strides[3], first;
    } layouts[] = {
        {0, {0}, {0}, 7},
        {1, {0}, {1}, 0},
        {1, {24}, {1}, 0},
        {1, {12}, {2}, 0},
        {1, {24}, {-1}, 23},
        {3, {2, 3, 4}, {12, 4, 1}, 0},
        {3, {4, 3, 2}, {1, 4, 12}, 0},
        {3, {2, 3, 2}, {12, 4, 1}, 0},
        {3, {3, 1, 4}, {4, 99, 1}, 0},
        {3, {2, 3, 4}, {0, 4, 1}, 0},
        {2, {3, 4}, {-4, 1}, 8},
        {3, {3, 0, 4}, {4, 4, 1}, 0},
    };
    (void)unused;
    for (int dtype = RM_BOOL8; dtype < RM_DTYPE_COUNT; dtype++) {
        const int64_t all[] = {24};
        const size_t size = rm_dtype_size((rm_dtype)dtype);
        rm_value whole = rm_null(), back = rm_null();
        assert_int_equal(rm_tensor_new(NULL, (rm_dtype)dtype, 1, all, &whole, NULL), RM_OK);
        for (size_t i = 0; i < 24 * size; i++)
            ((uint8_t *)rm_tensor_view(whole).data)[i] = (uint8_t)(i % 251);
        for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
            rm_tensor view = rm_tensor_view(whole);
            rm_value part = rm_null();
            view.data = (char *)view.data + layouts[i].first * (int64_t)size;
            view.dimensions = layouts[i].dimensions;
            view.shape = layouts[i].shape;
            view.strides = layouts[i].strides;
            assert_int_equal(rm_tensor_share(NULL, whole, &view, &part, NULL), RM_OK);
            rmi_wire_writer packer = packed(part);
            assert_int_equal((packer.length - rm_tensor_bytes(part)) % 16, 0);
            assert_int_equal(unpack(NULL, packer.data, packer.length, &back, NULL), RM_OK);
            assert_true(rm_tensor_is_contiguous(back));
            if (!rm_value_equal(part, back))
                fail_msg("dtype %d, layout %zu", dtype, i);
            rmi_wire_clear(&packer);
            rm_value_clear(&back);
            rm_value_clear(&part);
        }
        rm_value_clear(&whole);
    }
}

static void the_size_is_exact_and_too_little_room_is_told(void **unused)
{
    rm_value value = sample(NULL, false);
    (void)unused;
    for (size_t at = 0; at < 20; at++) {
        size_t size = 0;
        rmi_wire_writer packer, fixed;
        rmi_wire_init(&packer, NULL);
        for (size_t i = 0; i < at; i++)
            rmi_wire_put(&packer, "x", 1);
        assert_int_equal(rmi_wire_write(&packer, value, NULL), RM_OK);
        assert_int_equal(rmi_wire_size(value, at, &size, NULL), RM_OK);
        assert_int_equal(at + size, packer.length);
        for (size_t capacity = packer.length - 3; capacity <= packer.length; capacity++) {
            uint8_t *memory = malloc(capacity);
            rmi_wire_init_fixed(&fixed, memory, capacity);
            rmi_wire_put(&fixed, packer.data, at);
            assert_int_equal(rmi_wire_write(&fixed, value, NULL), RM_OK);
            assert_int_equal(fixed.length, packer.length);
            assert_int_equal(rmi_wire_fits(&fixed), capacity == packer.length);
            if (rmi_wire_fits(&fixed))
                assert_memory_equal(memory, packer.data, packer.length);
            rmi_wire_clear(&fixed);
            free(memory);
        }
        rmi_wire_clear(&packer);
    }
    rm_value_clear(&value);
}

static void packets_come_back(void **unused)
{
    (void)unused;
    for (int with = 0; with < 2; with++) {
        rm_packet packet = rm_packet_of(json(NULL, "[1]")), back;
        rmi_wire_writer packer;
        size_t offset = 3;
        packet.seq = 5;
        packet.timestamp = -7;
        packet.flags = RM_PACKET_KEY_FRAME;
        if (with)
            rm_packet_set_metadata(&packet, json(NULL, "{\"a\": [1]}"));
        rmi_wire_init(&packer, NULL);
        rmi_wire_put(&packer, "abc", 3);
        assert_int_equal(rmi_wire_write_packet(&packer, &packet, NULL), RM_OK);
        assert_int_equal(rmi_wire_read_packet(NULL, packer.data, packer.length, &offset, NULL, &back, NULL),
                         RM_OK);
        assert_int_equal(offset, packer.length);
        assert_true(back.seq == 5 && back.timestamp == -7 && back.duration == RM_NO_TIME);
        assert_int_equal(back.flags, RM_PACKET_KEY_FRAME);
        assert_true(rm_value_equal(packet.value, back.value));
        assert_true(rm_value_equal(rm_packet_metadata(&packet), rm_packet_metadata(&back)));
        rm_packet_clear(&back);
        for (size_t length = 0; length < packer.length; length++) {
            offset = 3;
            assert_int_equal(rmi_wire_read_packet(NULL, packer.data, length, &offset, NULL, &back, NULL),
                             RM_E_VALUE);
            assert_true(offset == 3 && back.value.kind == RM_NULL && back.metadata == NULL);
        }
        rmi_wire_clear(&packer);
        rm_packet_clear(&packet);
    }
}

/* ---- Bytes that were changed ---- */

static void every_truncation_fails(void **unused)
{
    rmt_heap heap;
    rm_value value = sample(NULL, false), back = rm_null();
    rmi_wire_writer packer = packed(value);
    (void)unused;
    rmt_heap_init(&heap, 0);
    for (size_t length = 0; length < packer.length; length++)
        assert_int_equal(unpack(&heap.allocator, packer.data, length, &back, NULL), RM_E_VALUE);
    assert_int_equal(heap.live_blocks, 0);
    rmi_wire_clear(&packer);
    rm_value_clear(&value);
}

/* After any byte was changed, reading gives a usable value or an error. */
static void every_changed_byte_is_survived(void **unused)
{
    rmt_heap heap;
    rm_value value = sample(NULL, false);
    rmi_wire_writer packer = packed(value);
    (void)unused;
    rmt_heap_init(&heap, 0);
    for (size_t i = 0; i < packer.length; i++) {
        const uint8_t before = packer.data[i];
        for (unsigned change = 1; change < 256; change += change < 16 ? 1 : 15) {
            rm_value back = rm_null(), plain = rm_null();
            char *text = NULL;
            size_t length = 0;
            packer.data[i] = (uint8_t)(before ^ change);
            if (unpack(&heap.allocator, packer.data, packer.length, &back, NULL) == RM_OK) {
                rmi_wire_writer again = packed(back);
                rmi_wire_clear(&again);
                if (rm_value_to_plain(&heap.allocator, back, &plain, NULL) == RM_OK &&
                    rm_json_write(&heap.allocator, plain, RM_JSON_ARRAYS_AS_LISTS, &text, &length, NULL,
                                  NULL) != RM_OK)
                    assert_null(text);
                rm_text_free(&heap.allocator, text, length);
            }
            rm_value_clear(&plain);
            rm_value_clear(&back);
            assert_int_equal(heap.live_blocks, 0);
        }
        packer.data[i] = before;
    }
    assert_int_equal(heap.mistakes, 0);
    rmi_wire_clear(&packer);
    rm_value_clear(&value);
}

/* ---- Memory that runs out ---- */

static void gives_the_answer_or_out_of_memory(void **unused)
{
    rm_value value = sample(NULL, false);
    rmi_wire_writer whole = packed(value);
    (void)unused;
    for (size_t nth = 1, faults = 1; faults != 0; nth++) {
        rm_value back = rm_null();
        rm_error err = {0};
        rmt_heap heap;
        rmt_heap_init(&heap, nth);
        int rc = unpack(&heap.allocator, whole.data, whole.length, &back, &err);
        if (rc == RM_OK) {
            rmi_wire_writer packer;
            rmi_wire_init(&packer, &heap.allocator);
            rc = rmi_wire_write(&packer, back, &err);
            if (rc == RM_OK)
                assert_memory_equal(packer.data, whole.data, whole.length);
            rmi_wire_clear(&packer);
        }
        faults = heap.faults;
        if (rc != (faults != 0 ? RM_E_OUT_OF_MEMORY : RM_OK) || err.code != rc)
            fail_msg("allocation %zu: %d %s", nth, rc, err.message);
        rm_value_clear(&back);
        assert_int_equal(heap.live_blocks, 0);
    }
    rmi_wire_clear(&whole);
    rm_value_clear(&value);
}

static void plain_forms_and_branches_run_out_of_memory(void **unused)
{
    (void)unused;
    for (size_t nth = 1, faults = 1; faults != 0; nth++) {
        rm_value value = rm_null(), plain = rm_null(), branch = rm_null();
        rm_error err = {0};
        rmt_heap heap;
        rmt_heap_init(&heap, nth);
        value = special(&heap.allocator, RMI_WIRE_DICT, "[1, 2, \"x\", [3], 1.5, 4]");
        int rc = value.kind == RM_OBJECT ? RM_OK : RM_E_OUT_OF_MEMORY;
        if (rc == RM_OK)
            rc = rm_value_for_branch(value, &branch, &err);
        if (rc == RM_OK)
            rc = rm_value_to_plain(&heap.allocator, branch, &plain, &err);
        faults = heap.faults;
        assert_int_equal(rc, faults != 0 ? RM_E_OUT_OF_MEMORY : RM_OK);
        rm_value_clear(&value);
        rm_value_clear(&branch);
        rm_value_clear(&plain);
        assert_int_equal(heap.live_blocks, 0);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_values_come_back),
        cmocka_unit_test(what_only_python_has_is_one_object),
        cmocka_unit_test(the_plain_form_is_that_of_the_python_host),
        cmocka_unit_test(a_key_without_a_plain_form_is_an_error),
        cmocka_unit_test(tensors_of_any_layout_are_packed_in_c_order),
        cmocka_unit_test(the_size_is_exact_and_too_little_room_is_told),
        cmocka_unit_test(packets_come_back),
        cmocka_unit_test(every_truncation_fails),
        cmocka_unit_test(every_changed_byte_is_survived),
        cmocka_unit_test(gives_the_answer_or_out_of_memory),
        cmocka_unit_test(plain_forms_and_branches_run_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
