/* What the measuring programs share: a clock, pipelines from generated manifests, and streams through them.
 * Each program measures every case that it is asked for once and prints a line "case value"; bench/run calls
 * it again and again. */
#ifndef BENCH_SUPPORT_H
#define BENCH_SUPPORT_H

#include <stddef.h>
#include <stdint.h>

#include "remotemedia/remotemedia.h"

/* Monotonic nanoseconds. */
int64_t bench_now(void);
/* Nanoseconds of processor time of this process; in WASM bench_now. */
int64_t bench_cpu(void);

/* Text that grows; `failed` once memory is out. Released with bench_text_free. */
typedef struct bench_text {
    char *data;
    size_t length, capacity;
    bool failed;
} bench_text;
void bench_add(bench_text *text, const char *format, ...) RM_PRINTF(2, 3);
void bench_text_free(bench_text *text);

/* One node of a manifest: `params` is JSON, or NULL. */
typedef struct bench_node {
    const char *type, *params;
} bench_node;

/* A bare manifest: `count` nodes of one kind, each connected to the next. */
void bench_chain(bench_text *text, bench_node node, size_t count);
/* A PassThrough in front of `branches` nodes; with `join` one more PassThrough that all of them lead to. */
void bench_fan(bench_text *text, bench_node branch, size_t branches, bool join);

/* A pipeline and what it was made from; close it also after a failed open. */
typedef struct bench_pipeline {
    rm_manifest *manifest;
    rm_pipeline *pipeline;
} bench_pipeline;
int bench_open(rm_runtime *runtime, const bench_text *manifest, bench_pipeline *out, rm_error *err);
void bench_close(bench_pipeline *pipeline);

/* Gives the item of an index, owned. */
typedef rm_value bench_item(const void *context, size_t index);
rm_value bench_int_item(const void *context, size_t index);

/* How items go through: `items` of them, `at_once` pushed before a step (0: as many as there is room for). */
typedef struct bench_stream {
    size_t items, at_once;
    bench_item *item;
    const void *context;
    size_t pulled; /* out: how many results came */
} bench_stream;
/* Streams them, results pulled and dropped as they come, and the run not ended. */
int bench_run_stream(rm_pipeline *pipeline, bench_stream *stream, rm_error *err);

/* The whole of a file; *text is the caller's to free. RM_OK or RM_E_IO. */
int bench_read_file(const char *path, char **text, size_t *size);
/* Whether a case is among those asked for; all are when none is named. */
bool bench_wanted(const char *name, int argc, char **argv);
/* Prints "name value"; with a failure what it was, to standard error. Returns rc. */
int bench_report(const char *name, double value, int rc, rm_error *err);

#endif
