#include "cli/own_files.h"

#include <stddef.h>

#include "platform/platform.h"

enum { OUTPUT = 4, OWN_FILES = 6 };

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

/* Fills in the files, and finds out what they are. Standard output comes behind those that it could spoil. */
static void identify_all(const rmi_own_files *files, own_file own[OWN_FILES])
{
    const own_file all[OWN_FILES] = {
        {.what = "the manifest", .path = files->manifest, .descriptor = -1},
        {.what = "--input", .path = files->input, .descriptor = -1},
        {.what = "standard input", .descriptor = files->reads_standard ? files->in : -1},
        {.what = "--output", .path = files->output, .descriptor = -1, .writes = true},
        [OUTPUT] = {.what = "standard output", .descriptor = files->out, .writes = true},
        {.what = "standard error", .descriptor = files->error, .writes = true},
    };
    for (size_t i = 0; i < OWN_FILES; i++) {
        own[i] = all[i];
        own[i].kind = own[i].path != NULL ? rmi_platform_identify(own[i].path, &own[i].id)
                                          : rmi_platform_identify_descriptor(own[i].descriptor, &own[i].id);
    }
}

int rmi_own_files_check(const rmi_own_files *files, rm_error *err)
{
    own_file own[OWN_FILES];
    identify_all(files, own);
    for (size_t i = 0; i < OWN_FILES; i++)
        for (size_t k = 0; k < i; k++)
            if (clash(&own[k], &own[i]))
                return refuse(&own[k], &own[i], err);
    return RM_OK;
}

bool rmi_own_files_has_output(const rmi_own_files *files)
{
    own_file own[OWN_FILES];
    bool found = false;
    identify_all(files, own);
    for (size_t i = 0; i < OUTPUT; i++)
        found |= clash(&own[i], &own[OUTPUT]);
    return found;
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
    *stream++ = (rm_caller_stream){"standard output", files->out, true};
    *stream++ = (rm_caller_stream){"standard error", files->error, true};
    if (files->reads_standard)
        *stream++ = (rm_caller_stream){"standard input", files->in, false};
    *stream = (rm_caller_stream){NULL, -1, false};
    options->reads = files->reads;
    options->writes = files->writes;
    options->streams = files->streams;
    options->streams_in_use = files->in_use;
    options->array_folder = files->arrays;
    options->standard_input = files->reads_standard ? -1 : files->in;
    options->standard_output = files->output != NULL ? files->out : 0;
}
