/* Floats as text: the shortest digits that read back equal, spelled as Python's repr spells them. */
#include <math.h>
#include <string.h>

#include "data/integer.h"
#include "data/json.h"

/* yyjson writes a number only into memory that it asks for: this gives it a buffer. */
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

/* The significant digits of a positive, finite float, as d.ddd times 10 to the power of *exponent; returns
 * how many. */
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
 * the shortest one, since no two of them are the same double; and the quotient of two integers that a
 * double holds is rounded as reading the decimal would be. 0 when the float is none of these. */
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
    if (exponent >= -4 && exponent < 16)
        return length + put_plain(digits, count, exponent, buffer + length);
    buffer[length++] = digits[0];
    if (count > 1) {
        buffer[length++] = '.';
        memcpy(buffer + length, digits + 1, count - 1);
        length += count - 1;
    }
    return length + put_exponent(exponent, buffer + length);
}
