/* Reads a descriptor in large pieces, line by line or whole, and never misses a Ctrl-C. */
#ifndef CLI_READER_H
#define CLI_READER_H

#include "platform/platform.h"
#include "remotemedia/remotemedia.h"

typedef struct rmi_reader {
    int descriptor;   /* -1: not open */
    bool owned;       /* rmi_reader_close closes it */
    const char *name; /* for messages, borrowed */
    char *buffer;
    size_t start, end, capacity; /* unread bytes are [start, end) */
    size_t searched;             /* bytes after start without a line end */
    bool at_end;
} rmi_reader;

/* Whether `path` names standard input (descriptor 0) or standard output (1): "-", or a name of the system's. Such
 * a name must not be opened: the program has put its descriptors 0 and 1 aside, and other ones stand there. */
bool rmi_is_standard(const char *path, int descriptor);
/* Opens `where`, which messages call `path`, or takes `standard_input` (-1: closed) where `path` names it. RM_E_NOT_FOUND, RM_E_IO, or
 * RM_E_CANCELLED when the guard stopped it. Call rmi_reader_close also after a failure. */
RM_MUST_CHECK int rmi_reader_open(rmi_reader *reader, const char *path, const char *where, int standard_input,
                                  rm_error *err);
void rmi_reader_close(rmi_reader *reader);

/* Gives the next line without its end, borrowed until the next call; the last one may have no end. RM_AGAIN:
 * no line without waiting; RM_DONE: no more lines. */
RM_MUST_CHECK int rmi_reader_line(rmi_reader *reader, const char **line, size_t *length, rm_error *err);
/* Reads to the end, or a little past `limit` bytes. RM_AGAIN: the program has to stop, and `wake` is raised.
 * *data is borrowed. */
RM_MUST_CHECK int rmi_reader_whole(rmi_reader *reader, size_t limit, rmi_wake *wake, const char **data,
                                   size_t *length, rm_error *err);
/* Waits until there is something to read, `wake` is raised or `deadline` (monotonic ns) has passed. */
void rmi_reader_wait(rmi_reader *reader, rmi_wake *wake, int64_t deadline);

#endif
