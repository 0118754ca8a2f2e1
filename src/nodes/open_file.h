/* The file, FIFO or device that a node reads or writes, standard input and output among them. */
#ifndef NODES_OPEN_FILE_H
#define NODES_OPEN_FILE_H

#include "remotemedia/node.h"

typedef struct rmi_open_file {
    int descriptor; /* -1: none */
    bool owned;     /* rmi_file_close closes it */
    bool waits;     /* a call may wait for ever */
    bool at_once;   /* the system's calls do not wait: O_NONBLOCK */
} rmi_open_file;

/* Opens `path` for reading; does not wait for the writer of a FIFO. `node` may be NULL, outside of a run: then standard
 * input cannot be had. RM_E_NOT_FOUND; RM_E_IO, also for a directory; RM_E_USAGE where standard input is taken;
 * RM_E_CANCELLED. */
RM_MUST_CHECK int rmi_file_open_to_read(rm_node *node, const char *path, rmi_open_file *out, rm_error *err);
/* Reads up to `wanted` > 0 bytes; *got is 0 only at the end. `name` is for messages. RM_E_IO, RM_E_CANCELLED. */
RM_MUST_CHECK int rmi_file_read(rm_node *node, const rmi_open_file *file, const char *name, void *bytes,
                                size_t wanted, size_t *got, rm_error *err);
/* Opens `path` for writing, with these flags of open(2) beside O_WRONLY and O_CREAT; waits for the reader of a FIFO.
 * Errors as above. */
RM_MUST_CHECK int rmi_file_open_to_write(rm_node *node, const char *path, int flags, rmi_open_file *out,
                                         rm_error *err);
/* Writes up to `size` bytes; *wrote is more than 0. On failure, RM_E_IO, errno is set and `err` is not; or
 * RM_E_CANCELLED. */
RM_MUST_CHECK int rmi_file_write(rm_node *node, const rmi_open_file *file, const void *bytes, size_t size,
                                 size_t *wrote, rm_error *err);
/* Fails with RM_E_IO, or RM_E_NOT_FOUND where there is no such folder: `path` cannot be written because of `cause`, an
 * errno. */
int rmi_file_not_written(const char *path, int cause, rm_error *err);
/* Returns what close(2) returns; 0 for a file that is not owned, and for none. */
int rmi_file_close(rmi_open_file *file);

#endif
