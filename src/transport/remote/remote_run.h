/* A node that runs elsewhere, in a run. */
#ifndef TRANSPORT_REMOTE_REMOTE_RUN_H
#define TRANSPORT_REMOTE_REMOTE_RUN_H

#include "transport/remote/attached.h"
#include "transport/remote/local_stream.h"

/* A packet that the other side has not acknowledged. */
typedef struct rmi_passage {
    uint64_t token;
    rm_packet packet;  /* owned: as it is sent, maybe again */
    size_t lane;       /* where it was sent; RMI_UNSENT */
    uint64_t sequence; /* in its lane */
    bool unwanted;     /* its results are dropped */
    bool has_emitted;  /* some of its results are out */
    rm_packet *held;   /* its results, where it may be sent again; owned */
    size_t held_count, held_capacity;
} rmi_passage;

#define RMI_UNSENT SIZE_MAX

/* A way to get work done: an endpoint, or this process, which is the last lane. */
typedef struct rmi_remote_lane {
    const char *endpoint;      /* NULL: this process */
    rmi_remote_stream *stream; /* owned; NULL: closed */
    rmi_local_stream *here;    /* likewise */
    uint64_t next;             /* sequence */
    size_t waiting;            /* passages that it has not acknowledged */
    bool ready, finishing, closed;
    int64_t heard;         /* when it last said something, or was first asked */
    int64_t failures;      /* since it last acknowledged something */
    int64_t blocked_until; /* after a failure; INT64_MIN: not blocked */
} rmi_remote_lane;

typedef struct rmi_remote_state {
    rmi_remote_params params; /* of RemotePipelineNode */
    rmi_remote_plan own;      /* made of them */
    const rmi_remote_plan *plan;
    rm_node *node;
    const rmi_graph *graph; /* that the node is in */
    uint32_t index;
    rmi_remote_attached *attached;
    const rmi_remote_api *api;
    rmi_remote_client *client;
    char *authorities; /* owned: a file's text */
    size_t authorities_length;
    rmi_remote_lane *lanes; /* owned */
    size_t lane_count, current;
    rmi_passage *passages; /* owned; in order */
    size_t count, capacity;
    int64_t attempts;   /* since something was acknowledged */
    int64_t resume_at;  /* nothing is sent before */
    bool singly;        /* one passage at a time: a message was too large */
    bool runs_here;     /* no endpoint has answered */
    bool wants_no_more; /* the other side has ended its input */
    bool flushing, has_saved;
    rmi_remote_event saved; /* while it is flushed: what poll has found */
    rm_error refused;       /* what every item fails with; code 0: nothing */
} rmi_remote_state;

/* ---- lanes.c */

/* Whether passages may be sent again, so that their results are held back until they are acknowledged. */
bool rmi_may_resend(const rmi_remote_state *state);
/* Sends what was not sent. Fails only when the run has ended. */
RM_MUST_CHECK int rmi_lanes_send(rmi_remote_state *state);
/* Deals with the loss of a lane, or its failure, as `event` says (consumed). Fails only when the run has ended. */
RM_MUST_CHECK int rmi_lane_lost(rmi_remote_state *state, size_t lane, rmi_remote_event *event);
/* The loss of a lane that has not answered in time. */
rmi_remote_event rmi_lane_silent(const rmi_remote_state *state);
/* Checks that lanes have answered in time. Fails only when the run has ended. */
RM_MUST_CHECK int rmi_lanes_check(rmi_remote_state *state);
/* Describes an endpoint's failure for the user: the endpoint's name comes before what it says. */
void rmi_lane_name(const rmi_remote_state *state, size_t lane, rm_error *err);
RM_MUST_CHECK int rmi_lane_open(rmi_remote_state *state, size_t lane, rm_error *err);
int rmi_lane_next(const rmi_remote_state *state, size_t lane, rmi_remote_event *event);
void rmi_lane_finish(rmi_remote_state *state, size_t lane);
void rmi_lane_close(rmi_remote_state *state, size_t lane);
/* Fills in when the node is to be polled. */
void rmi_lanes_wait(const rmi_remote_state *state, rm_wait *wait);
bool rmi_lane_is_open(const rmi_remote_state *state, size_t lane);

/* ---- passages.c */

RM_MUST_CHECK int rmi_passage_add(rmi_remote_state *state, uint64_t token, rm_packet *packet, rm_error *err);
/* The index of a passage, or SIZE_MAX. */
size_t rmi_passage_find(const rmi_remote_state *state, size_t lane, uint64_t sequence);
/* Sends out a result (consumed), or holds it. */
RM_MUST_CHECK int rmi_passage_result(rmi_remote_state *state, size_t index, rm_packet *result);
/* Ends a passage, with RM_OK or with the failure `code` in `err` (emptied). Fails only when the run has ended. */
RM_MUST_CHECK int rmi_passage_end(rmi_remote_state *state, size_t index, int code, rm_error *err);
void rmi_passages_free(rmi_remote_state *state);
/* How many are wanted. */
size_t rmi_passages_wanted(const rmi_remote_state *state);

#endif
