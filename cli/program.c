#include "cli/program.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

char *rmi_program_path(const rmi_program *program, const char *path)
{
    if (path[0] == '/' || path[0] == '\0' || program->folder[0] == '\0')
        return rmi_copy_text(NULL, path);
    const size_t size = strlen(program->folder) + strlen(path) + 2;
    char *copy = rmi_alloc(NULL, size);
    if (copy != NULL)
        (void)snprintf(copy, size, "%s/%s", program->folder, path);
    return copy;
}
