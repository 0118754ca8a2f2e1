/* The functions that a node calls. Those that depend on the host go through the host's table
 * (node_host.h). */
#include "exec/pipeline.h"

#include <stdarg.h>
#include <stdio.h>

/* ---- By the host */

uint64_t rm_node_suspend(rm_node *node)
{
    return node->host->suspend(node);
}

void rm_node_resume(rm_node *node, uint64_t token)
{
    node->host->resume(node, token);
}

int rm_node_finish(rm_node *node, uint64_t token, int code, rm_error *err)
{
    rm_error none = {0};
    return node->host->finish(node, token, code, err != NULL ? err : &none);
}

int rm_node_pull(rm_node *node, bool wait, rm_packet *packet, rm_error *err)
{
    return node->host->pull(node, wait, packet, err);
}

bool rm_node_can_wait(const rm_node *node)
{
    return node->host->can_wait(node);
}

bool rm_is_standard_stream(const char *path, bool writes)
{
    return rmi_platform_standard(path, writes) >= 0;
}

int rm_node_standard_input(rm_node *node, int *descriptor, rm_error *err)
{
    return node->host->standard_input(node, descriptor, err);
}

int rm_node_standard_output(rm_node *node, int *descriptor, rm_error *err)
{
    return node->host->standard_output(node, descriptor, err);
}

int rm_node_wait(rm_node *node, int descriptor, bool writing, int64_t until, rm_error *err)
{
    return node->host->wait(node, descriptor, writing, until, err);
}

size_t rm_node_room(const rm_node *node)
{
    return node->host->room(node);
}

void rm_node_wake(rm_node *node)
{
    atomic_store(&node->poll.woken, true);
    atomic_store(&node->pipeline->any_woken, true);
    rmi_wake *wake = atomic_load(&node->pipeline->wake);
    if (wake != NULL)
        rmi_wake_raise(wake);
    if (node->pipeline->woken != NULL)
        node->pipeline->woken(node->pipeline->woken_context);
}

/* ---- What a node may ask about itself */

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
    node->host->log(node, level, text);
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
