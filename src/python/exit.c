/* os._exit would end the run without a message. So it raises SystemExit in the program's own process, as
 * sys.exit does; in a process that a node has forked it works as usual. */
#include "python/python_host.h"

/* `self` is (posix, the function that was there, the number of this process or None). */
static PyObject *leave(PyObject *self, PyObject *args, PyObject *kwargs)
{
    PyObject *number = PyTuple_GET_ITEM(self, 2);
    PyObject *now = number != Py_None ? PyObject_CallMethod(PyTuple_GET_ITEM(self, 0), "getpid", NULL)
                                      : Py_NewRef(Py_None);
    const int here = now != NULL ? PyObject_RichCompareBool(now, number, Py_EQ) : -1;
    Py_XDECREF(now);
    if (here == 0)
        return PyObject_Call(PyTuple_GET_ITEM(self, 1), args, kwargs);
    if (here > 0)
        PyErr_SetString(PyExc_SystemExit, "os._exit() was called");
    return NULL;
}

/* Replaces the function in `posix`, and in `os` when `os` has copied it already. */
static int replace(PyObject *posix, PyObject *function)
{
    PyObject *os = PyDict_GetItemString(PyImport_GetModuleDict(), "os"); /* borrowed */
    int rc = PyObject_SetAttrString(posix, "_exit", function);
    if (rc == 0 && os != NULL)
        rc = PyObject_SetAttrString(os, "_exit", function);
    return rc;
}

int rmi_exit_install(void)
{
    static PyMethodDef definition = {"_exit", RMI_METHOD(leave), METH_VARARGS | METH_KEYWORDS,
                                     "Raises SystemExit; in a forked process: ends it."};
    PyObject *posix = PyImport_ImportModule("posix"), *before = NULL, *number = NULL, *bound = NULL;
    PyObject *function = NULL;
    int rc = -1;
    if (posix != NULL && PyObject_GetOptionalAttrString(posix, "_exit", &before) >= 0 &&
        PyObject_GetOptionalAttrString(posix, "getpid", &number) >= 0) {
        if (number != NULL)
            Py_SETREF(number, PyObject_CallNoArgs(number));
        else
            number = Py_NewRef(Py_None);
        if (number != NULL)
            bound = PyTuple_Pack(3, posix, before != NULL ? before : Py_None, number);
        function = bound != NULL ? PyCFunction_New(&definition, bound) : NULL;
        rc = function == NULL ? -1 : replace(posix, function);
    }
    Py_XDECREF(function);
    Py_XDECREF(bound);
    Py_XDECREF(number);
    Py_XDECREF(before);
    Py_XDECREF(posix);
    return rc;
}
