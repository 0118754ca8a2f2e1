/* Memory, arenas, texts, errors and suggestions. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/check.h"
#include "base/suggest.h"
#include "base/text.h"
#include "tests/support/heap.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static void arrays_grow_and_refuse_to_wrap(void **unused)
{
    (void)unused;
    rmt_heap heap;
    void *block = NULL;
    size_t capacity = 0;
    rmt_heap_init(&heap, 0);
    for (size_t wanted = 1; wanted < 1000; wanted++) {
        assert_int_equal(rmi_grow(&heap.allocator, &block, &capacity, wanted, 24, NULL), RM_OK);
        assert_true(capacity >= wanted);
    }
    assert_true(heap.calls < 12);
    assert_int_equal(rmi_grow(&heap.allocator, &block, &capacity, SIZE_MAX / 8, 24, NULL),
                     RM_E_OUT_OF_MEMORY);
    rmi_free(&heap.allocator, block, capacity * 24);
    assert_int_equal(heap.live_blocks, 0);
    assert_int_equal(heap.mistakes, 0);
}

static void texts_for_messages_have_no_nul(void **unused)
{
    (void)unused;
    static const struct {
        const char *text;
        size_t length;
        const char *want;
    } texts[] = {
        {"plain", 5, "plain"},
        {"a\0b", 3, "a\\x00b"},
        {"\0\0", 2, "\\x00\\x00"},
        {"\0", 1, "\\x00"},
        {"1234567\0", 8, "1234567\\x00"},
        {"12345678\0", 9, "12345678..."},
        {"\0"
         "12345678",
         9, "\\x001234..."},
        {"\0"
         "123\u00e4\u00e4\u00e4",
         10, "\\x00123..."},
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        char buffer[12];
        const char *got = rmi_text_without_nul(texts[i].text, texts[i].length, buffer, sizeof buffer);
        assert_string_equal(got, texts[i].want);
        assert_true((got == texts[i].text) == (i == 0));
    }
}

static void zeroed_memory_is_zero(void **unused)
{
    (void)unused;
    rmt_heap heap;
    rmt_heap_init(&heap, 0);
    const rm_allocator *allocators[] = {NULL, rm_allocator_default(), &heap.allocator};
    for (size_t i = 0; i < COUNT(allocators); i++) {
        char *block = rmi_alloc_zeroed(allocators[i], 100);
        for (size_t at = 0; at < 100; at++)
            assert_int_equal(block[at], 0);
        rmi_free(allocators[i], block, 100);
        assert_null(rmi_alloc(allocators[i], 0));
    }
}

/* Large blocks come in large pages where the system has them, which must not keep them from growing. */
static void large_blocks_grow_and_shrink(void **unused)
{
    (void)unused;
    enum { STEP = 4096 };
    static const size_t sizes[] = {1 << 20, 9 << 20, 40 << 20, (40 << 20) + 5, 8 << 20, 100};
    unsigned char *block = NULL;
    size_t size = 0;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        block = rmi_resize(rm_allocator_default(), block, size, sizes[i]);
        assert_non_null(block);
        for (size_t at = 0; at < size && at < sizes[i]; at += STEP)
            assert_int_equal(block[at], (at / STEP) % 251);
        size = sizes[i];
        for (size_t at = 0; at < size; at += STEP)
            block[at] = (unsigned char)(at / STEP % 251);
    }
    rmi_free(rm_allocator_default(), block, size);
}

static void arenas_give_back_everything(void **unused)
{
    (void)unused;
    static const size_t sizes[] = {0, 1, 15, 16, 17, 1000, 3000, 70000, 8, 200000};
    for (size_t nth = 1, faults = 1; faults != 0; nth++) {
        rmt_heap heap;
        rmi_arena arena;
        rmt_heap_init(&heap, nth);
        rmi_arena_init(&arena, &heap.allocator);
        for (size_t i = 0; i < 100; i++) {
            size_t size = sizes[i % COUNT(sizes)];
            unsigned char *block = rmi_arena_alloc(&arena, size, 1);
            if (block == NULL)
                continue;
            assert_int_equal((uintptr_t)block % 16, 0);
            for (size_t at = 0; at < size; at++)
                assert_int_equal(block[at], 0);
            memset(block, 0xff, size);
        }
        char *text = rmi_arena_text(&arena, "hello!", 5);
        if (text != NULL)
            assert_string_equal(text, "hello");
        assert_null(rmi_arena_alloc(&arena, SIZE_MAX / 2, 4));
        assert_null(rmi_arena_alloc(&arena, SIZE_MAX, 1));
        faults = heap.faults;
        rmi_arena_free(&arena);
        assert_int_equal(heap.live_blocks, 0);
        assert_int_equal(heap.mistakes, 0);
    }
}

static void texts_remember_failures(void **unused)
{
    (void)unused;
    for (size_t nth = 1, faults = 1; faults != 0; nth++) {
        rmt_heap heap;
        rmi_text text;
        char *whole = NULL;
        size_t length = 0;
        rmt_heap_init(&heap, nth);
        rmi_text_init(&text, &heap.allocator);
        for (int i = 0; i < 100; i++)
            rmi_text_printf(&text, "%d,", i);
        rmi_text_append_c(&text, "end");
        rmi_text_append(&text, NULL, 0);
        int rc = rmi_text_take(&text, &whole, &length, NULL);
        faults = heap.faults;
        assert_int_equal(rc, faults != 0 ? RM_E_OUT_OF_MEMORY : RM_OK);
        if (rc == RM_OK) {
            assert_int_equal(length, strlen(whole));
            assert_memory_equal(whole, "0,1,2,3,", 8);
            assert_string_equal(whole + length - 6, "99,end");
            rm_text_free(&heap.allocator, whole, length);
        }
        assert_int_equal(heap.live_blocks, 0);
        assert_int_equal(heap.mistakes, 0);
    }
}

static void bad_utf8_is_found(void **unused)
{
    (void)unused;
    static const struct {
        const char *text;
        size_t length, bad;
    } rows[] = {
        {"", 0, 0},
        {"plain text, more than eight bytes", 33, 33},
        {"a\0b", 3, 3},
        {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x8e\xb5", 9, 9},
        {"12345678\xff", 9, 8},
        {"abc\x80", 4, 3},
        {"ab\xc3", 3, 2},
        {"\xc0\xaf", 2, 0},
        {"\xe0\x80\xaf", 3, 0},
        {"x\xed\xa0\x80", 4, 1},
        {"\xed\x9f\xbf", 3, 3},
        {"\xf0\x80\x80\x80", 4, 0},
        {"\xf4\x90\x80\x80", 4, 0},
        {"\xf4\x8f\xbf\xbf", 4, 4},
        {"\xf5\x80\x80\x80", 4, 0},
        {"\xe2\x82", 2, 0},
        {"\xe2(\xa1", 3, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (rmi_utf8_check(rows[i].text, rows[i].length) != rows[i].bad)
            fail_msg("row %zu: %zu", i, rmi_utf8_check(rows[i].text, rows[i].length));
    }
}

static void release_detail(rm_error *err)
{
    rm_value_clear(&err->detail);
}

static void errors_are_cut_and_moved(void **unused)
{
    (void)unused;
    char long_text[1000];
    rm_error err = {0}, other = {0};
    memset(long_text, 'x', sizeof long_text);
    memcpy(long_text + 507, "\xc3\xa9", 2); /* a character on the edge */
    long_text[999] = '\0';
    assert_int_equal(rm_error_set(NULL, RM_E_VALUE, "ignored"), RM_E_VALUE);
    assert_int_equal(rm_error_set(&err, RM_E_VALUE, "%s", long_text), RM_E_VALUE);
    assert_true(strlen(err.message) < sizeof err.message);
    assert_string_equal(err.message + strlen(err.message) - 3, "...");
    assert_int_equal(rmi_utf8_check(err.message, strlen(err.message)), strlen(err.message));
    rm_error_hint(&err, "%s", long_text);
    rm_error_pointer(&err, "/nodes/%d", 3);
    (void)rm_error_set(&err, RM_E_IO, "again: %.5s", err.message); /* its own text as argument */
    assert_string_equal(err.message, "again: xxxxx");
    assert_string_equal(err.hint, "");
    assert_false(err.has_pointer);
    rm_value detail = rm_null();
    assert_int_equal(rm_string_new(NULL, "trace", 5, &detail, NULL), RM_OK);
    err.detail = detail;
    err.release = release_detail;
    rm_error_move(&other, &err);
    assert_int_equal(err.code, RM_OK);
    assert_int_equal(err.detail.kind, RM_NULL);
    assert_int_equal(other.code, RM_E_IO);
    assert_int_equal(other.detail.kind, RM_STRING);
    rm_error_move(&other, &other);
    rm_error_move(NULL, &other);
    assert_int_equal(other.detail.kind, RM_NULL);
    rm_error_hint(NULL, "x");
    rm_error_pointer(NULL, "x");
    rm_error_clear(NULL);
}

/* By what the error is, and not by what its message says. */
static void running_out_of_memory_is_explained(void **unused)
{
    static const struct {
        int code;
        const char *message;
        bool no_memory;
        uint64_t limit;
        const char *hint;
    } rows[] = {
        {RM_E_OUT_OF_MEMORY, "out of memory", false, 4096, "its sandbox has a limit of 4096 bytes of memory"},
        {RM_E_PYTHON, "Full", true, 4096, "its sandbox has a limit of 4096 bytes of memory"},
        {RM_E_PYTHON, "MemoryError", false, 4096, ""},
        {RM_E_OUT_OF_MEMORY, "out of memory", true, 0, ""},
    };
    (void)unused;
    for (size_t i = 0; i < COUNT(rows); i++) {
        rm_error err = {0}, moved = {0};
        (void)rm_error_set(&err, rows[i].code, "%s", rows[i].message);
        err.no_memory = rows[i].no_memory;
        rm_error_move(&moved, &err);
        assert_false(err.no_memory);
        rmi_explain_memory(&moved, rows[i].limit);
        assert_string_equal(moved.hint, rows[i].hint);
    }
    rmi_explain_memory(NULL, 4096);
}

static void codes_have_names(void **unused)
{
    (void)unused;
    assert_string_equal(rm_code_name(RM_OK), "ok");
    assert_string_equal(rm_code_name(RM_E_OUT_OF_MEMORY), "out_of_memory");
    assert_string_equal(rm_code_name(RM_E_CANCELLED), "cancelled");
    assert_string_equal(rm_code_name(RM_E_CANCELLED - 1), "unknown");
    assert_string_equal(rm_code_name(RM_MORE), "unknown");
}

static void suggestions_are_near(void **unused)
{
    (void)unused;
    static const char *const known[] = {"factor",      "addend", "operation", "gain_db",
                                        "PassThrough", "Echo",   "id"};
    static const struct {
        const char *word, *want;
    } rows[] = {
        {"facter", "factor"},
        {"fcator", "factor"},
        {"FACTOR", "factor"},
        {"operations", "operation"},
        {"gain", "gain_db"},
        {"passthrough", "PassThrough"},
        {"PassThru", "PassThrough"},
        {"ehco", "Echo"},
        {"multiplier", NULL},
        {"xyz", NULL},
        {"", NULL},
        {"q", NULL},
        {"ID", "id"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        rmi_suggestion suggestion = rmi_suggest_for(rows[i].word);
        for (size_t k = 0; k < COUNT(known); k++)
            rmi_suggest_offer(&suggestion, known[k]);
        if (rows[i].want == NULL ? suggestion.best != NULL
                                 : suggestion.best == NULL || strcmp(suggestion.best, rows[i].want) != 0)
            fail_msg("%s: %s", rows[i].word, suggestion.best != NULL ? suggestion.best : "nothing");
    }
}

/* Run in a child process: nothing else comes back from a check that fails. */
static int end_of_check(bool holds)
{
    int status = 0;
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const struct rlimit no_dump = {0, 0};
        (void)setrlimit(RLIMIT_CORE, &no_dump);
        (void)fclose(stderr);
        RMI_CHECK(holds);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

static void checks_abort_only_where_they_are_on(void **unused)
{
    (void)unused;
    assert_int_equal(end_of_check(true), 0);
    assert_int_equal(end_of_check(false), RM_CHECKS ? SIGABRT : 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrays_grow_and_refuse_to_wrap),
        cmocka_unit_test(texts_for_messages_have_no_nul),
        cmocka_unit_test(zeroed_memory_is_zero),
        cmocka_unit_test(large_blocks_grow_and_shrink),
        cmocka_unit_test(arenas_give_back_everything),
        cmocka_unit_test(texts_remember_failures),
        cmocka_unit_test(bad_utf8_is_found),
        cmocka_unit_test(errors_are_cut_and_moved),
        cmocka_unit_test(running_out_of_memory_is_explained),
        cmocka_unit_test(codes_have_names),
        cmocka_unit_test(suggestions_are_near),
        cmocka_unit_test(checks_abort_only_where_they_are_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
