/* Where queues block each other, only the needed ones may exceed their limits. */
#include <stdlib.h>
#include <string.h>

#include "tests/support/test_graph.h"

/* Graphs of nodes that emit one packet a call, and the connections whose queues may exceed their limits. */
static const struct {
    const char *graph, *input;
    unsigned may; /* a bit a connection, in manifest order */
} rows[] = {
    {"a:Pass b:Pass c:Pass a>b b>c", "[1,2,3,4,5,6]", 0},
    {"a:Slow b:Soon c:Late a>b b>c", "[20,3]", 0},
    {"a:Slow b:Slow c:Slow a>b b>c", "[5,3]", 0},
    {"a:Pass b:Pass c:Soon a>b a>c", "[1,2,3,4,5,6]", 0},
    {"a:Slow b:Pass c:Slow d:Pass a>b a>c b>d c>d", "[1,2,3,4]", 1 << 0 | 1 << 1 | 1 << 2 | 1 << 3},
    {"a:Slow b:Even d:Pass e:Soon a>b b>d a>d d>e", "[9,8,7]", 1 << 0 | 1 << 1 | 1 << 2},
    {"a:Slow b:Even d:Pass e:Slow f:Pass a>b b>d a>d d>e e>f", "[9,8,7]", 1 << 0 | 1 << 1 | 1 << 2},
    {"z:Slow x:Slow a:Pass b:Even d:Pass z>x x>a a>b b>d a>d", "[3,8]", 1 << 2 | 1 << 3 | 1 << 4},
};

struct seen {
    unsigned may, exceeded;
};

static void look(struct rmt_graph *g, rm_node *node)
{
    struct seen *seen = g->setup.look_context;
    const rm_pipeline *p = node->pipeline;
    for (uint32_t i = 0; i < p->connection_count; i++)
        if (p->links[i].queue.count > p->links[i].limit) {
            seen->exceeded |= 1u << i;
            if (!(seen->may >> i & 1))
                rmt_trouble(g, "connection %u holds %zu, its limit is %zu", i, p->links[i].queue.count,
                            p->links[i].limit);
        }
}

static void only_those_that_are_needed_exceed_their_queues(void **unused)
{
    rmt_graph *g = malloc(sizeof *g);
    bool any = false;
    (void)unused;
    for (size_t i = 0; i < RMT_COUNT(rows); i++)
        for (rmt_way way = 0; way < RMT_WAYS; way++)
            for (size_t queue = 1; queue < 4; queue++) {
                struct seen seen = {.may = rows[i].may};
                const rmt_graph_setup setup = {.graph = rows[i].graph,
                                               .input = rows[i].input,
                                               .way = way,
                                               .queue = queue,
                                               .look = look,
                                               .look_context = &seen};
                (void)rmt_graph_run(g, &setup);
                any |= seen.exceeded != 0;
                if (strstr(g->got, "TROUBLE") != NULL)
                    fail_msg("%s, way %d, queues of %zu: %s", rows[i].graph, (int)way, queue, g->got);
            }
    free(g);
    assert_true(any);
}

/* A merge may lack a packet of a source that is not fed while another source's feed is full. */
static const rmt_graph_case cases[] = {
    {"a source that is fed later", "a:Pass b:Pass c:Pass b>c a>c", "{\"a\":[1,2,3,4,5,6,7,8],\"b\":[10]}",
     "{\"c\":[10,1,2,3,4,5,6,7,8]}"},
    {"a source of which nothing comes", "a:Pass b:Even c:Pass b>c a>c",
     "{\"a\":[1,2,3,4,5],\"b\":[1,3,5,7,9]}", "{\"c\":[1,2,3,4,5]}"},
    {"two merges", "a:Pass b:Repeat c:Pass d:Pass e:Repeat f:Pass a>b a>c c>d b>d d>e e>f a>f", "[3,4]",
     "{\"f\":[3,3,3,3,3,3,3,3,3,3,3,3,3,4,4,4,4,4,4,4,4,4,4,4,4,4,4,4,4,4,4,4,4,4]}"},
    {"results of one sink are needed for those of another", "a:Pass b:Even c:Repeat d:Pass a>b a>c c>d",
     "[1,3,5,2]", "{\"b\":[2],\"d\":[1,3,3,3,5,5,5,5,5,2,2]}"},
    {"what a flush gives is needed", "a:Slow b:Sum d:Pass a>b b>d a>d", "[3,2]", "{\"d\":[3,3,3,2,2,13]}"},
};

static void gives_the_answer_or_out_of_memory(void **unused)
{
    (void)unused;
    rmt_graph_check(cases, RMT_COUNT(cases), 0);
}

RMT_MAIN(only_those_that_are_needed_exceed_their_queues, gives_the_answer_or_out_of_memory)
