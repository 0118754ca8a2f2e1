/* RemoteMedia: other people's pipelines, and single nodes of them, inside WebAssembly. Included by
 * remotemedia.h. docs/sandbox.md says what a sandbox guarantees and what not. Natively only, in builds with
 * RM_WASMTIME_RUNTIME; elsewhere these functions return RM_E_MISSING_FEATURE. */
#ifndef REMOTEMEDIA_SANDBOX_H
#define REMOTEMEDIA_SANDBOX_H

#include "remotemedia/remotemedia.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Shared by all sandboxes of a program: the engine, compiled modules, the pool of instances. Nothing is
 * loaded or compiled before it is needed. Threads: any number at once. */
typedef struct rm_sandbox rm_sandbox;

typedef struct rm_sandbox_config {
    uint32_t size; /* sizeof(rm_sandbox_config) */
    const rm_allocator
        *allocator;      /* of the host's objects; NULL: the C library's. Guests have their own memory */
    const char *modules; /* directory of the WASM files; NULL: searched beside the program */
    const char *engine;  /* libremotemedia_wasmtime.so; NULL: searched beside the program */
    /* Directory for compiled modules; NULL: REMOTEMEDIA_CACHE_DIR, else XDG_CACHE_HOME/remotemedia/compiled
     * or ~/.cache/remotemedia/compiled. A directory that others can write to is not used. */
    const char *cache;
    uint32_t instances; /* instances that live at once, from a pool; 0: no pool, as for a single run */
    int64_t loading_ms; /* the time for the code of a node until the node is open; 0: a minute */
    int64_t
        compiling_ms; /* the time for compiling a module, which is not part of loading_ms; 0: five minutes */
    /* How the user gets an engine or WASM files that are not there: the hint of the error, borrowed as long as
     * the sandbox. NULL: how a build of this project gets them. */
    const char *remedy;
    rm_log_function *log; /* gets what is compiled, and why the cache is not used; may be NULL */
    void *log_context;
} rm_sandbox_config;

/* `config` (copied) may be NULL; RM_E_USAGE for a wrong size. *out is owned: rm_sandbox_free (NULL is fine),
 * after every runtime to which it was attached. */
RM_API RM_MUST_CHECK int rm_sandbox_new(const rm_sandbox_config *config, rm_sandbox **out, rm_error *err);
RM_API void rm_sandbox_free(rm_sandbox *sandbox);

/* ---- What a guest may do ----------------------------------------------------------------------------------- */

/* A directory of the host, or a single file, that a guest may use. */
typedef struct rm_sandbox_grant {
    const char *path;  /* on the host */
    const char *guest; /* the path inside; NULL: the same */
    bool write;        /* else the guest can only read it */
    bool is_file;      /* only this file; with `write` also files made beside it as "<path>.<anything>" */
} rm_sandbox_grant;

/* Limits of a guest. Where 0 means none, there is no limit of that kind. */
typedef struct rm_sandbox_limits {
    uint64_t memory_bytes; /* of an instance's memory; 0: 4 GiB, all that it can address */
    int64_t timeout_ms; /* a run: from its start, after compiling; a node: the time in its calls. 0: none */
    /* About so many WebAssembly instructions; 0: none. The same program with the same input stops at the same
     * place. With fuel, random numbers and clocks are the same in each run too. */
    uint64_t fuel;
    uint64_t output_bytes; /* a run: on standard output; a node: of encoded values. 0: none */
    uint64_t log_bytes;    /* per second, on standard error; more bytes are dropped, and counted. 0: none */
} rm_sandbox_limits;

/* The grants and limits of a guest. Borrowed by the functions that take it, and copied. {0} grants nothing
 * and limits nothing. */
typedef struct rm_sandbox_policy {
    const rm_sandbox_grant *grants;
    size_t grant_count;
    const char *const *environment; /* "NAME=VALUE", ends with NULL; may be NULL */
    rm_sandbox_limits limits;
} rm_sandbox_policy;

/* ---- Single nodes ------------------------------------------------------------------------------------------- */

/* Lets `runtime` run nodes in a sandbox: those with "runtime_hint": "cpython_wasm" or "execution":
 * {"placement": "sandbox"}, each in an instance of its own, and those of "node_type": "wasm:FILE". A limit in
 * the manifest counts where it is lower than the policy's. `policy` may be NULL: {0}. `python` (may be NULL,
 * copied): directories of modules, as guests see them, and the seed. `sandbox` must outlive `runtime`. */
RM_API RM_MUST_CHECK int rm_sandbox_attach(rm_sandbox *sandbox, rm_runtime *runtime,
                                           const rm_sandbox_policy *policy, const rm_python_config *python,
                                           rm_error *err);

/* ---- Whole runs --------------------------------------------------------------------------------------------- */

/* A run in a sandbox, while rm_sandbox_run_command is in progress. */
typedef struct rm_sandbox_run rm_sandbox_run;

typedef struct rm_sandbox_command {
    uint32_t size;    /* sizeof(rm_sandbox_command) */
    const char *file; /* a WASI command; NULL: pipeline_executor_*.wasm, the snapshot where there is one */
    const char *const *arguments; /* without the program's name, ends with NULL */
    rm_sandbox_policy policy;
    int64_t grace_ms; /* the time after limits.timeout_ms for the guest to end by itself, if it knows of it */
    int input;        /* descriptor of standard input, borrowed; -1: empty */
    int output, errors; /* descriptors of the other two, borrowed; -1: dropped */
    /* Instead of `output`, when not NULL: takes all `size` bytes that the guest writes to standard output, or
     * returns a failure, which the guest sees as an I/O error. */
    int (*write)(void *context, const void *data, size_t size);
    void *write_context;
    /* Optional: gets the run before the guest is compiled and starts, so that another thread or a signal
     * handler can stop it, and NULL before the run is freed. */
    void (*started)(void *context, rm_sandbox_run *run);
    void *started_context;
} rm_sandbox_command;

/* Runs the command to its end on this thread, which needs 1.5 MiB of stack. RM_OK with the guest's
 * *exit_code. RM_E_TIMEOUT, RM_E_LIMIT or RM_E_CANCELLED when it was stopped, with the limit and its value in
 * the message, and the node in a call where the guest names it. Any other failure: it could not start, or
 * trapped. RM_E_USAGE for a wrong size. */
RM_API RM_MUST_CHECK int rm_sandbox_run_command(rm_sandbox *sandbox, const rm_sandbox_command *command,
                                                int *exit_code, rm_error *err);
/* Ends the run soon, with RM_E_CANCELLED. Any thread; safe in a signal handler; only between the two calls of
 * `started`. */
RM_API void rm_sandbox_stop(rm_sandbox_run *run);

#ifdef __cplusplus
}
#endif
#endif
