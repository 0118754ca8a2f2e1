/* Tracebacks without frames of the package: its private modules, and the package of the older names. */
#include <string.h>

#include "extension.h"

enum { LONGEST_CHAIN = 64 };

/* A traceback's code lies in PACKAGE/_NAME.py, or in PACKAGE_runtime/. */
static bool is_ours(PyObject *traceback)
{
    PyObject *package = rmi_python_of_process()->package;
    const char *folder = package != NULL ? PyUnicode_AsUTF8(package) : NULL; /* ends with a slash */
    PyObject *code = folder != NULL ? rmi_frame_code(rmi_traceback_frame(traceback)) : NULL;
    const char *file = code != NULL ? PyUnicode_AsUTF8(rmi_code_file(code)) : NULL;
    const size_t length = file != NULL ? strlen(folder) - 1 : 0;
    PyErr_Clear();
    Py_XDECREF(code); /* the frame keeps it */
    if (file == NULL || strncmp(file, folder, length) != 0)
        return false;
    return strncmp(file + length, "/_", 2) == 0 || strncmp(file + length, "_runtime/", 9) == 0;
}

/* The traceback without our frames; consumes it. NULL: nothing is left. */
static PyObject *without_ours(PyObject *traceback)
{
    while (traceback != NULL && is_ours(traceback))
        Py_SETREF(traceback, Py_XNewRef(rmi_traceback_next(traceback)));
    PyObject *at = Py_XNewRef(traceback);
    while (at != NULL) {
        PyObject *next = Py_XNewRef(rmi_traceback_next(at));
        const bool skips = next != NULL && is_ours(next);
        while (next != NULL && is_ours(next))
            Py_SETREF(next, Py_XNewRef(rmi_traceback_next(next)));
        if (skips && PyObject_SetAttrString(at, "tb_next", next != NULL ? next : Py_None) != 0)
            PyErr_Clear();
        Py_SETREF(at, next);
    }
    return traceback;
}

/* An exception, those that it came from, and those during which they were raised; at most *left of them. */
static void cut_chain(PyObject *exception, unsigned *left)
{
    while (exception != NULL && *left > 0) {
        PyObject *traceback = without_ours(PyException_GetTraceback(exception));
        (void)PyException_SetTraceback(exception, traceback != NULL ? traceback : Py_None);
        Py_XDECREF(traceback);
        PyObject *cause = PyException_GetCause(exception), *context = PyException_GetContext(exception);
        --*left;
        if (context != NULL && context != cause)
            cut_chain(context, left);
        Py_XDECREF(context);
        Py_XDECREF(cause); /* the exception keeps it */
        exception = cause;
    }
}

void rmi_cut_traceback(PyObject *exception)
{
    unsigned left = LONGEST_CHAIN;
    cut_chain(exception, &left);
}

void rmi_cut_raised(void)
{
    PyObject *exception = PyErr_GetRaisedException();
    if (exception != NULL && !PyErr_GivenExceptionMatches(exception, PyExc_StopIteration) &&
        !PyErr_GivenExceptionMatches(exception, PyExc_StopAsyncIteration))
        rmi_cut_traceback(exception);
    PyErr_SetRaisedException(exception);
}
