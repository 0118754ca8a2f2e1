#include "nodes/audio_support/resampler_stage.h"

#include <math.h>
#include <string.h>

/* Rows for every phase are made up to this many bytes; beyond, rows at this many places of a frame, between
 * which four points interpolate (the error is below -150 dB). */
enum { ROW_BYTES_MOST = 512 * 1024, BETWEEN = 128 };

/* The row of taps for an output that lies `phase` (0 to 1) behind a frame; their sum is 1. */
static void fill_row(const rmi_phases *phases, const rmi_resampler_kernel *kernel, double scale, double phase,
                     float *row)
{
    const double first = (double)(phases->reach - (int64_t)phases->taps + 1) - phase;
    double sum = 0.0;
    for (size_t k = 0; k < phases->taps; k++)
        sum += rmi_resampler_kernel_at(kernel, (first + (double)k) * scale);
    for (size_t k = 0; k < phases->taps; k++)
        row[k] = (float)(rmi_resampler_kernel_at(kernel, (first + (double)k) * scale) / sum);
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
    phases->rows = allocator->resize(allocator->context, NULL, 0, bytes);
    if (phases->rows == NULL)
        return rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory (%zu bytes)", bytes);
    for (size_t r = 0; r < phases->count; r++) {
        const double phase = phases->interpolates ? ((double)r - 1.0) / BETWEEN : (double)r / (double)up;
        fill_row(phases, kernel, scale, phase, phases->rows + r * phases->taps);
    }
    return RM_OK;
}

/* Two vectors of four: eight sums, which are added in one order on every host. */
typedef float lanes __attribute__((vector_size(16)));

static lanes load(const float *from)
{
    lanes to;
    memcpy(&to, from, sizeof to);
    return to;
}

static float total(lanes low, lanes high)
{
    const lanes both = low + high;
    return (both[0] + both[2]) + (both[1] + both[3]);
}

/* The sums of four windows, each times its row: four at a time keep the processor busy. */
static void dot_4(const float *const windows[4], const float *const rows[4], size_t taps, float sums[4])
{
    const float *w0 = windows[0], *w1 = windows[1], *w2 = windows[2], *w3 = windows[3];
    const float *r0 = rows[0], *r1 = rows[1], *r2 = rows[2], *r3 = rows[3];
    lanes low0 = {0}, low1 = {0}, low2 = {0}, low3 = {0};
    lanes high0 = {0}, high1 = {0}, high2 = {0}, high3 = {0};
    for (size_t k = 0; k < taps; k += 8) {
        low0 += load(w0 + k) * load(r0 + k);
        high0 += load(w0 + k + 4) * load(r0 + k + 4);
        low1 += load(w1 + k) * load(r1 + k);
        high1 += load(w1 + k + 4) * load(r1 + k + 4);
        low2 += load(w2 + k) * load(r2 + k);
        high2 += load(w2 + k + 4) * load(r2 + k + 4);
        low3 += load(w3 + k) * load(r3 + k);
        high3 += load(w3 + k + 4) * load(r3 + k + 4);
    }
    sums[0] = total(low0, high0);
    sums[1] = total(low1, high1);
    sums[2] = total(low2, high2);
    sums[3] = total(low3, high3);
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
    const float t = (float)(at - (double)row);
    const float *first = phases->rows + row * phases->taps;
    const float *const windows[] = {window, window, window, window};
    const float *const rows[] = {first, first + phases->taps, first + 2 * phases->taps,
                                 first + 3 * phases->taps};
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

void rmi_phases_filter(const rmi_phases *phases, const float *plane, int64_t whole, int64_t part,
                       size_t frames, float *to, size_t frame_step)
{
    const float *windows[4], *rows[4];
    float sums[4];
    size_t gathered = 0, made = 0;
    for (size_t i = 0; i < frames; i++) {
        const float *window = plane + whole;
        if (phases->interpolates) {
            to[made++ * frame_step] = between(phases, window, part);
        } else {
            windows[gathered] = window;
            rows[gathered++] = phases->rows + (size_t)part * phases->taps;
        }
        if (gathered == 4) {
            dot_4(windows, rows, phases->taps, sums);
            for (gathered = 0; gathered < 4; gathered++)
                to[made++ * frame_step] = sums[gathered];
            gathered = 0;
        }
        step(phases, &whole, &part);
    }
    for (size_t i = 0; i < gathered; i++)
        to[made++ * frame_step] = dot_1(windows[i], rows[i], phases->taps);
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
