/* One turn of one node: does what state.c has decided. */
#include "exec/pipeline.h"

static size_t same_port(const rmi_queue *queue, size_t n)
{
    const rm_packet *packets = rmi_queue_first(queue);
    size_t same = 1;
    while (same < n && packets[same].reserved == packets[0].reserved)
        same++;
    return same;
}

static size_t up_to_limit(const rm_pipeline *p, const rmi_queue *queue, size_t n)
{
    size_t i = 0;
    while (i < n && rmi_queue_first(queue)[i].seq <= p->limit)
        i++;
    return i;
}

/* ---- What a call of a plain node returned */

/* Handles return codes other than failures. A code that the node may not return would lose the packet: it is
 * a failure. */
static int heed(rm_node *node, int64_t seq, int rc)
{
    rm_pipeline *p = node->pipeline;
    if (rc == RM_MORE && node->type->more != NULL) {
        node->more = true;
        rmi_ready(node);
    } else if (rc == RM_DONE)
        rmi_close_inputs(node, seq);
    else if (rc != RM_OK) {
        const char *format = "%s answered %d, which process may not";
        if (rc == RM_PENDING)
            format = "%s answered RM_PENDING (%d), but has no poll";
        if (rc == RM_MORE)
            format = "%s answered RM_MORE (%d), but has no more";
        rc = rm_error_set(&p->scratch, RM_E_INTERNAL, format, node->type->name, rc);
        return rmi_item_failed(node, seq, &p->scratch, rc);
    }
    return RM_OK;
}

/* Accounts for a call with `n` packets of `queue` that held `units`. */
static int settle(rm_node *node, rmi_queue *queue, size_t n, size_t units, size_t done, int rc)
{
    const rm_packet *batch = rmi_queue_first(queue);
    RMI_CHECK(n > 0 && n <= queue->count);
    const int64_t failed_seq = batch[done < n ? done : n - 1].seq;
    const int64_t last_seq = batch[done > 0 ? done - 1 : 0].seq;
    if (rc < 0 && done < n)
        done++; /* the node has consumed the failed packet too */
    if (rc == RM_MORE)
        node->current.seq = last_seq;
    node->counters.in += done;
    rmi_queue_drop(queue, done, n, units);
    return rc < 0 ? rmi_item_failed(node, failed_seq, &node->pipeline->scratch, rc)
                  : heed(node, last_seq, rc);
}

/* ---- Taking packets */

static int take_one_by_one(rm_node *node, rmi_queue *queue, uint32_t port, size_t n)
{
    int rc = RM_OK;
    for (size_t i = 0; rc == RM_OK && i < n && !node->more && !node->in.closed; i++) {
        if (i > 0 && rmi_output_room(node) == 0)
            break;
        size_t done = 0;
        rm_packet packet;
        rmi_queue_take(queue, &packet);
        node->counters.in++;
        rmi_set_current(node, &packet);
        const int64_t seq = packet.seq;
        rc = rmi_call_process(node, port, &packet, 1, &done);
        rc = rc < 0 ? rmi_item_failed(node, seq, &node->pipeline->scratch, rc) : heed(node, seq, rc);
    }
    return rc;
}

static int take_batch(rm_node *node, rmi_queue *queue, uint32_t port, size_t n)
{
    const size_t units = rmi_queue_units(queue, n);
    size_t done = 0;
    rmi_set_current(node, rmi_queue_first(queue));
    const int rc = rmi_call_process(node, port, rmi_queue_first(queue), n, &done);
    return settle(node, queue, n, units, done, rc);
}

/* The node cannot be given the first packet: it fails with `rc`. */
static int refuse_first(rm_node *node, rmi_queue *queue, int rc)
{
    rm_packet refused;
    if (!node->plain)
        return rmi_flight_refuse(node, queue, rc);
    rmi_queue_take(queue, &refused);
    node->counters.in++;
    rc = rmi_item_failed(node, refused.seq, &node->pipeline->scratch, rc);
    rm_packet_clear(&refused);
    return rc;
}

/* A call each. What they have made pending is polled after them. */
static int take_flights(rm_node *node, rmi_queue *queue, uint32_t port, size_t n)
{
    const rm_pipeline *p = node->pipeline;
    int rc = rmi_flight_process(node, queue, port);
    for (size_t i = 1; rc == RM_OK && i < n && queue->count > 0 && !p->pause; i++) {
        if (!rmi_flight_room(node) || node->in.closed || node->out.unwanted || node->failure.error != NULL ||
            rmi_output_room(node) == 0 || rmi_queue_first(queue)->seq > p->limit)
            break;
        rc = rmi_flight_process(node, queue, port);
    }
    return rc;
}

/* Calls the node with packets of `queue`, where at least one waits; the node has room for one. */
static int take_from(rm_node *node, rmi_queue *queue, uint32_t port)
{
    RMI_CHECK(queue->count > 0 && !node->call.busy);
    const size_t room = queue->count > 1 ? rmi_output_room(node) : 1;
    size_t n = queue->count < room ? queue->count : room;
    int rc = RM_OK;
    n = n < node->call.batch ? n : node->call.batch;
    if (queue == &node->merge.queue)
        n = same_port(queue, n);
    if (node->pipeline->limit != RMI_FOREVER)
        n = up_to_limit(node->pipeline, queue, n);
    if (n > 0 && node->probed) {
        bool taken = false;
        rc = rmi_probe_input(node, queue, port, &taken);
        if (taken)
            return rc;
        n = 1;
    }
    if (n > 0 && !node->takes_any) {
        n = rmi_acceptable(node, rmi_queue_first(queue), port, n, &rc);
        if (n == 0)
            return refuse_first(node, queue, rc);
    }
    if (n == 0)
        return RM_OK;
    if (!node->plain)
        return take_flights(node, queue, port, n);
    return node->type->process_many != NULL ? take_batch(node, queue, port, n)
                                            : take_one_by_one(node, queue, port, n);
}

static int process_turn(rm_node *node)
{
    int rc = RM_OK;
    if (node->in.count == 1) {
        rmi_link *link = node->in.links[0];
        rc = take_from(node, &link->queue, link->port);
        rmi_drained(link);
        if (link->queue.count > 0)
            rmi_ready(node);
        return rc;
    }
    rc = rmi_merge(node);
    if (rc != RM_OK || node->merge.queue.count == 0)
        return rc;
    rmi_ready(node); /* until there is nothing to merge */
    return take_from(node, &node->merge.queue, rmi_queue_first(&node->merge.queue)->reserved);
}

/* The way of most packets: one input, one output, process_many, and no look at the packets. The queue and the
 * room alone decide whether the node can work, without state.c. */
static int lean_turn(rm_node *node)
{
    rm_pipeline *p = node->pipeline;
    rmi_link *in = node->in.links[0];
    RMI_CHECK(node->in.count == 1 && node->out.only != NULL && node->flight.count == 0);
    const size_t room = rmi_link_room(node->out.only, RMI_BATCH);
    size_t n = in->queue.count < room ? in->queue.count : room;
    n = n < node->call.batch ? n : node->call.batch;
    const size_t units = in->queue.units > 0 ? rmi_queue_units(&in->queue, n) : 0;
    size_t done = 0;
    if (n == 0) {
        if (room == 0)
            rmi_block(node);
        return RM_OK;
    }
    rm_packet *batch = rmi_queue_first(&in->queue);
    if (node->current.metadata == NULL && batch->metadata == NULL)
        node->current = (rmi_origin){batch->seq, batch->timestamp, batch->duration, NULL};
    else
        rmi_set_current(node, batch);
    const int64_t started = rmi_call_begin(node);
    int rc = node->type->process_many(node, node->state, in->port, batch, n, &done, &p->scratch);
    rc = rmi_call_end(node, started, rc);
    if (rc == RM_OK && done == in->queue.count && units == 0) {
        node->counters.in += n;
        in->queue.head = in->queue.count = 0;
    } else if (rc == RM_OK && done == 0)
        rc = settle(node, &in->queue, n, units, done, rmi_call_took_nothing(node));
    else
        rc = settle(node, &in->queue, n, units, done, rc);
    rmi_drained(in);
    if (in->queue.count > 0)
        rmi_ready(node);
    return rc;
}

/* ---- More, sources */

static int more_turn(rm_node *node)
{
    if (!node->plain)
        return rmi_flight_more(node);
    const int64_t seq = node->current.seq;
    node->more = false;
    rmi_ready(node); /* more packets may wait behind this one */
    const int rc = rmi_call_more(node);
    return rc < 0 ? rmi_item_failed(node, seq, &node->pipeline->scratch, rc) : heed(node, seq, rc);
}

/* Handles what generate returned. A failed item has a number too, so that the next item has its own. */
static int heed_generate(rm_node *node, int rc)
{
    rm_pipeline *p = node->pipeline;
    const int64_t seq = node->generate.next_seq;
    if (rc < 0) {
        node->generate.next_seq++;
        return rmi_item_failed(node, seq, &p->scratch, rc);
    }
    if (rc == RM_PENDING) {
        node->poll.on = true;
        node->poll.wait = (rm_wait){.deadline = RMI_FOREVER, .descriptor = -1};
        node->poll.due = node->type->poll != NULL;
    } else if (rc == RM_DONE)
        rmi_close_inputs(node, seq);
    return RM_OK;
}

static int generate_turn(rm_node *node)
{
    const rm_pipeline *p = node->pipeline;
    const size_t room = rmi_output_room(node);
    const size_t calls = node->type->flags & RM_NODE_LIVE ? 1 : room;
    int rc = RM_OK;
    rmi_set_seq(node, -1);
    for (size_t i = 0; i < calls && (rc == RM_OK || rc == RM_MORE); i++) {
        if (i > 0 && (node->generate.next_seq > p->limit || !node->generate.on || rmi_output_room(node) == 0))
            break;
        rc = rmi_call_generate(node);
    }
    rc = heed_generate(node, rc);
    rmi_ready(node);
    RMI_CHECK(node->in.links[0]->closed || node->in.links[0]->bound <= node->generate.next_seq);
    node->in.links[0]->bound = node->generate.on ? node->generate.next_seq : RMI_FOREVER;
    return rc;
}

/* ---- The end */

int rmi_flush_turn(rm_node *node)
{
    const int64_t seq = RM_SEQ_END + node->rank;
    RMI_CHECK(node->in.closed || rmi_next_seq(node) == RMI_FOREVER);
    RMI_CHECK(!node->pipeline->tracked || rmi_input_bound(node) == RMI_FOREVER);
    rmi_set_seq(node, seq);
    const int rc = rmi_call_flush(node);
    node->flushing = rc == RM_PENDING && node->type->poll != NULL;
    if (node->flushing) {
        node->poll.on = node->poll.due = true;
        node->poll.wait = (rm_wait){.deadline = RMI_FOREVER, .descriptor = -1};
        rmi_ready(node);
        return RM_MORE;
    }
    return rc < 0 ? rmi_item_failed(node, seq, &node->pipeline->scratch, rc) : rc;
}

/* ---- A turn */

static int do_work(rm_node *node, rmi_work work)
{
    switch (work) {
    case RMI_PROCESS:
        return process_turn(node);
    case RMI_GO_ON:
        return more_turn(node);
    case RMI_GENERATE:
        return generate_turn(node);
    case RMI_STREAM:
    case RMI_STREAM_LATER:
        return rmi_stream_turn(node, false);
    case RMI_END:
        return rmi_stream_turn(node, true);
    case RMI_POLL:
        return rmi_poll(node);
    case RMI_RETRY:
        return rmi_flight_retry(node);
    case RMI_EXPIRE:
        return rmi_flight_expire(node);
    case RMI_COMMIT:
        return rmi_flight_commit(node);
    case RMI_ABANDON:
        rmi_abandon(node);
        return RM_OK;
    case RMI_WAIT:
        break;
    }
    return RM_OK;
}

/* A guard against defects: only work marks nodes as ready, so many turns without work in between cannot
 * happen. */
static int turns_without_progress(rm_pipeline *p)
{
    char waits[400];
    rmi_describe_waits(p, waits, sizeof waits);
    return rm_error_set(&p->scratch, RM_E_INTERNAL, "the run makes no progress: %s", waits);
}

int rmi_node_turn(rm_node *node)
{
    rm_pipeline *p = node->pipeline;
    rmi_reason why;
    if (node->lean && !node->more && !node->in.closed && !node->out.overshoot && !node->call.busy &&
        p->limit == RMI_FOREVER)
        return lean_turn(node);
    const rmi_work work = rmi_node_work(node, &why);
    if (work == RMI_WAIT || (work == RMI_STREAM_LATER && !node->stream.begin)) {
        if (work == RMI_WAIT && why == RMI_FOR_ROOM)
            rmi_block(node);
        if (++p->idle_turns > 2 * p->node_count + 64)
            return turns_without_progress(p);
        const bool rests = !node->call.busy || node->stream.waits; /* in a pull a node emits nothing */
        return p->tracked && rests && why != RMI_FOR_ROOM && node->open ? rmi_raise_bounds(node) : RM_OK;
    }
    p->idle_turns = 0;
    node->stream.begin = false;
    int rc = do_work(node, work);
    node->out.overshoot = false;
    if (rc == RM_OK && p->tracked)
        rc = rmi_raise_bounds(node);
    return rc;
}
