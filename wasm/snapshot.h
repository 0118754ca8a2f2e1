/* The snapshot: a WASM file whose memory holds an interpreter that has started already. */
#ifndef WASM_SNAPSHOT_H
#define WASM_SNAPSHOT_H

#include "remotemedia/remotemedia.h"

/* While the image is made: starts the interpreter, imports what pipelines use most, and leaves nothing behind
 * that belongs to the machine or the moment. */
RM_MUST_CHECK int rmi_snapshot_prepare(rm_error *err);
/* First of all in a process that began with the image: environment, directories, streams and random numbers
 * are this process' own from here on. */
RM_MUST_CHECK int rmi_snapshot_resume(rm_error *err);

#endif
