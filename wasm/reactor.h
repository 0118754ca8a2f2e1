/* The reactor: pipelines for a host that calls exported functions instead of writing to standard input.
 * docs/wasm.md has the table of exports and their results; reactor.c has the exports, reactor_items.c those that
 * move items and results. The exports by which a host runs a single node (docs/wasm-node.md) are in
 * node_exports.c.
 *
 * Exports have no context, so an instance's state is one global. Calls of an instance never overlap. */
#ifndef WASM_REACTOR_H
#define WASM_REACTOR_H

#include "cli/input.h"
#include "remotemedia/remotemedia.h"

struct rmi_open_pipeline;

/* ---- host_memory.c */
/* Memory that the host writes into: an export accepts only such memory. */
RM_MUST_CHECK void *rmi_host_alloc(uint32_t size);
/* RM_E_USAGE for memory that is not from rmi_host_alloc, or is released already. */
RM_MUST_CHECK int rmi_host_release(void *block, rm_error *err);
/* Checks that a host's `data` and `length` are in such memory; `what` is for the message. */
RM_MUST_CHECK int rmi_host_check(const void *data, uint32_t length, const char *what, rm_error *err);
/* The block of such memory, which lives until rmi_host_give_back, after rmi_host_release too. */
void *rmi_host_share(const void *data);
void rmi_host_give_back(void *shared);

/* ---- reactor.c */
/* Begins every export. Empties `failure`, except inside another call or after a trap in one, which is
 * RM_E_USAGE. In every case rmi_reactor_leave must follow; it returns `rc`. */
RM_MUST_CHECK int rmi_reactor_enter(rm_error *failure);
bool rmi_reactor_is_busy(void);
int32_t rmi_reactor_leave(int rc);
/* Begins an export about a pipeline in the same way. *out is borrowed, and so is *err, which the export's failure
 * goes into. */
RM_MUST_CHECK int rmi_reactor_enter_pipeline(int32_t handle, struct rmi_open_pipeline **out, rm_error **err);
/* Makes a text the one that the host reads after this call. `text` is borrowed until the next of these calls. */
void rmi_reactor_lend_text(const void *text, size_t length);
/* The same for the JSON of `value`, which is consumed. */
RM_MUST_CHECK int rmi_reactor_set_text(rm_value value, rm_error *err);

/* ---- reactor_items.c */
/* Releases the tensors whose elements are parts of the last batch of results. */
void rmi_reactor_drop_parts(void);

/* ---- reactor_runtime.c */
enum { RMI_MOST_PATHS = 16 };
/* The host's options for Python. */
typedef struct rmi_python_options {
    rm_python_config config;
    const char *paths[RMI_MOST_PATHS + 1];
} rmi_python_options;
/* Takes the option `name` if it is one of these, borrowing from `value`; *rc is the result then. */
bool rmi_python_option(rmi_python_options *into, const char *name, rm_value value, int *rc, rm_error *err);
RM_MUST_CHECK int rmi_arrays_option(rm_arrays *into, const char *name, rm_value value, rm_error *err);
/* Prints warnings and errors on the host's standard error, as the program does. */
void rmi_reactor_log(void *context, rm_log_level level, const char *node, const char *text);
/* Makes a runtime, with Python where the file has it. *out is owned, also after a failure. */
RM_MUST_CHECK int rmi_reactor_runtime(const rmi_python_options *python, rm_log_function *log,
                                      rm_runtime **out, rm_error *err);

/* ---- open_pipelines.c */
/* A pipeline and everything that it was made of. */
typedef struct rmi_open_pipeline {
    struct rmi_open_pipeline *next;
    int32_t handle;
    rm_runtime *runtime;
    rm_manifest *manifest;
    rm_pipeline *pipeline;
    rmi_input input; /* the manifest's own input_data, when has_input */
    bool has_input;
    bool holds;     /* a result that no batch had room for: */
    rm_packet held; /* owned */
    size_t held_sink;
} rmi_open_pipeline;
/* Opens a pipeline from a manifest's text with options (JSON, or empty). *out is owned. */
RM_MUST_CHECK int rmi_open_pipeline_new(const char *manifest, size_t length, const char *options,
                                        size_t options_length, rmi_open_pipeline **out, rm_error *err);
void rmi_open_pipeline_free(rmi_open_pipeline *opened);

/* ---- reactor_plain.c, reactor_snapshot.c */
/* Called before an instance's first call does anything. */
RM_MUST_CHECK int rmi_reactor_wake(rm_error *err);

#endif
