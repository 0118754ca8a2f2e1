#include "tests/support/node_test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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
    {.label = "two sinks through links that lead nowhere",
     .manifest = MANIFEST(SINK("a", "nowhere") "," SINK("b", "new"), ""),
     .items = "[]",
     .rc = RM_E_VALUE,
     .message = "which node 'a' writes too"},
    {.label = "two readers of a pipe",
     .manifest = MANIFEST(LINES("f", "pipe") "," LINES("g", "folder/pipe"), ""),
     .rc = RM_E_VALUE,
     .message = "which node 'f' reads too"},
    {.label = "both ends of a pipe",
     .manifest = MANIFEST(SINK("s", "pipe") "," LINES("g", "pipe"), ""),
     .rc = RM_E_VALUE,
     .message = "which node 'g' reads"},
    {.label = "standard output, which is not lent",
     .manifest = MANIFEST("{\"id\":\"s\",\"node_type\":\"JsonlSink\",\"params\":{\"path\":\"-\"}}", ""),
     .items = "[]",
     .rc = RM_E_USAGE,
     .message = "standard output is not free"},
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
    (void)snprintf(from, sizeof from, "%s/further", rmt_directory());
    (void)snprintf(to, sizeof to, "%s/nowhere", rmt_directory());
    assert_int_equal(symlink("further", to), 0);
    assert_int_equal(symlink("folder/new", from), 0);
    (void)snprintf(to, sizeof to, "%s/pipe", rmt_directory());
    assert_int_equal(mkfifo(to, 0600), 0);
    rmt_check(cases, RMT_COUNT(cases));
    char *text = rmt_read("text");
    assert_string_equal(text, "one\n");
    free(text);
}

static int open_with(const char *manifest, const rm_pipeline_options *options, rm_error *err)
{
    rm_runtime *runtime = NULL;
    rm_manifest *parsed = NULL;
    rm_pipeline *pipeline = NULL;
    assert_int_equal(rm_runtime_new(NULL, &runtime, NULL), RM_OK);
    assert_int_equal(rm_manifest_parse(runtime, manifest, strlen(manifest), &parsed, NULL), RM_OK);
    const int rc = rm_pipeline_open(parsed, options, &pipeline, err);
    rm_pipeline_free(pipeline);
    rm_manifest_free(parsed);
    rm_runtime_free(runtime);
    return rc;
}

static void the_callers_descriptors_and_arrays_count(void **unused)
{
    char manifest[1024], path[512];
    rm_error err = {0};
    (void)unused;
    (void)snprintf(path, sizeof path, "%s/stream", rmt_directory());
    const int descriptor = open(path, O_RDWR | O_CREAT, 0600);
    assert_true(descriptor >= 0);
    const rm_caller_stream streams[] = {
        {"the input", -1, false}, {"the log", descriptor, true}, {"nothing", -1, true}, {NULL, -1, false}};
    bool in_use[3] = {false};
    rm_pipeline_options options = {
        .size = sizeof options, .standard_input = -1, .streams = streams, .streams_in_use = in_use};
    (void)snprintf(manifest, sizeof manifest,
                   MANIFEST("{\"id\":\"f\",\"node_type\":\"FileLines\",\"params\":{\"path\":\"%s\"}}", ""),
                   path);
    assert_int_equal(open_with(manifest, &options, &err), RM_E_VALUE);
    assert_non_null(strstr(err.message, "which is the log of this run"));
    assert_string_equal(err.pointer, "/nodes/0/params/path");
    assert_string_equal(err.node, "f");
    assert_true(!in_use[0] && in_use[1] && !in_use[2]);
    options.streams = NULL;
    options.array_folder = rmt_directory();
    assert_int_equal(open_with(manifest, &options, &err), RM_OK);
    (void)snprintf(
        manifest, sizeof manifest,
        MANIFEST("{\"id\":\"f\",\"node_type\":\"FileLines\",\"params\":{\"path\":\"%s/f-17.npy\"}}", ""),
        rmt_directory());
    assert_int_equal(open_with(manifest, &options, &err), RM_E_VALUE);
    assert_non_null(strstr(err.message, "which is for an array of node 'f'"));
    rm_error_clear(&err);
    assert_int_equal(close(descriptor), 0);
}

static void a_closed_standard_output_is_no_place_for_results(void **unused)
{
    static const char manifest[] =
        MANIFEST("{\"id\":\"s\",\"node_type\":\"JsonlSink\",\"params\":{\"path\":\"-\"}}", "");
    rm_pipeline_options options = {.size = sizeof options, .standard_output = -1};
    rm_error err = {0};
    (void)unused;
    assert_int_equal(open_with(manifest, &options, &err), RM_E_USAGE);
    assert_non_null(strstr(err.message, "standard output is not free: it is closed"));
    assert_string_equal(err.hint, "write to another file");
    rm_error_clear(&err);
}

RMT_MAIN(no_file_is_written_and_used_by_another, a_closed_standard_output_is_no_place_for_results,
         the_callers_descriptors_and_arrays_count)
