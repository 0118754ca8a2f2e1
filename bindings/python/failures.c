/* Failures of the runtime as exceptions of the package. */
#include "extension.h"
#include "python/convert/convert.h"

/* The error document, and its code as a number. */
static PyObject *describe(const rm_error *err)
{
    rm_value document = rm_null();
    rm_error more = {0};
    PyObject *made = NULL;
    if (rm_error_to_value(NULL, err, &document, &more) == RM_OK)
        made = rmi_to_python(document);
    else
        PyErr_NoMemory();
    rm_value_clear(&document);
    rm_error_clear(&more);
    return made;
}

int rmi_raise(const rmi_extension *extension, rm_error *err)
{
    PyObject *cause = Py_XNewRef((PyObject *)rm_object_get(err->detail, &rmi_python_object.base));
    if (cause != NULL)
        rmi_cut_traceback(cause);
    if (cause != NULL && PyErr_GivenExceptionMatches(cause, PyExc_KeyboardInterrupt)) {
        PyErr_SetRaisedException(cause);
        rm_error_clear(err);
        return -1;
    }
    PyObject *document = describe(err);
    PyObject *exception = document != NULL ? PyObject_CallFunction(extension->failure, "OO", document,
                                                                   cause != NULL ? Py_True : Py_False)
                                           : NULL;
    if (exception != NULL) {
        PyException_SetCause(exception, Py_XNewRef(cause));
        PyErr_SetRaisedException(exception);
    }
    Py_XDECREF(document);
    Py_XDECREF(cause);
    rm_error_clear(err);
    return -1;
}
