/* Object values: the vtable that the runtime knows Python's objects by, and private copies: for branches,
 * and of what a node emits while it may still change it. */
#include <string.h>

#include "base/alloc.h"
#include "python/array.h"
#include "python/convert.h"
#include "python/tensor.h"

/* ---- Copies */

/* One copy: of arrays and Tensors the elements too, or, for a branch, the right to write to them is given up. */
typedef struct copying {
    PyObject *memo; /* what was copied: {address: copy}, or NULL */
    bool for_branch;
} copying;

static PyObject *copy(PyObject *object, copying *how);

/* OrderedDict, defaultdict and Counter count as dicts here. */
static bool is_collection(PyObject *object)
{
    static const char *const names[] = {"collections.OrderedDict", "collections.defaultdict", "Counter"};
    bool is = false;
    for (size_t i = 0; !is && i < sizeof names / sizeof *names; i++)
        is = strcmp(Py_TYPE(object)->tp_name, names[i]) == 0;
    return is;
}

static inline bool is_dict(PyObject *object)
{
    return PyDict_CheckExact(object) || (PyDict_Check(object) && is_collection(object));
}

/* Numbers and strings, the most frequent kinds known at a glance: neither containers, bytearray nor arrays. */
static inline bool is_atom(PyObject *object)
{
    enum { ATOM = Py_TPFLAGS_LONG_SUBCLASS | Py_TPFLAGS_BYTES_SUBCLASS | Py_TPFLAGS_UNICODE_SUBCLASS };
    PyTypeObject *type = Py_TYPE(object);
    if (PyType_HasFeature(type, Py_TPFLAGS_HAVE_GC))
        return false;
    return (type->tp_flags & ATOM) != 0 || type == &PyFloat_Type || object == Py_None ||
           !(PyByteArray_CheckExact(object) || rmi_has_memory(object));
}

static bool may_change(PyObject *object)
{
    return PyList_CheckExact(object) || PyAnySet_CheckExact(object) || PyTuple_CheckExact(object) ||
           PyByteArray_CheckExact(object) || is_dict(object) || rmi_has_memory(object);
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

static int remember(PyObject *object, PyObject *made, copying *how)
{
    if (how->memo == NULL && (how->memo = PyDict_New()) == NULL)
        return -1;
    PyObject *key = PyLong_FromVoidPtr(object);
    const int rc = key == NULL ? -1 : PyDict_SetItem(how->memo, key, made);
    Py_XDECREF(key);
    return rc;
}

/* A container's element: most are shared as they are. It is held meanwhile: the copy of an array of a class of the user's
 * may run code that takes it out of its container. */
static inline PyObject *copy_element(PyObject *element, copying *how)
{
    Py_INCREF(element);
    if (is_atom(element) || !may_change(element))
        return element;
    PyObject *made = copy(element, how);
    Py_DECREF(element);
    return made;
}

static int copy_list(PyObject *from, PyObject *to, copying *how)
{
    int rc = 0;
    for (Py_ssize_t i = 0; rc == 0 && i < PyList_GET_SIZE(from); i++) {
        PyObject *element = copy_element(PyList_GET_ITEM(from, i), how);
        rc = element == NULL ? -1 : PyList_Append(to, element);
        Py_XDECREF(element);
    }
    return rc;
}

static int copy_dict(PyObject *from, PyObject *to, copying *how)
{
    PyObject *key = NULL, *item = NULL;
    Py_ssize_t place = 0;
    int rc = 0;
    while (rc == 0 && PyDict_Next(from, &place, &key, &item)) {
        Py_INCREF(key);
        PyObject *element = copy_element(item, how);
        rc = element == NULL ? -1 : PyDict_SetItem(to, key, element);
        Py_XDECREF(element);
        Py_DECREF(key);
    }
    return rc;
}

/* A tuple is the same one when nothing in it needed a copy. */
static PyObject *copy_tuple(PyObject *from, copying *how)
{
    const Py_ssize_t length = PyTuple_GET_SIZE(from);
    bool same = true;
    PyObject *to = PyTuple_New(length);
    for (Py_ssize_t i = 0; to != NULL && i < length; i++) {
        PyObject *element = copy_element(PyTuple_GET_ITEM(from, i), how);
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

/* Its own copy() keeps what it is beyond a dict; then its values are copied. */
static PyObject *copy_collection(PyObject *from, copying *how)
{
    PyObject *to = PyObject_CallMethod(from, "copy", NULL);
    if (to != NULL && !Py_IS_TYPE(to, Py_TYPE(from))) /* a class of the user's, of the same name */
        Py_SETREF(to, Py_NewRef(from));
    else if (to != NULL && (remember(from, to, how) != 0 || copy_dict(to, to, how) != 0))
        Py_CLEAR(to);
    return to;
}

static PyObject *copy_container(PyObject *object, copying *how)
{
    if (PyTuple_CheckExact(object))
        return copy_tuple(object, how);
    if (!PyList_CheckExact(object) && !PyDict_CheckExact(object))
        return copy_collection(object, how);
    const bool is_list = PyList_CheckExact(object);
    PyObject *made = is_list ? PyList_New(0) : PyDict_New();
    int rc = made == NULL ? -1 : remember(object, made, how);
    if (rc == 0)
        rc = is_list ? copy_list(object, made, how) : copy_dict(object, made, how);
    if (rc != 0)
        Py_CLEAR(made);
    return made;
}

static PyObject *copy(PyObject *object, copying *how)
{
    if (PyAnySet_CheckExact(object)) /* what is in a set cannot change */
        return PyFrozenSet_CheckExact(object) ? Py_NewRef(object) : PySet_New(object);
    if (PyByteArray_CheckExact(object))
        return PyByteArray_FromObject(object);
    PyObject *made = copied_before(object, how->memo);
    if (made != NULL || PyErr_Occurred())
        return made;
    if (Py_EnterRecursiveCall(" while a value was copied"))
        return NULL;
    if (rmi_has_memory(object))
        made = how->for_branch ? rmi_memory_share(object) : rmi_memory_copy(object);
    else
        made = copy_container(object, how);
    Py_LeaveRecursiveCall();
    return made;
}

PyObject *rmi_copy(PyObject *object, bool for_branch)
{
    copying how = {.for_branch = for_branch};
    PyObject *made = copy_element(object, &how);
    Py_XDECREF(how.memo);
    return made;
}

/* ---- Who else holds a value */

static bool reachable(PyObject *object, Py_ssize_t held, unsigned depth);

/* Somebody else holds the tuple: does it hold what can change? */
static bool tuple_may_change(PyObject *tuple, unsigned depth)
{
    bool may = false;
    for (Py_ssize_t i = 0; !may && i < PyTuple_GET_SIZE(tuple); i++) {
        PyObject *element = PyTuple_GET_ITEM(tuple, i);
        if (PyTuple_CheckExact(element))
            may = depth < RMI_PYTHON_DEPTH && tuple_may_change(element, depth + 1);
        else
            may = !PyFrozenSet_CheckExact(element) && may_change(element);
    }
    return may;
}

static bool elements_reachable(PyObject **elements, Py_ssize_t count, unsigned depth)
{
    for (Py_ssize_t i = 0; i < count; i++)
        if (!is_atom(elements[i]) && reachable(elements[i], 1, depth + 1))
            return true;
    return false;
}

static bool values_reachable(PyObject *dict, unsigned depth)
{
    PyObject *value = NULL;
    Py_ssize_t place = 0;
    while (PyDict_Next(dict, &place, NULL, &value))
        if (!is_atom(value) && reachable(value, 1, depth + 1))
            return true;
    return false;
}

/* What is deeper than any plain value is left alone. */
static bool reachable(PyObject *object, Py_ssize_t held, unsigned depth)
{
    const bool by_others = Py_REFCNT(object) > held;
    if (depth >= RMI_PYTHON_DEPTH)
        return false;
    if (PyTuple_CheckExact(object))
        return by_others
                   ? tuple_may_change(object, depth)
                   : elements_reachable(((PyTupleObject *)object)->ob_item, PyTuple_GET_SIZE(object), depth);
    if (PyList_CheckExact(object))
        return by_others ||
               elements_reachable(((PyListObject *)object)->ob_item, PyList_GET_SIZE(object), depth);
    if (is_dict(object))
        return by_others || values_reachable(object, depth);
    if (rmi_has_memory(object))
        return rmi_memory_may_change(object, held);
    return by_others && (PySet_CheckExact(object) || PyByteArray_CheckExact(object));
}

bool rmi_reachable(PyObject *object, Py_ssize_t held)
{
    return !is_atom(object) && reachable(object, held, 0);
}

/* ---- The vtable; its functions are called with the GIL or without */

static void object_release(void *object)
{
    rmi_release(object);
}

static int object_copy(void *object, rm_value *out, rm_error *err)
{
    const PyGILState_STATE held = rmi_enter();
    PyObject *made = rmi_copy(object, true);
    int rc = made == NULL ? rmi_python_failed(NULL, err)
                          : rm_object_new(&rmi_box_allocator, &rmi_python_object.base, made, out, err);
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

static size_t object_bytes(void *object)
{
    size_t bytes = 0;
    if (rmi_array_seen(object) && !rmi_python_has_ended()) {
        const PyGILState_STATE held = rmi_enter();
        bytes = rmi_array_bytes(object);
        rmi_leave(held);
    }
    return bytes;
}

static int object_pack(void *object, rmi_packer *packer, unsigned depth, rm_error *err)
{
    const PyGILState_STATE held = rmi_enter();
    const int rc = rmi_pack_python(packer, object, depth, err);
    rmi_leave(held);
    return rc;
}

const rmi_packing_type rmi_python_object = {
    .base = {.size = sizeof(rmi_packing_type),
             .name = "Python object",
             .release = object_release,
             .copy = object_copy,
             .to_value = object_to_value,
             .type_name = object_type_name,
             .bytes = object_bytes},
    .pack = object_pack,
};

int rmi_to_packet_value(PyObject *object, Py_ssize_t held, rm_value *out, rm_error *err)
{
    if (rmi_scalar(object, out))
        return RM_OK;
    if (rmi_tensor_check(object))
        return rmi_tensor_take(object, held, out, err);
    PyObject *own = rmi_reachable(object, held) ? rmi_copy(object, false) : Py_NewRef(object);
    return own != NULL ? rm_object_new(&rmi_box_allocator, &rmi_python_object.base, own, out, err)
                       : rmi_python_failed(NULL, err);
}
