/* The snapshot: a WASM file whose memory holds a started interpreter. */
#ifndef WASM_SNAPSHOT_H
#define WASM_SNAPSHOT_H

#include "remotemedia/remotemedia.h"

/* Called while the image is made: starts the interpreter, imports the modules that pipelines use most, and
 * leaves nothing of this machine or this moment in memory. */
RM_MUST_CHECK int rmi_snapshot_prepare(rm_error *err);
/* Called first in a process that began with the image: sets environment, directories, streams and random
 * numbers to this process's own. */
RM_MUST_CHECK int rmi_snapshot_resume(rm_error *err);

#endif
