/* The host's poll_oneoff, as the platform's files use it. */
#ifndef PLATFORM_WASI_POLL_H
#define PLATFORM_WASI_POLL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wasi/api.h>

/* Waits until one of `descriptors` can be read (written), `deadline` (monotonic ns, INT64_MAX: none) passes,
 * or `raised` (NULL: none) is true; a host that calls in between may set it. false when the deadline ended
 * the wait. With a host that cannot wait for descriptors they count as ready, and the read itself waits. */
bool rmi_wasi_poll(const int *descriptors, size_t count, __wasi_eventtype_t what, int64_t deadline,
                   const atomic_bool *raised);
/* Whether the last wait for this descriptor had nothing else to wait for: it ended at once, since the read
 * itself waits. */
bool rmi_wasi_may_read(int descriptor);

/* Whether the host says which descriptors are ready: some report none, or events without their names. Asks it once. */
bool rmi_wasi_names_descriptors(void);

#endif
