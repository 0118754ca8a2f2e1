#include "nodes/audio_file/codec.h"
#include "nodes/audio_support/resampler.h"

#include <inttypes.h>
#include <stddef.h>

struct audio_file_source {
    const char *path; /* parameters */
    int64_t chunk_frames, sample_rate, channels;
    rmi_audio_format format;
    rmi_audio_reader *reader;
    int64_t position; /* frames sent so far */
};

static const rm_param source_params[] = {
    {.name = "path",
     .text =
         "The file, WAV, AIFF, FLAC, MP3 or Ogg; relative to the current directory. \"-\": standard input",
     .type = RM_PARAM_STRING,
     .flags = RM_PARAM_REQUIRED | RM_PARAM_PATH,
     .offset = offsetof(struct audio_file_source, path)},
    {.name = "chunk_frames",
     .text = "Frames in each packet; the last one has what is left",
     .type = RM_PARAM_INT64,
     .offset = offsetof(struct audio_file_source, chunk_frames),
     .i64 = {.fallback = 1024, .min = 1, .max = 1 << 24}},
    {.name = "sample_rate",
     .text = "Converts to this rate, 1000 to 384000 Hz; 0: as the file has it",
     .type = RM_PARAM_INT64,
     .offset = offsetof(struct audio_file_source, sample_rate),
     .i64 = {.fallback = 0, .min = 0, .max = RMI_RESAMPLE_FASTEST}},
    {.name = "channels",
     .text = "Mixes to this many channels; 0: as the file has them",
     .type = RM_PARAM_INT64,
     .offset = offsetof(struct audio_file_source, channels),
     .i64 = {.fallback = 0, .min = 0, .max = 8}},
    {0},
};

static const rm_port source_ports[] = {
    {.name = "out",
     .direction = RM_OUTPUT,
     .kinds = RM_KIND_AUDIO,
     .format = {.dtype = RM_FLOAT32},
     .text = "The file's audio, with timestamps from 0"},
    {0},
};

static int source_check(const void *state, rm_error *err)
{
    const struct audio_file_source *s = state;
    if (s->sample_rate == 0 || s->sample_rate >= RMI_RESAMPLE_SLOWEST)
        return RM_OK;
    rm_error_set(err, RM_E_VALUE, "'sample_rate' is %" PRId64 "; it must be 0 or from %d to %d",
                 s->sample_rate, RMI_RESAMPLE_SLOWEST, RMI_RESAMPLE_FASTEST);
    rm_error_pointer(err, "/params/sample_rate");
    rm_error_hint(err, "sample_rate counts frames a second: 16 kHz is 16000");
    return RM_E_VALUE;
}

static int source_open(rm_node *node, void *state, rm_error *err)
{
    struct audio_file_source *s = state;
    s->format.channels = (int32_t)s->channels;
    s->format.sample_rate = (int32_t)s->sample_rate;
    return rmi_audio_reader_open(rm_node_allocator(node), node, s->path, &s->format, &s->reader, err);
}

static int source_generate(rm_node *node, void *state, rm_error *err)
{
    struct audio_file_source *s = state;
    const rm_allocator *allocator = rm_node_allocator(node);
    rm_value chunk = rm_null(), part = rm_null();
    rm_samples audio = {0};
    size_t got = 0;
    int rc = rm_samples_new(allocator, (size_t)s->chunk_frames, s->format.channels, s->format.sample_rate,
                            s->format.channel_layout, &chunk, &audio, err);
    if (rc == RM_OK)
        rc = rmi_audio_reader_read(s->reader, audio.f32, audio.frames, &got, err);
    if (rc == RM_OK && got == 0)
        rc = RM_DONE;
    if (rc == RM_OK && got < audio.frames) {
        rc = rm_tensor_slice(allocator, chunk, 0, (int64_t)got, &part, err);
        rm_value_clear(&chunk);
        chunk = rm_value_move(&part);
    }
    if (rc != RM_OK)
        goto done;
    rm_packet packet = rm_packet_of(rm_value_move(&chunk));
    packet.timestamp = rm_frames_to_ns(s->position, s->format.sample_rate);
    s->position += (int64_t)got;
    packet.duration = rm_frames_to_ns(s->position, s->format.sample_rate) - packet.timestamp;
    rc = rm_emit(node, 0, packet);
done:
    rm_value_clear(&chunk);
    return rc;
}

static int source_close(rm_node *node, void *state, rm_error *err)
{
    struct audio_file_source *s = state;
    (void)node, (void)err;
    rmi_audio_reader_close(s->reader);
    return RM_OK;
}

const rm_node_type rmi_node_audio_file_source = {
    .abi_version = RM_NODE_ABI_VERSION,
    .size = sizeof(rm_node_type),
    .name = "AudioFileSource",
    .summary = "Reads an audio file (WAV, AIFF, FLAC, MP3, Ogg) in chunks",
    .description = "Each packet is a float32 tensor (frames, channels) whose full scale is 1.0, with sample "
                   "rate, channel "
                   "layout, timestamp and duration. The format is told by the file's content, not by its "
                   "name. A file that is cut off or damaged gives what can be read, then fails; a codec "
                   "that is not read is an error with its name. Pipes and standard input can be read too.",
    .ports = source_ports,
    .params = source_params,
    .state_size = sizeof(struct audio_file_source),
    .check = source_check,
    .open = source_open,
    .generate = source_generate,
    .close = source_close,
};
