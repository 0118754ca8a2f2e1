/* The file of --output: lines are written to it one by one, a document replaces it only when it is
 * complete. */
#ifndef CLI_OUTPUT_FILE_H
#define CLI_OUTPUT_FILE_H

#include "remotemedia/remotemedia.h"

/* Prepares `where`, which messages call `path`. For a document (`whole`) in a regular file: only checks, opens nothing,
 * and sets *whole. Else *descriptor (owned) is open; the file keeps its content until rmi_output_file_empty. *created: it was not there. */
RM_MUST_CHECK int rmi_output_file_open(const char *path, const char *where, bool document, int *descriptor,
                                       bool *whole, bool *created, rm_error *err);
/* Removes the file behind `descriptor`, which rmi_output_file_open has created, if it is still empty and in its place. */
void rmi_output_file_remove(const char *where, int descriptor);
RM_MUST_CHECK int rmi_output_file_empty(const char *path, int descriptor, rm_error *err);
/* Creates a file beside what `path` leads to; *temporary (owned, for rmi_output_file_end) is its name. */
RM_MUST_CHECK int rmi_output_file_begin(const char *path, char **temporary, int *descriptor, rm_error *err);
/* Renames the file to what `path` leads to when `rc` is RM_OK, else removes it; frees `temporary` (NULL is fine). Returns
 * `rc` or its own failure. */
RM_MUST_CHECK int rmi_output_file_end(const char *path, char *temporary, int rc, rm_error *err);

#endif
