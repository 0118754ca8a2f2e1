/* The host's poll_oneoff, as the platform's files use it. */
#ifndef PLATFORM_WASI_POLL_H
#define PLATFORM_WASI_POLL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wasi/api.h>

/* Waits until one of `descriptors` can be read (written), or until `deadline` (monotonic ns, INT64_MAX:
 * none), or until `raised` (NULL: none), which the host's call in between may set. true when something other than
 * the deadline ended it. A host that cannot wait for descriptors is taken at its word: they
 * count as ready, and the read itself waits. */
bool rmi_wasi_poll(const int *descriptors, size_t count, __wasi_eventtype_t what, int64_t deadline,
                   const atomic_bool *raised);

#endif
