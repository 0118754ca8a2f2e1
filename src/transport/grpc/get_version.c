/* GetVersion. */
#include <stdlib.h>
#include <string.h>

#include "transport/grpc/grpc_listener.h"

typedef Remotemedia__V1__VersionInfo version_info;

static bool add_text(char ***texts, size_t *count, const char *text)
{
    char **more = realloc(*texts, (*count + 1) * sizeof *more);
    if (more == NULL)
        return false;
    *texts = more;
    if ((more[*count] = strdup(text)) == NULL)
        return false;
    ++*count;
    return true;
}

static bool add_node_types(version_info *info, const rm_runtime *runtime)
{
    rm_value types = rm_null();
    bool done = rm_list_new(NULL, 0, &types, NULL) == RM_OK &&
                rm_runtime_describe_nodes(runtime, NULL, &types, NULL) == RM_OK;
    for (size_t i = 0; done && i < rm_list_length(types); i++) {
        rm_value name = rm_null();
        if (rm_map_get(rm_list_get(types, i), "name", strlen("name"), &name))
            done = add_text(&info->supported_node_types, &info->n_supported_node_types,
                            rm_string_text(name, NULL));
    }
    rm_value_clear(&types);
    return done;
}

static bool fill(version_info *info, const rm_runtime *runtime)
{
    return rmi_set_text(&info->protocol_version, "v1") &&
           rmi_set_text(&info->runtime_version, rm_version()) &&
           add_text(&info->supported_protocols, &info->n_supported_protocols, "v1") &&
           add_node_types(info, runtime);
}

static void received(rmi_grpc_call *call)
{
    Remotemedia__V1__VersionResponse response = REMOTEMEDIA__V1__VERSION_RESPONSE__INIT;
    ProtobufCMessage *request = rmi_grpc_request(call, &remotemedia__v1__version_request__descriptor);
    if (request == NULL)
        return;
    version_info *info = malloc(sizeof *info);
    if (info != NULL)
        remotemedia__v1__version_info__init(info);
    if (info == NULL || !fill(info, rmi_service_runtime(rmi_grpc_listener_service(call->listener)))) {
        rmi_grpc_finish(call, GRPC_STATUS_RESOURCE_EXHAUSTED, "out of memory", NULL);
    } else {
        response.version_info = info;
        response.compatible = true;
        rmi_grpc_finish(call, GRPC_STATUS_OK, NULL, &response.base);
    }
    if (info != NULL)
        protobuf_c_message_free_unpacked(&info->base, NULL);
    protobuf_c_message_free_unpacked(request, NULL);
}

const rmi_grpc_method rmi_grpc_version = {
    .path = "/remotemedia.v1.PipelineExecutionService/GetVersion",
    .begin = rmi_grpc_read,
    .received = received,
};
