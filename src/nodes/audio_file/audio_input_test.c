#include "nodes/audio_file/audio_input.h"
#include "tests/support/node_test.h"

#include <stdio.h>

/* Bytes whose value is their offset's, in pieces of `piece`, up to `size`; then a failure, if there is one. */
typedef struct giver {
    size_t piece, at, size;
    int failure;
} giver;

static uint8_t byte_at(uint64_t offset)
{
    return (uint8_t)(offset * 31 + (offset >> 8));
}

static int give(void *context, uint8_t *bytes, size_t wanted, size_t *got, rm_error *err)
{
    giver *g = context;
    size_t count = wanted < g->piece ? wanted : g->piece;
    count = count < g->size - g->at ? count : g->size - g->at;
    if (count == 0 && g->failure != RM_OK)
        return rm_error_set(err, g->failure, "the disk is broken");
    for (size_t i = 0; i < count; i++)
        bytes[i] = byte_at(g->at++);
    *got = count;
    return RM_OK;
}

static const rm_allocator *plain(rmt_heap *heap)
{
    rmt_heap_init(heap, 0);
    return &heap->allocator;
}

static void bytes_come_in_order_whatever_the_pieces(void **unused)
{
    static const size_t pieces[] = {1, 7, 160, 4096, 65535, 1 << 20};
    static const size_t steps[] = {1, 8, 4000, 65536, 3};
    enum { SIZE = 200000 };
    rmt_heap heap;
    (void)unused;
    for (size_t p = 0; p < RMT_COUNT(pieces); p++) {
        giver g = {.piece = pieces[p], .size = SIZE};
        rmi_audio_input *input = NULL;
        const uint8_t *bytes = NULL;
        uint64_t at = 0;
        assert_int_equal(rmi_audio_input_over(plain(&heap), "x", give, &g, &input, NULL), RM_OK);
        for (size_t i = 0; at < SIZE; i++) {
            const size_t wanted = steps[i % RMT_COUNT(steps)];
            const size_t there = rmi_audio_input_peek(input, wanted, &bytes);
            assert_true(there >= wanted || at + there == SIZE);
            for (size_t k = 0; k < there; k++)
                assert_int_equal(bytes[k], byte_at(at + k));
            const size_t taken = there < wanted ? there : wanted;
            rmi_audio_input_take(input, taken);
            at += taken;
            assert_true(rmi_audio_input_position(input) == at);
            at += rmi_audio_input_skip(input, 1000);
        }
        assert_int_equal(rmi_audio_input_peek(input, 1, &bytes), 0);
        assert_int_equal(rmi_audio_input_failure(input, NULL), RM_OK);
        rmi_audio_input_close(input);
        assert_int_equal(heap.live_blocks + heap.mistakes, 0);
    }
}

static void a_failure_is_told_from_the_end(void **unused)
{
    giver g = {.piece = 10, .size = 25, .failure = RM_E_IO};
    rmt_heap heap;
    rm_error err = {0};
    uint8_t bytes[100];
    rmi_audio_input *input = NULL;
    (void)unused;
    assert_int_equal(rmi_audio_input_over(plain(&heap), "x", give, &g, &input, NULL), RM_OK);
    assert_int_equal(rmi_audio_input_read(input, bytes, sizeof bytes), 25);
    assert_int_equal(rmi_audio_input_failure(input, &err), RM_E_IO);
    assert_string_equal(err.message, "the disk is broken");
    assert_int_equal(rmi_audio_input_skip(input, 5), 0);
    assert_true(rmi_audio_input_size(input) == RMI_AUDIO_UNKNOWN);
    rmi_audio_input_close(input);
    rm_error_clear(&err);
}

static void a_file_goes_to_any_offset_and_a_stream_only_forward(void **unused)
{
    enum { SIZE = 150000 };
    static char content[SIZE];
    char path[512];
    rmt_heap heap;
    uint8_t byte = 0;
    rmi_audio_input *input = NULL;
    (void)unused;
    for (size_t i = 0; i < SIZE; i++)
        content[i] = (char)byte_at(i);
    rmt_write("file", content, SIZE);
    (void)snprintf(path, sizeof path, "%s/file", rmt_directory());
    assert_int_equal(rmi_audio_input_open(plain(&heap), NULL, path, &input, NULL), RM_OK);
    assert_true(rmi_audio_input_size(input) == SIZE);
    static const uint64_t offsets[] = {140000, 5, 70000, 69000, 149999, 0};
    for (size_t i = 0; i < RMT_COUNT(offsets); i++) {
        assert_true(rmi_audio_input_seek(input, offsets[i]));
        assert_true(rmi_audio_input_left(input) == SIZE - offsets[i]);
        assert_int_equal(rmi_audio_input_read(input, &byte, 1), 1);
        assert_int_equal(byte, byte_at(offsets[i]));
    }
    assert_false(rmi_audio_input_seek(input, SIZE + 1));
    assert_true(rmi_audio_input_skip(input, UINT64_MAX) == SIZE - 1);
    assert_int_equal(rmi_audio_input_read(input, &byte, 1), 0);
    rmi_audio_input_close(input);
    giver g = {.piece = 10, .size = SIZE};
    assert_int_equal(rmi_audio_input_over(&heap.allocator, "x", give, &g, &input, NULL), RM_OK);
    assert_false(rmi_audio_input_seek(input, 100));
    assert_true(rmi_audio_input_skip(input, 140000) == 140000);
    assert_int_equal(rmi_audio_input_read(input, &byte, 1), 1);
    assert_int_equal(byte, byte_at(140000));
    rmi_audio_input_close(input);
    static const uint64_t far[] = {UINT64_MAX, UINT64_MAX - 4,
                                   (uint64_t)INT64_MAX + 1}; /* as damaged files have them */
    for (size_t i = 0; i < RMT_COUNT(far); i++) {
        g = (giver){.piece = 4096, .size = SIZE};
        assert_int_equal(rmi_audio_input_over(&heap.allocator, "x", give, &g, &input, NULL), RM_OK);
        assert_int_equal(rmi_audio_input_read(input, &byte, 1), 1);
        assert_true(rmi_audio_input_skip(input, far[i]) == SIZE - 1);
        assert_true(rmi_audio_input_position(input) == SIZE);
        rmi_audio_input_close(input);
    }
    assert_int_equal(heap.live_blocks + heap.mistakes, 0);
}

RMT_MAIN(bytes_come_in_order_whatever_the_pieces, a_failure_is_told_from_the_end,
         a_file_goes_to_any_offset_and_a_stream_only_forward)
