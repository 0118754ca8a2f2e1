#include "nodes/audio_file/codec.h"
#include "nodes/audio_support/audio_support.h"
#include "nodes/open_file.h"

#include <inttypes.h>
#include <stddef.h>

struct sink {
    const char *path; /* parameters */
    int format;
    rmi_audio_stream stream;
    rmi_audio_format empty; /* of the first packet without frames; no channels: none came */
    bool came;              /* a packet with frames, or one that failed */
    rmi_audio_writer *writer;
};

static const char *const format_names[] = {
    [RMI_AUDIO_PCM16] = "pcm16", [RMI_AUDIO_PCM24] = "pcm24", [RMI_AUDIO_FLOAT32] = "float32", NULL};

static const rm_param sink_params[] = {
    {.name = "path",
     .text =
         "The WAV file, which is replaced if it is there; relative to the current directory. \"-\": standard "
         "output, where the results have a file of their own",
     .type = RM_PARAM_STRING,
     .flags = RM_PARAM_REQUIRED | RM_PARAM_PATH | RM_PARAM_WRITES,
     .offset = offsetof(struct sink, path)},
    {.name = "format",
     .text = "How samples are stored; pcm16 and pcm24 clip at full scale",
     .type = RM_PARAM_ENUM,
     .offset = offsetof(struct sink, format),
     .choice = {.choices = format_names, .fallback = RMI_AUDIO_PCM16}},
    {0},
};

static const rm_port sink_ports[] = {
    {.name = "in",
     .direction = RM_INPUT,
     .kinds = RM_KIND_AUDIO,
     .format = {.dtype = RM_FLOAT32},
     .text = "Audio of one sample rate and number of channels"},
    {0},
};

static int sink_open(rm_node *node, void *state, rm_error *err)
{
    const struct sink *s = state;
    int descriptor = -1; /* the writer asks for it again */
    return rm_is_standard_stream(s->path, true) ? rm_node_standard_output(node, &descriptor, err) : RM_OK;
}

static int start(rm_node *node, struct sink *s, const rmi_audio_format *format, rm_error *err)
{
    return rmi_audio_writer_open(rm_node_allocator(node), node, s->path, (rmi_audio_encoding)s->format,
                                 format, &s->writer, err);
}

/* A packet without frames decides nothing, unless no other comes. */
static int sink_process(rm_node *node, void *state, unsigned port, rm_packet in, rm_error *err)
{
    struct sink *s = state;
    rm_samples audio = {0};
    (void)port;
    int rc = rmi_audio_of(in.value, &audio, err);
    const rmi_audio_format format = {audio.channels, audio.sample_rate, audio.channel_layout};
    const bool empty = rc == RM_OK && rmi_audio_stream_skips(&s->stream, &audio, &in);
    if (empty && s->empty.channels == 0)
        s->empty = format;
    s->came |= !empty;
    if (rc == RM_OK && !empty)
        rc = rmi_audio_stream_check(&s->stream, &audio, err);
    if (rc == RM_OK && !empty && s->writer == NULL)
        rc = start(node, s, &format, err);
    if (rc == RM_OK && !empty)
        rc = rmi_audio_writer_write(s->writer, audio.f32, audio.frames, err);
    rm_packet_clear(&in);
    return rc;
}

static void tell_changed(rm_node *node, const struct sink *s)
{
    const rmi_quantiser *counts = rmi_audio_writer_counts(s->writer);
    if (counts->clipped != 0)
        rm_node_log(node, RM_LOG_WARNING,
                    "%" PRIu64 " of %" PRIu64 " samples in '%s' were beyond full scale and clipped",
                    counts->clipped, counts->position, s->path);
    if (counts->nan != 0)
        rm_node_log(node, RM_LOG_WARNING,
                    "%" PRIu64 " of %" PRIu64 " samples in '%s' were no numbers and became silence",
                    counts->nan, counts->position, s->path);
}

static int sink_close(rm_node *node, void *state, rm_error *err)
{
    struct sink *s = state;
    const bool empty = !s->came && s->empty.channels != 0;
    int rc = RM_OK;
    if (s->writer != NULL)
        tell_changed(node, s);
    else if (!empty && !s->came)
        rm_node_log(node, RM_LOG_WARNING, "no audio came: '%s' was not written", s->path);
    if (empty)
        rc = start(node, s, &s->empty, err);
    if (empty && rc == RM_OK)
        rm_node_log(node, RM_LOG_WARNING, "only packets without frames came: '%s' has no samples", s->path);
    return rc == RM_OK ? rmi_audio_writer_close(s->writer, err) : rc;
}

const rm_node_type rmi_node_audio_file_sink = {
    .abi_version = RM_NODE_ABI_VERSION,
    .size = sizeof(rm_node_type),
    .name = "AudioFileSink",
    .summary = "Writes audio into a WAV file",
    .description =
        "The first packet with frames decides sample rate and channels; the file is created then and "
        "completed when the run ends, also when it fails. Nothing is emitted. Gaps in the timestamps are "
        "not filled. Samples that were clipped, and NaN, are counted in a warning at the end.",
    .ports = sink_ports,
    .params = sink_params,
    .state_size = sizeof(struct sink),
    .flags = RM_NODE_SIDE_EFFECT,
    .open = sink_open,
    .process = sink_process,
    .close = sink_close,
};
