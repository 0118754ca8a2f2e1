/* The spectrum's fine structure (8). */
#include "nodes/audio_file/vorbis/vorbis_parts.h"

#include <string.h>

int rmi_vorbis_read_residue(rmi_vorbis *vorbis, rmi_bits *bits, rmi_vorbis_residue *residue,
                            const char **reason)
{
    uint8_t cascade[64];
    *reason = "it has a damaged residue";
    residue->type = (uint16_t)rmi_bits_take(bits, 16);
    residue->begin = rmi_bits_take(bits, 24);
    residue->end = rmi_bits_take(bits, 24);
    residue->partition_size = rmi_bits_take(bits, 24) + 1;
    residue->classes = rmi_bits_take(bits, 6) + 1;
    residue->class_book = rmi_bits_take(bits, 8);
    if (residue->type > 2 || residue->begin > residue->end || residue->class_book >= vorbis->books ||
        vorbis->book[residue->class_book].dims == 0)
        return RM_E_PARSE;
    residue->books = rmi_vorbis_new(vorbis, residue->classes, sizeof *residue->books);
    if (residue->books == NULL)
        return RM_E_OUT_OF_MEMORY;
    for (unsigned i = 0; i < residue->classes; i++) {
        cascade[i] = (uint8_t)rmi_bits_take(bits, 3);
        if (rmi_bits_take(bits, 1) != 0)
            cascade[i] |= (uint8_t)(rmi_bits_take(bits, 5) << 3);
    }
    for (unsigned i = 0; i < residue->classes; i++)
        for (unsigned pass = 0; pass < RMI_VORBIS_PASSES; pass++) {
            residue->books[i][pass] = -1;
            if ((cascade[i] >> pass & 1) == 0)
                continue;
            const uint32_t book = rmi_bits_take(bits, 8);
            if (book >= vorbis->books || vorbis->book[book].vectors == NULL)
                return RM_E_PARSE;
            residue->books[i][pass] = (int16_t)book;
            residue->passes = pass + 1 > residue->passes ? pass + 1 : residue->passes;
        }
    return bits->past ? RM_E_PARSE : RM_OK;
}

/* Adds whole vectors of `dims` numbers one after the other; returns how many lines these are. */
static inline uint32_t add_vectors(const rmi_vorbis_book *book, rmi_bits *bits, float *lines, uint32_t size,
                                   const uint32_t dims)
{
    uint32_t i = 0;
    while (i + dims <= size) {
        const int32_t slot = rmi_vorbis_slot(book, bits);
        if (slot < 0)
            break;
        const float *vector = book->vectors + (size_t)slot * dims;
        for (uint32_t k = 0; k < dims; k++)
            lines[i + k] += vector[k];
        i += dims;
    }
    return i;
}

/* Adds vectors one after the other to `size` lines (8.6.4). The usual sizes have loops of their own. */
static bool add_partition(const rmi_vorbis_book *book, rmi_bits *bits, float *lines, uint32_t size)
{
    rmi_bits own = *bits; /* in registers */
    uint32_t done;
    switch (book->dims) {
    case 2:
        done = add_vectors(book, &own, lines, size, 2);
        break;
    case 4:
        done = add_vectors(book, &own, lines, size, 4);
        break;
    case 8:
        done = add_vectors(book, &own, lines, size, 8);
        break;
    default:
        done = add_vectors(book, &own, lines, size, book->dims);
    }
    if (done < size && !own.past) { /* a part of the last vector */
        const int32_t slot = rmi_vorbis_slot(book, &own);
        for (uint32_t k = 0; slot >= 0 && done + k < size; k++)
            lines[done + k] += book->vectors[(size_t)slot * book->dims + k];
    }
    *bits = own;
    return !own.past;
}

/* Adds vectors whose numbers lie apart (8.6.3): all of a partition, or none where the packet ends in it, as
 * libvorbis does. */
static bool add_spread(const rmi_vorbis_book *book, rmi_bits *bits, float *lines, uint32_t size)
{
    const uint32_t dims = book->dims, step = size / dims;
    rmi_bits ahead = *bits;
    for (uint32_t i = 0; i < step; i++)
        if (rmi_vorbis_slot(book, &ahead) < 0)
            return false;
    for (uint32_t i = 0; i < step; i++) {
        const int32_t slot = rmi_vorbis_slot(book, bits);
        const float *vector = book->vectors + (size_t)slot * dims;
        for (uint32_t k = 0; k < dims; k++)
            lines[i + k * step] += vector[k];
    }
    return true;
}

/* The classes of the next partitions, one word for several. */
static bool take_classes(const rmi_vorbis_residue *residue, const rmi_vorbis_book *book, rmi_bits *bits,
                         uint8_t *classes, uint32_t left)
{
    int32_t word = rmi_vorbis_entry(book, bits);
    if (word < 0)
        return false;
    for (uint32_t i = book->dims; i-- > 0;) {
        if (i < left)
            classes[i] = (uint8_t)((uint32_t)word % residue->classes);
        word = (int32_t)((uint32_t)word / residue->classes);
    }
    return true;
}

/* Decodes `count` vectors of `size` lines (8.6.2). */
static void take_vectors(rmi_vorbis *vorbis, const rmi_vorbis_residue *residue, rmi_bits *bits,
                         float *const *vectors, size_t count, uint32_t size)
{
    const uint32_t end = residue->end < size ? residue->end : size;
    const uint32_t part = residue->partition_size;
    const uint32_t parts = residue->begin < end ? (end - residue->begin) / part : 0;
    const rmi_vorbis_book *class_book = &vorbis->book[residue->class_book];
    for (unsigned pass = 0; pass < residue->passes; pass++)
        for (uint32_t at = 0; at < parts; at += class_book->dims) {
            for (size_t v = 0; pass == 0 && v < count; v++)
                if (!take_classes(residue, class_book, bits, vorbis->classes + v * parts + at, parts - at))
                    return;
            const uint32_t last = parts - at < class_book->dims ? parts : at + class_book->dims;
            for (uint32_t i = at; i < last; i++)
                for (size_t v = 0; v < count; v++) {
                    const int book = residue->books[vorbis->classes[v * parts + i]][pass];
                    float *lines = vectors[v] + residue->begin + i * part;
                    if (book >= 0 &&
                        !(residue->type == 0 ? add_spread(&vorbis->book[book], bits, lines, part)
                                             : add_partition(&vorbis->book[book], bits, lines, part)))
                        return;
                }
        }
}

/* Type 2: all channels are one vector, their lines taking turns (8.6.5). */
static void take_joined(rmi_vorbis *vorbis, const rmi_vorbis_residue *residue, rmi_bits *bits,
                        float *const *lines, size_t count, size_t half)
{
    float *joined = vorbis->joined;
    memset(joined, 0, count * half * sizeof *joined);
    take_vectors(vorbis, residue, bits, &joined, 1, (uint32_t)(count * half));
    if (count == 2) {
        float *left = lines[0], *right = lines[1];
        for (size_t i = 0; i < half; i++) {
            left[i] = joined[2 * i];
            right[i] = joined[2 * i + 1];
        }
        return;
    }
    for (size_t c = 0; c < count; c++)
        for (size_t i = 0; i < half; i++)
            lines[c][i] = joined[i * count + c];
}

void rmi_vorbis_residue_take(rmi_vorbis *vorbis, const rmi_vorbis_residue *residue, rmi_bits *bits,
                             float *const *lines, const bool *skipped, size_t count, size_t half)
{
    size_t kept = 0;
    for (size_t c = 0; c < count; c++)
        if (!skipped[c])
            vorbis->list[kept++] = lines[c];
    if (residue->type == 2 && kept != 0) {
        take_joined(vorbis, residue, bits, lines, count, half);
        return;
    }
    for (size_t c = 0; c < count; c++)
        memset(lines[c], 0, half * sizeof **lines);
    if (kept != 0)
        take_vectors(vorbis, residue, bits, vorbis->list, kept, (uint32_t)half);
}
