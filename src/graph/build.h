/* The steps of rmi_graph_build, in the order in which they run. */
#ifndef GRAPH_BUILD_H
#define GRAPH_BUILD_H

#include "graph/graph.h"
#include "graph/registry.h"
#include "manifest/fields.h"
#include "manifest/ids.h"

/* Makes the edges between nodes, and each node's lists of them; dangling ends and self-loops are errors. */
RM_MUST_CHECK int rmi_graph_connect(const rm_manifest *manifest, rmi_graph *graph, rm_error *err);
/* Sets `order` and each node's rank; a cycle is an error that prints it. */
RM_MUST_CHECK int rmi_graph_sort(rmi_graph *graph, rm_error *err);
/* Checks that the build has the required features, and that each node may run here: host, placement, sandbox,
 * capabilities, fallback. */
RM_MUST_CHECK int rmi_graph_check_placement(rm_manifest *manifest, const rmi_graph *graph, rm_error *err);
/* Finds the type of each node. */
RM_MUST_CHECK int rmi_graph_resolve(rmi_graph *graph, rm_error *err);
/* Finds the port at each end of each edge; unknown, unconnected, unfit and repeated ones are errors. */
RM_MUST_CHECK int rmi_graph_connect_ports(const rm_manifest *manifest, rmi_graph *graph, rm_error *err);

/* Whether packets of kinds `from` (RM_KIND_*) may be of kinds `to`. */
bool rmi_kinds_meet(uint32_t from, uint32_t to);
/* Prints "int, float, string": kinds for messages and diagrams. */
void rmi_kinds_print(uint32_t kinds, char *buffer, size_t size);
/* The kinds in a mask one by one: the name of the `index`-th, NULL past the end. */
const char *rmi_kind_at(uint32_t kinds, size_t index);

#endif
