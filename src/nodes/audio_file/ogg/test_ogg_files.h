/* For tests: Ogg files in memory, page by page, and what AudioFileSource reads of them. */
#ifndef NODES_AUDIO_FILE_OGG_TEST_OGG_FILES_H
#define NODES_AUDIO_FILE_OGG_TEST_OGG_FILES_H

#include "tests/support/node_test.h"

#include <ogg/ogg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DATA RMT_SOURCE_DIR "/tests/cases/data/"

enum { MOST_SAMPLES = 1 << 16, MOST_BYTES = 1 << 17, MOST_PAGES = 64, PAGE_HEAD = 27 };

struct audio {
    float samples[MOST_SAMPLES];
    size_t count, frames;
    int32_t channels, sample_rate;
    uint64_t layout;
    int rc;
    char message[512], log[512];
};

/* Reads a file, given with its folder, whole or up to its failure. */
static inline void read_audio(const char *path, const char *more, struct audio *audio)
{
    char params[1024];
    rmt_heap heap;
    rmt_heap_init(&heap, 0);
    (void)snprintf(params, sizeof params, "{\"path\":\"%s\"%s}", path, more);
    const rmt_setup setup = {.type = "AudioFileSource", .params = params};
    rmt_result result = rmt_run(&heap, &setup);
    memset(audio, 0, offsetof(struct audio, rc));
    memset(audio->samples, 0, sizeof audio->samples);
    for (size_t i = 0; i < rm_list_length(result.values); i++) {
        rm_samples part = {0};
        assert_int_equal(rm_samples_of(rm_list_get(result.values, i), &part, NULL), RM_OK);
        if (audio->count + part.count > MOST_SAMPLES)
            break;
        memcpy(audio->samples + audio->count, part.f32, part.count * sizeof *part.f32);
        audio->count += part.count;
        audio->frames += part.frames;
        audio->channels = part.channels;
        audio->sample_rate = part.sample_rate;
        audio->layout = part.channel_layout;
    }
    audio->rc = result.rc;
    (void)snprintf(audio->message, sizeof audio->message, "%s", result.err.message);
    (void)snprintf(audio->log, sizeof audio->log, "%s", result.log);
    rmt_result_clear(&result);
    assert_int_equal(heap.live_blocks + heap.mistakes, 0);
}

/* ---- Files in memory, page by page ------------------------------------------------------------------------- */

struct file {
    uint8_t bytes[MOST_BYTES];
    size_t length, pages, at[MOST_PAGES + 1];
};

static inline size_t page_size(const uint8_t *page)
{
    size_t size = PAGE_HEAD + (size_t)page[26];
    for (size_t i = 0; i < page[26]; i++)
        size += page[PAGE_HEAD + i];
    return size;
}

static inline void find_pages(struct file *file)
{
    file->pages = 0;
    for (size_t at = 0; at < file->length; at += page_size(file->bytes + at)) {
        assert_true(file->pages < MOST_PAGES && memcmp(file->bytes + at, "OggS", 4) == 0);
        file->at[file->pages++] = at;
    }
    file->at[file->pages] = file->length;
}

static inline void load(const char *name, struct file *file)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s%s", DATA, name);
    FILE *from = fopen(path, "rb");
    assert_non_null(from);
    file->length = fread(file->bytes, 1, sizeof file->bytes, from);
    assert_int_equal(fclose(from), 0);
    find_pages(file);
}

static inline uint8_t *page_of(struct file *file, size_t page)
{
    return file->bytes + file->at[page];
}

/* Makes the checksum of a changed page right. */
static inline void seal(uint8_t *page)
{
    ogg_page sealed = {.header = page,
                       .header_len = PAGE_HEAD + page[26],
                       .body = page + PAGE_HEAD + page[26],
                       .body_len = (long)page_size(page) - PAGE_HEAD - page[26]};
    ogg_page_checksum_set(&sealed);
}

static inline int64_t granule_of(const uint8_t *page)
{
    int64_t granule = 0;
    for (int i = 7; i >= 0; i--)
        granule = (int64_t)((uint64_t)granule << 8 | page[6 + i]);
    return granule;
}

static inline void set_granule(uint8_t *page, int64_t granule)
{
    for (int i = 0; i < 8; i++)
        page[6 + i] = (uint8_t)((uint64_t)granule >> 8 * i);
    seal(page);
}

static inline void add(struct file *file, const void *bytes, size_t count)
{
    assert_true(file->length + count <= sizeof file->bytes);
    memcpy(file->bytes + file->length, bytes, count);
    file->length += count;
}

/* Adds a page with one packet of up to 254 bytes. */
static inline void add_page(struct file *file, uint32_t serial, uint32_t number, uint8_t flags,
                            const void *packet, uint8_t size)
{
    uint8_t page[PAGE_HEAD + 1 + 255] = "OggS";
    page[5] = flags;
    memcpy(page + 14, &serial, 4);
    memcpy(page + 18, &number, 4);
    page[26] = 1;
    page[27] = size;
    memcpy(page + 28, packet, size);
    seal(page);
    add(file, page, PAGE_HEAD + 1 + (size_t)size);
}

static inline void read_file(const struct file *file, const char *more, struct audio *audio)
{
    char path[512];
    rmt_write("changed.ogg", (const char *)file->bytes, file->length);
    (void)snprintf(path, sizeof path, "%s/changed.ogg", rmt_directory());
    read_audio(path, more, audio);
}

static struct audio one, other;
static struct file file, second;

static inline void read_data(const char *name, struct audio *audio)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s%s", DATA, name);
    read_audio(path, "", audio);
    if (audio->rc != RM_OK)
        fail_msg("%s: %s", name, audio->message);
}

/* ---- Tests ------------------------------------------------------------------------------------------------- */

/* Makes tone.opus with a page for each of its packets of 960 frames. `first` is the position of its start. */
static inline void make_pages(int64_t first)
{
    load("tone.opus", &second);
    const uint8_t *page = page_of(&second, 2), *packet = page + PAGE_HEAD + page[26];
    const int64_t end = granule_of(page);
    file.length = 0;
    add(&file, second.bytes, second.at[2]);
    for (uint8_t i = 0; i < page[26]; i++) {
        const bool last = i + 1 == page[26];
        const size_t at = file.length;
        assert_true(page[PAGE_HEAD + i] < 255);
        add_page(&file, 3, (uint32_t)i + 2, last ? 4 : 0, packet, page[PAGE_HEAD + i]);
        set_granule(file.bytes + at, first + (last ? end : 960 * (i + 1)));
        packet += page[PAGE_HEAD + i];
    }
    find_pages(&file);
}

static inline void drop_page(size_t page)
{
    const size_t size = file.at[page + 1] - file.at[page];
    memmove(page_of(&file, page), page_of(&file, page + 1), file.length - file.at[page + 1]);
    file.length -= size;
    find_pages(&file);
}

#endif
