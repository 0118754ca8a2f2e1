/* What a runtime knows: node types, resolvers, plug-ins, where memory and logs go. */
#ifndef GRAPH_REGISTRY_H
#define GRAPH_REGISTRY_H

#include "platform/platform.h"
#include "remotemedia/node.h"

struct rm_runtime {
    const rm_allocator *allocator;
    rm_log_function *log;
    void *log_context;
    const rm_node_type **types;
    size_t type_count, type_capacity;
    rm_resolver *resolvers;
    size_t resolver_count, resolver_capacity;
    rmi_library **plugins;
    size_t plugin_count, plugin_capacity;
};

/* Every native node type, ends with NULL; defined by src/nodes/list.c, the one place that names them all. */
extern const rm_node_type *const rmi_native_types[];

/* Features of this build, ends with {NULL, false}; RM_PYTHON and friends. */
typedef struct rmi_feature {
    const char *name;
    bool available;
} rmi_feature;
extern const rmi_feature rmi_features[];

#endif
