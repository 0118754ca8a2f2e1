/* Reading and writing JSON: values there and back, and the errors of texts that are no JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "data/json/json.h"
#include "tests/support/heap.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define ARRAY(meta, data) "{\"__numpy__\":true,\"array\":{\"meta\":{" meta "},\"data\":\"" data "\"}}"
#define TWO_FLOATS \
    "\"shape\":[2],\"dtype\":\"float32\",\"size\":2,\"c_contiguous\":true,\"f_contiguous\":true"

typedef struct json_case {
    const char *text;
    int rc;
    const char *want; /* the text that is written, or a part of message or hint */
    const char *pointer;
    unsigned flags;
} json_case;

static const json_case cases[] = {
    {"[]", RM_OK, "[]", NULL, 0},
    {" { } ", RM_OK, "{}", NULL, 0},
    {"\xEF\xBB\xBF[1]", RM_OK, "[1]", NULL, 0},
    {"[null,true,false,-0,-0.0,1,1.0,1e2,1E+2]", RM_OK, "[null,true,false,0,-0.0,1,1.0,100.0,100.0]", NULL,
     0},
    {"[9223372036854775807,9223372036854775808,-9223372036854775808,-9223372036854775809]", RM_OK,
     "[9223372036854775807,9223372036854775808,-9223372036854775808,-9223372036854775809]", NULL, 0},
    {"123456789012345678901234567890", RM_OK, "123456789012345678901234567890", NULL, 0},
    {"[1e16,1e-5,0.0001,1e22,123456.789,5e-324]", RM_OK, "[1e+16,1e-05,0.0001,1e+22,123456.789,5e-324]", NULL,
     0},
    {"{\"a\":1,\"b\":2,\"a\":3}", RM_OK, "{\"a\":3,\"b\":2}", NULL, 0},
    {"\"\\ud83c\\udfb5 \\u00e9 \\\" \\\\ \\/ \\b\\f\\n\\r\\t \\u0000 \\u001f\"", RM_OK,
     "\"\xf0\x9f\x8e\xb5 \xc3\xa9 \\\" \\\\ / \\b\\f\\n\\r\\t \\u0000 \\u001f\"", NULL, 0},
    {"{\"k1\":1,\"k2\":2,\"k3\":3,\"k4\":4,\"k5\":5,\"k6\":6,\"k7\":7,\"k8\":8,\"k9\":9,\"k10\":10,\"k3\":33}",
     RM_OK, "{\"k1\":1,\"k2\":2,\"k3\":33,\"k4\":4,\"k5\":5,\"k6\":6,\"k7\":7,\"k8\":8,\"k9\":9,\"k10\":10}",
     NULL, 0},
    {"[{\"x\":1,\"y\":[]},{\"x\":2,\"y\":{\"\":0}}]", RM_OK, "[{\"x\":1,\"y\":[]},{\"x\":2,\"y\":{\"\":0}}]",
     NULL, 0},
    {"-0", RM_OK, "0", NULL, 0},
    {"-0.0", RM_OK, "-0.0", NULL, 0},
    {"12345678901234", RM_OK, "12345678901234", NULL, 0},
    {"-999999999999999", RM_OK, "-999999999999999", NULL, 0},
    {"9999999999999999", RM_OK, "9999999999999999", NULL, 0},
    {"0.30000000000001", RM_OK, "0.30000000000001", NULL, 0},
    {"-1234567.8901234", RM_OK, "-1234567.8901234", NULL, 0},
    {"1.10", RM_OK, "1.1", NULL, 0},
    {"1.5e3 ", RM_OK, "1500.0", NULL, 0},
    {"-", RM_E_PARSE, "column 2: unexpected end", NULL, 0},
    {"-x", RM_E_PARSE, "no digit", NULL, 0},
    {"1.", RM_E_PARSE, "column 3: unexpected end", NULL, 0},
    {".5", RM_E_PARSE, "unexpected '.'", NULL, 0},
    {"-00", RM_E_PARSE, "leading zero", NULL, 0},
    {"00.5", RM_E_PARSE, "leading zero", NULL, 0},
    {"1.5.5", RM_E_PARSE, "unexpected content", NULL, 0},
    {"12a", RM_E_PARSE, "unexpected content", NULL, 0},
    {"", RM_E_PARSE, "empty", NULL, 0},
    {"  \n", RM_E_PARSE, "empty", NULL, 0},
    {"[1,\n 2,]", RM_E_PARSE, "line 2, column 3: trailing comma", NULL, 0},
    {"{\"\xc3\xa9\": x}", RM_E_PARSE, "line 1, column 7: unexpected 'x', expected a valid JSON value", NULL,
     0},
    {"[1 2]", RM_E_PARSE, "column 4: unexpected '2', expected a comma", NULL, 0},
    {"[1]\n\n  ]", RM_E_PARSE, "line 3, column 3: unexpected content after document", NULL, 0},
    {"[1, NaN]", RM_E_PARSE, "use null", NULL, 0},
    {"[-Infinity]", RM_E_PARSE, "no infinity", NULL, 0},
    {"nan", RM_E_PARSE, "use null", NULL, 0},
    {"{'a': 1}", RM_E_PARSE, "double quotes", NULL, 0},
    {"[1] // x", RM_E_PARSE, "no comments", NULL, 0},
    {"[True]", RM_E_PARSE, "true", NULL, 0},
    {"01", RM_E_PARSE, "leading zero", NULL, 0},
    {"[1", RM_E_PARSE, "column 3: unexpected end", NULL, 0},
    {"\"a", RM_E_PARSE, "unexpected end", NULL, 0},
    {"\"\\ud800\"", RM_E_PARSE, "column 2: a lone surrogate", NULL, 0},
    {"\"ab\\ud800\\u0041\"", RM_E_PARSE, "column 4: a lone surrogate", NULL, 0},
    {"\"\\udc00\"", RM_E_PARSE, "lone surrogate", NULL, 0},
    {"[\"a\xff\"]", RM_E_PARSE, "column 4: invalid UTF-8", NULL, 0},
    {"\"\xed\xa0\x80\"", RM_E_PARSE, "UTF-8", NULL, 0},
    {"[\xc3]", RM_E_PARSE, "byte 0xC3 is not UTF-8", NULL, 0},
    {"\"\n\"", RM_E_PARSE, "control character", NULL, 0},
    {"[1e400]", RM_E_LIMIT, "column 2: 1e400 is past the range", NULL, 0},
    {"-1.5e999", RM_E_LIMIT, "-1.5e999", NULL, 0},
    {"{\"__pickled__\":\"x\"}", RM_E_UNSUPPORTED, "__pickled__", "/__pickled__", 0},
    {"[0,{\"a/b\":{\"__pickled__\":1}}]", RM_E_UNSUPPORTED, "run any code", "/1/a~1b/__pickled__", 0},
    {"[{\"__pickled__\":1},1e999]", RM_E_LIMIT, "column 20: 1e999", NULL, 0},
    {"{\"__pickled__\":\"x\"}", RM_OK, "{\"__pickled__\":\"x\"}", NULL, RM_JSON_RAW},
    {ARRAY(TWO_FLOATS, "AACAPwAAAEA="), RM_OK, ARRAY(TWO_FLOATS, "AACAPwAAAEA="), NULL, 0},
    {ARRAY("\"shape\":[2],\"dtype\":\"<f4\"", "AACAPwAAAEA="), RM_OK, ARRAY(TWO_FLOATS, "AACAPwAAAEA="), NULL,
     0},
    {ARRAY(TWO_FLOATS, "short"), RM_OK, ARRAY(TWO_FLOATS, "short"), NULL, RM_JSON_RAW},
    {"{\"__numpy__\":true}", RM_OK, "{\"__numpy__\":true}", NULL, 0},
    {"{\"__numpy__\":true,\"array\":{\"meta\":{},\"data\":\"\"}}", RM_OK,
     "{\"__numpy__\":true,\"array\":{\"meta\":{},\"data\":\"\"}}", NULL, 0},
    {"[" ARRAY(TWO_FLOATS, "AACAPw==") "]", RM_E_VALUE, "has 4 bytes", "/0/array/data", 0},
    {"[" ARRAY(TWO_FLOATS, "AACAPw==") ",1e999]", RM_E_LIMIT, "1e999", NULL, 0},
    {ARRAY(TWO_FLOATS, "AACAPwAAA!A="), RM_E_VALUE, "not base64", "/array/data", 0},
    {ARRAY(TWO_FLOATS, "AACAPwA"), RM_E_VALUE, "multiple of 4", "/array/data", 0},
    {ARRAY("\"shape\":[2],\"dtype\":\"object\"", ""), RM_E_UNSUPPORTED, "references", "/array/meta/dtype", 0},
    {ARRAY("\"shape\":[2],\"dtype\":\"float33\"", ""), RM_E_VALUE, "unknown dtype 'float33'",
     "/array/meta/dtype", 0},
    {ARRAY("\"shape\":[1],\"dtype\":\"<M8[xs]\"", ""), RM_E_VALUE, "unknown dtype", "/array/meta/dtype", 0},
    {ARRAY("\"shape\":[1],\"dtype\":[[\"x\",\"O\"]]", ""), RM_E_UNSUPPORTED, "references",
     "/array/meta/dtype", 0},
    {ARRAY("\"shape\":[1],\"dtype\":[[\"x\"]]", ""), RM_E_VALUE, "field 0", "/array/meta/dtype", 0},
    {ARRAY("\"shape\":[1],\"dtype\":[[\"x\",\"V2000000000\"],[\"y\",\"V2000000000\"]]", ""), RM_E_LIMIT,
     "does not fit", "/array/meta/dtype", 0},
    {ARRAY("\"shape\":[1],\"dtype\":\">i2\",\"size\":1,\"c_contiguous\":true,\"f_contiguous\":true", "AAE="),
     RM_OK,
     ARRAY("\"shape\":[1],\"dtype\":\">i2\",\"size\":1,\"c_contiguous\":true,\"f_contiguous\":true", "AAE="),
     NULL, 0},
    {ARRAY("\"shape\":[1],\"dtype\":\"<M8[10ns]\",\"size\":1,\"c_contiguous\":true,\"f_contiguous\":true",
           "AAAAAAAAAAA="),
     RM_OK,
     ARRAY("\"shape\":[1],\"dtype\":\"<M8[10ns]\",\"size\":1,\"c_contiguous\":true,\"f_contiguous\":true",
           "AAAAAAAAAAA="),
     NULL, 0},
    {ARRAY("\"shape\":[1],\"dtype\":[[\"x\",\"<i2\"],[\"y\",\"|S1\",[2]]],\"size\":1,\"c_contiguous\":true,"
           "\"f_contiguous\":true",
           "AQBhYg=="),
     RM_OK,
     ARRAY("\"shape\":[1],\"dtype\":[[\"x\",\"<i2\"],[\"y\",\"|S1\",[2]]],\"size\":1,\"c_contiguous\":true,"
           "\"f_contiguous\":true",
           "AQBhYg=="),
     NULL, 0},
    {ARRAY("\"shape\":[-2],\"dtype\":\"int8\"", ""), RM_E_VALUE, "from 0", "/array/meta/shape", 0},
    {ARRAY("\"shape\":\"2\",\"dtype\":\"int8\"", ""), RM_E_TYPE, "list of sizes", "/array/meta/shape", 0},
    {ARRAY("\"shape\":[2],\"dtype\":\"int8\",\"size\":3", "AAA="), RM_E_VALUE, "size", "/array/meta/size", 0},
    {ARRAY("\"shape\":[4611686018427387904,4],\"dtype\":\"int8\"", ""), RM_E_LIMIT, "memory",
     "/array/meta/shape", 0},
    {ARRAY("\"shape\":[1000000000],\"dtype\":\"int8\"", ""), RM_E_VALUE, "too short", "/array/data", 0},
    {ARRAY("\"shape\":[2,2],\"dtype\":\"int8\",\"size\":4,\"c_contiguous\":false,\"f_contiguous\":true",
           "AAECAw=="),
     RM_OK,
     ARRAY("\"shape\":[2,2],\"dtype\":\"int8\",\"size\":4,\"c_contiguous\":false,\"f_contiguous\":true",
           "AAECAw=="),
     NULL, 0},
    {"{\"__numpy__\":true,\"array\":{\"meta\":{\"shape\":[1,1],\"dtype\":\"int16\",\"size\":1,\"c_contiguous\":true,"
     "\"f_contiguous\":true},\"data\":\"AQA=\"},\"media\":{\"kind\":\"audio\",\"sample_rate\":8000,"
     "\"channel_layout\":4}}",
     RM_OK,
     "{\"__numpy__\":true,\"array\":{\"meta\":{\"shape\":[1,1],\"dtype\":\"int16\",\"size\":1,\"c_contiguous\":true,"
     "\"f_contiguous\":true},\"data\":\"AQA=\"},\"media\":{\"kind\":\"audio\",\"sample_rate\":8000,"
     "\"channel_layout\":4}}",
     NULL, 0},
};

/* One case, there and back; the result is checked only while memory lasts. */
static int round_trip(const json_case *given, const rm_allocator *allocator, char **text, size_t *length,
                      rm_error *err)
{
    rm_value value = rm_null();
    *text = NULL;
    int rc = rm_json_parse(allocator, given->text, strlen(given->text), given->flags, &value, err);
    if (rc == RM_OK)
        rc = rm_json_write(allocator, value, 0, text, length, NULL, err);
    else
        assert_int_equal(value.kind, RM_NULL);
    rm_value_clear(&value);
    return rc;
}

static void check_answer(const json_case *given, int rc, const char *text, const rm_error *err)
{
    if (rc != given->rc || rc != err->code)
        fail_msg("%s: %s (%s)", given->text, rm_code_name(rc), err->message);
    if (rc == RM_OK)
        assert_string_equal(text, given->want);
    else if (strstr(err->message, given->want) == NULL && strstr(err->hint, given->want) == NULL)
        fail_msg("%s: \"%s\" (%s) lacks \"%s\"", given->text, err->message, err->hint, given->want);
    assert_int_equal(err->has_pointer, given->pointer != NULL);
    if (given->pointer != NULL)
        assert_string_equal(err->pointer, given->pointer);
}

/* Each case with its 1st, 2nd, ... allocation failing; the round without a fault must give the result. */
static void gives_the_answer_or_out_of_memory(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < COUNT(cases); i++) {
        for (size_t nth = 1, faults = 1; faults != 0; nth++) {
            rmt_heap heap;
            rm_error err = {0};
            char *text = NULL;
            size_t length = 0;
            rmt_heap_init(&heap, nth);
            int rc = round_trip(&cases[i], &heap.allocator, &text, &length, &err);
            faults = heap.faults;
            if (faults == 0)
                check_answer(&cases[i], rc, text, &err);
            else
                assert_int_equal(rc, RM_E_OUT_OF_MEMORY);
            if (text != NULL)
                rm_text_free(&heap.allocator, text, length);
            rm_error_clear(&err);
            assert_int_equal(heap.live_blocks, 0);
            assert_int_equal(heap.mistakes, 0);
        }
    }
}

/* ---- Sizes ---- */

static char *repeat(const char *part, size_t times, size_t *length)
{
    size_t size = strlen(part);
    char *text = test_malloc(size * times + 1);
    for (size_t i = 0; i < times; i++)
        memcpy(text + i * size, part, size);
    text[size * times] = '\0';
    *length = size * times;
    return text;
}

static void nesting_is_bounded(void **unused)
{
    (void)unused;
    static const struct {
        const char *open, *close;
        size_t times;
        int rc;
    } rows[] = {
        {"[", "]", 200, RM_OK},          {"[", "]", 201, RM_E_LIMIT}, {"{\"a\":", "}", 201, RM_E_LIMIT},
        {"[", "", 1000000, RM_E_LIMIT},  {"[", "", 200, RM_E_PARSE},  {"{\"a\":", "", 500000, RM_E_LIMIT},
        {"[\"[[[[\",", "]", 200, RM_OK}, {"[[],", "]", 199, RM_OK},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t opened = 0, closed = 0;
        rm_value value = rm_null();
        rm_error err = {0};
        char *open = repeat(rows[i].open, rows[i].times, &opened),
             *close = repeat(rows[i].close, rows[i].times, &closed);
        char *text = test_malloc(opened + closed + 2);
        memcpy(text, open, opened);
        text[opened] = '1';
        memcpy(text + opened + 1, close, closed + 1);
        int rc = rm_json_parse(NULL, text, opened + 1 + closed, 0, &value, &err);
        if (rc != rows[i].rc)
            fail_msg("%s x %zu: %s", rows[i].open, rows[i].times, err.message);
        rm_value_clear(&value);
        test_free(open);
        test_free(close);
        test_free(text);
    }
}

static void digits_are_bounded(void **unused)
{
    (void)unused;
    size_t length = 0, written = 0;
    char *digits = repeat("7", 4301, &length), *text = NULL;
    rm_value value = rm_null();
    rm_error err = {0};
    assert_int_equal(rm_json_parse(NULL, digits, 4301, 0, &value, &err), RM_E_LIMIT);
    assert_non_null(strstr(err.message, "4300"));
    assert_int_equal(rm_json_parse(NULL, digits, 4300, 0, &value, &err), RM_OK);
    assert_int_equal(rm_json_write(NULL, value, 0, &text, &written, NULL, NULL), RM_OK);
    assert_int_equal(written, 4300);
    assert_memory_equal(text, digits, 4300);
    rm_text_free(NULL, text, written);
    rm_value_clear(&value);
    test_free(digits);
}

/* ---- Writing ---- */

static void writes_as_asked(void **unused)
{
    (void)unused;
    static const struct {
        const char *text;
        unsigned flags;
        const char *want;
    } rows[] = {
        {"[5.0,2.5,-0.0,1e300,9e15]", RM_JSON_WHOLE_AS_INT, "[5,2.5,0,1e+300,9000000000000000]"},
        {"{\"a\":[1,{}],\"b\":[]}", RM_JSON_PRETTY, "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": []\n}"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        rm_value value = rm_null();
        char *text = NULL;
        size_t length = 0;
        assert_int_equal(rm_json_parse(NULL, rows[i].text, strlen(rows[i].text), 0, &value, NULL), RM_OK);
        assert_int_equal(rm_json_write(NULL, value, rows[i].flags, &text, &length, NULL, NULL), RM_OK);
        assert_string_equal(text, rows[i].want);
        rm_text_free(NULL, text, length);
        rm_value_clear(&value);
    }
}

static void nan_prints_as_null_and_bytes_do_not_print(void **unused)
{
    (void)unused;
    const double zero = 0.0;
    rm_value list = rm_null(), bytes = rm_null();
    rm_error err = {0};
    bool had_nan = false;
    char *text = NULL;
    size_t length = 0;
    assert_int_equal(rm_list_new(NULL, 0, &list, NULL), RM_OK);
    assert_int_equal(rm_list_append(&list, rm_float(zero / zero), NULL), RM_OK);
    assert_int_equal(rm_list_append(&list, rm_float(1 / zero), NULL), RM_OK);
    assert_int_equal(rm_json_write(NULL, list, 0, &text, &length, &had_nan, NULL), RM_OK);
    assert_string_equal(text, "[null,null]");
    assert_true(had_nan);
    rm_text_free(NULL, text, length);
    assert_int_equal(rm_bytes_new(NULL, "ab", 2, &bytes, NULL), RM_OK);
    assert_int_equal(rm_list_append(&list, bytes, NULL), RM_OK);
    assert_int_equal(rm_json_write(NULL, list, 0, &text, &length, NULL, &err), RM_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "bytes, found at /2"));
    assert_non_null(strstr(err.hint, "base64"));
    rm_error_clear(&err);
    rm_value_clear(&list);
}

static void deep_values_are_refused(void **unused)
{
    (void)unused;
    rm_value value = rm_null();
    char *text = NULL;
    size_t length = 0;
    for (int i = 0; i < 100000; i++) {
        rm_value outer = rm_null();
        assert_int_equal(rm_list_new(NULL, 1, &outer, NULL), RM_OK);
        assert_int_equal(rm_list_append(&outer, value, NULL), RM_OK);
        value = outer;
    }
    assert_int_equal(rm_json_write(NULL, value, 0, &text, &length, NULL, NULL), RM_E_LIMIT);
    assert_false(rm_value_equal(value, rm_null()));
    rm_value_clear(&value);
}

/* ---- Documents ---- */

static void documents_name_their_text(void **unused)
{
    (void)unused;
    rmi_json_document *document = NULL;
    rm_error err = {0};
    rm_value value = rm_null();
    assert_int_equal(rmi_json_read(NULL, "[1,\n x]", 7, "manifest", &document, &err), RM_E_PARSE);
    assert_non_null(strstr(err.message, "manifest at line 2, column 2"));
    assert_null(document);
    assert_int_equal(rmi_json_read(NULL, "{\"a\":[{\"__pickled__\":0}]}", 25, "m", &document, &err), RM_OK);
    assert_int_equal(rmi_json_to_value(NULL, rmi_json_root(document), 0, "/x", &value, &err),
                     RM_E_UNSUPPORTED);
    assert_string_equal(err.pointer, "/x/a/0/__pickled__");
    rmi_json_document_free(document);
    rmi_json_document_free(NULL);
    rm_error_clear(&err);
}

/* More values than the reader expects of a text of this size, so that it must grow. */
static void large_documents_survive_failing_memory(void **unused)
{
    (void)unused;
    rmi_json_document *document = NULL;
    size_t length = 0;
    char *text = repeat(" 1,1,1,1,", 20000, &length);
    text[0] = '[';
    text[length - 1] = ']';
    for (size_t nth = 1, faults = 1; faults != 0; nth++) {
        rmt_heap heap;
        rmt_heap_init(&heap, nth);
        int rc = rmi_json_read(&heap.allocator, text, length, "text", &document, NULL);
        faults = heap.faults;
        assert_int_equal(rc, faults != 0 ? RM_E_OUT_OF_MEMORY : RM_OK);
        if (rc == RM_OK)
            assert_int_equal(yyjson_arr_size(rmi_json_root(document)), 80000);
        rmi_json_document_free(document);
        assert_int_equal(heap.live_blocks, 0);
        assert_int_equal(heap.mistakes, 0);
    }
    test_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_answer_or_out_of_memory),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(digits_are_bounded),
        cmocka_unit_test(writes_as_asked),
        cmocka_unit_test(nan_prints_as_null_and_bytes_do_not_print),
        cmocka_unit_test(deep_values_are_refused),
        cmocka_unit_test(documents_name_their_text),
        cmocka_unit_test(large_documents_survive_failing_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
