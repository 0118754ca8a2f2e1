/* Probes, nodes that are left out, packets that are put in. */
#include <stdlib.h>
#include <string.h>

#include "exec/probe.h"
#include "tests/support/test_graph.h"

/* What a probe does with packets of one port; it counts all. */
typedef struct prober {
    const char *node; /* NULL: it only counts */
    bool in, drops;   /* drops odd numbers, or adds 100 to all */
    rm_pipeline *pipeline;
    size_t seen;
} prober;

static bool probe_packet(void *context, rmi_port_place place, rm_packet *packet)
{
    prober *p = context;
    p->seen++;
    if (p->node == NULL || place.in != p->in || packet->value.kind != RM_INT ||
        strcmp(rmi_pipeline_node_id(p->pipeline, place.node), p->node) != 0)
        return true;
    if (p->drops)
        return packet->value.i % 2 == 0;
    packet->value.i += 100;
    return true;
}

/* The results of the graph, with a probe or, where `p` is NULL, without one. */
static void run(rmt_graph *g, const rmt_graph_setup *setup, prober *p, const char *left_out,
                rmi_node_state state)
{
    const rmi_probe probe = {.packet = probe_packet, .context = p};
    assert_int_equal(rmt_graph_open(g, setup), RM_OK);
    if (p != NULL) {
        p->pipeline = g->pipeline;
        rmi_pipeline_set_probe(g->pipeline, &probe);
        for (uint32_t i = 0; i < rmi_pipeline_node_count(g->pipeline); i++)
            rmi_pipeline_probe_node(g->pipeline, i, true);
    }
    if (left_out != NULL)
        assert_int_equal(rmi_pipeline_set_state(g->pipeline, left_out, state, &g->err), RM_OK);
    int rc;
    do
        rc = rmt_graph_step(g);
    while (rc >= 0 && rc != RM_DONE);
    rmi_pipeline_set_probe(g->pipeline, NULL);
}

static void looking_changes_nothing(void **unused)
{
    static const char *const graphs[] = {"a:Pass",
                                         "a:Pass b:Repeat c:Pass a>b a>c",
                                         "a:Pass b:Late c:Pass a>b a>c",
                                         "a:Pass b:Even c:Odd a>b a>c",
                                         "a:Pass s:Sum t:Sum u:Pass a>s a>t a>u",
                                         "a:Late{\"max_in_flight\":4} b:Pass a>b",
                                         "a:Pass b:FirstThree c:Pass a>b a>c",
                                         "a:Slow b:Even c:Late a>b a>c",
                                         "a:Pass b:Picky c:Pass a>b a>c"};
    rmt_graph *g = malloc(sizeof *g), *probed = malloc(sizeof *probed);
    (void)unused;
    for (size_t i = 0; i < RMT_COUNT(graphs); i++)
        for (rmt_way way = RMT_FEED; way < RMT_WAYS; way++) {
            const rmt_graph_setup setup = {
                .graph = graphs[i], .input = "[1,2,13,4,5,6]", .way = way, .queue = 1 + i % 3};
            prober p = {.node = NULL};
            run(g, &setup, NULL, NULL, RMI_NODE_ENABLED);
            run(probed, &setup, &p, NULL, RMI_NODE_ENABLED);
            if (strcmp(g->order, probed->order) != 0 || probed->trouble[0] != '\0' || p.seen == 0)
                fail_msg("%s (way %d): got %s, want %s; %s", graphs[i], (int)way, probed->order, g->order,
                         probed->trouble);
            rmt_graph_free(probed);
            rmt_graph_free(g);
        }
    free(probed);
    free(g);
}

static const struct {
    const char *label, *graph, *input, *node;
    bool in, drops;
    const char *left_out;
    rmi_node_state state;
    const char *want;
} changes[] = {
    {"dropped before the node", "a:Pass b:Pass a>b", "[1,2,3,4]", "b", true, true, NULL, 0, "b:2 b:4 "},
    {"dropped behind the node", "a:Pass b:Pass a>b", "[1,2,3,4]", "a", false, true, NULL, 0, "b:2 b:4 "},
    {"changed before a merge", "a:Pass b:Pass c:Pass a>c b>c", "[1,2]", "a", false, false, NULL, 0,
     "c:101 c:1 c:102 c:2 "},
    {"dropped before a merge", "a:Pass b:Pass c:Pass a>c b>c", "[1,2]", "a", true, true, NULL, 0,
     "c:1 c:2 c:2 "},
    {"results are dropped", "a:Pass", "[1,2,3]", "a", false, true, NULL, 0, "a:2 "},
    {"the first node is bypassed", "a:Even b:Pass a>b", "[1,2,3]", NULL, false, false, "a", RMI_NODE_BYPASSED,
     "b:1 b:2 b:3 "},
    {"a node with items under way is bypassed", "a:Late b:Pass a>b", "[1,2,3]", NULL, false, false, "a",
     RMI_NODE_BYPASSED, "b:1 b:2 b:3 "},
    {"a branch is disabled", "a:Pass b:Pass c:Pass a>b a>c", "[1,2]", NULL, false, false, "b",
     RMI_NODE_DISABLED, "c:1 c:2 "},
    {"what a flush gives stays", "a:Sum b:Pass a>b", "[1,2]", NULL, false, false, "b", RMI_NODE_BYPASSED,
     "b:3 "},
};

static void packets_and_nodes_can_be_changed(void **unused)
{
    rmt_graph *g = malloc(sizeof *g);
    (void)unused;
    for (size_t i = 0; i < RMT_COUNT(changes); i++)
        for (rmt_way way = RMT_FEED; way < RMT_WAYS; way++) {
            const rmt_graph_setup setup = {
                .graph = changes[i].graph, .input = changes[i].input, .way = way, .queue = 1 + i % 3};
            prober p = {.node = changes[i].node, .in = changes[i].in, .drops = changes[i].drops};
            run(g, &setup, &p, changes[i].left_out, changes[i].state);
            if (strcmp(g->order, changes[i].want) != 0 || g->trouble[0] != '\0')
                fail_msg("%s (way %d): got %s, want %s; %s", changes[i].label, (int)way, g->order,
                         changes[i].want, g->trouble);
            rmt_graph_free(g);
        }
    free(g);
}

static int publish(rmt_graph *g, const char *node, bool in, int64_t value)
{
    rmi_port_place place = {0};
    rm_packet packet = rm_packet_of(rm_int(value));
    assert_int_equal(rmi_pipeline_find_port(g->pipeline, node, "", in, &place, &g->err), RM_OK);
    return rmi_pipeline_publish(g->pipeline, place, &packet, &g->err);
}

static void packets_are_put_in_where_there_is_room(void **unused)
{
    const rmt_graph_setup setup = {
        .graph = "a:Pass b:Pass c:Pass a>b b>c", .input = "[1]", .way = RMT_FEED, .queue = 1};
    rmt_graph *g = malloc(sizeof *g);
    rmi_port_place place = {0};
    int rc;
    (void)unused;
    assert_int_equal(rmt_graph_open(g, &setup), RM_OK);
    assert_int_equal(publish(g, "b", true, 7), RM_OK);
    assert_int_equal(publish(g, "b", true, 8), RM_AGAIN); /* its queue is full */
    assert_int_equal(publish(g, "b", false, 9), RM_OK);
    do
        rc = rmt_graph_step(g);
    while (rc >= 0 && rc != RM_DONE);
    assert_string_equal(g->order, "c:9 c:7 c:1 ");
    assert_int_equal(publish(g, "b", true, 8), RM_E_USAGE); /* the run has ended */
    assert_int_equal(publish(g, "c", false, 8), RM_E_USAGE);
    assert_int_equal(rmi_pipeline_find_port(g->pipeline, "z", "", true, &place, &g->err), RM_E_UNKNOWN_NODE);
    assert_int_equal(rmi_pipeline_find_port(g->pipeline, "a", "no", true, &place, &g->err), RM_E_VALUE);
    assert_int_equal(rmi_pipeline_set_state(g->pipeline, "z", RMI_NODE_ENABLED, &g->err), RM_E_UNKNOWN_NODE);
    rm_error_clear(&g->err);
    rmt_graph_free(g);
    free(g);
}

RMT_MAIN(looking_changes_nothing, packets_and_nodes_can_be_changed, packets_are_put_in_where_there_is_room)
