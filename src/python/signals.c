/* SIGINT, SIGTERM and SIGHUP end the run, in a handler of the program's. Python code sees the handlers that Python
 * has at its start (SIGINT's: keyboard_interrupt.c), and what it puts back after a handler of its own are ours
 * again. */
#include "platform/platform.h"
#include "python/python_host.h"

static const char *const names[] = {"SIGINT", "SIGTERM", "SIGHUP"};
enum { SIGNALS = sizeof names / sizeof *names };

/* signal.signal. `self` is (the function that was there, SIGINT's handler). */
static PyObject *set_handler(PyObject *self, PyObject *args)
{
    PyObject *before = PyObject_CallObject(PyTuple_GET_ITEM(self, 0), args);
    if (before == NULL)
        return NULL;
    PyObject *handler = PyTuple_GET_ITEM(args, 1);
    const long number = PyLong_AsLong(PyTuple_GET_ITEM(args, 0));
    const bool is_interrupt = rmi_platform_is_interrupt((int)number);
    const bool is_default = PyLong_Check(handler) && PyLong_AsLong(handler) == 0;
    if (is_interrupt ? handler == PyTuple_GET_ITEM(self, 1) : is_default)
        rmi_platform_take_back_signal((int)number);
    PyErr_Clear();
    return before;
}

/* Puts `handler` (NULL: the default) in the place of `former` as the handler that Python knows. */
static int replace(PyObject *module, const char *name, PyObject *former, PyObject *handler)
{
    PyObject *number = PyObject_GetAttrString(module, name), *done = NULL;
    PyObject *now = number != NULL ? PyObject_CallMethod(module, "getsignal", "O", number) : NULL;
    PyObject *next = handler != NULL ? Py_NewRef(handler) : PyObject_GetAttrString(module, "SIG_DFL");
    int rc = now == NULL || next == NULL ? -1 : 0;
    if (rc == 0 && now == former)
        rc = (done = PyObject_CallMethod(module, "signal", "OO", number, next)) == NULL ? -1 : 0;
    Py_XDECREF(done);
    Py_XDECREF(next);
    Py_XDECREF(now);
    Py_XDECREF(number);
    return rc;
}

int rmi_signals_install(void)
{
    static PyMethodDef definition = {"signal", set_handler, METH_VARARGS, "Sets the handler of a signal."};
    if (!rmi_platform_took_signals())
        return 0;
    PyObject *module = PyImport_ImportModule("_signal"), *bound = NULL, *function = NULL;
    PyObject *handler = rmi_python_of_process()->int_handler;
    PyObject *before = module != NULL ? PyObject_GetAttrString(module, "signal") : NULL;
    if (before != NULL && handler != NULL)
        bound = PyTuple_Pack(2, before, handler);
    function = bound != NULL ? PyCFunction_New(&definition, bound) : NULL;
    int rc = function == NULL ? -1 : PyObject_SetAttrString(module, "signal", function);
    for (size_t i = 1; rc == 0 && i < SIGNALS; i++)
        rc = replace(module, names[i], Py_None, NULL);
    Py_XDECREF(function);
    Py_XDECREF(bound);
    Py_XDECREF(before);
    Py_XDECREF(module);
    if (rc != 0 && PyErr_ExceptionMatches(PyExc_ValueError)) { /* this is not the main thread */
        PyErr_Clear();
        rc = 0;
    }
    return rc;
}

int rmi_signals_in_child(void)
{
    PyObject *former = rmi_python_of_process()->int_handler;
    PyObject *module = former != NULL ? PyImport_ImportModule("_signal") : NULL;
    PyObject *handler = module != NULL ? PyObject_GetAttrString(module, "default_int_handler") : NULL;
    const int rc = handler != NULL ? replace(module, names[0], former, handler) : PyErr_Occurred() ? -1 : 0;
    Py_XDECREF(handler);
    Py_XDECREF(module);
    return rc;
}
