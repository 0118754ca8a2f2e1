/* The reactor: pipelines for a host that calls exported functions instead of giving standard input. The table of
 * exports, and what they answer, is in docs/wasm.md; they stand in reactor.c. Beside them stand those by which a host runs
 * a single node, docs/wasm-node.md, in node_exports.c.
 *
 * Exports have no context, so what an instance holds is one global. Its calls never overlap. */
#ifndef WASM_REACTOR_H
#define WASM_REACTOR_H

#include "cli/input.h"
#include "remotemedia/remotemedia.h"

/* ---- host_memory.c */
/* Memory that the host writes into: only such may be passed to an export. */
RM_MUST_CHECK void *rmi_host_alloc(uint32_t size);
/* RM_E_USAGE for what rmi_host_alloc did not give, or is released already. */
RM_MUST_CHECK int rmi_host_release(void *block, rm_error *err);
/* Checks that a host's `data` and `length` lie in such memory; `what` is for the message. */
RM_MUST_CHECK int rmi_host_check(const void *data, uint32_t length, const char *what, rm_error *err);

/* ---- reactor.c */
/* What every export begins with: RM_OK, or why the call cannot be made (RM_E_USAGE from inside another one, or after a trap
 * in one: `failure` is then left alone, else it is emptied). Always with rmi_reactor_leave, which gives `rc` back. */
RM_MUST_CHECK int rmi_reactor_enter(rm_error *failure);
bool rmi_reactor_is_busy(void);
int32_t rmi_reactor_leave(int rc);

/* ---- reactor_runtime.c */
enum { RMI_MOST_PATHS = 16 };
/* What the host says about Python. */
typedef struct rmi_python_options {
    rm_python_config config;
    const char *paths[RMI_MOST_PATHS + 1];
} rmi_python_options;
/* Takes the option `name` where it is one of these, borrowing from `value`; *rc is then what came of it. */
bool rmi_python_option(rmi_python_options *into, const char *name, rm_value value, int *rc, rm_error *err);
RM_MUST_CHECK int rmi_arrays_option(rm_arrays *into, const char *name, rm_value value, rm_error *err);
/* Prints warnings and errors on the host's standard error, as the program does. */
void rmi_reactor_log(void *context, rm_log_level level, const char *node, const char *text);
/* A runtime, with Python where that is in the file. *out is owned, also after a failure. */
RM_MUST_CHECK int rmi_reactor_runtime(const rmi_python_options *python, rm_log_function *log,
                                      rm_runtime **out, rm_error *err);

/* ---- open_pipelines.c */
/* A pipeline and all that it was made of. */
typedef struct rmi_open_pipeline {
    struct rmi_open_pipeline *next;
    int32_t handle;
    rm_runtime *runtime;
    rm_manifest *manifest;
    rm_pipeline *pipeline;
    rmi_input input; /* the manifest's own input_data, when has_input */
    bool has_input;
} rmi_open_pipeline;
/* Opens a pipeline from a manifest's text with options (JSON, or nothing). *out is owned. */
RM_MUST_CHECK int rmi_open_pipeline_new(const char *manifest, size_t length, const char *options,
                                        size_t options_length, rmi_open_pipeline **out, rm_error *err);
void rmi_open_pipeline_free(rmi_open_pipeline *opened);

/* ---- reactor_plain.c, reactor_snapshot.c */
/* Before an instance's first call does anything. */
RM_MUST_CHECK int rmi_reactor_wake(rm_error *err);

#endif
