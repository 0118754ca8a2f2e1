/* Audio files as float32 frames. Only this codec uses decoding libraries, and nothing of them shows here. */
#ifndef NODES_AUDIO_FILE_CODEC_H
#define NODES_AUDIO_FILE_CODEC_H

#include "nodes/audio_support/sample_format.h"
#include "remotemedia/node.h"

/* The most channels of a file. */
enum { RMI_AUDIO_MOST_CHANNELS = 254 };

typedef struct rmi_audio_format {
    int32_t channels, sample_rate;
    uint64_t channel_layout; /* 0: the usual one for the count */
} rmi_audio_format;

/* Reads WAV, AIFF, FLAC, MP3 and Ogg. */
typedef struct rmi_audio_reader rmi_audio_reader;
/* Opens `path` ("-": standard input). `format` is the wanted format (0: the file's) and then the actual one.
 * `node` gets warnings, and may be NULL. *out is owned. RM_E_NOT_FOUND, RM_E_IO, RM_E_PARSE, RM_E_UNSUPPORTED with
 * the path and the reason. */
RM_MUST_CHECK int rmi_audio_reader_open(const rm_allocator *allocator, rm_node *node, const char *path,
                                        rmi_audio_format *format, rmi_audio_reader **out, rm_error *err);
/* Reads up to `frames` interleaved frames; *got is less only at the end. RM_E_PARSE where the file ends too
 * early: after all readable frames. */
RM_MUST_CHECK int rmi_audio_reader_read(rmi_audio_reader *reader, float *samples, size_t frames, size_t *got,
                                        rm_error *err);
void rmi_audio_reader_close(rmi_audio_reader *reader);

typedef enum rmi_audio_encoding { RMI_AUDIO_PCM16, RMI_AUDIO_PCM24, RMI_AUDIO_FLOAT32 } rmi_audio_encoding;

/* Writes WAV. */
typedef struct rmi_audio_writer rmi_audio_writer;
/* Creates or replaces `path`; "-" is the run's standard output. `node` may be NULL. *out is owned.
 * RM_E_NOT_FOUND, RM_E_IO, RM_E_USAGE, RM_E_CANCELLED. */
RM_MUST_CHECK int rmi_audio_writer_open(const rm_allocator *allocator, rm_node *node, const char *path,
                                        rmi_audio_encoding encoding, const rmi_audio_format *format,
                                        rmi_audio_writer **out, rm_error *err);
/* Writes interleaved frames, clipped to full scale (NaN: silence); float32 is not clipped. RM_E_LIMIT past
 * the 4 GiB of a WAV file. */
RM_MUST_CHECK int rmi_audio_writer_write(rmi_audio_writer *writer, const float *samples, size_t frames,
                                         rm_error *err);
/* How samples became integers so far, and what did not fit; borrowed. */
const rmi_quantiser *rmi_audio_writer_counts(const rmi_audio_writer *writer);
/* Completes the file and frees the writer; RM_E_IO when not all bytes were written. NULL is fine. */
RM_MUST_CHECK int rmi_audio_writer_close(rmi_audio_writer *writer, rm_error *err);

#endif
