#include "nodes/open_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool rmi_is_standard_input(const char *path)
{
    static const char *const names[] = {"-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(path, names[i]) == 0)
            return true;
    return false;
}

static int not_opened(const char *path, int cause, rm_error *err)
{
    if (cause != ENOENT && cause != ENOTDIR)
        return rm_error_set(err, RM_E_IO, "cannot open '%s': %s", path, strerror(cause));
    rm_error_set(err, RM_E_NOT_FOUND, "there is no file '%s'", path);
    if (err != NULL && path[0] != '/')
        rm_error_hint(err, "a relative path starts at the current directory");
    return RM_E_NOT_FOUND;
}

int rmi_open_to_read(rm_node *node, const char *path, int *descriptor, bool *owned, rm_error *err)
{
    struct stat status;
    *descriptor = -1;
    *owned = !rmi_is_standard_input(path);
    if (!*owned && node == NULL)
        return rm_error_set(err, RM_E_USAGE, "there is no standard input here");
    if (!*owned)
        return rm_node_standard_input(node, descriptor, err);
    do { /* a FIFO waits for a writer */
        *descriptor = open(path, O_RDONLY | O_CLOEXEC);
        if (*descriptor < 0 && errno == EINTR && node != NULL && rm_node_cancelled(node))
            return rm_node_cancel_error(node, err);
    } while (*descriptor < 0 && errno == EINTR);
    if (*descriptor < 0)
        return not_opened(path, errno, err);
    if (fstat(*descriptor, &status) != 0 || !S_ISDIR(status.st_mode))
        return RM_OK;
    (void)close(*descriptor);
    *descriptor = -1;
    return rm_error_set(err, RM_E_IO, "cannot read '%s': it is a directory", path);
}
