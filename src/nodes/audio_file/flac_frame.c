#include "nodes/audio_file/flac_frame.h"

#include <string.h>

/* ---- The header */

/* A number as UTF-8 codes characters, up to 36 bits in 7 bytes; returns 0 where it is none. */
static size_t coded_number(const uint8_t *bytes, uint64_t *out)
{
    size_t size = 1;
    const uint8_t first = bytes[0];
    if (first >= 0xc0 && first < 0xff)
        for (size = 2; size < 7 && (first & 0x80 >> size) != 0; size++) {
        }
    else if (first >= 0x80)
        return 0;
    *out = size == 1 ? first : first & (0x7fu >> size);
    for (size_t i = 1; i < size; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
        *out = *out << 6 | (bytes[i] & 0x3f);
    }
    return size;
}

static size_t take_frames(unsigned code, const uint8_t *at, rmi_flac_header *h)
{
    if (code == 1)
        h->frames = 192;
    else if (code >= 2 && code <= 5)
        h->frames = 576u << (code - 2);
    else if (code == 6)
        h->frames = at[0] + 1u;
    else if (code == 7)
        h->frames = rmi_big16(at) + 1u;
    else if (code >= 8)
        h->frames = 256u << (code - 8);
    return code == 6 ? 1 : code == 7 ? 2 : 0;
}

static size_t take_rate(unsigned code, const uint8_t *at, const rmi_flac_stream *stream, rmi_flac_header *h)
{
    static const int32_t rates[12] = {0,     88200, 176400, 192000, 8000,  16000,
                                      22050, 24000, 32000,  44100,  48000, 96000};
    h->sample_rate = code == 0 ? stream->sample_rate : code < 12 ? rates[code] : 0;
    if (code == 12)
        h->sample_rate = at[0] * 1000;
    else if (code == 13)
        h->sample_rate = (int32_t)rmi_big16(at);
    else if (code == 14)
        h->sample_rate = (int32_t)rmi_big16(at) * 10;
    return code == 12 ? 1 : code == 13 || code == 14 ? 2 : 0;
}

bool rmi_flac_header_read(const uint8_t *bytes, size_t length, const rmi_flac_stream *stream,
                          rmi_flac_header *out)
{
    static const uint8_t sizes[8] = {0, 8, 12, 0, 16, 20, 24, 32};
    uint8_t b[RMI_FLAC_HEADER + 4] = {0}; /* a short file goes on with zeros, whose sum is wrong */
    memcpy(b, bytes, length < RMI_FLAC_HEADER ? length : RMI_FLAC_HEADER);
    if (b[0] != 0xff || (b[1] & 0xfe) != 0xf8)
        return false;
    const unsigned block = b[2] >> 4, rate = b[2] & 15, channels = b[3] >> 4, bits = b[3] >> 1 & 7;
    if (block == 0 || rate == 15 || channels > 10 || bits == 3 || (b[3] & 1) != 0)
        return false;
    *out = (rmi_flac_header){.channels = channels < 8 ? (int32_t)channels + 1 : 2,
                             .pairing = channels < 8 ? RMI_FLAC_APART : channels - 7,
                             .bits = bits == 0 ? stream->bits : sizes[bits]};
    const size_t coded = coded_number(b + 4, &out->number);
    if (coded == 0)
        return false;
    size_t at = 4 + coded;
    at += take_frames(block, b + at, out);
    at += take_rate(rate, b + at, stream, out);
    out->size = at + 1;
    return out->size <= length && rmi_flac_crc8(b, at) == b[at];
}

/* ---- The residual */

/* A run of zeros, and the one behind it. UINT32_MAX: the file ends. */
static uint32_t unary(rmi_flac_bits *bits)
{
    uint32_t zeros = 0;
    for (;;) {
        rmi_flac_bits_fill(bits);
        if (bits->cache != 0) {
            const unsigned here = (unsigned)__builtin_clzll(bits->cache);
            if (here < bits->count) {
                bits->cache = bits->cache << here << 1;
                bits->count -= here + 1;
                return zeros + here;
            }
        }
        zeros += bits->count;
        bits->cache = 0;
        bits->count = 0;
        if (bits->beyond > 0 || zeros > UINT32_MAX / 2)
            return UINT32_MAX;
    }
}

/* A number in Rice code where the quick way ends: a long run of zeros, or the end of the bytes ahead. */
static uint32_t rice_slowly(rmi_flac_bits *bits, unsigned parameter, bool *whole)
{
    const uint32_t high = unary(bits);
    *whole = *whole && high != UINT32_MAX;
    return parameter > 0 ? high << parameter | rmi_flac_bits_get(bits, parameter) : high;
}

static bool rice(rmi_flac_bits *bits, unsigned parameter, size_t count, int32_t *out)
{
    uint64_t cache = bits->cache; /* copies that stay in registers */
    unsigned ready = bits->count;
    const uint8_t *at = bits->at, *end = bits->end;
    bool whole = true;
    for (size_t i = 0; i < count; i++) {
        uint32_t folded;
        if (end - at >= 8) {
            uint64_t next;
            memcpy(&next, at, sizeof next);
            cache |= __builtin_bswap64(next) >> ready;
            at += (63 - ready) >> 3;
            ready |= 56;
        }
        const unsigned zeros = (unsigned)__builtin_clzll(cache | 1), size = zeros + 1 + parameter;
        if (size <= ready) { /* one shift by `size`: what the next turn waits for is short */
            folded = zeros << parameter | (uint32_t)(cache << zeros << 1 >> 1 >> (63 - parameter));
            cache <<= size;
            ready -= size;
        } else {
            bits->cache = cache;
            bits->count = ready;
            bits->at = at;
            folded = rice_slowly(bits, parameter, &whole);
            cache = bits->cache;
            ready = bits->count;
            at = bits->at;
            end = bits->end;
        }
        out[i] = (int32_t)(folded >> 1 ^ -(folded & 1));
    }
    bits->cache = cache;
    bits->count = ready;
    bits->at = at;
    return whole;
}

/* Samples that are not predicted follow `order` samples that stand before them. */
static bool residual(rmi_flac_bits *bits, size_t frames, size_t order, int32_t *out)
{
    const unsigned method = rmi_flac_bits_get(bits, 2), parts_log = rmi_flac_bits_get(bits, 4);
    const unsigned width = method == 0 ? 4 : 5, escape = method == 0 ? 15 : 31;
    const size_t part = frames >> parts_log;
    if (method > 1 || part << parts_log != frames || part < order)
        return false;
    size_t at = order;
    for (size_t p = 0; p < (size_t)1 << parts_log; p++) {
        const size_t end = (p + 1) * part;
        const unsigned parameter = rmi_flac_bits_get(bits, width);
        if (parameter != escape) {
            if (!rice(bits, parameter, end - at, out + at))
                return false;
        } else {
            const unsigned plain = rmi_flac_bits_get(bits, 5);
            for (size_t i = at; i < end; i++)
                out[i] = plain == 0 ? 0 : (int32_t)rmi_flac_bits_signed(bits, plain);
        }
        at = end;
        if (bits->beyond > bits->count)
            return false;
    }
    return true;
}

/* ---- Predictors. Numbers wrap around in a damaged stream, and may within the sums of a sound one. */

static void predict_fixed(int32_t *s, size_t frames, unsigned order)
{
    uint32_t *u = (uint32_t *)s;
    for (size_t i = order; i < frames && order > 0; i++) {
        switch (order) {
        case 1:
            u[i] += u[i - 1];
            break;
        case 2:
            u[i] += 2 * u[i - 1] - u[i - 2];
            break;
        case 3:
            u[i] += 3 * (u[i - 1] - u[i - 2]) + u[i - 3];
            break;
        default:
            u[i] += 4 * (u[i - 1] + u[i - 3]) - 6 * u[i - 2] - u[i - 4];
            break;
        }
    }
}

/* The same loop for each order, so that the compiler unrolls the sum. The newest sample comes last: only it waits
 * for the sample before. */
#define NARROW(order)                                                             \
    case order:                                                                   \
        for (size_t i = order; i < frames; i++) {                                 \
            uint32_t sum = 0;                                                     \
            for (size_t k = order; k-- > 0;)                                      \
                sum += (uint32_t)factors[k] * (uint32_t)s[i - 1 - k];             \
            s[i] = (int32_t)((uint32_t)s[i] + (uint32_t)((int32_t)sum >> shift)); \
        }                                                                         \
        break;

static void predict_narrow(int32_t *s, size_t frames, unsigned order, const int32_t *factors, unsigned shift)
{
    switch (order) {
        NARROW(1)
        NARROW(2)
        NARROW(3)
        NARROW(4)
        NARROW(5)
        NARROW(6)
        NARROW(7)
        NARROW(8)
        NARROW(9)
        NARROW(10)
        NARROW(11)
        NARROW(12)
    default:
        for (size_t i = order; i < frames; i++) {
            uint32_t sum = 0;
            for (size_t k = order; k-- > 0;)
                sum += (uint32_t)factors[k] * (uint32_t)s[i - 1 - k];
            s[i] = (int32_t)((uint32_t)s[i] + (uint32_t)((int32_t)sum >> shift));
        }
        break;
    }
}

static int64_t sum_of(const int32_t *s, const int32_t *factors, unsigned order)
{
    uint64_t sum = 0;
    for (size_t k = order; k-- > 0;)
        sum += (uint64_t)((int64_t)factors[k] * s[-1 - (ptrdiff_t)k]);
    return (int64_t)sum;
}

static void predict(int32_t *s, size_t frames, unsigned order, const int32_t *factors, unsigned shift)
{
    for (size_t i = order; i < frames; i++)
        s[i] = (int32_t)((uint32_t)s[i] + (uint32_t)(sum_of(s + i, factors, order) >> shift));
}

/* Samples of 33 bits: `residual` and what comes before it in `s`. */
static void predict_wide(int64_t *s, const int32_t *residual, size_t frames, unsigned order,
                         const int32_t *factors, unsigned shift)
{
    for (size_t i = order; i < frames; i++) {
        uint64_t sum = 0;
        for (size_t k = order; k-- > 0;)
            sum += (uint64_t)(int64_t)factors[k] * (uint64_t)s[i - 1 - k];
        s[i] = (int64_t)((uint64_t)residual[i] + (uint64_t)((int64_t)sum >> shift));
    }
}

/* ---- Subframes */

/* The numbers of a subframe that is predicted. */
typedef struct predictor {
    unsigned order, shift, precision;
    int32_t factors[32];
} predictor;

static bool read_predictor(rmi_flac_bits *bits, predictor *p)
{
    p->precision = rmi_flac_bits_get(bits, 4) + 1;
    const int64_t shift = rmi_flac_bits_signed(bits, 5);
    if (p->precision == 16 || shift < 0)
        return false;
    p->shift = (unsigned)shift;
    for (unsigned i = 0; i < p->order; i++)
        p->factors[i] = (int32_t)rmi_flac_bits_signed(bits, p->precision);
    return true;
}

static unsigned log2_up(unsigned value)
{
    return value <= 1 ? 0 : 32 - (unsigned)__builtin_clz(value - 1);
}

/* A fixed predictor is a linear one: its factors. */
static void fixed_factors(predictor *p)
{
    static const int32_t fixed[5][4] = {{0}, {1}, {2, -1}, {3, -3, 1}, {4, -6, 4, -1}};
    p->shift = 0;
    for (unsigned i = 0; i < p->order; i++)
        p->factors[i] = fixed[p->order][i];
}

/* `s` for samples of up to 32 bits, `wide` for those of 33, with `s` for its residual. */
static bool predicted(rmi_flac_bits *bits, size_t frames, unsigned size, bool linear, unsigned order,
                      int32_t *s, int64_t *wide)
{
    predictor p = {.order = order};
    if (order > frames)
        return false;
    for (unsigned i = 0; i < order; i++) {
        const int64_t sample = rmi_flac_bits_signed(bits, size);
        s[i] = (int32_t)sample;
        if (wide != NULL)
            wide[i] = sample;
    }
    if (linear && !read_predictor(bits, &p))
        return false;
    if (!linear)
        fixed_factors(&p);
    if (!residual(bits, frames, order, s))
        return false;
    if (wide != NULL)
        predict_wide(wide, s, frames, order, p.factors, p.shift);
    else if (!linear)
        predict_fixed(s, frames, order);
    else if (size + p.precision + log2_up(order) <= 32)
        predict_narrow(s, frames, order, p.factors, p.shift);
    else
        predict(s, frames, order, p.factors, p.shift);
    return true;
}

static bool subframe(rmi_flac_bits *bits, size_t frames, unsigned size, int32_t *s, int64_t *wide)
{
    const unsigned head = rmi_flac_bits_get(bits, 8), kind = head >> 1 & 63;
    unsigned wasted = 0;
    if ((head & 0x80) != 0)
        return false;
    if ((head & 1) != 0) {
        const uint32_t zeros = unary(bits);
        if (zeros >= size - 1)
            return false;
        wasted = zeros + 1;
    }
    size -= wasted;
    if (kind <= 1) { /* one sample for all, or each as it is */
        const int64_t first = kind == 0 ? rmi_flac_bits_signed(bits, size) : 0;
        for (size_t i = 0; i < frames; i++) {
            const int64_t sample = kind == 0 ? first : rmi_flac_bits_signed(bits, size);
            s[i] = (int32_t)sample;
            if (wide != NULL)
                wide[i] = sample;
        }
    } else if (kind >= 8 && kind <= 12) {
        if (!predicted(bits, frames, size, false, kind - 8, s, wide))
            return false;
    } else if (kind < 32 || !predicted(bits, frames, size, true, kind - 31, s, wide)) {
        return false;
    }
    for (size_t i = 0; i < frames && wasted > 0; i++) {
        s[i] = (int32_t)((uint32_t)s[i] << wasted);
        if (wide != NULL)
            wide[i] = (int64_t)((uint64_t)wide[i] << wasted);
    }
    return bits->beyond <= bits->count;
}

/* From a channel and the difference to both channels; `a` and `b` hold what was coded. */
// NOLINTBEGIN(bugprone-macro-parentheses): types, which take none
#define UNPAIR(name, type, unsigned_type)                                         \
    static void name(unsigned pairing, size_t frames, type *a, type *b)           \
    {                                                                             \
        for (size_t i = 0; i < frames; i++) {                                     \
            const unsigned_type x = (unsigned_type)a[i], y = (unsigned_type)b[i]; \
            if (pairing == RMI_FLAC_LEFT_SIDE) {                                  \
                b[i] = (type)(x - y);                                             \
            } else if (pairing == RMI_FLAC_SIDE_RIGHT) {                          \
                a[i] = (type)(x + y);                                             \
            } else {                                                              \
                const unsigned_type sum = x << 1 | (y & 1);                       \
                a[i] = (type)(sum + y) >> 1;                                      \
                b[i] = (type)(sum - y) >> 1;                                      \
            }                                                                     \
        }                                                                         \
    }
// NOLINTEND(bugprone-macro-parentheses)
UNPAIR(unpair, int32_t, uint32_t)
UNPAIR(unpair_wide, int64_t, uint64_t)

bool rmi_flac_frame_decode(rmi_audio_input *input, const rmi_flac_header *header, int32_t *const *samples,
                           int64_t *const *wide)
{
    rmi_flac_bits bits;
    const size_t frames = header->frames;
    bool sound = true;
    rmi_flac_bits_begin(&bits, input);
    for (size_t i = 0; i < header->size; i++)
        (void)rmi_flac_bits_get(&bits, 8);
    for (int32_t c = 0; sound && c < header->channels; c++) {
        const bool side = header->pairing == RMI_FLAC_SIDE_RIGHT ? c == 0 : header->pairing != 0 && c == 1;
        sound = subframe(&bits, frames, header->bits + side, samples[c], header->bits == 32 ? wide[c] : NULL);
    }
    if (bits.count % 8 != 0)
        (void)rmi_flac_bits_get(&bits, bits.count % 8);
    const uint16_t sum = rmi_flac_bits_sum(&bits);
    sound = sound && rmi_flac_bits_get(&bits, 16) == sum && bits.beyond <= bits.count;
    rmi_flac_bits_end(&bits);
    if (sound && header->pairing != RMI_FLAC_APART && header->bits == 32)
        unpair_wide(header->pairing, frames, wide[0], wide[1]);
    else if (sound && header->pairing != RMI_FLAC_APART)
        unpair(header->pairing, frames, samples[0], samples[1]);
    return sound;
}
