/* Reads the bits of a Vorbis packet, the lowest bit of each byte first (2.1.4). Reading past the end gives
 * zeros and is noted. */
#ifndef NODES_AUDIO_FILE_VORBIS_BITS_H
#define NODES_AUDIO_FILE_VORBIS_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct rmi_bits {
    const uint8_t *next, *end;
    uint64_t held;  /* the next bits, the first one lowest; zeros above `count` bits, or bits yet to count */
    unsigned count; /* valid bits in `held` */
    bool past;      /* more was read than there is */
} rmi_bits;

static inline rmi_bits rmi_bits_of(const uint8_t *bytes, size_t length)
{
    return (rmi_bits){.next = bytes, .end = bytes + length};
}

/* Makes at least 56 bits valid, or all that are left. */
static inline void rmi_bits_fill(rmi_bits *bits)
{
    if (bits->end - bits->next >= 8) {
        const uint8_t *b = bits->next;
        const uint64_t word = (uint64_t)b[0] | (uint64_t)b[1] << 8 | (uint64_t)b[2] << 16 |
                              (uint64_t)b[3] << 24 | (uint64_t)b[4] << 32 | (uint64_t)b[5] << 40 |
                              (uint64_t)b[6] << 48 | (uint64_t)b[7] << 56;
        bits->held |= word << bits->count;
        bits->next += (63 - bits->count) >> 3;
        bits->count |= 56;
    } else {
        while (bits->count <= 55 && bits->next < bits->end) {
            bits->held |= (uint64_t)*bits->next++ << bits->count;
            bits->count += 8;
        }
    }
}

/* Takes `n` <= 32 bits that a fill has made valid. */
static inline void rmi_bits_drop(rmi_bits *bits, unsigned n)
{
    if (n > bits->count) {
        bits->past = true;
        bits->held = 0;
        bits->count = 0;
        bits->next = bits->end;
        return;
    }
    bits->held >>= n;
    bits->count -= n;
}

/* The next `n` <= 32 bits as a number. */
static inline uint32_t rmi_bits_take(rmi_bits *bits, unsigned n)
{
    rmi_bits_fill(bits);
    const uint32_t value = (uint32_t)(bits->held & ((UINT64_C(1) << n) - 1));
    rmi_bits_drop(bits, n);
    return bits->past ? 0 : value;
}

/* How many bits a number needs: ilog (9.2.1). */
static inline unsigned rmi_bits_needed(uint32_t number)
{
    return number == 0 ? 0 : 32 - (unsigned)__builtin_clz(number);
}

#endif
