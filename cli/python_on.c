#include "cli/python.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "platform/platform.h"

enum { LONGEST_PATH = 4096 };

int rmi_program_python(rm_runtime *runtime, const rm_python_config *config, rm_error *err)
{
    return rm_python_attach(runtime, config, err);
}

int rmi_program_python_finish(rm_error *err)
{
    return rm_python_finish(err);
}

int rmi_program_become_python(const rmi_program *program, const char **arguments, rm_error *err)
{
    static const char *const nearby[] = {"python3.13", "../lib/remotemedia/bin/python3.13"};
    char folder[LONGEST_PATH] = "", path[LONGEST_PATH];
    const int output = program->out.descriptor;
    if (!rmi_platform_program_directory(folder, sizeof folder))
        return rm_error_set(err, RM_E_MISSING_FEATURE, "there are no processes in WebAssembly");
    errno = ENOENT;
    for (size_t i = 0; errno == ENOENT && i < sizeof nearby / sizeof *nearby; i++) {
        const int length = snprintf(path, sizeof path, "%s/%s", folder, nearby[i]);
        if (length < 0 || length >= LONGEST_PATH)
            continue;
        arguments[0] = path;
        rmi_platform_become(path, arguments, program->in, output);
    }
    return rm_error_set(err, errno == ENOENT ? RM_E_NOT_FOUND : RM_E_IO,
                        "cannot start python3.13 beside the program (in '%s'): %s", folder, strerror(errno));
}
