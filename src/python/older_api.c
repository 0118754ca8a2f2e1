/* What came with Python 3.13 (api.h): for the limited API and for 3.12, and compiled in such builds only. */
#include "python/api.h"

static int found_or_missing(PyObject *found)
{
    if (found != NULL)
        return 1;
    if (!PyErr_ExceptionMatches(PyExc_AttributeError))
        return -1;
    PyErr_Clear();
    return 0;
}

int PyObject_GetOptionalAttr(PyObject *object, PyObject *name, PyObject **out)
{
    *out = PyObject_GetAttr(object, name);
    return found_or_missing(*out);
}

int PyObject_GetOptionalAttrString(PyObject *object, const char *name, PyObject **out)
{
    *out = PyObject_GetAttrString(object, name);
    return found_or_missing(*out);
}

int PyDict_ContainsString(PyObject *dict, const char *key)
{
    PyObject *text = PyUnicode_FromString(key);
    const int found = text != NULL ? PyDict_Contains(dict, text) : -1;
    Py_XDECREF(text);
    return found;
}

PyObject *PyType_GetFullyQualifiedName(PyTypeObject *type)
{
    PyObject *name = PyType_GetQualName(type),
             *module = PyObject_GetAttrString((PyObject *)type, "__module__");
    const bool is_plain = module == NULL || !PyUnicode_Check(module) ||
                          PyUnicode_EqualToUTF8(module, "builtins") ||
                          PyUnicode_EqualToUTF8(module, "__main__");
    PyErr_Clear();
    PyObject *full = NULL;
    if (name != NULL)
        full = is_plain ? Py_NewRef(name) : PyUnicode_FromFormat("%U.%U", module, name);
    Py_XDECREF(module);
    Py_XDECREF(name);
    return full;
}

/* Calls with the `arguments` (consumed) and signed=True. */
static PyObject *call_signed(PyObject *function, PyObject *arguments)
{
    PyObject *keywords = Py_BuildValue("{s:O}", "signed", Py_True), *made = NULL;
    if (arguments != NULL && keywords != NULL)
        made = PyObject_Call(function, arguments, keywords);
    Py_XDECREF(keywords);
    Py_XDECREF(arguments);
    return made;
}

Py_ssize_t PyLong_AsNativeBytes(PyObject *number, void *bytes, Py_ssize_t size, int flags)
{
    PyObject *to_bytes = PyObject_GetAttrString((PyObject *)&PyLong_Type, "to_bytes"), *made = NULL;
    PyObject *bits = to_bytes != NULL ? PyObject_CallMethod(number, "bit_length", NULL) : NULL;
    const Py_ssize_t needed = bits != NULL ? PyLong_AsSsize_t(bits) / 8 + 1 : -1;
    (void)flags;
    Py_XDECREF(bits);
    if (needed > 0 && needed <= size) {
        made = call_signed(to_bytes, Py_BuildValue("(Ons)", number, needed, "little"));
        if (made != NULL)
            memcpy(bytes, PyBytes_AsString(made), (size_t)needed);
        Py_XDECREF(made);
    }
    Py_XDECREF(to_bytes);
    return PyErr_Occurred() ? -1 : needed;
}

PyObject *PyLong_FromNativeBytes(const void *bytes, size_t size, int flags)
{
    PyObject *from_bytes = PyObject_GetAttrString((PyObject *)&PyLong_Type, "from_bytes"), *made = NULL;
    (void)flags;
    if (from_bytes != NULL)
        made =
            call_signed(from_bytes, Py_BuildValue("(y#s)", (const char *)bytes, (Py_ssize_t)size, "little"));
    Py_XDECREF(from_bytes);
    return made;
}
