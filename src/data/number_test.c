/* Arithmetic and the spelling of numbers, compared with Python's results (tests/support/number_cases.py). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "data/json/json.h"
#include "platform/platform.h"
#include "tests/support/heap.h"

static const char *const operations[] = {
    [RM_ADD] = "add",       [RM_SUBTRACT] = "subtract", [RM_MULTIPLY] = "multiply",
    [RM_DIVIDE] = "divide", [RM_POWER] = "power",       [RM_MODULO] = "modulo",
};

/* The next word of a line, ended with NUL in place. */
static char *next_word(char **at)
{
    char *word = *at, *end = word + strcspn(word, " ");
    *at = *end != '\0' ? end + 1 : end;
    *end = '\0';
    return word;
}

static rm_value number(const rm_allocator *allocator, const char *text)
{
    rm_value value = rm_null();
    assert_int_equal(rm_json_parse(allocator, text, strlen(text), 0, &value, NULL), RM_OK);
    return value;
}

static void check_arithmetic(rmt_heap *heap, const char *name, const char *a_text, const char *b_text,
                             const char *want)
{
    char *got = NULL;
    size_t length = 0;
    rm_value result = rm_null(), a = number(&heap->allocator, a_text), b = number(&heap->allocator, b_text);
    rm_operation operation = RM_ADD;
    while (strcmp(operations[operation], name) != 0)
        operation++;
    int rc = rm_number_compute(&heap->allocator, operation, a, b, &result, NULL);
    if (rc != RM_OK) {
        if (strcmp(rm_code_name(rc), want) != 0)
            fail_msg("%s %s %s: %s, wanted %s", name, a_text, b_text, rm_code_name(rc), want);
    } else {
        assert_int_equal(rm_json_write(&heap->allocator, result, 0, &got, &length, NULL, NULL), RM_OK);
        if (strcmp(got, want) != 0)
            fail_msg("%s %s %s: %s, wanted %s", name, a_text, b_text, got, want);
        rm_text_free(&heap->allocator, got, length);
    }
    rm_value_clear(&a);
    rm_value_clear(&b);
    rm_value_clear(&result);
}

static void check_spelling(const char *bits_text, const char *want)
{
    char got[RMI_FLOAT_TEXT + 1] = "";
    uint64_t bits = strtoull(bits_text, NULL, 16);
    double value = 0;
    memcpy(&value, &bits, sizeof value);
    got[rmi_float_text(value, got)] = '\0';
    assert_string_equal(got, want);
}

static void answers_as_python_does(void **unused)
{
    (void)unused;
    char *text = NULL;
    size_t length = 0, lines = 0;
    rmt_heap heap;
    rmt_heap_init(&heap, 0);
    assert_int_equal(rmi_platform_read_file(NULL, RMT_SOURCE_DIR "/tests/unit/number_cases.txt", SIZE_MAX,
                                            &text, &length, NULL),
                     RM_OK);
    for (char *line = text, *end = NULL; (end = strchr(line, '\n')) != NULL; line = end + 1, lines++) {
        *end = '\0';
        char *at = line, *kind = next_word(&at), *a = next_word(&at), *b = next_word(&at);
        if (strcmp(kind, "repr") == 0)
            check_spelling(a, b);
        else
            check_arithmetic(&heap, kind, a, b, next_word(&at));
    }
    assert_true(lines > 1500);
    assert_int_equal(heap.live_blocks, 0);
    assert_int_equal(heap.mistakes, 0);
    rm_text_free(NULL, text, length);
}

static void refuses_what_is_no_number(void **unused)
{
    (void)unused;
    rm_error err = {0};
    rm_value text = rm_null(), out = rm_null();
    assert_int_equal(rm_string_new(NULL, "x", 1, &text, NULL), RM_OK);
    assert_int_equal(rm_number_compute(NULL, RM_ADD, text, rm_int(1), &out, &err), RM_E_TYPE);
    assert_non_null(strstr(err.message, "string and int"));
    assert_int_equal(rm_number_compute(NULL, RM_ADD, rm_null(), rm_float(1), &out, &err), RM_E_TYPE);
    assert_int_equal(rm_number_compute(NULL, (rm_operation)99, rm_int(1), rm_int(1), &out, &err), RM_E_USAGE);
    rm_error_clear(&err);
    rm_value_clear(&text);
}

static void bytes_are_twos_complement(void **unused)
{
    (void)unused;
    static const struct {
        const char *text;
        size_t length;
        uint8_t bytes[17];
    } cases[] = {
        {"0", 1, {0}},
        {"-1", 1, {0xff}},
        {"127", 1, {0x7f}},
        {"128", 2, {0x80, 0}},
        {"-128", 1, {0x80}},
        {"-129", 2, {0x7f, 0xff}},
        {"9223372036854775807", 8, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}},
        {"-9223372036854775808", 8, {0, 0, 0, 0, 0, 0, 0, 0x80}},
        {"9223372036854775808", 9, {0, 0, 0, 0, 0, 0, 0, 0x80, 0}},
        {"-9223372036854775809", 9, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0xff}},
        {"18446744073709551616", 9, {0, 0, 0, 0, 0, 0, 0, 0, 1}},
        {"-18446744073709551616", 9, {0, 0, 0, 0, 0, 0, 0, 0, 0xff}},
        {"-170141183460469231731687303715884105728", 16, {[15] = 0x80}},
        {"170141183460469231731687303715884105728", 17, {[15] = 0x80}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t bytes[32] = {0};
        rm_value value = number(NULL, cases[i].text), back = rm_null();
        assert_int_equal(rm_integer_to_bytes(value, bytes, sizeof bytes), cases[i].length);
        assert_memory_equal(bytes, cases[i].bytes, cases[i].length);
        assert_int_equal(rm_integer_from_bytes(NULL, bytes, cases[i].length, &back, NULL), RM_OK);
        assert_true(rm_value_equal(value, back));
        rm_value_clear(&back);
        for (size_t more = cases[i].length; more < sizeof bytes; more++) /* sign extension changes nothing */
            bytes[more] = cases[i].bytes[cases[i].length - 1] >= 0x80 ? 0xff : 0;
        assert_int_equal(rm_integer_from_bytes(NULL, bytes, sizeof bytes, &back, NULL), RM_OK);
        assert_true(rm_value_equal(value, back));
        assert_int_equal(rm_integer_to_bytes(value, bytes, 0), cases[i].length);
        rm_value_clear(&back);
        rm_value_clear(&value);
    }
}

static void text_is_checked(void **unused)
{
    (void)unused;
    rm_value out = rm_null();
    char digits[4302];
    memset(digits, '9', sizeof digits);
    assert_int_equal(rm_integer_parse(NULL, "", 0, &out, NULL), RM_E_PARSE);
    assert_int_equal(rm_integer_parse(NULL, "-", 1, &out, NULL), RM_E_PARSE);
    assert_int_equal(rm_integer_parse(NULL, "1x", 2, &out, NULL), RM_E_PARSE);
    assert_int_equal(rm_integer_parse(NULL, "+7", 2, &out, NULL), RM_OK);
    assert_int_equal(out.i, 7);
    assert_int_equal(rm_integer_parse(NULL, digits, 4301, &out, NULL), RM_E_LIMIT);
    digits[0] = '-';
    assert_int_equal(rm_integer_parse(NULL, digits, 4301, &out, NULL), RM_OK);
    assert_int_equal(out.kind, RM_BIGINT);
    rm_value_clear(&out);
}

static void too_long_integers_do_not_print(void **unused)
{
    (void)unused;
    uint8_t bytes[4000] = {[3999] = 1};
    char *text = NULL;
    size_t length = 0;
    rm_value value = rm_null(), out = rm_null();
    assert_int_equal(rm_integer_from_bytes(NULL, bytes, sizeof bytes, &value, NULL), RM_OK);
    assert_int_equal(rm_json_write(NULL, value, 0, &text, &length, NULL, NULL), RM_E_LIMIT);
    assert_int_equal(rm_number_compute(NULL, RM_ADD, value, rm_int(1), &out, NULL), RM_E_LIMIT);
    assert_int_equal(rm_number_compute(NULL, RM_MULTIPLY, value, rm_float(1), &out, NULL), RM_E_ARITHMETIC);
    rm_value_clear(&value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_as_python_does),         cmocka_unit_test(refuses_what_is_no_number),
        cmocka_unit_test(bytes_are_twos_complement),      cmocka_unit_test(text_is_checked),
        cmocka_unit_test(too_long_integers_do_not_print),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
