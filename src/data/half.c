#include "data/half.h"

#include <math.h>
#include <string.h>

static float float_of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

float rmi_half_to_float(uint16_t bits)
{
    const uint32_t sign = (uint32_t)(bits & 0x8000) << 16, exponent = bits >> 10 & 0x1F,
                   mantissa = bits & 0x3FF;
    if (exponent == 0x1F)
        return mantissa != 0 ? NAN : float_of_bits(sign | 0x7F800000);
    if (exponent == 0) {
        const float size = (float)mantissa / 16777216.0F; /* divided by 2 to the 24th: exact */
        return sign != 0 ? -size : size;
    }
    return float_of_bits(sign | (exponent + 112) << 23 | mantissa << 13);
}

uint16_t rmi_double_to_half(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint16_t sign = (uint16_t)(bits >> 48 & 0x8000);
    const int exponent = (int)(bits >> 52 & 0x7FF) - 1023 + 15;
    uint64_t mantissa = bits & (((uint64_t)1 << 52) - 1), rounded = 0;
    int drop = 42;
    if (value != value)
        return 0x7E00;
    if (exponent >= 0x1F)
        return sign | 0x7C00;
    if (exponent < -10)
        return sign;
    if (exponent <= 0) { /* below the least normal one: fewer bits are kept */
        mantissa |= (uint64_t)1 << 52;
        drop += 1 - exponent;
    } else {
        rounded = (uint64_t)exponent << 10;
    }
    rounded += mantissa >> drop;
    const uint64_t rest = mantissa & (((uint64_t)1 << drop) - 1), tie = (uint64_t)1 << (drop - 1);
    rounded += rest > tie || (rest == tie && (rounded & 1) != 0); /* a carry into the exponent is right */
    return (uint16_t)(sign | rounded);
}

float rmi_bfloat16_to_float(uint16_t bits)
{
    return float_of_bits((uint32_t)bits << 16);
}

uint16_t rmi_float_to_bfloat16(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    if (value != value)
        return 0x7FC0;
    return (uint16_t)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}
