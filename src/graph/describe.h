/* Parts of the documents that describe node types, for files other than describe.c. */
#ifndef GRAPH_DESCRIBE_H
#define GRAPH_DESCRIBE_H

#include "data/builder.h"
#include "remotemedia/node.h"

/* Puts the members of rm_node_describe (docs/wasm-node.md) about a type's calls into `map`. */
void rmi_describe_calls(rmi_builder *b, rm_value *map, const rm_node_type *type);
/* The default of a parameter, null for none; and a list of texts that ends with NULL. Owned. */
rm_value rmi_describe_default(rmi_builder *b, const rm_param *param);
rm_value rmi_describe_choices(rmi_builder *b, const char *const *choices);

#endif
