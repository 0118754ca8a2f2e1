/* Long strings in JSON are read in their own way, which must not show. Each text is read twice, with its long
 * part long and short, and must give the same kind of result. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "data/json/json.h"
#include "tests/support/heap.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* "@" in a text is base64 for as many bytes as "#" says: 3 for each part. */
enum { PART = 4, SHORT = 1, LONG = 70000 };
#define ARRAY(data) \
    "{\"__numpy__\":true,\"array\":{\"meta\":{\"shape\":[#],\"dtype\":\"int8\"},\"data\":\"" data "\"}}"
#define SMALL "{\"__numpy__\":true,\"array\":{\"meta\":{\"shape\":[3],\"dtype\":\"int8\"},\"data\":\"QUJD\"}}"

static const struct {
    const char *text;
    int rc;
    const char *says;
} cases[] = {
    {ARRAY("@"), RM_OK, NULL},
    {"[" ARRAY("@") "," ARRAY("@") "]", RM_OK, NULL},
    {"[" SMALL "," SMALL "," ARRAY("@") "," SMALL "," SMALL "]", RM_OK, NULL},
    {"\xEF\xBB\xBF [1, " ARRAY("@") "\n]", RM_OK, NULL},
    {"\"@\"", RM_OK, NULL},
    {"[\"@\",\"@\",\"x@\",\"@ x\"]", RM_OK, NULL},
    {"{\"@\":1}", RM_OK, NULL},
    {"{\"@\":\"@\",\"a\":\"@\",\"a\":2}", RM_OK, NULL},
    {"\"\\\"@\"", RM_OK, NULL},
    {"\"@\\\"\"", RM_OK, NULL},
    {"\"@\\n@\"", RM_OK, NULL},
    {"\"@\xc3\xa9@\"", RM_OK, NULL},
    {"[\"@\"", RM_E_PARSE, "unexpected end"},
    {"\"@", RM_E_PARSE, "unexpected end"},
    {"\"@\n@\"", RM_E_PARSE, "control character"},
    {"\"@\xff@\"", RM_E_PARSE, "UTF-8"},
    {"\"@\\x@\"", RM_E_PARSE, "escape"},
    {"[\"a\"@\"b\"]", RM_E_PARSE, "unexpected"},
    {"[@]", RM_E_PARSE, "unexpected"},
    {"[\"@\",]", RM_E_PARSE, "trailing comma"},
    {"[\"@\",1e999]", RM_E_LIMIT, "1e999"},
    {ARRAY("@QUJD"), RM_E_VALUE, "shape and dtype need"},
    {ARRAY("@@"), RM_E_VALUE, "shape and dtype need"},
    {ARRAY(""), RM_E_VALUE, "too short"},
    {"[" ARRAY("@") "," ARRAY("@!!!!") "]", RM_E_VALUE, "shape and dtype need"},
    {"{\"__numpy__\":true,\"array\":{\"meta\":{\"shape\":[#],\"dtype\":\"@\"},\"data\":\"@\"}}", RM_E_VALUE,
     "unknown dtype 'QUJD"},
    {"{\"__numpy__\":true,\"array\":{\"meta\":{\"shape\":[#],\"dtype\":\"int8\"},\"data\":\"@\",\"data\":\"@\x01\"}}",
     RM_E_PARSE, "control character"},
    {"{\"__numpy__\":true,\"array\":{\"meta\":{\"shape\":[#],\"dtype\":\"int8\"},\"data\":\"@\",\"data\":\"@\"}}",
     RM_OK, NULL},
    {"{\"__numpy__\":true,\"array\":{\"meta\":{\"shape\":[#],\"dtype\":\"int8\"},\"date\":\"@\"}}", RM_OK,
     NULL},
};

static void expand(rmi_text *out, const char *text, size_t parts)
{
    rmi_text_init(out, NULL);
    for (; *text != '\0'; text++) {
        for (size_t i = 0; *text == '@' && i < parts; i++)
            rmi_text_append(out, "QUJD", PART);
        if (*text == '#')
            rmi_text_printf(out, "%zu", 3 * parts);
        else if (*text != '@')
            rmi_text_append(out, text, 1);
    }
    assert_false(out->failed);
}

/* The value is the same after writing and reading it again, and a tensor or string has all its bytes. */
static void check_value(const char *label, rm_value value, const rmi_text *given)
{
    rm_value again = rm_null();
    char *text = NULL;
    size_t length = 0;
    assert_int_equal(rm_json_write(NULL, value, 0, &text, &length, NULL, NULL), RM_OK);
    assert_int_equal(rm_json_parse(NULL, text, length, 0, &again, NULL), RM_OK);
    if (!rm_value_equal(value, again))
        fail_msg("%s: what is written is another value", label);
    for (size_t i = 0; i < rm_tensor_bytes(value); i++)
        assert_int_equal(((const char *)rm_tensor_view(value).data)[i], "ABC"[i % 3]);
    if (value.kind == RM_STRING && memchr(given->data, '\\', given->length) == NULL)
        assert_memory_equal(rm_string_text(value, NULL), given->data + 1, given->length - 2);
    rm_text_free(NULL, text, length);
    rm_value_clear(&again);
}

static void check(size_t i, size_t parts, size_t nth, size_t *faults)
{
    rmt_heap heap;
    rm_error err = {0};
    rmi_text text;
    rm_value value = rm_null();
    rmt_heap_init(&heap, nth);
    expand(&text, cases[i].text, parts);
    int rc = rm_json_parse(&heap.allocator, text.data, text.length, 0, &value, &err);
    *faults = heap.faults;
    if (rc != (*faults != 0 ? RM_E_OUT_OF_MEMORY : cases[i].rc) || err.code != rc)
        fail_msg("%s, %zu parts: %d %s", cases[i].text, parts, rc, err.message);
    if (rc == RM_OK)
        check_value(cases[i].text, value, &text);
    else if (*faults == 0 && strstr(err.message, cases[i].says) == NULL)
        fail_msg("%s, %zu parts: \"%s\" lacks \"%s\"", cases[i].text, parts, err.message, cases[i].says);
    rm_value_clear(&value);
    rm_error_clear(&err);
    rmi_text_clear(&text);
    assert_int_equal(heap.live_blocks, 0);
    assert_int_equal(heap.mistakes, 0);
}

static void long_and_short_ones_are_read_alike(void **unused)
{
    (void)unused;
    const size_t parts[] = {SHORT, 8192, 16384, 16400, LONG};
    for (size_t i = 0; i < COUNT(cases); i++) {
        for (size_t k = 0; k < COUNT(parts); k++) {
            size_t faults = 0;
            check(i, parts[k], 0, &faults);
        }
    }
}

static void memory_may_run_out_anywhere(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < COUNT(cases); i++)
        for (size_t nth = 1, faults = 1; faults != 0; nth++)
            check(i, LONG, nth, &faults);
}

/* Where strings begin and end must not matter. */
static void any_place_is_good(void **unused)
{
    (void)unused;
    enum { STEP = 1999, LAST = 140000 };
    for (size_t before = 0; before < LAST; before += STEP) {
        rmi_text text;
        rm_value value = rm_null();
        rmi_text_init(&text, NULL);
        rmi_text_append_c(&text, "[\"");
        for (size_t i = 0; i < before / PART; i++)
            rmi_text_append(&text, "QUJD", PART);
        rmi_text_printf(&text, "\",%*s\"", (int)(before % 97), "");
        for (size_t i = 0; i < LONG / 2 + before / PART; i++)
            rmi_text_append(&text, "REVG", PART);
        rmi_text_append_c(&text, "\",7]");
        assert_false(text.failed);
        assert_int_equal(rm_json_parse(NULL, text.data, text.length, 0, &value, NULL), RM_OK);
        size_t first = 0, second = 0;
        (void)rm_string_text(rm_list_get(value, 0), &first);
        const char *long_one = rm_string_text(rm_list_get(value, 1), &second);
        assert_int_equal(first, before / PART * PART);
        assert_int_equal(second, (LONG / 2 + before / PART) * PART);
        assert_memory_equal(long_one, "REVG", PART);
        assert_memory_equal(long_one + second - PART, "REVG", PART);
        assert_int_equal(rm_list_get(value, 2).i, 7);
        rm_value_clear(&value);
        rmi_text_clear(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(long_and_short_ones_are_read_alike),
        cmocka_unit_test(memory_may_run_out_anywhere),
        cmocka_unit_test(any_place_is_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
