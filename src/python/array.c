/* Arrays of numpy and of others on their way to tensors, and numpy's scalars on their way to numbers. */
#include <string.h>

#include "python/array.h"
#include "python/convert.h"
#include "python/tensor.h"

/* ---- Knowing them */

/* A class of a module that somebody has imported, as far as it is there yet; borrowed or NULL. */
static PyObject *class_of_module(const char *module, const char *name)
{
    PyObject *exception = PyErr_GetRaisedException(), *found = NULL;
    PyObject *imported = PyDict_GetItemString(PyImport_GetModuleDict(), module);
    if (imported != NULL && (found = PyObject_GetAttrString(imported, name)) != NULL)
        Py_DECREF(found); /* the module has it */
    PyErr_SetRaisedException(exception);
    return found != NULL && PyType_Check(found) ? found : NULL;
}

/* numpy's class is kept once it is known: the module can never be unloaded. */
static PyTypeObject *numpy_type(PyTypeObject **place, const char *name)
{
    if (*place == NULL)
        *place = (PyTypeObject *)Py_XNewRef(class_of_module("numpy", name));
    return *place;
}

bool rmi_array_check(PyObject *object)
{
    PyTypeObject *type = numpy_type(&rmi_python_of_process()->array_type, "ndarray");
    return type != NULL && PyObject_TypeCheck(object, type);
}

bool rmi_array_seen(PyObject *object)
{
    PyTypeObject *type = rmi_python_of_process()->array_type;
    return type != NULL && PyObject_TypeCheck(object, type);
}

size_t rmi_array_bytes(PyObject *array)
{
    PyObject *exception = PyErr_GetRaisedException(), *number = PyObject_GetAttrString(array, "nbytes");
    const size_t bytes = number != NULL ? PyLong_AsSize_t(number) : 0;
    const bool failed = PyErr_Occurred() != NULL;
    Py_XDECREF(number);
    PyErr_SetRaisedException(exception);
    return failed ? 0 : bytes;
}

static bool speaks_dlpack(PyObject *object)
{
    return PyObject_HasAttrWithError((PyObject *)Py_TYPE(object), rmi_name(RMI_NAME___dlpack__)) == 1;
}

bool rmi_array_like(PyObject *object)
{
    const bool is = rmi_array_check(object) || speaks_dlpack(object);
    PyErr_Clear();
    return is;
}

static bool is_masked(PyObject *array)
{
    PyObject *type = Py_IS_TYPE(array, rmi_python_of_process()->array_type)
                         ? NULL
                         : class_of_module("numpy.ma.core", "MaskedArray");
    return type != NULL && PyObject_TypeCheck(array, (PyTypeObject *)type);
}

/* ---- Arrays */

/* An exception that says why an object has no tensor is the user's to mend: no traceback leads to it. */
static int unsupported(rm_error *err)
{
    if (!PyErr_ExceptionMatches(PyExc_TypeError) && !PyErr_ExceptionMatches(PyExc_ValueError) &&
        !PyErr_ExceptionMatches(PyExc_BufferError))
        return rmi_python_failed(NULL, err);
    PyObject *exception = PyErr_GetRaisedException(), *text = PyObject_Str(exception);
    const char *message = text != NULL ? PyUnicode_AsUTF8(text) : NULL;
    const int rc =
        message != NULL ? rm_error_set(err, RM_E_UNSUPPORTED, "%s", message) : rmi_python_failed(NULL, err);
    Py_XDECREF(text);
    Py_DECREF(exception);
    return rc;
}

/* Elements that buffers have no word for: their bytes, and what describes them. */
static int described(const rm_allocator *allocator, PyObject *array, rm_value *out, rm_error *err)
{
    PyObject *module = PyImport_ImportModule("remotemedia._arrays");
    PyObject *pair = module != NULL ? PyObject_CallMethod(module, "as_bytes", "O", array) : NULL;
    PyObject *bytes = NULL;
    const char *description = NULL;
    int rc = RM_OK;
    if (pair == NULL || !PyArg_ParseTuple(pair, "Os", &bytes, &description))
        rc = unsupported(err);
    else if (rmi_tensor_wrap_buffer(allocator, bytes, description, out) != 0)
        rc = unsupported(err);
    Py_XDECREF(pair);
    Py_XDECREF(module);
    return rc;
}

static int array_to_value(const rm_allocator *allocator, PyObject *array, rm_value *out, rm_error *err)
{
    if (is_masked(array)) {
        (void)rm_error_set(err, RM_E_UNSUPPORTED, "a masked array is no tensor: its mask would be lost");
        rm_error_hint(err, "x.filled(value) makes it an array");
        return RM_E_UNSUPPORTED;
    }
    const int wrapped = rmi_tensor_wrap_buffer(allocator, array, NULL, out);
    if (wrapped == 0)
        return RM_OK;
    if (wrapped < 0 && !PyErr_ExceptionMatches(PyExc_ValueError) &&
        !PyErr_ExceptionMatches(PyExc_BufferError))
        return rmi_python_failed(NULL, err);
    PyErr_Clear();
    return described(allocator, array, out, err);
}

int rmi_array_to_value(const rm_allocator *allocator, PyObject *array, rm_value *out, rm_error *err)
{
    *out = rm_null();
    if (!RM_NATIVE_NUMPY)
        return rm_error_set(err, RM_E_MISSING_FEATURE,
                            "an array of type '%s' needs RM_NATIVE_NUMPY, which this build does not have",
                            Py_TYPE(array)->tp_name);
    if (rmi_array_check(array))
        return array_to_value(allocator, array, out, err);
    return rmi_tensor_from_dlpack(allocator, array, out) == 0 ? RM_OK : unsupported(err);
}

/* ---- Scalars */

/* The letter of its dtype's kind, or 0. */
static Py_UCS4 kind_of(PyObject *scalar)
{
    PyObject *dtype = PyObject_GetAttrString(scalar, "dtype");
    PyObject *kind = dtype != NULL ? PyObject_GetAttrString(dtype, "kind") : NULL;
    const bool is_letter = kind != NULL && PyUnicode_Check(kind) && PyUnicode_GET_LENGTH(kind) == 1;
    const Py_UCS4 letter = is_letter ? PyUnicode_READ_CHAR(kind, 0) : 0;
    Py_XDECREF(kind);
    Py_XDECREF(dtype);
    PyErr_Clear();
    return letter;
}

PyObject *rmi_array_number(PyObject *object)
{
    PyTypeObject *type = numpy_type(&rmi_python_of_process()->scalar_type, "generic");
    if (type == NULL || !PyObject_TypeCheck(object, type))
        return NULL;
    switch (kind_of(object)) {
    case 'b':
        return PyBool_FromLong(PyObject_IsTrue(object));
    case 'i':
    case 'u':
        return PyNumber_Index(object);
    case 'f':
        return PyNumber_Float(object);
    default:
        return NULL;
    }
}
