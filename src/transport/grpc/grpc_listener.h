/* The parts of the listener that calls see. */
#ifndef TRANSPORT_GRPC_GRPC_LISTENER_H
#define TRANSPORT_GRPC_GRPC_LISTENER_H

#include "transport/grpc/grpc_call.h"

rmi_service *rmi_grpc_listener_service(const rmi_listener *listener);
/* Bytes of a message that it takes. */
size_t rmi_grpc_listener_most_message(const rmi_listener *listener);
/* A call that the listener has made is freed. */
void rmi_grpc_call_freed(rmi_listener *listener);
/* A call has come: finds its method, checks its token, and begins it. Consumes the reference. */
void rmi_grpc_begin(rmi_grpc_call *call);

#endif
