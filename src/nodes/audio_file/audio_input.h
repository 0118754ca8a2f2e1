/* The bytes of an audio file, from front to back, with some of them ahead. Works on files, pipes and whatever
 * else gives bytes; nothing but an explicit seek needs a file that can seek. */
#ifndef NODES_AUDIO_FILE_AUDIO_INPUT_H
#define NODES_AUDIO_FILE_AUDIO_INPUT_H

#include "remotemedia/node.h"

/* As many bytes can be looked at ahead. */
enum { RMI_AUDIO_AHEAD = 64 * 1024 };
/* A size or a length that is not known. */
#define RMI_AUDIO_UNKNOWN UINT64_MAX

/* Reads up to `wanted` > 0 bytes; *got is 0 only at the end. A failure is described in `err`. */
typedef int rmi_audio_fill(void *context, uint8_t *bytes, size_t wanted, size_t *got, rm_error *err);

/* A failure to read counts as the end of the file; rmi_audio_input_failure tells the two apart. */
typedef struct rmi_audio_input rmi_audio_input;

/* Opens the file, FIFO or device `path`; "-" and "/dev/stdin" are the run's standard input. `node` may be
 * NULL: then only files. *out is owned. RM_E_NOT_FOUND, RM_E_IO, RM_E_USAGE, RM_E_CANCELLED. */
RM_MUST_CHECK int rmi_audio_input_open(const rm_allocator *allocator, rm_node *node, const char *path,
                                       rmi_audio_input **out, rm_error *err);
/* Makes an input over another one, or over memory: a stream inside a container. `name` (copied) is for
 * messages. *out is owned; `context` stays the caller's. */
RM_MUST_CHECK int rmi_audio_input_over(const rm_allocator *allocator, const char *name, rmi_audio_fill *fill,
                                       void *context, rmi_audio_input **out, rm_error *err);
/* NULL is fine. */
void rmi_audio_input_close(rmi_audio_input *input);

/* The file's name as given, for messages; borrowed. */
const char *rmi_audio_input_name(const rmi_audio_input *input);
const rm_allocator *rmi_audio_input_allocator(const rmi_audio_input *input);

/* The next bytes, without taking them: at least `wanted` (up to RMI_AUDIO_AHEAD), fewer only where the file
 * ends. Returns how many there are; *bytes is borrowed until the next call. */
size_t rmi_audio_input_peek(rmi_audio_input *input, size_t wanted, const uint8_t **bytes);
/* Takes `count` bytes, which a peek has shown. */
void rmi_audio_input_take(rmi_audio_input *input, size_t count);
/* Copies and takes the next bytes; fewer than `wanted` only where the file ends. */
size_t rmi_audio_input_read(rmi_audio_input *input, void *bytes, size_t wanted);
/* Goes forward; returns how many bytes there were to pass. */
uint64_t rmi_audio_input_skip(rmi_audio_input *input, uint64_t count);
/* Goes to an offset from the start; false, with nothing changed, where the input cannot. Back to what a peek
 * has shown and no later call has dropped: always. */
bool rmi_audio_input_seek(rmi_audio_input *input, uint64_t offset);

/* The offset of the next byte from the start. */
uint64_t rmi_audio_input_position(const rmi_audio_input *input);
/* The bytes of the file, or RMI_AUDIO_UNKNOWN for a pipe. */
uint64_t rmi_audio_input_size(const rmi_audio_input *input);
/* The bytes behind the next one of a file whose size is known; else RMI_AUDIO_UNKNOWN. */
uint64_t rmi_audio_input_left(const rmi_audio_input *input);

/* RM_OK, or why reading stopped before the end of the file. */
RM_MUST_CHECK int rmi_audio_input_failure(const rmi_audio_input *input, rm_error *err);

static inline uint32_t rmi_little16(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8;
}
static inline uint32_t rmi_little32(const uint8_t *bytes)
{
    return rmi_little16(bytes) | rmi_little16(bytes + 2) << 16;
}
static inline uint64_t rmi_little64(const uint8_t *bytes)
{
    return rmi_little32(bytes) | (uint64_t)rmi_little32(bytes + 4) << 32;
}
static inline uint32_t rmi_big16(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 8 | bytes[1];
}
static inline uint32_t rmi_big32(const uint8_t *bytes)
{
    return rmi_big16(bytes) << 16 | rmi_big16(bytes + 2);
}
static inline uint64_t rmi_big64(const uint8_t *bytes)
{
    return (uint64_t)rmi_big32(bytes) << 32 | rmi_big32(bytes + 4);
}

#endif
