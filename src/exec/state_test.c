/* What a node can do and what it waits for: each result in a run that reaches it, turn by turn. */
#include <stdlib.h>
#include <string.h>

#include "tests/support/test_graph.h"

/* A state that a node has to reach. */
struct state {
    const char *label, *graph, *input, *node;
    rmi_work work;
    rmi_reason why;   /* of RMI_WAIT */
    const char *text; /* a part of what rmi_describe_waits says then */
    size_t queue;
    bool seen;
};

#define TAKE(N) "Take{\"params\":{\"count\":" #N "}}"
static const struct state states[] = {
    {.label = "takes packets",
     .graph = "a:Pass b:Pass a>b",
     .input = "[1]",
     .node = "b",
     .work = RMI_PROCESS,
     .text = "'b' could work"},
    {.label = "has more to emit", .graph = "a:Slow", .input = "[3]", .node = "a", .work = RMI_GO_ON},
    {.label = "has more to emit, and a timeout",
     .graph = "a:Slow{\"timeout_ms\":60000}",
     .input = "[3]",
     .node = "a",
     .work = RMI_GO_ON},
    {.label = "generates",
     .graph = "a:CountUp{\"params\":{\"count\":2}}",
     .input = "null",
     .node = "a",
     .work = RMI_GENERATE},
    {.label = "generates after a wait",
     .graph = "a:CountLate{\"params\":{\"count\":2}}",
     .input = "null",
     .node = "a",
     .work = RMI_POLL},
    {.label = "has a stream", .graph = "a:Pass b:Ones a>b", .input = "[1]", .node = "b", .work = RMI_STREAM},
    {.label = "would wait in a pull",
     .graph = "a:Pairs b:Pairs a>b",
     .input = "[1,2,3]",
     .node = "a",
     .work = RMI_STREAM_LATER},
    {.label = "its stream has ended",
     .graph = "a:Pass b:OneByOne a>b",
     .input = "[1]",
     .node = "b",
     .work = RMI_END},
    {.label = "is polled", .graph = "a:Late", .input = "[1]", .node = "a", .work = RMI_POLL},
    {.label = "tries again",
     .graph = "a:Picky{\"retry\":{\"attempts\":2,\"backoff_ms\":0}}",
     .input = "[14]",
     .node = "a",
     .work = RMI_RETRY},
    {.label = "tries again when it is time",
     .graph = "a:Picky{\"retry\":{\"attempts\":2,\"backoff_ms\":1}}",
     .input = "[14]",
     .node = "a",
     .work = RMI_RETRY},
    {.label = "has an item out of time",
     .graph = "a:Never{\"timeout_ms\":1,\"on_error\":\"skip\"}",
     .input = "[1]",
     .node = "a",
     .work = RMI_EXPIRE},
    {.label = "gives up what nobody wants",
     .graph = "a:Pass b:Never{\"max_in_flight\":4} c:" TAKE(1) " a>c a>b b>c",
     .input = "[1,2]",
     .node = "b",
     .work = RMI_ABANDON},
    {.label = "gives up what nobody wants of a source",
     .graph = "a:CountLate b:CountUp c:" TAKE(1) " b>c a>c",
     .input = "null",
     .node = "a",
     .work = RMI_ABANDON},
    {.label = "waits for input",
     .graph = "a:Pass b:Pass a>b",
     .input = "[1]",
     .node = "b",
     .work = RMI_WAIT,
     .why = RMI_FOR_INPUT,
     .text = "'b' waits for input"},
    {.label = "waits for one of its inputs",
     .graph = "a:Pass b:Soon c:Pass a>b a>c b>c",
     .input = "[1]",
     .node = "c",
     .work = RMI_WAIT,
     .why = RMI_FOR_INPUT,
     .text = "'c' waits for input"},
    {.label = "waits for room",
     .graph = "a:Pass b:Pass a>b",
     .input = "[1,2,3]",
     .node = "a",
     .work = RMI_WAIT,
     .why = RMI_FOR_ROOM,
     .text = "'a' waits for room behind it, 'b' could work",
     .queue = 1},
    {.label = "waits for room to go on",
     .graph = "a:Slow b:Pass a>b",
     .input = "[3]",
     .node = "a",
     .work = RMI_WAIT,
     .why = RMI_FOR_ROOM,
     .queue = 1},
    {.label = "waits for room to generate",
     .graph = "a:CountUp{\"params\":{\"count\":3}} b:Pass a>b",
     .input = "null",
     .node = "a",
     .work = RMI_WAIT,
     .why = RMI_FOR_ROOM,
     .queue = 1},
    {.label = "waits for room to be polled",
     .graph = "a:Late b:Soon a>b",
     .input = "[1,2,3]",
     .node = "a",
     .work = RMI_WAIT,
     .why = RMI_FOR_ROOM,
     .queue = 1},
    {.label = "waits for room to try again",
     .graph = "a:Late{\"retry\":{\"attempts\":2,\"backoff_ms\":0}} b:Soon a>b",
     .input = "[1,2,14]",
     .node = "a",
     .work = RMI_WAIT,
     .why = RMI_FOR_ROOM,
     .queue = 1},
    {.label = "waits for something outside",
     .graph = "a:Never{\"timeout_ms\":1,\"on_error\":\"skip\"}",
     .input = "[1]",
     .node = "a",
     .work = RMI_WAIT,
     .why = RMI_FOR_OUTSIDE,
     .text = "'a' waits for a wake-up"},
    {.label = "waits for the time of its next attempt",
     .graph = "a:Picky{\"retry\":{\"attempts\":2,\"backoff_ms\":1}}",
     .input = "[14]",
     .node = "a",
     .work = RMI_WAIT,
     .why = RMI_FOR_OUTSIDE},
    {.label = "is in a call",
     .graph = "a:Pass",
     .input = "[1]",
     .node = "a",
     .work = RMI_WAIT,
     .why = RMI_FOR_CALL,
     .text = "'a' waits for a call to return"},
    {.label = "is below one that waits in a pull",
     .graph = "p:Pass a:Stay b:Stay p>a a>b",
     .input = "[1,2]",
     .node = "b",
     .work = RMI_WAIT,
     .why = RMI_FOR_CALL,
     .text = "'a' waits for a call to return, 'b' waits for a call to return"},
    {.label = "waits behind a failure",
     .graph = "a:Pass b:Picky c:Pass a>b a>c",
     .input = "[1,13,3]",
     .node = "c",
     .work = RMI_WAIT,
     .why = RMI_FOR_FAILURE,
     .text = "'c' waits for the outcome of a failure"},
    {.label = "waits to flush",
     .graph = "a:Pass b:Sum c:Sum a>b a>c",
     .input = "[1]",
     .node = "c",
     .work = RMI_WAIT,
     .why = RMI_FOR_FLUSH,
     .text = "'c' waits for its turn to flush"},
    {.label = "wants no more, waits to flush",
     .graph = "a:Pass b:" TAKE(1) " c:Pass a>b a>c",
     .input = "[1,2]",
     .node = "b",
     .work = RMI_WAIT,
     .why = RMI_FOR_FLUSH},
    {.label = "has flushed",
     .graph = "a:Pass b:Sum a>b",
     .input = "[1]",
     .node = "a",
     .work = RMI_WAIT,
     .why = RMI_FOR_NOTHING},
};

static void look(struct rmt_graph *g, rm_node *unused)
{
    struct state *want = g->setup.look_context;
    char text[512];
    rmi_reason why;
    (void)unused;
    if (g->pipeline == NULL || want->seen || g->pipeline->closed) /* it is being opened, or closed */
        return;
    rmi_describe_waits(g->pipeline, text, sizeof text);
    const rmi_work work = rmi_node_work(rmt_graph_node(g, want->node), &why);
    want->seen = work == want->work && (work != RMI_WAIT || why == want->why) &&
                 (want->text == NULL || strstr(text, want->text) != NULL);
}

/* Runs turn by turn, so that no state is missed. */
static void run_by_turns(rmt_graph *g)
{
    int rc = RM_OK;
    for (size_t turns = 0; rc >= 0 && rc != RM_DONE && turns < 10000; turns++) {
        look(g, NULL);
        rc = rmi_turn(g->pipeline);
        g->held = false;
        look(g, NULL);
        const bool taken = rc == RM_AGAIN && rmt_graph_take(g);
        if (rc == RM_PENDING && !taken)
            rm_pipeline_wait(g->pipeline, NULL, 0);
    }
    assert_true(rc < 0 || rc == RM_DONE);
}

static void every_state_is_come_to(void **unused)
{
    rmt_graph *g = malloc(sizeof *g);
    (void)unused;
    for (size_t i = 0; i < RMT_COUNT(states); i++) {
        struct state state = states[i];
        const rmt_graph_setup setup = {.graph = state.graph,
                                       .input = state.input,
                                       .way = RMT_LIVE,
                                       .queue = state.queue,
                                       .look = look,
                                       .look_context = &state};
        for (rmt_way way = RMT_FEED; way <= RMT_LIVE && !state.seen; way++) {
            rmt_graph_setup now = setup;
            now.way = way;
            assert_int_equal(rmt_graph_open(g, &now), RM_OK);
            run_by_turns(g);
            rmt_graph_free(g);
            assert_string_equal(g->trouble, "");
        }
        if (!state.seen)
            fail_msg("never seen: %s", state.label);
    }
    free(g);
}

/* Items that finish behind a provisional failure are sent out when the failure turns out not to count. */
static void what_a_void_failure_held_up_is_sent_out(void **unused)
{
    bool seen = false;
    rmt_graph *g = malloc(sizeof *g);
    (void)unused;
    for (int polls = 0; polls < 40; polls++) {
        char graph[256];
        (void)snprintf(graph, sizeof graph,
                       "a:Pass m:MultiplyNode d:Patient{\"params\":{\"polls\":%d}} b:Soon e:Soon "
                       "c:Take{\"params\":{\"count\":2}} a>m m>d a>b "
                       "b>e e>c",
                       polls);
        struct state state = {.node = "d", .work = RMI_COMMIT};
        const rmt_graph_setup setup = {
            .graph = graph, .input = "[1,13,3]", .way = RMT_FEED, .look = look, .look_context = &state};
        assert_int_equal(rmt_graph_open(g, &setup), RM_OK);
        run_by_turns(g);
        (void)rmt_graph_take(g);
        rmt_graph_free(g);
        assert_string_equal(g->trouble, "");
        seen |= state.seen;
    }
    free(g);
    assert_true(seen);
}

/* The text is cut to any size. */
static void what_is_waited_for_is_cut(void **unused)
{
    rmt_graph *g = malloc(sizeof *g);
    const rmt_graph_setup setup = {.graph = "a:Pass b:Sum a>b", .input = "[1]", .way = RMT_LIVE};
    const char *whole = "'a' waits for input, 'b' waits for input";
    (void)unused;
    assert_int_equal(rmt_graph_open(g, &setup), RM_OK);
    for (size_t size = 1; size < 64; size++) {
        char text[65];
        memset(text, 'x', sizeof text);
        rmi_describe_waits(g->pipeline, text, size);
        assert_true(strlen(text) == (size > strlen(whole) ? strlen(whole) : size - 1));
        assert_memory_equal(text, whole, strlen(text));
        assert_int_equal(text[size], 'x');
    }
    rmt_graph_free(g);
    free(g);
}

RMT_MAIN(every_state_is_come_to, what_a_void_failure_held_up_is_sent_out, what_is_waited_for_is_cut)
