/* The reactor: pipelines for a host that calls exported functions instead of giving standard input. The table of
 * exports, and what they answer, is in docs/wasm.md; they stand in reactor.c.
 *
 * Exports have no context, so what an instance holds is one global. Its calls never overlap. */
#ifndef WASM_REACTOR_H
#define WASM_REACTOR_H

#include "cli/input.h"
#include "remotemedia/remotemedia.h"

/* ---- memory.c */
/* Memory that the host writes into: only such may be passed to an export. */
void *rmi_host_alloc(uint32_t size);
/* RM_E_USAGE for what rmi_host_alloc did not give, or is released already. */
int rmi_host_release(void *block, rm_error *err);
/* Checks that a host's `data` and `length` lie in such memory; `what` is for the message. */
int rmi_host_check(const void *data, uint32_t length, const char *what, rm_error *err);

/* ---- opened.c */
/* A pipeline and all that it was made of. */
typedef struct rmi_opened {
    struct rmi_opened *next;
    int32_t handle;
    rm_runtime *runtime;
    rm_manifest *manifest;
    rm_pipeline *pipeline;
    rmi_input input; /* the manifest's own input_data, when has_input */
    bool has_input;
} rmi_opened;
/* Opens a pipeline from a manifest's text with options (JSON, or nothing). *out is owned. */
int rmi_opened_new(const char *manifest, size_t length, const char *options, size_t options_length,
                   rmi_opened **out, rm_error *err);
void rmi_opened_free(rmi_opened *opened);

/* ---- reactor_plain.c, reactor_snapshot.c */
/* Before an instance's first call does anything. */
int rmi_reactor_wake(rm_error *err);

#endif
