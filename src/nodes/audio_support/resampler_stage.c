#include "nodes/audio_support/resampler_stage.h"

#include <string.h>

/* x / y rounded down, for y > 0. */
static int64_t floor_div(int64_t x, int64_t y)
{
    return x / y - (x % y < 0);
}

int64_t rmi_stage_needs(const rmi_stage *stage, int64_t output)
{
    const int64_t pairs = (int64_t)stage->pairs;
    switch (stage->kind) {
    case RMI_STAGE_HALVE:
        return 2 * output - (2 * pairs - 1);
    case RMI_STAGE_DOUBLE:
        return floor_div(output, 2) - pairs + 1;
    default:
        return floor_div(output * stage->phases.down, stage->phases.up) + stage->phases.reach -
               (int64_t)stage->phases.taps + 1;
    }
}

int64_t rmi_stage_reaches(const rmi_stage *stage, int64_t input)
{
    const int64_t pairs = (int64_t)stage->pairs, up = stage->phases.up, down = stage->phases.down;
    switch (stage->kind) {
    case RMI_STAGE_HALVE:
        return floor_div(input - 2 * pairs, 2) + 1;
    case RMI_STAGE_DOUBLE:
        return 2 * (input - pairs);
    default:
        break;
    }
    /* All i with i * down / up < input - reach; in two parts, so that no product is too large. */
    const int64_t end = input - stage->phases.reach, cycles = floor_div(end, down);
    return cycles * up - floor_div(-(end - cycles * down) * up, down);
}

int rmi_stage_allocate(const rm_allocator *allocator, rmi_stage *stage, int64_t first, rm_error *err)
{
    const int64_t window = stage->kind == RMI_STAGE_RATIO ? (int64_t)stage->phases.taps + stage->phases.down
                                                          : 4 * (int64_t)stage->pairs;
    size_t floats, bytes;
    stage->capacity = (size_t)(window - (first < 0 ? first : 0)) + 2 * RMI_STAGE_BLOCK;
    if (__builtin_mul_overflow(stage->capacity, stage->channels, &floats) ||
        __builtin_mul_overflow(floats, sizeof(float), &bytes))
        return rm_error_set(err, RM_E_LIMIT, "audio of %zu channels is too wide", stage->channels);
    stage->planes = allocator->resize(allocator->context, NULL, 0, bytes);
    if (stage->planes == NULL)
        return rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory (%zu bytes)", bytes);
    return RM_OK;
}

void rmi_stage_restart(rmi_stage *stage, int64_t first, bool silence)
{
    stage->first = first;
    stage->next = stage->start;
    stage->filled = silence ? (size_t)-first : 0;
    for (size_t c = 0; c < stage->channels; c++)
        memset(stage->planes + c * stage->capacity, 0, stage->filled * sizeof(float));
    if (stage->kind == RMI_STAGE_RATIO) {
        stage->whole = floor_div(stage->start * stage->phases.down, stage->phases.up);
        stage->part = stage->start * stage->phases.down - stage->whole * stage->phases.up;
    }
}

/* The first frame that the next output needs. */
static int64_t oldest(const rmi_stage *stage)
{
    if (stage->kind == RMI_STAGE_RATIO)
        return stage->whole + stage->phases.reach - (int64_t)stage->phases.taps + 1;
    return rmi_stage_needs(stage, stage->next);
}

size_t rmi_stage_space(rmi_stage *stage)
{
    if (stage->capacity - stage->filled >= RMI_STAGE_BLOCK)
        return stage->capacity - stage->filled;
    const int64_t past = oldest(stage) - stage->first;
    const size_t drop = past < 0 ? 0 : (uint64_t)past < stage->filled ? (size_t)past : stage->filled;
    for (size_t c = 0; drop > 0 && c < stage->channels; c++) {
        float *plane = stage->planes + c * stage->capacity;
        memmove(plane, plane + drop, (stage->filled - drop) * sizeof(float));
    }
    stage->first += (int64_t)drop;
    stage->filled -= drop;
    return stage->capacity - stage->filled;
}

rmi_stage_output rmi_stage_input(const rmi_stage *stage)
{
    return (rmi_stage_output){stage->planes + stage->filled, stage->capacity, 1};
}

/* Output i: frame 2 i at a half, and the odd frames around it. The sum of each output is in one order, so
 * that the compiler may make several at once. */
static void halve(const rmi_stage *stage, const float *restrict plane, size_t frames, float *restrict to)
{
    const size_t pairs = stage->pairs, odd_count = frames + 2 * pairs - 1;
    float odd[RMI_STAGE_BLOCK + 2 * RMI_HALF_BAND_MOST];
    for (size_t k = 0; k < odd_count; k++)
        odd[k] = plane[2 * k];
    for (size_t i = 0; i < frames; i++)
        to[i] = 0.5f * plane[2 * (i + pairs) - 1];
    for (size_t p = 0; p < pairs; p++) {
        const float *before = odd + pairs - 1 - p, *behind = odd + pairs + p, tap = stage->half_band[p];
        for (size_t i = 0; i < frames; i++)
            to[i] += tap * (before[i] + behind[i]);
    }
}

/* The outputs between frame i and frame i + 1, for `frames` frames from the first one whole window on. */
static void between(const rmi_stage *stage, const float *restrict plane, size_t frames, float *restrict to)
{
    const size_t pairs = stage->pairs;
    memset(to, 0, frames * sizeof *to);
    for (size_t p = 0; p < pairs; p++) {
        const float *before = plane + pairs - 1 - p, *behind = plane + pairs + p,
                    tap = 2.0f * stage->half_band[p];
        for (size_t i = 0; i < frames; i++)
            to[i] += tap * (before[i] + behind[i]);
    }
}

/* Makes `frames` outputs of one channel, whose plane begins at the first frame that is needed. */
static void make(const rmi_stage *stage, const float *plane, size_t frames, float *to, size_t step)
{
    float made[RMI_STAGE_BLOCK];
    if (stage->kind == RMI_STAGE_RATIO) {
        rmi_phases_filter(&stage->phases, plane, stage->part, frames, to, step);
    } else if (stage->kind == RMI_STAGE_HALVE) {
        halve(stage, plane, frames, made);
        for (size_t i = 0; i < frames; i++)
            to[i * step] = made[i];
    } else {
        const size_t odd = (size_t)(stage->next & 1), count = (odd + frames) / 2;
        between(stage, plane, count, made);
        for (size_t i = 0; i < frames; i++) {
            const size_t frame = (odd + i) / 2;
            to[i * step] = (odd + i) % 2 ? made[frame] : plane[stage->pairs - 1 + frame];
        }
    }
}

void rmi_stage_make(rmi_stage *stage, size_t frames, rmi_stage_output to)
{
    const size_t skip = (size_t)(oldest(stage) - stage->first);
    for (size_t c = 0; c < stage->channels; c++)
        make(stage, stage->planes + c * stage->capacity + skip, frames, to.samples + c * to.channel_step,
             to.frame_step);
    stage->next += (int64_t)frames;
    if (stage->kind == RMI_STAGE_RATIO)
        rmi_phases_skip(&stage->phases, frames, &stage->whole, &stage->part);
}

void rmi_stage_free(const rm_allocator *allocator, rmi_stage *stage)
{
    if (stage->planes != NULL)
        allocator->resize(allocator->context, stage->planes,
                          stage->capacity * stage->channels * sizeof(float), 0);
    stage->planes = NULL;
    rmi_phases_free(allocator, &stage->phases);
}
