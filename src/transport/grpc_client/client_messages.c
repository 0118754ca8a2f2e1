#include "transport/grpc_client/client_messages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "data/value.h"
#include "transport/grpc/byte_buffers.h"

typedef Remotemedia__V1__PipelineManifest manifest_message;
typedef Remotemedia__V1__NodeManifest node_message;

/* Makes a message of the given type, initialised; NULL without memory. */
#define NEW(type, init)                \
    type *made = malloc(sizeof *made); \
    if (made != NULL)                  \
    init(made)

/* ---- Fields of a manifest that was checked */

/* Sets a text where there is one. */
static bool put_text(char **to, rm_value map, const char *key)
{
    const rm_value value = rmi_map_field(map, key);
    return value.kind != RM_STRING || rmi_set_text(to, rm_string_text(value, NULL));
}

static double number(rm_value value)
{
    return value.kind == RM_INT ? (double)value.i : value.kind == RM_FLOAT ? value.f : 0;
}

static bool put_gpu(Remotemedia__V1__CapabilityRequirements *to, rm_value given)
{
    if (given.kind != RM_MAP)
        return true;
    NEW(Remotemedia__V1__GpuRequirement, remotemedia__v1__gpu_requirement__init);
    if (made == NULL)
        return false;
    to->gpu = made;
    const rm_value required = rmi_map_field(given, "required");
    made->min_memory_gb = number(rmi_map_field(given, "min_memory_gb"));
    made->required = required.kind != RM_BOOL || required.b;
    return put_text(&made->type, given, "type");
}

static bool put_cpu(Remotemedia__V1__CapabilityRequirements *to, rm_value given)
{
    if (given.kind != RM_MAP)
        return true;
    NEW(Remotemedia__V1__CpuRequirement, remotemedia__v1__cpu_requirement__init);
    if (made == NULL)
        return false;
    to->cpu = made;
    made->cores = (uint32_t)number(rmi_map_field(given, "cores"));
    return put_text(&made->arch, given, "arch");
}

static bool put_capabilities(node_message *node, rm_value given)
{
    if (given.kind != RM_MAP)
        return true;
    NEW(Remotemedia__V1__CapabilityRequirements, remotemedia__v1__capability_requirements__init);
    if (made == NULL)
        return false;
    node->capabilities = made;
    made->memory_gb = number(rmi_map_field(given, "memory_gb"));
    return put_gpu(made, rmi_map_field(given, "gpu")) && put_cpu(made, rmi_map_field(given, "cpu"));
}

static void put_hint(node_message *node, rm_value hint)
{
    for (size_t i = 1; hint.kind == RM_STRING && i < RMI_RUNTIME_HINTS; i++)
        if (strcmp(rmi_runtime_hints[i], rm_string_text(hint, NULL)) == 0)
            node->runtime_hint = (Remotemedia__V1__RuntimeHint)i;
}

static int put_params(node_message *node, rm_value params, rm_error *err)
{
    char *text = NULL;
    size_t length = 0;
    if (params.kind != RM_MAP)
        return RM_OK;
    const int rc = rm_json_write(NULL, params, 0, &text, &length, NULL, err);
    if (rc != RM_OK)
        return rc;
    const bool done = rmi_set_text(&node->params, text);
    rm_text_free(NULL, text, length);
    return done ? RM_OK : rmi_out_of_memory(err);
}

static int add_node(manifest_message *message, rm_value given, rm_error *err)
{
    NEW(node_message, remotemedia__v1__node_manifest__init);
    if (made == NULL)
        return rmi_out_of_memory(err);
    message->nodes[message->n_nodes++] = made;
    const rm_value streaming = rmi_map_field(given, "is_streaming");
    made->is_streaming = streaming.kind == RM_BOOL && streaming.b;
    put_hint(made, rmi_map_field(given, "runtime_hint"));
    if (!put_text(&made->id, given, "id") || !put_text(&made->node_type, given, "node_type") ||
        !put_text(&made->host, given, "host") ||
        !put_capabilities(made, rmi_map_field(given, "capabilities")))
        return rmi_out_of_memory(err);
    return put_params(made, rmi_map_field(given, "params"), err);
}

static int add_connection(manifest_message *message, rm_value given, rm_error *err)
{
    NEW(Remotemedia__V1__Connection, remotemedia__v1__connection__init);
    if (made == NULL)
        return rmi_out_of_memory(err);
    message->connections[message->n_connections++] = made;
    return put_text(&made->from, given, "from") && put_text(&made->to, given, "to") ? RM_OK
                                                                                    : rmi_out_of_memory(err);
}

static int add_metadata(manifest_message *message, rm_value given, rm_error *err)
{
    NEW(Remotemedia__V1__ManifestMetadata, remotemedia__v1__manifest_metadata__init);
    if (made == NULL)
        return rmi_out_of_memory(err);
    message->metadata = made;
    return put_text(&made->name, given, "name") && put_text(&made->description, given, "description")
               ? RM_OK
               : rmi_out_of_memory(err);
}

static int fill_manifest(manifest_message *message, rm_value given, rm_error *err)
{
    const rm_value nodes = rmi_map_field(given, "nodes"), connections = rmi_map_field(given, "connections");
    const size_t node_count = rm_list_length(nodes);
    const size_t connection_count = connections.kind == RM_LIST ? rm_list_length(connections) : 0;
    message->nodes = calloc(node_count + 1, sizeof *message->nodes);
    message->connections = calloc(connection_count + 1, sizeof *message->connections);
    if (message->nodes == NULL || message->connections == NULL ||
        !put_text(&message->version, given, "version"))
        return rmi_out_of_memory(err);
    int rc = add_metadata(message, rmi_map_field(given, "metadata"), err);
    for (size_t i = 0; rc == RM_OK && i < node_count; i++)
        rc = add_node(message, rm_list_get(nodes, i), err);
    for (size_t i = 0; rc == RM_OK && i < connection_count; i++)
        rc = add_connection(message, rm_list_get(connections, i), err);
    return rc;
}

/* ---- Messages out */

int rmi_init_message(const rmi_remote_options *options, grpc_byte_buffer **out, rm_error *err)
{
    Remotemedia__V1__StreamRequest request = REMOTEMEDIA__V1__STREAM_REQUEST__INIT;
    Remotemedia__V1__StreamInit init = REMOTEMEDIA__V1__STREAM_INIT__INIT;
    Remotemedia__V1__ResourceLimits limits = REMOTEMEDIA__V1__RESOURCE_LIMITS__INIT;
    manifest_message *message = malloc(sizeof *message);
    *out = NULL;
    if (message == NULL)
        return rmi_out_of_memory(err);
    remotemedia__v1__pipeline_manifest__init(message);
    const int rc = fill_manifest(message, options->manifest, err);
    init.manifest = message;
    init.client_version = (char *)rm_version();
    limits.max_timeout_ms = (uint64_t)options->timeout_ms;
    init.resource_limits = options->timeout_ms > 0 ? &limits : NULL;
    request.request_case = REMOTEMEDIA__V1__STREAM_REQUEST__REQUEST_INIT;
    request.init = &init;
    if (rc == RM_OK)
        *out = rmi_pack_message(&request.base);
    protobuf_c_message_free_unpacked(&message->base, NULL);
    return rc;
}

int rmi_chunk_message(const char *source, uint64_t sequence, const rm_packet *packet, grpc_byte_buffer **out,
                      rm_error *err)
{
    Remotemedia__V1__StreamRequest request = REMOTEMEDIA__V1__STREAM_REQUEST__INIT;
    Remotemedia__V1__DataChunk chunk = REMOTEMEDIA__V1__DATA_CHUNK__INIT;
    *out = NULL;
    const int rc = rmi_buffer_of_packet(packet, &chunk.buffer, err);
    if (rc != RM_OK)
        return rc;
    chunk.node_id = (char *)source;
    chunk.sequence = sequence;
    if (packet->timestamp > 0)
        chunk.timestamp_ms = (uint64_t)packet->timestamp / 1000000;
    request.request_case = REMOTEMEDIA__V1__STREAM_REQUEST__REQUEST_DATA_CHUNK;
    request.data_chunk = &chunk;
    *out = rmi_pack_message(&request.base);
    protobuf_c_message_free_unpacked(&chunk.buffer->base, NULL);
    return RM_OK;
}

grpc_byte_buffer *rmi_close_message(void)
{
    Remotemedia__V1__StreamRequest request = REMOTEMEDIA__V1__STREAM_REQUEST__INIT;
    Remotemedia__V1__StreamControl control = REMOTEMEDIA__V1__STREAM_CONTROL__INIT;
    control.command = REMOTEMEDIA__V1__STREAM_CONTROL__COMMAND__COMMAND_CLOSE;
    request.request_case = REMOTEMEDIA__V1__STREAM_REQUEST__REQUEST_CONTROL;
    request.control = &control;
    return rmi_pack_message(&request.base);
}

/* ---- Errors in */

int rmi_error_of_message(const rmi_error_response *message, bool *has_sequence, uint64_t *sequence,
                         rm_error *err)
{
    rm_value document = rm_null(), detail = rm_null();
    if (rm_json_parse(NULL, message->context, strlen(message->context), 0, &document, NULL) != RM_OK)
        document = rm_null();
    const rm_value number_of = rmi_map_field(document, "sequence"), hint = rmi_map_field(document, "hint");
    const int named = rmi_code_named(rm_string_text(rmi_map_field(document, "code"), NULL));
    const int code = named != RM_OK ? named : RM_E_VALUE;
    *has_sequence = number_of.kind == RM_INT && number_of.i >= 0;
    *sequence = *has_sequence ? (uint64_t)number_of.i : 0;
    (void)rm_error_set(err, code, "%s", message->message);
    (void)snprintf(err->node, sizeof err->node, "%s", message->failing_node_id);
    if (hint.kind == RM_STRING)
        rm_error_hint(err, "%s", rm_string_text(hint, NULL));
    if (message->context[0] != '\0' &&
        rm_string_new(NULL, message->context, strlen(message->context), &detail, NULL) != RM_OK)
        detail = rm_null();
    rmi_error_keep(err, rmi_traceback_of(document), detail);
    rm_value_clear(&document);
    return code;
}
