#include "nodes/audio_support/audio_support.h"

#include <math.h>

#include "tests/support/node_test.h"

static void decibels_have_a_floor_and_two_decimals(void **unused)
{
    static const struct {
        double power, decibels;
    } cases[] = {{1.0, 0.0}, {0.5, -3.01}, {0.01, -20.0}, {100.0, 20.0}, {0.0, -120.0}, {1e-13, -120.0}};
    (void)unused;
    for (size_t i = 0; i < RMT_COUNT(cases); i++)
        assert_true(rmi_audio_round(rmi_audio_decibels(cases[i].power)) == cases[i].decibels);
    assert_true(isnan(rmi_audio_decibels(NAN)));
    assert_true(isinf(rmi_audio_decibels(INFINITY)));
    assert_false(signbit(rmi_audio_round(-0.001)));
}

static void only_float32_audio_is_taken(void **unused)
{
    static const double wide[] = {0.5};
    static const float good[] = {0.5f};
    rm_samples audio = {0};
    rm_error err = {0};
    (void)unused;
    rm_value value = rmt_audio(RM_FLOAT64, 1, 1, 8000, wide);
    assert_int_equal(rmi_audio_of(value, &audio, &err), RM_E_TYPE);
    assert_string_equal(err.message, "expected float32 audio, got float64; full scale is 1.0");
    rm_value_clear(&value);
    value = rmt_audio(RM_FLOAT32, 1, 1, 8000, good);
    assert_int_equal(rmi_audio_of(value, &audio, NULL), RM_OK);
    assert_true(audio.f32[0] == 0.5f);
    rm_value_clear(&value);
    assert_int_equal(rmi_audio_of(rm_null(), &audio, NULL), RM_E_TYPE);
    rm_error_clear(&err);
}

static void a_jump_is_a_flag_or_more_than_a_frame(void **unused)
{
    const rmi_audio_stream stream = {.channels = 1, .sample_rate = 1000, .base = 5, .frames = 10};
    const int64_t end = 10000005, frame = 1000000;
    const struct {
        int64_t timestamp;
        uint32_t flags;
        bool jumps;
    } cases[] = {
        {RM_NO_TIME, 0, false},
        {RM_NO_TIME, RM_PACKET_DISCONTINUITY, true},
        {end, 0, false},
        {end, RM_PACKET_DISCONTINUITY, true},
        {end, RM_PACKET_KEY_FRAME, false},
        {end + frame, 0, false},
        {end - frame, 0, false},
        {end + frame + 2, 0, true},
        {end - frame - 2, 0, true},
        {INT64_MIN + 1, 0, true},
        {INT64_MAX, 0, true},
    };
    (void)unused;
    for (size_t i = 0; i < RMT_COUNT(cases); i++) {
        const rm_packet packet = {.timestamp = cases[i].timestamp, .flags = cases[i].flags};
        if (rmi_audio_stream_jumps(&stream, &packet) != cases[i].jumps)
            fail_msg("case %zu", i);
    }
    assert_true(rmi_audio_stream_jumps(&(rmi_audio_stream){0}, &(rm_packet){.timestamp = 0}));
}

static void an_anchor_is_a_timestamp_or_the_end(void **unused)
{
    rmi_audio_stream stream = {.channels = 1, .sample_rate = 1000, .base = 5, .frames = 10};
    (void)unused;
    rmi_audio_stream_anchor(&stream, &(rm_packet){.timestamp = RM_NO_TIME});
    assert_int_equal(rmi_audio_stream_time(&stream, 0), 10000005);
    rmi_audio_stream_anchor(&stream, &(rm_packet){.timestamp = 77});
    assert_int_equal(rmi_audio_stream_time(&stream, 2), 2000077);
    stream.base = INT64_MAX;
    assert_int_equal(rmi_audio_stream_time(&stream, 1), INT64_MAX);
    rmi_audio_stream fresh = {0};
    rmi_audio_stream_anchor(&fresh, &(rm_packet){.timestamp = RM_NO_TIME});
    assert_int_equal(fresh.base, 0);
}

RMT_MAIN(decibels_have_a_floor_and_two_decimals, only_float32_audio_is_taken,
         a_jump_is_a_flag_or_more_than_a_frame, an_anchor_is_a_timestamp_or_the_end)
