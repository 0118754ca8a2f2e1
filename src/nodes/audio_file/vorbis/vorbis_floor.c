/* The spectrum's coarse shape (6 and 7). */
#include "nodes/audio_file/vorbis/vorbis_parts.h"

#include <math.h>
#include <string.h>

static double bark(double frequency)
{
    return 13.1 * atan(0.00074 * frequency) + 2.24 * atan(0.0000000185 * frequency * frequency) +
           0.0001 * frequency;
}

static int read_floor0(rmi_vorbis *vorbis, rmi_bits *bits, rmi_vorbis_floor0 *floor)
{
    floor->order = rmi_bits_take(bits, 8);
    floor->rate = rmi_bits_take(bits, 16);
    floor->map_size = rmi_bits_take(bits, 16);
    floor->amplitude_bits = rmi_bits_take(bits, 6);
    floor->amplitude_offset = rmi_bits_take(bits, 8);
    floor->books = rmi_bits_take(bits, 4) + 1;
    for (uint32_t i = 0; i < floor->books; i++) {
        floor->book[i] = (uint8_t)rmi_bits_take(bits, 8);
        if (floor->book[i] >= vorbis->books || vorbis->book[floor->book[i]].vectors == NULL)
            return RM_E_PARSE;
    }
    if (floor->order == 0 || floor->order >= RMI_VORBIS_POSTS || floor->rate == 0 || floor->map_size == 0 ||
        floor->amplitude_bits > 32)
        return RM_E_PARSE;
    for (unsigned size = 0; size < 2; size++) {
        const uint32_t half = 1u << (vorbis->block_bits[size] - 1);
        floor->map[size] = rmi_vorbis_new(vorbis, half, sizeof **floor->map);
        if (floor->map[size] == NULL)
            return RM_E_OUT_OF_MEMORY;
        const double scale = floor->map_size / bark(0.5 * floor->rate);
        for (uint32_t i = 0; i < half; i++) {
            const double place = bark(floor->rate * (double)i / (2.0 * half)) * scale;
            floor->map[size][i] = (uint16_t)(place < floor->map_size ? (uint32_t)place : floor->map_size - 1);
        }
    }
    return RM_OK;
}

/* The order of the posts, and for each the two nearest of those before it. */
static bool order_posts(rmi_vorbis_floor1 *floor)
{
    for (unsigned i = 0; i < floor->posts; i++) {
        unsigned at = i;
        for (; at > 0 && floor->x[floor->sorted[at - 1]] > floor->x[i]; at--)
            floor->sorted[at] = floor->sorted[at - 1];
        if (at > 0 && floor->x[floor->sorted[at - 1]] == floor->x[i])
            return false;
        floor->sorted[at] = (uint8_t)i;
        if (i >= 2) {
            floor->low[i] = floor->sorted[at - 1];
            floor->high[i] = floor->sorted[at + 1];
        }
    }
    return true;
}

static bool read_classes(const rmi_vorbis *vorbis, rmi_bits *bits, rmi_vorbis_floor1 *floor)
{
    int last = -1;
    floor->partitions = rmi_bits_take(bits, 5);
    for (unsigned i = 0; i < floor->partitions; i++) {
        floor->partition_class[i] = (uint8_t)rmi_bits_take(bits, 4);
        last = floor->partition_class[i] > last ? floor->partition_class[i] : last;
    }
    for (int i = 0; i <= last; i++) {
        floor->classes[i].dims = (uint8_t)(rmi_bits_take(bits, 3) + 1);
        floor->classes[i].subclass_bits = (uint8_t)rmi_bits_take(bits, 2);
        if (floor->classes[i].subclass_bits != 0)
            floor->classes[i].master = (uint8_t)rmi_bits_take(bits, 8);
        if (floor->classes[i].master >= vorbis->books)
            return false;
        for (unsigned k = 0; k < 1u << floor->classes[i].subclass_bits; k++) {
            floor->classes[i].books[k] = (int16_t)((int)rmi_bits_take(bits, 8) - 1);
            if (floor->classes[i].books[k] >= (int)vorbis->books)
                return false;
        }
    }
    return true;
}

static int read_floor1(const rmi_vorbis *vorbis, rmi_bits *bits, rmi_vorbis_floor1 *floor)
{
    if (!read_classes(vorbis, bits, floor))
        return RM_E_PARSE;
    floor->multiplier = rmi_bits_take(bits, 2) + 1;
    const unsigned range = rmi_bits_take(bits, 4);
    floor->x[1] = (uint16_t)(1u << range);
    floor->posts = 2;
    for (unsigned i = 0; i < floor->partitions; i++)
        for (unsigned k = 0; k < floor->classes[floor->partition_class[i]].dims; k++) {
            if (floor->posts >= RMI_VORBIS_POSTS)
                return RM_E_PARSE;
            floor->x[floor->posts++] = (uint16_t)rmi_bits_take(bits, range);
        }
    return order_posts(floor) ? RM_OK : RM_E_PARSE;
}

int rmi_vorbis_read_floor(rmi_vorbis *vorbis, rmi_bits *bits, rmi_vorbis_floor *floor, const char **reason)
{
    *reason = "it has a damaged floor";
    floor->type = (uint16_t)rmi_bits_take(bits, 16);
    if (floor->type > 1 || bits->past)
        return RM_E_PARSE;
    if (floor->type == 0) {
        floor->zero = rmi_vorbis_new(vorbis, 1, sizeof *floor->zero);
        return floor->zero != NULL ? read_floor0(vorbis, bits, floor->zero) : RM_E_OUT_OF_MEMORY;
    }
    floor->one = rmi_vorbis_new(vorbis, 1, sizeof *floor->one);
    return floor->one != NULL ? read_floor1(vorbis, bits, floor->one) : RM_E_OUT_OF_MEMORY;
}

/* Floor 0: posts[0] has the amplitude, the others the coefficients as floats. */
static bool take_floor0(const rmi_vorbis *vorbis, const rmi_vorbis_floor0 *floor, rmi_bits *bits,
                        int32_t *posts)
{
    const uint32_t amplitude = rmi_bits_take(bits, floor->amplitude_bits);
    if (amplitude == 0)
        return false;
    const uint32_t number = rmi_bits_take(bits, rmi_bits_needed(floor->books));
    if (number >= floor->books)
        return false;
    const rmi_vorbis_book *book = &vorbis->book[floor->book[number]];
    float coefficients[RMI_VORBIS_POSTS] = {0}, last = 0.0f;
    for (uint32_t i = 0; i < floor->order;) {
        const int32_t slot = rmi_vorbis_slot(book, bits);
        if (slot < 0)
            return false;
        const float *vector = book->vectors + (size_t)slot * book->dims;
        for (uint32_t k = 0; k < book->dims && i < floor->order; k++)
            coefficients[i++] = vector[k] + last;
        last = coefficients[i - 1];
    }
    memcpy(posts, &amplitude, sizeof amplitude);
    memcpy(posts + 1, coefficients, floor->order * sizeof *coefficients);
    return true;
}

/* A post of floor 1: its height, and whether the packet has none for it. */
enum { HEIGHT = 0x7fff, UNUSED = 0x8000 };

static int32_t point(int32_t x0, int32_t y0, int32_t x1, int32_t y1, int32_t x)
{
    const int32_t dy = y1 - y0, off = (dy < 0 ? -dy : dy) * (x - x0) / (x1 - x0);
    return dy < 0 ? y0 - off : y0 + off;
}

/* From the numbers of the packet to the heights of the posts; one that has none gets bit 15 (7.2.4). */
static void place_posts(const rmi_vorbis_floor1 *floor, int32_t range, int32_t *posts)
{
    for (unsigned i = 2; i < floor->posts; i++) {
        const unsigned low = floor->low[i], high = floor->high[i];
        const int32_t guess =
            point(floor->x[low], posts[low] & HEIGHT, floor->x[high], posts[high] & HEIGHT, floor->x[i]);
        const int32_t above = range - guess, below = guess, value = posts[i];
        const int32_t room = 2 * (above < below ? above : below);
        if (value == 0) {
            posts[i] = guess | UNUSED;
            continue;
        }
        posts[low] &= HEIGHT;
        posts[high] &= HEIGHT;
        int32_t height;
        if (value >= room)
            height = above > below ? value - below + guess : guess - value + above - 1;
        else
            height = (value & 1) != 0 ? guess - (value + 1) / 2 : guess + value / 2;
        posts[i] = height & HEIGHT;
    }
}

static bool take_floor1(const rmi_vorbis *vorbis, const rmi_vorbis_floor1 *floor, rmi_bits *bits,
                        int32_t *posts)
{
    static const int32_t ranges[] = {256, 128, 86, 64};
    const int32_t range = ranges[floor->multiplier - 1];
    if (rmi_bits_take(bits, 1) == 0)
        return false;
    const unsigned width = rmi_bits_needed((uint32_t)range - 1);
    unsigned count = 2;
    posts[0] = (int32_t)rmi_bits_take(bits, width);
    posts[1] = (int32_t)rmi_bits_take(bits, width);
    for (unsigned i = 0; i < floor->partitions; i++) {
        const unsigned class = floor->partition_class[i], shift = floor->classes[class].subclass_bits;
        int32_t chosen = 0;
        if (shift != 0)
            chosen = rmi_vorbis_entry(&vorbis->book[floor->classes[class].master], bits);
        for (unsigned k = 0; k < floor->classes[class].dims; k++) {
            const int book = floor->classes[class].books[chosen & ((1 << shift) - 1)];
            chosen >>= shift;
            posts[count] = book >= 0 ? rmi_vorbis_entry(&vorbis->book[book], bits) : 0;
            posts[count] = posts[count] < HEIGHT ? posts[count] : HEIGHT;
            count++;
        }
    }
    if (bits->past)
        return false;
    place_posts(floor, range, posts);
    return true;
}

bool rmi_vorbis_floor_take(const rmi_vorbis *vorbis, const rmi_vorbis_floor *floor, rmi_bits *bits,
                           int32_t *posts)
{
    return floor->type == 0 ? take_floor0(vorbis, floor->zero, bits, posts)
                            : take_floor1(vorbis, floor->one, bits, posts);
}

/* The curve of floor 0 at each place of the Bark scale (6.2.3); `twice`: two times the cosine of each
 * coefficient. */
static float height0(const rmi_vorbis_floor0 *floor, double amplitude, const double *twice, uint32_t place)
{
    const double w = cos(3.14159265358979323846 * place / floor->map_size), two_w = 2.0 * w;
    double p = 1.0, q = 1.0;
    for (uint32_t k = 0; k + 1 < floor->order; k += 2) {
        q *= twice[k] - two_w;
        p *= twice[k + 1] - two_w;
    }
    if ((floor->order & 1) != 0) {
        q *= twice[floor->order - 1] - two_w;
        p = p * p * (1.0 - w * w);
        q = q * q * 0.25;
    } else {
        p = p * p * (1.0 - w) * 0.5;
        q = q * q * (1.0 + w) * 0.5;
    }
    const double most = floor->amplitude_bits == 0 ? 1.0 : ldexp(1.0, (int)floor->amplitude_bits) - 1.0;
    const double decibels =
        amplitude * floor->amplitude_offset / (most * sqrt(p + q)) - floor->amplitude_offset;
    return (float)exp(0.11512925464970229 * decibels);
}

static void apply_floor0(const rmi_vorbis_floor0 *floor, const int32_t *posts, const uint16_t *map,
                         size_t half, float *lines)
{
    uint32_t amplitude;
    float coefficients[RMI_VORBIS_POSTS];
    double twice[RMI_VORBIS_POSTS];
    memcpy(&amplitude, posts, sizeof amplitude);
    memcpy(coefficients, posts + 1, floor->order * sizeof *coefficients);
    for (uint32_t k = 0; k < floor->order; k++)
        twice[k] = 2.0 * cos((double)coefficients[k]);
    float height = 0.0f;
    for (size_t i = 0; i < half; i++) {
        if (i == 0 || map[i] != map[i - 1])
            height = height0(floor, amplitude, twice, map[i]);
        lines[i] *= height;
    }
}

/* The line from one post to the next, as exact integers (9.2.7). */
static void apply_line(const float *decibels, int32_t x0, int32_t y0, int32_t x1, int32_t y1, int32_t end,
                       float *lines)
{
    const int32_t dx = x1 - x0, dy = y1 - y0, base = dy / dx, sign = dy < 0 ? -1 : 1;
    const int32_t rest = (dy < 0 ? -dy : dy) - (base < 0 ? -base : base) * dx;
    int32_t y = y0, error = -dx;
    end = x1 < end ? x1 : end;
    if (dy == 0) {
        for (int32_t x = x0; x < end; x++)
            lines[x] *= decibels[y0];
        return;
    }
    for (int32_t x = x0; x < end; x++) {
        lines[x] *= decibels[y];
        error += rest;
        const int32_t over = -(error >= 0);
        error -= dx & over;
        y += base + (sign & over);
    }
}

/* The step of the table for a post; a height past its end, which no encoder writes, is its end. */
static int32_t step_of(const rmi_vorbis_floor1 *floor, int32_t post)
{
    const int32_t step = (post & HEIGHT) * (int32_t)floor->multiplier;
    return step < 255 ? step : 255;
}

static void apply_floor1(const rmi_vorbis *vorbis, const rmi_vorbis_floor1 *floor, const int32_t *posts,
                         int32_t half, float *lines)
{
    int32_t x0 = 0, y0 = step_of(floor, posts[0]);
    for (unsigned i = 1; i < floor->posts && x0 < half; i++) {
        const unsigned at = floor->sorted[i];
        if ((posts[at] & UNUSED) != 0)
            continue;
        const int32_t x1 = floor->x[at], y1 = step_of(floor, posts[at]);
        apply_line(vorbis->decibels, x0, y0, x1, y1, half, lines);
        x0 = x1;
        y0 = y1;
    }
    for (int32_t x = x0; x < half; x++)
        lines[x] *= vorbis->decibels[y0];
}

void rmi_vorbis_floor_apply(const rmi_vorbis *vorbis, const rmi_vorbis_floor *floor, const int32_t *posts,
                            unsigned size, float *lines)
{
    const size_t half = (size_t)1 << (vorbis->block_bits[size] - 1);
    if (floor->type == 0)
        apply_floor0(floor->zero, posts, floor->zero->map[size], half, lines);
    else
        apply_floor1(vorbis, floor->one, posts, (int32_t)half, lines);
}
