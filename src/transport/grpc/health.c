/* grpc.health.v1: whether the server takes sessions. */
#include <string.h>

#include "grpc/health/v1/health.pb-c.h"
#include "transport/grpc/grpc_listener.h"

typedef Grpc__Health__V1__HealthCheckResponse health_response;

static const char *const services[] = {"", "remotemedia.v1.PipelineExecutionService",
                                       "remotemedia.v1.StreamingPipelineService",
                                       "remotemedia.v1.PipelineControl"};

static bool is_known(const char *service)
{
    bool known = false;
    for (size_t i = 0; i < sizeof services / sizeof *services; i++)
        known |= strcmp(service, services[i]) == 0;
    return known;
}

static void received(rmi_grpc_call *call)
{
    health_response response = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;
    ProtobufCMessage *message = rmi_grpc_request(call, &grpc__health__v1__health_check_request__descriptor);
    if (message == NULL)
        return;
    response.status = rmi_service_draining(rmi_grpc_listener_service(call->listener))
                          ? GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING
                          : GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING;
    if (is_known(((Grpc__Health__V1__HealthCheckRequest *)message)->service))
        rmi_grpc_finish(call, GRPC_STATUS_OK, NULL, &response.base);
    else
        rmi_grpc_finish(call, GRPC_STATUS_NOT_FOUND, "there is no such service", NULL);
    protobuf_c_message_free_unpacked(message, NULL);
}

const rmi_grpc_method rmi_grpc_health = {
    .path = "/grpc.health.v1.Health/Check",
    .begin = rmi_grpc_read,
    .received = received,
};
