/* What the files of a standalone node share. */
#ifndef STANDALONE_STANDALONE_PARTS_H
#define STANDALONE_STANDALONE_PARTS_H

#include "exec/pipeline.h"
#include "standalone/standalone.h"

/* A configuration that was read; borrows from the map. */
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
    rm_node *node; /* of the pipeline; the others only stand in for those before it, and are never opened */
    rmi_standalone_caller caller; /* `wait` only where the caller does */
};

/* ---- standalone_manifest.c */
RM_MUST_CHECK int rmi_standalone_config_read(rm_value config, rmi_standalone_config *into, rm_error *err);
/* The node is the manifest's first; what stands in for those before it follows in the order of `inputs`. *out is owned,
 * also after a failure. */
RM_MUST_CHECK int rmi_standalone_manifest(rm_runtime *runtime, const rmi_standalone_config *config,
                                          rm_manifest **out, rm_error *err);
/* Gives the stand-ins the ids of those that they stand for. Only when the graph is built: two may have the same. */
RM_MUST_CHECK int rmi_standalone_name_inputs(rm_manifest *manifest, const rmi_standalone_config *config,
                                             rm_error *err);

/* ---- standalone_host.c */
/* How the node is hosted: what it calls is reported. */
extern const rmi_node_host rmi_standalone_host;
/* Takes over the packets (also on failure) for a stream node to pull. */
RM_MUST_CHECK int rmi_standalone_queue(rm_node *node, rm_packet *packets, size_t n, rm_error *err);
/* Nobody asks for the results of this pending packet any more. */
void rmi_standalone_forget(rm_node *node, uint64_t token);

#endif
