/* Reads the file of a module, and loads the code that is compiled from it. */
#ifndef SANDBOX_COMPILED_MODULES_H
#define SANDBOX_COMPILED_MODULES_H

#include "sandbox/code_cache.h"

typedef struct rmi_source {
    const char *path, *engine_key; /* borrowed */
    int file;
    int copy; /* a file in memory with its bytes; -1: not read yet */
    size_t size;
    bool is_still; /* the same identity means the same content */
    char identity[RMI_CACHE_HEX], key[RMI_CACHE_HEX];
} rmi_source;

/* For which engine code is wanted, and for how long the caller waits. */
typedef struct rmi_wanted {
    rmi_engine *engine;
    rmi_engine_config config;
    const rmi_patience *patience;
} rmi_wanted;

/* Opens the module's file and finds out its identity. The caller calls rmi_source_close also after a
 * failure. */
RM_MUST_CHECK int rmi_source_open(rmi_source *from, const char *path, const char *engine_key, rm_error *err);
void rmi_source_close(rmi_source *from);
/* Fills in the key: from a note in the cache (-1: no cache), or by reading the whole file. */
RM_MUST_CHECK int rmi_source_key(rmi_source *from, const rm_sandbox *sandbox, int cache, rm_error *err);
/* Loads the code for the key from the cache; compiles it first where the cache has none. */
RM_MUST_CHECK int rmi_code_load(rm_sandbox *sandbox, const rmi_wanted *wanted, rmi_source *from, int cache,
                                rmi_module **out, rm_error *err);

#endif
