/* Opening the file, FIFO or device that a source reads. */
#ifndef NODES_OPEN_FILE_H
#define NODES_OPEN_FILE_H

#include "remotemedia/node.h"

/* Whether `path` names the run's standard input. */
bool rmi_is_standard_input(const char *path);
/* Opens `path` for reading. `node` may be NULL, outside of a run: then standard input cannot be had. *owned:
 * whether the caller has to close *descriptor. RM_E_NOT_FOUND; RM_E_IO, also for a directory; RM_E_USAGE where
 * standard input is taken; RM_E_CANCELLED. */
RM_MUST_CHECK int rmi_open_to_read(rm_node *node, const char *path, int *descriptor, bool *owned,
                                   rm_error *err);

#endif
