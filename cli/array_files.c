#include "cli/array_files.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "cli/output_file.h"
#include "cli/writer.h"
#include "data/json/json.h"
#include "data/npy.h"

static int io_error(const char *path, int number, rm_error *err)
{
    return rm_error_set(err, RM_E_IO, "cannot write to %s: %s", path, strerror(number));
}

/* ---- The directory ---- */

/* Makes the directory of the first `length` bytes of `path`, and its parents; returns 0 or an errno. */
static int make(char *path, size_t length)
{
    const char kept = path[length];
    path[length] = '\0';
    int failure = mkdir(path, 0777) == 0 || errno == EEXIST ? 0 : errno;
    path[length] = kept;
    if (failure != ENOENT)
        return failure;
    size_t above = length;
    while (above > 0 && path[above - 1] != '/')
        above--;
    while (above > 0 && path[above - 1] == '/')
        above--;
    failure = above != 0 ? make(path, above) : ENOENT;
    if (failure != 0)
        return failure;
    path[length] = '\0';
    failure = mkdir(path, 0777) == 0 || errno == EEXIST ? 0 : errno;
    path[length] = kept;
    return failure;
}

int rmi_array_files_open(const char *directory, const char *where, rm_error *err)
{
    struct stat status;
    rmi_text path;
    if (rmi_utf8_check(directory, strlen(directory)) != strlen(directory))
        return rm_error_set(err, RM_E_USAGE,
                            "--arrays npy: the path of the directory must be UTF-8 to be printed");
    rmi_text_init(&path, NULL);
    rmi_text_append_c(&path, where);
    if (path.failed)
        return rmi_out_of_memory(err);
    int failure = make(path.data, path.length);
    rmi_text_clear(&path);
    if (failure == 0 && stat(where, &status) != 0)
        failure = errno;
    if (failure == 0 && !S_ISDIR(status.st_mode))
        failure = ENOTDIR;
    if (failure == 0 && access(where, W_OK | X_OK) != 0)
        failure = errno;
    return failure == 0 ? RM_OK : io_error(directory, failure, err);
}

/* ---- Files ---- */

static int write_file(const char *path, const rmi_text *head, rm_value whole, rm_error *err)
{
    const rm_tensor view = rm_tensor_view(whole);
    rmi_writer writer = {.descriptor = -1, .name = path};
    char *temporary = NULL;
    int rc = rmi_output_file_begin(path, &temporary, &writer.descriptor, err);
    if (rc == RM_OK)
        rc = rmi_writer_put(&writer, head->data, head->length, err);
    if (rc == RM_OK && rm_tensor_bytes(whole) != 0)
        rc = rmi_writer_put(&writer, view.data, rm_tensor_bytes(whole), err);
    int closed = rmi_writer_close(&writer, rc == RM_OK ? err : NULL);
    return rmi_output_file_end(path, temporary, rc == RM_OK ? closed : rc, err);
}

static int append_place(rmi_text *text, const char *path, rm_value tensor, rm_error *err)
{
    const rmi_json_style style = {0};
    rm_value name = rm_null();
    int rc = rm_string_new(NULL, path, strlen(path), &name, err);
    rmi_text_append_c(text, "{\"__npy__\":");
    if (rc == RM_OK)
        rc = rmi_json_append(text, name, &style, NULL, err);
    rmi_text_append_c(text, ",");
    if (rc == RM_OK)
        rc = rmi_json_append_layout(text, tensor, err);
    rmi_text_append_c(text, "}");
    rm_value_clear(&name);
    return rc;
}

int rmi_array_files_put(const char *directory, const char *where, const char *sink, int64_t number,
                        rm_value tensor, rmi_text *text, rm_error *err)
{
    const bool in_c = rm_tensor_is_contiguous(tensor), in_fortran = rm_tensor_is_fortran(tensor);
    rm_value whole = rm_null();
    rmi_text path, head;
    size_t length = strlen(where);
    const size_t before = length - strlen(directory); /* `where` ends with `directory` */
    rmi_text_init(&path, NULL);
    rmi_text_init(&head, NULL);
    while (length > 1 && where[length - 1] == '/')
        length--;
    rmi_text_append(&path, where, length);
    rmi_text_printf(&path, "%s%s-%lld.npy", where[length - 1] == '/' ? "" : "/", sink, (long long)number);
    int rc = path.failed ? rmi_out_of_memory(err) : RM_OK;
    if (rc == RM_OK && in_fortran)
        whole = rm_value_retain(tensor);
    else if (rc == RM_OK)
        rc = rm_tensor_contiguous(NULL, tensor, &whole, err);
    const rm_tensor view = rm_tensor_view(whole);
    if (rc == RM_OK)
        rc = rmi_npy_append_head(&head, &view, in_fortran && !in_c, err);
    if (rc == RM_OK)
        rc = write_file(path.data, &head, whole, err);
    if (rc == RM_OK)
        rc = append_place(text, path.data + before, tensor, err);
    rm_value_clear(&whole);
    rmi_text_clear(&head);
    rmi_text_clear(&path);
    return rc;
}
