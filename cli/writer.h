/* Buffered writing to a descriptor: notices every failure, and reports none twice. */
#ifndef CLI_WRITER_H
#define CLI_WRITER_H

#include "remotemedia/remotemedia.h"

enum { RMI_WRITER_SIZE = 1 << 17 };

/* Start with {0} except for `descriptor` and `name`; the first write allocates the buffer. */
typedef struct rmi_writer {
    int descriptor;   /* owned; -1: closed, or was never open */
    const char *name; /* for messages, borrowed */
    char *buffer;
    size_t used;
    int64_t flushed_at; /* monotonic ns of the last flush */
    int error;          /* errno of the first failure; later text goes nowhere */
    bool stuck;         /* the failure: the program has to stop, and nobody takes its output */
} rmi_writer;

/* The ns that a program that has to stop waits for a reader that takes nothing. */
extern const int64_t rmi_writer_patience;

/* Appends whole lines or a part of a document; writes when the buffer is full, so that the text of one call
 * is written together. RM_OK, or RM_E_IO after any failure. */
RM_MUST_CHECK int rmi_writer_put(rmi_writer *writer, const char *text, size_t length, rm_error *err);
RM_MUST_CHECK int rmi_writer_put_c(rmi_writer *writer, const char *text, rm_error *err);
/* Writes `text` at once, past the buffer. */
RM_MUST_CHECK int rmi_writer_write(rmi_writer *writer, const char *text, size_t length, rm_error *err);
/* Writes the buffer. */
RM_MUST_CHECK int rmi_writer_flush(rmi_writer *writer, rm_error *err);
/* Flushes, closes (some file systems report a full disk only then) and frees; also after failures.
 * Idempotent. */
RM_MUST_CHECK int rmi_writer_close(rmi_writer *writer, rm_error *err);

#endif
