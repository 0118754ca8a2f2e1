/* One audio node over noise in chunks: nanoseconds of processor time a chunk, the least of some rounds.
 *
 *   bench_media TYPE PARAMS RATE CHANNELS CHUNK_FRAMES SECONDS       prints "chunk NS", "mbs MB/S", "sum CHECKSUM"
 *
 * MB/S counts the bytes that go in. The checksum is one of all samples that came out (0 where none did). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/support.h"

enum { ROUNDS = 5, AT_ONCE = 32 };

/* The chunks that go in, again and again. */
typedef struct noise {
    rm_value *chunks;
    size_t count;
} noise;

static void noise_free(noise *n)
{
    for (size_t i = 0; n->chunks != NULL && i < n->count; i++)
        rm_value_clear(&n->chunks[i]);
    free(n->chunks);
    *n = (noise){0};
}

static int noise_make(noise *n, size_t count, size_t frames, int32_t channels, int32_t rate, rm_error *err)
{
    const int64_t shape[] = {(int64_t)frames, channels};
    const rm_media media = {.kind = RM_MEDIA_AUDIO, .sample_rate = rate};
    uint32_t state = 1;
    int rc = RM_OK;
    n->chunks = calloc(count, sizeof *n->chunks);
    if (n->chunks == NULL)
        return rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory");
    for (; rc == RM_OK && n->count < count; n->count++) {
        rc = rm_tensor_new(NULL, RM_FLOAT32, 2, shape, &n->chunks[n->count], err);
        if (rc == RM_OK)
            rc = rm_tensor_set_media(&n->chunks[n->count], media, err);
        float *samples = rm_tensor_view(n->chunks[n->count]).data;
        for (size_t i = 0; rc == RM_OK && i < frames * (size_t)channels; i++) {
            state = state * 1664525u + 1013904223u;
            samples[i] = (float)(int32_t)state * 0x1p-33f; /* -12 dBFS at most */
        }
    }
    return rc;
}

/* Adds the bits of a result's samples. */
static void add_up(rm_value value, uint64_t *sum)
{
    const rm_tensor view = rm_tensor_view(value);
    const size_t bytes = rm_tensor_bytes(value);
    for (size_t i = 0; i + 4 <= bytes; i += 4) {
        uint32_t word;
        memcpy(&word, (const char *)view.data + i, sizeof word);
        *sum = (*sum ^ word) * UINT64_C(0x100000001b3);
    }
}

/* Takes the results that there are; with `sum` also adds them up. */
static int pull(rm_pipeline *pipeline, uint64_t *sum, rm_error *err)
{
    size_t sink = 0;
    rm_packet packet;
    int rc;
    while ((rc = rm_pipeline_pull(pipeline, &sink, &packet, err)) == RM_OK) {
        if (sum != NULL)
            add_up(packet.value, sum);
        rm_packet_clear(&packet);
    }
    return rc == RM_AGAIN || rc == RM_DONE ? RM_OK : rc;
}

/* Pushes all chunks, runs to the end. */
static int stream(rm_pipeline *pipeline, const noise *n, uint64_t *sum, rm_error *err)
{
    int rc = RM_OK, step = RM_OK;
    for (size_t i = 0; rc >= 0 && i < n->count;) {
        for (size_t k = 0; rc >= 0 && k < AT_ONCE && i < n->count; k++, i++) {
            rm_value chunk = rm_value_retain(n->chunks[i]);
            rc = rm_pipeline_push(pipeline, NULL, chunk, err);
            if (rc > 0)
                rm_value_clear(&chunk);
            if (rc == RM_AGAIN)
                break;
        }
        if (rc >= 0)
            rc = rm_run_step(pipeline, err);
        if (rc >= 0)
            rc = pull(pipeline, sum, err);
    }
    if (rc >= 0)
        rc = rm_pipeline_finish(pipeline, err);
    while (rc >= 0 && step != RM_DONE) {
        step = rm_run_step(pipeline, err);
        rc = step < 0 ? step : pull(pipeline, sum, err);
    }
    return rc < 0 ? rc : RM_OK;
}

/* One round: a pipeline of its own, whose opening is not counted. */
static int once(rm_runtime *runtime, bench_node node, const noise *n, uint64_t *sum, int64_t *took,
                rm_error *err)
{
    bench_text text = {0};
    bench_pipeline pipeline = {0};
    bench_chain(&text, node, 1);
    int rc = bench_open(runtime, &text, &pipeline, err);
    if (rc == RM_OK) {
        const int64_t started = bench_cpu();
        rc = stream(pipeline.pipeline, n, sum, err);
        *took = bench_cpu() - started;
    }
    bench_close(&pipeline);
    bench_text_free(&text);
    return rc;
}

int main(int argc, char **argv)
{
    noise n = {0};
    rm_runtime *runtime = NULL;
    rm_error err = {0};
    int64_t least = INT64_MAX, took = 0;
    uint64_t sum = 0;
    if (argc != 7) {
        fprintf(stderr, "usage: bench_media TYPE PARAMS RATE CHANNELS CHUNK_FRAMES SECONDS\n");
        return EXIT_FAILURE;
    }
    const bench_node node = {.type = argv[1], .params = argv[2]};
    const int32_t rate = (int32_t)strtol(argv[3], NULL, 10), channels = (int32_t)strtol(argv[4], NULL, 10);
    const size_t frames = strtoul(argv[5], NULL, 10), seconds = strtoul(argv[6], NULL, 10);
    const size_t count = frames != 0 ? (size_t)rate * seconds / frames : 0;
    int rc = noise_make(&n, count, frames, channels, rate, &err);
    if (rc == RM_OK)
        rc = rm_runtime_new(NULL, &runtime, &err);
    if (rc == RM_OK)
        rc = once(runtime, node, &n, &sum, &took, &err); /* warms up, and makes the checksum */
    for (int i = 0; rc == RM_OK && i < ROUNDS; i++) {
        rc = once(runtime, node, &n, NULL, &took, &err);
        least = took < least ? took : least;
    }
    const double chunk = (double)least / (double)(count != 0 ? count : 1);
    rc = bench_report("chunk", chunk, rc, &err);
    if (rc == RM_OK) {
        (void)bench_report("mbs", (double)(frames * (size_t)channels * sizeof(float)) / chunk * 1000.0, rc,
                           &err);
        printf("sum %" PRIu64 "\n", sum);
    }
    rm_runtime_free(runtime);
    noise_free(&n);
    rm_error_clear(&err);
    return rc == RM_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
