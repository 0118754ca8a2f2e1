/* A limit of how much may come in a second; what is more is lost, and counted. {0} has let nothing through. */
#ifndef BASE_RATE_H
#define BASE_RATE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct rmi_rate {
    int64_t second; /* that `used` counts in */
    uint64_t used;  /* added by who lets something through: 0 only where nothing has been in this second */
    uint64_t lost;  /* added by who lets nothing through */
} rmi_rate;

/* How much of `limit` (0: any) is left in the second of `now`, monotonic ns. */
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
