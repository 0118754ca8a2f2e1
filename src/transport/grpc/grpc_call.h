/* A call of a client: what C-core needs for it, and the operations on it. */
#ifndef TRANSPORT_GRPC_GRPC_CALL_H
#define TRANSPORT_GRPC_GRPC_CALL_H

#include <grpc/grpc.h>
#include <pthread.h>
#include <stdatomic.h>

#include "transport/grpc/messages.h"
#include "transport/listener.h"

/* The tag of an operation: `done` is called on one of the listener's threads when it has ended. */
typedef struct rmi_grpc_event {
    void (*done)(struct rmi_grpc_event *event, bool ok);
} rmi_grpc_event;

typedef struct rmi_grpc_method rmi_grpc_method;

/* `references`: one for each operation in progress, and one for a session. The functions below take and drop them. */
typedef struct rmi_grpc_call {
    rmi_grpc_event requested, received, sent, closed;
    rmi_listener *listener;
    grpc_call *call; /* owned */
    grpc_call_details details;
    grpc_metadata_array metadata;
    grpc_byte_buffer *message; /* the last one received; owned */
    bool sends;                /* the initial metadata are on their way */
    size_t identity;           /* of the client, as the service gives it */
    int was_cancelled;         /* by the client; once `closed` is done */
    atomic_int references;
    const rmi_grpc_method *method;
    pthread_mutex_t lock; /* for the method's state */
    void *state;          /* of the method; owned, freed by its `free` */
} rmi_grpc_call;

/* All are called on any of the listener's threads, one at a time for a call but for `closed`. */
struct rmi_grpc_method {
    const char *path; /* "/package.Service/Method" */
    size_t state_size;
    /* The call has come; it shall read or finish. */
    void (*begin)(rmi_grpc_call *call);
    /* A message has come, in call->message; NULL: the client has sent all. */
    void (*received)(rmi_grpc_call *call);
    /* The last message has been sent; false: the client is gone. */
    void (*sent)(rmi_grpc_call *call, bool ok);
    /* The call is over: its status is sent, or the client is gone (call->was_cancelled). May be NULL. */
    void (*closed)(rmi_grpc_call *call);
    void (*free)(rmi_grpc_call *call); /* what the state owns; may be NULL */
};

void rmi_grpc_hold(rmi_grpc_call *call);
void rmi_grpc_drop(rmi_grpc_call *call);

/* Each starts one operation; any thread; at most one of each kind at a time. */
void rmi_grpc_read(rmi_grpc_call *call);
/* Sends a message, which is borrowed. */
void rmi_grpc_send(rmi_grpc_call *call, const ProtobufCMessage *message);
/* Ends the call, with a message where `message` is not NULL. Once a call, when nothing is being sent. */
void rmi_grpc_finish(rmi_grpc_call *call, grpc_status_code status, const char *text,
                     const ProtobufCMessage *message);

/* Reads call->message as a message of a type; owned: protobuf_c_message_free_unpacked. NULL: it is none, or a text in it is no
 * UTF-8 or has a NUL. */
RM_MUST_CHECK ProtobufCMessage *rmi_grpc_message(rmi_grpc_call *call, const ProtobufCMessageDescriptor *type);

/* The same for the request of a unary call, which it finishes where that is none; NULL then. */
RM_MUST_CHECK ProtobufCMessage *rmi_grpc_request(rmi_grpc_call *call, const ProtobufCMessageDescriptor *type);

/* The methods of the service. */
extern const rmi_grpc_method rmi_grpc_execute, rmi_grpc_version, rmi_grpc_stream, rmi_grpc_health,
    rmi_grpc_reflection, rmi_grpc_reflection_alpha, rmi_grpc_attach;

#endif
