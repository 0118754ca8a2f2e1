/* What a node may ask about itself. */
#include <stdarg.h>
#include <stdio.h>

#include "exec/pipeline.h"

const char *rm_node_id(const rm_node *node)
{
    return node->graph->source->id;
}

const rm_allocator *rm_node_allocator(const rm_node *node)
{
    return node->pipeline->allocator;
}

void rm_node_log(rm_node *node, rm_log_level level, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (node->pipeline->record != NULL)
        rmi_lone_log(node, level, text);
    else
        rm_runtime_log(node->pipeline->runtime, level, rm_node_id(node), "%s", text);
}

size_t rm_node_input_count(const rm_node *node)
{
    return node->graph->input_count;
}

const char *rm_node_input_source(const rm_node *node, unsigned port)
{
    const rmi_graph *graph = &node->pipeline->graph;
    for (uint32_t i = 0; i < node->graph->input_count; i++) {
        const rmi_edge *edge = &graph->edges[node->graph->inputs[i]];
        if (edge->to_port == port)
            return graph->nodes[edge->from].source->id;
    }
    return NULL;
}

rm_value rm_node_params(const rm_node *node)
{
    return node->params;
}

void *rm_node_type_data(const rm_node *node)
{
    return node->graph->data;
}

bool rm_node_generates(const rm_node *node)
{
    return node->pipeline->generate;
}

int64_t rm_clock_now(void)
{
    return rmi_platform_now();
}
