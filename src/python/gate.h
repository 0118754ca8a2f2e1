/* A gate: where a task waits until the runtime lets it go on. It is the future of asyncio for which the task waits, and
 * opening the gate continues the task at once, without a turn of the loop. Coroutines of ours are gates themselves. */
#ifndef PYTHON_GATE_H
#define PYTHON_GATE_H

#include "python/python_node.h"

typedef struct rmi_gate {
    PyObject_HEAD PyObject *wakeup,
        *context;      /* of a task that waits: its callback, and the context to call it in */
    PyObject *loop;    /* in which the task runs */
    PyObject *message; /* of the cancellation that reached the gate, or NULL */
    bool is_guest;     /* that is the loop of the run's caller, who may be a task of it */
    bool blocking;     /* asyncio's mark for a future that is being awaited */
    bool cancelled;    /* the task was cancelled while it waited */
} rmi_gate;

/* The type from which those of coroutines derive: it has the methods of a future. */
RM_MUST_CHECK PyTypeObject *rmi_gate_type_new(PyObject *module);
int rmi_gate_traverse(rmi_gate *gate, visitproc visit, void *arg);
void rmi_gate_clear(rmi_gate *gate);
static inline bool rmi_gate_waits(const rmi_gate *gate)
{
    return gate->wakeup != NULL;
}
/* A coroutine that returns this from its step makes the task wait. */
RM_MUST_CHECK PySendResult rmi_gate_wait(rmi_gate *gate, PyObject **result);
/* Lets the task, which waits, go on until it waits again. */
RM_MUST_CHECK int rmi_gate_open(rmi_gate *gate);

/* ---- For methods of coroutines */

/* What a method returns, or raises, for the outcome of a step; `result` is consumed. */
RM_MUST_CHECK PyObject *rmi_step_as_method(PySendResult sent, PyObject *result);
/* The outcome of a call of send() or throw(): *result is what the call returned. */
RM_MUST_CHECK PySendResult rmi_step_of_method(PyObject **result);
/* The exception that throw() was given. */
RM_MUST_CHECK PyObject *rmi_thrown(PyObject *const *arguments, Py_ssize_t count);

#endif
