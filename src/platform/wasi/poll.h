/* The host's poll_oneoff, as the platform's files use it. */
#ifndef PLATFORM_WASI_POLL_H
#define PLATFORM_WASI_POLL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wasi/api.h>

/* Waits until one of `descriptors` can be read (written), or until `deadline` (monotonic ns, INT64_MAX:
 * none). true when a descriptor ended it. A host that cannot wait for descriptors is taken at its word: they
 * count as ready, and the read itself waits. */
bool rmi_wasi_wait(const int *descriptors, size_t count, __wasi_eventtype_t what, int64_t deadline);

#endif
