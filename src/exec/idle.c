/* What a run does when no node is ready: it takes input, waits for what goes on outside the scheduler,
 * reports a failure, flushes the next node, or ends. */
#include "exec/pipeline.h"

/* ---- Looking */

bool rmi_look(rm_pipeline *p)
{
    bool any = false;
    rmi_reason why;
    (void)atomic_exchange(&p->any_woken, false);
    if (p->has_special)
        p->now = rmi_platform_now();
    for (uint32_t i = 0; i < p->node_count; i++) {
        rm_node *node = &p->nodes[i];
        if (!node->poll.on)
            atomic_store_explicit(&node->poll.woken, false,
                                  memory_order_relaxed); /* too late: nothing is pending */
        const rmi_work work = rmi_node_work(node, &why);
        if (work == RMI_WAIT && why == RMI_FOR_ROOM)
            rmi_block(node);
        if (work == RMI_WAIT || work == RMI_STREAM_LATER)
            continue;
        rmi_ready(node);
        any = true;
    }
    return any;
}

/* A streaming node that may wait in a pull begins when no other node can do anything, the last one in order
 * first: nodes before it can go on while it waits, but not the other way round. When RMI_MAX_PULLS nodes wait
 * in pulls, a further node goes on only when its input is there or has ended. */
static bool begin_a_pull(rm_pipeline *p)
{
    rmi_reason why;
    for (uint32_t i = p->node_count; p->stream_count > 1 && p->pulls < RMI_MAX_PULLS && i-- > 0;)
        if (rmi_node_work(&p->nodes[i], &why) == RMI_STREAM_LATER) {
            p->nodes[i].stream.begin = true;
            rmi_ready(&p->nodes[i]);
            return true;
        }
    return false;
}

/* The pending work of one node may wait for something that another node did (set an asyncio.Event, say), and
 * nothing else reports that. */
static bool poll_after_work(rm_pipeline *p)
{
    bool any = false;
    for (uint32_t i = 0; p->worked && i < p->node_count; i++) {
        rm_node *node = &p->nodes[i];
        if (!node->poll.on || node->call.busy || node->type->poll == NULL || rmi_output_room(node) == 0)
            continue;
        node->poll.due = any = true;
        rmi_ready(node);
    }
    p->worked = false;
    return any;
}

static bool any_waits_for_outside(const rm_pipeline *p)
{
    rmi_reason why;
    for (uint32_t i = 0; i < p->node_count; i++)
        if (rmi_node_work(&p->nodes[i], &why) == RMI_WAIT && why == RMI_FOR_OUTSIDE)
            return true;
    return false;
}

/* ---- Input */

static bool is_parked(const rm_node *node)
{
    return node->stream.below || (node->call.busy && node != node->pipeline->puller);
}

bool rmi_wants_input(const rm_pipeline *p)
{
    if (p->input == NULL || p->finished || p->stopped || p->input_code != RM_OK)
        return false;
    for (uint32_t i = 0; i < p->feed_count; i++) {
        const rmi_link *feed = p->feeds[i];
        if (feed->queue.count > 0 && !is_parked(feed->to) && rmi_queue_first(&feed->queue)->seq <= p->limit)
            return false;
    }
    return rmi_source_input_open(p, p->limit);
}

/* ---- The end */

/* A guard against defects, so that no item is lost without a word: a node that is flushed may have no packets
 * left. */
static int check_empty(rm_pipeline *p, const rm_node *node)
{
    char waits[384];
    size_t waiting = node->merge.queue.count + node->flight.count;
    for (uint32_t k = 0; k < node->in.count; k++)
        waiting += node->in.links[k]->queue.count;
    if (waiting == 0 || node->in.closed)
        return RM_OK;
    rmi_describe_waits(p, waits, sizeof waits);
    (void)rm_error_set(&p->scratch, RM_E_INTERNAL, "%zu packets of '%s' were never finished: %s", waiting,
                       rm_node_id(node), waits);
    return rmi_stop_with(p, node, &p->scratch, RM_E_INTERNAL);
}

/* Returns the node that is flushed next: the first one in order, unless that waits in a pull below another
 * one, which must go on first. NULL: the next flush has to wait for the call that the run is nested in. */
static rm_node *next_to_flush(const rm_pipeline *p)
{
    for (uint32_t rank = p->flush_rank; rank < p->node_count; rank++) {
        rm_node *node = &p->nodes[rank];
        const bool parked = node->call.busy && node != p->puller;
        if (!parked && !node->flushed && !node->stream.below)
            return node->call.busy && node->stream.ended ? NULL : node;
        if (p->pulls < 2 && parked)
            return NULL;
    }
    return NULL;
}

/* Ends the node's stream, or flushes the node. RM_OK: there may be something to do now; RM_MORE: there is
 * not. */
static int flush_one(rm_pipeline *p, rm_node *node)
{
    if (node->type->stream != NULL && !node->stream.ended && !node->in.closed) {
        node->stream.ended = true;
        rmi_ready(node);
        return RM_OK; /* a pull in progress returns RM_DONE now */
    }
    int rc = check_empty(p, node);
    if (rc == RM_OK)
        rc = rmi_flush_turn(node);
    if (rc == RM_MORE)
        return RM_OK;
    if (rc != RM_OK)
        return rc;
    node->flushed = true;
    while (p->flush_rank < p->node_count && p->nodes[p->flush_rank].flushed)
        p->flush_rank++;
    rc = p->tracked ? rmi_raise_bounds(node) : RM_OK;
    return rc == RM_OK ? RM_MORE : rc;
}

static bool any_ready(const rm_pipeline *p)
{
    for (uint32_t word = 0; word < p->ready_words; word++)
        if (p->ready[word] != 0)
            return true;
    return false;
}

/* Whether the next node may be flushed: always without a failure; with a failure at the end, up to its
 * place. */
static bool flush_rank_allowed(const rm_pipeline *p)
{
    return p->limit == RMI_FOREVER ||
           (p->flush_rank < p->node_count && RM_SEQ_END + p->flush_rank <= p->limit);
}

/* Flushes the nodes in topological order; the packets of one flush are processed before the next. */
static int flush_next(rm_pipeline *p)
{
    int rc = RM_MORE;
    while (rc == RM_MORE && p->flush_rank < p->node_count && flush_rank_allowed(p)) {
        rm_node *node = next_to_flush(p);
        if (node == NULL)
            return RM_AGAIN;
        rc = flush_one(p, node);
        if (rc == RM_MORE && (any_ready(p) || p->limit != RMI_FOREVER || p->blocked_count > 0))
            return RM_OK;
    }
    if (rc != RM_MORE)
        return rc;
    return p->pulls > 0 ? RM_AGAIN : RM_DONE;
}

/* A failure stands, and a node that waits in a pull gets nothing before the outcome. So the nodes below it
 * may finish with what they have. */
static bool let_those_below_finish(rm_pipeline *p)
{
    bool any = false;
    rmi_reason why;
    for (uint32_t i = 0; i < p->node_count; i++) {
        rm_node *node = &p->nodes[i];
        if (!node->stream.below || node->call.busy)
            continue;
        node->stream.below = false;
        const rmi_work work = rmi_node_work(node, &why);
        node->stream.begin |= work == RMI_STREAM_LATER;
        any |= work != RMI_WAIT || why == RMI_FOR_ROOM; /* overshoot.c gives it room then */
        rmi_ready(node);
    }
    return any;
}

/* The innermost node waits in its pull for the outcome of the failure. The outcome waits for a node in an
 * outer pull, which goes on only when the innermost pull has returned. So the code of the innermost node is
 * broken off. */
static bool give_up_the_top(rm_pipeline *p)
{
    for (uint32_t i = 0; p->pulls > 1 && i < p->node_count; i++) {
        const rm_node *node = &p->nodes[i];
        if (node != p->puller && node->stream.waits && rmi_stream_waits(node)) {
            p->puller->stream.given_up = true;
            return true;
        }
    }
    return false;
}

/* ---- Idle */

/* Whether somebody outside takes results when the step ends for that. */
static bool results_are_taken(const rm_pipeline *p)
{
    return p->blocked_count > 0 && (p->pulls == 0 || p->wait != NULL) && rmi_results_deliverable(p);
}

int rmi_idle(rm_pipeline *p)
{
    if (p->has_special && rmi_look(p))
        return RM_OK;
    p->results_taken = false;
    p->results_wanted = results_are_taken(p);
    if (p->results_wanted)
        return RM_AGAIN;
    const int fed = rmi_wants_input(p) ? rmi_take_input(p) : RM_AGAIN;
    if (fed != RM_AGAIN)
        return fed;
    if (!p->has_special && p->blocked_count == 0 && p->limit == RMI_FOREVER &&
        rmi_source_input_open(p, p->limit))
        return RM_AGAIN; /* marks are exact without special nodes: the rest would find nothing */
    if (p->has_special && (begin_a_pull(p) || poll_after_work(p)))
        return RM_OK;
    if (p->has_special && any_waits_for_outside(p))
        return RM_PENDING;
    if (rmi_look(p) || rmi_overshoot(p)) /* rmi_look finds something only if a mark was missed */
        return RM_OK;
    if (p->input_code != RM_OK && !rmi_source_input_open(p, RMI_FOREVER))
        rmi_input_failure_void(p);
    const bool feeds_wait = p->limit != RMI_FOREVER && p->push_refused; /* full behind the failure */
    if (p->input_code == RM_OK && rmi_source_input_open(p, p->limit) && !feeds_wait)
        return RM_AGAIN;
    if (p->limit != RMI_FOREVER && p->pulls > 0 && let_those_below_finish(p))
        return RM_OK;
    if (flush_rank_allowed(p))
        return flush_next(p);
    return give_up_the_top(p) ? RM_OK : rmi_failure_conclude(p);
}
