/* A graph that is being run. One struct for the whole, one a node, one a connection; each file of src/exec
 * tells one part of what happens to them:
 *   open.c      builds and opens, closes, frees            feed.c     input items to the sources
 *   schedule.c  which node is next; what an idle run does  turn.c     one turn of one node
 *   accept.c    what may reach a node                      call.c     its slots and what they answer
 *   merge.c     several inputs in order; bounds            emit.c     packets to connections and results
 *   pending.c   packets whose results come later           stream.c   nodes that pull their input
 *   failure.c   on_error, retry, what a failure says       deadline.c cancel, timeouts, the watchdog
 *   results.c   pull, counters, graph_info                 batch.c    rm_run
 *   node_api.c  what a node may ask about itself
 *   lone.c      one node without all this: the slots called from outside (lone_manifest.c, lone_record.c) */
#ifndef EXEC_PIPELINE_H
#define EXEC_PIPELINE_H

#include <stdatomic.h>

#include "base/arena.h"
#include "exec/lone.h"
#include "exec/queue.h"
#include "graph/graph.h"
#include "platform/platform.h"
#include "remotemedia/node.h"

enum {
    RMI_RUN = 64,                   /* packets a node is called with at most */
    RMI_QUEUE = 64,                 /* packets a connection holds unless the manifest says otherwise */
    RMI_LONG_CALL_NS = 1000 * 1000, /* after a call of that length results are handed out first */
    RMI_MAX_REENTRY = 16,           /* streaming nodes that may pull inside one another */
};
#define RMI_FOREVER INT64_MAX
/* Instead of a flight's token: emissions are dropped; are told to pipeline->record. */
#define RMI_DISCARD UINT64_MAX
#define RMI_RECORDED (UINT64_MAX - 1)

/* A connection, a source's input, or the results of an output node. */
typedef struct rmi_link {
    rmi_queue queue;
    rm_node *from, *to; /* NULL: fed from outside; read as results */
    int64_t bound;      /* no packet with a lower seq will come any more */
    size_t limit, unit_limit;
    uint32_t port; /* of `to` */
    bool closed;   /* nobody wants its packets any more */
} rmi_link;

/* What emitted packets take over from the packet in process. */
typedef struct rmi_origin {
    int64_t seq, timestamp, duration;
    struct rm_heap *metadata; /* owned */
} rmi_origin;

/* A packet whose results come later, or wait for those of an earlier one. */
typedef struct rmi_flight {
    uint64_t token;
    rmi_origin origin; /* owns its metadata */
    rmi_queue staged;  /* emitted so far; `reserved` is the output port */
    rm_packet retry;   /* a copy of the packet, where the node may retry */
    uint32_t port;     /* that it came in by */
    int64_t attempts;  /* further ones allowed */
    int64_t deadline;  /* monotonic ns of its timeout_ms, or of its next attempt */
    rm_error *error;   /* owned: what it failed with, told when its turn has come */
    int code;
    bool finished, waiting; /* waiting: for its next attempt */
} rmi_flight;

typedef struct rmi_outputs {
    rmi_link **links;
    uint32_t count;
} rmi_outputs;

typedef struct rmi_counters {
    uint64_t in, out, dropped, failed, ns;
} rmi_counters;

struct rm_node {
    struct rm_pipeline *pipeline;
    const rmi_graph_node *graph;
    const rm_node_type *type;
    void *state;
    rm_value params;
    uint32_t rank;
    rm_node *outer; /* the node whose call this one's is nested in */
    int64_t outer_deadline;
    rm_node *outer_limited;

    rmi_link **inputs; /* in manifest order; a source has one, its feed */
    uint32_t input_count;
    const rm_port **takes; /* what each input port accepts; NULL: any plain value */
    rmi_outputs *outputs;  /* a port each */
    uint32_t output_ports;
    rmi_link *results; /* of an output node */

    rmi_queue merged;  /* several inputs: taken from them, in order; `reserved` is the port */
    int64_t merge_seq; /* the seq being taken, and from which input on */
    uint32_t merge_index;
    int64_t advanced; /* the bound that `advance` was last told */

    rmi_origin current; /* of the packet in process */
    int64_t next_seq;   /* of what a generating source emits */

    rmi_flight *flights; /* in order of their packets */
    size_t flight_count, flight_capacity;
    uint64_t next_token;
    uint64_t staging;    /* the flight that emissions go to, instead of out; 0: none */
    uint64_t more_token; /* the flight that RM_MORE belongs to; 0: none */
    uint64_t in_call;    /* the flight that process is called for; 0: none */
    uint32_t max_in_flight;
    bool suspended; /* rm_node_suspend was called in this call */
    rm_wait wait;   /* what poll last said */
    bool poll_due;

    bool open, busy;    /* busy: a call is in progress */
    bool blocked;       /* an output was full when it was its turn; see rmi_block */
    bool more;          /* answered RM_MORE */
    bool closed;        /* wants no more input */
    bool inputs_closed; /* and its inputs know it */
    bool ended;         /* streaming: told that its stream has ended */
    bool starved;       /* streaming: its last pull found nothing */
    bool polling;       /* answered RM_PENDING; poll is to be called */
    bool generating, flushed, overshoot;
    bool plain;            /* nothing special: the short way through turn.c */
    bool watched;          /* its calls are timed */
    size_t run;            /* packets a call gets at most */
    bool takes_items;      /* as a source: it has a use for input items */
    bool takes_any;        /* no packet needs a look before it may reach the node */
    bool lean;             /* one input, one output, process_many, bounds do not matter: the shortest way */
    rmi_link *only_output; /* its connection, where it has just one and no results */
    atomic_bool woken;
    rmi_counters counters;
};

enum { RMI_RUNNING, RMI_CANCELLED, RMI_TIMED_OUT };

struct rm_pipeline {
    rm_runtime *runtime;
    const rm_allocator *allocator;
    rmi_graph graph;    /* and its arena: what is made once for the run lies there too */
    rm_node *nodes;     /* by rank */
    rm_node **by_index; /* by place in the manifest */
    uint32_t node_count;
    rmi_link *links; /* connections, then feeds, then results */
    uint32_t connection_count, feed_count, result_count;
    rmi_link **feeds, **results; /* the latter in manifest order of their nodes */

    uint64_t *ready; /* a bit a rank */
    uint32_t ready_words, cursor;
    uint32_t flush_rank; /* nodes before it have been flushed */
    uint32_t reentry, blocked_count;
    uint32_t pull_rank; /* with reentry: of the stream node that pulls */
    bool worked;        /* a node was called, other than to poll it, since pending ones were last polled */
    bool stood_back;    /* stream nodes after it would have had a turn */
    bool tracked;       /* bounds matter: something merges */
    bool has_special;   /* some node is not plain: look for what is pending */
    bool finished;      /* no more input */
    bool done, closed;
    bool pause; /* a call was long: end the step, so that results can be taken */
    bool may_block, generate, measure;
    size_t queue_packets;
    rm_input_function *input;
    void *input_context;
    int (*wait)(void *context, rm_pipeline *pipeline, rm_error *err);
    void *wait_context;
    rmi_record_function *record; /* of a lone node: what it does is told; else NULL */
    void *record_context;

    int failed;   /* the code that ends the run */
    bool stopped; /* at once: nothing more is processed */
    int64_t
        failed_seq; /* the first packet that failed, and the rank of the node; what comes before it is still done */
    uint32_t failed_rank;
    rm_error error;               /* of `failed`, until rm_run_step hands it out */
    rm_error scratch;             /* what a node's call fills in; empty between calls */
    rm_error emit_error;          /* a failure inside rm_emit, for the call that it happened in */
    struct rmi_failure *failures; /* on_error "collect" */
    size_t failure_count, failure_capacity;
    int64_t result_seq; /* where rm_pipeline_pull stands in (seq, sink) order */
    uint32_t result_index;

    _Atomic(rmi_wake *) wake; /* made when first needed */
    rmi_watchdog *watchdog;
    atomic_int stop;            /* RMI_CANCELLED ... */
    _Atomic(rm_node *) limited; /* the node whose timeout_ms call_deadline is */
    _Atomic(rm_node *) expired; /* the node whose call in progress is past it */
    atomic_bool any_woken;
    _Atomic(rm_node *) calling;    /* the node in a call */
    _Atomic int64_t call_deadline; /* of the call in progress; RMI_FOREVER: none */
    int64_t deadline;              /* of the whole run, monotonic ns */
    int64_t timeout_ms;
    bool item_timeouts; /* some node has a timeout_ms */
    bool own_clock;     /* there is a deadline and no watchdog that looks at it */
};

/* ---- schedule.c */
static inline void rmi_ready(const rm_node *node)
{
    node->pipeline->ready[node->rank >> 6] |= (uint64_t)1 << (node->rank & 63);
}
/* One node's turn, or what an idle run does. Answers as rm_run_step. */
int rmi_turn(rm_pipeline *pipeline);
/* Whether rm_pipeline_pull would give one. */
bool rmi_results_deliverable(const rm_pipeline *pipeline);

/* ---- turn.c */
/* One turn of a node; RM_OK or what failed the run (in pipeline->error). */
int rmi_node_turn(rm_node *node);
/* How many packets may still be put on every output; 0: full. */
size_t rmi_output_room(const rm_node *node);
static inline void rmi_block(rm_node *node)
{
    node->pipeline->blocked_count += !node->blocked;
    node->blocked = true;
}
static inline void rmi_unblock(rm_node *node)
{
    node->pipeline->blocked_count -= node->blocked;
    node->blocked = false;
}
/* Marks the producer of a link that was full as ready again. */
void rmi_drained(rmi_link *link);

/* ---- accept.c */
/* Whether every input port takes whatever comes. */
bool rmi_takes_any(const rm_node *node);
/* How many of the first `n` packets, all for `port`, may be given to the node; objects are made plain for
 * it where it takes none. When that is 0, *rc is the first one's failure (described in pipeline->scratch). */
size_t rmi_acceptable(rm_node *node, rm_packet *packets, uint32_t port, size_t n, int *rc);

/* ---- call.c */
/* Calls process or process_many with the first `n` packets of `queue`, all for `port`, and settles the
 * outcome. */
int rmi_call_process(rm_node *node, rmi_queue *queue, uint32_t port, size_t n);
/* What follows a call of process_many with `n` packets of `queue` that held `units`. */
int rmi_call_settle(rm_node *node, rmi_queue *queue, size_t n, size_t units, size_t done, int rc);
/* The call after RM_MORE. */
int rmi_call_more(rm_node *node);
int rmi_call_generate(rm_node *node, size_t room);
/* Calls flush once: RM_OK, RM_MORE or what failed the run. */
int rmi_call_flush(rm_node *node);
int64_t rmi_call_watch(rm_node *node);
int rmi_call_unwatch(rm_node *node, int64_t started, int rc);
int rmi_call_failed(rm_node *node, int rc);

/* Every call into a node's slots stands between these two: they name it to the watchdog, count its time,
 * and turn a failure inside rm_emit into the call's. */
static inline int64_t rmi_call_begin(rm_node *node)
{
    rm_pipeline *p = node->pipeline;
    node->busy = true;
    p->worked = true;
    node->outer = atomic_load_explicit(&p->calling, memory_order_relaxed);
    const int64_t started = node->watched ? rmi_call_watch(node) : 0;
    atomic_store_explicit(&p->calling, node, memory_order_release);
    return started;
}
static inline int rmi_call_end(rm_node *node, int64_t started, int rc)
{
    rm_pipeline *p = node->pipeline;
    atomic_store_explicit(&p->calling, node->outer, memory_order_release);
    node->busy = false;
    if (node->watched)
        rc = rmi_call_unwatch(node, started, rc);
    return rc >= 0 && p->emit_error.code == RM_OK ? rc : rmi_call_failed(node, rc);
}

/* ---- merge.c */
/* A walk over links in (seq, link) order that goes on where it stopped: *seq and *index, from INT64_MAX
 * and 0. Returns the link whose first packet is next, or `count` when that is not known yet or nothing
 * waits. `all`: bounds do not matter. */
uint32_t rmi_next_link(rmi_link *const *links, uint32_t count, int64_t *seq, uint32_t *index, bool all);
/* The lowest seq that may still reach the node. */
int64_t rmi_input_bound(const rm_node *node);
/* Moves up to RMI_RUN packets from the inputs to `merged`, as far as their order is known. */
int rmi_merge(rm_node *node);
/* Tells `advance`, raises the bounds of the node's outputs, wakes those that they matter to. */
int rmi_raise_bounds(rm_node *node);

/* ---- emit.c */
/* Gives packets to every link of a port; consumes them. */
int rmi_deliver(rm_node *node, uint32_t port, rm_packet *packets, size_t n);
/* Sets the packet in process; keeps a reference of its own to the metadata until the next one. */
void rmi_set_current(rm_node *node, const rm_packet *packet);
void rmi_set_origin(rm_node *node, rmi_origin origin);

/* ---- pending.c */
/* Processes the first packet of `queue` as a flight: it may be pending, be tried again, or run out of
 * time. */
int rmi_flight_process(rm_node *node, rmi_queue *queue, uint32_t port);
/* The call after RM_MORE for such a packet. */
int rmi_flight_more(rm_node *node);
/* Whether one more packet may be taken. */
bool rmi_flight_room(const rm_node *node);
/* Continues what is pending: poll, next attempts, timeouts of packets in flight. */
int rmi_poll(rm_node *node);
/* The earliest time at which something pending is due; RMI_FOREVER if only a wake can tell. */
int64_t rmi_pending_deadline(const rm_node *node);
/* Something is under way that will continue by itself. */
bool rmi_is_pending(const rm_node *node);
/* Keeps what the flight in node->staging emits; consumes on success only. */
int rmi_flight_stage(rm_node *node, uint32_t port, const rm_packet *packets, size_t n);
void rmi_flights_free(rm_node *node);
/* The flight of a token, or NULL; it moves when flights come and go. */
rmi_flight *rmi_flight_find(const rm_node *node, uint64_t token);
/* Takes over *flight on success, but for its origin's metadata, which is shared: RM_OK or RM_E_OUT_OF_MEMORY. */
int rmi_flight_add(rm_node *node, const rmi_flight *flight);
void rmi_flight_remove(rm_node *node, rmi_flight *flight);

/* ---- stream.c */
int rmi_stream_turn(rm_node *node);

/* ---- feed.c */
/* Takes items from options.input while the feeds have room; RM_OK: some came, RM_AGAIN, RM_DONE or a
 * failure. */
int rmi_feed_pull(rm_pipeline *pipeline);
bool rmi_feed_open(const rm_pipeline *pipeline);
/* Whether the node, as a source, has a use for input items; a pure generator has none. */
bool rmi_takes_items(const rm_node *node);
/* The source `source` will be given items, so it does not generate. */
int rmi_feed_address(rm_pipeline *pipeline, const char *source, rm_error *err);

/* ---- failure.c */
/* One entry of "failed". */
typedef struct rmi_failure {
    int64_t seq;
    uint32_t rank;
    rm_value document; /* owned */
} rmi_failure;
/* A packet failed with `rc`, described in `error` (which is emptied): does as on_error says. RM_OK: go on;
 * else the run has failed. Items before the failed one are still processed, so that the outcome does not
 * depend on batches. */
int rmi_item_failed(rm_node *node, int64_t seq, rm_error *error, int rc);
/* Ends the run at once with what `error` describes (emptied); `node` may be NULL. Returns rc. */
int rmi_stop_with(rm_pipeline *pipeline, const rm_node *node, rm_error *error, int rc);
/* How many of the first `n` packets a node may still see: all, unless the run has failed at an earlier
 * one. */
size_t rmi_before_failure(const rm_node *node, const rm_packet *packets, size_t n);
bool rmi_is_before_failure(const rm_node *node, int64_t seq);

/* ---- deadline.c */
int rmi_deadline_start(rm_pipeline *pipeline, int64_t timeout_ms, rm_error *err);
void rmi_deadline_stop(rm_pipeline *pipeline);
/* The flag that ends waits; NULL when there is no memory for one or the run is to stop, so that nobody
 * waits. */
rmi_wake *rmi_deadline_wake(rm_pipeline *pipeline);
/* RM_OK, or the failure (in pipeline->error) when the run was cancelled or is out of time. */
int rmi_stop_now(rm_pipeline *pipeline);
static inline int rmi_check_stop(rm_pipeline *p)
{
    const bool stop = atomic_load_explicit(&p->stop, memory_order_relaxed) != RMI_RUNNING;
    return stop || p->stopped || p->own_clock ? rmi_stop_now(p) : RM_OK;
}

/* ---- open.c */
/* The graph of `manifest`, wired; no node is open. *out is owned: rm_pipeline_free. */
int rmi_pipeline_new(rm_manifest *manifest, const rm_pipeline_options *options, rm_pipeline **out,
                     rm_error *err);
int rmi_open_node(rm_pipeline *pipeline, rm_node *node, rm_error *err);
/* *out is what the caller gave, who may have been built with an older, shorter struct; defaults for NULL. */
int rmi_options_read(const rm_pipeline_options *given, rm_pipeline_options *out, rm_error *err);
/* A node wants no more input: closes its links, and the nodes that only fed those. */
void rmi_close_inputs(rm_node *node);
/* Calls close once on every open node; the first failure is returned, in pipeline->error where none was. */
int rmi_close_all(rm_pipeline *pipeline);

/* ---- lone_record.c: what a lone node calls */
/* Consumes on success only; a failure is kept for the call in progress. */
int rmi_lone_emit(rm_node *node, uint32_t port, rm_packet *packets, size_t n);
uint64_t rmi_lone_suspend(rm_node *node);
void rmi_lone_resume(rm_node *node, uint64_t token);
int rmi_lone_finish(rm_node *node, uint64_t token, int code, rm_error *err);
int rmi_lone_pull(rm_node *node, rm_packet *packet);
void rmi_lone_log(rm_node *node, rm_log_level level, const char *text);

#endif
