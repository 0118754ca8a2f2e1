/* Workers: tasks that run the coroutines of items, one after the other. To make a task for each item costs more than what
 * most coroutines do. A coroutine sees no difference: it has a context of its own, and a worker whose task somebody else may
 * know ends with the item, as a task of the item's own would. */
#include "python/gate.h"

typedef struct rmi_worker {
    rmi_gate gate;       /* where it waits for the next item */
    rmi_state *state;    /* NULL: nobody wants its result */
    PyObject *task;      /* that runs it */
    PyObject *coroutine; /* of the item; NULL: it has ended */
    PyObject *own;       /* the context of the item */
    PyObject *result;    /* what the coroutine has returned, until it is taken */
    PyObject *name;      /* of the task, as it was at first */
    PyObject *next;      /* idle worker; owned */
    Py_ssize_t weak;     /* references of asyncio's to the task */
    bool starting;       /* its item's first step is in progress: nobody has to be woken */
    bool ends;           /* the task shall end with the item */
} rmi_worker;

static rmi_worker *worker_of(PyObject *object)
{
    return (rmi_worker *)object;
}

/* ---- Steps of its coroutine */

static PySendResult failed(PyObject **result)
{
    *result = NULL;
    return PYGEN_ERROR;
}

/* Takes the outcome of a step. */
static PySendResult go_on(rmi_worker *worker, PySendResult sent, PyObject **result)
{
    rmi_state *state = worker->state;
    if (sent == PYGEN_NEXT)
        return sent;
    Py_CLEAR(worker->coroutine);
    if (state != NULL && !worker->starting && !state->polling)
        rmi_wake_node(state);
    if (sent == PYGEN_ERROR || worker->ends)
        return sent;
    worker->result = *result;
    return rmi_gate_wait(&worker->gate, result);
}

static void leave_context(PyObject *context)
{
    PyObject *exception = PyErr_GetRaisedException();
    if (PyContext_Exit(context) != 0)
        PyErr_Clear();
    PyErr_SetRaisedException(exception);
}

static PySendResult worker_send(PyObject *self, PyObject *value, PyObject **result)
{
    rmi_worker *worker = worker_of(self);
    if (worker->coroutine == NULL) { /* its end */
        *result = worker->result != NULL ? worker->result : Py_NewRef(Py_None);
        worker->result = NULL;
        return PYGEN_RETURN;
    }
    if (PyContext_Enter(worker->own) != 0)
        return failed(result);
    const PySendResult sent = PyIter_Send(worker->coroutine, value, result);
    leave_context(worker->own);
    return go_on(worker, sent, result);
}

static PyObject *send_method(PyObject *self, PyObject *value)
{
    PyObject *result = NULL;
    const PySendResult sent = worker_send(self, value, &result);
    return rmi_step_as_method(sent, result);
}

static PyObject *throw_method(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    rmi_worker *worker = worker_of(self);
    PyObject *exception = rmi_thrown(arguments, count), *result = NULL;
    if (exception == NULL)
        return NULL;
    if (worker->coroutine == NULL || PyContext_Enter(worker->own) != 0) {
        if (!PyErr_Occurred())
            PyErr_SetRaisedException(Py_NewRef(exception));
        Py_DECREF(exception);
        return NULL;
    }
    result = PyObject_CallMethodOneArg(worker->coroutine, rmi_name(RMI_NAME_throw), exception);
    leave_context(worker->own);
    Py_DECREF(exception);
    const PySendResult sent = go_on(worker, rmi_step_of_method(&result), &result);
    return rmi_step_as_method(sent, result);
}

static PyObject *close_method(PyObject *self, PyObject *unused)
{
    PyObject *coroutine = worker_of(self)->coroutine;
    (void)unused;
    worker_of(self)->coroutine = NULL;
    PyObject *closed = coroutine != NULL ? PyObject_CallMethodNoArgs(coroutine, rmi_name(RMI_NAME_close))
                                         : Py_NewRef(Py_None);
    Py_XDECREF(coroutine);
    return closed;
}

/* ---- Its life */

/* Opens the gate. An exception that the task has is none of ours. */
static int wake(rmi_state *state, rmi_worker *worker)
{
    if (rmi_loop_enter(state) != 0)
        return -1;
    int rc = rmi_gate_open(&worker->gate);
    if (rc != 0 && worker->coroutine == NULL && worker->result == NULL) {
        PyErr_Clear();
        rc = 0;
    }
    rmi_loop_leave(state);
    return rc;
}

/* A worker that waits for an item; NULL: there is none. */
static rmi_worker *take_idle(rmi_state *state)
{
    while (state->idle != NULL) {
        rmi_worker *worker = worker_of(state->idle);
        state->idle = worker->next;
        worker->next = NULL;
        if (rmi_gate_waits(&worker->gate))
            return worker;
        Py_DECREF((PyObject *)worker); /* its task was cancelled */
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

/* Makes the task of a new worker, which begins its item. */
static int begin(rmi_state *state, rmi_worker *worker)
{
    worker->state = state;
    worker->gate.is_guest = state->guest != NULL;
    if (rmi_loop_enter(state) != 0)
        return -1;
    worker->gate.loop = Py_XNewRef(rmi_loop_of(state));
    worker->task = rmi_task_new(state, (PyObject *)worker, NULL);
    rmi_loop_leave(state);
    if (worker->task == NULL)
        return -1;
    worker->name = PyObject_CallMethodNoArgs(worker->task, rmi_name(RMI_NAME_get_name));
    worker->weak = worker->name != NULL ? weak_references(worker->task) : -1;
    return worker->weak >= 0 ? 0 : -1;
}

int rmi_worker_start(rmi_state *state, rmi_python_work *work, PyObject *coroutine)
{
    rmi_worker *worker = take_idle(state);
    const bool is_new = worker == NULL;
    if (is_new && (worker = worker_of(rmi_object_alloc(rmi_python_of_process()->worker_type, 0))) == NULL)
        return -1;
    worker->coroutine = Py_NewRef(coroutine);
    Py_XSETREF(worker->own, PyContext_Copy(state->context));
    worker->starting = true;
    const int rc = worker->own == NULL ? -1 : is_new ? begin(state, worker) : wake(state, worker);
    worker->starting = false;
    if (rc != 0) {
        rmi_worker_detach((PyObject *)worker);
        Py_DECREF((PyObject *)worker);
        return -1;
    }
    work->worker = (PyObject *)worker;
    work->task = Py_NewRef(worker->task);
    return 0;
}

bool rmi_worker_is_done(const rmi_python_work *work)
{
    return worker_of(work->worker)->coroutine == NULL;
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
    if (wake(state, worker) != 0)
        PyErr_Clear();
}

PyObject *rmi_worker_result(rmi_state *state, rmi_python_work *work, PyObject **context)
{
    rmi_worker *worker = worker_of(work->worker);
    PyObject *result = worker->result, *task = work->task;
    *context = worker->own;
    worker->own = worker->result = NULL;
    work->worker = work->task = NULL;
    if (result == NULL) {
        result = rmi_task_result(task);
        Py_DECREF((PyObject *)worker);
    } else if (!rmi_gate_waits(&worker->gate)) {
        Py_DECREF((PyObject *)worker);
    } else if (is_known(worker)) {
        end(state, worker, Py_NewRef(result));
        Py_DECREF((PyObject *)worker);
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
    if (worker_of(work->worker)->result == NULL)
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
    worker_of(work->worker)->ends = true;
    return rmi_task_begin_cancel(work->task);
}

void rmi_worker_detach(PyObject *worker)
{
    worker_of(worker)->ends = true;
    worker_of(worker)->state = NULL;
}

void rmi_workers_end(rmi_state *state)
{
    for (rmi_worker *worker = take_idle(state); worker != NULL; worker = take_idle(state)) {
        end(state, worker, NULL);
        Py_DECREF((PyObject *)worker);
    }
}

/* ---- The type */

/* What asyncio shows of a coroutine, and of the frames in it, is that of the item's. */
static PyObject *get_of_item(PyObject *self, void *name)
{
    PyObject *coroutine = worker_of(self)->coroutine;
    return PyObject_GetAttrString(coroutine != NULL ? coroutine : Py_None, name);
}

static int worker_traverse(PyObject *self, visitproc visit, void *arg)
{
    rmi_worker *worker = worker_of(self);
    Py_VISIT(worker->task);
    Py_VISIT(worker->coroutine);
    Py_VISIT(worker->own);
    Py_VISIT(worker->result);
    Py_VISIT(worker->next);
    return rmi_gate_traverse(&worker->gate, visit, arg);
}

static int worker_clear(PyObject *self)
{
    rmi_worker *worker = worker_of(self);
    Py_CLEAR(worker->coroutine);
    Py_CLEAR(worker->task);
    Py_CLEAR(worker->own);
    Py_CLEAR(worker->result);
    Py_CLEAR(worker->name);
    Py_CLEAR(worker->next);
    rmi_gate_clear(&worker->gate);
    return 0;
}

static void worker_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    (void)worker_clear(self);
    rmi_object_free(self);
}

PyTypeObject *rmi_worker_type_new(PyObject *module)
{
    static PyMethodDef methods[] = {{"send", send_method, METH_O, NULL},
                                    {"throw", RMI_METHOD(throw_method), METH_FASTCALL, NULL},
                                    {"close", close_method, METH_NOARGS, NULL},
                                    {NULL, NULL, 0, NULL}};
    static char frame[] = "cr_frame", code[] = "cr_code", running[] = "cr_running", awaits[] = "cr_await";
    static char name[] = "__name__", full_name[] = "__qualname__";
    static PyGetSetDef members[] = {{"cr_frame", get_of_item, NULL, NULL, frame},
                                    {"cr_code", get_of_item, NULL, NULL, code},
                                    {"cr_running", get_of_item, NULL, NULL, running},
                                    {"cr_await", get_of_item, NULL, NULL, awaits},
                                    {"__name__", get_of_item, NULL, NULL, name},
                                    {"__qualname__", get_of_item, NULL, NULL, full_name},
                                    {NULL, NULL, NULL, NULL, NULL}};
    PyType_Slot slots[] = {{Py_tp_doc, "The coroutine that runs those of items."},
                           {Py_am_await, PyObject_SelfIter},
                           {Py_am_send, worker_send},
                           {Py_tp_methods, methods},
                           {Py_tp_getset, members},
                           {Py_tp_traverse, worker_traverse},
                           {Py_tp_clear, worker_clear},
                           {Py_tp_dealloc, worker_dealloc},
                           {0, NULL}};
    PyType_Spec spec = {.name = "_remotemedia.Worker",
                        .basicsize = sizeof(rmi_worker),
                        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                        .slots = slots};
    return (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec,
                                                    (PyObject *)rmi_python_of_process()->gate_type);
}
