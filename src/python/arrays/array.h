/* numpy's arrays and scalars, and other libraries' arrays with DLPack. Needs no header of numpy, and does not
 * import it. Threads and references: see python_host.h. */
#ifndef PYTHON_ARRAYS_ARRAY_H
#define PYTHON_ARRAYS_ARRAY_H

#include "python/python_host.h"

/* Whether it is an ndarray, or of a subclass. Clears no exception and sets none. */
bool rmi_array_check(PyObject *object);
/* The same, but false until an array was seen. Needs no GIL. */
bool rmi_array_seen(PyObject *object);
/* The attribute that ndarray itself has for the array, not that of the array's class: no code of the user's
 * runs. */
RM_MUST_CHECK PyObject *rmi_array_attribute(PyObject *array, rmi_python_name name);
/* Whether it is a scalar of numpy's, such as numpy.int32(1). */
bool rmi_array_scalar_check(PyObject *object);
bool rmi_array_is_masked(PyObject *array);
/* Bytes of its elements. */
size_t rmi_array_bytes(PyObject *array);
/* A class of a Python module that somebody has imported, borrowed from it; NULL: there is none. */
RM_MUST_CHECK PyTypeObject *rmi_class_of_module(const char *module, const char *name);
/* Whether it is an array, or another object with `__dlpack__`. */
bool rmi_array_like(PyObject *object);
/* Makes a tensor over the memory of an array (rmi_array_like). Copies elements that are unaligned, or not a
 * whole number of elements apart. Copies another library's array that has more than `held` references: a
 * holder may change it. *out is owned. */
RM_MUST_CHECK int rmi_array_to_value(const rm_allocator *allocator, PyObject *array, Py_ssize_t held,
                                     rm_value *out, rm_error *err);
/* Makes a numpy array over the memory of a Tensor (consumed). Returns the Tensor where numpy is not imported
 * or has no such dtype. NULL for NULL. */
RM_MUST_CHECK PyObject *rmi_array_of_tensor(PyObject *tensor);
/* The same for all Tensors in a value that nobody else holds (consumed; NULL for NULL), in lists and dicts
 * too. Imports numpy. */
RM_MUST_CHECK PyObject *rmi_arrays_in(PyObject *value);
/* RM_OK if numpy can be imported; else RM_E_MISSING_FEATURE with a message that begins with `what`. */
int rmi_numpy_needed(const char *what, rm_error *err);
/* Releases the array `owner` of a tensor's memory. */
void rmi_array_release(void *owner);
/* ---- scalars.c */

/* Converts a numpy scalar that is a number to Python's int, float or bool; NULL without an exception:
 * `object` is none. A longdouble that no float is equal to is an exception. */
RM_MUST_CHECK PyObject *rmi_array_number(PyObject *object);

/* ---- memory_owners.c: arrays and Tensors whose memory somebody may still change */

bool rmi_has_memory(PyObject *object);
/* Whether somebody may change the memory of an array or Tensor, not counting `held` references to it that
 * will be given up. */
bool rmi_memory_may_change(PyObject *object, Py_ssize_t held);
/* A copy with its own memory. */
RM_MUST_CHECK PyObject *rmi_memory_copy(PyObject *object);
/* The same memory for a further owner. Nobody can write to it after that. */
RM_MUST_CHECK PyObject *rmi_memory_share(PyObject *object);

#endif
