/* The end of a program with Python code: what Py_FinalizeEx does, except that the interpreter stays, since extension
 * modules do not all survive its end. */
#include <string.h>

#include "python/python_node.h"

static PyObject *loaded(const char *module)
{
    return PyDict_GetItemString(PyImport_GetModuleDict(), module); /* borrowed */
}

/* ---- Exceptions that nobody gets: Python prints them, except those with which we end a call */

/* `self` is the hook that was there. */
static PyObject *on_unraisable(PyObject *self, PyObject *unraisable)
{
    PyObject *type = PyObject_GetAttrString(unraisable, "exc_type");
    const bool ours = type == rmi_python_of_process()->interrupted;
    Py_XDECREF(type);
    if (type == NULL)
        return NULL;
    return ours ? Py_NewRef(Py_None) : PyObject_CallOneArg(self, unraisable);
}

static void hide_interruptions(void)
{
    static PyMethodDef definition = {"unraisablehook", on_unraisable, METH_O, NULL};
    PyObject *hook = PySys_GetObject("unraisablehook");
    PyObject *function = hook != NULL ? PyCFunction_New(&definition, hook) : NULL;
    if (function == NULL || PySys_SetObject("unraisablehook", function) != 0)
        PyErr_Clear();
    Py_XDECREF(function);
}

/* Exit functions fail for themselves: the others run all the same. */
static void call(const char *module, const char *name)
{
    PyObject *object = loaded(module);
    PyObject *done = object != NULL ? PyObject_CallMethod(object, name, NULL) : NULL;
    if (done == NULL && PyErr_Occurred())
        PyErr_WriteUnraisable(object);
    Py_XDECREF(done);
}

/* ---- Objects in variables of modules: Python frees them, which runs their __del__ */

static bool is_of_user(PyObject *module)
{
    PyObject *file = NULL;
    const char *path = NULL;
    if (PyObject_GetOptionalAttrString(module, "__file__", &file) > 0 && PyUnicode_Check(file))
        path = PyUnicode_AsUTF8(file);
    const bool users = path != NULL && rmi_is_users(path) && strstr(path, "/site-packages/") == NULL;
    PyErr_Clear();
    Py_XDECREF(file);
    return users;
}

/* Whether code of the module may need the variable until all objects are gone. */
static bool stays(PyObject *name, PyObject *value)
{
    const char *text = PyUnicode_Check(name) ? PyUnicode_AsUTF8(name) : NULL;
    return value == Py_None || PyModule_Check(value) || PyCallable_Check(value) || text == NULL ||
           strncmp(text, "__", 2) == 0;
}

void rmi_forget_variables(PyObject *module)
{
    PyObject *space = PyModule_GetDict(module), *names = PyDict_Keys(space);
    for (Py_ssize_t i = names != NULL ? PyList_GET_SIZE(names) : 0; i-- > 0;) {
        PyObject *name = PyList_GET_ITEM(names, i), *value = PyDict_GetItemWithError(space, name);
        if (value != NULL && !stays(name, value) && PyDict_SetItem(space, name, Py_None) != 0)
            PyErr_Clear();
    }
    PyErr_Clear();
    Py_XDECREF(names);
}

/* Only the user's own modules: others may be needed to the end. */
static void forget_modules(void)
{
    PyObject *modules = PyImport_GetModuleDict(), *names = PyDict_Keys(modules);
    for (Py_ssize_t i = 0; names != NULL && i < PyList_GET_SIZE(names); i++) {
        PyObject *name = PyList_GET_ITEM(names, i), *module = PyDict_GetItemWithError(modules, name);
        if (module == NULL || !is_of_user(module))
            continue;
        Py_INCREF(module);
        if (PyModule_Check(module))
            rmi_forget_variables(module);
        if (PyDict_DelItem(modules, name) != 0)
            PyErr_Clear();
        Py_DECREF(module);
    }
    PyErr_Clear();
    Py_XDECREF(names);
}

/* ---- Files that nobody has closed: Python writes their buffers when it frees them */

typedef struct file_search {
    PyTypeObject *base; /* of all files */
    PyObject *found;
} file_search;

static int look_at(PyObject *object, void *context)
{
    const file_search *search = context;
    if (!PyType_HasFeature(Py_TYPE(object), Py_TPFLAGS_HEAPTYPE)) /* most objects; no file */
        return 1;
    return !PyObject_TypeCheck(object, search->base) || PyList_Append(search->found, object) == 0;
}

/* A class in Python may write more at its close than its flush writes, as gzip's does. */
static bool is_of_io(PyObject *file)
{
    PyObject *module = PyObject_GetAttrString((PyObject *)Py_TYPE(file), "__module__");
    const bool of_io = module != NULL && PyUnicode_Check(module) && PyUnicode_EqualToUTF8(module, "_io");
    Py_XDECREF(module);
    return of_io;
}

/* First those that write into others: text, then classes in Python, then buffers. */
static void write_buffers(PyObject *files, PyTypeObject *text)
{
    enum { TEXT, IN_PYTHON, BUFFERS, STEPS };
    for (int step = TEXT; step < STEPS; step++)
        for (Py_ssize_t i = 0; i < PyList_GET_SIZE(files); i++) {
            PyObject *file = PyList_GET_ITEM(files, i);
            const int kind = !is_of_io(file) ? IN_PYTHON : PyObject_TypeCheck(file, text) ? TEXT : BUFFERS;
            PyObject *done =
                kind == step ? PyObject_CallMethod(file, kind == IN_PYTHON ? "close" : "flush", NULL) : NULL;
            Py_XDECREF(done);
            PyErr_Clear(); /* it is closed, or cannot be written: Python says nothing either */
        }
}

static void write_files(void)
{
    PyObject *io = loaded("_io");
    PyObject *base = io != NULL ? PyObject_GetAttrString(io, "_IOBase") : NULL;
    PyObject *text = base != NULL ? PyObject_GetAttrString(io, "_TextIOBase") : NULL;
    file_search search = {.base = (PyTypeObject *)base, .found = text != NULL ? PyList_New(0) : NULL};
    if (search.found != NULL) {
        rmi_each_object(look_at, &search);
        write_buffers(search.found, (PyTypeObject *)text);
    }
    PyErr_Clear();
    Py_XDECREF(search.found);
    Py_XDECREF(text);
    Py_XDECREF(base);
}

/* ---- Threads and processes that do not end */

/* Appends "WHAT 'NAME'" for each of the list, unless it is a daemon. */
static void name_each(rmi_text *text, const char *what, PyObject *list)
{
    PyObject *fast = list != NULL ? PySequence_Fast(list, "") : NULL;
    for (Py_ssize_t i = 0; fast != NULL && i < PySequence_Fast_GET_SIZE(fast); i++) {
        PyObject *one = PySequence_Fast_GET_ITEM(fast, i);
        PyObject *daemon = PyObject_GetAttrString(one, "daemon"),
                 *number = PyObject_GetAttrString(one, "ident");
        PyObject *name = PyObject_GetAttrString(one, "name"), *bytes = rmi_text_of(name);
        const bool here = number != NULL && PyLong_Check(number) &&
                          PyLong_AsUnsignedLong(number) == PyThread_get_thread_ident();
        if (daemon == Py_False && !here && bytes != NULL)
            rmi_text_printf(text, "%s%s '%s'", text->length != 0 ? ", " : "", what, PyBytes_AS_STRING(bytes));
        PyErr_Clear();
        Py_XDECREF(bytes);
        Py_XDECREF(name);
        Py_XDECREF(number);
        Py_XDECREF(daemon);
    }
    Py_XDECREF(fast);
    PyErr_Clear();
}

/* A run that was stopped takes its children with it. */
static void end_children(PyObject *children)
{
    for (Py_ssize_t i = 0; children != NULL && i < PyList_GET_SIZE(children); i++) {
        PyObject *done = PyObject_CallMethod(PyList_GET_ITEM(children, i), "terminate", NULL);
        Py_XDECREF(done);
        PyErr_Clear();
    }
}

static void after_interruption(rmi_text *text)
{
    PyObject *threading = loaded("threading"), *processes = loaded("multiprocessing.process");
    PyObject *threads = threading != NULL ? PyObject_CallMethod(threading, "enumerate", NULL) : NULL;
    PyErr_Clear();
    PyObject *children = processes != NULL ? PyObject_CallMethod(processes, "active_children", NULL) : NULL;
    PyErr_Clear();
    name_each(text, "thread", threads);
    name_each(text, "process", children);
    if (children != NULL && PyList_Check(children))
        end_children(children);
    Py_XDECREF(children);
    Py_XDECREF(threads);
}

static bool interrupted(void)
{
    return atomic_load(&rmi_python_of_process()->finishing.interrupted);
}

/* ---- The end */

void rmi_run_exit_functions(rmi_text *left)
{
    hide_interruptions();
    if (!rmi_python_of_process()->ends_here) /* else the loop is the parent's */
        call("remotemedia._loop", "shut_down");
    call("threading", "_shutdown");
    const bool early = interrupted();
    if (early)
        after_interruption(left);
    call("atexit", "_run_exitfuncs");
    if (!early && interrupted())
        after_interruption(left);
    write_files();
}

int rm_python_finish(rm_error *err)
{
    rmi_text left;
    int rc = RM_OK;
    if (!rmi_python_is_ours())
        return RM_OK;
    rmi_text_init(&left, NULL);
    rmi_finishing_enter();
    rmi_run_exit_functions(&left);
    if (left.length != 0)
        rc = rm_error_set(err, RM_E_CANCELLED, "%s", left.failed ? "threads" : left.data);
    else if (atomic_load(&rmi_python_of_process()->finishing.raised) != 0)
        rc = rm_error_set(err, RM_E_CANCELLED, "an exit function");
    rmi_finishing_leave();
    rmi_python_of_process()->finished = true;
    rmi_text_clear(&left);
    return rc;
}

/* After write_files: a collection may close a buffer before the text that is for it. */
void rmi_free_modules(void)
{
    if (!rmi_python_of_process()->finished || rmi_python_has_ended())
        return;
    forget_modules();
    (void)PyGC_Collect();
}
