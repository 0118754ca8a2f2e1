#include "exec/probe.h"

#include <string.h>

#include "exec/pipeline.h"
#include "graph/registry.h"

static rmi_port_place place_of(const rm_node *node, bool in, uint32_t port)
{
    return (rmi_port_place){
        .node = (uint32_t)(node->graph - node->pipeline->graph.nodes), .in = in, .port = port};
}

/* ---- In the run */

static bool pass(const rm_node *node, bool in, uint32_t port, rm_packet *packet)
{
    const rmi_probe *probe = node->pipeline->probe;
    return probe == NULL || probe->packet(probe->context, place_of(node, in, port), packet);
}

static int bypass(rm_node *node, rm_packet *packet)
{
    rm_pipeline *p = node->pipeline;
    const int64_t seq = packet->seq;
    rmi_set_current(node, packet);
    if (node->out.port_count == 0) {
        rm_packet_clear(packet);
        return RM_OK;
    }
    const int rc = rmi_deliver(node, 0, packet, 1);
    return rc < 0 ? rmi_item_failed(node, seq, &p->emit_error, rc) : rc;
}

int rmi_probe_input(rm_node *node, rmi_queue *queue, uint32_t port, bool *taken)
{
    rm_packet packet;
    const bool passes = pass(node, true, port, rmi_queue_first(queue));
    *taken = !passes || node->state_set != RMI_NODE_ENABLED;
    if (!*taken)
        return RM_OK;
    rmi_queue_take(queue, &packet);
    node->counters.in++;
    if (passes && node->state_set == RMI_NODE_BYPASSED)
        return bypass(node, &packet);
    node->counters.dropped++;
    rm_packet_clear(&packet);
    return RM_OK;
}

bool rmi_probe_pulled(const rm_node *node, rm_packet *packet)
{
    return pass(node, true, node->in.count == 1 ? node->in.links[0]->port : 0, packet);
}

size_t rmi_probe_output(const rm_node *node, uint32_t port, rm_packet *packets, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        rm_packet packet = packets[i];
        if (pass(node, false, port, &packet))
            packets[kept++] = packet;
        else
            rm_packet_clear(&packet);
    }
    return kept;
}

/* ---- Between steps */

void rmi_pipeline_set_probe(rm_pipeline *p, const rmi_probe *probe)
{
    p->probe = probe;
}

static void set_probed(rm_node *node)
{
    node->probed = node->probe_wanted || node->state_set != RMI_NODE_ENABLED;
    node->lean = node->was_lean && !node->probed;
}

void rmi_pipeline_probe_node(rm_pipeline *p, uint32_t node, bool probed)
{
    p->by_index[node]->probe_wanted = probed;
    set_probed(p->by_index[node]);
}

static rm_node *find_node(const rm_pipeline *p, const char *id, rm_error *err)
{
    for (uint32_t i = 0; i < p->node_count; i++)
        if (strcmp(rm_node_id(p->by_index[i]), id) == 0)
            return p->by_index[i];
    (void)rm_error_set(err, RM_E_UNKNOWN_NODE, "there is no node '%s' in this pipeline", id);
    return NULL;
}

static uint32_t port_count(const rm_node *node, bool in)
{
    uint32_t count = in ? node->graph->input_ports : node->out.port_count;
    return in && count == 0 && node->takes_items ? 1 : count;
}

const char *rmi_pipeline_port_name(const rm_pipeline *p, rmi_port_place place)
{
    const char *last = "";
    uint32_t number = 0;
    for (const rm_port *port = rmi_type_ports(p->by_index[place.node]->type); port->name != NULL; port++)
        if ((port->direction == RM_INPUT) == place.in && number++ <= place.port)
            last = port->name; /* a variadic port has all the numbers behind its own */
    return last;
}

int rmi_pipeline_find_port(const rm_pipeline *p, const char *id, const char *name, bool in,
                           rmi_port_place *out, rm_error *err)
{
    const rm_node *node = find_node(p, id, err);
    if (node == NULL)
        return RM_E_UNKNOWN_NODE;
    *out = place_of(node, in, 0);
    out->any = name[0] == '\0';
    const uint32_t count = port_count(node, in);
    while (!out->any && out->port < count && strcmp(rmi_pipeline_port_name(p, *out), name) != 0)
        out->port++;
    if (out->port < count)
        return RM_OK;
    return rm_error_set(err, RM_E_VALUE, "node '%s' has no %s port%s%s%s", id, in ? "input" : "output",
                        out->any ? "" : " '", name, out->any ? "" : "'");
}

const char *rmi_pipeline_node_id(const rm_pipeline *p, uint32_t node)
{
    return rm_node_id(p->by_index[node]);
}

uint32_t rmi_pipeline_node_count(const rm_pipeline *p)
{
    return p->node_count;
}

int rmi_pipeline_set_state(rm_pipeline *p, const char *id, rmi_node_state state, rm_error *err)
{
    rm_node *node = find_node(p, id, err);
    if (node == NULL)
        return RM_E_UNKNOWN_NODE;
    if (state != RMI_NODE_ENABLED && (node->type->stream != NULL || node->generate.on || !node->takes_items))
        return rm_error_set(err, RM_E_VALUE, "node '%s' (%s) cannot be left out: it takes no single items",
                            id, node->type->name);
    node->state_set = state;
    set_probed(node);
    if (node->open)
        rmi_ready(node);
    return RM_OK;
}

static rmi_link *input_link(const rm_node *node, uint32_t port)
{
    for (uint32_t i = 0; i < node->in.count; i++)
        if (node->in.links[i]->port == port)
            return node->in.links[i];
    return NULL;
}

/* The seq of a packet that comes in where `bound` is promised: not before what is there, nor before the node's last. */
static int64_t seq_from(const rm_node *node, int64_t bound, const rmi_queue *queue)
{
    int64_t seq = bound > 0 ? bound : 0;
    if ((queue == NULL || node->in.count == 1) && node->current.seq > seq)
        seq = node->current.seq;
    if (queue != NULL && queue->count > 0 && rmi_queue_first(queue)[queue->count - 1].seq > seq)
        seq = rmi_queue_first(queue)[queue->count - 1].seq;
    return seq;
}

static int has_ended(const rm_node *node, rm_error *err)
{
    return rm_error_set(err, RM_E_USAGE, "nothing may come there any more: the input of node '%s' has ended",
                        rm_node_id(node));
}

static int publish_in(rm_node *node, uint32_t port, rm_packet *packet, rm_error *err)
{
    rm_pipeline *p = node->pipeline;
    rmi_link *link = input_link(node, port);
    if (link == NULL)
        return rm_error_set(err, RM_E_VALUE, "nothing is connected to that port of node '%s'",
                            rm_node_id(node));
    packet->seq = seq_from(node, link->bound, &link->queue);
    if (!node->open || node->generate.on || node->in.closed || link->closed || packet->seq >= RM_SEQ_END ||
        (link->from == NULL && p->finished))
        return has_ended(node, err);
    if (rmi_link_full(link))
        return RM_AGAIN;
    if (rmi_queue_append(p->allocator, &link->queue, packet, 1) != RM_OK)
        return rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory");
    rmi_ready(node);
    return RM_OK;
}

static int publish_out(rm_node *node, uint32_t port, rm_packet *packet, rm_error *err)
{
    packet->seq = seq_from(node, node->pipeline->tracked ? node->out.bound : 0, NULL);
    if (!node->open || node->flushed || node->out.unwanted || packet->seq >= RM_SEQ_END)
        return has_ended(node, err);
    if (rmi_output_room(node) == 0 || node->flight.count > 0)
        return RM_AGAIN;
    const int rc = rmi_deliver(node, port, packet, 1);
    if (rc < 0)
        rm_error_move(err, &node->pipeline->emit_error);
    return rc;
}

int rmi_pipeline_publish(rm_pipeline *p, rmi_port_place place, rm_packet *packet, rm_error *err)
{
    rm_node *node = p->by_index[place.node];
    return place.in ? publish_in(node, place.port, packet, err) : publish_out(node, place.port, packet, err);
}
