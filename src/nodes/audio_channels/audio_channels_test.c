#include "tests/support/audio_test.h"

#include <string.h>

/* Audio of 5.1 whose channel c has the sample (c + 1) / 8 in frame 0 and 0 in frame 1. */
static rm_value surround(void)
{
    static const float samples[12] = {0.125f, 0.25f, 0.375f, 0.5f, 0.625f, 0.75f};
    rm_value list = rm_null();
    assert_int_equal(rm_list_new(NULL, 1, &list, NULL), RM_OK);
    rm_value audio = rmt_audio(RM_FLOAT32, 2, 6, 8000, samples);
    const rm_media media = {.kind = RM_MEDIA_AUDIO, .sample_rate = 8000, .channel_layout = 63};
    assert_int_equal(rm_tensor_set_media(&audio, media, NULL), RM_OK);
    assert_int_equal(rm_list_append(&list, audio, NULL), RM_OK);
    return list;
}

static const struct {
    const char *params;
    uint64_t layout;
    int32_t channels;
    float want[6]; /* of frame 0 */
} cases[] = {
    {"{\"channels\":2}",
     3,
     2,
     {0.125f + 0.70710677f * 0.375f + 0.70710677f * 0.625f,
      0.25f + 0.70710677f * 0.375f + 0.70710677f * 0.75f}},
    {"{\"layout\":\"stereo\",\"channels\":2}",
     3,
     2,
     {0.125f + 0.70710677f * 0.375f + 0.70710677f * 0.625f,
      0.25f + 0.70710677f * 0.375f + 0.70710677f * 0.75f}},
    {"{\"layout\":\"5.1\"}", 63, 6, {0.125f, 0.25f, 0.375f, 0.5f, 0.625f, 0.75f}},
    {"{\"layout\":\"LFE+BL\"}", 24, 2, {0}}, /* an error */
    {"{\"select\":[2]}", 4, 1, {0.375f}},
    {"{\"select\":[\"FC\"]}", 4, 1, {0.375f}},
    {"{\"select\":[1,0]}", 3, 2, {0.25f, 0.125f}},
    {"{\"select\":[\"BL\",\"BR\"]}", 48, 2, {0.625f, 0.75f}},
    {"{\"select\":[\"LFE\",5]}", 8 | 32, 2, {0.5f, 0.75f}},
    {"{\"select\":[0,0,0]}", 7, 3, {0.125f, 0.125f, 0.125f}},
    {"{\"matrix\":[[1,0,0,0,0,-1],[0,0.5,0,0,0,0]]}", 3, 2, {-0.625f, 0.125f}},
    {"{\"matrix\":[[1,0,0,0,0,0],[0,1,0,0,0,0]],\"layout\":\"SL+SR\"}", 512 | 1024, 2, {0.125f, 0.25f}},
    {"{\"channels\":2,\"input_layout\":\"5.1(side)\"}",
     3,
     2,
     {0.125f + 0.70710677f * 0.375f + 0.70710677f * 0.625f,
      0.25f + 0.70710677f * 0.375f + 0.70710677f * 0.75f}},
};

static void channels_are_mixed_and_selected(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < RMT_COUNT(cases); i++)
        for (size_t nth = 0, faults = 1; nth == 0 || faults != 0; nth++) {
            rmt_heap heap;
            rm_samples audio = {0};
            const bool fails = cases[i].layout == 24;
            rmt_heap_init(&heap, nth);
            rm_value input = surround();
            const rmt_setup setup = {.type = "AudioChannels", .params = cases[i].params, .input = input};
            rmt_result got = rmt_run(&heap, &setup);
            faults = heap.faults;
            if (got.rc != (faults != 0 ? RM_E_OUT_OF_MEMORY
                           : fails     ? RM_E_VALUE
                                       : RM_OK) &&
                !(fails && faults))
                fail_msg("%s, allocation %zu: %s", cases[i].params, nth, got.err.message);
            if (got.rc == RM_OK) {
                assert_int_equal(rm_samples_of(rm_list_get(got.values, 0), &audio, NULL), RM_OK);
                if (audio.channels != cases[i].channels || audio.channel_layout != cases[i].layout ||
                    audio.frames != 2)
                    fail_msg("%s: %d channels, layout %d", cases[i].params, audio.channels,
                             (int)audio.channel_layout);
                for (int32_t c = 0; c < audio.channels; c++)
                    if (audio.f32[c] != cases[i].want[c] || audio.f32[audio.channels + c] != 0.0f)
                        fail_msg("%s: channel %d is %.9g", cases[i].params, c, (double)audio.f32[c]);
            }
            rmt_result_clear(&got);
            rm_value_clear(&input);
            assert_int_equal(heap.live_blocks + heap.mistakes, 0);
        }
}

#define WRONG(text, given, code, says) \
    {.label = (text),                  \
     .type = "AudioChannels",          \
     .params = (given),                \
     .items = "[]",                    \
     .rc = (code),                     \
     .message = (says)}

static void wrong_parameters_are_explained(void **unused)
{
    static const rmt_case wrong[] = {
        WRONG("none", "{}", RM_E_MISSING_PARAMETER, "'channels', 'layout', 'select' or 'matrix'"),
        WRONG("two", "{\"channels\":2,\"select\":[0]}", RM_E_VALUE, "three ways to say the same"),
        WRONG("two others", "{\"channels\":1,\"matrix\":[[1]]}", RM_E_VALUE, "three ways to say the same"),
        WRONG("a layout", "{\"layout\":\"5.3\"}", RM_E_VALUE, "mono, stereo"),
        WRONG("an input layout", "{\"channels\":1,\"input_layout\":\"?\"}", RM_E_VALUE, "mono, stereo"),
        WRONG("disagreeing", "{\"layout\":\"5.1\",\"channels\":2}", RM_E_VALUE,
              "'layout' 5.1 has 6 channels, and 'channels' has 2"),
        WRONG("a matrix that disagrees", "{\"layout\":\"mono\",\"matrix\":[[1],[1]]}", RM_E_VALUE,
              "'layout' mono has 1 channels, and 'matrix' has 2"),
        WRONG("nothing selected", "{\"select\":[]}", RM_E_VALUE, "1 to 254 channels"),
        WRONG("no list", "{\"select\":1}", RM_E_VALUE, "must be a list"),
        WRONG("a negative number", "{\"select\":[-1]}", RM_E_VALUE, "item 0 of 'select' is neither"),
        WRONG("an unknown name", "{\"select\":[0,\"XX\"]}", RM_E_VALUE, "a channel 'XX', which is none"),
        WRONG("a matrix of no rows", "{\"matrix\":[]}", RM_E_VALUE, "a list of gains for each output"),
        WRONG("a matrix of unequal rows", "{\"matrix\":[[1,2],[1]]}", RM_E_VALUE,
              "row 1 of 'matrix' has 1 gains"),
        WRONG("a gain past float32", "{\"matrix\":[[1,-1e39]]}", RM_E_VALUE, "gain 1 in row 0"),
        WRONG("normalize without a mix", "{\"matrix\":[[1]],\"normalize\":true}", RM_E_VALUE, "'normalize'"),
        WRONG("a matrix with a text", "{\"matrix\":[[1,\"a\"]]}", RM_E_VALUE, "gain 1 in row 0"),
        WRONG("a matrix that is none", "{\"matrix\":{}}", RM_E_VALUE, "a list of gains for each output"),
    };
    (void)unused;
    rmt_check(wrong, RMT_COUNT(wrong));
}

static void audio_that_does_not_fit_is_explained(void **unused)
{
    rmt_case wrong[] = {
        WRONG("no such number", "{\"select\":[6]}", RM_E_VALUE, "no channel 6 in audio of 6 channel(s)"),
        WRONG("no such name", "{\"select\":[\"SL\"]}", RM_E_VALUE,
              "no channel SL in audio of 6 channel(s), layout 5.1"),
        WRONG("another width", "{\"matrix\":[[1,1]]}", RM_E_VALUE, "2 gains, and the audio has 6 channel(s)"),
        WRONG("another input", "{\"channels\":1,\"input_layout\":\"stereo\"}", RM_E_VALUE,
              "'input_layout' stereo has 2 channels, the audio has 6"),
    };
    (void)unused;
    for (size_t i = 0; i < RMT_COUNT(wrong); i++) {
        wrong[i].items = NULL;
        wrong[i].input = surround();
    }
    rmt_check(wrong, RMT_COUNT(wrong));
    for (size_t i = 0; i < RMT_COUNT(wrong); i++)
        rm_value_clear(&wrong[i].input);
}

static void times_stay_and_the_number_of_channels_may_change(void **unused)
{
    static const rmt_chunk chunks[] = {
        {.timestamp = 70, .frames = 3, .channels = 1, .sample_rate = 8000, .first = 0.5f},
        {.timestamp = 90,
         .flags = RM_PACKET_DISCONTINUITY,
         .frames = 2,
         .channels = 2,
         .sample_rate = 16000,
         .first = 0.25f},
        {.timestamp = 95, .frames = 0, .channels = 2, .sample_rate = 16000}};
    rmt_heap heap;
    rm_samples audio = {0};
    (void)unused;
    rmt_heap_init(&heap, 0);
    rmt_stream got = rmt_stream_run(&heap, "AudioChannels", "{\"channels\":1}", chunks, 3);
    assert_int_equal(got.rc, RM_DONE);
    assert_int_equal(got.count, 3);
    assert_true(got.packets[0].timestamp == 70 && got.packets[1].timestamp == 90);
    assert_int_equal(got.packets[1].flags, RM_PACKET_DISCONTINUITY);
    assert_int_equal(rm_samples_of(got.packets[1].value, &audio, NULL), RM_OK);
    assert_true(audio.channels == 1 && audio.sample_rate == 16000 && audio.f32[1] == 0.25f);
    rmt_stream_clear(&got);
    assert_int_equal(heap.live_blocks + heap.mistakes, 0);
}

RMT_MAIN(channels_are_mixed_and_selected, wrong_parameters_are_explained,
         audio_that_does_not_fit_is_explained, times_stay_and_the_number_of_channels_may_change)
