/* Input items to the sources: for all or by source, pushed or pulled, and sources that take none. */
#include <stdlib.h>
#include <string.h>

#include "tests/support/test_graph.h"

#define COUNT(N) "{\"params\":{\"count\":" #N "}}"
static const rmt_graph_case cases[] = {
    {"input by source", "a:Pass b:Pass c:Pass b>c a>c", "{\"a\":[1,2],\"b\":[10]}", "{\"c\":[10,1,2]}"},
    {"the same for all", "a:Pass b:Late c:Pass b>c a>c", "[1,2]", "{\"c\":[10,1,20,2]}"},
    {"a generator is stopped by who wants no more", "a:CountUp b:Pass c:FirstThree a>b b>c", "null",
     "{\"c\":[0,1,2]}"},
    {"a generator ends", "a:CountUp" COUNT(3) " b:Sum a>b", "null", "{\"b\":[3]}"},
    {"a generator that may wait", "a:CountLive" COUNT(3) " b:Pass a>b", "null", "{\"b\":[0,1,2]}"},
    {"a generator that waits", "a:CountLate" COUNT(3) " b:Pass a>b", "null", "{\"b\":[0,1,2]}"},
    {"generators of different lengths", "a:CountUp" COUNT(2) " b:CountLate" COUNT(3) " c:Pass a>c b>c",
     "null", "{\"c\":[0,0,1,1,2]}"},
    {"one of many values", "a:CountUp" COUNT(500) " b:Sum a>b", "null", "{\"b\":[124750]}"},
    {"no input for a node that does not generate", "a:Pass", "null", "{\"a\":[]}"},
    {"a generator beside a source that gets items", "a:CountUp" COUNT(3) " b:Pass c:Pass a>c b>c",
     "{\"b\":[7,8]}", "{\"c\":[0,7,1,8,2]}"},
    {"an endless generator beside a source that gets items", "a:CountUp b:Pass c:FirstThree d:Pass a>c b>d",
     "{\"b\":[7,8,9,10,11]}", "{\"c\":[0,1,2],\"d\":[7,8,9,10,11]}"},
    {"a generator at whose items another one fails", "a:CountUp b:Picky c:Pass a>c", "{\"b\":[1,13,2]}",
     "{\"b\":[1,13],\"c\":[0,1]} value: thirteen at b[1]"},
    {"one source wants no more", "a:FirstThree b:Pass c:Pass a>c b>c", "[1,2,3,4,5]",
     "{\"c\":[1,1,2,2,3,3,4,5]}"},
    {"all sources want no more", "a:FirstThree b:FirstThree", "[1,2,3,4,5]", "{\"a\":[1,2,3],\"b\":[1,2,3]}"},
    {"a source of its own fails later than another one gets", "a:Picky b:Soon",
     "{\"a\":[1,2,13],\"b\":[1,2,3,4,5]}", "{\"a\":[1,2,13],\"b\":[10,20,30]} value: thirteen at a[2]"},
};

static void gives_the_answer_or_out_of_memory(void **unused)
{
    (void)unused;
    rmt_graph_check(cases, RMT_COUNT(cases), 0);
}

/* Input that rm_run refuses because no source takes it. */
static const rmt_graph_case refused[] = {
    {"items for a generator", "a:CountUp", "[1]",
     "{\"a\":[]} value: node 'a' (CountUp) generates its own items and takes no input at a[-1]"},
    {"items for nobody", "abc:Pass", "{\"abd\":[1]}",
     "{\"abc\":[]} unknown_node: input is addressed to 'abd', which is not a source of this pipeline; did you mean "
     "'abc'? at [-1]"},
    {"items for a node in the middle", "a:Pass b:Pass a>b", "{\"b\":[1]}",
     "{\"b\":[]} unknown_node: input is addressed to 'b', which is not a source of this pipeline at "
     "[-1]"},
    {"no list", "a:Pass", "{\"a\":1}", "{\"a\":[]} type: the input for 'a' must be a list, got int at [-1]"},
    {"neither list nor map", "a:Pass", "\"x\"",
     " type: the input must be a list or a map of lists, got string at [-1]"},
};

static void input_that_fits_nobody(void **unused)
{
    (void)unused;
    rmt_graph_check(refused, RMT_COUNT(refused), 1 << RMT_RUN);
}

/* Items by source, more than a batch: a source that wants no more, or that fails, does not cut the others
 * short. */
static void sources_do_not_end_one_another(void **unused)
{
    static const struct {
        const char *graph, *wants[3];
    } rows[] = {
        {"a:FirstThree b:Sum c:Pairs", {"\"a\":[0,1,2],\"b\":[19900],", ",397]}", ""}},
        {"a:Picky b:Pass c:Pass",
         {"12,13],\"b\":[0,", "12,13],\"c\":[0,", "12,13]} value: thirteen at a[13]"}},
        {"a:Pairs b:Pairs c:Pairs", {",397],\"b\":[1,", ",397],\"c\":[1,", ",397]}"}},
    };
    static char list[2048], input[8192];
    rmt_graph *g = malloc(sizeof *g);
    (void)unused;
    for (int i = 0; i < 200; i++)
        (void)snprintf(list + strlen(list), sizeof list - strlen(list), "%s%d", i ? "," : "", i);
    (void)snprintf(input, sizeof input, "{\"a\":[%s],\"b\":[%s],\"c\":[%s]}", list, list, list);
    for (size_t i = 0; i < RMT_COUNT(rows); i++)
        for (rmt_way way = 0; way < RMT_WAYS; way++) {
            const rmt_graph_setup setup = {.graph = rows[i].graph, .input = input, .way = way};
            (void)rmt_graph_run(g, &setup);
            for (size_t k = 0; k < 3; k++)
                if (strstr(g->got, rows[i].wants[k]) == NULL || strstr(g->got, "TROUBLE") != NULL)
                    fail_msg("%s, way %d: %s is not in %.1500s", rows[i].graph, (int)way, rows[i].wants[k],
                             g->got);
        }
    free(g);
}

/* ---- Pushing ---- */

static void push(rmt_graph *g, const char *source, int64_t item, int want)
{
    assert_int_equal(rm_pipeline_push(g->pipeline, source, rm_int(item), &g->err), want);
}

static void a_push_tells_whether_more_is_wanted(void **unused)
{
    rmt_graph *g = malloc(sizeof *g);
    const rmt_graph_setup setup = {.graph = "ab:FirstThree cd:Take{\"params\":{\"count\":1}}",
                                   .input = "[]",
                                   .way = RMT_FEED,
                                   .queue = 2};
    (void)unused;
    assert_int_equal(rmt_graph_open(g, &setup), RM_OK);
    g->pipeline->input = NULL; /* all items are pushed */
    push(g, NULL, 1, RM_OK);
    push(g, NULL, 2, RM_OK);
    push(g, NULL, 3, RM_AGAIN); /* both are full */
    push(g, "ab", 3, RM_AGAIN);
    push(g, "xy", 3, RM_E_UNKNOWN_NODE);
    rm_error_clear(&g->err);
    assert_int_equal(rm_run_step(g->pipeline, &g->err), RM_AGAIN);
    push(g, "cd", 3, RM_DONE); /* it wanted one item only */
    push(g, NULL, 3, RM_OK);   /* the other source wants it */
    assert_int_equal(rm_run_step(g->pipeline, &g->err), RM_AGAIN);
    assert_true(rmt_graph_take(g));
    while (rm_run_step(g->pipeline, &g->err) == RM_OK)
        (void)rmt_graph_take(g);
    assert_int_equal(rm_run_step(g->pipeline, &g->err), RM_DONE);
    push(g, NULL, 5, RM_DONE); /* the run has ended */
    assert_int_equal(rm_pipeline_finish(g->pipeline, &g->err), RM_OK);
    assert_int_equal(rm_pipeline_finish(g->pipeline, &g->err), RM_OK);
    push(g, NULL, 5, RM_E_USAGE);
    rm_error_clear(&g->err);
    (void)rmt_graph_take(g);
    assert_string_equal(g->order, "ab:1 cd:1 ab:2 ab:3 ");
    rmt_graph_free(g);
    free(g);
}

RMT_MAIN(gives_the_answer_or_out_of_memory, input_that_fits_nobody, sources_do_not_end_one_another,
         a_push_tells_whether_more_is_wanted)
