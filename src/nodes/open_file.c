#include "nodes/open_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- Opening */

static int not_opened(const char *path, int cause, rm_error *err)
{
    if (cause != ENOENT && cause != ENOTDIR)
        return rm_error_set(err, RM_E_IO, "cannot open '%s': %s", path, strerror(cause));
    rm_error_set(err, RM_E_NOT_FOUND, "there is no file '%s'", path);
    if (err != NULL && path[0] != '/')
        rm_error_hint(err, "a relative path starts at the current directory");
    return RM_E_NOT_FOUND;
}

/* Between two attempts to open a FIFO that has no reader yet, ns. */
static const int64_t again = 20000000;
/* What Linux' pipes take at once where they take anything. */
enum { A_WRITE = 4096 };

/* Whether a wait for a FIFO can be ended, if `path` is one. */
static bool is_fifo(rm_node *node, const char *path)
{
    struct stat status;
    return node != NULL && stat(path, &status) == 0 && S_ISFIFO(status.st_mode) &&
           rm_node_wait(node, -1, false, 0, NULL) != RM_DONE;
}

/* Opens. Of a FIFO neither the writer is waited for, as the first read does that; nor, by the system, the reader.
 * RM_E_IO with errno. */
static int open_file(rm_node *node, const char *path, int flags, rmi_open_file *out, rm_error *err)
{
    const bool fifo = is_fifo(node, path);
    int rc = RM_OK, failure = 0;
    out->at_once = fifo;
    do {
        out->descriptor = open(path, flags | O_CLOEXEC | (fifo ? O_NONBLOCK : 0), 0666);
        failure = out->descriptor < 0 ? errno : 0;
        if (failure == ENXIO && fifo)
            rc = rm_node_wait(node, -1, false, rm_clock_now() + again, err);
        else if (failure == EINTR && node != NULL && rm_node_cancelled(node))
            rc = rm_node_cancel_error(node, err);
    } while (rc == RM_OK && (failure == EINTR || (failure == ENXIO && fifo)));
    errno = failure;
    return rc == RM_OK && out->descriptor < 0 ? RM_E_IO : rc;
}

/* Finds out what has been opened. Of devices, terminals alone make a writer wait. */
static void look(rmi_open_file *file, bool writing, struct stat *status)
{
    if (fstat(file->descriptor, status) != 0)
        *status = (struct stat){0};
    file->waits = S_ISFIFO(status->st_mode) || S_ISSOCK(status->st_mode) ||
                  (S_ISCHR(status->st_mode) && (!writing || isatty(file->descriptor) == 1));
}

int rmi_file_open_to_read(rm_node *node, const char *path, rmi_open_file *out, rm_error *err)
{
    struct stat status;
    int rc = RM_OK;
    *out = (rmi_open_file){.descriptor = -1, .owned = !rm_is_standard_stream(path, false)};
    if (!out->owned && node == NULL)
        return rm_error_set(err, RM_E_USAGE, "there is no standard input here");
    rc = out->owned ? open_file(node, path, O_RDONLY, out, err)
                    : rm_node_standard_input(node, &out->descriptor, err);
    if (rc == RM_E_IO)
        return not_opened(path, errno, err);
    if (rc != RM_OK)
        return rc;
    look(out, false, &status);
    if (!S_ISDIR(status.st_mode))
        return RM_OK;
    (void)rmi_file_close(out);
    return rm_error_set(err, RM_E_IO, "cannot read '%s': it is a directory", path);
}

int rmi_file_not_written(const char *path, int cause, rm_error *err)
{
    const int code = cause == ENOENT || cause == ENOTDIR ? RM_E_NOT_FOUND : RM_E_IO;
    if (rm_is_standard_stream(path, true))
        return rm_error_set(err, code, "cannot write standard output: %s", strerror(cause));
    return rm_error_set(err, code, "cannot write '%s': %s", path, strerror(cause));
}

int rmi_file_open_to_write(rm_node *node, const char *path, int flags, rmi_open_file *out, rm_error *err)
{
    struct stat status;
    *out = (rmi_open_file){.descriptor = -1, .owned = !rm_is_standard_stream(path, true)};
    if (!out->owned && node == NULL)
        return rm_error_set(err, RM_E_USAGE, "there is no standard output here");
    const int rc = out->owned ? open_file(node, path, O_WRONLY | O_CREAT | flags, out, err)
                              : rm_node_standard_output(node, &out->descriptor, err);
    if (rc == RM_OK)
        look(out, true, &status);
    return rc == RM_E_IO ? rmi_file_not_written(path, errno, err) : rc;
}

int rmi_file_close(rmi_open_file *file)
{
    const int descriptor = file->descriptor;
    file->descriptor = -1;
    return file->owned && descriptor >= 0 ? close(descriptor) : 0;
}

/* ---- Reading and writing */

/* Waits for a pipe, socket or terminal; *waited: it is ready, so that a call of the system does not wait. */
static int wait_for(rm_node *node, const rmi_open_file *file, bool writing, bool *waited, rm_error *err)
{
    const bool waits = file->waits && node != NULL;
    const int rc = waits ? rm_node_wait(node, file->descriptor, writing, INT64_MAX, err) : RM_DONE;
    *waited = rc == RM_OK;
    return rc < 0 ? rc : RM_OK;
}

/* A call has failed. RM_OK: try again, after a signal, or where the pipe is empty or full and can be waited for (others may
 * have made a shared one non-blocking). */
static int failed(rm_node *node, bool can_wait, rm_error *err)
{
    if (errno != EINTR && !(errno == EAGAIN && can_wait))
        return RM_E_IO;
    return node != NULL && rm_node_cancelled(node) ? rm_node_cancel_error(node, err) : RM_OK;
}

int rmi_file_read(rm_node *node, const rmi_open_file *file, const char *name, void *bytes, size_t wanted,
                  size_t *got, rm_error *err)
{
    bool waited = false;
    int rc = RM_OK;
    *got = 0;
    while ((rc = wait_for(node, file, false, &waited, err)) == RM_OK) {
        const ssize_t count = read(file->descriptor, bytes, wanted);
        *got = count >= 0 ? (size_t)count : 0;
        if (count >= 0 || (rc = failed(node, waited, err)) != RM_OK)
            break;
    }
    return rc != RM_E_IO ? rc : rm_error_set(err, rc, "cannot read '%s': %s", name, strerror(errno));
}

int rmi_file_write(rm_node *node, const rmi_open_file *file, const void *bytes, size_t size, size_t *wrote,
                   rm_error *err)
{
    bool waited = false;
    int rc = RM_OK;
    *wrote = 0;
    for (bool wait = !file->at_once;; wait = true) {
        if (wait && (rc = wait_for(node, file, true, &waited, err)) != RM_OK)
            return rc;
        const size_t part = waited && !file->at_once && size > A_WRITE ? A_WRITE : size;
        const ssize_t count = write(file->descriptor, bytes, part);
        *wrote = count >= 0 ? (size_t)count : 0;
        if (count >= 0)
            return RM_OK;
        if ((rc = failed(node, waited || file->at_once, err)) != RM_OK)
            return rc;
    }
}
