/* Sandbox: what code in WebAssembly may use, and the engine that runs it. Calls that run such code give the GIL away. */
#include <stdatomic.h>

#include "extension.h"
#include "interruptible.h"
#include "platform/platform.h"

struct rmi_sandbox_object {
    PyObject_HEAD rmi_extension *extension; /* of its type, which it keeps */
    rm_sandbox *sandbox;                    /* NULL: closed, or not opened yet */
    PyObject *kept;                         /* tuples of bytes, into which what follows points */
    rm_sandbox_grant *grants;
    const char **environment, **paths; /* end with NULL */
    rm_sandbox_policy policy;
    rm_python_config python;
    size_t users;   /* runtimes and commands */
    unsigned forks; /* of the process that opened it */
    bool is_closed; /* freed with its last user */
};

static rmi_sandbox_object *self_of(PyObject *object)
{
    return (rmi_sandbox_object *)object;
}

/* ---- Opening it */

/* The texts of a tuple of bytes, and NULL; owned: PyMem_Free. */
static const char **texts_of(PyObject *tuple)
{
    const Py_ssize_t count = PyTuple_GET_SIZE(tuple);
    const char **texts = PyMem_Calloc((size_t)count + 1, sizeof *texts);
    if (texts == NULL)
        return (void)PyErr_NoMemory(), NULL;
    for (Py_ssize_t i = 0; i < count; i++)
        texts[i] = PyBytes_AsString(PyTuple_GET_ITEM(tuple, i));
    if (PyErr_Occurred()) {
        PyMem_Free(texts);
        return NULL;
    }
    return texts;
}

/* `grants`: a tuple of (path, path inside, whether it may be written). */
static int read_grants(rmi_sandbox_object *self, PyObject *grants)
{
    const Py_ssize_t count = PyTuple_GET_SIZE(grants);
    self->grants = PyMem_Calloc((size_t)count + 1, sizeof *self->grants);
    if (self->grants == NULL)
        return (void)PyErr_NoMemory(), -1;
    for (Py_ssize_t i = 0; i < count; i++) {
        rm_sandbox_grant *grant = &self->grants[i];
        int write = 0;
        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(grants, i), "yyp", &grant->path, &grant->guest, &write))
            return -1;
        grant->write = write != 0;
    }
    self->policy.grants = self->grants;
    self->policy.grant_count = (size_t)count;
    return 0;
}

static int read_limits(rmi_sandbox_object *self, PyObject *limits, rm_sandbox_config *config)
{
    rm_sandbox_limits *to = &self->policy.limits;
    unsigned long long memory = 0, fuel = 0, output = 0, log = 0;
    long long timeout = 0, loading = 0, compiling = 0;
    unsigned instances = 0;
    if (!PyArg_ParseTuple(limits, "KLKKKILL", &memory, &timeout, &fuel, &output, &log, &instances, &loading,
                          &compiling))
        return -1;
    *to = (rm_sandbox_limits){.memory_bytes = memory,
                              .timeout_ms = timeout,
                              .fuel = fuel,
                              .output_bytes = output,
                              .log_bytes = log};
    config->instances = instances;
    config->loading_ms = loading;
    config->compiling_ms = compiling;
    return 0;
}

/* _open(engine, modules, remedy, cache, limits, grants, environment, paths, seed); cache b"": the preset */
static PyObject *open_method(PyObject *object, PyObject *args)
{
    rmi_sandbox_object *self = self_of(object);
    rm_sandbox_config config = {.size = sizeof config, .log = rmi_log_message};
    PyObject *limits = NULL, *grants = NULL, *environment = NULL, *paths = NULL, *seed = NULL;
    rm_error err = {0};
    if (!PyArg_ParseTuple(args, "yyyyO!O!O!O!O:_open", &config.engine, &config.modules, &config.remedy,
                          &config.cache, &PyTuple_Type, &limits, &PyTuple_Type, &grants, &PyTuple_Type,
                          &environment, &PyTuple_Type, &paths, &seed))
        return NULL;
    if (self->kept != NULL)
        return PyErr_Format(PyExc_RuntimeError, "the sandbox is open already");
    self->kept = Py_BuildValue("OOOO", args, grants, environment, paths);
    self->python = (rm_python_config){.size = sizeof self->python, .has_seed = seed != Py_None};
    if (self->python.has_seed)
        self->python.seed = PyLong_AsLongLong(seed);
    if (self->kept == NULL || PyErr_Occurred() || read_limits(self, limits, &config) != 0 ||
        read_grants(self, grants) != 0 || (self->environment = texts_of(environment)) == NULL ||
        (self->paths = texts_of(paths)) == NULL)
        return NULL;
    self->policy.environment = self->environment;
    self->python.paths = self->paths;
    self->forks = rmi_platform_forks();
    if (rm_sandbox_new(&config, &self->sandbox, &err) != RM_OK)
        return (void)rmi_raise(self->extension, &err), NULL;
    return Py_NewRef(Py_None);
}

/* ---- Users */

int rmi_sandbox_usable(const rmi_sandbox_object *self)
{
    const char *wrong = NULL;
    if (self->sandbox == NULL || self->is_closed)
        wrong = self->kept != NULL ? "the sandbox is closed" : "the sandbox was not opened";
    else if (self->forks != rmi_platform_forks())
        wrong = "this sandbox belongs to the process that forked; make one here";
    if (wrong != NULL)
        PyErr_SetString(PyExc_RuntimeError, wrong);
    return wrong != NULL ? -1 : 0;
}

/* What a forked process has of its parent's sandboxes stays there: threads that would end it are missing. */
static bool is_parents(const rmi_sandbox_object *self)
{
    return self->forks != rmi_platform_forks();
}

static void leave(rmi_sandbox_object *self)
{
    self->users--;
    if (self->is_closed && self->users == 0) {
        rm_sandbox_free(self->sandbox);
        self->sandbox = NULL;
    }
}

static void close_sandbox(rmi_sandbox_object *self)
{
    if (self->sandbox == NULL || self->is_closed || is_parents(self))
        return;
    self->is_closed = true;
    self->users++;
    leave(self);
}

int rmi_sandbox_runtime_new(rmi_sandbox_object *self, rm_arrays arrays, rm_runtime **out)
{
    rm_python_config python = self->python;
    rm_error err = {0};
    if (rmi_sandbox_usable(self) != 0 || rmi_runtime_new(self->extension, arrays, out) != 0)
        return -1;
    python.arrays = arrays;
    if (rm_sandbox_attach(self->sandbox, *out, &self->policy, &python, &err) != RM_OK) {
        rm_runtime_free(*out);
        return rmi_raise(self->extension, &err);
    }
    self->users++;
    return 0;
}

void rmi_sandbox_runtime_free(rmi_sandbox_object *self, rm_runtime *runtime, rm_manifest *manifest)
{
    if (is_parents(self))
        return;
    PyThreadState *released = PyEval_SaveThread();
    rm_manifest_free(manifest);
    rm_runtime_free(runtime);
    PyEval_RestoreThread(released);
    leave(self);
}

/* ---- Calls that may run code in a sandbox */

/* A manifest is being checked. A watchdog repeats the request, since no signal handler may make it. */
typedef struct validation {
    rm_runtime *runtime;
    rmi_watchdog *watchdog;
    atomic_bool stops;
} validation;

enum { AGAIN_NS = 10 * 1000 * 1000 };

static int64_t repeat(void *context)
{
    const validation *self = context;
    if (!atomic_load(&self->stops))
        return INT64_MAX;
    rm_runtime_interrupt(self->runtime);
    return rmi_platform_now() + AGAIN_NS;
}

static void stop_validation(void *context)
{
    validation *self = context;
    atomic_store(&self->stops, true);
    rmi_watchdog_poke(self->watchdog);
}

int rmi_sandboxed_validate(rm_runtime *runtime, rm_manifest *manifest, rm_error *err)
{
    validation self = {.runtime = runtime};
    rmi_interruptible interrupt = {.stop = stop_validation, .context = &self};
    PyThreadState *released = PyEval_SaveThread();
    int rc = rmi_watchdog_start(NULL, repeat, &self, &self.watchdog, err);
    if (rc == RM_OK) {
        rmi_interruptible_begin(&interrupt);
        rc = rm_manifest_validate(manifest, err);
        rmi_interruptible_end(&interrupt);
    }
    rmi_watchdog_stop(self.watchdog);
    PyEval_RestoreThread(released);
    return rc;
}

static void cancel_run(void *context)
{
    rm_pipeline *pipeline = atomic_load((_Atomic(rm_pipeline *) *)context);
    if (pipeline != NULL)
        rm_pipeline_cancel(pipeline);
}

static void note_pipeline(void *context, rm_pipeline *pipeline)
{
    atomic_store((_Atomic(rm_pipeline *) *)context, pipeline);
}

int rmi_sandboxed_open(rm_manifest *manifest, const rm_pipeline_options *options, rm_pipeline **out,
                       rm_error *err)
{
    _Atomic(rm_pipeline *) pipeline = NULL;
    rmi_interruptible interrupt = {.stop = cancel_run, .context = &pipeline};
    rm_pipeline_options chosen = *options;
    chosen.opening = note_pipeline;
    chosen.opening_context = &pipeline;
    PyThreadState *released = PyEval_SaveThread();
    rmi_interruptible_begin(&interrupt);
    const int rc = rm_pipeline_open(manifest, &chosen, out, err);
    rmi_interruptible_end(&interrupt);
    PyEval_RestoreThread(released);
    return rc;
}

int rmi_sandboxed_step(rm_pipeline *run, rm_error *err)
{
    _Atomic(rm_pipeline *) pipeline = run;
    rmi_interruptible interrupt = {.stop = cancel_run, .context = &pipeline};
    PyThreadState *released = PyEval_SaveThread();
    rmi_interruptible_begin(&interrupt);
    const int rc = rm_run_step(run, err);
    rmi_interruptible_end(&interrupt);
    PyEval_RestoreThread(released);
    return rc;
}

/* ---- Commands */

static void note_run(void *context, rm_sandbox_run *run)
{
    atomic_store((_Atomic(rm_sandbox_run *) *)context, run);
}

static void stop_run(void *context)
{
    rm_sandbox_run *run = atomic_load((_Atomic(rm_sandbox_run *) *)context);
    if (run != NULL)
        rm_sandbox_stop(run);
}

static int run_command(rmi_sandbox_object *self, rm_sandbox_command *command, int *exit_code, rm_error *err)
{
    _Atomic(rm_sandbox_run *) run = NULL;
    rmi_interruptible interrupt = {.stop = stop_run, .context = &run};
    command->started = note_run;
    command->started_context = &run;
    PyThreadState *released = PyEval_SaveThread();
    rmi_interruptible_begin(&interrupt);
    const int rc = rm_sandbox_run_command(self->sandbox, command, exit_code, err);
    rmi_interruptible_end(&interrupt);
    PyEval_RestoreThread(released);
    return rc;
}

/* _command(words, file, input, output, errors): descriptors of the streams; file b"": ours. Gives the exit code. */
static PyObject *command_method(PyObject *object, PyObject *args)
{
    rmi_sandbox_object *self = self_of(object);
    rm_sandbox_command command = {.size = sizeof command};
    PyObject *words = NULL;
    rm_error err = {0};
    int exit_code = 0;
    if (!PyArg_ParseTuple(args, "O!yiii:_command", &PyTuple_Type, &words, &command.file, &command.input,
                          &command.output, &command.errors) ||
        rmi_sandbox_usable(self) != 0)
        return NULL;
    const char **arguments = texts_of(words);
    if (arguments == NULL)
        return NULL;
    command.arguments = arguments;
    if (command.file[0] == '\0')
        command.file = NULL;
    command.policy = self->policy;
    self->users++;
    const int rc = run_command(self, &command, &exit_code, &err);
    leave(self);
    PyMem_Free(arguments);
    if (PyErr_CheckSignals() != 0) {
        rm_error_clear(&err);
        return NULL;
    }
    if (rc != RM_OK)
        return (void)rmi_raise(self->extension, &err), NULL;
    return PyLong_FromLong(exit_code);
}

/* ---- The type */

static PyObject *close_method(PyObject *object, PyObject *unused)
{
    (void)unused;
    close_sandbox(self_of(object));
    return Py_NewRef(Py_None);
}

static PyObject *leave_block(PyObject *object, PyObject *args)
{
    (void)args;
    return close_method(object, NULL);
}

static PyObject *myself(PyObject *object, PyObject *unused)
{
    (void)unused;
    return rmi_sandbox_usable(self_of(object)) == 0 ? Py_NewRef(object) : NULL;
}

static PyObject *new_object(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    (void)args, (void)kwargs;
    rmi_extension *extension = rmi_extension_of(type);
    rmi_sandbox_object *self = extension != NULL ? (rmi_sandbox_object *)rmi_object_alloc(type, 0) : NULL;
    if (self != NULL)
        self->extension = extension;
    return (PyObject *)self;
}

static int traverse(PyObject *object, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self_of(object)->kept);
    return 0;
}

static void dealloc(PyObject *object)
{
    rmi_sandbox_object *self = self_of(object);
    PyObject_GC_UnTrack(object);
    close_sandbox(self);
    PyMem_Free(self->grants);
    PyMem_Free(self->environment);
    PyMem_Free(self->paths);
    Py_CLEAR(self->kept);
    rmi_object_free(object);
}

PyTypeObject *rmi_sandbox_type_new(PyObject *module)
{
    static PyMethodDef methods[] = {
        {"_open", open_method, METH_VARARGS, NULL},
        {"_command", command_method, METH_VARARGS, NULL},
        {"close", close_method, METH_NOARGS,
         "close($self, /)\n--\n\nLets no further run begin. What the engine holds is freed with the last pipeline of the sandbox."},
        {"__enter__", myself, METH_NOARGS, NULL},
        {"__exit__", leave_block, METH_VARARGS, NULL},
        {NULL, NULL, 0, NULL}};
    PyType_Slot slots[] = {{Py_tp_new, new_object},
                           {Py_tp_methods, methods},
                           {Py_tp_dealloc, dealloc},
                           {Py_tp_traverse, traverse},
                           {0, NULL}};
    PyType_Spec spec = {.name = "remotemedia._runtime.Sandbox",
                        .basicsize = sizeof(rmi_sandbox_object),
                        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
                        .slots = slots};
    return (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, NULL);
}
