/* When an item fails: what on_error says, and where the run ends.
 *
 * A run that fails at item k must leave the same outputs whatever the batches were. So items up to k are
 * still processed everywhere but at the node that failed, which sees only those before k; later items are
 * dropped; and a failure that turns up on the way at an earlier place takes the first one's place. */
#include <stdio.h>

#include "base/alloc.h"
#include "exec/pipeline.h"

static void place_error(rm_error *error, const rm_node *node, int64_t seq)
{
    if (error->node[0] == '\0' && node != NULL)
        (void)snprintf(error->node, sizeof error->node, "%s", rm_node_id(node));
    if (!error->has_item && seq >= 0 && seq < RM_SEQ_END) {
        error->has_item = true;
        error->item = seq;
    }
}

bool rmi_is_before_failure(const rm_node *node, int64_t seq)
{
    const rm_pipeline *p = node->pipeline;
    if (!p->failed)
        return true;
    return !p->stopped && (seq < p->failed_seq || (seq == p->failed_seq && node->rank != p->failed_rank));
}

size_t rmi_before_failure(const rm_node *node, const rm_packet *packets, size_t n)
{
    size_t i = 0;
    while (i < n && rmi_is_before_failure(node, packets[i].seq))
        i++;
    return i;
}

int rmi_stop_with(rm_pipeline *pipeline, const rm_node *node, rm_error *error, int rc)
{
    rm_error out_of_memory = {0};
    if (error == NULL || error->code == RM_OK) {
        (void)rm_error_set(&out_of_memory, rc, "%s",
                           rc == RM_E_OUT_OF_MEMORY ? "out of memory" : rm_code_name(rc));
        error = &out_of_memory;
    }
    place_error(error, node, -1);
    rm_error_move(&pipeline->error, error);
    pipeline->failed = rc;
    pipeline->stopped = true;
    return rc;
}

static void fail(rm_node *node, int64_t seq, rm_error *error, int rc)
{
    rm_pipeline *p = node->pipeline;
    place_error(error, node, seq);
    rm_error_move(&p->error, error);
    p->failed = rc;
    p->failed_seq = seq;
    p->failed_rank = node->rank;
    for (uint32_t i = 0; i < p->node_count; i++) /* those after it forget what waits; all look again */
        rmi_ready(&p->nodes[i]);
}

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

/* Not the item's fault: no policy applies. */
static bool ends_the_run(int rc)
{
    return rc == RM_E_OUT_OF_MEMORY || rc == RM_E_CANCELLED || rc == RM_E_INTERNAL;
}

int rmi_item_failed(rm_node *node, int64_t seq, rm_error *error, int rc)
{
    rm_pipeline *p = node->pipeline;
    const rmi_on_error policy = node->graph->source->on_error;
    if (p->stopped || (p->failed && rc == RM_E_CANCELLED)) { /* told already */
        rm_error_clear(error);
        return p->stopped ? p->failed : RM_OK;
    }
    if (ends_the_run(rc)) {
        if (rc == RM_E_CANCELLED && rmi_check_stop(p) != RM_OK) { /* says why: timeout or cancel */
            place_error(&p->error, node, seq);
            rm_error_clear(error);
            return p->failed;
        }
        place_error(error, node, seq);
        return rmi_stop_with(p, node, error, rc);
    }
    if (p->failed && (seq > p->failed_seq || (seq == p->failed_seq && node->rank >= p->failed_rank))) {
        rm_error_clear(error); /* the one that is known comes first */
        return RM_OK;
    }
    node->counters.failed++;
    if (policy == RMI_ON_ERROR_COLLECT)
        return collect(node, seq, error);
    if (policy == RMI_ON_ERROR_SKIP) {
        rm_runtime_log(p->runtime, RM_LOG_WARNING, rm_node_id(node), "skipped an item: %s", error->message);
        rm_error_clear(error);
        node->counters.dropped++;
        return RM_OK;
    }
    fail(node, seq, error, rc);
    return RM_OK;
}
