#include "nodes/audio_support/channel_mix.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "nodes/audio_support/channel_layout.h"
#include "tests/support/node_test.h"

enum { CHANNELS_MOST = 8 };

static void layouts_have_names_and_usual_masks(void **unused)
{
    static const char *const names[] = {"mono", "stereo", "3.0", "quad", "5.0", "5.1", "6.1", "7.1"};
    uint64_t mask = 0;
    char text[64];
    rm_error err = {0};
    (void)unused;
    for (int32_t channels = 1; channels <= CHANNELS_MOST; channels++) {
        rm_value value = rm_null();
        rm_samples audio = {0};
        assert_int_equal(rmi_layout_parse(names[channels - 1], &mask, NULL), RM_OK);
        assert_int_equal(rmi_layout_channels(mask), channels);
        assert_int_equal(rmi_layout_usual(channels), mask);
        assert_string_equal(rmi_layout_name(mask, text, sizeof text), names[channels - 1]);
        assert_int_equal(rm_samples_new(NULL, 1, channels, 8000, 0, &value, &audio, NULL), RM_OK);
        assert_int_equal(audio.channel_layout, mask);
        rm_value_clear(&value);
    }
    assert_int_equal(rmi_layout_usual(9), 0);
    assert_int_equal(rmi_layout_parse("FL+LFE+BC", &mask, NULL), RM_OK);
    assert_int_equal(mask, 1 + 8 + 256);
    assert_string_equal(rmi_layout_name(mask, text, sizeof text), "FL+LFE+BC");
    assert_string_equal(rmi_layout_name(mask, text, 4), "FL+");
    assert_string_equal(rmi_layout_name(0, text, sizeof text), "unknown");
    for (const char *const *wrong = (const char *const[]){"5.2", "FL+XX", "FL+FL", "", "FL+", NULL}; *wrong;
         wrong++)
        assert_int_equal(rmi_layout_parse(*wrong, &mask, &err), RM_E_VALUE);
    assert_int_equal(rmi_layout_parse("FC+FR+FL", &mask, &err), RM_E_VALUE);
    assert_non_null(strstr(err.hint, "'FL+FR+FC'"));
    assert_int_equal(rmi_layout_parse("FL+FR+FL", &mask, &err), RM_E_VALUE);
    assert_non_null(strstr(err.message, "has FL twice"));
    assert_int_equal(rmi_layout_parse("5.2", &mask, &err), RM_E_VALUE);
    assert_non_null(strstr(err.message, "5.1, 5.1(side), 6.1"));
    assert_int_equal(rmi_channel_parse("SR"), RM_CHANNEL_SIDE_RIGHT);
    assert_string_equal(rmi_channel_name(RM_CHANNEL_LFE), "LFE");
    assert_null(rmi_channel_name(3));
}

/* Gains as text: a row a line, in thousandths. */
static void describe(const rmi_channel_mix *mix, int32_t in, int32_t out, char *text, size_t size)
{
    float unit[CHANNELS_MOST * CHANNELS_MOST] = {0}, got[CHANNELS_MOST * CHANNELS_MOST];
    size_t used = 0;
    for (int32_t i = 0; i < in; i++)
        unit[i * in + i] = 1.0f;
    rmi_channel_mix_frames(mix, unit, (size_t)in, got);
    for (int32_t o = 0; o < out; o++)
        for (int32_t i = 0; i < in; i++)
            used += (size_t)snprintf(text + used, size - used, "%s%ld",
                                     i != 0   ? " "
                                     : o != 0 ? "; "
                                              : "",
                                     lround((double)got[i * out + o] * 1000.0));
}

static const struct {
    const char *from, *to;
    bool normalize;
    const char *want; /* thousandths; rows are outputs */
} mixes[] = {
    {"stereo", "mono", false, "500 500"},
    {"mono", "stereo", false, "1000; 1000"},
    {"stereo", "stereo", false, "1000 0; 0 1000"},
    {"stereo", "5.1", false, "1000 0; 0 1000; 0 0; 0 0; 0 0; 0 0"},
    {"mono", "5.1", false, "0; 0; 1000; 0; 0; 0"},
    {"5.1", "stereo", false, "1000 0 707 0 707 0; 0 1000 707 0 0 707"},
    {"5.1", "stereo", true, "414 0 293 0 293 0; 0 414 293 0 0 293"},
    {"5.1", "mono", false, "500 500 707 0 354 354"},
    {"5.1(side)", "5.1", false,
     "1000 0 0 0 0 0; 0 1000 0 0 0 0; 0 0 1000 0 0 0; 0 0 0 1000 0 0; 0 0 0 0 1000 0; 0 0 0 0 0 1000"},
    {"3.1", "stereo", false, "1000 0 707 0; 0 1000 707 0"},
    {"quad", "stereo", false, "1000 0 707 0; 0 1000 0 707"},
    {"4.0", "stereo", false, "1000 0 707 500; 0 1000 707 500"},
    {"4.0", "quad", false, "1000 0 707 0; 0 1000 707 0; 0 0 0 707; 0 0 0 707"},
    {"quad", "4.0", false, "1000 0 0 0; 0 1000 0 0; 0 0 0 0; 0 0 707 707"},
    {"7.1", "5.1", false,
     "1000 0 0 0 0 0 0 0; 0 1000 0 0 0 0 0 0; 0 0 1000 0 0 0 0 0; 0 0 0 1000 0 0 0 0; "
     "0 0 0 0 1000 0 707 0; 0 0 0 0 0 1000 0 707"},
    {"6.1", "stereo", false, "1000 0 707 0 500 707 0; 0 1000 707 0 500 0 707"},
    {"stereo", "mono", true, "500 500"},
    {"FL+FR+FLC+FRC", "stereo", false, "1000 0 1000 0; 0 1000 0 1000"},
};

static void channels_go_where_the_recommendation_says(void **unused)
{
    char text[400];
    (void)unused;
    for (size_t i = 0; i < RMT_COUNT(mixes); i++)
        for (size_t nth = 0, faults = 1; nth == 0 || faults != 0; nth++) {
            rmi_channel_set from, to;
            rmi_channel_mix *mix = NULL;
            rmt_heap heap;
            rmt_heap_init(&heap, nth);
            assert_int_equal(rmi_layout_parse(mixes[i].from, &from.layout, NULL), RM_OK);
            assert_int_equal(rmi_layout_parse(mixes[i].to, &to.layout, NULL), RM_OK);
            from.channels = rmi_layout_channels(from.layout), to.channels = rmi_layout_channels(to.layout);
            const int rc = rmi_channel_mix_new(&heap.allocator, from, to, mixes[i].normalize, &mix, NULL);
            faults = heap.faults;
            assert_int_equal(rc, faults != 0 ? RM_E_OUT_OF_MEMORY : RM_OK);
            if (rc == RM_OK) {
                describe(mix, from.channels, to.channels, text, sizeof text);
                if (strcmp(text, mixes[i].want) != 0)
                    fail_msg("%s -> %s: %s instead of %s", mixes[i].from, mixes[i].to, text, mixes[i].want);
                assert_int_equal(rmi_channel_mix_is_identity(mix),
                                 from.layout == to.layout || strcmp(mixes[i].from, "5.1(side)") == 0);
            }
            rmi_channel_mix_free(mix);
            assert_int_equal(heap.live_blocks + heap.mistakes, 0);
        }
}

static void unknown_places_keep_their_order_or_give_the_mean(void **unused)
{
    const rm_allocator *heap = rm_allocator_default();
    rmi_channel_mix *mix = NULL;
    rm_error err = {0};
    float in[12], out = 0.0f;
    (void)unused;
    for (int i = 0; i < 12; i++)
        in[i] = (float)i;
    assert_int_equal(
        rmi_channel_mix_new(heap, (rmi_channel_set){12, 0}, (rmi_channel_set){12, 0}, false, &mix, NULL),
        RM_OK);
    assert_true(rmi_channel_mix_is_identity(mix));
    rmi_channel_mix_free(mix);
    assert_int_equal(
        rmi_channel_mix_new(heap, (rmi_channel_set){12, 0}, (rmi_channel_set){1, 0}, false, &mix, NULL),
        RM_OK);
    rmi_channel_mix_frames(mix, in, 1, &out);
    assert_true(fabsf(out - 5.5f) < 1e-5f);
    rmi_channel_mix_free(mix);
    assert_int_equal(
        rmi_channel_mix_new(heap, (rmi_channel_set){12, 0}, (rmi_channel_set){2, 0}, false, &mix, &err),
        RM_E_VALUE);
    assert_non_null(strstr(err.message, "12 channels cannot be mixed to 2"));
    /* A place above the head is none of the recommendation. */
    assert_int_equal(rmi_channel_mix_new(heap, (rmi_channel_set){3, 3 | 1 << 12}, (rmi_channel_set){2, 3},
                                         false, &mix, &err),
                     RM_E_VALUE);
    assert_non_null(strstr(err.message, "no place for TFL"));
    assert_int_equal(rmi_channel_mix_new(heap, (rmi_channel_set){INT32_MAX, 0},
                                         (rmi_channel_set){INT32_MAX, 0}, false, &mix, &err),
                     RM_E_LIMIT);
}

RMT_MAIN(layouts_have_names_and_usual_masks, channels_go_where_the_recommendation_says,
         unknown_places_keep_their_order_or_give_the_mean)
