/* The messages that a client sends and receives. */
#ifndef TRANSPORT_GRPC_CLIENT_CLIENT_MESSAGES_H
#define TRANSPORT_GRPC_CLIENT_CLIENT_MESSAGES_H

#include <grpc/grpc.h>

#include "transport/grpc/messages.h"
#include "transport/remote/remote_api.h"

/* The first message of a stream. *out is owned. */
RM_MUST_CHECK int rmi_init_message(const rmi_remote_options *options, grpc_byte_buffer **out, rm_error *err);
/* A chunk for the node `source`. *out is owned. */
RM_MUST_CHECK int rmi_chunk_message(const char *source, uint64_t sequence, const rm_packet *packet,
                                    grpc_byte_buffer **out, rm_error *err);
/* CLOSE; NULL without memory. Owned. */
grpc_byte_buffer *rmi_close_message(void);

/* Describes a failure as its message does. Returns its code. */
int rmi_error_of_message(const rmi_error_response *message, bool *has_sequence, uint64_t *sequence,
                         rm_error *err);

#endif
