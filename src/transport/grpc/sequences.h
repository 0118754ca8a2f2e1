/* The numbers of a stream's chunks. A client counts the chunks of each source by themselves, all from the same number; the
 * pipeline counts items from 0. */
#ifndef TRANSPORT_GRPC_SEQUENCES_H
#define TRANSPORT_GRPC_SEQUENCES_H

#include "remotemedia/remotemedia.h"

enum { RMI_ARRIVALS = 256 }; /* chunks whose arrival is remembered */

typedef struct rmi_lane {
    char *source; /* owned; "": every source */
    uint64_t next;
} rmi_lane;

/* Starts zeroed, with `before` set. */
typedef struct rmi_sequences {
    int64_t before; /* items of a source that came before its first chunk */
    rmi_lane *lanes;
    size_t count, capacity;
    uint64_t first; /* of the first chunk of all */
    uint64_t last;  /* the highest so far */
    int64_t arrivals[RMI_ARRIVALS];
} rmi_sequences;

void rmi_sequences_free(rmi_sequences *sequences);
/* A chunk has come at `now` (monotonic ns). RM_E_VALUE for a gap or a repeat. */
RM_MUST_CHECK int rmi_sequences_note(rmi_sequences *sequences, const char *source, uint64_t sequence,
                                     int64_t now, rm_error *err);
/* The sequence of a packet's item; what a flush gives has the last one. */
uint64_t rmi_sequences_of(const rmi_sequences *sequences, int64_t seq);
/* Since the item has come, ms; 0 where that is not known. */
double rmi_sequences_age(const rmi_sequences *sequences, int64_t seq, int64_t now);

#endif
