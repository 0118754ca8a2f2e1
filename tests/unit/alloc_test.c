/* Runs every case whose nodes are native with its 1st, 2nd, ... allocation failing: the result is the full
 * one or "out of memory", and nothing stays allocated. */
#include <glob.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "remotemedia/node.h"
#include "tests/support/heap.h"

enum { LONGEST_ANSWER = 1 << 16 };

/* The result of a run: its code, and outputs or error message as text. */
struct answer {
    int rc;
    char text[LONGEST_ANSWER];
};

static void describe(const rm_allocator *allocator, rm_value outputs, const rm_error *err,
                     struct answer *answer)
{
    char *json = NULL;
    size_t length = 0;
    if (answer->rc == RM_OK)
        answer->rc = rm_json_write(allocator, outputs, 0, &json, &length, NULL, NULL);
    (void)snprintf(answer->text, sizeof answer->text, "%s", answer->rc == RM_OK ? json : err->message);
    if (json != NULL)
        rm_text_free(allocator, json, length);
}

static void run_document(const rm_allocator *allocator, const char *text, size_t length,
                         struct answer *answer)
{
    const rm_config config = {.size = sizeof config, .allocator = allocator};
    rm_runtime *runtime = NULL;
    rm_manifest *manifest = NULL;
    rm_value outputs = rm_null();
    rm_error err = {0};
    answer->rc = rm_runtime_new(&config, &runtime, &err);
    if (answer->rc == RM_OK)
        answer->rc = rm_manifest_parse(runtime, text, length, &manifest, &err);
    if (answer->rc == RM_OK)
        answer->rc = rm_run(manifest, NULL, rm_manifest_input(manifest), &outputs, &err);
    describe(allocator, outputs, &err, answer);
    rm_value_clear(&outputs);
    rm_error_clear(&err);
    if (manifest != NULL)
        rm_manifest_free(manifest);
    if (runtime != NULL)
        rm_runtime_free(runtime);
}

/* Runs with one failing allocation, or all from the nth on. Returns false when the run ended before that
 * allocation. */
static bool run_failing(const char *name, const char *text, size_t length, size_t nth, bool keep,
                        bool loses_items, const struct answer *want, struct answer *got)
{
    rmt_heap heap;
    rmt_heap_init(&heap, nth);
    heap.keep_failing = keep;
    run_document(&heap.allocator, text, length, got);
    const bool same = got->rc == want->rc && strcmp(got->text, want->text) == 0;
    if (atomic_load(&heap.faults) == 0 && !same)
        fail_msg("%s: another answer without a failure: %d %s", name, got->rc, got->text);
    if (!same && got->rc != RM_E_OUT_OF_MEMORY && !(loses_items && got->rc == RM_OK))
        fail_msg("%s, allocation %zu%s: %d (%s) %s", name, nth, keep ? " and later" : "", got->rc,
                 rm_code_name(got->rc), got->text);
    if (atomic_load(&heap.live_blocks) != 0 || atomic_load(&heap.mistakes) != 0)
        fail_msg("%s, allocation %zu%s: %zu blocks left, %zu mistakes", name, nth, keep ? " and later" : "",
                 (size_t)atomic_load(&heap.live_blocks), (size_t)atomic_load(&heap.mistakes));
    return atomic_load(&heap.faults) != 0;
}

static rm_value member(rm_value map, const char *key)
{
    rm_value found = rm_null();
    rm_map_get(map, key, strlen(key), &found);
    return found;
}

/* Whether a run of the case needs nothing but its manifest and native nodes; *loses_items: a failed item
 * may be dropped. */
static bool is_native(const rm_runtime *runtime, rm_value test, bool *loses_items)
{
    static const char *const others[] = {"args", "command", "files", "stdin", "via", "env"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (rm_map_get(test, others[i], strlen(others[i]), NULL))
            return false;
    rm_value nodes = member(member(test, "manifest"), "nodes");
    if (nodes.kind != RM_LIST)
        return false;
    for (size_t i = 0; i < rm_list_length(nodes); i++) {
        rm_value type = member(rm_list_get(nodes, i), "node_type");
        if (type.kind != RM_STRING || rm_runtime_find_type(runtime, rm_string_text(type, NULL)) == NULL)
            return false;
        *loses_items |= member(rm_list_get(nodes, i), "on_error").kind == RM_STRING;
    }
    return true;
}

/* {"manifest", "input_data"} of a case as JSON text. */
static char *document_of(rm_value test, size_t *length)
{
    static const char *const keys[] = {"manifest", "input_data"};
    rm_value document = rm_null();
    char *text = NULL;
    assert_int_equal(rm_map_new(NULL, 2, &document, NULL), RM_OK);
    for (size_t i = 0; i < 2; i++) {
        rm_value part = member(test, keys[i]);
        if (part.kind == RM_NULL)
            continue;
        rm_value mine = rm_value_retain(part);
        assert_int_equal(rm_map_set(&document, keys[i], strlen(keys[i]), mine, NULL), RM_OK);
    }
    assert_int_equal(rm_json_write(NULL, document, 0, &text, length, NULL, NULL), RM_OK);
    rm_value_clear(&document);
    return text;
}

static void run_case(rm_value test, bool loses_items)
{
    static struct answer want, got;
    const char *name = rm_string_text(member(test, "name"), NULL);
    size_t length = 0;
    char *text = document_of(test, &length);
    rmt_heap heap;
    rmt_heap_init(&heap, 0);
    run_document(&heap.allocator, text, length, &want);
    const size_t calls = atomic_load(&heap.calls);
    assert_int_equal(atomic_load(&heap.live_blocks), 0);
    for (size_t nth = 1; nth <= calls; nth++) {
        bool reached = run_failing(name, text, length, nth, false, loses_items, &want, &got);
        (void)run_failing(name, text, length, nth, true, loses_items, &want, &got);
        if (!reached)
            fail_msg("%s: the run makes %zu allocations, then fewer than %zu", name, calls, nth);
    }
    rm_text_free(NULL, text, length);
}

static char *read_whole(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    const long size = ftell(file);
    assert_true(size > 0);
    rewind(file);
    char *text = malloc((size_t)size);
    assert_non_null(text);
    *length = fread(text, 1, (size_t)size, file);
    assert_int_equal(*length, (size_t)size);
    (void)fclose(file);
    return text;
}

/* Returns the number of cases that were run. */
static size_t run_file(const rm_runtime *runtime, const char *path)
{
    size_t length = 0, count = 0;
    char *text = read_whole(path, &length);
    rm_value cases = rm_null();
    rm_error err = {0};
    if (rm_json_parse(NULL, text, length, RM_JSON_RAW, &cases, &err) != RM_OK)
        fail_msg("%s: %s", path, err.message);
    const size_t n = cases.kind == RM_LIST ? rm_list_length(cases) : 1;
    for (size_t i = 0; i < n; i++) {
        rm_value test = cases.kind == RM_LIST ? rm_list_get(cases, i) : cases;
        bool loses_items = false;
        if (is_native(runtime, test, &loses_items)) {
            run_case(test, loses_items);
            count++;
        }
    }
    rm_value_clear(&cases);
    free(text);
    return count;
}

static void gives_the_answer_or_out_of_memory(void **unused)
{
    glob_t files = {0};
    rm_runtime *runtime = NULL;
    size_t count = 0;
    (void)unused;
    assert_int_equal(rm_runtime_new(NULL, &runtime, NULL), RM_OK);
    assert_int_equal(glob(RMT_SOURCE_DIR "/tests/cases/*.json", 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++)
        count += run_file(runtime, files.gl_pathv[i]);
    globfree(&files);
    rm_runtime_free(runtime);
    print_message("%zu cases\n", count);
    assert_true(count > 100);
}

int main(void)
{
    if (chdir(RMT_BUILD_DIR) != 0) /* some cases write files */
        return 1;
    const struct CMUnitTest tests[] = {cmocka_unit_test(gives_the_answer_or_out_of_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
