#include "nodes/audio_support/audio_support.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

struct level {
    bool pass_audio; /* parameter */
};

static const rm_param level_params[] = {
    {.name = "pass_audio",
     .text = "Pass the audio on, with the level in its metadata under \"level\"",
     .type = RM_PARAM_BOOL,
     .offset = offsetof(struct level, pass_audio),
     .flag = {.fallback = false}},
    {0},
};

static const rm_port level_ports[] = {
    {.name = "in",
     .direction = RM_INPUT,
     .kinds = RM_KIND_AUDIO,
     .format = {.dtype = RM_FLOAT32},
     .text = "Audio"},
    {.name = "out",
     .direction = RM_OUTPUT,
     .kinds = RM_KIND_MAP | RM_KIND_AUDIO,
     .text = "A level for each packet, or with pass_audio the packet itself"},
    {0},
};

/* Eight sums, so that several samples are added at once: sample i of a channel belongs to sum i modulo 8. So the
 * result does not depend on the processor, nor on the channels beside it. */
enum { LANES = 8, PIECE = 256 };
typedef float floats __attribute__((vector_size(16)));
typedef double doubles __attribute__((vector_size(16)));
typedef double wide __attribute__((vector_size(32)));
typedef int32_t bits __attribute__((vector_size(16)));

struct lanes {
    doubles squares[LANES / 2];
    bits peaks[LANES / 4]; /* of floats without their sign, which have the order of their bits */
};

/* Measures `count` samples, a multiple of LANES. */
static void add_samples(struct lanes *lanes, const float *samples, size_t count)
{
    struct lanes sum = *lanes;
    for (size_t i = 0; i < count; i += LANES)
        for (size_t k = 0; k < LANES / 4; k++) {
            floats four;
            memcpy(&four, samples + i + 4 * k, sizeof four);
            const wide exact = __builtin_convertvector(four, wide);
            const doubles low = __builtin_shufflevector(exact, exact, 0, 1);
            const doubles high = __builtin_shufflevector(exact, exact, 2, 3);
            sum.squares[2 * k] += low * low;
            sum.squares[2 * k + 1] += high * high;
            const bits size = (bits)four & INT32_MAX, above = size > sum.peaks[k];
            sum.peaks[k] = (size & above) | (sum.peaks[k] & ~above);
        }
    *lanes = sum;
}

/* The sum of squares and the peak of one channel, whose samples are `stride` apart. */
static void measure(const float *samples, size_t frames, size_t stride, double *squares, double *peak)
{
    struct lanes lanes = {0};
    float piece[PIECE];
    size_t done = 0;
    if (stride == 1) {
        done = frames / LANES * LANES;
        add_samples(&lanes, samples, done);
    }
    while (done < frames) {
        const size_t count = frames - done < PIECE ? frames - done : PIECE;
        for (size_t i = 0; i < count; i++)
            piece[i] = samples[(done + i) * stride];
        for (size_t i = count; i % LANES != 0; i++)
            piece[i] = 0.0f;
        add_samples(&lanes, piece, (count + LANES - 1) / LANES * LANES);
        done += count;
    }
    const doubles sum = (lanes.squares[0] + lanes.squares[2]) + (lanes.squares[1] + lanes.squares[3]);
    int32_t top = 0;
    for (size_t k = 0; k < LANES; k++)
        top = lanes.peaks[k / 4][k % 4] > top ? lanes.peaks[k / 4][k % 4] : top;
    float size;
    memcpy(&size, &top, sizeof size);
    *squares = sum[0] + sum[1];
    *peak = isfinite(*squares) ? (double)size : *squares; /* a peak that skipped NaN would look sound */
}

/* Makes {"rms_dbfs", "peak_dbfs"} with room for one more key. *out is owned. */
static int level_map(const rm_allocator *allocator, double power, double peak, rm_value *out, rm_error *err)
{
    const double rms_db = rmi_audio_round(rmi_audio_decibels(power));
    const double peak_db = rmi_audio_round(rmi_audio_decibels(peak * peak));
    int rc = rm_map_new(allocator, 3, out, err);
    if (rc == RM_OK)
        rc = rm_map_set(out, "rms_dbfs", 8, rm_float(rms_db), err);
    if (rc == RM_OK)
        rc = rm_map_set(out, "peak_dbfs", 9, rm_float(peak_db), err);
    if (rc != RM_OK)
        rm_value_clear(out);
    return rc;
}

/* Measures the level of all channels together and of each. *out is owned. */
static int level_of(const rm_allocator *allocator, const rm_samples *audio, rm_value *out, rm_error *err)
{
    rm_value each = rm_null(), one = rm_null();
    double total = 0.0, top = 0.0;
    int rc = rm_list_new(allocator, (size_t)audio->channels, &each, err);
    for (int32_t c = 0; rc == RM_OK && c < audio->channels; c++) {
        double squares = 0.0, peak = 0.0;
        measure(audio->f32 + c, audio->frames, (size_t)audio->channels, &squares, &peak);
        total += squares;
        top = peak > top ? peak : top;
        const double power = audio->frames ? squares / (double)audio->frames : 0.0;
        rc = level_map(allocator, power, peak, &one, err);
        if (rc == RM_OK)
            rc = rm_list_append(&each, rm_value_move(&one), err);
    }
    if (rc == RM_OK) {
        const double power = audio->count ? total / (double)audio->count : 0.0;
        rc = level_map(allocator, power, isfinite(total) ? top : total, out, err);
    }
    if (rc == RM_OK)
        rc = rm_map_set(out, "channels", 8, rm_value_move(&each), err);
    if (rc != RM_OK)
        rm_value_clear(out);
    rm_value_clear(&each);
    return rc;
}

static int level_process(rm_node *node, void *state, unsigned port, rm_packet in, rm_error *err)
{
    const struct level *l = state;
    const rm_allocator *allocator = rm_node_allocator(node);
    rm_samples audio = {0};
    rm_value level = rm_null();
    (void)port;
    int rc = rmi_audio_of(in.value, &audio, err);
    if (rc == RM_OK)
        rc = level_of(allocator, &audio, &level, err);
    if (rc != RM_OK)
        goto done;
    if (l->pass_audio)
        rc = rmi_audio_annotate(allocator, &in, "level", rm_value_move(&level), err);
    else {
        rm_value_clear(&in.value);
        in.value = rm_value_move(&level);
    }
    if (rc == RM_OK)
        rc = rm_emit(node, 0, rm_packet_move(&in));
done:
    rm_value_clear(&level);
    rm_packet_clear(&in);
    return rc;
}

const rm_node_type rmi_node_audio_level = {
    .abi_version = RM_NODE_ABI_VERSION,
    .size = sizeof(rm_node_type),
    .name = "AudioLevel",
    .summary = "Measures RMS and peak level of each audio packet in dBFS",
    .description = "Gives {\"rms_dbfs\", \"peak_dbfs\", \"channels\": [{\"rms_dbfs\", \"peak_dbfs\"}, ...]} "
                   "for each packet: "
                   "over all channels, then for each one. 0 dBFS is full scale (a sample of 1.0), so a sine "
                   "at full scale has "
                   "an RMS of -3.01. Levels have two decimals and end at -120, which silence has too.",
    .ports = level_ports,
    .params = level_params,
    .state_size = sizeof(struct level),
    .process = level_process,
};
