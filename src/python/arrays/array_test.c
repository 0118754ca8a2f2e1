/* Arrays through the public interface: the owner and the life of their memory, and that nothing copies it. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "remotemedia/node.h"
#include "tests/support/heap.h"

#define MANIFEST(code)                                                                                   \
    "{\"version\": \"v1\", \"metadata\": {\"name\": \"t\"}, \"nodes\": [{\"id\": \"p\", \"node_type\": " \
    "\"Python\", \"params\": {\"code\": \"import numpy as np\\n" code                                    \
    "\"}}, {\"id\": \"s\", \"node_type\": "                                                              \
    "\"Select\", \"params\": {\"pointer\": \"\"}}], \"connections\": [{\"from\": \"p\", \"to\": \"s\"}]}"

/* A run of one manifest, with memory that is counted. */
typedef struct run {
    rmt_heap heap;
    rm_runtime *runtime;
    rm_manifest *manifest;
    rm_pipeline *pipeline;
    rm_error err;
} run;

static void run_open(run *r, const char *text)
{
    const char *const paths[] = {RMT_NUMPY_DIR, NULL};
    const rm_python_config python = {.size = sizeof python, .home = RMT_BUILD_DIR, .paths = paths};
    memset(r, 0, sizeof *r);
    rmt_heap_init(&r->heap, 0);
    const rm_config config = {.size = sizeof config, .allocator = &r->heap.allocator};
    assert_int_equal(rm_runtime_new(&config, &r->runtime, &r->err), RM_OK);
    assert_int_equal(rm_python_attach(r->runtime, &python, &r->err), RM_OK);
    assert_int_equal(rm_manifest_parse(r->runtime, text, strlen(text), &r->manifest, &r->err), RM_OK);
    if (rm_pipeline_open(r->manifest, NULL, &r->pipeline, &r->err) != RM_OK)
        fail_msg("%s", r->err.message);
}

/* Returns the result for one item, which it consumes. */
static rm_value run_item(run *r, rm_value item)
{
    rm_packet packet = rm_packet_of(rm_null());
    size_t sink = 0;
    int rc = rm_pipeline_push(r->pipeline, NULL, item, &r->err);
    while (rc == RM_OK)
        rc = rm_run_step(r->pipeline, &r->err);
    if (rc < 0)
        fail_msg("%s", r->err.message);
    assert_int_equal(rm_pipeline_pull(r->pipeline, &sink, &packet, &r->err), RM_OK);
    return packet.value;
}

static void run_close(run *r)
{
    rm_pipeline_free(r->pipeline);
    rm_manifest_free(r->manifest);
    rm_runtime_free(r->runtime);
}

static void count_release(void *owner)
{
    ++*(int *)owner;
}

static bool numpy_is_there(void)
{
    return access(RMT_NUMPY_DIR "/numpy", R_OK) == 0;
}

enum { COUNT = 1 << 18 }; /* float32: 1 MiB */
static float samples[COUNT];

static rm_value wrapped(int *released)
{
    static const int64_t shape[1] = {COUNT}, strides[1] = {1};
    const rm_tensor view = {
        .data = samples, .dtype = RM_FLOAT32, .dimensions = 1, .shape = shape, .strides = strides};
    rm_value value = rm_null();
    assert_int_equal(rm_tensor_wrap(NULL, &view, released, count_release, &value, NULL), RM_OK);
    return value;
}

static void memory_passes_through_a_node_uncopied(void **unused)
{
    static const char *const nodes[] = {
        MANIFEST("def process(t):\\n    return t"),
        MANIFEST("def process(t):\\n    return np.asarray(t)"),
        MANIFEST("def process(t):\\n    return np.from_dlpack(np.asarray(t))[:]") /* a copy: see below */,
        MANIFEST("def process(t):\\n    yield np.asarray(t)[:]"),
    };
    (void)unused;
    if (!numpy_is_there())
        skip();
    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++) {
        run r;
        int released = 0;
        samples[1] = 5;
        run_open(&r, nodes[i]);
        rm_value result = run_item(&r, wrapped(&released));
        const rm_tensor view = rm_tensor_view(result);
        assert_int_equal(view.shape[0], COUNT);
        assert_true(((const float *)view.data)[1] == 5.0f);
        if (i != 2) { /* memory with unknown writers is copied */
            assert_ptr_equal(view.data, samples);
            assert_int_equal(released, 0);
        }
        assert_true(r.heap.live_bytes < sizeof samples / 4);
        run_close(&r);
        assert_int_equal(released, i == 2); /* the result outlives the runtime, and keeps its memory */
        rm_value_clear(&result);
        assert_int_equal(released, 1);
        assert_int_equal(r.heap.live_blocks, 0);
    }
}

static void *clear_value(void *value)
{
    rm_value_clear(value);
    return NULL;
}

static void an_array_lives_as_long_as_its_tensor(void **unused)
{
    pthread_t thread;
    run r;
    (void)unused;
    if (!numpy_is_there())
        skip();
    run_open(&r, MANIFEST("import weakref\\nlast = [lambda: 0]\\nclass Mine(np.ndarray): pass\\n"
                          "def process(n):\\n    before = last[0]() is not None\\n"
                          "    a = np.full(4, n, 'i4').view(Mine)\\n    last[0] = weakref.ref(a)\\n"
                          "    return [before, a]"));
    rm_value first = run_item(&r, rm_int(7)), tensor = rm_value_retain(rm_list_get(first, 1));
    rm_value_clear(&first);
    rm_value second = run_item(&r, rm_int(8));
    assert_true(rm_list_get(second, 0).b); /* its tensor holds the first array */
    rm_value_clear(&second);
    assert_int_equal(((const int32_t *)rm_tensor_view(tensor).data)[3], 7);
    assert_int_equal(pthread_create(&thread, NULL, clear_value, &tensor), 0); /* not a thread of Python's */
    assert_int_equal(pthread_join(thread, NULL), 0);
    rm_value third = run_item(&r, rm_int(9));
    assert_true(rm_list_get(third, 0).b == false);
    run_close(&r);
    assert_int_equal(((const int32_t *)rm_tensor_view(rm_list_get(third, 1)).data)[0], 9);
    rm_value_clear(&third);
    assert_int_equal(r.heap.live_blocks, 0);
}

static void a_tensor_of_an_array_is_as_writable_as_the_array(void **unused)
{
    run r;
    (void)unused;
    if (!numpy_is_there())
        skip();
    run_open(&r, MANIFEST("fixed = np.arange(3.0)\\nfixed.flags.writeable = False\\n"
                          "def process(n):\\n    return np.zeros(3) if n else fixed"));
    rm_value fresh = run_item(&r, rm_int(1)), kept = run_item(&r, rm_int(0));
    assert_false(rm_tensor_view(fresh).read_only);
    assert_true(rm_tensor_view(kept).read_only);
    const void *before = rm_tensor_view(kept).data;
    assert_int_equal(rm_value_make_unique(NULL, &kept, NULL), RM_OK);
    assert_ptr_not_equal(rm_tensor_view(kept).data, before);
    before = rm_tensor_view(fresh).data;
    assert_int_equal(rm_value_make_unique(NULL, &fresh, NULL), RM_OK);
    assert_ptr_equal(rm_tensor_view(fresh).data, before);
    rm_value_clear(&fresh);
    rm_value_clear(&kept);
    run_close(&r);
}

/* Each of our allocations fails in turn; the last round, without a failure, has the result. */
static void out_of_memory_is_an_error(void **unused)
{
    static const char text[] = MANIFEST("def process(n):\\n    return [np.full(2, n, '>f4'), np.arange(n)]");
    (void)unused;
    if (!numpy_is_there())
        skip();
    for (size_t nth = 1, faults = 1; faults != 0; nth++) {
        const char *const paths[] = {RMT_NUMPY_DIR, NULL};
        const rm_python_config python = {.size = sizeof python, .home = RMT_BUILD_DIR, .paths = paths};
        rm_value input = rm_null(), outputs = rm_null();
        rm_runtime *runtime = NULL;
        rm_manifest *manifest = NULL;
        rm_error err = {0};
        rmt_heap heap;
        rmt_heap_init(&heap, nth);
        const rm_config config = {.size = sizeof config, .allocator = &heap.allocator};
        assert_int_equal(rm_json_parse(NULL, "[3]", 3, 0, &input, NULL), RM_OK);
        int rc = rm_runtime_new(&config, &runtime, &err);
        if (rc == RM_OK)
            rc = rm_python_attach(runtime, &python, &err);
        if (rc == RM_OK)
            rc = rm_manifest_parse(runtime, text, strlen(text), &manifest, &err);
        if (rc == RM_OK)
            rc = rm_run(manifest, NULL, input, &outputs, &err);
        faults = heap.faults;
        if (rc != (faults != 0 ? RM_E_OUT_OF_MEMORY : RM_OK) && rc != RM_OK)
            fail_msg("allocation %zu: %s", nth, err.message);
        rm_value_clear(&outputs);
        rm_value_clear(&input);
        rm_manifest_free(manifest);
        rm_runtime_free(runtime);
        rm_error_clear(&err);
        assert_int_equal(heap.live_blocks, 0);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_passes_through_a_node_uncopied),
        cmocka_unit_test(an_array_lives_as_long_as_its_tensor),
        cmocka_unit_test(a_tensor_of_an_array_is_as_writable_as_the_array),
        cmocka_unit_test(out_of_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
