/* The extension module `remotemedia._runtime`: the runtime inside the interpreter that imports it. A file each:
 *   extension.c        the module, and runtimes that wait for the next pipeline
 *   pipeline_object.c  Pipeline: a manifest                run_object.c  Run: one run of it, an iterator
 *   run_opening.c      its beginning and its end           guest_run.c     runs on the caller's event loop
 *   async_results.c    what astream() returns              coroutine_object.c what arun() returns
 *   run_input.c        items from iterables                item_values.c   items and results as values
 *   failures.c         failures as exceptions              cut_traceback.c tracebacks without frames of the package
 *   run_progress.c     progress bars                       pipeline_graph.c a pipeline's nodes, for pictures
 *   sandbox_object.c   Sandbox                             interruptible.c  Ctrl-C meanwhile
 *   manifest_values.c  whether JSON has words for a dict
 * Threads and references: as in python/python_host.h. Functions that return int give 0, or -1 with an exception set,
 * unless a comment says otherwise. */
#ifndef EXTENSION_H
#define EXTENSION_H

#include "python/python_host.h"

enum { RMI_IDLE_RUNTIMES = 8 };

/* The module's state. */
typedef struct rmi_extension {
    PyTypeObject *pipeline_type, *run_type, *coroutine_type, *async_results_type, *sandbox_type;
    PyObject *failure;                                        /* remotemedia._errors.failure */
    PyObject *waits, *goes_on, *ended;                        /* what _take() gives in place of a result */
    rm_runtime *idle[RM_ARRAYS_NUMPY + 1][RMI_IDLE_RUNTIMES]; /* owned; by the form of arrays */
    size_t idle_count[RM_ARRAYS_NUMPY + 1];
} rmi_extension;

/* ---- extension.c */
rmi_extension *rmi_extension_of(PyTypeObject *type);
/* Gives a runtime that nobody else uses: *out is owned, until rmi_runtime_give_back. */
RM_MUST_CHECK int rmi_runtime_take(rmi_extension *extension, rm_arrays arrays, rm_runtime **out);
/* Makes one that is not kept: rm_runtime_free. */
RM_MUST_CHECK int rmi_runtime_new(const rmi_extension *extension, rm_arrays arrays, rm_runtime **out);
/* A rm_log_function: messages go to the logger `remotemedia`. */
void rmi_log_message(void *context, rm_log_level level, const char *node, const char *text);
void rmi_runtime_give_back(rmi_extension *extension, rm_arrays arrays, rm_runtime *runtime);

/* ---- failures.c */
/* Raises `err`, which is cleared. Where it has a Python exception, that is the cause. Returns -1. */
int rmi_raise(const rmi_extension *extension, rm_error *err);

/* ---- cut_traceback.c: the exception, and those that it came from, lose our frames */
void rmi_cut_traceback(PyObject *exception);
/* The same for the exception that is set, unless it says that an iteration has ended. */
void rmi_cut_raised(void);

/* ---- coroutine_object.c */
RM_MUST_CHECK PyTypeObject *rmi_coroutine_type_new(PyObject *module);
/* What stands for a coroutine, or what a method of an asynchronous generator returned, without its frames in tracebacks. */
RM_MUST_CHECK PyObject *rmi_coroutine_new(const rmi_extension *extension, PyObject *coroutine);

/* ---- item_values.c */
/* Converts an item of the caller's, without a copy: he may still hold it, so arrays are read-only for nodes. *out is
 * owned. */
RM_MUST_CHECK int rmi_input_value(PyObject *item, rm_value *out);
/* Converts a result. The packet gives its value away. */
RM_MUST_CHECK PyObject *rmi_output_object(rm_packet *packet, rm_arrays arrays);

/* ---- sandbox_object.c */
typedef struct rmi_sandbox_object rmi_sandbox_object;
/* 0; or -1, raised: it is closed, or another process's. */
RM_MUST_CHECK int rmi_sandbox_usable(const rmi_sandbox_object *sandbox);
/* A runtime whose manifests may place nodes in the sandbox. *out is owned: rmi_sandbox_runtime_free. */
RM_MUST_CHECK int rmi_sandbox_runtime_new(rmi_sandbox_object *sandbox, rm_arrays arrays, rm_runtime **out);
/* Frees the manifest (NULL is fine), then the runtime. */
void rmi_sandbox_runtime_free(rmi_sandbox_object *sandbox, rm_runtime *runtime, rm_manifest *manifest);
/* As the functions of the runtime, with the GIL given away; in the main thread Ctrl-C makes them return RM_E_CANCELLED. */
RM_MUST_CHECK int rmi_sandboxed_validate(rm_runtime *runtime, rm_manifest *manifest, rm_error *err);
RM_MUST_CHECK int rmi_sandboxed_open(rm_manifest *manifest, const rm_pipeline_options *options,
                                     rm_pipeline **out, rm_error *err);
RM_MUST_CHECK int rmi_sandboxed_step(rm_pipeline *run, rm_error *err);
RM_MUST_CHECK PyTypeObject *rmi_sandbox_type_new(PyObject *module);

/* ---- pipeline_object.c */
typedef struct rmi_pipeline_object {
    PyObject_HEAD rmi_extension *extension; /* of its type, which it keeps */
    rm_runtime *runtime;
    rm_manifest *manifest;
    rmi_sandbox_object *sandbox;          /* owned: where its nodes may run; or NULL */
    PyObject *held;                       /* objects that the manifest's node types stand for; or NULL */
    PyObject *metrics, *failures, *graph; /* of the run that ended last; or NULL */
    rm_arrays arrays;
    PyThread_type_lock opening; /* one thread at a time loads nodes */
    unsigned long opener;
    unsigned quick; /* steps that may keep the GIL, since the last one measured was short */
} rmi_pipeline_object;
RM_MUST_CHECK PyTypeObject *rmi_pipeline_type_new(PyObject *module);

/* ---- pipeline_graph.c: a method */
/* (name, [(id, node type, kind)], [(id, port or None, id, port or None)]); kind: "native", "Python", "sandbox". */
RM_MUST_CHECK PyObject *rmi_pipeline_graph(PyObject *object, PyObject *unused);

/* ---- manifest_values.c */
/* Whether JSON has words for all that is in the dict; the error has the place of what it has none for. */
RM_MUST_CHECK int rmi_manifest_values_check(PyObject *manifest, rm_error *err);
/* The same as a function of the module. */
RM_MUST_CHECK PyObject *rmi_manifest_check(PyObject *module, PyObject *manifest);

enum { RMI_GREEDY = 64 };

/* ---- run_input.c: items from iterables */
typedef struct rmi_source {
    PyObject *iterator; /* NULL: at its end */
    PyObject *name;     /* bytes; NULL: items are for every source */
    rm_value list;      /* items that stand beside the manifest, borrowed; the next is at `place` */
    size_t place;
} rmi_source;
typedef struct rmi_run_input {
    rmi_source *sources;
    size_t count, next; /* sources take turns */
    size_t batch;       /* items that may be read before results are handed out */
    int64_t given;      /* items that the run has taken */
    rm_value refused;   /* an item for which there was no room */
    bool has_refused, is_over;
} rmi_run_input;
/* `items`: an iterable, or a dict from a source's id to an iterable. `ahead`: as in rmi_run_options. */
RM_MUST_CHECK int rmi_run_input_open(rmi_run_input *input, PyObject *items, size_t ahead);
/* The same for items that stand beside the manifest: a list, or a map of lists. */
RM_MUST_CHECK int rmi_run_input_open_value(rmi_run_input *input, rm_value items);
void rmi_run_input_close(rmi_run_input *input);
/* Gives items to the run; *count of them. At the end of the input finishes the run's input. `err` is empty before and
 * after. */
RM_MUST_CHECK int rmi_run_input_feed(rmi_run_input *input, const rmi_extension *extension,
                                     rm_pipeline *pipeline, size_t *count, rm_error *err);

/* ---- run_progress.c */
typedef struct rmi_run_progress {
    PyObject *bar; /* owned; NULL: there is none */
    int64_t done;  /* items */
} rmi_run_progress;
/* Makes the bar that is `wanted`: True, or what makes one. NULL, None and False: none. */
RM_MUST_CHECK int rmi_run_progress_open(rmi_run_progress *progress, PyObject *wanted, PyObject *items);
/* The items up to that of the result are done. */
RM_MUST_CHECK int rmi_run_progress_note(rmi_run_progress *progress, const rm_packet *result);
/* Closes the bar; `items` are done, or 0. An exception that is set stays. */
void rmi_run_progress_close(rmi_run_progress *progress, int64_t items);

/* ---- run_object.c, run_opening.c */
typedef struct rmi_run_options {
    PyObject *items;    /* None: sources generate; NULL: items are pushed */
    PyObject *timeout;  /* seconds, or None */
    PyObject *guest;    /* what stands for the run in the caller's loop; or NULL */
    PyObject *progress; /* a bar, or True, or None; or NULL */
    size_t ahead;       /* items that may be read before results are handed out; 0: as it fits the iterable */
    bool measures;
} rmi_run_options;
RM_MUST_CHECK PyObject *rmi_run_new(rmi_pipeline_object *owner, const rmi_run_options *options);
/* Runs to the end and gives {sink: [results]}. */
RM_MUST_CHECK PyObject *rmi_run_collect(PyObject *run);
RM_MUST_CHECK PyTypeObject *rmi_run_type_new(PyObject *module);

/* ---- async_results.c */
RM_MUST_CHECK PyTypeObject *rmi_async_results_type_new(PyObject *module);

#endif
