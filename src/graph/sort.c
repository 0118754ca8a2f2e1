/* Topological order: Kahn's, always taking the ready node that stands first in the manifest. */
#include <stdio.h>

#include "base/alloc.h"
#include "base/check.h"
#include "graph/build.h"

/* Ready nodes, the smallest number on top. */
typedef struct heap {
    uint32_t *items;
    uint32_t count;
} heap;

static void heap_push(heap *ready, uint32_t node)
{
    uint32_t at = ready->count++;
    while (at > 0 && ready->items[(at - 1) / 2] > node) {
        ready->items[at] = ready->items[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    ready->items[at] = node;
}

static uint32_t heap_pop(heap *ready)
{
    uint32_t top = ready->items[0], last = ready->items[--ready->count], at = 0;
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= ready->count)
            break;
        if (child + 1 < ready->count && ready->items[child + 1] < ready->items[child])
            child++;
        if (ready->items[child] >= last)
            break;
        ready->items[at] = ready->items[child];
        at = child;
    }
    ready->items[at] = last;
    return top;
}

/* Prints "a -> b -> a", from the node that stands first in the manifest; cuts a long cycle in the middle. */
static void print_cycle(const rmi_graph *graph, const uint32_t *cycle, uint32_t length, char *buffer,
                        size_t size)
{
    enum { SHOWN = 8 };
    size_t used = 0;
    for (uint32_t i = 0; i <= length && used < size; i++) {
        bool skipped = length > SHOWN && i >= SHOWN - 1 && i < length - 1;
        const char *id = graph->nodes[cycle[i % length]].source->id;
        int added = 0;
        if (!skipped)
            added = snprintf(buffer + used, size - used, "%s%s", i == 0 ? "" : " -> ", id);
        else if (i == SHOWN - 1)
            added = snprintf(buffer + used, size - used, " -> ... %u more ...", length - SHOWN);
        used += added > 0 ? (size_t)added : 0;
    }
}

/* Turns `cycle` so that its smallest number comes first. */
static void rotate(uint32_t *cycle, uint32_t length, uint32_t *scratch)
{
    uint32_t least = 0;
    for (uint32_t i = 1; i < length; i++)
        least = cycle[i] < cycle[least] ? i : least;
    for (uint32_t i = 0; i < length; i++)
        scratch[i] = cycle[(least + i) % length];
    for (uint32_t i = 0; i < length; i++)
        cycle[i] = scratch[i];
}

/* The connection that closes the cycle, from `last` to `first`. */
static uint32_t closing_edge(const rmi_graph *graph, uint32_t last, uint32_t first)
{
    const rmi_graph_node *node = &graph->nodes[last];
    for (uint32_t i = 0; i < node->output_count; i++) {
        if (graph->edges[node->outputs[i]].to == first)
            return graph->edges[node->outputs[i]].manifest_index;
    }
    return 0;
}

/* `waiting[n]` is not 0 for the nodes that never became ready. One of them stands before each of them, so a
 * walk backwards comes to a node for the second time. */
static int describe_cycle(rmi_graph *graph, const uint32_t *waiting, rm_error *err)
{
    char text[400] = "";
    uint32_t count = graph->node_count, length = 0, at = 0;
    uint32_t *walked = rmi_arena_alloc(&graph->arena, count, 2 * sizeof *walked), *place = walked + count;
    if (walked == NULL)
        return rmi_out_of_memory(err);
    while (waiting[at] == 0)
        at++;
    while (place[at] == 0) {
        const rmi_graph_node *node = &graph->nodes[at];
        uint32_t i = 0;
        walked[count - ++length] = at; /* from the end: the list reads forwards */
        place[at] = length;
        while (waiting[graph->edges[node->inputs[i]].from] == 0)
            i++;
        at = graph->edges[node->inputs[i]].from;
    }
    uint32_t *cycle = walked + count - length;
    length = length - place[at] + 1;
    rotate(cycle, length, place);
    print_cycle(graph, cycle, length, text, sizeof text);
    (void)rmi_manifest_error(err, RM_E_CYCLE, "Pipeline contains a cycle - cannot execute: %s", text);
    rmi_manifest_error_node(err, graph->nodes[cycle[0]].source->id);
    rm_error_pointer(err, "/connections/%u", closing_edge(graph, cycle[length - 1], cycle[0]));
    return RM_E_CYCLE;
}

static int sort_any(rmi_graph *graph, rm_error *err)
{
    uint32_t count = graph->node_count, done = 0;
    uint32_t *waiting = rmi_arena_alloc(&graph->arena, count, 2 * sizeof *waiting);
    if (waiting == NULL)
        return rmi_out_of_memory(err);
    heap ready = {.items = waiting + count};
    for (uint32_t i = 0; i < count; i++) {
        waiting[i] = graph->nodes[i].input_count;
        if (waiting[i] == 0)
            heap_push(&ready, i);
    }
    while (ready.count > 0) {
        uint32_t next = heap_pop(&ready);
        const rmi_graph_node *node = &graph->nodes[next];
        graph->order[done++] = next;
        for (uint32_t i = 0; i < node->output_count; i++) {
            uint32_t to = graph->edges[node->outputs[i]].to;
            RMI_CHECK(waiting[to] > 0);
            if (--waiting[to] == 0)
                heap_push(&ready, to);
        }
    }
    return done == count ? RM_OK : describe_cycle(graph, waiting, err);
}

int rmi_graph_sort(rmi_graph *graph, rm_error *err)
{
    bool forward = true; /* every connection leads forward in the manifest: its order is the result */
    int rc = RM_OK;
    for (uint32_t e = 0; e < graph->edge_count && forward; e++)
        forward = graph->edges[e].from < graph->edges[e].to;
    for (uint32_t i = 0; i < graph->node_count && forward; i++)
        graph->order[i] = i;
    if (!forward)
        rc = sort_any(graph, err);
    for (uint32_t i = 0; i < graph->node_count && rc == RM_OK; i++)
        graph->nodes[graph->order[i]].rank = i;
    return rc;
}
