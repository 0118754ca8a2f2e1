/* Python nodes in streaming use: nanoseconds an item, or a value of a generator. The peer, python/loop.py, calls the same methods.
 *
 *   bench_python HOME PATH [CASE...]     HOME has lib/python3.13, PATH has bench_nodes.py */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/support.h"

typedef struct python_case {
    const char *name;
    size_t nodes;
    bench_node node;
    bool dicts;
    size_t items, values; /* values: results of an item; 0 means 1 */
} python_case;

static const python_case cases[] = {
    {"python_int_1", 1, {.type = "bench_nodes:AddOne"}, false, 500000, 0},
    {"python_int_10", 10, {.type = "bench_nodes:AddOne"}, false, 50000, 0},
    {"python_dict_1", 1, {.type = "bench_nodes:Update"}, true, 200000, 0},
    {"python_dict_10", 10, {.type = "bench_nodes:Update"}, true, 20000, 0},
    {"python_async_1", 1, {.type = "bench_nodes:AsyncAddOne"}, false, 100000, 0},
    {"python_generator", 1, {.type = "bench_nodes:AsyncThousand"}, false, 1000, 1000},
    {"python_generator_waits", 1, {.type = "bench_nodes:AsyncThousandWaits"}, false, 40, 1000},
};

/* Every item is the same map: what is measured is its way into Python and back, not its making. */
static rm_value dict_item(const void *context, size_t index)
{
    (void)index;
    return rm_value_retain(*(const rm_value *)context);
}

static int measure(rm_runtime *runtime, const python_case *the, const rm_value *dict, double *value,
                   rm_error *err)
{
    bench_text text = {0};
    bench_pipeline pipeline = {0};
    bench_stream stream = {.item = the->dicts ? dict_item : bench_int_item, .context = dict};
    bench_chain(&text, the->node, the->nodes);
    int rc = bench_open(runtime, &text, &pipeline, err);
    stream.items = the->items / 20;
    if (rc == RM_OK)
        rc = bench_run_stream(pipeline.pipeline, &stream, err); /* warms up */
    stream.items = the->items;
    const int64_t started = bench_now();
    if (rc == RM_OK)
        rc = bench_run_stream(pipeline.pipeline, &stream, err);
    const size_t results = the->items * (the->values > 0 ? the->values : 1);
    *value = (double)(bench_now() - started) / (double)results;
    if (rc == RM_OK && stream.pulled != results)
        rc = rm_error_set(err, RM_E_INTERNAL, "%zu results instead of %zu", stream.pulled, results);
    bench_close(&pipeline);
    bench_text_free(&text);
    return rc;
}

int main(int argc, char **argv)
{
    static const char dict_text[] = "{\"id\":7,\"name\":\"item\",\"value\":1}";
    rm_runtime *runtime = NULL;
    rm_error err = {0};
    rm_value dict = rm_null();
    if (argc < 3) {
        fprintf(stderr, "usage: bench_python HOME PATH [CASE...]\n");
        return EXIT_FAILURE;
    }
    const char *const paths[] = {argv[2], NULL};
    const rm_python_config config = {.size = sizeof config, .home = argv[1], .paths = paths};
    int rc = rm_runtime_new(NULL, &runtime, &err);
    if (rc == RM_OK)
        rc = rm_python_attach(runtime, &config, &err);
    if (rc == RM_OK)
        rc = rm_json_parse(NULL, dict_text, sizeof dict_text - 1, 0, &dict, &err);
    if (rc != RM_OK)
        (void)bench_report("start", 0, rc, &err);
    for (size_t i = 0; rc == RM_OK && i < sizeof cases / sizeof *cases; i++) {
        double value = 0;
        if (!bench_wanted(cases[i].name, argc - 3, argv + 3))
            continue;
        rc = measure(runtime, &cases[i], &dict, &value, &err);
        rc = bench_report(cases[i].name, value, rc, &err);
    }
    rm_value_clear(&dict);
    rm_runtime_free(runtime);
    rm_error_clear(&err);
    return rc == RM_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
