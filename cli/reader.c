#include "cli/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "cli/guard.h"

enum { PIECE = 1 << 17 };

static int io_error(const rmi_reader *reader, int number, rm_error *err)
{
    return rm_error_set(err, number == ENOENT ? RM_E_NOT_FOUND : RM_E_IO, "cannot read %s: %s", reader->name,
                        strerror(number));
}

bool rmi_is_standard(const char *path, int descriptor)
{
    return path != NULL && rmi_platform_standard(path, descriptor == STDOUT_FILENO) == descriptor;
}

int rmi_reader_open(rmi_reader *reader, const char *path, const char *where, int standard_input,
                    rm_error *err)
{
    struct stat status;
    const bool standard = rmi_is_standard(path, STDIN_FILENO);
    *reader = (rmi_reader){.descriptor = standard_input, .name = standard ? "standard input" : path};
    if (standard && standard_input < 0)
        return rm_error_set(err, RM_E_IO, "cannot read standard input: it is closed");
    if (!standard) { /* opening a named pipe waits for a writer */
        rmi_guard_call_begins();
        do {
            reader->descriptor = open(where, O_RDONLY | O_CLOEXEC);
        } while (reader->descriptor < 0 && errno == EINTR && !rmi_guard_stopping());
        rmi_guard_call_ends();
        reader->owned = reader->descriptor >= 0;
        rmi_platform_hide(reader->descriptor);
    }
    if (reader->descriptor < 0 && errno == EINTR)
        return rm_error_set(err, RM_E_CANCELLED, "interrupted while opening %s", path);
    if (reader->descriptor < 0 || fstat(reader->descriptor, &status) != 0)
        return io_error(reader, errno, err);
    if (S_ISDIR(status.st_mode))
        return io_error(reader, EISDIR, err);
    return RM_OK;
}

void rmi_reader_close(rmi_reader *reader)
{
    if (reader->owned) {
        rmi_platform_unhide(reader->descriptor);
        (void)close(reader->descriptor);
    }
    rmi_free(NULL, reader->buffer, reader->capacity);
    *reader = (rmi_reader){.descriptor = -1};
}

/* Makes room for another piece behind the unread bytes. */
static int make_room(rmi_reader *reader, rm_error *err)
{
    void *buffer = reader->buffer;
    size_t unread = reader->end - reader->start;
    if (reader->start != 0 && unread != 0)
        memmove(reader->buffer, reader->buffer + reader->start, unread);
    reader->start = 0;
    reader->end = unread;
    if (reader->capacity - unread >= PIECE)
        return RM_OK;
    int rc = rmi_grow(NULL, &buffer, &reader->capacity, unread + PIECE, 1, err);
    reader->buffer = buffer;
    return rc;
}

/* Reads once. RM_OK also at the end of the file; RM_AGAIN: interrupted, or nothing there. */
static int read_piece(rmi_reader *reader, rm_error *err)
{
    int rc = make_room(reader, err);
    if (rc != RM_OK)
        return rc;
    ssize_t got = read(reader->descriptor, reader->buffer + reader->end, PIECE);
    if (got < 0)
        return errno == EINTR || errno == EAGAIN ? RM_AGAIN : io_error(reader, errno, err);
    reader->at_end = got == 0;
    reader->end += (size_t)got;
    return RM_OK;
}

int rmi_reader_line(rmi_reader *reader, const char **line, size_t *length, rm_error *err)
{
    int rc = RM_OK;
    const char *found = NULL;
    while (rc == RM_OK) {
        size_t unread = reader->end - reader->start;
        const char *from = unread != 0 ? reader->buffer + reader->start : NULL;
        found = unread > reader->searched ? memchr(from + reader->searched, '\n', unread - reader->searched)
                                          : NULL;
        reader->searched = unread;
        if (found != NULL || reader->at_end)
            break;
        rc = rmi_platform_would_block(reader->descriptor) ? RM_AGAIN : read_piece(reader, err);
    }
    if (rc != RM_OK)
        return rc;
    size_t unread = reader->end - reader->start;
    if (found == NULL && unread == 0)
        return RM_DONE;
    *line = reader->buffer + reader->start;
    *length = found != NULL ? (size_t)(found - *line) : unread;
    reader->start += *length + (found != NULL ? 1 : 0);
    reader->searched = 0;
    return RM_OK;
}

/* Makes room for the rest of a regular file, so that its text is never moved. */
static int make_room_for_all(rmi_reader *reader, size_t limit, rm_error *err)
{
    struct stat status;
    void *buffer = reader->buffer;
    size_t wanted = reader->end + 2 * PIECE;
    if (fstat(reader->descriptor, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size <= 0 ||
        (uint64_t)status.st_size > limit || !rmi_add(wanted, (size_t)status.st_size, &wanted))
        return RM_OK; /* the buffer grows with each piece */
    int rc = rmi_grow(NULL, &buffer, &reader->capacity, wanted, 1, err);
    reader->buffer = buffer;
    return rc;
}

int rmi_reader_whole(rmi_reader *reader, size_t limit, rmi_wake *wake, const char **data, size_t *length,
                     rm_error *err)
{
    int rc = reader->capacity == 0 ? make_room_for_all(reader, limit, err) : RM_OK;
    while (rc == RM_OK && !reader->at_end && reader->end - reader->start <= limit) {
        if (rmi_guard_stopping())
            rc = RM_AGAIN;
        else if (rmi_platform_would_block(reader->descriptor))
            rmi_reader_wait(reader, wake, INT64_MAX);
        else if ((rc = read_piece(reader, err)) == RM_AGAIN)
            rc = RM_OK; /* a signal, or another reader was faster: try again */
    }
    *data = reader->end != reader->start ? reader->buffer + reader->start : "";
    *length = reader->end - reader->start;
    return rc;
}

void rmi_reader_wait(rmi_reader *reader, rmi_wake *wake, int64_t deadline)
{
    (void)rmi_wake_wait(wake, &reader->descriptor, 1, deadline);
}
