/* A run of a pipeline for a client: a task that takes the client's items, steps the pipeline, and gives out its results, each
 * only when the other side is ready for it. So a client that does not read stops the pipeline, and nothing is dropped. */
#ifndef TRANSPORT_SESSION_H
#define TRANSPORT_SESSION_H

#include "remotemedia/remotemedia.h"
#include "transport/executor.h"

typedef struct rmi_session rmi_session;

/* The client's side, which a listener implements. The session calls the functions one at a time, on the executor's threads;
 * rmi_session_wake makes it call them again. */
typedef struct rmi_client {
    /* Gives the next item: RM_OK with *packet (empty before; the session owns its content) for *source (NULL, as preset: for every
     * source; borrowed until the next call); RM_AGAIN: none now; RM_DONE: no more; or a failure, which ends the run. */
    int (*input)(void *context, const char **source, rm_packet *packet, rm_error *err);
    /* Takes a result of the output node `sink`: RM_OK consumes the content of *packet; RM_AGAIN: not now, and *packet is
     * unchanged; a failure ends the run. */
    int (*result)(void *context, const rmi_session *session, size_t sink, rm_packet *packet, rm_error *err);
    /* The run has ended with RM_OK, or with a failure in `err`, and all results have been given out. The last call; the
     * pipeline's counters can still be read. rmi_session_free may be called in it. */
    void (*ended)(void *context, rmi_session *session, int code, rm_error *err);
} rmi_client;

typedef struct rmi_session_options {
    int64_t timeout_ms; /* of the whole run; 0: none */
    bool generate;      /* without input: sources generate */
    bool untrusted;     /* the manifest is a stranger's (trust.h) */
    bool own;           /* the manifest is the operator's: trusted, borrowed, and shared by sessions */
    uint64_t number;
    bool measure;
} rmi_session_options;

/* Makes a session that runs `manifest`, which is consumed, also on failure, unless it is the operator's. `client` is borrowed for as long as the
 * session. *out is owned: rmi_session_free. It starts with rmi_session_wake. */
RM_MUST_CHECK int rmi_session_new(rmi_executor *executor, rm_runtime *runtime, rm_manifest *manifest,
                                  const rmi_session_options *options, const rmi_client *client, void *context,
                                  rmi_session **out, rm_error *err);
/* Frees a session that has not been woken yet or has ended. NULL is fine. */
void rmi_session_free(rmi_session *session);

/* The client has items, or takes results again. Any thread, until `ended` was called. */
void rmi_session_wake(rmi_session *session);
/* Ends the run soon; `ended` then gets RM_E_CANCELLED. Any thread, until `ended` was called. */
void rmi_session_cancel(rmi_session *session);
/* The number in its options. */
uint64_t rmi_session_number(const rmi_session *session);
/* The pipeline, borrowed; NULL before it is open. Only inside the client's functions. */
rm_pipeline *rmi_session_pipeline(const rmi_session *session);

#endif
