/* The first steps of several commands: a runtime, a manifest. */
#ifndef CLI_SETUP_H
#define CLI_SETUP_H

#include "cli/guard.h"
#include "cli/log_limit.h"
#include "cli/options.h"
#include "cli/reader.h"

/* Values of rmi_sandbox_options. */
typedef struct rmi_sandbox_choice {
    bool whole; /* --sandbox: the run itself is in one */
    const char *wasm;
    rmi_texts read, write, environment;
    uint64_t memory, fuel, output, log;
    int64_t compiling_ms;
} rmi_sandbox_choice;

/* Values of rmi_runtime_options. */
typedef struct rmi_setup {
    rmi_program *program;
    rmi_texts paths, plugins;
    int log_level;            /* choice */
    rmi_log_limit *log_limit; /* NULL: none; borrowed */
    rmi_integer seed;
    rm_arrays arrays; /* how Python nodes get arrays */
    bool without_python;
    rmi_sandbox_choice sandbox;
    const char *remote_token_file, *remote_ca;
    int64_t loading_ms; /* the time for code in a sandbox until its node is open; 0: the default */
    rm_sandbox *made;   /* shared by the nodes in sandboxes; owned: rmi_setup_end */
} rmi_setup;

/* --path, --plugin, --remote-token-file, --remote-ca, --log-level for a command whose struct begins with an rmi_setup. */
extern const rmi_option rmi_runtime_options[];

/* The limits and grants of guests, for the same commands; and how a whole run becomes a guest. */
extern const rmi_option rmi_sandbox_options[], rmi_whole_sandbox_options[];

/* A rm_log_function over an rmi_setup. */
void rmi_setup_log(void *setup, rm_log_level level, const char *node, const char *text);
/* A runtime with the program's log, the plug-ins and Python. `setup` must outlive it; `*out` is owned. */
RM_MUST_CHECK int rmi_setup_runtime(rmi_setup *setup, rm_runtime **out, rm_error *err);
/* Ends Python code when all results are written: threads, exit functions, child processes. `what` did not end in time
 * where they do not. Returns `code`, or why they were ended, where `code` is RMI_EXIT_OK. */
rmi_exit rmi_setup_finish(const rmi_setup *setup, rmi_guard *guard, const char *what, rmi_exit code);
/* Frees the runtime (NULL is fine) and everything that the setup made for it. */
void rmi_setup_end(rmi_setup *setup, rm_runtime *runtime);
/* Reads a manifest from a file, or from standard input for "-", waiting with `wake`; `input_flags` as for
 * rm_manifest_parse_with. *code is the exit code on failure. *out is owned. */
RM_MUST_CHECK int rmi_setup_manifest(const rmi_setup *setup, rm_runtime *runtime, const char *path,
                                     unsigned input_flags, rmi_wake *wake, rm_manifest **out, rmi_exit *code,
                                     rm_error *err);
/* Applies "node.param=value" texts: a value is JSON, or else a string. */
RM_MUST_CHECK int rmi_setup_overrides(rm_manifest *manifest, const rmi_texts *settings, rm_error *err);

#endif
