/* Workers: tasks that run the coroutines of items, one after the other. To make a task for each item costs more than what
 * most coroutines do. A coroutine sees no difference: it has a context of its own, and a worker whose task somebody else may
 * know ends with the item, as a task of the item's own would. */
#include "python/worker.h"

/* Gives up a worker (consumed) whose task has ended: it and the task would keep each other. */
static void drop(rmi_worker *worker)
{
    Py_CLEAR(worker->task);
    Py_DECREF((PyObject *)worker);
}

/* A worker that waits for an item; NULL: there is none. */
static rmi_worker *take_idle(rmi_state *state)
{
    while (state->idle != NULL) {
        rmi_worker *worker = rmi_worker_of(state->idle);
        state->idle = worker->next;
        worker->next = NULL;
        if (rmi_gate_waits(&worker->gate))
            return worker;
        drop(worker); /* its task was cancelled */
    }
    return NULL;
}

static Py_ssize_t weak_references(PyObject *task)
{
    PyObject *count = PyObject_CallOneArg(rmi_python_of_process()->weak_count, task);
    const Py_ssize_t n = count != NULL ? PyLong_AsSsize_t(count) : -1;
    Py_XDECREF(count);
    return n;
}

static rmi_worker *worker_new(rmi_state *state)
{
    rmi_worker *worker = rmi_worker_of(rmi_object_alloc(rmi_python_of_process()->worker_type, 0));
    if (worker == NULL)
        return NULL;
    worker->state = state;
    worker->gate.loop = Py_XNewRef(rmi_loop_of(state));
    worker->task = rmi_task_new(state, (PyObject *)worker, NULL); /* it waits */
    if (worker->task != NULL)
        worker->name = PyObject_CallMethodNoArgs(worker->task, rmi_name(RMI_NAME_get_name));
    worker->weak = worker->name != NULL ? weak_references(worker->task) : -1;
    if (worker->weak < 0)
        Py_CLEAR(worker);
    return worker;
}

/* Gives the worker an item, and takes the first step. */
static int begin(rmi_state *state, rmi_worker *worker, PyObject *coroutine)
{
    PyObject *outer = NULL;
    worker->coroutine = Py_NewRef(coroutine);
    Py_XSETREF(worker->own, PyContext_Copy(state->context));
    worker->starting = true;
    const int rc = worker->own != NULL ? rmi_worker_take_step(worker, &outer) : -1;
    rmi_worker_restore_task(state, outer);
    worker->starting = false;
    if (rc == 0 || worker->coroutine != NULL)
        return rc;
    PyErr_Clear(); /* the task has it, KeyboardInterrupt or SystemExit */
    return 0;
}

int rmi_worker_start(rmi_state *state, rmi_python_work *work, PyObject *coroutine)
{
    if (rmi_loop_enter(state) != 0)
        return -1;
    rmi_worker *worker = take_idle(state);
    if (worker == NULL)
        worker = worker_new(state);
    const int rc = worker != NULL ? begin(state, worker, coroutine) : -1;
    rmi_loop_leave(state);
    if (rc == 0) {
        work->worker = (PyObject *)worker;
        work->task = Py_NewRef(worker->task);
        return 0;
    }
    if (worker != NULL)
        rmi_worker_detach((PyObject *)worker);
    Py_XDECREF((PyObject *)worker);
    return -1;
}

bool rmi_worker_is_done(const rmi_python_work *work)
{
    return rmi_worker_of(work->worker)->coroutine == NULL && !rmi_worker_of(work->worker)->cancelled;
}

/* What its work, itself and its gate hold. */
enum { REFERENCES = 3 };

/* Whether somebody else may know the worker's task, or the item has left something with it. */
static bool is_known(const rmi_worker *worker)
{
    PyObject *task = worker->task, *callbacks = NULL, *cancelling = NULL, *name = NULL, *members = NULL;
    bool known = true;
    if (Py_REFCNT(task) == REFERENCES && weak_references(task) == worker->weak &&
        (callbacks = PyObject_GetAttr(task, rmi_name(RMI_NAME__callbacks))) == Py_None &&
        (cancelling = PyObject_CallMethodNoArgs(task, rmi_name(RMI_NAME_cancelling))) != NULL &&
        (name = PyObject_CallMethodNoArgs(task, rmi_name(RMI_NAME_get_name))) == worker->name &&
        (members = PyObject_GenericGetDict(task, NULL)) != NULL)
        known = PyLong_AsLong(cancelling) != 0 || PyDict_GET_SIZE(members) > 0;
    PyErr_Clear();
    Py_XDECREF(members);
    Py_XDECREF(name);
    Py_XDECREF(cancelling);
    Py_XDECREF(callbacks);
    return known;
}

/* Ends the task of a worker, with `result` (consumed). */
static void end(rmi_state *state, rmi_worker *worker, PyObject *result)
{
    worker->ends = true;
    worker->state = NULL;
    Py_XSETREF(worker->result, result);
    if (rmi_loop_enter(state) != 0) {
        PyErr_Clear();
        return;
    }
    if (rmi_gate_open(&worker->gate) != 0)
        PyErr_Clear();
    rmi_loop_leave(state);
}

PyObject *rmi_worker_result(rmi_state *state, rmi_python_work *work, PyObject **context)
{
    rmi_worker *worker = rmi_worker_of(work->worker);
    PyObject *result = worker->result, *task = work->task;
    *context = worker->own;
    worker->own = worker->result = NULL;
    work->worker = work->task = NULL;
    if (result == NULL) {
        result = rmi_task_result(task);
        drop(worker);
    } else if (!rmi_gate_waits(&worker->gate)) {
        drop(worker);
    } else if (is_known(worker)) {
        end(state, worker, Py_NewRef(result));
        drop(worker);
    } else {
        worker->next = state->idle;
        state->idle = (PyObject *)worker;
    }
    Py_DECREF(task);
    return result;
}

bool rmi_worker_release(rmi_state *state, rmi_python_work *work)
{
    PyObject *context = NULL, *result = NULL;
    if (rmi_worker_of(work->worker)->result == NULL)
        return false;
    result = rmi_worker_result(state, work, &context);
    Py_XDECREF(context);
    Py_XDECREF(result);
    return true;
}

int rmi_worker_begin_end(rmi_python_work *work)
{
    if (rmi_worker_is_done(work))
        return 0;
    rmi_worker_of(work->worker)->ends = true;
    return rmi_task_begin_cancel(work->task);
}

void rmi_worker_detach(PyObject *worker)
{
    rmi_worker_of(worker)->ends = true;
    rmi_worker_of(worker)->state = NULL;
}

void rmi_workers_end(rmi_state *state)
{
    if (state->ready != NULL && rmi_loop_enter(state) == 0) {
        rmi_workers_leave_ready(state);
        rmi_loop_leave(state);
    }
    PyErr_Clear();
    for (rmi_worker *worker = take_idle(state); worker != NULL; worker = take_idle(state)) {
        end(state, worker, NULL);
        drop(worker);
    }
}
