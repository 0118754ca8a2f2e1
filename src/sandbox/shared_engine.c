#include "sandbox/shared_engine.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"

enum { LOADING_MS = 60000, COMPILING_MS = 300000 };
#define ENGINE_FILE "libremotemedia_wasmtime.so"
#define COMPILER_FILE "remotemedia-compile"

void rmi_sandbox_log(const rm_sandbox *sandbox, rm_log_level level, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    if (sandbox->log == NULL)
        return;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    sandbox->log(sandbox->log_context, level, NULL, text);
}

int rmi_sandbox_file(const rm_sandbox *sandbox, const char *const *names, char path[static RMI_SANDBOX_PATH],
                     rm_error *err)
{
    /* Beside the program, then where `make install` or the build puts the files; the same for the library. */
    static const char *const near[] = {".", "../wasm", "../../wasm", "remotemedia/wasm", NULL};
    for (size_t i = 0; names[i] != NULL; i++)
        if (rmi_find_beside(sandbox->modules, near, names[i], path, RMI_SANDBOX_PATH))
            return RM_OK;
    (void)rm_error_set(err, RM_E_NOT_FOUND, "there is no %s %s%s", names[0],
                       sandbox->modules[0] != '\0' ? "in " : "beside the program", sandbox->modules);
    rm_error_hint(err, "%s",
                  sandbox->remedy != NULL ? sandbox->remedy
                                          : "`make wasm` builds the WASM files; --wasm FILE names another");
    return RM_E_NOT_FOUND;
}

/* ---- The engine */

static int no_engine(const rm_sandbox *sandbox, const char *where, rm_error *err)
{
    (void)rm_error_set(err, RM_E_MISSING_FEATURE, "a sandbox needs RM_WASMTIME_RUNTIME, whose %s is %s",
                       ENGINE_FILE, where);
    if (sandbox->remedy != NULL)
        rm_error_hint(err, "%s", sandbox->remedy);
    return RM_E_MISSING_FEATURE;
}

static int load_library(rm_sandbox *sandbox, rm_error *err)
{
    static const char *const near[] = {".", "../lib", "remotemedia/lib", NULL};
    char path[RMI_SANDBOX_PATH];
    rmi_engine_entry *entry = NULL;
    if (sandbox->engine_path[0] != '\0')
        (void)snprintf(path, sizeof path, "%s", sandbox->engine_path);
    else if (!rmi_find_beside("", near, ENGINE_FILE, path, sizeof path))
        return no_engine(sandbox, "not beside the program", err);
    if (sandbox->remedy != NULL && access(path, R_OK) != 0)
        return no_engine(sandbox, "not installed", err);
    const char *slash = strrchr(path, '/');
    const int length = snprintf(sandbox->compiler, sizeof sandbox->compiler, "%.*s%s",
                                slash != NULL ? (int)(slash + 1 - path) : 0, path, COMPILER_FILE);
    if (length >= (int)sizeof sandbox->compiler)
        return rm_error_set(err, RM_E_LIMIT, "a path of a sandbox is longer than %d bytes",
                            RMI_SANDBOX_PATH - 1);
    int rc = rmi_library_open(sandbox->allocator, path, &sandbox->library, err);
    if (rc != RM_OK)
        return rc;
    if (!rmi_library_function(sandbox->library, RMI_ENGINE_ENTRY, &entry, sizeof entry) ||
        entry()->interface != RMI_ENGINE_INTERFACE) {
        rmi_library_close(sandbox->library);
        sandbox->library = NULL;
        return rm_error_set(err, RM_E_UNSUPPORTED_VERSION, "%s is of another version of this program", path);
    }
    sandbox->api = entry();
    return RM_OK;
}

int rmi_sandbox_engine(rm_sandbox *sandbox, bool fuel, rmi_engine_config *config, rmi_engine **out,
                       rm_error *err)
{
    int rc = sandbox->api == NULL ? load_library(sandbox, err) : RM_OK;
    *config = (rmi_engine_config){.allocator = sandbox->allocator,
                                  .fuel = fuel,
                                  .stack_size = RMI_SANDBOX_STACK,
                                  .pool = sandbox->instances};
    if (rc == RM_OK && sandbox->api != NULL && sandbox->engines[fuel] == NULL)
        rc = sandbox->api->engine_new(config, &sandbox->engines[fuel], err);
    *out = sandbox->engines[fuel];
    return rc;
}

/* ---- */

static int copy_path(const char *from, char to[static RMI_SANDBOX_PATH], rm_error *err)
{
    const size_t length = from != NULL ? strlen(from) : 0;
    if (length >= RMI_SANDBOX_PATH)
        return rm_error_set(err, RM_E_LIMIT, "a path of a sandbox is longer than %d bytes",
                            RMI_SANDBOX_PATH - 1);
    if (length > 0)
        memcpy(to, from, length + 1);
    return RM_OK;
}

int rm_sandbox_new(const rm_sandbox_config *config, rm_sandbox **out, rm_error *err)
{
    const rm_sandbox_config none = {.size = sizeof none};
    *out = NULL;
    if (config == NULL)
        config = &none;
    if (config->size != sizeof *config)
        return rm_error_set(err, RM_E_USAGE, "rm_sandbox_config.size is %u, not %zu", config->size,
                            sizeof *config);
    rm_sandbox *made = rmi_alloc_zeroed(config->allocator, sizeof *made);
    if (made == NULL)
        return rmi_out_of_memory(err);
    made->allocator = config->allocator;
    made->log = config->log;
    made->log_context = config->log_context;
    made->remedy = config->remedy;
    made->instances = config->instances;
    made->loading_ms = config->loading_ms > 0 ? config->loading_ms : LOADING_MS;
    made->compiling_ms = config->compiling_ms > 0 ? config->compiling_ms : COMPILING_MS;
    int rc = copy_path(config->modules, made->modules, err);
    if (rc == RM_OK)
        rc = copy_path(config->engine, made->engine_path, err);
    if (rc == RM_OK)
        rc = copy_path(config->cache, made->cache, err);
    int failure = rc == RM_OK ? pthread_mutex_init(&made->lock, NULL) : 0;
    if (rc == RM_OK && failure == 0) {
        failure = pthread_cond_init(&made->loaded_one, NULL);
        if (failure != 0)
            (void)pthread_mutex_destroy(&made->lock);
    }
    if (failure != 0)
        rc = rm_error_set(err, RM_E_INTERNAL, "no lock for the sandbox: %s", strerror(failure));
    if (rc == RM_OK)
        *out = made;
    else
        rmi_free(made->allocator, made, sizeof *made);
    return rc;
}

void rm_sandbox_free(rm_sandbox *sandbox)
{
    if (sandbox == NULL)
        return;
    rmi_sandbox_modules_free(sandbox);
    for (size_t i = 0; i < 2; i++)
        if (sandbox->engines[i] != NULL)
            sandbox->api->engine_free(sandbox->engines[i]);
    rmi_library_close(sandbox->library); /* its code stays loaded: signal handlers point into it */
    (void)pthread_cond_destroy(&sandbox->loaded_one);
    (void)pthread_mutex_destroy(&sandbox->lock);
    rmi_free(sandbox->allocator, sandbox, sizeof *sandbox);
}
