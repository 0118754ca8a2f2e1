#include "transport/grpc/grpc_call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "transport/grpc/byte_buffers.h"
#include "transport/grpc/grpc_listener.h"

void rmi_grpc_hold(rmi_grpc_call *call)
{
    atomic_fetch_add(&call->references, 1);
}

void rmi_grpc_drop(rmi_grpc_call *call)
{
    if (atomic_fetch_sub(&call->references, 1) != 1)
        return;
    if (call->method != NULL && call->method->free != NULL)
        call->method->free(call);
    free(call->state);
    grpc_byte_buffer_destroy(call->message);
    grpc_metadata_array_destroy(&call->metadata);
    grpc_call_details_destroy(&call->details);
    if (call->call != NULL)
        grpc_call_unref(call->call);
    pthread_mutex_destroy(&call->lock);
    rmi_listener *listener = call->listener;
    free(call);
    rmi_grpc_call_freed(listener);
}

/* Starts operations under a tag; `done` drops the reference that they hold. C-core refuses a batch only where the call is used
 * wrongly. */
static void start(rmi_grpc_call *call, const grpc_op *ops, size_t count, rmi_grpc_event *event)
{
    rmi_grpc_hold(call);
    if (grpc_call_start_batch(call->call, ops, count, event, NULL) != GRPC_CALL_OK)
        rmi_grpc_drop(call);
}

static rmi_grpc_call *call_of(rmi_grpc_event *event, size_t offset)
{
    return (rmi_grpc_call *)((char *)event - offset);
}
#define CALL_OF(event, member) call_of(event, offsetof(rmi_grpc_call, member))

/* ---- Reading */

static void received(rmi_grpc_event *event, bool ok)
{
    rmi_grpc_call *call = CALL_OF(event, received);
    if (!ok) {
        grpc_byte_buffer_destroy(call->message);
        call->message = NULL;
    }
    call->method->received(call);
    rmi_grpc_drop(call);
}

void rmi_grpc_read(rmi_grpc_call *call)
{
    grpc_byte_buffer_destroy(call->message);
    call->message = NULL;
    const grpc_op op = {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &call->message};
    call->received.done = received;
    start(call, &op, 1, &call->received);
}

ProtobufCMessage *rmi_grpc_message(rmi_grpc_call *call, const ProtobufCMessageDescriptor *type)
{
    return call->message != NULL ? rmi_unpack_message(call->message, type) : NULL;
}

ProtobufCMessage *rmi_grpc_request(rmi_grpc_call *call, const ProtobufCMessageDescriptor *type)
{
    char text[128];
    ProtobufCMessage *message = rmi_grpc_message(call, type);
    if (message == NULL) {
        (void)snprintf(text, sizeof text, "the request is no %s, or a text in it is no UTF-8 or has a NUL",
                       type->short_name);
        rmi_grpc_finish(call, GRPC_STATUS_INVALID_ARGUMENT, text, NULL);
    }
    return message;
}

/* ---- Writing */

/* The first operation that sends also sends the initial metadata. */
static size_t begin_sending(rmi_grpc_call *call, grpc_op *ops)
{
    const bool first = !call->sends;
    call->sends = true;
    if (first)
        ops[0] = (grpc_op){.op = GRPC_OP_SEND_INITIAL_METADATA};
    return first;
}

static void sent(rmi_grpc_event *event, bool ok)
{
    rmi_grpc_call *call = CALL_OF(event, sent);
    call->method->sent(call, ok);
    rmi_grpc_drop(call);
}

void rmi_grpc_send(rmi_grpc_call *call, const ProtobufCMessage *message)
{
    grpc_op ops[2];
    size_t count = begin_sending(call, ops);
    grpc_byte_buffer *buffer = rmi_pack_message(message);
    ops[count++] = (grpc_op){.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = buffer};
    call->sent.done = sent;
    start(call, ops, count, &call->sent);
    grpc_byte_buffer_destroy(buffer);
}

static void finished(rmi_grpc_event *event, bool ok)
{
    (void)ok; /* the client is gone; `closed` says so */
    rmi_grpc_drop(CALL_OF(event, sent));
}

void rmi_grpc_finish(rmi_grpc_call *call, grpc_status_code status, const char *text,
                     const ProtobufCMessage *message)
{
    grpc_op ops[3];
    size_t count = begin_sending(call, ops);
    grpc_slice details = grpc_slice_from_copied_string(text != NULL ? text : "");
    grpc_byte_buffer *buffer = message != NULL ? rmi_pack_message(message) : NULL;
    if (buffer != NULL)
        ops[count++] = (grpc_op){.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = buffer};
    ops[count++] = (grpc_op){.op = GRPC_OP_SEND_STATUS_FROM_SERVER,
                             .data.send_status_from_server = {.status = status, .status_details = &details}};
    call->sent.done = finished;
    start(call, ops, count, &call->sent);
    grpc_slice_unref(details);
    if (buffer != NULL)
        grpc_byte_buffer_destroy(buffer);
}

/* ---- Begin and end */

static void closed(rmi_grpc_event *event, bool ok)
{
    rmi_grpc_call *call = CALL_OF(event, closed);
    (void)ok;
    if (call->method != NULL && call->method->closed != NULL)
        call->method->closed(call);
    rmi_grpc_drop(call);
}

static void watch(rmi_grpc_call *call)
{
    const grpc_op op = {.op = GRPC_OP_RECV_CLOSE_ON_SERVER,
                        .data.recv_close_on_server.cancelled = &call->was_cancelled};
    call->closed.done = closed;
    start(call, &op, 1, &call->closed);
}

static bool slice_is(grpc_slice slice, const char *text)
{
    return grpc_slice_str_cmp(slice, text) == 0;
}

static size_t identity_of(const rmi_grpc_call *call)
{
    const rmi_service *service = rmi_grpc_listener_service(call->listener);
    for (size_t i = 0; i < call->metadata.count; i++) {
        const grpc_slice value = call->metadata.metadata[i].value;
        if (slice_is(call->metadata.metadata[i].key, "authorization"))
            return rmi_service_identity(service, (const char *)GRPC_SLICE_START_PTR(value),
                                        GRPC_SLICE_LENGTH(value));
    }
    return rmi_service_identity(service, NULL, 0);
}

static const rmi_grpc_method *const methods[] = {
    &rmi_grpc_execute,    &rmi_grpc_version,          &rmi_grpc_stream, &rmi_grpc_health,
    &rmi_grpc_reflection, &rmi_grpc_reflection_alpha, &rmi_grpc_attach};

void rmi_grpc_begin(rmi_grpc_call *call)
{
    const rmi_grpc_method *method = NULL;
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (slice_is(call->details.method, methods[i]->path))
            method = methods[i];
    watch(call);
    call->identity = identity_of(call);
    if (call->identity == 0) { /* first: strangers learn nothing */
        rmi_grpc_finish(call, GRPC_STATUS_UNAUTHENTICATED,
                        "a token is needed: metadata authorization: Bearer TOKEN", NULL);
        return;
    }
    if (method == NULL) {
        rmi_grpc_finish(call, GRPC_STATUS_UNIMPLEMENTED, "there is no such method", NULL);
        return;
    }
    call->state = calloc(1, method->state_size);
    if (call->state == NULL) {
        rmi_grpc_finish(call, GRPC_STATUS_RESOURCE_EXHAUSTED, "out of memory", NULL);
        return;
    }
    call->method = method;
    method->begin(call);
}
