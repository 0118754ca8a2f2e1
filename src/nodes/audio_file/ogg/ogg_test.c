/* Ogg files as AudioFileSource reads them: files of encoders, and the same files with their pages changed. */
#include "nodes/audio_file/ogg/test_ogg_files.h"

#include <math.h>

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
         the_last_position_cuts_the_end, the_first_position_cuts_the_start, the_header_of_opus_has_its_way,
         the_first_stream_of_audio_is_taken, what_is_not_read_is_named, large_comments_are_passed_over,
         failed_allocations_are_reported)
