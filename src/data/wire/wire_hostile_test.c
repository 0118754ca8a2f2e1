/* What a hostile guest may send instead of a packed value, and the limits both ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "data/wire/wire.h"
#include "tests/support/wire_bytes.h"

/* ---- Limits ---- */

static rm_value nested(const rm_allocator *allocator, size_t levels)
{
    rm_value value = rm_null(), outer = rm_null();
    for (size_t i = 0; i < levels; i++) {
        assert_int_equal(rm_list_new(allocator, 1, &outer, NULL), RM_OK);
        assert_int_equal(rm_list_append(&outer, value, NULL), RM_OK);
        value = outer;
    }
    return value;
}

static void nesting_has_a_limit_both_ways(void **unused)
{
    rm_value deepest = nested(NULL, 200), deeper = nested(NULL, 201), back = rm_null();
    rm_error err = {0};
    rmi_wire_writer packer;
    uint8_t message[201 * 5 + 1];
    (void)unused;
    rmi_wire_init(&packer, NULL);
    assert_int_equal(rmi_wire_write(&packer, deeper, &err), RM_E_LIMIT);
    assert_string_equal(err.message, "a value is nested deeper than 200 levels");
    rmi_wire_clear(&packer);
    packer = packed(deepest);
    assert_int_equal(unpack(NULL, packer.data, packer.length, &back, NULL), RM_OK);
    assert_true(rm_value_equal(back, deepest));
    for (size_t i = 0; i < 201; i++)
        memcpy(message + i * 5, "\x08\x01\0\0\0", 5);
    message[201 * 5] = RMI_WIRE_NULL;
    rm_value_clear(&back);
    assert_int_equal(unpack(NULL, message, sizeof message, &back, &err), RM_E_LIMIT);
    assert_string_equal(err.message, "a value is nested deeper than 200 levels, at byte 1000");
    rmi_wire_clear(&packer);
    rm_value_clear(&deepest);
    rm_value_clear(&deeper);
}

static void long_integers_are_refused_both_ways(void **unused)
{
    uint8_t digits[1800], message[1805] = {RMI_WIRE_BIGINT, 1800 & 255, 1800 >> 8};
    rm_value value = rm_null();
    rm_error err = {0};
    rmi_wire_writer packer;
    (void)unused;
    memset(digits, 0x7f, sizeof digits);
    memset(message + 5, 0x7f, 1800);
    assert_int_equal(rm_integer_from_bytes(NULL, digits, sizeof digits, &value, NULL), RM_OK);
    rmi_wire_init(&packer, NULL);
    assert_int_equal(rmi_wire_write(&packer, value, &err), RM_E_LIMIT);
    rm_value_clear(&value);
    assert_int_equal(unpack(NULL, message, sizeof message, &value, &err), RM_E_LIMIT);
    assert_string_equal(err.message, "an integer has more than 4300 digits, at byte 5");
    rmi_wire_clear(&packer);
}

/* ---- Bytes that are no value ---- */

#define TENSOR(dtype, dimensions, media, flags) "\x0a" dtype dimensions media flags
#define RATE "\0\0\0\0\0\0\0\0\0\0\0\0"
#define BYTES(text) text, sizeof(text) - 1

static const struct {
    const char *label, *bytes;
    size_t length;
    int rc;
    const char *message;
} broken[] = {
    {"nothing", BYTES(""), RM_E_VALUE, "a packed value ends too early, at byte 0"},
    {"an unknown tag", BYTES("\x08\x01\0\0\0\x10"), RM_E_VALUE,
     "a packed value has an unknown tag at byte 5"},
    {"a short integer", BYTES("\x03\0\0\0"), RM_E_VALUE, "a packed value ends too early, at byte 4"},
    {"a string past the end",
     BYTES("\x06\xff\xff\xff\xff"
           "a"),
     RM_E_VALUE, "a packed value ends too early, at byte 6"},
    {"no UTF-8",
     BYTES("\x06\x03\0\0\0"
           "a\xff"
           "b"),
     RM_E_VALUE, "a packed value has text that is not UTF-8 at byte 6"},
    {"no UTF-8 in a key", BYTES("\x09\x01\0\0\0\x01\0\0\0\xff\0"), RM_E_VALUE,
     "a packed value has text that is not UTF-8 at byte 9"},
    {"many items", BYTES("\x08\xff\xff\xff\xff\0\0"), RM_E_VALUE,
     "a packed value promises 4294967295 items where there cannot be so many, at byte 1"},
    {"many keys", BYTES("\x09\x02\0\0\0\0\0\0\0\0\0\0\0\0"), RM_E_VALUE,
     "a packed value promises 2 items where there cannot be so many, at byte 1"},
    {"items that the outer list needs", BYTES("\x08\x03\0\0\0\x08\x03\0\0\0\0\0\0"), RM_E_VALUE,
     "a packed value promises 3 items where there cannot be so many, at byte 6"},
    {"a key twice", BYTES("\x09\x02\0\0\0\x01\0\0\0a\0\x01\0\0\0a\0"), RM_E_VALUE,
     "a packed value has a key twice at byte 11"},
    {"a list in a set", BYTES("\x0c\x01\0\0\0\x08\0\0\0\0"), RM_E_VALUE,
     "a packed value has a key or an element of a set that cannot be one at byte 5"},
    {"a set in a tuple in a set", BYTES("\x0d\x01\0\0\0\x0b\x01\0\0\0\x0c\0\0\0\0"), RM_E_VALUE,
     "a packed value has a key or an element of a set that cannot be one at byte 5"},
    {"a bytearray as a key", BYTES("\x0e\x01\0\0\0\x0f\0\0\0\0\0"), RM_E_VALUE,
     "a packed value has a key or an element of a set that cannot be one at byte 5"},
    {"dtype 0", BYTES(TENSOR("\0", "\0", "\0", "\0") RATE "\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), RM_E_VALUE,
     "a packed value has a tensor of an unknown dtype at byte 1"},
    {"dtype 16", BYTES(TENSOR("\x10", "\0", "\0", "\0") RATE "\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
     RM_E_VALUE, "a packed value has a tensor of an unknown dtype at byte 1"},
    {"65 dimensions", BYTES(TENSOR("\x01", "\x41", "\0", "\0") RATE "\x01\0\0\0"), RM_E_VALUE,
     "a packed value has a tensor of too many dimensions at byte 1"},
    {"elements of another size", BYTES(TENSOR("\x0c", "\0", "\0", "\0") RATE "\x08\0\0\0"), RM_E_VALUE,
     "a packed value has a tensor whose elements are not of their dtype's size at byte 1"},
    {"audio of one dimension", BYTES(TENSOR("\x0c", "\x01", "\x01", "\0") RATE "\x04\0\0\0"), RM_E_VALUE,
     "a packed value has a tensor that is no media it could be at byte 1"},
    {"unknown flags", BYTES(TENSOR("\x02", "\0", "\0", "\x04") RATE "\x01\0\0\0"), RM_E_VALUE,
     "a packed value has a tensor with unknown flags at byte 1"},
    {"a description of float32", BYTES(TENSOR("\x0c", "\0", "\0", "\0") RATE "\x04\0\0\0\x01\0\0\0x"),
     RM_E_VALUE, "a packed value has a tensor with a description that its dtype does not need at byte 25"},
    {"no description", BYTES(TENSOR("\x11", "\0", "\0", "\0") RATE "\x04\0\0\0\0\0\0\0"), RM_E_VALUE,
     "a packed value has a tensor whose elements are not what their description says at byte 25"},
    {"a description of another size",
     BYTES(TENSOR("\x11", "\0", "\0", "\0") RATE "\x04\0\0\0\x05\0\0\0\">f8\""), RM_E_VALUE,
     "a packed value has a tensor whose elements are not what their description says at byte 25"},
    {"a description of our own", BYTES(TENSOR("\x11", "\0", "\0", "\0") RATE "\x08\0\0\0\x05\0\0\0\"<f8\""),
     RM_E_VALUE, "a packed value has a tensor whose elements are not what their description says at byte 25"},
    {"a negative dimension",
     BYTES(TENSOR("\x02", "\x01", "\0", "\0") RATE "\x01\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff"
                                                   "\0\0\0\0\0\0\0\0"),
     RM_E_VALUE, "a packed value has a tensor with a negative dimension at byte 25"},
    {"a shape past all memory",
     BYTES(TENSOR("\x05", "\x01", "\0", "\0") RATE "\x08\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\x7f"
                                                   "\0\0\0\0\0\0\0\0"),
     RM_E_LIMIT, "a tensor of this shape does not fit memory, at byte 25"},
    {"another number of bytes",
     BYTES(TENSOR("\x02", "\0", "\0", "\0") RATE "\x01\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0"), RM_E_VALUE,
     "a packed value has a tensor with more or fewer bytes than its shape needs at byte 25"},
    {"a gap with something in it",
     BYTES(TENSOR("\x02", "\0", "\0", "\0") RATE "\x01\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0"
                                                 "\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\x05"),
     RM_E_VALUE, "a packed value has something else than zeros before a tensor's elements at byte 37"},
};

static void what_is_wrong_is_told_with_its_place(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        rm_value value = rm_null();
        rm_error err = {0};
        const int rc = unpack(NULL, broken[i].bytes, broken[i].length, &value, &err);
        if (rc != broken[i].rc || strcmp(err.message, broken[i].message) != 0)
            fail_msg("%s: %d %s", broken[i].label, rc, err.message);
    }
}

/* An allocator that records the most memory in use. */
typedef struct limited {
    rm_allocator allocator;
    size_t taken, most;
} limited;

static void *limited_resize(void *context, void *block, size_t old_size, size_t new_size)
{
    limited *l = context;
    l->taken += new_size;
    l->taken -= old_size;
    l->most = l->taken > l->most ? l->taken : l->most;
    return rmi_resize(NULL, block, old_size, new_size);
}

/* Lists in lists, each of which promises as many items as there are bytes. */
static void promises_take_no_more_memory_than_bytes_could_fill(void **unused)
{
    enum { LENGTH = 100000 };
    limited l = {.allocator = {.context = &l, .resize = limited_resize}};
    uint8_t *message = calloc(1, LENGTH);
    rm_value value = rm_null();
    (void)unused;
    for (uint32_t slack = 0; slack < 20; slack++) {
        for (uint32_t level = 0; level < 150; level++) {
            const uint32_t count = LENGTH - (level + 1) * 5 - slack;
            message[level * 5] = RMI_WIRE_LIST;
            memcpy(message + level * 5 + 1, &count, 4);
        }
        assert_int_equal(unpack(&l.allocator, message, LENGTH, &value, NULL), RM_E_VALUE);
    }
    assert_int_equal(l.taken, 0);
    assert_true(l.most < 40 * LENGTH);
    free(message);
}

/* Values that take more memory than their bytes, as what they become; `count` times `item` behind the head. */
static const struct {
    const char *label, *head;
    size_t head_length;
    uint32_t count; /* as the head promises it */
    const char *item;
    size_t item_length;
} swelling[] = {
    {"a list of nulls", BYTES("\x08"), 1000, BYTES("\0")},
    {"a list of empty lists", BYTES("\x08"), 300, BYTES("\x08\0\0\0\0")},
    {"a list of empty maps", BYTES("\x08"), 300, BYTES("\x09\0\0\0\0")},
    {"a list of empty texts", BYTES("\x08"), 300, BYTES("\x06\0\0\0\0")},
    {"a list of bytes", BYTES("\x08"), 300, BYTES("\x07\1\0\0\0x")},
    {"a list of long integers", BYTES("\x08"), 300, BYTES("\x05\x09\0\0\0\0\0\0\0\0\0\0\0\1")},
    {"a list of tuples", BYTES("\x08"), 300, BYTES("\x0b\1\0\0\0\0")},
    {"a list of bytearrays", BYTES("\x08"), 300, BYTES("\x0f\0\0\0\0")},
    {"a tuple of sets", BYTES("\x0b"), 300, BYTES("\x0c\1\0\0\0\0")},
    {"a list of maps of one", BYTES("\x08"), 300, BYTES("\x09\1\0\0\0\0\0\0\0\0")},
    {"a dict", BYTES("\x0e"), 300, BYTES("\0\0")},
};

/* However much memory is allowed: no more than that is taken at any time, and with enough of it the value is read. */
static void memory_is_bounded_while_values_are_read(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof swelling / sizeof *swelling; i++) {
        const size_t start = swelling[i].head_length + 4, step = swelling[i].item_length,
                     length = start + swelling[i].count * step;
        uint8_t *message = calloc(1, length);
        assert_non_null(message);
        memcpy(message, swelling[i].head, swelling[i].head_length);
        memcpy(message + swelling[i].head_length, &swelling[i].count, 4);
        for (size_t n = 0; n < swelling[i].count; n++)
            memcpy(message + start + n * step, swelling[i].item, step);
        int rc = RM_E_LIMIT;
        for (size_t left = 0; rc != RM_OK; left += 997) {
            limited l = {.allocator = {.context = &l, .resize = limited_resize}};
            rmi_wire_bound bound = {.left = left};
            size_t offset = 0;
            rm_value value = rm_null();
            rc = rmi_wire_read_within(&l.allocator, message, length, &offset, &bound, &value, NULL);
            if ((rc != RM_OK && rc != RM_E_LIMIT) || bound.over != (rc == RM_E_LIMIT) || l.most > left ||
                left > 40 * length + 1000)
                fail_msg("%s, %zu bytes of memory: %d, %zu taken", swelling[i].label, left, rc, l.most);
            rm_value_clear(&value);
            assert_int_equal(l.taken, 0);
        }
        free(message);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(nesting_has_a_limit_both_ways),
        cmocka_unit_test(long_integers_are_refused_both_ways),
        cmocka_unit_test(what_is_wrong_is_told_with_its_place),
        cmocka_unit_test(promises_take_no_more_memory_than_bytes_could_fill),
        cmocka_unit_test(memory_is_bounded_while_values_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
