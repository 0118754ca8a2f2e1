/* What a step returns when no node can do anything: input, waits, flushes, the end. */
#include <stdlib.h>
#include <string.h>

#include "tests/support/test_graph.h"

/* What rm_run_step returns after so many items were pushed, and after the end of the input. */
static const struct {
    const char *label, *graph;
    int64_t item;
    size_t items;
    int step, at_end;
    bool timed; /* rm_pipeline_next_deadline is finite after the first */
} answers[] = {
    {"nothing to do", "a:Pass", 0, 0, RM_AGAIN, RM_DONE, false},
    {"all done", "a:Pass b:Sum a>b", 1, 2, RM_AGAIN, RM_DONE, false},
    {"pending", "a:Never", 1, 1, RM_PENDING, RM_PENDING, false},
    {"pending, with a time", "a:Never{\"timeout_ms\":60000}", 1, 1, RM_PENDING, RM_PENDING, true},
    {"to be tried again later", "a:Picky{\"retry\":{\"attempts\":1,\"backoff_ms\":60000}}", 13, 1, RM_PENDING,
     RM_PENDING, true},
    {"pending, and others have work", "a:Never b:Pass", 1, 2, RM_PENDING, RM_PENDING, false},
    {"failed", "a:Picky", 13, 1, RM_E_VALUE, RM_E_USAGE, false},
    {"failed, others are still at the item", "a:Picky b:Never{\"timeout_ms\":60000}", 13, 1, RM_PENDING,
     RM_PENDING, true},
    {"nobody wants more", "a:Take{\"params\":{\"count\":1}}", 1, 1, RM_DONE, RM_DONE, false},
    {"fails in its flush", "a:SumFails", 1, 1, RM_AGAIN, RM_E_VALUE, false},
    {"a stream", "a:Total", 1, 1, RM_AGAIN, RM_DONE, false},
    {"a stream that fails at its end", "a:EndFails", 1, 1, RM_AGAIN, RM_E_VALUE, false},
};

static void the_answer_says_what_is_waited_for(void **unused)
{
    rmt_graph *g = malloc(sizeof *g);
    (void)unused;
    for (size_t i = 0; i < RMT_COUNT(answers); i++) {
        const rmt_graph_setup setup = {.graph = answers[i].graph, .input = "[]", .way = RMT_PUSH};
        int rc;
        assert_int_equal(rmt_graph_open(g, &setup), RM_OK);
        for (size_t k = 0; k < answers[i].items; k++)
            assert_int_equal(rm_pipeline_push(g->pipeline, NULL, rm_int(answers[i].item), &g->err), RM_OK);
        for (int k = 0; k < 2; k++) { /* and again */
            do
                rc = rm_run_step(g->pipeline, &g->err);
            while (rc == RM_OK);
            if (rc != answers[i].step ||
                (rm_pipeline_next_deadline(g->pipeline) < INT64_MAX) != answers[i].timed)
                fail_msg("%s: %d", answers[i].label, rc);
            rm_error_clear(&g->err);
            if (rc < 0)
                break;
        }
        assert_int_equal(rm_pipeline_finish(g->pipeline, &g->err), RM_OK);
        do
            rc = rm_run_step(g->pipeline, &g->err);
        while (rc == RM_OK);
        if (rc != answers[i].at_end)
            fail_msg("%s, at the end: %d %s", answers[i].label, rc, g->err.message);
        rmt_graph_free(g);
        assert_string_equal(g->trouble, "");
    }
    free(g);
}

/* The run asks for input when the sources have taken what there was, not before. */
static void ask(struct rmt_graph *g, rm_node *node)
{
    size_t *most = g->setup.look_context;
    const size_t waiting = node->pipeline->feeds[0]->queue.count;
    *most = waiting > *most ? waiting : *most;
}

static void input_is_taken_a_batch_at_a_time(void **unused)
{
    static char input[8192];
    static const char *const graphs[] = {"a:Pass b:Sum a>b", "a:Slow b:Late c:Sum a>b b>c", "a:Soon",
                                         "a:Ones b:Total a>b"};
    rmt_graph *g = malloc(sizeof *g);
    (void)unused;
    for (int i = 0; i < 1000; i++)
        (void)snprintf(input + strlen(input), sizeof input - strlen(input), "%s1", i ? "," : "[");
    (void)strncat(input, "]", 2);
    for (size_t i = 0; i < RMT_COUNT(graphs); i++) {
        size_t most = 0;
        const rmt_graph_setup setup = {
            .graph = graphs[i], .input = input, .way = RMT_FEED, .look = ask, .look_context = &most};
        (void)rmt_graph_run(g, &setup);
        assert_null(strstr(g->got, "TROUBLE"));
        if (most > RMI_BATCH || most < RMI_BATCH - 1)
            fail_msg("%s: %zu items wait", graphs[i], most);
    }
    free(g);
}

/* Nodes are flushed one by one in topological order; the packets of each flush go everywhere before the next
 * flush. */
static const rmt_graph_case cases[] = {
    {"in a row", "a:Sum b:Sum c:Sum a>b b>c", "[1,2]", "{\"c\":[3]}"},
    {"beside each other", "a:Sum b:SumSlow c:Pass a>c b>c", "[1,2]", "{\"c\":[3,3,2,1]}"},
    {"in several calls, pending behind", "a:SumSlow b:Soon c:SumSlow a>b b>c", "[2]",
     "{\"c\":[30,29,28,27,26,25,24,23,22,21,20,19,18,17,16,15,14,13,12,11,10,9,8,7,6,5,4,3,2,1]}"},
    {"a stream between", "a:Sum b:Pairs c:Sum a>b b>c", "[1,2]", "{\"c\":[3]}"},
    {"a stream before and behind", "a:Total b:Sum c:Total d:Pass a>b b>c c>d", "[1,2]", "{\"d\":[3]}"},
    {"one that wants no more is flushed all the same", "a:Pass b:SumSlow c:FirstThree d:Sum a>b b>c c>d",
     "[9]", "{\"d\":[24]}"},
    {"nothing to flush", "a:Sum b:Sum a>b", "[]", "{\"b\":[0]}"},
};

static void flushes_come_in_order(void **unused)
{
    (void)unused;
    rmt_graph_check(cases, RMT_COUNT(cases), 0);
}

/* A wait ends at once when another thread woke a node before the wait began. */
static void a_wake_before_the_wait_is_not_lost(void **unused)
{
    rmt_graph *g = malloc(sizeof *g);
    (void)unused;
    for (int i = 0; i < 200; i++) {
        const rmt_graph_setup setup = {
            .graph = "a:Woken b:Woken a>b", .input = "[1,2,3]", .way = (rmt_way)(i % RMT_WAYS)};
        (void)rmt_graph_run(g, &setup);
        assert_string_equal(g->got, "{\"b\":[100,200,300]}");
    }
    free(g);
}

RMT_MAIN(the_answer_says_what_is_waited_for, input_is_taken_a_batch_at_a_time, flushes_come_in_order,
         a_wake_before_the_wait_is_not_lost)
