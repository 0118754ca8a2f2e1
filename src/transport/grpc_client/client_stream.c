/* A stream to a server: a StreamPipeline call.
 *
 * Two parties share it, under its lock: the node, and the client's thread, which ends operations. Messages to send wait in a queue
 * with a bound, so that the connection is never idle for want of the node. Messages are read ahead up to a bound, too: a node that
 * takes no results stops the server. Each operation in progress holds a reference, and so does the node. */
#include <grpc/grpc_security.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "transport/grpc/byte_buffers.h"
#include "transport/grpc/hops.h"
#include "transport/grpc_client/client_messages.h"
#include "transport/grpc_client/client_stream.h"

enum { QUEUE = 64, QUEUED_BYTES = 1 << 20, READ_AHEAD = 64 };

typedef Remotemedia__V1__StreamResponse stream_response;

typedef struct waiting_event {
    rmi_remote_event event;
    struct waiting_event *next;
} waiting_event;

struct rmi_remote_stream {
    atomic_int references;
    pthread_mutex_t lock; /* of the rest */
    rmi_client_event begun, sent, received, ended;
    grpc_channel *channel; /* owned */
    grpc_call *call;       /* owned */
    grpc_metadata_array first, last;
    grpc_status_code status;
    grpc_slice details;
    grpc_byte_buffer *message; /* being received; owned */

    const char *const *sources, *const *sinks;
    const char *acknowledging;
    void (*woken)(void *context);
    void *context;
    bool is_free; /* the node has freed it: no operation begins */

    grpc_byte_buffer *queue[QUEUE]; /* to send; owned; a ring */
    size_t queued, head, queued_bytes;
    bool sending, finishing, half_closed;

    waiting_event *events, *last_event; /* owned */
    size_t event_count;
    bool reading, read_all, has_status, told_end;
};

/* ---- Life */

static void drop_event(waiting_event *waiting)
{
    rm_packet_clear(&waiting->event.packet);
    rm_error_clear(&waiting->event.error);
    free(waiting);
}

static void drop(rmi_remote_stream *stream)
{
    if (atomic_fetch_sub(&stream->references, 1) != 1)
        return;
    for (; stream->queued > 0; stream->queued--, stream->head = (stream->head + 1) % QUEUE)
        grpc_byte_buffer_destroy(stream->queue[stream->head]);
    while (stream->events != NULL) {
        waiting_event *gone = stream->events;
        stream->events = gone->next;
        drop_event(gone);
    }
    grpc_byte_buffer_destroy(stream->message);
    if (stream->call != NULL)
        grpc_call_unref(stream->call);
    if (stream->channel != NULL)
        grpc_channel_destroy(stream->channel);
    grpc_metadata_array_destroy(&stream->first);
    grpc_metadata_array_destroy(&stream->last);
    grpc_slice_unref(stream->details);
    (void)pthread_mutex_destroy(&stream->lock);
    free(stream);
}

void rmi_client_stream_free(rmi_remote_stream *stream)
{
    if (stream == NULL)
        return;
    pthread_mutex_lock(&stream->lock);
    stream->is_free = true;
    pthread_mutex_unlock(&stream->lock);
    if (stream->call != NULL)
        (void)grpc_call_cancel(stream->call, NULL);
    drop(stream);
}

/* Starts operations; their end drops the reference. false: C-core refuses them. */
static bool start(rmi_remote_stream *stream, const grpc_op *ops, size_t count, rmi_client_event *event,
                  void (*done)(rmi_client_event *event, bool ok))
{
    event->done = done;
    event->stream = stream;
    atomic_fetch_add(&stream->references, 1);
    if (grpc_call_start_batch(stream->call, ops, count, event, NULL) == GRPC_CALL_OK)
        return true;
    atomic_fetch_sub(&stream->references, 1); /* the caller has one */
    return false;
}

/* Under the lock. */
static void wake(const rmi_remote_stream *stream)
{
    if (!stream->is_free)
        stream->woken(stream->context);
}

/* ---- Events; under the lock */

/* Consumes the content of *event. */
static void put_event(rmi_remote_stream *stream, rmi_remote_event *event)
{
    waiting_event *made = calloc(1, sizeof *made);
    if (made == NULL) { /* the node sees the end of the connection */
        rm_packet_clear(&event->packet);
        rm_error_clear(&event->error);
        (void)grpc_call_cancel(stream->call, NULL);
        return;
    }
    made->event = *event;
    if (stream->last_event != NULL)
        stream->last_event->next = made;
    else
        stream->events = made;
    stream->last_event = made;
    stream->event_count++;
    stream->told_end |= event->kind == RMI_REMOTE_CLOSED || event->kind == RMI_REMOTE_LOST;
}

static rmi_remote_event event_of(rmi_remote_kind kind)
{
    return (rmi_remote_event){.kind = kind, .packet = rm_packet_of(rm_null())};
}

static size_t sink_of(const rmi_remote_stream *stream, const char *id)
{
    size_t i = 0;
    while (stream->sinks[i] != NULL && strcmp(stream->sinks[i], id) != 0)
        i++;
    return i;
}

/* A message that makes no sense ends the stream. */
static void lose(rmi_remote_stream *stream, const rm_error *why)
{
    rmi_remote_event event = event_of(RMI_REMOTE_LOST);
    event.for_good = true;
    (void)rm_error_set(&event.error, RM_E_PARSE, "%s", why->message);
    put_event(stream, &event);
    (void)grpc_call_cancel(stream->call, NULL);
}

static void put_result(rmi_remote_stream *stream, const Remotemedia__V1__ChunkResult *result)
{
    const rmi_buffer_rules rules = {0}; /* no files */
    for (size_t i = 0; i < result->n_data_outputs; i++) {
        rmi_remote_event event = event_of(RMI_REMOTE_RESULT);
        rm_error err = {0};
        event.sink = sink_of(stream, result->data_outputs[i]->key);
        event.sequence = result->sequence;
        event.has_sequence = true;
        if (stream->sinks[event.sink] == NULL)
            continue;
        const int rc = result->data_outputs[i]->value != NULL
                           ? rmi_packet_of_buffer(&rules, result->data_outputs[i]->value, &event.packet, &err)
                           : rm_error_set(&err, RM_E_VALUE, "a result has no data");
        if (rc == RM_OK)
            put_event(stream, &event);
        else
            lose(stream, &err);
        rm_error_clear(&err);
    }
}

static void put_failure(rmi_remote_stream *stream, const rmi_error_response *message)
{
    rmi_remote_event event = event_of(RMI_REMOTE_FAILED);
    (void)rmi_error_of_message(message, &event.has_sequence, &event.sequence, &event.error);
    put_event(stream, &event);
}

static void put_response(rmi_remote_stream *stream, const stream_response *response)
{
    rmi_remote_event event;
    if (stream->told_end)
        return;
    switch (response->response_case) {
    case REMOTEMEDIA__V1__STREAM_RESPONSE__RESPONSE_READY:
        event = event_of(RMI_REMOTE_READY);
        put_event(stream, &event);
        break;
    case REMOTEMEDIA__V1__STREAM_RESPONSE__RESPONSE_RESULT:
        put_result(stream, response->result);
        break;
    case REMOTEMEDIA__V1__STREAM_RESPONSE__RESPONSE_ERROR:
        put_failure(stream, response->error);
        break;
    case REMOTEMEDIA__V1__STREAM_RESPONSE__RESPONSE_CLOSED:
        event = event_of(RMI_REMOTE_CLOSED);
        put_event(stream, &event);
        break;
    default: /* metrics, and what later versions tell */
        break;
    }
}

/* ---- The end of the connection */

static bool is_for_good(grpc_status_code status)
{
    return status == GRPC_STATUS_UNAUTHENTICATED || status == GRPC_STATUS_PERMISSION_DENIED ||
           status == GRPC_STATUS_UNIMPLEMENTED || status == GRPC_STATUS_INVALID_ARGUMENT;
}

static void put_end(rmi_remote_stream *stream)
{
    rmi_remote_event event = event_of(RMI_REMOTE_LOST);
    char text[256];
    if (stream->told_end || !stream->has_status || !stream->read_all)
        return;
    (void)snprintf(text, sizeof text, "%.*s", (int)GRPC_SLICE_LENGTH(stream->details),
                   (const char *)GRPC_SLICE_START_PTR(stream->details));
    event.for_good = is_for_good(stream->status);
    event.too_large = stream->status == GRPC_STATUS_RESOURCE_EXHAUSTED;
    const int code = event.too_large                                   ? RM_E_LIMIT
                     : stream->status == GRPC_STATUS_DEADLINE_EXCEEDED ? RM_E_TIMEOUT
                                                                       : RM_E_IO;
    (void)rm_error_set(&event.error, code, "%s",
                       text[0] != '\0' ? text : "the server ended the call before the pipeline had ended");
    put_event(stream, &event);
}

static void ended(rmi_client_event *tag, bool ok)
{
    rmi_remote_stream *stream = tag->stream;
    (void)ok;
    pthread_mutex_lock(&stream->lock);
    stream->has_status = true;
    put_end(stream);
    wake(stream);
    pthread_mutex_unlock(&stream->lock);
    drop(stream);
}

static void begun(rmi_client_event *tag, bool ok)
{
    (void)ok; /* a failure shows in the status */
    drop(tag->stream);
}

/* ---- Receiving */

static void read_next(rmi_remote_stream *stream);

static void take_message(rmi_remote_stream *stream)
{
    rm_error err = {0};
    stream_response *response =
        (stream_response *)rmi_unpack_message(stream->message, &remotemedia__v1__stream_response__descriptor);
    if (response == NULL) {
        (void)rm_error_set(&err, RM_E_PARSE, "a message is no StreamResponse");
        lose(stream, &err);
        return;
    }
    put_response(stream, response);
    remotemedia__v1__stream_response__free_unpacked(response, NULL);
}

static void received(rmi_client_event *tag, bool ok)
{
    rmi_remote_stream *stream = tag->stream;
    pthread_mutex_lock(&stream->lock);
    stream->reading = false;
    if (!ok || stream->message == NULL) {
        stream->read_all = true;
        put_end(stream);
    } else {
        if (!stream->is_free)
            take_message(stream);
        grpc_byte_buffer_destroy(stream->message);
        stream->message = NULL;
        read_next(stream);
    }
    wake(stream);
    pthread_mutex_unlock(&stream->lock);
    drop(stream);
}

/* Under the lock. */
static void read_next(rmi_remote_stream *stream)
{
    if (stream->reading || stream->read_all || stream->is_free || stream->event_count >= READ_AHEAD)
        return;
    const grpc_op op = {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &stream->message};
    stream->reading = start(stream, &op, 1, &stream->received, received);
    stream->read_all = !stream->reading;
}

int rmi_client_stream_next(rmi_remote_stream *stream, rmi_remote_event *event)
{
    pthread_mutex_lock(&stream->lock);
    waiting_event *first = stream->events;
    if (first != NULL) {
        stream->events = first->next;
        if (first->next == NULL)
            stream->last_event = NULL;
        stream->event_count--;
        read_next(stream);
    }
    pthread_mutex_unlock(&stream->lock);
    if (first == NULL)
        return RM_AGAIN;
    *event = first->event;
    free(first);
    return RM_OK;
}

/* ---- Sending; under the lock */

static void send_next(rmi_remote_stream *stream);

static void sent(rmi_client_event *tag, bool ok)
{
    rmi_remote_stream *stream = tag->stream;
    pthread_mutex_lock(&stream->lock);
    stream->sending = false;
    if (ok)
        send_next(stream);
    wake(stream);
    pthread_mutex_unlock(&stream->lock);
    drop(stream);
}

static void send_next(rmi_remote_stream *stream)
{
    if (stream->sending || stream->is_free || stream->half_closed)
        return;
    if (stream->queued > 0) {
        grpc_byte_buffer *buffer = stream->queue[stream->head];
        stream->head = (stream->head + 1) % QUEUE;
        stream->queued--;
        stream->queued_bytes -= grpc_byte_buffer_length(buffer);
        const grpc_op op = {.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = buffer};
        stream->sending = start(stream, &op, 1, &stream->sent, sent);
        grpc_byte_buffer_destroy(buffer);
    } else if (stream->finishing) {
        const grpc_op op = {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT};
        stream->half_closed = true;
        stream->sending = start(stream, &op, 1, &stream->sent, sent);
    }
}

static void enqueue(rmi_remote_stream *stream, grpc_byte_buffer *buffer)
{
    stream->queue[(stream->head + stream->queued++) % QUEUE] = buffer;
    stream->queued_bytes += grpc_byte_buffer_length(buffer);
}

static int add_message(const char *source, uint64_t sequence, const rm_packet *packet,
                       grpc_byte_buffer **made, size_t *count, rm_error *err)
{
    const int rc = rmi_chunk_message(source, sequence, packet, &made[*count], err);
    *count += rc == RM_OK;
    return rc;
}

/* Makes the messages of a packet. *count: how many; on failure none is left. */
static int make_messages(const rmi_remote_stream *stream, uint64_t sequence, const rm_packet *packet,
                         grpc_byte_buffer **made, size_t *count, rm_error *err)
{
    const rm_packet mark = rm_packet_of(rm_null());
    int rc = RM_OK;
    *count = 0;
    if (sequence == 0)
        rc = add_message(stream->acknowledging, 0, &mark, made, count, err);
    for (size_t i = 0; rc == RM_OK && stream->sources[i] != NULL; i++)
        rc = add_message(stream->sources[i], sequence, packet, made, count, err);
    if (rc == RM_OK)
        rc = add_message(stream->acknowledging, sequence + 1, &mark, made, count, err);
    for (; rc != RM_OK && *count > 0; --*count)
        grpc_byte_buffer_destroy(made[*count - 1]);
    return rc;
}

int rmi_client_stream_send(rmi_remote_stream *stream, uint64_t sequence, const rm_packet *packet,
                           rm_error *err)
{
    grpc_byte_buffer *made[QUEUE];
    size_t count = 2; /* for the acknowledging source */
    for (size_t i = 0; stream->sources[i] != NULL; i++)
        count++;
    pthread_mutex_lock(&stream->lock);
    const bool full = stream->queued + count > QUEUE || stream->queued_bytes > QUEUED_BYTES;
    pthread_mutex_unlock(&stream->lock);
    if (full)
        return RM_AGAIN;
    const int rc = make_messages(stream, sequence, packet, made, &count, err);
    pthread_mutex_lock(&stream->lock);
    for (size_t i = 0; rc == RM_OK && i < count; i++)
        enqueue(stream, made[i]);
    send_next(stream);
    pthread_mutex_unlock(&stream->lock);
    return rc;
}

void rmi_client_stream_finish(rmi_remote_stream *stream)
{
    pthread_mutex_lock(&stream->lock);
    stream->finishing = true;
    send_next(stream);
    pthread_mutex_unlock(&stream->lock);
}

/* ---- Begin */

static bool make_channel(rmi_remote_stream *stream, const rmi_remote_options *options)
{
    grpc_arg arguments[] = {
        {.type = GRPC_ARG_INTEGER, .key = GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, .value.integer = -1},
        {.type = GRPC_ARG_INTEGER, .key = GRPC_ARG_ENABLE_RETRIES, .value.integer = 0},
        {.type = GRPC_ARG_INTEGER, .key = GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, .value.integer = 1},
        {.type = GRPC_ARG_INTEGER, .key = GRPC_ARG_ENABLE_HTTP_PROXY, .value.integer = 0},
        {.type = GRPC_ARG_INTEGER, .key = GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, .value.integer = 1},
    };
    const grpc_channel_args all = {sizeof arguments / sizeof *arguments, arguments};
    const char *authorities = options->authorities;
    grpc_channel_credentials *credentials =
        authorities == NULL
            ? grpc_insecure_credentials_create()
            : grpc_ssl_credentials_create(authorities[0] != '\0' ? authorities : NULL, NULL, NULL, NULL);
    if (credentials == NULL)
        return false;
    stream->channel = grpc_channel_create(options->endpoint, credentials, &all);
    grpc_channel_credentials_release(credentials);
    return stream->channel != NULL;
}

static void make_call(rmi_remote_client *client, rmi_remote_stream *stream, const rmi_remote_options *options)
{
    const grpc_slice method =
        grpc_slice_from_static_string("/remotemedia.v1.StreamingPipelineService/StreamPipeline");
    gpr_timespec deadline = gpr_inf_future(GPR_CLOCK_MONOTONIC);
    if (options->timeout_ms > 0)
        deadline = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                                gpr_time_from_millis(options->timeout_ms, GPR_TIMESPAN));
    stream->call = grpc_channel_create_call(stream->channel, NULL, GRPC_PROPAGATE_DEFAULTS,
                                            rmi_client_queue(client), method, NULL, deadline, NULL);
}

/* Starts what goes on for as long as the call does, and sends the metadata. */
static bool begin_call(rmi_remote_stream *stream, const rmi_remote_options *options)
{
    char hops[16], bearer[1024];
    (void)snprintf(hops, sizeof hops, "%u", options->hops);
    (void)snprintf(bearer, sizeof bearer, "Bearer %s", options->token != NULL ? options->token : "");
    grpc_metadata metadata[] = {
        {.key = grpc_slice_from_static_string(RMI_HOPS_KEY), .value = grpc_slice_from_copied_string(hops)},
        {.key = grpc_slice_from_static_string("authorization"),
         .value = grpc_slice_from_copied_string(bearer)},
    };
    const grpc_op first[] = {
        {.op = GRPC_OP_SEND_INITIAL_METADATA,
         .data.send_initial_metadata = {.count = options->token != NULL ? 2 : 1, .metadata = metadata}},
        {.op = GRPC_OP_RECV_INITIAL_METADATA,
         .data.recv_initial_metadata.recv_initial_metadata = &stream->first},
    };
    const grpc_op last = {.op = GRPC_OP_RECV_STATUS_ON_CLIENT,
                          .data.recv_status_on_client = {.trailing_metadata = &stream->last,
                                                         .status = &stream->status,
                                                         .status_details = &stream->details}};
    const bool started =
        start(stream, first, 2, &stream->begun, begun) && start(stream, &last, 1, &stream->ended, ended);
    for (size_t i = 0; i < sizeof metadata / sizeof *metadata; i++)
        grpc_slice_unref(metadata[i].value);
    return started;
}

int rmi_client_stream_open(rmi_remote_client *client, const rmi_remote_options *options,
                           rmi_remote_stream **out, rm_error *err)
{
    grpc_byte_buffer *init = NULL;
    rmi_remote_stream *stream = calloc(1, sizeof *stream);
    *out = NULL;
    if (stream == NULL)
        return rmi_out_of_memory(err);
    stream->references = 1;
    (void)pthread_mutex_init(&stream->lock, NULL);
    grpc_metadata_array_init(&stream->first);
    grpc_metadata_array_init(&stream->last);
    stream->details = grpc_empty_slice();
    stream->sources = options->sources;
    stream->sinks = options->sinks;
    stream->acknowledging = options->acknowledging;
    stream->woken = options->woken;
    stream->context = options->context;
    int rc = rmi_init_message(options, &init, err);
    if (rc == RM_OK && !make_channel(stream, options))
        rc = rm_error_set(err, RM_E_VALUE, "the certificates of its authorities cannot be used");
    if (rc == RM_OK)
        make_call(client, stream, options);
    if (rc == RM_OK && (stream->call == NULL || !begin_call(stream, options)))
        rc = rm_error_set(err, RM_E_INTERNAL, "gRPC takes no call");
    if (rc != RM_OK) {
        grpc_byte_buffer_destroy(init);
        rmi_client_stream_free(stream);
        return rc;
    }
    pthread_mutex_lock(&stream->lock);
    enqueue(stream, init);
    send_next(stream);
    read_next(stream);
    pthread_mutex_unlock(&stream->lock);
    *out = stream;
    return RM_OK;
}
