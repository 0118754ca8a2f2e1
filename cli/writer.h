/* Buffered writing to a descriptor, where every failure is noticed and none is reported twice. */
#ifndef CLI_WRITER_H
#define CLI_WRITER_H

#include "remotemedia/remotemedia.h"

enum { RMI_WRITER_SIZE = 1 << 17 };

/* {0} except for `descriptor` and `name` is a good start; the buffer comes with the first write. */
typedef struct rmi_writer {
    int descriptor;   /* owned; -1: closed, or was never open */
    const char *name; /* for messages, borrowed */
    char *buffer;
    size_t used;
    int64_t flushed_at; /* monotonic ns of the last flush */
    int error;          /* errno of the first failure; what is written afterwards goes nowhere */
    bool stuck;         /* the failure: the program is to stop, and nobody takes what it writes */
} rmi_writer;

/* A program that is to stop waits so long (ns) for a reader that takes nothing. */
extern const int64_t rmi_writer_patience;

/* Appends whole lines or a part of a document; writes when the buffer is full, so that text given in one call
 * is written together. RM_OK, or RM_E_IO once anything has failed. */
RM_MUST_CHECK int rmi_writer_put(rmi_writer *writer, const char *text, size_t length, rm_error *err);
RM_MUST_CHECK int rmi_writer_put_c(rmi_writer *writer, const char *text, rm_error *err);
/* Writes `text` at once, past the buffer. */
RM_MUST_CHECK int rmi_writer_write(rmi_writer *writer, const char *text, size_t length, rm_error *err);
/* Hands everything to the system now. */
RM_MUST_CHECK int rmi_writer_flush(rmi_writer *writer, rm_error *err);
/* Flushes, closes (some file systems report a full disk only then) and frees; also after failures.
 * Idempotent. */
RM_MUST_CHECK int rmi_writer_close(rmi_writer *writer, rm_error *err);

#endif
