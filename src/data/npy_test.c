/* Heads of NPY files, and arrays as lists: their text, and out of memory at each allocation. Whole files and
 * more kinds of elements are in tests/cases/arrays-output.json. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "data/npy.h"
#include "tests/support/heap.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define VERSION_1(length) "\x93NUMPY\x01\x00" length

typedef struct head_case {
    const char *label;
    rm_tensor view;
    bool fortran;
    const char *start; /* of the head, behind its version and length; or of the message */
    size_t length;     /* of the whole head; 0: an error */
} head_case;

static const int64_t shape[] = {3, 4}, one[] = {1};

static const head_case heads[] = {
    {"float32",
     {.dtype = RM_FLOAT32, .item_size = 4, .dimensions = 2, .shape = shape},
     false,
     "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }",
     128},
    {"Fortran order",
     {.dtype = RM_INT8, .item_size = 1, .dimensions = 2, .shape = shape},
     true,
     "{'descr': '|i1', 'fortran_order': True, 'shape': (3, 4), }",
     128},
    {"no dimensions",
     {.dtype = RM_BOOL8, .item_size = 1},
     false,
     "{'descr': '|b1', 'fortran_order': False, 'shape': (), }",
     128},
    {"letters",
     {.dtype = RM_OPAQUE,
      .item_size = 8,
      .description = "\"datetime64[10ns]\"",
      .dimensions = 1,
      .shape = one},
     false,
     "{'descr': '<M8[10ns]', 'fortran_order': False, 'shape': (1,), }",
     128},
    {"a record",
     {.dtype = RM_OPAQUE,
      .item_size = 12,
      .description =
          "[[\"it's\",\"=i2\"],[[\"T\",\"\\u00e9\\ud83d\\ude00\\u20ac\"],\">f4\",[2]],[\"\",\"V2\"]]"},
     false,
     "{'descr': [('it\\'s', '<i2'), (('T', '\\xe9\\U0001f600\\u20ac'), '>f4', (2,)), ('', '|V2')], "
     "'fortran_order': False, 'shape': (), }",
     192},
    {"bfloat16", {.dtype = RM_BFLOAT16, .item_size = 2, .dimensions = 1, .shape = one}, false, "bfloat16", 0},
    {"a dtype of ml_dtypes",
     {.dtype = RM_OPAQUE, .item_size = 1, .dimensions = 1, .shape = one, .description = "\"float8_e5m2\""},
     false,
     "float8_e5m2",
     0},
    {"bfloat16 in a record",
     {.dtype = RM_OPAQUE, .item_size = 2, .description = "[[\"x\",\"bfloat16\"]]"},
     false,
     "bfloat16",
     0},
};

/* Each with its 1st, 2nd, ... allocation failing; the round without a fault must give the result. */
static void heads_are_as_numpy_writes_them(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < COUNT(heads); i++) {
        for (size_t nth = 1, faults = 1; faults != 0; nth++) {
            const head_case *given = &heads[i];
            rmt_heap heap;
            rm_error err = {0};
            rmi_text text;
            rmt_heap_init(&heap, nth);
            rmi_text_init(&text, &heap.allocator);
            int rc = rmi_npy_append_head(&text, &given->view, given->fortran, &err);
            faults = heap.faults;
            if (faults != 0)
                assert_int_equal(rc, RM_E_OUT_OF_MEMORY);
            else if (given->length == 0 &&
                     (rc != RM_E_UNSUPPORTED || strstr(err.message, given->start) == NULL))
                fail_msg("%s: %d %s", given->label, rc, err.message);
            else if (given->length != 0 &&
                     (rc != RM_OK || text.length != given->length || text.data[text.length - 1] != '\n' ||
                      (unsigned char)text.data[8] + 10u != given->length || text.data[9] != 0 ||
                      memcmp(text.data, VERSION_1(""), 8) != 0 ||
                      memcmp(text.data + 10, given->start, strlen(given->start)) != 0))
                fail_msg("%s: %d %s: %.*s", given->label, rc, err.message, (int)text.length, text.data);
            rmi_text_clear(&text);
            rm_error_clear(&err);
            assert_int_equal(heap.live_blocks, 0);
            assert_int_equal(heap.mistakes, 0);
        }
    }
}

/* A description past 64 KiB needs the second version of the format. */
static void long_heads_have_version_2(void **unused)
{
    (void)unused;
    enum { FIELDS = 3600 };
    rmi_text description, text;
    rmi_text_init(&description, NULL);
    rmi_text_init(&text, NULL);
    for (int i = 0; i < FIELDS; i++)
        rmi_text_printf(&description, "%s[\"f%05d\",\"|b1\"]", i == 0 ? "[" : ",", i);
    rmi_text_append_c(&description, "]");
    const rm_tensor view = {.dtype = RM_OPAQUE, .item_size = FIELDS, .description = description.data};
    assert_int_equal(rmi_npy_append_head(&text, &view, false, NULL), RM_OK);
    assert_memory_equal(text.data, "\x93NUMPY\x02\x00", 8);
    assert_int_equal(text.length % 64, 0);
    assert_int_equal((unsigned char)text.data[8] + 256 * (unsigned char)text.data[9] +
                         65536 * (unsigned char)text.data[10],
                     text.length - 12);
    rmi_text_clear(&text);
    rmi_text_clear(&description);
}

static const struct {
    const char *json;
    int rc;
    const char *want; /* the text, or a part of the message */
    bool had_nan;
} lists[] = {
    {"{\"__numpy__\":true,\"array\":{\"meta\":{\"shape\":[2,1],\"dtype\":\"float32\"},\"data\":\"zczMPQAAwH8=\"}}",
     RM_OK, "[[0.1],[null]]", true},
    {"[{\"__numpy__\":true,\"array\":{\"meta\":{\"shape\":[1],\"dtype\":\"<U2\"},\"data\":\"6QAAAAAAAAA=\"}}]",
     RM_OK, "[[\"\xc3\xa9\"]]", false},
    {"{\"__numpy__\":true,\"array\":{\"meta\":{\"shape\":[],\"dtype\":[[\"x\",\"<M8[s]\"],[\"y\",\"|i1\",[1,2]]]},"
     "\"data\":\"AAAAAAAAAAABAg==\"}}",
     RM_OK, "{\"x\":\"1970-01-01T00:00:00\",\"y\":[[1,2]]}", false},
    {"[0,{\"__numpy__\":true,\"array\":{\"meta\":{\"shape\":[1],\"dtype\":\"V1\"},\"data\":\"AA==\"}}]",
     RM_E_UNSUPPORTED, "V1", false},
};

static void lists_are_written_or_memory_is_out(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < COUNT(lists); i++) {
        rm_value value = rm_null();
        assert_int_equal(rm_json_parse(NULL, lists[i].json, strlen(lists[i].json), 0, &value, NULL), RM_OK);
        for (size_t nth = 1, faults = 1; faults != 0; nth++) {
            rmt_heap heap;
            rm_error err = {0};
            char *text = NULL;
            size_t length = 0;
            bool had_nan = false;
            rmt_heap_init(&heap, nth);
            int rc = rm_json_write(&heap.allocator, value, RM_JSON_ARRAYS_AS_LISTS, &text, &length, &had_nan,
                                   &err);
            faults = heap.faults;
            if (rc != (faults != 0 ? RM_E_OUT_OF_MEMORY : lists[i].rc))
                fail_msg("%s: %d %s", lists[i].json, rc, err.message);
            if (rc == RM_OK) {
                assert_string_equal(text, lists[i].want);
                assert_int_equal(had_nan, lists[i].had_nan);
                rm_text_free(&heap.allocator, text, length);
            } else if (faults == 0) {
                assert_non_null(strstr(err.message, lists[i].want));
            }
            rm_error_clear(&err);
            assert_int_equal(heap.live_blocks, 0);
        }
        rm_value_clear(&value);
    }
}

/* Every number of 16 bits reads back, and no shorter text does. */
static void narrow_floats_read_back(void **unused)
{
    (void)unused;
    const int64_t shape_of_all[] = {0x7C00};
    rm_value all = rm_null();
    char *text = NULL;
    size_t length = 0;
    assert_int_equal(rm_tensor_new(NULL, RM_FLOAT16, 1, shape_of_all, &all, NULL), RM_OK);
    uint16_t *halves = rm_tensor_view(all).data;
    for (uint16_t bits = 0; bits < 0x7C00; bits++)
        halves[bits] = bits;
    assert_int_equal(rm_json_write(NULL, all, RM_JSON_ARRAYS_AS_LISTS, &text, &length, NULL, NULL), RM_OK);
    const char *at = text + 1;
    double below = -1, at_least = 0;
    for (uint16_t bits = 0; bits < 0x7C00; bits++) {
        char *end = NULL;
        const double read = strtod(at, &end);
        const int exponent = bits >> 10 > 0 ? bits >> 10 : 1;
        double exact = (bits & 0x3FF) + (bits >> 10 > 0 ? 1024.0 : 0.0), step = 1.0;
        for (int k = exponent; k < 25; k++)
            exact /= 2, step /= 2;
        for (int k = 25; k < exponent; k++)
            exact *= 2, step *= 2;
        if (read <= below || read < exact - step / 2 || read > exact + step / 2 || end - at > 12)
            fail_msg("%04x: %.*s", bits, (int)(end - at), at);
        below = read;
        at = end + 1;
        at_least += exact == read;
    }
    assert_true(at_least > 2048); /* small whole numbers and the like stay the same */
    rm_text_free(NULL, text, length);
    rm_value_clear(&all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_are_as_numpy_writes_them),
        cmocka_unit_test(long_heads_have_version_2),
        cmocka_unit_test(lists_are_written_or_memory_is_out),
        cmocka_unit_test(narrow_floats_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
