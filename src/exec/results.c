/* What a pipeline reports: results in (seq, sink) order, counters, the shape of the graph. */
#include "exec/pipeline.h"

#include <stdlib.h>
#include <string.h>

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

static int set(rm_value *map, const char *key, rm_value item, rm_error *err)
{
    return rm_map_set(map, key, strlen(key), item, err);
}

static int execution_order(const rm_pipeline *p, rm_value *out, rm_error *err)
{
    int rc = rm_list_new(p->allocator, p->node_count, out, err);
    for (uint32_t i = 0; rc == RM_OK && i < p->node_count; i++) {
        const char *id = rm_node_id(&p->nodes[i]);
        rm_value text = rm_null();
        rc = rm_string_new(p->allocator, id, strlen(id), &text, err);
        if (rc == RM_OK)
            rc = rm_list_append(out, text, err);
    }
    return rc;
}

int rm_pipeline_graph_info(const rm_pipeline *p, rm_value *out, rm_error *err)
{
    int64_t sources = 0, sinks = 0;
    rm_value order = rm_null();
    for (uint32_t i = 0; i < p->node_count; i++) {
        sources += p->nodes[i].graph->is_source;
        sinks += p->nodes[i].graph->is_sink;
    }
    int rc = rm_map_new(p->allocator, 4, out, err);
    if (rc == RM_OK)
        rc = set(out, "node_count", rm_int(p->node_count), err);
    if (rc == RM_OK)
        rc = set(out, "source_count", rm_int(sources), err);
    if (rc == RM_OK)
        rc = set(out, "sink_count", rm_int(sinks), err);
    if (rc == RM_OK)
        rc = execution_order(p, &order, err);
    if (rc == RM_OK)
        rc = set(out, "execution_order", rm_value_move(&order), err);
    rm_value_clear(&order);
    if (rc != RM_OK)
        rm_value_clear(out);
    return rc;
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
    int rc = rm_list_new(p->allocator, p->failure_count, out, err);
    if (p->failure_count > 1)
        qsort(p->failures, p->failure_count, sizeof *p->failures, by_place);
    for (size_t i = 0; rc == RM_OK && i < p->failure_count; i++)
        if (counts(p, &p->failures[i]))
            rc = rm_list_append(out, rm_value_retain(p->failures[i].document), err);
    if (rc != RM_OK)
        rm_value_clear(out);
    return rc;
}

static int node_metrics(const rm_pipeline *p, const rm_node *node, rm_value *out, rm_error *err)
{
    const struct {
        const char *key;
        uint64_t count;
    } rows[] = {
        {"in", node->counters.in},         {"out", node->counters.out}, {"dropped", node->counters.dropped},
        {"failed", node->counters.failed}, {"ns", node->counters.ns},
    };
    int rc = rm_map_new(p->allocator, sizeof rows / sizeof *rows, out, err);
    for (size_t i = 0; rc == RM_OK && i < sizeof rows / sizeof *rows; i++)
        rc = set(out, rows[i].key, rm_int((int64_t)rows[i].count), err);
    return rc;
}

int rm_pipeline_metrics(const rm_pipeline *p, rm_value *out, rm_error *err)
{
    int rc = rm_map_new(p->allocator, p->node_count, out, err);
    for (uint32_t i = 0; rc == RM_OK && i < p->node_count; i++) {
        rm_value entry = rm_null();
        rc = node_metrics(p, p->by_index[i], &entry, err);
        if (rc == RM_OK)
            rc = set(out, rm_node_id(p->by_index[i]), rm_value_move(&entry), err);
        rm_value_clear(&entry);
    }
    if (rc != RM_OK)
        rm_value_clear(out);
    return rc;
}
