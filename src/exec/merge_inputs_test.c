/* Several inputs in one order, and bounds: what a node waits for, and what it does not wait for. */
#include <string.h>

#include "tests/support/test_graph.h"

static const rmt_graph_case cases[] = {
    {"branches meet by seq, then connection", "a:Pass b:Repeat c:Pass d:Pass a>b a>c b>d c>d", "[2,0,1]",
     "{\"d\":[2,2,2,0,1,1]}"},
    {"the order of connections decides, not that of nodes", "a:Pass b:Repeat c:Pass d:Pass a>b a>c c>d b>d",
     "[2,0,1]", "{\"d\":[2,2,2,0,1,1]}"},
    {"the order of connections where it can be told",
     "a:Pass b:MultiplyNode{\"params\":{\"factor\":10}} d:Pass b>d a>d a>b", "[1,2]", "{\"d\":[10,1,20,2]}"},
    {"several calls for one packet keep its seq", "a:Pass b:Slow c:Pass d:Pass a>b a>c b>d c>d", "[3,0,1]",
     "{\"d\":[3,3,3,3,0,1,1]}"},
    {"a deep branch and a short one", "a:Pass b:Pass c:Pass e:Pass d:Pass a>b b>c c>e a>d e>d", "[1,2]",
     "{\"d\":[1,1,2,2]}"},
    {"each branch drops what the other keeps", "a:Pass b:Even c:Odd d:Pass a>b a>c b>d c>d", "[1,2,4,6,3,5]",
     "{\"d\":[1,2,4,6,3,5]}"},
    {"a branch that drops all", "a:Pass b:Even d:Pass a>b a>d b>d", "[1,3,5]", "{\"d\":[1,3,5]}"},
    {"flushes in topological order, each delivered before the next",
     "a:Pass s:Sum t:Sum d:Pass a>s a>d s>t t>d s>d", "[1,2,3]", "{\"d\":[1,2,3,6,6]}"},
    {"a flush goes through what merges it with another one",
     "a:Pass s:Sum t:Sum d:Pass e:Repeat a>s a>t s>d t>d d>e", "[1,2]", "{\"e\":[3,3,3,3,3,3]}"},
    {"sources of different lengths", "a:Pass b:Pass c:Pass b>c a>c", "{\"a\":[1,2,3,4],\"b\":[10]}",
     "{\"c\":[10,1,2,3,4]}"},
    {"a source that gets nothing", "a:Pass b:Pass c:Pass b>c a>c", "{\"a\":[1,2],\"b\":[]}", "{\"c\":[1,2]}"},
    {"a merge before a merge", "a:Pass b:Even c:Pass d:Pass e:Repeat f:Pass a>b b>d c>d a>c d>f e>f a>e",
     "[1,2]", "{\"f\":[1,1,2,2,2,2]}"},
    {"a merge waits for what is pending", "a:Pass b:Late c:Pass a>b b>c a>c", "[1,2,3,4]",
     "{\"c\":[10,1,20,2,30,3,40,4]}"},
    {"maps of what came for an item", "a:Pass b:Even c:Pass d:Merge a>b a>c b>d c>d", "[1,2]",
     "{\"d\":[{\"c\":1},{\"b\":2,\"c\":2}]}"},
    {"maps of what the end brings", "a:Pass b:Sum c:Total d:Merge a>b a>c b>d c>d", "[1,2]",
     "{\"d\":[{\"b\":3,\"c\":3}]}"},
    {"maps of lists", "a:Pass b:Repeat c:Pass d:Merge{\"params\":{\"several\":\"list\"}} a>b a>c b>d c>d",
     "[2,0]", "{\"d\":[{\"b\":[2,2],\"c\":[2]},{\"c\":[0]}]}"},
    {"a map that fails", "a:Pass b:Repeat c:Pass d:Merge a>b a>c b>d c>d", "[1,2,1]",
     "{\"d\":[{\"b\":1,\"c\":1}]} value: 'b' gave more than one value for the same item; set "
     "\"several\" to \"list\" to keep them all, or to \"first\" or \"last\" at d[1]"},
    {"ports of one node", "a:Split b:Pass a.small>b a.large>b", "[1,20,3]", "{\"b\":[1,20,3]}"},
};

static void gives_the_answer_or_out_of_memory(void **unused)
{
    (void)unused;
    rmt_graph_check(cases, RMT_COUNT(cases), 0);
}

/* ---- The walk over links ---- */

enum { MOST = 4 };
static const struct {
    const char *label;
    struct {
        int64_t seqs[MOST]; /* of the waiting packets, counted from 1; 0 ends them */
        int64_t bound;
    } links[3];
    const char *order; /* "link:seq ..." */
    bool all;
} walks[] = {
    {"nothing waits", {{{0}, 1}, {{0}, 1}, {{0}, 1}}, "", false},
    {"by seq, then by link", {{{1, 3}, 9}, {{1, 2}, 9}, {{2, 3}, 9}}, "0:1 1:1 1:2 2:2 0:3 2:3 ", false},
    {"several of one seq", {{{1, 1}, 9}, {{1, 2}, 9}, {{0}, 9}}, "0:1 0:1 1:1 1:2 ", false},
    {"until a lower one may come", {{{1, 5}, 9}, {{2}, 3}, {{0}, 9}}, "0:1 1:2 ", false},
    {"until the same one may come on a link before", {{{0}, 2}, {{1, 2}, 9}, {{0}, 9}}, "1:1 ", false},
    {"the same one on a link behind comes later", {{{2}, 9}, {{0}, 2}, {{3}, 9}}, "0:2 ", false},
    {"the first of several is out, the next may come", {{{1}, 1}, {{1}, 9}, {{0}, 9}}, "0:1 ", false},
    {"bounds do not matter", {{{5}, 0}, {{1}, 0}, {{0}, 0}}, "1:1 0:5 ", true},
    {"nothing but the end", {{{0}, RMI_FOREVER}, {{7}, RMI_FOREVER}, {{0}, RMI_FOREVER}}, "1:7 ", false},
};

static void links_are_walked_in_order(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < RMT_COUNT(walks); i++) {
        rmi_link links[3] = {0}, *row[3];
        int64_t seq = INT64_MAX;
        uint32_t index = 0, found;
        char order[256] = "";
        for (size_t k = 0; k < 3; k++) {
            row[k] = &links[k];
            links[k].bound = walks[i].links[k].bound;
            for (size_t j = 0; j < MOST && walks[i].links[k].seqs[j] != 0; j++) {
                rm_packet packet = rm_packet_of(rm_null());
                packet.seq = walks[i].links[k].seqs[j];
                assert_int_equal(rmi_queue_append(NULL, &links[k].queue, &packet, 1), RM_OK);
            }
        }
        while ((found = rmi_next_link(row, 3, &seq, &index, walks[i].all)) != 3) {
            rm_packet packet;
            rmi_queue_take(&row[found]->queue, &packet);
            (void)snprintf(order + strlen(order), sizeof order - strlen(order), "%u:%lld ", found,
                           (long long)packet.seq);
            assert_int_equal(packet.seq, seq);
        }
        if (strcmp(order, walks[i].order) != 0)
            fail_msg("%s: got %s, want %s", walks[i].label, order, walks[i].order);
        for (size_t k = 0; k < 3; k++)
            rmi_queue_free(NULL, &links[k].queue);
    }
}

/* A walk that stopped at a missing packet goes on there when the packet has come. */
static void a_walk_goes_on_where_it_stopped(void **unused)
{
    rmi_link links[2] = {0}, *row[2] = {&links[0], &links[1]};
    rm_packet packet = rm_packet_of(rm_null());
    int64_t seq = INT64_MAX;
    uint32_t index = 0;
    (void)unused;
    packet.seq = 4;
    links[0].bound = links[1].bound = 4;
    assert_int_equal(rmi_queue_append(NULL, &links[1].queue, &packet, 1), RM_OK);
    assert_int_equal(rmi_next_link(row, 2, &seq, &index, false), 2);
    assert_int_equal(rmi_lowest_seq(row, 2), 4);
    assert_int_equal(rmi_queue_append(NULL, &links[0].queue, &packet, 1), RM_OK);
    assert_int_equal(rmi_next_link(row, 2, &seq, &index, false), 0);
    rmi_queue_take(&links[0].queue, &packet);
    assert_int_equal(rmi_next_link(row, 2, &seq, &index, false), 2); /* another one of seq 4 may come */
    links[0].bound = 5;
    assert_int_equal(rmi_next_link(row, 2, &seq, &index, false), 1);
    rmi_queue_take(&links[1].queue, &packet);
    assert_int_equal(rmi_next_link(row, 2, &seq, &index, false), 2);
    assert_int_equal(rmi_lowest_seq(row, 2), INT64_MAX);
    rmi_queue_free(NULL, &links[0].queue);
    rmi_queue_free(NULL, &links[1].queue);
}

RMT_MAIN(gives_the_answer_or_out_of_memory, links_are_walked_in_order, a_walk_goes_on_where_it_stopped)
