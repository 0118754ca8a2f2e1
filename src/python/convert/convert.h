/* Converts between the runtime's values and Python's objects. Threads and references: see python_host.h. */
#ifndef PYTHON_CONVERT_CONVERT_H
#define PYTHON_CONVERT_CONVERT_H

#include "data/wire/wire.h"
#include "python/python_host.h"

/* Converts `value` (borrowed) to an object. An object value of Python gives the same object again. */
RM_MUST_CHECK PyObject *rmi_to_python_slow(rm_value value);
RM_MUST_CHECK static inline PyObject *rmi_to_python(rm_value value)
{
    if (value.kind == RM_INT)
        return PyLong_FromLongLong(value.i);
    return rmi_to_python_slow(value);
}

/* Converts None, an int of 64 bits, a float or a bool, but no subclass; false: something else. */
static inline bool rmi_scalar(PyObject *object, rm_value *out)
{
    if (PyLong_CheckExact(object)) {
        int64_t small = 0;
        int overflow = 0;
        if (rmi_compact_int(object, &small)) {
            *out = rm_int(small);
            return true;
        }
        const long long i = PyLong_AsLongLongAndOverflow(object, &overflow);
        *out = rm_int(i);
        return overflow == 0;
    }
    if (PyFloat_CheckExact(object))
        *out = rm_float(PyFloat_AS_DOUBLE(object));
    else if (PyBool_Check(object))
        *out = rm_bool(object == Py_True);
    else if (object == Py_None)
        *out = rm_null();
    else
        return false;
    return true;
}

/* Converts `object` (borrowed) to the value of a packet. Scalars and tensors become such values; all else
 * becomes an object value. That holds a copy where somebody beside the `held` references, which the caller
 * will give up, can change the object. *out is owned. */
RM_MUST_CHECK int rmi_to_packet_value(PyObject *object, Py_ssize_t held, rm_value *out, rm_error *err);

/* Converts `object` (borrowed) to a plain value, without loss. An object without a plain form is an error
 * that says how to convert it. Of the user's code only `items` of mappings runs. *out is owned. */
RM_MUST_CHECK int rmi_to_plain(const rm_allocator *allocator, PyObject *object, rm_value *out, rm_error *err);

/* The kinds of object values that this host makes: of objects, and of read-only arrays over memory of the run's caller. A
 * node that returns one of the latter passes it on, although the caller can change the memory. */
extern const rmi_wire_writable_type rmi_python_object, rmi_callers_object;
/* The object in a value of either kind, borrowed; NULL: it is none. */
PyObject *rmi_object_in(rm_value value);

/* ---- to_wire.c */
/* Appends `object` (borrowed), which is inside `depth` containers, as bytes: without loss, tuples and sets
 * too. Other objects are an error as in rmi_to_plain. Of the user's code only `items` of mappings runs. */
RM_MUST_CHECK int rmi_wire_write_python(rmi_wire_writer *packer, PyObject *object, unsigned depth,
                                        rm_error *err);

/* ---- from_wire.c */
/* Makes the Python object of its wire form (borrowed). Arrays get their own memory. */
RM_MUST_CHECK PyObject *rmi_wire_object_to_python(rmi_wire_object *packed);
/* Converts an object value to Python's object. `value` becomes null unless it holds that very object. Arrays
 * take over memory that nobody else has. */
RM_MUST_CHECK PyObject *rmi_take_object(rm_value *value);

/* ---- copy.c */

/* A private copy of the kinds of copyable.h (containers, dataclasses, ...), at any depth; shares all else.
 * Copies arrays and Tensors too; for a branch it shares them, read-only from then on. */
RM_MUST_CHECK PyObject *rmi_copy(PyObject *object, bool for_branch);
/* Whether something outside `object` can change such a part of it, or the memory of an array or Tensor in it,
 * not counting `held` references to `object` itself. */
bool rmi_reachable(PyObject *object, Py_ssize_t held);

/* ---- advice.c */

/* How to convert an object of this class: an expression in `x`, and what it makes. NULL: nothing special. */
const char *rmi_advice_by_class(PyObject *object);
/* Makes RM_E_UNSUPPORTED, with a hint how to convert the object. */
int rmi_unsupported(PyObject *object, rm_error *err);

#endif
