/* An Ogg file whose pages have their checksums made right, so that what is wrong in them is not passed over:
 * reads some of it as AudioFileSource does. The first byte is the size of the chunks. */
#include <ogg/ogg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz/fuzz.h"
#include "nodes/audio_file/codec.h"

enum { MOST_FRAMES = 1 << 16, CHUNKS = 512, PAGE_HEAD = 27 };

static void seal_pages(uint8_t *bytes, size_t size)
{
    for (size_t at = 0; size - at >= PAGE_HEAD; at++) {
        uint8_t *head = bytes + at;
        const size_t segments = head[PAGE_HEAD - 1];
        size_t body = 0;
        if (memcmp(head, "OggS", 4) != 0 || size - at < PAGE_HEAD + segments)
            continue;
        for (size_t i = 0; i < segments; i++)
            body += head[PAGE_HEAD + i];
        if (size - at - PAGE_HEAD - segments < body)
            continue;
        ogg_page page = {.header = head,
                         .header_len = (long)(PAGE_HEAD + segments),
                         .body = head + PAGE_HEAD + segments,
                         .body_len = (long)body};
        ogg_page_checksum_set(&page);
        at += PAGE_HEAD + segments + body - 1;
    }
}

int rmf_run(rmt_heap *heap, rmf_input input)
{
    static int descriptor;
    static char path[32];
    const size_t chunk = 1 + (size_t)rmf_u8(&input);
    size_t size = 0, all = 0, got = 1;
    uint8_t *bytes = rmf_rest(&input, &size);
    rmi_audio_format format = {0};
    rmi_audio_reader *reader = NULL;
    rm_error err = {0};
    if (descriptor == 0) {
        descriptor = memfd_create("ogg", MFD_CLOEXEC);
        rmf_require(descriptor > 0, "no file in memory");
        (void)snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    }
    seal_pages(bytes, size);
    rmf_require(ftruncate(descriptor, 0) == 0 && pwrite(descriptor, bytes, size, 0) == (ssize_t)size,
                "cannot write");
    free(bytes);
    int rc = rmi_audio_reader_open(&heap->allocator, NULL, path, &format, &reader, &err);
    for (int i = 0; rc == RM_OK && got != 0 && all < MOST_FRAMES && i < CHUNKS; i++) {
        float *samples = malloc(chunk * (size_t)format.channels * sizeof *samples);
        rmf_require(samples != NULL, "no memory for samples");
        rc = rmi_audio_reader_read(reader, samples, chunk, &got, &err);
        rmf_require(got <= chunk, "it read %zu of %zu frames", got, chunk);
        free(samples);
        all += got;
    }
    rmi_audio_reader_close(reader);
    rmf_require(rc == err.code, "it answers %d and says %d", rc, err.code);
    rm_error_clear(&err);
    return rc;
}
