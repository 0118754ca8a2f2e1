/* Four floats at once. Compilers turn them into the machine's vectors, or into four single operations. */
#ifndef NODES_AUDIO_SUPPORT_LANES_H
#define NODES_AUDIO_SUPPORT_LANES_H

#include <string.h>

typedef float lanes __attribute__((vector_size(16)));
typedef int lane_flags __attribute__((vector_size(16)));

static inline lanes load(const float *from)
{
    lanes made;
    memcpy(&made, from, sizeof made);
    return made;
}

static inline void store(float *to, lanes from)
{
    memcpy(to, &from, sizeof from);
}

static inline lanes all(float value)
{
    return (lanes){value, value, value, value};
}

static inline lanes backward(lanes a)
{
    return __builtin_shufflevector(a, a, 3, 2, 1, 0);
}

static inline lanes even(lanes a, lanes b)
{
    return __builtin_shufflevector(a, b, 0, 2, 4, 6);
}

static inline lanes odd(lanes a, lanes b)
{
    return __builtin_shufflevector(a, b, 1, 3, 5, 7);
}

static inline lanes zip_low(lanes a, lanes b)
{
    return __builtin_shufflevector(a, b, 0, 4, 1, 5);
}

static inline lanes zip_high(lanes a, lanes b)
{
    return __builtin_shufflevector(a, b, 2, 6, 3, 7);
}

/* Stores the first lanes of a, b, c and d, then their second lanes, and so on. */
static inline void transpose_store(lanes a, lanes b, lanes c, lanes d, float *to)
{
    const lanes ac = zip_low(a, c), bd = zip_low(b, d), ac2 = zip_high(a, c), bd2 = zip_high(b, d);
    store(to, zip_low(ac, bd));
    store(to + 4, zip_high(ac, bd));
    store(to + 8, zip_low(ac2, bd2));
    store(to + 12, zip_high(ac2, bd2));
}

/* Lane by lane: where `flags` is set, of a; else of b. */
static inline lanes choose(lane_flags flags, lanes a, lanes b)
{
    lane_flags x, y;
    memcpy(&x, &a, sizeof x);
    memcpy(&y, &b, sizeof y);
    x = (x & flags) | (y & ~flags);
    memcpy(&a, &x, sizeof a);
    return a;
}

#endif
