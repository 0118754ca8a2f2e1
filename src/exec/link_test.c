/* Links: chains, order, limits, ends. */
#include <stdlib.h>
#include <string.h>

#include "tests/support/test_graph.h"

static const rmt_graph_case cases[] = {
    {"a chain", "a:Pass b:Pass a>b", "[1,2,3]", "{\"b\":[1,2,3]}"},
    {"a chain of batches", "a:PassMany b:PassMany c:PassMany a>b b>c", "[1,2,3]", "{\"c\":[1,2,3]}"},
    {"a batch up to the item that fails", "a:PassMany b:PickyMany c:PassMany a>b b>c", "[1,2,13,4]",
     "{\"c\":[1,2]} value: thirteen at b[2]"},
    {"a batch of which one item is left out",
     "a:PassMany b:PickyMany{\"on_error\":\"skip\"} c:PassMany a>b b>c", "[1,13,3,13,13,4]",
     "{\"c\":[1,3,4]}"},
    {"a batch of which only the first part is wanted", "a:PassMany b:PickyMany c:PassMany a>b b>c",
     "[1,99,3,13,5]", "{\"c\":[1,99]}"},
    {"several calls for items of a batch", "a:PassMany b:SlowMany c:PassMany a>b b>c", "[1,3,0,2]",
     "{\"c\":[1,3,3,3,2,2]}"},
    {"disconnected parts are independent", "a:Pass b:Sum", "[1,2]", "{\"a\":[1,2],\"b\":[3]}"},
    {"who wants no more ends a chain of any length", "a:Pass b:PassMany c:Pass d:FirstThree a>b b>c c>d",
     "[1,2,3,4,5,6,7]", "{\"d\":[1,2,3]}"},
    {"one of two consumers wants no more", "a:Pass b:FirstThree c:Sum a>b a>c", "[1,2,3,4,5]",
     "{\"b\":[1,2,3],\"c\":[15]}"},
    {"both consumers want no more, one later",
     "a:Pass b:FirstThree c:Pass d:Take{\"params\":{\"count\":4}} a>b a>c c>d", "[1,2,3,4,5,6]",
     "{\"b\":[1,2,3],\"d\":[1,2,3,4]}"},
    {"nothing is wanted from the start", "a:Pass b:Take{\"params\":{\"count\":0}} a>b", "[1,2]",
     "{\"b\":[]}"},
    {"an output node goes on when nobody else wants its packets",
     "a:Pass{\"is_output_node\":true} b:FirstThree a>b", "[1,2,3,4,5]", "{\"a\":[1,2,3,4,5],\"b\":[1,2,3]}"},
    {"an unwanted node is flushed into nothing",
     "a:Sum b:Pass c:Take{\"params\":{\"count\":0}} d:Pass a>c b>d", "[1,2]", "{\"c\":[],\"d\":[1,2]}"},
    {"limits a link", "a:Repeat b:Pass c:Pass a>b{\"queue\":{\"packets\":1}} b>c{\"queue\":{\"packets\":2}}",
     "[5,0,3]", "{\"c\":[5,5,5,5,5,3,3,3]}"},
    {"bytes", "a:Inflate b:Pass c:Measure a>b{\"queue\":{\"bytes\":1}} b>c{\"queue\":{\"bytes\":3000}}",
     "[5000,1,0,2999,3000,5,6,7]", "{\"c\":[5000,1,0,2999,3000,5,6,7]}"},
    {"bytes where branches meet",
     "a:Inflate b:Pass c:Pass d:Measure a>b{\"queue\":{\"bytes\":300}} a>c b>d c>d{\"queue\":{\"bytes\":1}}",
     "[1000,2000,3000,10]", "{\"d\":[1000,1000,2000,2000,3000,3000,10,10]}"},
};

static void gives_the_answer_or_out_of_memory(void **unused)
{
    (void)unused;
    rmt_graph_check(cases, RMT_COUNT(cases), 0);
}

/* The outputs are the same whatever the limits of queues. With a limit of 1, a merge where one input gets
 * many packets of one seq before the other gets any would stand still without overshoot. */
static void limits_change_nothing(void **unused)
{
    static const struct {
        const char *graph, *input;
    } graphs[] = {
        {"a:Pass b:Repeat c:Repeat d:Pass a>b b>c c>d a>d", "[3,1,0,4,200,2]"},
        {"a:Repeat x:Split y:Pass d:Sum e:Pass a>x x.small>y y>d x.large>d y>e x.large>e", "[9,12,3,300]"},
        {"a:Pass b:Late c:Repeat d:Pass a>b a>c b>d c>d", "[3,1,0,4,200,2,5,6,7,8]"},
        {"a:Pass b:Pairs c:Repeat d:Pass a>b a>c b>d c>d", "[3,1,0,4,100,2,5,6,7,8]"},
        {"a:Pass b:Slow c:Picky e:Pass d:Sum a>b b>c c>e a>e e>d", "[3,1,0,4,100,2,13,6,7,8]"},
        {"a:Repeat b:Eager c:Sum a>b b>c", "[900]"},
        {"a:Repeat b:Pairs c:Pairs e:Pairs d:Pass a>b b>e a>c c>d e>d a>d", "[3,100,5,0,8]"},
        {"a:Pass b:Even c:Odd d:Pass a>b a>c b>d c>d", "[1,2,3,4,6,8,10,12,14,16,18,1,1,1,1,1,1,2]"},
        {"a:Pass b:Even c:Slow d:Pass e:Repeat a>b b>c c>d a>d d>e{\"queue\":{\"packets\":1}}",
         "[20,1,3,5,7,2,2,40]"},
        {"a:Pass b:Total c:Repeat d:Pass a>b a>c b>d c>d", "[1,2,100,200]"},
        {"a:Split b:Repeat c:Slow d:Pass e:Pass a.small>b a.large>c b>d c>d a.small>e c>e",
         "[9,50,8,60,3,3,3,11]"},
        {"a:Repeat b:Soon c:Again d:Pass a>b a>c b>d c>d", "[9,50,8]"},
        {"a:Sum b:Repeat c:Repeat d:Pass a>b b>c a>d c>d", "[5,6,9]"},
        {"a:Pass b:SumSlow c:Repeat d:Sum e:Pass a>b a>c b>d c>d a>e b>e c>e", "[100,90,9]"},
    };
    rmt_graph *g = malloc(sizeof *g);
    static char want[RMT_GOT];
    (void)unused;
    for (size_t i = 0; i < RMT_COUNT(graphs); i++)
        for (rmt_way way = 0; way < RMT_WAYS; way++)
            for (size_t limit = 0; limit < 8; limit++) {
                const rmt_graph_setup setup = {
                    .graph = graphs[i].graph, .input = graphs[i].input, .way = way, .queue = limit};
                (void)rmt_graph_run(g, &setup);
                if (limit == 0 && way == 0)
                    memcpy(want, g->got, sizeof want);
                if (strcmp(g->got, want) != 0 || strstr(want, "internal") != NULL ||
                    strstr(want, "TROUBLE") != NULL)
                    fail_msg("graph %zu, way %d, queues of %zu: got %.600s, want %.600s", i, (int)way, limit,
                             g->got, want);
            }
    free(g);
}

/* Queues of 2 and many values: the values in memory at once do not grow with their number. */
static void memory_stays_bounded(void **unused)
{
    static const struct {
        const char *graph, *few, *many;
    } graphs[] = {
        {"a:Slow b:Pass c:Sum a>b b>c", "[50]", "[5000]"},
        {"a:CountUp{\"params\":{\"count\":50}} b:Pass c:Pass d:Sum a>b a>c b>d c>d", NULL, NULL},
        {"a:Pass b:Slow c:Pass d:Pass e:Sum a>b b>c c>d a>d d>e", "[50]", "[5000]"},
        {"a:Pass b:Slow c:Slow d:Pass e:Sum a>b a>c b>d c>d d>e", "[10,50]", "[5000,5000]"},
        {"a:Slow b:Ones c:Sum a>b b>c", "[50]", "[5000]"},
        {"a:Slow b:Late c:Sum a>b b>c", "[50]", "[5000]"},
        {"a:Slow b:Even c:Odd d:Sum a>b a>c b>d c>d", "[50,50]", "[5000,5000]"},
    };
    rmt_graph *g = malloc(sizeof *g);
    (void)unused;
    for (size_t i = 0; i < RMT_COUNT(graphs); i++)
        for (rmt_way way = RMT_FEED; way < RMT_WAYS; way++) {
            rmt_graph_setup setup = {
                .graph = graphs[i].graph, .input = graphs[i].few, .way = way, .queue = 2};
            if (setup.input == NULL)
                setup.input = "null";
            (void)rmt_graph_run(g, &setup);
            const size_t few = g->peak_bytes;
            assert_null(strstr(g->got, "TROUBLE"));
            setup.input = graphs[i].many != NULL ? graphs[i].many : "null";
            if (graphs[i].many == NULL)
                setup.graph = "a:CountUp{\"params\":{\"count\":5000}} b:Pass c:Pass d:Sum a>b a>c b>d c>d";
            (void)rmt_graph_run(g, &setup);
            if (g->peak_bytes > few + 4096 || strstr(g->got, "TROUBLE") != NULL)
                fail_msg("graph %zu, way %d: at most %zu bytes for few, %zu for many: %.300s", i, (int)way,
                         few, g->peak_bytes, g->got);
        }
    free(g);
}

RMT_MAIN(gives_the_answer_or_out_of_memory, limits_change_nothing, memory_stays_bounded)
