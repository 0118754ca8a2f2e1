/* How many servers a run has come through: each client of ours says so in its call's metadata. */
#ifndef TRANSPORT_GRPC_HOPS_H
#define TRANSPORT_GRPC_HOPS_H

#include "transport/grpc/grpc_call.h"

#define RMI_HOPS_KEY "remotemedia-hops"

/* 0: a client that does not say. What is no small number counts as too many. */
unsigned rmi_grpc_hops(const rmi_grpc_call *call);

#endif
