#include "cli/program.h"

#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

char *rmi_program_path(const rmi_program *program, const char *path)
{
    rmi_text text;
    char *copy = NULL;
    rmi_text_init(&text, NULL);
    if (path[0] != '/' && path[0] != '\0' && program->folder[0] != '\0')
        rmi_text_printf(&text, "%s/", program->folder);
    rmi_text_append_c(&text, path);
    if (!text.failed)
        copy = rmi_copy_text(NULL, text.data != NULL ? text.data : "");
    rmi_text_clear(&text);
    return copy;
}
