/* A run of a pipeline for a client: a task that takes the client's items, steps the pipeline, and gives out its results, each
 * only when the other side is ready for it. So a client that does not read stops the pipeline, and nothing is dropped. */
#ifndef TRANSPORT_SESSION_H
#define TRANSPORT_SESSION_H

#include <pthread.h>

#include "platform/platform.h"
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

/* A place in the service's list of sessions. */
typedef struct rmi_session_link {
    rmi_session *before, *behind;
} rmi_session_link;

typedef struct rmi_session_options {
    int64_t timeout_ms;   /* of the whole run; 0: none */
    uint64_t most_memory; /* bytes of items that wait between nodes, in steps of 256; 0: no limit */
    bool generate;        /* without input: sources generate */
    bool untrusted;       /* the manifest is a stranger's (trust.h) */
    bool own;             /* the manifest is the operator's: trusted, borrowed, and shared by sessions */
    bool sandbox;         /* nodes that are not native run in sandboxes */
    uint64_t number;
    size_t identity; /* of the client, as the service gives it */
    bool measure;
    /* One session at a time loads code, so that a stop reaches the right one; borrowed. NULL: no other session does. */
    pthread_mutex_t *loading;
    rmi_watchdog *watchdog; /* poked when the session has to stop; borrowed; may be NULL */
    /* Optional: called before `ended`: nobody may find the session any more. */
    void (*leave)(void *context, rmi_session *session);
    void *leave_context;
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
/* Ends the run soon, also inside a call of a node that listens to that; `ended` then gets RM_E_CANCELLED. Any thread, until
 * `ended` was called. */
void rmi_session_cancel(rmi_session *session);
/* The same on behalf of the server: the client gets the results that it takes soon, and RM_E_TIMEOUT with `why`, a literal. */
void rmi_session_stop(rmi_session *session, const char *why);
/* Called by a watchdog, and when it is poked: stops a session whose time is over. Returns when to look again (monotonic ns).
 * Sets *loading where the session has to stop and loads code: rm_runtime_interrupt is then the caller's. */
int64_t rmi_session_look(rmi_session *session, int64_t now, bool *loading);
/* The session's place in the list of the service, which alone uses it. */
rmi_session_link *rmi_session_place(rmi_session *session);
/* What clients that look into the session share (control.h); NULL: there are none. Called under the service's lock. */
struct rmi_control *rmi_session_control(rmi_session *session);
void rmi_session_set_control(rmi_session *session, struct rmi_control *control);
/* Whether somebody has stopped the session. Any thread. */
bool rmi_session_has_to_stop(rmi_session *session);
/* The number in its options. */
uint64_t rmi_session_number(const rmi_session *session);
/* The client's identity in its options. */
size_t rmi_session_identity(const rmi_session *session);
/* The pipeline, borrowed; NULL before it is open. Only inside the client's functions. */
rm_pipeline *rmi_session_pipeline(const rmi_session *session);

#endif
