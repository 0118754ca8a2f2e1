#include "tests/support/node_test.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- The test program's folder ------------------------------------------------------------------------- */

const char *rmt_directory(void)
{
    static char directory[] = "/tmp/rmt-XXXXXX";
    static bool made;
    if (!made && mkdtemp(directory) == NULL)
        fail_msg("cannot make a folder in /tmp");
    made = true;
    return directory;
}

static void path_of(const char *name, char *path, size_t size)
{
    (void)snprintf(path, size, "%s/%s", rmt_directory(), name);
}

static void remove_directory(void)
{
    char path[512];
    DIR *folder = opendir(rmt_directory());
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
        path_of(entry->d_name, path, sizeof path);
        if (entry->d_name[0] != '.')
            (void)unlink(path);
    }
    if (folder != NULL)
        (void)closedir(folder);
    (void)rmdir(rmt_directory());
}

void rmt_write(const char *name, const char *text, size_t length)
{
    char path[512];
    path_of(name, path, sizeof path);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    length = length == SIZE_MAX ? strlen(text) : length;
    assert_int_equal(fwrite(text, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

char *rmt_read(const char *name)
{
    char path[512];
    path_of(name, path, sizeof path);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        fail_msg("there is no %s", path);
    size_t length = 0, capacity = 4096;
    char *text = malloc(capacity);
    for (size_t got; text != NULL && (got = fread(text + length, 1, capacity - length - 1, file)) > 0;) {
        length += got;
        if (capacity - length < 2)
            text = realloc(text, capacity *= 2);
    }
    assert_non_null(text);
    text[length] = '\0';
    (void)fclose(file);
    return text;
}

/* ---- Values -------------------------------------------------------------------------------------------- */

rm_value rmt_json(const char *text)
{
    rm_error err = {0};
    rm_value value = rm_null();
    if (rm_json_parse(NULL, text, strlen(text), 0, &value, &err) != RM_OK)
        fail_msg("not JSON: %s: %s", text, err.message);
    return value;
}

rm_value rmt_audio(rm_dtype dtype, size_t frames, int32_t channels, int32_t sample_rate, const void *samples)
{
    const int64_t shape[] = {(int64_t)frames, channels};
    const rm_media media = {.kind = RM_MEDIA_AUDIO, .sample_rate = sample_rate};
    rm_value audio = rm_null();
    assert_int_equal(rm_tensor_new(NULL, dtype, 2, shape, &audio, NULL), RM_OK);
    assert_int_equal(rm_tensor_set_media(&audio, media, NULL), RM_OK);
    if (frames > 0)
        memcpy(rm_tensor_view(audio).data, samples, frames * (size_t)channels * rm_dtype_size(dtype));
    return audio;
}

/* The value as JSON, or the error's message; freed by the caller. */
static char *json_of(rm_value value)
{
    char *text = NULL;
    size_t length = 0;
    rm_error err = {0};
    const int rc = rm_json_write(NULL, value, 0, &text, &length, NULL, &err);
    char *copy = strdup(rc == RM_OK ? text : err.message);
    assert_non_null(copy);
    rm_text_free(NULL, text, length);
    return copy;
}

/* ---- Running ------------------------------------------------------------------------------------------- */

static void keep_log(void *context, rm_log_level level, const char *node, const char *text)
{
    rmt_result *result = context;
    (void)level, (void)node;
    (void)snprintf(result->log, sizeof result->log, "%s", text);
    result->logged++;
}

/* The manifest's text, with every {DIR} replaced; freed by the caller. */
static char *manifest_of(const rmt_setup *setup)
{
    char *text = NULL, *result = NULL, *at;
    size_t size = 0;
    FILE *out = open_memstream(&result, &size);
    assert_non_null(out);
    if (setup->manifest != NULL)
        text = strdup(setup->manifest);
    else if (asprintf(&text,
                      "{\"version\":\"v1\",\"metadata\":{\"name\":\"t\"},\"connections\":[],"
                      "\"nodes\":[{\"id\":\"n\",\"node_type\":\"%s\",\"params\":%s}]}",
                      setup->type, setup->params != NULL ? setup->params : "{}") < 0)
        text = NULL;
    assert_non_null(text);
    const char *rest = text;
    for (; (at = strstr(rest, "{DIR}")) != NULL; rest = at + 5)
        (void)fprintf(out, "%.*s%s", (int)(at - rest), rest, rmt_directory());
    (void)fputs(rest, out);
    assert_int_equal(fclose(out), 0);
    free(text);
    return result;
}

static void take_outputs(rmt_result *result, const rmt_setup *setup, rm_value *outputs)
{
    rm_value values = *outputs;
    if (setup->manifest == NULL)
        (void)rm_map_get(*outputs, "n", 1, &values);
    result->values = rm_value_retain(values);
    rm_value_clear(outputs);
}

rmt_result rmt_run(rmt_heap *heap, const rmt_setup *setup)
{
    rmt_result result = {0};
    const rm_config config = {
        .size = sizeof config, .allocator = &heap->allocator, .log = keep_log, .log_context = &result};
    rm_runtime *runtime = NULL;
    rm_manifest *manifest = NULL;
    rm_value input = rm_value_retain(setup->input), outputs = rm_null();
    char *text = manifest_of(setup);
    if (setup->items != NULL)
        input = rmt_json(setup->items);
    char *before = json_of(input);

    result.rc = rm_runtime_new(&config, &runtime, &result.err);
    if (result.rc == RM_OK)
        result.rc = rm_manifest_parse(runtime, text, strlen(text), &manifest, &result.err);
    if (result.rc == RM_OK)
        result.rc = rm_run(manifest, NULL, input, &outputs, &result.err);
    take_outputs(&result, setup, &outputs);
    result.outputs = json_of(result.values);

    rm_manifest_free(manifest);
    rm_runtime_free(runtime);
    char *after = json_of(input);
    if (strcmp(before, after) != 0)
        fail_msg("the input was changed: from %s to %s", before, after);
    rm_value_clear(&input);
    free(before);
    free(after);
    free(text);
    return result;
}

void rmt_result_clear(rmt_result *result)
{
    rm_error_clear(&result->err);
    rm_value_clear(&result->values);
    free(result->outputs);
    result->outputs = NULL;
}

/* ---- Cases --------------------------------------------------------------------------------------------- */

static void check_heap(const rmt_heap *heap, const char *label, size_t nth)
{
    if (heap->live_blocks != 0 || heap->mistakes != 0)
        fail_msg("%s, allocation %zu: %zu blocks left, %zu mistakes", label, nth, heap->live_blocks,
                 heap->mistakes);
}

static void check_answer(const rmt_case *c, const rmt_setup *setup)
{
    rmt_heap heap;
    rmt_heap_init(&heap, 0);
    rmt_result got = rmt_run(&heap, setup);
    if (got.rc != c->rc || got.err.code != c->rc)
        fail_msg("%s: %s instead of %s: %s", c->label, rm_code_name(got.rc), rm_code_name(c->rc),
                 got.err.message);
    if (c->outputs != NULL && strcmp(got.outputs, c->outputs) != 0)
        fail_msg("%s:\n  got  %s\n  want %s", c->label, got.outputs, c->outputs);
    if (c->message != NULL && strstr(got.err.message, c->message) == NULL)
        fail_msg("%s: no \"%s\" in \"%s\"", c->label, c->message, got.err.message);
    rmt_result_clear(&got);
    check_heap(&heap, c->label, 0);
}

static void check_without_memory(const rmt_case *c, const rmt_setup *setup, bool keep_failing)
{
    for (size_t nth = 1, faults = 1; faults != 0; nth++) {
        rmt_heap heap;
        rmt_heap_init(&heap, nth);
        heap.keep_failing = keep_failing;
        rmt_result got = rmt_run(&heap, setup);
        faults = heap.faults;
        const bool as_told = got.rc == RM_E_OUT_OF_MEMORY || (c->rc != RM_OK && got.rc == c->rc);
        if (got.err.code != got.rc || (faults != 0 && !as_told))
            fail_msg("%s, allocation %zu%s fails: %s: %s", c->label, nth,
                     keep_failing ? " and all later" : "", rm_code_name(got.rc), got.err.message);
        rmt_result_clear(&got);
        check_heap(&heap, c->label, nth);
    }
}

void rmt_check(const rmt_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const rmt_case *c = &cases[i];
        const rmt_setup setup = {.type = c->type,
                                 .params = c->params,
                                 .manifest = c->manifest,
                                 .items = c->items,
                                 .input = c->input};
        check_answer(c, &setup);
        check_without_memory(c, &setup, false);
        check_without_memory(c, &setup, true);
    }
}

/* ---- Streams ------------------------------------------------------------------------------------------- */

void rmt_feed_open(rmt_feed *stream, const rmt_setup *setup)
{
    *stream = (rmt_feed){0};
    char *text = manifest_of(setup);
    int rc = rm_runtime_new(NULL, &stream->runtime, &stream->err);
    if (rc == RM_OK)
        rc = rm_manifest_parse(stream->runtime, text, strlen(text), &stream->manifest, &stream->err);
    if (rc == RM_OK)
        rc = rm_pipeline_open(stream->manifest, NULL, &stream->pipeline, &stream->err);
    free(text);
    if (rc != RM_OK)
        fail_msg("cannot open: %s", stream->err.message);
}

int rmt_feed_push(rmt_feed *stream, const char *item)
{
    int rc;
    if (item == NULL)
        rc = rm_pipeline_finish(stream->pipeline, &stream->err);
    else
        rc = rm_pipeline_push(stream->pipeline, NULL, rmt_json(item), &stream->err);
    if (rc != RM_OK)
        return rc;
    while ((rc = rm_run_step(stream->pipeline, &stream->err)) == RM_OK)
        continue;
    return rc;
}

void rmt_feed_expect(rmt_feed *stream, const char *want)
{
    rm_packet packet = rm_packet_of(rm_null());
    size_t sink = 0;
    const int rc = rm_pipeline_pull(stream->pipeline, &sink, &packet, NULL);
    char *got = rc == RM_OK ? json_of(packet.value) : NULL;
    if ((got == NULL) != (want == NULL) || (got != NULL && strcmp(got, want) != 0))
        fail_msg("the next result is %s, not %s", got != NULL ? got : "missing",
                 want != NULL ? want : "missing");
    free(got);
    rm_packet_clear(&packet);
}

void rmt_feed_close(rmt_feed *stream)
{
    rm_pipeline_free(stream->pipeline);
    rm_manifest_free(stream->manifest);
    rm_runtime_free(stream->runtime);
    rm_error_clear(&stream->err);
}

/* ---- main ---------------------------------------------------------------------------------------------- */

enum { MAX_TESTS = 64 };

int rmt_main(const char *names, const CMUnitTestFunction *tests, size_t count)
{
    struct CMUnitTest list[MAX_TESTS] = {{0}};
    char *text = strdup(names), *rest = text;
    if (text == NULL || count > MAX_TESTS)
        return 2;
    for (size_t i = 0; i < count; i++)
        list[i] =
            (struct CMUnitTest){.name = strtok_r(i == 0 ? text : NULL, ", \n", &rest), .test_func = tests[i]};
    (void)rmt_directory();
    const int failed = _cmocka_run_group_tests("nodes", list, count, NULL, NULL);
    remove_directory();
    free(text);
    return failed;
}
