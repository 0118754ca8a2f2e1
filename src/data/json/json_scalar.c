/* Reads lines that are a number and nothing else, without a document. */
#include "data/json/json_parts.h"

enum { MOST_DIGITS = 15 }; /* a double holds every such integer */

/* Adds the digits from *at to *number; returns how many there are. */
static size_t take_digits(const char *text, size_t length, size_t *at, int64_t *number)
{
    size_t start = *at;
    for (; *at < length && (unsigned char)(text[*at] - '0') < 10; ++*at)
        *number = *number * 10 + (text[*at] - '0');
    return *at - start;
}

/* The quotient of two integers that a double can hold is rounded as reading the decimal would be. */
bool rmi_json_short_number(const char *text, size_t length, rm_value *out)
{
    static const double tens[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6, 1e7,
                                  1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14};
    int64_t number = 0;
    bool negative = length != 0 && text[0] == '-';
    size_t start = negative, at = start;
    if (length - start - 1 > MOST_DIGITS) /* also no digits */
        return false;
    size_t whole = take_digits(text, length, &at, &number);
    if (whole == 0 || (whole > 1 && text[start] == '0'))
        return false;
    if (at == length) {
        *out = rm_int(negative ? -number : number);
        return whole <= MOST_DIGITS;
    }
    if (text[at++] != '.')
        return false;
    size_t decimals = take_digits(text, length, &at, &number);
    if (decimals == 0 || at != length)
        return false;
    double size = (double)number / tens[decimals];
    *out = rm_float(negative ? -size : size);
    return true;
}
