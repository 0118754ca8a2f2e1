/* A walk through Python's objects, for to_value.c and to_wire.c. Threads and references: see
 * python_host.h. */
#ifndef PYTHON_CONVERT_OBJECT_WALK_H
#define PYTHON_CONVERT_OBJECT_WALK_H

#include "python/python_host.h"

/* The containers around the present object, to find one that holds itself. */
typedef struct rmi_walk {
    const rm_allocator *allocator;
    rm_error *err;
    size_t depth;
    PyObject *path[RMI_PYTHON_DEPTH]; /* `depth` of them are set; borrowed */
} rmi_walk;

/* Enters a container; to leave it, the caller counts `depth` down. RM_E_CIRCULAR: it holds itself;
 * RM_E_LIMIT: too deep. */
RM_MUST_CHECK int rmi_walk_enter(rmi_walk *walk, PyObject *container);
/* Fails because two keys of a dict have the same text. */
int rmi_walk_same_text(rmi_walk *walk, PyObject *one, PyObject *other, PyObject *dict);
/* The UTF-8 of a str, borrowed from it; a lone surrogate is RM_E_UNSUPPORTED. */
RM_MUST_CHECK int rmi_utf8(PyObject *text, const char **utf8, size_t *length, rm_error *err);

#endif
