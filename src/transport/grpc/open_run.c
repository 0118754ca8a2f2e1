#include "transport/grpc/open_run.h"

#include <inttypes.h>

#include "manifest/manifest.h"
#include "transport/grpc/grpc_listener.h"
#include "transport/grpc/hops.h"

static int read_limits(const Remotemedia__V1__ResourceLimits *limits, rmi_session_options *options,
                       rm_error *err)
{
    if (limits == NULL)
        return RM_OK;
    options->most_memory = limits->max_memory_bytes;
    if (limits->max_timeout_ms > INT64_MAX / 1000000)
        return rm_error_set(err, RM_E_VALUE, "resource_limits.max_timeout_ms is too large: %" PRIu64,
                            limits->max_timeout_ms);
    options->timeout_ms = (int64_t)limits->max_timeout_ms;
    return RM_OK;
}

rmi_buffer_rules rmi_grpc_rules(const rmi_grpc_call *call, const Remotemedia__V1__ResourceLimits *limits)
{
    return (rmi_buffer_rules){
        .most_samples = limits != NULL ? limits->max_audio_samples : 0,
        .files = rmi_service_files(rmi_grpc_listener_service(call->listener)),
        .most_file = rmi_grpc_listener_most_message(call->listener),
    };
}

int rmi_grpc_open(rmi_grpc_call *call, const Remotemedia__V1__PipelineManifest *manifest,
                  const Remotemedia__V1__ResourceLimits *limits, const char *client_version, bool generate,
                  const rmi_client *client, rmi_session **out, rm_error *err)
{
    rmi_service *service = rmi_grpc_listener_service(call->listener);
    rmi_session_options options = {.generate = generate, .measure = true, .identity = call->identity};
    rm_manifest *parsed = NULL;
    char *text = NULL;
    size_t length = 0;
    *out = NULL;
    if (client_version[0] == '\0')
        return rm_error_set(err, RM_E_MISSING_FIELD, "client_version is missing");
    if (manifest == NULL)
        return rm_error_set(err, RM_E_MISSING_FIELD, "manifest is missing");
    int rc = read_limits(limits, &options, err);
    if (rc == RM_OK)
        rc = rmi_manifest_text(manifest, &text, &length, err);
    if (rc == RM_OK)
        rc = rm_manifest_parse(rmi_service_runtime(service), text, length, &parsed, err);
    rm_text_free(NULL, text, length);
    if (rc == RM_OK)
        parsed->hops = rmi_grpc_hops(call);
    return rc == RM_OK ? rmi_service_open(service, parsed, &options, client, call, out, err) : rc;
}
