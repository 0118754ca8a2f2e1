#include "nodes/audio_support/audio_support.h"

#include <stddef.h>
#include <string.h>

enum { REMAINDER_EMIT, REMAINDER_PAD, REMAINDER_DROP };
/* One call sends no more than this many blocks, so that queues stay bounded. */
enum { BLOCKS_A_CALL = 16 };

struct buffer {
    int64_t frames; /* parameters */
    int remainder;
    rmi_audio_stream stream; /* the frames taken in */
    rm_value input;          /* audio that is being cut, or null */
    rm_samples audio;        /* its samples */
    size_t taken;            /* number of its frames that are in blocks already */
    rm_value block;          /* the block that is being filled, or null */
    rm_samples room;         /* its samples */
    size_t filled;           /* number of its frames that are filled */
    bool jumped;             /* the next block does not follow the last one */
    uint64_t layout;
};

static const char *const remainder_names[] = {"emit", "pad", "drop", NULL};

static const rm_param buffer_params[] = {
    {.name = "frames",
     .text = "Frames in each packet (one frame has a sample of every channel)",
     .type = RM_PARAM_INT64,
     .flags = RM_PARAM_REQUIRED,
     .offset = offsetof(struct buffer, frames),
     .i64 = {.min = 1, .max = 1 << 24}},
    {.name = "remainder",
     .text = "What becomes of the frames left at the end: sent as a shorter packet, filled up with silence, "
             "dropped",
     .type = RM_PARAM_ENUM,
     .offset = offsetof(struct buffer, remainder),
     .choice = {.choices = remainder_names, .fallback = REMAINDER_EMIT}},
    {0},
};

static const rm_port buffer_ports[] = {
    {.name = "in",
     .direction = RM_INPUT,
     .kinds = RM_KIND_AUDIO,
     .format = {.dtype = RM_FLOAT32},
     .text = "Audio in packets of any length"},
    {.name = "out",
     .direction = RM_OUTPUT,
     .kinds = RM_KIND_AUDIO,
     .format = {.dtype = RM_FLOAT32},
     .text = "The same audio in packets of one length"},
    {0},
};

/* Sends `value`, consumed, as `frames` frames; its last frame is the last one taken in. */
static int send(rm_node *node, struct buffer *b, rm_value value, int64_t frames)
{
    rm_packet packet = rm_packet_of(value);
    const int64_t first = b->stream.frames - (int64_t)b->filled;
    packet.timestamp = rmi_audio_stream_time(&b->stream, first);
    packet.duration = rmi_audio_stream_time(&b->stream, first + frames) - packet.timestamp;
    packet.flags = b->jumped ? RM_PACKET_DISCONTINUITY : 0;
    b->jumped = false;
    b->filled = 0;
    return rm_emit(node, 0, packet);
}

/* Handles an unfinished block as `remainder` says. */
static int send_rest(rm_node *node, struct buffer *b, rm_error *err)
{
    rm_value rest = rm_null();
    int64_t frames = b->frames;
    int rc = RM_OK;
    if (b->filled != 0 && b->remainder == REMAINDER_EMIT) {
        frames = (int64_t)b->filled;
        rc = rm_tensor_slice(rm_node_allocator(node), b->block, 0, frames, &rest, err);
    } else if (b->filled != 0 && b->remainder == REMAINDER_PAD) {
        rest = rm_value_move(&b->block); /* padded: new blocks are silent */
    }
    rm_value_clear(&b->block);
    if (rc == RM_OK && rest.kind != RM_NULL)
        rc = send(node, b, rest, frames);
    b->filled = 0;
    return rc;
}

/* Moves frames from the input into the block, and sends it when it is full. */
static int fill(rm_node *node, struct buffer *b, rm_error *err)
{
    const size_t left = b->audio.frames - b->taken, space = (size_t)b->frames - b->filled;
    const size_t count = left < space ? left : space, channels = (size_t)b->stream.channels;
    int rc = RM_OK;
    if (b->audio.frames == (size_t)b->frames && b->filled == 0) { /* one whole block: nothing is copied */
        b->taken = b->filled = b->audio.frames;
        b->stream.frames += b->frames;
        return send(node, b, rm_value_move(&b->input), b->frames);
    }
    if (b->block.kind == RM_NULL)
        rc = rm_samples_new(rm_node_allocator(node), (size_t)b->frames, b->stream.channels,
                            b->stream.sample_rate, b->layout, &b->block, &b->room, err);
    if (rc != RM_OK)
        return rc;
    memcpy(b->room.f32 + b->filled * channels, b->audio.f32 + b->taken * channels,
           count * channels * sizeof(float));
    b->taken += count;
    b->filled += count;
    b->stream.frames += (int64_t)count;
    return b->filled == (size_t)b->frames ? send(node, b, rm_value_move(&b->block), b->frames) : RM_OK;
}

/* Makes `in`, consumed, the input that is being cut. */
static int take(rm_node *node, struct buffer *b, rm_packet in, rm_error *err)
{
    b->taken = 0;
    int rc = rmi_audio_of(in.value, &b->audio, err);
    const bool skips = rc == RM_OK && rmi_audio_stream_skips(&b->stream, &b->audio, &in);
    if (rc == RM_OK && !skips)
        rc = rmi_audio_stream_check(&b->stream, &b->audio, err);
    if (rc == RM_OK && !skips && rmi_audio_stream_jumps(&b->stream, &in)) {
        const bool jumped = b->stream.frames != 0 || in.flags & RM_PACKET_DISCONTINUITY;
        rc = send_rest(node, b, err);
        b->jumped = jumped;
        rmi_audio_stream_anchor(&b->stream, &in);
    }
    if (rc == RM_OK && !skips) {
        b->layout = b->audio.channel_layout;
        b->input = rm_value_move(&in.value);
    }
    rm_packet_clear(&in);
    return rc;
}

static int buffer_more(rm_node *node, void *state, rm_error *err)
{
    struct buffer *b = state;
    int rc = RM_OK;
    for (size_t i = 0; rc == RM_OK && i < BLOCKS_A_CALL && b->taken < b->audio.frames; i++)
        rc = fill(node, b, err);
    if (rc == RM_OK && b->taken < b->audio.frames)
        return RM_MORE;
    rm_value_clear(&b->input);
    return rc;
}

static int buffer_process(rm_node *node, void *state, unsigned port, rm_packet in, rm_error *err)
{
    (void)port;
    const int rc = take(node, state, in, err);
    return rc == RM_OK ? buffer_more(node, state, err) : rc;
}

static int buffer_flush(rm_node *node, void *state, rm_error *err)
{
    return send_rest(node, state, err);
}

static int buffer_close(rm_node *node, void *state, rm_error *err)
{
    struct buffer *b = state;
    (void)node, (void)err;
    rm_value_clear(&b->input);
    rm_value_clear(&b->block);
    return RM_OK;
}

const rm_node_type rmi_node_audio_buffer = {
    .abi_version = RM_NODE_ABI_VERSION,
    .size = sizeof(rm_node_type),
    .name = "AudioBuffer",
    .summary = "Cuts audio into packets of a fixed number of frames",
    .description = "Timestamps are computed anew from the frame count, so that they do not drift; a stream "
                   "without timestamps "
                   "counts from 0. Where the input jumps (flagged as a discontinuity, or a timestamp that is "
                   "off by more than "
                   "one frame) the frames in hand are treated as at the end, and counting starts again at "
                   "the new timestamp. "
                   "A change of sample rate or channels is an error.",
    .ports = buffer_ports,
    .params = buffer_params,
    .state_size = sizeof(struct buffer),
    .process = buffer_process,
    .more = buffer_more,
    .flush = buffer_flush,
    .close = buffer_close,
};
