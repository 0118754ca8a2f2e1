/* A listener takes clients of one protocol for a service. Each protocol is a shared object of its own, which is loaded when it
 * is first used, and shows one function. */
#ifndef TRANSPORT_LISTENER_H
#define TRANSPORT_LISTENER_H

#include "remotemedia/remotemedia.h"
#include "transport/pipelines.h"
#include "transport/service.h"

typedef struct rmi_listener rmi_listener;

typedef struct rmi_listener_options {
    const char *address; /* "HOST:PORT"; port 0: any */
    size_t most_message; /* bytes of a message that it takes */
    /* TLS, in PEM; NULL: none. With `client_ca` clients need a certificate of one of its authorities. */
    const char *certificates, *key, *client_ca;
    const rmi_pipelines *pipelines; /* of the operator; borrowed; NULL: none */
    /* For HTTP. */
    const char *cors_origin; /* pages from there may call; "*": all; NULL: none */
    const char *access_log;  /* a file that gets a line for each request; NULL: none */
    int64_t patience_ms;     /* how long a client may take for the next step of a request */
} rmi_listener_options;

typedef struct rmi_listener_api {
    uint32_t size;    /* sizeof(rmi_listener_api) of the shared object */
    const char *name; /* "gRPC" */
    /* Starts listening. *port is the port in use; the options' texts are borrowed until it is stopped. *out is owned. */
    int (*start)(rmi_service *service, const rmi_listener_options *options, rmi_listener **out, int *port,
                 rm_error *err);
    /* Takes no more connections and calls; those in progress go on. */
    void (*drain)(rmi_listener *listener);
    /* After `drain`: waits until every call has ended and its last message is sent, at most until `deadline` (monotonic
     * ns). false: some have not. */
    bool (*wait)(rmi_listener *listener, int64_t deadline);
    /* Ends what is in progress and frees the listener. */
    void (*stop)(rmi_listener *listener);
} rmi_listener_api;

/* The function that the shared object shows. */
typedef const rmi_listener_api *rmi_listener_entry(void);

#endif
