#include "nodes/audio_support/sample_format.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/node_test.h"

static void floats_become_the_nearest_integers_and_are_clipped(void **unused)
{
    static const struct {
        float sample;
        int16_t i16;
        int32_t i24, i32;
        bool clips;
    } cases[] = {
        {0.0f, 0, 0, 0, false},
        {-0.0f, 0, 0, 0, false},
        {0.5f, 16384, 4194304 * 256, 1 << 30, false},
        {-1.0f, -32768, INT32_MIN, INT32_MIN, false},
        {1.0f, 32767, 8388607 * 256, INT32_MAX, true},
        {-1.5f, -32768, INT32_MIN, INT32_MIN, true},
        {1e30f, 32767, 8388607 * 256, INT32_MAX, true},
        {INFINITY, 32767, 8388607 * 256, INT32_MAX, true},
        {-INFINITY, -32768, INT32_MIN, INT32_MIN, true},
        {NAN, 0, 0, 0, false},
        {0.5f / 32768, 0, 128 * 256, 32768, false},
        {1.5f / 32768, 2, 384 * 256, 98304, false},
        {-2.5f / 32768, -2, -640 * 256, -163840, false},
        {32767.0f / 32768, 32767, 32767 * 65536, 32767 * 65536, false},
    };
    (void)unused;
    for (size_t i = 0; i < RMT_COUNT(cases); i++) {
        rmi_quantiser q[3] = {{0}, {0}, {0}};
        int16_t i16;
        int32_t i24, i32;
        const float *in = &cases[i].sample;
        assert_int_equal(rmi_sample_convert(&q[0], RM_FLOAT32, in, 1, RMI_SAMPLE_INT16, &i16, NULL), RM_OK);
        assert_int_equal(rmi_sample_convert(&q[1], RM_FLOAT32, in, 1, RMI_SAMPLE_INT24, &i24, NULL), RM_OK);
        assert_int_equal(rmi_sample_convert(&q[2], RM_FLOAT32, in, 1, RMI_SAMPLE_INT32, &i32, NULL), RM_OK);
        if (i16 != cases[i].i16 || i24 != cases[i].i24 || i32 != cases[i].i32)
            fail_msg("%g: %d %d %d", (double)*in, i16, i24, i32);
        for (int k = 0; k < 3; k++)
            assert_true(q[k].clipped == cases[i].clips && (q[k].nan == 1) == (isnan(*in) != 0) &&
                        q[k].position == 1);
    }
}

static void integers_come_back_as_they_were(void **unused)
{
    enum { COUNT = 65536 };
    int16_t *shorts = malloc(COUNT * sizeof *shorts), *again = malloc(COUNT * sizeof *again);
    int32_t *ints = malloc(COUNT * sizeof *ints), *back = malloc(COUNT * sizeof *back);
    float *floats = malloc(COUNT * sizeof *floats);
    rmi_quantiser q = {.dithers = true, .seed = 1}; /* nothing is lost, so no noise is added */
    (void)unused;
    for (int32_t i = 0; i < COUNT; i++) {
        shorts[i] = (int16_t)(i - 32768);
        ints[i] = (int32_t)((uint32_t)i * 0x01010100u); /* 24 bits */
    }
    assert_int_equal(rmi_sample_convert(&q, RM_INT16, shorts, COUNT, RMI_SAMPLE_INT32, back, NULL), RM_OK);
    for (int32_t i = 0; i < COUNT; i++)
        assert_int_equal(back[i], shorts[i] * 65536);
    assert_int_equal(rmi_sample_convert(&q, RM_INT32, back, COUNT, RMI_SAMPLE_INT32, back, NULL), RM_OK);
    q.dithers = false;
    assert_int_equal(rmi_sample_convert(&q, RM_INT32, back, COUNT, RMI_SAMPLE_INT16, again, NULL), RM_OK);
    assert_memory_equal(again, shorts, COUNT * sizeof *shorts);
    assert_int_equal(rmi_sample_convert(&q, RM_INT16, shorts, COUNT, RMI_SAMPLE_FLOAT32, floats, NULL),
                     RM_OK);
    for (int32_t i = 0; i < COUNT; i++)
        assert_true(floats[i] == (float)shorts[i] / 32768.0f);
    assert_int_equal(rmi_sample_convert(&q, RM_FLOAT32, floats, COUNT, RMI_SAMPLE_INT16, again, NULL), RM_OK);
    assert_memory_equal(again, shorts, COUNT * sizeof *shorts);
    assert_int_equal(rmi_sample_convert(&q, RM_INT32, ints, COUNT, RMI_SAMPLE_FLOAT32, floats, NULL), RM_OK);
    for (int32_t i = 0; i < COUNT; i++)
        assert_true((double)floats[i] == (double)ints[i] / 2147483648.0);
    assert_int_equal(rmi_sample_convert(&q, RM_FLOAT32, floats, COUNT, RMI_SAMPLE_INT24, back, NULL), RM_OK);
    assert_memory_equal(back, ints, COUNT * sizeof *ints);
    assert_int_equal(q.clipped + q.nan, 0);
    free(shorts), free(again), free(ints), free(back), free(floats);
}

static void dither_is_triangular_and_depends_on_the_place_alone(void **unused)
{
    enum { COUNT = 100000 };
    float *in = calloc(COUNT, sizeof *in);
    int16_t *whole = malloc(COUNT * sizeof *whole), *cut = malloc(COUNT * sizeof *cut);
    double sum = 0.0, squares = 0.0;
    (void)unused;
    for (size_t i = 0; i < COUNT; i++)
        in[i] = 100.25f / 32768.0f;
    rmi_quantiser a = {.dithers = true, .seed = 5}, b = a, c = {.dithers = true, .seed = 6};
    assert_int_equal(rmi_sample_convert(&a, RM_FLOAT32, in, COUNT, RMI_SAMPLE_INT16, whole, NULL), RM_OK);
    for (size_t i = 0, n = 1; i < COUNT; i += n, n = n * 3 % 1009) {
        n = n < COUNT - i ? n : COUNT - i;
        assert_int_equal(rmi_sample_convert(&b, RM_FLOAT32, in + i, n, RMI_SAMPLE_INT16, cut + i, NULL),
                         RM_OK);
    }
    assert_memory_equal(whole, cut, COUNT * sizeof *cut);
    assert_int_equal(rmi_sample_convert(&c, RM_FLOAT32, in, COUNT, RMI_SAMPLE_INT16, cut, NULL), RM_OK);
    assert_memory_not_equal(whole, cut, COUNT * sizeof *cut);
    for (size_t i = 0; i < COUNT; i++) {
        sum += whole[i], squares += (whole[i] - 100.25) * (whole[i] - 100.25);
        assert_in_range(whole[i], 99, 102);
    }
    /* The mean is kept, and the error's power is that of the noise and of rounding, wherever the sample lies:
     * 1/6 + 1/12 of a step squared. */
    assert_true(fabs(sum / COUNT - 100.25) < 0.01);
    assert_true(fabs(squares / COUNT - 0.25) < 0.005);
    free(in), free(whole), free(cut);
}

static void other_dtypes_are_refused(void **unused)
{
    rmi_quantiser q = {0};
    rm_error err = {0};
    double in = 0.0;
    float out;
    (void)unused;
    assert_int_equal(rmi_sample_convert(&q, RM_FLOAT64, &in, 1, RMI_SAMPLE_FLOAT32, &out, &err), RM_E_TYPE);
    assert_string_equal(err.message, "expected audio of int16, int32 or float32, got float64");
}

RMT_MAIN(floats_become_the_nearest_integers_and_are_clipped, integers_come_back_as_they_were,
         dither_is_triangular_and_depends_on_the_place_alone, other_dtypes_are_refused)
