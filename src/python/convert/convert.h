/* Between the runtime's values and Python's objects. Threads and references: see python_host.h. */
#ifndef PYTHON_CONVERT_CONVERT_H
#define PYTHON_CONVERT_CONVERT_H

#include "data/wire/wire.h"
#include "python/python_host.h"

/* `value` (borrowed) as an object. An object that came from Python is the same object again. */
RM_MUST_CHECK PyObject *rmi_to_python_slow(rm_value value);
RM_MUST_CHECK static inline PyObject *rmi_to_python(rm_value value)
{
    if (value.kind == RM_INT)
        return PyLong_FromLongLong(value.i);
    return rmi_to_python_slow(value);
}

/* None, and exactly int (64 bits), float and bool have a value of their own; false: it is something else. */
static inline bool rmi_scalar(PyObject *object, rm_value *out)
{
    if (PyLong_CheckExact(object)) {
        if (PyUnstable_Long_IsCompact((PyLongObject *)object)) {
            *out = rm_int(PyUnstable_Long_CompactValue((PyLongObject *)object));
            return true;
        }
        int overflow = 0;
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

/* `object` (borrowed) as a value that travels: scalars and tensors as themselves, all else as an object
 * value around it, or around a copy where it can be changed by someone who holds it beyond the `held`
 * references that the caller will give up. *out is owned. */
RM_MUST_CHECK int rmi_to_packet_value(PyObject *object, Py_ssize_t held, rm_value *out, rm_error *err);

/* `object` (borrowed) as a plain value, exactly; what has no plain form is an error that says how to make
 * one. Runs no user code but `items` of mappings. *out is owned. */
RM_MUST_CHECK int rmi_to_plain(const rm_allocator *allocator, PyObject *object, rm_value *out, rm_error *err);

/* The kind of object value that this host makes. */
extern const rmi_wire_writable_type rmi_python_object;

/* ---- to_wire.c */
/* Appends `object` (borrowed), which stands in `depth` containers, as bytes: exactly, tuples and sets too. What cannot
 * cross is an error as rmi_to_plain's. Runs no user code but `items` of mappings. */
RM_MUST_CHECK int rmi_wire_write_python(rmi_wire_writer *packer, PyObject *object, unsigned depth,
                                        rm_error *err);

/* ---- from_wire.c */
/* What was packed as only Python has it (borrowed), as that again; arrays have memory of their own. */
RM_MUST_CHECK PyObject *rmi_wire_object_to_python(rmi_wire_object *packed);
/* An object value as Python's object. `value` is null afterwards unless it holds that very object; arrays in it get the
 * memory that nobody else has. */
RM_MUST_CHECK PyObject *rmi_take_object(rm_value *value);

/* ---- copy.c */

/* A private copy of what copyable.h knows (containers, dataclasses, ...), at any depth; all else is shared. Arrays and
 * Tensors in it are copied too, or, for a branch, shared and read-only from then on. */
RM_MUST_CHECK PyObject *rmi_copy(PyObject *object, bool for_branch);
/* Whether one of those in `object`, or the memory of an array or Tensor, can be changed by something outside it, apart
 * from `held` references to `object` itself. */
bool rmi_reachable(PyObject *object, Py_ssize_t held);

/* Describes a failure to convert: RM_E_UNSUPPORTED with how to convert it. */
int rmi_unsupported(PyObject *object, rm_error *err);

#endif
