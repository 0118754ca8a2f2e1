/* A graph that is being run: one struct for the whole, one a node, one a link (link.h). Each file of src/exec tells one part of
 * what happens to them, and owns the fields that stand under its name:
 *   open.c           builds and opens                     close.c            closes, frees
 *   run_to_end.c     rm_run                               schedule.c         the loop: which node is next
 *   state.c          what a node can do, or waits for     idle.c             when no node can do anything: input, waits, flush
 *   turn.c           one turn of one node                 call.c             its slots and what they return
 *   source_input.c   input items to the sources           convert_input.c    what may reach a node
 *   link.c           room, and the end of links           merge_inputs.c     several inputs in order; bounds
 *   overshoot.c      which full queue holds up a merge    emit.c             packets to links and results
 *   flight.c         packets under way in a node          flight_progress.c  attempts, polls, results that come later
 *   stream.c         nodes that pull their input          pull.c             their next packet
 *   failure.c        on_error, and which failure counts   deadline.c         cancel, timeouts, the watchdog
 *   results.c        pull, counters, graph_info           node_api.c         what a node calls, by its host (node_host.h)
 *   pipeline_host.c  a pipeline as that host */
#ifndef EXEC_PIPELINE_H
#define EXEC_PIPELINE_H

#include <stdatomic.h>

#include "base/arena.h"
#include "exec/node_host.h"
#include "exec/link.h"
#include "graph/graph.h"
#include "platform/platform.h"

enum {
    RMI_BATCH = 64,                 /* packets a node is called with at most */
    RMI_QUEUE = 64,                 /* packets a link holds unless the manifest says otherwise */
    RMI_LONG_CALL_NS = 1000 * 1000, /* after a call of that length results are handed out first */
    RMI_MAX_PULLS =
        64, /* streaming nodes that may wait inside one another's pull: as many as a WASM stack has room for */
};
/* Instead of a flight's token: what is emitted goes nowhere. */
#define RMI_DISCARD UINT64_MAX

/* What emitted packets take over from the packet in process. */
typedef struct rmi_origin {
    int64_t seq, timestamp, duration;
    struct rm_heap *metadata; /* owned */
} rmi_origin;

/* A packet under way in a node: its results come later, or wait for those of an earlier one. */
typedef struct rmi_flight {
    uint64_t token;
    rmi_origin origin; /* owns its metadata */
    rmi_queue staged;  /* emitted so far; `reserved` is the output port */
    rm_packet retry;   /* a copy of the packet, where the node may retry */
    uint32_t port;     /* that it came in by */
    int64_t attempts;  /* further ones allowed */
    int64_t deadline;  /* monotonic ns of its timeout_ms, or of its next attempt */
    rm_error *error;   /* owned: what it failed with, reported when its turn has come */
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

/* What most turns look at stands first, together: a chain of many nodes runs out of the processor's nearest cache. */
struct rm_node {
    /* ---- open.c: what the node is */
    struct rm_pipeline *pipeline;
    const rm_node_type *type;
    void *state;
    uint32_t rank;
    bool open;
    bool plain;       /* nothing under way between two calls: no poll, stream, retry, timeout_ms, generate */
    bool lean;        /* plain, one input, one output, process_many, bounds do not matter: the shortest way */
    bool watched;     /* its calls are timed */
    bool takes_any;   /* no packet needs a look before it may reach the node */
    bool takes_items; /* as a source: it has a use for input items */

    /* ---- turn.c */
    bool more; /* answered RM_MORE */
    bool flushed;

    /* ---- link.c */
    struct {
        rmi_link **links;      /* in manifest order; a source has one, its feed */
        const rm_port **takes; /* what each input port accepts; NULL: any plain value */
        uint32_t count;
        bool closed; /* wants no more input */
    } in;
    struct {
        rmi_link *only;     /* the connection, where there is just one and no results */
        rmi_link *results;  /* of an output node */
        rmi_outputs *ports; /* a port each */
        uint32_t port_count;
        bool blocked;      /* waits for room */
        bool overshoot;    /* may be called once although there is none */
        bool unwanted;     /* all its links are closed */
        bool needed;       /* overshoot.c */
        int64_t bound;     /* the last one that its links were told */
        int64_t close_seq; /* unwanted: from this seq on */
    } out;

    /* ---- failure.c */
    struct {
        rm_error *error; /* owned: it has failed, unless that turns out not to count; NULL: it has not */
        int64_t seq;
        int code;
    } failure;

    /* ---- call.c */
    struct {
        size_t batch;   /* packets a call gets at most */
        rm_node *outer; /* the node whose call this one's is nested in */
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
        rmi_queue queue; /* several inputs: taken from them, in order; `reserved` is the port */
        int64_t seq;     /* the seq that is being taken, and from which input on */
        uint32_t index;
        int64_t advanced; /* the bound that `advance` was last told */
    } merge;

    /* ---- flight.c, flight_progress.c */
    struct {
        rmi_flight *items; /* in order of their packets */
        size_t count, capacity;
        uint64_t next_token;
        uint64_t staging;    /* the flight that emissions go to, instead of out; 0: none */
        uint64_t more_token; /* the flight that RM_MORE belongs to; 0: none */
        uint64_t in_call;    /* the flight that process is called for; 0: none */
        bool suspended;      /* rm_node_suspend was called in this call */
    } flight;
    struct {
        rm_wait wait;      /* what poll last said */
        bool on;           /* answered RM_PENDING; poll is to be called */
        bool due, calling; /* calling: poll is in progress */
        atomic_bool woken;
    } poll;

    /* ---- stream.c */
    struct {
        bool ended;   /* no more will come */
        bool told;    /* the node was told so */
        bool starved; /* its last pull found nothing */
        bool waits;   /* in a pull, while others work */
        bool has_waited;
        bool below;    /* gets its packets from a node that waits in a pull */
        bool begin;    /* may wait in a pull in its next call */
        bool given_up; /* its pull was broken off for the sake of those below it: see idle.c */
    } stream;

    /* ---- turn.c */
    struct {
        bool on;
        int64_t next_seq; /* of what is emitted */
    } generate;

    /* ---- deadline.c */
    _Atomic int64_t
        late_at; /* when the first of its items under way is out of time; kept while polls have deadlines */
};

enum { RMI_RUNNING, RMI_CANCELLED, RMI_TIMED_OUT };

struct rm_pipeline {
    /* ---- open.c */
    rm_runtime *runtime;
    const rm_allocator *allocator;
    rmi_graph graph;    /* and its arena: what is made once for the run lies there too */
    rm_node *nodes;     /* by rank */
    rm_node **by_index; /* by place in the manifest */
    uint32_t node_count;
    rmi_link *links; /* connections, then feeds, then results */
    uint32_t connection_count, feed_count, result_count;
    rmi_link **feeds, **results; /* the latter in manifest order of their nodes */
    bool tracked;                /* bounds matter: something merges */
    bool has_special;            /* some node is not plain */
    bool may_block, measure;
    bool generate; /* sources generate */
    uint32_t stream_count;
    size_t queue_packets;
    rm_input_function *input;
    void *input_context;
    int (*wait)(void *context, rm_pipeline *pipeline, rm_error *err);
    void *wait_context;

    /* ---- schedule.c, idle.c */
    uint64_t *ready; /* a bit a rank */
    uint32_t ready_words, cursor;
    uint32_t flush_rank;    /* nodes before it have been flushed */
    uint32_t blocked_count; /* of nodes that wait for room */
    uint32_t idle_turns;    /* turns without effect in this step since the last one that had one */
    int64_t now;            /* as of the last look at the clock */
    bool worked; /* a node was called, other than to poll it, since pending ones were last polled */
    bool
        pause; /* a call was long: end the step before the next one that may be, so that results can be taken */
    bool done, closed;

    /* ---- source_input.c */
    bool finished;       /* no more input */
    bool feed_overshoot; /* one more item may be pushed although a feed is full */
    bool push_refused;   /* since the last step, because a feed is full */

    /* ---- pull.c */
    uint32_t pulls;  /* nested: nodes that wait in a pull */
    rm_node *puller; /* the innermost */

    /* ---- failure.c */
    int64_t limit;       /* packets with a higher seq wait: a node has failed there; RMI_FOREVER: none has */
    rm_node *failing;    /* the node whose failure the run's would be */
    int input_code;      /* the input failed, as `error` says, */
    int64_t input_seq;   /* at this item */
    int failed;          /* the code that ended the run */
    bool stopped;        /* at once: nothing more is processed */
    rm_error error;      /* of `failed` (or of the input, for now), until rm_run_step hands it out */
    rm_error scratch;    /* what a node's call fills in; empty between calls */
    rm_error emit_error; /* a failure inside rm_emit, for the call that it happened in */
    struct rmi_failure *failures; /* on_error "collect" */
    size_t failure_count, failure_capacity;

    /* ---- results.c */
    int64_t result_seq; /* where rm_pipeline_pull stands in (seq, sink) order */
    uint32_t result_index;
    bool results_wanted; /* the last step ended because results are in the way, */
    bool results_taken;  /* and some were taken since */

    /* ---- deadline.c */
    _Atomic(rmi_wake *) wake; /* made when first needed */
    rmi_watchdog *watchdog;
    atomic_int stop;            /* RMI_CANCELLED ... */
    _Atomic(rm_node *) limited; /* the node whose timeout_ms call_deadline is */
    _Atomic(rm_node *) expired; /* the node whose call in progress is past it */
    atomic_bool any_woken;
    _Atomic(rm_node *) calling;    /* the node in a call */
    atomic_bool polled;            /* it is a poll: call_deadline is that of the first item of all nodes */
    _Atomic int64_t call_deadline; /* of the call in progress; RMI_FOREVER: none */
    int64_t deadline;              /* of the whole run, monotonic ns */
    int64_t timeout_ms;
    bool item_timeouts; /* some node has a timeout_ms */
    bool own_clock;     /* there is a deadline and no watchdog that looks at it */
};

/* ---- link.c */
size_t rmi_room_of_all(const rm_node *node);
/* How many packets may be put on every output of the node, at most a batch; 0: an output is full. */
static inline size_t rmi_output_room(const rm_node *node)
{
    if (node->out.overshoot)
        return RMI_BATCH;
    return node->out.only != NULL ? rmi_link_room(node->out.only, RMI_BATCH) : rmi_room_of_all(node);
}

/* rmi_drained, where the producer waits for room. */
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
/* One node's turn, or what an idle run does. Answers as rm_run_step. */
RM_MUST_CHECK int rmi_turn(rm_pipeline *pipeline);

/* ---- state.c */
/* What a node can do. */
typedef enum rmi_work {
    RMI_WAIT,         /* nothing: it waits */
    RMI_PROCESS,      /* take packets */
    RMI_GO_ON,        /* call more: it answered RM_MORE */
    RMI_GENERATE,     /* call generate */
    RMI_STREAM,       /* call stream */
    RMI_STREAM_LATER, /* the same, but it may wait in a pull: when nobody else can do anything */
    RMI_END,          /* call end: its stream has ended */
    RMI_POLL,         /* call poll */
    RMI_RETRY,        /* try an item again */
    RMI_EXPIRE,       /* fail an item that is out of time */
    RMI_COMMIT,       /* send out the results of an item that is finished */
    RMI_ABANDON,      /* give up what is under way: nobody wants it */
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

/* What the node can do now; where that is nothing, *why. Changes nothing. */
rmi_work rmi_node_work(const rm_node *node, rmi_reason *why);
/* The time from which on rmi_node_work says something else, RMI_FOREVER where only something else can change that. */
int64_t rmi_node_deadline(const rm_node *node);
/* The descriptor that does, or -1. */
int rmi_node_descriptor(const rm_node *node);
/* "'a' waits for input, 'b' for room": at most `size` bytes of it. */
void rmi_describe_waits(const rm_pipeline *pipeline, char *text, size_t size);

/* ---- idle.c */
/* What is done when no node is ready; answers as rm_run_step. */
RM_MUST_CHECK int rmi_idle(rm_pipeline *pipeline);
/* Whether more input is wanted: what there was has been taken. */
bool rmi_wants_input(const rm_pipeline *pipeline);
/* Looks at the clock and marks the nodes that can do something; whether there are any. */
bool rmi_look(rm_pipeline *pipeline);

/* ---- overshoot.c */
/* When nothing moves: lets one node, or the input, put packets where there is no room, because a node that merges cannot go on
 * without. false: nobody is held up by that. */
bool rmi_overshoot(rm_pipeline *pipeline);

/* ---- turn.c */
/* One turn of a node; RM_OK or what failed the run (in pipeline->error). */
RM_MUST_CHECK int rmi_node_turn(rm_node *node);
/* Calls flush once: RM_OK, RM_MORE or what failed the run. */
RM_MUST_CHECK int rmi_flush_turn(rm_node *node);

/* ---- convert_input.c */
/* Whether every input port takes whatever comes. */
bool rmi_takes_any(const rm_node *node);
/* How many of the first `n` packets, all for `port`, may be given to the node; objects are made plain for
 * it where it takes none. When that is 0, *rc is the first one's failure (described in pipeline->scratch). */
size_t rmi_acceptable(rm_node *node, rm_packet *packets, uint32_t port, size_t n, int *rc);

/* ---- call.c */
/* Every call into a node's slots stands between these two: they name it to the watchdog, count its time,
 * and turn a failure inside rm_emit into the call's. */
static inline int64_t rmi_call_begin(rm_node *node);
RM_MUST_CHECK static inline int rmi_call_end(rm_node *node, int64_t started, int rc);
int64_t rmi_call_watch(rm_node *node);
RM_MUST_CHECK int rmi_call_unwatch(rm_node *node, int64_t started, int rc);
RM_MUST_CHECK int rmi_call_failed(rm_node *node, int rc);
/* Calls process or process_many with the first of `n` packets, or all; *done counts what was finished, and on failure
 * packets[*done] is consumed as well. A node that took nothing and said nothing has failed. */
RM_MUST_CHECK int rmi_call_process(rm_node *node, uint32_t port, rm_packet *packets, size_t n, size_t *done);
/* The failure of a node that took nothing and said nothing; in pipeline->scratch. */
RM_MUST_CHECK int rmi_call_took_nothing(rm_node *node);
RM_MUST_CHECK int rmi_call_more(rm_node *node);
RM_MUST_CHECK int rmi_call_generate(rm_node *node);
/* stream, or end when `at_end`. */
RM_MUST_CHECK int rmi_call_stream(rm_node *node, bool at_end);
RM_MUST_CHECK int rmi_call_poll(rm_node *node, rm_wait *wait);
RM_MUST_CHECK int rmi_call_advance(rm_node *node, int64_t bound);
RM_MUST_CHECK int rmi_call_flush(rm_node *node);
/* Token 0: all that is under way. */
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
/* A walk over links in (seq, link) order that goes on where it stopped: *seq and *index, from INT64_MAX
 * and 0. Returns the link whose first packet is next, or `count` when that is not known yet or nothing
 * waits. `all`: bounds do not matter. */
uint32_t rmi_next_link(rmi_link *const *links, uint32_t count, int64_t *seq, uint32_t *index, bool all);
/* The lowest seq that waits on the links, or INT64_MAX. */
int64_t rmi_lowest_seq(rmi_link *const *links, uint32_t count);
/* The seq of the packet that the node would take next: INT64_MAX where none waits or its order is not known yet. */
int64_t rmi_next_seq(const rm_node *node);
/* The lowest seq that may still reach the node. */
int64_t rmi_input_bound(const rm_node *node);
/* Moves up to RMI_BATCH packets from the inputs to the merged queue, as far as their order is known. */
RM_MUST_CHECK int rmi_merge(rm_node *node);
/* Tells `advance`, raises the bounds of the node's outputs, wakes those that they matter to. */
RM_MUST_CHECK int rmi_raise_bounds(rm_node *node);

/* ---- emit.c */
/* The pipeline's way of rmi_node_host.emit. */
RM_MUST_CHECK int rmi_emit(rm_node *node, unsigned port, rm_packet *packets, size_t n);
/* Gives packets to every link of a port; consumes them. */
RM_MUST_CHECK int rmi_deliver(rm_node *node, uint32_t port, rm_packet *packets, size_t n);
/* Sets the packet in process; keeps a reference of its own to the metadata until the next one. */
void rmi_set_current(rm_node *node, const rm_packet *packet);
void rmi_set_origin(rm_node *node, rmi_origin origin);
/* What belongs to no item: only a seq. */
void rmi_set_seq(rm_node *node, int64_t seq);

/* ---- flight.c */
static inline bool rmi_may_retry(const rm_node *node)
{
    return node->graph->source->retry_attempts > 0;
}
/* Whether one more packet may be taken. */
bool rmi_flight_room(const rm_node *node);
/* The flight of a token, or NULL; it moves when flights come and go. */
rmi_flight *rmi_flight_find(const rm_node *node, uint64_t token);
/* Takes over *flight on success, but for its origin's metadata, which is shared: RM_OK or RM_E_OUT_OF_MEMORY. */
RM_MUST_CHECK int rmi_flight_add(rm_node *node, const rmi_flight *flight);
void rmi_flight_remove(rm_node *node, rmi_flight *flight);
/* Keeps what the flight in node->flight.staging emits; consumes on success only. */
RM_MUST_CHECK int rmi_flight_stage(rm_node *node, uint32_t port, const rm_packet *packets, size_t n);
/* Forgets all of them. */
void rmi_flights_clear(rm_node *node);
void rmi_flights_free(rm_node *node);

/* ---- flight_progress.c */
/* Takes the first packet of `queue` as a flight: it may be pending, be tried again, or run out of time. */
RM_MUST_CHECK int rmi_flight_process(rm_node *node, rmi_queue *queue, uint32_t port);
/* The call of `more` for such a packet. */
RM_MUST_CHECK int rmi_flight_more(rm_node *node);
RM_MUST_CHECK int rmi_flight_retry(rm_node *node);
RM_MUST_CHECK int rmi_flight_expire(rm_node *node);
/* Sends out, in order, what is finished at the front. */
RM_MUST_CHECK int rmi_flight_commit(rm_node *node);
RM_MUST_CHECK int rmi_poll(rm_node *node);
/* Gives up all that is under way in a node that nobody wants anything of. */
void rmi_abandon(rm_node *node);
uint64_t rmi_suspend(rm_node *node);
void rmi_resume(rm_node *node, uint64_t token);
RM_MUST_CHECK int rmi_finish(rm_node *node, uint64_t token, int code, rm_error *err);

/* ---- stream.c */
RM_MUST_CHECK int rmi_stream_turn(rm_node *node, bool at_end);
/* The node's code failed with `rc`: its stream does not go on, whatever on_error says. Answers as rmi_item_failed. */
RM_MUST_CHECK int rmi_stream_failed(rm_node *node, int rc);
/* Whether a packet waits for the node that it may take, or will get as soon as it asks. */
bool rmi_stream_waits(const rm_node *node);
/* Whether the other nodes can work inside a pull. */
bool rmi_can_nest(const rm_pipeline *pipeline);
bool rmi_can_wait(const rm_node *node);
/* Whether a call of the stream node may wait in a pull, so that others should have their turns before it. */
bool rmi_may_wait(const rm_node *node);

/* ---- pull.c */
RM_MUST_CHECK int rmi_pull(rm_node *node, bool wait, rm_packet *packet, rm_error *err);

/* ---- source_input.c */
/* Takes items from options.input, up to a batch, and its end where that has come. RM_OK: some came; RM_AGAIN: there is
 * none now; or a failure. */
RM_MUST_CHECK int rmi_take_input(rm_pipeline *pipeline);
/* Whether some source may still be given items, and one that has not come past item `limit`: after a failure, pipeline->limit. */
bool rmi_source_input_open(const rm_pipeline *pipeline, int64_t limit);
/* Whether the node, as a source, has a use for input items; a pure generator has none. */
bool rmi_takes_items(const rm_node *node);
/* The source `source` will be given items, so it does not generate. */
RM_MUST_CHECK int rmi_source_input_address(rm_pipeline *pipeline, const char *source, rm_error *err);

/* ---- failure.c */
/* One entry of "failed". */
typedef struct rmi_failure {
    int64_t seq;
    uint32_t rank;
    rm_value document; /* owned */
} rmi_failure;
/* A packet failed with `rc`, described in `error` (which is emptied): does as on_error says. RM_OK: go on;
 * else the run has ended. */
RM_MUST_CHECK int rmi_item_failed(rm_node *node, int64_t seq, rm_error *error, int rc);
/* The input failed at item `seq` with what pipeline->scratch says (emptied). Answers the same. */
RM_MUST_CHECK int rmi_input_failed(rm_pipeline *pipeline, int64_t seq, int rc);
/* Nobody wants the node's results: its failure does not count, if it has failed. */
void rmi_failure_void(rm_node *node);
/* The same for the input's. */
void rmi_input_failure_void(rm_pipeline *pipeline);
/* Nothing up to the failure is left to do: ends the run with it. Returns its code. */
RM_MUST_CHECK int rmi_failure_conclude(rm_pipeline *pipeline);
/* Ends the run at once with what `error` describes (emptied); `node` may be NULL. Returns rc. */
int rmi_stop_with(rm_pipeline *pipeline, const rm_node *node, rm_error *error, int rc);
void rmi_failure_free(rm_node *node);

/* ---- deadline.c */
RM_MUST_CHECK int rmi_deadline_start(rm_pipeline *pipeline, int64_t timeout_ms, rm_error *err);
void rmi_deadline_stop(rm_pipeline *pipeline);
/* The earliest time at which an item under way anywhere is out of time; every node's late_at is set. */
int64_t rmi_first_timeout(rm_pipeline *pipeline);
/* The same for the items of one node. */
int64_t rmi_first_timeout_of(rm_node *node);
/* Fills in *err: an item of the node was longer under way than its timeout_ms allows. */
int rmi_timeout_error(const rm_node *node, rm_error *err);
/* The flag that ends waits; NULL when there is no memory for one or the run is to stop, so that nobody
 * waits. */
rmi_wake *rmi_deadline_wake(rm_pipeline *pipeline);
/* RM_OK, or the failure (in pipeline->error) when the run was cancelled or is out of time. */
RM_MUST_CHECK int rmi_stop_now(rm_pipeline *pipeline);
RM_MUST_CHECK static inline int rmi_check_stop(rm_pipeline *p)
{
    const bool stop = atomic_load_explicit(&p->stop, memory_order_relaxed) != RMI_RUNNING;
    return stop || p->stopped || p->own_clock ? rmi_stop_now(p) : RM_OK;
}

/* ---- results.c */
/* Whether rm_pipeline_pull would give one. */
bool rmi_results_deliverable(const rm_pipeline *pipeline);

/* ---- open.c */
/* The graph of `manifest`, wired; no node is open. *out is owned: rm_pipeline_free. */
RM_MUST_CHECK int rmi_pipeline_new(rm_manifest *manifest, const rm_pipeline_options *options,
                                   rm_pipeline **out, rm_error *err);
RM_MUST_CHECK int rmi_open_node(rm_pipeline *pipeline, rm_node *node, rm_error *err);
/* *out is what the caller gave, who may have been built with an older, shorter struct; defaults for NULL. */
RM_MUST_CHECK int rmi_options_read(const rm_pipeline_options *given, rm_pipeline_options *out, rm_error *err);

/* ---- close.c */
/* Calls close once on every open node; the first failure is returned, in pipeline->error where none was. */
int rmi_close_all(rm_pipeline *pipeline);

/* ---- pipeline_host.c */
extern const rmi_node_host rmi_pipeline_host;

#endif
