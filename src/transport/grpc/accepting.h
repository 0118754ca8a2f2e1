/* Watches whether C-core takes connections: Debian's stops for good when the process has no descriptor for one. */
#ifndef TRANSPORT_GRPC_ACCEPTING_H
#define TRANSPORT_GRPC_ACCEPTING_H

#include "remotemedia/remotemedia.h"

typedef struct rmi_accepting rmi_accepting;

/* Starts a thread that watches the sockets that listen on `port`. Where connections wait there, it closes the sockets and calls
 * `renew`, which listens on the same port again, until that returns true. *out is owned. */
RM_MUST_CHECK int rmi_accepting_start(int port, bool (*renew)(void *context), void *context,
                                      rmi_accepting **out, rm_error *err);
/* Ends the thread; NULL is fine. */
void rmi_accepting_stop(rmi_accepting *accepting);

#endif
