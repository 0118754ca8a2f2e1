/* Ogg files as AudioFileSource reads them: files of encoders, and the same files with their pages changed. */
#include "tests/support/node_test.h"

#include <math.h>
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
static void read_audio(const char *path, const char *more, struct audio *audio)
{
    char params[512];
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

static size_t page_size(const uint8_t *page)
{
    size_t size = PAGE_HEAD + (size_t)page[26];
    for (size_t i = 0; i < page[26]; i++)
        size += page[PAGE_HEAD + i];
    return size;
}

static void find_pages(struct file *file)
{
    file->pages = 0;
    for (size_t at = 0; at < file->length; at += page_size(file->bytes + at)) {
        assert_true(file->pages < MOST_PAGES && memcmp(file->bytes + at, "OggS", 4) == 0);
        file->at[file->pages++] = at;
    }
    file->at[file->pages] = file->length;
}

static void load(const char *name, struct file *file)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s%s", DATA, name);
    FILE *from = fopen(path, "rb");
    assert_non_null(from);
    file->length = fread(file->bytes, 1, sizeof file->bytes, from);
    assert_int_equal(fclose(from), 0);
    find_pages(file);
}

static uint8_t *page_of(struct file *file, size_t page)
{
    return file->bytes + file->at[page];
}

/* Makes the checksum of a changed page right. */
static void seal(uint8_t *page)
{
    ogg_page sealed = {.header = page,
                       .header_len = PAGE_HEAD + page[26],
                       .body = page + PAGE_HEAD + page[26],
                       .body_len = (long)page_size(page) - PAGE_HEAD - page[26]};
    ogg_page_checksum_set(&sealed);
}

static int64_t granule_of(const uint8_t *page)
{
    int64_t granule = 0;
    for (int i = 7; i >= 0; i--)
        granule = (int64_t)((uint64_t)granule << 8 | page[6 + i]);
    return granule;
}

static void set_granule(uint8_t *page, int64_t granule)
{
    for (int i = 0; i < 8; i++)
        page[6 + i] = (uint8_t)((uint64_t)granule >> 8 * i);
    seal(page);
}

static void add(struct file *file, const void *bytes, size_t count)
{
    assert_true(file->length + count <= sizeof file->bytes);
    memcpy(file->bytes + file->length, bytes, count);
    file->length += count;
}

/* Adds a page with one packet of up to 254 bytes. */
static void add_page(struct file *file, uint32_t serial, uint32_t number, uint8_t flags, const void *packet,
                     uint8_t size)
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

static void read_file(const struct file *file, const char *more, struct audio *audio)
{
    char path[512];
    rmt_write("changed.ogg", (const char *)file->bytes, file->length);
    (void)snprintf(path, sizeof path, "%s/changed.ogg", rmt_directory());
    read_audio(path, more, audio);
}

static struct audio one, other;
static struct file file, second;

static void read_data(const char *name, struct audio *audio)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s%s", DATA, name);
    read_audio(path, "", audio);
    if (audio->rc != RM_OK)
        fail_msg("%s: %s", name, audio->message);
}

/* ---- Tests ------------------------------------------------------------------------------------------------- */

static double rms(const struct audio *audio, int32_t channel)
{
    double sum = 0.0;
    for (size_t i = 0; i < audio->frames; i++) {
        const double sample = audio->samples[i * (size_t)audio->channels + (size_t)channel];
        sum += sample * sample;
    }
    return sqrt(sum / (double)audio->frames);
}

/* Each channel has a size of its own, told in the order of the WAV mask; the encoders filter the LFE. */
static void every_codec_is_read_with_its_channels_in_order(void **unused)
{
    static const struct {
        const char *name;
        size_t frames;
        int32_t channels, sample_rate;
        uint64_t layout;
        double sizes[8];
    } cases[] = {
        {"tone.ogg", 800, 1, 8000, 0x4, {0.5}},
        {"tone.opus", 4800, 1, 48000, 0x4, {0.5}},
        {"tone.oga", 800, 1, 8000, 0x4, {0.5}},
        {"surround.ogg", 400, 6, 8000, 0x3f, {0.5, 0.4, 0.3, 0.2, 0.1, 0.05}},
        {"coupled.ogg", 2400, 6, 48000, 0x3f, {0.5, 0.4, 0.3, 0.0, 0.1, 0.05}},
        {"seven.ogg", 400, 7, 8000, 0x70f, {0.5, 0.4, 0.3, 0.2, 0.1, 0.05, 0.25}},
        {"eight.opus", 2400, 8, 48000, 0x63f, {0.5, 0.4, 0.3, 0.0, 0.1, 0.05, 0.25, 0.15}},
    };
    (void)unused;
    for (size_t i = 0; i < RMT_COUNT(cases); i++) {
        read_data(cases[i].name, &one);
        assert_int_equal(one.frames, cases[i].frames);
        assert_int_equal(one.channels, cases[i].channels);
        assert_int_equal(one.sample_rate, cases[i].sample_rate);
        assert_true(one.layout == cases[i].layout);
        for (int32_t c = 0; c < one.channels; c++) {
            const double size = rms(&one, c) * sqrt(2.0);
            if (cases[i].sizes[c] != 0.0 ? fabs(size / cases[i].sizes[c] - 1.0) > 0.05 : size > 0.1)
                fail_msg("%s: channel %d has the size %g", cases[i].name, (int)c, size);
        }
    }
}

static void flac_in_ogg_is_exact(void **unused)
{
    (void)unused;
    read_data("tone.oga", &one);
    read_data("tone.wav", &other);
    assert_int_equal(one.count, other.count);
    assert_memory_equal(one.samples, other.samples, one.count * sizeof *one.samples);
}

static void all_links_of_a_chain_are_read(void **unused)
{
    static const char *const names[] = {"tone.ogg", "tone.opus", "tone.oga"};
    (void)unused;
    for (size_t i = 0; i < RMT_COUNT(names); i++) {
        read_data(names[i], &one);
        load(names[i], &file);
        load(names[i], &second);
        add(&file, second.bytes, second.length);
        add(&file, second.bytes, second.length);
        read_file(&file, "", &other);
        assert_int_equal(other.rc, RM_OK);
        assert_int_equal(other.frames, 3 * one.frames);
        for (size_t link = 0; link < 3; link++)
            assert_memory_equal(other.samples + link * one.count, one.samples,
                                one.count * sizeof *one.samples);
    }
}

static void a_link_of_another_format_is_an_error_or_converted(void **unused)
{
    (void)unused;
    load("tone.oga", &file);
    load("tone.opus", &second);
    add(&file, second.bytes, second.length);
    read_file(&file, "", &one);
    assert_int_equal(one.rc, RM_E_VALUE);
    assert_int_equal(one.frames, 800);
    assert_non_null(
        strstr(one.message, "from 8000 Hz, 1 channel(s) to 48000 Hz, 1 channel(s) after 0.100 s"));
    read_file(&file, ",\"sample_rate\":16000", &one);
    assert_int_equal(one.rc, RM_OK);
    assert_int_equal(one.frames, 3200);
    load("tone.ogg", &file);
    load("surround.ogg", &second);
    add(&file, second.bytes, second.length);
    read_file(&file, ",\"channels\":1", &one);
    assert_int_equal(one.rc, RM_OK);
    assert_int_equal(one.frames, 1200);
    load("tone.ogg", &file);
    add_page(&file, 9, 0, 2, "Speex   1.2", 11);
    read_file(&file, "", &one);
    assert_int_equal(one.rc, RM_E_UNSUPPORTED);
    assert_int_equal(one.frames, 800);
}

/* Makes tone.opus with a page for each of its packets of 960 frames. `first` is the position of its start. */
static void make_pages(int64_t first)
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

static void drop_page(size_t page)
{
    const size_t size = file.at[page + 1] - file.at[page];
    memmove(page_of(&file, page), page_of(&file, page + 1), file.length - file.at[page + 1]);
    file.length -= size;
    find_pages(&file);
}

/* A recording of a broadcast has headers from its start, and then pages from the middle. */
static void positions_may_start_anywhere(void **unused)
{
    (void)unused;
    read_data("tone.opus", &one);
    for (int64_t first = 0; first < INT64_C(4000000000); first += INT64_C(1234567890)) {
        make_pages(first);
        read_file(&file, "", &other);
        assert_int_equal(other.rc, RM_OK);
        assert_int_equal(other.count, one.count);
        assert_memory_equal(other.samples, one.samples, one.count * sizeof *one.samples);
    }
    make_pages(4800000);
    for (size_t i = 2; i < file.pages; i++) { /* 1,024 pages before them were sent to others */
        page_of(&file, i)[19] += 4;
        seal(page_of(&file, i));
    }
    drop_page(2);
    drop_page(2);
    read_file(&file, "", &other);
    assert_int_equal(other.rc, RM_OK);
    assert_int_equal(other.frames, one.frames - 2 * (size_t)960);
    assert_non_null(strstr(other.log, "begins in the middle of a broadcast: 1026 pages before that"));
}

static void set_serial(struct file *in, uint8_t serial)
{
    for (size_t i = 0; i < in->pages; i++) {
        page_of(in, i)[14] = serial;
        seal(page_of(in, i));
    }
}

/* Every page of the file left out, and with a wrong bit at many places: all samples, or an error. */
static void check_each_page(const char *name)
{
    static struct file whole;
    whole = file;
    read_file(&whole, "", &one);
    assert_int_equal(one.rc, RM_OK);
    for (size_t page = 0; page < whole.pages; page++)
        for (size_t at = 0; at < whole.at[page + 1] - whole.at[page]; at += 1 + at / 9) {
            file = whole;
            if (at == 0)
                drop_page(page);
            else
                file.bytes[whole.at[page] + at] ^= (uint8_t)(1 << at % 8);
            read_file(&file, "", &other);
            const bool same = other.count == one.count &&
                              memcmp(other.samples, one.samples, one.count * sizeof *one.samples) == 0;
            if (other.rc != RM_E_PARSE && (other.rc != RM_OK || !same))
                fail_msg("%s, page %zu, byte %zu: %s %s, %zu of %zu frames", name, page, at,
                         rm_code_name(other.rc), other.message, other.frames, one.frames);
        }
}

static void no_page_is_missed_in_silence(void **unused)
{
    static const char *const names[] = {"tone.ogg", "tone.opus", "tone.oga", "eight.opus", "seven.ogg"};
    (void)unused;
    for (size_t i = 0; i < RMT_COUNT(names); i++) {
        load(names[i], &file);
        check_each_page(names[i]);
    }
    make_pages(0);
    check_each_page("a page a packet");
    for (uint8_t serial = 7; serial < 9; serial++) { /* links with one number, and with two */
        load("tone.ogg", &file);
        load("tone.ogg", &second);
        set_serial(&file, 7);
        set_serial(&second, serial);
        add(&file, second.bytes, second.length);
        find_pages(&file);
        check_each_page("a chain");
    }
}

/* What stands in the place of the comments is read as what it is. */
static void without_comments_nothing_else_is_lost(void **unused)
{
    (void)unused;
    make_pages(0);
    read_file(&file, "", &one);
    drop_page(1);
    read_file(&file, "", &other);
    assert_int_equal(other.rc, RM_E_PARSE);
    assert_non_null(strstr(other.message, "is damaged: parts are missing, the first after 0.000 s"));
    assert_int_equal(other.count, one.count);
    assert_memory_equal(other.samples, one.samples, one.count * sizeof *one.samples);
}

static void the_last_position_cuts_the_end(void **unused)
{
    static const char *const names[] = {"tone.ogg", "tone.opus"};
    (void)unused;
    for (size_t i = 0; i < RMT_COUNT(names); i++) {
        load(names[i], &file);
        read_file(&file, "", &one);
        uint8_t *page = page_of(&file, file.pages - 1);
        set_granule(page, granule_of(page) - 123);
        read_file(&file, "", &other);
        assert_int_equal(other.rc, RM_OK);
        assert_int_equal(other.frames, one.frames - 123);
        assert_memory_equal(other.samples, one.samples, other.count * sizeof *one.samples);
    }
}

/* Of a first page that is not the last, frames before the position 0 are left out. */
static void the_first_position_cuts_the_start(void **unused)
{
    (void)unused;
    load("tone.ogg", &file);
    uint8_t *page = page_of(&file, file.pages - 1);
    set_granule(page, 1000000); /* cuts nothing */
    read_file(&file, "", &one);
    assert_true(one.frames > 800);
    page[5] &= (uint8_t)~4;
    set_granule(page, 700);
    read_file(&file, "", &other);
    assert_int_equal(other.rc, RM_E_PARSE); /* its last page is missing */
    assert_int_equal(other.frames, 700);
    assert_memory_equal(other.samples, one.samples + one.frames - 700, 700 * sizeof *one.samples);
}

static void the_header_of_opus_has_its_way(void **unused)
{
    (void)unused;
    load("tone.opus", &file);
    read_file(&file, "", &one);
    uint8_t *head = page_of(&file, 0);
    uint8_t *packet = head + PAGE_HEAD + head[26];
    const unsigned pre_skip = packet[10] | (unsigned)packet[11] << 8;
    packet[10] = (uint8_t)(pre_skip + 100);
    packet[11] = (uint8_t)((pre_skip + 100) >> 8);
    packet[16] = 0; /* gain: 1536 / 256 = 6 dB */
    packet[17] = 6;
    seal(head);
    read_file(&file, "", &other);
    assert_int_equal(other.rc, RM_OK);
    assert_int_equal(other.frames, one.frames - 100);
    const double factor = pow(10.0, 6.0 / 20.0);
    for (size_t i = 0; i < other.frames; i++)
        assert_true(fabs(other.samples[i] - factor * one.samples[i + 100]) < 1e-5);
    packet[18] = 3; /* a channel mapping family */
    seal(head);
    read_file(&file, "", &other);
    assert_int_equal(other.rc, RM_E_UNSUPPORTED);
    assert_non_null(strstr(other.message, "channel mapping family 3"));
}

/* A file of a film: the pages of its pictures among those of its sound. */
static void the_first_stream_of_audio_is_taken(void **unused)
{
    (void)unused;
    load("tone.ogg", &second);
    read_file(&second, "", &one);
    file.length = 0;
    add_page(&file, 77, 0, 2, "\x80theora\3\2\1", 10);
    add(&file, page_of(&second, 0), second.at[1]);
    add_page(&file, 78, 0, 2, "Speex   1.2", 11);
    add_page(&file, 79, 0, 2, "OpusHead\1\1\0\0\0\0\0\0\0\0\0", 19);
    for (size_t i = 1; i < second.pages; i++) {
        add_page(&file, 77, (uint32_t)i, 0, "picture", 7);
        add(&file, page_of(&second, i), second.at[i + 1] - second.at[i]);
        add_page(&file, 79, (uint32_t)i, 0, "sound", 5);
    }
    add_page(&file, 77, 20, 4, "picture", 7);
    read_file(&file, "", &other);
    assert_int_equal(other.rc, RM_OK);
    assert_int_equal(other.count, one.count);
    assert_memory_equal(other.samples, one.samples, one.count * sizeof *one.samples);
    assert_non_null(strstr(other.log, "has several streams of audio; the first one is read"));
}

static void what_is_not_read_is_named(void **unused)
{
    static const struct {
        const char *first, *second, *message;
        int rc;
    } cases[] = {
        {"Speex   1.2", NULL, "is Speex in Ogg, which is not read", RM_E_UNSUPPORTED},
        {"\x80theora", "Speex   1.2", "is Speex in Ogg, which is not read", RM_E_UNSUPPORTED},
        {"\x80theora", NULL, "is Theora in Ogg without audio, which is not read", RM_E_UNSUPPORTED},
        {"what?", NULL, "is an unknown codec in Ogg, which is not read", RM_E_UNSUPPORTED},
        {"OpusHead", NULL, "is not a sound Opus file: its first header is damaged", RM_E_PARSE},
        {"\1vorbis", NULL, "is not a sound Vorbis file: its first header is damaged", RM_E_PARSE},
    };
    (void)unused;
    for (size_t i = 0; i < RMT_COUNT(cases); i++) {
        file.length = 0;
        add_page(&file, 1, 0, 2, cases[i].first, (uint8_t)strlen(cases[i].first));
        if (cases[i].second != NULL)
            add_page(&file, 2, 0, 2, cases[i].second, (uint8_t)strlen(cases[i].second));
        read_file(&file, "", &one);
        if (one.rc != cases[i].rc || strstr(one.message, cases[i].message) == NULL)
            fail_msg("%s: %s", cases[i].first, one.message);
    }
    load("tone.ogg", &file);
    memmove(file.bytes, file.bytes + file.at[1], file.length - file.at[1]);
    file.length -= file.at[1];
    read_file(&file, "", &one);
    assert_int_equal(one.rc, RM_E_PARSE);
    assert_non_null(strstr(one.message, "is not a sound Ogg file: no stream begins in it"));
}

/* Wherever a file is cut, it gives what is there and fails. */
static void a_cut_file_never_passes(void **unused)
{
    static const char *const names[] = {"tone.ogg", "tone.opus", "tone.oga"};
    (void)unused;
    for (size_t i = 0; i < RMT_COUNT(names); i++) {
        load(names[i], &file);
        const size_t whole = file.length;
        read_file(&file, "", &one);
        for (file.length = whole - 1; file.length > 3; file.length -= file.length > 600 ? 7 : 1) {
            read_file(&file, "", &other);
            if (other.rc != RM_E_PARSE)
                fail_msg("%s, %zu bytes: %s %s", names[i], file.length, rm_code_name(other.rc),
                         other.message);
        }
    }
    load("tone.ogg", &file); /* also in its second link */
    load("tone.ogg", &second);
    add(&file, second.bytes, 40);
    read_file(&file, "", &one);
    assert_int_equal(one.rc, RM_E_PARSE);
    assert_int_equal(one.frames, 800);
}

/* A changed bit makes its page's checksum wrong: the page is missed. */
static void damage_is_told_behind_all_that_can_be_read(void **unused)
{
    (void)unused;
    read_data("tone.opus", &one);
    for (int changed = 0; changed < 2; changed++) {
        make_pages(0);
        if (changed)
            file.bytes[file.at[5] + 50] ^= 1;
        else
            drop_page(5);
        read_file(&file, "", &other);
        assert_int_equal(other.rc, RM_E_PARSE);
        assert_int_equal(other.frames, one.frames - 960);
        assert_non_null(strstr(other.message, "is damaged: parts are missing, the first after 0.0"));
        assert_memory_equal(other.samples, one.samples, 2500 * sizeof *one.samples);
    }
    make_pages(0);
    drop_page(file.pages - 1);
    read_file(&file, "", &other);
    assert_int_equal(other.rc, RM_E_PARSE);
    assert_non_null(strstr(other.message, "is cut off: its last page is missing"));
}

/* Tags with a picture in them take neither time nor memory: they are passed over. */
static void large_comments_are_passed_over(void **unused)
{
    enum { PAGES = 90 };
    static struct file large;
    static uint8_t page[PAGE_HEAD + 255 + 255 * 255] = "OggS";
    char path[512];
    (void)unused;
    load("tone.ogg", &large);
    read_file(&large, "", &one);
    uint8_t *head = page_of(&large, 1); /* comments and set-up; here each gets pages of its own */
    const size_t comment = head[PAGE_HEAD];
    FILE *to;
    (void)snprintf(path, sizeof path, "%s/large.ogg", rmt_directory());
    to = fopen(path, "wb");
    assert_non_null(to);
    assert_int_equal(fwrite(large.bytes, 1, large.at[1], to), large.at[1]);
    memcpy(page + 14, head + 14, 4);
    page[26] = 255;
    memset(page + PAGE_HEAD, 255, 255);
    memcpy(page + PAGE_HEAD + 255, "\3vorbis", 7);
    for (int i = 0; i < PAGES; i++) {
        page[5] = i != 0;
        page[18] = (uint8_t)(i + 1);
        page[PAGE_HEAD + 254] = i == PAGES - 1 ? 0 : 255;
        memset(page + 6, i == PAGES - 1 ? 0 : 255, 8);
        seal(page);
        assert_int_equal(fwrite(page, 1, page_size(page), to), page_size(page));
    }
    /* the second page without its comments, numbered on */
    const size_t lacing = (size_t)head[26] - 1;
    uint8_t *rest = head + 1;
    memmove(rest, head, PAGE_HEAD);
    rest[26] = (uint8_t)lacing;
    memmove(rest + PAGE_HEAD + lacing, rest + PAGE_HEAD + lacing + comment,
            large.at[2] - large.at[1] - PAGE_HEAD - 1 - lacing - comment);
    rest[18] = PAGES + 1;
    seal(rest);
    assert_int_equal(fwrite(rest, 1, page_size(rest), to), page_size(rest));
    uint8_t *last = page_of(&large, 2);
    last[18] = PAGES + 2;
    seal(last);
    assert_int_equal(fwrite(last, 1, page_size(last), to), page_size(last));
    assert_int_equal(fclose(to), 0);
    read_audio(path, "", &other);
    assert_int_equal(other.rc, RM_OK);
    assert_int_equal(other.count, one.count);
    assert_memory_equal(other.samples, one.samples, one.count * sizeof *one.samples);
}

/* Each byte of the headers changed, with right checksums: any answer, but no fault. */
static void damaged_headers_are_no_crash(void **unused)
{
    static const char *const names[] = {"tone.ogg", "tone.opus", "tone.oga", "eight.opus"};
    static const uint8_t changes[] = {0xff, 0x01, 0x80};
    (void)unused;
    for (size_t i = 0; i < RMT_COUNT(names); i++) {
        load(names[i], &file);
        const size_t end = file.at[2] < 1200 ? file.at[2] : 1200;
        for (size_t at = 0; at < end; at++) {
            const size_t page = at < file.at[1] ? 0 : 1;
            if (at - file.at[page] < PAGE_HEAD + (size_t)page_of(&file, page)[26])
                continue;
            const uint8_t was = file.bytes[at];
            file.bytes[at] ^= changes[at % RMT_COUNT(changes)];
            seal(page_of(&file, page));
            read_file(&file, "", &one);
            assert_true(one.rc == RM_OK || one.rc == RM_E_PARSE || one.rc == RM_E_LIMIT ||
                        one.rc == RM_E_UNSUPPORTED);
            file.bytes[at] = was;
        }
    }
}

static void failed_allocations_are_reported(void **unused)
{
    (void)unused;
    const rmt_case cases[] = {
        {"Vorbis", .type = "AudioFileSource", .params = "{\"path\":\"" DATA "tone.ogg\"}"},
        {"Opus", .type = "AudioFileSource", .params = "{\"path\":\"" DATA "tone.opus\"}"},
        {"FLAC", .type = "AudioFileSource", .params = "{\"path\":\"" DATA "tone.oga\"}"},
        {"a chain", .type = "AudioFileSource", .params = "{\"path\":\"{DIR}/chain.ogg\"}"},
    };
    load("tone.ogg", &file);
    load("tone.ogg", &second);
    add(&file, second.bytes, second.length);
    rmt_write("chain.ogg", (const char *)file.bytes, file.length);
    rmt_check(cases, RMT_COUNT(cases));
}

RMT_MAIN(every_codec_is_read_with_its_channels_in_order, flac_in_ogg_is_exact, all_links_of_a_chain_are_read,
         a_link_of_another_format_is_an_error_or_converted, positions_may_start_anywhere,
         no_page_is_missed_in_silence, without_comments_nothing_else_is_lost, the_last_position_cuts_the_end,
         the_first_position_cuts_the_start, the_header_of_opus_has_its_way,
         the_first_stream_of_audio_is_taken, what_is_not_read_is_named, a_cut_file_never_passes,
         damage_is_told_behind_all_that_can_be_read, large_comments_are_passed_over,
         damaged_headers_are_no_crash, failed_allocations_are_reported)
