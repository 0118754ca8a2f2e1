/* Native nodes in streaming use: nanoseconds an item through chains, fans and diamonds.
 *
 *   bench_stream [CASE...]       each case once (all without arguments): "case nanoseconds-an-item"
 *   bench_stream --scale N ...   the same with N times as many items
 *   bench_stream --memory N      "memory bytes": the most that the library held, N items and ten nodes */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/support.h"

enum { CHAIN, FAN, DIAMOND };

typedef struct stream_case {
    const char *name;
    int shape;
    size_t nodes; /* of the chain, or branches */
    bench_node node;
    size_t items, at_once;
    size_t results; /* expected, an item */
} stream_case;

#define PASS {.type = "PassThrough"}
#define TIMES {.type = "MultiplyNode", .params = "{\"factor\":3}"}
#define MINUS {.type = "MultiplyNode", .params = "{\"factor\":-1}"}
#define DROP {.type = "Skip", .params = "{\"count\":1000000000000}"}

static const stream_case cases[] = {
    {"chain_1", CHAIN, 1, PASS, 2000000, 0, 1},       {"chain_10", CHAIN, 10, PASS, 400000, 0, 1},
    {"chain_100", CHAIN, 100, PASS, 50000, 0, 1},     {"lone_1", CHAIN, 1, PASS, 500000, 1, 1},
    {"lone_10", CHAIN, 10, PASS, 100000, 1, 1},       {"lone_100", CHAIN, 100, PASS, 10000, 1, 1},
    {"multiply_1", CHAIN, 1, TIMES, 1000000, 0, 1},   {"multiply_10", CHAIN, 10, TIMES, 300000, 0, 1},
    {"multiply_100", CHAIN, 100, MINUS, 30000, 0, 1}, {"fan_1", FAN, 1, PASS, 1000000, 0, 1},
    {"fan_10", FAN, 10, PASS, 200000, 0, 10},         {"fan_100", FAN, 100, PASS, 20000, 0, 100},
    {"fan_drop_1", FAN, 1, DROP, 1000000, 0, 0},      {"fan_drop_10", FAN, 10, DROP, 200000, 0, 0},
    {"fan_drop_100", FAN, 100, DROP, 20000, 0, 0},    {"diamond_10", DIAMOND, 10, PASS, 100000, 0, 10},
};

static int measure(rm_runtime *runtime, const stream_case *the, size_t scale, double *value, rm_error *err)
{
    bench_text text = {0};
    bench_pipeline pipeline = {0};
    bench_stream stream = {.item = bench_int_item, .at_once = the->at_once};
    if (the->shape == CHAIN)
        bench_chain(&text, the->node, the->nodes);
    else
        bench_fan(&text, the->node, the->nodes, the->shape == DIAMOND);
    int rc = bench_open(runtime, &text, &pipeline, err);
    stream.items = the->items / 20;
    if (rc == RM_OK)
        rc = bench_run_stream(pipeline.pipeline, &stream, err); /* warms up */
    stream.items = the->items * scale;
    const int64_t started = bench_now();
    if (rc == RM_OK)
        rc = bench_run_stream(pipeline.pipeline, &stream, err);
    *value = (double)(bench_now() - started) / (double)stream.items;
    if (rc == RM_OK && stream.pulled != stream.items * the->results)
        rc = rm_error_set(err, RM_E_INTERNAL, "%zu results instead of %zu", stream.pulled,
                          stream.items * the->results);
    bench_close(&pipeline);
    bench_text_free(&text);
    return rc;
}

/* ---- Memory ---- */

struct memory {
    size_t used, most;
};

static void *counting_resize(void *context, void *block, size_t old_size, size_t new_size)
{
    struct memory *memory = context;
    void *moved = NULL;
    if (new_size == 0)
        free(block);
    else if ((moved = realloc(block, new_size)) == NULL)
        return NULL;
    memory->used += new_size - old_size;
    memory->most = memory->used > memory->most ? memory->used : memory->most;
    return moved;
}

static int report_memory(const char *items, rm_error *err)
{
    struct memory memory = {0};
    const rm_allocator allocator = {.context = &memory, .resize = counting_resize};
    const rm_config config = {.size = sizeof config, .allocator = &allocator};
    const stream_case chain = {"memory", CHAIN, 10, PASS, strtoul(items, NULL, 10), 0, 1};
    rm_runtime *runtime = NULL;
    double unused = 0;
    int rc = rm_runtime_new(&config, &runtime, err);
    if (rc == RM_OK)
        rc = measure(runtime, &chain, 1, &unused, err);
    rm_runtime_free(runtime);
    return bench_report(chain.name, (double)memory.most, rc, err);
}

static int report_cases(size_t scale, int argc, char **argv, rm_error *err)
{
    rm_runtime *runtime = NULL;
    int rc = rm_runtime_new(NULL, &runtime, err);
    if (rc != RM_OK)
        (void)bench_report("runtime", 0, rc, err);
    for (size_t i = 0; rc == RM_OK && i < sizeof cases / sizeof *cases; i++) {
        double value = 0;
        if (!bench_wanted(cases[i].name, argc, argv))
            continue;
        rc = measure(runtime, &cases[i], scale, &value, err);
        rc = bench_report(cases[i].name, value, rc, err);
    }
    rm_runtime_free(runtime);
    return rc;
}

int main(int argc, char **argv)
{
    rm_error err = {0};
    size_t scale = 1;
    int rc;
    argc--, argv++;
    if (argc == 2 && strcmp(argv[0], "--memory") == 0) {
        rc = report_memory(argv[1], &err);
    } else {
        if (argc >= 2 && strcmp(argv[0], "--scale") == 0) {
            scale = strtoul(argv[1], NULL, 10);
            argc -= 2, argv += 2;
        }
        rc = report_cases(scale, argc, argv, &err);
    }
    rm_error_clear(&err);
    return rc == RM_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
