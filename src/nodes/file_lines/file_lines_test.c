#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/node_test.h"

static const struct {
    const char *name, *text;
    size_t length;
} files[] = {
    {"lines", "one\n\nthree \xc3\xa4\nno newline", SIZE_MAX},
    {"ends", "one\ntwo\n", SIZE_MAX},
    {"empty", "", SIZE_MAX},
    {"dos", "one\r\ntwo\r\n\r\nfo\rur\r", SIZE_MAX},
    {"bytes", "a\0b\n", 4},
    {"bad",
     "good\nb\xff"
     "d\nlater\n",
     SIZE_MAX},
    {"long", "12345\n123456\n", SIZE_MAX},
};

static const rmt_case cases[] = {
    {.label = "lines without their ends",
     .type = "FileLines",
     .params = "{\"path\":\"{DIR}/lines\"}",
     .outputs = "[\"one\",\"\",\"three ä\",\"no newline\"]"},
    {.label = "no line behind the last newline",
     .type = "FileLines",
     .params = "{\"path\":\"{DIR}/ends\"}",
     .outputs = "[\"one\",\"two\"]"},
    {.label = "an empty file", .type = "FileLines", .params = "{\"path\":\"{DIR}/empty\"}", .outputs = "[]"},
    {.label = "CR LF",
     .type = "FileLines",
     .params = "{\"path\":\"{DIR}/dos\"}",
     .outputs = "[\"one\",\"two\",\"\",\"fo\\rur\"]"},
    {.label = "CR kept",
     .type = "FileLines",
     .params = "{\"path\":\"{DIR}/dos\",\"crlf\":false}",
     .outputs = "[\"one\\r\",\"two\\r\",\"\\r\",\"fo\\rur\\r\"]"},
    {.label = "NUL is a character",
     .type = "FileLines",
     .params = "{\"path\":\"{DIR}/bytes\"}",
     .outputs = "[\"a\\u0000b\"]"},
    {.label = "not UTF-8: the line is named",
     .type = "FileLines",
     .params = "{\"path\":\"{DIR}/bad\"}",
     .rc = RM_E_PARSE,
     .message = "line 2 of",
     .outputs = "[\"good\"]"},
    {.label = "as long as may be",
     .type = "FileLines",
     .params = "{\"path\":\"{DIR}/long\",\"max_line_bytes\":6}",
     .outputs = "[\"12345\",\"123456\"]"},
    {.label = "too long",
     .type = "FileLines",
     .params = "{\"path\":\"{DIR}/long\",\"max_line_bytes\":5}",
     .rc = RM_E_LIMIT,
     .message = "line 2 of",
     .outputs = "[\"12345\"]"},
    {.label = "a missing file",
     .type = "FileLines",
     .params = "{\"path\":\"{DIR}/missing\"}",
     .rc = RM_E_NOT_FOUND,
     .message = "/missing"},
    {.label = "a directory",
     .type = "FileLines",
     .params = "{\"path\":\"{DIR}\"}",
     .rc = RM_E_IO,
     .message = "is a directory"},
    {.label = "no path", .type = "FileLines", .rc = RM_E_MISSING_PARAMETER, .message = "path"},
};

static void reads_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < RMT_COUNT(files); i++)
        rmt_write(files[i].name, files[i].text, files[i].length);
    rmt_check(cases, RMT_COUNT(cases));
}

/* Lines that cross the ends of reads, and one that is longer than the first buffer. */
static void reads_a_large_file(void **state)
{
    enum { LINES = 3000, LONGEST = 200000 };
    char *text = malloc(LINES * 100 + LONGEST + 2), *end = text;
    rmt_heap heap;
    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < LINES; i++, *end++ = '\n')
        end = (char *)memset(end, 'a' + (int)(i % 26), i % 99) + i % 99;
    end = (char *)memset(end, 'z', LONGEST) + LONGEST;
    rmt_write("large", text, (size_t)(end - text));
    free(text);
    rmt_heap_init(&heap, 0);
    rmt_result got =
        rmt_run(&heap, &(rmt_setup){.type = "FileLines", .params = "{\"path\":\"{DIR}/large\"}"});
    assert_int_equal(got.rc, RM_OK);
    assert_int_equal(rm_list_length(got.values), LINES + 1);
    for (size_t i = 0; i <= LINES; i++) {
        size_t length;
        const char *line = rm_string_text(rm_list_get(got.values, i), &length);
        assert_int_equal(length, i < LINES ? i % 99 : LONGEST);
        assert_true(length == 0 || line[length - 1] == (i < LINES ? 'a' + (char)(i % 26) : 'z'));
    }
    rmt_result_clear(&got);
    assert_int_equal(heap.live_blocks, 0);
}

static void reads_a_pipe(void **state)
{
    char path[512];
    rmt_heap heap;
    (void)state;
    (void)snprintf(path, sizeof path, "%s/pipe", rmt_directory());
    assert_int_equal(mkfifo(path, 0600), 0);
    const pid_t writer = fork();
    if (writer == 0) {
        const int pipe = open(path, O_WRONLY);
        _exit(pipe < 0 || write(pipe, "one\ntw", 6) != 6 || write(pipe, "o\n", 2) != 2);
    }
    rmt_heap_init(&heap, 0);
    rmt_result got = rmt_run(&heap, &(rmt_setup){.type = "FileLines", .params = "{\"path\":\"{DIR}/pipe\"}"});
    int status = -1;
    assert_int_equal(waitpid(writer, &status, 0), writer);
    assert_int_equal(status, 0);
    assert_string_equal(got.outputs, "[\"one\",\"two\"]");
    rmt_result_clear(&got);
}
RMT_MAIN(reads_lines, reads_a_large_file, reads_a_pipe)
