#include "transport/remote/local_stream.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "manifest/manifest.h"

struct rmi_local_stream {
    rmi_local_options options;
    const rm_allocator *allocator;
    rm_manifest *manifest; /* owned */
    rm_pipeline *pipeline; /* owned */
    rm_packet item;        /* not yet at every source; owned */
    size_t next_source;    /* of the item; source_count: the acknowledging one */
    bool has_item, finishing, finished, over, told;
    int code;
    rm_error failure;
};

void rmi_local_stream_free(rmi_local_stream *stream)
{
    if (stream == NULL)
        return;
    rm_pipeline_free(stream->pipeline);
    rm_manifest_free(stream->manifest);
    rm_packet_clear(&stream->item);
    rm_error_clear(&stream->failure);
    rmi_free(stream->allocator, stream, sizeof *stream);
}

static int parse(rmi_local_stream *stream, rm_error *err)
{
    const rmi_local_options *options = &stream->options;
    char *text = NULL;
    size_t length = 0;
    rmi_text path;
    rmi_text_init(&path, stream->allocator);
    int rc = rm_json_write(stream->allocator, options->work->manifest, 0, &text, &length, NULL, err);
    if (options->directory != NULL) /* modules are looked for beside a file */
        rmi_text_printf(&path, "%s/manifest.json", options->directory);
    if (rc == RM_OK && path.failed)
        rc = rmi_out_of_memory(err);
    if (rc == RM_OK)
        rc = rm_manifest_parse_with(options->runtime, text, length,
                                    options->directory != NULL ? path.data : NULL, 0, &stream->manifest, err);
    if (rc == RM_OK)
        stream->manifest->hops = options->hops;
    rmi_text_clear(&path);
    rm_text_free(stream->allocator, text, length);
    return rc;
}

int rmi_local_stream_open(const rmi_local_options *options, rmi_local_stream **out, rm_error *err)
{
    const rm_allocator *allocator = rm_runtime_allocator(options->runtime);
    const rm_pipeline_options pipeline = {.size = sizeof pipeline,
                                          .standard_input = -1,
                                          .woken = options->woken,
                                          .woken_context = options->context};
    rmi_local_stream *stream = rmi_alloc_zeroed(allocator, sizeof *stream);
    *out = NULL;
    if (stream == NULL)
        return rmi_out_of_memory(err);
    stream->options = *options;
    stream->allocator = allocator;
    stream->item = rm_packet_of(rm_null());
    int rc = parse(stream, err);
    if (rc == RM_OK)
        rc = rm_pipeline_open(stream->manifest, &pipeline, &stream->pipeline, err);
    if (rc == RM_OK) /* the packet at the beginning */
        rc = rm_pipeline_push(stream->pipeline, options->work->acknowledging, rm_null(), err);
    if (rc == RM_OK)
        *out = stream;
    else
        rmi_local_stream_free(stream);
    return rc;
}

int rmi_local_stream_send(rmi_local_stream *stream, uint64_t sequence, const rm_packet *packet, rm_error *err)
{
    (void)sequence; /* the pipeline counts as its caller does */
    if (stream->has_item)
        return RM_AGAIN;
    rm_packet item = *packet;
    item.metadata = NULL;
    const int rc = rm_value_for_branch(packet->value, &item.value, err);
    if (rc != RM_OK)
        return rc;
    if (packet->metadata != NULL)
        rm_packet_set_metadata(&item, rm_value_retain(rm_packet_metadata(packet)));
    stream->item = item;
    stream->next_source = 0;
    stream->has_item = true;
    return RM_OK;
}

void rmi_local_stream_finish(rmi_local_stream *stream)
{
    stream->finishing = true;
}

/* A packet for one of the sources. */
static int copy_for(rmi_local_stream *stream, rm_packet *copy, rm_error *err)
{
    *copy = rm_packet_of(rm_null());
    if (stream->next_source == stream->options.work->source_count)
        return RM_OK;
    copy->timestamp = stream->item.timestamp;
    copy->duration = stream->item.duration;
    if (stream->item.metadata != NULL)
        rm_packet_set_metadata(copy, rm_value_retain(rm_packet_metadata(&stream->item)));
    return rm_value_for_branch(stream->item.value, &copy->value, err);
}

/* Hands the item to the sources. RM_AGAIN: not to all. */
static int push(rmi_local_stream *stream, rm_error *err)
{
    const rmi_remote_work *work = stream->options.work;
    int rc = RM_OK;
    while (stream->has_item && rc == RM_OK) {
        rm_packet copy;
        const bool last = stream->next_source == work->source_count;
        rc = copy_for(stream, &copy, err);
        if (rc == RM_OK)
            rc = rm_pipeline_push_packet(stream->pipeline,
                                         last ? work->acknowledging : work->sources[stream->next_source],
                                         &copy, err);
        if (rc == RM_DONE) /* the source wants no more */
            rc = RM_OK;
        rm_packet_clear(&copy);
        if (rc != RM_OK)
            return rc;
        stream->next_source++;
        stream->has_item = !last;
    }
    rm_packet_clear(&stream->item);
    stream->item = rm_packet_of(rm_null());
    if (rc == RM_OK && stream->finishing && !stream->finished) {
        stream->finished = true;
        rc = rm_pipeline_finish(stream->pipeline, err);
    }
    return rc;
}

static int put_result(const rmi_local_stream *stream, size_t sink, rm_packet *packet, rmi_remote_event *event)
{
    const char *id = rm_pipeline_sink_id(stream->pipeline, sink);
    *event =
        (rmi_remote_event){.kind = RMI_REMOTE_RESULT, .has_sequence = true, .packet = rm_packet_move(packet)};
    while (strcmp(stream->options.work->sinks[event->sink], id) != 0)
        event->sink++;
    event->sequence = event->packet.seq < RM_SEQ_END ? (uint64_t)event->packet.seq : UINT64_MAX;
    return RM_OK;
}

static int put_end(rmi_local_stream *stream, rmi_remote_event *event)
{
    if (stream->told)
        return RM_AGAIN;
    stream->told = true;
    *event = (rmi_remote_event){.kind = stream->code < 0 ? RMI_REMOTE_FAILED : RMI_REMOTE_CLOSED,
                                .packet = rm_packet_of(rm_null())};
    if (stream->code == RM_OK)
        return RM_OK;
    event->has_sequence = stream->failure.has_item;
    event->sequence = stream->failure.item < RM_SEQ_END ? (uint64_t)stream->failure.item : UINT64_MAX;
    rm_error_move(&event->error, &stream->failure);
    return RM_OK;
}

int rmi_local_stream_next(rmi_local_stream *stream, rmi_remote_event *event)
{
    rm_packet packet;
    size_t sink = 0;
    bool rests = false;
    rm_pipeline_poll(stream->pipeline); /* what has woken it is not told */
    for (;;) {
        if (rm_pipeline_pull(stream->pipeline, &sink, &packet, NULL) == RM_OK)
            return put_result(stream, sink, &packet, event);
        if (stream->over)
            return put_end(stream, event);
        if (rests)
            return RM_AGAIN;
        int rc = push(stream, &stream->failure);
        const bool pushed = rc == RM_OK;
        if (pushed || rc == RM_AGAIN)
            rc = rm_run_step(stream->pipeline, &stream->failure);
        stream->over = rc < 0 || rc == RM_DONE;
        stream->code = rc < 0 ? rc : RM_OK;
        rests = rc == RM_PENDING || (rc == RM_AGAIN && pushed);
    }
}

void rmi_local_stream_wait(const rmi_local_stream *stream, rm_wait *wait)
{
    enum { GLANCE_NS = 5000000 }; /* for descriptors past the first */
    int descriptors[2];
    int64_t due = rm_pipeline_next_deadline(stream->pipeline);
    const size_t count = rm_pipeline_descriptors(stream->pipeline, descriptors, 2);
    if (count > 1 || (count == 1 && wait->descriptor >= 0))
        due = due < rm_clock_now() + GLANCE_NS ? due : rm_clock_now() + GLANCE_NS;
    else if (count == 1)
        wait->descriptor = descriptors[0];
    wait->deadline = due < wait->deadline ? due : wait->deadline;
}
