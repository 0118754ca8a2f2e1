/* PipelineControl.Attach: a client looks into a session and changes it. Frames are done one after the other: the next one is read
 * when the session has done the one before, so a client that sends too fast waits. Events go out one at a time. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "remotemedia/v1/control.pb-c.h"
#include "transport/control.h"
#include "transport/grpc/grpc_listener.h"
#include "transport/grpc/open_run.h"

typedef Remotemedia__V1__ControlFrame control_frame;
typedef Remotemedia__V1__ControlEvent control_event;
typedef Remotemedia__V1__ControlAddress control_address;

enum { DEADLINE_MS = 50, LONGEST_DEADLINE_MS = 60000 };

typedef struct attach {
    rmi_attachment *attachment; /* owned; NULL before hello */
    atomic_bool sending;        /* a message is on its way, or somebody looks for the next one */
    atomic_bool reads;          /* the next frame is read, or will be once the command is done */
    bool ended;                 /* the last event is being sent; only with `sending` */
    atomic_bool closed;
    rm_error failure; /* of a frame; owned; under the call's lock; code 0: none */
    bool fatal;       /* it ends the call */
    char session_id[64], attach_id[64];
} attach;

/* ---- Events */

static Remotemedia__V1__ControlErrorCode code_of(int code)
{
    switch (code) {
    case RM_E_NOT_FOUND:
        return REMOTEMEDIA__V1__CONTROL_ERROR_CODE__CONTROL_ERROR_CODE_SESSION_NOT_FOUND;
    case RM_E_UNKNOWN_NODE:
        return REMOTEMEDIA__V1__CONTROL_ERROR_CODE__CONTROL_ERROR_CODE_UNKNOWN_NODE;
    case RM_E_VALUE:
    case RM_E_TYPE:
        return REMOTEMEDIA__V1__CONTROL_ERROR_CODE__CONTROL_ERROR_CODE_INVALID_ADDRESS;
    case RM_E_USAGE:
    case RM_E_PARSE:
    case RM_E_MISSING_FIELD:
    case RM_E_UNSUPPORTED:
        return REMOTEMEDIA__V1__CONTROL_ERROR_CODE__CONTROL_ERROR_CODE_PROTOCOL;
    default:
        return REMOTEMEDIA__V1__CONTROL_ERROR_CODE__CONTROL_ERROR_CODE_INTERNAL;
    }
}

static void send_error(rmi_grpc_call *call, const rm_error *err, control_address *address)
{
    Remotemedia__V1__ErrorEvent error = REMOTEMEDIA__V1__ERROR_EVENT__INIT;
    control_event message = REMOTEMEDIA__V1__CONTROL_EVENT__INIT;
    error.code = code_of(err->code);
    error.message = (char *)err->message;
    error.addr = address;
    message.event_case = REMOTEMEDIA__V1__CONTROL_EVENT__EVENT_ERROR;
    message.error = &error;
    rmi_grpc_send(call, &message.base);
}

static void send_closed(rmi_grpc_call *call, const rmi_control_event *event)
{
    Remotemedia__V1__SessionClosed closed = REMOTEMEDIA__V1__SESSION_CLOSED__INIT;
    control_event message = REMOTEMEDIA__V1__CONTROL_EVENT__INIT;
    closed.reason = event->err.code == RM_OK ? REMOTEMEDIA__V1__CLOSE_REASON_CODE__CLOSE_REASON_CODE_NORMAL
                                             : REMOTEMEDIA__V1__CLOSE_REASON_CODE__CLOSE_REASON_CODE_ERROR;
    closed.detail = (char *)event->err.message;
    message.event_case = REMOTEMEDIA__V1__CONTROL_EVENT__EVENT_SESSION_CLOSED;
    message.session_closed = &closed;
    rmi_grpc_send(call, &message.base);
}

static void send_packet(rmi_grpc_call *call, const rmi_control_event *event, control_address *address)
{
    Remotemedia__V1__TapEvent tap = REMOTEMEDIA__V1__TAP_EVENT__INIT;
    Remotemedia__V1__InterceptRequest request = REMOTEMEDIA__V1__INTERCEPT_REQUEST__INIT;
    control_event message = REMOTEMEDIA__V1__CONTROL_EVENT__INIT;
    rmi_data_buffer *data = NULL;
    rm_error err = {0};
    if (rmi_buffer_of_packet(&event->packet, &data, &err) != RM_OK) {
        send_error(call, &err, address);
        rm_error_clear(&err);
        return;
    }
    tap.addr = request.addr = address;
    tap.data = request.data = data;
    request.correlation_id = event->id;
    if (event->kind == RMI_CONTROL_TAP) {
        message.event_case = REMOTEMEDIA__V1__CONTROL_EVENT__EVENT_TAP;
        message.tap = &tap;
    } else {
        message.event_case = REMOTEMEDIA__V1__CONTROL_EVENT__EVENT_INTERCEPT_REQUEST;
        message.intercept_request = &request;
    }
    rmi_grpc_send(call, &message.base);
    protobuf_c_message_free_unpacked(&data->base, NULL);
}

static void send_event(rmi_grpc_call *call, const rmi_control_event *event)
{
    control_address address = REMOTEMEDIA__V1__CONTROL_ADDRESS__INIT;
    attach *s = call->state;
    if (event->node != NULL)
        address.node_id = event->node;
    if (event->port != NULL)
        address.port = event->port;
    address.direction = event->in ? REMOTEMEDIA__V1__CONTROL_DIRECTION__CONTROL_DIRECTION_IN
                                  : REMOTEMEDIA__V1__CONTROL_DIRECTION__CONTROL_DIRECTION_OUT;
    if (event->kind == RMI_CONTROL_CLOSED) {
        s->ended = true;
        send_closed(call, event);
    } else if (event->kind == RMI_CONTROL_ERROR) {
        send_error(call, &event->err, event->node != NULL ? &address : NULL);
    } else {
        send_packet(call, event, &address);
    }
}

/* Sends the failure of a frame, if there is one. */
static bool send_failure(rmi_grpc_call *call)
{
    attach *s = call->state;
    rm_error err = {0};
    pthread_mutex_lock(&call->lock);
    rm_error_move(&err, &s->failure);
    const bool fatal = s->fatal;
    pthread_mutex_unlock(&call->lock);
    if (err.code == RM_OK)
        return false;
    s->ended = fatal;
    send_error(call, &err, NULL);
    rm_error_clear(&err);
    return true;
}

static bool something_waits(rmi_grpc_call *call)
{
    attach *s = call->state;
    pthread_mutex_lock(&call->lock);
    const bool failed = s->failure.code != RM_OK;
    pthread_mutex_unlock(&call->lock);
    return failed || (s->attachment != NULL && rmi_attachment_has_event(s->attachment));
}

/* Sends what comes next, unless a message is on its way: the end of that calls this again. */
static void pump(rmi_grpc_call *call)
{
    attach *s = call->state;
    rmi_control_event event;
    do {
        if (atomic_load(&s->closed) || atomic_exchange(&s->sending, true))
            return;
        if (s->ended)
            return;
        if (send_failure(call))
            return;
        if (s->attachment != NULL && rmi_attachment_next(s->attachment, &event)) {
            send_event(call, &event);
            rmi_control_event_clear(&event);
            return;
        }
        atomic_store(&s->sending, false);
    } while (something_waits(call)); /* it came just now */
}

static void read_on(rmi_grpc_call *call)
{
    attach *s = call->state;
    if (!atomic_load(&s->closed) && rmi_attachment_idle(s->attachment) && !atomic_exchange(&s->reads, true))
        rmi_grpc_read(call);
}

/* The session has an event, or has done the command. */
static void woken(void *context)
{
    rmi_grpc_call *call = context;
    pump(call);
    if (((attach *)call->state)->attachment != NULL)
        read_on(call);
}

/* ---- Frames */

static void fail(rmi_grpc_call *call, rm_error *err, bool fatal)
{
    attach *s = call->state;
    pthread_mutex_lock(&call->lock);
    rm_error_move(&s->failure, err);
    s->fatal = fatal;
    pthread_mutex_unlock(&call->lock);
    pump(call);
}

static void greet(rmi_grpc_call *call)
{
    attach *s = call->state;
    Remotemedia__V1__Attached attached = REMOTEMEDIA__V1__ATTACHED__INIT;
    control_event message = REMOTEMEDIA__V1__CONTROL_EVENT__INIT;
    attached.session_id = s->session_id;
    attached.attach_id = s->attach_id;
    message.event_case = REMOTEMEDIA__V1__CONTROL_EVENT__EVENT_ATTACHED;
    message.attached = &attached;
    rmi_grpc_send(call, &message.base);
}

static int begin_attachment(rmi_grpc_call *call, const Remotemedia__V1__Hello *hello, rm_error *err)
{
    attach *s = call->state;
    char *end = NULL;
    const uint64_t number = hello->session_id[0] == 's' ? strtoull(hello->session_id + 1, &end, 16) : 0;
    if (strlen(hello->session_id) >= sizeof s->session_id || strlen(hello->attach_id) >= sizeof s->attach_id)
        return rm_error_set(err, RM_E_PARSE, "hello.session_id or hello.attach_id is too long");
    (void)snprintf(s->session_id, sizeof s->session_id, "%s", hello->session_id);
    if (hello->attach_id[0] != '\0')
        (void)snprintf(s->attach_id, sizeof s->attach_id, "%s", hello->attach_id);
    else
        (void)snprintf(s->attach_id, sizeof s->attach_id, "a%" PRIxPTR, (uintptr_t)call);
    if (end == NULL || *end != '\0')
        return rm_error_set(err, RM_E_NOT_FOUND, "'%s' is no session: `ready` of a stream tells its id",
                            hello->session_id);
    atomic_store(&s->sending, true); /* until the greeting is sent */
    const int rc = rmi_service_attach(rmi_grpc_listener_service(call->listener), number, call->identity,
                                      woken, call, &s->attachment, err);
    if (rc == RM_OK)
        greet(call);
    else
        atomic_store(&s->sending, false);
    return rc;
}

static int read_address(const control_address *address, rmi_control_command *command, rm_error *err)
{
    if (address == NULL || address->node_id[0] == '\0')
        return rm_error_set(err, RM_E_MISSING_FIELD, "addr.node_id is missing");
    command->in = address->direction == REMOTEMEDIA__V1__CONTROL_DIRECTION__CONTROL_DIRECTION_IN;
    if (!command->in && address->direction != REMOTEMEDIA__V1__CONTROL_DIRECTION__CONTROL_DIRECTION_OUT)
        return rm_error_set(err, RM_E_MISSING_FIELD, "addr.direction is neither IN nor OUT");
    command->node = rmi_copy_text(NULL, address->node_id);
    command->port = rmi_copy_text(NULL, address->port);
    return command->node != NULL && command->port != NULL ? RM_OK : rmi_out_of_memory(err);
}

static int read_data(const rmi_grpc_call *call, rmi_data_buffer *data, rm_packet *packet, rm_error *err)
{
    const rmi_buffer_rules rules = rmi_grpc_rules(call, NULL);
    if (data == NULL)
        return rm_error_set(err, RM_E_MISSING_FIELD, "data is missing");
    return rmi_packet_of_buffer(&rules, data, packet, err);
}

static int read_intercept(const Remotemedia__V1__Intercept *intercept, rmi_control_command *command,
                          rm_error *err)
{
    command->action = RMI_CONTROL_BEGIN_INTERCEPT;
    command->deadline_ms = intercept->deadline_ms != 0 ? intercept->deadline_ms : DEADLINE_MS;
    if (command->deadline_ms > LONGEST_DEADLINE_MS)
        return rm_error_set(err, RM_E_USAGE, "intercept.deadline_ms is at most %d", (int)LONGEST_DEADLINE_MS);
    return read_address(intercept->addr, command, err);
}

static int read_state(const char *node, int state, rmi_control_command *command, rm_error *err)
{
    command->action = RMI_CONTROL_SET_STATE;
    if (state < REMOTEMEDIA__V1__NODE_STATE__NODE_STATE_ENABLED ||
        state > REMOTEMEDIA__V1__NODE_STATE__NODE_STATE_DISABLED)
        return rm_error_set(err, RM_E_USAGE, "state %d is none of ENABLED, BYPASS, DISABLED", state);
    command->state = (rmi_node_state)(state - REMOTEMEDIA__V1__NODE_STATE__NODE_STATE_ENABLED);
    command->node = rmi_copy_text(NULL, node);
    return command->node != NULL ? RM_OK : rmi_out_of_memory(err);
}

static int read_command(const rmi_grpc_call *call, const control_frame *frame, rmi_control_command *command,
                        rm_error *err)
{
    int rc;
    switch (frame->op_case) {
    case REMOTEMEDIA__V1__CONTROL_FRAME__OP_SUBSCRIBE:
        command->action = RMI_CONTROL_SUBSCRIBE;
        return read_address(frame->subscribe->addr, command, err);
    case REMOTEMEDIA__V1__CONTROL_FRAME__OP_UNSUBSCRIBE:
        command->action = RMI_CONTROL_UNSUBSCRIBE;
        return read_address(frame->unsubscribe->addr, command, err);
    case REMOTEMEDIA__V1__CONTROL_FRAME__OP_PUBLISH:
        command->action = RMI_CONTROL_PUBLISH;
        rc = read_address(frame->publish->addr, command, err);
        return rc == RM_OK ? read_data(call, frame->publish->data, &command->packet, err) : rc;
    case REMOTEMEDIA__V1__CONTROL_FRAME__OP_INTERCEPT:
        return read_intercept(frame->intercept, command, err);
    case REMOTEMEDIA__V1__CONTROL_FRAME__OP_REMOVE_INTERCEPT:
        command->action = RMI_CONTROL_END_INTERCEPT;
        return read_address(frame->remove_intercept->addr, command, err);
    case REMOTEMEDIA__V1__CONTROL_FRAME__OP_SET_NODE_STATE:
        return read_state(frame->set_node_state->node_id, (int)frame->set_node_state->state, command, err);
    case REMOTEMEDIA__V1__CONTROL_FRAME__OP_CLEAR_NODE_STATE:
        return read_state(frame->clear_node_state->node_id, REMOTEMEDIA__V1__NODE_STATE__NODE_STATE_ENABLED,
                          command, err);
    case REMOTEMEDIA__V1__CONTROL_FRAME__OP_HELLO:
        return rm_error_set(err, RM_E_USAGE, "hello came a second time");
    default:
        return rm_error_set(err, RM_E_USAGE, "a frame is empty or of an unknown kind");
    }
}

static int reply(const rmi_grpc_call *call, const Remotemedia__V1__InterceptReply *given, rm_error *err)
{
    const attach *s = call->state;
    rmi_control_decision decision = RMI_CONTROL_PASS;
    rm_packet packet = rm_packet_of(rm_null());
    int rc = RM_OK;
    if (given->decision == NULL)
        return rm_error_set(err, RM_E_MISSING_FIELD, "intercept_reply.decision is missing");
    switch (given->decision->decision_case) {
    case REMOTEMEDIA__V1__INTERCEPT_DECISION__DECISION_PASS:
        break;
    case REMOTEMEDIA__V1__INTERCEPT_DECISION__DECISION_DROP:
        decision = RMI_CONTROL_DROP;
        break;
    case REMOTEMEDIA__V1__INTERCEPT_DECISION__DECISION_REPLACE:
        decision = RMI_CONTROL_REPLACE;
        rc = read_data(call, given->decision->replace, &packet, err);
        break;
    default:
        rc = rm_error_set(err, RM_E_MISSING_FIELD, "intercept_reply.decision is none of pass, replace, drop");
    }
    return rc == RM_OK ? rmi_attachment_reply(s->attachment, given->correlation_id, decision, &packet, err)
                       : rc;
}

static void clear_command(rmi_control_command *command)
{
    rmi_free_text(NULL, command->node);
    rmi_free_text(NULL, command->port);
    rm_packet_clear(&command->packet);
}

/* A frame of a client that is attached. What is wrong with it is told, and the call goes on. */
static void take_frame(rmi_grpc_call *call, const control_frame *frame)
{
    const attach *s = call->state;
    rmi_control_command command = {.packet = rm_packet_of(rm_null())};
    rm_error err = {0};
    int rc;
    if (frame->op_case == REMOTEMEDIA__V1__CONTROL_FRAME__OP_INTERCEPT_REPLY) {
        rc = reply(call, frame->intercept_reply, &err);
    } else {
        rc = read_command(call, frame, &command, &err);
        if (rc == RM_OK)
            rmi_attachment_do(s->attachment, &command);
        else
            clear_command(&command);
    }
    if (rc != RM_OK)
        fail(call, &err, false);
}

static void received(rmi_grpc_call *call)
{
    attach *s = call->state;
    const bool ended_input = call->message == NULL;
    rm_error err = {0};
    control_frame *frame =
        (control_frame *)rmi_grpc_message(call, &remotemedia__v1__control_frame__descriptor);
    int rc = RM_OK;
    if (frame == NULL && ended_input && s->attachment != NULL) /* it goes on listening */
        return;
    if (frame == NULL)
        rc = rm_error_set(&err, RM_E_PARSE,
                          "a message is no ControlFrame, or a text in it is no UTF-8 or has a NUL");
    else if (s->attachment == NULL &&
             (frame->op_case != REMOTEMEDIA__V1__CONTROL_FRAME__OP_HELLO || ended_input))
        rc = rm_error_set(&err, RM_E_USAGE, "the first frame must be hello");
    else if (s->attachment == NULL)
        rc = begin_attachment(call, frame->hello, &err);
    else
        take_frame(call, frame);
    if (frame != NULL)
        protobuf_c_message_free_unpacked(&frame->base, NULL);
    if (rc != RM_OK) {
        fail(call, &err, true);
        return;
    }
    atomic_store(&s->reads, false);
    read_on(call);
}

static void begin(rmi_grpc_call *call)
{
    atomic_store(&((attach *)call->state)->reads, true);
    rmi_grpc_read(call);
}

static void sent(rmi_grpc_call *call, bool ok)
{
    attach *s = call->state;
    if (s->ended) {
        rmi_grpc_finish(call, GRPC_STATUS_OK, NULL, NULL);
        return;
    }
    if (!ok)
        return; /* the client is gone */
    atomic_store(&s->sending, false);
    pump(call);
}

static void closed(rmi_grpc_call *call)
{
    attach *s = call->state;
    atomic_store(&s->closed, true);
    if (s->attachment != NULL)
        rmi_attachment_end(s->attachment);
}

static void release(rmi_grpc_call *call)
{
    attach *s = call->state;
    rmi_attachment_free(s->attachment);
    rm_error_clear(&s->failure);
}

const rmi_grpc_method rmi_grpc_attach = {
    .path = "/remotemedia.v1.PipelineControl/Attach",
    .state_size = sizeof(attach),
    .begin = begin,
    .received = received,
    .sent = sent,
    .closed = closed,
    .free = release,
};
