/* Keys of values, and the cache of keys while values are read. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "data/keys.h"
#include "tests/support/heap.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static const struct {
    const char *json; /* NULL: `number` */
    double number;
    int rc;
    const char *key;
} cases[] = {
    {"\"a\\u00e9\"", 0, RM_OK, "a\xc3\xa9"},
    {"null", 0, RM_OK, "null"},
    {"true", 0, RM_OK, "true"},
    {"false", 0, RM_OK, "false"},
    {"-7", 0, RM_OK, "-7"},
    {"123456789012345678901234567890", 0, RM_OK, "123456789012345678901234567890"},
    {"1.0", 0, RM_OK, "1.0"},
    {"1e300", 0, RM_OK, "1e+300"},
    {NULL, NAN, RM_OK, "NaN"},
    {NULL, INFINITY, RM_OK, "Infinity"},
    {NULL, -INFINITY, RM_OK, "-Infinity"},
    {"[1]", 0, RM_E_UNSUPPORTED, "a dict key of type 'list' has no plain form"},
};

/* Each case with its 1st, 2nd, ... allocation failing. */
static void values_are_keys_or_are_refused(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < COUNT(cases); i++) {
        rm_value value = rm_float(cases[i].number);
        if (cases[i].json != NULL)
            assert_int_equal(rm_json_parse(NULL, cases[i].json, strlen(cases[i].json), 0, &value, NULL),
                             RM_OK);
        for (size_t nth = 1, faults = 1; faults != 0; nth++) {
            rmt_heap heap;
            rm_value key = rm_null();
            rm_error err = {0};
            rmt_heap_init(&heap, nth);
            const int rc = rmi_key_of(&heap.allocator, value, &key, &err);
            faults = heap.faults;
            assert_int_equal(rc, faults != 0 ? RM_E_OUT_OF_MEMORY : cases[i].rc);
            if (rc == RM_OK)
                assert_string_equal(rm_string_text(key, NULL), cases[i].key);
            else if (faults == 0)
                assert_string_equal(err.message, cases[i].key);
            rm_value_clear(&key);
            assert_int_equal(heap.live_blocks, 0);
        }
        rm_value_clear(&value);
    }
}

static void only_short_keys_have_a_place(void **unused)
{
    char text[RMI_LONGEST_KEPT_KEY + 1];
    (void)unused;
    memset(text, 'k', sizeof text);
    for (size_t length = 0; length <= sizeof text; length++) {
        const bool is_kept = length > 0 && length <= RMI_LONGEST_KEPT_KEY;
        assert_int_equal(rmi_key_place(text, length, 7) < 7, is_kept);
        assert_true(rmi_key_place(text, length, 7) <= 7);
    }
}

/* The same text is the same string, as long as no other text has come for its place. */
static void kept_keys_are_handed_out_again(void **unused)
{
    static const char *const texts[] = {"a", "abc", "a", "aXc", "abc", "a"};
    rm_heap *taken[COUNT(texts)];
    rmt_heap heap;
    rmi_keys keys = {.kept = 0};
    (void)unused;
    rmt_heap_init(&heap, 0);
    for (size_t i = 0; i < COUNT(texts); i++) {
        const size_t length = strlen(texts[i]);
        taken[i] = rmi_keys_take(&keys, rmi_key_place(texts[i], length, RMI_KEPT_KEYS), &heap.allocator,
                                 texts[i], length, NULL);
        assert_non_null(taken[i]);
    }
    assert_ptr_equal(taken[0], taken[2]);
    assert_ptr_equal(taken[0], taken[5]);
    assert_ptr_not_equal(taken[1], taken[3]);
    rmi_keys_clear(&keys);
    for (size_t i = 0; i < COUNT(texts); i++) {
        rm_value key = {.kind = RM_STRING, .heap = taken[i]};
        assert_string_equal(rm_string_text(key, NULL), texts[i]);
        rm_value_clear(&key);
    }
    assert_int_equal(heap.live_blocks, 0);
    rmt_heap_init(&heap, 1);
    rm_error err = {0};
    assert_null(rmi_keys_take(&keys, 0, &heap.allocator, "a", 1, &err));
    assert_int_equal(err.code, RM_E_OUT_OF_MEMORY);
    rmi_keys_clear(&keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_keys_or_are_refused),
        cmocka_unit_test(only_short_keys_have_a_place),
        cmocka_unit_test(kept_keys_are_handed_out_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
