/* What all listeners share: the runtime, the threads, who may call, how much at once, and the counters. */
#ifndef TRANSPORT_SERVICE_H
#define TRANSPORT_SERVICE_H

#include "remotemedia/remotemedia.h"
#include "transport/control.h"
#include "transport/session.h"

typedef struct rmi_service_options {
    unsigned threads;           /* that run sessions; 0: one a processor */
    size_t most_sessions;       /* at once; 0: no limit */
    int64_t session_timeout_ms; /* of each session; 0: none */
    bool untrusted;             /* manifests of clients are strangers' (trust.h) */
    bool sandbox;               /* their nodes that are not native run in sandboxes */
    const char *const *tokens;  /* one of them is needed; NULL: none is; borrowed, ends with NULL */
    const char *files;          /* the folder whose files clients may name as items; NULL: none; borrowed */
} rmi_service_options;

typedef struct rmi_service rmi_service;

/* `runtime` is borrowed, and outlives it. *out is owned: rmi_service_free. */
RM_MUST_CHECK int rmi_service_new(rm_runtime *runtime, const rmi_service_options *options, rmi_service **out,
                                  rm_error *err);
/* Frees a service without listeners and sessions. NULL is fine. */
void rmi_service_free(rmi_service *service);
rm_runtime *rmi_service_runtime(const rmi_service *service);
/* The folder in its options, or NULL. */
const char *rmi_service_files(const rmi_service *service);

/* ---- For listeners; any thread. */

/* Whether the value of the header `authorization` ("Bearer TOKEN"; `length` bytes) lets a client call. Takes the same time
 * for all wrong tokens of a length. */
bool rmi_service_authorized(const rmi_service *service, const char *header, size_t length);
/* The same as a number: 0, or which token it was, from 1; without tokens all clients are 1. */
size_t rmi_service_identity(const rmi_service *service, const char *header, size_t length);
/* Attaches a client to the session with this number, if it is the same client's; further as rmi_attachment_new.
 * RM_E_NOT_FOUND. */
RM_MUST_CHECK int rmi_service_attach(rmi_service *service, uint64_t number, size_t identity,
                                     void (*woken)(void *context), void *context, rmi_attachment **out,
                                     rm_error *err);
/* Makes a session of the service; arguments as for rmi_session_new. RM_E_LIMIT when there are too many, or none is taken any
 * more. `options` get the service's limits. */
RM_MUST_CHECK int rmi_service_open(rmi_service *service, rm_manifest *manifest,
                                   const rmi_session_options *options, const rmi_client *client,
                                   void *context, rmi_session **out, rm_error *err);
/* Frees a session of the service. NULL is fine. */
void rmi_service_close(rmi_service *service, rmi_session *session);

/* ---- Its end */

/* From here on no session is taken. */
void rmi_service_drain(rmi_service *service);
/* Stops all sessions; their clients are told, where they still listen. */
void rmi_service_stop_sessions(rmi_service *service);
bool rmi_service_draining(const rmi_service *service);
size_t rmi_service_sessions(const rmi_service *service);
/* Waits until there is no session, at most until `deadline` (monotonic ns). false: there are some. */
bool rmi_service_wait(rmi_service *service, int64_t deadline);

#endif
