/* Nodes and connections resolved: each node's type, its edges, and the order of nodes. */
#ifndef GRAPH_GRAPH_H
#define GRAPH_GRAPH_H

#include "base/arena.h"
#include "manifest/manifest.h"
#include "remotemedia/node.h"

/* A connection between two ports; indices into rmi_graph.nodes and the nodes' port tables. */
typedef struct rmi_edge {
    uint32_t from, to;                 /* nodes, by manifest index */
    uint32_t from_port, to_port;       /* to_port: edges of a variadic port count on from the port's number */
    uint32_t manifest_index;           /* in "connections" */
    const rm_port *input, *output;     /* descriptions of the two ports */
    size_t queue_packets, queue_bytes; /* 0: the default */
} rmi_edge;

typedef struct rmi_graph_node {
    const rmi_manifest_node *source; /* the node's entry in the manifest */
    const rm_node_type *type;
    const rm_resolver *resolver; /* whose `data` is; NULL for native types */
    void *data;                  /* owned; the resolver's */
    rm_value params;             /* owned: all of them, where a resolver or the type needs a map; else null */
    uint32_t rank;               /* place in topological order */
    uint32_t *inputs, *outputs;  /* edges, in manifest order */
    uint32_t input_count, output_count;
    uint32_t input_ports, output_ports; /* ports, variadic ones counted by their edges */
    bool is_source, is_sink, is_output; /* no incoming; no outgoing; results are reported */
} rmi_graph_node;

typedef struct rmi_graph {
    rm_runtime *runtime;
    const char *directory; /* of the manifest's file, or NULL */
    bool is_one_node;      /* as in the manifest */
    unsigned hops;         /* likewise */
    rmi_arena arena;
    rmi_graph_node *nodes; /* in manifest order */
    uint32_t *order;       /* topological: Kahn's, always the ready node that stands first in the manifest */
    uint32_t node_count;
    rmi_edge *edges; /* in manifest order */
    uint32_t edge_count;
    size_t type_count, resolver_count; /* of the runtime when the types were found */
} rmi_graph;

/* Whether the node runs on another server, in a runtime that can have it there. */
bool rmi_wants_remote(const rm_runtime *runtime, const rmi_manifest_node *node);
/* Whether the node asks for a sandbox: by hint, by placement, or as a WASM module. */
bool rmi_wants_sandbox(const rmi_manifest_node *node);
/* As rm_manifest_parse_with, for a manifest made for its first node: messages name places inside that
 * node. */
int rmi_manifest_parse_one_node(rm_runtime *runtime, const char *text, size_t length, const char *path,
                                rm_manifest **out, rm_error *err);
/* Resolves everything in `manifest` (borrowed, must outlive the graph). Errors have node and pointer. Call
 * rmi_graph_free also after a failure. */
RM_MUST_CHECK int rmi_graph_build(rm_manifest *manifest, rmi_graph *graph, rm_error *err);
void rmi_graph_free(rmi_graph *graph);
/* Takes the graph that the manifest keeps, if the runtime has not changed since, else builds one: what a
 * resolver has loaded (code of Python nodes) is not loaded again. Call rmi_graph_free also after a failure, or
 * rmi_graph_keep. */
RM_MUST_CHECK int rmi_graph_take(rm_manifest *manifest, rmi_graph *out, rm_error *err);
/* Gives the manifest a built graph (consumed) in place of the one that it keeps. */
RM_MUST_CHECK int rmi_graph_keep(rm_manifest *manifest, rmi_graph *graph, rm_error *err);

/* The parameters of a node as one map, overrides included; null when there are none. *out is owned. */
RM_MUST_CHECK int rmi_params_map(const rmi_graph *graph, uint32_t node, rm_value *out, rm_error *err);
/* Checks the node's parameters against its type and writes them into `state` (zeroed, state_size bytes).
 * Values with memory live in `arena` or belong to *params, the map for rm_node_params (owned by the caller,
 * who keeps it as long as the state; null where no parameters are given or needed). With `state` NULL it only
 * checks, and `arena` and `params` may be NULL. */
RM_MUST_CHECK int rmi_params_fill(const rmi_graph *graph, uint32_t node, void *state, rmi_arena *arena,
                                  rm_value *params, rm_error *err);
/* Checks the node's parameters against the table of its type, and by the type's own check. */
RM_MUST_CHECK int rmi_graph_check_params(const rmi_graph *graph, uint32_t node, rm_error *err);
/* Changes one parameter flagged RM_PARAM_LIVE to `value` (consumed): checks it, then writes it into `state`.
 * `state` and *params are those of rmi_params_fill. *changed (borrowed) is its row in the type's table. */
RM_MUST_CHECK int rmi_params_change(const rmi_graph *graph, uint32_t node, void *state, rmi_arena *arena,
                                    rm_value *params, const char *name, rm_value value,
                                    const rm_param **changed, rm_error *err);

#endif
