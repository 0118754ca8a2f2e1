#include "nodes/audio_support/audio_support.h"
#include "nodes/audio_support/resampler.h"

#include <stddef.h>

/* Most frames in a packet that is sent: one call sends one, so that a long packet does not fill the memory. */
enum { FRAMES_MOST = 1 << 16 };

struct resample {
    int64_t sample_rate; /* parameters */
    int quality;
    rmi_audio_stream stream;  /* the frames taken in */
    rmi_audio_stream sent;    /* the frames sent */
    rmi_resampler *resampler; /* NULL before the first packet, and where the rate is right already */
    rm_value input;           /* audio that is being converted, or null */
    rm_samples audio;         /* its samples */
    size_t taken;             /* number of its frames that are in the resampler */
    bool jumped;              /* the next packet does not follow the last one */
    uint64_t layout;
};

static const char *const quality_names[] = {
    [RMI_RESAMPLE_FAST] = "fast", [RMI_RESAMPLE_STANDARD] = "standard", [RMI_RESAMPLE_BEST] = "best", NULL};

static const rm_param resample_params[] = {
    {.name = "sample_rate",
     .text = "The rate to convert to, Hz; audio that has it passes through unchanged",
     .type = RM_PARAM_INT64,
     .flags = RM_PARAM_REQUIRED,
     .offset = offsetof(struct resample, sample_rate),
     .i64 = {.min = RMI_RESAMPLE_SLOWEST, .max = RMI_RESAMPLE_FASTEST}},
    {.name = "quality",
     .text =
         "How much of the band is kept, and how deep the rest is suppressed: fast (to 0.40 of the lower rate, "
         "75 dB), standard (0.45, 100 dB) or best (0.475, 125 dB)",
     .type = RM_PARAM_ENUM,
     .offset = offsetof(struct resample, quality),
     .choice = {.choices = quality_names, .fallback = RMI_RESAMPLE_STANDARD}},
    {0},
};

static const rm_port resample_ports[] = {
    {.name = "in",
     .direction = RM_INPUT,
     .kinds = RM_KIND_AUDIO,
     .format = {.dtype = RM_FLOAT32},
     .text = "Audio of one sample rate and number of channels, in packets of any length"},
    {.name = "out",
     .direction = RM_OUTPUT,
     .kinds = RM_KIND_AUDIO,
     .format = {.dtype = RM_FLOAT32},
     .text = "The same audio at the other rate"},
    {0},
};

/* Sends `value`, consumed, of `frames` frames, as what follows. */
static int send(rm_node *node, struct resample *r, rm_value value, size_t frames)
{
    rm_packet packet = rm_packet_of(value);
    packet.timestamp = rmi_audio_stream_time(&r->sent, r->sent.frames);
    r->sent.frames += (int64_t)frames;
    packet.duration = rmi_audio_stream_time(&r->sent, r->sent.frames) - packet.timestamp;
    packet.flags = r->jumped ? RM_PACKET_DISCONTINUITY : 0;
    r->jumped = false;
    return rm_emit(node, 0, packet);
}

/* Makes a packet's samples at the new rate; the number of frames is at most `frames` and FRAMES_MOST. */
static int new_samples(rm_node *node, const struct resample *r, uint64_t frames, rm_value *value,
                       rm_samples *room, rm_error *err)
{
    return rm_samples_new(rm_node_allocator(node), frames < FRAMES_MOST ? (size_t)frames : FRAMES_MOST,
                          r->stream.channels, (int32_t)r->sample_rate, r->layout, value, room, err);
}

/* Sends the frames that the resampler still has at an end; RM_MORE while some remain. */
static int send_rest(rm_node *node, struct resample *r, rm_error *err)
{
    const uint64_t rest = r->resampler != NULL ? rmi_resampler_rest(r->resampler) : 0;
    rm_value value = rm_null();
    rm_samples room = {0};
    if (rest == 0)
        return RM_OK;
    int rc = new_samples(node, r, rest, &value, &room, err);
    if (rc == RM_OK) {
        (void)rmi_resampler_flush(r->resampler, room.f32, room.frames);
        rc = send(node, r, value, room.frames);
    }
    return rc == RM_OK && rest > room.frames ? RM_MORE : rc;
}

/* Ends what came so far, and begins anew at `in`. */
static int restart(rm_node *node, struct resample *r, const rm_packet *in, rm_error *err)
{
    const bool jumped = r->stream.frames != 0 || in->flags & RM_PACKET_DISCONTINUITY;
    int rc = RM_OK;
    do {
        rc = send_rest(node, r, err);
    } while (rc == RM_MORE);
    if (rc == RM_OK && r->resampler != NULL)
        rmi_resampler_restart(r->resampler);
    else if (rc == RM_OK && r->stream.sample_rate != (int32_t)r->sample_rate)
        rc = rmi_resampler_new(rm_node_allocator(node), r->stream.sample_rate, (int32_t)r->sample_rate,
                               r->stream.channels, (rmi_resample_quality)r->quality, &r->resampler, err);
    rmi_audio_stream_anchor(&r->stream, in);
    r->sent = (rmi_audio_stream){.sample_rate = (int32_t)r->sample_rate, .base = r->stream.base};
    r->jumped = jumped;
    return rc;
}

/* Makes `in`, consumed, the input that is being converted. */
static int take(rm_node *node, struct resample *r, rm_packet in, rm_error *err)
{
    r->taken = 0;
    int rc = rmi_audio_of(in.value, &r->audio, err);
    const bool skips = rc == RM_OK && rmi_audio_stream_skips(&r->stream, &r->audio, &in);
    if (rc == RM_OK && !skips)
        rc = rmi_audio_stream_check(&r->stream, &r->audio, err);
    if (rc == RM_OK && !skips && rmi_audio_stream_jumps(&r->stream, &in))
        rc = restart(node, r, &in, err);
    if (rc == RM_OK && !skips) {
        r->layout = r->audio.channel_layout;
        r->stream.frames += (int64_t)r->audio.frames;
        r->input = rm_value_move(&in.value);
    }
    rm_packet_clear(&in);
    return rc;
}

static int resample_more(rm_node *node, void *state, rm_error *err)
{
    struct resample *r = state;
    rm_value value = rm_null();
    rm_samples room = {0};
    size_t used = 0, made = 0;
    int rc = RM_OK;
    if (r->resampler == NULL && r->audio.frames != 0)
        return send(node, r, rm_value_move(&r->input), r->audio.frames);
    if (r->audio.frames == 0) {
        rm_value_clear(&r->input);
        return RM_OK;
    }
    const size_t left = r->audio.frames - r->taken;
    const uint64_t ready = rmi_resampler_ready(r->resampler, left);
    if (ready != 0)
        rc = new_samples(node, r, ready, &value, &room, err);
    if (rc == RM_OK) {
        rmi_resampler_process(r->resampler, r->audio.f32 + r->taken * (size_t)r->audio.channels, left, &used,
                              room.f32, room.frames, &made);
        r->taken += used;
    }
    if (made != 0)
        rc = send(node, r, rm_value_move(&value), made);
    if (rc == RM_OK && ready > room.frames)
        return RM_MORE;
    rm_value_clear(&value);
    rm_value_clear(&r->input);
    return rc;
}

static int resample_process(rm_node *node, void *state, unsigned port, rm_packet in, rm_error *err)
{
    (void)port;
    const int rc = take(node, state, in, err);
    return rc == RM_OK ? resample_more(node, state, err) : rc;
}

static int resample_flush(rm_node *node, void *state, rm_error *err)
{
    return send_rest(node, state, err);
}

static int resample_close(rm_node *node, void *state, rm_error *err)
{
    struct resample *r = state;
    (void)node, (void)err;
    rm_value_clear(&r->input);
    rmi_resampler_free(r->resampler);
    return RM_OK;
}

const rm_node_type rmi_node_audio_resample = {
    .abi_version = RM_NODE_ABI_VERSION,
    .size = sizeof(rm_node_type),
    .name = "AudioResample",
    .summary = "Converts the sample rate of audio",
    .description =
        "Linear-phase filters whose delay is taken out again: a frame of the output is what the input has at its "
        "time, and n frames become exactly ceil(n * new rate / old rate). The first frames come out some "
        "milliseconds of audio later than they went in, the last ones at the end. Where the input jumps (flagged "
        "as a discontinuity, or a timestamp that is off by more than one frame) the old audio is completed and "
        "the filter begins anew. A change of sample rate or channels is an error. NaN and infinite samples count "
        "as silence.",
    .ports = resample_ports,
    .params = resample_params,
    .state_size = sizeof(struct resample),
    .process = resample_process,
    .more = resample_more,
    .flush = resample_flush,
    .close = resample_close,
};
