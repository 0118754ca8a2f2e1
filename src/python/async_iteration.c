/* Asynchronous iterators. One task runs an iterator from its first step to its last, and closes it; so a
 * timeout, a TaskGroup or a context variable's token may span the iterator's yields. The task's coroutine is an
 * `Iteration`, which asks the iterator for one value after the other. While a slot of the node lets it emit, it
 * emits them at once; else it holds a few for the node's next turn. When it may take no further value, the task
 * waits at its gate, which the node's next turn opens. The Iteration is also the future for which the task
 * waits there: opening the gate continues the task at once, without a turn of the loop. */
#include "base/alloc.h"
#include "platform/platform.h"
#include "python/convert/convert.h"
#include "python/python_node.h"

/* MOST_VALUES, LONG_CALL_NS: as in python_stream.c. MOST_HELD: a step of the loop has as many turns; more only
 * when the task is cancelled at its gate. */
enum { MOST_VALUES = 64, LONG_CALL_NS = 1000 * 1000, MOST_HELD = 16 };

typedef struct iteration_object {
    PyObject_HEAD rmi_state *state; /* NULL: nobody wants its values any more */
    PyObject *iterator;             /* NULL: it has ended */
    PyObject *step;                 /* the awaitable in progress, or NULL */
    PyObject *wakeup, *context;     /* at the gate: the callback of the task, and the context to call it in */
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
} iteration_object;

/* ---- Values */

static void drop_held(iteration_object *it)
{
    while (it->first < it->count)
        rm_packet_clear(&it->held[it->first++]);
    it->first = it->count = 0;
}

/* Sends held values as far as there is room. RM_MORE: there is not enough for all. */
static int send_held(iteration_object *it)
{
    rm_node *node = it->state->node;
    const size_t room = rm_node_room(node);
    size_t n = it->count - it->first, same = 1;
    int rc = RM_OK;
    n = n < room ? n : room;
    for (; rc == RM_OK && n > 0; n -= same, it->first += same) {
        rm_packet *next = &it->held[it->first];
        const uint32_t port = next->reserved;
        for (same = 1; same < n && next[same].reserved == port; same++)
            ;
        rc = rm_emit_many(node, port, next, same);
    }
    if (it->first < it->count)
        return rc == RM_OK ? RM_MORE : rc;
    it->first = it->count = 0;
    return rc;
}

/* Holds a packet (consumed) for `port`. */
static int hold(iteration_object *it, rm_packet *packet, unsigned port, rm_error *err)
{
    void *block = it->held;
    const int rc = it->count < it->capacity ? RM_OK
                                            : rmi_grow(rm_allocator_default(), &block, &it->capacity,
                                                       it->count + 1, sizeof *it->held, err);
    it->held = block;
    if (rc != RM_OK) {
        rm_packet_clear(packet);
        return rc;
    }
    packet->reserved = port;
    it->held[it->count++] = *packet;
    return RM_OK;
}

/* Keeps a value as the packet that it is at this moment; its owner may change it later. Whether the iterator
 * may go on; -1: the value cannot be sent. */
static int keep(iteration_object *it, PyObject *value)
{
    rm_error err = {0};
    rm_packet packet;
    unsigned port = 0;
    int rc = rmi_packet_of_object(it->state, value, &packet, &port, &err);
    if (rc == RM_OK)
        rc = hold(it, &packet, port, &err);
    if (rc != RM_OK) {
        rmi_python_raise(&err);
        it->failure = PyErr_GetRaisedException();
        return -1;
    }
    if (it->count - it->first == 1 && !it->state->polling)
        rm_node_wake(it->state->node);
    return it->count < MOST_HELD;
}

/* Emits a value. A scalar may stay until the task waits, so that many leave at once; not where the stream's next
 * item may come in between. */
static int emit(iteration_object *it, PyObject *value)
{
    rmi_state *state = it->state;
    rm_packet packet = rm_packet_of(rm_null());
    state->left--;
    if (!state->class->takes_stream && rmi_scalar(value, &packet.value)) {
        it->rc = hold(it, &packet, 0, it->err);
    } else {
        it->rc = send_held(it);
        if (it->rc == RM_OK)
            it->rc = rmi_emit_object(state, value, it->err);
        if (rm_node_room(state->node) == 0)
            state->left = 0;
    }
    return it->rc == RM_OK ? state->left > 0 : -1;
}

/* Gives the value (consumed) to the runtime. 1: the iterator may go on, 0: not before the gate opens, -1: it
 * shall end. */
static int give(iteration_object *it, PyObject *value)
{
    int goes_on = -1;
    if (it->state != NULL)
        goes_on = it->err != NULL ? emit(it, value) : keep(it, value);
    Py_DECREF(value);
    return goes_on;
}

/* ---- Steps */

/* What `await` makes of an object (consumed). */
static PyObject *awaiter_of(PyObject *awaitable)
{
    PyTypeObject *type = awaitable != NULL ? Py_TYPE(awaitable) : NULL;
    PyObject *awaiter = NULL;
    if (type == NULL || PyCoro_CheckExact(awaitable) || PyGen_CheckExact(awaitable))
        return awaitable; /* such a generator comes from types.coroutine */
    if (type->tp_as_async != NULL && type->tp_as_async->am_await != NULL)
        awaiter = type->tp_as_async->am_await(awaitable);
    else
        PyErr_Format(PyExc_TypeError, "object %.100s can't be used in 'await' expression", type->tp_name);
    Py_DECREF(awaitable);
    return awaiter;
}

/* Starts the next step: a value, or the end. false: nothing is left to do, or an exception is set. */
static bool begin_step(iteration_object *it)
{
    PyObject *close = NULL, *awaitable = NULL;
    if (!it->closing) {
        awaitable = Py_TYPE(it->iterator)->tp_as_async->am_anext(it->iterator);
        it->step = PyAsyncGen_CheckExact(it->iterator) ? awaitable : awaiter_of(awaitable);
        return it->step != NULL;
    }
    it->closes = true;
    if (PyObject_GetOptionalAttr(it->iterator, rmi_name(RMI_NAME_aclose), &close) > 0)
        it->step = awaiter_of(PyObject_CallNoArgs(close));
    Py_XDECREF(close);
    return it->step != NULL;
}

static PySendResult ended(iteration_object *it, PyObject **result)
{
    Py_CLEAR(it->iterator);
    Py_CLEAR(it->step);
    if (PyErr_Occurred() && !it->closes && PyErr_ExceptionMatches(PyExc_StopAsyncIteration))
        PyErr_Clear();
    if (!PyErr_Occurred() && it->state == NULL && it->failure != NULL) {
        if (!PyErr_GivenExceptionMatches(it->failure, PyExc_StopAsyncIteration))
            PyErr_SetRaisedException(Py_NewRef(it->failure));
        Py_CLEAR(it->failure);
    }
    *result = PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
    return *result != NULL ? PYGEN_RETURN : PYGEN_ERROR;
}

/* Goes on from the outcome of a step; sends None into further ones. */
static PySendResult go_on(iteration_object *it, PySendResult sent, PyObject **result)
{
    while (sent != PYGEN_NEXT) {
        PyObject *value = sent == PYGEN_RETURN ? *result : NULL;
        int goes_on = 1;
        *result = NULL;
        Py_CLEAR(it->step);
        if (it->closes || (value == NULL && !it->closing)) {
            Py_XDECREF(value);
            return ended(it, result);
        }
        if (value == NULL) /* it was cancelled because it shall end */
            it->failure = PyErr_GetRaisedException();
        else if ((goes_on = give(it, value)) == 0) {
            it->blocking = true;
            *result = Py_NewRef((PyObject *)it);
            return PYGEN_NEXT;
        }
        it->closing |= goes_on < 0;
        if (!begin_step(it))
            return ended(it, result);
        sent = PyIter_Send(it->step, Py_None, result);
    }
    return sent;
}

static PySendResult iteration_send(PyObject *self, PyObject *value, PyObject **result)
{
    iteration_object *it = (iteration_object *)self;
    if (it->iterator == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "cannot reuse already awaited coroutine");
        *result = NULL;
        return PYGEN_ERROR;
    }
    if (it->step == NULL) { /* the first step, or the gate has opened */
        if (!begin_step(it))
            return ended(it, result);
        value = Py_None;
    }
    return go_on(it, PyIter_Send(it->step, value, result), result);
}

/* ---- The coroutine's methods */

/* What a method of a coroutine returns, or raises. */
static PyObject *as_method(PySendResult sent, PyObject *result)
{
    if (sent == PYGEN_RETURN) {
        Py_CLEAR(result);
        PyErr_SetNone(PyExc_StopIteration);
    }
    return result;
}

static PyObject *send_method(PyObject *self, PyObject *value)
{
    PyObject *result = NULL;
    const PySendResult sent = iteration_send(self, value, &result);
    return as_method(sent, result);
}

/* The outcome of a call of send() or throw(): *result is what the call returned. */
static PySendResult outcome_of(PyObject **result)
{
    if (*result != NULL)
        return PYGEN_NEXT;
    if (!PyErr_Occurred() || !PyErr_ExceptionMatches(PyExc_StopIteration))
        return PYGEN_ERROR;
    PyObject *stop = PyErr_GetRaisedException();
    *result = PyObject_GetAttrString(stop, "value");
    Py_DECREF(stop);
    return *result != NULL ? PYGEN_RETURN : PYGEN_ERROR;
}

/* Begins the step that raises `exception` at the yield where the iterator stands. */
static bool begin_throw(iteration_object *it, PyObject *exception)
{
    PyObject *method = NULL;
    if (it->iterator != NULL &&
        PyObject_GetOptionalAttr(it->iterator, rmi_name(RMI_NAME_athrow), &method) > 0)
        it->step = awaiter_of(PyObject_CallOneArg(method, exception));
    else if (!PyErr_Occurred())
        PyErr_SetRaisedException(Py_NewRef(exception));
    Py_XDECREF(method);
    return it->step != NULL;
}

static PyObject *throw_method(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    iteration_object *it = (iteration_object *)self;
    PyObject *exception = count > 0 ? arguments[0] : NULL, *result = NULL, *made = NULL;
    PySendResult sent = PYGEN_ERROR;
    if (exception != NULL && PyType_Check(exception))
        exception = made = PyObject_CallNoArgs(exception);
    if (exception == NULL || !PyExceptionInstance_Check(exception)) {
        Py_XDECREF(made);
        PyErr_SetString(PyExc_TypeError, "throw() takes an exception");
        return NULL;
    }
    if (it->step != NULL) {
        result = PyObject_CallMethodOneArg(it->step, rmi_name(RMI_NAME_throw), exception);
        sent = go_on(it, outcome_of(&result), &result);
    } else if (it->closing || begin_throw(it, exception))
        sent = iteration_send(self, Py_None, &result);
    else
        sent = ended(it, &result);
    Py_XDECREF(made);
    return as_method(sent, result);
}

static PyObject *close_method(PyObject *self, PyObject *unused)
{
    iteration_object *it = (iteration_object *)self;
    (void)unused;
    PyObject *step = it->step;
    it->step = NULL;
    Py_CLEAR(it->iterator);
    PyObject *closed =
        step != NULL ? PyObject_CallMethodNoArgs(step, rmi_name(RMI_NAME_close)) : Py_NewRef(Py_None);
    Py_XDECREF(step);
    return closed;
}

/* ---- The future of its gate */

/* add_done_callback(callback, *, context), as a task calls it */
static PyObject *add_done_callback_method(PyObject *self, PyObject *const *arguments, Py_ssize_t count,
                                          PyObject *names)
{
    iteration_object *it = (iteration_object *)self;
    if (count != 1 || names == NULL || PyTuple_GET_SIZE(names) != 1 || !PyContext_CheckExact(arguments[1])) {
        PyErr_SetString(PyExc_TypeError, "only a task waits for this future");
        return NULL;
    }
    Py_XSETREF(it->wakeup, Py_NewRef(arguments[0]));
    Py_XSETREF(it->context, Py_NewRef(arguments[1]));
    return Py_NewRef(Py_None);
}

/* Task.cancel() calls it. The loop's next turn continues the task, as with other futures. */
static PyObject *cancel_method(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"msg", NULL};
    iteration_object *it = (iteration_object *)self;
    PyObject *message = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O", names, &message))
        return NULL;
    if (it->wakeup == NULL)
        return Py_NewRef(Py_False);
    PyObject *arguments[] = {rmi_python_of_process()->loop, it->wakeup, self, it->context};
    PyObject *keywords = Py_BuildValue("(s)", "context");
    PyObject *handle = keywords != NULL
                           ? PyObject_VectorcallMethod(rmi_name(RMI_NAME_call_soon), arguments, 3, keywords)
                           : NULL;
    Py_XDECREF(keywords);
    if (handle == NULL)
        return NULL;
    Py_DECREF(handle);
    Py_CLEAR(it->wakeup);
    Py_CLEAR(it->context);
    Py_XSETREF(it->message, message != Py_None ? Py_NewRef(message) : NULL);
    it->cancelled = true;
    return Py_NewRef(Py_True);
}

static PyObject *result_method(PyObject *self, PyObject *unused)
{
    iteration_object *it = (iteration_object *)self;
    PyObject *class = rmi_python_of_process()->cancelled_error;
    (void)unused;
    if (!it->cancelled)
        return Py_NewRef(Py_None);
    PyObject *exception =
        it->message != NULL ? PyObject_CallOneArg(class, it->message) : PyObject_CallNoArgs(class);
    it->cancelled = false;
    Py_CLEAR(it->message);
    if (exception != NULL)
        PyErr_SetRaisedException(exception);
    return NULL;
}

static PyObject *get_loop_method(PyObject *self, PyObject *unused)
{
    (void)self, (void)unused;
    return Py_NewRef(rmi_python_of_process()->loop);
}

/* Whether the node's turn has something to do: for Loop.finish. */
static PyObject *done_method(PyObject *self, PyObject *unused)
{
    const iteration_object *it = (iteration_object *)self;
    (void)unused;
    return PyBool_FromLong(it->first < it->count || it->failure != NULL || it->wakeup != NULL ||
                           it->iterator == NULL);
}

static PyObject *get_blocking(PyObject *self, void *unused)
{
    (void)unused;
    return PyBool_FromLong(((iteration_object *)self)->blocking);
}

static int set_blocking(PyObject *self, PyObject *value, void *unused)
{
    (void)unused;
    ((iteration_object *)self)->blocking = value == Py_True;
    return 0;
}

/* What asyncio shows of a coroutine, and of the frames in it, is that of the iterator. */
static PyObject *get_of_iterator(PyObject *self, void *name)
{
    const iteration_object *it = (iteration_object *)self;
    return PyObject_GetAttrString(it->iterator != NULL ? it->iterator : Py_None, name);
}

/* Lets the task go on until it waits again. */
static int open_gate(iteration_object *it)
{
    PyObject *wakeup = it->wakeup, *context = it->context, *done = NULL;
    it->wakeup = it->context = NULL;
    if (PyContext_Enter(context) == 0) {
        done = PyObject_CallOneArg(wakeup, (PyObject *)it);
        PyObject *exception = PyErr_GetRaisedException();
        if (PyContext_Exit(context) != 0)
            PyErr_Clear();
        PyErr_SetRaisedException(exception);
    }
    Py_XDECREF(done);
    Py_DECREF(context);
    Py_DECREF(wakeup);
    if (done == NULL &&
        it->iterator == NULL) /* the task has this exception, KeyboardInterrupt or SystemExit */
        PyErr_Clear();
    return done != NULL || it->iterator == NULL ? 0 : -1;
}

/* ---- The type */

static int iteration_traverse(PyObject *self, visitproc visit, void *arg)
{
    const iteration_object *it = (iteration_object *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(it->iterator);
    Py_VISIT(it->step);
    Py_VISIT(it->wakeup);
    Py_VISIT(it->context);
    Py_VISIT(it->failure);
    return 0;
}

static int iteration_clear(PyObject *self)
{
    iteration_object *it = (iteration_object *)self;
    Py_CLEAR(it->step);
    Py_CLEAR(it->iterator);
    Py_CLEAR(it->wakeup);
    Py_CLEAR(it->context);
    Py_CLEAR(it->failure);
    Py_CLEAR(it->message);
    return 0;
}

static void iteration_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    iteration_object *it = (iteration_object *)self;
    PyObject_GC_UnTrack(self);
    (void)iteration_clear(self);
    drop_held(it);
    rmi_free(rm_allocator_default(), it->held, it->capacity * sizeof *it->held);
    type->tp_free(self);
    Py_DECREF(type);
}

PyTypeObject *rmi_iteration_type_new(PyObject *module)
{
    static PyMethodDef methods[] = {
        {"send", send_method, METH_O, NULL},
        {"throw", RMI_METHOD(throw_method), METH_FASTCALL, NULL},
        {"close", close_method, METH_NOARGS, NULL},
        {"add_done_callback", RMI_METHOD(add_done_callback_method), METH_FASTCALL | METH_KEYWORDS, NULL},
        {"cancel", RMI_METHOD(cancel_method), METH_VARARGS | METH_KEYWORDS, NULL},
        {"result", result_method, METH_NOARGS, NULL},
        {"done", done_method, METH_NOARGS, NULL},
        {"get_loop", get_loop_method, METH_NOARGS, NULL},
        {NULL, NULL, 0, NULL}};
    static char frame[] = "ag_frame", code[] = "ag_code", running[] = "ag_running";
    static char name[] = "__name__", full_name[] = "__qualname__";
    static PyGetSetDef members[] = {{"_asyncio_future_blocking", get_blocking, set_blocking, NULL, NULL},
                                    {"cr_frame", get_of_iterator, NULL, NULL, frame},
                                    {"cr_code", get_of_iterator, NULL, NULL, code},
                                    {"cr_running", get_of_iterator, NULL, NULL, running},
                                    {"__name__", get_of_iterator, NULL, NULL, name},
                                    {"__qualname__", get_of_iterator, NULL, NULL, full_name},
                                    {NULL, NULL, NULL, NULL, NULL}};
    PyType_Slot slots[] = {{Py_tp_doc, "The coroutine that runs an asynchronous iterator."},
                           {Py_am_await, PyObject_SelfIter},
                           {Py_am_send, iteration_send},
                           {Py_tp_methods, methods},
                           {Py_tp_getset, members},
                           {Py_tp_traverse, iteration_traverse},
                           {Py_tp_clear, iteration_clear},
                           {Py_tp_dealloc, iteration_dealloc},
                           {0, NULL}};
    PyType_Spec spec = {.name = "_remotemedia.Iteration",
                        .basicsize = sizeof(iteration_object),
                        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                        .slots = slots};
    return (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, NULL);
}

/* ---- The node's turn */

void rmi_iteration_may_emit(rmi_state *state, PyObject *iteration, rm_error *err)
{
    iteration_object *it = (iteration_object *)iteration;
    if (it == NULL)
        return;
    if (err != NULL) {
        const size_t room = rm_node_room(state->node);
        state->left = state->batch > 0 ? state->batch : 1;
        state->left = room < state->left ? (unsigned)room : state->left;
    }
    it->err = err;
}

/* The next call may emit more, or only one where this one took long: other nodes wait for the first value. */
static void adapt_batch(rmi_state *state, int64_t started)
{
    if (rmi_platform_now() - started > LONG_CALL_NS)
        state->batch = 1;
    else if (state->batch < MOST_VALUES)
        state->batch = state->batch > 0 ? state->batch * 2 : 2;
}

/* What the node's turn returns, after the task has had one. */
static int outcome(rmi_state *state, rmi_python_work *work, iteration_object *it, rm_error *err)
{
    const int rc = it->rc != RM_OK ? it->rc : send_held(it);
    if (rc != RM_OK)
        return rc;
    if (it->failure != NULL) {
        PyErr_SetRaisedException(it->failure);
        it->failure = NULL;
        return rmi_python_failed(state->node, err);
    }
    if (it->wakeup != NULL)
        return RM_MORE;
    const int done = rmi_task_done(work->task);
    if (done == 0)
        return RM_PENDING;
    PyObject *result = done > 0 ? rmi_task_result(work->task) : NULL;
    const int ended_with = result != NULL ? RM_OK : rmi_python_failed(state->node, err);
    Py_XDECREF(result);
    Py_CLEAR(work->task);
    Py_CLEAR(work->iteration);
    return ended_with;
}

int rmi_iteration_start(rmi_state *state, rmi_python_work *work, PyObject *iterator, PyObject *context,
                        rm_error *err)
{
    PyTypeObject *type = rmi_python_of_process()->iteration_type;
    iteration_object *it = (iteration_object *)type->tp_alloc(type, 0);
    if (it == NULL)
        return rmi_python_failed(state->node, err);
    it->state = state;
    it->iterator = Py_NewRef(iterator);
    work->iteration = (PyObject *)it;
    rmi_iteration_may_emit(state, work->iteration, err);
    work->task = rmi_task_new(state, work->iteration, context);
    rmi_iteration_may_emit(state, work->iteration, NULL);
    if (work->task != NULL)
        return outcome(state, work, it, err);
    Py_CLEAR(work->iteration);
    return rmi_python_failed(state->node, err);
}

/* Lets the task go on from its gate, and emit. */
static int give_turn(rmi_state *state, rmi_python_work *work, iteration_object *it, rm_error *err)
{
    const int64_t started = rmi_platform_now();
    if (rmi_loop_catch_up(state) != 0 || rmi_loop_enter(state) != 0)
        return rmi_python_failed(state->node, err);
    rmi_iteration_may_emit(state, work->iteration, err);
    const int rc = it->wakeup == NULL || open_gate(it) == 0 ? RM_OK : rmi_python_failed(state->node, err);
    rmi_iteration_may_emit(state, work->iteration, NULL);
    rmi_loop_leave(state);
    adapt_batch(state, started);
    return rc;
}

int rmi_iteration_step(rmi_state *state, rmi_python_work *work, rm_error *err)
{
    iteration_object *it = (iteration_object *)work->iteration;
    int rc = it->rc != RM_OK ? it->rc : send_held(it);
    if (rc == RM_OK && it->failure == NULL && it->wakeup != NULL)
        rc = give_turn(state, work, it, err);
    return rc == RM_OK ? outcome(state, work, it, err) : rc;
}

void rmi_iteration_detach(PyObject *iteration)
{
    iteration_object *it = (iteration_object *)iteration;
    it->state = NULL;
    drop_held(it);
    Py_CLEAR(it->failure);
}

int rmi_iteration_end(rmi_state *state, rmi_python_work *work)
{
    iteration_object *it = (iteration_object *)work->iteration;
    PyObject *cancelled = NULL;
    int rc = 0;
    rmi_iteration_detach(work->iteration);
    if (it->closing || it->iterator == NULL)
        return 0;
    it->closing = true;
    if (it->wakeup == NULL) {
        cancelled = PyObject_CallMethodNoArgs(work->task, rmi_name(RMI_NAME_cancel));
        Py_XDECREF(cancelled);
        return cancelled != NULL ? 0 : -1;
    }
    if (rmi_loop_enter(state) != 0)
        return -1;
    rc = open_gate(it);
    rmi_loop_leave(state);
    return rc;
}
