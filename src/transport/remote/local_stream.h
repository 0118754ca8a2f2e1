/* The same as a stream to another server (remote_api.h), for a pipeline of this process: what runs when no server answers. */
#ifndef TRANSPORT_REMOTE_LOCAL_STREAM_H
#define TRANSPORT_REMOTE_LOCAL_STREAM_H

#include "transport/remote/plan.h"
#include "transport/remote/remote_api.h"

typedef struct rmi_local_stream rmi_local_stream;

typedef struct rmi_local_options {
    rm_runtime *runtime;
    const rmi_remote_work *work;
    const char *directory; /* of the manifest's file, or NULL */
    unsigned hops;
    void (*woken)(void *context);
    void *context;
} rmi_local_options;

/* `options` (copied) and what they name are borrowed for its life. *out is owned. */
RM_MUST_CHECK int rmi_local_stream_open(const rmi_local_options *options, rmi_local_stream **out,
                                        rm_error *err);
int rmi_local_stream_send(rmi_local_stream *stream, uint64_t sequence, const rm_packet *packet,
                          rm_error *err);
void rmi_local_stream_finish(rmi_local_stream *stream);
/* Works until there is an event, or nothing can be done. */
int rmi_local_stream_next(rmi_local_stream *stream, rmi_remote_event *event);
/* When to call it again; lowers wait->deadline. */
void rmi_local_stream_wait(const rmi_local_stream *stream, rm_wait *wait);
void rmi_local_stream_free(rmi_local_stream *stream);

#endif
