#include "tests/support/audio_test.h"

#include <stdio.h>
#include <string.h>

enum { RATE = 1000 }; /* a frame lasts a millisecond */
#define MS INT64_C(1000000)
#define CHUNK(time, count, from) \
    {.timestamp = (time),        \
     .frames = (count),          \
     .channels = 2,              \
     .sample_rate = RATE,        \
     .first = (from),            \
     .step = 1.0f}

/* Packets as text: "timestamp+duration:first..last" in ms, "!" before one that is flagged as a jump. */
static void describe(const rmt_stream *stream, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < stream->count; i++) {
        const rm_packet *packet = &stream->packets[i];
        rm_samples audio = {0};
        assert_int_equal(rm_samples_of(packet->value, &audio, NULL), RM_OK);
        assert_int_equal(audio.channels, 2);
        for (size_t f = 0; f < audio.frames; f++)
            assert_true(audio.f32[2 * f] == audio.f32[2 * f + 1]);
        const float last = audio.f32[audio.count - 1];
        used += (size_t)snprintf(text + used, size - used, "%s%s%lld+%lld:%g..%g", i ? " " : "",
                                 packet->flags & RM_PACKET_DISCONTINUITY ? "!" : "",
                                 (long long)(packet->timestamp / MS), (long long)(packet->duration / MS),
                                 (double)audio.f32[0], (double)last);
        assert_true(used < size);
    }
}

static const rmt_chunk steady[] = {CHUNK(RM_NO_TIME, 5, 1), CHUNK(RM_NO_TIME, 5, 6),
                                   CHUNK(RM_NO_TIME, 1, 11)};
static const rmt_chunk timed[] = {CHUNK(100 * MS, 3, 1), CHUNK(103 * MS, 3, 4)};
static const rmt_chunk gap[] = {CHUNK(0, 3, 1), CHUNK(50 * MS, 3, 4)};
static const rmt_chunk jitter[] = {CHUNK(0, 3, 1), CHUNK(3 * MS + 900000, 3, 4),
                                   CHUNK(6 * MS - 900000, 3, 7)};
static const rmt_chunk flagged[] = {CHUNK(RM_NO_TIME, 3, 1),
                                    {.timestamp = RM_NO_TIME,
                                     .flags = RM_PACKET_DISCONTINUITY,
                                     .frames = 3,
                                     .channels = 2,
                                     .sample_rate = RATE,
                                     .first = 4,
                                     .step = 1}};
static const rmt_chunk exact[] = {CHUNK(0, 4, 1), CHUNK(4 * MS, 4, 5)};
static const rmt_chunk empty[] = {CHUNK(0, 0, 1), CHUNK(0, 4, 1)};
static const rmt_chunk big[] = {CHUNK(0, 40, 1)};

static const struct {
    const char *label, *params;
    const rmt_chunk *chunks;
    size_t count;
    const char *want;
} cases[] = {
    {"the rest is sent as it is", "{\"frames\":4}", steady, 3, "0+4:1..4 4+4:5..8 8+3:9..11"},
    {"the rest is filled up with silence", "{\"frames\":4,\"remainder\":\"pad\"}", steady, 3,
     "0+4:1..4 4+4:5..8 8+4:9..0"},
    {"the rest is dropped", "{\"frames\":4,\"remainder\":\"drop\"}", steady, 3, "0+4:1..4 4+4:5..8"},
    {"times go on from the first one", "{\"frames\":2}", timed, 2, "100+2:1..2 102+2:3..4 104+2:5..6"},
    {"a gap ends a block", "{\"frames\":4}", gap, 2, "0+3:1..3 !50+3:4..6"},
    {"a gap drops a block", "{\"frames\":4,\"remainder\":\"drop\"}", gap, 2, ""},
    {"jitter below one frame is no gap", "{\"frames\":9}", jitter, 3, "0+9:1..9"},
    {"a flag is a gap", "{\"frames\":4}", flagged, 2, "0+3:1..3 !3+3:4..6"},
    {"packets of the right size pass", "{\"frames\":4}", exact, 2, "0+4:1..4 4+4:5..8"},
    {"empty packets are nothing", "{\"frames\":4}", empty, 2, "0+4:1..4"},
    {"more blocks than one call sends", "{\"frames\":1,\"remainder\":\"drop\"}", big, 1, NULL},
};

static void blocks_have_the_frames_and_times_of_the_input(void **unused)
{
    char text[512];
    (void)unused;
    for (size_t i = 0; i < RMT_COUNT(cases); i++)
        for (size_t nth = 0, faults = 1; nth == 0 || faults != 0; nth++) {
            rmt_heap heap;
            rmt_heap_init(&heap, nth);
            rmt_stream got =
                rmt_stream_run(&heap, "AudioBuffer", cases[i].params, cases[i].chunks, cases[i].count);
            faults = heap.faults;
            if (got.rc != (faults ? RM_E_OUT_OF_MEMORY : RM_DONE))
                fail_msg("%s, allocation %zu: %s %s", cases[i].label, nth, rm_code_name(got.rc),
                         got.err.message);
            if (faults == 0 && cases[i].want != NULL) {
                describe(&got, text, sizeof text);
                if (strcmp(text, cases[i].want) != 0)
                    fail_msg("%s: %s instead of %s", cases[i].label, text, cases[i].want);
            } else if (faults == 0) {
                assert_int_equal(got.count, 40);
                assert_int_equal(got.packets[39].timestamp, 39 * MS);
            }
            rmt_stream_clear(&got);
            assert_int_equal(heap.live_blocks + heap.mistakes, 0);
        }
}

static void times_do_not_drift(void **unused)
{
    rmt_chunk chunks[60];
    (void)unused;
    for (size_t i = 0; i < RMT_COUNT(chunks); i++)
        chunks[i] = (rmt_chunk){.timestamp = RM_NO_TIME, .frames = 441, .channels = 1, .sample_rate = 44100};
    rmt_heap heap;
    rmt_heap_init(&heap, 0);
    rmt_stream got = rmt_stream_run(&heap, "AudioBuffer", "{\"frames\":1000}", chunks, RMT_COUNT(chunks));
    assert_int_equal(got.rc, RM_DONE);
    assert_int_equal(got.count, 27);
    for (size_t i = 0; i < got.count; i++) {
        assert_int_equal(got.packets[i].timestamp, rm_frames_to_ns((int64_t)i * 1000, 44100));
        const int64_t end = i + 1 < got.count ? (int64_t)(i + 1) * 1000 : 60 * 441;
        assert_int_equal(got.packets[i].timestamp + got.packets[i].duration, rm_frames_to_ns(end, 44100));
    }
    rmt_stream_clear(&got);
}

static void another_format_in_mid_stream_is_an_error(void **unused)
{
    static const rmt_chunk rate[] = {CHUNK(0, 3, 1),
                                     {.timestamp = 3 * MS, .frames = 3, .channels = 2, .sample_rate = 8000}};
    static const rmt_chunk mono[] = {CHUNK(0, 3, 1),
                                     {.timestamp = 3 * MS, .frames = 3, .channels = 1, .sample_rate = RATE}};
    const rmt_chunk *both[] = {rate, mono};
    (void)unused;
    for (size_t i = 0; i < 2; i++) {
        rmt_heap heap;
        rmt_heap_init(&heap, 0);
        rmt_stream got = rmt_stream_run(&heap, "AudioBuffer", "{\"frames\":4}", both[i], 2);
        assert_int_equal(got.rc, RM_E_VALUE);
        assert_non_null(strstr(got.err.message, i ? "to 1000 Hz, 1 channel" : "to 8000 Hz, 2 channel"));
        assert_string_equal(got.err.node, "n");
        rmt_stream_clear(&got);
        assert_int_equal(heap.live_blocks, 0);
    }
}

RMT_MAIN(blocks_have_the_frames_and_times_of_the_input, times_do_not_drift,
         another_format_in_mid_stream_is_an_error)
