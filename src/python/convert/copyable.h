/* The content of an object that can change: finds and copies it without running code of the user's. An
 * instance of a Python subclass of one of the kinds below counts as that kind, with its attributes. Threads
 * and references: see python_host.h. */
#ifndef PYTHON_CONVERT_COPYABLE_H
#define PYTHON_CONVERT_COPYABLE_H

#include "python/python_host.h"

typedef enum rmi_content {
    RMI_CONTENT_NONE, /* nothing that we copy: such an object is shared */
    RMI_CONTENT_LIST,
    RMI_CONTENT_TUPLE,
    RMI_CONTENT_DICT,
    RMI_CONTENT_ORDERED_DICT,
    RMI_CONTENT_DEFAULT_DICT,
    RMI_CONTENT_SET,
    RMI_CONTENT_DEQUE,
    RMI_CONTENT_BYTEARRAY,
    RMI_CONTENT_ARRAY,  /* array.array itself */
    RMI_CONTENT_FIELDS, /* attributes alone: dataclasses, types.SimpleNamespace */
    RMI_CONTENT_MEMORY, /* arrays of numpy and Tensors: see memory_owners.c */
} rmi_content;

/* Leaves no exception. */
rmi_content rmi_content_of(PyObject *object);

/* An object of the same class without elements and attributes: not for NONE, TUPLE, ARRAY and MEMORY. */
RM_MUST_CHECK PyObject *rmi_content_new(PyObject *like, rmi_content content);
/* A tuple of the same class, with the `elements` of a tuple. */
RM_MUST_CHECK PyObject *rmi_content_tuple(PyObject *like, PyObject *elements);
/* A copy with the same elements: for SET, BYTEARRAY and ARRAY, whose elements cannot change. */
RM_MUST_CHECK PyObject *rmi_content_copy(PyObject *object, rmi_content content);

/* The class of C code that the object's class is or derives from. */
PyTypeObject *rmi_content_base(PyObject *object);
/* Appends to a deque as the class of C code does. */
RM_MUST_CHECK int rmi_deque_append(PyObject *deque, PyObject *element);

/* Whether there may be attributes beside the elements. */
bool rmi_content_has_attributes(PyObject *object);
/* Its `__dict__`; NULL without an exception: it has none. */
RM_MUST_CHECK PyObject *rmi_content_dict(PyObject *object);
/* The slots that its classes name, one by one, borrowed (rmi_slot_get, rmi_slot_set): start with
 * {.type = Py_TYPE(object)}; NULL after the last. */
typedef struct rmi_slots {
    PyTypeObject *type;
    Py_ssize_t place;
} rmi_slots;
PyObject *rmi_slots_next(rmi_slots *slots);

/* Whether a class, or a base of it, has an attribute in its dict. No code of the user's runs. */
bool rmi_class_has(PyTypeObject *type, PyObject *name);

#endif
