/* Makes Python's own types of bytes from another Python process (data/wire/wire.h): tuples, sets and dicts;
 * and numpy's arrays where numpy is there. */
#include "data/tensor.h"
#include "data/value.h"
#include "python/arrays/array.h"
#include "python/convert/convert.h"
#include "python/arrays/tensor_type.h"

/* ---- Arrays */

/* numpy makes a read-only array of elements without a buffer's format: such an array is copied. */
static bool is_copied(rm_value tensor)
{
    const rm_dtype dtype = rm_tensor_view(tensor).dtype;
    return (dtype == RM_OPAQUE || dtype == RM_BFLOAT16) && !rmi_value_is_branched(tensor);
}

/* Makes an array over the memory of a tensor (consumed); writable where nobody else holds the memory. */
static PyObject *array_of(rm_value tensor)
{
    const bool copied = is_copied(tensor);
    rm_packet packet = rm_packet_of(tensor);
    PyObject *made = rmi_array_of_tensor(rmi_tensor_of_packet(&packet));
    if (made != NULL && copied && rmi_array_check(made))
        Py_SETREF(made, rmi_memory_copy(made));
    rm_packet_clear(&packet);
    return made;
}

/* An array over the tensor's memory where nobody else will use it, or all its holders have it read-only; else
 * over a copy. */
static PyObject *array(rmi_wire_object *packed)
{
    rm_value own = rm_null();
    rm_error err = {0};
    if (packed->given)
        return array_of(rm_value_move(&packed->content));
    if (rmi_value_is_branched(packed->content) || is_copied(packed->content))
        return array_of(rm_value_retain(packed->content));
    if (rmi_tensor_copy(NULL, packed->content, &own, &err) == RM_OK)
        return array_of(own);
    rmi_python_raise(&err);
    return NULL;
}

/* Marks the arrays in a value that will be converted for the last time: they may give their memory away. */
static void give_arrays(rm_value value)
{
    rmi_wire_object *packed = rm_object_get(value, &rmi_wire_object_type.base);
    rm_value item = rm_null();
    if (!rmi_may_hold_object(value) || rmi_owners(value) != 1)
        return;
    if (packed != NULL && packed->tag == RMI_WIRE_TENSOR)
        packed->given = rmi_tensor_is_unique(packed->content) && !rmi_value_is_branched(packed->content);
    else if (packed != NULL)
        give_arrays(packed->content);
    for (size_t i = 0; i < rm_list_length(value); i++)
        give_arrays(rm_list_get(value, i));
    for (size_t i = 0; rm_map_at(value, i, NULL, &item); i++)
        give_arrays(item);
}

/* ---- Containers */

static PyObject *tuple(rm_value items)
{
    const size_t length = rm_list_length(items);
    PyObject *made = PyTuple_New((Py_ssize_t)length);
    for (size_t i = 0; made != NULL && i < length; i++) {
        PyObject *item = rmi_to_python(rm_list_get(items, i));
        if (item == NULL)
            Py_CLEAR(made);
        else
            PyTuple_SET_ITEM(made, (Py_ssize_t)i, item);
    }
    return made;
}

static PyObject *set(rm_value items, bool frozen)
{
    PyObject *made = frozen ? PyFrozenSet_New(NULL) : PySet_New(NULL);
    for (size_t i = 0; made != NULL && i < rm_list_length(items); i++) {
        PyObject *item = rmi_to_python(rm_list_get(items, i));
        if (item == NULL || PySet_Add(made, item) != 0)
            Py_CLEAR(made);
        Py_XDECREF(item);
    }
    return made;
}

static PyObject *dict(rm_value pairs)
{
    PyObject *made = PyDict_New();
    for (size_t i = 0; made != NULL && i < rm_list_length(pairs); i += 2) {
        PyObject *key = rmi_to_python(rm_list_get(pairs, i));
        PyObject *item = key != NULL ? rmi_to_python(rm_list_get(pairs, i + 1)) : NULL;
        if (item == NULL || PyDict_SetItem(made, key, item) != 0)
            Py_CLEAR(made);
        Py_XDECREF(item);
        Py_XDECREF(key);
    }
    return made;
}

static PyObject *container(const rmi_wire_object *packed)
{
    PyObject *made = NULL;
    if (Py_EnterRecursiveCall(" while a value was given to Python"))
        return NULL;
    if (packed->tag == RMI_WIRE_TUPLE)
        made = tuple(packed->content);
    else if (packed->tag == RMI_WIRE_DICT)
        made = dict(packed->content);
    else
        made = set(packed->content, packed->tag == RMI_WIRE_FROZENSET);
    Py_LeaveRecursiveCall();
    return made;
}

PyObject *rmi_wire_object_to_python(rmi_wire_object *packed)
{
    size_t length = 0;
    switch (packed->tag) {
    case RMI_WIRE_LIST:
    case RMI_WIRE_MAP:
        return rmi_to_python(packed->content);
    case RMI_WIRE_TENSOR:
        return array(packed);
    case RMI_WIRE_BYTEARRAY: {
        const char *data = (const char *)rm_bytes_data(packed->content, &length);
        return PyByteArray_FromStringAndSize(data, (Py_ssize_t)length);
    }
    default:
        return container(packed);
    }
}

PyObject *rmi_take_object(rm_value *value)
{
    PyObject *made = rmi_object_in(*value);
    if (made != NULL)
        return Py_NewRef(made);
    give_arrays(*value);
    made = rmi_to_python(*value);
    rm_value_clear(value);
    return made;
}
