#include "tests/support/node_test.h"

#include <string.h>

static void frames_become_nanoseconds_rounded_down(void **unused)
{
    static const struct {
        int64_t frames;
        int32_t rate;
        int64_t ns;
    } cases[] = {
        {0, 16000, 0},
        {1, 16000, 62500},
        {1, 44100, 22675},
        {44100, 44100, 1000000000},
        {-1, 44100, -22676},
        {-44100, 44100, -1000000000},
        {INT64_C(1) << 50, 192000, INT64_C(5864062014805333333)},
        {INT64_MAX, 1, INT64_MAX},
        {-INT64_MAX, 1, INT64_MIN + 1},
        {5, 0, 0},
    };
    (void)unused;
    for (size_t i = 0; i < RMT_COUNT(cases); i++)
        assert_int_equal(rm_frames_to_ns(cases[i].frames, cases[i].rate), cases[i].ns);
}

static void new_audio_is_silent_and_knows_its_format(void **unused)
{
    static const struct {
        int32_t channels;
        uint64_t given, layout;
    } cases[] = {
        {1, 0, RM_CHANNEL_FRONT_CENTER},
        {2, 0, RM_CHANNEL_FRONT_LEFT | RM_CHANNEL_FRONT_RIGHT},
        {2, RM_CHANNEL_SIDE_LEFT | RM_CHANNEL_SIDE_RIGHT, RM_CHANNEL_SIDE_LEFT | RM_CHANNEL_SIDE_RIGHT},
        {6, 0, 0x3f},
        {7, 0, 0x70f},
        {8, 0, 0x63f},
        {9, 0, 0},
    };
    (void)unused;
    for (size_t i = 0; i < RMT_COUNT(cases); i++) {
        rmt_heap heap;
        rmt_heap_init(&heap, 0);
        rm_value value = rm_null();
        rm_samples audio = {0};
        assert_int_equal(rm_samples_new(&heap.allocator, 3, cases[i].channels, 48000, cases[i].given, &value,
                                        &audio, NULL),
                         RM_OK);
        assert_int_equal(audio.dtype, RM_FLOAT32);
        assert_int_equal(audio.frames, 3);
        assert_int_equal(audio.channels, cases[i].channels);
        assert_int_equal(audio.count, 3 * cases[i].channels);
        assert_int_equal(audio.sample_rate, 48000);
        assert_true(audio.channel_layout == cases[i].layout);
        for (size_t s = 0; s < audio.count; s++)
            assert_true(audio.f32[s] == 0.0f);
        rm_value_clear(&value);
        assert_int_equal(heap.live_blocks, 0);
    }
}

static void wrong_audio_is_refused_by_what_is_wrong(void **unused)
{
    const int64_t flat[] = {4}, pair[] = {4, 2};
    const rm_media mono = {.kind = RM_MEDIA_AUDIO, .sample_rate = 8000}, no_rate = {.kind = RM_MEDIA_AUDIO};
    const struct {
        int32_t dimensions;
        const int64_t *shape;
        rm_media media;
        const char *message;
    } cases[] = {
        {1, flat, mono, "shape (frames, channels), got 1"},
        {2, pair, {0}, "without a sample rate"},
        {2, pair, no_rate, "sample rate of 0 Hz"},
    };
    (void)unused;
    rm_error err = {0};
    rm_samples audio = {0};
    rm_value value = rm_null();
    assert_int_equal(rm_samples_of(rm_int(3), &audio, &err), RM_E_TYPE);
    assert_non_null(strstr(err.message, "got int"));
    assert_int_equal(rm_samples_new(NULL, 1, 0, 8000, 0, &value, &audio, &err), RM_E_USAGE);
    assert_int_equal(rm_samples_new(NULL, 1, 1, 0, 0, &value, &audio, &err), RM_E_USAGE);
    for (size_t i = 0; i < RMT_COUNT(cases); i++) {
        assert_int_equal(rm_tensor_new(NULL, RM_FLOAT32, cases[i].dimensions, cases[i].shape, &value, NULL),
                         RM_OK);
        assert_int_equal(rm_tensor_set_media(&value, cases[i].media, NULL), RM_OK);
        assert_int_equal(rm_samples_of(value, &audio, &err), RM_E_TYPE);
        if (strstr(err.message, cases[i].message) == NULL)
            fail_msg("case %zu: %s", i, err.message);
        rm_value_clear(&value);
    }
    rm_error_clear(&err);
}

/* Two owners; each allocation fails in turn. The first owner's samples never change. */
static void shared_audio_is_copied_before_it_changes(void **unused)
{
    const float samples[] = {0.25f, 0.5f};
    (void)unused;
    for (size_t nth = 1, faults = 1; faults != 0; nth++) {
        rmt_heap heap;
        rmt_heap_init(&heap, nth);
        rm_value first = rmt_audio(RM_FLOAT32, 2, 1, 8000, samples), second = rm_value_retain(first);
        rm_samples audio = {0};
        const int rc = rm_samples_make_unique(&heap.allocator, &second, &audio, NULL);
        faults = heap.faults;
        assert_int_equal(rc, faults ? RM_E_OUT_OF_MEMORY : RM_OK);
        if (rc == RM_OK)
            audio.f32[0] = 1.0f;
        assert_int_equal(rm_samples_of(first, &audio, NULL), RM_OK);
        assert_true(audio.f32[0] == 0.25f && audio.f32[1] == 0.5f);
        rm_value_clear(&first);
        rm_value_clear(&second);
        assert_int_equal(heap.live_blocks + heap.mistakes, 0);
    }
}

static void audio_of_one_owner_is_changed_in_place(void **unused)
{
    const float sample = 0.25f;
    (void)unused;
    rm_value audio = rmt_audio(RM_FLOAT32, 1, 1, 8000, &sample);
    rm_samples before = {0}, after = {0};
    assert_int_equal(rm_samples_of(audio, &before, NULL), RM_OK);
    assert_int_equal(rm_samples_make_unique(NULL, &audio, &after, NULL), RM_OK);
    assert_ptr_equal(before.data, after.data);
    rm_value_clear(&audio);
}

/* Columns of a wider array have gaps: no view of samples, but a copy closes the gaps. */
static void audio_with_gaps_becomes_contiguous(void **unused)
{
    float wide[] = {1.0f, 9.0f, 2.0f, 9.0f};
    const int64_t shape[] = {2, 1}, strides[] = {2, 1};
    const rm_tensor view = {.data = wide,
                            .dtype = RM_FLOAT32,
                            .dimensions = 2,
                            .shape = shape,
                            .strides = strides,
                            .read_only = true,
                            .media = {.kind = RM_MEDIA_AUDIO, .sample_rate = 8000}};
    (void)unused;
    rm_value value = rm_null();
    rm_samples audio = {0};
    assert_int_equal(rm_tensor_wrap(NULL, &view, NULL, NULL, &value, NULL), RM_OK);
    assert_int_equal(rm_samples_of(value, &audio, NULL), RM_E_TYPE);
    assert_int_equal(rm_samples_make_unique(NULL, &value, &audio, NULL), RM_OK);
    assert_true(audio.f32[0] == 1.0f && audio.f32[1] == 2.0f && audio.sample_rate == 8000);
    audio.f32[0] = 5.0f;
    assert_true(wide[0] == 1.0f);
    rm_value_clear(&value);
}

RMT_MAIN(frames_become_nanoseconds_rounded_down, new_audio_is_silent_and_knows_its_format,
         wrong_audio_is_refused_by_what_is_wrong, shared_audio_is_copied_before_it_changes,
         audio_of_one_owner_is_changed_in_place, audio_with_gaps_becomes_contiguous)
