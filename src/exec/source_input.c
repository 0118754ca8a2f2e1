/* Input items to the sources. */
#include "exec/pipeline.h"

#include <string.h>

#include "base/suggest.h"
#include "data/value.h"

bool rmi_takes_items(const rm_node *node)
{
    if (node->type->generate == NULL || node->type->ports == NULL)
        return node->type->generate == NULL || node->type->process != NULL ||
               node->type->process_many != NULL || node->type->stream != NULL;
    for (const rm_port *port = node->type->ports; port->name != NULL; port++)
        if (port->direction == RM_INPUT)
            return true;
    return false;
}

bool rmi_source_input_open(const rm_pipeline *p, int64_t limit)
{
    for (uint32_t i = 0; !p->finished && i < p->feed_count; i++) {
        const rmi_link *feed = p->feeds[i];
        if (!feed->closed && !feed->to->generate.on && feed->bound <= limit)
            return true;
    }
    return false;
}

static int find_feed(const rm_pipeline *p, const char *source, rmi_link **out, rm_error *err)
{
    rmi_suggestion near = rmi_suggest_for(source);
    for (uint32_t i = 0; i < p->feed_count; i++) {
        const char *id = rm_node_id(p->feeds[i]->to);
        if (strcmp(id, source) == 0) {
            *out = p->feeds[i];
            return RM_OK;
        }
        rmi_suggest_offer(&near, id);
    }
    return rm_error_set(
        err, RM_E_UNKNOWN_NODE, "input is addressed to '%s', which is not a source of this pipeline%s%s%s",
        source, near.best ? "; did you mean '" : "", near.best ? near.best : "", near.best ? "'?" : "");
}

static int check_takes_items(rm_node *node, rm_error *err)
{
    if (node->takes_items)
        return RM_OK;
    const int rc = rm_error_set(err, RM_E_VALUE, "node '%s' (%s) generates its own items and takes no input",
                                rm_node_id(node), node->type->name);
    rm_error_hint(
        err, "run it without input, or address the other sources singly: {\"input_data\": {\"id\": [...]}}");
    if (err != NULL)
        (void)strncat(err->node, rm_node_id(node), sizeof err->node - 1 - strlen(err->node));
    return rc;
}

/* Checks that the source takes items. A source that has not generated yet does not generate then. */
static int prepare(rmi_link *feed, rm_error *err)
{
    const int rc = check_takes_items(feed->to, err);
    if (rc == RM_OK && feed->to->generate.on && feed->to->generate.next_seq == 0) {
        feed->to->generate.on = false;
        feed->bound = 0;
    }
    return rc;
}

int rmi_source_input_address(rm_pipeline *p, const char *source, rm_error *err)
{
    rmi_link *feed = NULL;
    const int rc = find_feed(p, source, &feed, err);
    return feed != NULL ? prepare(feed, err) : rc;
}

/* Gives the packet the times, flags and metadata of another one. */
static void take_frame(rm_packet *packet, const rm_packet *like)
{
    const rm_value metadata = rm_value_retain(rm_packet_metadata(like));
    packet->timestamp = like->timestamp;
    packet->duration = like->duration;
    packet->flags = like->flags;
    packet->metadata = metadata.kind == RM_MAP ? metadata.heap : NULL;
}

/* On success the queue owns `item`. `like` has the times, flags and metadata; NULL: none. */
static int put(rm_pipeline *p, rmi_link *feed, rm_value item, const rm_packet *like, rm_error *err)
{
    rmi_queue *queue = &feed->queue;
    const int rc = rmi_queue_reserve(p->allocator, queue, 1);
    if (rc != RM_OK)
        return rm_error_set(err, rc, "out of memory");
    rmi_value_mark_branched(item); /* the same whether or not the caller has kept a reference */
    rm_packet *end = rmi_queue_first(queue) + queue->count++;
    *end = rm_packet_of(rm_null()); /* built in place: faster than copying a packet that was just written */
    end->value = item;
    if (like != NULL)
        take_frame(end, like);
    end->seq = feed->bound++;
    end->reserved = item.kind < RM_STRING ? 0 : rmi_queue_units_of(item);
    queue->units += end->reserved;
    rmi_ready(feed->to);
    return RM_OK;
}

/* Gives `item` to all of `feeds`: a copy to each, the item itself to the last. On RM_AGAIN and RM_DONE the
 * caller keeps the item. */
static int put_all(rm_pipeline *p, rmi_link **feeds, uint32_t count, rm_value item, const rm_packet *like,
                   bool limited, rm_error *err)
{
    rmi_link *last = NULL;
    int rc = RM_OK;
    for (uint32_t i = 0; rc == RM_OK && i < count; i++) {
        if (limited && !feeds[i]->closed && rmi_link_full(feeds[i])) {
            p->push_refused = true;
            return RM_AGAIN;
        }
        rc = prepare(feeds[i], err);
    }
    for (uint32_t i = 0; rc == RM_OK && i < count; i++) {
        rm_value copy = rm_null();
        if (feeds[i]->closed)
            continue;
        if (last != NULL && (rc = rm_value_for_branch(item, &copy, err)) == RM_OK &&
            (rc = put(p, last, copy, like, err)) != RM_OK)
            rm_value_clear(&copy);
        last = feeds[i];
    }
    if (rc == RM_OK && last == NULL)
        return RM_DONE;
    return rc == RM_OK ? put(p, last, item, like, err) : rc;
}

static int push(rm_pipeline *p, const char *source, rm_value item, const rm_packet *like, bool limited,
                rm_error *err)
{
    rmi_link *feed = NULL;
    if (source == NULL)
        return put_all(p, p->feeds, p->feed_count, item, like, limited, err);
    const int rc = find_feed(p, source, &feed, err);
    return feed != NULL ? put_all(p, &feed, 1, item, like, limited, err) : rc;
}

/* Returns the only source's feed when it has room and needs no further checks, else NULL. */
static rmi_link *simple_feed(const rm_pipeline *p)
{
    if (p->feed_count != 1 || p->finished || p->done)
        return NULL;
    rmi_link *feed = p->feeds[0];
    const bool simple = !feed->closed && feed->to->takes_items && !feed->to->generate.on;
    return simple && !rmi_link_full(feed) ? feed : NULL;
}

static int push_or_clear(rm_pipeline *p, const char *source, rm_value item, const rm_packet *like,
                         rm_error *err)
{
    int rc = RM_DONE; /* the run has ended */
    if (p->finished)
        rc = rm_error_set(err, RM_E_USAGE, "push after the input was finished");
    else if (!p->done)
        rc = push(p, source, item, like, !p->feed_overshoot, err);
    p->feed_overshoot = false;
    if (rc < 0)
        rm_value_clear(&item);
    return rc;
}

int rm_pipeline_push(rm_pipeline *p, const char *source, rm_value item, rm_error *err)
{
    rmi_link *feed = source == NULL ? simple_feed(p) : NULL;
    return feed != NULL && rmi_queue_reserve(p->allocator, &feed->queue, 1) == RM_OK
               ? put(p, feed, item, NULL, err)
               : push_or_clear(p, source, item, NULL, err);
}

int rm_pipeline_push_packet(rm_pipeline *p, const char *source, rm_packet *packet, rm_error *err)
{
    const int rc = push_or_clear(p, source, packet->value, packet, err);
    if (rc == RM_AGAIN || rc == RM_DONE)
        return rc;
    packet->value = rm_null();
    rm_packet_clear(packet);
    return rc;
}

/* The seq of the next item, as far as the sources are given the same items. */
static int64_t next_item(const rm_pipeline *p)
{
    int64_t seq = 0;
    for (uint32_t i = 0; i < p->feed_count; i++)
        if (!p->feeds[i]->closed && !p->feeds[i]->to->generate.on && p->feeds[i]->bound > seq)
            seq = p->feeds[i]->bound;
    return seq;
}

static int pull_items(rm_pipeline *p)
{
    int rc = RM_OK;
    size_t pulled = 0;
    while (rc == RM_OK && pulled < RMI_BATCH) {
        const char *source = NULL;
        rm_value item = rm_null();
        rc = p->input(p->input_context, &source, &item, &p->scratch);
        if (rc < 0)
            return rmi_input_failed(p, next_item(p), rc);
        if (rc == RM_OK) {
            pulled++;
            rc = push(p, source, item, NULL, false, &p->scratch);
            if (rc != RM_OK)
                rm_value_clear(&item);
            if (rc == RM_DONE &&
                rmi_source_input_open(p, RMI_FOREVER)) /* this source wants no more, but others may */
                rc = RM_OK;
        }
    }
    if (rc < 0)
        return rmi_stop_with(p, NULL, &p->scratch, rc);
    return pulled > 0 && rc == RM_AGAIN ? RM_OK : rc;
}

int rm_pipeline_finish(rm_pipeline *p, rm_error *err)
{
    (void)err;
    if (p->finished)
        return RM_OK;
    p->finished = true;
    for (uint32_t i = 0; i < p->feed_count; i++) {
        rm_node *node = p->feeds[i]->to;
        if (node->generate.on)
            continue;
        if (p->generate && p->feeds[i]->bound == 0)
            rm_runtime_log(p->runtime, RM_LOG_WARNING, rm_node_id(node),
                           "no input is given and %s does not generate any: it gets nothing",
                           node->type->name);
        p->feeds[i]->bound = RMI_FOREVER;
        rmi_ready(node);
    }
    return RM_OK;
}

int rmi_take_input(rm_pipeline *p)
{
    const int rc = pull_items(p);
    return rc == RM_DONE ? rm_pipeline_finish(p, NULL) : rc;
}
