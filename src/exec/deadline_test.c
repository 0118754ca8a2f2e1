/* Cancel at every place of a run, and the timeout of a whole run. */
#include <stdlib.h>
#include <string.h>

#include "tests/support/test_graph.h"

static const struct {
    const char *graph, *input;
} graphs[] = {
    {"a:Pass", "[1,2,3]"},
    {"a:PassMany b:PassMany c:PassMany a>b b>c", "[1,2,3]"},
    {"a:Pass b:Repeat c:Pass d:Pass a>b a>c b>d c>d", "[2,0,1]"},
    {"a:Pass b:Slow c:Sum a>b b>c", "[3,0,2]"},
    {"a:Pass b:SlowMany c:SumSlow a>b b>c", "[3,0,2]"},
    {"a:Pass b:Sum c:SumSlow d:Pass a>b a>c b>d c>d", "[1,2]"},
    {"a:Pass b:Late c:Pass a>b b>c a>c", "[1,2,3,4,5]"},
    {"a:Soon b:Again a>b", "[1,2,3]"},
    {"a:Pass b:Woken c:Pass a>b b>c", "[1,2]"},
    {"a:Picky{\"retry\":{\"attempts\":2,\"backoff_ms\":0}} b:Pass a>b", "[1,14,3]"},
    {"a:Never{\"timeout_ms\":1,\"on_error\":\"skip\",\"max_in_flight\":2} b:Pass a>b", "[1,2]"},
    {"a:Pass b:Pairs c:Pairs d:Pass a>b a>c b>d c>d", "[1,2,3]"},
    {"a:Stay b:Stay c:Total a>b b>c", "[1,2,3]"},
    {"a:Threes b:Quit a>b", "[1,2,3,4,5,6,7]"},
    {"a:Dreamer b:Stay a>b", "[1,2]"},
    {"a:CountUp b:Pass c:FirstThree a>b b>c", "null"},
    {"a:CountLate{\"params\":{\"count\":3}} b:Stay c:Pairs a>b b>c", "null"},
    {"a:Picky{\"on_error\":\"collect\"} b:Merge a>b", "[13,1,13]"},
    {"a:Pass b:Picky c:Take{\"params\":{\"count\":2}} d:Soon a>b b>c a>d", "[1,13,3]"},
    {"a:Pass b:Picky c:Soon d:Sum a>b a>c c>d", "[1,13,3]"},
    {"a:Inflate b:Pass{\"is_output_node\":true} c:Measure a>b b>c", "[5000,1]"},
    {"a:Pass b:Even c:Odd d:Merge{\"params\":{\"several\":\"list\"}} a>b a>c b>d c>d a>d", "[1,2,3]"},
};

/* Cancels at the n-th step, or at the n-th call of a slot, as rmt_graph_setup's fields say. */
static void cancel_everywhere(rmt_graph *g, size_t graph, rmt_way way, bool in_calls)
{
    bool cancelled = true;
    for (size_t nth = 1; cancelled; nth++) {
        const rmt_graph_setup setup = {.graph = graphs[graph].graph,
                                       .input = graphs[graph].input,
                                       .way = way,
                                       .queue = nth % 3,
                                       .small_steps = true,
                                       .cancel_at_step = in_calls ? 0 : nth,
                                       .cancel_at_call = in_calls ? nth : 0};
        const int rc = rmt_graph_run(g, &setup);
        cancelled = nth <= (in_calls ? g->calls : g->steps);
        const bool told = rc == RM_E_CANCELLED && strstr(g->got, "cancelled: the run was cancelled") != NULL;
        const bool late = in_calls && nth + g->opened >= g->calls; /* nothing but close comes after it */
        if ((cancelled && !late && !told) || strstr(g->got, "TROUBLE") != NULL)
            fail_msg("%s, way %d, cancelled at %s %zu of %zu: %d %s", graphs[graph].graph, (int)way,
                     in_calls ? "call" : "step", nth, in_calls ? g->calls : g->steps, rc, g->got);
    }
}

static void a_run_can_be_cancelled_before_every_step(void **unused)
{
    rmt_graph *g = malloc(sizeof *g);
    (void)unused;
    for (size_t i = 0; i < RMT_COUNT(graphs); i++)
        for (rmt_way way = RMT_FEED; way < RMT_WAYS; way++)
            cancel_everywhere(g, i, way, false);
    free(g);
}

static void a_run_can_be_cancelled_in_every_call(void **unused)
{
    rmt_graph *g = malloc(sizeof *g);
    (void)unused;
    for (size_t i = 0; i < RMT_COUNT(graphs); i++)
        for (rmt_way way = 0; way < RMT_WAYS; way++)
            cancel_everywhere(g, i, way, true);
    free(g);
}

/* ---- The timeout of the run ---- */

static void a_run_ends_when_it_is_out_of_time(void **unused)
{
    static const char *const endless[] = {"a:CountUp b:Sum a>b", "a:Never",
                                          "a:Pass b:Never c:Pass a>b b>c a>c",
                                          "a:CountUp b:Ones c:Total a>b b>c"};
    rmt_graph *g = malloc(sizeof *g);
    (void)unused;
    for (size_t i = 0; i < RMT_COUNT(endless); i++)
        for (rmt_way way = 0; way < RMT_WAYS; way++) {
            const bool generates = strstr(endless[i], "CountUp") != NULL;
            const rmt_graph_setup setup = {
                .graph = endless[i], .input = generates ? "null" : "[1,2]", .way = way, .timeout_ms = 1};
            (void)rmt_graph_run(g, &setup);
            if (strstr(g->got, "timeout: the run did not end within its timeout of 1 ms") == NULL ||
                strstr(g->got, "TROUBLE") != NULL)
                fail_msg("%s, way %d: %.300s", endless[i], (int)way, g->got);
        }
    free(g);
}

/* The node in a call is the current one, and rm_node_cancelled says whether it has to stop. */
static void name_it(struct rmt_graph *g, rm_node *node)
{
    const char *current = node->pipeline->closed ? NULL : rm_pipeline_current_node(node->pipeline);
    if (current != NULL && strcmp(current, rm_node_id(node)) != 0)
        rmt_trouble(g, "'%s' is in a call, not '%s'", rm_node_id(node), current);
    if (rm_node_cancelled(node) != (g->setup.cancel_at_call != 0 && g->calls >= g->setup.cancel_at_call))
        rmt_trouble(g, "call %zu: cancelled is %d", g->calls, rm_node_cancelled(node));
}

static void the_node_in_a_call_is_named(void **unused)
{
    rmt_graph *g = malloc(sizeof *g);
    (void)unused;
    for (size_t i = 0; i < RMT_COUNT(graphs); i++)
        for (size_t call = 0; call < 20; call++) {
            const rmt_graph_setup setup = {.graph = graphs[i].graph,
                                           .input = graphs[i].input,
                                           .way = RMT_FEED,
                                           .cancel_at_call = call,
                                           .look = name_it};
            (void)rmt_graph_run(g, &setup);
            if (g->trouble[0] != '\0')
                fail_msg("%s: %s", graphs[i].graph, g->trouble);
        }
    free(g);
}

RMT_MAIN(a_run_can_be_cancelled_before_every_step, a_run_can_be_cancelled_in_every_call,
         a_run_ends_when_it_is_out_of_time, the_node_in_a_call_is_named)
