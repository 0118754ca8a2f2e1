/* Coroutine: a coroutine of the package's, or what a method of an asynchronous generator returned, as callers see it: an
 * exception that leaves it has no frames of the package, since nothing here has a frame. */
#include "extension.h"

typedef struct rmi_wrapper {
    PyObject_HEAD PyObject *inner; /* owned */
} rmi_wrapper;

static PyObject *inner_of(PyObject *object)
{
    return ((rmi_wrapper *)object)->inner;
}

/* ---- Coroutine */

/* What a step gave: the end is StopIteration. */
static PyObject *stepped(PySendResult sent, PyObject *value)
{
    if (sent == PYGEN_NEXT)
        return value;
    PyObject *stop = sent == PYGEN_RETURN ? PyObject_CallOneArg(PyExc_StopIteration, value) : NULL;
    Py_XDECREF(value);
    if (stop != NULL)
        PyErr_SetRaisedException(stop);
    return NULL;
}

static PySendResult step(PyObject *object, PyObject *argument, PyObject **result)
{
    const PySendResult sent = PyIter_Send(inner_of(object), argument, result);
    if (sent == PYGEN_ERROR)
        rmi_cut_raised();
    return sent;
}

static PyObject *coroutine_next(PyObject *object)
{
    PyObject *value = NULL;
    const PySendResult sent = step(object, Py_None, &value);
    return stepped(sent, value);
}

static PyObject *coroutine_send(PyObject *object, PyObject *argument)
{
    PyObject *value = NULL;
    const PySendResult sent = step(object, argument, &value);
    return stepped(sent, value);
}

/* Calls a method of the inner object; the exception that comes out has no frames of ours. */
static PyObject *call_inner(PyObject *object, const char *name, PyObject *args)
{
    PyObject *method = PyObject_GetAttrString(inner_of(object), name);
    PyObject *made = method != NULL ? PyObject_CallObject(method, args) : NULL;
    Py_XDECREF(method);
    if (made == NULL)
        rmi_cut_raised();
    return made;
}

static PyObject *coroutine_throw(PyObject *object, PyObject *args)
{
    return call_inner(object, "throw", args);
}

static PyObject *coroutine_close(PyObject *object, PyObject *unused)
{
    (void)unused;
    return call_inner(object, "close", NULL);
}

/* For debuggers and asyncio's own messages: names, frames, what it waits for. */
static PyObject *get_attribute(PyObject *object, PyObject *name)
{
    PyObject *found = PyObject_GenericGetAttr(object, name);
    if (found == NULL && PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear();
        found = PyObject_GetAttr(inner_of(object), name);
    }
    return found;
}

/* ---- The type */

static int traverse(PyObject *object, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(inner_of(object));
    return 0;
}

static int clear(PyObject *object)
{
    Py_CLEAR(((rmi_wrapper *)object)->inner);
    return 0;
}

static void dealloc(PyObject *object)
{
    PyObject_GC_UnTrack(object);
    (void)clear(object);
    rmi_object_free(object);
}

enum { OURS = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION };

PyTypeObject *rmi_coroutine_type_new(PyObject *module)
{
    static PyMethodDef methods[] = {{"send", coroutine_send, METH_O, NULL},
                                    {"throw", coroutine_throw, METH_VARARGS, NULL},
                                    {"close", coroutine_close, METH_NOARGS, NULL},
                                    {NULL, NULL, 0, NULL}};
    PyType_Slot slots[] = {{Py_tp_methods, methods},
                           {Py_tp_iter, PyObject_SelfIter},
                           {Py_tp_iternext, coroutine_next},
                           {Py_tp_getattro, get_attribute},
                           {Py_am_await, PyObject_SelfIter},
                           {Py_am_send, step},
                           {Py_tp_dealloc, dealloc},
                           {Py_tp_traverse, traverse},
                           {Py_tp_clear, clear},
                           {0, NULL}};
    PyType_Spec spec = {.name = "remotemedia._runtime.Coroutine",
                        .basicsize = sizeof(rmi_wrapper),
                        .flags = OURS,
                        .slots = slots};
    return (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, NULL);
}

PyObject *rmi_coroutine_new(const rmi_extension *extension, PyObject *coroutine)
{
    rmi_wrapper *self = (rmi_wrapper *)rmi_object_alloc(extension->coroutine_type, 0);
    if (self != NULL)
        self->inner = Py_NewRef(coroutine);
    return (PyObject *)self;
}
