/* For the tests of nodes: runs one node, or a small manifest, through the public interface, on a heap that
 * can fail. */
#ifndef TESTS_SUPPORT_NODE_TEST_H
#define TESTS_SUPPORT_NODE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "remotemedia/node.h"
#include "tests/support/heap.h"

#define RMT_COUNT(array) (sizeof(array) / sizeof *(array))

/* What to run. Texts are JSON; "{DIR}" in params and manifest stands for rmt_directory(). */
typedef struct rmt_setup {
    const char *type, *params; /* one node with the id "n"; params may be NULL */
    const char *manifest;      /* or a whole manifest */
    const char *items;         /* the input, a list; NULL: none, sources generate */
    rm_value input;            /* or the input as a value, borrowed, for values without a JSON form */
} rmt_setup;

typedef struct rmt_result {
    int rc;
    rm_error err;
    rm_value
        values; /* a list of the node's emissions; of a manifest, the map {sink: list}; null: it never ran */
    char *outputs; /* the same as JSON text, "null" if it never ran */
    char log[512]; /* the last log message */
    size_t logged; /* number of log messages */
} rmt_result;

/* Runs with memory of `heap` (but not the input). Clear the result before counting blocks. */
rmt_result rmt_run(rmt_heap *heap, const rmt_setup *setup);
void rmt_result_clear(rmt_result *result);

/* A run and its wanted result. */
typedef struct rmt_case {
    const char *label;
    const char *type, *params, *manifest, *items; /* as in rmt_setup */
    rm_value input;
    const char *outputs; /* JSON text, compared as text; NULL: not compared */
    int rc;
    const char *message; /* a part of the error's message; NULL: not compared */
} rmt_case;

/* Runs each case: once without faults; then with its first, second, ... allocation failing, alone and with
 * all later ones, which must give RM_E_OUT_OF_MEMORY (or the failure that the case expects, if that came
 * first). No run may leak, misstate a size or change its input. Fails the test that calls. */
void rmt_check(const rmt_case *cases, size_t count);

/* A run that a test feeds item by item, on the C library's heap. The test owns all of it. */
typedef struct rmt_feed {
    rm_runtime *runtime;
    rm_manifest *manifest;
    rm_pipeline *pipeline;
    rm_error err; /* the last failure */
} rmt_feed;
/* Opens a run of `setup` (its items and input are not used). Fails the test when that fails. */
void rmt_feed_open(rmt_feed *stream, const rmt_setup *setup);
/* Pushes one item (JSON; NULL: the end of the input) and works until more is needed. Returns the code of the
 * last step, or of the push where it was not RM_OK. */
int rmt_feed_push(rmt_feed *stream, const char *item);
/* Checks that the next result is `want` (JSON; NULL: there is none) and takes it. */
void rmt_feed_expect(rmt_feed *stream, const char *want);
void rmt_feed_close(rmt_feed *stream);

/* This test program's own folder, removed when the program ends. */
const char *rmt_directory(void);
/* Writes a file of that folder; `length` SIZE_MAX: the text's. */
void rmt_write(const char *name, const char *text, size_t length);
/* The content of a file of that folder, NUL-terminated; the caller frees it. Fails the test if there is no
 * file. */
char *rmt_read(const char *name);

/* A value from JSON text; audio of `frames` * `channels` samples of `dtype`, copied. Owned by the caller. */
rm_value rmt_json(const char *text);
rm_value rmt_audio(rm_dtype dtype, size_t frames, int32_t channels, int32_t sample_rate, const void *samples);

/* Runs the named tests, and makes the folder above. */
int rmt_main(const char *names, const CMUnitTestFunction *tests, size_t count);
#define RMT_MAIN(...)                                                       \
    int main(void)                                                          \
    {                                                                       \
        static const CMUnitTestFunction tests[] = {__VA_ARGS__};            \
        return rmt_main(#__VA_ARGS__, tests, sizeof tests / sizeof *tests); \
    }

#endif
