/* A limit on an amount a second; the caller drops and counts the rest. Starts as {0}. */
#ifndef BASE_RATE_H
#define BASE_RATE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct rmi_rate {
    int64_t second; /* the second that `used` is for */
    uint64_t used;  /* passed in this second; the caller adds to it */
    uint64_t lost;  /* dropped in all; the caller adds to it */
} rmi_rate;

/* What is left of `limit` (0: none) in the second of `now`, monotonic ns. Sets `used` to 0 in a new
 * second. */
static inline uint64_t rmi_rate_left(rmi_rate *rate, uint64_t limit, int64_t now)
{
    const int64_t second = now / 1000000000;
    if (second != rate->second) {
        rate->second = second;
        rate->used = 0;
    }
    return limit == 0 ? UINT64_MAX : rate->used < limit ? limit - rate->used : 0;
}

#endif
