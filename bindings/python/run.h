/* What the files of a run share: run_object.c, run_opening.c, guest_run.c and async_results.c. */
#ifndef RUN_H
#define RUN_H

#include "extension.h"

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

static inline rmi_run_object *rmi_run_of(PyObject *object)
{
    return (rmi_run_object *)object;
}

/* ---- run_opening.c */
/* Closes every node. An exception that is set stays. */
void rmi_run_close(rmi_run_object *self);

/* ---- run_object.c */
int rmi_run_raise(rmi_run_object *self, rm_error *err);
/* Begins a call, which others then find in progress. */
RM_MUST_CHECK int rmi_run_enter(rmi_run_object *self);
/* Returns the code of the step. The GIL is given away, unless the steps before were short. */
int rmi_run_step(rmi_run_object *self, rm_error *err);
/* The result (consumed) as the caller gets it, with the name of its node where there are several. */
RM_MUST_CHECK PyObject *rmi_run_result(rmi_run_object *self, size_t sink, rm_packet *packet);
/* {sink: []} */
RM_MUST_CHECK PyObject *rmi_run_new_results(rmi_run_object *self);
/* Appends the result to its sink's list; `results` has the sinks in order. */
RM_MUST_CHECK int rmi_run_add_result(rmi_run_object *self, PyObject *results, size_t sink, rm_packet *packet);

/* ---- guest_run.c: methods for callers with an event loop */
PyObject *rmi_run_take(PyObject *run, PyObject *unused);
PyObject *rmi_run_collect_some(PyObject *run, PyObject *results);
PyObject *rmi_run_results(PyObject *run, PyObject *unused);
PyObject *rmi_run_push(PyObject *run, PyObject *args);
PyObject *rmi_run_finish(PyObject *run, PyObject *unused);
PyObject *rmi_run_due(PyObject *run, PyObject *unused);

#endif
