#include "bench/support.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int64_t bench_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t bench_cpu(void)
{
#ifdef CLOCK_PROCESS_CPUTIME_ID
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
#else
    return bench_now();
#endif
}

/* ---- Text ---- */

static bool reserve(bench_text *text, size_t more)
{
    if (text->length + more <= text->capacity)
        return true;
    const size_t wanted = (text->length + more) * 2;
    char *data = realloc(text->data, wanted);
    if (data == NULL) {
        text->failed = true;
        return false;
    }
    text->data = data;
    text->capacity = wanted;
    return true;
}

void bench_add(bench_text *text, const char *format, ...)
{
    enum { ROOM = 512 }; /* more than any piece that is added */
    va_list arguments;
    if (!reserve(text, ROOM))
        return;
    va_start(arguments, format);
    const int length = vsnprintf(text->data + text->length, ROOM, format, arguments);
    va_end(arguments);
    if (length < 0 || length >= ROOM)
        text->failed = true;
    else
        text->length += (size_t)length;
}

void bench_text_free(bench_text *text)
{
    free(text->data);
    *text = (bench_text){0};
}

/* ---- Manifests ---- */

static void add_node(bench_text *text, const char *prefix, size_t index, bench_node node)
{
    bench_add(text, "%s{\"id\":\"%s%zu\",\"node_type\":\"%s\"", index > 0 || *prefix != 'n' ? "," : "",
              prefix, index, node.type);
    if (node.params != NULL)
        bench_add(text, ",\"params\":%s", node.params);
    bench_add(text, "}");
}

static void begin(bench_text *text)
{
    bench_add(text, "{\"version\":\"v1\",\"metadata\":{\"name\":\"bench\"},\"nodes\":[");
}

void bench_chain(bench_text *text, bench_node node, size_t count)
{
    begin(text);
    for (size_t i = 0; i < count; i++)
        add_node(text, "n", i, node);
    bench_add(text, "],\"connections\":[");
    for (size_t i = 1; i < count; i++)
        bench_add(text, "%s{\"from\":\"n%zu\",\"to\":\"n%zu\"}", i > 1 ? "," : "", i - 1, i);
    bench_add(text, "]}");
}

void bench_fan(bench_text *text, bench_node branch, size_t branches, bool join)
{
    const bench_node pass = {.type = "PassThrough"};
    begin(text);
    add_node(text, "n", 0, pass);
    for (size_t i = 0; i < branches; i++)
        add_node(text, "b", i, branch);
    if (join)
        add_node(text, "e", 0, pass);
    bench_add(text, "],\"connections\":[");
    for (size_t i = 0; i < branches; i++) {
        bench_add(text, "%s{\"from\":\"n0\",\"to\":\"b%zu\"}", i > 0 ? "," : "", i);
        if (join)
            bench_add(text, ",{\"from\":\"b%zu\",\"to\":\"e0\"}", i);
    }
    bench_add(text, "]}");
}

/* ---- Pipelines ---- */

int bench_open(rm_runtime *runtime, const bench_text *manifest, bench_pipeline *out, rm_error *err)
{
    const rm_pipeline_options options = {.size = sizeof options, .may_block = true};
    *out = (bench_pipeline){0};
    if (manifest->failed)
        return rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory");
    int rc = rm_manifest_parse(runtime, manifest->data, manifest->length, &out->manifest, err);
    if (rc == RM_OK)
        rc = rm_pipeline_open(out->manifest, &options, &out->pipeline, err);
    return rc;
}

void bench_close(bench_pipeline *pipeline)
{
    rm_pipeline_free(pipeline->pipeline);
    rm_manifest_free(pipeline->manifest);
    *pipeline = (bench_pipeline){0};
}

rm_value bench_int_item(const void *context, size_t index)
{
    (void)context;
    return rm_int((int64_t)index);
}

/* Pushes until there is no room; RM_OK or a failure. */
static int push_some(rm_pipeline *pipeline, const bench_stream *stream, size_t end, size_t *pushed,
                     rm_error *err)
{
    int rc = RM_OK;
    while (rc == RM_OK && *pushed < end) {
        rm_value item = stream->item(stream->context, *pushed);
        rc = rm_pipeline_push(pipeline, NULL, item, err);
        if (rc == RM_OK)
            ++*pushed;
        else if (rc > 0)
            rm_value_clear(&item);
    }
    return rc == RM_AGAIN ? RM_OK : rc;
}

static int pull_all(rm_pipeline *pipeline, size_t *pulled, rm_error *err)
{
    size_t sink = 0;
    rm_packet packet;
    int rc;
    while ((rc = rm_pipeline_pull(pipeline, &sink, &packet, err)) == RM_OK) {
        rm_packet_clear(&packet);
        ++*pulled;
    }
    return rc == RM_AGAIN ? RM_OK : rc;
}

int bench_run_stream(rm_pipeline *pipeline, bench_stream *stream, rm_error *err)
{
    size_t pushed = 0, before = 0, end = stream->at_once > 0 ? 0 : stream->items;
    int rc = RM_OK, step = RM_OK;
    stream->pulled = 0;
    /* A step that needs room for results says RM_AGAIN too: all is done when nothing came out after it. */
    while (rc == RM_OK && (pushed < stream->items || step != RM_AGAIN || stream->pulled > before)) {
        before = stream->pulled;
        if (stream->at_once > 0 && pushed == end && (step == RM_AGAIN || pushed == 0))
            end = pushed + stream->at_once < stream->items ? pushed + stream->at_once : stream->items;
        rc = push_some(pipeline, stream, end, &pushed, err);
        if (rc == RM_OK && (step = rm_run_step(pipeline, err)) < 0)
            rc = step;
        if (rc == RM_OK)
            rc = pull_all(pipeline, &stream->pulled, err);
    }
    return rc;
}

int bench_read_file(const char *path, char **text, size_t *size)
{
    FILE *file = fopen(path, "rb");
    long end = -1;
    *text = NULL;
    *size = 0;
    if (file == NULL)
        return RM_E_IO;
    if (fseek(file, 0, SEEK_END) == 0)
        end = ftell(file);
    rewind(file);
    if (end > 0)
        *text = malloc((size_t)end);
    if (*text != NULL)
        *size = fread(*text, 1, (size_t)end, file);
    fclose(file);
    return *text != NULL && *size == (size_t)end ? RM_OK : RM_E_IO;
}

bool bench_wanted(const char *name, int argc, char **argv)
{
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return true;
    return argc == 0;
}

int bench_report(const char *name, double value, int rc, rm_error *err)
{
    if (rc == RM_OK)
        printf("%s %.3f\n", name, value);
    else
        fprintf(stderr, "%s: %s: %s\n", name, rm_code_name(rc), err->message);
    return rc;
}
