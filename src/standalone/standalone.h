/* A node without a pipeline around it. Calls come from outside, one slot of the node's type each; what the node emits
 * and says is told to a function. Nothing here schedules, retries or applies on_error: the pipeline on the other side
 * does (docs/wasm-node.md).
 *
 * Threads: as a pipeline, used by one at a time. */
#ifndef STANDALONE_STANDALONE_H
#define STANDALONE_STANDALONE_H

#include "data/wire/wire.h"
#include "remotemedia/node.h"

/* What a node did. `kind` says which of the fields count:
 * RMI_EMITTED: packets, n, port. RMI_SUSPENDED, RMI_RESUMED: token. RMI_FINISHED: token, code, error where that is a failure.
 * RMI_LOGGED: level, text. RMI_WANTS: none. */
/* All is borrowed, for the call. */
typedef struct rmi_event {
    rmi_event_kind kind;
    uint32_t port;
    const rm_packet *packets; /* seq -1: that of the flush, or of the item that is generated */
    size_t n;
    uint64_t token;
    int code;
    const rm_error *error;
    rm_log_level level;
    const char *text;
} rmi_event;

/* Who runs the node. */
typedef struct rmi_standalone_caller {
    /* Takes note of an event. A failure fails the item in process, as a failure of rm_emit does. Must not call into the node. */
    int (*report)(void *context, const rmi_event *event, rm_error *err);
    /* Optional: returns when there are packets (owned) for the node's stream, which has asked for one in the middle of a call. RM_DONE: the
     * stream has ended. RM_AGAIN: nobody wants more of the node. Used where the configuration says that the caller waits. */
    int (*wait)(void *context, rm_packet **packets, size_t *n, rm_error *err);
    void *context;
} rmi_standalone_caller;

typedef struct rmi_standalone rmi_standalone;

/* Resolves the node that `config` (a map, borrowed) describes, and checks its parameters; it is not open yet. The keys are
 * those of docs/wasm-node.md; others are ignored. Pointers in errors are relative to the node ("/params/x"). *out is
 * owned; what *caller has is called until it is freed. */
RM_MUST_CHECK int rmi_standalone_new(rm_runtime *runtime, rm_value config,
                                     const rmi_standalone_caller *caller, rmi_standalone **out,
                                     rm_error *err);
/* Closes the node, if it is open, and frees; NULL is none. */
void rmi_standalone_free(rmi_standalone *standalone);
/* What the node is: a map, see docs/wasm-node.md. *out is owned. */
RM_MUST_CHECK int rmi_standalone_describe(const rmi_standalone *standalone, rm_value *out, rm_error *err);
RM_MUST_CHECK int rmi_standalone_open(rmi_standalone *standalone, rm_error *err);

/* The calls, once it is open. They answer what the slot does: RM_OK, the codes that node.h names for it, or a failure
 * described in `err`. A call that does not fit (a port that is not there, a packet while RM_MORE is to be heeded) is
 * RM_E_USAGE. */

/* Gives packets to an input port; *done counts those that are finished with. Those, and on failure packets[*done] too, are
 * consumed; the rest are the caller's still. A stream node is given all of them and called once. */
RM_MUST_CHECK int rmi_standalone_process(rmi_standalone *standalone, uint32_t port, rm_packet *packets,
                                         size_t n, size_t *done, rm_error *err);
/* After RM_MORE. */
RM_MUST_CHECK int rmi_standalone_more(rmi_standalone *standalone, rm_error *err);
RM_MUST_CHECK int rmi_standalone_generate(rmi_standalone *standalone, rm_error *err);
/* RM_MORE: call again at once. */
RM_MUST_CHECK int rmi_standalone_poll(rmi_standalone *standalone, rm_error *err);
/* The stream of a stream node has ended. */
RM_MUST_CHECK int rmi_standalone_end(rmi_standalone *standalone, rm_error *err);
/* No packet with a seq below `bound` will come any more. */
RM_MUST_CHECK int rmi_standalone_advance(rmi_standalone *standalone, int64_t bound, rm_error *err);
RM_MUST_CHECK int rmi_standalone_flush(rmi_standalone *standalone, rm_error *err);
RM_MUST_CHECK int rmi_standalone_abandon(rmi_standalone *standalone, uint64_t token, rm_error *err);
RM_MUST_CHECK int rmi_standalone_close(rmi_standalone *standalone, rm_error *err);
/* The call in progress, if there is one, should stop soon, with RM_E_CANCELLED. May be called in the middle of it. */
void rmi_standalone_interrupt(rmi_standalone *standalone);
/* After RM_PENDING: milliseconds until it should be polled; infinity when no time is known. */
double rmi_standalone_wait_ms(const rmi_standalone *standalone);

#endif
