/* The state of a Vorbis decoder, for the files that it is made of. */
#ifndef NODES_AUDIO_FILE_VORBIS_PARTS_H
#define NODES_AUDIO_FILE_VORBIS_PARTS_H

#include "nodes/audio_file/vorbis/vorbis.h"
#include "nodes/audio_file/vorbis/vorbis_bits.h"

enum {
    RMI_VORBIS_POSTS = 65, /* most points of a floor: 63 and the two ends */
    RMI_VORBIS_PASSES = 8, /* of a residue */
    RMI_VORBIS_FAST = 10   /* codes of so many bits are found at once */
};

/* A code, and what its words stand for (3). The words that are in use are numbered from 0: slots. */
typedef struct rmi_vorbis_book {
    uint32_t dims, entries, used;
    uint32_t *fast; /* by the next RMI_VORBIS_FAST bits: slot << 5 | length; 0: a longer word, or none */
    uint32_t longer;
    uint32_t *long_words; /* sorted; the first bit of the word is the highest of the number */
    uint32_t *long_slots;
    uint8_t *long_lengths;
    uint32_t *entry_of;   /* the entry of a slot; NULL: all are in use */
    const float *vectors; /* `dims` numbers a slot; NULL: a code for numbers only */
} rmi_vorbis_book;

typedef struct rmi_vorbis_floor0 {
    uint32_t order, rate, map_size, amplitude_bits, amplitude_offset, books;
    uint8_t book[16];
    uint16_t *map[2]; /* by block size: the place on the Bark scale of each line */
} rmi_vorbis_floor0;

typedef struct rmi_vorbis_floor1 {
    unsigned partitions, multiplier, posts;
    uint8_t partition_class[31];
    struct {
        uint8_t dims, subclass_bits, master;
        int16_t books[8]; /* -1: none */
    } classes[16];
    uint16_t x[RMI_VORBIS_POSTS];
    uint8_t sorted[RMI_VORBIS_POSTS];                      /* posts by rising x */
    uint8_t low[RMI_VORBIS_POSTS], high[RMI_VORBIS_POSTS]; /* neighbours among the posts before */
} rmi_vorbis_floor1;

typedef struct rmi_vorbis_floor {
    uint16_t type;
    union {
        rmi_vorbis_floor0 *zero;
        rmi_vorbis_floor1 *one;
    };
} rmi_vorbis_floor;

typedef struct rmi_vorbis_residue {
    uint16_t type;
    uint32_t begin, end, partition_size;
    unsigned classes, class_book, passes;
    int16_t (*books)[RMI_VORBIS_PASSES]; /* of each class and pass; -1: none */
} rmi_vorbis_residue;

typedef struct rmi_vorbis_mapping {
    unsigned submaps, steps;
    uint8_t *magnitude, *angle; /* of each coupling step */
    uint8_t *mux;               /* the submap of each channel */
    uint8_t floor[16], residue[16];
} rmi_vorbis_mapping;

typedef struct rmi_vorbis_mode {
    bool is_long;
    uint8_t mapping;
} rmi_vorbis_mode;

/* The inverse transform for blocks of one size, whose results are `half` numbers (their mirror images are
 * not made). */
typedef struct rmi_vorbis_mdct {
    size_t half;
    float *cosines, *sines; /* half / 2 each */
    float *turns;           /* of the passes, one after the other */
    float *window;          /* rising, half long */
} rmi_vorbis_mdct;

struct rmi_vorbis {
    const rm_allocator *allocator;
    struct rmi_vorbis_block *blocks; /* all memory, to be released at the end */
    int32_t channels;
    unsigned block_bits[2];
    unsigned books, floors, residues, mappings, modes;
    rmi_vorbis_book *book;
    rmi_vorbis_floor *floor;
    rmi_vorbis_residue *residue;
    rmi_vorbis_mapping *mapping;
    rmi_vorbis_mode *mode;
    uint32_t entries_left, vectors_left; /* what the books may still have */
    rmi_vorbis_mdct mdct[2];
    float decibels[256]; /* of a floor's step (10.1) */
    /* Of the packet being decoded. */
    float **spectrum, **now, **before; /* of each channel; half a long block each */
    float *work;                       /* of the transform: a long block */
    float *joined;                     /* the channels of a residue one after the other or interleaved */
    uint8_t *classes;                  /* of a residue's partitions, of all channels */
    bool *silent, *skipped, *flags;
    int32_t *posts; /* RMI_VORBIS_POSTS of each channel; for floor 0 the amplitude and the coefficients */
    float **list, **lines;    /* those of a residue */
    float *planar;            /* RMI_VORBIS_FRAMES of each channel */
    size_t measured, decoded; /* half the size of the block before; 0: there is none */
};

/* Zeroed memory for `count` things, until the decoder is closed. NULL: memory is out. */
RM_MUST_CHECK void *rmi_vorbis_new(rmi_vorbis *vorbis, size_t count, size_t size);

RM_MUST_CHECK int rmi_vorbis_read_book(rmi_vorbis *vorbis, rmi_bits *bits, rmi_vorbis_book *book,
                                       const char **reason);
/* The next word's slot, or -1 at the end of the packet. */
static inline int32_t rmi_vorbis_slot(const rmi_vorbis_book *book, rmi_bits *bits);
/* The next word's entry, or -1 at the end of the packet. */
static inline int32_t rmi_vorbis_entry(const rmi_vorbis_book *book, rmi_bits *bits);

RM_MUST_CHECK int rmi_vorbis_read_floor(rmi_vorbis *vorbis, rmi_bits *bits, rmi_vorbis_floor *floor,
                                        const char **reason);
/* Reads the floor's curve into `posts`; false: the channel is silent. */
bool rmi_vorbis_floor_take(const rmi_vorbis *vorbis, const rmi_vorbis_floor *floor, rmi_bits *bits,
                           int32_t *posts);
/* Multiplies the lines by the curve. `size` is 0 or 1, for the block's. */
void rmi_vorbis_floor_apply(const rmi_vorbis *vorbis, const rmi_vorbis_floor *floor, const int32_t *posts,
                            unsigned size, float *lines);

RM_MUST_CHECK int rmi_vorbis_read_residue(rmi_vorbis *vorbis, rmi_bits *bits, rmi_vorbis_residue *residue,
                                          const char **reason);
/* Decodes the lines of `count` channels, `half` each, into `lines`. Channels that are `skipped` get zeros. */
void rmi_vorbis_residue_take(rmi_vorbis *vorbis, const rmi_vorbis_residue *residue, rmi_bits *bits,
                             float *const *lines, const bool *skipped, size_t count, size_t half);

RM_MUST_CHECK bool rmi_vorbis_mdct_init(rmi_vorbis *vorbis, rmi_vorbis_mdct *mdct, size_t half);
/* From `half` lines to as many numbers: the second half of the block reversed and negated, then the first
 * half's first half. `work` has room for 2 * half. */
void rmi_vorbis_mdct_inverse(const rmi_vorbis_mdct *mdct, const float *lines, float *out, float *work);

/* The search for a word that is longer than RMI_VORBIS_FAST. */
int32_t rmi_vorbis_long_slot(const rmi_vorbis_book *book, rmi_bits *bits);

static inline int32_t rmi_vorbis_slot(const rmi_vorbis_book *book, rmi_bits *bits)
{
    rmi_bits_fill(bits);
    const uint32_t found = book->fast[bits->held & ((1u << RMI_VORBIS_FAST) - 1)];
    if (__builtin_expect(found == 0, 0))
        return rmi_vorbis_long_slot(book, bits);
    rmi_bits_drop(bits, found & 31);
    return bits->past ? -1 : (int32_t)(found >> 5);
}

static inline int32_t rmi_vorbis_entry(const rmi_vorbis_book *book, rmi_bits *bits)
{
    const int32_t slot = rmi_vorbis_slot(book, bits);
    return slot < 0 || book->entry_of == NULL ? slot : (int32_t)book->entry_of[slot];
}

#endif
