/* What workers.c and worker_steps.c share: a task that runs the coroutines of items, one after the other. */
#ifndef PYTHON_WORKER_H
#define PYTHON_WORKER_H

#include "python/gate.h"

typedef struct rmi_worker {
    rmi_gate gate;
    rmi_state *state;     /* NULL: nobody wants its result */
    PyObject *task;       /* that runs it */
    PyObject *coroutine;  /* of the item; NULL: it has ended */
    PyObject *own;        /* the context of the item */
    PyObject *yielded;    /* what the coroutine has yielded, for the task */
    PyObject *failure;    /* the exception that has ended the coroutine, for the task */
    PyObject *result;     /* what the coroutine has returned, until it is taken */
    PyObject *name;       /* of the task, as it was at first */
    PyObject *next;       /* idle worker; owned */
    PyObject *next_ready; /* in the list for the loop's next turn; owned */
    Py_ssize_t weak;      /* references of asyncio's to the task */
    bool starting;        /* its item's first step is in progress: nobody has to be woken */
    bool ready;           /* it waits for a turn of the loop */
    bool listed;          /* it is in the list for the next one */
    bool cancelled;       /* the coroutine has ended, but its task was cancelled in the last step */
    bool ends;            /* the task shall end with the item */
} rmi_worker;

static inline rmi_worker *rmi_worker_of(PyObject *object)
{
    return (rmi_worker *)object;
}

/* ---- worker_steps.c */
/* Takes a step. The worker's task is the current one meanwhile, and afterwards; *outer (NULL: not yet known) is the one
 * before. The task keeps an exception that ends it; KeyboardInterrupt and SystemExit leave it, too. */
RM_MUST_CHECK int rmi_worker_take_step(rmi_worker *worker, PyObject **outer);
/* Makes `outer` (consumed; NULL: the current task has not changed) the current task again. */
void rmi_worker_restore_task(const rmi_state *state, PyObject *outer);
/* Leaves workers that wait for a turn of the loop to their tasks. */
void rmi_workers_leave_ready(rmi_state *state);

#endif
