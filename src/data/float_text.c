/* Floats as text: the shortest digits that read back equal, spelled as Python's repr spells them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/integer.h"
#include "data/json/json.h"

/* yyjson writes a number only into memory of its allocator: this one lends it a buffer. */
enum { NUMBER_ROOM = 64 };

static void *give_buffer(void *context, size_t size)
{
    return size <= NUMBER_ROOM ? context : NULL;
}

static void *give_no_more(void *context, void *block, size_t old_size, size_t size)
{
    (void)context, (void)block, (void)old_size, (void)size;
    return NULL;
}

static void keep_buffer(void *context, void *block)
{
    (void)context, (void)block;
}

/* Writes the significant digits of a positive, finite float, as d.ddd times 10 to the power of *exponent.
 * Returns their number. */
static size_t shortest_digits(double value, char *digits, int *exponent)
{
    char buffer[NUMBER_ROOM];
    const yyjson_alc alc = {give_buffer, give_no_more, keep_buffer, buffer};
    yyjson_val number = {0};
    size_t length = 0, count = 0, before_point = 0, at = 0, leading_zeros = 0;
    int power = 0, sign = 1;
    bool point = false;
    (void)yyjson_set_real(&number, value);
    (void)yyjson_val_write_opts(&number, YYJSON_WRITE_NOFLAG, &alc, &length, NULL);
    for (; at < length && buffer[at] != 'e'; at++) {
        if (buffer[at] == '.') {
            point = true;
            continue;
        }
        if (count == 0 && buffer[at] == '0')
            leading_zeros += point;
        else
            digits[count++] = buffer[at];
        before_point += !point && count != 0;
    }
    for (at++; at < length; at++) {
        if (buffer[at] == '-')
            sign = -1;
        else if (buffer[at] != '+')
            power = power * 10 + (buffer[at] - '0');
    }
    while (count > 1 && digits[count - 1] == '0')
        count--;
    *exponent = (before_point != 0 ? (int)before_point : -(int)leading_zeros) - 1 + sign * power;
    return count;
}

static size_t put_exponent(int exponent, char *to)
{
    size_t length = 2;
    unsigned left = (unsigned)(exponent < 0 ? -exponent : exponent);
    to[0] = 'e';
    to[1] = exponent < 0 ? '-' : '+';
    if (left >= 100)
        to[length++] = (char)('0' + left / 100);
    to[length++] = (char)('0' + left / 10 % 10);
    to[length++] = (char)('0' + left % 10);
    return length;
}

/* d.ddd at a decimal exponent from -4 to 15, without "e". */
static size_t put_plain(const char *digits, size_t count, int exponent, char *to)
{
    size_t before = exponent >= 0 ? (size_t)exponent + 1 : 0, length = 0;
    if (before == 0) {
        memcpy(to, "0.0000", 6);
        length = 2 + (size_t)(-exponent - 1);
        memcpy(to + length, digits, count);
        return length + count;
    }
    for (size_t i = 0; i < before; i++)
        to[length++] = i < count ? digits[i] : '0';
    to[length++] = '.';
    if (count <= before)
        to[length++] = '0';
    for (size_t i = before; i < count; i++)
        to[length++] = digits[i];
    return length;
}

/* Most floats that people write have few decimals. A decimal of at most 15 digits that reads back equal is
 * the shortest one, since no two of them are the same double. And the quotient of two integers that a double
 * can hold is rounded as reading the decimal would be. Returns 0 for any other float. */
static size_t put_few_decimals(double value, char *buffer)
{
    enum { DECIMALS = 6 };
    const double scale = 1e6, smallest = 1e-4, largest = 1e9;
    double size = fabs(value);
    if (!(size >= smallest && size < largest))
        return 0;
    int64_t scaled = (int64_t)(size * scale + 0.5), decimals = scaled % (int64_t)scale;
    if ((double)scaled / scale != size)
        return 0;
    size_t length = rmi_int64_text(scaled / (int64_t)scale, buffer + (value < 0)) + (value < 0);
    size_t last = length + DECIMALS;
    if (value < 0)
        buffer[0] = '-';
    buffer[length] = '.';
    for (size_t at = last; at > length; at--, decimals /= 10)
        buffer[at] = (char)('0' + decimals % 10);
    while (buffer[last] == '0' && last > length + 1)
        last--;
    return last + 1;
}

/* Digits, at d.ddd times 10 to the power of `exponent`. */
static size_t put_digits(const char *digits, size_t count, int exponent, char *buffer)
{
    size_t length = 0;
    if (exponent >= -4 && exponent < 16)
        return put_plain(digits, count, exponent, buffer);
    buffer[length++] = digits[0];
    if (count > 1) {
        buffer[length++] = '.';
        memcpy(buffer + length, digits + 1, count - 1);
        length += count - 1;
    }
    return length + put_exponent(exponent, buffer + length);
}

size_t rmi_float_text(double value, char *buffer)
{
    const double exact = 1e15;
    char digits[NUMBER_ROOM];
    size_t length = 0, count = 0;
    int exponent = 0;
    if (value > -exact && value < exact && value == (double)(int64_t)value &&
        (value != 0 || !signbit(value))) {
        length = rmi_int64_text((int64_t)value, buffer);
        memcpy(buffer + length, ".0", 2);
        return length + 2;
    }
    length = put_few_decimals(value, buffer);
    if (length != 0)
        return length;
    if (signbit(value))
        buffer[length++] = '-';
    if (value == 0) {
        memcpy(buffer + length, "0.0", 3);
        return length + 3;
    }
    count = shortest_digits(fabs(value), digits, &exponent);
    return length + put_digits(digits, count, exponent, buffer + length);
}

/* ---- Less precision ---- */

/* The reals that read back as one number: all between the ends, and the ends where its last bit is 0. */
typedef struct interval {
    double low, high;
    bool with_ends;
} interval;

static interval around(double value, rmi_float_precision precision)
{
    static const struct {
        int bits, least; /* of the mantissa; the exponent of its last bit in the smallest numbers */
    } forms[] = {[RMI_FLOAT64] = {53, -1074},
                 [RMI_FLOAT32] = {24, -149},
                 [RMI_FLOAT16] = {11, -24},
                 [RMI_BFLOAT16] = {8, -133}};
    const int bits = forms[precision].bits, least = forms[precision].least;
    int exponent = 0;
    const double mantissa = frexp(value, &exponent); /* from 0.5, below 1 */
    const int last = exponent - bits > least ? exponent - bits : least;
    const double half = ldexp(0.5, last);
    const bool narrow_below = mantissa == 0.5 && exponent - bits > least;
    return (interval){.low = value - (narrow_below ? half / 2 : half),
                      .high = value + half,
                      .with_ends = fmod(ldexp(value, -last), 2) == 0};
}

/* Whether number times 10 to the power of `power` reads back. The product of two doubles without a remainder
 * is rounded as reading is, and rounding keeps the order: only at the ends a remainder decides. */
static bool reads_back(uint64_t number, int power, const interval *range)
{
    static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                  1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    const int most = sizeof tens / sizeof *tens - 1;
    const bool exact = power >= -most && power <= most;
    char text[NUMBER_ROOM];
    double read = 0, rest = 1;
    if (exact) {
        const double ten = tens[power < 0 ? -power : power];
        read = power < 0 ? (double)number / ten : (double)number * ten;
        rest = power < 0 ? fma(read, ten, -(double)number) : fma((double)number, ten, -read);
    } else {
        (void)snprintf(text, sizeof text, "%llue%d", (unsigned long long)number, power);
        read = strtod(text, NULL);
    }
    const bool at_end = read == range->low || read == range->high;
    return at_end ? rest == 0 && range->with_ends : read > range->low && read < range->high;
}

/* Drops digits of `count` as long as they read back the same; returns the number that is left. */
static size_t drop_digits(char *digits, size_t count, int *exponent, const interval *range)
{
    enum { MOST = 9 }; /* as many as a float32 needs */
    uint64_t number = 0;
    for (size_t kept = 1; kept < count && kept <= MOST; kept++) {
        const int power = *exponent - (int)kept + 1;
        number = number * 10 + (uint64_t)(digits[kept - 1] - '0');
        const bool tie = digits[kept] == '5' && kept + 1 == count;
        uint64_t up = digits[kept] >= '5' && (!tie || number % 2 != 0);
        for (; up < 2; up++) { /* the nearest, else the next above */
            if (!reads_back(number + up, power, range))
                continue;
            char left[RMI_INT64_TEXT];
            const size_t length = rmi_int64_text((int64_t)(number + up), left);
            *exponent = power + (int)length - 1;
            memcpy(digits, left, length);
            return length;
        }
    }
    return count;
}

size_t rmi_narrow_float_text(double value, rmi_float_precision precision, char *buffer)
{
    char digits[NUMBER_ROOM];
    int exponent = 0;
    size_t sign = signbit(value) ? 1 : 0;
    if (precision == RMI_FLOAT64 || value == 0)
        return rmi_float_text(value, buffer);
    if (sign != 0)
        buffer[0] = '-';
    const interval range = around(fabs(value), precision);
    size_t count = shortest_digits(fabs(value), digits, &exponent);
    count = drop_digits(digits, count, &exponent, &range);
    while (count > 1 && digits[count - 1] == '0')
        count--;
    return sign + put_digits(digits, count, exponent, buffer + sign);
}
