/* Codes: their words and the vectors that these stand for (3). */
#include "nodes/audio_file/vorbis/vorbis_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint32_t reversed(uint32_t word)
{
    word = (word >> 1 & 0x55555555u) | (word & 0x55555555u) << 1;
    word = (word >> 2 & 0x33333333u) | (word & 0x33333333u) << 2;
    word = (word >> 4 & 0x0f0f0f0fu) | (word & 0x0f0f0f0fu) << 4;
    return __builtin_bswap32(word);
}

int32_t rmi_vorbis_long_slot(const rmi_vorbis_book *book, rmi_bits *bits)
{
    const uint32_t word = reversed((uint32_t)bits->held);
    uint32_t low = 0, count = book->longer;
    while (count > 1) { /* the last word that is not above */
        const uint32_t half = count / 2;
        low = book->long_words[low + half] <= word ? low + half : low;
        count -= half;
    }
    if (book->longer != 0 && book->long_words[low] <= word &&
        ((book->long_words[low] ^ word) >> (32 - book->long_lengths[low])) == 0) {
        rmi_bits_drop(bits, book->long_lengths[low]);
        return bits->past ? -1 : (int32_t)book->long_slots[low];
    }
    bits->past = true; /* no word: the code has one entry or none */
    return -1;
}

/* The length of each entry's word, 0 for one that is not in use. */
static int read_lengths(rmi_bits *bits, uint8_t *lengths, uint32_t entries, uint32_t *used)
{
    const bool ordered = rmi_bits_take(bits, 1) != 0;
    *used = 0;
    if (!ordered) {
        const bool sparse = rmi_bits_take(bits, 1) != 0;
        for (uint32_t i = 0; i < entries && !bits->past; i++) {
            if (!sparse || rmi_bits_take(bits, 1) != 0) {
                lengths[i] = (uint8_t)(rmi_bits_take(bits, 5) + 1);
                ++*used;
            }
        }
        return bits->past ? RM_E_PARSE : RM_OK;
    }
    unsigned length = rmi_bits_take(bits, 5) + 1;
    for (uint32_t i = 0; i < entries; length++) {
        const uint32_t count = rmi_bits_take(bits, rmi_bits_needed(entries - i));
        if (bits->past || length > 32 || count > entries - i)
            return RM_E_PARSE;
        memset(lengths + i, (int)length, count);
        i += count;
    }
    *used = entries;
    return RM_OK;
}

/* The word of each slot, from the lengths: each entry in turn gets the lowest word that is free (3.2.1). A
 * word's first bit is the highest of the number. False: they do not make a code. */
static bool assign_words(const uint8_t *lengths, uint32_t entries, uint32_t used, uint32_t *words)
{
    uint32_t slot = 0, open[33] = {0}; /* the branch of each length that is free; 0: none */
    bool first = true;
    for (uint32_t i = 0; i < entries; i++) {
        const unsigned length = lengths[i];
        if (length == 0)
            continue;
        if (first) { /* takes the word of zeros; every other branch beside its path is free */
            for (unsigned k = 1; k <= length; k++)
                open[k] = 1u << (32 - k);
            words[slot++] = 0;
            first = false;
            continue;
        }
        unsigned at = length;
        while (at > 0 && open[at] == 0)
            at--;
        if (at == 0)
            return false;
        const uint32_t word = open[at];
        open[at] = 0;
        for (unsigned k = length; k > at; k--)
            open[k] = word + (1u << (32 - k));
        words[slot++] = word;
    }
    if (used == 1) /* one entry: a word of one bit, whatever the bit */
        return true;
    for (int k = 1; k <= 32; k++)
        if (open[k] != 0)
            return false;
    return true;
}

typedef struct long_word {
    uint32_t word, slot;
    uint8_t length;
} long_word;

static int by_word(const void *one, const void *other)
{
    const long_word *a = one, *b = other;
    return a->word < b->word ? -1 : a->word > b->word;
}

/* The tables from which words are read. */
static int make_tables(rmi_vorbis *vorbis, rmi_vorbis_book *book, const uint8_t *lengths,
                       const uint32_t *words)
{
    uint32_t slot = 0;
    book->fast = rmi_vorbis_new(vorbis, 1u << RMI_VORBIS_FAST, sizeof *book->fast);
    if (book->fast == NULL)
        return RM_E_OUT_OF_MEMORY;
    for (uint32_t i = 0; i < book->entries; i++)
        book->longer += lengths[i] > RMI_VORBIS_FAST;
    long_word *longer = NULL;
    const rm_allocator *allocator = vorbis->allocator;
    const size_t size = book->longer * sizeof *longer;
    if (book->longer != 0) {
        book->long_words = rmi_vorbis_new(vorbis, book->longer, sizeof *book->long_words);
        book->long_slots = rmi_vorbis_new(vorbis, book->longer, sizeof *book->long_slots);
        book->long_lengths = rmi_vorbis_new(vorbis, book->longer, sizeof *book->long_lengths);
        longer = allocator->resize(allocator->context, NULL, 0, size);
        if (book->long_words == NULL || book->long_slots == NULL || book->long_lengths == NULL ||
            longer == NULL) {
            if (longer != NULL)
                allocator->resize(allocator->context, longer, size, 0);
            return RM_E_OUT_OF_MEMORY;
        }
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < book->entries; i++) {
        if (lengths[i] == 0)
            continue;
        if (lengths[i] > RMI_VORBIS_FAST)
            longer[count++] = (long_word){words[slot], slot, lengths[i]};
        else
            for (uint32_t at = reversed(words[slot]); at < 1u << RMI_VORBIS_FAST; at += 1u << lengths[i])
                book->fast[at] = slot << 5 | lengths[i];
        slot++;
    }
    if (book->used == 1) /* its word is one bit long, 0 or 1 */
        for (uint32_t at = 0; at < 1u << RMI_VORBIS_FAST; at++)
            book->fast[at] = 1;
    if (longer != NULL) {
        qsort(longer, count, sizeof *longer, by_word);
        for (uint32_t i = 0; i < count; i++) {
            book->long_words[i] = longer[i].word;
            book->long_slots[i] = longer[i].slot;
            book->long_lengths[i] = longer[i].length;
        }
        allocator->resize(allocator->context, longer, size, 0);
    }
    return RM_OK;
}

/* float32_unpack (9.2.2) */
static float unpack_float(uint32_t bits)
{
    const double mantissa = bits & 0x1fffff;
    const int exponent = (int)(bits >> 21 & 0x3ff) - 788;
    return (float)ldexp(bits >> 31 != 0 ? -mantissa : mantissa, exponent);
}

/* lookup1_values (9.2.3): the largest number whose power `dims` is no more than `entries`. */
static uint32_t root(uint32_t entries, uint32_t dims)
{
    uint32_t low = 1, high = entries + 1;
    while (high - low > 1) {
        const uint32_t middle = low + (high - low) / 2;
        uint64_t power = 1;
        for (uint32_t i = 0; i < dims && power <= entries; i++)
            power *= middle;
        if (power <= entries)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* The vector of each slot from the packet's multiplicands (3.3). */
static void make_vectors(const rmi_vorbis_book *book, const uint8_t *lengths, const uint16_t *numbers,
                         uint32_t values, float lowest, float step, bool adds_up, float *vectors)
{
    const bool shares = values != book->entries * book->dims; /* lookup type 1 */
    for (uint32_t entry = 0; entry < book->entries; entry++) {
        float last = 0.0f;
        uint64_t divisor = 1;
        if (lengths[entry] == 0)
            continue;
        for (uint32_t i = 0; i < book->dims; i++) {
            const size_t at = shares ? (size_t)(entry / divisor % values) : (size_t)entry * book->dims + i;
            const float value = (float)numbers[at] * step + lowest + last;
            *vectors++ = value;
            last = adds_up ? value : last;
            divisor = divisor <= entry ? divisor * values : divisor;
        }
    }
}

static int read_vectors(rmi_vorbis *vorbis, rmi_bits *bits, rmi_vorbis_book *book, const uint8_t *lengths,
                        const char **reason)
{
    const uint32_t type = rmi_bits_take(bits, 4);
    if (type == 0)
        return RM_OK;
    *reason = "it has a code book of an unknown kind";
    if (type > 2)
        return RM_E_PARSE;
    const float lowest = unpack_float(rmi_bits_take(bits, 32)), step = unpack_float(rmi_bits_take(bits, 32));
    const unsigned width = rmi_bits_take(bits, 4) + 1;
    const bool adds_up = rmi_bits_take(bits, 1) != 0;
    *reason = "its code books are far larger than any encoder's";
    if ((uint64_t)book->entries * book->dims > vorbis->vectors_left)
        return RM_E_LIMIT;
    vorbis->vectors_left -= book->entries * book->dims;
    const uint32_t values = type == 1 ? root(book->entries, book->dims) : book->entries * book->dims;
    const rm_allocator *allocator = vorbis->allocator;
    uint16_t *numbers = allocator->resize(allocator->context, NULL, 0, (values + 1) * sizeof *numbers);
    float *vectors = rmi_vorbis_new(vorbis, (size_t)book->used * book->dims + 1, sizeof *vectors);
    int rc = numbers != NULL && vectors != NULL ? RM_OK : RM_E_OUT_OF_MEMORY;
    for (uint32_t i = 0; rc == RM_OK && i < values; i++)
        numbers[i] = (uint16_t)rmi_bits_take(bits, width);
    if (rc == RM_OK)
        make_vectors(book, lengths, numbers, values, lowest, step, adds_up, vectors);
    book->vectors = vectors;
    if (numbers != NULL)
        allocator->resize(allocator->context, numbers, (values + 1) * sizeof *numbers, 0);
    return rc;
}

int rmi_vorbis_read_book(rmi_vorbis *vorbis, rmi_bits *bits, rmi_vorbis_book *book, const char **reason)
{
    const rm_allocator *allocator = vorbis->allocator;
    *reason = "it has a damaged code book";
    if (rmi_bits_take(bits, 24) != 0x564342)
        return RM_E_PARSE;
    book->dims = rmi_bits_take(bits, 16);
    book->entries = rmi_bits_take(bits, 24);
    if (bits->past || (book->dims == 0 && book->entries != 0))
        return RM_E_PARSE;
    if (book->entries > vorbis->entries_left) {
        *reason = "its code books are far larger than any encoder's";
        return RM_E_LIMIT;
    }
    vorbis->entries_left -= book->entries;
    /* the lengths, and behind them the words, while the book is made */
    const size_t size = ((size_t)book->entries + 1) * (sizeof(uint32_t) + 1);
    uint32_t *words = allocator->resize(allocator->context, NULL, 0, size);
    if (words == NULL)
        return RM_E_OUT_OF_MEMORY;
    uint8_t *lengths = (uint8_t *)(words + book->entries + 1);
    memset(lengths, 0, book->entries + 1);
    int rc = read_lengths(bits, lengths, book->entries, &book->used);
    if (rc == RM_OK && book->used != 0 && !assign_words(lengths, book->entries, book->used, words))
        rc = RM_E_PARSE;
    if (rc == RM_OK)
        rc = make_tables(vorbis, book, lengths, words);
    if (rc == RM_OK && book->used != book->entries) {
        book->entry_of = rmi_vorbis_new(vorbis, (size_t)book->used + 1, sizeof *book->entry_of);
        rc = book->entry_of != NULL ? RM_OK : RM_E_OUT_OF_MEMORY;
        for (uint32_t i = 0, slot = 0; rc == RM_OK && i < book->entries; i++)
            if (lengths[i] != 0)
                book->entry_of[slot++] = i;
    }
    if (rc == RM_OK)
        rc = read_vectors(vorbis, bits, book, lengths, reason);
    if (rc == RM_OK && bits->past) {
        *reason = "its set-up ends too early";
        rc = RM_E_PARSE;
    }
    allocator->resize(allocator->context, words, size, 0);
    return rc;
}
