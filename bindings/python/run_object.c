/* Run: one run of a pipeline, which is an iterator over its results. */
#include "documentation.h"
#include "platform/platform.h"
#include "run.h"

/* A step whose parts without the GIL were shorter than this on average lets the next ones keep the GIL: giving it away and back costs as much. */
enum { SHORT_NS = 20000, QUICK_STEPS = 15 };

int rmi_run_raise(rmi_run_object *self, rm_error *err)
{
    return rmi_raise(self->owner->extension, err);
}

/* ---- Steps */

int rmi_run_enter(rmi_run_object *self)
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

static int step(rmi_run_object *self, rm_error *err)
{
    unsigned *quick = &self->owner->quick;
    if (self->owner->sandbox != NULL)
        return rmi_sandboxed_step(self->pipeline, err);
    if (*quick > 0) {
        --*quick;
        return rm_run_step(self->pipeline, err);
    }
    const uint64_t entries = rmi_python_of_process()->entries;
    PyThreadState *released = PyEval_SaveThread();
    const int64_t started = rmi_platform_now();
    const int rc = rm_run_step(self->pipeline, err);
    const int64_t took = rmi_platform_now() - started;
    PyEval_RestoreThread(released);
    /* code of nodes in between has the GIL by itself */
    const int64_t pieces = (int64_t)(rmi_python_of_process()->entries - entries) + 1;
    *quick = took < SHORT_NS * pieces ? QUICK_STEPS : 0;
    return rc;
}

int rmi_run_step(rmi_run_object *self, rm_error *err)
{
    rmi_inner_run part;
    rmi_inner_run_begin(&part, self->pipeline);
    const int rc = step(self, err);
    rmi_inner_run_end(&part);
    return rc;
}

static void wait_for_work(rmi_run_object *self)
{
    rmi_inner_run part;
    rmi_inner_run_begin(&part, self->pipeline);
    PyThreadState *released = PyEval_SaveThread();
    rm_pipeline_wait(self->pipeline, NULL, 0);
    PyEval_RestoreThread(released);
    rmi_inner_run_end(&part);
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
    self->last = rmi_run_step(self, &self->err);
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
            return rmi_run_raise(self, &self->err);
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

PyObject *rmi_run_result(rmi_run_object *self, size_t sink, rm_packet *packet)
{
    PyObject *value = result_of(self, packet);
    return self->sinks > 1 ? named(self, sink, value) : value;
}

static PyObject *next(PyObject *object)
{
    rmi_run_object *self = rmi_run_of(object);
    rm_packet packet = rm_packet_of(rm_null());
    PyObject *value = NULL;
    size_t sink = 0;
    if (self->pipeline == NULL || rmi_run_enter(self) != 0)
        return NULL;
    const int found = next_result(self, &sink, &packet);
    if (found > 0)
        value = rmi_run_result(self, sink, &packet);
    if (value == NULL)
        rmi_run_close(self);
    self->busy = false;
    return value;
}

PyObject *rmi_run_new_results(rmi_run_object *self)
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

int rmi_run_add_result(rmi_run_object *self, PyObject *results, size_t sink, rm_packet *packet)
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
    rmi_run_object *self = rmi_run_of(object);
    rm_packet packet = rm_packet_of(rm_null());
    size_t sink = 0;
    PyObject *results = rmi_run_new_results(self);
    int rc = results != NULL ? 1 : -1;
    while (rc > 0 && (rc = next_result(self, &sink, &packet)) > 0)
        if (rmi_run_add_result(self, results, sink, &packet) != 0)
            rc = -1;
    if (rc < 0 && results != NULL)
        tell_results(results);
    if (rc < 0)
        Py_CLEAR(results);
    rmi_run_close(self);
    return results;
}

/* ---- Ending it early */

static PyObject *close_early(PyObject *object, PyObject *unused)
{
    rmi_run_object *self = rmi_run_of(object);
    (void)unused;
    if (self->pipeline == NULL)
        return Py_NewRef(Py_None);
    if (rmi_run_enter(self) != 0)
        return NULL;
    rmi_run_close(self);
    self->busy = false;
    return Py_NewRef(Py_None);
}

static PyObject *leave_block(PyObject *object, PyObject *args)
{
    (void)args;
    if (rmi_run_of(object)->forks !=
        rmi_platform_forks()) /* a child leaves the block of its parent: nothing is its own */
        return Py_NewRef(Py_None);
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
    if (rmi_run_of(object)->pipeline != NULL)
        rm_pipeline_cancel(rmi_run_of(object)->pipeline);
    return Py_NewRef(Py_None);
}

/* ---- The type */

static int traverse(PyObject *object, visitproc visit, void *arg)
{
    const rmi_run_object *self = rmi_run_of(object);
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->owner);
    for (size_t i = 0; i < self->input.count; i++)
        Py_VISIT(self->input.sources[i].iterator);
    return 0;
}

static void finalize(PyObject *object)
{
    rmi_run_close(rmi_run_of(object));
}

static void dealloc(PyObject *object)
{
    PyObject_GC_UnTrack(object); /* nobody can find it while its nodes are closed */
    rmi_run_close(rmi_run_of(object));
    Py_CLEAR(rmi_run_of(object)->owner);
    rmi_object_free(object);
}

PyTypeObject *rmi_run_type_new(PyObject *module)
{
    static PyMethodDef methods[] = {{"close", close_early, METH_NOARGS, RMI_CLOSE_DOC},
                                    {"cancel", cancel, METH_NOARGS, RMI_CANCEL_DOC},
                                    {"_take", rmi_run_take, METH_NOARGS, NULL},
                                    {"_collect", rmi_run_collect_some, METH_O, NULL},
                                    {"_results", rmi_run_results, METH_NOARGS, NULL},
                                    {"_push", rmi_run_push, METH_VARARGS, NULL},
                                    {"_finish", rmi_run_finish, METH_NOARGS, NULL},
                                    {"_due", rmi_run_due, METH_NOARGS, NULL},
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
