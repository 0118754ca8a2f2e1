/* Results in (seq, sink) order, counters, collected failures, graph information. */
#include <stdlib.h>
#include <string.h>

#include "tests/support/test_graph.h"

/* The order in which results are pulled: "sink:value ...". */
static const struct {
    const char *label, *graph, *input, *want;
} orders[] = {
    {"by item, then by sink", "a:Pass b:Repeat c:Pass a>b a>c", "[2,1]", "b:2 b:2 c:2 b:1 c:1 "},
    {"by item, whatever is slower", "a:Pass b:Late c:Pass a>b a>c", "[1,2]", "b:10 c:1 b:20 c:2 "},
    {"sinks in manifest order, not in that of ranks", "z:Pass b:Pass a:Pass a>z a>b", "[1,2]",
     "z:1 b:1 z:2 b:2 "},
    {"an output node in the middle", "a:Pass{\"is_output_node\":true} b:Pass a>b", "[1,2]",
     "a:1 b:1 a:2 b:2 "},
    {"a sink that drops", "a:Pass b:Even c:Odd a>b a>c", "[1,2,3]", "c:1 b:2 c:3 "},
    {"what flushes give comes last, by rank", "a:Pass s:Sum t:Sum u:Pass a>s a>t a>u", "[1,2]",
     "u:1 u:2 s:3 t:3 "},
    {"separate parts", "a:Pass b:Pass", "{\"a\":[1,2],\"b\":[8]}", "a:1 b:8 a:2 "},
    {"a sink that wants no more", "a:Pass b:FirstThree c:Pass a>b a>c", "[1,2,3,4,5]",
     "b:1 c:1 b:2 c:2 b:3 c:3 c:4 c:5 "},
    {"after a failure, up to its item", "a:Pass b:Picky c:Pass a>b a>c", "[1,13,2]", "b:1 c:1 b:13 c:13 "},
};

static void results_come_in_order(void **unused)
{
    rmt_graph *g = malloc(sizeof *g);
    (void)unused;
    for (size_t i = 0; i < RMT_COUNT(orders); i++)
        for (rmt_way way = RMT_FEED; way < RMT_WAYS; way++) {
            const rmt_graph_setup setup = {
                .graph = orders[i].graph, .input = orders[i].input, .way = way, .queue = 1 + i % 3};
            assert_int_equal(rmt_graph_open(g, &setup), RM_OK);
            int rc;
            do
                rc = rmt_graph_step(g);
            while (rc >= 0 && rc != RM_DONE);
            if (strcmp(g->order, orders[i].want) != 0 || g->trouble[0] != '\0')
                fail_msg("%s (way %d): got %s, want %s; %s", orders[i].label, (int)way, g->order,
                         orders[i].want, g->trouble);
            rmt_graph_free(g);
        }
    free(g);
}

/* The run waits while nobody takes its results, and goes on when they are taken. */
static void a_run_waits_for_its_results_to_be_taken(void **unused)
{
    static const char *const graphs[] = {"a:Pass", "a:Pass b:Repeat c:Pass a>b a>c",
                                         "a:Slow b:Even c:Late a>b a>c", "a:OneByOne b:Pass a>b"};
    rmt_graph *g = malloc(sizeof *g);
    (void)unused;
    for (size_t i = 0; i < RMT_COUNT(graphs); i++) {
        const rmt_graph_setup setup = {.graph = graphs[i], .input = "[2,4,6,8]", .way = RMT_FEED, .queue = 1};
        int rc;
        assert_int_equal(rmt_graph_open(g, &setup), RM_OK);
        do
            rc = rm_run_step(g->pipeline, &g->err);
        while (rc == RM_OK);
        if (rc != RM_AGAIN)
            fail_msg("%s: %d", graphs[i], rc);
        assert_int_equal(rm_run_step(g->pipeline, &g->err), RM_AGAIN); /* still */
        assert_true(rmt_graph_take(g));
        rm_pipeline_wait(g->pipeline, NULL, 0); /* returns at once: there is room */
        do
            rc = rmt_graph_step(g);
        while (rc >= 0 && rc != RM_DONE);
        assert_int_equal(rc, RM_DONE);
        assert_int_equal(rm_run_step(g->pipeline, &g->err), RM_DONE);
        rmt_graph_free(g);
        assert_string_equal(g->trouble, "");
    }
    free(g);
}

/* ---- Documents ---- */

static int failures_of(const rm_pipeline *p, rm_value *out, rm_error *err)
{
    return rm_pipeline_failures(p, out, err);
}

static const struct {
    const char *label, *graph, *input, *want;
    int (*document)(const rm_pipeline *p, rm_value *out, rm_error *err);
} documents[] = {
    {"the graph", "b:Pass c:Pass a:Pass a>b b>c", "[]",
     "{\"node_count\":3,\"source_count\":1,\"sink_count\":1,\"execution_order\":[\"a\",\"b\",\"c\"]}",
     rm_pipeline_graph_info},
    {"counters", "a:Repeat b:Picky{\"on_error\":\"skip\"} c:Sum a>b b>c", "[2,0,1]",
     "{\"a\":{\"in\":3,\"out\":3,\"dropped\":0,\"failed\":0,\"ns\":0},"
     "\"b\":{\"in\":3,\"out\":3,\"dropped\":0,\"failed\":0,\"ns\":0},"
     "\"c\":{\"in\":3,\"out\":1,\"dropped\":0,\"failed\":0,\"ns\":0}}",
     rm_pipeline_metrics},
    {"counters of failures", "a:Picky{\"on_error\":\"skip\"} b:PickyMany{\"on_error\":\"collect\"} a>b",
     "[1,13,2]",
     "{\"a\":{\"in\":3,\"out\":3,\"dropped\":1,\"failed\":1,\"ns\":0},"
     "\"b\":{\"in\":3,\"out\":2,\"dropped\":0,\"failed\":1,\"ns\":0}}",
     rm_pipeline_metrics},
    {"failures by item, then by rank",
     "a:Pass b:Late{\"on_error\":\"collect\"} c:Picky{\"on_error\":\"collect\"} a>b a>c", "[13,1,13]",
     "[{\"code\":\"value\",\"message\":\"late 13\",\"node\":\"b\",\"item\":0},"
     "{\"code\":\"value\",\"message\":\"thirteen\",\"node\":\"c\",\"item\":0},"
     "{\"code\":\"value\",\"message\":\"late 13\",\"node\":\"b\",\"item\":2},"
     "{\"code\":\"value\",\"message\":\"thirteen\",\"node\":\"c\",\"item\":2}]",
     failures_of},
    {"a failure at the end has no item", "a:SumFails{\"on_error\":\"collect\"}", "[1]",
     "[{\"code\":\"value\",\"message\":\"no flush\",\"node\":\"a\"}]", failures_of},
};

static void documents_are_whole_or_out_of_memory(void **unused)
{
    rmt_graph *g = malloc(sizeof *g);
    (void)unused;
    for (size_t i = 0; i < RMT_COUNT(documents); i++) {
        const rmt_graph_setup setup = {
            .graph = documents[i].graph, .input = documents[i].input, .way = RMT_FEED};
        size_t faults = 1;
        int rc;
        assert_int_equal(rmt_graph_open(g, &setup), RM_OK);
        do
            rc = rmt_graph_step(g);
        while (rc >= 0 && rc != RM_DONE);
        assert_int_equal(rc, RM_DONE);
        for (size_t nth = 1; faults != 0; nth++) {
            rm_value out = rm_null();
            char *json = NULL;
            size_t length = 0;
            g->heap.faults = 0;
            g->heap.fail_at = g->heap.calls + nth;
            rc = documents[i].document(g->pipeline, &out, &g->err);
            faults = g->heap.faults;
            g->heap.fail_at = 0;
            assert_int_equal(rc, faults != 0 ? RM_E_OUT_OF_MEMORY : RM_OK);
            assert_int_equal(rm_json_write(NULL, out, 0, &json, &length, NULL, NULL), RM_OK);
            assert_string_equal(json, faults != 0 ? "null" : documents[i].want);
            rm_text_free(NULL, json, length);
            rm_value_clear(&out);
            rm_error_clear(&g->err);
        }
        rmt_graph_free(g);
        assert_string_equal(g->trouble, "");
    }
    free(g);
}

static void sinks_are_named(void **unused)
{
    rmt_graph *g = malloc(sizeof *g);
    const rmt_graph_setup setup = {
        .graph = "z:Pass m:Pass{\"is_output_node\":true} a:Pass m>a m>z", .input = "[]", .way = RMT_PUSH};
    (void)unused;
    assert_int_equal(rmt_graph_open(g, &setup), RM_OK);
    assert_int_equal(rm_pipeline_sink_count(g->pipeline), 3);
    assert_string_equal(rm_pipeline_sink_id(g->pipeline, 0), "z");
    assert_string_equal(rm_pipeline_sink_id(g->pipeline, 1), "m");
    assert_string_equal(rm_pipeline_sink_id(g->pipeline, 2), "a");
    assert_null(rm_pipeline_sink_id(g->pipeline, 3));
    assert_null(rm_pipeline_current_node(g->pipeline));
    rmt_graph_free(g);
    free(g);
}

RMT_MAIN(results_come_in_order, a_run_waits_for_its_results_to_be_taken, documents_are_whole_or_out_of_memory,
         sinks_are_named)
