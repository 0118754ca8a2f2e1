/* The chunks of a stream as packets. */
#include "base/alloc.h"
#include "transport/grpc/messages.h"

typedef Remotemedia__V1__StreamRequest stream_request;

static const Remotemedia__V1__DataChunk *data_of(const stream_request *request)
{
    return request->request_case == REMOTEMEDIA__V1__STREAM_REQUEST__REQUEST_DATA_CHUNK ? request->data_chunk
                                                                                        : NULL;
}

size_t rmi_chunk_packets(const stream_request *request)
{
    const Remotemedia__V1__DataChunk *data = data_of(request);
    return data != NULL && data->n_named_buffers > 0 ? data->n_named_buffers : 1;
}

void rmi_chunk_address(const stream_request *request, size_t index, const char **source, uint64_t *sequence)
{
    const Remotemedia__V1__DataChunk *data = data_of(request);
    const char *node = data != NULL ? data->node_id : request->audio_chunk->node_id;
    if (data != NULL && data->n_named_buffers > 0 && node[0] == '\0')
        node = data->named_buffers[index]->key;
    *source = node[0] != '\0' ? node : NULL;
    *sequence = data != NULL ? data->sequence : request->audio_chunk->sequence;
}

static int read_data(const rmi_buffer_rules *rules, const Remotemedia__V1__DataChunk *chunk, size_t index,
                     rm_packet *packet, rm_error *err)
{
    if (chunk->n_named_buffers == 0)
        return chunk->buffer != NULL ? rmi_packet_of_buffer(rules, chunk->buffer, packet, err)
                                     : rm_error_set(err, RM_E_MISSING_FIELD, "a chunk has no buffer");
    if (chunk->buffer != NULL)
        return rm_error_set(err, RM_E_USAGE,
                            "a chunk has a buffer and named_buffers: one of them is possible");
    if (chunk->node_id[0] != '\0')
        return rm_error_set(err, RM_E_USAGE,
                            "a chunk has node_id and named_buffers, whose names are the ids of nodes: one of "
                            "them is possible");
    if (chunk->named_buffers[index]->value == NULL)
        return rm_error_set(err, RM_E_MISSING_FIELD, "named_buffers['%s'] has no data",
                            chunk->named_buffers[index]->key);
    return rmi_packet_of_buffer(rules, chunk->named_buffers[index]->value, packet, err);
}

static int read_audio(const rmi_buffer_rules *rules, const Remotemedia__V1__AudioChunk *chunk,
                      rm_packet *packet, rm_error *err)
{
    if (chunk->buffer == NULL)
        return rm_error_set(err, RM_E_MISSING_FIELD, "a chunk has no buffer");
    return rmi_packet_of_audio(rules, chunk->buffer, packet, err);
}

int rmi_chunk_packet(const rmi_buffer_rules *rules, const stream_request *request, size_t index,
                     rm_packet *packet, rm_error *err)
{
    const Remotemedia__V1__DataChunk *data = data_of(request);
    const uint64_t ms = data != NULL ? data->timestamp_ms : request->audio_chunk->timestamp_ms;
    const int rc = data != NULL ? read_data(rules, data, index, packet, err)
                                : read_audio(rules, request->audio_chunk, packet, err);
    if (rc == RM_OK && ms > 0 && ms < INT64_MAX / 1000000)
        packet->timestamp = (int64_t)ms * 1000000;
    return rc;
}
