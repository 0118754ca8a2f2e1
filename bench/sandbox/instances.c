/* Instances: how soon a further one gives its first result, how soon an endless one is stopped, what many of them take. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/sandbox/parts.h"

static double ms_since(int64_t started)
{
    return (double)(bench_now() - started) / 1e6;
}

/* ---- Whole runs */

/* A rm_sandbox_command.write: notes when the first bytes come. */
static int note_write(void *context, const void *data, size_t size)
{
    int64_t *first = context;
    (void)data;
    if (*first == 0 && size > 0)
        *first = bench_now();
    return RM_OK;
}

static int run_command(const bench_host *host, const char *manifest, const char *file,
                       const rm_sandbox_limits *limits, int64_t grace_ms, int64_t *first, rm_error *err)
{
    const char *const arguments[] = {"run", manifest, NULL};
    const rm_sandbox_grant grant = {.path = manifest, .is_file = true};
    const rm_sandbox_command command = {
        .size = sizeof command,
        .file = file,
        .arguments = arguments,
        .policy = {.grants = &grant, .grant_count = 1, .limits = *limits},
        .grace_ms = grace_ms,
        .input = -1,
        .output = -1,
        .errors = -1,
        .write = note_write,
        .write_context = first,
    };
    int exit_code = 0;
    *first = 0;
    const int rc = rm_sandbox_run_command(host->sandbox, &command, &exit_code, err);
    if (rc == RM_OK && exit_code != 0)
        return rm_error_set(err, RM_E_INTERNAL, "the run ended with %d", exit_code);
    return rc;
}

int bench_commands(const bench_host *host, int argc, char **argv, rm_error *err)
{
    const size_t times = bench_number(argv[0]);
    const rm_sandbox_limits none = {0};
    int rc = RM_OK;
    for (size_t i = 0; rc == RM_OK && i <= times; i++) { /* the first one loads the module */
        int64_t first = 0;
        const int64_t started = bench_now();
        rc = run_command(host, argv[1], argc > 2 ? argv[2] : NULL, &none, 0, &first, err);
        if (rc == RM_OK && i > 0)
            printf("first %.4f\nwhole %.4f\n", (double)(first - started) / 1e6, ms_since(started));
    }
    return rc;
}

int bench_stop_command(const bench_host *host, int argc, char **argv, rm_error *err)
{
    const size_t times = bench_number(argv[0]);
    const rm_sandbox_limits limits = {.timeout_ms = (int64_t)bench_number(argv[1])};
    (void)argc;
    for (size_t i = 0; i <= times; i++) { /* the first one loads the module */
        int64_t first = 0;
        const int64_t started = bench_now();
        const int rc = run_command(host, argv[3], NULL, &limits, (int64_t)bench_number(argv[2]), &first, err);
        if (rc != RM_E_TIMEOUT && rc != RM_OK)
            return rc;
        if (rc == RM_OK)
            return rm_error_set(err, RM_E_INTERNAL, "it was not stopped");
        rm_error_clear(err);
        if (i > 0)
            printf("late %.4f\n", ms_since(started) - (double)limits.timeout_ms);
    }
    return RM_OK;
}

/* ---- Nodes */

int bench_nodes(const bench_host *host, int argc, char **argv, rm_error *err)
{
    const size_t times = bench_number(argv[0]);
    int rc = RM_OK;
    (void)argc;
    for (size_t i = 0; rc == RM_OK && i <= times; i++) { /* the first one loads the module */
        bench_pipeline pipeline;
        const int64_t started = bench_now();
        rc = bench_load(host, argv[1], &pipeline, err);
        const double opened = ms_since(started);
        if (rc == RM_OK)
            rc = bench_ask(pipeline.pipeline, rm_int(1), NULL, err);
        const double first = ms_since(started);
        const int64_t ending = bench_now();
        bench_close(&pipeline);
        if (rc == RM_OK && i > 0)
            printf("opened %.4f\nfirst %.4f\nclosed %.4f\n", opened, first, ms_since(ending));
    }
    return rc;
}

/* The node's limit counts its calls alone, so that a sample is somewhat more than the delay. */
int bench_stop_node(const bench_host *host, int argc, char **argv, rm_error *err)
{
    const size_t times = bench_number(argv[0]);
    const double timeout = (double)bench_number(argv[1]);
    (void)argc;
    for (size_t i = 0; i <= times; i++) {
        bench_pipeline pipeline;
        const int64_t started = bench_now();
        int rc = bench_load(host, argv[2], &pipeline, err);
        if (rc == RM_OK)
            rc = bench_ask(pipeline.pipeline, rm_int(1), NULL, err);
        const double took = ms_since(started);
        bench_close(&pipeline);
        if (rc != RM_E_LIMIT)
            return rc == RM_OK ? rm_error_set(err, RM_E_INTERNAL, "it was not stopped") : rc;
        rm_error_clear(err);
        if (i > 0)
            printf("late %.4f\n", took - timeout);
    }
    return RM_OK;
}

/* ---- Memory */

/* KiB of this process, of a line in smaps_rollup such as "Pss:"; pages that are mapped often count once in Pss. */
static double resident(const char *line)
{
    char text[4096];
    double kib = -1;
    FILE *file = fopen("/proc/self/smaps_rollup", "r");
    if (file == NULL)
        return -1;
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    (void)fclose(file);
    const char *at = strstr(text, line);
    if (at != NULL)
        kib = strtod(at + strlen(line), NULL);
    return kib;
}

static void print_memory(const char *when)
{
    printf("%s_pss %.0f\n%s_rss %.0f\n%s_dirty %.0f\n", when, resident("\nPss:"), when, resident("\nRss:"),
           when, resident("\nPrivate_Dirty:"));
}

int bench_memory(const bench_host *host, int argc, char **argv, rm_error *err)
{
    const size_t count = bench_number(argv[0]);
    bench_pipeline *pipelines = calloc(count, sizeof *pipelines);
    int rc = RM_OK;
    (void)argc;
    if (pipelines == NULL)
        return rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory");
    for (size_t i = 0; rc == RM_OK && i < count; i++) {
        rc = bench_load(host, argv[1], &pipelines[i], err);
        if (rc == RM_OK)
            rc = bench_ask(pipelines[i].pipeline, rm_int(1), NULL, err);
        if (rc == RM_OK && i == 0)
            print_memory("one");
    }
    if (rc == RM_OK)
        print_memory("all");
    for (size_t i = 0; i < count; i++)
        bench_close(&pipelines[i]);
    if (rc == RM_OK)
        print_memory("after");
    free(pipelines);
    return rc;
}
