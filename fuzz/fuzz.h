/* Shared by the fuzz targets. A target is a file NAME_fuzz.c that defines rmf_run; harness.c calls it for
 * each input. */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stdint.h>
#include <stdlib.h>

#include "tests/support/heap.h"

/* The rest of an input; borrowed. */
typedef struct rmf_input {
    const uint8_t *data;
    size_t left;
} rmf_input;

/* Handles one input with memory of `heap` only, and frees all of it. Returns an RM_* code; 0 where no single
 * code describes the result. The harness calls it again with a failing allocation, and then expects the same
 * code or RM_E_OUT_OF_MEMORY. */
int rmf_run(rmt_heap *heap, rmf_input input);

/* The next number of an input, little-endian; 0 where the input has ended. */
uint8_t rmf_u8(rmf_input *input);
uint16_t rmf_u16(rmf_input *input);
uint32_t rmf_u32(rmf_input *input);
uint64_t rmf_u64(rmf_input *input);
/* The next `size` bytes, or as many as there are, in a block of exactly their size: a sanitizer then sees a
 * read behind them. Owned: free. */
uint8_t *rmf_bytes(rmf_input *input, size_t *size);
/* The rest of the input, in the same way. */
uint8_t *rmf_rest(rmf_input *input, size_t *size);

/* Ends the process, as a crash does, unless `holds`; the text says what does not. */
void rmf_require(bool holds, const char *format, ...) RM_PRINTF(2, 3);

/* What libFuzzer or replay.c calls. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
