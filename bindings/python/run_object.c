/* Run: one run of a pipeline, which is an iterator over its results. */
#include "documentation.h"
#include "extension.h"
#include "platform/platform.h"
#include "python/convert/convert.h"

/* A step that was shorter than this lets the next ones keep the GIL: giving it away and back costs as much. */
enum { SHORT_NS = 20000, QUICK_STEPS = 15 };

typedef struct rmi_run_object {
    PyObject_HEAD rmi_pipeline_object *owner; /* owned */
    rm_pipeline *pipeline;                    /* NULL: closed */
    rmi_run_input input;
    rmi_run_progress progress;
    size_t sinks;
    unsigned forks; /* of the process that opened it */
    int last;       /* code of the last step */
    bool busy;      /* a call is in progress */
    bool measures;
    bool over;   /* its last result was taken */
    bool failed; /* `err` is raised once the results before it are out */
    rm_error err;
} rmi_run_object;

static rmi_run_object *self_of(PyObject *object)
{
    return (rmi_run_object *)object;
}

static int raise_of(rmi_run_object *self, rm_error *err)
{
    return rmi_raise(self->owner->extension, err);
}

/* ---- Begin and end */

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

/* Opens the nodes, which become guests of the caller's loop, or of none. */
static int open_as(rmi_run_object *self, PyObject *guest, const rm_pipeline_options *chosen, rm_error *err)
{
    PyObject *variable = rmi_python_of_process()->guest_variable, *former = NULL, *token = NULL,
             *wanted = guest;
    if (PyContextVar_Get(variable, Py_None, &former) != 0)
        return rmi_python_failed(NULL, err);
    if (wanted == NULL)
        wanted = Py_None;
    if (former != wanted)
        token = PyContextVar_Set(variable, wanted);
    const int rc = self->owner->sandbox != NULL
                       ? rmi_sandboxed_open(self->owner->manifest, chosen, &self->pipeline, err)
                       : rm_pipeline_open(self->owner->manifest, chosen, &self->pipeline, err);
    if (token != NULL && PyContextVar_Reset(variable, token) != 0)
        PyErr_Clear();
    Py_XDECREF(token);
    Py_DECREF(former);
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
        return raise_of(self, &err);
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

/* Closes every node. An exception that is set stays. */
static void close_run(rmi_run_object *self)
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

/* ---- Steps */

static int enter(rmi_run_object *self)
{
    const char *wrong = NULL;
    if (self->busy)
        wrong = "another call of this run is in progress";
    else if (self->forks != rmi_platform_forks())
        wrong = "this run belongs to the process that forked; start one here";
    if (wrong != NULL) {
        PyErr_SetString(PyExc_RuntimeError, wrong);
        return -1;
    }
    self->busy = true;
    return 0;
}

/* Returns the code of the step. The GIL is given away, unless the steps before were short. */
static int step(rmi_run_object *self, rm_error *err)
{
    unsigned *quick = &self->owner->quick;
    if (self->owner->sandbox != NULL)
        return rmi_sandboxed_step(self->pipeline, err);
    if (*quick > 0) {
        --*quick;
        return rm_run_step(self->pipeline, err);
    }
    PyThreadState *released = PyEval_SaveThread();
    const int64_t started = rmi_platform_now();
    const int rc = rm_run_step(self->pipeline, err);
    *quick = rmi_platform_now() - started < SHORT_NS ? QUICK_STEPS : 0;
    PyEval_RestoreThread(released);
    return rc;
}

static void wait_for_work(rmi_run_object *self)
{
    PyThreadState *released = PyEval_SaveThread();
    rm_pipeline_wait(self->pipeline, NULL, 0);
    PyEval_RestoreThread(released);
}

/* Reads items where the run asks for some, and takes a step. A failure of the run is kept. */
static int advance(rmi_run_object *self)
{
    size_t read = 0;
    if (self->last != RM_OK && !self->input.is_over &&
        rmi_run_input_feed(&self->input, self->owner->extension, self->pipeline, &read, &self->err) != 0)
        return -1;
    if (self->last == RM_PENDING && read == 0)
        wait_for_work(self);
    self->last = step(self, &self->err);
    self->failed = self->last < 0;
    return PyErr_CheckSignals();
}

/* 1: *packet is the next result, of *sink; 0: there is none any more. */
static int next_result(rmi_run_object *self, size_t *sink, rm_packet *packet)
{
    for (;;) {
        const int rc = rm_pipeline_pull(self->pipeline, sink, packet, NULL);
        if (rc == RM_OK)
            return 1;
        if (self->failed)
            return raise_of(self, &self->err);
        self->over = rc == RM_DONE;
        if (self->over)
            return 0;
        if (advance(self) != 0)
            return -1;
    }
}

/* ---- Results */

static PyObject *named(rmi_run_object *self, size_t sink, PyObject *value)
{
    PyObject *pair =
        value != NULL ? Py_BuildValue("(sO)", rm_pipeline_sink_id(self->pipeline, sink), value) : NULL;
    Py_XDECREF(value);
    return pair;
}

/* The result of a packet, which gives its value away. */
static PyObject *result_of(rmi_run_object *self, rm_packet *packet)
{
    PyObject *value = rmi_output_object(packet, self->owner->arrays);
    if (value != NULL && rmi_run_progress_note(&self->progress, packet) != 0)
        Py_CLEAR(value);
    rm_packet_clear(packet);
    return value;
}

static PyObject *next(PyObject *object)
{
    rmi_run_object *self = self_of(object);
    rm_packet packet = rm_packet_of(rm_null());
    PyObject *value = NULL;
    size_t sink = 0;
    if (self->pipeline == NULL || enter(self) != 0)
        return NULL;
    const int found = next_result(self, &sink, &packet);
    if (found > 0) {
        value = result_of(self, &packet);
        if (self->sinks > 1)
            value = named(self, sink, value);
    }
    if (value == NULL)
        close_run(self);
    self->busy = false;
    return value;
}

/* {sink: []} */
static PyObject *new_results(rmi_run_object *self)
{
    PyObject *results = PyDict_New();
    for (size_t i = 0; results != NULL && i < self->sinks; i++) {
        PyObject *list = PyList_New(0);
        if (list == NULL || PyDict_SetItemString(results, rm_pipeline_sink_id(self->pipeline, i), list) != 0)
            Py_CLEAR(results);
        Py_XDECREF(list);
    }
    return results;
}

/* Appends the result to its sink's list; `results` has the sinks in order. */
static int add_result(rmi_run_object *self, PyObject *results, size_t sink, rm_packet *packet)
{
    PyObject *value = result_of(self, packet), *list = NULL;
    Py_ssize_t place = 0;
    for (size_t i = 0; i <= sink; i++)
        (void)PyDict_Next(results, &place, NULL, &list);
    const int rc = value != NULL && list != NULL ? PyList_Append(list, value) : -1;
    Py_XDECREF(value);
    return rc;
}

/* Gives the results from before a failure to its exception. */
static void tell_results(PyObject *results)
{
    PyObject *exception = PyErr_GetRaisedException();
    if (exception != NULL && PyObject_HasAttrString(exception, "results") &&
        PyObject_SetAttrString(exception, "results", results) != 0)
        PyErr_Clear();
    PyErr_SetRaisedException(exception);
}

PyObject *rmi_run_collect(PyObject *object)
{
    rmi_run_object *self = self_of(object);
    rm_packet packet = rm_packet_of(rm_null());
    size_t sink = 0;
    PyObject *results = new_results(self);
    int rc = results != NULL ? 1 : -1;
    while (rc > 0 && (rc = next_result(self, &sink, &packet)) > 0)
        if (add_result(self, results, sink, &packet) != 0)
            rc = -1;
    if (rc < 0 && results != NULL)
        tell_results(results);
    if (rc < 0)
        Py_CLEAR(results);
    close_run(self);
    return results;
}

/* ---- For callers with an event loop: nothing waits */

/* Takes a step where there is no result yet. 1: *packet is a result; 0: *mark says what else there is. */
static int take(rmi_run_object *self, size_t *sink, rm_packet *packet, PyObject **mark)
{
    const rmi_extension *extension = self->owner->extension;
    int rc = rm_pipeline_pull(self->pipeline, sink, packet, NULL);
    size_t read = 0;
    if (rc == RM_AGAIN && !self->failed) {
        if (self->last != RM_OK && !self->input.is_over &&
            rmi_run_input_feed(&self->input, extension, self->pipeline, &read, &self->err) != 0)
            return -1;
        self->last = step(self, &self->err);
        self->failed = self->last < 0;
        if (PyErr_CheckSignals() != 0)
            return -1;
        rc = rm_pipeline_pull(self->pipeline, sink, packet, NULL);
    }
    if (rc == RM_OK)
        return 1;
    if (self->failed)
        return raise_of(self, &self->err);
    self->over = rc == RM_DONE;
    const bool reads_more = !self->input.is_over && (self->last == RM_AGAIN || read > 0);
    *mark = self->over                          ? extension->ended
            : self->last == RM_OK || reads_more ? extension->goes_on
                                                : extension->waits;
    return 0;
}

/* The call of a method that may end the run: NULL ends it. */
static PyObject *finished(rmi_run_object *self, PyObject *result)
{
    if (result == NULL)
        close_run(self);
    self->busy = false;
    return result;
}

static PyObject *take_method(PyObject *object, PyObject *unused)
{
    rmi_run_object *self = self_of(object);
    rm_packet packet = rm_packet_of(rm_null());
    PyObject *given = NULL;
    size_t sink = 0;
    (void)unused;
    if (self->pipeline == NULL)
        return Py_NewRef(self->owner->extension->ended);
    if (enter(self) != 0)
        return NULL;
    const int found = take(self, &sink, &packet, &given);
    if (found == 0)
        return finished(self, Py_NewRef(given));
    if (found < 0)
        return finished(self, NULL);
    given = result_of(self, &packet);
    return finished(self, self->sinks > 1 ? named(self, sink, given) : given);
}

/* _collect(results): the same, but puts results into the dict of _results(). */
static PyObject *collect_method(PyObject *object, PyObject *results)
{
    rmi_run_object *self = self_of(object);
    rm_packet packet = rm_packet_of(rm_null());
    PyObject *mark = NULL;
    size_t sink = 0;
    int found = 1;
    if (self->pipeline == NULL)
        return Py_NewRef(self->owner->extension->ended);
    if (enter(self) != 0)
        return NULL;
    while (found > 0 && (found = take(self, &sink, &packet, &mark)) > 0)
        if (add_result(self, results, sink, &packet) != 0)
            found = -1;
    return finished(self, found == 0 ? Py_NewRef(mark) : NULL);
}

static PyObject *results_method(PyObject *object, PyObject *unused)
{
    (void)unused;
    return new_results(self_of(object));
}

/* _push(item, source): True: taken; False: there is no room; None: nobody wants more. */
static PyObject *push_method(PyObject *object, PyObject *args)
{
    rmi_run_object *self = self_of(object);
    PyObject *item = NULL;
    const char *source = NULL;
    rm_value value = rm_null();
    rm_error err = {0};
    if (!PyArg_ParseTuple(args, "O|z:_push", &item, &source) || self->pipeline == NULL)
        return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
    if (rmi_input_value(item, &value) != 0)
        return NULL;
    const int rc = rm_pipeline_push(self->pipeline, source, value, &err);
    if (rc == RM_OK) {
        self->input.given++;
        return Py_NewRef(Py_True);
    }
    if (rc < 0)
        return (void)raise_of(self, &err), NULL;
    rm_value_clear(&value);
    return Py_NewRef(rc == RM_AGAIN ? Py_False : Py_None);
}

static PyObject *finish_method(PyObject *object, PyObject *unused)
{
    rmi_run_object *self = self_of(object);
    rm_error err = {0};
    (void)unused;
    if (self->pipeline != NULL && rm_pipeline_finish(self->pipeline, &err) != RM_OK)
        return (void)raise_of(self, &err), NULL;
    return Py_NewRef(Py_None);
}

/* _due(): seconds until the run has something to do by itself; None: never. */
static PyObject *due_method(PyObject *object, PyObject *unused)
{
    rmi_run_object *self = self_of(object);
    (void)unused;
    const int64_t due = self->pipeline != NULL ? rm_pipeline_next_deadline(self->pipeline) : 0;
    if (due == INT64_MAX)
        return Py_NewRef(Py_None);
    const double seconds = (double)(due - rmi_platform_now()) / 1e9;
    return PyFloat_FromDouble(seconds > 0 ? seconds : 0);
}

/* ---- Ending it early */

static PyObject *close_early(PyObject *object, PyObject *unused)
{
    rmi_run_object *self = self_of(object);
    (void)unused;
    if (self->pipeline == NULL)
        return Py_NewRef(Py_None);
    if (enter(self) != 0)
        return NULL;
    close_run(self);
    self->busy = false;
    return Py_NewRef(Py_None);
}

static PyObject *leave_block(PyObject *object, PyObject *args)
{
    (void)args;
    return close_early(object, NULL);
}

static PyObject *myself(PyObject *object, PyObject *unused)
{
    (void)unused;
    return Py_NewRef(object);
}

/* Any thread: the call in progress ends with Cancelled. */
static PyObject *cancel(PyObject *object, PyObject *unused)
{
    (void)unused;
    if (self_of(object)->pipeline != NULL)
        rm_pipeline_cancel(self_of(object)->pipeline);
    return Py_NewRef(Py_None);
}

/* ---- The type */

static int traverse(PyObject *object, visitproc visit, void *arg)
{
    const rmi_run_object *self = self_of(object);
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->owner);
    for (size_t i = 0; i < self->input.count; i++)
        Py_VISIT(self->input.sources[i].iterator);
    return 0;
}

static void finalize(PyObject *object)
{
    close_run(self_of(object));
}

static void dealloc(PyObject *object)
{
    PyObject_GC_UnTrack(object); /* nobody can find it while its nodes are closed */
    close_run(self_of(object));
    Py_CLEAR(self_of(object)->owner);
    rmi_object_free(object);
}

PyTypeObject *rmi_run_type_new(PyObject *module)
{
    static PyMethodDef methods[] = {{"close", close_early, METH_NOARGS, RMI_CLOSE_DOC},
                                    {"cancel", cancel, METH_NOARGS, RMI_CANCEL_DOC},
                                    {"_take", take_method, METH_NOARGS, NULL},
                                    {"_collect", collect_method, METH_O, NULL},
                                    {"_results", results_method, METH_NOARGS, NULL},
                                    {"_push", push_method, METH_VARARGS, NULL},
                                    {"_finish", finish_method, METH_NOARGS, NULL},
                                    {"_due", due_method, METH_NOARGS, NULL},
                                    {"__enter__", myself, METH_NOARGS, NULL},
                                    {"__exit__", leave_block, METH_VARARGS, NULL},
                                    {NULL, NULL, 0, NULL}};
    PyType_Slot slots[] = {{Py_tp_methods, methods},        {Py_tp_doc, (void *)RMI_RUN_TYPE_DOC},
                           {Py_tp_iter, PyObject_SelfIter}, {Py_tp_iternext, next},
                           {Py_tp_dealloc, dealloc},        {Py_tp_finalize, finalize},
                           {Py_tp_traverse, traverse},      {0, NULL}};
    PyType_Spec spec = {.name = "remotemedia.Run",
                        .basicsize = sizeof(rmi_run_object),
                        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                        .slots = slots};
    return (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, NULL);
}
