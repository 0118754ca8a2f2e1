#include "tests/support/audio_test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define TYPE .type = "AudioLevel"
#define LEVEL(rms, peak) "\"rms_dbfs\":" rms ",\"peak_dbfs\":" peak
#define MONO(rms, peak) "[{" LEVEL(rms, peak) ",\"channels\":[{" LEVEL(rms, peak) "}]}]"

/* An input of one packet; each case makes its own. */
static rm_value one(rm_dtype dtype, size_t frames, int32_t channels, const void *samples)
{
    rm_value list = rm_null();
    assert_int_equal(rm_list_new(NULL, 1, &list, NULL), RM_OK);
    assert_int_equal(rm_list_append(&list, rmt_audio(dtype, frames, channels, 8000, samples), NULL), RM_OK);
    return list;
}

static void levels_are_what_the_samples_say(void **unused)
{
    static const float half[] = {0.5f, -0.5f}, full[] = {1.0f, -1.0f}, silence[4] = {0};
    static const float two[] = {0.5f, 0.0f, -0.5f, 0.0f}, faint[] = {1e-7f},
                       peaky[] = {1.0f, 0.0f, 0.0f, 0.0f};
    static const float broken[] = {NAN, 0.5f, 0.5f, 0.5f}, loud[] = {4.0f};
    static const int16_t whole[] = {1, 2};
    (void)unused;
    rmt_case cases[] = {
        {"half of full scale", TYPE, .input = one(RM_FLOAT32, 2, 1, half), .outputs = MONO("-6.02", "-6.02")},
        {"full scale is 0, not -0", TYPE, .input = one(RM_FLOAT32, 2, 1, full),
         .outputs = MONO("0.0", "0.0")},
        {"past full scale", TYPE, .input = one(RM_FLOAT32, 1, 1, loud), .outputs = MONO("12.04", "12.04")},
        {"silence has the floor", TYPE, .input = one(RM_FLOAT32, 4, 1, silence),
         .outputs = MONO("-120.0", "-120.0")},
        {"so has what is fainter", TYPE, .input = one(RM_FLOAT32, 1, 1, faint),
         .outputs = MONO("-120.0", "-120.0")},
        {"and a packet without frames", TYPE, .input = one(RM_FLOAT32, 0, 1, NULL),
         .outputs = MONO("-120.0", "-120.0")},
        {"a peak above its RMS", TYPE, .input = one(RM_FLOAT32, 4, 1, peaky),
         .outputs = MONO("-6.02", "0.0")},
        {"each channel for itself", TYPE, .input = one(RM_FLOAT32, 2, 2, two),
         .outputs = "[{" LEVEL("-9.03", "-6.02") ",\"channels\":[{" LEVEL("-6.02", "-6.02") "},{" LEVEL(
             "-120.0", "-120.0") "}]}]"},
        {"NaN is no level, and does not touch the other channel", TYPE,
         .input = one(RM_FLOAT32, 2, 2, broken),
         .outputs = "[{" LEVEL("null", "null") ",\"channels\":[{" LEVEL("null", "null") "},{" LEVEL(
             "-6.02", "-6.02") "}]}]"},
        {"int16 is refused", TYPE, .input = one(RM_INT16, 2, 1, whole), .rc = RM_E_TYPE, .message = "int16"},
        {"so are numbers", TYPE, .items = "[1]", .rc = RM_E_TYPE, .message = "int"},
    };
    rmt_check(cases, RMT_COUNT(cases));
    for (size_t i = 0; i < RMT_COUNT(cases); i++)
        rm_value_clear(&cases[i].input);
}

static void audio_passes_with_its_level_in_the_metadata(void **unused)
{
    const rmt_chunk chunk = {.timestamp = 70, .frames = 4, .channels = 1, .sample_rate = 8000, .first = 0.5f};
    (void)unused;
    for (size_t nth = 0, faults = 1; nth == 0 || faults != 0; nth++) {
        rmt_heap heap;
        rmt_heap_init(&heap, nth);
        rmt_stream got = rmt_stream_run(&heap, "AudioLevel", "{\"pass_audio\":true}", &chunk, 1);
        faults = heap.faults;
        assert_int_equal(got.rc, faults ? RM_E_OUT_OF_MEMORY : RM_DONE);
        if (faults == 0) {
            rm_samples audio = {0};
            rm_value level = rm_null(), rms = rm_null();
            assert_int_equal(got.count, 1);
            assert_int_equal(got.packets[0].timestamp, 70);
            assert_int_equal(rm_samples_of(got.packets[0].value, &audio, NULL), RM_OK);
            assert_true(audio.frames == 4 && audio.f32[3] == 0.5f);
            assert_true(rm_map_get(rm_packet_metadata(&got.packets[0]), "level", 5, &level));
            assert_true(rm_map_get(level, "rms_dbfs", 8, &rms));
            assert_true(rms.f == -6.02);
        }
        rmt_stream_clear(&got);
        assert_int_equal(heap.live_blocks + heap.mistakes, 0);
    }
}

/* The two first levels in the result of one packet, as text. */
static void level_text(const float *samples, size_t frames, int32_t channels, char text[128])
{
    rmt_heap heap;
    rmt_heap_init(&heap, 0);
    rm_value input = one(RM_FLOAT32, frames, channels, samples);
    const rmt_setup setup = {TYPE, .input = input};
    rmt_result got = rmt_run(&heap, &setup);
    const char *first = strstr(got.outputs, "\"channels\":[{");
    assert_non_null(first);
    snprintf(text, 128, "%.*s", (int)strcspn(first + 13, "}"), first + 13);
    rmt_result_clear(&got);
    rm_value_clear(&input);
}

static void a_channel_has_the_same_level_alone_and_beside_others(void **unused)
{
    enum { FRAMES = 1003 };
    static float alone[FRAMES], three[3 * FRAMES];
    static const size_t lengths[] = {1, 7, 8, 9, 255, 256, 257, FRAMES};
    char one_text[128], three_text[128];
    (void)unused;
    for (size_t i = 0; i < FRAMES; i++)
        alone[i] = (float)((i * 7919) % 1000) / 1000.0f - 0.5f;
    for (size_t i = 0; i < 3 * FRAMES; i++)
        three[i] = i % 3 == 0 ? alone[i / 3] : NAN;
    for (size_t i = 0; i < RMT_COUNT(lengths); i++) {
        double squares = 0.0, peak = 0.0;
        for (size_t k = 0; k < lengths[i]; k++) {
            squares += (double)alone[k] * alone[k];
            peak = fmax(peak, fabs((double)alone[k]));
        }
        level_text(alone, lengths[i], 1, one_text);
        level_text(three, lengths[i], 3, three_text);
        assert_string_equal(one_text, three_text);
        double rms_got, peak_got;
        assert_int_equal(sscanf(one_text, "\"rms_dbfs\":%lf,\"peak_dbfs\":%lf", &rms_got, &peak_got), 2);
        assert_true(fabs(rms_got - 10.0 * log10(squares / (double)lengths[i])) < 0.0051);
        assert_true(fabs(peak_got - 20.0 * log10(peak)) < 0.0051);
    }
}

RMT_MAIN(levels_are_what_the_samples_say, a_channel_has_the_same_level_alone_and_beside_others,
         audio_passes_with_its_level_in_the_metadata)
