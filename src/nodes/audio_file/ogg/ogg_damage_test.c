/* Ogg files that are cut off or damaged: what is lost is told. */
#include "nodes/audio_file/ogg/test_ogg_files.h"

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

/* Puts the page in a second time, behind itself. */
static void double_page(size_t page)
{
    const size_t at = file.at[page + 1], size = at - file.at[page];
    assert_true(file.length + size <= sizeof file.bytes);
    memmove(file.bytes + at + size, file.bytes + at, file.length - at);
    memcpy(file.bytes + at, file.bytes + at - size, size);
    file.length += size;
}

static void a_doubled_page_is_told_and_passed(void **unused)
{
    static const char *const names[] = {"tone.ogg", "tone.opus", "tone.oga", "a page a packet"};
    static struct file whole;
    (void)unused;
    for (size_t i = 0; i < RMT_COUNT(names); i++) {
        make_pages(0);
        if (i < 3)
            load(names[i], &file);
        whole = file;
        read_file(&whole, "", &one);
        for (size_t page = 0; page < whole.pages; page++) {
            file = whole;
            double_page(page);
            read_file(&file, "", &other);
            if (other.rc != RM_E_PARSE ||
                strstr(other.message, "pages are doubled or out of order") == NULL || other.log[0] != '\0' ||
                other.count != one.count ||
                memcmp(other.samples, one.samples, one.count * sizeof *one.samples) != 0)
                fail_msg("%s, page %zu: %s, %zu of %zu frames, %s", names[i], page, other.message,
                         other.frames, one.frames, other.log);
        }
    }
}

/* Page numbers that go back are no broadcast. */
static void page_numbers_never_go_back(void **unused)
{
    (void)unused;
    make_pages(0);
    read_file(&file, "", &one);
    for (uint32_t first = 0; first < 2; first++) {
        make_pages(0);
        for (uint32_t page = 2; page < file.pages; page++) {
            const uint32_t number = page - 2 + first;
            memcpy(page_of(&file, page) + 18, &number, 4);
            seal(page_of(&file, page));
        }
        read_file(&file, "", &other);
        assert_int_equal(other.rc, RM_E_PARSE);
        assert_non_null(strstr(other.message, "pages are doubled or out of order, the first after 0.000 s"));
        assert_string_equal(other.log, "");
        assert_int_equal(other.count, one.count);
        assert_memory_equal(other.samples, one.samples, one.count * sizeof *one.samples);
    }
}

/* Bytes behind the last page, however few, are told. */
static void bytes_behind_the_last_page_are_told(void **unused)
{
    (void)unused;
    for (size_t count = 1; count < 40; count++) {
        load("tone.ogg", &file);
        memset(file.bytes + file.length, 'x', count);
        file.length += count;
        read_file(&file, "", &one);
        assert_int_equal(one.rc, RM_OK);
        assert_non_null(strstr(one.log, "has bytes that are no page of Ogg: they are passed over"));
    }
}

/* What begins like a page, over and over, is passed over in one go. */
static void heads_without_pages_are_passed(void **unused)
{
    (void)unused;
    load("tone.ogg", &file);
    while (file.length + 4 <= sizeof file.bytes)
        add(&file, "OggS", 4);
    read_file(&file, "", &one);
    assert_int_equal(one.rc, RM_OK);
    assert_non_null(strstr(one.log, "has bytes that are no page of Ogg: they are passed over"));
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

RMT_MAIN(a_doubled_page_is_told_and_passed, page_numbers_never_go_back, bytes_behind_the_last_page_are_told,
         heads_without_pages_are_passed, no_page_is_missed_in_silence, without_comments_nothing_else_is_lost,
         a_cut_file_never_passes, damage_is_told_behind_all_that_can_be_read, damaged_headers_are_no_crash)
