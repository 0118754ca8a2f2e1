/* What a pipeline reports: results in (seq, sink) order, counters, the shape of the graph. */
#include "exec/pipeline.h"

#include <stdlib.h>

#include "data/builder.h"

/* The caller chooses whether the walk over the results moves on (a pull) or not (a look). */
static uint32_t next_result(const rm_pipeline *p, int64_t *seq, uint32_t *index)
{
    return rmi_next_link(p->results, p->result_count, seq, index, p->done);
}

/* The link of the next result, or NULL. Results behind a failure wait until the failure counts or not. */
static rmi_link *next_link(const rm_pipeline *p, int64_t *seq, uint32_t *index)
{
    const uint32_t i = p->result_count == 1 ? 0 : next_result(p, seq, index);
    if (i == p->result_count || p->results[i]->queue.count == 0)
        return NULL;
    return rmi_queue_first(&p->results[i]->queue)->seq <= p->limit ? p->results[i] : NULL;
}

bool rmi_results_deliverable(const rm_pipeline *p)
{
    int64_t seq = p->result_seq;
    uint32_t index = p->result_index;
    return next_link(p, &seq, &index) != NULL;
}

int rm_pipeline_pull(rm_pipeline *p, size_t *sink, rm_packet *packet, rm_error *err)
{
    (void)err;
    rmi_link *link = next_link(p, &p->result_seq, &p->result_index);
    if (link == NULL)
        return p->done ? RM_DONE : RM_AGAIN;
    rmi_queue_take(&link->queue, packet);
    rmi_drained(link);
    p->results_taken = p->results_wanted;
    *sink = p->result_count == 1 ? 0 : p->result_index;
    return RM_OK;
}

size_t rm_pipeline_sink_count(const rm_pipeline *pipeline)
{
    return pipeline->result_count;
}

const char *rm_pipeline_sink_id(const rm_pipeline *pipeline, size_t sink)
{
    return sink < pipeline->result_count ? rm_node_id(pipeline->results[sink]->from) : NULL;
}

const char *rm_pipeline_current_node(const rm_pipeline *pipeline)
{
    const rm_node *node = atomic_load(&((rm_pipeline *)pipeline)->calling);
    return node != NULL ? rm_node_id(node) : NULL;
}

int rm_pipeline_graph_info(const rm_pipeline *p, rm_value *out, rm_error *err)
{
    int64_t sources = 0, sinks = 0;
    rmi_builder b = rmi_builder_start(p->allocator, err);
    rm_value map = rmi_build_map(&b), order = rmi_build_list(&b);
    for (uint32_t i = 0; i < p->node_count; i++) {
        sources += p->nodes[i].graph->is_source;
        sinks += p->nodes[i].graph->is_sink;
        rmi_build_add(&b, &order, rmi_build_string(&b, rm_node_id(&p->nodes[i])));
    }
    rmi_build_put(&b, &map, "node_count", rm_int(p->node_count));
    rmi_build_put(&b, &map, "source_count", rm_int(sources));
    rmi_build_put(&b, &map, "sink_count", rm_int(sinks));
    rmi_build_put(&b, &map, "execution_order", order);
    return rmi_build_end(&b, &map, out);
}

static int by_place(const void *left, const void *right)
{
    const rmi_failure *a = left, *b = right;
    if (a->seq != b->seq)
        return a->seq < b->seq ? -1 : 1;
    return a->rank < b->rank ? -1 : a->rank > b->rank;
}

/* Failures behind the run's own failure do not count, nor those of items that nobody wanted. */
static bool counts(const rm_pipeline *p, const rmi_failure *failure)
{
    const rm_node *node = &p->nodes[failure->rank];
    return failure->seq <= p->limit && !(node->out.unwanted && failure->seq >= node->out.close_seq);
}

int rm_pipeline_failures(const rm_pipeline *p, rm_value *out, rm_error *err)
{
    rmi_builder b = rmi_builder_start(p->allocator, err);
    rm_value list = rmi_build_list(&b);
    if (p->failure_count > 1)
        qsort(p->failures, p->failure_count, sizeof *p->failures, by_place);
    for (size_t i = 0; i < p->failure_count; i++)
        if (counts(p, &p->failures[i]))
            rmi_build_add(&b, &list, rm_value_retain(p->failures[i].document));
    return rmi_build_end(&b, &list, out);
}

static rm_value node_metrics(rmi_builder *b, const rm_node *node)
{
    rm_value map = rmi_build_map(b);
    rmi_build_put(b, &map, "in", rm_int((int64_t)node->counters.in));
    rmi_build_put(b, &map, "out", rm_int((int64_t)node->counters.out));
    rmi_build_put(b, &map, "dropped", rm_int((int64_t)node->counters.dropped));
    rmi_build_put(b, &map, "failed", rm_int((int64_t)node->counters.failed));
    rmi_build_put(b, &map, "ns", rm_int((int64_t)node->counters.ns));
    return map;
}

int rm_pipeline_metrics(const rm_pipeline *p, rm_value *out, rm_error *err)
{
    rmi_builder b = rmi_builder_start(p->allocator, err);
    rm_value map = rmi_build_map(&b);
    for (uint32_t i = 0; i < p->node_count; i++)
        rmi_build_put(&b, &map, rm_node_id(p->by_index[i]), node_metrics(&b, p->by_index[i]));
    return rmi_build_end(&b, &map, out);
}
