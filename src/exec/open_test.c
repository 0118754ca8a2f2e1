/* From a manifest to open nodes; parameters that change while a graph runs. */
#include <stdlib.h>
#include <string.h>

#include "tests/support/test_graph.h"

static const rmt_graph_case cases[] = {
    {"one that does not open closes the others", "a:Pass b:OpenFails c:Pass a>b b>c", "[1]",
     " value: will not open at b[-1]"},
    {"one that does not close fails the run", "a:Pass b:CloseFails c:Pass a>b b>c", "[1]",
     "{\"c\":[1]} value: will not close at b[-1]"},
    {"an earlier failure counts", "a:Picky b:CloseFails a>b", "[13]", "{\"b\":[13]} value: thirteen at a[0]"},
    {"of two, the first", "a:CloseFails b:CloseFails a>b", "[1]",
     "{\"b\":[1]} value: will not close at a[-1]"},
};

static void gives_the_answer_or_out_of_memory(void **unused)
{
    (void)unused;
    rmt_graph_check(cases, 1, 1 << RMT_RUN);
    rmt_graph_check(cases + 1, RMT_COUNT(cases) - 1, 0);
}

/* The value of the only result, as an int. */
static int64_t one(rm_pipeline *pipeline, int64_t item)
{
    size_t sink;
    rm_packet packet = rm_packet_of(rm_null());
    rm_error err = {0};
    assert_int_equal(rm_pipeline_push(pipeline, NULL, rm_int(item), &err), RM_OK);
    assert_int_equal(rm_run_step(pipeline, &err), RM_AGAIN);
    assert_int_equal(rm_pipeline_pull(pipeline, &sink, &packet, &err), RM_OK);
    assert_int_equal(packet.value.kind, RM_INT);
    return packet.value.i;
}

static void parameters_change_while_running(void **unused)
{
    rmt_graph *g = malloc(sizeof *g);
    const rmt_graph_setup setup = {
        .graph = "m:MultiplyNode t:Take{\"params\":{\"count\":9}} m>t", .input = "[]", .way = RMT_PUSH};
    rm_value name = rm_null();
    rm_error err = {0};
    (void)unused;
    assert_int_equal(rmt_graph_open(g, &setup), RM_OK);
    rm_pipeline *pipeline = g->pipeline;
    assert_int_equal(one(pipeline, 5), 10);
    assert_int_equal(rm_pipeline_set_param(pipeline, "m", "factor", rm_int(7), &err), RM_OK);
    assert_int_equal(one(pipeline, 5), 35);
    assert_int_equal(rm_string_new(NULL, "x", 1, &name, &err), RM_OK);
    assert_int_equal(rm_pipeline_set_param(pipeline, "m", "factor", name, &err), RM_E_TYPE);
    assert_int_equal(rm_pipeline_set_param(pipeline, "m", "facter", rm_int(7), &err), RM_E_UNKNOWN_PARAMETER);
    assert_non_null(strstr(err.message, "did you mean 'factor'"));
    assert_int_equal(rm_pipeline_set_param(pipeline, "x", "factor", rm_int(7), &err), RM_E_UNKNOWN_NODE);
    assert_int_equal(rm_pipeline_set_param(pipeline, "t", "count", rm_int(7), &err), RM_E_USAGE);
    assert_int_equal(one(pipeline, 6), 42);
    rm_error_clear(&err);
    rmt_graph_free(g);
    assert_string_equal(g->trouble, "");
    free(g);
}

/* The struct as a program built against an earlier header has it, and one whose size was forgotten. */
static void options_say_how_long_they_are(void **unused)
{
    rmt_graph *g = malloc(sizeof *g);
    const rmt_graph_setup setup = {.graph = "a:CountUp", .input = "[]", .way = RMT_PUSH};
    const rm_pipeline_options unset = {.timeout_ms = 1};
    const rm_pipeline_options shorter = {.size = offsetof(rm_pipeline_options, generate), .generate = true};
    rm_pipeline *pipeline = NULL;
    (void)unused;
    assert_int_equal(rmt_graph_open(g, &setup), RM_OK);
    assert_int_equal(rm_pipeline_open(g->manifest, &unset, &pipeline, NULL), RM_E_USAGE);
    assert_null(pipeline);
    assert_int_equal(rm_pipeline_open(g->manifest, &shorter, &pipeline, NULL), RM_OK);
    assert_false(pipeline->generate);
    rm_pipeline_free(pipeline);
    rmt_graph_free(g);
    assert_string_equal(g->trouble, "");
    free(g);
}

/* rm_pipeline_options.opening: gets the pipeline before a node is opened; a cancel ends the opening. */
static void cancel_it(void *context, rm_pipeline *pipeline)
{
    size_t *told = context;
    told[pipeline != NULL]++;
    if (pipeline != NULL)
        rm_pipeline_cancel(pipeline);
}

static void opening_can_be_cancelled(void **unused)
{
    rmt_graph *g = malloc(sizeof *g);
    const rmt_graph_setup setup = {.graph = "a:Pass b:Pass a>b", .input = "[]", .way = RMT_PUSH};
    size_t told[2] = {0};
    const rm_pipeline_options options = {
        .size = sizeof options, .opening = cancel_it, .opening_context = told};
    rm_pipeline *pipeline = NULL;
    rm_error err = {0};
    (void)unused;
    assert_int_equal(rmt_graph_open(g, &setup), RM_OK);
    const size_t opened = g->opened;
    assert_int_equal(rm_pipeline_open(g->manifest, &options, &pipeline, &err), RM_E_CANCELLED);
    assert_null(pipeline);
    assert_int_equal(told[0], 1);
    assert_int_equal(told[1], 1);
    assert_int_equal(g->opened, opened);
    rm_error_clear(&err);
    rmt_graph_free(g);
    assert_string_equal(g->trouble, "");
    free(g);
}

RMT_MAIN(gives_the_answer_or_out_of_memory, parameters_change_while_running, options_say_how_long_they_are,
         opening_can_be_cancelled)
