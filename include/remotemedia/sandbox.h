/* RemoteMedia: other people's pipelines, and single nodes of them, inside WebAssembly. Included by remotemedia.h.
 * docs/sandbox.md tells what a sandbox guarantees and what not. Natively only, in builds with
 * RM_WASMTIME_RUNTIME; elsewhere these functions answer RM_E_MISSING_FEATURE. */
#ifndef REMOTEMEDIA_SANDBOX_H
#define REMOTEMEDIA_SANDBOX_H

#include "remotemedia/remotemedia.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What is shared by all sandboxes of a program: the engine, modules that are compiled, the pool that instances
 * come from. Nothing is loaded or compiled before it is needed. Threads: any number at once. */
typedef struct rm_sandbox rm_sandbox;

typedef struct rm_sandbox_config {
    uint32_t size; /* sizeof(rm_sandbox_config) */
    const rm_allocator
        *allocator;      /* of what the host keeps; NULL: the C library's. Guests have memory of their own */
    const char *modules; /* directory of the WASM files; NULL: found beside the program */
    const char *engine;  /* libremotemedia_wasmtime.so; NULL: found beside the program */
    /* Where compiled modules are kept; NULL: REMOTEMEDIA_CACHE_DIR, else XDG_CACHE_HOME/remotemedia/compiled or
     * ~/.cache/remotemedia/compiled. A directory that others can write to is not used. */
    const char *cache;
    uint32_t instances; /* that may live at once, from a pool; 0: each by itself, as for a single run */
    int64_t loading_ms; /* that the code of a node may take until the node is opened; 0: a minute */
    int64_t
        compiling_ms; /* that a module may take to be compiled, which is not in loading_ms; 0: five minutes */
    rm_log_function *log; /* told what is compiled, and why the cache is not used; may be NULL */
    void *log_context;
} rm_sandbox_config;

/* `config` (copied) may be NULL. *out is owned: rm_sandbox_free, after every runtime that it was attached to. */
RM_API RM_MUST_CHECK int rm_sandbox_new(const rm_sandbox_config *config, rm_sandbox **out, rm_error *err);
RM_API void rm_sandbox_free(rm_sandbox *sandbox);

/* ---- What a guest may do ----------------------------------------------------------------------------------- */

/* A directory of the host, or a single file, that a guest may use. */
typedef struct rm_sandbox_grant {
    const char *path;  /* on the host */
    const char *guest; /* what it is called inside; NULL: the same */
    bool write;        /* else it can only be read */
    bool is_file;      /* only this file; with `write` also what is made beside it as "<path>.<anything>" */
} rm_sandbox_grant;

/* Where 0 stands for none, no limit of that kind is set. */
typedef struct rm_sandbox_limits {
    uint64_t memory_bytes; /* of an instance's memory; 0: 4 GiB, all that it can address */
    int64_t
        timeout_ms; /* a run: from its start, when it is compiled; a node: the time in its calls. 0: none */
    uint64_t fuel;  /* WebAssembly instructions, about; the same program with the same input stops at the
                            * same place. Random numbers and clocks are then the same in each run too. 0: none */
    uint64_t output_bytes; /* a run: on standard output; a node: of encoded values. 0: none */
    uint64_t log_bytes;    /* a second, on standard error; what is more is dropped, and counted. 0: none */
} rm_sandbox_limits;

/* Borrowed where it is passed, and copied. {0} grants nothing and limits nothing. */
typedef struct rm_sandbox_policy {
    const rm_sandbox_grant *grants;
    size_t grant_count;
    const char *const *environment; /* "NAME=VALUE", ends with NULL; may be NULL */
    rm_sandbox_limits limits;
} rm_sandbox_policy;

/* ---- Single nodes ------------------------------------------------------------------------------------------- */

/* Lets `runtime` run nodes in a sandbox: those with "runtime_hint": "cpython_wasm" or "execution": {"placement":
 * "sandbox"}, each in an instance of its own, and those of "node_type": "wasm:FILE". Limits in the manifest are
 * heeded where they are lower than the policy's. `python` (may be NULL): directories of modules, as guests see them, and
 * the seed. */
RM_API RM_MUST_CHECK int rm_sandbox_attach(rm_sandbox *sandbox, rm_runtime *runtime,
                                           const rm_sandbox_policy *policy, const rm_python_config *python,
                                           rm_error *err);

/* ---- Whole runs --------------------------------------------------------------------------------------------- */

typedef struct rm_sandbox_run rm_sandbox_run;

typedef struct rm_sandbox_command {
    uint32_t size;    /* sizeof(rm_sandbox_command) */
    const char *file; /* a WASI command; NULL: pipeline_executor_*.wasm, the snapshot where there is one */
    const char *const *arguments; /* without the program's name, ends with NULL */
    rm_sandbox_policy policy;
    int64_t
        grace_ms; /* after limits.timeout_ms: so long the guest may take to end by itself, where it knows of it */
    int input;          /* descriptor of standard input, borrowed; -1: it is empty */
    int output, errors; /* descriptors of the other two, borrowed; -1: dropped */
    /* Instead of `output`, when not NULL: takes what is written to standard output, all of it, or answers a failure
     * that the guest sees as an I/O error. */
    int (*write)(void *context, const void *data, size_t size);
    void *write_context;
    /* Optional: told before the guest is compiled and starts, so that another thread or a signal handler can stop it, and with NULL
     * before the run is gone. */
    void (*started)(void *context, rm_sandbox_run *run);
    void *started_context;
} rm_sandbox_command;

/* Runs it to its end on this thread, which needs 1.5 MiB of stack. RM_OK with the guest's *exit_code; RM_E_TIMEOUT, RM_E_LIMIT
 * or RM_E_CANCELLED when it was stopped, with the limit and its value in the message, and the node that was running
 * where the guest tells; or why it could not start. */
RM_API RM_MUST_CHECK int rm_sandbox_run_command(rm_sandbox *sandbox, const rm_sandbox_command *command,
                                                int *exit_code, rm_error *err);
/* Ends it soon, with RM_E_CANCELLED. Any thread; safe in a signal handler. */
RM_API void rm_sandbox_stop(rm_sandbox_run *run);

#ifdef __cplusplus
}
#endif
#endif
