/* What all sandboxes of a program share. shared_engine.c loads the engine and keeps the modules, compiled_modules.c compiles them and
 * keeps the result on disk, command.c runs a whole program, guest_node.c a node of a pipeline. */
#ifndef SANDBOX_SHARED_ENGINE_H
#define SANDBOX_SHARED_ENGINE_H

#include <pthread.h>

#include "platform/platform.h"
#include "sandbox/engine.h"
#include "sandbox/wasi/wasi.h"

enum {
    RMI_SANDBOX_PATH = 4096,
    RMI_SANDBOX_STACK = 1 << 20, /* bytes that a guest's calls may use of their thread's stack */
};

/* A module that is loaded, for one of the two engines. */
typedef struct rmi_loaded {
    struct rmi_loaded *next;
    rmi_module *module;
    bool fuel;
    char path[];
} rmi_loaded;

struct rm_sandbox {
    const rm_allocator *allocator;
    rm_log_function *log;
    void *log_context;
    uint32_t instances;
    int64_t loading_ms;
    char modules[RMI_SANDBOX_PATH], engine_path[RMI_SANDBOX_PATH],
        cache[RMI_SANDBOX_PATH]; /* "": the default */
    pthread_mutex_t lock;        /* of what follows */
    rmi_library *library;
    const rmi_engine_api *api; /* NULL: not loaded yet */
    rmi_engine *engines[2];    /* without and with fuel; NULL: not made yet */
    rmi_loaded *loaded;
};

/* ---- shared_engine.c */
void rmi_sandbox_log(const rm_sandbox *sandbox, rm_log_level level, const char *format, ...) RM_PRINTF(3, 4);
/* The path of a WASM file of ours, the first of `names` (ends with NULL) that is there; RM_E_NOT_FOUND says where
 * it was looked for. */
RM_MUST_CHECK int rmi_sandbox_file(const rm_sandbox *sandbox, const char *const *names,
                                   char path[static RMI_SANDBOX_PATH], rm_error *err);
/* The module of a file, compiled and loaded, with WASI as its imports; lives as long as the sandbox. */
RM_MUST_CHECK int rmi_sandbox_module(rm_sandbox *sandbox, const char *path, bool fuel, rmi_module **out,
                                     rmi_engine **engine, rm_error *err);

/* ---- compiled_modules.c */
/* Loads the module in the file `path`: from the cache where it is there, else it is compiled first. */
RM_MUST_CHECK int rmi_code_load(rm_sandbox *sandbox, rmi_engine *engine, const char *path, rmi_module **out,
                                rm_error *err);

#endif
