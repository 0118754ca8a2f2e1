/* StreamPipeline: chunks in, results out, as they come.
 *
 * Three parties share the state, under the call's lock: the listener's threads bring messages and the ends of sends, the session's
 * task takes chunks and gives results. One message is being sent at a time: a session that has a result meanwhile waits, and so
 * does the pipeline behind it. One chunk is read ahead; the next message is not read before there is room, so a client that
 * sends too fast waits too. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "platform/platform.h"
#include "transport/grpc/grpc_listener.h"
#include "transport/grpc/open_run.h"
#include "transport/grpc/sequences.h"

typedef Remotemedia__V1__StreamRequest stream_request;
typedef Remotemedia__V1__StreamResponse stream_response;

enum {
    RECOMMENDED_CHUNK = 4096,
    LATENCY_MS = 100,
    CHUNKS_A_METRIC = 10,
};

/* What a stream sends at its end, one after the other. */
typedef enum stage { RUNNING, ENDING, TOLD, CLOSED, FINISHED } stage;

typedef struct stream {
    rmi_session *session; /* owned; NULL before init and after the end */
    bool over;            /* the client is gone, or all was sent */
    stage stage;
    bool sending, greeted;

    /* Input */
    stream_request *chunk, *taken; /* owned: read but not taken yet; the one that packets are taken from */
    bool closing;                  /* no chunk will come */
    bool cancelling;               /* the client has cancelled the run */
    rm_error violation; /* of the protocol, to be told in the place of the next chunk; code 0: none */
    bool refused;       /* what the client has sent is at fault, */
    bool has_refused;   /* in the chunk with the sequence `refused_sequence` */
    uint64_t refused_sequence;
    rmi_sequences sequences;
    size_t next_packet; /* of the chunk taken last */
    rmi_buffer_rules rules;
    Remotemedia__V1__StreamInit *init; /* owned: its data_inputs are the first items */
    size_t next_input;
    int64_t begun;

    /* Output */
    uint64_t chunks, results, told; /* told: chunks at the last metrics */
    double total_ms;
    int code; /* of the run */
    rm_error failure;
    bool validating;                            /* the failure is the manifest's */
    Remotemedia__V1__ExecutionMetrics *metrics; /* owned: of the whole run */
    char id[32];
} stream;

/* ---- Messages out; under the lock */

static void send(rmi_grpc_call *call, stream_response *response)
{
    stream *s = call->state;
    s->sending = true;
    rmi_grpc_send(call, &response->base);
}

static void send_ready(rmi_grpc_call *call)
{
    stream *s = call->state;
    Remotemedia__V1__StreamReady ready = REMOTEMEDIA__V1__STREAM_READY__INIT;
    stream_response response = REMOTEMEDIA__V1__STREAM_RESPONSE__INIT;
    ready.session_id = s->id;
    ready.recommended_chunk_size = RECOMMENDED_CHUNK;
    ready.max_buffer_latency_ms = LATENCY_MS;
    response.response_case = REMOTEMEDIA__V1__STREAM_RESPONSE__RESPONSE_READY;
    response.ready = &ready;
    s->greeted = true;
    send(call, &response);
}

static void send_metrics(rmi_grpc_call *call)
{
    stream *s = call->state;
    Remotemedia__V1__StreamMetrics metrics = REMOTEMEDIA__V1__STREAM_METRICS__INIT;
    stream_response response = REMOTEMEDIA__V1__STREAM_RESPONSE__INIT;
    metrics.session_id = s->id;
    metrics.chunks_processed = s->chunks;
    metrics.average_latency_ms = s->results > 0 ? s->total_ms / (double)s->results : 0;
    metrics.total_items = s->results;
    metrics.buffer_items = s->chunk != NULL;
    response.response_case = REMOTEMEDIA__V1__STREAM_RESPONSE__RESPONSE_METRICS;
    response.metrics = &metrics;
    s->told = s->chunks;
    send(call, &response);
}

static void send_error(rmi_grpc_call *call)
{
    stream *s = call->state;
    stream_response response = REMOTEMEDIA__V1__STREAM_RESPONSE__INIT;
    const int64_t sequence = s->has_refused        ? (int64_t)s->refused_sequence
                             : s->failure.has_item ? (int64_t)rmi_sequences_of(&s->sequences, s->failure.item)
                                                   : -1;
    response.response_case = REMOTEMEDIA__V1__STREAM_RESPONSE__RESPONSE_ERROR;
    response.error = rmi_error_message(&s->failure, s->validating, sequence);
    send(call, &response);
    if (response.error != NULL)
        protobuf_c_message_free_unpacked(&response.error->base, NULL);
}

static void send_closed(rmi_grpc_call *call)
{
    stream *s = call->state;
    Remotemedia__V1__StreamClosed closed = REMOTEMEDIA__V1__STREAM_CLOSED__INIT;
    stream_response response = REMOTEMEDIA__V1__STREAM_RESPONSE__INIT;
    char reason[128];
    const char *how = s->cancelling ? "cancelled" : s->code == RM_OK ? "closed" : "failed";
    (void)snprintf(reason, sizeof reason, "%s: %" PRIu64 " chunks, %" PRIu64 " results", how, s->chunks,
                   s->results);
    closed.session_id = s->id;
    closed.reason = reason;
    closed.final_metrics = s->metrics;
    response.response_case = REMOTEMEDIA__V1__STREAM_RESPONSE__RESPONSE_CLOSED;
    response.closed = &closed;
    send(call, &response);
}

/* Sends what comes next at the end, unless a message is being sent. What goes wrong in a run is told in the messages; the status
 * of the call is about the call. */
static void go_on(rmi_grpc_call *call)
{
    stream *s = call->state;
    if (s->sending || s->over)
        return;
    if (s->stage == ENDING && s->code != RM_OK && !s->cancelling) {
        s->stage = TOLD;
        send_error(call);
    } else if (s->stage == ENDING || s->stage == TOLD) {
        s->stage = CLOSED;
        send_closed(call);
    } else if (s->stage == CLOSED) {
        s->stage = FINISHED;
        rmi_grpc_finish(call, GRPC_STATUS_OK, NULL, NULL);
    }
}

/* ---- Chunks in */

/* Makes the next packet of the chunk that was taken, which *source points into. */
static int read_chunk(stream *s, const char **source, rm_packet *packet, rm_error *err)
{
    uint64_t sequence;
    rmi_chunk_address(s->taken, s->next_packet, source, &sequence);
    s->chunks += s->next_packet == 0;
    int rc =
        rmi_sequences_note(&s->sequences, *source != NULL ? *source : "", sequence, rmi_platform_now(), err);
    if (rc == RM_OK)
        rc = rmi_chunk_packet(&s->rules, s->taken, s->next_packet++, packet, err);
    s->refused = s->has_refused = rc < 0;
    s->refused_sequence = sequence;
    return rc;
}

/* The first items are those of the init message. */
static int read_first(stream *s, const char **source, rm_packet *packet, rm_error *err)
{
    Remotemedia__V1__StreamInit__DataInputsEntry *entry = s->init->data_inputs[s->next_input++];
    *source = entry->key;
    if (entry->value == NULL)
        return rm_error_set(err, RM_E_VALUE, "data_inputs['%s'] has no data", entry->key);
    return rmi_packet_of_buffer(&s->rules, entry->value, packet, err);
}

static void free_message(ProtobufCMessage *message)
{
    if (message != NULL)
        protobuf_c_message_free_unpacked(message, NULL);
}

static int take_chunk(stream *s, const char **source, rm_packet *packet, rm_error *err)
{
    free_message(s->taken != NULL ? &s->taken->base : NULL);
    s->taken = s->chunk;
    s->next_packet = 0;
    s->chunk = NULL;
    if (s->taken != NULL)
        return read_chunk(s, source, packet, err);
    if (s->violation.code != RM_OK) {
        const int rc = s->violation.code;
        rm_error_move(err, &s->violation);
        s->refused = true;
        return rc;
    }
    return s->closing ? RM_DONE : RM_AGAIN;
}

static int input(void *context, const char **source, rm_packet *packet, rm_error *err)
{
    rmi_grpc_call *call = context;
    stream *s = call->state;
    int rc;
    pthread_mutex_lock(&call->lock);
    if (!s->greeted) /* the nodes are open */
        send_ready(call);
    if (s->next_input < s->init->n_data_inputs) {
        rc = read_first(s, source, packet, err);
    } else if (s->taken != NULL && s->next_packet < rmi_chunk_packets(s->taken)) {
        rc = read_chunk(s, source, packet, err);
    } else {
        const bool full = s->chunk != NULL;
        rc = take_chunk(s, source, packet, err);
        if (full && !s->closing)
            rmi_grpc_read(call);
    }
    pthread_mutex_unlock(&call->lock);
    return rc;
}

/* ---- Results out */

static int send_result(rmi_grpc_call *call, const char *sink, const rm_packet *packet, rm_error *err)
{
    stream *s = call->state;
    Remotemedia__V1__ChunkResult result = REMOTEMEDIA__V1__CHUNK_RESULT__INIT;
    Remotemedia__V1__ChunkResult__DataOutputsEntry entry =
        REMOTEMEDIA__V1__CHUNK_RESULT__DATA_OUTPUTS_ENTRY__INIT;
    Remotemedia__V1__ChunkResult__DataOutputsEntry *entries[] = {&entry};
    stream_response response = REMOTEMEDIA__V1__STREAM_RESPONSE__INIT;
    const int rc = rmi_buffer_of_packet(packet, &entry.value, err);
    if (rc != RM_OK)
        return rc;
    entry.key = (char *)sink;
    result.n_data_outputs = 1;
    result.data_outputs = entries;
    result.sequence = rmi_sequences_of(&s->sequences, packet->seq);
    result.processing_time_ms = rmi_sequences_age(&s->sequences, packet->seq, rmi_platform_now());
    result.total_items_processed = ++s->results;
    s->total_ms += result.processing_time_ms;
    response.response_case = REMOTEMEDIA__V1__STREAM_RESPONSE__RESPONSE_RESULT;
    response.result = &result;
    send(call, &response);
    protobuf_c_message_free_unpacked(&entry.value->base, NULL);
    return RM_OK;
}

static int take_result(void *context, const rmi_session *session, size_t sink, rm_packet *packet,
                       rm_error *err)
{
    rmi_grpc_call *call = context;
    stream *s = call->state;
    int rc = RM_AGAIN;
    pthread_mutex_lock(&call->lock);
    if (s->over)
        rc = rm_error_set(err, RM_E_CANCELLED, "the client is gone");
    else if (!s->sending && s->chunks - s->told >= CHUNKS_A_METRIC)
        send_metrics(call);
    else if (!s->sending)
        rc = send_result(call, rm_pipeline_sink_id(rmi_session_pipeline(session), sink), packet, err);
    pthread_mutex_unlock(&call->lock);
    if (rc == RM_OK)
        rm_packet_clear(packet);
    return rc;
}

static void ended(void *context, rmi_session *session, int code, rm_error *err)
{
    rmi_grpc_call *call = context;
    stream *s = call->state;
    pthread_mutex_lock(&call->lock);
    s->session = NULL;
    s->code = code;
    s->validating = s->refused || rmi_session_pipeline(session) == NULL;
    rm_error_move(&s->failure, err);
    /* Without memory the last message has no metrics. */
    (void)!rmi_metrics_of(rmi_session_pipeline(session), (double)(rmi_platform_now() - s->begun) / 1e6,
                          &s->metrics, NULL);
    s->stage = ENDING;
    go_on(call);
    pthread_mutex_unlock(&call->lock);
    rmi_service_close(rmi_grpc_listener_service(call->listener), session);
    rmi_grpc_drop(call);
}

static const rmi_client client = {input, take_result, ended};

/* ---- The call; each under the lock */

/* Ends a call that has no session. */
static void refuse(rmi_grpc_call *call, rm_error *err)
{
    stream *s = call->state;
    s->code = err->code;
    s->validating = true;
    rm_error_move(&s->failure, err);
    s->stage = ENDING;
    go_on(call);
}

static void begin_session(rmi_grpc_call *call, stream_request *request)
{
    stream *s = call->state;
    rm_error err = {0};
    if (request->request_case != REMOTEMEDIA__V1__STREAM_REQUEST__REQUEST_INIT || request->init == NULL) {
        (void)rm_error_set(&err, RM_E_USAGE, "the first message must be init");
        refuse(call, &err);
        return;
    }
    s->init = request->init;
    s->sequences.before = s->init->n_data_inputs > 0;
    request->init = NULL;
    request->request_case = REMOTEMEDIA__V1__STREAM_REQUEST__REQUEST__NOT_SET;
    const Remotemedia__V1__StreamInit *init = s->init;
    s->rules = rmi_grpc_rules(call, init->resource_limits);
    const int rc = rmi_grpc_open(call, init->manifest, init->resource_limits, init->client_version, false,
                                 &client, &s->session, &err);
    if (rc != RM_OK) {
        refuse(call, &err);
        return;
    }
    (void)snprintf(s->id, sizeof s->id, "s%016" PRIx64, rmi_session_number(s->session));
    s->begun = rmi_platform_now();
    rmi_grpc_hold(call);
    rmi_grpc_read(call);
    rmi_session_wake(s->session);
}

/* A message for a session that runs. */
static void take_message(rmi_grpc_call *call, stream_request *request)
{
    stream *s = call->state;
    switch (request->request_case) {
    case REMOTEMEDIA__V1__STREAM_REQUEST__REQUEST_DATA_CHUNK:
    case REMOTEMEDIA__V1__STREAM_REQUEST__REQUEST_AUDIO_CHUNK:
        s->chunk = request;
        rmi_session_wake(s->session);
        return;
    case REMOTEMEDIA__V1__STREAM_REQUEST__REQUEST_CONTROL:
        s->closing = true;
        s->cancelling = request->control->command == REMOTEMEDIA__V1__STREAM_CONTROL__COMMAND__COMMAND_CANCEL;
        if (!s->cancelling &&
            request->control->command != REMOTEMEDIA__V1__STREAM_CONTROL__COMMAND__COMMAND_CLOSE)
            (void)rm_error_set(&s->violation, RM_E_VALUE, "control has no command: CLOSE or CANCEL");
        break;
    case REMOTEMEDIA__V1__STREAM_REQUEST__REQUEST_INIT:
        (void)rm_error_set(&s->violation, RM_E_USAGE, "init came a second time");
        break;
    default:
        (void)rm_error_set(&s->violation, RM_E_VALUE, "a message is empty or of an unknown kind");
    }
    free_message(&request->base);
    if (s->cancelling)
        rmi_session_cancel(s->session);
    else
        rmi_session_wake(s->session);
}

static void received(rmi_grpc_call *call)
{
    stream *s = call->state;
    const bool ended_input = call->message == NULL;
    stream_request *request =
        (stream_request *)rmi_grpc_message(call, &remotemedia__v1__stream_request__descriptor);
    pthread_mutex_lock(&call->lock);
    if (s->stage != RUNNING || s->over) {
        free_message(request != NULL ? &request->base : NULL);
    } else if (request == NULL && s->init == NULL) {
        rm_error err = {0};
        (void)rm_error_set(&err, RM_E_USAGE, "the first message must be init");
        refuse(call, &err);
    } else if (request == NULL) {
        s->closing = true;
        if (!ended_input)
            (void)rm_error_set(&s->violation, RM_E_PARSE,
                               "a message is no StreamRequest, or a text in it is no UTF-8 or has a NUL");
        if (s->session != NULL)
            rmi_session_wake(s->session);
    } else if (s->init == NULL) {
        begin_session(call, request);
        free_message(&request->base);
    } else {
        take_message(call, request);
    }
    pthread_mutex_unlock(&call->lock);
}

static void begin(rmi_grpc_call *call)
{
    rmi_grpc_read(call);
}

static void sent(rmi_grpc_call *call, bool ok)
{
    stream *s = call->state;
    pthread_mutex_lock(&call->lock);
    s->sending = false;
    s->over |= !ok;
    if (s->stage != RUNNING)
        go_on(call);
    else if (s->session != NULL)
        rmi_session_wake(s->session);
    pthread_mutex_unlock(&call->lock);
}

static void closed(rmi_grpc_call *call)
{
    stream *s = call->state;
    pthread_mutex_lock(&call->lock);
    s->over = true;
    if (s->session != NULL)
        rmi_session_cancel(s->session);
    pthread_mutex_unlock(&call->lock);
}

static void release(rmi_grpc_call *call)
{
    stream *s = call->state;
    free_message(s->chunk != NULL ? &s->chunk->base : NULL);
    free_message(s->taken != NULL ? &s->taken->base : NULL);
    free_message(s->init != NULL ? &s->init->base : NULL);
    free_message(s->metrics != NULL ? &s->metrics->base : NULL);
    rm_error_clear(&s->failure);
    rm_error_clear(&s->violation);
    rmi_sequences_free(&s->sequences);
}

const rmi_grpc_method rmi_grpc_stream = {
    .path = "/remotemedia.v1.StreamingPipelineService/StreamPipeline",
    .state_size = sizeof(stream),
    .begin = begin,
    .received = received,
    .sent = sent,
    .closed = closed,
    .free = release,
};
