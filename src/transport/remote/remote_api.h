/* A pipeline on another server, as a protocol's shared object offers it: one function shows the table. Packets go there with the
 * sequence of their item, and results come back with it. Nothing here waits. */
#ifndef TRANSPORT_REMOTE_REMOTE_API_H
#define TRANSPORT_REMOTE_REMOTE_API_H

#include "remotemedia/remotemedia.h"

typedef struct rmi_remote_client rmi_remote_client; /* a thread, shared by all streams of a runtime */
typedef struct rmi_remote_stream rmi_remote_stream;

/* All borrowed: `manifest`, `endpoint`, `token` and `authorities` for the call, the rest for the life of the stream. */
typedef struct rmi_remote_options {
    const char *endpoint;    /* HOST:PORT */
    const char *token;       /* NULL: none */
    const char *authorities; /* TLS, in PEM; NULL: none, "": those of the system */
    rm_value manifest;
    const char *const *sources; /* each gets every packet; ends with NULL */
    /* A source, which gets null at the beginning and with every packet: its sequence is one higher. */
    const char *acknowledging;
    const char *const *sinks; /* whose results are wanted; ends with NULL */
    unsigned hops;            /* servers on the way, with this one */
    int64_t timeout_ms;       /* of the whole stream; 0: none */
    /* There is an event, or room for packets. Any thread; not after `free`. */
    void (*woken)(void *context);
    void *context;
} rmi_remote_options;

typedef enum rmi_remote_kind {
    RMI_REMOTE_READY,  /* its nodes are open */
    RMI_REMOTE_RESULT, /* `packet` of the output node `sink` */
    RMI_REMOTE_FAILED, /* the pipeline has failed; no result follows */
    RMI_REMOTE_CLOSED, /* it has ended */
    RMI_REMOTE_LOST,   /* the connection has ended before */
} rmi_remote_kind;

typedef struct rmi_remote_event {
    rmi_remote_kind kind;
    bool has_sequence;
    bool for_good;  /* LOST: another attempt would end in the same way */
    bool too_large; /* LOST: a message was too large */
    uint64_t sequence;
    size_t sink;
    rm_packet packet; /* owned */
    rm_error error;   /* owned; FAILED, LOST */
} rmi_remote_event;

typedef struct rmi_remote_api {
    uint32_t size;    /* sizeof(rmi_remote_api) of the shared object */
    const char *name; /* "gRPC" */
    int (*client_new)(rmi_remote_client **out, rm_error *err);
    /* After all its streams. NULL is fine. */
    void (*client_free)(rmi_remote_client *client);
    /* Begins to connect. *out is owned. */
    int (*open)(rmi_remote_client *client, const rmi_remote_options *options, rmi_remote_stream **out,
                rm_error *err);
    /* Sends a packet (borrowed). RM_AGAIN: not now. A failure is the packet's: nothing was sent. */
    int (*send)(rmi_remote_stream *stream, uint64_t sequence, const rm_packet *packet, rm_error *err);
    /* No packet follows: what the pipeline has left comes, then CLOSED. */
    void (*finish)(rmi_remote_stream *stream);
    /* RM_OK with *event; RM_AGAIN: none now. */
    int (*next)(rmi_remote_stream *stream, rmi_remote_event *event);
    /* Cancels what is in progress. NULL is fine. */
    void (*free)(rmi_remote_stream *stream);
} rmi_remote_api;

typedef const rmi_remote_api *rmi_remote_entry(void);
#define RMI_REMOTE_ENTRY "rmi_grpc_remote_api"

#endif
