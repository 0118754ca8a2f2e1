/* WebSocket on /v1/pipelines/NAME: after a greeting, binary messages are audio, texts are items of JSON, and an empty text ends
 * the input. Results are texts; audio is a text that describes it, and a binary message.
 *
 * The listener's thread reads frames and queues whole messages for the session, each behind its kind and length. */
#include "transport/http/websocket.h"

#include <string.h>
#include <wslay/wslay.h>

#include "base/alloc.h"
#include "data/json/json.h"
#include "transport/http/http_session.h"

enum {
    NORMAL = 1000,
    GOING_AWAY = 1001,
    PROTOCOL_BROKEN = 1002,
    UNSUPPORTED_DATA = 1003,
    WRONG_DATA = 1007,
    AGAINST_RULES = 1008,
    FAILED = 1011,
    TRY_LATER = 1013,
};

typedef struct message {
    size_t length;
    rmi_ws_kind kind;
} message;

typedef struct socket_state {
    /* Of the listener's thread. */
    wslay_event_context_ptr frames; /* owned */
    const char *coming;
    size_t coming_length;
    bool greeted, ended_input;
    rmi_ws_greeting greeting; /* not changed once the session runs */

    /* Of the session's task. */
    rmi_text taken; /* messages */
    size_t at;
    rm_error failure; /* of an item, which ended the input; code 0: none */

    int close_code; /* under the exchange's lock */
} socket_state;

/* ---- Results out; the session's task */

/* Puts the text as a message. */
static void put_message(rmi_text *out, const rmi_text *text)
{
    rmi_ws_put_head(out, RMI_WS_TEXT, text->length);
    rmi_text_append(out, text->data, text->length);
    out->failed |= text->failed;
}

/* Makes the messages of a result; under the exchange's lock. */
static int put_result(rmi_http_connection *connection, const char *sink, const rm_packet *packet,
                      rm_error *err)
{
    rmi_text *out = &connection->exchange.produced;
    const rm_tensor view = rm_tensor_view(packet->value);
    const char *format = view.media.kind == RM_MEDIA_AUDIO ? rmi_ws_format_name(view.dtype) : NULL;
    const rmi_json_style style = {0};
    rm_value samples = rm_null();
    rmi_text text;
    rmi_text_init(&text, NULL);
    rmi_http_put_place(&text, sink, packet);
    int rc = RM_OK;
    if (format != NULL && view.dimensions == 2) {
        rmi_text_printf(
            &text, "\"audio\":{\"sample_rate\":%d,\"channels\":%lld,\"format\":\"%s\",\"frames\":%lld}}",
            (int)view.media.sample_rate, (long long)view.shape[1], format, (long long)view.shape[0]);
        put_message(out, &text);
        rc = rm_tensor_contiguous(NULL, packet->value, &samples, err);
        if (rc == RM_OK) {
            rmi_ws_put_head(out, RMI_WS_BINARY, rm_tensor_bytes(samples));
            rmi_text_append(out, rm_tensor_view(samples).data, rm_tensor_bytes(samples));
        }
    } else {
        rmi_text_append_c(&text, "\"value\":");
        rc = rmi_json_append(&text, packet->value, &style, NULL, err);
        rmi_text_append_c(&text, "}");
        put_message(out, &text);
    }
    rm_value_clear(&samples);
    rmi_text_clear(&text);
    return rc == RM_OK && out->failed ? rmi_out_of_memory(err) : rc;
}

static int take_result(void *context, const rmi_session *session, size_t sink, rm_packet *packet,
                       rm_error *err)
{
    return rmi_http_give(context, session, sink, packet, put_result, err);
}

static int close_code_of(const socket_state *s, int code, bool opened)
{
    if (code == RM_OK)
        return NORMAL;
    if (s->failure.code == RM_E_UNSUPPORTED)
        return UNSUPPORTED_DATA;
    if (s->failure.code != RM_OK)
        return WRONG_DATA;
    return code == RM_E_CANCELLED ? GOING_AWAY : opened ? FAILED : AGAINST_RULES;
}

static void ended(void *context, rmi_session *session, int code, rm_error *err)
{
    rmi_http_connection *connection = context;
    rmi_http_exchange *exchange = &connection->exchange;
    socket_state *s = connection->state;
    rmi_text text;
    rmi_text_init(&text, NULL);
    if (code == RM_OK)
        code = s->failure.code;
    const int close_code = close_code_of(s, code, rmi_session_pipeline(session) != NULL);
    if (code == RM_OK)
        rmi_text_append_c(&text, "{\"status\":\"success\"");
    else if (rmi_http_append_error(&text, s->failure.code != RM_OK ? &s->failure : err, NULL) != RM_OK)
        text.failed = true;
    rmi_http_put_counts(&text, connection);
    pthread_mutex_lock(&exchange->lock);
    put_message(&exchange->produced, &text);
    s->close_code = close_code;
    pthread_mutex_unlock(&exchange->lock);
    rmi_text_clear(&text);
    rmi_http_session_done(connection, session, code);
}

/* ---- Items in; the session's task */

/* Takes what has arrived. RM_OK: something has; RM_AGAIN or RM_DONE: nothing, or nothing more. */
static int take_arrived(rmi_http_connection *connection, rm_error *err)
{
    rmi_http_exchange *exchange = &connection->exchange;
    socket_state *s = connection->state;
    s->taken.length = s->at = 0;
    pthread_mutex_lock(&exchange->lock);
    const rmi_text arrived = exchange->arriving;
    exchange->arriving = s->taken;
    s->taken = arrived;
    const bool all = exchange->arrived;
    pthread_mutex_unlock(&exchange->lock);
    if (arrived.length > RMI_HTTP_MOST_WAITING) /* reading goes on */
        rmi_http_post(connection, false);
    if (arrived.failed)
        return rmi_out_of_memory(err);
    return arrived.length > 0 ? RM_OK : all ? RM_DONE : RM_AGAIN;
}

static int read_samples(const socket_state *s, const char *data, size_t length, rm_packet *packet,
                        rm_error *err)
{
    const rmi_ws_greeting *greeting = &s->greeting;
    const size_t frame = rm_dtype_size(greeting->format) * (size_t)greeting->channels;
    if (greeting->sample_rate == 0)
        return rm_error_set(err, RM_E_UNSUPPORTED,
                            "a binary message is audio, and the first message had no \"sample_rate\"");
    if (length % frame != 0)
        return rm_error_set(err, RM_E_VALUE,
                            "a binary message has %zu bytes, but a frame of %d channels of %s has %zu",
                            length, (int)greeting->channels, rmi_ws_format_name(greeting->format), frame);
    const int64_t shape[] = {(int64_t)(length / frame), greeting->channels};
    const rm_tensor view = {.dtype = greeting->format,
                            .item_size = rm_dtype_size(greeting->format),
                            .dimensions = 2,
                            .shape = shape,
                            .media = {.kind = RM_MEDIA_AUDIO, .sample_rate = greeting->sample_rate}};
    const int rc = rm_tensor_new_like(NULL, &view, false, &packet->value, err);
    if (rc == RM_OK && length > 0)
        memcpy(rm_tensor_view(packet->value).data, data, length);
    return rc;
}

static int next_item(rmi_http_connection *connection, rm_packet *packet, rm_error *err)
{
    socket_state *s = connection->state;
    message next;
    int rc = s->at < s->taken.length ? RM_OK : take_arrived(connection, err);
    if (rc != RM_OK)
        return rc;
    memcpy(&next, s->taken.data + s->at, sizeof next);
    const char *data = s->taken.data + s->at + sizeof next;
    s->at += sizeof next + next.length;
    rc = next.kind == RMI_WS_BINARY ? read_samples(s, data, next.length, packet, err)
                                    : rm_json_parse(NULL, data, next.length, 0, &packet->value, err);
    if (rc < 0) {
        err->has_item = true;
        err->item = (int64_t)connection->progress_of.items;
    }
    connection->progress_of.items += rc == RM_OK;
    return rc;
}

/* A failure ends the input: the results of the items before it come first. */
static int input(void *context, const char **source, rm_packet *packet, rm_error *err)
{
    rmi_http_connection *connection = context;
    socket_state *s = connection->state;
    (void)err;
    if (s->failure.code != RM_OK)
        return RM_DONE;
    const int rc = next_item(connection, packet, &s->failure);
    if (s->greeting.source[0] != '\0')
        *source = s->greeting.source;
    return rc < 0 ? RM_DONE : rc;
}

static const rmi_client client = {input, take_result, ended};

/* ---- Frames; the listener's thread */

static void finish(rmi_http_connection *connection)
{
    pthread_mutex_lock(&connection->exchange.lock);
    connection->exchange.finished = true;
    pthread_mutex_unlock(&connection->exchange.lock);
}

/* Sends what wslay has queued: pongs and the close. */
static void flush(rmi_http_connection *connection)
{
    socket_state *s = connection->state;
    if (wslay_event_want_write(s->frames) && wslay_event_send(s->frames) != 0)
        connection->out.failed = true;
}

/* Ends it before there is a session. */
static void refuse(rmi_http_connection *connection, int close_code, const rm_error *error)
{
    socket_state *s = connection->state;
    rmi_text text;
    rmi_text_init(&text, NULL);
    if (rmi_http_append_error(&text, error, NULL) != RM_OK)
        text.failed = true;
    rmi_text_append_c(&text, "}");
    put_message(&connection->out, &text);
    rmi_text_clear(&text);
    (void)wslay_event_queue_close(s->frames, (uint16_t)close_code, NULL, 0);
    (void)wslay_event_shutdown_read(s->frames);
    finish(connection);
}

static void refuse_session(rmi_http_connection *connection, int status, const rm_error *error)
{
    refuse(connection, status == 429 ? TRY_LATER : status == 503 ? GOING_AWAY : FAILED, error);
}

static void greet(rmi_http_connection *connection, const struct wslay_event_on_msg_recv_arg *got)
{
    socket_state *s = connection->state;
    rm_error err = {0};
    int rc = got->opcode == WSLAY_TEXT_FRAME
                 ? rmi_ws_read_greeting((const char *)got->msg, got->msg_length, &s->greeting, &err)
                 : rm_error_set(&err, RM_E_TYPE, "the first message is a text: a JSON object");
    s->greeted = true;
    if (rc != RM_OK)
        refuse(connection, AGAINST_RULES, &err);
    else
        (void)!rmi_http_open(connection, NULL, false, &client, refuse_session);
    rm_error_clear(&err);
}

static void cancel(rmi_http_connection *connection)
{
    rmi_http_exchange *exchange = &connection->exchange;
    pthread_mutex_lock(&exchange->lock);
    if (exchange->session != NULL)
        rmi_session_cancel(exchange->session);
    pthread_mutex_unlock(&exchange->lock);
    if (!connection->in_session)
        finish(connection);
}

static void queue(rmi_http_connection *connection, const struct wslay_event_on_msg_recv_arg *got)
{
    rmi_http_exchange *exchange = &connection->exchange;
    socket_state *s = connection->state;
    const message head = {.length = got->msg_length,
                          .kind = got->opcode == WSLAY_TEXT_FRAME ? RMI_WS_TEXT : RMI_WS_BINARY};
    s->ended_input = head.kind == RMI_WS_TEXT && head.length == 0;
    pthread_mutex_lock(&exchange->lock);
    if (s->ended_input) {
        exchange->arrived = true;
    } else {
        rmi_text_append(&exchange->arriving, (const char *)&head, sizeof head);
        rmi_text_append(&exchange->arriving, (const char *)got->msg, got->msg_length);
    }
    if (exchange->session != NULL)
        rmi_session_wake(exchange->session);
    pthread_mutex_unlock(&exchange->lock);
}

static void received(wslay_event_context_ptr frames, const struct wslay_event_on_msg_recv_arg *got,
                     void *context)
{
    rmi_http_connection *connection = context;
    socket_state *s = connection->state;
    if (wslay_is_ctrl_frame(got->opcode))
        return;
    if (!s->greeted)
        greet(connection, got);
    else if (!s->ended_input)
        queue(connection, got);
    else
        (void)wslay_event_queue_close(frames, AGAINST_RULES, NULL, 0);
}

static ssize_t feed(wslay_event_context_ptr frames, uint8_t *buffer, size_t size, int flags, void *context)
{
    socket_state *s = ((rmi_http_connection *)context)->state;
    const size_t length = size < s->coming_length ? size : s->coming_length;
    (void)flags;
    if (length == 0) {
        wslay_event_set_error(frames, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    memcpy(buffer, s->coming, length);
    s->coming += length;
    s->coming_length -= length;
    return (ssize_t)length;
}

static ssize_t drain(wslay_event_context_ptr frames, const uint8_t *data, size_t length, int flags,
                     void *context)
{
    (void)frames, (void)flags;
    rmi_text_append(&((rmi_http_connection *)context)->out, (const char *)data, length);
    return (ssize_t)length;
}

static void upgraded(rmi_http_connection *connection, const char *data, size_t length)
{
    socket_state *s = connection->state;
    s->coming = data;
    s->coming_length = length;
    if (wslay_event_recv(s->frames) != 0 && !wslay_event_get_close_sent(s->frames))
        (void)wslay_event_queue_close(s->frames, PROTOCOL_BROKEN, NULL, 0);
    flush(connection);
    if (wslay_event_get_close_sent(s->frames)) { /* the client says goodbye, or has broken the rules */
        connection->muted = true;
        cancel(connection);
    }
}

/* The session has ended: its last messages, and the close. */
static void farewell(rmi_http_connection *connection)
{
    rmi_http_exchange *exchange = &connection->exchange;
    socket_state *s = connection->state;
    pthread_mutex_lock(&exchange->lock);
    const int close_code = s->close_code;
    if (!connection->muted)
        rmi_text_append(&connection->out, exchange->produced.data, exchange->produced.length);
    exchange->produced.length = 0;
    pthread_mutex_unlock(&exchange->lock);
    (void)wslay_event_queue_close(s->frames, (uint16_t)close_code, NULL, 0);
    flush(connection);
}

/* ---- The upgrade */

static void accept_upgrade(rmi_http_connection *connection, const char *key)
{
    rmi_text *out = &connection->out;
    const char *protocols = rmi_http_value(&connection->request, RMI_HTTP_WS_PROTOCOL);
    rmi_text_append_c(out,
                      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n");
    if (rmi_http_list_has(protocols, "remotemedia.v1"))
        rmi_text_append_c(out, "Sec-WebSocket-Protocol: remotemedia.v1\r\n");
    rmi_text_append_c(out, "Sec-WebSocket-Accept: ");
    out->failed |= !rmi_ws_put_accept(out, key);
    rmi_text_append_c(out, "\r\n\r\n");
    connection->head_sent = connection->switched = true;
    pthread_mutex_lock(&connection->exchange.lock);
    connection->exchange.status = 101;
    connection->exchange.framing = RMI_HTTP_RAW;
    connection->exchange.begun = true;
    pthread_mutex_unlock(&connection->exchange.lock);
}

static void begin(rmi_http_connection *connection)
{
    static const struct wslay_event_callbacks callbacks = {
        .recv_callback = feed, .send_callback = drain, .on_msg_recv_callback = received};
    const rmi_http_request *request = &connection->request;
    const char *key = rmi_http_value(request, RMI_HTTP_WS_KEY);
    const char *version = rmi_http_value(request, RMI_HTTP_WS_VERSION);
    socket_state *s = connection->state;
    rmi_text_init(&s->taken, NULL);
    if (!rmi_http_list_has(rmi_http_value(request, RMI_HTTP_UPGRADE), "websocket") ||
        !request->parser.upgrade || version == NULL || strcmp(version, "13") != 0) {
        rmi_http_refuse(connection, 426, RM_E_USAGE, "this path is for WebSocket, version 13");
        return;
    }
    if (key == NULL || strlen(key) != 24 || request->parser.content_length > 0) {
        rmi_http_refuse(connection, 400, RM_E_PARSE,
                        "Sec-WebSocket-Key has not 24 letters, or the request has a body");
        return;
    }
    if (wslay_event_context_server_init(&s->frames, &callbacks, connection) != 0) {
        rmi_http_refuse(connection, 503, RM_E_OUT_OF_MEMORY, "out of memory");
        return;
    }
    wslay_event_config_set_max_recv_msg_length(s->frames,
                                               rmi_http_options(connection->listener)->most_message);
    accept_upgrade(connection, key);
}

static void release(rmi_http_connection *connection)
{
    socket_state *s = connection->state;
    if (s == NULL)
        return;
    if (s->frames != NULL)
        wslay_event_context_free(s->frames);
    rmi_text_clear(&s->taken);
    rm_error_clear(&s->failure);
}

const rmi_http_handler rmi_http_websocket = {
    .state_size = sizeof(socket_state),
    .begin = begin,
    .upgraded = upgraded,
    .farewell = farewell,
    .free = release,
};
