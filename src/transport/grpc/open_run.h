/* What unary calls and streams share: a session from the messages of the protocol. */
#ifndef TRANSPORT_GRPC_OPEN_RUN_H
#define TRANSPORT_GRPC_OPEN_RUN_H

#include "transport/grpc/grpc_call.h"

/* What the buffers of a request may be; NULL: it has no limits. */
rmi_buffer_rules rmi_grpc_rules(const rmi_grpc_call *call, const Remotemedia__V1__ResourceLimits *limits);

/* Opens a session for a manifest; `validating` messages name the field that is wrong. Refuses limits that cannot be kept.
 * *out is owned: rmi_service_close. */
RM_MUST_CHECK int rmi_grpc_open(rmi_grpc_call *call, const Remotemedia__V1__PipelineManifest *manifest,
                                const Remotemedia__V1__ResourceLimits *limits, const char *client_version,
                                bool generate, const rmi_client *client, rmi_session **out, rm_error *err);

#endif
