/* The future that a coroutine of ours is, for the task that runs it. */
#include "python/gate.h"

PySendResult rmi_gate_wait(rmi_gate *gate, PyObject **result)
{
    gate->blocking = true;
    *result = Py_NewRef((PyObject *)gate);
    return PYGEN_NEXT;
}

/* Calls the task's callback. Whose task is the current one, if any, is not that meanwhile. */
static PyObject *wake_up(rmi_gate *gate, PyObject *wakeup)
{
    PyObject *outer = rmi_task_swap(gate->loop, Py_None), *done = NULL;
    if (outer == NULL)
        return NULL;
    done = PyObject_CallOneArg(wakeup, (PyObject *)gate);
    PyObject *exception = PyErr_GetRaisedException();
    Py_XDECREF(rmi_task_swap(gate->loop, outer));
    PyErr_SetRaisedException(exception);
    Py_DECREF(outer);
    return done;
}

int rmi_gate_open(rmi_gate *gate)
{
    PyObject *wakeup = gate->wakeup, *context = gate->context, *done = NULL;
    gate->wakeup = gate->context = NULL;
    if (PyContext_Enter(context) == 0) {
        done = wake_up(gate, wakeup);
        PyObject *exception = PyErr_GetRaisedException();
        if (PyContext_Exit(context) != 0)
            PyErr_Clear();
        PyErr_SetRaisedException(exception);
    }
    Py_XDECREF(done);
    Py_DECREF(context);
    Py_DECREF(wakeup);
    return done != NULL ? 0 : -1;
}

/* ---- Methods of a future */

/* add_done_callback(callback, *, context), as a task calls it */
static PyObject *add_done_callback(PyObject *self, PyObject *const *arguments, Py_ssize_t count,
                                   PyObject *names)
{
    rmi_gate *gate = (rmi_gate *)self;
    if (count != 1 || names == NULL || PyTuple_GET_SIZE(names) != 1 || !PyContext_CheckExact(arguments[1])) {
        PyErr_SetString(PyExc_TypeError, "only a task waits for this future");
        return NULL;
    }
    Py_XSETREF(gate->wakeup, Py_NewRef(arguments[0]));
    Py_XSETREF(gate->context, Py_NewRef(arguments[1]));
    return Py_NewRef(Py_None);
}

/* Task.cancel() calls it. The loop's next turn continues the task, as with other futures. */
static PyObject *cancel(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *words[] = {"msg", NULL};
    rmi_gate *gate = (rmi_gate *)self;
    PyObject *message = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O", words, &message))
        return NULL;
    if (gate->wakeup == NULL)
        return Py_NewRef(Py_False);
    PyObject *arguments[] = {gate->loop, gate->wakeup, self, gate->context};
    PyObject *keywords = Py_BuildValue("(s)", "context");
    PyObject *handle = keywords != NULL
                           ? PyObject_VectorcallMethod(rmi_name(RMI_NAME_call_soon), arguments, 3, keywords)
                           : NULL;
    Py_XDECREF(keywords);
    if (handle == NULL)
        return NULL;
    Py_DECREF(handle);
    Py_CLEAR(gate->wakeup);
    Py_CLEAR(gate->context);
    Py_XSETREF(gate->message, message != Py_None ? Py_NewRef(message) : NULL);
    gate->cancelled = true;
    return Py_NewRef(Py_True);
}

static PyObject *result(PyObject *self, PyObject *unused)
{
    rmi_gate *gate = (rmi_gate *)self;
    PyObject *class = rmi_python_of_process()->cancelled_error;
    (void)unused;
    if (!gate->cancelled)
        return Py_NewRef(Py_None);
    PyObject *exception =
        gate->message != NULL ? PyObject_CallOneArg(class, gate->message) : PyObject_CallNoArgs(class);
    gate->cancelled = false;
    Py_CLEAR(gate->message);
    if (exception != NULL)
        PyErr_SetRaisedException(exception);
    return NULL;
}

static PyObject *get_loop(PyObject *self, PyObject *unused)
{
    (void)unused;
    return Py_NewRef(((rmi_gate *)self)->loop);
}

static PyObject *get_blocking(PyObject *self, void *unused)
{
    (void)unused;
    return PyBool_FromLong(((rmi_gate *)self)->blocking);
}

static int set_blocking(PyObject *self, PyObject *value, void *unused)
{
    (void)unused;
    ((rmi_gate *)self)->blocking = value == Py_True;
    return 0;
}

/* ---- The type */

int rmi_gate_traverse(rmi_gate *gate, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE((PyObject *)gate));
    Py_VISIT(gate->wakeup);
    Py_VISIT(gate->context);
    Py_VISIT(gate->loop);
    return 0;
}

void rmi_gate_clear(rmi_gate *gate)
{
    Py_CLEAR(gate->wakeup);
    Py_CLEAR(gate->context);
    Py_CLEAR(gate->message);
    Py_CLEAR(gate->loop);
}

static int traverse(PyObject *self, visitproc visit, void *arg)
{
    return rmi_gate_traverse((rmi_gate *)self, visit, arg);
}

PyTypeObject *rmi_gate_type_new(PyObject *module)
{
    static PyMethodDef methods[] = {
        {"add_done_callback", RMI_METHOD(add_done_callback), METH_FASTCALL | METH_KEYWORDS, NULL},
        {"cancel", RMI_METHOD(cancel), METH_VARARGS | METH_KEYWORDS, NULL},
        {"result", result, METH_NOARGS, NULL},
        {"get_loop", get_loop, METH_NOARGS, NULL},
        {NULL, NULL, 0, NULL}};
    static PyGetSetDef members[] = {{"_asyncio_future_blocking", get_blocking, set_blocking, NULL, NULL},
                                    {NULL, NULL, NULL, NULL, NULL}};
    PyType_Slot slots[] = {{Py_tp_doc, "A future that the runtime sets."},
                           {Py_tp_methods, methods},
                           {Py_tp_getset, members},
                           {Py_tp_traverse, traverse},
                           {0, NULL}};
    PyType_Spec spec = {.name = "_remotemedia.Gate",
                        .basicsize = sizeof(rmi_gate),
                        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE |
                                 Py_TPFLAGS_DISALLOW_INSTANTIATION,
                        .slots = slots};
    return (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, NULL);
}

/* ---- For methods of coroutines */

PyObject *rmi_step_as_method(PySendResult sent, PyObject *given)
{
    if (sent == PYGEN_RETURN) {
        Py_CLEAR(given);
        PyErr_SetNone(PyExc_StopIteration);
    }
    return given;
}

PySendResult rmi_step_of_method(PyObject **given)
{
    if (*given != NULL)
        return PYGEN_NEXT;
    if (!PyErr_Occurred() || !PyErr_ExceptionMatches(PyExc_StopIteration))
        return PYGEN_ERROR;
    PyObject *stop = PyErr_GetRaisedException();
    *given = PyObject_GetAttrString(stop, "value");
    Py_DECREF(stop);
    return *given != NULL ? PYGEN_RETURN : PYGEN_ERROR;
}

PyObject *rmi_thrown(PyObject *const *arguments, Py_ssize_t count)
{
    PyObject *exception = count > 0 ? Py_NewRef(arguments[0]) : NULL;
    if (exception != NULL && PyType_Check(exception))
        Py_SETREF(exception, PyObject_CallNoArgs(exception));
    if (exception != NULL && PyExceptionInstance_Check(exception))
        return exception;
    Py_XDECREF(exception);
    if (!PyErr_Occurred())
        PyErr_SetString(PyExc_TypeError, "throw() takes an exception");
    return NULL;
}
