/* How much memory the items of a run take. */
#ifndef EXEC_WAITING_BYTES_H
#define EXEC_WAITING_BYTES_H

#include "remotemedia/remotemedia.h"

/* The bytes of the packets that wait between nodes, before sources and as results, rounded up to 256 for each heap value; what
 * containers hold, and what nodes keep, is not counted. Called where rm_run_step is. */
uint64_t rmi_pipeline_waiting_bytes(const rm_pipeline *pipeline);
/* What one value counts for. */
uint64_t rmi_value_waiting_bytes(rm_value value);

#endif
