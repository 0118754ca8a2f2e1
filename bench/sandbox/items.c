/* Items through pipelines whose Python node runs here or in a sandbox, one pipeline after the other, so that they meet the
 * same load. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/sandbox/parts.h"

enum { MOST_PIPELINES = 8, ARRAY_LENGTH = 1 << 18, NAME_SIZE = 64 }; /* float32: 1 MiB */

typedef struct named {
    char name[NAME_SIZE];
    bench_pipeline pipeline;
} named;

/* "NAME=MANIFEST"...; close_all also after a failure. */
static int open_all(const bench_host *host, int argc, char **argv, named *all, rm_error *err)
{
    int rc = argc <= MOST_PIPELINES ? RM_OK : rm_error_set(err, RM_E_USAGE, "too many manifests");
    for (int i = 0; rc == RM_OK && i < argc; i++) {
        const char *equals = strchr(argv[i], '=');
        if (equals == NULL || equals - argv[i] >= NAME_SIZE)
            return rm_error_set(err, RM_E_USAGE, "'%s' is not NAME=MANIFEST", argv[i]);
        memcpy(all[i].name, argv[i], (size_t)(equals - argv[i]));
        rc = bench_load(host, equals + 1, &all[i].pipeline, err);
    }
    return rc;
}

static void close_all(named *all)
{
    for (int i = 0; i < MOST_PIPELINES; i++)
        bench_close(&all[i].pipeline);
}

/* ---- Streams */

static rm_value same_item(const void *context, size_t index)
{
    (void)index;
    return rm_value_retain(*(const rm_value *)context);
}

/* Prints nanoseconds an item. */
static int stream(named *one, bench_item *item, const void *context, size_t items, size_t at_once,
                  rm_error *err)
{
    bench_stream way = {.items = items / 20 + 1, .at_once = at_once, .item = item, .context = context};
    int rc = bench_run_stream(one->pipeline.pipeline, &way, err); /* warms up */
    way.items = items;
    const int64_t started = bench_now();
    if (rc == RM_OK)
        rc = bench_run_stream(one->pipeline.pipeline, &way, err);
    if (rc == RM_OK && way.pulled != items)
        rc = rm_error_set(err, RM_E_INTERNAL, "%zu results instead of %zu", way.pulled, items);
    return bench_report(one->name, (double)(bench_now() - started) / (double)items, rc, err);
}

static int stream_all(const bench_host *host, int argc, char **argv, bench_item *item, const void *context,
                      rm_error *err)
{
    named all[MOST_PIPELINES] = {0};
    int rc = open_all(host, argc - 2, argv + 2, all, err);
    for (int i = 0; rc == RM_OK && i < argc - 2; i++)
        rc = stream(&all[i], item, context, bench_number(argv[0]), bench_number(argv[1]), err);
    close_all(all);
    return rc;
}

int bench_crossing(const bench_host *host, int argc, char **argv, rm_error *err)
{
    return stream_all(host, argc, argv, bench_int_item, NULL, err);
}

/* What one copy costs here: prints its nanoseconds as "copy". */
static int copy(const void *data, rm_error *err)
{
    enum { TIMES = 200, BYTES = ARRAY_LENGTH * sizeof(float) };
    void *to = malloc(BYTES);
    if (to == NULL)
        return rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory");
    memset(to, 1, BYTES);
    const int64_t started = bench_now();
    for (int i = 0; i < TIMES; i++) {
        memcpy(to, data, BYTES);
        __asm__ volatile("" : : "r"(to) : "memory"); /* it counts as used */
    }
    const double took = (double)(bench_now() - started) / TIMES;
    free(to);
    return bench_report("copy", took, RM_OK, err);
}

int bench_tensor(const bench_host *host, int argc, char **argv, rm_error *err)
{
    static const int64_t shape[] = {ARRAY_LENGTH};
    rm_value item = rm_null();
    int rc = rm_tensor_new(NULL, RM_FLOAT32, 1, shape, &item, err);
    float *data = rm_tensor_view(item).data;
    for (size_t i = 0; rc == RM_OK && i < ARRAY_LENGTH; i++)
        data[i] = (float)i;
    if (rc == RM_OK)
        rc = copy(data, err);
    if (rc == RM_OK)
        rc = stream_all(host, argc, argv, same_item, &item, err);
    rm_value_clear(&item);
    return rc;
}

/* ---- What happens inside */

/* Nodes that are given a number of calls and answer the nanoseconds of one. */
int bench_loop(const bench_host *host, int argc, char **argv, rm_error *err)
{
    named all[MOST_PIPELINES] = {0};
    const rm_value calls = rm_int((int64_t)bench_number(argv[0]));
    int rc = open_all(host, argc - 1, argv + 1, all, err);
    for (int i = 0; rc == RM_OK && i < argc - 1; i++) {
        rm_value answer = rm_null();
        rc = bench_ask(all[i].pipeline.pipeline, calls, &answer, err);
        if (rc == RM_OK && answer.kind != RM_FLOAT)
            rc = rm_error_set(err, RM_E_TYPE, "the node answers no float");
        rc = bench_report(all[i].name, answer.kind == RM_FLOAT ? answer.f : 0, rc, err);
        rm_value_clear(&answer);
    }
    close_all(all);
    return rc;
}

/* Nanoseconds that this thread has run, which other load disturbs less. */
static int64_t thread_time(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Nodes that run the kernel whose name they are given, timed from outside. Prints milliseconds of this thread. */
int bench_kernels(const bench_host *host, int argc, char **argv, rm_error *err)
{
    named all[MOST_PIPELINES] = {0};
    rm_value kernel = rm_null();
    const size_t times = bench_number(argv[0]);
    int rc = rm_string_new(NULL, argv[1], strlen(argv[1]), &kernel, err);
    if (rc == RM_OK)
        rc = open_all(host, argc - 2, argv + 2, all, err);
    for (size_t n = 0; rc == RM_OK && n <= times; n++) /* the first time warms up */
        for (int i = 0; rc == RM_OK && i < argc - 2; i++) {
            const int64_t started = thread_time();
            rc = bench_ask(all[i].pipeline.pipeline, kernel, NULL, err);
            const double took = (double)(thread_time() - started) / 1e6;
            if (rc != RM_OK || n > 0)
                rc = bench_report(all[i].name, took, rc, err);
        }
    close_all(all);
    rm_value_clear(&kernel);
    return rc;
}
