/* What happens when an item fails: the policies of on_error, and which failure is the run's.
 *
 * The outcome must not depend on batches, queues or time. So a node's failure at item k is provisional: the
 * node gets no more packets, everything up to item k is still processed everywhere, later items wait.
 * Meanwhile an earlier failure (by item, then by rank) may turn up and replace the first one. Or all
 * consumers of the node turn out to have closed by item k, and the failure does not count. When nothing up to
 * item k is left to do, the run ends with the failure. */
#include "exec/pipeline.h"

#include <stdio.h>

#include "base/alloc.h"

static void place_error(rm_error *error, const rm_node *node, int64_t seq)
{
    if (error->node[0] == '\0' && node != NULL)
        (void)snprintf(error->node, sizeof error->node, "%s", rm_node_id(node));
    if (!error->has_item && seq >= 0 && seq < RM_SEQ_END) {
        error->has_item = true;
        error->item = seq;
    }
}

int rmi_stop_with(rm_pipeline *pipeline, const rm_node *node, rm_error *error, int rc)
{
    rm_error unsaid = {0};
    if (error == NULL || error->code == RM_OK) {
        (void)rm_error_set(&unsaid, rc, "%s", rc == RM_E_OUT_OF_MEMORY ? "out of memory" : rm_code_name(rc));
        error = &unsaid;
    }
    place_error(error, node, -1);
    rm_error_move(&pipeline->error, error);
    pipeline->failed = rc;
    pipeline->stopped = true;
    return rc;
}

/* ---- The provisional failure */

/* Finds the first failure that there is, by item, then by rank; the input's comes before any node's at the
 * same item. */
static void find_first(rm_pipeline *p)
{
    p->failing = NULL;
    p->limit = p->input_code != RM_OK ? p->input_seq - 1 : RMI_FOREVER;
    for (uint32_t i = 0; i < p->node_count; i++) {
        rm_node *node = &p->nodes[i];
        if (node->failure.error == NULL || node->failure.seq > p->limit ||
            (p->failing != NULL && node->failure.seq == p->limit))
            continue;
        p->failing = node;
        p->limit = node->failure.seq;
    }
    rmi_all_ready(p); /* the limit has moved: other items wait */
}

void rmi_failure_free(rm_node *node)
{
    if (node->failure.error == NULL)
        return;
    rm_error_clear(node->failure.error);
    rmi_free(node->pipeline->allocator, node->failure.error, sizeof *node->failure.error);
    node->failure.error = NULL;
}

/* The failure does not count: the next one does, if there is one. A stream that was broken off for it cannot
 * go on. */
static void find_next(rm_pipeline *p)
{
    rm_error error = {0};
    find_first(p);
    for (uint32_t i = 0; i < p->node_count; i++)
        if (p->nodes[i].stream.given_up && !p->stopped) {
            (void)rm_error_set(&error, RM_E_UNSUPPORTED,
                               "its stream was broken off for a failure that does not count after all");
            rm_error_hint(&error, "an asynchronous node waits for its stream without that");
            (void)rmi_stop_with(p, &p->nodes[i], &error, RM_E_UNSUPPORTED);
        }
}

void rmi_failure_void(rm_node *node)
{
    if (node->failure.error == NULL || node->failure.seq < node->out.close_seq || node->pipeline->stopped)
        return;
    rmi_failure_free(node);
    find_next(node->pipeline);
}

void rmi_input_failure_void(rm_pipeline *p)
{
    rm_error_clear(&p->error);
    p->input_code = RM_OK;
    p->finished = true;
    find_next(p);
}

int rmi_input_failed(rm_pipeline *p, int64_t seq, int rc)
{
    rm_error error = {0};
    rm_error_move(&error, &p->scratch);
    if (rc == RM_E_OUT_OF_MEMORY || rc == RM_E_CANCELLED || rc == RM_E_INTERNAL || rc == RM_E_TIMEOUT)
        return rmi_stop_with(p, NULL, &error, rc);
    rm_error_move(&p->error, &error);
    p->input_code = rc;
    p->input_seq = seq;
    find_first(p);
    return RM_OK;
}

static int fail(rm_node *node, int64_t seq, rm_error *error, int rc)
{
    rm_pipeline *p = node->pipeline;
    node->failure.error = rmi_alloc_zeroed(p->allocator, sizeof *node->failure.error);
    if (node->failure.error == NULL) {
        rm_error_clear(error);
        return rmi_stop_with(p, node, NULL, RM_E_OUT_OF_MEMORY);
    }
    place_error(error, node, seq);
    rm_error_move(node->failure.error, error);
    node->failure.code = rc;
    node->failure.seq = seq;
    rmi_close_inputs(node, seq);
    find_first(p);
    return RM_OK;
}

int rmi_failure_conclude(rm_pipeline *p)
{
    rm_node *node = p->failing;
    if (node != NULL)
        rm_error_move(&p->error, node->failure.error);
    p->failed = node != NULL ? node->failure.code : p->input_code;
    p->stopped = true;
    return p->failed;
}

/* ---- Policies */

static int collect(rm_node *node, int64_t seq, rm_error *error)
{
    rm_pipeline *p = node->pipeline;
    rm_value document = rm_null();
    void *block = p->failures;
    place_error(error, node, seq);
    int rc = rm_error_to_value(p->allocator, error, &document, NULL);
    if (rc == RM_OK)
        rc = rmi_grow(p->allocator, &block, &p->failure_capacity, p->failure_count + 1, sizeof(rmi_failure),
                      NULL);
    p->failures = block;
    rm_error_clear(error);
    if (rc != RM_OK) {
        rm_value_clear(&document);
        return rmi_stop_with(p, node, NULL, rc);
    }
    p->failures[p->failure_count++] = (rmi_failure){.seq = seq, .rank = node->rank, .document = document};
    return RM_OK;
}

static int skip(rm_node *node, rm_error *error)
{
    rm_runtime_log(node->pipeline->runtime, RM_LOG_WARNING, rm_node_id(node), "skipped an item: %s",
                   error->message);
    rm_error_clear(error);
    node->counters.dropped++;
    return RM_OK;
}

/* Not the item's fault: no policy applies. */
static bool ends_the_run(int rc)
{
    return rc == RM_E_OUT_OF_MEMORY || rc == RM_E_CANCELLED || rc == RM_E_INTERNAL;
}

static int end_the_run(rm_node *node, int64_t seq, rm_error *error, int rc)
{
    rm_pipeline *p = node->pipeline;
    if (rc == RM_E_CANCELLED && rmi_check_stop(p) != RM_OK) { /* the run's error names the cause */
        place_error(&p->error, node, seq);
        rm_error_clear(error);
        return p->failed;
    }
    place_error(error, node, seq);
    return rmi_stop_with(p, node, error, rc);
}

int rmi_item_failed(rm_node *node, int64_t seq, rm_error *error, int rc)
{
    rm_pipeline *p = node->pipeline;
    const rmi_on_error policy = node->graph->source->on_error;
    const bool counts = !p->stopped && node->failure.error == NULL &&
                        !(node->out.unwanted && seq >= node->out.close_seq && !ends_the_run(rc));
    if (!counts) { /* the run has ended, the node has failed, or nobody wants the item */
        if (!p->stopped && seq >= RM_SEQ_END)
            rm_runtime_log(p->runtime, RM_LOG_WARNING, rm_node_id(node), "failed at its end: %s",
                           error->message);
        rm_error_clear(error);
        return p->stopped ? p->failed : RM_OK;
    }
    if (ends_the_run(rc))
        return end_the_run(node, seq, error, rc);
    node->counters.failed++;
    if (policy == RMI_ON_ERROR_COLLECT)
        return collect(node, seq, error);
    return policy == RMI_ON_ERROR_SKIP ? skip(node, error) : fail(node, seq, error, rc);
}
