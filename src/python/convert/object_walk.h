/* A walk through Python's objects: what to_value.c and to_wire.c share. Threads and references: see python_host.h. */
#ifndef PYTHON_CONVERT_OBJECT_WALK_H
#define PYTHON_CONVERT_OBJECT_WALK_H

#include "python/python_host.h"

/* Where a walk stands, to see containers that hold themselves. */
typedef struct rmi_walk {
    const rm_allocator *allocator;
    rm_error *err;
    size_t depth;
    PyObject *path[RMI_PYTHON_DEPTH]; /* `depth` of them are set; borrowed */
} rmi_walk;

/* Goes into a container; whoever leaves it counts `depth` down. RM_E_CIRCULAR or RM_E_LIMIT where it may not. */
RM_MUST_CHECK int rmi_walk_enter(rmi_walk *walk, PyObject *container);
/* The UTF-8 of a str, borrowed from it; a lone surrogate is RM_E_UNSUPPORTED. */
RM_MUST_CHECK int rmi_utf8(PyObject *text, const char **utf8, size_t *length, rm_error *err);

#endif
