/* A run for a caller with an event loop: nothing here waits, and a call keeps the loop for LONG_NS and a step at most. */
#include "platform/platform.h"
#include "run.h"

static const int64_t LONG_NS = 5000000;

/* Takes a step where there is no result yet. 1: *packet is a result; 0: *mark says what else there is. */
static int take(rmi_run_object *self, size_t *sink, rm_packet *packet, PyObject **mark, bool *stepped)
{
    const rmi_extension *extension = self->owner->extension;
    int rc = rm_pipeline_pull(self->pipeline, sink, packet, NULL);
    size_t read = 0;
    *stepped = rc == RM_AGAIN && !self->failed;
    if (*stepped) {
        if (self->last != RM_OK && !self->input.is_over &&
            rmi_run_input_feed(&self->input, extension, self->pipeline, &read, &self->err) != 0)
            return -1;
        self->last = rmi_run_step(self, &self->err);
        self->failed = self->last < 0;
        if (PyErr_CheckSignals() != 0)
            return -1;
        rc = rm_pipeline_pull(self->pipeline, sink, packet, NULL);
    }
    if (rc == RM_OK)
        return 1;
    if (self->failed)
        return rmi_run_raise(self, &self->err);
    self->over = rc == RM_DONE;
    const bool reads_more = !self->input.is_over && (self->last == RM_AGAIN || read > 0);
    *mark = rc == RM_DONE                       ? extension->ended
            : self->last == RM_OK || reads_more ? extension->goes_on
                                                : extension->waits;
    return 0;
}

/* The call of a method that may end the run: NULL ends it. */
static PyObject *finished(rmi_run_object *self, PyObject *result)
{
    if (result == NULL)
        rmi_run_close(self);
    self->busy = false;
    return result;
}

PyObject *rmi_run_take(PyObject *object, PyObject *unused)
{
    rmi_run_object *self = rmi_run_of(object);
    rm_packet packet = rm_packet_of(rm_null());
    PyObject *given = self->owner->extension->waits;
    size_t sink = 0;
    bool stepped = false;
    (void)unused;
    if (self->pipeline == NULL)
        return Py_NewRef(self->owner->extension->ended);
    if (rmi_run_enter(self) != 0)
        return NULL;
    const int found = take(self, &sink, &packet, &given, &stepped);
    if (found == 0)
        return finished(self, Py_NewRef(given));
    if (found < 0)
        return finished(self, NULL);
    return finished(self, rmi_run_result(self, sink, &packet));
}

/* _collect(results): the same, but puts results into the dict of _results(). */
PyObject *rmi_run_collect_some(PyObject *object, PyObject *results)
{
    rmi_run_object *self = rmi_run_of(object);
    rm_packet packet = rm_packet_of(rm_null());
    PyObject *mark = self->owner->extension->waits;
    const int64_t started = rmi_platform_now();
    size_t sink = 0;
    bool stepped = false;
    int found = 1;
    if (self->pipeline == NULL)
        return Py_NewRef(self->owner->extension->ended);
    if (rmi_run_enter(self) != 0)
        return NULL;
    while (found > 0 && (found = take(self, &sink, &packet, &mark, &stepped)) > 0) {
        if (rmi_run_add_result(self, results, sink, &packet) != 0)
            found = -1;
        else if (stepped && rmi_platform_now() - started > LONG_NS) {
            found = 0;
            mark = self->owner->extension->goes_on;
        }
    }
    return finished(self, found == 0 ? Py_NewRef(mark) : NULL);
}

PyObject *rmi_run_results(PyObject *object, PyObject *unused)
{
    (void)unused;
    return rmi_run_new_results(rmi_run_of(object));
}

/* _push(item, source): True: taken; False: there is no room; None: nobody wants more. */
PyObject *rmi_run_push(PyObject *object, PyObject *args)
{
    rmi_run_object *self = rmi_run_of(object);
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
        return (void)rmi_run_raise(self, &err), NULL;
    rm_value_clear(&value);
    return Py_NewRef(rc == RM_AGAIN ? Py_False : Py_None);
}

PyObject *rmi_run_finish(PyObject *object, PyObject *unused)
{
    rmi_run_object *self = rmi_run_of(object);
    rm_error err = {0};
    (void)unused;
    if (self->pipeline != NULL && rm_pipeline_finish(self->pipeline, &err) != RM_OK)
        return (void)rmi_run_raise(self, &err), NULL;
    return Py_NewRef(Py_None);
}

/* _due(): seconds until the run has something to do by itself; None: never. */
PyObject *rmi_run_due(PyObject *object, PyObject *unused)
{
    rmi_run_object *self = rmi_run_of(object);
    (void)unused;
    const int64_t due = self->pipeline != NULL ? rm_pipeline_next_deadline(self->pipeline) : 0;
    if (due == INT64_MAX)
        return Py_NewRef(Py_None);
    const double seconds = (double)(due - rmi_platform_now()) / 1e9;
    return PyFloat_FromDouble(seconds > 0 ? seconds : 0);
}
