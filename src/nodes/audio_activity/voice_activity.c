/* An energy gate after Rabiner and Sambur, "An Algorithm for Determining the Endpoints of Isolated
 * Utterances" (Bell System Technical Journal 54, 1975): speech is what stands out from the background by a
 * margin. The background is followed as a slowly rising minimum, in the spirit of Martin, "Noise Power
 * Spectral Density Estimation Based on Optimal Smoothing and Minimum Statistics" (IEEE Trans. Speech and
 * Audio Processing 9, 2001): down at once, up by so many dB a second, so that speech hardly lifts it and
 * every pause brings it back. The hang-over, which keeps the quiet ends of words, is that of GSM 06.32. */
#include "nodes/audio_support/audio_support.h"

#include <math.h>
#include <stddef.h>

enum { NS_PER_MS = 1000000 };

struct activity {
    double threshold_db, min_level_db, start_floor_db, floor_rise_db; /* parameters */
    int64_t min_speech_ms, min_silence_ms, hangover_ms;
    rmi_audio_stream stream;
    double floor_db; /* level of the background; valid once `started` */
    bool started;
    bool open;               /* a segment is open; what follows belongs to it */
    int64_t start, loud_end; /* of its first and last packet above the threshold, ns */
    int64_t loud_ns;         /* time above the threshold in all */
    double loud_squares;     /* sum of squares of those samples, and their number */
    double loud_count;
};

static const rm_param activity_params[] = {
    {.name = "threshold_db",
     .text = "Speech is louder than the background by this, dB",
     .type = RM_PARAM_FLOAT64,
     .offset = offsetof(struct activity, threshold_db),
     .f64 = {.fallback = 10.0, .min = 0.0, .max = 120.0}},
    {.name = "min_level_db",
     .text = "Nothing below this level is speech, dBFS",
     .type = RM_PARAM_FLOAT64,
     .offset = offsetof(struct activity, min_level_db),
     .f64 = {.fallback = -55.0, .min = -120.0, .max = 0.0}},
    {.name = "start_floor_db",
     .text = "The background is taken to be at most this loud at the start, dBFS",
     .type = RM_PARAM_FLOAT64,
     .offset = offsetof(struct activity, start_floor_db),
     .f64 = {.fallback = -40.0, .min = -120.0, .max = 0.0}},
    {.name = "floor_rise_db",
     .text = "How fast the estimate of the background may rise, dB a second",
     .type = RM_PARAM_FLOAT64,
     .offset = offsetof(struct activity, floor_rise_db),
     .f64 = {.fallback = 2.0, .min = 0.0, .max = 1000.0}},
    {.name = "min_speech_ms",
     .text = "Less sound than this is no segment (clicks), ms",
     .type = RM_PARAM_INT64,
     .offset = offsetof(struct activity, min_speech_ms),
     .i64 = {.fallback = 100, .min = 0, .max = 3600000}},
    {.name = "min_silence_ms",
     .text = "A pause shorter than this does not end a segment, ms",
     .type = RM_PARAM_INT64,
     .offset = offsetof(struct activity, min_silence_ms),
     .i64 = {.fallback = 300, .min = 0, .max = 3600000}},
    {.name = "hangover_ms",
     .text = "How long a segment goes on after the last loud packet, ms",
     .type = RM_PARAM_INT64,
     .offset = offsetof(struct activity, hangover_ms),
     .i64 = {.fallback = 100, .min = 0, .max = 3600000}},
    {0},
};

static const rm_port activity_ports[] = {
    {.name = "in",
     .direction = RM_INPUT,
     .kinds = RM_KIND_AUDIO,
     .format = {.dtype = RM_FLOAT32},
     .text = "Audio in packets of 10 to 30 ms: each is judged as a whole"},
    {.name = "out",
     .direction = RM_OUTPUT,
     .kinds = RM_KIND_MAP,
     .text = "{\"start\", \"end\", \"level_db\"} for each segment of speech, when it has ended"},
    {0},
};

/* Sends the segment {"start", "end", "level_db"}; `end` in ns. */
static int send_segment(rm_node *node, const struct activity *a, int64_t end, rm_error *err)
{
    rm_value map = rm_null();
    const double level = rmi_audio_decibels(a->loud_squares / a->loud_count);
    int rc = rm_map_new(rm_node_allocator(node), 3, &map, err);
    if (rc == RM_OK)
        rc = rm_map_set(&map, "start", 5, rm_float((double)a->start / 1e9), err);
    if (rc == RM_OK)
        rc = rm_map_set(&map, "end", 3, rm_float((double)end / 1e9), err);
    if (rc == RM_OK)
        rc = rm_map_set(&map, "level_db", 8, rm_float(rmi_audio_round(level)), err);
    if (rc == RM_OK) {
        rm_packet packet = rm_packet_of(rm_value_move(&map));
        packet.timestamp = a->start;
        packet.duration = end - a->start;
        rc = rm_emit(node, 0, packet);
    }
    rm_value_clear(&map);
    return rc;
}

/* Ends the open segment, if any; `now` is the end of the audio so far, and no segment goes past it. */
static int close_segment(rm_node *node, struct activity *a, int64_t now, rm_error *err)
{
    const int64_t hangover = a->hangover_ms * NS_PER_MS;
    const bool speech = a->open && a->loud_ns >= a->min_speech_ms * NS_PER_MS;
    a->open = false;
    if (!speech)
        return RM_OK;
    return send_segment(node, a, now - a->loud_end > hangover ? a->loud_end + hangover : now, err);
}

/* Follows the background; `seconds` is the length of the packet that measured `level`. */
static void track_floor(struct activity *a, double level, double seconds)
{
    if (!a->started)
        a->floor_db = fmin(level, a->start_floor_db);
    else
        a->floor_db = fmin(level, a->floor_db + a->floor_rise_db * seconds);
    a->started = true;
}

/* Judges one packet from `from` to `to`, with the sum of its samples' squares. */
static int judge(rm_node *node, struct activity *a, int64_t from, int64_t to, double squares, double count,
                 rm_error *err)
{
    double level = rmi_audio_decibels(squares / count);
    if (isfinite(level))
        track_floor(a, level, (double)(to - from) / 1e9);
    else
        level = RMI_AUDIO_SILENCE_DB; /* broken samples are no speech and do not move the background */
    if (level >= a->min_level_db && level > a->floor_db + a->threshold_db) {
        if (!a->open) {
            a->open = true;
            a->start = from;
            a->loud_ns = 0;
            a->loud_squares = a->loud_count = 0.0;
        }
        a->loud_end = to;
        a->loud_ns += to - from;
        a->loud_squares += squares;
        a->loud_count += count;
        return RM_OK;
    }
    const int64_t pause_ms = a->min_silence_ms > a->hangover_ms ? a->min_silence_ms : a->hangover_ms;
    return a->open && to - a->loud_end >= pause_ms * NS_PER_MS ? close_segment(node, a, to, err) : RM_OK;
}

static int activity_process(rm_node *node, void *state, unsigned port, rm_packet in, rm_error *err)
{
    struct activity *a = state;
    rm_samples audio = {0};
    double squares = 0.0;
    (void)port;
    int rc = rmi_audio_of(in.value, &audio, err);
    if (rc != RM_OK || rmi_audio_stream_skips(&a->stream, &audio, &in))
        goto done;
    rc = rmi_audio_stream_check(&a->stream, &audio, err);
    if (rc == RM_OK && rmi_audio_stream_jumps(&a->stream, &in)) {
        rc = close_segment(node, a, rmi_audio_stream_time(&a->stream, a->stream.frames), err);
        rmi_audio_stream_anchor(&a->stream, &in);
    }
    if (rc != RM_OK)
        goto done;
    for (size_t i = 0; i < audio.count; i++)
        squares += (double)audio.f32[i] * (double)audio.f32[i];
    const int64_t from = rmi_audio_stream_time(&a->stream, a->stream.frames);
    a->stream.frames += (int64_t)audio.frames;
    rc = judge(node, a, from, rmi_audio_stream_time(&a->stream, a->stream.frames), squares,
               (double)audio.count, err);
done:
    rm_packet_clear(&in);
    return rc;
}

static int activity_flush(rm_node *node, void *state, rm_error *err)
{
    struct activity *a = state;
    return close_segment(node, a, rmi_audio_stream_time(&a->stream, a->stream.frames), err);
}

const rm_node_type rmi_node_voice_activity = {
    .abi_version = RM_NODE_ABI_VERSION,
    .size = sizeof(rm_node_type),
    .name = "VoiceActivity",
    .summary = "Finds the segments of audio in which someone speaks",
    .description =
        "Gives {\"start\", \"end\", \"level_db\"} for each segment: times in seconds, the level of its loud "
        "part in "
        "dBFS. A packet is speech when it is louder than the background by threshold_db and not below "
        "min_level_db; "
        "the background is the lowest level lately, which may rise by floor_rise_db a second. Each packet is "
        "judged "
        "as a whole, so put an AudioBuffer of 10 to 30 ms before this node. A segment comes out "
        "min_silence_ms (or "
        "hangover_ms, if longer) after its end; one that is open when the audio ends, or jumps, ends there.",
    .ports = activity_ports,
    .params = activity_params,
    .state_size = sizeof(struct activity),
    .process = activity_process,
    .flush = activity_flush,
};
