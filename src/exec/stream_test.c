/* Nodes that pull their input: in a row, in branches, in diamonds, one inside another's pull. */
#include <stdlib.h>
#include <string.h>

#include "tests/support/test_graph.h"

static const rmt_graph_case cases[] = {
    {"gives its turn back", "a:Pass b:OneByOne c:Pass a>b b>c a>c", "[1,2,3]", "{\"c\":[1,1,2,2,3,3]}"},
    {"pairs", "a:Pass b:Pairs c:Pass a>b b>c", "[1,2,3,4,5]", "{\"c\":[3,7,5]}"},
    {"in two branches", "a:Pass b:Pairs c:Pairs d:Pass a>b a>c b>d c>d", "[1,2,3,4,5]",
     "{\"d\":[3,3,7,7,5,5]}"},
    {"two in a row", "a:Pairs b:Pairs a>b", "[1,2,3,4,5]", "{\"b\":[10,5]}"},
    {"three in a row", "a:Pairs b:Ones c:Threes a>b b>c", "[1,2,3,4,5,6,7,8,9]", "{\"c\":[21,24]}"},
    {"two in a row, others between", "a:Pass b:Ones c:Repeat d:Threes e:Pass a>b b>c c>d d>e", "[1,2,0,3]",
     "{\"e\":[5,9]}"},
    {"one that stays in its call before one that does not", "a:Stay b:Pairs c:Pass a>b b>c", "[1,2,3]",
     "{\"c\":[3,3]}"},
    {"two that stay in their calls", "a:Stay b:Stay c:Pass a>b b>c", "[1,2,3]", "{\"c\":[1,2,3]}"},
    {"three that stay in their calls", "a:Stay b:Stay c:Stay a>b b>c", "[1,2,3]", "{\"c\":[1,2,3]}"},
    {"two that stay in a diamond", "a:Pass b:Stay c:Stay d:Pass a>b a>c b>d c>d", "[1,2]",
     "{\"d\":[1,1,2,2]}"},
    {"one that reads three, one that sums, in a diamond", "a:Pass b:Threes c:Total d:Pass a>b a>c b>d c>d",
     "[1,2,3,4]", "{\"d\":[6,4,10]}"},
    {"one that sums before one that reads three", "a:Total b:Threes a>b", "[1,2,3,4]", "{\"b\":[10]}"},
    {"one that reads three before one that sums", "a:Threes b:Total a>b", "[1,2,3,4]", "{\"b\":[10]}"},
    {"a diamond whose one branch is longer", "a:Pass b:Threes c:Ones d:Pairs e:Pass a>b b>d a>c c>e d>e",
     "[1,2,3,4,5,6,7]", "{\"e\":[1,2,3,4,5,6,21,7,7]}"},
    {"a diamond below a streaming node", "a:Pairs b:Ones c:Threes d:Pass a>b a>c b>d c>d", "[1,2,3,4,5,6]",
     "{\"d\":[3,7,11,21]}"},
    {"one that takes what branches give", "a:Pass b:Repeat c:Pass d:Pairs a>b a>c b>d c>d", "[1,2,0]",
     "{\"d\":[2,4,2]}"},
    {"takes what a flush gives", "a:Sum b:Pairs a>b", "[1,2,3]", "{\"b\":[6]}"},
    {"takes what several flushes give", "a:Pass b:Sum c:SumSlow d:Pairs a>b a>c b>d c>d", "[1,2]",
     "{\"d\":[6,3]}"},
    {"beside others", "a:Pass b:Pairs c:Pass a>b a>c b>c", "[1,2,3]", "{\"c\":[1,2,3,3,3]}"},
    {"wants no more", "a:Pass b:Quit c:Pass a>b b>c", "[1,2,3,4,5,6]", "{\"c\":[1,2]}"},
    {"wants no more, others do", "a:Pass b:Quit c:Sum a>b a>c", "[1,2,3,4,5,6]", "{\"b\":[1,2],\"c\":[21]}"},
    {"wants no more of another one", "a:Ones b:Quit a>b", "[1,2,3,4,5,6]", "{\"b\":[1,2]}"},
    {"wants no more of another one that stays in its call", "a:Stay b:Quit a>b", "[1,2,3,4,5,6]",
     "{\"b\":[1,2]}"},
    {"nobody wants more of it", "a:Stay b:FirstThree a>b", "[1,2,3,4,5,6]", "{\"b\":[1,2,3]}"},
    {"no input", "a:Pass b:Ones c:Total a>b b>c", "[]", "{\"c\":[]}"},
    {"fails", "a:Pass b:Stay c:Pass a>b b>c", "[1,13,2]", "{\"c\":[1,13]} value: stream thirteen at b[1]"},
    {"a failure that is left out ends the stream",
     "a:Pass b:Stay{\"on_error\":\"skip\"} c:Pass d:Pass a>b b>c a>d", "[1,13,2]",
     "{\"c\":[1,13],\"d\":[1,13,2]}"},
    {"a failure that is collected ends the stream", "a:Pass b:Stay{\"on_error\":\"collect\"} c:Pass a>b b>c",
     "[1,13,2]", "{\"c\":[1,13]} collected b[1]"},
    {"fails at its end", "a:Pass b:EndFails c:Pass a>b a>c", "[1,2]",
     "{\"b\":[],\"c\":[1,2]} value: no end at b[-1]"},
    {"fails behind another one", "a:Ones b:Stay a>b", "[1,13,2]",
     "{\"b\":[1,13]} value: stream thirteen at b[1]"},
    {"fails above another one", "a:Stay b:Pairs a>b", "[1,13,2]",
     "{\"b\":[14]} value: stream thirteen at a[1]"},
    {"what comes later", "a:Pass b:Dreamer c:Pass a>b b>c a>c", "[1,2,3]", "{\"c\":[1,1,2,2,3,3]}"},
    {"what comes later, from another one", "a:Late b:Pairs c:Dreamer a>b b>c", "[1,2,3]", "{\"c\":[30,30]}"},
    {"sources that stream, of different lengths", "a:Pairs b:Ones c:Pass a>c b>c",
     "{\"a\":[1,2,3,4],\"b\":[10]}", "{\"c\":[10,3,7]}"},
};

static void gives_the_answer_or_out_of_memory(void **unused)
{
    (void)unused;
    rmt_graph_check(cases, RMT_COUNT(cases), 0);
}

/* Sources generate, so that pulls get packets although no input comes. */
static const rmt_graph_case generated[] = {
    {"a stream of a source", "a:CountUp{\"params\":{\"count\":5}} b:Pairs a>b", "null", "{\"b\":[1,5,4]}"},
    {"two in a row", "a:CountUp{\"params\":{\"count\":7}} b:Stay c:Threes a>b b>c", "null",
     "{\"c\":[3,12,6]}"},
    {"who wants no more ends the source", "a:CountUp b:Stay c:Quit a>b b>c", "null", "{\"c\":[0,1]}"},
    {"a source that waits", "a:CountLate{\"params\":{\"count\":4}} b:Stay c:Pairs a>b b>c", "null",
     "{\"c\":[1,5]}"},
    {"a source that waits for room is not at its end",
     "a:CountUp{\"params\":{\"count\":3}} e:CountUp{\"params\":{\"count\":0}} z:Pass "
     "b:CountUp{\"params\":{\"count\":20}} "
     "c:Ones d:Ones e>z a>c c>d b>d{\"queue\":{\"packets\":1}}",
     "null", "{\"z\":[],\"d\":[0,0,1,1,2,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19]}"},
    {"a diamond", "a:CountUp{\"params\":{\"count\":500}} b:Threes c:Total d:Sum a>b a>c b>d c>d", "null",
     "{\"d\":[249500]}"},
};

static void streams_of_sources(void **unused)
{
    (void)unused;
    rmt_graph_check(generated, RMT_COUNT(generated), 0);
}

/* A failure, of a node or of the input, while nodes wait in pulls: everything before it is still processed by
 * the nodes that pull, by those below them, and by those that wait for room. */
static const rmt_graph_case failing[] = {
    {"the input, above two streams", "a:Stay b:Ones a>b", "[1,2,\"!\",4]",
     "{\"b\":[1,2]} value: a bad item at [-1]"},
    {"the input, above a stream and others", "a:Stay b:Pairs c:Pass a>b a>c", "[1,2,3,\"!\",4]",
     "{\"b\":[3],\"c\":[1,2,3]} value: a bad item at [-1]"},
    {"beside a pull", "a:Picky b:Pass c:Pairs a>b a>c", "[1,2,3,13,4]",
     "{\"b\":[1,2,3,13],\"c\":[3,16]} value: thirteen at a[3]"},
    {"above two pulls", "a:Picky b:Total c:Pairs a>b a>c", "[1,2,3,13,4]",
     "{\"b\":[],\"c\":[3,16]} value: thirteen at a[3]"},
    {"above a merge, beside a pull",
     "a:Picky b:Slow c:Merge{\"params\":{\"several\":\"list\"}} d:Pairs a>b b>c a>c a>d", "[1,2,5,3,13]",
     "{\"c\":[{\"b\":[1],\"a\":[1]},{\"b\":[2,2],\"a\":[2]},{\"b\":[5,5,5,5,5],\"a\":[5]},{\"b\":[3,3,3],\"a\":[3]},"
     "{\"b\":[13],\"a\":[13]}],\"d\":[3,8]} value: thirteen at a[4]"},
    {"beside pulls in a row", "a:Pass d:Picky b:Threes c:Stay e:Pairs a>b b>c a>d c>e",
     "[1,2,3,4,5,6,7,13,3]", "{\"d\":[1,2,3,4,5,6,7,13],\"e\":[21]} value: thirteen at d[7]"},
    {"in a flush, beside pulls in a row", "a:Pass e:SumFails b:Stay c:Stay d:Sum a>b b>c a>d a>e", "[1,2]",
     "{\"e\":[3],\"c\":[1,2],\"d\":[]} value: no flush at e[-1]"},
    {"beside pulls, one of which gets what the other has had",
     "a:Pass d:Picky m:MultiplyNode{\"params\":{\"factor\":2}} b:Ones c:Ones a>d a>m m>b b>c m>c",
     "[1,2,13,3]", "{\"d\":[1,2,13],\"c\":[2,2,4,4,26,26]} value: thirteen at d[2]"},
    {"of a source, beside a pull", "a:CountPicky b:Slow c:Pairs a>b a>c", "null",
     "{\"b\":[1,2,2],\"c\":[1]} value: three at a[3]"},
};

static void all_before_a_failure_is_done(void **unused)
{
    (void)unused;
    rmt_graph_check(failing, RMT_COUNT(failing), 0);
}

/* More streaming nodes in a row than may wait inside one another's pull. */
static void many_in_a_row(void **unused)
{
    static const char *const types[] = {"Ones", "Stay", "OneByOne"};
    rmt_graph *g = malloc(sizeof *g);
    (void)unused;
    for (size_t type = 0; type < RMT_COUNT(types); type++)
        for (int length = 2; length <= RMI_MAX_PULLS + 2; length += length == 9 ? RMI_MAX_PULLS - 10 : 1)
            for (rmt_way way = 0; way < RMT_WAYS; way++) {
                char graph[2048] = "", want[64];
                for (int i = 0; i < length; i++)
                    (void)snprintf(graph + strlen(graph), sizeof graph - strlen(graph), "%sn%d:%s",
                                   i ? " " : "", i, types[type]);
                for (int i = 1; i < length; i++)
                    (void)snprintf(graph + strlen(graph), sizeof graph - strlen(graph), " n%d>n%d", i - 1, i);
                (void)snprintf(want, sizeof want, "{\"n%d\":[1,2,3,4,5]}", length - 1);
                const rmt_graph_setup setup = {
                    .graph = graph, .input = "[1,2,3,4,5]", .way = way, .queue = 1 + (size_t)length % 2};
                (void)rmt_graph_run(g, &setup);
                if (strcmp(g->got, want) != 0)
                    fail_msg("%d of %s, way %d: got %s, want %s", length, types[type], (int)way, g->got,
                             want);
            }
    free(g);
}

/* Live input: an item has passed through the graph before the run asks for the next one. */
static void items_are_seen_live(void **unused)
{
    static const struct {
        const char *graph;
        size_t taken[4]; /* number of items taken from the input when each result was out */
    } live[] = {
        {"a:Stay b:Pass a>b", {1, 2, 3}},
        {"a:Pass b:Stay c:Pass a>b b>c", {1, 2, 3}},
        {"a:Ones b:Ones a>b", {1, 2, 3}},
        {"a:Pairs b:Pass a>b", {2, 3}},
    };
    rmt_graph *g = malloc(sizeof *g);
    (void)unused;
    for (size_t i = 0; i < RMT_COUNT(live); i++) {
        const rmt_graph_setup setup = {.graph = live[i].graph, .input = "[1,1,1]", .way = RMT_LIVE};
        (void)rmt_graph_run(g, &setup);
        assert_string_equal(g->trouble, "");
        if (memcmp(g->taken, live[i].taken, sizeof live[i].taken) != 0)
            fail_msg("%s: after %zu, %zu, %zu items", live[i].graph, g->taken[0], g->taken[1], g->taken[2]);
    }
    free(g);
}

/* No pull can wait where the caller pushes items, or where several streaming nodes would wait for one
 * another. */
static void can_wait(struct rmt_graph *g, rm_node *node)
{
    if (node->type->stream != NULL && rm_node_can_wait(node) != *(const bool *)g->setup.look_context)
        rmt_trouble(g, "'%s' %s", rm_node_id(node), rm_node_can_wait(node) ? "can wait" : "cannot wait");
}

static void it_is_told_whether_a_pull_can_wait(void **unused)
{
    static const struct {
        const char *graph, *input;
        rmt_way way;
        bool can;
    } told[] = {
        {"a:Ones", "[1]", RMT_RUN, true},
        {"a:Ones", "[1]", RMT_FEED, true},
        {"a:Ones", "[1]", RMT_LIVE, true},
        {"a:Ones", "[1]", RMT_PUSH, false},
        {"a:Ones b:Ones a>b", "[1]", RMT_RUN, false}, /* there are threads here */
        {"a:CountUp{\"params\":{\"count\":2}} b:Ones a>b", "null", RMT_PUSH, true},
    };
    rmt_graph *g = malloc(sizeof *g);
    (void)unused;
    for (size_t i = 0; i < RMT_COUNT(told); i++) {
        bool can = told[i].can;
        const rmt_graph_setup setup = {.graph = told[i].graph,
                                       .input = told[i].input,
                                       .way = told[i].way,
                                       .look = can_wait,
                                       .look_context = &can};
        (void)rmt_graph_run(g, &setup);
        if (g->trouble[0] != '\0')
            fail_msg("%zu: %s", i, g->trouble);
    }
    free(g);
}

RMT_MAIN(gives_the_answer_or_out_of_memory, streams_of_sources, all_before_a_failure_is_done, many_in_a_row,
         items_are_seen_live, it_is_told_whether_a_pull_can_wait)
