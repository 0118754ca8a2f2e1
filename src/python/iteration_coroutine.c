/* The coroutine that runs an asynchronous iterator, and the future of its gate: one object (async_iteration.c
 * says what for). */
#include "base/alloc.h"
#include "python/iteration.h"

/* ---- Steps */

/* What `await` makes of an object (consumed). */
static PyObject *awaiter_of(PyObject *awaitable)
{
    PyTypeObject *type = awaitable != NULL ? Py_TYPE(awaitable) : NULL;
    PyObject *awaiter = NULL;
    if (type == NULL || PyCoro_CheckExact(awaitable) || PyGen_CheckExact(awaitable))
        return awaitable; /* such a generator comes from types.coroutine */
    unaryfunc await = RMI_ASYNC_SLOT(type, unaryfunc, am_await);
    if (await != NULL)
        awaiter = await(awaitable);
    else
        PyErr_Format(PyExc_TypeError, "object %.100s can't be used in 'await' expression",
                     rmi_name_of_type(type));
    Py_DECREF(awaitable);
    return awaiter;
}

/* A class may lose the method while it is iterated. */
static PyObject *next_of(PyObject *iterator)
{
    PyTypeObject *type = Py_TYPE(iterator);
    unaryfunc next = RMI_ASYNC_SLOT(type, unaryfunc, am_anext);
    if (next != NULL)
        return next(iterator);
    return PyErr_Format(PyExc_TypeError, "'async for' requires an iterator with __anext__ method, got %.100s",
                        rmi_name_of_type(type));
}

/* Starts the next step: a value, or the end. false: nothing is left to do, or an exception is set. */
static bool begin_step(rmi_iteration *it)
{
    PyObject *close = NULL, *awaitable = NULL;
    if (!it->closing) {
        awaitable = next_of(it->iterator);
        it->step = PyAsyncGen_CheckExact(it->iterator) ? awaitable : awaiter_of(awaitable);
        return it->step != NULL;
    }
    it->closes = true;
    if (PyObject_GetOptionalAttr(it->iterator, rmi_name(RMI_NAME_aclose), &close) > 0)
        it->step = awaiter_of(PyObject_CallNoArgs(close));
    Py_XDECREF(close);
    return it->step != NULL;
}

static PySendResult ended(rmi_iteration *it, PyObject **result)
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
static PySendResult go_on(rmi_iteration *it, PySendResult sent, PyObject **result)
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
        else if ((goes_on = rmi_iteration_give(it, value)) == 0) {
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
    rmi_iteration *it = (rmi_iteration *)self;
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
static bool begin_throw(rmi_iteration *it, PyObject *exception)
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
    rmi_iteration *it = (rmi_iteration *)self;
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
    rmi_iteration *it = (rmi_iteration *)self;
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
    rmi_iteration *it = (rmi_iteration *)self;
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
    rmi_iteration *it = (rmi_iteration *)self;
    PyObject *message = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O", names, &message))
        return NULL;
    if (it->wakeup == NULL)
        return Py_NewRef(Py_False);
    PyObject *arguments[] = {it->loop, it->wakeup, self, it->context};
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
    rmi_iteration *it = (rmi_iteration *)self;
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
    (void)unused;
    return Py_NewRef(((rmi_iteration *)self)->loop);
}

/* Whether the node's turn has something to do: for Loop.finish. */
static PyObject *done_method(PyObject *self, PyObject *unused)
{
    const rmi_iteration *it = (rmi_iteration *)self;
    (void)unused;
    return PyBool_FromLong(it->first < it->count || it->failure != NULL || it->wakeup != NULL ||
                           it->iterator == NULL);
}

static PyObject *get_blocking(PyObject *self, void *unused)
{
    (void)unused;
    return PyBool_FromLong(((rmi_iteration *)self)->blocking);
}

static int set_blocking(PyObject *self, PyObject *value, void *unused)
{
    (void)unused;
    ((rmi_iteration *)self)->blocking = value == Py_True;
    return 0;
}

/* What asyncio shows of a coroutine, and of the frames in it, is that of the iterator. */
static PyObject *get_of_iterator(PyObject *self, void *name)
{
    const rmi_iteration *it = (rmi_iteration *)self;
    return PyObject_GetAttrString(it->iterator != NULL ? it->iterator : Py_None, name);
}

/* Calls the task's callback. A task of the same loop may be what calls us: meanwhile it is not the current one. */
static PyObject *wake_up(const rmi_iteration *it, PyObject *wakeup)
{
    PyObject *swap = rmi_python_of_process()->swap_task, *done = NULL;
    if (!it->is_guest)
        return PyObject_CallOneArg(wakeup, (PyObject *)it);
    PyObject *arguments[3] = {NULL, it->loop, Py_None};
    PyObject *outer = PyObject_Vectorcall(swap, arguments + 1, 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    if (outer == NULL)
        return NULL;
    done = PyObject_CallOneArg(wakeup, (PyObject *)it);
    PyObject *exception = PyErr_GetRaisedException();
    arguments[2] = outer;
    PyObject *back = PyObject_Vectorcall(swap, arguments + 1, 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    PyErr_SetRaisedException(exception);
    Py_XDECREF(back);
    Py_DECREF(outer);
    return done;
}

int rmi_iteration_open_gate(rmi_iteration *it)
{
    PyObject *wakeup = it->wakeup, *context = it->context, *done = NULL;
    it->wakeup = it->context = NULL;
    if (PyContext_Enter(context) == 0) {
        done = wake_up(it, wakeup);
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
    const rmi_iteration *it = (rmi_iteration *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(it->iterator);
    Py_VISIT(it->step);
    Py_VISIT(it->wakeup);
    Py_VISIT(it->context);
    Py_VISIT(it->failure);
    Py_VISIT(it->loop);
    return 0;
}

static int iteration_clear(PyObject *self)
{
    rmi_iteration *it = (rmi_iteration *)self;
    Py_CLEAR(it->step);
    Py_CLEAR(it->iterator);
    Py_CLEAR(it->wakeup);
    Py_CLEAR(it->context);
    Py_CLEAR(it->failure);
    Py_CLEAR(it->message);
    Py_CLEAR(it->loop);
    return 0;
}

static void iteration_dealloc(PyObject *self)
{
    rmi_iteration *it = (rmi_iteration *)self;
    PyObject_GC_UnTrack(self);
    (void)iteration_clear(self);
    rmi_iteration_drop_held(it);
    rmi_free(rm_allocator_default(), it->held, it->capacity * sizeof *it->held);
    rmi_object_free(self);
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
                        .basicsize = sizeof(rmi_iteration),
                        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                        .slots = slots};
    return (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, NULL);
}
