#include "cli/writer.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "cli/guard.h"
#include "platform/platform.h"

const int64_t rmi_writer_patience = 50000000;

static int io_error(const rmi_writer *writer, rm_error *err)
{
    if (writer->stuck)
        return rm_error_set(err, RM_E_IO, "the reader of %s takes nothing", writer->name);
    if (writer->descriptor < 0)
        return rm_error_set(err, RM_E_IO, "cannot write %s: it is closed", writer->name);
    if (writer->error == EPIPE)
        return rm_error_set(err, RM_E_IO, "%s was closed by its reader; the run was stopped", writer->name);
    return rm_error_set(err, RM_E_IO, "cannot write %s: %s", writer->name, strerror(writer->error));
}

/* Writes some of the text, unless a signal comes first. Returns the bytes, or -1 and errno. */
static ssize_t write_some(const rmi_writer *writer, const char *text, size_t length)
{
    rmi_guard_call_begins();
    ssize_t written = write(writer->descriptor, text, length);
    if (written < 0 && errno == EAGAIN) { /* someone made the terminal or pipe that we share non-blocking */
        rmi_platform_wait_writable(writer->descriptor);
        errno = EINTR;
    }
    rmi_guard_call_ends();
    return written;
}

/* Writes all of the text. A signal does not end the attempt, so that lines stay whole, unless the reader
 * takes nothing any more. */
int rmi_writer_write(rmi_writer *writer, const char *text, size_t length, rm_error *err)
{
    int64_t stuck_since = 0; /* 0: not stuck */
    while (length != 0 && writer->error == 0) {
        const ssize_t written = write_some(writer, text, length);
        if (written < 0 && errno != EINTR) {
            writer->error = errno;
        } else if (written >= 0) {
            text += written;
            length -= (size_t)written;
            stuck_since = 0;
        } else if (rmi_guard_stopping()) {
            const int64_t now = rmi_platform_now();
            stuck_since = stuck_since == 0 ? now : stuck_since;
            writer->stuck = now - stuck_since >= rmi_writer_patience;
            writer->error = writer->stuck ? ETIMEDOUT : 0;
        }
    }
    return writer->error == 0 ? RM_OK : io_error(writer, err);
}

int rmi_writer_flush(rmi_writer *writer, rm_error *err)
{
    size_t length = writer->used;
    writer->used = 0;
    writer->flushed_at = rmi_platform_now();
    return rmi_writer_write(writer, writer->buffer, length, err);
}

int rmi_writer_put(rmi_writer *writer, const char *text, size_t length, rm_error *err)
{
    int rc = RM_OK;
    if (writer->buffer == NULL)
        writer->buffer = rmi_alloc(NULL, RMI_WRITER_SIZE);
    if (writer->buffer == NULL)
        return rmi_out_of_memory(err);
    if (writer->error != 0)
        return io_error(writer, err);
    if (length > RMI_WRITER_SIZE - writer->used)
        rc = rmi_writer_flush(writer, err);
    if (rc == RM_OK && length > RMI_WRITER_SIZE)
        return rmi_writer_write(writer, text, length, err);
    if (rc == RM_OK) {
        memcpy(writer->buffer + writer->used, text, length);
        writer->used += length;
    }
    return rc;
}

int rmi_writer_put_c(rmi_writer *writer, const char *text, rm_error *err)
{
    return rmi_writer_put(writer, text, strlen(text), err);
}

int rmi_writer_close(rmi_writer *writer, rm_error *err)
{
    int rc = rmi_writer_flush(writer, err);
    rmi_platform_unhide(writer->descriptor);
    if (writer->descriptor >= 0 && close(writer->descriptor) != 0 && errno != EINTR && writer->error == 0) {
        writer->error = errno;
        rc = io_error(writer, err);
    }
    writer->descriptor = -1;
    rmi_free(NULL, writer->buffer, RMI_WRITER_SIZE);
    writer->buffer = NULL;
    return rc;
}
