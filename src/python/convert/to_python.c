/* Plain values to Python objects. */
#include <string.h>

#include "data/keys.h"
#include "python/convert/convert.h"
#include "python/arrays/tensor_type.h"

enum { SMALL_INTEGER = 512 };

static PyObject *big_integer(rm_value value)
{
    uint8_t small[SMALL_INTEGER];
    const size_t size = rm_integer_to_bytes(value, small, sizeof small);
    if (size <= sizeof small)
        return PyLong_FromNativeBytes(small, size, Py_ASNATIVEBYTES_LITTLE_ENDIAN);
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size), *result = NULL;
    if (bytes != NULL) {
        (void)rm_integer_to_bytes(value, (uint8_t *)PyBytes_AS_STRING(bytes), size);
        result = PyLong_FromNativeBytes(PyBytes_AS_STRING(bytes), size, Py_ASNATIVEBYTES_LITTLE_ENDIAN);
        Py_DECREF(bytes);
    }
    return result;
}

static PyObject *string(rm_value value)
{
    size_t length = 0;
    const char *text = rm_string_text(value, &length);
    return PyUnicode_DecodeUTF8(text, (Py_ssize_t)length, NULL);
}

static PyObject *bytes(rm_value value)
{
    size_t length = 0;
    const uint8_t *data = rm_bytes_data(value, &length);
    return PyBytes_FromStringAndSize((const char *)data, (Py_ssize_t)length);
}

static PyObject *list(rm_value value)
{
    const size_t length = rm_list_length(value);
    PyObject *result = PyList_New((Py_ssize_t)length);
    for (size_t i = 0; result != NULL && i < length; i++) {
        PyObject *item = rmi_to_python(rm_list_get(value, i));
        if (item == NULL)
            Py_CLEAR(result);
        else
            PyList_SET_ITEM(result, (Py_ssize_t)i, item);
    }
    return result;
}

/* ---- Maps: the same few keys come again and again */

static PyObject *remembered_key(rm_value key)
{
    size_t length = 0;
    const char *text = rm_string_text(key, &length);
    const size_t place = rmi_key_place(text, length, RMI_PYTHON_KEYS);
    if (place == RMI_PYTHON_KEYS)
        return string(key);
    PyObject **slot = &rmi_python_of_process()->keys[place];
    Py_ssize_t letters = 0;
    const char *kept = *slot != NULL ? rmi_ascii(*slot, &letters) : NULL;
    if (kept != NULL && letters == (Py_ssize_t)length && memcmp(kept, text, length) == 0)
        return Py_NewRef(*slot);
    PyObject *made = string(key);
    if (made != NULL && rmi_ascii(made, &letters) != NULL) {
        PyUnicode_InternInPlace(&made); /* faster to find, in the user's code and on the way back */
        Py_XSETREF(*slot, Py_NewRef(made));
    }
    return made;
}

static PyObject *map(rm_value value)
{
    const size_t length = rm_map_length(value);
    PyObject *result = PyDict_New();
    rm_value key, item;
    for (size_t i = 0; result != NULL && i < length && rm_map_at(value, i, &key, &item); i++) {
        PyObject *name = remembered_key(key), *object = name != NULL ? rmi_to_python(item) : NULL;
        if (object == NULL || PyDict_SetItem(result, name, object) != 0)
            Py_CLEAR(result);
        Py_XDECREF(name);
        Py_XDECREF(object);
    }
    return result;
}

static PyObject *container(rm_value value)
{
    if (Py_EnterRecursiveCall(" while a value was given to Python"))
        return NULL;
    PyObject *result = value.kind == RM_LIST ? list(value) : map(value);
    Py_LeaveRecursiveCall();
    return result;
}

/* An object of another resolver becomes its plain form. */
static PyObject *object(rm_value value)
{
    PyObject *mine = rmi_object_in(value), *result = NULL;
    rmi_wire_object *packed = mine == NULL ? rm_object_get(value, &rmi_wire_object_type.base) : NULL;
    rm_value plain = rm_null();
    rm_error err = {0};
    if (mine != NULL)
        return Py_NewRef(mine);
    if (packed != NULL)
        return rmi_wire_object_to_python(packed);
    if (rm_value_to_plain(rm_allocator_default(), value, &plain, &err) != RM_OK)
        rmi_python_raise(&err);
    else
        result = rmi_to_python(plain);
    rm_value_clear(&plain);
    return result;
}

PyObject *rmi_to_python_slow(rm_value value)
{
    switch ((rm_kind)value.kind) {
    case RM_NULL:
        return Py_NewRef(Py_None);
    case RM_BOOL:
        return PyBool_FromLong(value.b);
    case RM_INT:
        return PyLong_FromLongLong(value.i);
    case RM_FLOAT:
        return PyFloat_FromDouble(value.f);
    case RM_BIGINT:
        return big_integer(value);
    case RM_STRING:
        return string(value);
    case RM_BYTES:
        return bytes(value);
    case RM_LIST:
    case RM_MAP:
        return container(value);
    case RM_TENSOR:
        return rmi_tensor_to_python(value, RM_NO_TIME, RM_NO_TIME);
    case RM_OBJECT:
        return object(value);
    default:
        PyErr_Format(PyExc_SystemError, "a value of unknown kind %u", value.kind);
        return NULL;
    }
}
