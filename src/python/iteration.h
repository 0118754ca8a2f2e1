/* What async_iteration.c and iteration_coroutine.c share: the coroutine that runs an asynchronous iterator. */
#ifndef PYTHON_ITERATION_H
#define PYTHON_ITERATION_H

#include "python/python_node.h"

typedef struct rmi_iteration {
    PyObject_HEAD rmi_state *state; /* NULL: nobody wants its values any more */
    PyObject *iterator;             /* NULL: it has ended */
    PyObject *step;                 /* the awaitable in progress, or NULL */
    PyObject *wakeup, *context;     /* at the gate: the callback of the task, and the context to call it in */
    PyObject *loop;                 /* in which its task runs */
    bool is_guest;                  /* that is the loop of the run's caller, who may be a task of it */
    PyObject *message;              /* of the cancellation that reached the gate, or NULL */
    PyObject *failure; /* the exception that stands for the value behind the held ones, or NULL */
    rm_error *err;     /* while a slot lets it emit: where a failure goes; else NULL */
    rm_packet *held;   /* [first, count) wait to be sent; `reserved` is the port; owned */
    size_t first, count, capacity;
    int rc;         /* a failed emission */
    bool blocking;  /* asyncio's mark for a future that is being awaited */
    bool cancelled; /* at the gate, the task was cancelled */
    bool closing;   /* it shall close the iterator */
    bool closes;    /* `step` is that of aclose() */
} rmi_iteration;

/* ---- async_iteration.c */
/* Gives the value (consumed) to the runtime. 1: the iterator may go on, 0: not before the gate opens, -1: it
 * shall end. */
RM_MUST_CHECK int rmi_iteration_give(rmi_iteration *it, PyObject *value);
void rmi_iteration_drop_held(rmi_iteration *it);

/* ---- iteration_coroutine.c */
/* Lets the task, which waits at its gate, go on until it waits again. */
RM_MUST_CHECK int rmi_iteration_open_gate(rmi_iteration *it);

#endif
