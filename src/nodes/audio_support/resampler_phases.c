#include "nodes/audio_support/resampler_stage.h"

#include <math.h>
#include <string.h>

#include "nodes/audio_support/lanes.h"

/* Rows for every phase are made up to this many bytes; beyond, rows at this many places of a frame, between
 * which four points interpolate (the error is below -150 dB). */
enum { ROW_BYTES_MOST = 512 * 1024, BETWEEN = 128 };

/* The row of taps for an output that lies `phase` (0 to 1) behind a frame; their sum is 1. `exact` has room for
 * the taps. */
static void fill_row(const rmi_phases *phases, const rmi_resampler_kernel *kernel, double scale, double phase,
                     double *exact, float *row)
{
    const double first = (double)(phases->reach - (int64_t)phases->taps + 1) - phase;
    double sum = 0.0;
    for (size_t k = 0; k < phases->taps; k++)
        sum += exact[k] = rmi_resampler_kernel_at(kernel, (first + (double)k) * scale);
    for (size_t k = 0; k < phases->taps; k++)
        row[k] = (float)(exact[k] / sum);
}

int rmi_phases_new(const rm_allocator *allocator, int64_t up, int64_t down, double scale,
                   const rmi_resampler_kernel *kernel, rmi_phases *phases, rm_error *err)
{
    const int64_t reach = (int64_t)ceil(kernel->width / scale);
    *phases = (rmi_phases){.up = up, .down = down};
    phases->interpolates = up * 2 * reach > (int64_t)(ROW_BYTES_MOST / sizeof(float));
    phases->count = phases->interpolates ? BETWEEN + 3 : (size_t)up; /* one row before, two behind */
    phases->reach = reach + phases->interpolates;
    phases->taps = ((size_t)(2 * phases->reach) + 7) / 8 * 8;
    const size_t bytes = phases->count * phases->taps * sizeof(float);
    const size_t exact_bytes = phases->taps * sizeof(double);
    phases->rows = allocator->resize(allocator->context, NULL, 0, bytes);
    double *exact = allocator->resize(allocator->context, NULL, 0, exact_bytes);
    if (phases->rows == NULL || exact == NULL) {
        if (exact != NULL)
            allocator->resize(allocator->context, exact, exact_bytes, 0);
        return rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory (%zu bytes)", bytes);
    }
    for (size_t r = 0; r < phases->count; r++) {
        const double phase = phases->interpolates ? ((double)r - 1.0) / BETWEEN : (double)r / (double)up;
        fill_row(phases, kernel, scale, phase, exact, phases->rows + r * phases->taps);
    }
    allocator->resize(allocator->context, exact, exact_bytes, 0);
    return RM_OK;
}

/* Two vectors of four: eight sums, which are added in one order on every host. */
static float total(lanes low, lanes high)
{
    const lanes both = low + high;
    return (both[0] + both[2]) + (both[1] + both[3]);
}

/* The sums of four windows, each times its row: four at a time keep the processor busy. Inlined where all
 * rows, or all windows, are the same one, so that it is loaded once. */
static inline void dot_4(const float *const windows[4], const float *const rows[4], size_t taps,
                         float sums[4])
{
    lanes low[4] = {{0}, {0}, {0}, {0}}, high[4] = {{0}, {0}, {0}, {0}};
    for (size_t k = 0; k < taps; k += 8)
        for (int i = 0; i < 4; i++) {
            low[i] += load(windows[i] + k) * load(rows[i] + k);
            high[i] += load(windows[i] + k + 4) * load(rows[i] + k + 4);
        }
    for (int i = 0; i < 4; i++)
        sums[i] = total(low[i], high[i]);
}

static float dot_1(const float *window, const float *row, size_t taps)
{
    lanes low = {0}, high = {0};
    for (size_t k = 0; k < taps; k += 8) {
        low += load(window + k) * load(row + k);
        high += load(window + k + 4) * load(row + k + 4);
    }
    return total(low, high);
}

/* The output between two rows: the third-order polynomial through the outputs of four rows around it. */
static float between(const rmi_phases *phases, const float *window, int64_t part)
{
    const double at = (double)part * BETWEEN / (double)phases->up;
    const size_t row = (size_t)at; /* the table begins one row earlier */
    const float t = (float)(at - (double)row), *first = phases->rows + row * phases->taps;
    const float *const rows[] = {first, first + phases->taps, first + 2 * phases->taps,
                                 first + 3 * phases->taps};
    const float *const windows[] = {window, window, window, window};
    float sums[4];
    dot_4(windows, rows, phases->taps, sums);
    const float below = t * (t - 1.0f), above = (t + 1.0f) * (t - 2.0f);
    return below * (2.0f - t) / 6.0f * sums[0] + above * (t - 1.0f) / 2.0f * sums[1] -
           above * t / 2.0f * sums[2] + below * (t + 1.0f) / 6.0f * sums[3];
}

/* Goes on to the next output; *whole counts from any frame. */
static inline void step(const rmi_phases *phases, int64_t *whole, int64_t *part)
{
    *whole += phases->down / phases->up;
    *part += phases->down % phases->up;
    if (*part >= phases->up) {
        *part -= phases->up;
        ++*whole;
    }
}

/* Makes output i and the outputs i + up, i + 2 up, i + 3 up, which have the same row, for i below `up`. */
static void four_cycles(const rmi_phases *phases, const float *plane, int64_t part, float *to,
                        size_t frame_step)
{
    const size_t cycle = (size_t)phases->up * frame_step;
    int64_t whole = 0;
    for (int64_t i = 0; i < phases->up; i++) {
        const float *window = plane + whole, *row = phases->rows + (size_t)part * phases->taps;
        const float *const windows[] = {window, window + phases->down, window + 2 * phases->down,
                                        window + 3 * phases->down};
        const float *const rows[] = {row, row, row, row};
        float sums[4];
        dot_4(windows, rows, phases->taps, sums);
        to[0] = sums[0];
        to[cycle] = sums[1];
        to[2 * cycle] = sums[2];
        to[3 * cycle] = sums[3];
        to += frame_step;
        step(phases, &whole, &part);
    }
}

/* Makes the next four outputs. */
static void four(const rmi_phases *phases, const float *plane, int64_t *whole, int64_t *part, float *to,
                 size_t frame_step)
{
    const float *windows[4], *rows[4];
    float sums[4];
    for (int i = 0; i < 4; i++) {
        windows[i] = plane + *whole;
        rows[i] = phases->rows + (size_t)*part * phases->taps;
        step(phases, whole, part);
    }
    dot_4(windows, rows, phases->taps, sums);
    for (int i = 0; i < 4; i++)
        to[(size_t)i * frame_step] = sums[i];
}

void rmi_phases_filter(const rmi_phases *phases, const float *plane, int64_t part, size_t frames, float *to,
                       size_t frame_step)
{
    const size_t cycles = 4 * (size_t)phases->up;
    int64_t whole = 0;
    for (; !phases->interpolates && frames >= cycles; frames -= cycles) {
        four_cycles(phases, plane, part, to, frame_step);
        plane += 4 * phases->down;
        to += cycles * frame_step;
    }
    for (; !phases->interpolates && frames >= 4; frames -= 4) {
        four(phases, plane, &whole, &part, to, frame_step);
        to += 4 * frame_step;
    }
    for (; frames > 0; frames--) {
        const float *window = plane + whole;
        *to = phases->interpolates ? between(phases, window, part)
                                   : dot_1(window, phases->rows + (size_t)part * phases->taps, phases->taps);
        to += frame_step;
        step(phases, &whole, &part);
    }
}

void rmi_phases_skip(const rmi_phases *phases, size_t frames, int64_t *whole, int64_t *part)
{
    const int64_t far = (int64_t)frames * phases->down + *part;
    *whole += far / phases->up;
    *part = far % phases->up;
}

void rmi_phases_free(const rm_allocator *allocator, rmi_phases *phases)
{
    if (phases->rows != NULL)
        allocator->resize(allocator->context, phases->rows, phases->count * phases->taps * sizeof(float), 0);
    phases->rows = NULL;
}
