/* Results that come later, attempts, timeouts, wake-ups. */
#include <stdlib.h>
#include <string.h>

#include "tests/support/test_graph.h"

#define RETRY "{\"retry\":{\"attempts\":2,\"backoff_ms\":0}}"
#define RETRY_LATER "{\"retry\":{\"attempts\":2,\"backoff_ms\":1}}"
#define SKIP_RETRY "{\"on_error\":\"skip\",\"retry\":{\"attempts\":1,\"backoff_ms\":0}}"
static const rmt_graph_case cases[] = {
    {"results come out in order", "a:Pass b:Late c:Pass a>b b>c", "[1,2,3,4,5,6,7]",
     "{\"c\":[10,20,30,40,50,60,70]}"},
    {"one a poll, whose time has passed", "a:Pass b:Soon c:Pass a>b b>c", "[1,2,3,4,5]",
     "{\"c\":[10,20,30,40,50]}"},
    {"a poll that asks to be called again", "a:Pass b:Again c:Pass a>b b>c", "[1,2,3,4,5]",
     "{\"c\":[10,20,30,40,50]}"},
    {"one at a time", "a:Pass b:Late{\"max_in_flight\":1} c:Pass a>b b>c", "[1,2,3]", "{\"c\":[10,20,30]}"},
    {"woken from another thread", "a:Pass b:Woken c:Pass a>b b>c a>c", "[1,2,3]", "{\"c\":[10,1,20,2,30,3]}"},
    {"woken for nothing", "a:Repeat b:Eager c:Sum a>b b>c", "[3,200]", "{\"c\":[40009]}"},
    {"an item that fails", "a:Pass b:Late a>b", "[1,12,13,15,16]",
     "{\"b\":[10,120,130]} value: late 13 at b[2]"},
    {"an item of a wrong kind fails after those under way", "a:Pass b:LateNumber a>b", "[1,2,\"x\",4]",
     "{\"b\":[10,20]} type: LateNumber 'b' takes int, got string at b[2]"},
    {"an item of a wrong kind is not tried again",
     "a:Pass b:LateNumber{\"on_error\":\"skip\",\"retry\":{\"attempts\":1}} a>b", "[1,2,\"x\",4]",
     "{\"b\":[10,20,40]}"},
    {"a flush that is pending", "a:Pass b:LateEnd c:Pass a>b b>c a>c", "[1,2]", "{\"c\":[10,1,20,2,99]}"},
    {"a flush that is pending, without items", "a:LateEnd b:LateEnd a>b", "[]", "{\"b\":[990,99]}"},
    {"an item that fails is left out", "a:Pass b:Late{\"on_error\":\"skip\"} a>b", "[1,13,15,16]",
     "{\"b\":[10,130,150,160]}"},
    {"an item that fails is collected", "a:Pass b:Soon{\"on_error\":\"collect\"} a>b", "[1,13,15,13]",
     "{\"b\":[10,130,150,130]} collected b[1] b[3]"},
    {"a poll that fails", "a:PollFails b:Pass a>b", "[1]", "{\"b\":[]} value: no poll at a[0]"},
    {"tried again", "a:Picky" RETRY " b:Pass a>b", "[1,14,3]", "{\"b\":[1,14,3]}"},
    {"tried again later", "a:Pass b:Picky" RETRY_LATER " a>b", "[1,14,3]", "{\"b\":[1,14,3]}"},
    {"tried again in vain", "a:Picky" RETRY, "[1,13,3]", "{\"a\":[1]} value: thirteen at a[1]"},
    {"tried again in vain, then left out", "a:Picky" SKIP_RETRY " b:Pass a>b", "[1,13,3,14,5]",
     "{\"b\":[1,3,5]}"},
    {"tried again when it was to come later", "a:Pass b:Late" RETRY " a>b", "[1,14,3,4]",
     "{\"b\":[10,140,30,40]}"},
    {"tried again in vain when it was to come later", "a:Pass b:Late" RETRY " c:Pass a>b b>c", "[1,13,3,4]",
     "{\"c\":[10]} value: late 13 at b[1]"},
    {"left out when it was to come later", "a:Pass b:Late" SKIP_RETRY " c:Pass a>b b>c", "[1,13,3,13,5]",
     "{\"c\":[10,30,50]}"},
    {"tried again in the middle of its packets", "a:Pass b:Slow" RETRY " c:Pass a>b b>c", "[2,14,3]",
     "{\"c\":[2,2,14,14,14,14,14,14,14,14,14,14,14,14,14,14,3,3,3]}"},
    {"tried again in vain in the middle of its packets", "a:Pass b:Slow" RETRY " c:Pass a>b b>c", "[2,13,3]",
     "{\"c\":[2,2]} value: slow 13 at b[1]"},
    {"without a retry what it emitted stays", "a:Pass b:Slow c:Pass a>b b>c", "[2,13,3]",
     "{\"c\":[2,2,13]} value: slow 13 at b[1]"},
    {"texts are tried again", "a:Pass b:Picky{\"retry\":{\"attempts\":1}} c:Pass a>b b>c",
     "[\"x\",[1],{\"k\":2}]", "{\"c\":[\"x\",[1],{\"k\":2}]}"},
    {"failing, tried again, and pending behind it, in two branches",
     "a:Pass b:Late" RETRY " c:Soon" RETRY " d:Pass a>b a>c b>d c>d", "[1,14,13,4,5]",
     "{\"d\":[10,10,140,140]} value: late 13 at b[2]"},
    {"a limit of the time of an item changes nothing",
     "a:Pass b:Slow{\"timeout_ms\":60000} c:Late{\"timeout_ms\":60000} a>b b>c", "[1,2]",
     "{\"c\":[10,20,20]}"},
    {"suspended nowhere", "a:SaysPending b:Pass a>b", "[1]",
     "{\"b\":[]} internal: SaysPending answered RM_PENDING (2), but has no poll at a[0]"},
    {"more of nothing", "a:SaysMore b:Pass a>b", "[1]",
     "{\"b\":[]} internal: SaysMore answered RM_MORE (1), but has no more at a[0]"},
    {"suspended nowhere, with a limit of its time", "a:SaysPending{\"timeout_ms\":60000} b:Pass a>b", "[1]",
     "{\"b\":[]} internal: SaysPending answered RM_PENDING without rm_node_suspend or poll at a[0]"},
    {"more of nothing, tried again", "a:SaysMore" RETRY " b:Pass a>b", "[1]",
     "{\"b\":[]} internal: SaysMore answered RM_MORE (1), but has no more at a[0]"},
    {"who wants no more", "a:Pass b:Late c:FirstThree a>b b>c", "[1,2,3,4,5,6]", "{\"c\":[10,20,30]}"},
    {"who wants no more, tried again", "a:Pass b:Late" RETRY " c:FirstThree a>b b>c", "[1,14,3,4,13,6]",
     "{\"c\":[10,140,30]}"},
};

static void gives_the_answer_or_out_of_memory(void **unused)
{
    (void)unused;
    rmt_graph_check(cases, RMT_COUNT(cases), 0);
}

/* ---- Timeouts ---- */

#define TIMEOUT "timeout: node 'a' took longer than its timeout_ms of 1 at a"
static const rmt_graph_case timeouts[] = {
    {"of what is pending", "a:Never{\"timeout_ms\":1}", "[1]", "{\"a\":[]} " TIMEOUT "[0]"},
    {"of several that are pending", "a:Never{\"timeout_ms\":1,\"max_in_flight\":3} b:Pass a>b", "[1,2,3,4]",
     "{\"b\":[]} " TIMEOUT "[0]"},
    {"left out", "a:Never{\"timeout_ms\":1,\"on_error\":\"skip\",\"max_in_flight\":2} b:Pass a>b", "[1,2,3]",
     "{\"b\":[]}"},
    {"collected", "a:Never{\"timeout_ms\":1,\"on_error\":\"collect\",\"max_in_flight\":3} b:Pass a>b",
     "[1,2]", "{\"b\":[]} collected a[0] a[1]"},
    {"tried again in vain", "a:Never{\"timeout_ms\":1,\"retry\":{\"attempts\":2,\"backoff_ms\":1}}", "[1]",
     "{\"a\":[]} " TIMEOUT "[0]"},
    {"what comes for an item after it is dropped", "a:Tardy{\"timeout_ms\":5,\"on_error\":\"skip\"}", "[1,2]",
     "{\"a\":[2]}"},
    {"the others go on", "a:Never{\"timeout_ms\":1,\"on_error\":\"skip\"} b:Pass", "[1,2]",
     "{\"a\":[],\"b\":[1,2]}"},
    {"of what has more to emit", "a:Slow{\"timeout_ms\":1} b:Even c:Pass a>b b>c", "[999999999,1]",
     "{\"c\":[]} " TIMEOUT "[0]"},
    {"of what has more to emit, left out", "a:Slow{\"timeout_ms\":1,\"on_error\":\"skip\"} b:Even a>b",
     "[999999999,2]", "{\"b\":[2,2]}"},
    {"before what merges", "x:Pass a:Never{\"timeout_ms\":1,\"on_error\":\"skip\"} b:Pass x>a a>b x>b",
     "[1,2]", "{\"b\":[1,2]}"},
};

static void items_run_out_of_time(void **unused)
{
    (void)unused;
    rmt_graph_check(timeouts, RMT_COUNT(timeouts), 0);
}

/* ---- Abandoned ---- */

/* Each suspended packet is finished, or abandoned where the node is unwanted or the packet's time has
 * passed. */
static const struct {
    const char *label, *graph, *want;
    bool some; /* are abandoned */
} given_up[] = {
    {"all are finished", "a:Late", "{\"a\":[10,20,30,40]}", false},
    {"those behind the last one that was wanted",
     "a:Pass b:Again{\"max_in_flight\":4} c:Take{\"params\":{\"count\":1}} a>b b>c", "{\"c\":[10]}", false},
    {"out of time", "a:Never{\"timeout_ms\":1,\"on_error\":\"skip\",\"max_in_flight\":2}", "{\"a\":[]}",
     true},
    {"another branch brought enough",
     "a:Pass b:Never{\"max_in_flight\":4} c:Take{\"params\":{\"count\":1}} a>c a>b b>c", "{\"c\":[1]}", true},
    {"another branch brought enough, through others",
     "a:Pass b:Never{\"max_in_flight\":4} d:Pass c:Take{\"params\":{\"count\":1}} a>c a>b b>d d>c",
     "{\"c\":[1]}", true},
    {"several of them", "a:Pass b:Never d:Never c:Take{\"params\":{\"count\":1}} a>c a>b a>d b>c d>c",
     "{\"c\":[1]}", true},
    {"after a failure of its own", "a:Pass b:Late{\"max_in_flight\":4} c:Pass a>b a>c",
     "{\"b\":[10,20,30,40],\"c\":[1,2,3,4]}", false},
};

static void what_is_under_way_is_finished_or_given_up(void **unused)
{
    rmt_graph *g = malloc(sizeof *g);
    (void)unused;
    for (size_t i = 0; i < RMT_COUNT(given_up); i++)
        for (rmt_way way = 0; way < RMT_WAYS; way++) {
            const rmt_graph_setup setup = {.graph = given_up[i].graph, .input = "[1,2,3,4]", .way = way};
            (void)rmt_graph_run(g, &setup);
            if (strcmp(g->got, given_up[i].want) != 0 || g->suspended != g->finished_tokens + g->abandoned ||
                given_up[i].some != (g->abandoned > 0))
                fail_msg("%s (way %d): %zu suspended, %zu finished, %zu given up; got %s", given_up[i].label,
                         (int)way, g->suspended, g->finished_tokens, g->abandoned, g->got);
        }
    free(g);
}

/* ---- How many at once ---- */

static void count_flights(struct rmt_graph *g, rm_node *node)
{
    size_t *most = g->setup.look_context;
    *most = node->flight.count > *most ? node->flight.count : *most;
}

static void no_more_are_under_way_than_may_be(void **unused)
{
    static const struct {
        const char *graph;
        size_t most;
    } rows[] = {
        {"a:NeverMany{\"timeout_ms\":1,\"on_error\":\"skip\"}", 3},
        {"a:NeverMany{\"timeout_ms\":1,\"on_error\":\"skip\",\"max_in_flight\":1}", 1},
        {"a:Never{\"timeout_ms\":1,\"on_error\":\"skip\"}", 1},
        {"a:Never{\"timeout_ms\":1,\"on_error\":\"skip\",\"max_in_flight\":2}", 2},
        {"a:Slow{\"retry\":{\"attempts\":1}}", 1},
    };
    rmt_graph *g = malloc(sizeof *g);
    (void)unused;
    for (size_t i = 0; i < RMT_COUNT(rows); i++)
        for (rmt_way way = 0; way < RMT_WAYS; way++) {
            size_t most = 0;
            const rmt_graph_setup setup = {.graph = rows[i].graph,
                                           .input = "[1,2,3,4,5,6,7,8,9]",
                                           .way = way,
                                           .look = count_flights,
                                           .look_context = &most};
            (void)rmt_graph_run(g, &setup);
            if (most != rows[i].most || strstr(g->got, "TROUBLE") != NULL)
                fail_msg("%s, way %d: %zu at once, want %zu; %s", rows[i].graph, (int)way, most, rows[i].most,
                         g->got);
        }
    free(g);
}

RMT_MAIN(gives_the_answer_or_out_of_memory, items_run_out_of_time, what_is_under_way_is_finished_or_given_up,
         no_more_are_under_way_than_may_be)
