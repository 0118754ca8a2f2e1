/* The Python host in an application that has started Python itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <cmocka.h>

#include "remotemedia/node.h"
#include "tests/support/python_run.h"

static const char items_text[] =
    "{\"version\": \"v1\", \"metadata\": {\"name\": \"t\"}, \"nodes\": [{\"id\": \"p\", \"node_type\": "
    "\"Python\", \"params\": {\"code\": \"import remotemedia, sys\\nclass Node(remotemedia.Node):\\n"
    "    def process(self, item):\\n        sys.seen.append(item)\\n        return [item, sys.stdout is "
    "sys.stderr]\"}}], \"connections\": []}";

static const char streams_text[] =
    "{\"version\": \"v1\", \"metadata\": {\"name\": \"t\"}, \"nodes\": ["
    "{\"id\": \"o\", \"node_type\": \"Python\", \"is_streaming\": true, \"params\": {\"code\": \"import threading\\n"
    "def process(stream):\\n    for x in stream:\\n        yield [x, threading.current_thread().name]\"}},"
    "{\"id\": \"p\", \"node_type\": \"Python\", \"is_streaming\": true, \"params\": {\"code\": \"import sys\\n"
    "v = sys.variable\\ndef process(stream):\\n    for x in stream:\\n        yield x + [v.get()]\"}}],"
    "\"connections\": [{\"from\": \"o\", \"to\": \"p\"}]}";

/* A child has code from the manifest, and the application's own __main__ is not touched for it. */
static const char child_text[] =
    "{\"version\": \"v1\", \"metadata\": {\"name\": \"t\"}, \"nodes\": [{\"id\": \"p\", \"node_type\": "
    "\"Python\", \"params\": {\"code\": \"import multiprocessing\\nfactor = 2\\ndef scale(item):\\n"
    "    return item * factor\\ndef process(item):\\n    context = multiprocessing.get_context('spawn')\\n"
    "    context.set_executable('" RMT_BUILD_DIR "/bin/python3.13')\\n"
    "    with context.Pool(1) as pool:\\n        return pool.map(scale, [item])\"}}], \"connections\": []}";

/* The application's interpreter runs the nodes, before and after, with the GIL held and without. */
static void uses_the_interpreter_that_runs(void **unused)
{
    (void)unused;
    assert_int_equal(setenv("PYTHONHOME", RMT_BUILD_DIR, 1), 0);
    assert_int_equal(setenv("PYTHONMALLOC", "malloc", 1), 0); /* sanitizers then see each block */
    Py_InitializeEx(0);
    assert_int_equal(PyRun_SimpleString("import os, sys\nsys.seen = []\nleave = os._exit\n"
                                        "sys.path = [p for p in sys.path if 'site-packages' not in p]"),
                     0);
    rmt_python_run(items_text, "{\"p\":[[1,false],[2,false]]}");
    assert_int_equal(PyRun_SimpleString("assert sys.seen == [1, 2] and os._exit is leave"), 0);
    assert_int_equal(PyRun_SimpleString("import remotemedia\n"
                                        "assert remotemedia.__spec__.origin == 'frozen'"),
                     0);
    PyThreadState *released = PyEval_SaveThread();
    rmt_python_run(items_text, "{\"p\":[[1,false],[2,false]]}");
    PyEval_RestoreThread(released);
    assert_int_equal(PyRun_SimpleString("assert sys.seen == [1, 2, 1, 2]"), 0);
}

static void children_have_the_code(void **unused)
{
    (void)unused;
    rmt_python_run(child_text, "{\"p\":[[2],[4]]}");
    assert_int_equal(PyRun_SimpleString("assert sys.modules['__main__'].__dict__ is globals()\n"
                                        "assert not hasattr(sys.modules['__main__'], '__file__')\n"
                                        "assert not any(name.startswith('__node_') for name in sys.modules)"),
                     0);
}

/* A node's thread begins with a copy of its opener's context, and takes the GIL from its caller. */
static void streams_have_threads_and_the_context(void **unused)
{
    static const char expected[] = "{\"p\":[[1,\"o\",7],[2,\"o\",7]]}";
    (void)unused;
    assert_int_equal(PyRun_SimpleString("import _contextvars\n"
                                        "sys.variable = _contextvars.ContextVar('v', default=0)\n"
                                        "sys.variable.set(7)\n"
                                        "threads = len(sys._current_frames())"),
                     0);
    rmt_python_run(streams_text, expected);
    assert_int_equal(PyRun_SimpleString("assert len(sys._current_frames()) == threads"), 0);
    PyThreadState *released = PyEval_SaveThread();
    rmt_python_run(streams_text, expected);
    PyEval_RestoreThread(released);
}

/* Only this program finalizes the interpreter, which leaves interned strings and constants of code behind. */
RM_API const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:PyUnicode_New\nleak:resize_compact\nleak:r_object\nleak:_PyCode_ConstantKey\nleak:functools_wraps\n";
}

/* Lets a suppression name a function that is not the innermost one. */
RM_API const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "fast_unwind_on_malloc=0";
}

static const char array_text[] =
    "{\"version\": \"v1\", \"metadata\": {\"name\": \"t\"}, \"nodes\": [{\"id\": \"p\", \"node_type\": "
    "\"Python\", \"params\": {\"code\": \"import array, remotemedia\\ndef process(item):\\n"
    "    return remotemedia.Tensor(array.array('i', [item] * 3))\"}}], \"connections\": []}";

static rm_pipeline *waiting_pipeline(rm_runtime *runtime, rm_manifest **manifest)
{
    rm_pipeline *pipeline = NULL;
    rm_error err = {0};
    assert_int_equal(rm_manifest_parse(runtime, streams_text, strlen(streams_text), manifest, &err), RM_OK);
    assert_int_equal(rm_pipeline_open(*manifest, NULL, &pipeline, &err), RM_OK);
    assert_int_equal(rm_pipeline_push(pipeline, NULL, rm_int(6), &err), RM_OK);
    while (rm_run_step(pipeline, &err) == RM_OK)
        ;
    return pipeline;
}

/* The last test: it ends the interpreter. A tensor still has memory of the interpreter, and is released as
 * usual. */
static void the_interpreter_ends_before_its_tensors(void **unused)
{
    const rm_python_config python = {.size = sizeof python};
    rm_runtime *runtime = NULL;
    rm_manifest *manifest = NULL;
    rm_pipeline *pipeline = NULL;
    rm_error err = {0};
    rm_packet packet;
    size_t sink = 0;
    int rc = RM_OK;
    (void)unused;
    assert_int_equal(rm_runtime_new(NULL, &runtime, &err), RM_OK);
    assert_int_equal(rm_python_attach(runtime, &python, &err), RM_OK);
    assert_int_equal(rm_manifest_parse(runtime, array_text, strlen(array_text), &manifest, &err), RM_OK);
    assert_int_equal(rm_pipeline_open(manifest, NULL, &pipeline, &err), RM_OK);
    assert_int_equal(rm_pipeline_push(pipeline, NULL, rm_int(6), &err), RM_OK);
    assert_int_equal(rm_pipeline_finish(pipeline, &err), RM_OK);
    while (rc == RM_OK)
        rc = rm_run_step(pipeline, &err);
    assert_int_equal(rm_pipeline_pull(pipeline, &sink, &packet, &err), RM_OK);
    rm_pipeline_free(pipeline);
    rm_manifest_free(manifest);
    pipeline = waiting_pipeline(runtime, &manifest); /* its threads can neither continue nor end after that */
    assert_int_equal(Py_FinalizeEx(), 0);
    rm_pipeline_free(pipeline);
    assert_int_equal(((const int *)rm_tensor_view(packet.value).data)[2], 6);
    rm_packet_clear(&packet);
    rm_manifest_free(manifest);
    rm_runtime_free(runtime);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(uses_the_interpreter_that_runs),
                                              cmocka_unit_test(children_have_the_code),
                                              cmocka_unit_test(streams_have_threads_and_the_context),
                                              cmocka_unit_test(the_interpreter_ends_before_its_tensors)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
