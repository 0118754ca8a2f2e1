/* `remotemedia run`: its options, and the state that its parts share. */
#ifndef CLI_RUN_H
#define CLI_RUN_H

#include "cli/guard.h"
#include "cli/input.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/setup.h"

typedef struct rmi_run_options {
    rmi_setup setup;    /* first, as rmi_runtime_options needs */
    rmi_texts operands; /* the manifest */
    rmi_texts settings; /* --set */
    const char *input, *output;
    int input_format, format, compat; /* choices */
    rmi_form arrays;
    int64_t timeout_ms;
    bool metrics, progress, raw_input;
} rmi_run_options;

typedef struct rmi_run {
    rmi_run_options *options;
    rmi_program *program;
    rmi_guard guard;
    rm_runtime *runtime;
    rm_manifest *manifest;
    rm_pipeline *pipeline;
    rmi_input input;
    rmi_output output;
    rmi_progress progress;
    char *manifest_place, *input_place; /* as absolute paths; owned, or NULL */
    bool generate;                      /* without input: sources generate */
} rmi_run;

extern const rmi_command rmi_run_description;

/* Fills in the output's fields from the options about results. */
void rmi_run_describe_output(rmi_program *program, const rmi_run_options *options, rmi_output *output);
/* Runs the open pipeline to its end: items in, results out. RM_OK, or the failure in `err`. */
RM_MUST_CHECK int rmi_pump(rmi_run *run, rm_error *err);
/* rm_pipeline_options.wait of the pipeline; `context` is the rmi_run. */
RM_MUST_CHECK int rmi_pump_wait(void *context, rm_pipeline *pipeline, rm_error *err);

#endif
