#include <dlfcn.h>
#include <string.h>

#include "base/alloc.h"
#include "platform/platform.h"

struct rmi_library {
    const rm_allocator *allocator;
    void *handle;
};

int rmi_library_open(const rm_allocator *allocator, const char *path, rmi_library **out, rm_error *err)
{
    rmi_library *library = rmi_alloc(allocator, sizeof *library);
    char here[4096];
    size_t length = strlen(path);
    *out = NULL;
    if (library == NULL)
        return rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory");
    if (strchr(path, '/') == NULL && length < sizeof here - 2) { /* dlopen looks elsewhere for a bare name */
        memcpy(here, "./", 2);
        memcpy(here + 2, path, length + 1);
        path = here;
    }
    *library = (rmi_library){.allocator = allocator, .handle = dlopen(path, RTLD_NOW | RTLD_LOCAL)};
    if (library->handle == NULL) {
        const char *why = dlerror();
        int rc = rm_error_set(err, RM_E_IO, "cannot load %s: %s", path, why != NULL ? why : "unknown reason");
        rmi_free(allocator, library, sizeof *library);
        return rc;
    }
    *out = library;
    return RM_OK;
}

bool rmi_platform_own_directory(char *buffer, size_t size)
{
    static const char here;
    Dl_info found;
    const char *slash =
        dladdr(&here, &found) != 0 && found.dli_fname != NULL ? strrchr(found.dli_fname, '/') : NULL;
    const size_t length = slash != NULL ? (size_t)(slash - found.dli_fname) : 0;
    if (length == 0 || length >= size)
        return false;
    memcpy(buffer, found.dli_fname, length);
    buffer[length] = '\0';
    return true;
}

bool rmi_library_function(rmi_library *library, const char *name, void *function, size_t size)
{
    void *symbol = dlsym(library->handle, name);
    if (symbol == NULL || size != sizeof symbol)
        return false;
    memcpy(function, &symbol, size); /* POSIX: pointers to functions and to data have the same form */
    return true;
}

void rmi_library_close(rmi_library *library)
{
    if (library == NULL)
        return;
    (void)dlclose(library->handle);
    rmi_free(library->allocator, library, sizeof *library);
}
