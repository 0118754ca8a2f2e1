/* The file of a module, and loading the code that is compiled from it. */
#ifndef SANDBOX_COMPILED_MODULES_H
#define SANDBOX_COMPILED_MODULES_H

#include "sandbox/code_cache.h"

typedef struct rmi_source {
    const char *path, *engine_key; /* borrowed */
    int file;
    int copy; /* of its bytes, in memory; -1: not read yet */
    size_t size;
    bool is_still; /* its identity tells its content apart from what it was before */
    char identity[RMI_CACHE_HEX], key[RMI_CACHE_HEX];
} rmi_source;

/* Who wants code, and for which engine. */
typedef struct rmi_wanted {
    rmi_engine *engine;
    rmi_engine_config config;
    const rmi_patience *patience;
} rmi_wanted;

/* Opens the module's file and finds out its identity. rmi_source_close also after a failure. */
RM_MUST_CHECK int rmi_source_open(rmi_source *from, const char *path, const char *engine_key, rm_error *err);
void rmi_source_close(rmi_source *from);
/* Fills in its key: noted in the cache (-1: there is none), or by reading all of it. */
RM_MUST_CHECK int rmi_source_key(rmi_source *from, const rm_sandbox *sandbox, int cache, rm_error *err);
/* Loads the code for its key: from the cache where it is there, else it is compiled first. */
RM_MUST_CHECK int rmi_code_load(rm_sandbox *sandbox, const rmi_wanted *wanted, rmi_source *from, int cache,
                                rmi_module **out, rm_error *err);

#endif
