/* The graph as text for Mermaid or Graphviz. Nodes are n0, n1, ..., so that no id can be a keyword. */
#include <string.h>

#include "base/text.h"
#include "graph/build.h"

/* Appends text inside a quoted label. Mermaid takes special characters as entities, dot with backslashes. */
static void append_escaped(rmi_text *text, const char *label, rm_diagram format)
{
    for (; *label != '\0'; label++) {
        unsigned char c = (unsigned char)*label;
        if (c < 0x20 || c == 0x7F)
            rmi_text_append_c(text, " ");
        else if (format == RM_DIAGRAM_DOT && (c == '"' || c == '\\'))
            rmi_text_printf(text, "\\%c", c);
        else if (format == RM_DIAGRAM_MERMAID && strchr("\"#<>&`;{}[]()|\\", c) != NULL)
            rmi_text_printf(text, "#%u;", c);
        else
            rmi_text_append(text, label, 1);
    }
}

static void append_node(rmi_text *text, const rmi_graph_node *node, uint32_t index, rm_diagram format)
{
    bool dot = format == RM_DIAGRAM_DOT;
    const char *open = dot ? " [label=\"" : node->is_source ? "([\"" : node->is_sink ? "[[\"" : "[\"";
    const char *close = dot ? node->is_source || node->is_sink ? "\", style=\"rounded\"];\n" : "\"];\n"
                        : node->is_source ? "\"])\n"
                        : node->is_sink   ? "\"]]\n"
                                          : "\"]\n";
    rmi_text_printf(text, "    n%u%s", index, open);
    append_escaped(text, node->source->id, format);
    rmi_text_append_c(text, dot ? "\\n" : "<br/>");
    append_escaped(text, node->source->node_type, format);
    rmi_text_append_c(text, close);
}

/* The name of a port that needs a label: the connection names it, or the node has several. */
static const char *port_label(const char *named, const rm_node_type *type, const rm_port *port)
{
    size_t count = 0;
    for (const rm_port *at = rmi_type_ports(type); at->name != NULL; at++)
        count += at->direction == port->direction;
    return named != NULL || count > 1 || port->variadic ? port->name : NULL;
}

static void append_mermaid_edge(rmi_text *text, const rmi_edge *edge, const char *from, const char *to)
{
    rmi_text_printf(text, "    n%u -->", edge->from);
    if (from != NULL || to != NULL) {
        rmi_text_append_c(text, "|\"");
        append_escaped(text, from != NULL ? from : "", RM_DIAGRAM_MERMAID);
        if (to != NULL)
            rmi_text_append_c(text, from != NULL ? " to " : "to ");
        append_escaped(text, to != NULL ? to : "", RM_DIAGRAM_MERMAID);
        rmi_text_append_c(text, "\"|");
    }
    rmi_text_printf(text, " n%u\n", edge->to);
}

static void append_dot_edge(rmi_text *text, const rmi_edge *edge, const char *from, const char *to)
{
    rmi_text_printf(text, "    n%u -> n%u", edge->from, edge->to);
    if (from != NULL || to != NULL) {
        rmi_text_append_c(text, " [taillabel=\"");
        append_escaped(text, from != NULL ? from : "", RM_DIAGRAM_DOT);
        rmi_text_append_c(text, "\", headlabel=\"");
        append_escaped(text, to != NULL ? to : "", RM_DIAGRAM_DOT);
        rmi_text_append_c(text, "\"]");
    }
    rmi_text_append_c(text, ";\n");
}

static void append_graph(rmi_text *text, const rm_manifest *manifest, const rmi_graph *graph,
                         rm_diagram format)
{
    if (format == RM_DIAGRAM_DOT) {
        rmi_text_append_c(text, "digraph \"");
        append_escaped(text, manifest->name, format);
        rmi_text_append_c(text, "\" {\n    rankdir=LR;\n    node [shape=box];\n");
    } else {
        rmi_text_append_c(text, "flowchart LR\n");
    }
    for (uint32_t i = 0; i < graph->node_count; i++)
        append_node(text, &graph->nodes[i], i, format);
    for (uint32_t e = 0; e < graph->edge_count; e++) {
        const rmi_edge *edge = &graph->edges[e];
        const rmi_manifest_connection *named = &manifest->connections[e];
        const char *from = port_label(named->from_port, graph->nodes[edge->from].type, edge->output);
        const char *to = port_label(named->to_port, graph->nodes[edge->to].type, edge->input);
        if (format == RM_DIAGRAM_DOT)
            append_dot_edge(text, edge, from, to);
        else
            append_mermaid_edge(text, edge, from, to);
    }
    if (format == RM_DIAGRAM_DOT)
        rmi_text_append_c(text, "}\n");
}

int rm_manifest_diagram(rm_manifest *manifest, rm_diagram format, char **text, size_t *length, rm_error *err)
{
    rmi_graph graph = {0};
    rmi_text drawn;
    *text = NULL;
    *length = 0;
    rmi_text_init(&drawn, manifest->runtime->allocator);
    int rc = rmi_graph_take(manifest, &graph, err);
    if (rc == RM_OK) {
        append_graph(&drawn, manifest, &graph, format);
        rc = rmi_graph_keep(manifest, &graph, err);
    } else {
        rmi_graph_free(&graph);
    }
    if (rc == RM_OK)
        rc = rmi_text_take(&drawn, text, length, err);
    rmi_text_clear(&drawn);
    return rc;
}
