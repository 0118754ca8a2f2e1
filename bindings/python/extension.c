/* The module `remotemedia._runtime`. */
#include "extension.h"
#include "cli/program.h"
#include "python/convert/convert.h"

static struct PyModuleDef definition;

static rmi_extension *state_of(PyObject *module)
{
    return PyModule_GetState(module);
}

rmi_extension *rmi_extension_of(PyTypeObject *type)
{
    PyObject *module = rmi_module_of_type(type, &definition);
    return module != NULL ? state_of(module) : NULL;
}

/* ---- The interpreter, which runs already */

/* The directory of the package, for tracebacks. */
static int find_package(void)
{
    PyObject *package = PyImport_ImportModule("remotemedia"), *path = NULL, *folder = NULL;
    if (package != NULL && (path = PyObject_GetAttrString(package, "__path__")) != NULL)
        folder = PySequence_GetItem(path, 0);
    if (folder != NULL)
        rmi_python_of_process()->package = PyUnicode_FromFormat("%U/", folder);
    Py_XDECREF(folder);
    Py_XDECREF(path);
    Py_XDECREF(package);
    return rmi_python_of_process()->package != NULL ? 0 : -1;
}

int rmi_interpreter_begin(const rmi_host *host, bool *ours, rm_error *err)
{
    (void)host;
    *ours = false;
    rmi_python_of_process()->keeps_exceptions = true;
    return rmi_python_adopt() == 0 && find_package() == 0 ? RM_OK : rmi_python_failed(NULL, err);
}

/* ---- Runtimes: each pipeline has one, since nodes of two may be loaded at once */

void rmi_log_message(void *context, rm_log_level level, const char *node, const char *text)
{
    static const char *const methods[] = {"error", "warning", "info", "debug"};
    (void)context;
    const PyGILState_STATE held = rmi_enter();
    PyObject *exception = PyErr_GetRaisedException();
    PyObject *logging = PyImport_ImportModule("logging");
    PyObject *logger = logging != NULL ? PyObject_CallMethod(logging, "getLogger", "s", "remotemedia") : NULL;
    PyObject *done = logger == NULL ? NULL
                     : node != NULL
                         ? PyObject_CallMethod(logger, methods[level], "sss", "node '%s': %s", node, text)
                         : PyObject_CallMethod(logger, methods[level], "ss", "%s", text);
    if (done == NULL)
        PyErr_WriteUnraisable(logger);
    Py_XDECREF(done);
    Py_XDECREF(logger);
    Py_XDECREF(logging);
    PyErr_SetRaisedException(exception);
    rmi_leave(held);
}

int rmi_runtime_new(const rmi_extension *extension, rm_arrays arrays, rm_runtime **out)
{
    const rm_config config = {.size = sizeof config, .log = rmi_log_message};
    const rm_python_config python = {.size = sizeof python, .arrays = arrays};
    rm_error err = {0};
    int rc = rm_runtime_new(&config, out, &err);
    if (rc == RM_OK && (rc = rm_python_attach(*out, &python, &err)) != RM_OK)
        rm_runtime_free(*out);
    return rc == RM_OK ? 0 : rmi_raise(extension, &err);
}

int rmi_runtime_take(rmi_extension *extension, rm_arrays arrays, rm_runtime **out)
{
    if (extension->idle_count[arrays] == 0)
        return rmi_runtime_new(extension, arrays, out);
    *out = extension->idle[arrays][--extension->idle_count[arrays]];
    return 0;
}

void rmi_runtime_give_back(rmi_extension *extension, rm_arrays arrays, rm_runtime *runtime)
{
    if (extension->idle_count[arrays] < RMI_IDLE_RUNTIMES)
        extension->idle[arrays][extension->idle_count[arrays]++] = runtime;
    else
        rm_runtime_free(runtime);
}

/* ---- Functions */

/* A value that is owned, as an object; NULL with the failure raised. */
static PyObject *given(PyObject *module, int rc, rm_value *value, rm_error *err)
{
    PyObject *made = rc == RM_OK ? rmi_to_python(*value) : NULL;
    if (rc != RM_OK)
        (void)rmi_raise(state_of(module), err);
    rm_value_clear(value);
    return made;
}

static PyObject *version(PyObject *module, PyObject *unused)
{
    rm_value info = rm_null();
    rm_error err = {0};
    (void)unused;
    const int rc = rm_version_info(NULL, &info, &err);
    return given(module, rc, &info, &err);
}

static PyObject *describe_nodes(PyObject *module, PyObject *name)
{
    rm_runtime *runtime = NULL;
    rm_value list = rm_null();
    rm_error err = {0};
    const char *wanted = name == Py_None ? NULL : PyUnicode_AsUTF8(name);
    if ((wanted == NULL && name != Py_None) ||
        rmi_runtime_take(state_of(module), RM_ARRAYS_UNSAID, &runtime) != 0)
        return NULL;
    int rc = rm_list_new(NULL, 0, &list, &err);
    if (rc == RM_OK)
        rc = rm_runtime_describe_nodes(runtime, wanted, &list, &err);
    rmi_runtime_give_back(state_of(module), RM_ARRAYS_UNSAID, runtime);
    return given(module, rc, &list, &err);
}

/* As the command line prints results. */
static PyObject *to_json(PyObject *module, PyObject *object)
{
    rm_value value = rm_null();
    rm_error err = {0};
    char *text = NULL;
    size_t length = 0;
    int rc = rmi_to_plain(NULL, object, &value, &err);
    if (rc == RM_OK)
        rc = rm_json_write(NULL, value, 0, &text, &length, NULL, &err);
    rm_value_clear(&value);
    if (rc != RM_OK)
        return (void)rmi_raise(state_of(module), &err), NULL;
    PyObject *made = PyUnicode_FromStringAndSize(text, (Py_ssize_t)length);
    rm_text_free(NULL, text, length);
    return made;
}

/* The command line. Its threads take the GIL where they need it. */
static PyObject *command_line(PyObject *module, PyObject *args)
{
    char *arguments[64] = {NULL};
    rmi_sandbox_files sandbox = {0};
    PyObject *words = NULL;
    Py_ssize_t count = 0;
    (void)module;
    if (!PyArg_ParseTuple(args, "Oyyy:command_line", &words, &sandbox.engine, &sandbox.modules,
                          &sandbox.remedy))
        return NULL;
    if (!PyList_Check(words) || PyList_GET_SIZE(words) >= (Py_ssize_t)(sizeof arguments / sizeof *arguments))
        return PyErr_Format(PyExc_TypeError, "a list of up to 63 words is expected");
    for (; count < PyList_GET_SIZE(words); count++) {
        PyObject *word = NULL;
        if (!PyUnicode_FSConverter(PyList_GET_ITEM(words, count), &word))
            return NULL;
        arguments[count] = PyBytes_AS_STRING(word); /* it stays: this is called once a process */
    }
    rmi_python_of_process()->keeps_exceptions = false;
    PyThreadState *released = PyEval_SaveThread();
    const int code = rmi_program_main(&sandbox, (int)count, arguments);
    PyEval_RestoreThread(released);
    return PyLong_FromLong(code);
}

static PyObject *coroutine(PyObject *module, PyObject *inner)
{
    return rmi_coroutine_new(state_of(module), inner);
}

/* ---- The module */

static int refuse_subinterpreters(void)
{
    if (rmi_in_main_interpreter())
        return 0;
    PyErr_SetString(PyExc_ImportError,
                    "remotemedia runs in the main interpreter only, not in subinterpreters");
    return -1;
}

/* Importing the module gives a free-threaded Python its GIL, and Python says so; PYTHON_GIL=0 forbids it. */
static int refuse_without_gil(void)
{
    PyObject *asks = PySys_GetObject("_is_gil_enabled");
    PyObject *has = asks != NULL ? PyObject_CallNoArgs(asks) : Py_NewRef(Py_True);
    if (has == Py_False)
        PyErr_SetString(PyExc_ImportError,
                        "remotemedia needs the GIL, which PYTHON_GIL=0 or -X gil=0 has turned off");
    Py_XDECREF(has);
    return PyErr_Occurred() ? -1 : 0;
}

/* An object that equals nothing else. */
static PyObject *add_mark(PyObject *module, const char *name)
{
    PyObject *mark = PyObject_CallNoArgs((PyObject *)&PyBaseObject_Type);
    if (mark != NULL && PyModule_AddObjectRef(module, name, mark) != 0)
        Py_CLEAR(mark);
    return mark;
}

static int execute(PyObject *module)
{
    rmi_extension *extension = state_of(module);
    rm_error err = {0};
    if (refuse_subinterpreters() != 0 || refuse_without_gil() != 0)
        return -1;
    if (rmi_python_start(NULL, &err) != RM_OK) {
        PyErr_Format(PyExc_ImportError, "%s", err.message);
        rm_error_clear(&err);
        return -1;
    }
    PyObject *errors = PyImport_ImportModule("remotemedia._errors");
    extension->failure = errors != NULL ? PyObject_GetAttrString(errors, "failure") : NULL;
    Py_XDECREF(errors);
    extension->pipeline_type = extension->failure != NULL ? rmi_pipeline_type_new(module) : NULL;
    extension->run_type = extension->pipeline_type != NULL ? rmi_run_type_new(module) : NULL;
    extension->coroutine_type = extension->run_type != NULL ? rmi_coroutine_type_new(module) : NULL;
    extension->async_results_type =
        extension->coroutine_type != NULL ? rmi_async_results_type_new(module) : NULL;
    extension->sandbox_type = extension->async_results_type != NULL ? rmi_sandbox_type_new(module) : NULL;
    extension->waits = add_mark(module, "WAITS");
    extension->goes_on = add_mark(module, "GOES_ON");
    extension->ended = add_mark(module, "ENDED");
    return extension->sandbox_type == NULL || extension->waits == NULL || extension->goes_on == NULL ||
                   extension->ended == NULL || PyModule_AddType(module, extension->pipeline_type) != 0 ||
                   PyModule_AddType(module, extension->run_type) != 0 ||
                   PyModule_AddType(module, extension->async_results_type) != 0 ||
                   PyModule_AddType(module, extension->sandbox_type) != 0
               ? -1
               : 0;
}

static int traverse(PyObject *module, visitproc visit, void *arg)
{
    rmi_extension *extension = state_of(module);
    Py_VISIT(extension->pipeline_type);
    Py_VISIT(extension->run_type);
    Py_VISIT(extension->coroutine_type);
    Py_VISIT(extension->async_results_type);
    Py_VISIT(extension->sandbox_type);
    Py_VISIT(extension->failure);
    Py_VISIT(extension->waits);
    Py_VISIT(extension->goes_on);
    Py_VISIT(extension->ended);
    return 0;
}

static int clear(PyObject *module)
{
    rmi_extension *extension = state_of(module);
    Py_CLEAR(extension->pipeline_type);
    Py_CLEAR(extension->run_type);
    Py_CLEAR(extension->coroutine_type);
    Py_CLEAR(extension->async_results_type);
    Py_CLEAR(extension->sandbox_type);
    Py_CLEAR(extension->failure);
    Py_CLEAR(extension->waits);
    Py_CLEAR(extension->goes_on);
    Py_CLEAR(extension->ended);
    return 0;
}

static void free_state(void *module)
{
    rmi_extension *extension = state_of(module);
    (void)clear(module);
    for (size_t i = 0; i <= RM_ARRAYS_NUMPY; i++)
        while (extension->idle_count[i] > 0)
            rm_runtime_free(extension->idle[i][--extension->idle_count[i]]);
}

static PyMethodDef functions[] = {
    {"version", version, METH_NOARGS, "The version and the features of the runtime, as a dict."},
    {"describe_nodes", describe_nodes, METH_O,
     "The node types, a dict each; with a name those of the name, with parameters and ports."},
    {"command_line", command_line, METH_VARARGS,
     "Runs the program with these words and returns its exit code. The other arguments are as for a sandbox."},
    {"coroutine", coroutine, METH_O, "A coroutine as callers see it: without its frames in tracebacks."},
    {"check_manifest", rmi_manifest_check, METH_O,
     "Raises ManifestError where a dict cannot be written as a manifest."},
    {"to_json", to_json, METH_O, "The JSON that the command line prints for a result."},
    {NULL, NULL, 0, NULL}};

static PyModuleDef_Slot slots[] = {{Py_mod_exec, execute},
                                   {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED},
                                   RMI_GIL_SLOT,
                                   {0, NULL}};

static struct PyModuleDef definition = {.m_base = PyModuleDef_HEAD_INIT,
                                        .m_name = "remotemedia._runtime",
                                        .m_doc = "The runtime, compiled.",
                                        .m_size = sizeof(rmi_extension),
                                        .m_methods = functions,
                                        .m_slots = slots,
                                        .m_traverse = traverse,
                                        .m_clear = clear,
                                        .m_free = free_state};

PyMODINIT_FUNC PyInit__runtime(void);
PyMODINIT_FUNC PyInit__runtime(void)
{
    return PyModuleDef_Init(&definition);
}
