#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/node_test.h"

static const rmt_case cases[] = {
    {.label = "emits nothing",
     .type = "JsonlSink",
     .params = "{\"path\":\"{DIR}/out\"}",
     .items = "[1,{\"b\":2.0,\"a\":\"ä\\n\"},null]",
     .outputs = "[]"},
    {.label = "a full disk",
     .type = "JsonlSink",
     .params = "{\"path\":\"/dev/full\"}",
     .items = "[1,2]",
     .rc = RM_E_IO,
     .message = "/dev/full"},
    {.label = "no such folder",
     .type = "JsonlSink",
     .params = "{\"path\":\"{DIR}/none/out\"}",
     .items = "[1]",
     .rc = RM_E_NOT_FOUND,
     .message = "/none/out"},
    {.label = "a directory",
     .type = "JsonlSink",
     .params = "{\"path\":\"{DIR}\"}",
     .items = "[1]",
     .rc = RM_E_IO},
    {.label = "no path",
     .type = "JsonlSink",
     .items = "[1]",
     .rc = RM_E_MISSING_PARAMETER,
     .message = "path"},
};

static void expect_file(const char *name, const char *want)
{
    char *text = rmt_read(name);
    assert_string_equal(text, want);
    free(text);
}

static void reports_failures(void **state)
{
    (void)state;
    rmt_check(cases, RMT_COUNT(cases));
    expect_file("out", "1\n{\"b\":2.0,\"a\":\"ä\\n\"}\nnull\n");
}

static void run_ok(const char *params, const char *items, rm_value input, size_t logged)
{
    rmt_heap heap;
    rmt_heap_init(&heap, 0);
    rmt_result got =
        rmt_run(&heap, &(rmt_setup){.type = "JsonlSink", .params = params, .items = items, .input = input});
    if (got.rc != RM_OK || got.logged != logged)
        fail_msg("%s: %s, %zu messages: %s", params, got.err.message, got.logged, got.log);
    rmt_result_clear(&got);
    assert_int_equal(heap.live_blocks, 0);
}

static void replaces_or_appends(void **state)
{
    (void)state;
    rmt_write("file", "before\n", SIZE_MAX);
    run_ok("{\"path\":\"{DIR}/file\",\"append\":true}", "[1]", rm_null(), 0);
    expect_file("file", "before\n1\n");
    run_ok("{\"path\":\"{DIR}/file\"}", "[2]", rm_null(), 0);
    expect_file("file", "2\n");
}

static void warns_once_about_nan(void **state)
{
    rm_value items = rmt_json("[]");
    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(rm_list_append(&items, rm_float(i == 1 ? 1.0 : (double)NAN), NULL), RM_OK);
    run_ok("{\"path\":\"{DIR}/nan\"}", NULL, items, 1);
    expect_file("nan", "null\n1.0\nnull\n");
    rm_value_clear(&items);
}

/* An item that has no JSON fails; those before it are in the file. */
static void keeps_what_came_before_a_failure(void **state)
{
    rm_value items = rmt_json("[1,2]"), bytes = rm_null();
    rmt_heap heap;
    (void)state;
    assert_int_equal(rm_bytes_new(NULL, "x", 1, &bytes, NULL), RM_OK);
    assert_int_equal(rm_list_append(&items, bytes, NULL), RM_OK);
    rmt_heap_init(&heap, 0);
    rmt_result got = rmt_run(&heap, &(rmt_setup){.manifest = NULL,
                                                 .type = "JsonlSink",
                                                 .params = "{\"path\":\"{DIR}/some\"}",
                                                 .input = items});
    assert_int_equal(got.rc, RM_E_UNSUPPORTED);
    assert_int_equal(got.err.item, 2);
    rmt_result_clear(&got);
    rm_value_clear(&items);
    expect_file("some", "1\n2\n");
}

/* A line longer than the buffer, and more lines than one batch. */
static void writes_much(void **state)
{
    enum { LONGEST = 100000 };
    char *items = malloc(LONGEST + 5 + 2 * 500);
    (void)state;
    assert_non_null(items);
    char *end = items + 2;
    memcpy(items, "[\"", 2);
    end = (char *)memset(end, 'x', LONGEST) + LONGEST;
    *end++ = '"';
    for (int i = 0; i < 500; i++, end += 2)
        memcpy(end, ",7", 2);
    memcpy(end, "]", 2);
    run_ok("{\"path\":\"{DIR}/much\"}", items, rm_null(), 0);
    free(items);
    char *text = rmt_read("much");
    assert_int_equal(strlen(text), LONGEST + 3 + 2 * 500);
    free(text);
}
/* Stops the files of this process from growing past `bytes`; RLIM_INFINITY: no more. */
static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static const char skipping[] =
    "{\"version\":\"v1\",\"metadata\":{\"name\":\"t\"},\"connections\":[],\"nodes\":[{\"id\":\"n\","
    "\"on_error\":\"skip\",\"node_type\":\"JsonlSink\",\"params\":{\"path\":\"{DIR}/cut\"}}]}";

/* The disk is full in the middle of a line, and has room again later: the node completes the line. */
static void completes_a_cut_line(void **state)
{
    rmt_feed stream;
    (void)state;
    (void)signal(SIGXFSZ, SIG_IGN);
    rmt_feed_open(&stream, &(rmt_setup){.manifest = skipping});
    limit_files(6);
    for (int i = 0; i < 3; i++) /* the second is cut, all of the third fails */
        assert_int_equal(rmt_feed_push(&stream, "\"ab\""), RM_AGAIN);
    limit_files(RLIM_INFINITY);
    expect_file("cut", "\"ab\"\n\"");
    assert_int_equal(rmt_feed_push(&stream, "7"), RM_AGAIN);
    expect_file("cut", "\"ab\"\n\"ab\"\n7\n");
    assert_int_equal(rmt_feed_push(&stream, NULL), RM_DONE);
    rmt_feed_close(&stream);
}

/* The disk stays full after a cut line: the run fails. */
static void reports_a_cut_line_at_the_end(void **state)
{
    rmt_feed stream;
    (void)state;
    (void)signal(SIGXFSZ, SIG_IGN);
    rmt_feed_open(&stream, &(rmt_setup){.type = "JsonlSink", .params = "{\"path\":\"{DIR}/cut\"}"});
    limit_files(6);
    assert_int_equal(rmt_feed_push(&stream, "\"ab\""), RM_AGAIN);
    assert_int_equal(rmt_feed_push(&stream, "\"ab\""), RM_E_IO);
    limit_files(RLIM_INFINITY);
    assert_int_equal(stream.err.item, 1);
    rmt_feed_close(&stream);
}

static void ends_when_nobody_reads(void **state)
{
    rmt_feed stream;
    char path[512], line[8];
    (void)state;
    (void)signal(SIGPIPE, SIG_IGN);
    (void)snprintf(path, sizeof path, "%s/pipe", rmt_directory());
    assert_int_equal(mkfifo(path, 0600), 0);
    const int reader = open(path, O_RDONLY | O_NONBLOCK);
    assert_true(reader >= 0);
    rmt_feed_open(&stream, &(rmt_setup){.type = "JsonlSink", .params = "{\"path\":\"{DIR}/pipe\"}"});
    assert_int_equal(rmt_feed_push(&stream, "1"), RM_AGAIN);
    assert_int_equal(read(reader, line, sizeof line), 2); /* at once, without a second item */
    assert_int_equal(close(reader), 0);
    assert_int_equal(rmt_feed_push(&stream, "2"), RM_DONE);
    rmt_feed_close(&stream);
}

RMT_MAIN(reports_failures, replaces_or_appends, warns_once_about_nan, keeps_what_came_before_a_failure,
         writes_much, completes_a_cut_line, reports_a_cut_line_at_the_end, ends_when_nobody_reads)
