/* numpy's arrays and scalars, and others' arrays that speak DLPack, known without numpy's headers and without importing
 * it. Threads and references: see python_host.h. */
#ifndef PYTHON_ARRAYS_ARRAY_H
#define PYTHON_ARRAYS_ARRAY_H

#include "python/python_host.h"

/* An ndarray, or one of a subclass. Clears no exception and sets none. */
bool rmi_array_check(PyObject *object);
/* The same, if an array was seen before; needs no GIL. */
bool rmi_array_seen(PyObject *object);
/* What ndarray itself has under that name for the array, whatever its class says: no code of the user's runs. */
RM_MUST_CHECK PyObject *rmi_array_attribute(PyObject *array, rmi_python_name name);
bool rmi_array_is_masked(PyObject *array);
/* Bytes of its elements. */
size_t rmi_array_bytes(PyObject *array);
/* A class of a Python module that somebody has imported, borrowed from it; NULL: there is none. */
RM_MUST_CHECK PyTypeObject *rmi_class_of_module(const char *module, const char *name);
/* An array, or anything else that hands its memory over by `__dlpack__`. */
bool rmi_array_like(PyObject *object);
/* An array (rmi_array_like) as a tensor over the same memory; a copy where its elements do not lie as a tensor's can:
 * unaligned, or not a whole number of elements apart; and of another library's array that somebody holds beyond `held`
 * references, since it may be changed. *out is owned. */
RM_MUST_CHECK int rmi_array_to_value(const rm_allocator *allocator, PyObject *array, Py_ssize_t held,
                                     rm_value *out, rm_error *err);
/* A Tensor (consumed) as an array of numpy over the same memory, where numpy is imported and has a dtype for it; else the
 * Tensor. NULL for NULL. */
RM_MUST_CHECK PyObject *rmi_array_of_tensor(PyObject *tensor);
/* A value that nobody has seen yet (consumed; NULL for NULL) with the Tensors in it as such arrays, in lists and dicts too;
 * numpy is imported for it. A dtype that numpy does not know stays a Tensor. */
RM_MUST_CHECK PyObject *rmi_arrays_in(PyObject *value);
/* Whether numpy can be had: else RM_E_MISSING_FEATURE, whose message begins with `what`. */
int rmi_numpy_needed(const char *what, rm_error *err);
/* What releases the memory of a tensor that lies over the array `owner`. */
void rmi_array_release(void *owner);
/* A numpy scalar that is a number, as Python's int, float or bool; NULL without an exception where `object` is none. */
RM_MUST_CHECK PyObject *rmi_array_number(PyObject *object);

/* ---- memory_owners.c: arrays and Tensors whose memory somebody may still change */

bool rmi_has_memory(PyObject *object);
/* Whether the memory of an array or Tensor may be changed by someone, apart from `held` references to it that will be
 * given up. */
bool rmi_memory_may_change(PyObject *object, Py_ssize_t held);
/* The same elements in memory of their own. */
RM_MUST_CHECK PyObject *rmi_memory_copy(PyObject *object);
/* The same memory for one more owner: nobody can write to it any more. */
RM_MUST_CHECK PyObject *rmi_memory_share(PyObject *object);

#endif
