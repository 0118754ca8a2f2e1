/* Who may still change the memory of an array or a Tensor. A node may keep what it emits, and the memory under it; what
 * travels on must not change with it, so it is copied then. What nobody else can reach travels uncopied. */
#include <string.h>

#include "data/blocks.h"
#include "python/array.h"
#include "python/convert.h"
#include "python/tensor.h"

enum { DEEPEST_BASE = 32 };

static bool may_change(PyObject *object, Py_ssize_t held, unsigned depth);

bool rmi_has_memory(PyObject *object)
{
    return rmi_tensor_check(object) || rmi_array_check(object);
}

static bool is_writeable(PyObject *array)
{
    PyObject *flags = PyObject_GetAttrString(array, "flags");
    PyObject *writeable = flags != NULL ? PyObject_GetAttrString(flags, "writeable") : NULL;
    const bool is = writeable != Py_False; /* a failure counts as the worse */
    Py_XDECREF(writeable);
    Py_XDECREF(flags);
    PyErr_Clear();
    return is;
}

/* An array that owns its memory has no base; else that is the array, or what else the memory belongs to. */
static bool array_may_change(PyObject *array, Py_ssize_t held, unsigned depth)
{
    if (Py_REFCNT(array) > held && is_writeable(array))
        return true;
    PyObject *base = PyObject_GetAttr(array, rmi_name(RMI_NAME_base));
    const bool may =
        base == NULL || (base != Py_None && may_change(base, 2, depth + 1)); /* the array's and ours */
    Py_XDECREF(base);
    PyErr_Clear();
    return may;
}

/* Through a view that `reader` is one of: another one, or one that could be had. */
static bool tensor_may_change(PyObject *tensor, Py_ssize_t held, Py_ssize_t known_writers, unsigned depth)
{
    PyObject *source = rmi_tensor_source(rmi_tensor_value(tensor));
    return rmi_tensor_writers(tensor) > known_writers ||
           (Py_REFCNT(tensor) > held && rmi_tensor_is_writable(tensor)) ||
           (source != NULL && may_change(source, 1, depth + 1));
}

static bool view_may_change(PyObject *view, Py_ssize_t held, unsigned depth)
{
    const Py_buffer *buffer = PyMemoryView_GET_BUFFER(view);
    if (buffer->obj == NULL || (Py_REFCNT(view) > held && !buffer->readonly))
        return true;
    if (rmi_tensor_check(buffer->obj))
        return tensor_may_change(buffer->obj, 1, !buffer->readonly, depth + 1);
    return may_change(buffer->obj, 1, depth + 1);
}

static bool is_of_another_library(PyObject *object)
{
    const char *name = PyCapsule_CheckExact(object) ? PyCapsule_GetName(object) : NULL;
    return name != NULL && strstr(name, "dltensor") != NULL;
}

/* `held`: references to the object that are known and will not be used. */
static bool may_change(PyObject *object, Py_ssize_t held, unsigned depth)
{
    if (PyBytes_Check(object))
        return false;
    if (depth > DEEPEST_BASE || is_of_another_library(object))
        return true;
    if (rmi_array_check(object))
        return array_may_change(object, held, depth);
    if (PyMemoryView_Check(object))
        return view_may_change(object, held, depth);
    if (rmi_tensor_check(object))
        return tensor_may_change(object, held, 0, depth);
    return Py_REFCNT(object) > held;
}

bool rmi_memory_may_change(PyObject *object, Py_ssize_t held)
{
    return may_change(object, held, 0);
}

PyObject *rmi_memory_copy(PyObject *object)
{
    rm_value own = rm_null();
    rm_error err = {0};
    int64_t timestamp = 0, duration = 0;
    if (!rmi_tensor_check(object)) /* numpy's own copy keeps the order of the elements */
        return PyObject_CallMethod(
            object, Py_IS_TYPE(object, rmi_python_of_process()->array_type) ? "__copy__" : "copy", NULL);
    if (rmi_tensor_copy(NULL, rmi_tensor_value(object), &own, &err) != RM_OK) {
        rmi_python_raise(&err);
        return NULL;
    }
    rmi_tensor_times(object, &timestamp, &duration);
    PyObject *made = rmi_tensor_to_python(own, timestamp, duration);
    rm_value_clear(&own);
    return made;
}

PyObject *rmi_memory_share(PyObject *object)
{
    if (rmi_tensor_check(object)) {
        rmi_tensor_freeze(object);
        return rmi_tensor_writers(object) > 0 ? rmi_memory_copy(object) : Py_NewRef(object);
    }
    if (!is_writeable(object))
        return Py_NewRef(object);
    PyObject *method = PyObject_GetAttrString(object, "setflags"), *keywords = NULL, *none = NULL,
             *done = NULL;
    if (method != NULL && (keywords = Py_BuildValue("{s:O}", "write", Py_False)) != NULL &&
        (none = PyTuple_New(0)) != NULL)
        done = PyObject_Call(method, none, keywords);
    PyObject *shared = done != NULL ? Py_NewRef(object) : NULL;
    Py_XDECREF(done);
    Py_XDECREF(none);
    Py_XDECREF(keywords);
    Py_XDECREF(method);
    return shared;
}
