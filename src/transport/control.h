/* Clients that look into a session of another client, and change it: each is attached to one session. A run never waits for one
 * that does not take its events: events that find no room are counted, and the count is told. */
#ifndef TRANSPORT_CONTROL_H
#define TRANSPORT_CONTROL_H

#include "exec/probe.h"
#include "transport/session.h"

enum { RMI_CONTROL_EVENTS = 64, RMI_CONTROL_WATCHES = 256 }; /* that wait for a client; of a client */

typedef struct rmi_control rmi_control;
typedef struct rmi_attachment rmi_attachment;

typedef enum rmi_control_kind {
    RMI_CONTROL_TAP,       /* a packet has passed */
    RMI_CONTROL_INTERCEPT, /* a packet waits for rmi_attachment_reply with `id` */
    RMI_CONTROL_ERROR,     /* a command has failed, or events were lost */
    RMI_CONTROL_CLOSED     /* the session has ended, with err.code; the last event */
} rmi_control_kind;

typedef struct rmi_control_event {
    rmi_control_kind kind;
    char *node, *port; /* owned; NULL: none */
    bool in;
    uint64_t id;
    rm_packet packet; /* owned */
    rm_error err;     /* owned */
} rmi_control_event;
void rmi_control_event_clear(rmi_control_event *event);

typedef enum rmi_control_action {
    RMI_CONTROL_SUBSCRIBE,
    RMI_CONTROL_UNSUBSCRIBE,
    RMI_CONTROL_BEGIN_INTERCEPT,
    RMI_CONTROL_END_INTERCEPT,
    RMI_CONTROL_PUBLISH,
    RMI_CONTROL_SET_STATE
} rmi_control_action;

typedef struct rmi_control_command {
    rmi_control_action action;
    char *node, *port; /* owned; port "": any */
    bool in;
    int64_t deadline_ms; /* of each packet that is intercepted; then it passes */
    rmi_node_state state;
    rm_packet packet; /* owned */
} rmi_control_command;

typedef enum rmi_control_decision {
    RMI_CONTROL_PASS,
    RMI_CONTROL_REPLACE,
    RMI_CONTROL_DROP
} rmi_control_decision;

/* ---- For listeners; any thread */

/* `woken` is called when there may be an event, or the command is done; it may call the functions below. It is not called after
 * rmi_attachment_end. *out is owned: rmi_attachment_free. */
RM_MUST_CHECK int rmi_attachment_new(rmi_session *session, void (*woken)(void *context), void *context,
                                     rmi_attachment **out, rm_error *err);
/* Takes the client off the session. What it has set on nodes stays. */
void rmi_attachment_end(rmi_attachment *attachment);
/* After rmi_attachment_end. NULL is fine. */
void rmi_attachment_free(rmi_attachment *attachment);
/* Gives the session a command, which is consumed; one at a time. */
void rmi_attachment_do(rmi_attachment *attachment, rmi_control_command *command);
/* Whether the last command is done. */
bool rmi_attachment_idle(rmi_attachment *attachment);
/* Answers an event RMI_CONTROL_INTERCEPT; consumes the content of *packet. RM_E_VALUE: nothing waits for that answer. */
RM_MUST_CHECK int rmi_attachment_reply(rmi_attachment *attachment, uint64_t id, rmi_control_decision decision,
                                       rm_packet *packet, rm_error *err);
bool rmi_attachment_has_event(rmi_attachment *attachment);
/* Takes the next event; false: there is none. *event is owned. */
bool rmi_attachment_next(rmi_attachment *attachment, rmi_control_event *event);

/* ---- For the session; on its thread */

/* Performs the commands that can be. */
void rmi_control_work(rmi_control *control, rm_pipeline *pipeline);
/* The session has ended with `code`, and lets go of the control. NULL is fine. */
void rmi_control_end(rmi_control *control, int code, const rm_error *err);

#endif
