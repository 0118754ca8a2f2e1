/* An array of 1 MiB through a C node, a Python node and a C node, beside an int on the same way: nanoseconds an item, and
 * the bytes copied on the way, which are those of results that lie elsewhere than what went in.
 *
 *   bench_array_hop HOME NODES NUMPY [CASE...]     HOME has lib/python3.13, NODES array_nodes.py, NUMPY numpy */
#include <stdio.h>
#include <stdlib.h>

#include "bench/support.h"

enum { ARRAY_LENGTH = 262144, ARRAY_BYTES = ARRAY_LENGTH * 4, ITEMS = 100000 };

typedef struct hop_case {
    const char *name, *node;
    bool array;
} hop_case;

static const hop_case cases[] = {
    {"hop_scalar", "array_nodes:AsItIs", false},
    {"hop_tensor", "array_nodes:AsItIs", true},
    {"hop_array", "array_nodes:AsArray", true},
};

static void three_nodes(bench_text *text, const char *node)
{
    bench_add(text,
              "{\"version\":\"v1\",\"metadata\":{\"name\":\"bench\"},\"nodes\":["
              "{\"id\":\"a\",\"node_type\":\"PassThrough\"},{\"id\":\"p\",\"node_type\":\"%s\"},"
              "{\"id\":\"z\",\"node_type\":\"PassThrough\"}],\"connections\":["
              "{\"from\":\"a\",\"to\":\"p\"},{\"from\":\"p\",\"to\":\"z\"}]}",
              node);
}

/* Takes one result, as a native node that computes would get it: 0 bytes are copied where it is the same memory. */
static int take_one(rm_pipeline *pipeline, const void *data, size_t *copied, rm_error *err)
{
    size_t sink = 0;
    rm_packet packet = {0};
    rm_value plain = rm_null();
    int rc = rm_pipeline_pull(pipeline, &sink, &packet, err);
    if (rc != RM_OK)
        return rc > 0 ? rm_error_set(err, RM_E_INTERNAL, "an item came to no result") : rc;
    rc = rm_value_to_plain(NULL, packet.value, &plain, err);
    if (rc == RM_OK && data != NULL && rm_tensor_view(plain).data != data)
        *copied += ARRAY_BYTES;
    rm_value_clear(&plain);
    rm_packet_clear(&packet);
    return rc;
}

/* One item in flight, so that the memory of a result is still in use where it was not copied. */
static int run_items(rm_pipeline *pipeline, rm_value item, size_t items, size_t *copied, rm_error *err)
{
    const void *data = item.kind == RM_TENSOR ? rm_tensor_view(item).data : NULL;
    int rc = RM_OK;
    for (size_t i = 0; rc == RM_OK && i < items; i++) {
        rc = rm_pipeline_push(pipeline, NULL, rm_value_retain(item), err);
        while (rc == RM_OK && (rc = rm_run_step(pipeline, err)) == RM_OK)
            ;
        if (rc == RM_AGAIN || rc == RM_MORE)
            rc = take_one(pipeline, data, copied, err);
    }
    return rc;
}

static int measure(rm_runtime *runtime, const hop_case *the, double *value, size_t *copied, rm_error *err)
{
    static const int64_t shape[] = {ARRAY_LENGTH};
    bench_text text = {0};
    bench_pipeline pipeline = {0};
    rm_value item = rm_int(7);
    size_t warming = 0;
    three_nodes(&text, the->node);
    int rc = the->array ? rm_tensor_new(NULL, RM_FLOAT32, 1, shape, &item, err) : RM_OK;
    if (rc == RM_OK)
        rc = bench_open(runtime, &text, &pipeline, err);
    if (rc == RM_OK)
        rc = run_items(pipeline.pipeline, item, ITEMS / 20, &warming, err);
    const int64_t started = bench_now();
    if (rc == RM_OK)
        rc = run_items(pipeline.pipeline, item, ITEMS, copied, err);
    *value = (double)(bench_now() - started) / ITEMS;
    bench_close(&pipeline);
    bench_text_free(&text);
    rm_value_clear(&item);
    return rc;
}

int main(int argc, char **argv)
{
    rm_runtime *runtime = NULL;
    rm_error err = {0};
    if (argc < 4) {
        fprintf(stderr, "usage: bench_array_hop HOME NODES NUMPY [CASE...]\n");
        return EXIT_FAILURE;
    }
    const char *const paths[] = {argv[2], argv[3], NULL};
    const rm_python_config config = {.size = sizeof config, .home = argv[1], .paths = paths};
    int rc = rm_runtime_new(NULL, &runtime, &err);
    if (rc == RM_OK)
        rc = rm_python_attach(runtime, &config, &err);
    if (rc != RM_OK)
        (void)bench_report("start", 0, rc, &err);
    for (size_t i = 0; rc == RM_OK && i < sizeof cases / sizeof *cases; i++) {
        double value = 0;
        size_t copied = 0;
        if (!bench_wanted(cases[i].name, argc - 4, argv + 4))
            continue;
        rc = measure(runtime, &cases[i], &value, &copied, &err);
        rc = bench_report(cases[i].name, value, rc, &err);
        if (rc == RM_OK && cases[i].array)
            printf("%s_copied %.0f\n", cases[i].name, (double)copied / ITEMS);
    }
    rm_runtime_free(runtime);
    rm_error_clear(&err);
    return rc == RM_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
