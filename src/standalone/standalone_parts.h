/* Shared by the files of a standalone node. */
#ifndef STANDALONE_STANDALONE_PARTS_H
#define STANDALONE_STANDALONE_PARTS_H

#include "exec/pipeline.h"
#include "standalone/standalone.h"

/* The configuration; borrows from the map. */
typedef struct rmi_standalone_config {
    const char *node_type, *id, *runtime_hint;
    const char *directory; /* or NULL */
    rm_value params;       /* a map, or null */
    rm_value inputs;       /* a list of [id, name of a port or null], or null */
    size_t input_count;
    bool is_streaming, is_source, generates;
    bool waits; /* the caller lets a streaming node wait for packets in the middle of a call */
} rmi_standalone_config;

struct rmi_standalone {
    const rm_allocator *allocator;
    rm_manifest *manifest;
    rm_pipeline *pipeline;
    rm_node *node; /* of the pipeline; its other nodes are placeholders for those before it, never opened */
    rmi_standalone_caller caller; /* `wait` is NULL unless the configuration has "waits" */
};

/* ---- standalone_manifest.c */
RM_MUST_CHECK int rmi_standalone_config_read(rm_value config, rmi_standalone_config *into, rm_error *err);
/* Makes a manifest whose first node is the node, followed by the placeholders in the order of `inputs`. *out
 * is owned, also after a failure. */
RM_MUST_CHECK int rmi_standalone_manifest(rm_runtime *runtime, const rmi_standalone_config *config,
                                          rm_manifest **out, rm_error *err);
/* Gives the placeholders the ids of the nodes that they replace. Only after the graph is built: two ids may
 * be the same. */
RM_MUST_CHECK int rmi_standalone_name_inputs(rm_manifest *manifest, const rmi_standalone_config *config,
                                             rm_error *err);

/* ---- standalone_host.c */
/* The node's host, which reports its events to the caller. */
extern const rmi_node_host rmi_standalone_host;
/* Queues packets for a streaming node to pull; consumes them, also on failure. */
RM_MUST_CHECK int rmi_standalone_queue(rm_node *node, rm_packet *packets, size_t n, rm_error *err);
/* Removes a pending packet: nobody wants its results. */
void rmi_standalone_forget(rm_node *node, uint64_t token);

#endif
