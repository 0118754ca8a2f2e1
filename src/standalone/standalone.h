/* A node without a pipeline around it. Each call from outside calls one slot of the node's type; the caller's
 * function gets the node's events. Nothing here schedules, retries or applies on_error: the pipeline on the
 * other side does (docs/wasm-node.md).
 *
 * Threads: as for a pipeline, one at a time. */
#ifndef STANDALONE_STANDALONE_H
#define STANDALONE_STANDALONE_H

#include "data/wire/wire.h"
#include "remotemedia/node.h"

/* An event of the node. `kind` says which fields count: RMI_EMITTED: packets, n, port. RMI_SUSPENDED,
 * RMI_RESUMED: token. RMI_FINISHED: token, code, and error for a failure. RMI_LOGGED: level, text. RMI_WANTS:
 * none. All is borrowed, for the call. */
typedef struct rmi_event {
    rmi_event_kind kind;
    uint32_t port;
    const rm_packet *packets; /* seq -1: the seq of the flush or of the generated item */
    size_t n;
    uint64_t token;
    int code;
    const rm_error *error;
    rm_log_level level;
    const char *text;
} rmi_event;

/* The functions of the caller, who runs the node. */
typedef struct rmi_standalone_caller {
    /* Reports an event. A failure fails the item in process, as a failure of rm_emit does. Must not call into
     * the node. */
    int (*report)(void *context, const rmi_event *event, rm_error *err);
    /* Optional. The node has pulled in the middle of a call: returns when there are packets for its stream.
     * The node owns their content then; the array stays the caller's. RM_DONE: the stream has ended.
     * RM_AGAIN: nobody wants more of the node. Used only where the configuration has "waits". */
    int (*wait)(void *context, rm_packet **packets, size_t *n, rm_error *err);
    void *context;
} rmi_standalone_caller;

typedef struct rmi_standalone rmi_standalone;

/* Resolves the node that `config` (a map, borrowed) describes, and checks its parameters; does not open it.
 * docs/wasm-node.md has the keys; others are ignored. Pointers in errors are relative to the node
 * ("/params/x"). *out is owned; the functions of *caller are called until it is freed. */
RM_MUST_CHECK int rmi_standalone_new(rm_runtime *runtime, rm_value config,
                                     const rmi_standalone_caller *caller, rmi_standalone **out,
                                     rm_error *err);
/* Takes "generates" and "waits" from another configuration of the same node, before it is opened. */
RM_MUST_CHECK int rmi_standalone_use(rmi_standalone *standalone, rm_value config,
                                     const rmi_standalone_caller *caller, rm_error *err);
/* Closes the node if it is open, and frees it; NULL is fine. */
void rmi_standalone_free(rmi_standalone *standalone);
/* Describes the node: a map, see docs/wasm-node.md. *out is owned. */
RM_MUST_CHECK int rmi_standalone_describe(const rmi_standalone *standalone, rm_value *out, rm_error *err);
RM_MUST_CHECK int rmi_standalone_open(rmi_standalone *standalone, rm_error *err);

/* The calls of an open node. Each returns the code of its slot: RM_OK, the codes that node.h lists, or a
 * failure described in `err`. A call that does not fit (to a missing port, or with a packet after RM_MORE) is
 * RM_E_USAGE. */

/* Gives packets to an input port; *done counts the finished ones. These, and on failure packets[*done] too,
 * are consumed; the caller keeps the rest. A streaming node gets all of them and is called once. */
RM_MUST_CHECK int rmi_standalone_process(rmi_standalone *standalone, uint32_t port, rm_packet *packets,
                                         size_t n, size_t *done, rm_error *err);
/* After RM_MORE. */
RM_MUST_CHECK int rmi_standalone_more(rmi_standalone *standalone, rm_error *err);
RM_MUST_CHECK int rmi_standalone_generate(rmi_standalone *standalone, rm_error *err);
/* RM_MORE: call again at once. */
RM_MUST_CHECK int rmi_standalone_poll(rmi_standalone *standalone, rm_error *err);
/* Ends the stream of a streaming node. */
RM_MUST_CHECK int rmi_standalone_end(rmi_standalone *standalone, rm_error *err);
/* Tells the node that no packet with a seq below `bound` will come. */
RM_MUST_CHECK int rmi_standalone_advance(rmi_standalone *standalone, int64_t bound, rm_error *err);
RM_MUST_CHECK int rmi_standalone_flush(rmi_standalone *standalone, rm_error *err);
RM_MUST_CHECK int rmi_standalone_abandon(rmi_standalone *standalone, uint64_t token, rm_error *err);
RM_MUST_CHECK int rmi_standalone_close(rmi_standalone *standalone, rm_error *err);
/* Asks the call in progress, if there is one, to return soon with RM_E_CANCELLED. May be called in the middle
 * of that call. */
void rmi_standalone_interrupt(rmi_standalone *standalone);
/* After RM_PENDING: milliseconds until the next poll; infinity when no time is known. */
double rmi_standalone_wait_ms(const rmi_standalone *standalone);

#endif
