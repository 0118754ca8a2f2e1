/* Nodes that "host" or their placement puts on another server: a type for each, whose slots pass its packets on. */
#include <string.h>

#include "base/alloc.h"
#include "graph/registry.h"
#include "transport/remote/attached.h"

struct rmi_hosted {
    rmi_remote_attached *attached;
    rm_node_type type;
    char *name, *host; /* owned */
    rmi_remote_plan plan;
};

const rmi_remote_plan *rmi_hosted_plan(const rmi_hosted *hosted)
{
    return &hosted->plan;
}

void rmi_hosted_release(void *context, void *data)
{
    rmi_hosted *hosted = data;
    const rm_allocator *allocator = rmi_remote_allocator(hosted->attached);
    (void)context;
    rmi_remote_plan_free(allocator, &hosted->plan);
    rmi_free_text(allocator, hosted->name);
    rmi_free_text(allocator, hosted->host);
    rmi_free(allocator, hosted, sizeof *hosted);
}

/* What is known here of a type: its ports and parameters are checked before anything is sent. */
static int describe(rmi_hosted *hosted, const rm_node_type *native, rm_error *err)
{
    size_t inputs = 0, outputs = 0;
    for (const rm_port *port = rmi_type_ports(native); port->name != NULL; port++) {
        inputs += port->direction == RM_INPUT ? port->variadic ? 2u : 1u : 0u;
        outputs += port->direction == RM_OUTPUT;
    }
    if (inputs != 1 || outputs > 1 || native->stream != NULL)
        return rm_error_set(
            err, RM_E_UNSUPPORTED,
            "%s cannot run on another server by itself: only nodes that take items at one input and give "
            "results at one output can",
            native->name);
    hosted->type.ports = native->ports;
    hosted->type.params = native->params;
    hosted->plan.keeps_nothing = native->flush == NULL;
    return RM_OK;
}

static int make_plan(rmi_hosted *hosted, const rmi_graph *graph, uint32_t index, rm_error *err)
{
    const rmi_manifest_node *source = graph->nodes[index].source;
    const rm_allocator *allocator = graph->runtime->allocator;
    rmi_remote_plan *plan = &hosted->plan;
    plan->token = rmi_remote_token(hosted->attached);
    plan->directory = graph->directory;
    plan->endpoints = rmi_alloc_zeroed(allocator, 2 * sizeof *plan->endpoints);
    if (plan->endpoints == NULL)
        return rmi_out_of_memory(err);
    plan->endpoint_count = 1;
    plan->endpoints[0] = hosted->host;
    const uint32_t fallback = rmi_remote_fallback_of(graph, index);
    int rc = rmi_remote_work_of_node(graph, index, true, &plan->there, err);
    plan->has_here = fallback < graph->node_count || source->placement == RMI_PLACE_PREFER_REMOTE;
    if (rc == RM_OK && plan->has_here)
        rc = rmi_remote_work_of_node(graph, fallback < graph->node_count ? fallback : index, false,
                                     &plan->here, err);
    return rc;
}

int rmi_hosted_resolve(void *context, const rm_node_query *query, const rm_node_type **type, void **data,
                       const char **looked, rm_error *err)
{
    rmi_remote_attached *attached = context;
    const rm_allocator *allocator = rmi_remote_allocator(attached);
    const rmi_graph *graph = ((const rmi_node_query *)query)->graph;
    const uint32_t index = ((const rmi_node_query *)query)->index;
    rmi_hosted *hosted = rmi_alloc_zeroed(allocator, sizeof *hosted);
    *looked = "";
    if (hosted == NULL)
        return rmi_out_of_memory(err);
    hosted->attached = attached;
    hosted->plan = rmi_remote_plan_preset();
    hosted->name = rmi_copy_text(allocator, query->node_type);
    hosted->host = rmi_copy_text(allocator, graph->nodes[index].source->host);
    hosted->type.name = hosted->name;
    hosted->type.flags = RM_NODE_ANY_PARAMS;
    const rm_node_type *native = strcmp(query->runtime_hint, "auto") == 0
                                     ? rm_runtime_find_type(graph->runtime, query->node_type)
                                     : NULL;
    int rc = hosted->name == NULL || hosted->host == NULL ? rmi_out_of_memory(err) : RM_OK;
    if (rc == RM_OK && query->is_streaming) {
        rc = rm_error_set(err, RM_E_UNSUPPORTED,
                          "a node that takes its whole stream cannot run on another server");
        rm_error_pointer(err, "/is_streaming");
    }
    if (rc == RM_OK && native != NULL)
        rc = describe(hosted, native, err);
    if (rc == RM_OK)
        rc = make_plan(hosted, graph, index, err);
    if (rc != RM_OK) {
        rmi_hosted_release(context, hosted);
        return rc;
    }
    rmi_hosted_set_slots(&hosted->type);
    *type = &hosted->type;
    *data = hosted;
    return RM_OK;
}
