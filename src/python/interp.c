/* The interpreter of the program, or of an application that has started one: begun by the first Python node. */
#include <string.h>

#include "python/frozen.h"
#include "python/python_host.h"

static int status_error(PyStatus status, rm_error *err)
{
    if (status.err_msg == NULL)
        return rm_error_set(err, RM_E_INTERNAL, "Python did not start");
    return rm_error_set(err, RM_E_INTERNAL, "Python did not start: %s%s%s", status.func ? status.func : "",
                        status.func ? ": " : "", status.err_msg);
}

/* Isolates the interpreter from the environment and from the program's signals; hashes are the same on every
 * host. */
static int initialize(const rmi_host *host, rm_error *err)
{
    PyPreConfig before;
    PyPreConfig_InitIsolatedConfig(&before);
    before.utf8_mode = 1;
    before.allocator = RM_PYTHON_ALLOCATOR;
    PyStatus status = Py_PreInitialize(&before);
    if (PyStatus_Exception(status))
        return status_error(status, err);
    PyImport_FrozenModules = rmi_frozen_modules;
    int added = PyImport_AppendInittab("_remotemedia", rmi_module_new);
    for (const struct _inittab *extra = rmi_extra_modules; added == 0 && extra->name != NULL; extra++)
        added = PyImport_AppendInittab(extra->name, extra->initfunc);
    if (added != 0)
        return rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory");

    PyConfig config;
    PyConfig_InitIsolatedConfig(&config);
    config.site_import = 0;
    config.write_bytecode = 0;
    config.install_signal_handlers = 0;
    config.parse_argv = 0;
    config.pathconfig_warnings = 0;
    config.optimization_level = 0;
    config.use_hash_seed = 1;
    config.hash_seed = 0;
    int rc = rmi_paths_configure(host, &config, err);
    if (rc == RM_OK) {
        status = Py_InitializeFromConfig(&config);
        if (PyStatus_Exception(status))
            rc = status_error(status, err);
    }
    PyConfig_Clear(&config);
    return rc;
}

/* Python gives its child processes (those of multiprocessing, joblib) the flags that it has itself. They need `site`, for
 * the packages of their environment; a number below zero is true, as it must be here, and gives no flag. */
static void hide_flags(void)
{
    PyObject *flags = PySys_GetObject("flags"), *isolated = PyLong_FromLong(0),
             *no_site = PyLong_FromLong(-1);
    PyTypeObject *type = flags != NULL ? Py_TYPE(flags) : NULL;
    for (Py_ssize_t i = 0; type != NULL && type->tp_members != NULL && type->tp_members[i].name != NULL;
         i++) {
        const char *name = type->tp_members[i].name;
        PyObject *value = strcmp(name, "isolated") == 0  ? isolated
                          : strcmp(name, "no_site") == 0 ? no_site
                                                         : NULL;
        const Py_ssize_t place = (type->tp_members[i].offset - (Py_ssize_t)offsetof(PyTupleObject, ob_item)) /
                                 (Py_ssize_t)sizeof(PyObject *);
        if (value != NULL)
            PyStructSequence_SetItem(flags, place, value); /* small numbers live for ever */
    }
}

/* Collections of garbage leave out what Python has made at its start, which lives as long as the process. */
static int set_aside(void)
{
    PyObject *module = PyImport_ImportModule("gc");
    PyObject *done = module != NULL ? PyObject_CallMethod(module, "freeze", NULL) : NULL;
    Py_XDECREF(done);
    Py_XDECREF(module);
    return done == NULL ? -1 : 0;
}

/* Standard output carries only results, and standard input the manifest or items. */
int rmi_python_redirect_streams(void)
{
    PyObject *errors = PySys_GetObject("stderr"), *io = PyImport_ImportModule("_io");
    PyObject *nothing = io ? PyObject_CallMethod(io, "StringIO", NULL) : NULL;
    int rc = nothing == NULL ? -1 : 0;
    if (errors == NULL)
        errors = Py_None;
    if (rc == 0 && (PySys_SetObject("stdout", errors) != 0 || PySys_SetObject("__stdout__", errors) != 0 ||
                    PySys_SetObject("stdin", nothing) != 0 || PySys_SetObject("__stdin__", nothing) != 0))
        rc = -1;
    Py_XDECREF(nothing);
    Py_XDECREF(io);
    return rc;
}

/* Starts our own interpreter, whose process-wide parts we may change. Gives up the GIL: threads take it with
 * rmi_enter. */
static int start(const rmi_host *host, rm_error *err)
{
    int rc = initialize(host, err);
    if (rc != RM_OK)
        return rc;
    if (rmi_python_set_up() != 0 || rmi_python_redirect_streams() != 0 || rmi_exit_install() != 0 ||
        rmi_keyboard_interrupt_install() != 0 || rmi_paths_enter_environment() != 0 ||
        rmi_signals_install() != 0)
        rc = rmi_python_failed(NULL, err);
    hide_flags();
    if (rc == RM_OK && set_aside() != 0)
        rc = rmi_python_failed(NULL, err);
    (void)PyEval_SaveThread();
    return rc;
}

/* An application's own interpreter: its streams, paths, signals and os._exit stay as they are. Our package is frozen into
 * this library, for an application that has not installed it. */
static int adopt(rm_error *err)
{
    const PyGILState_STATE held = rmi_enter();
    PyObject *package = NULL;
    int rc = rmi_python_adopt();
    if (rc == 0 && (package = PyImport_ImportModule("remotemedia")) == NULL) {
        rc = PyErr_ExceptionMatches(PyExc_ModuleNotFoundError) && PyImport_FrozenModules == NULL ? 0 : -1;
        if (rc == 0) {
            PyErr_Clear();
            PyImport_FrozenModules = rmi_frozen_modules;
        }
    }
    Py_XDECREF(package);
    const int code = rc == 0 ? RM_OK : rmi_python_failed(NULL, err);
    rmi_leave(held);
    return code;
}

int rmi_interpreter_begin(const rmi_host *host, bool *ours, rm_error *err)
{
    *ours = !Py_IsInitialized();
    return *ours ? start(host, err) : adopt(err);
}
