/* What CPython 3.13 has and 3.12 has not, under the names of 3.13. */
#ifndef PYTHON_API_H
#define PYTHON_API_H

#include <stdbool.h>

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#if PY_VERSION_HEX < 0x030D0000
#include <string.h>

#define PyThreadState_GetUnchecked _PyThreadState_UncheckedGet
#define PyObject_GetOptionalAttr _PyObject_LookupAttr
enum { Py_ASNATIVEBYTES_LITTLE_ENDIAN = 1 };

static inline int PyObject_GetOptionalAttrString(PyObject *object, const char *name, PyObject **result)
{
    PyObject *text = PyUnicode_FromString(name);
    *result = NULL;
    const int found = text != NULL ? PyObject_GetOptionalAttr(object, text, result) : -1;
    Py_XDECREF(text);
    return found;
}

static inline int PyUnicode_EqualToUTF8(PyObject *text, const char *other)
{
    Py_ssize_t length = 0;
    const char *utf8 = PyUnicode_AsUTF8AndSize(text, &length);
    if (utf8 == NULL)
        PyErr_Clear();
    return utf8 != NULL && strlen(other) == (size_t)length && memcmp(utf8, other, (size_t)length) == 0;
}

/* Little-endian. Returns the bytes needed; writes only as many as fit. */
static inline Py_ssize_t PyLong_AsNativeBytes(PyObject *number, void *bytes, Py_ssize_t size, int flags)
{
    const size_t bits = _PyLong_NumBits(number);
    (void)flags;
    if (bits == (size_t)-1 && PyErr_Occurred())
        return -1;
    const Py_ssize_t needed = (Py_ssize_t)(bits / 8 + 1);
    if (size >= needed && _PyLong_AsByteArray((PyLongObject *)number, bytes, (size_t)size, 1, 1) != 0)
        return -1;
    return needed;
}

static inline PyObject *PyLong_FromNativeBytes(const void *bytes, size_t size, int flags)
{
    (void)flags;
    return _PyLong_FromByteArray(bytes, size, 1, 1);
}

static inline int PyDict_ContainsString(PyObject *dict, const char *key)
{
    PyObject *text = PyUnicode_FromString(key);
    const int found = text != NULL ? PyDict_Contains(dict, text) : -1;
    Py_XDECREF(text);
    return found;
}

static inline PyObject *PyType_GetFullyQualifiedName(PyTypeObject *type)
{
    PyObject *name = PyType_GetQualName(type);
    PyObject *module = name != NULL ? PyObject_GetAttrString((PyObject *)type, "__module__") : NULL;
    const bool is_plain = module == NULL || !PyUnicode_Check(module) ||
                          PyUnicode_EqualToUTF8(module, "builtins") ||
                          PyUnicode_EqualToUTF8(module, "__main__");
    PyObject *full = name == NULL ? NULL
                     : is_plain   ? Py_NewRef(name)
                                  : PyUnicode_FromFormat("%U.%U", module, name);
    Py_XDECREF(module);
    Py_XDECREF(name);
    return full;
}
#endif
#endif
