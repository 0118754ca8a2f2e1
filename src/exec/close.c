/* The end of a pipeline: closes every open node once and frees everything. */
#include "exec/pipeline.h"

#include "base/alloc.h"

int rmi_close_all(rm_pipeline *p)
{
    int first = RM_OK;
    p->closed = true;
    for (uint32_t i = 0; i < p->node_count; i++) {
        rm_node *node = &p->nodes[i];
        if (!node->open)
            continue;
        node->open = false;
        const int rc = rmi_call_close(node);
        if (rc < 0 && first == RM_OK && !p->failed)
            first = rc == RM_E_CANCELLED && rmi_check_stop(p) != RM_OK
                        ? p->failed
                        : rmi_stop_with(p, node, &p->scratch, rc);
        rm_error_clear(&p->scratch);
    }
    return first;
}

void rm_pipeline_free(rm_pipeline *p)
{
    if (p == NULL)
        return;
    const rm_allocator *allocator = p->allocator;
    if (p->nodes != NULL && !p->closed)
        (void)rmi_close_all(p);
    rmi_deadline_stop(p);
    for (uint32_t i = 0; p->nodes != NULL && i < p->node_count; i++) {
        rm_node *node = &p->nodes[i];
        if (node->pipeline == NULL) /* memory ran out before node_init */
            continue;
        rmi_set_origin(node, (rmi_origin){0});
        rmi_flights_free(node);
        rmi_queue_free(allocator, &node->merge.queue);
        rmi_failure_free(node);
        rm_value_clear(&node->params);
    }
    const size_t links = (size_t)p->connection_count + p->feed_count + p->result_count;
    for (size_t i = 0; p->links != NULL && i < links; i++)
        rmi_queue_free(allocator, &p->links[i].queue);
    for (size_t i = 0; i < p->failure_count; i++)
        rm_value_clear(&p->failures[i].document);
    rmi_free(allocator, p->failures, p->failure_capacity * sizeof *p->failures);
    rm_error_clear(&p->error);
    rm_error_clear(&p->scratch);
    rm_error_clear(&p->emit_error);
    rmi_graph_free(&p->graph);
    rmi_free(allocator, p, sizeof *p);
}
