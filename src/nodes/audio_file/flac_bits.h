/* Bits of a FLAC stream, most significant first, with the checksum of the bytes that a frame took. */
#ifndef NODES_AUDIO_FILE_FLAC_BITS_H
#define NODES_AUDIO_FILE_FLAC_BITS_H

#include "nodes/audio_file/audio_input.h"

/* A window over the bytes that the input has ahead. The last bytes that went into the cache stay in the window:
 * the reader can always give back what it has not used. */
typedef struct rmi_flac_bits {
    rmi_audio_input *input;
    const uint8_t *base, *sum_from, *at,
        *end;       /* the window; first byte that is not summed; next for the cache */
    uint64_t cache; /* `count` bits, at the top */
    unsigned count;
    unsigned beyond; /* bits behind the end of the file that were read, as zeros */
    uint16_t sum;    /* CRC-16 from the start of the frame to `sum_from` */
} rmi_flac_bits;

/* Starts at the input's next byte, with a new sum. */
void rmi_flac_bits_begin(rmi_flac_bits *bits, rmi_audio_input *input);
/* Takes the whole bytes that were read from the input; bits of a byte that was begun are dropped. */
void rmi_flac_bits_end(rmi_flac_bits *bits);
/* The CRC-16 of all bytes up to here, where a byte begins. */
uint16_t rmi_flac_bits_sum(rmi_flac_bits *bits);
/* The CRC-8 of `count` bytes. */
uint8_t rmi_flac_crc8(const uint8_t *bytes, size_t count);
/* Fills the cache where fewer than 8 bytes are in the window. */
void rmi_flac_bits_refill(rmi_flac_bits *bits);

/* Makes the cache hold 56 bits or more. */
static inline void rmi_flac_bits_fill(rmi_flac_bits *bits)
{
    if (bits->end - bits->at >= 8) {
        uint64_t next;
        __builtin_memcpy(&next, bits->at, sizeof next);
        bits->cache |= __builtin_bswap64(next) >> bits->count;
        bits->at += (63 - bits->count) >> 3;
        bits->count |= 56;
    } else {
        rmi_flac_bits_refill(bits);
    }
}

/* Reads 1 to 32 bits. */
static inline uint32_t rmi_flac_bits_get(rmi_flac_bits *bits, unsigned wanted)
{
    if (bits->count < wanted)
        rmi_flac_bits_fill(bits);
    const uint32_t value = (uint32_t)(bits->cache >> (64 - wanted));
    bits->cache <<= wanted;
    bits->count -= wanted;
    return value;
}

/* Reads 1 to 33 bits in two's complement. */
static inline int64_t rmi_flac_bits_signed(rmi_flac_bits *bits, unsigned wanted)
{
    if (bits->count < wanted)
        rmi_flac_bits_fill(bits);
    const int64_t value = (int64_t)bits->cache >> (64 - wanted);
    bits->cache <<= wanted;
    bits->count -= wanted;
    return value;
}

#endif
