/* The files of --arrays npy:DIR. */
#ifndef CLI_ARRAY_FILES_H
#define CLI_ARRAY_FILES_H

#include "base/text.h"
#include "remotemedia/remotemedia.h"

/* Makes the directory and its parents where they are missing, before the run. RM_E_IO when that fails. `where` is
 * its path from the root, which ends with `directory`, or `directory` itself; messages name `directory`. */
RM_MUST_CHECK int rmi_array_files_open(const char *directory, const char *where, rm_error *err);
/* Writes `tensor` to WHERE/SINK-NUMBER.npy, whole or not at all, and appends the JSON in its place to `text`:
 * {"__npy__": path, "shape": ..., "dtype": ...} with the path in `directory`. RM_E_IO with the path, or
 * RM_E_UNSUPPORTED. */
RM_MUST_CHECK int rmi_array_files_put(const char *directory, const char *where, const char *sink,
                                      int64_t number, rm_value tensor, rmi_text *text, rm_error *err);

#endif
