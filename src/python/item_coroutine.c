/* The coroutine of an item's task: the user's one, and the node is woken when that ends. A callback of the task would do
 * the same a turn of the loop later, for half of what the task itself costs. Everything else passes through. */
#include "python/python_node.h"

typedef struct item_coroutine {
    PyObject_HEAD PyObject *inner; /* the user's; owned */
    PyObject *waker;               /* owned; NULL: nobody waits */
    bool ended;
} item_coroutine;

static void end(item_coroutine *self)
{
    PyObject *waker = self->waker;
    self->ended = true;
    self->waker = NULL;
    if (waker != NULL)
        rmi_waker_wake(waker);
    Py_XDECREF(waker);
}

static PySendResult item_send(PyObject *object, PyObject *value, PyObject **result)
{
    item_coroutine *self = (item_coroutine *)object;
    const PySendResult sent = PyIter_Send(self->inner, value, result);
    if (sent != PYGEN_NEXT)
        end(self);
    return sent;
}

static PyObject *send_method(PyObject *object, PyObject *value)
{
    PyObject *result = NULL;
    const PySendResult sent = item_send(object, value, &result);
    if (sent == PYGEN_RETURN) {
        PyObject *stop = PyObject_CallOneArg(PyExc_StopIteration, result);
        Py_CLEAR(result);
        if (stop != NULL)
            PyErr_SetRaisedException(stop);
    }
    return result;
}

static PyObject *throw_method(PyObject *object, PyObject *args)
{
    item_coroutine *self = (item_coroutine *)object;
    PyObject *method = PyObject_GetAttr(self->inner, rmi_name(RMI_NAME_throw));
    PyObject *result = method != NULL ? PyObject_CallObject(method, args) : NULL;
    Py_XDECREF(method);
    if (result == NULL)
        end(self);
    return result;
}

static PyObject *close_method(PyObject *object, PyObject *unused)
{
    (void)unused;
    return PyObject_CallMethodNoArgs(((item_coroutine *)object)->inner, rmi_name(RMI_NAME_close));
}

/* What asyncio and debuggers show of a coroutine. */
static PyObject *get_of_inner(PyObject *object, void *name)
{
    return PyObject_GetAttrString(((item_coroutine *)object)->inner, name);
}

/* ---- For the node */

PyObject *rmi_item_coroutine_new(PyObject *coroutine)
{
    PyObject *object = rmi_object_alloc(rmi_python_of_process()->item_coroutine_type, 0);
    if (object != NULL)
        ((item_coroutine *)object)->inner = Py_NewRef(coroutine);
    return object;
}

void rmi_item_coroutine_watch(PyObject *object, PyObject *waker)
{
    Py_XSETREF(((item_coroutine *)object)->waker, Py_NewRef(waker));
}

bool rmi_item_coroutine_ended(PyObject *object)
{
    return ((item_coroutine *)object)->ended;
}

/* ---- The type */

static int item_traverse(PyObject *object, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(((item_coroutine *)object)->inner);
    return 0;
}

static void item_dealloc(PyObject *object)
{
    PyObject_GC_UnTrack(object);
    Py_CLEAR(((item_coroutine *)object)->inner);
    Py_CLEAR(((item_coroutine *)object)->waker);
    rmi_object_free(object);
}

PyTypeObject *rmi_item_coroutine_type_new(PyObject *module)
{
    static PyMethodDef methods[] = {{"send", send_method, METH_O, NULL},
                                    {"throw", throw_method, METH_VARARGS, NULL},
                                    {"close", close_method, METH_NOARGS, NULL},
                                    {NULL, NULL, 0, NULL}};
    static char frame[] = "cr_frame", code[] = "cr_code", running[] = "cr_running", await[] = "cr_await";
    static char name[] = "__name__", full_name[] = "__qualname__";
    static PyGetSetDef members[] = {{"cr_frame", get_of_inner, NULL, NULL, frame},
                                    {"cr_code", get_of_inner, NULL, NULL, code},
                                    {"cr_running", get_of_inner, NULL, NULL, running},
                                    {"cr_await", get_of_inner, NULL, NULL, await},
                                    {"__name__", get_of_inner, NULL, NULL, name},
                                    {"__qualname__", get_of_inner, NULL, NULL, full_name},
                                    {NULL, NULL, NULL, NULL, NULL}};
    PyType_Slot slots[] = {{Py_tp_doc, "The coroutine of an item."},
                           {Py_am_await, PyObject_SelfIter},
                           {Py_am_send, item_send},
                           {Py_tp_methods, methods},
                           {Py_tp_getset, members},
                           {Py_tp_traverse, item_traverse},
                           {Py_tp_dealloc, item_dealloc},
                           {0, NULL}};
    PyType_Spec spec = {.name = "_remotemedia.ItemCoroutine",
                        .basicsize = sizeof(item_coroutine),
                        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                        .slots = slots};
    return (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, NULL);
}
