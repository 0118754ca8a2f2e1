/* The steps of a worker's coroutine. Its task waits at the gate while the worker is idle. It still waits there while the worker
 * takes the steps of a coroutine by itself: the first one, and those after a bare `yield` (asyncio.sleep(0)), all of a
 * node's in one callback of the loop. When the coroutine awaits a future, the worker opens the gate and leaves the
 * coroutine to the task. So it does with an exception. To cancel the task is to cancel the gate, after which the coroutine
 * is the task's, too. */
#include "python/worker.h"

/* ---- Steps that the task takes */

/* The coroutine has ended. */
static void note_end(rmi_worker *worker)
{
    rmi_state *state = worker->state;
    Py_CLEAR(worker->coroutine);
    if (state != NULL && !worker->starting && !state->polling)
        rmi_wake_node(state);
}

static PySendResult go_on(rmi_worker *worker, PySendResult sent, PyObject **result)
{
    if (sent == PYGEN_NEXT)
        return sent;
    note_end(worker);
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

/* One step of the coroutine, in its context. */
static PySendResult step(rmi_worker *worker, PyObject **result)
{
    *result = NULL;
    if (PyContext_Enter(worker->own) != 0)
        return PYGEN_ERROR;
    const PySendResult sent = PyIter_Send(worker->coroutine, Py_None, result);
    leave_context(worker->own);
    return sent;
}

/* The outcome of the last step that the worker took, for the task. */
static PySendResult hand_over(rmi_worker *worker, PyObject **result)
{
    *result = worker->yielded;
    worker->yielded = NULL;
    if (*result != NULL)
        return PYGEN_NEXT;
    if (worker->cancelled)
        note_end(worker);
    worker->cancelled = false;
    PyErr_SetRaisedException(worker->failure);
    worker->failure = NULL;
    return PYGEN_ERROR;
}

static PySendResult worker_send(PyObject *self, PyObject *value, PyObject **result)
{
    rmi_worker *worker = rmi_worker_of(self);
    (void)value;
    if (worker->yielded != NULL || worker->failure != NULL)
        return hand_over(worker, result);
    if (worker->coroutine != NULL)
        return go_on(worker, step(worker, result), result);
    if (!worker->ends)
        return rmi_gate_wait(&worker->gate, result);
    *result = worker->result != NULL ? worker->result : Py_NewRef(Py_None);
    worker->result = NULL;
    return PYGEN_RETURN;
}

static PyObject *send_method(PyObject *self, PyObject *value)
{
    PyObject *result = NULL;
    const PySendResult sent = worker_send(self, value, &result);
    return rmi_step_as_method(sent, result);
}

/* The task was cancelled before it could await the future that the coroutine has yielded. Whether that future tells the
 * coroutine, with the same message. */
static bool cancel_yielded(rmi_worker *worker, PyObject *exception)
{
    PyObject *done = NULL, *cancel = NULL, *message = NULL;
    if (worker->yielded == NULL || worker->yielded == Py_None)
        return false;
    if ((cancel = PyObject_GetAttr(worker->yielded, rmi_name(RMI_NAME_cancel))) != NULL &&
        (message = PyObject_GetAttrString(exception, "args")) != NULL)
        done = PyObject_CallObject(cancel, message);
    const bool tells = done != NULL && PyObject_IsTrue(done) == 1;
    PyErr_Clear();
    Py_XDECREF(message);
    Py_XDECREF(cancel);
    Py_XDECREF(done);
    return tells;
}

static PyObject *throw_method(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    rmi_worker *worker = rmi_worker_of(self);
    PyObject *exception = rmi_thrown(arguments, count), *result = NULL;
    if (exception == NULL)
        return NULL;
    worker->ready = false;
    if (worker->failure != NULL || cancel_yielded(worker, exception)) {
        Py_DECREF(exception);
        const PySendResult handed = hand_over(worker, &result);
        return rmi_step_as_method(handed, result);
    }
    Py_CLEAR(worker->yielded);
    if (worker->coroutine == NULL || PyContext_Enter(worker->own) != 0) {
        if (worker->cancelled)
            note_end(worker);
        worker->cancelled = false;
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
    PyObject *coroutine = rmi_worker_of(self)->coroutine;
    (void)unused;
    rmi_worker_of(self)->coroutine = NULL;
    PyObject *closed = coroutine != NULL ? PyObject_CallMethodNoArgs(coroutine, rmi_name(RMI_NAME_close))
                                         : Py_NewRef(Py_None);
    Py_XDECREF(coroutine);
    return closed;
}

/* ---- Steps that the worker takes */

/* Puts the worker into the list for the loop's next turn. */
static int be_ready(rmi_worker *worker)
{
    rmi_state *state = worker->state;
    worker->ready = true;
    if (worker->listed)
        return 0;
    if (state->ready == NULL) {
        PyObject *go_on = PyObject_GetAttr(state->waker, rmi_name(RMI_NAME_go_on)), *handle = NULL;
        PyObject *arguments[] = {worker->gate.loop, go_on, state->context};
        PyObject *keywords = Py_BuildValue("(s)", "context");
        if (go_on != NULL && keywords != NULL)
            handle = PyObject_VectorcallMethod(rmi_name(RMI_NAME_call_soon), arguments, 2, keywords);
        Py_XDECREF(keywords);
        Py_XDECREF(go_on);
        if (handle == NULL)
            return -1;
        Py_DECREF(handle);
        state->ready_end = &state->ready;
    }
    worker->listed = true;
    *state->ready_end = Py_NewRef((PyObject *)worker);
    state->ready_end = &worker->next_ready;
    return 0;
}

/* Handles the outcome of a step that the worker took. */
static int take_outcome(rmi_worker *worker, PySendResult sent, PyObject *result)
{
    const bool is_cancelled = !rmi_gate_waits(&worker->gate); /* the loop will tell the task */
    if (sent == PYGEN_NEXT && result == Py_None && !is_cancelled && worker->state != NULL) {
        Py_DECREF(result);
        return be_ready(worker);
    }
    if (sent == PYGEN_NEXT) {
        worker->yielded = result;
        return is_cancelled ? 0 : rmi_gate_open(&worker->gate);
    }
    if (is_cancelled) {
        worker->cancelled = true;
        worker->failure = sent == PYGEN_ERROR ? PyErr_GetRaisedException() : NULL;
        Py_XDECREF(result);
        Py_CLEAR(worker->coroutine);
        return 0;
    }
    worker->result = result;
    if (sent == PYGEN_ERROR)
        worker->failure = PyErr_GetRaisedException();
    note_end(worker);
    return worker->failure != NULL || worker->ends ? rmi_gate_open(&worker->gate) : 0;
}

int rmi_worker_take_step(rmi_worker *worker, PyObject **outer)
{
    PyObject *before = rmi_task_swap(worker->gate.loop, worker->task), *result = NULL;
    if (before == NULL)
        return -1;
    if (*outer == NULL)
        *outer = before;
    else
        Py_DECREF(before);
    const PySendResult sent = step(worker, &result);
    return take_outcome(worker, sent, result);
}

void rmi_worker_restore_task(const rmi_state *state, PyObject *outer)
{
    PyObject *exception = PyErr_GetRaisedException();
    if (outer != NULL)
        Py_XDECREF(rmi_task_swap(rmi_loop_of(state), outer));
    Py_XDECREF(outer);
    PyErr_SetRaisedException(exception);
}

/* Takes the first one out of the list. Whether it is still to go on. */
static bool take_ready(PyObject **list, rmi_worker **first)
{
    rmi_worker *worker = rmi_worker_of(*list);
    const bool goes_on = worker->ready && rmi_gate_waits(&worker->gate);
    *list = worker->next_ready;
    worker->next_ready = NULL;
    worker->ready = worker->listed = false;
    *first = worker;
    return goes_on;
}

int rmi_workers_go_on(rmi_state *state)
{
    PyObject *ready = state->ready, *exception = NULL, *outer = NULL;
    rmi_worker *worker = NULL;
    state->ready = NULL; /* they may get ready again, for the turn after this one */
    while (ready != NULL) {
        const bool goes_on = take_ready(&ready, &worker);
        if (goes_on && rmi_worker_take_step(worker, &outer) != 0) {
            if (state->guest != NULL && exception == NULL) /* it shall leave the caller's loop */
                exception = PyErr_GetRaisedException();
            PyErr_Clear();
        }
        Py_DECREF((PyObject *)worker);
    }
    PyErr_SetRaisedException(exception);
    rmi_worker_restore_task(state, outer);
    return exception == NULL ? 0 : -1;
}

void rmi_workers_leave_ready(rmi_state *state)
{
    rmi_worker *worker = NULL;
    while (state->ready != NULL) {
        if (take_ready(&state->ready, &worker)) {
            worker->yielded = Py_NewRef(Py_None);
            if (rmi_gate_open(&worker->gate) != 0)
                PyErr_Clear();
        }
        Py_DECREF((PyObject *)worker);
    }
}

/* ---- The type */

/* What asyncio shows of a coroutine, and of the frames in it, is that of the item's. */
static PyObject *get_of_item(PyObject *self, void *name)
{
    PyObject *coroutine = rmi_worker_of(self)->coroutine;
    return PyObject_GetAttrString(coroutine != NULL ? coroutine : Py_None, name);
}

static int worker_traverse(PyObject *self, visitproc visit, void *arg)
{
    rmi_worker *worker = rmi_worker_of(self);
    Py_VISIT(worker->task);
    Py_VISIT(worker->coroutine);
    Py_VISIT(worker->own);
    Py_VISIT(worker->yielded);
    Py_VISIT(worker->failure);
    Py_VISIT(worker->result);
    Py_VISIT(worker->next);
    Py_VISIT(worker->next_ready);
    return rmi_gate_traverse(&worker->gate, visit, arg);
}

static int worker_clear(PyObject *self)
{
    rmi_worker *worker = rmi_worker_of(self);
    Py_CLEAR(worker->coroutine);
    Py_CLEAR(worker->task);
    Py_CLEAR(worker->own);
    Py_CLEAR(worker->yielded);
    Py_CLEAR(worker->failure);
    Py_CLEAR(worker->result);
    Py_CLEAR(worker->name);
    Py_CLEAR(worker->next);
    Py_CLEAR(worker->next_ready);
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
