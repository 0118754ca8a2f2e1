/* Failures: which one is the run's, which items are still processed, which failures do not count, and
 * on_error. */
#include "tests/support/test_graph.h"

#define SKIP "{\"on_error\":\"skip\"}"
#define COLLECT "{\"on_error\":\"collect\"}"
#define TAKE(N) "Take{\"params\":{\"count\":" #N "}}"
static const rmt_graph_case cases[] = {
    {"what came before it stays, everywhere", "a:Pass b:Picky c:Pass d:Sum a>b b>c a>d", "[1,2,13,4]",
     "{\"c\":[1,2,13],\"d\":[]} value: thirteen at b[2]"},
    {"does not depend on the order of nodes", "a:Pass z:Pass b:Picky a>z a>b", "[1,2,13,4]",
     "{\"z\":[1,2,13],\"b\":[1,2,13]} value: thirteen at b[2]"},
    {"slower nodes still finish the item", "a:Pass b:Picky c:Soon d:Slow a>b a>c a>d", "[1,2,13,4,5]",
     "{\"b\":[1,2,13],\"c\":[10,20,130],\"d\":[1,2,2,13]} value: thirteen at b[2]"},
    {"of two at one item, the first by rank", "a:Pass b:Late c:Picky a>b a>c", "[1,13,2]",
     "{\"b\":[10,130],\"c\":[1,13]} value: late 13 at b[1]"},
    {"of two, the one that closes the other's output", "a:Pass b:Even c:Picky d:Slow e:Soon a>b b>c a>d d>e",
     "[2,13,14]", "{\"c\":[2],\"e\":[20,20,130]} value: late 13 at e[1]"},
    {"skip", "a:Picky" SKIP, "[1,13,3]", "{\"a\":[1,13,3]}"},
    {"collect", "a:Pass b:Picky" COLLECT " c:Pass a>b b>c", "[13,1,13]",
     "{\"c\":[13,1,13]} collected b[0] b[2]"},
    {"collect by item, then by rank", "a:Pass b:Soon" COLLECT " c:Picky" COLLECT " a>b a>c", "[13,13]",
     "{\"b\":[130,130],\"c\":[13,13]} collected b[0] c[0] b[1] c[1]"},
    {"collect up to a failure of the run", "a:Pass b:Picky" COLLECT " c:Pass d:PickyMany a>b b>c a>d",
     "[1,13,4]", "{\"c\":[1,13],\"d\":[1]} collected b[1] value: thirteen at d[1]"},
    {"without a word", "a:Speechless b:Pass a>b", "[1]",
     "{\"b\":[]} value: node 'a' failed (value) without saying why at a[0]"},
    {"takes nothing", "a:TakeNone b:Pass a>b", "[1]",
     "{\"b\":[]} internal: process_many of 'TakeNone' took nothing and said nothing at a[0]"},
    {"an internal one is not left out", "a:TakeNone" SKIP " b:Pass a>b", "[1]",
     "{\"b\":[]} internal: process_many of 'TakeNone' took nothing and said nothing at a[0]"},
    {"in a flush", "a:Pass b:SumFails c:Pass d:Sum a>b b>c a>d", "[1,2]",
     "{\"c\":[3],\"d\":[]} value: no flush at b[-1]"},
    {"in a flush, after another one", "a:Pass d:Sum b:SumFails c:Pass a>d a>b b>c", "[1,2]",
     "{\"d\":[3],\"c\":[3]} value: no flush at b[-1]"},
    {"in a flush, left out", "a:Pass b:SumFails" SKIP " c:Sum a>b b>c", "[1,2]", "{\"c\":[3]}"},
    {"in a flush, collected", "a:SumFails" COLLECT " b:Sum a>b", "[1,2]", "{\"b\":[3]} collected a[-1]"},
    {"behind a flush", "a:Sum b:Picky c:Sum a>b", "[6,7]", "{\"b\":[13],\"c\":[]} value: thirteen at b[-1]"},
    {"at the end of a stream, before the next flush", "a:Pass b:EndFails c:Sum a>b a>c", "[1]",
     "{\"b\":[],\"c\":[]} value: no end at b[-1]"},
    {"at the end of a stream, after a flush", "a:Pass c:Sum b:EndFails a>c a>b", "[1]",
     "{\"c\":[1],\"b\":[]} value: no end at b[-1]"},
    {"at an item, not at the end", "a:Pass b:SumFails c:Late a>b a>c", "[1,13]",
     "{\"b\":[],\"c\":[10,130]} value: late 13 at c[1]"},
    {"two that fail at their ends", "a:Pass b:EndFails c:SumFails a>b a>c", "[1]",
     "{\"b\":[],\"c\":[]} value: no end at b[-1]"},
};

/* Failures that do not count, because the node is unwanted by then. */
static const rmt_graph_case voided[] = {
    {"behind the last one wanted", "a:Pass b:Picky c:" TAKE(2) " a>b b>c", "[1,2,13,4]", "{\"c\":[1,2]}"},
    {"at the last one wanted", "a:Pass b:Picky c:" TAKE(2) " a>b b>c", "[1,13,3]", "{\"c\":[1,13]}"},
    {"before the last one wanted", "a:Pass b:Picky c:" TAKE(3) " a>b b>c", "[1,13,3]",
     "{\"c\":[1,13]} value: thirteen at b[1]"},
    {"through plain nodes", "a:Pass b:Picky c:Pass d:PassMany e:" TAKE(2) " a>b b>c c>d d>e", "[1,13,3]",
     "{\"e\":[1,13]}"},
    {"others go on", "a:Pass b:Picky c:" TAKE(2) " d:Sum a>b b>c a>d", "[1,13,3]",
     "{\"c\":[1,13],\"d\":[17]}"},
    {"several consumers, all have enough",
     "a:Pass b:Picky c:" TAKE(1) " d:Pass e:" TAKE(2) " a>b b>c b>d d>e", "[1,13,3]",
     "{\"c\":[1],\"e\":[1,13]}"},
    {"several consumers, one wants more", "a:Pass b:Picky c:" TAKE(1) " d:" TAKE(3) " a>b b>c b>d",
     "[1,13,3]", "{\"c\":[1],\"d\":[1,13]} value: thirteen at b[1]"},
    {"what another branch brings is enough", "a:Pass b:PickyMany c:" TAKE(3) " a>b b>c a>c", "[1,13,3]",
     "{\"c\":[1,1,13]}"},
    {"later failures are collected for nothing", "a:Pass b:Soon" COLLECT " c:" TAKE(2) " a>b b>c",
     "[13,1,13,13]", "{\"c\":[130,10]} collected b[0]"},
    {"a failure at the last one wanted is collected for nothing",
     "a:Pass b:Picky" COLLECT " c:" TAKE(2) " a>b b>c", "[13,13]", "{\"c\":[13,13]} collected b[0]"},
    {"a stream's, at its end, which came early", "a:Pass b:Grumpy c:" TAKE(2) " d:Pass a>b b>c a>d",
     "[1,2,3]", "{\"c\":[1,2],\"d\":[1,2,3]}"},
    {"the last of several that had enough decides",
     "a:Pass b:Picky" COLLECT " c:" TAKE(1) " d:" TAKE(3) " a>b b>c b>d", "[1,13,3,13]",
     "{\"c\":[1],\"d\":[1,13,3]} collected b[1]"},
    {"tried again for nothing",
     "a:Pass b:Late{\"retry\":{\"attempts\":1,\"backoff_ms\":0}} c:" TAKE(1) " a>b b>c", "[1,13,3,13]",
     "{\"c\":[10]}"},
    {"a stream's", "a:Pass b:Stay c:" TAKE(2) " a>b b>c", "[1,13,3]", "{\"c\":[1,13]}"},
    {"a flush's", "a:Pass b:SumFails c:" TAKE(1) " d:Pass a>b b>c a>c a>d", "[1,2]",
     "{\"c\":[1],\"d\":[1,2]}"},
    {"a flush's, that gave the last one wanted", "a:SumFails b:" TAKE(1) " a>b", "[1,2]", "{\"b\":[3]}"},
    {"an earlier one is void, the later one counts",
     "a:Pass b:Picky c:" TAKE(2) " d:Even e:Picky f:Pass a>b b>c a>d d>e e>f", "[1,13,2,14,8]",
     "{\"c\":[1,13],\"f\":[2,14]} value: not yet at e[3]"},
    {"an earlier one takes the place of a later one, is void, and the later one comes back",
     "a:Pass b:Even c:Picky d:Odd e:Soon f:" TAKE(2) " g:Pass a>b b>c a>d d>e e>f a>g", "[1,13,14,3,4]",
     "{\"c\":[14],\"f\":[10,130],\"g\":[1,13,14]} value: not yet at c[2]"},
    {"a failing node's output is wanted no more by a node that fails",
     "a:Pass b:Picky c:Picky d:" TAKE(2) " a>b b>c c>d", "[1,13,2]", "{\"d\":[1,13]}"},
    {"nothing was wanted", "a:Picky b:" TAKE(0) " c:Pass a>b", "[13,2]", "{\"b\":[],\"c\":[13,2]}"},
};

static const rmt_graph_case input[] = {
    {"items before it are done", "a:Pass b:Slow c:Soon a>b a>c", "[1,2,\"!\",3]",
     "{\"b\":[1,2,2],\"c\":[10,20]} value: a bad item at [-1]"},
    {"the first item", "a:Pass b:Sum a>b", "[\"!\",3]", "{\"b\":[]} value: a bad item at [-1]"},
    {"a node failed before it", "a:Pass b:Soon a>b", "[1,13,\"!\",3]",
     "{\"b\":[10,130]} value: late 13 at b[1]"},
    {"a node that is to fail later", "a:Pass b:Picky a>b", "[1,\"!\",13]",
     "{\"b\":[1]} value: a bad item at [-1]"},
    {"nobody wants more", "a:Pass b:" TAKE(2) " a>b", "[1,2,\"!\",3]", "{\"b\":[1,2]}"},
    {"nobody wants more of what comes late", "a:Pass b:Soon c:" TAKE(2) " a>b b>c", "[1,2,\"!\",3]",
     "{\"c\":[10,20]}"},
    {"nobody wants more, flushes follow", "a:Pass b:" TAKE(2) " c:Sum a>b b>c", "[1,2,\"!\",3]",
     "{\"c\":[3]}"},
    {"somebody wants more", "a:Pass b:" TAKE(2) " c:Pass a>b a>c", "[1,2,\"!\",3]",
     "{\"b\":[1,2],\"c\":[1,2]} value: a bad item at [-1]"},
    {"in front of a stream that wants no more", "a:Quit b:Pass a>b", "[1,2,\"!\",4]", "{\"b\":[1,2]}"},
};

static const rmt_graph_case sources[] = {
    {"a source", "a:CountPicky{\"params\":{\"count\":6}} b:Pass a>b", "null",
     "{\"b\":[0,1,2]} value: three at a[3]"},
    {"a source goes on", "a:CountPicky{\"on_error\":\"skip\",\"params\":{\"count\":6}} b:Pass a>b", "null",
     "{\"b\":[0,1,2,4,5]}"},
    {"a source, collected", "a:CountPicky{\"on_error\":\"collect\",\"params\":{\"count\":6}} b:Pass a>b",
     "null", "{\"b\":[0,1,2,4,5]} collected a[3]"},
    {"a source that nobody wants by then", "a:CountPicky b:Soon c:" TAKE(3) " a>b b>c", "null",
     "{\"c\":[0,10,20]}"},
    {"a source of two", "a:CountPicky b:CountUp c:Pass d:Pass a>c b>d", "null",
     "{\"c\":[0,1,2],\"d\":[0,1,2,3]} value: three at a[3]"},
    {"behind a source", "a:CountUp b:Late c:Pass a>b b>c", "null",
     "{\"c\":[0,10,20,30,40,50,60,70,80,90,100,110,120,130]} value: late 13 at b[13]"},
};

static void the_first_failure_is_the_runs(void **unused)
{
    (void)unused;
    rmt_graph_check(cases, RMT_COUNT(cases), 0);
}
static void failures_are_void_where_nobody_wants_more(void **unused)
{
    (void)unused;
    rmt_graph_check(voided, RMT_COUNT(voided), 0);
}
static void the_input_fails(void **unused)
{
    (void)unused;
    rmt_graph_check(input, RMT_COUNT(input), 0);
}
static void sources_fail(void **unused)
{
    (void)unused;
    rmt_graph_check(sources, RMT_COUNT(sources), 0);
}

RMT_MAIN(the_first_failure_is_the_runs, failures_are_void_where_nobody_wants_more, the_input_fails,
         sources_fail)
