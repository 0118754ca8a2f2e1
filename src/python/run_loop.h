/* Which event loop the coroutines of a run have, and what runs in it: event_loop.c, run_loop.c and tasks.c. */
#ifndef PYTHON_RUN_LOOP_H
#define PYTHON_RUN_LOOP_H

#include "python/python_node.h"

/* The loop of one run, or of all runs for which nobody has made one. Members are owned. */
typedef struct rmi_run_loop {
    PyObject_HEAD PyObject *loop; /* a Loop; NULL before the first awaitable and after the last node */
    PyObject *hooks;              /* for asynchronous generators that begin in it */
    /* What was there in the thread that runs its code. Each may be None, NULL while no code runs. */
    PyObject *outer_loop, *outer_task;
    rmi_generator_hooks outer_hooks; /* where has_hooks is true */
    bool has_hooks;
    PyThread_type_lock lock; /* of the thread that runs its code */
    unsigned long thread;
    unsigned depth, waits;     /* waits: calls that run the loop until a task has ended */
    unsigned nodes;            /* that have it */
    struct rmi_run_loop *next; /* in the list of loops whose code runs */
} rmi_run_loop;

/* ---- run_loop.c */
RM_MUST_CHECK PyTypeObject *rmi_run_loop_type_new(PyObject *module);
/* Loads asyncio, once. */
RM_MUST_CHECK int rmi_asyncio_set_up(void);
/* Makes the calling thread run code of the loop, and ends that; an exception that is set is kept. One thread at a time
 * does: others wait, without the GIL, until that thread has left it. Enter returns 1 where the thread runs it already. */
RM_MUST_CHECK int rmi_run_loop_enter(rmi_run_loop *loop);
/* Returns whether the thread runs none of its code any more. */
bool rmi_run_loop_leave(rmi_run_loop *loop);
/* Whether the calling thread runs its code. */
static inline bool rmi_run_loop_runs_here(const rmi_run_loop *loop)
{
    return loop->depth > 0 && loop->thread == PyThread_get_thread_ident();
}

/* ---- event_loop.c */
/* Calls a method of the loop. A method with an argument waits; that of a guest does not. */
RM_MUST_CHECK int rmi_loop_call(rmi_state *state, rmi_python_name name, PyObject *argument);

#endif
