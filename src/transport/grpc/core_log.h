/* What C-core logs goes into a runtime's log. */
#ifndef TRANSPORT_GRPC_CORE_LOG_H
#define TRANSPORT_GRPC_CORE_LOG_H

#include "remotemedia/remotemedia.h"

/* `runtime` is borrowed until the next call; NULL: what C-core logs is dropped. One runtime at a time. */
void rmi_grpc_log_into(const rm_runtime *runtime);

#endif
