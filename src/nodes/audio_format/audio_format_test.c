#include "tests/support/audio_test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static rm_value one(rm_dtype dtype, size_t frames, int32_t channels, const void *samples)
{
    rm_value list = rm_null();
    assert_int_equal(rm_list_new(NULL, 1, &list, NULL), RM_OK);
    assert_int_equal(rm_list_append(&list, rmt_audio(dtype, frames, channels, 8000, samples), NULL), RM_OK);
    return list;
}

static void samples_change_and_media_stay(void **unused)
{
    static const float floats[] = {0.5f, -1.0f, 0.25f, 0.0f};
    static const int16_t shorts[] = {16384, -32768, 8192, 0};
    static const int32_t ints[] = {1 << 30, INT32_MIN, 1 << 29, 0};
    static const struct {
        const char *name;
        rm_dtype dtype;
        const void *samples;
        size_t bytes;
    } formats[] = {{"float32", RM_FLOAT32, floats, sizeof floats},
                   {"int16", RM_INT16, shorts, sizeof shorts},
                   {"int24", RM_INT32, ints, sizeof ints},
                   {"int32", RM_INT32, ints, sizeof ints}};
    char params[64];
    (void)unused;
    for (size_t from = 0; from < RMT_COUNT(formats); from++)
        for (size_t to = 0; to < RMT_COUNT(formats); to++)
            for (size_t nth = 0, faults = 1; nth == 0 || faults != 0; nth++) {
                rmt_heap heap;
                rm_samples audio = {0};
                rmt_heap_init(&heap, nth);
                snprintf(params, sizeof params, "{\"format\":\"%s\"}", formats[to].name);
                rm_value input = one(formats[from].dtype, 2, 2, formats[from].samples);
                const rmt_setup setup = {.type = "AudioFormat", .params = params, .input = input};
                rmt_result got = rmt_run(&heap, &setup);
                faults = heap.faults;
                assert_int_equal(got.rc, faults != 0 ? RM_E_OUT_OF_MEMORY : RM_OK);
                if (faults == 0) {
                    assert_int_equal(rm_samples_of(rm_list_get(got.values, 0), &audio, NULL), RM_OK);
                    assert_int_equal(audio.dtype, formats[to].dtype);
                    assert_true(audio.sample_rate == 8000 && audio.frames == 2 && audio.channels == 2);
                    assert_memory_equal(audio.data, formats[to].samples, formats[to].bytes);
                    assert_int_equal(got.logged, 0);
                }
                rmt_result_clear(&got);
                rm_value_clear(&input);
                assert_int_equal(heap.live_blocks + heap.mistakes, 0);
            }
}

static void what_does_not_fit_is_counted(void **unused)
{
    static const float samples[] = {1.0f, 0.5f, -2.0f, NAN};
    rmt_heap heap;
    (void)unused;
    rmt_heap_init(&heap, 0);
    rm_value input = one(RM_FLOAT32, 4, 1, samples);
    const rmt_setup setup = {.type = "AudioFormat", .params = "{\"format\":\"int16\"}", .input = input};
    rmt_result got = rmt_run(&heap, &setup);
    assert_int_equal(got.rc, RM_OK);
    assert_int_equal(got.logged, 2);
    assert_non_null(strstr(got.log, "1 of 4 samples were no numbers and became silence"));
    rmt_result_clear(&got);
    rm_value_clear(&input);

    static const rmt_chunk chunks[] = {
        {.timestamp = 5, .frames = 3, .channels = 1, .sample_rate = 8000, .step = 0.6f},
        {.timestamp = 6, .frames = 1, .channels = 1, .sample_rate = 8000}};
    rm_value clipped = rm_null();
    rmt_stream stream = rmt_stream_run(&heap, "AudioFormat", "{\"format\":\"int16\"}", chunks, 2);
    assert_int_equal(stream.rc, RM_DONE);
    assert_int_equal(stream.count, 2);
    assert_int_equal(stream.packets[0].timestamp, 5);
    assert_true(rm_map_get(rm_packet_metadata(&stream.packets[0]), "clipped", 7, &clipped) && clipped.i == 1);
    assert_true(stream.packets[1].metadata == NULL);
    rmt_stream_clear(&stream);
    assert_int_equal(heap.live_blocks + heap.mistakes, 0);
}

static void what_is_no_audio_is_refused(void **unused)
{
    static const double wide[] = {0.5};
    (void)unused;
    rmt_case wrong[] = {
        {"float64", .type = "AudioFormat", .params = "{\"format\":\"int16\"}",
         .input = one(RM_FLOAT64, 1, 1, wide), .rc = RM_E_TYPE,
         .message = "int16, int32 or float32, got float64"},
        {"no format", .type = "AudioFormat", .items = "[]", .rc = RM_E_MISSING_PARAMETER,
         .message = "format"},
        {"a wrong format", .type = "AudioFormat", .params = "{\"format\":\"int8\"}", .items = "[]",
         .rc = RM_E_VALUE, .message = "int24"},
    };
    rmt_check(wrong, RMT_COUNT(wrong));
    rm_value_clear(&wrong[0].input);
}

RMT_MAIN(samples_change_and_media_stay, what_does_not_fit_is_counted, what_is_no_audio_is_refused)
