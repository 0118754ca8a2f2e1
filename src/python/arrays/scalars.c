/* numpy's scalars as numbers, and those of ml_dtypes, which numpy has too. */
#include <math.h>
#include <string.h>

#include "python/arrays/array.h"

/* The letter of a scalar's dtype.kind, or 0. */
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

static Py_ssize_t size_of(PyObject *scalar)
{
    PyObject *bytes = PyObject_GetAttrString(scalar, "itemsize");
    const Py_ssize_t size = bytes != NULL ? PyLong_AsSsize_t(bytes) : 0;
    Py_XDECREF(bytes);
    PyErr_Clear();
    return size;
}

/* A longdouble may have more digits than Python's float. */
static PyObject *exact_float(PyObject *scalar)
{
    PyObject *number = PyNumber_Float(scalar);
    const int same = number != NULL ? PyObject_RichCompareBool(number, scalar, Py_EQ) : -1;
    rm_error err = {0};
    if (same != 0 || isnan(PyFloat_AS_DOUBLE(number)))
        return same < 0 ? (Py_XDECREF(number), NULL) : number;
    (void)rm_error_set(&err, RM_E_UNSUPPORTED, "a '%s' has more digits than a float",
                       rmi_name_of_type(Py_TYPE(scalar)));
    rm_error_hint(&err, "float(x) rounds it, numpy.asarray(x) makes it an array");
    rmi_python_raise(&err);
    Py_DECREF(number);
    return NULL;
}

/* Those of ml_dtypes fit Python's numbers, but have no kind of their own. */
static PyObject *number_of_ml_dtypes(PyObject *scalar)
{
    static const char package[] = "ml_dtypes.";
    const char *name = rmi_name_of_type(Py_TYPE(scalar));
    if (strncmp(name, package, sizeof package - 1) != 0)
        return NULL;
    name += sizeof package - 1;
    if (strncmp(name, "int", 3) == 0 || strncmp(name, "uint", 4) == 0)
        return PyNumber_Long(scalar);
    return strncmp(name, "float", 5) == 0 || strcmp(name, "bfloat16") == 0 ? PyNumber_Float(scalar) : NULL;
}

PyObject *rmi_array_number(PyObject *object)
{
    int truth = 0;
    if (!rmi_array_scalar_check(object))
        return NULL;
    switch (kind_of(object)) {
    case 'b':
        truth = PyObject_IsTrue(object);
        return truth < 0 ? NULL : PyBool_FromLong(truth);
    case 'i':
    case 'u':
        return PyNumber_Index(object);
    case 'f':
        return size_of(object) > (Py_ssize_t)sizeof(double) ? exact_float(object) : PyNumber_Float(object);
    case 'V':
        return number_of_ml_dtypes(object);
    default:
        return NULL;
    }
}
