/* How much goes through each of the operator's pipelines and their nodes, for the status page. */
#ifndef TRANSPORT_HTTP_HTTP_RATES_H
#define TRANSPORT_HTTP_HTTP_RATES_H

#include <stdatomic.h>

#include "base/text.h"
#include "transport/pipelines.h"

typedef struct rmi_http_rates rmi_http_rates;

/* What one session has done so far; its task uses it. Zeroed at the begin. */
typedef struct rmi_http_progress {
    uint64_t items, results;           /* counted by the session's client */
    uint64_t told_items, told_results; /* what the rates have of them */
    uint64_t *seen;                    /* the same of each node: in, out; owned: rmi_http_progress_clear */
    int64_t next;                      /* when to look again, monotonic ns */
} rmi_http_progress;
void rmi_http_progress_clear(rmi_http_progress *progress);

/* `pipelines` is borrowed, and may be NULL. *out is owned: rmi_http_rates_free (NULL is fine). */
RM_MUST_CHECK int rmi_http_rates_new(const rmi_pipelines *pipelines, rmi_http_rates **out, rm_error *err);
void rmi_http_rates_free(rmi_http_rates *rates);
/* A session of a pipeline begins or ends. Any thread. */
void rmi_http_rates_begin(rmi_http_rates *rates, size_t pipeline);
void rmi_http_rates_end(rmi_http_rates *rates, size_t pipeline, bool failed);
/* Adds what the session has done since the last time, now and then; `last`: in any case. `running` may be NULL. The session's
 * task. */
void rmi_http_rates_add(rmi_http_rates *rates, size_t pipeline, rmi_http_progress *progress,
                        const rm_pipeline *running, bool last);
/* Appends words as JSON text. */
void rmi_http_append_text(rmi_text *text, const char *words);
/* Appends a pipeline as JSON: its graph and its counts. */
void rmi_http_rates_append(rmi_text *text, const rmi_http_rates *rates, size_t pipeline);

#endif
