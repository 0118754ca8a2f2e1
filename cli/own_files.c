#include "cli/own_files.h"

#include <stddef.h>

#include "platform/platform.h"

/* A file of the program's, as messages call it. */
typedef struct own_file {
    const char *what, *path;
    int descriptor; /* where there is no path */
    bool writes;
    rmi_file_kind kind;
    rmi_file_id id;
} own_file;

/* Two redirections may go to one file: `> log 2>&1`. */
static bool clash(const own_file *a, const own_file *b)
{
    const bool both_redirected = a->path == NULL && b->path == NULL && a->writes && b->writes;
    return a->kind == RMI_FILE_REGULAR && b->kind == RMI_FILE_REGULAR && (a->writes || b->writes) &&
           !both_redirected && rmi_platform_same_file(&a->id, &b->id);
}

static int refuse(const own_file *a, const own_file *b, rm_error *err)
{
    const own_file *writer = b->writes ? b : a, *other = writer == a ? b : a;
    rm_error_set(err, RM_E_USAGE, "%s would overwrite the file of %s, which is %s in this run", writer->what,
                 other->what, other->writes ? "written too" : "read");
    if (writer->path == NULL)
        rm_error_hint(err,
                      "redirect %s to another file; what the shell's '>' has emptied cannot be brought back",
                      writer->what);
    else
        rm_error_hint(err, "use another file");
    return RM_E_USAGE;
}

int rmi_own_files_check(const rmi_own_files *files, rm_error *err)
{
    own_file own[] = {
        {.what = "the manifest", .path = files->manifest, .descriptor = -1},
        {.what = "--input", .path = files->input, .descriptor = -1},
        {.what = "standard input", .descriptor = files->reads_standard ? files->in : -1},
        {.what = "--output", .path = files->output, .descriptor = -1, .writes = true},
        {.what = "standard output", .descriptor = files->out, .writes = true},
        {.what = "standard error", .descriptor = files->error, .writes = true},
    };
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        own_file *file = &own[i];
        file->kind = file->path != NULL ? rmi_platform_identify(file->path, &file->id)
                                        : rmi_platform_identify_descriptor(file->descriptor, &file->id);
        for (size_t k = 0; k < i; k++)
            if (clash(&own[k], file))
                return refuse(&own[k], file, err);
    }
    return RM_OK;
}

void rmi_own_files_tell(rmi_own_files *files, rm_pipeline_options *options)
{
    const char **read = files->reads;
    rm_caller_stream *stream = files->streams;
    if (files->manifest != NULL)
        *read++ = files->manifest;
    if (files->input != NULL)
        *read++ = files->input;
    *read = NULL;
    files->writes[0] = files->output;
    files->writes[1] = NULL;
    if (files->reads_standard)
        *stream++ = (rm_caller_stream){"standard input", files->in, false};
    *stream++ = (rm_caller_stream){"standard output", files->out, true};
    *stream++ = (rm_caller_stream){"standard error", files->error, true};
    *stream = (rm_caller_stream){NULL, -1, false};
    options->reads = files->reads;
    options->writes = files->writes;
    options->streams = files->streams;
    options->array_folder = files->arrays;
    options->standard_input = files->reads_standard ? -1 : files->in;
    options->standard_output = files->output != NULL ? files->out : -1;
}
