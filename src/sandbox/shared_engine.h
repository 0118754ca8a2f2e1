/* Shared by all sandboxes of a program. shared_engine.c loads the engine, loaded_modules.c keeps the modules,
 * compiled_modules.c gets them compiled (compile.c), code_cache.c keeps the code on disk; command.c runs a
 * whole program, guest_node.c a node of a pipeline. */
#ifndef SANDBOX_SHARED_ENGINE_H
#define SANDBOX_SHARED_ENGINE_H

#include <pthread.h>

#include "platform/platform.h"
#include "sandbox/engine.h"
#include "sandbox/wasi/wasi.h"

enum {
    RMI_SANDBOX_PATH = 4096,
    RMI_SANDBOX_STACK = 1 << 20, /* bytes of their thread's stack that a guest's calls may use */
};

/* A loaded module, for one of the two engines. Each user shares it until it calls rmi_sandbox_module_done. */
typedef struct rmi_loaded {
    struct rmi_loaded *next;
    rmi_module *module;
    rmi_engine *engine;
    bool fuel;
    size_t users;     /* the sandbox's lock guards it and the fields below */
    bool is_replaced; /* its file has other content since: its last user frees it */
    bool is_still;    /* a file of this identity has the same content */
    char identity[65], key[65];
    char path[];
} rmi_loaded;

/* Whether the caller still waits for code to be compiled: `lost` is called again and again meanwhile. */
typedef struct rmi_patience {
    bool (*lost)(void *context);
    void *context;
} rmi_patience;

struct rm_sandbox {
    const rm_allocator *allocator;
    rm_log_function *log;
    void *log_context;
    const char *remedy; /* NULL: the preset */
    uint32_t instances;
    int64_t loading_ms, compiling_ms;
    char modules[RMI_SANDBOX_PATH], engine_path[RMI_SANDBOX_PATH],
        cache[RMI_SANDBOX_PATH];     /* "": the default */
    pthread_mutex_t lock;            /* guards the fields below; not held while a module is compiled */
    pthread_cond_t loaded_one;       /* signalled when is_loading ends */
    char compiler[RMI_SANDBOX_PATH]; /* the program beside the engine; "": not known yet */
    rmi_library *library;
    const rmi_engine_api *api; /* NULL: not loaded yet */
    rmi_engine *engines[2];    /* without and with fuel; NULL: not made yet */
    rmi_loaded *loaded;
    bool is_loading; /* a thread loads a module: one at a time, so that none is compiled twice */
};

/* ---- shared_engine.c */
void rmi_sandbox_log(const rm_sandbox *sandbox, rm_log_level level, const char *format, ...) RM_PRINTF(3, 4);
/* Finds the path of a WASM file of ours: the first of `names` (ends with NULL) that exists. RM_E_NOT_FOUND
 * says where it looked. */
RM_MUST_CHECK int rmi_sandbox_file(const rm_sandbox *sandbox, const char *const *names,
                                   char path[static RMI_SANDBOX_PATH], rm_error *err);
/* The engine, with or without fuel, and its configuration. Called under the lock. */
RM_MUST_CHECK int rmi_sandbox_engine(rm_sandbox *sandbox, bool fuel, rmi_engine_config *config,
                                     rmi_engine **out, rm_error *err);

/* ---- loaded_modules.c */
/* Compiles (where needed) and loads the module in a file, with WASI as its imports. The caller uses *out
 * until rmi_sandbox_module_done. */
RM_MUST_CHECK int rmi_sandbox_module(rm_sandbox *sandbox, const char *path, bool fuel,
                                     const rmi_patience *patience, rmi_loaded **out, rm_error *err);
/* Adds a user. */
rmi_loaded *rmi_sandbox_module_share(rm_sandbox *sandbox, rmi_loaded *loaded);
/* NULL is fine. */
void rmi_sandbox_module_done(rm_sandbox *sandbox, rmi_loaded *loaded);
/* Frees all modules. Nobody may use one. */
void rmi_sandbox_modules_free(rm_sandbox *sandbox);

#endif
