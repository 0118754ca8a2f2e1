/* Object values: their vtable for Python's objects; and private copies, for branches and for emitted objects
 * that a node may still change. */
#include "base/alloc.h"
#include "python/arrays/array.h"
#include "python/convert/copyable.h"
#include "python/convert/convert.h"
#include "python/arrays/tensor_type.h"

/* ---- Copies */

/* The state of one copy. It copies the elements of arrays and Tensors; for a branch it makes them read-only
 * instead. */
typedef struct copying {
    PyObject *memo; /* copies so far: {address: copy}, or NULL */
    bool for_branch;
} copying;

static PyObject *copy(PyObject *object, copying *how);

/* A quick check for numbers and strings, the most frequent kinds. */
static inline bool is_atom(PyObject *object)
{
    enum { ATOM = Py_TPFLAGS_LONG_SUBCLASS | Py_TPFLAGS_BYTES_SUBCLASS | Py_TPFLAGS_UNICODE_SUBCLASS };
    PyTypeObject *type = Py_TYPE(object);
    if (PyType_HasFeature(type, Py_TPFLAGS_HAVE_GC))
        return false;
    return PyType_HasFeature(type, ATOM) || type == &PyFloat_Type || object == Py_None ||
           !(PyByteArray_Check(object) || rmi_has_memory(object));
}

/* An earlier copy of `object`, for cycles and shared objects; NULL without an exception: none. */
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

/* Copies an element; shares most. Holds the element meanwhile: to copy an array of a user's class may run
 * code that takes the element out of its container. */
static inline PyObject *copy_element(PyObject *element, copying *how)
{
    if (is_atom(element))
        return Py_NewRef(element);
    Py_INCREF(element);
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

/* Iterates as the class of C code does: over the keys of an OrderedDict in its order, or a deque's
 * elements. */
static int copy_iterated(PyObject *from, PyObject *to, bool is_dict, copying *how)
{
    PyTypeObject *type = is_dict ? rmi_ordered_dict_type() : rmi_content_base(from);
    PyObject *iterator = RMI_TYPE_SLOT(type, getiterfunc, tp_iter)(from), *at = NULL;
    int rc = iterator == NULL ? -1 : 0;
    while (rc == 0 && (at = rmi_iterate_next(iterator)) != NULL) {
        PyObject *item = is_dict ? PyDict_GetItemWithError(from, at) : at;
        PyObject *element = item != NULL ? copy_element(item, how) : NULL;
        if (element == NULL)
            rc = -1;
        else
            rc = is_dict ? rmi_ordered_set(to, at, element) : rmi_deque_append(to, element);
        Py_XDECREF(element);
        Py_DECREF(at);
    }
    Py_XDECREF(iterator);
    return rc != 0 || PyErr_Occurred() ? -1 : 0;
}

/* `__dict__` and slots. */
static int copy_attributes(PyObject *from, PyObject *to, copying *how)
{
    PyObject *dict = rmi_content_dict(from);
    int rc = dict == NULL && PyErr_Occurred() ? -1 : 0;
    if (dict != NULL && PyDict_GET_SIZE(dict) > 0) {
        PyObject *own = rmi_content_dict(to);
        rc = own == NULL ? -1 : copy_dict(dict, own, how);
        Py_XDECREF(own);
    }
    rmi_slots slots = {.type = Py_TYPE(from)};
    for (PyObject *slot = NULL; rc == 0 && (slot = rmi_slots_next(&slots)) != NULL;) {
        PyObject *value = rmi_slot_get(slot, from); /* an exception: it is empty */
        PyErr_Clear();
        PyObject *element = value != NULL ? copy_element(value, how) : NULL;
        if (element != NULL)
            rc = rmi_slot_set(slot, to, element);
        else if (value != NULL)
            rc = -1;
        Py_XDECREF(element);
        Py_XDECREF(value);
    }
    Py_XDECREF(dict);
    return rc;
}

/* Returns the tuple itself when nothing in it needs a copy. */
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
    if (to != NULL)
        Py_SETREF(to, same ? Py_NewRef(from) : rmi_content_tuple(from, to));
    if (to != NULL && to != from && !PyTuple_CheckExact(from) && copy_attributes(from, to, how) != 0)
        Py_CLEAR(to);
    return to;
}

static int fill(PyObject *from, PyObject *to, rmi_content content, copying *how)
{
    switch (content) {
    case RMI_CONTENT_LIST:
        return copy_list(from, to, how);
    case RMI_CONTENT_ORDERED_DICT:
    case RMI_CONTENT_DEQUE:
        return copy_iterated(from, to, content == RMI_CONTENT_ORDERED_DICT, how);
    case RMI_CONTENT_DICT:
    case RMI_CONTENT_DEFAULT_DICT:
        return copy_dict(from, to, how);
    default:
        return 0;
    }
}

static PyObject *copy_content(PyObject *object, rmi_content content, copying *how)
{
    const bool is_filled =
        content == RMI_CONTENT_SET || content == RMI_CONTENT_BYTEARRAY || content == RMI_CONTENT_ARRAY;
    PyObject *made = is_filled ? rmi_content_copy(object, content) : rmi_content_new(object, content);
    if (made != NULL && (remember(object, made, how) != 0 || fill(object, made, content, how) != 0 ||
                         (rmi_content_has_attributes(object) && copy_attributes(object, made, how) != 0)))
        Py_CLEAR(made);
    return made;
}

static PyObject *copy(PyObject *object, copying *how)
{
    const rmi_content content = rmi_content_of(object);
    if (content == RMI_CONTENT_NONE)
        return Py_NewRef(object);
    PyObject *made = copied_before(object, how->memo);
    if (made != NULL || PyErr_Occurred())
        return made;
    if (Py_EnterRecursiveCall(" while a value was copied"))
        return NULL;
    if (content == RMI_CONTENT_MEMORY)
        made = how->for_branch ? rmi_memory_share(object) : rmi_memory_copy(object);
    else
        made = content == RMI_CONTENT_TUPLE ? copy_tuple(object, how) : copy_content(object, content, how);
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

/* Whether a tuple that somebody else holds has something in it that can change. */
static bool tuple_may_change(PyObject *tuple, unsigned depth)
{
    bool may = false;
    for (Py_ssize_t i = 0; !may && i < PyTuple_GET_SIZE(tuple); i++) {
        PyObject *element = PyTuple_GET_ITEM(tuple, i);
        const rmi_content content = is_atom(element) ? RMI_CONTENT_NONE : rmi_content_of(element);
        if (content == RMI_CONTENT_TUPLE)
            may = depth < RMI_PYTHON_DEPTH && tuple_may_change(element, depth + 1);
        else
            may = content != RMI_CONTENT_NONE;
    }
    return may;
}

static inline bool element_reachable(PyObject *element, unsigned depth)
{
    return !is_atom(element) && reachable(element, 1, depth + 1);
}

static bool elements_reachable(PyObject *sequence, bool is_list, unsigned depth)
{
    bool is = false;
    for (Py_ssize_t i = 0; is_list && !is && i < PyList_GET_SIZE(sequence); i++)
        is = element_reachable(PyList_GET_ITEM(sequence, i), depth);
    for (Py_ssize_t i = 0; !is_list && !is && i < PyTuple_GET_SIZE(sequence); i++)
        is = element_reachable(PyTuple_GET_ITEM(sequence, i), depth);
    return is;
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

/* A deque's elements. A failure counts as reachable. */
static bool iterated_reachable(PyObject *object, unsigned depth)
{
    PyObject *iterator = RMI_TYPE_SLOT(rmi_content_base(object), getiterfunc, tp_iter)(object),
             *element = NULL;
    bool is = iterator == NULL;
    while (!is && (element = rmi_iterate_next(iterator)) != NULL) {
        is = !is_atom(element) && reachable(element, 2, depth + 1); /* references: the deque's and ours */
        Py_DECREF(element);
    }
    Py_XDECREF(iterator);
    is = is || PyErr_Occurred() != NULL;
    PyErr_Clear();
    return is;
}

/* Values in `__dict__` and slots. A failure counts as reachable. */
static bool attributes_reachable(PyObject *object, unsigned depth)
{
    PyObject *dict = rmi_content_dict(object);
    bool is = dict == NULL ? PyErr_Occurred() != NULL
                           : Py_REFCNT(dict) > 2 || values_reachable(dict, depth); /* the object's and ours */
    rmi_slots slots = {.type = Py_TYPE(object)};
    for (PyObject *slot = NULL; !is && (slot = rmi_slots_next(&slots)) != NULL;) {
        PyObject *value = rmi_slot_get(slot, object); /* an exception: it is empty */
        is = value != NULL && !is_atom(value) && reachable(value, 2, depth + 1);
        PyErr_Clear();
        Py_XDECREF(value);
    }
    PyErr_Clear();
    Py_XDECREF(dict);
    return is;
}

static bool content_reachable(PyObject *object, rmi_content content, unsigned depth)
{
    switch (content) {
    case RMI_CONTENT_TUPLE:
    case RMI_CONTENT_LIST:
        return elements_reachable(object, content == RMI_CONTENT_LIST, depth);
    case RMI_CONTENT_DICT:
    case RMI_CONTENT_ORDERED_DICT:
    case RMI_CONTENT_DEFAULT_DICT:
        return values_reachable(object, depth);
    case RMI_CONTENT_DEQUE:
        return iterated_reachable(object, depth);
    default:
        return false;
    }
}

/* Objects deeper than the limit are not looked at. */
static bool reachable(PyObject *object, Py_ssize_t held, unsigned depth)
{
    const rmi_content content = rmi_content_of(object);
    if (depth >= RMI_PYTHON_DEPTH || content == RMI_CONTENT_NONE)
        return false;
    if (content == RMI_CONTENT_MEMORY)
        return rmi_memory_may_change(object, held);
    if (Py_REFCNT(object) > held)
        return content != RMI_CONTENT_TUPLE || !PyTuple_CheckExact(object) || tuple_may_change(object, depth);
    return content_reachable(object, content, depth) ||
           (rmi_content_has_attributes(object) && attributes_reachable(object, depth));
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
    if (rmi_python_has_ended())
        return "?";
    const PyGILState_STATE held = rmi_enter();
    const char *name = rmi_name_of_type(Py_TYPE((PyObject *)object));
    rmi_leave(held);
    return name;
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

static int object_pack(void *object, rmi_wire_writer *packer, unsigned depth, rm_error *err)
{
    const PyGILState_STATE held = rmi_enter();
    const int rc = rmi_wire_write_python(packer, object, depth, err);
    rmi_leave(held);
    return rc;
}

#define OBJECT_TYPE                                      \
    {                                                    \
        .base = {.size = sizeof(rmi_wire_writable_type), \
                 .name = "Python object",                \
                 .release = object_release,              \
                 .copy = object_copy,                    \
                 .to_value = object_to_value,            \
                 .type_name = object_type_name,          \
                 .bytes = object_bytes},                 \
        .pack = object_pack,                             \
    }
const rmi_wire_writable_type rmi_python_object = OBJECT_TYPE, rmi_callers_object = OBJECT_TYPE;

PyObject *rmi_object_in(rm_value value)
{
    PyObject *object = rm_object_get(value, &rmi_python_object.base);
    return object != NULL ? object : rm_object_get(value, &rmi_callers_object.base);
}

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
