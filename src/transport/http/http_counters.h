/* What the HTTP listener counts, for /metrics and /v1/status. */
#ifndef TRANSPORT_HTTP_HTTP_COUNTERS_H
#define TRANSPORT_HTTP_HTTP_COUNTERS_H

#include <stdatomic.h>

#include "base/text.h"

enum { RMI_HTTP_BUCKETS = 14 };

/* Any thread adds. */
typedef struct rmi_http_counters {
    _Atomic uint64_t requests[6]; /* by the hundreds of the status; [0]: the client went away first */
    _Atomic uint64_t sessions, items, results, failures; /* of sessions */
    _Atomic uint64_t accepted, refused_descriptors, log_lost;
    _Atomic uint64_t buckets[RMI_HTTP_BUCKETS + 1]; /* requests by duration; the last: longer */
    _Atomic uint64_t duration_ns;
    uint64_t connections; /* the listener's thread */
} rmi_http_counters;

static inline void rmi_http_count(_Atomic uint64_t *counter, uint64_t by)
{
    atomic_fetch_add_explicit(counter, by, memory_order_relaxed);
}

/* A request took `ns` and got `status` (0: none). */
void rmi_http_count_request(rmi_http_counters *counters, int status, int64_t ns);
/* Appends them in Prometheus' text format. */
void rmi_http_append_counters(rmi_text *text, const rmi_http_counters *counters);

#endif
