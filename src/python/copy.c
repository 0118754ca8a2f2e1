/* Object values: the vtable that the runtime knows Python's objects by, and private copies for branches. */
#include "base/alloc.h"
#include "python/convert.h"
#include "python/tensor.h"

/* ---- Copies */

static PyObject *copy(PyObject *object, PyObject **memo);

static bool may_change(PyObject *object)
{
    return PyDict_CheckExact(object) || PyList_CheckExact(object) || PyAnySet_CheckExact(object) ||
           PyTuple_CheckExact(object) || PyByteArray_CheckExact(object);
}

/* The copy made of `object` before, in cycles and where it is shared; NULL without an exception: none. */
static PyObject *copied_before(PyObject *object, PyObject *memo)
{
    PyObject *key = memo != NULL ? PyLong_FromVoidPtr(object) : NULL, *found = NULL;
    if (key != NULL)
        found = Py_XNewRef(PyDict_GetItemWithError(memo, key));
    Py_XDECREF(key);
    return found;
}

static int remember(PyObject *object, PyObject *made, PyObject **memo)
{
    if (*memo == NULL && (*memo = PyDict_New()) == NULL)
        return -1;
    PyObject *key = PyLong_FromVoidPtr(object);
    const int rc = key == NULL ? -1 : PyDict_SetItem(*memo, key, made);
    Py_XDECREF(key);
    return rc;
}

/* A container's element: most are shared as they are. */
static inline PyObject *copy_element(PyObject *element, PyObject **memo)
{
    return may_change(element) ? copy(element, memo) : Py_NewRef(element);
}

static int copy_list(PyObject *from, PyObject *to, PyObject **memo)
{
    int rc = 0;
    for (Py_ssize_t i = 0; rc == 0 && i < PyList_GET_SIZE(from); i++) {
        PyObject *element = copy_element(PyList_GET_ITEM(from, i), memo);
        rc = element == NULL ? -1 : PyList_Append(to, element);
        Py_XDECREF(element);
    }
    return rc;
}

static int copy_dict(PyObject *from, PyObject *to, PyObject **memo)
{
    PyObject *key = NULL, *item = NULL;
    Py_ssize_t place = 0;
    int rc = 0;
    while (rc == 0 && PyDict_Next(from, &place, &key, &item)) {
        PyObject *element = copy_element(item, memo);
        rc = element == NULL ? -1 : PyDict_SetItem(to, key, element);
        Py_XDECREF(element);
    }
    return rc;
}

/* A tuple is the same one when nothing in it needed a copy. */
static PyObject *copy_tuple(PyObject *from, PyObject **memo)
{
    const Py_ssize_t length = PyTuple_GET_SIZE(from);
    bool same = true;
    PyObject *to = PyTuple_New(length);
    for (Py_ssize_t i = 0; to != NULL && i < length; i++) {
        PyObject *element = copy_element(PyTuple_GET_ITEM(from, i), memo);
        same = same && element == PyTuple_GET_ITEM(from, i);
        if (element == NULL)
            Py_CLEAR(to);
        else
            PyTuple_SET_ITEM(to, i, element);
    }
    if (to != NULL && same)
        Py_SETREF(to, Py_NewRef(from));
    return to;
}

static PyObject *copy_container(PyObject *object, PyObject **memo)
{
    if (PyTuple_CheckExact(object))
        return copy_tuple(object, memo);
    const bool is_list = PyList_CheckExact(object);
    PyObject *made = is_list ? PyList_New(0) : PyDict_New();
    int rc = made == NULL ? -1 : remember(object, made, memo);
    if (rc == 0)
        rc = is_list ? copy_list(object, made, memo) : copy_dict(object, made, memo);
    if (rc != 0)
        Py_CLEAR(made);
    return made;
}

static PyObject *copy(PyObject *object, PyObject **memo)
{
    if (PyAnySet_CheckExact(object)) /* what is in a set cannot change */
        return PyFrozenSet_CheckExact(object) ? Py_NewRef(object) : PySet_New(object);
    if (PyByteArray_CheckExact(object))
        return PyByteArray_FromObject(object);
    PyObject *made = copied_before(object, *memo);
    if (made != NULL || PyErr_Occurred())
        return made;
    if (Py_EnterRecursiveCall(" while a value was copied for a branch"))
        return NULL;
    made = copy_container(object, memo);
    Py_LeaveRecursiveCall();
    return made;
}

PyObject *rmi_copy(PyObject *object)
{
    PyObject *memo = NULL, *made = copy_element(object, &memo);
    Py_XDECREF(memo);
    return made;
}

/* ---- The vtable; its functions are called with the GIL or without */

static void object_release(void *object)
{
    rmi_release(object);
}

static int object_copy(void *object, rm_value *out, rm_error *err)
{
    const PyGILState_STATE held = rmi_enter();
    PyObject *made = rmi_copy(object);
    int rc = made == NULL ? rmi_python_failed(NULL, err)
                          : rm_object_new(&rmi_box_allocator, &rmi_python_object, made, out, err);
    rmi_leave(held);
    return rc;
}

static int object_to_value(void *object, const rm_allocator *allocator, rm_value *out, rm_error *err)
{
    const PyGILState_STATE held = rmi_enter();
    const int rc = rmi_to_plain(allocator, object, out, err);
    rmi_leave(held);
    return rc;
}

static const char *object_type_name(void *object)
{
    return Py_TYPE((PyObject *)object)->tp_name;
}

const rm_object_type rmi_python_object = {
    .size = sizeof(rm_object_type),
    .name = "Python object",
    .release = object_release,
    .copy = object_copy,
    .to_value = object_to_value,
    .type_name = object_type_name,
};

int rmi_to_packet_value(PyObject *object, rm_value *out, rm_error *err)
{
    if (rmi_scalar(object, out))
        return RM_OK;
    if (rmi_tensor_check(object)) {
        *out = rm_value_retain(rmi_tensor_value(object));
        return RM_OK;
    }
    return rm_object_new(&rmi_box_allocator, &rmi_python_object, Py_NewRef(object), out, err);
}
