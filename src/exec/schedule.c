/* Which node is next. Ready nodes take their turns in topological order, round and round, each with all
 * that waits for it up to a run of packets; so a lone item walks through the whole graph in one round, and
 * a busy graph pays for scheduling once a run. When no node is ready, the run wants input, waits, flushes
 * the next node, or is done. */
#include "exec/pipeline.h"

enum { TURNS_A_STEP = 256 };

/* The first ready rank from the cursor on, then from the start. */
static inline bool next_ready(rm_pipeline *p, uint32_t *rank)
{
    uint32_t word = p->cursor >> 6;
    uint64_t bits = word < p->ready_words ? p->ready[word] & ~(uint64_t)0 << (p->cursor & 63) : 0;
    for (uint32_t looked = 0; bits == 0; looked++) {
        if (looked > p->ready_words)
            return false;
        word = word + 1 < p->ready_words ? word + 1 : 0;
        bits = p->ready[word];
    }
    *rank = word * 64 + (uint32_t)__builtin_ctzll(bits);
    return true;
}

static bool any_ready(const rm_pipeline *p)
{
    for (uint32_t word = 0; word < p->ready_words; word++)
        if (p->ready[word] != 0)
            return true;
    return false;
}

/* Marks pending nodes that are due; whether any is. */
static bool poll_due(rm_pipeline *p)
{
    bool due = false;
    const bool woken = atomic_exchange(&p->any_woken, false);
    int64_t now = 0;
    for (uint32_t i = 0; i < p->node_count; i++) {
        rm_node *node = &p->nodes[i];
        if (node->plain || node->busy)
            continue;
        const int64_t deadline = rmi_pending_deadline(node);
        if (deadline != RMI_FOREVER && now == 0)
            now = rmi_platform_now();
        if (node->poll_due || (woken && atomic_exchange(&node->woken, false)) ||
            (deadline != RMI_FOREVER && deadline <= now)) {
            node->poll_due = true;
            due = true;
            rmi_ready(node);
        }
    }
    return due;
}

/* What a node did may be what another one's pending work waits for (an asyncio.Event, say), and nothing else tells. */
static bool poll_after_work(rm_pipeline *p)
{
    bool any = false;
    for (uint32_t i = 0; p->worked && i < p->node_count; i++) {
        rm_node *node = &p->nodes[i];
        if (!node->polling || node->busy || node->type->poll == NULL)
            continue;
        node->poll_due = any = true;
        rmi_ready(node);
    }
    p->worked = false;
    return any;
}

static bool any_pending(const rm_pipeline *p)
{
    for (uint32_t i = 0; i < p->node_count; i++)
        if (!p->nodes[i].plain && !p->nodes[i].busy && rmi_is_pending(&p->nodes[i]))
            return true;
    return false;
}

/* A full output holds `node` up only because a merge waits for another input: letting it overshoot is the
 * way out. */
static bool held_by_merges(const rm_node *node)
{
    const rm_pipeline *p = node->pipeline;
    for (uint32_t port = 0; port < node->output_ports; port++)
        for (uint32_t i = 0; i < node->outputs[port].count; i++) {
            const rmi_link *link = node->outputs[port].links[i];
            const bool full = link->queue.count >= link->limit || link->queue.units >= link->unit_limit;
            if (!link->closed && full && p->reentry == 0 && (link->to->input_count < 2 || link->to->blocked))
                return false;
        }
    return true;
}

static bool overshoot(rm_pipeline *p)
{
    for (uint32_t i = 0; i < p->node_count; i++) {
        rm_node *node = &p->nodes[i];
        if (!node->blocked || node->busy || !held_by_merges(node))
            continue;
        rmi_unblock(node);
        node->overshoot = true;
        rmi_ready(node);
        return true;
    }
    return false;
}

/* Nothing may be left when a node is flushed: a guard against defects, so that no item is lost without a word. */
static int check_empty(rm_pipeline *p, const rm_node *node)
{
    size_t waiting = node->merged.count + node->flight_count;
    for (uint32_t k = 0; k < node->input_count; k++)
        waiting += node->inputs[k]->queue.count;
    if (waiting == 0 || node->closed)
        return RM_OK;
    (void)rm_error_set(&p->scratch, RM_E_INTERNAL, "%zu packets of '%s' (%s) were never finished", waiting,
                       rm_node_id(node), node->type->name);
    return rmi_stop_with(p, node, &p->scratch, RM_E_INTERNAL);
}

/* One node of the end: the stream's end and the flush, in topological order, each delivered before the
 * next. */
static int flush_next(rm_pipeline *p)
{
    int rc = RM_OK;
    while (rc == RM_OK && p->flush_rank < p->node_count) {
        rm_node *node = &p->nodes[p->flush_rank];
        if (node->type->stream != NULL && !node->ended && !node->closed) {
            node->ended = true;
            if (node->busy)
                return RM_OK; /* it is pulling: it learns now that there is no more */
            node->poll_due = node->polling;
            rmi_ready(node);
            return RM_OK;
        }
        if (node->busy)
            return RM_AGAIN;
        rc = check_empty(p, node);
        if (rc == RM_OK)
            rc = rmi_call_flush(node);
        if (rc == RM_MORE)
            return RM_OK;
        if (rc < 0)
            return rc;
        node->flushed = true;
        p->flush_rank++;
        rc = p->tracked ? rmi_raise_bounds(node) : RM_OK;
        if (rc == RM_OK && any_ready(p))
            return RM_OK;
    }
    if (rc != RM_OK)
        return rc;
    return p->reentry > 0 ? RM_AGAIN : RM_DONE;
}

/* Takes input items where there are any; RM_AGAIN when there are none now. */
static int feed(rm_pipeline *p)
{
    const int rc = rmi_feed_pull(p);
    return rc == RM_DONE ? rm_pipeline_finish(p, NULL) : rc;
}

/* Whether more input is wanted: what there was has been taken, but by stream nodes that stand back, and after a
 * failure some source has not come to the failed item yet. */
static bool wants_input(const rm_pipeline *p)
{
    bool before_failure = !p->failed;
    if (p->input == NULL || p->finished || p->stopped)
        return false;
    for (uint32_t i = 0; i < p->feed_count; i++) {
        const rmi_link *feed = p->feeds[i];
        if (feed->queue.count > 0 && !(p->reentry > 0 && feed->to->rank > p->pull_rank))
            return false;
        before_failure |= !feed->closed && !feed->to->generating && feed->bound <= p->failed_seq;
    }
    return before_failure;
}

static int idle(rm_pipeline *p)
{
    if (p->blocked_count > 0 && p->reentry == 0 && rmi_results_deliverable(p))
        return RM_AGAIN;
    if (p->has_special && poll_due(p))
        return RM_OK;
    const int fed = wants_input(p) ? feed(p) : RM_AGAIN;
    if (fed != RM_AGAIN)
        return fed;
    if (p->has_special && poll_after_work(p))
        return RM_OK;
    if (p->has_special && any_pending(p))
        return RM_PENDING;
    if (p->blocked_count > 0 && overshoot(p))
        return RM_OK;
    if (p->failed)
        return p->failed;
    if (rmi_feed_open(p))
        return RM_AGAIN;
    return flush_next(p);
}

int rmi_turn(rm_pipeline *p)
{
    uint32_t rank = 0;
    int rc = rmi_check_stop(p);
    if (rc != RM_OK)
        return rc;
    if (!next_ready(p, &rank)) {
        rc = idle(p);
        return p->stopped ? p->failed : rc;
    }
    p->ready[rank >> 6] &= ~((uint64_t)1 << (rank & 63));
    p->cursor = rank + 1;
    rc = rmi_node_turn(&p->nodes[rank]);
    if (rc < 0 && !p->failed)
        (void)rmi_stop_with(p, &p->nodes[rank], &p->scratch, rc);
    return p->stopped ? p->failed : RM_OK;
}

void rm_pipeline_wait(rm_pipeline *p, const int *descriptors, size_t count)
{
    enum { MOST = 32, MOST_GIVEN = 16 };
    int watched[MOST];
    size_t watching = 0;
    int64_t deadline = p->deadline;
    while (watching < count && watching < MOST_GIVEN) {
        watched[watching] = descriptors[watching];
        watching++;
    }
    for (uint32_t i = 0; i < p->node_count; i++) {
        const rm_node *node = &p->nodes[i];
        if (node->plain || node->busy)
            continue;
        if (rmi_pending_deadline(node) < deadline)
            deadline = rmi_pending_deadline(node);
        if (node->polling && node->wait.descriptor >= 0 && watching < MOST)
            watched[watching++] = node->wait.descriptor;
    }
    rmi_wake *wake = rmi_deadline_wake(p);
    if (wake == NULL || !rmi_wake_wait(wake, watched, watching, deadline))
        return;
    for (uint32_t i = 0; i < p->node_count; i++) /* which one, its poll finds out */
        p->nodes[i].poll_due |= p->nodes[i].polling;
}

int64_t rm_pipeline_next_deadline(const rm_pipeline *pipeline)
{
    int64_t deadline = pipeline->deadline;
    for (uint32_t i = 0; i < pipeline->node_count; i++)
        if (!pipeline->nodes[i].plain && rmi_pending_deadline(&pipeline->nodes[i]) < deadline)
            deadline = rmi_pending_deadline(&pipeline->nodes[i]);
    return deadline;
}

static int end(rm_pipeline *p, int rc, rm_error *err)
{
    if (!p->closed) {
        const int closing = rmi_close_all(p);
        if (rc == RM_DONE && closing != RM_OK)
            rc = closing;
    }
    p->done = true;
    if (rc < 0 && err != NULL)
        rm_error_move(err, &p->error);
    return rc;
}

int rm_run_step(rm_pipeline *p, rm_error *err)
{
    int rc = RM_OK;
    if (p->done)
        return p->failed ? rm_error_set(err, RM_E_USAGE, "the run has failed already") : RM_DONE;
    if (p->has_special)
        (void)poll_due(p);
    if (p->has_special && wants_input(p))
        rc = feed(p); /* a generating source may leave no idle moment for it */
    for (int turns = 0; (rc == RM_OK || (rc == RM_AGAIN && turns == 0)) && turns < TURNS_A_STEP && !p->pause;
         turns++)
        rc = rmi_turn(p);
    p->pause = false;
    if (rc == RM_PENDING && p->may_block) {
        rm_pipeline_wait(p, NULL, 0);
        rc = RM_OK;
    }
    return rc < 0 || rc == RM_DONE ? end(p, rc, err) : rc;
}
