/* Packets under way: tokens, order, what a flight keeps until it is finished. */
#include <stdlib.h>
#include <string.h>

#include "tests/support/test_graph.h"

static const rmt_graph_case cases[] = {
    {"tokens that are over, or never were", "a:Twice b:Pass a>b", "[1,2,3,4,5]", "{\"b\":[10,20,30,40,50]}"},
    {"the same where an item may be tried again",
     "a:Twice{\"retry\":{\"attempts\":2,\"backoff_ms\":0}} b:Pass a>b", "[1,2,3]", "{\"b\":[10,20,30]}"},
    {"the same where an item has a time", "a:Twice{\"timeout_ms\":60000,\"on_error\":\"skip\"} b:Pass a>b",
     "[1,13,3]", "{\"b\":[10,130,30]}"},
    {"many under way", "a:Late{\"max_in_flight\":4} b:Pass a>b", "[1,2,3,4,5,6,7,8,9]",
     "{\"b\":[10,20,30,40,50,60,70,80,90]}"},
    {"all at once, the last one first", "a:Patient b:Pass a>b", "[1,2,3,4,5,6]",
     "{\"b\":[10,20,30,40,50,60]}"},
    {"one of them fails, those behind it come to nothing", "a:Patient b:Pass a>b", "[1,13,3]",
     "{\"b\":[10,130]} value: late 13 at a[1]"},
    {"one of them fails, those behind it stay", "a:Patient{\"on_error\":\"skip\"} b:Pass a>b", "[1,13,3]",
     "{\"b\":[10,130,30]}"},
    {"one of them is tried again, those behind it wait",
     "a:Late{\"max_in_flight\":3,\"retry\":{\"attempts\":2,\"backoff_ms\":1}} b:Pass a>b", "[14,2,3,4]",
     "{\"b\":[140,20,30,40]}"},
    {"texts and maps", "a:Pass{\"retry\":{\"attempts\":1}} b:Pass{\"timeout_ms\":60000} c:Merge a>b b>c",
     "[\"x\",{\"k\":[1]}]", "{\"c\":[{\"b\":\"x\"},{\"b\":{\"k\":[1]}}]}"},
    {"more than one output", "a:Split{\"timeout_ms\":60000} b:Pass c:Pass a.small>b a.large>c", "[1,20,3]",
     "{\"b\":[1,3],\"c\":[20]}"},
    {"more than one output, may be tried again",
     "a:Split{\"retry\":{\"attempts\":1}} b:Pass a.small>b a.large>b", "[1,20,3]", "{\"b\":[1,20,3]}"},
};

static void gives_the_answer_or_out_of_memory(void **unused)
{
    (void)unused;
    rmt_graph_check(cases, RMT_COUNT(cases), 0);
}

/* Flights are in the order of their packets, each token once; there are no more flights than suspended
 * packets. */
static void look(struct rmt_graph *g, rm_node *node)
{
    size_t *most = g->setup.look_context;
    for (size_t i = 1; i < node->flight.count; i++)
        if (node->flight.items[i].token <= node->flight.items[i - 1].token ||
            node->flight.items[i].origin.seq < node->flight.items[i - 1].origin.seq)
            rmt_trouble(g, "flights are out of order");
    for (size_t i = 0; i < node->flight.count; i++)
        if (rmi_flight_find(node, node->flight.items[i].token) != &node->flight.items[i])
            rmt_trouble(g, "a flight is not found");
    if (rmi_flight_find(node, 0) != NULL || rmi_flight_find(node, 1000) != NULL)
        rmt_trouble(g, "a flight is found that is none");
    if (!node->plain && node->type->process != NULL && !node->more && !node->generate.on &&
        rmi_flight_room(node) != (node->flight.count < (node->max_in_flight > 0 ? node->max_in_flight : 1)))
        rmt_trouble(g, "room for another flight is told wrongly");
    *most = node->flight.count > *most ? node->flight.count : *most;
}

static void flights_stand_in_order(void **unused)
{
    static const char *const graphs[] = {"a:Late{\"max_in_flight\":4} b:Pass a>b", "a:Patient b:Soon a>b",
                                         "a:Pass b:Late{\"retry\":{\"attempts\":2,\"backoff_ms\":0}} a>b",
                                         "a:NeverMany{\"timeout_ms\":1,\"on_error\":\"skip\"}"};
    rmt_graph *g = malloc(sizeof *g);
    (void)unused;
    for (size_t i = 0; i < RMT_COUNT(graphs); i++)
        for (rmt_way way = 0; way < RMT_WAYS; way++) {
            size_t most = 0;
            const rmt_graph_setup setup = {.graph = graphs[i],
                                           .input = "[1,2,14,4,5,6]",
                                           .way = way,
                                           .look = look,
                                           .look_context = &most};
            (void)rmt_graph_run(g, &setup);
            if (strstr(g->got, "TROUBLE") != NULL || (i % 2 == 1 && most < 3))
                fail_msg("%s, way %d: %zu at most, %s", graphs[i], (int)way, most, g->got);
        }
    free(g);
}

RMT_MAIN(gives_the_answer_or_out_of_memory, flights_stand_in_order)
