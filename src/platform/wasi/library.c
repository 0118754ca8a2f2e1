#include "platform/platform.h"

int rmi_library_open(const rm_allocator *allocator, const char *path, rmi_library **out, rm_error *err)
{
    (void)allocator;
    *out = NULL;
    return rm_error_set(err, RM_E_MISSING_FEATURE,
                        "cannot load %s: a WASM host has no shared objects, so there are no plug-ins", path);
}

bool rmi_platform_own_directory(char *buffer, size_t size)
{
    (void)buffer, (void)size;
    return false;
}

bool rmi_library_function(rmi_library *library, const char *name, void *function, size_t size)
{
    (void)library, (void)name, (void)function, (void)size;
    return false;
}

void rmi_library_close(rmi_library *library)
{
    (void)library;
}
