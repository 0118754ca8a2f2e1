/* Integers past 64 bits: their blocks, and conversions to and from text, bytes and floats. */
#include "data/integer.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "data/blocks.h"

enum {
    CHUNK_DIGITS = 18, /* decimal digits that surely fit one limb */
    MAX_LIMBS = 224,   /* of 4,300 digits: 14,285 bits */
    MAX_BITS = 14285,
};
static const uint64_t CHUNK = 1000000000000000000u; /* 10 to the 18th */

int rmi_integer_too_long(rm_error *err)
{
    return rm_error_set(err, RM_E_LIMIT, "an integer has more than %d digits", RMI_INTEGER_MAX_DIGITS);
}

int rmi_integer_from_limbs(const rm_allocator *allocator, const uint64_t *limbs, size_t count, bool negative,
                           rm_value *out, rm_error *err)
{
    uint64_t low = count != 0 ? limbs[0] : 0;
    size_t size = 0;
    *out = rm_null();
    while (count > 0 && limbs[count - 1] == 0)
        count--;
    if (count <= 1 && low <= (uint64_t)INT64_MAX + negative) {
        *out = rm_int(negative && low != 0 ? -(int64_t)(low - 1) - 1 : (int64_t)low);
        return RM_OK;
    }
    if (!rmi_multiply(count, sizeof *limbs, &size) || !rmi_add(size, sizeof(rmi_bigint_block), &size))
        return rmi_out_of_memory(err);
    rm_heap *heap = rmi_heap_new(allocator, RM_BIGINT, size, err);
    if (heap == NULL)
        return RM_E_OUT_OF_MEMORY;
    heap->extra = negative;
    rmi_bigint_of(heap)->count = count;
    memcpy(rmi_bigint_of(heap)->limbs, limbs, count * sizeof *limbs);
    *out = rmi_value_of(heap);
    return RM_OK;
}

rmi_magnitude rmi_integer_magnitude(const rm_value *value, uint64_t *room)
{
    if (value->kind == RM_BIGINT) {
        const rmi_bigint_block *block = rmi_bigint_of(value->heap);
        return (rmi_magnitude){
            .limbs = block->limbs, .count = block->count, .negative = block->head.extra != 0};
    }
    int64_t small = value->kind == RM_BOOL ? value->b : value->i;
    *room = small < 0 ? 0 - (uint64_t)small : (uint64_t)small;
    return (rmi_magnitude){.limbs = room, .count = small != 0, .negative = small < 0};
}

size_t rmi_magnitude_bits(rmi_magnitude magnitude)
{
    if (magnitude.count == 0)
        return 0;
    return magnitude.count * 64 - (size_t)__builtin_clzll(magnitude.limbs[magnitude.count - 1]);
}

/* ---- Decimal text ---- */

/* limbs = limbs * factor + carry; returns the new count. */
static size_t multiply_add(uint64_t *limbs, size_t count, uint64_t factor, uint64_t carry)
{
    for (size_t i = 0; i < count; i++) {
        unsigned __int128 product = (unsigned __int128)limbs[i] * factor + carry;
        limbs[i] = (uint64_t)product;
        carry = (uint64_t)(product >> 64);
    }
    if (carry != 0)
        limbs[count++] = carry;
    return count;
}

/* limbs = limbs / CHUNK; returns the remainder. */
static uint64_t divide_by_chunk(uint64_t *limbs, size_t *count)
{
    uint64_t rest = 0;
    for (size_t i = *count; i-- > 0;) {
        unsigned __int128 part = (unsigned __int128)rest << 64 | limbs[i];
        limbs[i] = (uint64_t)(part / CHUNK);
        rest = (uint64_t)(part % CHUNK);
    }
    while (*count > 0 && limbs[*count - 1] == 0)
        --*count;
    return rest;
}

int rm_integer_parse(const rm_allocator *allocator, const char *text, size_t length, rm_value *out,
                     rm_error *err)
{
    uint64_t limbs[MAX_LIMBS + 1];
    bool negative = length > 0 && text[0] == '-';
    size_t at = length > 0 && (text[0] == '-' || text[0] == '+'), count = 0;
    *out = rm_null();
    if (at == length)
        return rm_error_set(err, RM_E_PARSE, "an integer without digits");
    for (size_t i = at; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return rm_error_set(err, RM_E_PARSE, "an integer has something other than a digit at byte %zu",
                                i);
    }
    if (length - at > RMI_INTEGER_MAX_DIGITS)
        return rmi_integer_too_long(err);
    while (at < length) {
        uint64_t chunk = 0, factor = 1;
        for (size_t i = 0; i < CHUNK_DIGITS && at < length; i++, factor *= 10)
            chunk = chunk * 10 + (uint64_t)(text[at++] - '0');
        count = multiply_add(limbs, count, factor, chunk);
    }
    return rmi_integer_from_limbs(allocator, limbs, count, negative, out, err);
}

size_t rmi_int64_text(int64_t value, char *buffer)
{
    static const char pairs[] =
        "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
        "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
        "8081828384858687888990919293949596979899";
    char digits[20];
    uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    size_t at = sizeof digits, length = 0;
    for (; left >= 100; left /= 100)
        memcpy(digits + (at -= 2), pairs + left % 100 * 2, 2);
    if (left >= 10)
        memcpy(digits + (at -= 2), pairs + left * 2, 2);
    else
        digits[--at] = (char)('0' + left);
    if (value < 0)
        buffer[length++] = '-';
    memcpy(buffer + length, digits + at, sizeof digits - at);
    return length + sizeof digits - at;
}

/* Writes the digits of a magnitude other than 0, into `digits` from its end. Returns where they start,
 * SIZE_MAX if there are too many. */
static size_t write_digits(rmi_magnitude magnitude, char *digits, size_t size)
{
    uint64_t limbs[MAX_LIMBS];
    size_t count = magnitude.count, at = size;
    if (rmi_magnitude_bits(magnitude) > MAX_BITS)
        return SIZE_MAX;
    memcpy(limbs, magnitude.limbs, count * sizeof *limbs);
    while (count > 0) {
        uint64_t chunk = divide_by_chunk(limbs, &count);
        for (size_t i = 0; i < CHUNK_DIGITS && (count > 0 || chunk != 0); i++, chunk /= 10)
            digits[--at] = (char)('0' + chunk % 10);
    }
    return size - at <= RMI_INTEGER_MAX_DIGITS ? at : SIZE_MAX;
}

int rmi_integer_append(rmi_text *text, rm_value value, rm_error *err)
{
    char digits[RMI_INTEGER_MAX_DIGITS + CHUNK_DIGITS];
    uint64_t room = 0;
    rmi_magnitude magnitude = rmi_integer_magnitude(&value, &room);
    size_t at = magnitude.count != 0 ? write_digits(magnitude, digits, sizeof digits) : sizeof digits;
    if (at == SIZE_MAX)
        return rmi_integer_too_long(err);
    if (at == sizeof digits)
        digits[--at] = '0';
    if (magnitude.negative)
        rmi_text_append(text, "-", 1);
    rmi_text_append(text, digits + at, sizeof digits - at);
    return text->failed ? rmi_out_of_memory(err) : RM_OK;
}

bool rmi_integer_fits_digits(rm_value value)
{
    char digits[RMI_INTEGER_MAX_DIGITS + CHUNK_DIGITS];
    uint64_t room = 0;
    rmi_magnitude magnitude = rmi_integer_magnitude(&value, &room);
    return rmi_magnitude_bits(magnitude) < MAX_BITS ||
           write_digits(magnitude, digits, sizeof digits) != SIZE_MAX;
}

/* ---- Bytes ---- */

int rm_integer_from_bytes(const rm_allocator *allocator, const uint8_t *bytes, size_t length, rm_value *out,
                          rm_error *err)
{
    bool negative = length != 0 && bytes[length - 1] >= 0x80;
    uint8_t fill = negative ? 0xFF : 0;
    size_t size = 0;
    *out = rm_null();
    while (length > sizeof(int64_t) && bytes[length - 1] == fill && (bytes[length - 2] >= 0x80) == negative)
        length--;
    if (length <= sizeof(int64_t)) {
        uint64_t bits = negative ? UINT64_MAX : 0;
        for (size_t i = length; i-- > 0;)
            bits = bits << 8 | bytes[i];
        *out = (rm_value){.kind = RM_INT, .bits = bits};
        return RM_OK;
    }
    size_t count = length / 8 + (length % 8 != 0), carry = negative;
    if (!rmi_multiply(count, sizeof(uint64_t), &size) || !rmi_add(size, sizeof(rmi_bigint_block), &size))
        return rmi_out_of_memory(err);
    rm_heap *heap = rmi_heap_new(allocator, RM_BIGINT, size, err);
    if (heap == NULL)
        return RM_E_OUT_OF_MEMORY;
    rmi_bigint_block *block = rmi_bigint_of(heap);
    for (size_t i = 0; i < count; i++) {
        uint64_t limb = 0;
        for (size_t at = (i + 1) * 8; at-- > i * 8;)
            limb = limb << 8 | (at < length ? bytes[at] : fill);
        block->limbs[i] = (negative ? ~limb : limb) + carry; /* magnitude = complement + 1 */
        carry = carry && block->limbs[i] == 0;
    }
    while (count > 1 && block->limbs[count - 1] == 0)
        count--;
    block->count = count;
    heap->extra = negative;
    *out = rmi_value_of(heap);
    return RM_OK;
}

size_t rm_integer_to_bytes(rm_value value, uint8_t *bytes, size_t capacity)
{
    uint64_t room = 0;
    rmi_magnitude magnitude = rmi_integer_magnitude(&value, &room);
    size_t bits = rmi_magnitude_bits(magnitude), needed = bits / 8 + 1, low = 0;
    bool power_of_two =
        bits != 0 && (magnitude.limbs[magnitude.count - 1] & (magnitude.limbs[magnitude.count - 1] - 1)) == 0;
    while (low + 1 < magnitude.count && magnitude.limbs[low] == 0)
        low++;
    power_of_two = power_of_two && low + 1 == magnitude.count;
    if (magnitude.negative && power_of_two && bits % 8 == 0)
        needed--; /* -128 takes one byte, 128 two */
    if (needed > capacity)
        return needed;
    bool carry = magnitude.negative;
    for (size_t i = 0; i < needed; i++) {
        uint8_t byte = i / 8 < magnitude.count ? (uint8_t)(magnitude.limbs[i / 8] >> (i % 8 * 8)) : 0;
        if (magnitude.negative) {
            byte = (uint8_t)(~byte + carry);
            carry = carry && byte == 0;
        }
        bytes[i] = byte;
    }
    return needed;
}

/* ---- Floats ---- */

bool rmi_integer_to_double(rm_value value, double *out)
{
    if (value.kind != RM_BIGINT) {
        *out = value.kind == RM_BOOL ? (double)value.b : (double)value.i;
        return true;
    }
    const rmi_bigint_block *block = rmi_bigint_of(value.heap);
    rmi_magnitude magnitude = {.limbs = block->limbs, .count = block->count};
    size_t bits = rmi_magnitude_bits(magnitude), drop = bits > 64 ? bits - 64 : 0;
    size_t limb = drop / 64, shift = drop % 64;
    uint64_t top = block->limbs[limb] >> shift;
    bool rest = false;
    if (bits > 1024)
        return false;
    if (shift != 0 && limb + 1 < block->count)
        top |= block->limbs[limb + 1] << (64 - shift);
    for (size_t i = 0; i < limb; i++)
        rest = rest || block->limbs[i] != 0;
    rest = rest || (shift != 0 && (block->limbs[limb] & (((uint64_t)1 << shift) - 1)) != 0);
    double result =
        ldexp((double)(top | rest), (int)drop); /* the last bit of 64 stands for the dropped ones */
    *out = block->head.extra != 0 ? -result : result;
    return isfinite(result);
}
