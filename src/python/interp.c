/* The interpreter: one a process, because extension modules such as numpy cannot be loaded twice. */
#include <stdatomic.h>
#include <string.h>

#include "base/alloc.h"
#include "platform/platform.h"
#include "python/python_host.h"
#include "python/frozen.h"

enum { DEFERRED = 256, KEPT_BOXES = 64 };

/* CPython exists once in a process; so does this state, our only global one. */
static struct process {
    rmi_python python;
    atomic_int started; /* 0, 1: being started, 2 */
    atomic_bool ours;   /* an application has not started it */
    /* References that threads without the GIL have given up. */
    atomic_flag deferring;
    atomic_size_t deferred_count;
    PyObject *deferred[DEFERRED];
    /* Blocks of object values, all of one size; guarded by the GIL. */
    void *boxes[KEPT_BOXES];
    size_t box_count, box_size;
} process = {.deferring = ATOMIC_FLAG_INIT};

rmi_python *rmi_python_of_process(void)
{
    return &process.python;
}

bool rmi_python_is_ours(void)
{
    return atomic_load(&process.started) == 2 && atomic_load(&process.ours);
}

bool rmi_python_has_ended(void)
{
    return atomic_load_explicit(&process.started, memory_order_relaxed) == 2 && !Py_IsInitialized();
}

/* ---- References */

static size_t take_deferred(PyObject **taken)
{
    while (atomic_flag_test_and_set_explicit(&process.deferring, memory_order_acquire))
        ;
    const size_t count = atomic_load_explicit(&process.deferred_count, memory_order_relaxed);
    memcpy(taken, process.deferred, count * sizeof *taken);
    atomic_store_explicit(&process.deferred_count, 0, memory_order_relaxed);
    atomic_flag_clear_explicit(&process.deferring, memory_order_release);
    return count;
}

static void release_deferred(void)
{
    PyObject *taken[DEFERRED];
    const size_t count = take_deferred(taken);
    for (size_t i = 0; i < count; i++)
        Py_DECREF(taken[i]);
}

/* Cheaper than PyGILState_Check, which looks up the thread's state by its key. */
static inline bool has_gil(void)
{
    return PyThreadState_GetUnchecked() != NULL;
}

PyGILState_STATE rmi_enter(void)
{
    const PyGILState_STATE held = has_gil() ? PyGILState_LOCKED : PyGILState_Ensure();
    if (atomic_load_explicit(&process.deferred_count, memory_order_relaxed) != 0)
        release_deferred();
    return held;
}

void rmi_leave(PyGILState_STATE held)
{
    if (held == PyGILState_UNLOCKED)
        PyGILState_Release(held);
}

static bool defer(PyObject *object)
{
    while (atomic_flag_test_and_set_explicit(&process.deferring, memory_order_acquire))
        ;
    const size_t count = atomic_load_explicit(&process.deferred_count, memory_order_relaxed);
    const bool fits = count < DEFERRED;
    if (fits) {
        process.deferred[count] = object;
        atomic_store_explicit(&process.deferred_count, count + 1, memory_order_relaxed);
    }
    atomic_flag_clear_explicit(&process.deferring, memory_order_release);
    return fits;
}

void rmi_release(PyObject *object)
{
    if (object == NULL || rmi_python_has_ended())
        return;
    if (has_gil()) {
        Py_DECREF(object);
    } else if (!defer(object)) {
        const PyGILState_STATE held = rmi_enter();
        Py_DECREF(object);
        rmi_leave(held);
    }
}

/* ---- Blocks of object values */

static void *box_resize(void *context, void *block, size_t old_size, size_t new_size)
{
    const rm_allocator *under = rm_allocator_default();
    (void)context;
    if ((block == NULL) == (new_size == 0) || !has_gil())
        return under->resize(under->context, block, old_size, new_size);
    if (block == NULL && new_size == process.box_size && process.box_count > 0)
        return process.boxes[--process.box_count];
    if (new_size == 0 && old_size == process.box_size && process.box_count < KEPT_BOXES) {
        process.boxes[process.box_count++] = block;
        return NULL;
    }
    if (process.box_size == 0)
        process.box_size = new_size;
    return under->resize(under->context, block, old_size, new_size);
}

const rm_allocator rmi_box_allocator = {.context = NULL, .resize = box_resize};

/* ---- Starting */

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

static int intern_names(void)
{
    static const char *const names[] = {
#define NAME_TEXT(name) #name,
        RMI_PYTHON_NAMES(NAME_TEXT)
#undef NAME_TEXT
    };
    for (size_t i = 0; i < RMI_NAME_COUNT; i++)
        if ((process.python.names[i] = PyUnicode_InternFromString(names[i])) == NULL)
            return -1;
    return 0;
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

/* In a forked process: the thread that had the lock is gone. */
static void unlock(void)
{
    atomic_flag_clear(&process.deferring);
}

static int set_up(void)
{
    rmi_python *python = &process.python;
    if (intern_names() != 0)
        return -1;
    PyObject *library = PySys_GetObject("_stdlib_dir");
    python->library = PyUnicode_FromFormat(library != NULL ? "%S/" : "/", library);
    python->paths = PyDict_New();
    python->loop_lock = PyThread_allocate_lock();
    python->module = PyImport_ImportModule("_remotemedia");
    if (python->library == NULL || python->paths == NULL || python->loop_lock == NULL ||
        python->module == NULL)
        return -1;
    rmi_platform_in_child(unlock);
    return rmi_interrupt_install() == 0 ? rmi_child_install() : -1;
}

/* Starts our own interpreter, whose process-wide parts we may change. Gives up the GIL: threads take it with
 * rmi_enter. */
static int start(const rmi_host *host, rm_error *err)
{
    int rc = initialize(host, err);
    if (rc != RM_OK)
        return rc;
    if (set_up() != 0 || rmi_python_redirect_streams() != 0 || rmi_exit_install() != 0 ||
        rmi_keyboard_interrupt_install() != 0 || rmi_paths_enter_environment() != 0 ||
        rmi_signals_install() != 0)
        rc = rmi_python_failed(NULL, err);
    hide_flags();
    if (rc == RM_OK && set_aside() != 0)
        rc = rmi_python_failed(NULL, err);
    atomic_store(&process.ours, true);
    (void)PyEval_SaveThread();
    return rc;
}

/* Adds our modules to an application's interpreter. Its list of built-in modules is closed, so ours goes
 * among the imported ones; our package is frozen into this library, for an application that has not installed
 * it. */
static int add_modules(void)
{
    PyObject *module = rmi_module_new(), *package = NULL;
    int rc = module == NULL ? -1 : PyDict_SetItemString(PyImport_GetModuleDict(), "_remotemedia", module);
    Py_XDECREF(module);
    if (rc != 0 || (package = PyImport_ImportModule("remotemedia")) != NULL) {
        Py_XDECREF(package);
        return rc;
    }
    if (!PyErr_ExceptionMatches(PyExc_ModuleNotFoundError) || PyImport_FrozenModules != NULL)
        return -1;
    PyErr_Clear();
    PyImport_FrozenModules = rmi_frozen_modules;
    return 0;
}

/* An application's own interpreter: its streams, paths, signals and os._exit stay as they are. */
static int adopt(rm_error *err)
{
    const PyGILState_STATE held = rmi_enter();
    const int rc = add_modules() != 0 || set_up() != 0 ? rmi_python_failed(NULL, err) : RM_OK;
    rmi_leave(held);
    return rc;
}

int rmi_python_start(const rmi_host *host, rm_error *err)
{
    int expected = 0, rc = RM_OK;
    while (!atomic_compare_exchange_weak(&process.started, &expected, 1)) {
        if (expected == 2)
            return RM_OK;
        expected = 0;
    }
    rc = Py_IsInitialized() ? adopt(err) : start(host, err);
    atomic_store(&process.started, rc == RM_OK ? 2 : 0);
    return rc;
}
