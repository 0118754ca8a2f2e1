/* Finds out who may still change the memory of an array or a Tensor. A node may keep an object that it emits,
 * or memory under it. The emitted value must not change with it, so we copy such memory. Memory that
 * certainly nobody else reaches travels uncopied. The check runs no code of the user's: nothing changes
 * meanwhile. We trust one thing: that nobody makes a read-only array writable again while another node has
 * it. */
#include "data/tensor.h"
#include "python/arrays/array.h"
#include "python/convert/convert.h"
#include "python/arrays/tensor_type.h"

enum { DEEPEST_BASE = 32 };

static bool may_change(PyObject *object, Py_ssize_t held, unsigned depth);

bool rmi_has_memory(PyObject *object)
{
    return rmi_tensor_check(object) || rmi_array_check(object);
}

/* A failure counts as writeable. */
static bool is_writeable(PyObject *array)
{
    PyObject *flags = rmi_array_attribute(array, RMI_NAME_flags);
    PyObject *writeable = flags != NULL ? PyObject_GetAttr(flags, rmi_name(RMI_NAME_writeable)) : NULL;
    const bool is = writeable != Py_False;
    Py_XDECREF(writeable);
    Py_XDECREF(flags);
    PyErr_Clear();
    return is;
}

/* The writer may be a buffer beside the `known_writers`, one that a holder can still ask for, or the object
 * that the memory came from. */
static bool tensor_may_change(PyObject *tensor, Py_ssize_t held, Py_ssize_t known_writers, unsigned depth)
{
    const rm_value value = rmi_tensor_value(tensor);
    PyObject *source = rmi_tensor_source(value), *lender = rmi_tensor_lender(value);
    return rmi_tensor_writers(tensor) > known_writers ||
           (Py_REFCNT(tensor) > held && rmi_tensor_may_be_writable(tensor)) ||
           (source != NULL && may_change(source, 1, depth + 1)) || (lender != NULL && Py_REFCNT(lender) > 1);
}

/* A view shares its buffer with all views made from it, also with those that numpy makes. */
static bool view_may_change(PyObject *view, Py_ssize_t held, unsigned depth)
{
    PyObject *source = rmi_view_source(view);
    const bool is_shared = Py_REFCNT(view) > held || rmi_view_is_shared(view);
    if (source == NULL)
        return true;
    if (rmi_tensor_check(source))
        return tensor_may_change(source, 1, !is_shared && !rmi_view_is_read_only(view), depth + 1);
    return (is_shared && !PyBytes_Check(source)) || may_change(source, 1, depth + 1);
}

/* The Tensor (borrowed) behind `base`, where our package made the array over a Tensor without a buffer; else
 * NULL. */
static PyObject *tensor_of_base(PyObject *base)
{
    if (!PyType_HasFeature(Py_TYPE(base), Py_TPFLAGS_HEAPTYPE)) /* most bases are of a class of C code */
        return NULL;
    PyTypeObject *type = rmi_class_of_module("remotemedia._arrays", "_Memory");
    PyObject *tensor =
        type != NULL && Py_IS_TYPE(base, type) ? PyObject_GetAttr(base, rmi_name(RMI_NAME_tensor)) : NULL;
    PyErr_Clear();
    if (tensor != NULL)
        Py_DECREF(tensor); /* the base still holds it */
    return tensor != NULL && rmi_tensor_check(tensor) ? tensor : NULL;
}

/* An array that owns its memory has no base. Else the base is the array, or the other object, that owns the
 * memory. */
static bool array_may_change(PyObject *array, Py_ssize_t held, unsigned depth)
{
    if (Py_REFCNT(array) > held && is_writeable(array))
        return true;
    PyObject *base = rmi_array_attribute(array, RMI_NAME_base);
    const bool may =
        base == NULL || (base != Py_None && may_change(base, 2, depth + 1)); /* the array's and ours */
    Py_XDECREF(base);
    PyErr_Clear();
    return may;
}

/* `held`: references to the object that will not be used. An object of an unknown kind counts as
 * changeable. */
static bool may_change(PyObject *object, Py_ssize_t held, unsigned depth)
{
    if (PyBytes_Check(object))
        return false;
    if (depth > DEEPEST_BASE)
        return true;
    if (rmi_array_check(object))
        return array_may_change(object, held, depth);
    if (PyMemoryView_Check(object))
        return view_may_change(object, held, depth);
    if (rmi_tensor_check(object))
        return tensor_may_change(object, held, 0, depth);
    PyObject *tensor = tensor_of_base(object);
    if (tensor != NULL)
        return tensor_may_change(tensor, 1, 0, depth + 1);
    const bool owns =
        PyByteArray_CheckExact(object) || Py_IS_TYPE(object, rmi_class_of_module("array", "array"));
    return !owns || Py_REFCNT(object) > held;
}

bool rmi_memory_may_change(PyObject *object, Py_ssize_t held)
{
    return may_change(object, held, 0);
}

/* numpy's own copy, which keeps the order of the elements. */
static PyObject *copy_array(PyObject *array)
{
    PyObject *method = rmi_array_attribute(array, RMI_NAME___copy__);
    PyObject *made = method != NULL ? PyObject_CallNoArgs(method) : NULL;
    Py_XDECREF(method);
    return made;
}

PyObject *rmi_memory_copy(PyObject *object)
{
    rm_value own = rm_null();
    rm_error err = {0};
    int64_t timestamp = 0, duration = 0;
    if (!rmi_tensor_check(object))
        return copy_array(object);
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
    if (rmi_array_is_masked(object)) /* its mask is a separate array, which stays writable */
        return copy_array(object);
    if (!is_writeable(object))
        return Py_NewRef(object);
    PyObject *method = rmi_array_attribute(object, RMI_NAME_setflags);
    PyObject *done = method != NULL ? PyObject_CallOneArg(method, Py_False) : NULL; /* write */
    PyObject *shared = done != NULL ? Py_NewRef(object) : NULL;
    Py_XDECREF(done);
    Py_XDECREF(method);
    return shared;
}
