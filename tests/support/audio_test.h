/* For the tests of audio nodes: feeds one node packets with timestamps and flags, and keeps the packets it emits. */
#ifndef TESTS_SUPPORT_AUDIO_TEST_H
#define TESTS_SUPPORT_AUDIO_TEST_H

#include "tests/support/node_test.h"

/* One packet of audio; the sample of frame i is `first` + i * `step`, in every channel. */
typedef struct rmt_chunk {
    int64_t timestamp; /* ns or RM_NO_TIME */
    uint32_t flags;
    size_t frames;
    int32_t channels, sample_rate;
    float first, step;
} rmt_chunk;

/* The node's emissions: packets are owned, rmt_stream_clear. */
typedef struct rmt_stream {
    int rc;
    rm_error err;
    rm_packet packets[64];
    size_t count;
} rmt_stream;

/* Runs a node of `type` over `chunks`, to the end or the first failure. Memory comes from `heap`. */
rmt_stream rmt_stream_run(rmt_heap *heap, const char *type, const char *params, const rmt_chunk *chunks,
                          size_t count);
void rmt_stream_clear(rmt_stream *stream);

#endif
