/* A runtime: node types, resolvers, plug-ins, allocator and log. */
#ifndef GRAPH_REGISTRY_H
#define GRAPH_REGISTRY_H

#include "platform/platform.h"
#include "remotemedia/node.h"

/* A name or alias of a native type; the table is sorted by name. */
typedef struct rmi_type_name {
    const char *name;
    const rm_node_type *type;
} rmi_type_name;

struct rm_runtime {
    const rm_allocator *allocator;
    rm_log_function *log;
    void *log_context;
    const rm_node_type **types;
    size_t type_count, type_capacity;
    rmi_type_name *names;
    size_t name_count, name_capacity;
    rm_resolver **resolvers; /* each in a block of its own: graphs point at them */
    size_t resolver_count, resolver_capacity;
    bool has_sandbox;    /* a resolver runs nodes in sandboxes */
    rm_resolver *remote; /* finds the types of nodes that run on other servers; NULL: none can */
    rm_arrays arrays;    /* in a guest: "arrays" of the manifest outside, for its one node */
    rmi_library **plugins;
    size_t plugin_count, plugin_capacity;
};

/* The query for resolvers: that of node.h, and fields for our own resolvers behind it. */
typedef struct rmi_node_query {
    rm_node_query base;
    rm_arrays arrays; /* as the manifest says */
    const struct rmi_graph *graph;
    uint32_t index; /* of the node */
} rmi_node_query;

/* Every native node type, ends with NULL; defined by src/nodes/all_nodes.c, the only place that names them
 * all. */
extern const rm_node_type *const rmi_native_types[];

/* Features of this build (RM_PYTHON and others), ends with {NULL, false}. */
typedef struct rmi_feature {
    const char *name;
    bool available;
} rmi_feature;
extern const rmi_feature rmi_features[];
/* Whether the build has the feature; false for an unknown name. */
bool rmi_feature_available(const char *name);

/* RM_OK when this runtime can use `type`; `owner` (a plug-in's file, or NULL) is named in errors. */
RM_MUST_CHECK int rmi_type_check(const rm_node_type *type, const char *owner, rm_error *err);
/* Adds `types` (ends with NULL), all or none. */
RM_MUST_CHECK int rmi_runtime_add_types(rm_runtime *runtime, const rm_node_type *const *types,
                                        const char *owner, rm_error *err);
/* Sets the resolver (copied) of nodes that run on other servers. On failure the context stays the caller's. */
RM_MUST_CHECK int rmi_runtime_set_remote(rm_runtime *runtime, const rm_resolver *resolver, rm_error *err);
/* Copies the node type most like `name`, native or a resolver's, into `buffer`; "" if there is none. */
RM_MUST_CHECK int rmi_runtime_near_type(const rm_runtime *runtime, const char *name, char *buffer,
                                        size_t size, rm_error *err);

/* The file that a node_type "wasm:FILE" names, which may be ""; NULL for any other node_type. */
const char *rmi_type_module(const char *node_type);

/* The ports of a type (ends with {0}): its own, or the default pair. */
const rm_port *rmi_type_ports(const rm_node_type *type);

#endif
