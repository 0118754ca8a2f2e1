/* The Python host through the public interface: results, the caller's memory, several runtimes, threads. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "remotemedia/node.h"
#include "tests/support/heap.h"

#define NODE(id, text) "{\"id\": \"" id "\", \"node_type\": \"Python\", \"params\": {\"code\": \"" text "\"}}"
#define STREAM(id, text)                                                                                     \
    "{\"id\": \"" id "\", \"node_type\": \"Python\", \"is_streaming\": true, \"params\": {\"code\": \"" text \
    "\"}}"
#define MANIFEST(nodes, connections)                                            \
    "{\"version\": \"v1\", \"metadata\": {\"name\": \"t\"}, \"nodes\": [" nodes \
    "], \"connections\": [" connections "]}"

typedef struct outcome {
    int rc;
    rm_error err;
    char *outputs;
    size_t length;
} outcome;

static const rm_python_config python = {.size = sizeof python, .home = RMT_BUILD_DIR};

static void outcome_clear(outcome *o)
{
    rm_text_free(NULL, o->outputs, o->length);
    rm_error_clear(&o->err);
}

/* Runs a manifest over `items`, in a runtime of its own on `heap`. */
static outcome run(rmt_heap *heap, const char *text, const char *items)
{
    const rm_config config = {.size = sizeof config, .allocator = &heap->allocator};
    const rm_pipeline_options options = {.size = sizeof options, .may_block = true};
    outcome o = {0};
    rm_runtime *runtime = NULL;
    rm_manifest *manifest = NULL;
    rm_value input = rm_null(), outputs = rm_null();
    assert_int_equal(rm_json_parse(NULL, items, strlen(items), 0, &input, NULL), RM_OK);
    o.rc = rm_runtime_new(&config, &runtime, &o.err);
    if (o.rc == RM_OK)
        o.rc = rm_python_attach(runtime, &python, &o.err);
    if (o.rc == RM_OK)
        o.rc = rm_manifest_parse(runtime, text, strlen(text), &manifest, &o.err);
    if (o.rc == RM_OK)
        o.rc = rm_run(manifest, &options, input, &outputs, &o.err);
    assert_int_equal(rm_json_write(NULL, outputs, 0, &o.outputs, &o.length, NULL, NULL), RM_OK);
    rm_value_clear(&outputs);
    rm_value_clear(&input);
    rm_manifest_free(manifest);
    rm_runtime_free(runtime);
    return o;
}

/* The code of asynchronous nodes; of the test with an exception. */
enum { ASYNC = RM_PYTHON_ASYNC ? RM_OK : RM_E_MISSING_FEATURE, AN_EXCEPTION = 7 };

static const struct {
    const char *label, *manifest, *items, *outputs;
    int rc;
} cases[] = {
    {"a function", MANIFEST(NODE("p", "def process(item):\\n    return item"), ""),
     "[1, \"a\", [2], {\"b\": 3}]", "{\"p\":[1,\"a\",[2],{\"b\":3}]}", RM_OK},
    {"two nodes and a branch",
     MANIFEST(
         NODE("p", "def process(item):\\n    return [item]") "," NODE(
             "q",
             "def process(item):\\n    return item * 2") "," NODE("r",
                                                                  "def process(item):\\n    return {1: item}"),
         "{\"from\": \"p\", \"to\": \"q\"}, {\"from\": \"p\", \"to\": \"r\"}"),
     "[1, 36893488147419103232]",
     "{\"q\":[[1,1],[36893488147419103232,36893488147419103232]],"
     "\"r\":[{\"1\":[1]},{\"1\":[36893488147419103232]}]}",
     RM_OK},
    {"a generator and a flush",
     MANIFEST(
         NODE("p", "def process(item):\\n    yield item\\n    yield None\\ndef flush():\\n    return 'end'"),
         ""),
     "[1]", "{\"p\":[1,null,\"end\"]}", RM_OK},
    {"a coroutine that waits",
     MANIFEST(
         NODE("p",
              "import asyncio\\nasync def process(item):\\n    await asyncio.sleep(0)\\n    return item"),
         ""),
     "[1, 2]", RM_PYTHON_ASYNC ? "{\"p\":[1,2]}" : NULL, ASYNC},
    {"a coroutine that a function gives",
     MANIFEST(
         NODE("p", "async def give(item):\\n    return item\\ndef process(item):\\n    return give(item)"),
         ""),
     "[1]", RM_PYTHON_ASYNC ? "{\"p\":[1]}" : NULL, ASYNC},
    {"a cleanup that waits",
     MANIFEST(NODE("p", "def process(item):\\n    return item\\nasync def cleanup():\\n    pass"), ""), "[1]",
     RM_PYTHON_ASYNC ? "{\"p\":[1]}" : NULL, ASYNC},
    {"streams one after the other",
     MANIFEST(STREAM("p", "def process(stream):\\n    for x in stream:\\n        yield x") "," STREAM(
                  "q", "def process(stream):\\n    for x in stream:\\n        yield [x, next(stream, None)]"),
              "{\"from\": \"p\", \"to\": \"q\"}"),
     "[1, 2, 3]", "{\"q\":[[1,2],[3,null]]}", RM_OK},
    {"an exception", MANIFEST(NODE("p", "def process(item):\\n    return 1 // item"), ""), "[1, 0]",
     "{\"p\":[1]}", RM_E_PYTHON},
    {"an unknown parameter",
     MANIFEST("{\"id\": \"b\", \"node_type\": \"BufferNode\", \"params\": {\"size\": 1}}", ""), "[1]", NULL,
     RM_E_UNKNOWN_PARAMETER},
    {"an unknown type", MANIFEST("{\"id\": \"b\", \"node_type\": \"no.such:Class\"}", ""), "[1]", NULL,
     RM_E_UNKNOWN_NODE_TYPE},
};

static void gives_the_answer_or_out_of_memory(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t nth = 0, faults = 1; faults != 0; nth++) {
            rmt_heap heap;
            rmt_heap_init(&heap, nth);
            outcome o = run(&heap, cases[i].manifest, cases[i].items);
            faults = nth == 0 ? 1 : heap.faults;
            const bool faulty = nth != 0 && heap.faults != 0;
            if (!faulty && (o.rc != cases[i].rc ||
                            (cases[i].outputs != NULL && strcmp(o.outputs, cases[i].outputs) != 0)))
                fail_msg("%s: %s %s %s", cases[i].label, rm_code_name(o.rc), o.err.message, o.outputs);
            if (!faulty && o.rc == RM_E_MISSING_FEATURE && strstr(o.err.message, "RM_PYTHON_ASYNC") == NULL)
                fail_msg("%s: %s", cases[i].label, o.err.message);
            if (faulty && o.rc != RM_E_OUT_OF_MEMORY && o.rc != cases[i].rc)
                fail_msg("%s, allocation %zu: %s %s", cases[i].label, nth, rm_code_name(o.rc), o.err.message);
            outcome_clear(&o);
            if (heap.live_blocks != 0 || heap.mistakes != 0)
                fail_msg("%s, allocation %zu: %zu blocks left, %zu mistakes", cases[i].label, nth,
                         (size_t)heap.live_blocks, (size_t)heap.mistakes);
        }
    }
}

static void tells_the_users_frames_and_the_whole_story(void **unused)
{
    rmt_heap heap;
    rm_value file = rm_null(), line = rm_null();
    (void)unused;
    rmt_heap_init(&heap, 0);
    outcome o = run(&heap, cases[AN_EXCEPTION].manifest, cases[AN_EXCEPTION].items);
    assert_string_equal(o.err.node, "p");
    assert_true(o.err.has_item && o.err.item == 1);
    assert_int_equal(rm_list_length(o.err.traceback), 1);
    assert_true(rm_map_get(rm_list_get(o.err.traceback, 0), "file", 4, &file));
    assert_string_equal(rm_string_text(file, NULL), "<code of p>");
    assert_true(rm_map_get(rm_list_get(o.err.traceback, 0), "line", 4, &line) && line.i == 2);
    assert_non_null(strstr(rm_string_text(o.err.detail, NULL), "return 1 // item"));
    outcome_clear(&o);
}

static void knows_that_memory_ran_out(void **unused)
{
    static const char *const raised[] = {"type('Full', (MemoryError,), {})", "ValueError('MemoryError')"};
    (void)unused;
    for (size_t i = 0; i < 2; i++) {
        char manifest[512];
        rmt_heap heap;
        rmt_heap_init(&heap, 0);
        (void)snprintf(manifest, sizeof manifest,
                       MANIFEST(NODE("p", "def process(item):\\n    raise %s"), ""), raised[i]);
        outcome o = run(&heap, manifest, "[1]");
        assert_int_equal(o.rc, RM_E_PYTHON);
        assert_int_equal(o.err.no_memory, i == 0);
        outcome_clear(&o);
    }
}

/* A run's objects are freed: a class reports when its instances and items go. */
static void frees_what_it_made(void **unused)
{
    static const char count[] = "sum(type(o).__name__ in ('Item', 'Stream') for o in gc.get_objects())";
    static const char items[] = MANIFEST(
        NODE("p", "import gc\\nclass Item: pass\\ndef process(item):\\n    return (Item(), item)") "," NODE(
            "q", "import gc\\ndef process(item):\\n    return None\\ndef flush():\\n    gc.collect()\\n"
                 "    return %s"),
        "{\"from\": \"p\", \"to\": \"q\"}");
    static const char streams[] = MANIFEST(
        STREAM("p", "class Item: pass\\ndef process(stream):\\n    for item in stream:\\n        yield (Item(), item)") "," STREAM(
            "q",
            "import gc\\nclass Node:\\n    def process(self, stream):\\n        try:\\n"
            "            return [type(x[0]).__name__ for x in stream][3:]\\n        finally:\\n            del stream\\n"
            "    def flush(self):\\n        gc.collect()\\n        return %s"),
        "{\"from\": \"p\", \"to\": \"q\"}");
    static const struct {
        const char *manifest, *outputs;
    } runs[] = {{items, "{\"q\":[0]}"}, {streams, "{\"q\":[[],0]}"}};
    (void)unused;
    for (int i = 0; i < 6; i++) {
        char text[2048];
        rmt_heap heap;
        rmt_heap_init(&heap, 0);
        (void)snprintf(text, sizeof text, runs[i % 2].manifest, count);
        outcome o = run(&heap, text, "[1, 2, 3]");
        assert_int_equal(o.rc, RM_OK);
        assert_string_equal(o.outputs, runs[i % 2].outputs);
        outcome_clear(&o);
    }
}

/* Two pipelines with pending coroutines take turns on one thread. */
static void pipelines_share_the_loop(void **unused)
{
    static const char text[] = MANIFEST(
        NODE("p",
             "import asyncio\\nasync def process(item):\\n    await asyncio.sleep(0.002)\\n    return item"),
        "");
    rm_runtime *runtime = NULL;
    rm_manifest *manifest = NULL;
    rm_pipeline *pipelines[2] = {NULL, NULL};
    int state[2] = {RM_OK, RM_OK};
    rm_error err = {0};
    (void)unused;
    if (!RM_PYTHON_ASYNC)
        skip();
    assert_int_equal(rm_runtime_new(NULL, &runtime, &err), RM_OK);
    assert_int_equal(rm_python_attach(runtime, &python, &err), RM_OK);
    assert_int_equal(rm_manifest_parse(runtime, text, strlen(text), &manifest, &err), RM_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(rm_pipeline_open(manifest, NULL, &pipelines[i], &err), RM_OK);
        for (int64_t item = 0; item < 5; item++)
            assert_int_equal(rm_pipeline_push(pipelines[i], NULL, rm_int(10 * i + item), &err), RM_OK);
        assert_int_equal(rm_pipeline_finish(pipelines[i], &err), RM_OK);
    }
    while (state[0] != RM_DONE || state[1] != RM_DONE)
        for (int i = 0; i < 2; i++) {
            if (state[i] != RM_DONE)
                state[i] = rm_run_step(pipelines[i], &err);
            assert_true(state[i] >= 0);
        }
    for (int i = 0; i < 2; i++) {
        rm_packet packet;
        size_t sink = 0;
        for (int64_t item = 0; item < 5; item++) {
            assert_int_equal(rm_pipeline_pull(pipelines[i], &sink, &packet, &err), RM_OK);
            assert_int_equal(packet.value.i, 10 * i + item);
            assert_int_equal(packet.seq, item);
            rm_packet_clear(&packet);
        }
        rm_pipeline_free(pipelines[i]);
    }
    rm_manifest_free(manifest);
    rm_runtime_free(runtime);
}

/* An application pushes items, so a streaming node cannot wait in its caller: it waits in its own thread, and
 * gets each item at once. */
static void a_pushed_stream_is_live(void **unused)
{
    static const char text[] = MANIFEST(
        "{\"id\": \"p\", \"node_type\": \"Python\", \"is_streaming\": true, \"params\": {\"code\": "
        "\"def process(stream):\\n    for item in stream:\\n        yield [item, next(stream, None)]\"}}",
        "");
    rm_runtime *runtime = NULL;
    rm_manifest *manifest = NULL;
    rm_pipeline *pipeline = NULL;
    rm_error err = {0};
    rm_packet packet;
    size_t sink = 0;
    int rc = RM_AGAIN;
    (void)unused;
    assert_int_equal(rm_runtime_new(NULL, &runtime, &err), RM_OK);
    assert_int_equal(rm_python_attach(runtime, &python, &err), RM_OK);
    assert_int_equal(rm_manifest_parse(runtime, text, strlen(text), &manifest, &err), RM_OK);
    assert_int_equal(rm_pipeline_open(manifest, NULL, &pipeline, &err), RM_OK);
    for (int64_t item = 0; item < 5; item++) {
        assert_int_equal(rm_pipeline_push(pipeline, NULL, rm_int(item), &err), RM_OK);
        while ((rc = rm_run_step(pipeline, &err)) == RM_OK)
            ;
        assert_int_equal(rc, RM_AGAIN);
        rc = rm_pipeline_pull(pipeline, &sink, &packet, &err);
        assert_int_equal(rc, item % 2 == 0 ? RM_AGAIN : RM_OK);
        if (rc == RM_OK) {
            assert_int_equal(packet.seq, item);
            rm_packet_clear(&packet);
        }
    }
    assert_int_equal(rm_pipeline_finish(pipeline, &err), RM_OK);
    while (rc != RM_DONE) {
        rc = rm_run_step(pipeline, &err);
        assert_true(rc >= 0);
    }
    assert_int_equal(rm_pipeline_pull(pipeline, &sink, &packet, &err), RM_OK);
    rm_packet_clear(&packet);
    rm_pipeline_free(pipeline);
    rm_manifest_free(manifest);
    rm_runtime_free(runtime);
}

/* Freeing a pipeline in the middle ends the nodes that wait in its threads. */
static void a_pipeline_is_freed_while_its_streams_wait(void **unused)
{
    static const char text[] = MANIFEST(
        "{\"id\": \"p\", \"node_type\": \"Python\", \"is_streaming\": true, \"params\": {\"code\": "
        "\"import builtins\\ndef process(stream):\\n    try:\\n        for x in stream:\\n            yield x\\n"
        "    except GeneratorExit:\\n        builtins.ends = getattr(builtins, 'ends', 0) + 1\\n        raise\"}},"
        "{\"id\": \"q\", \"node_type\": \"Python\", \"is_streaming\": true, \"params\": {\"code\": "
        "\"import builtins\\ndef process(stream):\\n    return [next(stream), next(stream)]\\n"
        "def cleanup():\\n    builtins.ends = getattr(builtins, 'ends', 0) + 1\"}}",
        "{\"from\": \"p\", \"to\": \"q\"}");
    rmt_heap heap;
    rm_runtime *runtime = NULL;
    rm_manifest *manifest = NULL;
    rm_pipeline *pipeline = NULL;
    rm_error err = {0};
    (void)unused;
    rmt_heap_init(&heap, 0);
    const rm_config config = {.size = sizeof config, .allocator = &heap.allocator};
    assert_int_equal(rm_runtime_new(&config, &runtime, &err), RM_OK);
    assert_int_equal(rm_python_attach(runtime, &python, &err), RM_OK);
    assert_int_equal(rm_manifest_parse(runtime, text, strlen(text), &manifest, &err), RM_OK);
    for (int round = 0; round < 10; round++) {
        assert_int_equal(rm_pipeline_open(manifest, NULL, &pipeline, &err), RM_OK);
        for (int i = 0; i < round % 3; i++) {
            if (i == 0)
                assert_int_equal(rm_pipeline_push(pipeline, NULL, rm_int(1), &err), RM_OK);
            while (rm_run_step(pipeline, &err) == RM_OK)
                ;
        }
        rm_pipeline_free(pipeline);
    }
    rm_manifest_free(manifest);
    rm_runtime_free(runtime);
    assert_int_equal(heap.live_blocks, 0);
    rmt_heap_init(&heap, 0);
    outcome o =
        run(&heap, MANIFEST(NODE("p", "import builtins\\ndef process(item):\\n    return builtins.ends"), ""),
            "[1]");
    assert_string_equal(o.outputs, "{\"p\":[16]}"); /* ten cleanups, and six streams that had begun */
    outcome_clear(&o);
}

/* A thread's run and its outcome, which the main thread checks: cmocka's checks work only there. */
typedef struct job {
    const char *manifest;
    rmt_heap heap;
    outcome o;
} job;

static void *run_job(void *context)
{
    job *j = context;
    j->o = run(&j->heap, j->manifest, "[1, 2, 3, 4, 5, 6, 7, 8]");
    return NULL;
}

/* Threads share the interpreter and, while their coroutines wait for each other's turns, the loop. */
static void threads_take_turns(void **unused)
{
    static const char *const manifests[] = {
        MANIFEST(
            NODE(
                "p",
                "import asyncio\\nasync def process(item):\\n    await asyncio.sleep(0.001)\\n    return item"),
            ""),
        MANIFEST(
            NODE("p", "import time\\nasync def process(item):\\n    time.sleep(0.001)\\n    return item"),
            ""),
        MANIFEST(NODE("p", "def process(item):\\n    return [{'n': item}][0]['n']"), ""),
        MANIFEST(NODE("p", "def process(item):\\n    yield item"), ""),
        MANIFEST(
            STREAM("o", "def process(stream):\\n    return stream") "," STREAM(
                "p",
                "import time\\ndef process(stream):\\n    for x in stream:\\n        time.sleep(0.001)\\n"
                "        yield x"),
            "{\"from\": \"o\", \"to\": \"p\"}"),
    };
    enum { JOBS = sizeof manifests / sizeof *manifests };
    pthread_t threads[JOBS];
    job jobs[JOBS];
    (void)unused;
    if (!RM_PYTHON_ASYNC)
        skip();
    for (int round = 0; round < 5; round++) {
        for (size_t i = 0; i < JOBS; i++) {
            jobs[i].manifest = manifests[i];
            rmt_heap_init(&jobs[i].heap, 0);
            assert_int_equal(pthread_create(&threads[i], NULL, run_job, &jobs[i]), 0);
        }
        for (size_t i = 0; i < JOBS; i++) {
            assert_int_equal(pthread_join(threads[i], NULL), 0);
            if (jobs[i].o.rc != RM_OK)
                fail_msg("job %zu: %s %s", i, rm_code_name(jobs[i].o.rc), jobs[i].o.err.message);
            assert_string_equal(jobs[i].o.outputs, "{\"p\":[1,2,3,4,5,6,7,8]}");
            outcome_clear(&jobs[i].o);
            assert_int_equal(jobs[i].heap.live_blocks, 0);
        }
    }
}

/* ---- Modules of code */

#define TELL                                                                    \
    "import sys\\ndef process(item):\\n    return [__name__, __file__, sorted(" \
    "name for name in sys.modules if name.startswith('__node_'))]"

/* The text of what the only node returns for the item 1. */
static void ask(rm_pipeline *pipeline, const char *expected)
{
    size_t sink = 0, length = 0;
    rm_packet packet = rm_packet_of(rm_null());
    rm_error err = {0};
    char *text = NULL;
    int rc = rm_pipeline_push(pipeline, NULL, rm_int(1), &err);
    while (rc == RM_OK && (rc = rm_run_step(pipeline, &err)) == RM_OK)
        ;
    if (rc != RM_AGAIN || rm_pipeline_pull(pipeline, &sink, &packet, &err) != RM_OK)
        fail_msg("%s", err.message);
    assert_int_equal(rm_json_write(NULL, packet.value, 0, &text, &length, NULL, NULL), RM_OK);
    assert_string_equal(text, expected);
    rm_text_free(NULL, text, length);
    rm_packet_clear(&packet);
}

static rm_pipeline *opened(rm_manifest *manifest)
{
    rm_pipeline *pipeline = NULL;
    rm_error err = {0};
    if (rm_pipeline_open(manifest, NULL, &pipeline, &err) != RM_OK)
        fail_msg("%s", err.message);
    return pipeline;
}

/* Modules of one process have names of their own; a name is free again when its pipeline is gone. */
static void modules_come_and_go(void **unused)
{
    static const char *const texts[] = {MANIFEST(NODE("p", TELL), ""), MANIFEST(NODE("p", TELL " # 2"), ""),
                                        MANIFEST(NODE("p", "1 / 0"), "")};
    rm_runtime *runtime = NULL;
    rm_manifest *manifests[3] = {0};
    (void)unused;
    assert_int_equal(rm_runtime_new(NULL, &runtime, NULL), RM_OK);
    assert_int_equal(rm_python_attach(runtime, &python, NULL), RM_OK);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(rm_manifest_parse(runtime, texts[i], strlen(texts[i]), &manifests[i], NULL), RM_OK);
    rm_pipeline *first = opened(manifests[0]), *second = opened(manifests[0]);
    assert_int_equal(rm_manifest_validate(manifests[2], NULL), RM_E_PYTHON);
    rm_pipeline *other = opened(manifests[1]);
    ask(first, "[\"__node_p__\",\"<code of p>\",[\"__node_p_2__\",\"__node_p_3__\",\"__node_p__\"]]");
    rm_pipeline_free(first);
    ask(second, "[\"__node_p_2__\",\"<code of p>\",[\"__node_p_2__\",\"__node_p_3__\"]]");
    ask(other, "[\"__node_p_3__\",\"<code of p (2)>\",[\"__node_p_2__\",\"__node_p_3__\"]]");
    rm_pipeline_free(second);
    rm_pipeline_free(other);
    assert_int_equal(rm_manifest_validate(manifests[1], NULL), RM_OK);
    other = opened(manifests[1]);
    ask(other, "[\"__node_p__\",\"<code of p>\",[\"__node_p__\"]]");
    rm_pipeline_free(other);
    for (size_t i = 0; i < 3; i++)
        rm_manifest_free(manifests[i]);
    rm_runtime_free(runtime);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_answer_or_out_of_memory),
        cmocka_unit_test(tells_the_users_frames_and_the_whole_story),
        cmocka_unit_test(knows_that_memory_ran_out),
        cmocka_unit_test(frees_what_it_made),
        cmocka_unit_test(pipelines_share_the_loop),
        cmocka_unit_test(a_pushed_stream_is_live),
        cmocka_unit_test(a_pipeline_is_freed_while_its_streams_wait),
        cmocka_unit_test(threads_take_turns),
        cmocka_unit_test(modules_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
