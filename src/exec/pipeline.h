/* A graph in a run: one struct for the whole, one for each node, one for each link (link.h). Each file of src/exec does
 * one part of the work, and owns the fields under its name:
 *   open.c           builds and opens                     close.c            closes, frees
 *   run_to_end.c     rm_run                               schedule.c         the loop: which node is next
 *   state.c          what a node can do, or waits for     idle.c             no node is ready: input, waits, flush
 *   turn.c           one turn of one node                 call.c             its slots and what they return
 *   source_input.c   input items to the sources           convert_input.c    what may reach a node
 *   link.c           room, and the end of links           merge_inputs.c     several inputs in order; bounds
 *   overshoot.c      which full queue holds up a merge    emit.c             packets to links and results
 *   flight.c         packets under way in a node          flight_progress.c  attempts, polls, results that come later
 *   stream.c         nodes that pull their input          pull.c             their next packet
 *   failure.c        on_error, and which failure counts   deadline.c         cancel, timeouts, the watchdog
 *   results.c        pull, counters, graph_info           node_api.c         the functions that a node calls
 *   pipeline_host.c  the pipeline as their host (node_host.h)
 *   node_place.c     what layers above ask of a node */
#ifndef EXEC_PIPELINE_H
#define EXEC_PIPELINE_H

#include <stdatomic.h>

#include "base/arena.h"
#include "exec/node_host.h"
#include "exec/link.h"
#include "graph/graph.h"
#include "platform/platform.h"

enum {
    RMI_BATCH = 64,                 /* packets of one call at most */
    RMI_QUEUE = 64,                 /* packets a link holds unless the manifest says otherwise */
    RMI_LONG_CALL_NS = 1000 * 1000, /* after a longer call results are handed out first */
    RMI_MAX_PULLS =
        64, /* streaming nodes that wait inside one another's pull: a WASM stack has room for so many */
};
/* Instead of a flight's token: emissions are discarded. */
#define RMI_DISCARD UINT64_MAX

/* The fields that emitted packets take over from the packet in process. */
typedef struct rmi_origin {
    int64_t seq, timestamp, duration;
    struct rm_heap *metadata; /* owned */
} rmi_origin;

/* A packet under way in a node: its results come later, or wait for those of an earlier packet. */
typedef struct rmi_flight {
    uint64_t token;
    rmi_origin origin; /* owns its metadata */
    rmi_queue staged;  /* packets emitted so far; `reserved` is their output port */
    rm_packet retry;   /* a copy of the packet, where the node may retry */
    uint32_t port;     /* the input port of the packet */
    int64_t attempts;  /* further attempts allowed */
    int64_t deadline;  /* monotonic ns of its timeout_ms, or of its next attempt */
    rm_error *error;   /* owned: its failure, reported when its turn has come */
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

/* The fields of most turns come first, together: a chain of many nodes does not fit the processor's nearest
 * cache. */
struct rm_node {
    /* ---- open.c: what the node is */
    struct rm_pipeline *pipeline;
    const rm_node_type *type;
    void *state;
    uint32_t rank;
    bool open;
    bool plain;       /* nothing under way between two calls: no poll, stream, retry, timeout_ms, generate */
    bool lean;        /* plain, one input, one output, process_many, bounds do not matter: the shortest way */
    bool watched;     /* the time of its calls is measured */
    bool takes_any;   /* every packet may reach the node unchecked */
    bool takes_items; /* as a source: it takes input items */

    bool probed; /* probe.c: its packets are looked at, or it is left out */

    /* ---- turn.c */
    bool more;     /* returned RM_MORE */
    bool flushing; /* its flush returned RM_PENDING: when its poll has nothing pending, it is called again */
    bool flushed;

    /* ---- link.c */
    struct {
        rmi_link **links;      /* in manifest order; a source has one, its feed */
        const rm_port **takes; /* what each input port accepts; NULL: any plain value */
        uint32_t count;
        bool closed; /* wants no more input */
    } in;
    struct {
        rmi_link *only;     /* the only connection, if there are no others and no results */
        rmi_link *results;  /* of an output node */
        rmi_outputs *ports; /* a port each */
        uint32_t port_count;
        bool blocked;      /* waits for room */
        bool overshoot;    /* may be called once although there is no room */
        bool unwanted;     /* all its links are closed */
        bool needed;       /* overshoot.c */
        int64_t bound;     /* the last bound given to its links */
        int64_t close_seq; /* unwanted from this seq on */
    } out;

    /* ---- failure.c */
    struct {
        rm_error *error; /* owned: its failure, while it counts; NULL: none */
        int64_t seq;
        int code;
    } failure;

    /* ---- call.c */
    struct {
        size_t batch;   /* packets of one call at most */
        rm_node *outer; /* the node whose call contains this one */
        bool busy;      /* a call is in progress */
        int64_t outer_deadline;
        rm_node *outer_limited;
    } call;

    /* ---- emit.c */
    rmi_origin current; /* of the packet in process */
    rmi_counters counters;

    /* ---- open.c: the rest of what the node is */
    const rmi_graph_node *graph;
    const rmi_node_host *host;
    void *host_context;
    rm_value params;
    uint32_t max_in_flight;

    /* ---- merge_inputs.c */
    struct {
        rmi_queue queue; /* several inputs: their packets in order; `reserved` is the port */
        int64_t seq;     /* the seq in process, and the next input */
        uint32_t index;
        int64_t advanced; /* the last bound given to `advance` */
    } merge;

    /* ---- flight.c, flight_progress.c */
    struct {
        rmi_flight *items; /* in order of their packets; in `block`, of which the first ones may be gone */
        rmi_flight *block; /* owned */
        size_t count, capacity;
        uint64_t next_token;
        uint64_t staging;    /* the flight that collects emissions; 0: they go out */
        uint64_t more_token; /* the flight that returned RM_MORE; 0: none */
        uint64_t in_call;    /* the flight of the call in progress; 0: none */
        bool suspended;      /* rm_node_suspend was called in this call */
    } flight;
    struct {
        rm_wait wait;      /* filled in by the last poll */
        bool on;           /* pending: poll is to be called */
        bool due, calling; /* calling: poll is in progress */
        atomic_bool woken;
    } poll;

    /* ---- stream.c */
    struct {
        bool ended;   /* no more packets will come */
        bool told;    /* the node's `end` was called */
        bool starved; /* its last pull found nothing */
        bool waits;   /* waits in a pull, while others work */
        bool has_waited;
        bool below;    /* a node that waits in a pull stands before it */
        bool begin;    /* may wait in a pull in its next call */
        bool given_up; /* its pull was broken off for nodes below: see idle.c */
    } stream;

    /* ---- turn.c */
    struct {
        bool on;
        int64_t next_seq; /* of the next emission */
    } generate;

    /* ---- probe.c */
    bool probe_wanted, was_lean;
    uint8_t state_set; /* rmi_node_state */

    /* ---- deadline.c */
    _Atomic int64_t late_at; /* the first deadline of its items under way; kept while polls have deadlines */
};

enum { RMI_RUNNING, RMI_CANCELLED, RMI_TIMED_OUT };

struct rm_pipeline {
    /* ---- open.c */
    rm_runtime *runtime;
    const rm_allocator *allocator;
    rmi_graph graph;    /* its arena also holds what lives as long as the run */
    rm_node *nodes;     /* by rank */
    rm_node **by_index; /* by place in the manifest */
    uint32_t node_count;
    rmi_link *links; /* connections, then feeds, then results */
    uint32_t connection_count, feed_count, result_count;
    rmi_link **feeds, **results; /* results in manifest order of their nodes */
    bool tracked;                /* bounds matter: some node merges or advances, or several have results */
    bool has_special;            /* some node is not plain */
    bool may_block, measure, object_results;
    bool generate;                 /* sources generate */
    const struct rmi_probe *probe; /* borrowed; NULL: none */
    uint32_t stream_count;
    size_t queue_packets;
    rm_input_function *input;
    void *input_context;
    int (*wait)(void *context, rm_pipeline *pipeline, rm_error *err);
    void *wait_context;
    void (*woken)(void *context);
    void *woken_context;
    int standard_input;    /* a descriptor to lend, or -1 */
    rm_node *input_reader; /* the node that has it */
    int standard_output;   /* a descriptor to lend, 0: none, -1: closed */
    rm_node *output_writer;

    /* ---- schedule.c, idle.c */
    uint64_t *ready; /* a bit a rank */
    uint32_t ready_words, cursor;
    uint32_t flush_rank;    /* all nodes before it are flushed */
    uint32_t blocked_count; /* number of nodes that wait for room */
    uint32_t idle_turns;    /* turns without effect in this step since the last effect */
    int64_t now;            /* the last reading of the clock */
    bool worked;            /* since pending nodes were last polled, a slot other than poll was called */
    bool pause; /* a call was long: end the step before another such call, so that results are taken */
    bool done, closed;

    /* ---- source_input.c */
    bool finished;       /* no more input */
    bool feed_overshoot; /* one more item may be pushed, past a full feed */
    bool push_refused;   /* a push since the last step met a full feed */

    /* ---- pull.c */
    uint32_t pulls;  /* number of nodes that wait in nested pulls */
    rm_node *puller; /* the innermost of them */

    /* ---- failure.c */
    int64_t limit;       /* packets with a higher seq wait for the outcome of a failure; RMI_FOREVER: none */
    rm_node *failing;    /* the node whose failure would be the run's */
    int input_code;      /* the input failed, as `error` says, */
    int64_t input_seq;   /* at this item */
    int failed;          /* the code that ended the run */
    bool stopped;        /* at once: nothing more is processed */
    rm_error error;      /* of `failed` (or of the input, provisionally), until rm_run_step hands it out */
    rm_error scratch;    /* filled by a node's call; empty between calls */
    rm_error emit_error; /* a failure inside rm_emit, for the call in progress */
    struct rmi_failure *failures; /* on_error "collect" */
    size_t failure_count, failure_capacity;

    /* ---- results.c */
    int64_t result_seq; /* the place of rm_pipeline_pull in (seq, sink) order */
    uint32_t result_index;
    bool results_wanted; /* the last step ended so that results are taken, */
    bool results_taken;  /* and some were taken since */

    /* ---- deadline.c */
    _Atomic(rmi_wake *) wake; /* made when first needed */
    rmi_watchdog *watchdog;
    atomic_int stop;            /* RMI_CANCELLED ... */
    _Atomic(rm_node *) limited; /* the node whose timeout_ms call_deadline is */
    _Atomic(rm_node *) expired; /* the node whose call in progress is too late */
    atomic_bool any_woken;
    _Atomic(rm_node *) calling;    /* the node in a call */
    atomic_bool polled;            /* it is a poll: call_deadline is the first one of all nodes' items */
    _Atomic int64_t call_deadline; /* of the call in progress; RMI_FOREVER: none */
    int64_t deadline;              /* of the whole run, monotonic ns */
    int64_t timeout_ms;
    bool item_timeouts; /* some node has a timeout_ms */
    bool own_clock;     /* there is a deadline, but no watchdog for it */
};

/* ---- link.c */
size_t rmi_room_of_all(const rm_node *node);
/* How many packets may be put on every output of the node, up to a batch; 0: an output is full. */
static inline size_t rmi_output_room(const rm_node *node)
{
    if (node->out.overshoot)
        return RMI_BATCH;
    return node->out.only != NULL ? rmi_link_room(node->out.only, RMI_BATCH) : rmi_room_of_all(node);
}

/* rmi_drained for a producer that waits for room. */
void rmi_drained_blocked(rmi_link *link);
/* Packets were taken from the link: its producer goes on if it waited for room and there is some. */
static inline void rmi_drained(rmi_link *link)
{
    if (link->from != NULL && link->from->out.blocked)
        rmi_drained_blocked(link);
}

/* ---- schedule.c */
static inline void rmi_ready(const rm_node *node)
{
    RMI_CHECK(node->rank < node->pipeline->node_count);
    node->pipeline->ready[node->rank >> 6] |= (uint64_t)1 << (node->rank & 63);
}
static inline void rmi_all_ready(rm_pipeline *p)
{
    for (uint32_t i = 0; i < p->node_count; i++)
        rmi_ready(&p->nodes[i]);
}
/* Takes one node's turn, or does the work of an idle run. Returns as rm_run_step. */
RM_MUST_CHECK int rmi_turn(rm_pipeline *pipeline);

/* ---- state.c */
/* The work that a node can do. */
typedef enum rmi_work {
    RMI_WAIT,         /* nothing: it waits */
    RMI_PROCESS,      /* take packets */
    RMI_GO_ON,        /* call more: it returned RM_MORE */
    RMI_GENERATE,     /* call generate */
    RMI_STREAM,       /* call stream */
    RMI_STREAM_LATER, /* the same, but it may wait in a pull: when no other node can work */
    RMI_END,          /* call end: its stream has ended */
    RMI_POLL,         /* call poll */
    RMI_RETRY,        /* try an item again */
    RMI_EXPIRE,       /* fail an item that is out of time */
    RMI_COMMIT,       /* send out the results of an item that is finished */
    RMI_ABANDON,      /* give up the packets under way: nobody wants them */
} rmi_work;

/* What a node waits for; architecture.md says who ends each wait. */
typedef enum rmi_reason {
    RMI_FOR_INPUT,   /* packets on a link, or a higher bound on one */
    RMI_FOR_ROOM,    /* room on a link */
    RMI_FOR_OUTSIDE, /* a wake-up, a descriptor or a time */
    RMI_FOR_CALL,    /* its call in progress to return */
    RMI_FOR_FAILURE, /* the outcome of a failure at an earlier item */
    RMI_FOR_FLUSH,   /* its turn to flush */
    RMI_FOR_NOTHING, /* it has flushed */
} rmi_reason;

/* Returns the work that the node can do now, or RMI_WAIT with the reason in *why. Changes nothing. */
rmi_work rmi_node_work(const rm_node *node, rmi_reason *why);
/* The time at which the result of rmi_node_work changes; RMI_FOREVER where time alone does not change it. */
int64_t rmi_node_deadline(const rm_node *node);
/* The descriptor that changes it, or -1. */
int rmi_node_descriptor(const rm_node *node);
/* Writes "'a' waits for input, 'b' could work": at most `size` bytes of it. */
void rmi_describe_waits(const rm_pipeline *pipeline, char *text, size_t size);

/* ---- idle.c */
/* The work of a run when no node is ready; returns as rm_run_step. */
RM_MUST_CHECK int rmi_idle(rm_pipeline *pipeline);
/* Whether the run wants more input: the sources have taken all that there was. */
bool rmi_wants_input(const rm_pipeline *pipeline);
/* Reads the clock and marks the nodes that can work as ready; returns whether there are any. */
bool rmi_look(rm_pipeline *pipeline);

/* ---- overshoot.c */
/* When nothing moves: lets one node, or the input, put packets where there is no room, because a node that
 * merges needs them. Returns false when that would not help. */
bool rmi_overshoot(rm_pipeline *pipeline);

/* ---- turn.c */
/* One turn of a node. Returns RM_OK or the code of the run's failure (in pipeline->error). */
RM_MUST_CHECK int rmi_node_turn(rm_node *node);
/* Calls flush once. Returns RM_OK, RM_MORE or the code of the run's failure. */
RM_MUST_CHECK int rmi_flush_turn(rm_node *node);

/* ---- convert_input.c */
/* Whether every input port takes any value. */
bool rmi_takes_any(const rm_node *node);
/* How many of the first `n` packets, all for `port`, may be given to the node; converts objects to plain
 * values for a port without objects. When that is 0, *rc is the first packet's failure (described in
 * pipeline->scratch). */
size_t rmi_acceptable(rm_node *node, rm_packet *packets, uint32_t port, size_t n, int *rc);

/* ---- call.c */
/* Every call of a node's slot stands between these two. They name the node to the watchdog, measure the time,
 * and turn a failure inside rm_emit into the call's failure. */
static inline int64_t rmi_call_begin(rm_node *node);
RM_MUST_CHECK static inline int rmi_call_end(rm_node *node, int64_t started, int rc);
int64_t rmi_call_watch(rm_node *node);
RM_MUST_CHECK int rmi_call_unwatch(rm_node *node, int64_t started, int rc);
RM_MUST_CHECK int rmi_call_failed(rm_node *node, int rc);
/* Calls process with the first of `n` packets, or process_many with all; *done counts the finished ones, and
 * on failure packets[*done] is consumed too. A node that took no packet and returned no failure has
 * failed. */
RM_MUST_CHECK int rmi_call_process(rm_node *node, uint32_t port, rm_packet *packets, size_t n, size_t *done);
/* The failure of a node that took no packet and returned no failure; in pipeline->scratch. */
RM_MUST_CHECK int rmi_call_took_nothing(rm_node *node);
RM_MUST_CHECK int rmi_call_more(rm_node *node);
RM_MUST_CHECK int rmi_call_generate(rm_node *node);
/* Calls stream, or end when `at_end`. */
RM_MUST_CHECK int rmi_call_stream(rm_node *node, bool at_end);
RM_MUST_CHECK int rmi_call_poll(rm_node *node, rm_wait *wait);
RM_MUST_CHECK int rmi_call_advance(rm_node *node, int64_t bound);
RM_MUST_CHECK int rmi_call_flush(rm_node *node);
/* Token 0: all packets under way. */
void rmi_call_abandon(rm_node *node, uint64_t token);
RM_MUST_CHECK int rmi_call_close(rm_node *node);

static inline int64_t rmi_call_begin(rm_node *node)
{
    rm_pipeline *p = node->pipeline;
    RMI_CHECK(!node->call.busy);
    node->call.busy = true;
    p->worked = true;
    node->call.outer = atomic_load_explicit(&p->calling, memory_order_relaxed);
    const int64_t started = node->watched ? rmi_call_watch(node) : 0;
    atomic_store_explicit(&p->calling, node, memory_order_release);
    return started;
}
RM_MUST_CHECK static inline int rmi_call_end(rm_node *node, int64_t started, int rc)
{
    rm_pipeline *p = node->pipeline;
    RMI_CHECK(node->call.busy && atomic_load_explicit(&p->calling, memory_order_relaxed) == node);
    atomic_store_explicit(&p->calling, node->call.outer, memory_order_release);
    node->call.busy = false;
    if (node->watched)
        rc = rmi_call_unwatch(node, started, rc);
    return rc >= 0 && p->emit_error.code == RM_OK ? rc : rmi_call_failed(node, rc);
}

/* ---- merge_inputs.c */
/* A walk over links in (seq, link) order that goes on where it stopped: *seq and *index start at INT64_MAX
 * and 0. Returns the link whose first packet is next, or `count` when that is not known yet or no packet
 * waits. `all`: ignores bounds. */
uint32_t rmi_next_link(rmi_link *const *links, uint32_t count, int64_t *seq, uint32_t *index, bool all);
/* The lowest seq that waits on the links, or INT64_MAX. */
int64_t rmi_lowest_seq(rmi_link *const *links, uint32_t count);
/* The seq of the packet that the node would take next; INT64_MAX where none waits or the order is not known
 * yet. */
int64_t rmi_next_seq(const rm_node *node);
/* The lowest seq that may still reach the node. */
int64_t rmi_input_bound(const rm_node *node);
/* Moves up to RMI_BATCH packets from the inputs to the merged queue, as far as their order is known. */
RM_MUST_CHECK int rmi_merge(rm_node *node);
/* Calls `advance`, raises the bounds of the node's outputs, and marks the nodes that wait for them as
 * ready. */
RM_MUST_CHECK int rmi_raise_bounds(rm_node *node);

/* ---- emit.c */
/* rmi_node_host.emit of a pipeline. */
RM_MUST_CHECK int rmi_emit(rm_node *node, unsigned port, rm_packet *packets, size_t n);
/* ---- probe.c; all for nodes that are `probed` */

/* Shows the first packet of `queue`; *taken: the node does not get it. */
RM_MUST_CHECK int rmi_probe_input(rm_node *node, rmi_queue *queue, uint32_t port, bool *taken);
/* The same for a packet that a streaming node pulls; false: it does not get it, and the caller clears it. */
bool rmi_probe_pulled(const rm_node *node, rm_packet *packet);
/* Shows what is emitted. Returns how many packets are left; the others are cleared. */
size_t rmi_probe_output(const rm_node *node, uint32_t port, rm_packet *packets, size_t n);

/* Puts packets on every link of a port; consumes them, also on failure. */
RM_MUST_CHECK int rmi_deliver(rm_node *node, uint32_t port, rm_packet *packets, size_t n);
/* Sets the packet in process; shares its metadata until the next one. */
void rmi_set_current(rm_node *node, const rm_packet *packet);
void rmi_set_origin(rm_node *node, rmi_origin origin);
/* Sets a packet in process that belongs to no item: only a seq. */
void rmi_set_seq(rm_node *node, int64_t seq);

/* ---- flight.c */
static inline bool rmi_may_retry(const rm_node *node)
{
    return node->graph->source->retry_attempts > 0;
}
/* Whether the node may take one more packet. */
bool rmi_flight_room(const rm_node *node);
/* The flight of a token, or NULL; it moves when flights come and go. */
rmi_flight *rmi_flight_find(const rm_node *node, uint64_t token);
/* Adds the flight: on success consumes *flight, but shares the metadata of its origin. RM_OK or
 * RM_E_OUT_OF_MEMORY. */
RM_MUST_CHECK int rmi_flight_add(rm_node *node, const rmi_flight *flight);
void rmi_flight_remove(rm_node *node, rmi_flight *flight);
/* Stages packets of the flight in node->flight.staging; consumes them on success only. */
RM_MUST_CHECK int rmi_flight_stage(rm_node *node, uint32_t port, const rm_packet *packets, size_t n);
/* Removes all flights. */
void rmi_flights_clear(rm_node *node);
void rmi_flights_free(rm_node *node);

/* ---- flight_progress.c */
/* Takes the first packet of `queue` as a flight: it may become pending, be tried again, or time out. */
RM_MUST_CHECK int rmi_flight_process(rm_node *node, rmi_queue *queue, uint32_t port);
/* Fails the first packet of `queue`, which may not be given to the node, with pipeline->scratch; the packets under way before it
 * come first. */
RM_MUST_CHECK int rmi_flight_refuse(rm_node *node, rmi_queue *queue, int code);
/* Calls `more` for the flight that returned RM_MORE. */
RM_MUST_CHECK int rmi_flight_more(rm_node *node);
RM_MUST_CHECK int rmi_flight_retry(rm_node *node);
RM_MUST_CHECK int rmi_flight_expire(rm_node *node);
/* Delivers, in order, the results of the flights that are finished at the front. */
RM_MUST_CHECK int rmi_flight_commit(rm_node *node);
RM_MUST_CHECK int rmi_poll(rm_node *node);
/* Gives up all packets under way in an unwanted or failed node. */
void rmi_abandon(rm_node *node);
uint64_t rmi_suspend(rm_node *node);
void rmi_resume(rm_node *node, uint64_t token);
RM_MUST_CHECK int rmi_finish(rm_node *node, uint64_t token, int code, rm_error *err);

/* ---- stream.c */
RM_MUST_CHECK int rmi_stream_turn(rm_node *node, bool at_end);
/* The node's code failed with `rc`: its stream ends, whatever on_error says. Returns as rmi_item_failed. */
RM_MUST_CHECK int rmi_stream_failed(rm_node *node, int rc);
/* Whether a packet waits that the node may take. */
bool rmi_stream_waits(const rm_node *node);
/* Whether the other nodes can work inside a pull. */
bool rmi_can_nest(const rm_pipeline *pipeline);
bool rmi_can_wait(const rm_node *node);
/* Whether a call of the streaming node may wait in a pull, so that others should take their turns before
 * it. */
bool rmi_may_wait(const rm_node *node);

/* ---- pull.c */
RM_MUST_CHECK int rmi_pull(rm_node *node, bool wait, rm_packet *packet, rm_error *err);

/* ---- source_input.c */
/* Takes items from options.input, up to a batch, and the end of the input. RM_OK: some came; RM_AGAIN: there
 * is none now; or a failure. */
RM_MUST_CHECK int rmi_take_input(rm_pipeline *pipeline);
/* Whether a source may still be given items with a seq up to `limit`: after a failure, pipeline->limit. */
bool rmi_source_input_open(const rm_pipeline *pipeline, int64_t limit);
/* Whether the node, as a source, takes input items; a pure generator takes none. */
bool rmi_takes_items(const rm_node *node);
/* Items will be addressed to `source`, so it does not generate. A failure if it takes none or is no
 * source. */
RM_MUST_CHECK int rmi_source_input_address(rm_pipeline *pipeline, const char *source, rm_error *err);

/* ---- failure.c */
/* One entry of "failed". */
typedef struct rmi_failure {
    int64_t seq;
    uint32_t rank;
    rm_value document; /* owned */
} rmi_failure;
/* A packet failed with `rc`, described in `error` (which is emptied): applies on_error. RM_OK: go on; else
 * the run has ended. */
RM_MUST_CHECK int rmi_item_failed(rm_node *node, int64_t seq, rm_error *error, int rc);
/* The input failed at item `seq`, as pipeline->scratch says (which is emptied). Returns as
 * rmi_item_failed. */
RM_MUST_CHECK int rmi_input_failed(rm_pipeline *pipeline, int64_t seq, int rc);
/* The node is unwanted: its failure, if there is one, does not count. */
void rmi_failure_void(rm_node *node);
/* The same for the failure of the input. */
void rmi_input_failure_void(rm_pipeline *pipeline);
/* Ends the run with the failure, up to which nothing is left to do. Returns its code. */
RM_MUST_CHECK int rmi_failure_conclude(rm_pipeline *pipeline);
/* Ends the run at once with the failure in `error` (emptied); `node` may be NULL. Returns rc. */
int rmi_stop_with(rm_pipeline *pipeline, const rm_node *node, rm_error *error, int rc);
void rmi_failure_free(rm_node *node);

/* ---- deadline.c */
RM_MUST_CHECK int rmi_deadline_start(rm_pipeline *pipeline, int64_t timeout_ms, rm_error *err);
void rmi_deadline_stop(rm_pipeline *pipeline);
/* The earliest deadline of an item under way in any node; sets every node's late_at. */
int64_t rmi_first_timeout(rm_pipeline *pipeline);
/* The same for the items of one node. */
int64_t rmi_first_timeout_of(rm_node *node);
/* Fills in *err: an item of the node was under way for longer than its timeout_ms. Returns RM_E_TIMEOUT. */
int rmi_timeout_error(const rm_node *node, rm_error *err);
/* The flag that ends waits; NULL when there is no memory for one or the run has to stop: then nobody
 * waits. */
rmi_wake *rmi_deadline_wake(rm_pipeline *pipeline);
/* rm_node_wait of a pipeline's nodes. */
RM_MUST_CHECK int rmi_wait_in_call(rm_node *node, int descriptor, bool writing, int64_t until, rm_error *err);
/* Returns RM_OK, or the failure (in pipeline->error) when the run was cancelled or is out of time. */
RM_MUST_CHECK int rmi_stop_now(rm_pipeline *pipeline);
RM_MUST_CHECK static inline int rmi_check_stop(rm_pipeline *p)
{
    const bool stop = atomic_load_explicit(&p->stop, memory_order_relaxed) != RMI_RUNNING;
    return stop || p->stopped || p->own_clock ? rmi_stop_now(p) : RM_OK;
}

/* ---- results.c */
/* Whether rm_pipeline_pull would return a result. */
bool rmi_results_deliverable(const rm_pipeline *pipeline);

/* ---- open.c */
/* Builds the graph of `manifest` and its links; no node is open. *out is owned: rm_pipeline_free. */
RM_MUST_CHECK int rmi_pipeline_new(rm_manifest *manifest, const rm_pipeline_options *options,
                                   rm_pipeline **out, rm_error *err);
RM_MUST_CHECK int rmi_open_node(rm_pipeline *pipeline, rm_node *node, rm_error *err);
/* Copies the caller's options, whose struct may be older and shorter, to *out; defaults for NULL. */
RM_MUST_CHECK int rmi_options_read(const rm_pipeline_options *given, rm_pipeline_options *out, rm_error *err);

/* ---- check_files.c */
/* Before the nodes are opened: RM_E_VALUE where one would write a file that another use of the run has, or two would read
 * one pipe; RM_E_USAGE where a standard stream is not free. */
RM_MUST_CHECK int rmi_check_files(rm_pipeline *pipeline, const rm_pipeline_options *options, rm_error *err);
/* Fail with RM_E_USAGE. */
RM_MUST_CHECK int rmi_no_standard_input(rm_error *err);
RM_MUST_CHECK int rmi_no_standard_output(const rm_pipeline *pipeline, rm_error *err);

/* ---- close.c */
/* Calls close once on every open node. Returns the first failure, which is put in pipeline->error unless an
 * error is there. */
int rmi_close_all(rm_pipeline *pipeline);

/* ---- pipeline_host.c */
extern const rmi_node_host rmi_pipeline_host;

#endif
