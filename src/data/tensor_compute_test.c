/* A tensor and a number: values, dtypes, layouts, other owners; and the floats of 16 bits. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "data/half.h"
#include "remotemedia/remotemedia.h"
#include "tests/support/heap.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* `count` elements at `data` become `want`, of `dtype` or, where `wide`, of float64. */
#define ROW(label_, dtype_, operation_, operand_, type, wanted_type, given_, want_) \
    {label_,                                                                        \
     dtype_,                                                                        \
     operation_,                                                                    \
     operand_,                                                                      \
     (const type[]){GIVEN given_},                                                  \
     (const wanted_type[]){GIVEN want_},                                            \
     sizeof((const type[]){GIVEN given_}),                                          \
     sizeof((const wanted_type[]){GIVEN want_})}
#define GIVEN(...) __VA_ARGS__
#define FLOAT(x) {.kind = RM_FLOAT, .f = (x)}
#define INT(x) {.kind = RM_INT, .i = (x)}

static const struct computed {
    const char *label;
    rm_dtype dtype;
    rm_operation operation;
    rm_value operand;
    const void *given, *want;
    size_t size, want_size;
} computed[] = {
    ROW("int8 wraps", RM_INT8, RM_MULTIPLY, INT(2), int8_t, int8_t, (1, -64, 100, -128), (2, -128, -56, 0)),
    ROW("uint8 wraps", RM_UINT8, RM_ADD, INT(255), uint8_t, uint8_t, (0, 1, 255), (255, 0, 254)),
    ROW("int16", RM_INT16, RM_MULTIPLY, INT(-3), int16_t, int16_t, (100, -30000), (-300, 24464)),
    ROW("uint16", RM_UINT16, RM_MULTIPLY, INT(65535), uint16_t, uint16_t, (1, 65535), (65535, 1)),
    ROW("int32", RM_INT32, RM_ADD, INT(-1), int32_t, int32_t, (INT32_MIN, 5), (INT32_MAX, 4)),
    ROW("uint32", RM_UINT32, RM_ADD, INT(1), uint32_t, uint32_t, (UINT32_MAX, 7), (0, 8)),
    ROW("int64", RM_INT64, RM_MULTIPLY, INT(-2), int64_t, int64_t, (INT64_MIN, 3), (0, -6)),
    ROW("uint64", RM_UINT64, RM_ADD, INT(INT64_MAX), uint64_t, uint64_t, (UINT64_MAX, 1),
        ((uint64_t)INT64_MAX - 1, (uint64_t)1 << 63)),
    ROW("int8 and a float", RM_INT8, RM_MULTIPLY, FLOAT(0.5), int8_t, double, (-128, 3), (-64.0, 1.5)),
    ROW("uint64 and a float", RM_UINT64, RM_ADD, FLOAT(0.0), uint64_t, double,
        (UINT64_MAX, 9007199254740993U), (18446744073709551616.0, 9007199254740992.0)),
    ROW("int64 and a float", RM_INT64, RM_ADD, FLOAT(0.5), int64_t, double, (-1, 2), (-0.5, 2.5)),
    ROW("float32 rounds the number", RM_FLOAT32, RM_MULTIPLY, FLOAT(0.1), float, float, (1.0F, 3.0F, -0.0F),
        (0.1F, 3.0F * 0.1F, -0.0F)),
    ROW("float32 and an int", RM_FLOAT32, RM_ADD, INT(16777217), float, float, (0.0F), (16777216.0F)),
    ROW("float32 and what is past it", RM_FLOAT32, RM_MULTIPLY, FLOAT(1e300), float, float, (2.0F, -1.0F),
        (INFINITY, -INFINITY)),
    ROW("float64", RM_FLOAT64, RM_MULTIPLY, FLOAT(1.1), double, double, (1.1, -2.0), (1.1 * 1.1, -2.2)),
    ROW("no number has one form", RM_FLOAT64, RM_MULTIPLY, INT(0), double, double, (INFINITY, (double)NAN),
        ((double)NAN, (double)NAN)),
    ROW("float16: 1/3 and 65504", RM_FLOAT16, RM_MULTIPLY, FLOAT(3.0), uint16_t, uint16_t, (0x3555, 0x7BFF),
        (0x3C00, 0x7C00)),
    ROW("float16 rounds the number", RM_FLOAT16, RM_ADD, INT(2049), uint16_t, uint16_t, (0x0000, 0xBC00),
        (0x6800, 0x67FF)),
    ROW("bfloat16", RM_BFLOAT16, RM_MULTIPLY, FLOAT(1.01), uint16_t, uint16_t, (0x3F80, 0x4040),
        (0x3F81, 0x4042)),
    ROW("complex64", RM_COMPLEX64, RM_MULTIPLY, FLOAT(2.0), float, float, (1.0F, -3.0F), (2.0F, -6.0F)),
    ROW("complex128, to the real part", RM_COMPLEX128, RM_ADD, INT(2), double, double, (1.0, -3.0),
        (3.0, -3.0)),
};

static rm_value tensor_of(const rm_allocator *allocator, rm_dtype dtype, const void *data, size_t bytes)
{
    rm_value tensor = rm_null();
    const int64_t shape[] = {(int64_t)(bytes / rm_dtype_size(dtype))};
    if (rm_tensor_new(allocator, dtype, 1, shape, &tensor, NULL) == RM_OK)
        memcpy(rm_tensor_view(tensor).data, data, bytes);
    return tensor;
}

static void computes_as_numpy_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(computed); i++) {
        const struct computed *c = &computed[i];
        const bool widens = c->operand.kind == RM_FLOAT && c->dtype < RM_FLOAT16;
        rm_value tensor = tensor_of(NULL, c->dtype, c->given, c->size);
        rm_error err = {0};
        if (rm_tensor_compute(NULL, c->operation, &tensor, c->operand, &err) != RM_OK)
            fail_msg("%s: %s", c->label, err.message);
        const rm_tensor view = rm_tensor_view(tensor);
        if (view.dtype != (widens ? RM_FLOAT64 : c->dtype) || rm_tensor_bytes(tensor) != c->want_size ||
            memcmp(view.data, c->want, c->want_size) != 0)
            fail_msg("%s: %s", c->label, rm_dtype_name(view.dtype));
        rm_value_clear(&tensor);
    }
}

static const struct refused {
    rm_dtype dtype;
    rm_operation operation;
    rm_value operand;
    const char *digits; /* instead of the operand */
    int rc;
    const char *message;
} refused[] = {
    {RM_UINT8, RM_MULTIPLY, INT(300), NULL, RM_E_VALUE, "300 is out of bounds for an array of uint8"},
    {RM_UINT8, RM_ADD, INT(-1), NULL, RM_E_VALUE, "-1 is out of bounds for an array of uint8"},
    {RM_INT8, RM_ADD, INT(-129), NULL, RM_E_VALUE, "-129 is out of bounds for an array of int8"},
    {RM_UINT64, RM_ADD, INT(-1), NULL, RM_E_VALUE, "out of bounds for an array of uint64"},
    {RM_UINT64, RM_ADD, INT(0), "18446744073709551616", RM_E_VALUE, "past 64 bits is out of bounds"},
    {RM_UINT64, RM_ADD, INT(0), "18446744073709551615", RM_OK, ""},
    {RM_INT64, RM_ADD, INT(0), "9223372036854775808", RM_E_VALUE, "out of bounds for an array of int64"},
    {RM_INT64, RM_ADD, INT(INT64_MIN), NULL, RM_OK, ""},
    {RM_BOOL8, RM_ADD, INT(1), NULL, RM_E_TYPE, "an array of dtype bool cannot be computed with"},
    {RM_INT8, RM_POWER, INT(1), NULL, RM_E_USAGE, "added to and multiplied"},
    {RM_INT8, RM_ADD, {.kind = RM_BOOL}, NULL, RM_E_TYPE, "a tensor and bool"},
};

static void refuses_what_numpy_refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++) {
        const char zeros[8] = {0};
        rm_value tensor = tensor_of(NULL, refused[i].dtype, zeros, sizeof zeros),
                 operand = refused[i].operand;
        rm_error err = {0};
        if (refused[i].digits != NULL)
            assert_int_equal(
                rm_integer_parse(NULL, refused[i].digits, strlen(refused[i].digits), &operand, NULL), RM_OK);
        const int rc = rm_tensor_compute(NULL, refused[i].operation, &tensor, operand, &err);
        if (rc != refused[i].rc || strstr(err.message, refused[i].message) == NULL)
            fail_msg("%zu: %s", i, err.message);
        rm_value_clear(&operand);
        rm_value_clear(&tensor);
    }
}

static void names_elements_that_have_no_meaning_here(void **state)
{
    (void)state;
    const int64_t shape[] = {2};
    const rm_tensor view = {
        .dtype = RM_OPAQUE, .item_size = 4, .description = "\">f4\"", .dimensions = 1, .shape = shape};
    rm_value tensor = rm_null();
    rm_error err = {0};
    assert_int_equal(rm_tensor_new_like(NULL, &view, false, &tensor, NULL), RM_OK);
    assert_int_equal(rm_tensor_compute(NULL, RM_ADD, &tensor, rm_int(1), &err), RM_E_TYPE);
    assert_non_null(strstr(err.message, "dtype \">f4\""));
    rm_value_clear(&tensor);
}

/* In place where the tensor has one owner; else the others see no change. The layout of the result is the
 * same. */
static void changes_nothing_that_others_see(void **state)
{
    (void)state;
    const float data[] = {1, 2, 3, 4, 5, 6};
    rm_value tensor = tensor_of(NULL, RM_FLOAT32, data, sizeof data);
    void *memory = rm_tensor_view(tensor).data;
    assert_int_equal(rm_tensor_compute(NULL, RM_ADD, &tensor, rm_int(1), NULL), RM_OK);
    assert_ptr_equal(rm_tensor_view(tensor).data, memory);
    rm_value other = rm_value_retain(tensor), columns = rm_null();
    assert_int_equal(rm_tensor_compute(NULL, RM_ADD, &tensor, rm_int(1), NULL), RM_OK);
    assert_ptr_not_equal(rm_tensor_view(tensor).data, memory);
    assert_true(((float *)memory)[0] == 2 && ((float *)rm_tensor_view(tensor).data)[0] == 3);
    /* Fortran order stays, other strides become C order. */
    const int64_t shape[] = {2, 3}, fortran[] = {1, 2};
    const rm_tensor view = {
        .data = memory, .dtype = RM_FLOAT32, .dimensions = 2, .shape = shape, .strides = fortran};
    assert_int_equal(rm_tensor_share(NULL, other, &view, &columns, NULL), RM_OK);
    assert_int_equal(rm_tensor_compute(NULL, RM_MULTIPLY, &columns, rm_int(10), NULL), RM_OK);
    assert_true(rm_tensor_is_fortran(columns) && ((float *)rm_tensor_view(columns).data)[5] == 70);
    rm_value_clear(&columns);
    const int64_t three[] = {3}, back[] = {-2};
    const rm_tensor reversed = {
        .data = (float *)memory + 4, .dtype = RM_FLOAT32, .dimensions = 1, .shape = three, .strides = back};
    assert_int_equal(rm_tensor_share(NULL, other, &reversed, &columns, NULL), RM_OK);
    assert_int_equal(rm_tensor_compute(NULL, RM_MULTIPLY, &columns, rm_int(10), NULL), RM_OK);
    const float want[] = {60, 40, 20};
    assert_memory_equal(rm_tensor_view(columns).data, want, sizeof want);
    assert_true(((float *)memory)[4] == 6);
    rm_value_clear(&columns);
    rm_value_clear(&other);
    rm_value_clear(&tensor);
}

static void keeps_media_and_survives_failed_allocations(void **state)
{
    (void)state;
    const int16_t data[] = {100, -100};
    for (size_t nth = 1, faults = 1; faults != 0; nth++) {
        rmt_heap heap;
        rmt_heap_init(&heap, 0);
        const int64_t shape[] = {2, 1};
        rm_value audio = rm_null(), other;
        assert_int_equal(rm_tensor_new(&heap.allocator, RM_INT16, 2, shape, &audio, NULL), RM_OK);
        memcpy(rm_tensor_view(audio).data, data, sizeof data);
        assert_int_equal(
            rm_tensor_set_media(&audio, (rm_media){.kind = RM_MEDIA_AUDIO, .sample_rate = 8000}, NULL),
            RM_OK);
        other = rm_value_retain(audio);
        heap.fail_at = heap.calls + nth;
        const int rc = rm_tensor_compute(&heap.allocator, RM_MULTIPLY, &audio, rm_float(0.5), NULL);
        faults = heap.faults;
        assert_int_equal(rc, faults != 0 ? RM_E_OUT_OF_MEMORY : RM_OK);
        assert_int_equal(rm_tensor_view(audio).media.sample_rate, 8000);
        assert_int_equal(rm_tensor_view(audio).dtype, faults != 0 ? RM_INT16 : RM_FLOAT64);
        rm_value_clear(&other);
        rm_value_clear(&audio);
        assert_int_equal(heap.live_blocks, 0);
    }
}

static void narrows_and_widens(void **state)
{
    (void)state;
    static const struct {
        double value;
        uint16_t half;
    } halves[] = {
        {65504.0, 0x7BFF},
        {65519.99, 0x7BFF},
        {65520.0, 0x7C00},
        {-1e300, 0xFC00},
        {2049.0, 0x6800},
        {2051.0, 0x6802},
        {0x1p-24, 0x0001},
        {0x1p-25, 0x0000},
        {0x1.8p-25, 1},
        {-0x1p-26, 0x8000},
        {0x1.ffcp-15, 0x03FF + 1},
        {0x1.ff8p-15, 0x03FF},
        {-0.0, 0x8000},
        {5e-324, 0x0000},
        {1.0 + 0x1p-11, 0x3C00},
        {1.0 + 0x1.8p-10, 0x3C02},
        {INFINITY, 0x7C00},
        {0x1.0000000000001p-25, 0x0001},
    };
    for (size_t i = 0; i < COUNT(halves); i++) {
        if (rmi_double_to_half(halves[i].value) != halves[i].half)
            fail_msg("%a: %04x", halves[i].value, rmi_double_to_half(halves[i].value));
    }
    for (uint32_t bits = 0; bits <= 0xFFFF; bits++) {
        const float half = rmi_half_to_float((uint16_t)bits), brain = rmi_bfloat16_to_float((uint16_t)bits);
        assert_int_equal(rmi_double_to_half((double)half), half == half ? bits : 0x7E00);
        assert_int_equal(rmi_float_to_bfloat16(brain), brain == brain ? bits : 0x7FC0);
    }
    assert_int_equal(rmi_float_to_bfloat16(1.00390625F), 0x3F80); /* half way, to the even one */
    assert_int_equal(rmi_float_to_bfloat16(3.4e38F), 0x7F80);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(computes_as_numpy_does),
        cmocka_unit_test(refuses_what_numpy_refuses),
        cmocka_unit_test(names_elements_that_have_no_meaning_here),
        cmocka_unit_test(changes_nothing_that_others_see),
        cmocka_unit_test(keeps_media_and_survives_failed_allocations),
        cmocka_unit_test(narrows_and_widens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
