#include "tests/support/node_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MANIFEST(nodes, connections)                                                                        \
    "{\"version\":\"v1\",\"metadata\":{\"name\":\"t\"},\"nodes\":[" nodes "],\"connections\":[" connections \
    "]}"
#define LINES(id, path) \
    "{\"id\":\"" id "\",\"node_type\":\"FileLines\",\"params\":{\"path\":\"{DIR}/" path "\"}}"
#define SINK(id, path) \
    "{\"id\":\"" id "\",\"node_type\":\"JsonlSink\",\"params\":{\"path\":\"{DIR}/" path "\"}}"
#define EDGE "{\"from\":\"f\",\"to\":\"s\"}"

static const rmt_case cases[] = {
    {.label = "one name",
     .manifest = MANIFEST(LINES("f", "text") "," SINK("s", "text"), EDGE),
     .rc = RM_E_VALUE,
     .message = "which node 'f' reads"},
    {.label = "another way to the same folder",
     .manifest = MANIFEST(LINES("f", "text") "," SINK("s", "folder/text"), EDGE),
     .rc = RM_E_VALUE,
     .message = "which node 'f' reads"},
    {.label = "a hard link",
     .manifest = MANIFEST(LINES("f", "text") "," SINK("s", "hard"), EDGE),
     .rc = RM_E_VALUE,
     .message = "which node 'f' reads"},
    {.label = "a symbolic link",
     .manifest = MANIFEST(LINES("f", "soft") "," SINK("s", "text"), EDGE),
     .rc = RM_E_VALUE,
     .message = "which node 'f' reads"},
    {.label = "the sink comes first",
     .manifest = MANIFEST(SINK("s", "text") "," LINES("f", "text"), ""),
     .rc = RM_E_VALUE,
     .message = "'path' would write '"},
    {.label = "two sinks",
     .manifest = MANIFEST(SINK("a", "new") "," SINK("b", "folder/new"), ""),
     .items = "[]",
     .rc = RM_E_VALUE,
     .message = "which node 'a' writes too"},
    {.label = "files of their own",
     .manifest = MANIFEST(LINES("f", "text") "," SINK("s", "other"), EDGE),
     .outputs = "{\"s\":[]}"},
    {.label = "two readers",
     .manifest = MANIFEST(LINES("f", "text") "," LINES("g", "hard"), ""),
     .outputs = "{\"f\":[\"one\"],\"g\":[\"one\"]}"},
};

static void no_file_is_written_and_used_by_another(void **unused)
{
    char from[512], to[512];
    (void)unused;
    rmt_write("text", "one\n", SIZE_MAX);
    (void)snprintf(from, sizeof from, "%s/text", rmt_directory());
    (void)snprintf(to, sizeof to, "%s/hard", rmt_directory());
    assert_int_equal(link(from, to), 0);
    (void)snprintf(to, sizeof to, "%s/soft", rmt_directory());
    assert_int_equal(symlink(from, to), 0);
    (void)snprintf(to, sizeof to, "%s/folder", rmt_directory());
    assert_int_equal(symlink(rmt_directory(), to), 0);
    rmt_check(cases, RMT_COUNT(cases));
    char *text = rmt_read("text");
    assert_string_equal(text, "one\n");
    free(text);
}

RMT_MAIN(no_file_is_written_and_used_by_another)
