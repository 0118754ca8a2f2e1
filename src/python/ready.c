/* The awaitable for a value that is there already: what __anext__() returns where nothing has to be waited for. */
#include "python/python_host.h"

typedef struct ready_object {
    PyObject_HEAD PyObject *value; /* NULL: it was taken, or there is none any more */
    bool is_end;                   /* awaiting it raises StopAsyncIteration */
} ready_object;

PyObject *rmi_ready_new(PyObject *value)
{
    PyTypeObject *type = rmi_python_of_process()->ready_type;
    ready_object *ready = (ready_object *)rmi_object_alloc(type, 0);
    if (ready == NULL) {
        Py_XDECREF(value);
        return NULL;
    }
    ready->value = value;
    ready->is_end = value == NULL;
    return (PyObject *)ready;
}

static PySendResult ready_send(PyObject *self, PyObject *unused, PyObject **result)
{
    ready_object *ready = (ready_object *)self;
    (void)unused;
    *result = ready->value;
    ready->value = NULL;
    if (*result != NULL)
        return PYGEN_RETURN;
    if (ready->is_end)
        PyErr_SetNone(PyExc_StopAsyncIteration);
    else
        PyErr_SetString(PyExc_RuntimeError, "cannot reuse already awaited __anext__()");
    return PYGEN_ERROR;
}

static PyObject *ready_next(PyObject *self)
{
    PyObject *value = NULL, *stop = NULL;
    if (ready_send(self, NULL, &value) != PYGEN_RETURN)
        return NULL;
    stop = PyObject_CallOneArg(PyExc_StopIteration, value); /* a tuple would become its arguments */
    if (stop != NULL)
        PyErr_SetRaisedException(stop);
    Py_DECREF(value);
    return NULL;
}

static PyObject *send_method(PyObject *self, PyObject *unused)
{
    (void)unused;
    return ready_next(self);
}

static PyObject *close_method(PyObject *self, PyObject *unused)
{
    (void)unused;
    Py_CLEAR(((ready_object *)self)->value);
    return Py_NewRef(Py_None);
}

static void ready_dealloc(PyObject *self)
{
    Py_XDECREF(((ready_object *)self)->value);
    rmi_object_free(self);
}

PyTypeObject *rmi_ready_type_new(PyObject *module)
{
    static PyMethodDef methods[] = {{"send", send_method, METH_O, NULL},
                                    {"close", close_method, METH_NOARGS, NULL},
                                    {NULL, NULL, 0, NULL}};
    PyType_Slot slots[] = {{Py_tp_doc, "A value that is there already."},
                           {Py_tp_iter, PyObject_SelfIter},
                           {Py_tp_iternext, ready_next},
                           {Py_am_await, PyObject_SelfIter},
                           {Py_am_send, ready_send},
                           {Py_tp_methods, methods},
                           {Py_tp_dealloc, ready_dealloc},
                           {0, NULL}};
    PyType_Spec spec = {.name = "_remotemedia.Ready",
                        .basicsize = sizeof(ready_object),
                        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                        .slots = slots};
    return (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, NULL);
}
