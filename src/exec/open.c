/* From a manifest to a pipeline whose nodes are open. */
#include "exec/pipeline.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

enum { DEFAULT_QUEUE_BYTES = 64 << 20, UNIT = 256 };

static void link_init(const rm_pipeline *p, rmi_link *link, rm_node *from, rm_node *to, const rmi_edge *edge)
{
    link->from = from;
    link->to = to;
    link->limit = edge != NULL && edge->queue_packets > 0 ? edge->queue_packets : p->queue_packets;
    const size_t bytes = edge != NULL && edge->queue_bytes > 0 ? edge->queue_bytes : DEFAULT_QUEUE_BYTES;
    link->unit_limit = bytes < UNIT ? 1 : bytes / UNIT;
    link->port = edge != NULL ? edge->to_port : 0;
}

static const rm_port *first_input(const rm_node_type *type)
{
    for (const rm_port *port = type->ports; port != NULL && port->name != NULL; port++)
        if (port->direction == RM_INPUT)
            return port;
    return NULL;
}

static int allocate_outputs(rm_pipeline *p, rm_node *node)
{
    rmi_arena *arena = &p->graph.arena;
    const rmi_graph_node *graph = node->graph;
    node->out.port_count = graph->output_ports;
    node->out.ports = rmi_arena_alloc(arena, node->out.port_count, sizeof *node->out.ports);
    if (node->out.ports == NULL)
        return RM_E_OUT_OF_MEMORY;
    for (uint32_t port = 0; port < node->out.port_count; port++) {
        rmi_outputs *out = &node->out.ports[port];
        out->links = rmi_arena_alloc(arena, graph->output_count, sizeof *out->links);
        if (out->links == NULL)
            return RM_E_OUT_OF_MEMORY;
        for (uint32_t i = 0; i < graph->output_count; i++)
            if (p->graph.edges[graph->outputs[i]].from_port == port)
                out->links[out->count++] = &p->links[graph->outputs[i]];
    }
    return RM_OK;
}

static int allocate_inputs(rm_pipeline *p, rm_node *node)
{
    const rmi_graph_node *graph = node->graph;
    const uint32_t ports = graph->input_ports > 0 ? graph->input_ports : 1;
    node->in.count = graph->is_source ? 1 : graph->input_count;
    node->in.links = rmi_arena_alloc(&p->graph.arena, node->in.count, sizeof *node->in.links);
    node->in.takes = rmi_arena_alloc(&p->graph.arena, ports, sizeof *node->in.takes);
    if (node->in.links == NULL || node->in.takes == NULL)
        return RM_E_OUT_OF_MEMORY;
    for (uint32_t i = 0; i < graph->input_count; i++) {
        const rmi_edge *edge = &p->graph.edges[graph->inputs[i]];
        node->in.links[i] = &p->links[graph->inputs[i]];
        node->in.takes[edge->to_port] = edge->input;
    }
    if (graph->is_source)
        node->in.takes[0] = first_input(node->type);
    return RM_OK;
}

static int allocate(rm_pipeline *p)
{
    uint32_t feeds = 0, results = 0;
    const rmi_graph *g = &p->graph;
    for (uint32_t i = 0; i < g->node_count; i++) {
        feeds += g->nodes[i].is_source;
        results += g->nodes[i].is_output;
    }
    p->node_count = g->node_count;
    p->connection_count = g->edge_count;
    p->ready_words = (g->node_count + 63) / 64;
    p->ready = rmi_arena_alloc(&p->graph.arena, p->ready_words, sizeof *p->ready);
    p->nodes = rmi_arena_alloc(&p->graph.arena, g->node_count, sizeof *p->nodes);
    p->by_index = rmi_arena_alloc(&p->graph.arena, g->node_count, sizeof *p->by_index);
    p->links = rmi_arena_alloc(&p->graph.arena, (size_t)g->edge_count + feeds + results, sizeof *p->links);
    p->feeds = rmi_arena_alloc(&p->graph.arena, feeds, sizeof *p->feeds);
    p->results = rmi_arena_alloc(&p->graph.arena, results, sizeof *p->results);
    const bool all = p->ready && p->nodes && p->by_index && p->links && p->feeds && p->results;
    return all ? RM_OK : RM_E_OUT_OF_MEMORY;
}

static void node_init(rm_pipeline *p, rm_node *node, uint32_t index)
{
    const rmi_graph_node *graph = &p->graph.nodes[index];
    const rmi_manifest_node *source = graph->source;
    node->pipeline = p;
    node->host = &rmi_pipeline_host;
    node->graph = graph;
    node->type = graph->type;
    node->rank = graph->rank;
    node->max_in_flight =
        source->max_in_flight > 0 ? (uint32_t)source->max_in_flight : graph->type->max_in_flight;
    node->merge.seq = INT64_MAX;
    node->current = (rmi_origin){.seq = -1, .timestamp = RM_NO_TIME, .duration = RM_NO_TIME};
    node->poll.wait = (rm_wait){.deadline = RMI_FOREVER, .descriptor = -1};
    node->generate.on = graph->is_source && graph->type->generate != NULL && p->generate;
    node->plain = graph->type->poll == NULL && graph->type->stream == NULL && !node->generate.on &&
                  source->retry_attempts == 0 && source->timeout_ms == 0;
    p->has_special |= !node->plain;
    p->stream_count += graph->type->stream != NULL;
    node->watched = p->measure || source->timeout_ms > 0 || graph->type->flags & RM_NODE_SLOW;
    p->by_index[index] = node;
    if (node->generate.on)
        rmi_ready(node);
}

static int wire_node(rm_pipeline *p, rm_node *node, rmi_link **next)
{
    int rc = allocate_inputs(p, node);
    if (rc == RM_OK)
        rc = allocate_outputs(p, node);
    if (rc != RM_OK)
        return rc;
    if (node->graph->is_source) {
        link_init(p, *next, NULL, node, NULL);
        node->in.links[0] = p->feeds[p->feed_count++] = (*next)++;
    }
    node->takes_any = rmi_takes_any(node);
    if (!node->graph->is_output && node->out.port_count == 1 && node->out.ports[0].count == 1)
        node->out.only = node->out.ports[0].links[0];
    p->tracked |= node->in.count > 1 || node->type->advance != NULL;
    return RM_OK;
}

/* Nodes by rank, links in manifest order: connections, then the feeds of the sources, then results. */
static int wire(rm_pipeline *p)
{
    int rc = allocate(p);
    if (rc != RM_OK)
        return rc;
    rmi_link *next = p->links;
    for (uint32_t i = 0; i < p->node_count; i++)
        node_init(p, &p->nodes[p->graph.nodes[i].rank], i);
    for (uint32_t i = 0; i < p->connection_count; i++, next++) {
        const rmi_edge *edge = &p->graph.edges[i];
        link_init(p, next, p->by_index[edge->from], p->by_index[edge->to], edge);
    }
    for (uint32_t i = 0; rc == RM_OK && i < p->node_count; i++)
        rc = wire_node(p, p->by_index[i], &next);
    for (uint32_t i = 0; rc == RM_OK && i < p->node_count; i++)
        if (p->graph.nodes[i].is_output) {
            link_init(p, next, p->by_index[i], NULL, NULL);
            p->by_index[i]->out.results = p->results[p->result_count++] = next++;
        }
    p->tracked |= p->result_count > 1;
    for (uint32_t i = 0; rc == RM_OK && !p->tracked && i < p->node_count; i++) {
        rm_node *node = &p->nodes[i];
        node->lean = node->was_lean =
            node->plain && node->takes_any && node->out.only != NULL && node->type->process_many != NULL;
    }
    return rc;
}

/* The run was cancelled, or is out of time, before every node was open. */
static int stopped(rm_pipeline *p, rm_error *err)
{
    const int rc = rmi_check_stop(p);
    rm_error_move(err, &p->error);
    return rc;
}

/* Makes the node's state, with its parameters. */
static int fill_node(rm_pipeline *p, rm_node *node, rm_error *err)
{
    const uint32_t index = (uint32_t)(node->graph - p->graph.nodes);
    node->state = rmi_arena_alloc(&p->graph.arena, 1, node->type->state_size);
    if (node->state == NULL)
        return rmi_out_of_memory(err);
    return rmi_params_fill(&p->graph, index, node->state, &p->graph.arena, &node->params, err);
}

int rmi_open_node(rm_pipeline *p, rm_node *node, rm_error *err)
{
    int rc = node->state == NULL ? fill_node(p, node, err) : RM_OK;
    if (rc == RM_OK && node->type->open != NULL) {
        const int64_t started = rmi_call_begin(node);
        rc = node->type->open(node, node->state, &p->scratch);
        rc = rmi_call_end(node, started, rc);
        if (rc == RM_E_CANCELLED && rmi_check_stop(p) != RM_OK) { /* the run's error names the cause */
            rm_error_clear(&p->scratch);
            rc = stopped(p, err);
        } else if (rc < 0 && err != NULL) {
            rm_error_move(err, &p->scratch);
            (void)snprintf(err->node, sizeof err->node, "%s", rm_node_id(node));
        }
    }
    node->takes_items = rmi_takes_items(node);
    node->call.batch =
        node->type->flags & RM_NODE_SLOW ? 1 : RMI_BATCH; /* the time that open took is no guide */
    node->open = rc >= 0;
    return rc < 0 ? rc : RM_OK;
}

int rmi_options_read(const rm_pipeline_options *given, rm_pipeline_options *out, rm_error *err)
{
    *out = (rm_pipeline_options){.size = sizeof *out};
    if (given == NULL)
        return RM_OK;
    if (given->size < sizeof given->size)
        return rm_error_set(err, RM_E_USAGE,
                            "rm_pipeline_options.size is not set: {.size = sizeof(rm_pipeline_options)}");
    memcpy(out, given, given->size < sizeof *out ? given->size : sizeof *out);
    out->size = sizeof *out;
    return RM_OK;
}

static void take_options(rm_pipeline *p, const rm_pipeline_options *options)
{
    p->queue_packets = options->queue_packets > 0 ? options->queue_packets : RMI_QUEUE;
    p->generate = options->generate;
    p->may_block = options->may_block;
    p->measure = options->measure;
    p->input = options->input;
    p->input_context = options->input_context;
    p->wait = options->wait;
    p->wait_context = options->wait_context;
    p->standard_input = options->standard_input;
    p->standard_output = options->standard_output;
    p->object_results = options->object_results;
    p->woken = options->woken;
    p->woken_context = options->woken_context;
}

int rmi_pipeline_new(rm_manifest *manifest, const rm_pipeline_options *options, rm_pipeline **out,
                     rm_error *err)
{
    const rm_allocator *allocator = rm_runtime_allocator(manifest->runtime);
    rm_pipeline *p = rmi_alloc_zeroed(allocator, sizeof *p);
    *out = NULL;
    if (p == NULL)
        return rmi_out_of_memory(err);
    p->runtime = manifest->runtime;
    p->allocator = allocator;
    p->deadline = p->limit = RMI_FOREVER;
    atomic_store(&p->call_deadline, RMI_FOREVER);
    p->result_seq = INT64_MAX;
    take_options(p, options);
    int rc = rmi_graph_take(manifest, &p->graph, err);
    if (rc == RM_OK && (rc = wire(p)) != RM_OK)
        rc = rmi_out_of_memory(err);
    if (rc == RM_OK)
        *out = p;
    else
        rm_pipeline_free(p);
    return rc;
}

int rm_pipeline_open(rm_manifest *manifest, const rm_pipeline_options *options, rm_pipeline **out,
                     rm_error *err)
{
    rm_pipeline_options chosen;
    rm_pipeline *p = NULL;
    rm_error local = {0};
    rm_error *error = err != NULL ? err : &local;
    *out = NULL;
    int rc = rmi_options_read(options, &chosen, err);
    if (rc == RM_OK)
        rc = rmi_pipeline_new(manifest, &chosen, &p, error);
    if (rc == RM_OK)
        rc = rmi_deadline_start(p, chosen.timeout_ms, error);
    if (rc == RM_OK && chosen.opening != NULL)
        chosen.opening(chosen.opening_context, p);
    for (uint32_t i = 0; rc == RM_OK && p != NULL && i < p->node_count; i++)
        rc = fill_node(p, &p->nodes[i], error);
    if (rc == RM_OK)
        rc = rmi_check_files(p, &chosen, error);
    for (uint32_t i = 0; rc == RM_OK && p != NULL && i < p->node_count; i++)
        rc = atomic_load(&p->stop) == RMI_RUNNING ? rmi_open_node(p, &p->nodes[i], error) : stopped(p, error);
    if (rc != RM_OK && p != NULL && chosen.opening != NULL)
        chosen.opening(chosen.opening_context, NULL);
    if (rc == RM_OK)
        *out = p;
    else
        rm_pipeline_free(p);
    rm_error_clear(&local);
    return rc;
}

int rm_pipeline_set_param(rm_pipeline *p, const char *node_id, const char *param, rm_value value,
                          rm_error *err)
{
    rm_node *node = NULL;
    const rm_param *changed = NULL;
    for (uint32_t i = 0; node == NULL && i < p->node_count; i++)
        if (strcmp(rm_node_id(p->by_index[i]), node_id) == 0)
            node = p->by_index[i];
    if (node == NULL || !node->open) {
        rm_value_clear(&value);
        return rm_error_set(err, node == NULL ? RM_E_UNKNOWN_NODE : RM_E_USAGE,
                            node == NULL ? "there is no node '%s' in this pipeline" : "node '%s' is closed",
                            node_id);
    }
    const uint32_t index = (uint32_t)(node->graph - p->graph.nodes);
    int rc = rmi_params_change(&p->graph, index, node->state, &p->graph.arena, &node->params, param, value,
                               &changed, err);
    if (rc == RM_OK && node->type->set_param != NULL) {
        const int64_t started = rmi_call_begin(node);
        rc = node->type->set_param(node, node->state, changed, &p->scratch);
        rc = rmi_call_end(node, started, rc);
        if (rc < 0)
            rm_error_move(err, &p->scratch);
    }
    return rc;
}
