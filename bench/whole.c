/* Whole runs in one call: a manifest is parsed, built, run and freed; microseconds a run. And JSON in, JSON
 * out in process: nanoseconds an item.
 *
 *   bench_whole [CASE...]             build_1, build_10, build_100
 *   bench_whole --json FILE...        FILE is {"manifest", "input_data"}: "FILE nanoseconds-an-item" */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/support.h"

static const struct {
    const char *name;
    size_t nodes, runs;
} builds[] = {{"build_1", 1, 20000}, {"build_10", 10, 4000}, {"build_100", 100, 500}};

/* Parse, open, run one item, free. */
static int run_once(rm_runtime *runtime, const bench_text *text, rm_value input, rm_error *err)
{
    rm_manifest *manifest = NULL;
    rm_value outputs = rm_null();
    int rc = rm_manifest_parse(runtime, text->data, text->length, &manifest, err);
    if (rc == RM_OK)
        rc = rm_run(manifest, NULL, input, &outputs, err);
    if (rc == RM_OK && rm_map_length(outputs) != 1)
        rc = rm_error_set(err, RM_E_INTERNAL, "no output");
    rm_value_clear(&outputs);
    rm_manifest_free(manifest);
    return rc;
}

static int measure_build(rm_runtime *runtime, size_t nodes, size_t runs, double *microseconds, rm_error *err)
{
    bench_text text = {0};
    rm_value input = rm_null();
    int64_t started = 0;
    bench_chain(&text, (bench_node){.type = "PassThrough"}, nodes);
    int rc = text.failed ? rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory") : RM_OK;
    if (rc == RM_OK)
        rc = rm_list_new(NULL, 1, &input, err);
    if (rc == RM_OK)
        rc = rm_list_append(&input, rm_int(1), err);
    for (size_t i = 0; rc == RM_OK && i < runs + runs / 20; i++) {
        if (i == runs / 20)
            started = bench_now();
        rc = run_once(runtime, &text, input, err);
    }
    *microseconds = (double)(bench_now() - started) / 1000.0 / (double)runs;
    rm_value_clear(&input);
    bench_text_free(&text);
    return rc;
}

/* The text of a manifest with its input to the text of its outputs. */
static int measure_json(rm_runtime *runtime, const char *path, double *nanoseconds, rm_error *err)
{
    rm_manifest *manifest = NULL;
    rm_value outputs = rm_null();
    char *text = NULL, *json = NULL;
    size_t size = 0, length = 0, items = 1;
    int rc = bench_read_file(path, &text, &size);
    if (rc != RM_OK)
        return rm_error_set(err, rc, "cannot read %s", path);
    const int64_t started = bench_now();
    rc = rm_manifest_parse(runtime, text, size, &manifest, err);
    if (rc == RM_OK)
        items = rm_list_length(rm_manifest_input(manifest));
    if (rc == RM_OK)
        rc = rm_run(manifest, NULL, rm_manifest_input(manifest), &outputs, err);
    if (rc == RM_OK)
        rc = rm_json_write(NULL, outputs, 0, &json, &length, NULL, err);
    *nanoseconds = (double)(bench_now() - started) / (double)items;
    rm_text_free(NULL, json, length);
    rm_value_clear(&outputs);
    rm_manifest_free(manifest);
    free(text);
    return rc;
}

int main(int argc, char **argv)
{
    rm_runtime *runtime = NULL;
    rm_error err = {0};
    double value = 0;
    const bool json = argc > 1 && strcmp(argv[1], "--json") == 0;
    int rc = rm_runtime_new(NULL, &runtime, &err);
    if (rc != RM_OK)
        (void)bench_report("runtime", 0, rc, &err);
    for (int i = 2; json && rc == RM_OK && i < argc; i++) {
        rc = measure_json(runtime, argv[i], &value, &err);
        rc = bench_report(argv[i], value, rc, &err);
    }
    for (size_t i = 0; !json && rc == RM_OK && i < sizeof builds / sizeof *builds; i++) {
        if (!bench_wanted(builds[i].name, argc - 1, argv + 1))
            continue;
        rc = measure_build(runtime, builds[i].nodes, builds[i].runs, &value, &err);
        rc = bench_report(builds[i].name, value, rc, &err);
    }
    rm_runtime_free(runtime);
    rm_error_clear(&err);
    return rc == RM_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
