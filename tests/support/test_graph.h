/* For the tests of the executor: runs graphs in a short notation, of node types made for tests
 * (graph_types.c), with every way of input and a watchdog over each step. */
#ifndef TESTS_SUPPORT_TEST_GRAPH_H
#define TESTS_SUPPORT_TEST_GRAPH_H

#include "exec/pipeline.h"
#include "tests/support/node_test.h"

enum { RMT_NODES = 128, RMT_GOT = 1 << 16 };

/* How the input reaches the graph. */
typedef enum rmt_way {
    RMT_RUN,  /* rm_run */
    RMT_FEED, /* options.input, which always has the next item */
    RMT_LIVE, /* options.input, which gives one item, and the next one after a wait; and options.wait */
    RMT_PUSH, /* rm_pipeline_push, then rm_pipeline_finish */
    RMT_WAYS
} rmt_way;

struct rmt_graph;
typedef struct rmt_graph_setup {
    /* "a:Type b:Type{"more":fields} a>b a.port>b{"queue":{"packets":1}}": nodes and connections, without spaces inside. */
    const char *graph;
    const char
        *input; /* JSON: a list, a map of lists, or null; "!" instead of an item: the input fails there */
    rmt_way way;
    size_t queue;   /* options.queue_packets */
    size_t fail_at; /* the allocation that fails */
    size_t
        cancel_at_step; /* rm_pipeline_cancel before that step, or in that call of a slot; from 1, 0: never */
    size_t cancel_at_call;
    int64_t timeout_ms; /* of the run */
    bool small_steps;   /* every call of a slot ends the step, as a long one does */
    void (*look)(struct rmt_graph *graph, rm_node *node); /* called in each call of a slot; may be NULL */
    void *look_context;
} rmt_graph_setup;

/* A graph in a run, and the records of the run. Must not move from open to free. */
typedef struct rmt_graph {
    rmt_heap heap; /* first: nodes find the rest by their allocator */
    rmt_graph_setup setup;
    rm_runtime *runtime;
    rm_manifest *manifest;
    rm_pipeline *pipeline;
    rm_value items, lists[RMT_NODES];
    rm_error err;

    /* The position in the input. */
    size_t item, source;
    bool held, held_back, finished, stood_still;
    const char *next_source; /* of a refused item */
    rm_value next;
    bool has_next;

    /* The records. */
    const rm_node *open[RMT_NODES]; /* nodes that are open */
    size_t opened, closed, calls, steps, peak_bytes;
    size_t suspended, finished_tokens, abandoned;
    uint32_t idle_before; /* pipeline->idle_turns at the last effect */
    int64_t last_seq;     /* of the results, which come in (seq, sink) order */
    size_t last_sink;
    char trouble[512]; /* the first fault: no progress, results out of order, a node left open */
    size_t taken[RMT_NODES],
        results;       /* number of items taken from the input when each of the first results was out */
    char order[1024];  /* the results, "sink:value ..." */
    char got[RMT_GOT]; /* the outcome */
} rmt_graph;

/* The graph of a node. Every slot of the types calls rmt_called first. */
rmt_graph *rmt_graph_of(const rm_node *node);
void rmt_called(rm_node *node);
/* Records an effect outside of a turn. */
void rmt_progress(rmt_graph *graph);
/* Records trouble, unless there is some already. */
void rmt_trouble(rmt_graph *graph, const char *format, ...) RM_PRINTF(2, 3);

/* Writes the manifest of a graph in the short notation. */
void rmt_graph_manifest(const char *graph, char *text, size_t size);
/* Makes and opens the pipeline; RM_OK or the failure, in graph->err. Call rmt_graph_free in any case. */
int rmt_graph_open(rmt_graph *graph, const rmt_graph_setup *setup);
/* One step, with input pushed before it and results taken after it; checked by the watchdog. Returns as
 * rm_run_step. */
int rmt_graph_step(rmt_graph *graph);
/* Takes the results that there are. Returns whether there were any. */
bool rmt_graph_take(rmt_graph *graph);
/* Frees the graph and checks that no node is open and no memory left. */
void rmt_graph_free(rmt_graph *graph);
/* Runs a graph from open to free. graph->got: the outputs as JSON, " collected node[item] ..." of on_error
 * collect, " code: message at node[item]" of the run's failure, " TROUBLE ..." where there was some. */
int rmt_graph_run(rmt_graph *graph, const rmt_graph_setup *setup);

/* The node of that id. */
rm_node *rmt_graph_node(const rmt_graph *graph, const char *id);
/* Adds the node types for tests to a runtime. */
int rmt_graph_types(rm_runtime *runtime, rm_error *err);

/* A graph and its wanted result. */
typedef struct rmt_graph_case {
    const char *label, *graph, *input, *want;
} rmt_graph_case;
/* Runs each case in each of the `ways` (1 << rmt_way each; 0: all possible ones), with queues of 1 to 3 and
 * the default, in steps of one call and in long ones; then with each allocation failing in turn. Fails the
 * test that calls. */
void rmt_graph_check(const rmt_graph_case *cases, size_t count, unsigned ways);

#endif
