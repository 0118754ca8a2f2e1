/* Processes that a node's code forks. Such a process has the thread that forked and nothing else of the run, so it ends
 * where the code comes back to the runtime: in a program of its own it would end where the program ends. */
#include <stdlib.h>

#include "python/python_host.h"

/* The descriptors of loops are the parent's too, and whoever runs one is gone: the next coroutine gets a new one. */
static void forget_loops(rmi_python *python)
{
    PyObject *modules = PyImport_GetModuleDict();
    python->task_type = NULL; /* its references stay: dropping them would close what the parent uses */
    python->shared_loop = python->entered = NULL;
    if (PyDict_ContainsString(modules, "remotemedia._loop") == 1)
        (void)PyDict_DelItemString(modules, "remotemedia._loop");
}

static PyObject *after_fork(PyObject *self, PyObject *unused)
{
    rmi_python *python = rmi_python_of_process();
    const unsigned long here = PyThread_get_thread_ident();
    (void)self, (void)unused;
    for (const rmi_call *call = python->calls; call != NULL; call = call->next)
        if (call->thread == here)
            python->ends_here = true;
    python->calls = NULL;
    if (python->signal_thread != 0)
        python->signal_thread = here;
    if (!python->ends_here)
        forget_loops(python);
    return rmi_signals_in_child() == 0 ? Py_NewRef(Py_None) : NULL;
}

int rmi_child_install(void)
{
    static PyMethodDef definition = {"after_fork", after_fork, METH_NOARGS, NULL};
    PyObject *posix = PyImport_ImportModule("posix"), *add = NULL, *function = NULL, *done = NULL;
    int rc = posix != NULL ? PyObject_GetOptionalAttrString(posix, "register_at_fork", &add) : -1;
    if (rc > 0) {
        PyObject *names = Py_BuildValue("(s)", "after_in_child");
        function = PyCFunction_New(&definition, NULL);
        if (names != NULL && function != NULL)
            done = PyObject_Vectorcall(add, &function, 0, names);
        rc = done != NULL ? 0 : -1;
        Py_XDECREF(names);
    }
    Py_XDECREF(done);
    Py_XDECREF(function);
    Py_XDECREF(add);
    Py_XDECREF(posix);
    return rc;
}

/* What Python makes of an exception that nobody handles: prints it, and gives the exit code. */
static int unhandled(void)
{
    PyObject *exception = PyErr_GetRaisedException(), *code = NULL;
    int number = 1;
    if (!PyErr_GivenExceptionMatches(exception, PyExc_SystemExit)) {
        if (PyErr_GivenExceptionMatches(exception, PyExc_KeyboardInterrupt))
            number = 130;
        PyErr_SetRaisedException(exception);
        PyErr_Print();
        return number;
    }
    if (PyObject_GetOptionalAttrString(exception, "code", &code) < 0)
        PyErr_Clear();
    if (code == NULL || code == Py_None)
        number = 0;
    else if (PyLong_Check(code))
        number = (int)PyLong_AsLong(code);
    else
        PySys_FormatStderr("%S\n", code);
    PyErr_Clear();
    Py_XDECREF(code);
    Py_XDECREF(exception);
    return number;
}

void rmi_child_end(void)
{
    int code = 1;
    if (PyErr_Occurred())
        code = unhandled();
    else
        PySys_WriteStderr("error: a process that a node's code has forked came back from the code, and ends; "
                          "os._exit() ends it before that\n");
    rmi_text left;
    rmi_text_init(&left, NULL);
    rmi_run_exit_functions(&left);
    _Exit(code);
}
