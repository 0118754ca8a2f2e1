/* The beginning and the end of a run. */
#include "platform/platform.h"
#include "python/convert/convert.h"
#include "run.h"

/* Nodes of one pipeline are loaded and opened by one thread at a time. */
static int lock_opening(rmi_pipeline_object *owner)
{
    const unsigned long here = PyThread_get_thread_ident();
    if (!PyThread_acquire_lock(owner->opening, NOWAIT_LOCK)) {
        if (owner->opener == here) {
            PyErr_SetString(PyExc_RuntimeError,
                            "a node of this pipeline runs the pipeline while it is opened");
            return -1;
        }
        Py_BEGIN_ALLOW_THREADS(void) PyThread_acquire_lock(owner->opening, WAIT_LOCK);
        Py_END_ALLOW_THREADS
    }
    owner->opener = here;
    return 0;
}

static void unlock_opening(rmi_pipeline_object *owner)
{
    owner->opener = 0;
    PyThread_release_lock(owner->opening);
}

static int read_timeout(PyObject *seconds, int64_t *ms)
{
    const double wanted = seconds == Py_None ? 0 : PyFloat_AsDouble(seconds);
    *ms = 0;
    if (PyErr_Occurred())
        return -1;
    if (seconds != Py_None && !(wanted > 0)) {
        PyErr_SetString(PyExc_ValueError, "timeout must be a number of seconds above 0");
        return -1;
    }
    *ms = wanted < 9e15 ? (int64_t)(wanted * 1000) : 0;
    if (*ms == 0 && wanted > 0 && wanted < 1)
        *ms = 1;
    return 0;
}

/* Opens the nodes, which become guests of the caller's loop, or get a loop of their own. */
static int open_as(rmi_run_object *self, PyObject *guest, const rm_pipeline_options *chosen, rm_error *err)
{
    PyObject *variable = rmi_python_of_process()->loop_variable;
    PyObject *wanted = guest != NULL ? Py_NewRef(guest) : rmi_run_loop_new();
    PyObject *token = wanted != NULL ? PyContextVar_Set(variable, wanted) : NULL;
    Py_XDECREF(wanted);
    if (token == NULL)
        return rmi_python_failed(NULL, err);
    const int rc = self->owner->sandbox != NULL
                       ? rmi_sandboxed_open(self->owner->manifest, chosen, &self->pipeline, err)
                       : rm_pipeline_open(self->owner->manifest, chosen, &self->pipeline, err);
    if (PyContextVar_Reset(variable, token) != 0)
        PyErr_Clear();
    Py_DECREF(token);
    return rc;
}

static int open_pipeline(rmi_run_object *self, const rmi_run_options *options)
{
    rm_error err = {0};
    rm_pipeline_options chosen = {.size = sizeof chosen,
                                  .generate = options->items == Py_None,
                                  .measure = options->measures,
                                  .standard_input = -1,
                                  .object_results = true};
    if ((self->owner->sandbox != NULL && rmi_sandbox_usable(self->owner->sandbox) != 0) ||
        read_timeout(options->timeout, &chosen.timeout_ms) != 0 || lock_opening(self->owner) != 0)
        return -1;
    int rc = open_as(self, options->guest, &chosen, &err);
    unlock_opening(self->owner);
    if (rc == RM_OK && chosen.generate)
        rc = rm_pipeline_finish(self->pipeline, &err);
    if (self->owner->sandbox != NULL && PyErr_CheckSignals() != 0) {
        rm_error_clear(&err);
        return -1;
    }
    if (rc != RM_OK)
        return rmi_run_raise(self, &err);
    self->sinks = rm_pipeline_sink_count(self->pipeline);
    return 0;
}

/* Without items of the caller's, those that stand beside the manifest. */
static int open_input(rmi_run_object *self, rmi_run_options *options)
{
    const rm_value beside = rm_manifest_input(self->owner->manifest);
    const bool any = beside.kind == RM_MAP || (beside.kind == RM_LIST && rm_list_length(beside) > 0);
    self->input.is_over = true;
    if (options->items == NULL || (options->items == Py_None && !any))
        return 0;
    if (options->items != Py_None)
        return rmi_run_input_open(&self->input, options->items, options->ahead);
    options->items = NULL;
    return rmi_run_input_open_value(&self->input, beside);
}

PyObject *rmi_run_new(rmi_pipeline_object *owner, const rmi_run_options *options)
{
    PyTypeObject *type = owner->extension->run_type;
    rmi_run_object *self = (rmi_run_object *)rmi_object_alloc(type, 0);
    if (self == NULL)
        return NULL;
    self->owner = (rmi_pipeline_object *)Py_NewRef((PyObject *)owner);
    self->forks = rmi_platform_forks();
    self->last = RM_AGAIN;
    self->measures = options->measures;
    rmi_run_options chosen = *options;
    if (rmi_run_progress_open(&self->progress, options->progress, options->items) != 0 ||
        open_input(self, &chosen) != 0 || open_pipeline(self, &chosen) != 0)
        Py_CLEAR(self);
    return (PyObject *)self;
}

/* Puts what a function tells of the run in `place`; leaves no exception. */
static void keep(rmi_run_object *self, PyObject **place,
                 int (*tell)(const rm_pipeline *pipeline, rm_value *out, rm_error *err))
{
    rm_value value = rm_null();
    if (tell(self->pipeline, &value, NULL) == RM_OK)
        Py_XSETREF(*place, rmi_to_python(value));
    PyErr_Clear();
    rm_value_clear(&value);
}

static void keep_outcome(rmi_run_object *self)
{
    keep(self, &self->owner->failures, rm_pipeline_failures);
    if (!self->measures)
        return;
    keep(self, &self->owner->metrics, rm_pipeline_metrics);
    keep(self, &self->owner->graph, rm_pipeline_graph_info);
}

void rmi_run_close(rmi_run_object *self)
{
    rm_pipeline *pipeline = self->pipeline;
    PyObject *exception = PyErr_GetRaisedException();
    self->pipeline = NULL;
    rmi_run_progress_close(&self->progress, self->over ? self->input.given : 0);
    rmi_run_input_close(&self->input);
    if (pipeline != NULL && self->forks == rmi_platform_forks()) { /* else it is the other process's */
        self->pipeline = pipeline;
        keep_outcome(self);
        self->pipeline = NULL;
        if (self->last != RM_DONE)
            rm_pipeline_cancel(pipeline);
        PyThreadState *released = PyEval_SaveThread();
        rm_pipeline_free(pipeline);
        PyEval_RestoreThread(released);
        rmi_leave(rmi_enter()); /* frees the references that were given up meanwhile */
    }
    rm_error_clear(&self->err);
    PyErr_SetRaisedException(exception);
}
