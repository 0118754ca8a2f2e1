#include "nodes/audio_support/resampler.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/node_test.h"

static const double pi = 3.14159265358979323846;

static rmi_resampler *resampler_of(int32_t from, int32_t to, int32_t channels, rmi_resample_quality quality)
{
    rmi_resampler *r = NULL;
    assert_int_equal(rmi_resampler_new(rm_allocator_default(), from, to, channels, quality, &r, NULL), RM_OK);
    return r;
}

static float *floats(size_t count)
{
    float *samples = calloc(count + 1, sizeof *samples);
    assert_non_null(samples);
    return samples;
}

static size_t length_of(size_t frames, int32_t from, int32_t to)
{
    return (frames * (size_t)to + (size_t)from - 1) / (size_t)from;
}

/* Numbers that look random, from -1 to 1. */
static float random_sample(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (float)(int32_t)*state * 0x1p-31f;
}

/* Converts `in` in chunks of `chunk` frames (0: of random lengths), with room for what each call can give. */
static float *convert(rmi_resampler *r, const float *in, size_t frames, size_t channels, size_t chunk,
                      size_t expected)
{
    float *out = floats(expected * channels);
    size_t done = 0, used, made;
    uint32_t state = 1;
    for (size_t i = 0; i < frames; i += used) {
        size_t count = chunk != 0 ? chunk : (size_t)(fabsf(random_sample(&state)) * 700.0f);
        count = count < frames - i ? count : frames - i;
        const uint64_t ready = rmi_resampler_ready(r, count);
        assert_true(done + ready <= expected);
        rmi_resampler_process(r, in + i * channels, count, &used, out + done * channels, (size_t)ready,
                              &made);
        assert_true(used == count && made == ready);
        done += made;
    }
    assert_int_equal(rmi_resampler_rest(r), expected - done);
    while ((made = rmi_resampler_flush(r, out + done * channels, 100)) != 0)
        done += made;
    assert_int_equal(done, expected);
    return out;
}

/* A sine of `frequency` converted: its amplitude in dB, its delay in frames of the output, and the rest in dB
 * below full scale, without the ends. */
typedef struct measure {
    double level, delay, rest;
} measure;

static measure measure_tone(int32_t from, int32_t to, rmi_resample_quality quality, double frequency)
{
    const size_t frames = (size_t)from / 4, made = length_of(frames, from, to), edge = made / 4;
    float *in = floats(frames);
    double ss = 0, sc = 0, cc = 0, ys = 0, yc = 0, rest = 0;
    for (size_t i = 0; i < frames; i++)
        in[i] = (float)sin(2.0 * pi * frequency * (double)i / from);
    rmi_resampler *r = resampler_of(from, to, 1, quality);
    float *out = convert(r, in, frames, 1, 960, made);
    for (size_t i = edge; i < made - edge; i++) {
        const double angle = 2.0 * pi * frequency * (double)i / to, s = sin(angle), c = cos(angle);
        ss += s * s, sc += s * c, cc += c * c, ys += out[i] * s, yc += out[i] * c;
    }
    const double det = ss * cc - sc * sc, a = (ys * cc - yc * sc) / det, b = (yc * ss - ys * sc) / det;
    for (size_t i = edge; i < made - edge; i++) {
        const double angle = 2.0 * pi * frequency * (double)i / to;
        const double off = out[i] - a * sin(angle) - b * cos(angle);
        rest += off * off;
    }
    free(in), free(out);
    rmi_resampler_free(r);
    return (measure){10.0 * log10(a * a + b * b), -atan2(b, a) / (2.0 * pi * frequency) * to,
                     10.0 * log10(2.0 * rest / (double)(made - 2 * edge))};
}

/* The loudest that a tone above the lower rate's half leaves, in dB. */
static double measure_leak(int32_t from, int32_t to, rmi_resample_quality quality, double frequency)
{
    const size_t frames = (size_t)from / 4, made = length_of(frames, from, to), edge = made / 4;
    float *in = floats(frames);
    double sum = 0;
    for (size_t i = 0; i < frames; i++)
        in[i] = (float)sin(2.0 * pi * frequency * (double)i / from + 0.3);
    rmi_resampler *r = resampler_of(from, to, 1, quality);
    float *out = convert(r, in, frames, 1, 960, made);
    for (size_t i = edge; i < made - edge; i++)
        sum += (double)out[i] * out[i];
    free(in), free(out);
    rmi_resampler_free(r);
    return 10.0 * log10(2.0 * sum / (double)(made - 2 * edge) + 1e-30);
}

static const struct {
    double passes, ripple, stop; /* in parts of the lower rate, dB, dB */
} promises[] = {[RMI_RESAMPLE_FAST] = {0.40, 0.1, -74.0},
                [RMI_RESAMPLE_STANDARD] = {0.45, 0.1, -100.0},
                [RMI_RESAMPLE_BEST] = {0.475, 0.05, -125.0}};

static const int32_t pairs[][2] = {{48000, 16000}, {16000, 48000}, {44100, 48000}, {48000, 44100},
                                   {8000, 16000},  {16000, 8000},  {44100, 16000}, {44101, 48000},
                                   {8000, 48000},  {96000, 11025}, {24000, 16000}, {16000, 24000},
                                   {192000, 8000}};

static void tones_below_pass_and_tones_above_do_not(void **unused)
{
    (void)unused;
    for (size_t p = 0; p < RMT_COUNT(pairs); p++)
        for (int q = 0; q < 3; q++) {
            const int32_t from = pairs[p][0], to = pairs[p][1], lower = from < to ? from : to;
            const rmi_resample_quality quality = (rmi_resample_quality)q;
            for (int i = 1; i <= 8; i++) {
                const double frequency = promises[q].passes * lower * i / 8.0;
                const measure got = measure_tone(from, to, quality, frequency);
                if (fabs(got.level) > promises[q].ripple || fabs(got.delay) > 0.01 ||
                    got.rest > promises[q].stop)
                    fail_msg("%d -> %d Hz, quality %d, %.0f Hz: %.3f dB, %.4f frames late, rest %.1f dB",
                             from, to, q, frequency, got.level, got.delay, got.rest);
            }
            for (int i = 0; i < 8; i++) {
                const double frequency = lower * (0.501 + i * i * 0.05),
                             leak =
                                 frequency < from / 2.0 ? measure_leak(from, to, quality, frequency) : -300.0;
                if (leak > promises[q].stop)
                    fail_msg("%d -> %d Hz, quality %d, %.0f Hz: %.1f dB", from, to, q, frequency, leak);
            }
        }
}

static void the_division_into_calls_changes_nothing(void **unused)
{
    static const int32_t rates[][2] = {{48000, 16000}, {44100, 48000}, {44101, 48000}, {384000, 1000},
                                       {8000, 48000},  {1000, 384000}, {48000, 47999}};
    static const size_t chunks[] = {1, 7, 160, 1024, 0}, channels[] = {1, 2, 8};
    enum { FRAMES = 3000 };
    float *in = floats((size_t)FRAMES * 8);
    uint32_t state = 7;
    (void)unused;
    for (size_t i = 0; i < (size_t)FRAMES * 8; i++)
        in[i] = random_sample(&state);
    for (size_t p = 0; p < RMT_COUNT(rates); p++)
        for (size_t c = 0; c < RMT_COUNT(channels); c++) {
            const size_t made = length_of(FRAMES, rates[p][0], rates[p][1]), width = channels[c];
            rmi_resampler *r = resampler_of(rates[p][0], rates[p][1], (int32_t)width, RMI_RESAMPLE_STANDARD);
            float *whole = convert(r, in, FRAMES, width, FRAMES, made);
            for (size_t k = 0; k < RMT_COUNT(chunks); k++) {
                rmi_resampler_restart(r);
                float *cut = convert(r, in, FRAMES, width, chunks[k], made);
                if (memcmp(whole, cut, made * width * sizeof(float)) != 0)
                    fail_msg("%d -> %d Hz, %zu channels, chunks of %zu", rates[p][0], rates[p][1], width,
                             chunks[k]);
                free(cut);
            }
            free(whole);
            rmi_resampler_free(r);
        }
    free(in);
}

static void every_length_has_its_exact_number_of_frames(void **unused)
{
    float *in = floats(1000);
    (void)unused;
    for (size_t p = 0; p < RMT_COUNT(pairs); p++) {
        rmi_resampler *r = resampler_of(pairs[p][0], pairs[p][1], 1, RMI_RESAMPLE_FAST);
        for (size_t frames = 0; frames < 1000; frames = frames * 2 + 1) {
            free(convert(r, in, frames, 1, 100, length_of(frames, pairs[p][0], pairs[p][1])));
            rmi_resampler_restart(r);
        }
        rmi_resampler_free(r);
    }
    free(in);
}

static void the_first_frames_come_within_20_ms(void **unused)
{
    static const int32_t rates[][2] = {
        {48000, 16000}, {44100, 48000}, {8000, 16000}, {16000, 8000}, {384000, 8000}};
    (void)unused;
    for (size_t p = 0; p < RMT_COUNT(rates); p++) {
        rmi_resampler *r = resampler_of(rates[p][0], rates[p][1], 1, RMI_RESAMPLE_STANDARD);
        assert_true(rmi_resampler_ready(r, (size_t)rates[p][0] / 50) > 0);
        rmi_resampler_free(r);
    }
}

static void a_constant_stays_what_it_is(void **unused)
{
    float *in = floats(4000);
    (void)unused;
    for (size_t i = 0; i < 4000; i++)
        in[i] = 0.5f;
    for (size_t p = 0; p < RMT_COUNT(pairs); p++) {
        const size_t made = length_of(4000, pairs[p][0], pairs[p][1]);
        rmi_resampler *r = resampler_of(pairs[p][0], pairs[p][1], 1, RMI_RESAMPLE_STANDARD);
        float *out = convert(r, in, 4000, 1, 333, made);
        assert_true(fabsf(out[made / 2] - 0.5f) < 1e-6f);
        free(out);
        rmi_resampler_free(r);
    }
    free(in);
}

static void what_is_no_number_is_silence(void **unused)
{
    enum { FRAMES = 2000 };
    float *sound = floats(FRAMES), *odd = floats(FRAMES);
    (void)unused;
    for (size_t i = 0; i < FRAMES; i++)
        sound[i] = odd[i] = sinf((float)i * 0.05f);
    sound[700] = sound[701] = sound[702] = sound[703] = 0.0f;
    odd[700] = NAN, odd[701] = INFINITY, odd[702] = -INFINITY, odd[703] = 1e-40f;
    rmi_resampler *r = resampler_of(48000, 16000, 1, RMI_RESAMPLE_STANDARD);
    const size_t made = length_of(FRAMES, 48000, 16000);
    float *a = convert(r, sound, FRAMES, 1, 160, made);
    rmi_resampler_restart(r);
    float *b = convert(r, odd, FRAMES, 1, 160, made);
    assert_memory_equal(a, b, made * sizeof *a);
    free(sound), free(odd), free(a), free(b);
    rmi_resampler_free(r);
}

static void a_full_room_keeps_the_rest(void **unused)
{
    enum { FRAMES = 5000 };
    float *in = floats(FRAMES), *out = floats(FRAMES * 8);
    const size_t made = length_of(FRAMES, 8000, 48000);
    uint32_t state = 3;
    size_t done = 0, taken = 0, used, got;
    (void)unused;
    for (size_t i = 0; i < FRAMES; i++)
        in[i] = random_sample(&state);
    rmi_resampler *r = resampler_of(8000, 48000, 1, RMI_RESAMPLE_STANDARD);
    float *whole = convert(r, in, FRAMES, 1, FRAMES, made);
    rmi_resampler_restart(r);
    while (taken < FRAMES) {
        rmi_resampler_process(r, in + taken, FRAMES - taken, &used, out + done, 33, &got);
        taken += used, done += got;
        assert_true(got <= 33 && (taken == FRAMES || got == 33));
    }
    while ((got = rmi_resampler_flush(r, out + done, 7)) != 0)
        done += got;
    assert_int_equal(done, made);
    assert_memory_equal(whole, out, made * sizeof *out);
    free(in), free(out), free(whole);
    rmi_resampler_free(r);
}

static void wrong_rates_and_no_memory_are_errors(void **unused)
{
    static const int32_t wrong[][3] = {
        {999, 16000, 1}, {16000, 384001, 1}, {16000, 16000, 1}, {16000, 8000, 0}};
    rmi_resampler *r = NULL;
    rm_error err = {0};
    (void)unused;
    for (size_t i = 0; i < RMT_COUNT(wrong); i++)
        assert_int_equal(rmi_resampler_new(rm_allocator_default(), wrong[i][0], wrong[i][1], wrong[i][2],
                                           RMI_RESAMPLE_FAST, &r, &err),
                         RM_E_VALUE);
    assert_non_null(strstr(err.message, "from 1000 to 384000 Hz"));
    for (size_t nth = 1, faults = 1; faults != 0; nth++) {
        rmt_heap heap;
        rmt_heap_init(&heap, nth);
        const int rc = rmi_resampler_new(&heap.allocator, 384000, 44100, 2, RMI_RESAMPLE_STANDARD, &r, &err);
        faults = heap.faults;
        assert_int_equal(rc, faults != 0 ? RM_E_OUT_OF_MEMORY : RM_OK);
        rmi_resampler_free(r);
        assert_int_equal(heap.live_blocks + heap.mistakes, 0);
    }
}

RMT_MAIN(tones_below_pass_and_tones_above_do_not, the_division_into_calls_changes_nothing,
         every_length_has_its_exact_number_of_frames, the_first_frames_come_within_20_ms,
         a_constant_stays_what_it_is, what_is_no_number_is_silence, a_full_room_keeps_the_rest,
         wrong_rates_and_no_memory_are_errors)
