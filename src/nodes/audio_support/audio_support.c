#include "nodes/audio_support/audio_support.h"

#include <string.h>

#include <inttypes.h>
#include <math.h>

int rmi_audio_of(rm_value value, rm_samples *out, rm_error *err)
{
    const int rc = rm_samples_of(value, out, err);
    if (rc != RM_OK || out->dtype == RM_FLOAT32)
        return rc;
    rm_error_set(err, RM_E_TYPE, "expected float32 audio, got %s; full scale is 1.0",
                 rm_dtype_name(out->dtype));
    rm_error_hint(err, "put an AudioFormat with \"format\": \"float32\" before this node");
    return RM_E_TYPE;
}

double rmi_audio_decibels(double power)
{
    if (!isfinite(power))
        return power;
    const double level = power > 0.0 ? 10.0 * log10(power) : RMI_AUDIO_SILENCE_DB;
    return level > RMI_AUDIO_SILENCE_DB ? level : RMI_AUDIO_SILENCE_DB;
}

double rmi_audio_round(double decibels)
{
    return round(decibels * 100.0) / 100.0 + 0.0; /* + 0.0: no negative zero */
}

bool rmi_audio_stream_skips(rmi_audio_stream *stream, const rm_samples *audio, rm_packet *packet)
{
    const bool empty = audio->frames == 0;
    if (!empty && stream->jump)
        packet->flags |= RM_PACKET_DISCONTINUITY;
    stream->jump = empty && (stream->jump || packet->flags & RM_PACKET_DISCONTINUITY);
    return empty;
}

int rmi_audio_stream_check(rmi_audio_stream *stream, const rm_samples *audio, rm_error *err)
{
    if (stream->channels == 0) {
        stream->channels = audio->channels;
        stream->sample_rate = audio->sample_rate;
    }
    if (stream->channels == audio->channels && stream->sample_rate == audio->sample_rate)
        return RM_OK;
    rm_error_set(err, RM_E_VALUE,
                 "the audio format changed from %" PRId32 " Hz, %" PRId32 " channel(s) to %" PRId32
                 " Hz, %" PRId32 " channel(s) in mid-stream",
                 stream->sample_rate, stream->channels, audio->sample_rate, audio->channels);
    rm_error_hint(err,
                  "convert all parts to one format before they come together: AudioChannels, AudioResample");
    return RM_E_VALUE;
}

bool rmi_audio_stream_jumps(const rmi_audio_stream *stream, const rm_packet *packet)
{
    int64_t off;
    if (stream->frames == 0 || packet->flags & RM_PACKET_DISCONTINUITY)
        return true;
    if (packet->timestamp == RM_NO_TIME)
        return false;
    const int64_t frame = rm_frames_to_ns(1, stream->sample_rate) + 1;
    if (__builtin_sub_overflow(packet->timestamp, rmi_audio_stream_time(stream, stream->frames), &off))
        return true;
    return off > frame || off < -frame;
}

void rmi_audio_stream_anchor(rmi_audio_stream *stream, const rm_packet *packet)
{
    stream->base =
        packet->timestamp != RM_NO_TIME ? packet->timestamp : rmi_audio_stream_time(stream, stream->frames);
    stream->frames = 0;
}

int64_t rmi_audio_stream_time(const rmi_audio_stream *stream, int64_t frame)
{
    int64_t time;
    if (__builtin_add_overflow(stream->base, rm_frames_to_ns(frame, stream->sample_rate), &time))
        return INT64_MAX;
    return time;
}

int rmi_audio_annotate(const rm_allocator *allocator, rm_packet *packet, const char *key, rm_value value,
                       rm_error *err)
{
    rm_value map = rm_value_retain(rm_packet_metadata(packet));
    int rc =
        map.kind == RM_MAP ? rm_value_make_unique(allocator, &map, err) : rm_map_new(allocator, 1, &map, err);
    if (rc == RM_OK)
        rc = rm_map_set(&map, key, strlen(key), rm_value_move(&value), err);
    if (rc == RM_OK)
        rm_packet_set_metadata(packet, rm_value_move(&map));
    rm_value_clear(&map);
    rm_value_clear(&value);
    return rc;
}
