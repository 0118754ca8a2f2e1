#include "tests/support/audio_test.h"

#include <math.h>
#include <string.h>

#define MS INT64_C(1000000)
#define CHUNK(time, count) \
    {.timestamp = (time), .frames = (count), .channels = 2, .sample_rate = 48000, .first = 0.5f}

static void check_frames(const rm_packet *packet, size_t frames, int32_t rate)
{
    rm_samples audio = {0};
    assert_int_equal(rm_samples_of(packet->value, &audio, NULL), RM_OK);
    assert_int_equal(audio.frames, frames);
    assert_int_equal(audio.sample_rate, rate);
    assert_int_equal(audio.channels, 2);
    assert_int_equal(audio.channel_layout, 3);
}

/* Runs with each allocation failing in turn; the last run, without a fault, is returned: end it with finish. */
static rmt_stream run(rmt_heap *heap, const char *params, const rmt_chunk *chunks, size_t count)
{
    for (size_t nth = 1;; nth++) {
        rmt_heap_init(heap, nth);
        rmt_stream got = rmt_stream_run(heap, "AudioResample", params, chunks, count);
        if (heap->faults == 0) {
            assert_int_equal(got.rc, RM_DONE);
            return got;
        }
        assert_int_equal(got.rc, RM_E_OUT_OF_MEMORY);
        rmt_stream_clear(&got);
        assert_int_equal(heap->live_blocks + heap->mistakes, 0);
    }
}

static void finish(rmt_heap *heap, rmt_stream *got)
{
    rmt_stream_clear(got);
    assert_int_equal(heap->live_blocks + heap->mistakes, 0);
}

static void times_and_counts_are_those_of_the_input(void **unused)
{
    static const rmt_chunk chunks[] = {CHUNK(70 * MS, 960), CHUNK(90 * MS, 0), CHUNK(90 * MS, 960),
                                       CHUNK(110 * MS, 5)};
    rmt_heap heap;
    (void)unused;
    rmt_stream got = run(&heap, "{\"sample_rate\":16000}", chunks, RMT_COUNT(chunks));
    size_t frames = 0;
    for (size_t i = 0; i < got.count; i++) {
        rm_samples audio = {0};
        assert_int_equal(rm_samples_of(got.packets[i].value, &audio, NULL), RM_OK);
        check_frames(&got.packets[i], audio.frames, 16000);
        assert_int_equal(got.packets[i].timestamp, 70 * MS + rm_frames_to_ns((int64_t)frames, 16000));
        frames += audio.frames;
        assert_int_equal(got.packets[i].timestamp + got.packets[i].duration,
                         70 * MS + rm_frames_to_ns((int64_t)frames, 16000));
        assert_int_equal(got.packets[i].flags, 0);
        for (size_t f = 100; f < audio.count && i == 1; f++)
            assert_true(fabsf(audio.f32[f] - 0.5f) < 0.01f);
    }
    assert_int_equal(frames, 642); /* ceil(1925 / 3) */
    assert_in_range(got.count, 2, 4);
    finish(&heap, &got);
}

static void a_jump_completes_the_old_audio(void **unused)
{
    static const rmt_chunk gap[] = {CHUNK(0, 480), CHUNK(50 * MS, 480)};
    static const rmt_chunk flagged[] = {CHUNK(RM_NO_TIME, 480),
                                        {.timestamp = RM_NO_TIME,
                                         .flags = RM_PACKET_DISCONTINUITY,
                                         .frames = 480,
                                         .channels = 2,
                                         .sample_rate = 48000,
                                         .first = 0.5f}};
    rmt_heap heap;
    (void)unused;
    for (int i = 0; i < 2; i++) {
        rmt_stream got = run(&heap, "{\"sample_rate\":16000}", i == 0 ? gap : flagged, 2);
        const int64_t second = i == 0 ? 50 * MS : 10 * MS;
        float first_half[2][320];
        size_t frames[2] = {0};
        for (size_t p = 0; p < got.count; p++) {
            const int half = got.packets[p].timestamp >= second;
            rm_samples audio = {0};
            assert_int_equal(rm_samples_of(got.packets[p].value, &audio, NULL), RM_OK);
            assert_int_equal(got.packets[p].timestamp,
                             (half ? second : 0) + rm_frames_to_ns((int64_t)frames[half], 16000));
            assert_int_equal(got.packets[p].flags, half && frames[1] == 0 ? RM_PACKET_DISCONTINUITY : 0);
            memcpy(&first_half[half][2 * frames[half]], audio.f32, audio.count * sizeof(float));
            frames[half] += audio.frames;
        }
        assert_true(frames[0] == 160 && frames[1] == 160);
        assert_memory_equal(first_half[0], first_half[1],
                            sizeof first_half[0]); /* nothing of the old is in the new */
        finish(&heap, &got);
    }
}

static void audio_of_the_right_rate_passes(void **unused)
{
    static const rmt_chunk chunks[] = {CHUNK(RM_NO_TIME, 480), CHUNK(RM_NO_TIME, 0), CHUNK(RM_NO_TIME, 480)};
    rmt_heap heap;
    (void)unused;
    rmt_stream got = run(&heap, "{\"sample_rate\":48000}", chunks, 3);
    assert_int_equal(got.count, 2);
    check_frames(&got.packets[0], 480, 48000);
    assert_int_equal(got.packets[1].timestamp, 10 * MS);
    assert_int_equal(got.packets[1].duration, 10 * MS);
    finish(&heap, &got);
}

static void long_packets_are_sent_in_parts(void **unused)
{
    static const rmt_chunk chunks[] = {{.frames = 1000, .channels = 1, .sample_rate = 1000}};
    size_t frames = 0;
    rmt_heap heap;
    (void)unused;
    rmt_stream got = run(&heap, "{\"sample_rate\":384000,\"quality\":\"fast\"}", chunks, 1);
    for (size_t i = 0; i < got.count; i++) {
        rm_samples audio = {0};
        assert_int_equal(rm_samples_of(got.packets[i].value, &audio, NULL), RM_OK);
        assert_in_range(audio.frames, 1, 65536);
        frames += audio.frames;
    }
    assert_int_equal(frames, 384000);
    assert_int_equal(got.packets[got.count - 1].timestamp + got.packets[got.count - 1].duration, 1000 * MS);
    finish(&heap, &got);
}

static void other_formats_in_mid_stream_are_errors(void **unused)
{
    static const rmt_chunk rate[] = {CHUNK(0, 48),
                                     {.timestamp = MS, .frames = 3, .channels = 2, .sample_rate = 44100}};
    static const rmt_chunk fast[] = {{.frames = 3, .channels = 2, .sample_rate = 500000}};
    rmt_heap heap;
    (void)unused;
    rmt_heap_init(&heap, 0);
    rmt_stream got = rmt_stream_run(&heap, "AudioResample", "{\"sample_rate\":16000}", rate, 2);
    assert_int_equal(got.rc, RM_E_VALUE);
    assert_non_null(strstr(got.err.message, "to 44100 Hz, 2 channel(s) in mid-stream"));
    rmt_stream_clear(&got);
    got = rmt_stream_run(&heap, "AudioResample", "{\"sample_rate\":16000}", fast, 1);
    assert_int_equal(got.rc, RM_E_VALUE);
    assert_non_null(
        strstr(got.err.message, "from 500000 Hz to 16000 Hz; both rates are from 1000 to 384000 Hz"));
    rmt_stream_clear(&got);
    assert_int_equal(heap.live_blocks + heap.mistakes, 0);
}

RMT_MAIN(times_and_counts_are_those_of_the_input, a_jump_completes_the_old_audio,
         audio_of_the_right_rate_passes, long_packets_are_sent_in_parts,
         other_formats_in_mid_stream_are_errors)
