/* The parts of the client that its files share. */
#ifndef TRANSPORT_GRPC_CLIENT_CLIENT_STREAM_H
#define TRANSPORT_GRPC_CLIENT_CLIENT_STREAM_H

#include <grpc/grpc.h>

#include "transport/remote/remote_api.h"

/* The tag of an operation: `done` is called on the client's thread when it has ended. */
typedef struct rmi_client_event {
    void (*done)(struct rmi_client_event *event, bool ok);
    rmi_remote_stream *stream;
} rmi_client_event;

grpc_completion_queue *rmi_client_queue(const rmi_remote_client *client);

/* As in rmi_remote_api. */
RM_MUST_CHECK int rmi_client_stream_open(rmi_remote_client *client, const rmi_remote_options *options,
                                         rmi_remote_stream **out, rm_error *err);
RM_MUST_CHECK int rmi_client_stream_send(rmi_remote_stream *stream, uint64_t sequence,
                                         const rm_packet *packet, rm_error *err);
void rmi_client_stream_finish(rmi_remote_stream *stream);
int rmi_client_stream_next(rmi_remote_stream *stream, rmi_remote_event *event);
void rmi_client_stream_free(rmi_remote_stream *stream);

#endif
