/* One parameter of one node, on its way from the manifest into the node's state. */
#ifndef GRAPH_PARAM_H
#define GRAPH_PARAM_H

#include "graph/build.h"

/* A view of a parameter's value, from the manifest or from an override; owns nothing. */
typedef struct rmi_given {
    uint32_t kind; /* rm_kind */
    bool b;
    int64_t i;
    double f; /* INT too; infinite for a number that no double holds */
    const char *text;
    size_t length;
    yyjson_val *json;      /* the element in the manifest, or NULL */
    const rm_value *value; /* the override, or NULL */
} rmi_given;

/* Everything that filling one parameter needs. */
typedef struct rmi_filler {
    const rmi_graph *graph;
    const rmi_graph_node *node;
    uint32_t index;
    unsigned char *state; /* NULL: checks only */
    rmi_arena *arena;
    rm_value *map; /* all parameters as a map; keeps heap values alive */
} rmi_filler;

rmi_given rmi_given_of_json(yyjson_val *json);
rmi_given rmi_given_of_value(const rm_value *value);
/* Checks `given` against `param` and writes it into the state, if there is one. */
RM_MUST_CHECK int rmi_param_fill(const rmi_filler *filler, const rm_param *param, const rmi_given *given,
                                 rm_error *err);
/* Adds node and pointer (that of the parameter `name`) to an error that is set already; returns `code`. */
int rmi_param_error_place(const rmi_filler *filler, const char *name, int code, rm_error *err);

#endif
