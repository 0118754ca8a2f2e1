#include "tests/support/audio_test.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct feed {
    int64_t chunks,
        count; /* parameters: the address of the chunks, since a node type can get them in no other way */
    int64_t next;
};

static const rm_param feed_params[] = {
    {.name = "chunks", .type = RM_PARAM_INT64, .offset = offsetof(struct feed, chunks)},
    {.name = "count", .type = RM_PARAM_INT64, .offset = offsetof(struct feed, count)},
    {0},
};

static const rm_port feed_ports[] = {{.name = "out", .direction = RM_OUTPUT, .kinds = RM_KIND_AUDIO}, {0}};

static int feed_generate(rm_node *node, void *state, rm_error *err)
{
    struct feed *f = state;
    if (f->next == f->count)
        return RM_DONE;
    const rmt_chunk *chunk = (const rmt_chunk *)(intptr_t)f->chunks + f->next++;
    rm_packet packet = rm_packet_of(rm_null());
    rm_samples audio = {0};
    int rc = rm_samples_new(rm_node_allocator(node), chunk->frames, chunk->channels, chunk->sample_rate, 0,
                            &packet.value, &audio, err);
    if (rc != RM_OK)
        return rc;
    for (size_t i = 0; i < audio.count; i++)
        audio.f32[i] = chunk->first + chunk->step * (float)(i / (size_t)chunk->channels);
    packet.timestamp = chunk->timestamp;
    packet.flags = chunk->flags;
    return rm_emit(node, 0, packet);
}

static const rm_node_type feed_type = {
    .abi_version = RM_NODE_ABI_VERSION,
    .size = sizeof(rm_node_type),
    .name = "TestFeed",
    .summary = "Emits the packets of a test",
    .ports = feed_ports,
    .params = feed_params,
    .state_size = sizeof(struct feed),
    .generate = feed_generate,
};

static int drain(rm_pipeline *pipeline, rmt_stream *stream)
{
    int rc = RM_OK;
    do {
        rc = rm_run_step(pipeline, &stream->err);
        size_t sink = 0;
        rm_packet packet = rm_packet_of(rm_null());
        while (rm_pipeline_pull(pipeline, &sink, &packet, NULL) == RM_OK) {
            assert_true(stream->count < RMT_COUNT(stream->packets));
            stream->packets[stream->count++] = packet;
        }
    } while (rc == RM_OK || rc == RM_AGAIN);
    return rc;
}

rmt_stream rmt_stream_run(rmt_heap *heap, const char *type, const char *params, const rmt_chunk *chunks,
                          size_t count)
{
    const rm_config config = {.size = sizeof config, .allocator = &heap->allocator};
    const rm_pipeline_options options = {.size = sizeof options, .generate = true};
    rmt_stream stream = {0};
    rm_runtime *runtime = NULL;
    rm_manifest *manifest = NULL;
    rm_pipeline *pipeline = NULL;
    char text[1024];
    const int length = snprintf(
        text, sizeof text,
        "{\"version\":\"v1\",\"metadata\":{\"name\":\"t\"},\"nodes\":[{\"id\":\"f\",\"node_type\":\"TestFeed\","
        "\"params\":{\"chunks\":%" PRIdPTR
        ",\"count\":%zu}},{\"id\":\"n\",\"node_type\":\"%s\",\"params\":%s}],"
        "\"connections\":[{\"from\":\"f\",\"to\":\"n\"}]}",
        (intptr_t)chunks, count, type, params != NULL ? params : "{}");
    assert_in_range(length, 1, sizeof text - 1);
    stream.rc = rm_runtime_new(&config, &runtime, &stream.err);
    if (stream.rc == RM_OK)
        stream.rc = rm_runtime_add_type(runtime, &feed_type, &stream.err);
    if (stream.rc == RM_OK)
        stream.rc = rm_manifest_parse(runtime, text, (size_t)length, &manifest, &stream.err);
    if (stream.rc == RM_OK)
        stream.rc = rm_pipeline_open(manifest, &options, &pipeline, &stream.err);
    if (stream.rc == RM_OK)
        stream.rc = drain(pipeline, &stream);
    rm_pipeline_free(pipeline);
    rm_manifest_free(manifest);
    rm_runtime_free(runtime);
    return stream;
}

void rmt_stream_clear(rmt_stream *stream)
{
    for (size_t i = 0; i < stream->count; i++)
        rm_packet_clear(&stream->packets[i]);
    rm_error_clear(&stream->err);
    stream->count = 0;
}
