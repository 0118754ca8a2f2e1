/* The headers (4.2), and the decoder's memory. */
#include "nodes/audio_file/vorbis/vorbis_parts.h"

#include <math.h>
#include <string.h>

/* Books of encoders have some 20,000 entries in all. These limits keep a damaged header from taking memory. */
enum { MOST_ENTRIES = 1 << 20, MOST_NUMBERS = 1 << 22 };

struct rmi_vorbis_block {
    struct rmi_vorbis_block *next;
    size_t size;
    max_align_t bytes[];
};

void *rmi_vorbis_new(rmi_vorbis *vorbis, size_t count, size_t size)
{
    const rm_allocator *allocator = vorbis->allocator;
    size_t whole;
    if (__builtin_mul_overflow(count, size, &whole) ||
        __builtin_add_overflow(whole, sizeof(struct rmi_vorbis_block), &whole))
        return NULL;
    struct rmi_vorbis_block *block = allocator->resize(allocator->context, NULL, 0, whole);
    if (block == NULL)
        return NULL;
    memset(block, 0, whole);
    block->next = vorbis->blocks;
    block->size = whole;
    vorbis->blocks = block;
    return block->bytes;
}

void rmi_vorbis_close(rmi_vorbis *vorbis)
{
    if (vorbis == NULL)
        return;
    const rm_allocator *allocator = vorbis->allocator;
    for (struct rmi_vorbis_block *next, *block = vorbis->blocks; block != NULL; block = next) {
        next = block->next;
        allocator->resize(allocator->context, block, block->size, 0);
    }
    allocator->resize(allocator->context, vorbis, sizeof *vorbis, 0);
}

static bool takes_name(rmi_bits *bits, uint32_t kind)
{
    static const char name[] = "vorbis";
    bool same = rmi_bits_take(bits, 8) == kind;
    for (int i = 0; i < 6; i++)
        same = rmi_bits_take(bits, 8) == (uint8_t)name[i] && same;
    return same;
}

int rmi_vorbis_open(const rm_allocator *allocator, const uint8_t *packet, size_t length, rmi_vorbis **out,
                    int32_t *channels, int32_t *sample_rate, const char **reason)
{
    rmi_bits bits = rmi_bits_of(packet, length);
    *out = NULL;
    *reason = "its first header is damaged";
    if (!takes_name(&bits, 1) || rmi_bits_take(&bits, 32) != 0)
        return RM_E_PARSE;
    *channels = (int32_t)rmi_bits_take(&bits, 8);
    *sample_rate = (int32_t)rmi_bits_take(&bits, 32);
    for (int i = 0; i < 3; i++) /* bit rates */
        rmi_bits_take(&bits, 32);
    const unsigned small = rmi_bits_take(&bits, 4), large = rmi_bits_take(&bits, 4);
    if (rmi_bits_take(&bits, 1) == 0 || *channels == 0 || *sample_rate <= 0 || small < 6 || large > 13 ||
        small > large)
        return RM_E_PARSE;
    rmi_vorbis *vorbis = allocator->resize(allocator->context, NULL, 0, sizeof *vorbis);
    if (vorbis == NULL)
        return RM_E_OUT_OF_MEMORY;
    *vorbis = (rmi_vorbis){.allocator = allocator,
                           .channels = *channels,
                           .block_bits = {small, large},
                           .entries_left = MOST_ENTRIES,
                           .vectors_left = MOST_NUMBERS};
    *out = vorbis;
    return RM_OK;
}

static int read_couplings(rmi_vorbis *vorbis, rmi_bits *bits, rmi_vorbis_mapping *mapping)
{
    const uint32_t channels = (uint32_t)vorbis->channels;
    const unsigned width = rmi_bits_needed(channels - 1);
    mapping->steps = rmi_bits_take(bits, 1) != 0 ? rmi_bits_take(bits, 8) + 1 : 0;
    mapping->magnitude = rmi_vorbis_new(vorbis, mapping->steps + 1, 1);
    mapping->angle = rmi_vorbis_new(vorbis, mapping->steps + 1, 1);
    if (mapping->magnitude == NULL || mapping->angle == NULL)
        return RM_E_OUT_OF_MEMORY;
    for (unsigned i = 0; i < mapping->steps; i++) {
        const uint32_t magnitude = rmi_bits_take(bits, width), angle = rmi_bits_take(bits, width);
        if (magnitude == angle || magnitude >= channels || angle >= channels)
            return RM_E_PARSE;
        mapping->magnitude[i] = (uint8_t)magnitude;
        mapping->angle[i] = (uint8_t)angle;
    }
    return RM_OK;
}

static int read_mapping(rmi_vorbis *vorbis, rmi_bits *bits, rmi_vorbis_mapping *mapping, const char **reason)
{
    *reason = "it has a damaged mapping";
    if (rmi_bits_take(bits, 16) != 0)
        return RM_E_PARSE;
    mapping->submaps = rmi_bits_take(bits, 1) != 0 ? rmi_bits_take(bits, 4) + 1 : 1;
    mapping->mux = rmi_vorbis_new(vorbis, (size_t)vorbis->channels, 1);
    if (mapping->mux == NULL)
        return RM_E_OUT_OF_MEMORY;
    const int rc = read_couplings(vorbis, bits, mapping);
    if (rc != RM_OK)
        return rc;
    if (rmi_bits_take(bits, 2) != 0)
        return RM_E_PARSE;
    for (int32_t c = 0; c < vorbis->channels && mapping->submaps > 1; c++) {
        mapping->mux[c] = (uint8_t)rmi_bits_take(bits, 4);
        if (mapping->mux[c] >= mapping->submaps)
            return RM_E_PARSE;
    }
    for (unsigned i = 0; i < mapping->submaps; i++) {
        rmi_bits_take(bits, 8);
        mapping->floor[i] = (uint8_t)rmi_bits_take(bits, 8);
        mapping->residue[i] = (uint8_t)rmi_bits_take(bits, 8);
        if (mapping->floor[i] >= vorbis->floors || mapping->residue[i] >= vorbis->residues)
            return RM_E_PARSE;
    }
    return bits->past ? RM_E_PARSE : RM_OK;
}

static int read_modes(rmi_vorbis *vorbis, rmi_bits *bits, const char **reason)
{
    *reason = "it has a damaged mode";
    vorbis->modes = rmi_bits_take(bits, 6) + 1;
    vorbis->mode = rmi_vorbis_new(vorbis, vorbis->modes, sizeof *vorbis->mode);
    if (vorbis->mode == NULL)
        return RM_E_OUT_OF_MEMORY;
    for (unsigned i = 0; i < vorbis->modes; i++) {
        vorbis->mode[i].is_long = rmi_bits_take(bits, 1) != 0;
        if (rmi_bits_take(bits, 32) != 0)
            return RM_E_PARSE;
        vorbis->mode[i].mapping = (uint8_t)rmi_bits_take(bits, 8);
        if (vorbis->mode[i].mapping >= vorbis->mappings)
            return RM_E_PARSE;
    }
    return rmi_bits_take(bits, 1) != 0 ? RM_OK : RM_E_PARSE;
}

static int read_floors(rmi_vorbis *vorbis, rmi_bits *bits, const char **reason)
{
    const unsigned times = rmi_bits_take(bits, 6) + 1;
    int rc = RM_OK;
    for (unsigned i = 0; i < times; i++)
        if (rmi_bits_take(bits, 16) != 0)
            return RM_E_PARSE;
    vorbis->floors = rmi_bits_take(bits, 6) + 1;
    vorbis->floor = rmi_vorbis_new(vorbis, vorbis->floors, sizeof *vorbis->floor);
    if (vorbis->floor == NULL)
        return RM_E_OUT_OF_MEMORY;
    for (unsigned i = 0; rc == RM_OK && i < vorbis->floors; i++)
        rc = rmi_vorbis_read_floor(vorbis, bits, &vorbis->floor[i], reason);
    return rc;
}

static int read_parts(rmi_vorbis *vorbis, rmi_bits *bits, const char **reason)
{
    int rc = RM_OK;
    vorbis->books = rmi_bits_take(bits, 8) + 1;
    vorbis->book = rmi_vorbis_new(vorbis, vorbis->books, sizeof *vorbis->book);
    if (vorbis->book == NULL)
        return RM_E_OUT_OF_MEMORY;
    for (unsigned i = 0; rc == RM_OK && i < vorbis->books; i++)
        rc = rmi_vorbis_read_book(vorbis, bits, &vorbis->book[i], reason);
    if (rc == RM_OK)
        rc = read_floors(vorbis, bits, reason);
    if (rc != RM_OK)
        return rc;
    vorbis->residues = rmi_bits_take(bits, 6) + 1;
    vorbis->residue = rmi_vorbis_new(vorbis, vorbis->residues, sizeof *vorbis->residue);
    rc = vorbis->residue != NULL ? RM_OK : RM_E_OUT_OF_MEMORY;
    for (unsigned i = 0; rc == RM_OK && i < vorbis->residues; i++)
        rc = rmi_vorbis_read_residue(vorbis, bits, &vorbis->residue[i], reason);
    if (rc != RM_OK)
        return rc;
    vorbis->mappings = rmi_bits_take(bits, 6) + 1;
    vorbis->mapping = rmi_vorbis_new(vorbis, vorbis->mappings, sizeof *vorbis->mapping);
    rc = vorbis->mapping != NULL ? RM_OK : RM_E_OUT_OF_MEMORY;
    for (unsigned i = 0; rc == RM_OK && i < vorbis->mappings; i++)
        rc = read_mapping(vorbis, bits, &vorbis->mapping[i], reason);
    return rc == RM_OK ? read_modes(vorbis, bits, reason) : rc;
}

static bool make_room(rmi_vorbis *vorbis)
{
    const size_t channels = (size_t)vorbis->channels, half = (size_t)1 << (vorbis->block_bits[1] - 1);
    vorbis->spectrum = rmi_vorbis_new(vorbis, channels, sizeof *vorbis->spectrum);
    vorbis->now = rmi_vorbis_new(vorbis, channels, sizeof *vorbis->now);
    vorbis->before = rmi_vorbis_new(vorbis, channels, sizeof *vorbis->before);
    vorbis->list = rmi_vorbis_new(vorbis, channels, sizeof *vorbis->list);
    vorbis->lines = rmi_vorbis_new(vorbis, channels, sizeof *vorbis->lines);
    vorbis->silent = rmi_vorbis_new(vorbis, channels, sizeof *vorbis->silent);
    vorbis->skipped = rmi_vorbis_new(vorbis, channels, sizeof *vorbis->skipped);
    vorbis->flags = rmi_vorbis_new(vorbis, channels, sizeof *vorbis->flags);
    vorbis->posts = rmi_vorbis_new(vorbis, channels * RMI_VORBIS_POSTS, sizeof *vorbis->posts);
    vorbis->work = rmi_vorbis_new(vorbis, 2 * half, sizeof *vorbis->work);
    vorbis->joined = rmi_vorbis_new(vorbis, channels * half, sizeof *vorbis->joined);
    vorbis->planar = rmi_vorbis_new(vorbis, channels * half, sizeof *vorbis->planar);
    vorbis->classes = rmi_vorbis_new(vorbis, channels * half, sizeof *vorbis->classes);
    float *all = rmi_vorbis_new(vorbis, 3 * channels * half, sizeof *all);
    if (vorbis->spectrum == NULL || vorbis->now == NULL || vorbis->before == NULL || vorbis->list == NULL ||
        vorbis->lines == NULL || vorbis->silent == NULL || vorbis->skipped == NULL || vorbis->flags == NULL ||
        vorbis->posts == NULL || vorbis->work == NULL || vorbis->joined == NULL || vorbis->planar == NULL ||
        vorbis->classes == NULL || all == NULL)
        return false;
    for (size_t c = 0; c < channels; c++, all += 3 * half) {
        vorbis->spectrum[c] = all;
        vorbis->now[c] = all + half;
        vorbis->before[c] = all + 2 * half;
    }
    for (int i = 0; i < 2; i++)
        if (!rmi_vorbis_mdct_init(vorbis, &vorbis->mdct[i], (size_t)1 << (vorbis->block_bits[i] - 1)))
            return false;
    for (int i = 0; i < 256; i++) /* steps of 140 / 256 dB up to 0 dB */
        vorbis->decibels[i] = (float)pow(10.0, (i - 255) * (140.0 / 256.0 / 20.0));
    return true;
}

int rmi_vorbis_setup(rmi_vorbis *vorbis, const uint8_t *packet, size_t length, const char **reason)
{
    rmi_bits bits = rmi_bits_of(packet, length);
    *reason = "its set-up header is damaged";
    if (!takes_name(&bits, 5))
        return RM_E_PARSE;
    const int rc = read_parts(vorbis, &bits, reason);
    if (rc != RM_OK)
        return rc;
    return make_room(vorbis) ? RM_OK : RM_E_OUT_OF_MEMORY;
}
