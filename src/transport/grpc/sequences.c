#include "transport/grpc/sequences.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"

void rmi_sequences_free(rmi_sequences *sequences)
{
    for (size_t i = 0; i < sequences->count; i++)
        rmi_free_text(NULL, sequences->lanes[i].source);
    rmi_free(NULL, sequences->lanes, sequences->capacity * sizeof *sequences->lanes);
    *sequences = (rmi_sequences){0};
}

static rmi_lane *find(rmi_sequences *sequences, const char *source)
{
    for (size_t i = 0; i < sequences->count; i++)
        if (strcmp(sequences->lanes[i].source, source) == 0)
            return &sequences->lanes[i];
    return NULL;
}

/* The first lane begins with any number; the others with the same. NULL without memory. */
static rmi_lane *add(rmi_sequences *sequences, const char *source, uint64_t sequence)
{
    void *lanes = sequences->lanes;
    const int rc =
        rmi_grow(NULL, &lanes, &sequences->capacity, sequences->count + 1, sizeof *sequences->lanes, NULL);
    sequences->lanes = lanes;
    char *copy = rc == RM_OK ? rmi_copy_text(NULL, source) : NULL;
    if (copy == NULL)
        return NULL;
    if (sequences->count == 0)
        sequences->first = sequences->last = sequence;
    rmi_lane *lane = &sequences->lanes[sequences->count++];
    *lane = (rmi_lane){.source = copy, .next = sequences->first};
    return lane;
}

int rmi_sequences_note(rmi_sequences *sequences, const char *source, uint64_t sequence, int64_t now,
                       rm_error *err)
{
    rmi_lane *lane = find(sequences, source);
    if (lane == NULL)
        lane = add(sequences, source, sequence);
    if (lane == NULL)
        return rmi_out_of_memory(err);
    if (sequence != lane->next)
        return rm_error_set(err, RM_E_VALUE, "a chunk has sequence %" PRIu64 "; the next one is %" PRIu64,
                            sequence, lane->next);
    sequences->arrivals[(sequence - sequences->first) % RMI_ARRIVALS] = now;
    if (sequence > sequences->last)
        sequences->last = sequence;
    lane->next++;
    return RM_OK;
}

/* The index of the item among the chunks of its source. */
static uint64_t index_of(const rmi_sequences *sequences, int64_t seq)
{
    return seq > sequences->before ? (uint64_t)(seq - sequences->before) : 0;
}

uint64_t rmi_sequences_of(const rmi_sequences *sequences, int64_t seq)
{
    return seq < RM_SEQ_END ? sequences->first + index_of(sequences, seq) : sequences->last;
}

double rmi_sequences_age(const rmi_sequences *sequences, int64_t seq, int64_t now)
{
    const int64_t arrival =
        seq < RM_SEQ_END ? sequences->arrivals[index_of(sequences, seq) % RMI_ARRIVALS] : 0;
    return arrival == 0 ? 0 : (double)(now - arrival) / 1e6;
}
