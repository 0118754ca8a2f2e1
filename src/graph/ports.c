/* The ends of each edge: which port of which type, and whether the two fit. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/suggest.h"
#include "graph/build.h"

static const char *direction_name(rm_direction direction)
{
    return direction == RM_INPUT ? "input" : "output";
}

static int unknown_port(const rmi_graph_node *node, const char *name, rm_direction direction,
                        uint32_t connection, rm_error *err)
{
    char known[200] = "";
    size_t used = 0;
    rmi_suggestion near = rmi_suggest_for(name != NULL ? name : "");
    for (const rm_port *port = rmi_type_ports(node->type); port->name != NULL; port++) {
        if (port->direction != direction)
            continue;
        int added = snprintf(known + used, sizeof known - used, "%s%s", used == 0 ? "" : ", ", port->name);
        used += added > 0 && (size_t)added < sizeof known - used ? (size_t)added : 0;
        rmi_suggest_offer(&near, port->name);
    }
    if (used == 0)
        (void)rmi_manifest_error(err, RM_E_UNKNOWN_PORT, "node '%s' (%s) has no %s", node->source->id,
                                 node->type->name, direction_name(direction));
    else
        (void)rmi_manifest_error(
            err, RM_E_UNKNOWN_PORT, "node '%s' (%s) has no %s '%s'%s%s%s%s", node->source->id,
            node->type->name, direction_name(direction), name, near.best != NULL ? "; did you mean '" : "",
            near.best != NULL ? near.best : "", near.best != NULL ? "'? It has: " : ". It has: ", known);
    rmi_manifest_error_node(err, node->source->id);
    rm_error_pointer(err, "/connections/%u/%s", connection, direction == RM_INPUT ? "to" : "from");
    return RM_E_UNKNOWN_PORT;
}

/* Finds the port that a connection names (the first one when it names none) and its number in its
 * direction. */
static const rm_port *find_port(const rm_node_type *type, const char *name, rm_direction direction,
                                uint32_t *number)
{
    *number = 0;
    for (const rm_port *port = rmi_type_ports(type); port->name != NULL; port++) {
        if (port->direction != direction)
            continue;
        if (name == NULL || strcmp(port->name, name) == 0)
            return port;
        (*number)++;
    }
    return NULL;
}

static int unfit(const rmi_graph *graph, const rmi_edge *edge, const char *gives, const char *takes,
                 rm_error *err)
{
    const rmi_graph_node *from = &graph->nodes[edge->from], *to = &graph->nodes[edge->to];
    (void)rmi_manifest_error(err, RM_E_TYPE, "'%s.%s' (%s) gives %s, but '%s.%s' (%s) takes %s",
                             from->source->id, edge->output->name, from->type->name, gives, to->source->id,
                             edge->input->name, to->type->name, takes);
    rmi_manifest_error_node(err, to->source->id);
    rm_error_pointer(err, "/connections/%u", edge->manifest_index);
    return RM_E_TYPE;
}

/* Whether two constraints on the same thing conflict; 0 means any. */
static bool differ(int64_t a, int64_t b)
{
    return a != 0 && b != 0 && a != b;
}

static int check_fit(const rmi_graph *graph, const rmi_edge *edge, rm_error *err)
{
    char gives[120], takes[120];
    const rm_format *out = &edge->output->format, *in = &edge->input->format;
    if (!rmi_kinds_meet(edge->output->kinds, edge->input->kinds)) {
        rmi_kinds_print(edge->output->kinds, gives, sizeof gives);
        rmi_kinds_print(edge->input->kinds, takes, sizeof takes);
        return unfit(graph, edge, gives, takes, err);
    }
    if (differ(out->dtype, in->dtype))
        return unfit(graph, edge, rm_dtype_name(out->dtype), rm_dtype_name(in->dtype), err);
    if (differ(out->channels, in->channels)) {
        (void)snprintf(gives, sizeof gives, "%d channels", (int)out->channels);
        (void)snprintf(takes, sizeof takes, "%d", (int)in->channels);
        return unfit(graph, edge, gives, takes, err);
    }
    if (differ(out->sample_rate, in->sample_rate)) {
        (void)snprintf(gives, sizeof gives, "%d Hz", (int)out->sample_rate);
        (void)snprintf(takes, sizeof takes, "%d Hz", (int)in->sample_rate);
        return unfit(graph, edge, gives, takes, err);
    }
    return RM_OK;
}

/* Finds the ports of all edges. Connections to a variadic port are numbered on: each is a port of its own. */
static int find_ports(const rm_manifest *manifest, rmi_graph *graph, rm_error *err)
{
    int rc = RM_OK;
    for (uint32_t e = 0; e < graph->edge_count && rc == RM_OK; e++) {
        rmi_edge *edge = &graph->edges[e];
        const rmi_manifest_connection *connection = &manifest->connections[e];
        rmi_graph_node *from = &graph->nodes[edge->from], *to = &graph->nodes[edge->to];
        edge->output = find_port(from->type, connection->from_port, RM_OUTPUT, &edge->from_port);
        edge->input = find_port(to->type, connection->to_port, RM_INPUT, &edge->to_port);
        if (edge->output == NULL)
            return unknown_port(from, connection->from_port, RM_OUTPUT, e, err);
        if (edge->input == NULL)
            return unknown_port(to, connection->to_port, RM_INPUT, e, err);
        if (edge->input->variadic)
            edge->to_port += to->input_ports++; /* count_ports adds the other ports */
        rc = check_fit(graph, edge, err);
    }
    return rc;
}

static int not_connected(const rmi_graph_node *node, uint32_t index, const rm_port *port, rm_error *err)
{
    (void)rmi_manifest_error(
        err, RM_E_VALUE, "input '%s' of node '%s' (%s) is not connected, although others of its inputs are",
        port->name, node->source->id, node->type->name);
    rmi_manifest_error_node(err, node->source->id);
    rm_error_pointer(err, "/nodes/%u", index);
    return RM_E_VALUE;
}

/* The error of a variadic input without connections: each connection is a port, so the node has no port. */
static int nothing_connected(const rmi_graph_node *node, uint32_t index, const rm_port *port, rm_error *err)
{
    (void)rmi_manifest_error(err, RM_E_VALUE,
                             "%s has no incoming connections; its input '%s' needs at least one (node '%s')",
                             node->type->name, port->name, node->source->id);
    rmi_manifest_error_node(err, node->source->id);
    rm_error_pointer(err, "/nodes/%u", index);
    return RM_E_VALUE;
}

static bool is_connected(const rmi_graph *graph, const rmi_graph_node *node, const rm_port *port)
{
    for (uint32_t i = 0; i < node->input_count; i++) {
        if (graph->edges[node->inputs[i]].input == port)
            return true;
    }
    return false;
}

/* Counts the ports. An input that must be connected but is not is an error. A node without incoming
 * connections takes the pipeline's input, unless its input is variadic. */
static int count_ports(const rmi_graph *graph, uint32_t index, rm_error *err)
{
    rmi_graph_node *node = &graph->nodes[index];
    for (const rm_port *port = rmi_type_ports(node->type); port->name != NULL; port++) {
        node->output_ports += port->direction == RM_OUTPUT;
        node->input_ports += port->direction == RM_INPUT && !port->variadic;
        if (port->direction != RM_INPUT || port->optional || is_connected(graph, node, port))
            continue;
        if (node->input_count != 0)
            return not_connected(node, index, port, err);
        if (port->variadic)
            return nothing_connected(node, index, port, err);
    }
    return RM_OK;
}

static int duplicate(const rmi_graph *graph, const rm_manifest *manifest, uint32_t first, uint32_t second,
                     rm_error *err)
{
    const rmi_edge *edge = &graph->edges[second];
    const char *from_port = manifest->connections[second].from_port,
               *to_port = manifest->connections[second].to_port;
    (void)rmi_manifest_error(
        err, RM_E_DUPLICATE_CONNECTION,
        "Duplicate connection: %s%s%s -> %s%s%s (at /connections/%u and /connections/%u)",
        graph->nodes[edge->from].source->id, from_port != NULL ? "." : "", from_port != NULL ? from_port : "",
        graph->nodes[edge->to].source->id, to_port != NULL ? "." : "", to_port != NULL ? to_port : "", first,
        second);
    rm_error_pointer(err, "/connections/%u", second);
    return RM_E_DUPLICATE_CONNECTION;
}

/* Finds duplicate connections. Edges between the same two nodes form a chain, whose members differ in their
 * ports: a chain is never longer than the number of pairs of ports, and the whole takes time in proportion to
 * the edges. */
static int find_duplicates(const rmi_graph *graph, const rm_manifest *manifest, rmi_arena *arena,
                           rm_error *err)
{
    uint32_t first = 0, second = UINT32_MAX;
    uint32_t *chain =
        rmi_arena_alloc(arena, (size_t)graph->node_count * 2 + graph->edge_count, sizeof *chain);
    if (chain == NULL)
        return rmi_out_of_memory(err);
    uint32_t *owner = chain + graph->node_count, *before = owner + graph->node_count;
    for (uint32_t n = 0; n < graph->node_count; n++) {
        const rmi_graph_node *node = &graph->nodes[n];
        for (uint32_t i = 0; i < node->output_count; i++) {
            const rmi_edge *edge = &graph->edges[node->outputs[i]];
            uint32_t other = owner[edge->to] == n + 1 ? chain[edge->to] : 0; /* edge number + 1 */
            owner[edge->to] = n + 1;
            before[edge->manifest_index] = other;
            chain[edge->to] = edge->manifest_index + 1;
            for (; other != 0; other = before[other - 1]) {
                const rmi_edge *seen = &graph->edges[other - 1];
                if (seen->output != edge->output || seen->input != edge->input)
                    continue;
                chain[edge->to] = before[edge->manifest_index]; /* not a member: the chain stays short */
                if (edge->manifest_index < second) {
                    first = seen->manifest_index;
                    second = edge->manifest_index;
                }
                break;
            }
        }
    }
    return second == UINT32_MAX ? RM_OK : duplicate(graph, manifest, first, second, err);
}

int rmi_graph_connect_ports(const rm_manifest *manifest, rmi_graph *graph, rm_error *err)
{
    int rc = find_ports(manifest, graph, err);
    if (rc == RM_OK && graph->edge_count > 1)
        rc = find_duplicates(graph, manifest, &graph->arena, err);
    for (uint32_t i = 0; i < graph->node_count && rc == RM_OK; i++)
        rc = count_ports(graph, i, err);
    return rc;
}
