/* KeyboardInterrupt. Ctrl-C belongs to the program, which cancels its run. Code that asks Python for the
 * interrupt, by _thread.interrupt_main() or signal.raise_signal(signal.SIGINT), gets KeyboardInterrupt in the
 * main thread as elsewhere: Python's handler is set, while the program's stays the one that the system calls. */
#include "platform/platform.h"
#include "python/python_node.h"

/* SIGINT. WASI's header of signals is not to be included. */
enum { INTERRUPT = 2 };

/* A function of its own, so that asyncio.run leaves it alone. In the loop's own code the exception would lose
 * callbacks: it comes as soon as the loop runs a node's code. */
static PyObject *on_interrupt(PyObject *self, PyObject *args)
{
    PyObject *frame = PyTuple_GET_SIZE(args) == 2 ? PyTuple_GET_ITEM(args, 1) : Py_None;
    rmi_state *of = NULL;
    (void)self;
    if (!rmi_loop_can_break(PyThread_get_thread_ident(), PyFrame_Check(frame) ? frame : NULL, &of)) {
        (void)PyErr_SetInterruptEx(INTERRUPT);
        return Py_NewRef(Py_None);
    }
    PyErr_SetNone(PyExc_KeyboardInterrupt);
    return NULL;
}

/* raise_signal; `self` is the function that was there. */
static PyObject *raise_signal(PyObject *self, PyObject *number)
{
    const long wanted = PyLong_Check(number) ? PyLong_AsLong(number) : 0;
    PyErr_Clear(); /* the function that was there says what is wrong */
    if (wanted != INTERRUPT)
        return PyObject_CallOneArg(self, number);
    (void)PyErr_SetInterruptEx(INTERRUPT);
    return PyErr_CheckSignals() != 0 ? NULL : Py_NewRef(Py_None);
}

typedef struct installation {
    PyObject *module, *handler, *before;
} installation;

static void set_handler(void *context)
{
    installation *in = context;
    in->before = PyObject_CallMethod(in->module, "signal", "iO", INTERRUPT, in->handler);
}

int rmi_keyboard_interrupt_install(void)
{
    static PyMethodDef handler = {"default_int_handler", on_interrupt, METH_VARARGS, NULL};
    static PyMethodDef raising = {"raise_signal", raise_signal, METH_O, "Sends a signal to the process."};
    installation in = {.module = PyImport_ImportModule("_signal"),
                       .handler = PyCFunction_New(&handler, NULL)};
    PyObject *old = NULL, *new = NULL;
    int rc = -1;
    if (in.module != NULL && in.handler != NULL) {
        rmi_platform_keep_interrupt(set_handler, &in);
        rc = in.before == NULL ? -1 : PyObject_GetOptionalAttrString(in.module, "raise_signal", &old);
    }
    if (rc > 0) {
        new = PyCFunction_New(&raising, old);
        rc = new != NULL ? PyObject_SetAttrString(in.module, "raise_signal", new) : -1;
    }
    Py_XDECREF(new);
    Py_XDECREF(old);
    rmi_python_of_process()->int_handler = in.handler;
    Py_XDECREF(in.before);
    Py_XDECREF(in.module);
    return rc < 0 ? -1 : 0;
}
