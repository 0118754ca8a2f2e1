/* The counters of a pipeline as messages. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "transport/grpc/messages.h"

typedef Remotemedia__V1__ExecutionMetrics execution_metrics;

static int64_t count_of(rm_value counters, const char *key)
{
    rm_value count = rm_null();
    return rm_map_get(counters, key, strlen(key), &count) ? count.i : 0;
}

static bool add_node(execution_metrics *metrics, const char *id, rm_value counters)
{
    Remotemedia__V1__ExecutionMetrics__NodeMetricsEntry *entry = malloc(sizeof *entry);
    if (entry == NULL)
        return false;
    remotemedia__v1__execution_metrics__node_metrics_entry__init(entry);
    metrics->node_metrics[metrics->n_node_metrics++] = entry;
    if ((entry->value = malloc(sizeof *entry->value)) == NULL)
        return false;
    remotemedia__v1__node_metrics__init(entry->value);
    entry->value->execution_time_ms = (double)count_of(counters, "ns") / 1e6;
    entry->value->items_processed = (uint64_t)count_of(counters, "in");
    metrics->cpu_time_ms += entry->value->execution_time_ms;
    return rmi_set_text(&entry->key, id);
}

static execution_metrics *make(rm_value counters, double wall_ms)
{
    const size_t count = rm_map_length(counters);
    execution_metrics *metrics = malloc(sizeof *metrics);
    if (metrics == NULL)
        return NULL;
    remotemedia__v1__execution_metrics__init(metrics);
    metrics->wall_time_ms = wall_ms;
    metrics->node_metrics = malloc((count + 1) * sizeof *metrics->node_metrics);
    bool done = metrics->node_metrics != NULL;
    for (size_t i = 0; done && i < count; i++) {
        rm_value id, node;
        (void)rm_map_at(counters, i, &id, &node);
        done = add_node(metrics, rm_string_text(id, NULL), node);
    }
    if (!done) {
        protobuf_c_message_free_unpacked(&metrics->base, NULL);
        metrics = NULL;
    }
    return metrics;
}

int rmi_metrics_of(const rm_pipeline *pipeline, double wall_ms, execution_metrics **out, rm_error *err)
{
    rm_value counters = rm_null();
    const int rc = pipeline != NULL ? rm_pipeline_metrics(pipeline, &counters, err) : RM_OK;
    *out = rc == RM_OK ? make(counters, wall_ms) : NULL;
    rm_value_clear(&counters);
    return rc == RM_OK && *out == NULL ? rmi_out_of_memory(err) : rc;
}

/* ---- What became of each node */

static int64_t failures_of(rm_value failures, const char *id)
{
    int64_t count = 0;
    for (size_t i = 0; i < rm_list_length(failures); i++) {
        rm_value node = rm_null();
        const char *name =
            rm_map_get(rm_list_get(failures, i), "node", 4, &node) ? rm_string_text(node, NULL) : NULL;
        count += name != NULL && strcmp(name, id) == 0;
    }
    return count;
}

static Remotemedia__V1__NodeResult *node_result(const char *id, rm_value counters, rm_value failures)
{
    Remotemedia__V1__NodeResult *result = malloc(sizeof *result);
    if (result == NULL)
        return NULL;
    remotemedia__v1__node_result__init(result);
    result->status = REMOTEMEDIA__V1__NODE_STATUS__NODE_STATUS_SUCCESS;
    if (failures_of(failures, id) > 0)
        result->status = REMOTEMEDIA__V1__NODE_STATUS__NODE_STATUS_FAILED;
    else if (count_of(counters, "in") == 0 && count_of(counters, "out") == 0)
        result->status = REMOTEMEDIA__V1__NODE_STATUS__NODE_STATUS_SKIPPED;
    char *text = NULL;
    size_t length = 0;
    const bool done = rm_json_write(NULL, counters, 0, &text, &length, NULL, NULL) == RM_OK &&
                      rmi_set_text(&result->output_metadata, text) && rmi_set_text(&result->node_id, id);
    rm_text_free(NULL, text, length);
    if (!done) {
        protobuf_c_message_free_unpacked(&result->base, NULL);
        result = NULL;
    }
    return result;
}

static int add_node_results(Remotemedia__V1__ExecutionResult *result, rm_value counters, rm_value failures,
                            rm_error *err)
{
    const size_t count = rm_map_length(counters);
    result->node_results = malloc((count + 1) * sizeof *result->node_results);
    if (result->node_results == NULL)
        return rmi_out_of_memory(err);
    for (size_t i = 0; i < count; i++) {
        rm_value id, node;
        (void)rm_map_at(counters, i, &id, &node);
        Remotemedia__V1__NodeResult *made = node_result(rm_string_text(id, NULL), node, failures);
        if (made == NULL)
            return rmi_out_of_memory(err);
        result->node_results[result->n_node_results++] = made;
    }
    return RM_OK;
}

int rmi_node_results_of(const rm_pipeline *pipeline, Remotemedia__V1__ExecutionResult *result, rm_error *err)
{
    rm_value counters = rm_null(), failures = rm_null();
    int rc = rm_pipeline_metrics(pipeline, &counters, err);
    if (rc == RM_OK)
        rc = rm_pipeline_failures(pipeline, &failures, err);
    if (rc == RM_OK)
        rc = add_node_results(result, counters, failures, err);
    result->status = rm_list_length(failures) > 0
                         ? REMOTEMEDIA__V1__EXECUTION_STATUS__EXECUTION_STATUS_PARTIAL_SUCCESS
                         : REMOTEMEDIA__V1__EXECUTION_STATUS__EXECUTION_STATUS_SUCCESS;
    rm_value_clear(&failures);
    rm_value_clear(&counters);
    return rc;
}
