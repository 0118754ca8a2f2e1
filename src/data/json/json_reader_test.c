/* Reading text after text with one reader gives what reading each alone gives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "data/json/json.h"
#include "data/value.h"
#include "tests/support/heap.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static const char *const texts[] = {
    "{\"id\":1,\"name\":\"a\",\"value\":0.5}",
    "{\"id\":2,\"name\":\"b \\u00e9\",\"value\":[1,{\"id\":3}]}",
    "{\"id\":1,\"name\":2,\"id\":3,\"di\":4,\"\":5,\"\":6}",
    "17",
    "\"\\\"quoted\\\"\"",
    "{\"abc\":1,\"aXc\":2,\"abc\":3}", /* keys of one place each */
    "{\"abc\":1,\"adbYc\":2,\"aebZc\":2}",
    "{\"\\\"\":1,\"a key longer than those which are kept, seventy characters or a little more\":2}",
    "{\"\\\"\":1,\"a key longer than those which are kept, seventy characters or a little more\":2,"
    "\"a key longer than those which are kept, seventy characters or a little more\":3}",
    "[{\"k0\":0,\"k1\":1,\"k2\":2,\"k3\":3,\"k4\":4,\"k5\":5,\"k6\":6,\"k7\":7,\"k8\":8,\"k9\":9,\"k3\":10}]",
    "{\"id\":",
    "{\"__pickled__\":1}",
    "123456789012345678901234567890",
    "{\"id\":null,\"name\":true,\"value\":{\"__numpy__\":true,\"array\":{\"meta\":{\"shape\":[1],"
    "\"dtype\":\"int8\"},\"data\":\"AQ==\"}}}",
};

static void check_same(const char *text, int rc, rm_value value, const rm_error *err)
{
    rm_value alone = rm_null();
    rm_error alone_err = {0};
    if (rm_json_parse(NULL, text, strlen(text), 0, &alone, &alone_err) != rc)
        fail_msg("%s: %s, alone: %s", text, err->message, alone_err.message);
    if (!rm_value_equal(value, alone))
        fail_msg("%s: other than alone", text);
    assert_string_equal(err->message, alone_err.message);
    assert_string_equal(err->pointer, alone_err.pointer);
    rm_error_clear(&alone_err);
    rm_value_clear(&alone);
}

/* Reads every text, and holds all values until the end; *faulty: memory ran out. */
static void read_all(rmi_json_reader *reader, bool *faulty)
{
    rm_value values[COUNT(texts)];
    for (size_t i = 0; i < COUNT(texts); i++) {
        rm_error err = {0};
        int rc = rmi_json_reader_read(reader, texts[i], strlen(texts[i]), &values[i], &err);
        *faulty |= rc == RM_E_OUT_OF_MEMORY;
        if (rc != RM_E_OUT_OF_MEMORY)
            check_same(texts[i], rc, values[i], &err);
        rm_error_clear(&err);
    }
    for (size_t i = 0; i < COUNT(texts); i++)
        rm_value_clear(&values[i]);
}

/* With the 1st, 2nd, ... allocation failing; reading goes on after it. */
static void one_after_the_other_as_alone(void **unused)
{
    (void)unused;
    for (size_t nth = 1, faults = 1; faults != 0; nth++) {
        rmt_heap heap;
        rmi_json_reader *reader = NULL;
        bool faulty = false;
        rmt_heap_init(&heap, nth);
        faulty = rmi_json_reader_new(&heap.allocator, 0, &reader, NULL) != RM_OK;
        for (int round = 0; reader != NULL && round < 2; round++)
            read_all(reader, &faulty);
        faults = heap.faults;
        assert_int_equal(faulty, faults != 0);
        rmi_json_reader_free(reader);
        assert_int_equal(heap.live_blocks, 0);
        assert_int_equal(heap.mistakes, 0);
    }
}

/* Many keys and many items: more owners than were counted in advance, and keys that take the places of
 * others. */
static void keys_outlive_their_places(void **unused)
{
    (void)unused;
    rmi_json_reader *reader = NULL;
    rm_value values[3] = {0}, item;
    assert_int_equal(rmi_json_reader_new(NULL, 0, &reader, NULL), RM_OK);
    for (int i = 0; i < 20000; i++) {
        char text[64];
        int length = snprintf(text, sizeof text, "{\"same\":%d,\"key %d\":1}", i, i % 300);
        rm_value_clear(&values[i % 3]);
        assert_int_equal(rmi_json_reader_read(reader, text, (size_t)length, &values[i % 3], NULL), RM_OK);
        (void)snprintf(text, sizeof text, "key %d", i % 300);
        assert_true(rm_map_get(values[i % 3], text, strlen(text), NULL));
        assert_true(rm_map_get(values[i % 3], "same", 4, &item));
        assert_int_equal(item.i, i);
    }
    for (int i = 0; i < 3; i++)
        rm_value_clear(&values[i]);
    rmi_json_reader_free(reader);
    rmi_json_reader_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_after_the_other_as_alone),
        cmocka_unit_test(keys_outlive_their_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
