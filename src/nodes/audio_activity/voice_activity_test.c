#include "tests/support/audio_test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MS INT64_C(1000000)
/* Stretches of sound of one loudness, sent in packets of 20 ms. At 1 kHz a frame is a millisecond. */
enum { RATE = 1000, PACKET = 20, PACKETS_MAX = 512 };
struct stretch {
    int ms;
    float size;      /* of every sample: 0.1 is -20 dBFS */
    int64_t jump_ms; /* missing silence before it */
};

static const struct {
    const char *label, *params;
    struct stretch stretches[8];
    const char *want;
} cases[] = {
    {"one segment, with its hang-over",
     NULL,
     {{500, 0.0005f, 0}, {400, 0.1f, 0}, {600, 0.0005f, 0}},
     "0.5-1:-20"},
    {"two segments; the last one ends with the audio",
     NULL,
     {{500, 0.0005f, 0}, {400, 0.1f, 0}, {600, 0.0005f, 0}, {200, 0.2f, 0}},
     "0.5-1:-20 1.5-1.7:-13.98"},
    {"a short pause is bridged",
     NULL,
     {{500, 0.0005f, 0}, {200, 0.1f, 0}, {280, 0.0005f, 0}, {200, 0.1f, 0}, {400, 0, 0}},
     "0.5-1.28:-20"},
    {"a pause as long as min_silence_ms is not",
     NULL,
     {{500, 0.0005f, 0}, {200, 0.1f, 0}, {300, 0.0005f, 0}, {200, 0.1f, 0}, {400, 0, 0}},
     "0.5-0.8:-20 1-1.3:-20"},
    {"a click is no speech", NULL, {{500, 0.0005f, 0}, {40, 0.1f, 0}, {600, 0.0005f, 0}}, ""},
    {"unless it is asked for",
     "{\"min_speech_ms\":40}",
     {{500, 0.0005f, 0}, {40, 0.1f, 0}, {600, 0.0005f, 0}},
     "0.5-0.64:-20"},
    {"what is too quiet is no speech", NULL, {{500, 0.00001f, 0}, {400, 0.001f, 0}, {500, 0, 0}}, ""},
    {"a lower min_level_db hears it",
     "{\"min_level_db\":-70}",
     {{500, 0.00001f, 0}, {400, 0.001f, 0}, {500, 0, 0}},
     "0.5-1:-60"},
    {"speech must stand out from the noise", NULL, {{500, 0.01f, 0}, {400, 0.03f, 0}, {500, 0.01f, 0}}, ""},
    {"a lower threshold hears it",
     "{\"threshold_db\":8}",
     {{500, 0.01f, 0}, {400, 0.03f, 0}, {500, 0.01f, 0}},
     "0.5-1:-30.46"},
    {"noise that comes to stay becomes the background",
     "{\"floor_rise_db\":20}",
     {{500, 0.001f, 0}, {4000, 0.01f, 0}, {400, 0.1f, 0}, {600, 0.01f, 0}},
     "0.5-1.08:-40 4.5-5:-20"},
    {"no hang-over",
     "{\"hangover_ms\":0}",
     {{500, 0.0005f, 0}, {400, 0.1f, 0}, {600, 0.0005f, 0}},
     "0.5-0.9:-20"},
    {"a long hang-over ends where the audio ends",
     "{\"hangover_ms\":1000}",
     {{500, 0.0005f, 0}, {400, 0.1f, 0}, {600, 0.0005f, 0}},
     "0.5-1.5:-20"},
    {"a jump ends the segment",
     NULL,
     {{500, 0.0005f, 0}, {400, 0.1f, 0}, {400, 0.2f, 5000}, {500, 0.0005f, 0}},
     "0.5-0.9:-20 5.9-6.4:-13.98"},
    {"broken samples are no speech and no background",
     NULL,
     {{500, 0.0005f, 0}, {200, 0.1f, 0}, {400, NAN, 0}, {200, 0.1f, 0}, {400, 0.0005f, 0}},
     "0.5-0.8:-20 1.1-1.4:-20"},
    {"silence", NULL, {{1000, 0, 0}}, ""},
};

static size_t packets_of(const struct stretch *stretches, rmt_chunk *chunks)
{
    size_t count = 0;
    int64_t time = 0;
    for (; stretches->ms != 0; stretches++) {
        time += stretches->jump_ms * MS;
        for (int done = 0; done < stretches->ms; done += PACKET) {
            assert_true(count < PACKETS_MAX);
            chunks[count++] = (rmt_chunk){.timestamp = time,
                                          .frames = PACKET,
                                          .channels = 1,
                                          .sample_rate = RATE,
                                          .first = stretches->size};
            time += PACKET * MS;
        }
    }
    return count;
}

static double number(rm_value map, const char *key)
{
    rm_value value = rm_null();
    assert_true(rm_map_get(map, key, strlen(key), &value));
    assert_int_equal(value.kind, RM_FLOAT);
    return value.f;
}

/* "start-end:level" for each segment. */
static void describe(const rmt_stream *stream, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < stream->count; i++) {
        const rm_value map = stream->packets[i].value;
        const double start = number(map, "start"), end = number(map, "end");
        assert_int_equal(rm_map_length(map), 3);
        assert_true(fabs((double)stream->packets[i].timestamp / 1e9 - start) < 1e-9);
        assert_true(fabs((double)stream->packets[i].duration / 1e9 - (end - start)) < 1e-9);
        used += (size_t)snprintf(text + used, size - used, "%s%.10g-%.10g:%.10g", i ? " " : "", start, end,
                                 number(map, "level_db"));
        assert_true(used < size);
    }
}

static void segments_are_found(void **unused)
{
    rmt_chunk chunks[PACKETS_MAX];
    char text[256];
    (void)unused;
    for (size_t i = 0; i < RMT_COUNT(cases); i++) {
        const size_t count = packets_of(cases[i].stretches, chunks);
        rmt_heap heap;
        rmt_heap_init(&heap, 0);
        rmt_stream got = rmt_stream_run(&heap, "VoiceActivity", cases[i].params, chunks, count);
        if (got.rc != RM_DONE)
            fail_msg("%s: %s", cases[i].label, got.err.message);
        describe(&got, text, sizeof text);
        if (strcmp(text, cases[i].want) != 0)
            fail_msg("%s: '%s' instead of '%s'", cases[i].label, text, cases[i].want);
        rmt_stream_clear(&got);
        assert_int_equal(heap.live_blocks + heap.mistakes, 0);
    }
}

static void failed_allocations_are_reported(void **unused)
{
    static const struct stretch stretches[] = {
        {40, 0.0005f, 0}, {120, 0.1f, 0}, {320, 0, 0}, {120, 0.1f, 0}, {0}};
    rmt_chunk chunks[PACKETS_MAX];
    (void)unused;
    const size_t count = packets_of(stretches, chunks);
    for (size_t nth = 1, faults = 1; faults != 0; nth++) {
        rmt_heap heap;
        rmt_heap_init(&heap, nth);
        rmt_stream got = rmt_stream_run(&heap, "VoiceActivity", NULL, chunks, count);
        faults = heap.faults;
        assert_int_equal(got.rc, faults ? RM_E_OUT_OF_MEMORY : RM_DONE);
        assert_true(faults || got.count == 2);
        rmt_stream_clear(&got);
        assert_int_equal(heap.live_blocks + heap.mistakes, 0);
    }
}

static void what_is_no_audio_is_refused(void **unused)
{
    static const rmt_chunk changing[] = {
        {.timestamp = 0, .frames = 20, .channels = 1, .sample_rate = RATE},
        {.timestamp = 20 * MS, .frames = 20, .channels = 1, .sample_rate = 2 * RATE},
    };
    static const rmt_case wrong[] = {
        {"numbers", .type = "VoiceActivity", .items = "[1]", .rc = RM_E_TYPE},
        {"a threshold below 0", .type = "VoiceActivity", .params = "{\"threshold_db\":-1}", .items = "[]",
         .rc = RM_E_VALUE, .message = "threshold_db"},
    };
    (void)unused;
    rmt_check(wrong, RMT_COUNT(wrong));
    rmt_heap heap;
    rmt_heap_init(&heap, 0);
    rmt_stream got = rmt_stream_run(&heap, "VoiceActivity", NULL, changing, 2);
    assert_int_equal(got.rc, RM_E_VALUE);
    rmt_stream_clear(&got);
    assert_int_equal(heap.live_blocks, 0);
}

RMT_MAIN(segments_are_found, failed_allocations_are_reported, what_is_no_audio_is_refused)
