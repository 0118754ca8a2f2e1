/* An audio file: reads some of it as AudioFileSource does, writes these samples as WAV, and reads the same
 * samples back. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz/fuzz.h"
#include "nodes/audio_file/codec.h"

enum { MOST_FRAMES = 1 << 14, MOST_CHANNELS = 254, CHUNKS = 256 };
/* The first byte's choices: the number of channels in its low bits, and: */
enum { CHANNELS = 15, WRITES = 16 };

/* A file in memory. */
typedef struct memory_file {
    int descriptor;
    char path[32];
} memory_file;

static void open_memory(memory_file *file, const char *name)
{
    if (file->descriptor == 0) {
        file->descriptor = memfd_create(name, MFD_CLOEXEC);
        rmf_require(file->descriptor > 0, "no file in memory");
        (void)snprintf(file->path, sizeof file->path, "/proc/self/fd/%d", file->descriptor);
    }
    rmf_require(ftruncate(file->descriptor, 0) == 0, "cannot empty a file in memory");
}

/* Reads frames of the file up to a limit; *read is their number. */
static int read_some(rmi_audio_reader *reader, const rmi_audio_format *format, size_t chunk, float *samples,
                     size_t *read, rm_error *err)
{
    const size_t channels = (size_t)format->channels;
    int rc = RM_OK;
    *read = 0;
    for (int i = 0; rc == RM_OK && i < CHUNKS; i++) {
        size_t got = 0, most = MOST_FRAMES - *read < chunk ? MOST_FRAMES - *read : chunk;
        float *exact = malloc((most * channels + 1) * sizeof *exact);
        rmf_require(exact != NULL, "no memory for samples");
        rc = rmi_audio_reader_read(reader, exact, most, &got, err);
        rmf_require(got <= most, "it read %zu of %zu frames", got, most);
        memcpy(samples + *read * channels, exact, got * channels * sizeof *samples);
        free(exact);
        *read += got;
        if (got == 0 || *read == MOST_FRAMES)
            break;
    }
    return rc;
}

static int write_and_read(const rm_allocator *allocator, const rmi_audio_format *format, const float *samples,
                          size_t frames, rm_error *err)
{
    static memory_file copy;
    static float again[MOST_FRAMES * MOST_CHANNELS];
    rmi_audio_writer *writer = NULL;
    rmi_audio_reader *reader = NULL;
    rmi_audio_format other = {0};
    size_t read = 0;
    open_memory(&copy, "copy");
    int rc = rmi_audio_writer_open(allocator, NULL, copy.path, RMI_AUDIO_FLOAT32, format, &writer, err);
    if (rc == RM_OK)
        rc = rmi_audio_writer_write(writer, samples, frames, err);
    const int closed = rmi_audio_writer_close(writer, rc == RM_OK ? err : NULL);
    rc = rc == RM_OK ? closed : rc;
    if (rc == RM_OK)
        rc = rmi_audio_reader_open(allocator, NULL, copy.path, &other, &reader, err);
    if (rc == RM_OK) {
        rmf_require(other.channels == format->channels && other.sample_rate == format->sample_rate,
                    "it is written as %d channels at %d Hz", other.channels, other.sample_rate);
        rc = read_some(reader, &other, MOST_FRAMES, again, &read, err);
    }
    if (rc == RM_OK)
        rmf_require(read == frames &&
                        memcmp(again, samples, frames * (size_t)format->channels * sizeof *again) == 0,
                    "%zu frames were written, and %zu others are read", frames, read);
    rmi_audio_reader_close(reader);
    return rc;
}

int rmf_run(rmt_heap *heap, rmf_input input)
{
    static memory_file file;
    static float samples[MOST_FRAMES * MOST_CHANNELS];
    static const int32_t rates[] = {0, 8000, 1000, 44100, 384000, 11025, 48000, 7919};
    const unsigned choices = rmf_u8(&input), rate = rmf_u8(&input);
    const size_t chunk = 1 + 8 * (size_t)rmf_u8(&input);
    rmi_audio_format format = {.channels = (choices & CHANNELS) <= 8 ? (int32_t)(choices & CHANNELS) : 0,
                               .sample_rate = rates[rate & 7]};
    rmi_audio_reader *reader = NULL;
    rm_error err = {0};
    size_t read = 0;
    open_memory(&file, "audio");
    rmf_require(pwrite(file.descriptor, input.data, input.left, 0) == (ssize_t)input.left, "cannot write");
    int rc = rmi_audio_reader_open(&heap->allocator, NULL, file.path, &format, &reader, &err);
    if (rc == RM_OK) {
        rmf_require(format.channels > 0 && format.channels <= MOST_CHANNELS && format.sample_rate > 0,
                    "it has %d channels at %d Hz", format.channels, format.sample_rate);
        rc = read_some(reader, &format, chunk, samples, &read, &err);
    }
    rmi_audio_reader_close(reader);
    if (rc == RM_OK && (choices & WRITES) != 0)
        rc = write_and_read(&heap->allocator, &format, samples, read, &err);
    rmf_require(rc == err.code, "it answers %d and says %d", rc, err.code);
    rm_error_clear(&err);
    return rc;
}
