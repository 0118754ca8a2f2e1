/* A process that an application forks, while its interpreter runs nodes. The interpreter is not finalized: what CPython
 * leaves behind then is no leak of ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <cmocka.h>

#include <sys/wait.h>
#include <unistd.h>

#include "remotemedia/node.h"
#include "tests/support/python_run.h"

static const char waits_text[] =
    "{\"version\": \"v1\", \"metadata\": {\"name\": \"t\"}, \"nodes\": [{\"id\": \"p\", \"node_type\": "
    "\"Python\", \"params\": {\"code\": \"import asyncio\\nasync def process(item):\\n"
    "    await asyncio.sleep(0)\\n    return item\"}}], \"connections\": []}";

/* Beside its parent, which has a loop of its own. rm_python_finish leaves the interpreter to the application. */
static void a_forked_process_has_runs_of_its_own(void **unused)
{
    int status = -1;
    (void)unused;
    assert_int_equal(setenv("PYTHONHOME", RMT_BUILD_DIR, 1), 0);
    assert_int_equal(setenv("PYTHONMALLOC", "malloc", 1), 0); /* sanitizers then see each block */
    Py_InitializeEx(0);
    rmt_python_run(waits_text, "{\"p\":[1,2]}");
    PyObject *os = PyImport_ImportModule("os"), *number = PyObject_CallMethod(os, "fork", NULL);
    assert_non_null(number);
    const pid_t child = (pid_t)PyLong_AsLong(number);
    if (child == 0) {
        rmt_python_run(waits_text, "{\"p\":[1,2]}");
        _exit(rm_python_finish(NULL) == RM_OK ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    rmt_python_run(waits_text, "{\"p\":[1,2]}");
    Py_DECREF(number);
    Py_DECREF(os);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(a_forked_process_has_runs_of_its_own)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
