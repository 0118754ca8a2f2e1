/* What becomes of emitted packets: ports, branches, results, and what they take over from the packet in
 * process. */
#include <stdlib.h>
#include <string.h>

#include "tests/support/test_graph.h"

static const rmt_graph_case cases[] = {
    {"ports", "a:Split b:Pass c:Pass a.small>b a.large>c", "[1,20,3]", "{\"b\":[1,3],\"c\":[20]}"},
    {"an output that is not connected", "a:Split b:Pass a.small>b", "[1,20,3]", "{\"b\":[1,3]}"},
    {"both outputs to several", "a:Split b:Pass c:Pass d:Pass a.small>b a.large>c a.small>d a.large>d",
     "[1,20]", "{\"b\":[1],\"c\":[20],\"d\":[1,20]}"},
    {"an output node in the middle", "a:Pass{\"is_output_node\":true} b:Sum a>b", "[1,2]",
     "{\"a\":[1,2],\"b\":[3]}"},
    {"heap values to several", "a:Pass{\"is_output_node\":true} b:Pass c:Pass d:Merge a>b a>c b>d c>d",
     "[[1,\"x\"],{\"k\":[]}]",
     "{\"a\":[[1,\"x\"],{\"k\":[]}],\"d\":[{\"b\":[1,\"x\"],\"c\":[1,\"x\"]},{\"b\":{\"k\":[]},\"c\":{\"k\":[]}}]}"},
    {"texts in batches", "a:PassMany b:PassMany c:Pass d:PassMany a>b b>c b>d", "[\"x\",1,\"y\"]",
     "{\"c\":[\"x\",1,\"y\"],\"d\":[\"x\",1,\"y\"]}"},
    {"an item of the wrong kind", "a:Split b:Pass a.small>b", "[1,\"x\"]",
     "{\"b\":[1]} type: Split 'a' takes int, got string at a[1]"},
    {"an item of the wrong kind is left out", "a:Split{\"on_error\":\"skip\"} b:Pass a.small>b",
     "[1,\"x\",2]", "{\"b\":[1,2]}"},
    {"an item of the wrong kind behind another node", "a:Pass b:Split c:Pass a>b b.small>c", "[1,[],2]",
     "{\"c\":[1]} type: Split 'b' takes int, got list at b[1]"},
    {"emits elsewhere", "a:EmitsAnywhere", "[1]",
     "{\"a\":[]} usage: node 'a' emitted on output 7, but has 1 at a[0]"},
};

static void gives_the_answer_or_out_of_memory(void **unused)
{
    (void)unused;
    rmt_graph_check(cases, RMT_COUNT(cases), 0);
}

/* ---- What packets take over ---- */

/* Each result as "value@seq/timestamp/duration/metadata". */
static void describe(rm_pipeline *p, char *text, size_t size)
{
    rm_packet packet = rm_packet_of(rm_null());
    size_t sink = 0;
    *text = '\0';
    while (rm_pipeline_pull(p, &sink, &packet, NULL) == RM_OK) {
        const int64_t seq = packet.seq >= RM_SEQ_END ? packet.seq - RM_SEQ_END + 1000 : packet.seq;
        (void)snprintf(text + strlen(text), size - strlen(text), "%s%lld@%lld/%lld/%lld/%zu",
                       *text ? " " : "", (long long)packet.value.i, (long long)seq,
                       packet.timestamp == RM_NO_TIME ? -1LL : (long long)packet.timestamp,
                       packet.duration == RM_NO_TIME ? -1LL : (long long)packet.duration,
                       rm_map_length(rm_packet_metadata(&packet)));
        rm_packet_clear(&packet);
    }
}

/* Stamp gives item `i` the time 10 i, the duration i, and metadata. */
static const struct {
    const char *label, *graph, *want;
} origins[] = {
    {"a node that names nothing", "a:Stamp b:Repeat a>b", "1@0/10/1/1 2@1/20/2/1 2@1/20/2/1"},
    {"a node that passes the packet itself", "a:Stamp b:Pass a>b", "1@0/10/1/1 2@1/20/2/1"},
    {"in several calls", "a:Stamp b:Slow a>b", "1@0/10/1/1 2@1/20/2/1 2@1/20/2/1"},
    {"in batches", "a:Stamp b:SlowMany c:PassMany a>b b>c", "1@0/10/1/1 2@1/20/2/1 2@1/20/2/1"},
    {"later", "a:Stamp b:Late a>b", "10@0/10/1/1 20@1/20/2/1"},
    {"after an attempt", "a:Stamp b:Slow{\"retry\":{\"attempts\":1,\"backoff_ms\":0}} a>b",
     "1@0/10/1/1 2@1/20/2/1 2@1/20/2/1"},
    {"from a stream", "a:Stamp b:Ones a>b", "1@0/10/1/1 2@1/20/2/1"},
    {"at the end of a stream", "a:Stamp b:Total a>b", "3@1001/-1/-1/0"},
    {"in a flush", "a:Stamp b:Sum a>b", "3@1001/-1/-1/0"},
    {"behind a merge", "a:Stamp b:Pass c:Repeat a>b a>c b>c",
     "1@0/10/1/1 1@0/10/1/1 2@1/20/2/1 2@1/20/2/1 2@1/20/2/1 2@1/20/2/1"},
};

static void packets_take_over_from_the_one_in_process(void **unused)
{
    rmt_graph *g = malloc(sizeof *g);
    char got[1024];
    (void)unused;
    for (size_t i = 0; i < RMT_COUNT(origins); i++)
        for (size_t nth = 0, faults = 1; faults != 0; nth++) {
            const rmt_graph_setup setup = {
                .graph = origins[i].graph, .input = "null", .way = RMT_PUSH, .fail_at = nth};
            int rc = rmt_graph_open(g, &setup);
            for (int64_t item = 1; rc == RM_OK && item < 3; item++)
                rc = rm_pipeline_push(g->pipeline, NULL, rm_int(item), &g->err);
            if (rc == RM_OK)
                rc = rm_pipeline_finish(g->pipeline, &g->err);
            while (rc >= 0 && rc != RM_DONE)
                rc = rm_run_step(g->pipeline, &g->err);
            if (rc == RM_DONE)
                describe(g->pipeline, got, sizeof got);
            faults = nth == 0 ? 1 : g->heap.faults;
            if (rc == RM_DONE ? strcmp(got, origins[i].want) != 0 : nth == 0 || rc != RM_E_OUT_OF_MEMORY)
                fail_msg("%s, allocation %zu: %d, got %s, want %s", origins[i].label, nth, rc, got,
                         origins[i].want);
            rmt_graph_free(g);
            if (g->trouble[0] != '\0')
                fail_msg("%s, allocation %zu: %s", origins[i].label, nth, g->trouble);
        }
    free(g);
}

RMT_MAIN(gives_the_answer_or_out_of_memory, packets_take_over_from_the_one_in_process)
