#include "transport/http/http_connection.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "platform/platform.h"
#include "transport/http/http_listener.h"

enum {
    READS = 4, /* in a row, before other connections get their turn */
    AGAIN = -1,
    BROKEN = -2,
    IDLE_FACTOR = 6, /* how much longer than for a step a client may wait with its next request */
    SEND_FACTOR = 3, /* and with reading an answer */
};

/* ---- Bytes in and out: a number, 0 for the end, AGAIN or BROKEN */

static ssize_t tls_result(rmi_http_connection *connection, int result)
{
    if (result > 0)
        return result;
    switch (SSL_get_error(connection->tls, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return AGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    default:
        return BROKEN;
    }
}

static ssize_t plain_result(ssize_t result)
{
    if (result >= 0)
        return result;
    return errno == EAGAIN || errno == EINTR ? AGAIN : BROKEN;
}

static ssize_t receive(rmi_http_connection *connection, char *buffer, size_t size)
{
    if (connection->tls == NULL)
        return plain_result(recv(connection->descriptor, buffer, size, 0));
    ERR_clear_error();
    return tls_result(connection, SSL_read(connection->tls, buffer, (int)size));
}

static ssize_t transmit(rmi_http_connection *connection, const char *data, size_t size)
{
    if (connection->tls == NULL)
        return plain_result(send(connection->descriptor, data, size, MSG_NOSIGNAL));
    ERR_clear_error();
    return tls_result(connection, SSL_write(connection->tls, data, (int)(size < 1 << 20 ? size : 1 << 20)));
}

/* ---- Begin and end */

static int on_headers(llhttp_t *parser);
static int on_body(llhttp_t *parser, const char *data, size_t length);
static int on_complete(llhttp_t *parser);

static const llhttp_settings_t settings = {
    .on_url = rmi_http_on_url,
    .on_header_field = rmi_http_on_header_name,
    .on_header_value = rmi_http_on_header_value,
    .on_header_value_complete = rmi_http_on_header_end,
    .on_headers_complete = on_headers,
    .on_body = on_body,
    .on_message_complete = on_complete,
};

rmi_http_connection *rmi_http_connection_new(rmi_http_listener *listener, int descriptor, SSL *tls)
{
    rmi_http_connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL)
        return NULL;
    connection->listener = listener;
    connection->descriptor = descriptor;
    connection->tls = tls;
    connection->handshaking = tls != NULL;
    connection->pipeline = SIZE_MAX;
    connection->deadline = INT64_MAX;
    connection->begun = rmi_platform_now();
    pthread_mutex_init(&connection->exchange.lock, NULL);
    rmi_text_init(&connection->exchange.arriving, NULL);
    rmi_text_init(&connection->exchange.produced, NULL);
    rmi_text_init(&connection->left, NULL);
    rmi_text_init(&connection->out, NULL);
    rmi_http_request_begin(&connection->request, &settings, connection);
    return connection;
}

/* Forgets the request that was served. */
static void clear_request(rmi_http_connection *connection)
{
    rmi_http_exchange *exchange = &connection->exchange;
    if (connection->handler != NULL && connection->handler->free != NULL)
        connection->handler->free(connection);
    free(connection->state);
    connection->state = NULL;
    connection->handler = NULL;
    connection->pipeline = SIZE_MAX;
    rmi_http_progress_clear(&connection->progress_of);
    rmi_text_clear(&exchange->arriving);
    rmi_text_clear(&exchange->produced);
    rmi_text_init(&exchange->arriving, NULL);
    rmi_text_init(&exchange->produced, NULL);
    exchange->arrived = exchange->begun = exchange->finished = exchange->starved = false;
    exchange->status = 0;
    exchange->type = exchange->violation = NULL;
    exchange->framing = RMI_HTTP_WHOLE;
    connection->completed = connection->switched = connection->paused = false;
    connection->head_sent = connection->answer_sent = connection->closes = connection->bodyless = false;
    connection->allow = NULL;
    connection->bytes_in = connection->bytes_out = 0;
}

static void destroy(rmi_http_connection *connection)
{
    clear_request(connection);
    rmi_http_request_clear(&connection->request);
    rmi_text_clear(&connection->left);
    rmi_text_clear(&connection->out);
    pthread_mutex_destroy(&connection->exchange.lock);
    rmi_http_freed(connection->listener);
    free(connection);
}

void rmi_http_connection_close(rmi_http_connection *connection)
{
    if (connection->stage == RMI_HTTP_GONE)
        return;
    if (connection->stage == RMI_HTTP_REQUEST)
        rmi_http_log(connection);
    connection->stage = RMI_HTTP_GONE;
    rmi_http_unlist(connection);
    if (connection->tls != NULL) {
        SSL_free(connection->tls);
        connection->tls = NULL;
    }
    (void)close(connection->descriptor);
    if (!connection->in_session) {
        destroy(connection);
        return;
    }
    pthread_mutex_lock(&connection->exchange.lock);
    if (connection->exchange.session != NULL)
        rmi_session_cancel(connection->exchange.session);
    pthread_mutex_unlock(&connection->exchange.lock);
}

void rmi_http_connection_session_ended(rmi_http_connection *connection)
{
    connection->in_session = false;
    if (connection->stage == RMI_HTTP_GONE) {
        destroy(connection);
        return;
    }
    if (connection->handler != NULL && connection->handler->farewell != NULL)
        connection->handler->farewell(connection);
    rmi_http_connection_pump(connection);
}

bool rmi_http_connection_is_busy(const rmi_http_connection *connection)
{
    return connection->stage == RMI_HTTP_REQUEST || connection->in_session ||
           connection->out.length > connection->out_at;
}

/* ---- The parser's calls */

static int on_headers(llhttp_t *parser)
{
    rmi_http_connection *connection = parser->data;
    rmi_text_append(&connection->request.head, "", 1); /* ends the last text */
    connection->stage = RMI_HTTP_REQUEST;
    connection->closes = !llhttp_should_keep_alive(parser);
    connection->bodyless = parser->method == HTTP_HEAD;
    if (connection->request.head.failed)
        return -1;
    rmi_http_route(connection);
    return 0;
}

static int on_body(llhttp_t *parser, const char *data, size_t length)
{
    rmi_http_connection *connection = parser->data;
    if (connection->handler != NULL && connection->handler->body != NULL && !connection->exchange.finished)
        connection->handler->body(connection, data, length);
    return 0;
}

static int on_complete(llhttp_t *parser)
{
    rmi_http_connection *connection = parser->data;
    connection->completed = true;
    if (connection->handler != NULL && connection->handler->complete != NULL &&
        !connection->exchange.finished)
        connection->handler->complete(connection);
    return HPE_PAUSED; /* the next request has to wait */
}

/* ---- Reading */

/* A request that is no HTTP, or too long. */
static void refuse_bytes(rmi_http_connection *connection)
{
    const llhttp_t *parser = &connection->request.parser;
    const int wrong = connection->request.wrong;
    connection->stage = RMI_HTTP_REQUEST;
    connection->closes = true;
    if (connection->in_session) { /* the session ends with it */
        pthread_mutex_lock(&connection->exchange.lock);
        connection->exchange.violation = "the body of the request breaks the rules of chunks";
        connection->exchange.arrived = true;
        if (connection->exchange.session != NULL)
            rmi_session_wake(connection->exchange.session);
        pthread_mutex_unlock(&connection->exchange.lock);
        connection->broken = true;
    } else if (connection->switched) {
        connection->broken = true;
    } else if (wrong == 431 || wrong == 414) {
        rmi_http_refuse(connection, wrong, RM_E_LIMIT, "the %s of the request is longer than %d bytes",
                        wrong == 414 ? "target" : "head",
                        wrong == 414 ? RMI_HTTP_LONGEST_TARGET : RMI_HTTP_MOST_HEAD);
    } else {
        rmi_http_refuse(connection, 400, RM_E_PARSE, "the request is no HTTP/1.1: %s",
                        wrong != 0 ? "a header is there twice" : llhttp_get_error_reason(parser));
    }
}

static void parse(rmi_http_connection *connection, const char *data, size_t length)
{
    llhttp_t *parser = &connection->request.parser;
    enum llhttp_errno code = llhttp_execute(parser, data, length);
    if (code == HPE_OK)
        return;
    if (code != HPE_PAUSED && code != HPE_PAUSED_UPGRADE) {
        refuse_bytes(connection);
        return;
    }
    const char *rest = llhttp_get_error_pos(parser);
    const size_t left = (size_t)(data + length - rest);
    if (connection->switched && left > 0 && connection->handler->upgraded != NULL)
        connection->handler->upgraded(connection, rest, left);
    else if (left > 0)
        rmi_text_append(&connection->left, rest, left);
}

static void consume(rmi_http_connection *connection, const char *data, size_t length)
{
    if (connection->stage == RMI_HTTP_LINGERING || connection->broken)
        return;
    if (connection->stage == RMI_HTTP_HEAD && connection->request.head_bytes == 0)
        connection->begun = rmi_platform_now();
    connection->bytes_in += length;
    if (connection->switched)
        connection->handler->upgraded(connection, data, length);
    else
        parse(connection, data, length);
}

static bool wants_input(const rmi_http_connection *connection)
{
    switch (connection->stage) {
    case RMI_HTTP_HEAD:
        return !connection->read_ended;
    case RMI_HTTP_REQUEST: /* a WebSocket's client who does not read cannot have pongs queued without end */
        return !connection->read_ended && !connection->paused &&
               (!connection->completed || connection->switched) &&
               connection->out.length - connection->out_at <= RMI_HTTP_MOST_WAITING;
    case RMI_HTTP_LINGERING:
        return true;
    default:
        return false;
    }
}

/* The session gets time to take what has arrived. */
static void pause_reading(rmi_http_connection *connection)
{
    if (!connection->in_session)
        return;
    pthread_mutex_lock(&connection->exchange.lock);
    connection->paused =
        connection->exchange.arriving.length > RMI_HTTP_MOST_WAITING && !connection->exchange.finished;
    pthread_mutex_unlock(&connection->exchange.lock);
}

/* Returns false when the connection is closed. */
static bool read_some(rmi_http_connection *connection)
{
    char buffer[RMI_HTTP_READ];
    for (int i = 0; i < READS && wants_input(connection); i++) {
        const ssize_t got = receive(connection, buffer, sizeof buffer);
        if (got == AGAIN)
            return true;
        if (got <= 0) {
            const bool waits_for_answer = got == 0 && connection->stage == RMI_HTTP_REQUEST &&
                                          (connection->completed || connection->broken) &&
                                          !connection->switched;
            connection->read_ended = true;
            if (waits_for_answer)
                return true;
            rmi_http_connection_close(connection);
            return false;
        }
        consume(connection, buffer, (size_t)got);
        pause_reading(connection);
    }
    return true;
}

/* ---- Sending */

static void put_chunk(rmi_text *out, const rmi_text *data)
{
    rmi_text_printf(out, "%zx\r\n", data->length);
    rmi_text_append(out, data->data, data->length);
    rmi_text_append(out, "\r\n", 2);
}

/* Frames what was produced; under the exchange's lock. */
static void frame(rmi_http_connection *connection)
{
    rmi_http_exchange *exchange = &connection->exchange;
    if (!connection->head_sent)
        rmi_http_put_head(connection);
    if (connection->bodyless || connection->muted)
        exchange->produced.length = 0;
    if (exchange->produced.length > 0 && exchange->framing == RMI_HTTP_CHUNKED)
        put_chunk(&connection->out, &exchange->produced);
    else if (exchange->produced.length > 0)
        rmi_text_append(&connection->out, exchange->produced.data, exchange->produced.length);
    exchange->produced.length = 0;
    if (exchange->finished && !connection->answer_sent) {
        connection->answer_sent = true;
        if (exchange->framing == RMI_HTTP_CHUNKED && !connection->bodyless)
            rmi_text_append(&connection->out, "0\r\n\r\n", 5);
    }
}

/* Takes what the session or the handler has produced, once there is room. */
static void take_produced(rmi_http_connection *connection)
{
    rmi_http_exchange *exchange = &connection->exchange;
    if (connection->stage != RMI_HTTP_REQUEST || connection->out.length > connection->out_at)
        return;
    pthread_mutex_lock(&exchange->lock);
    if (exchange->finished || exchange->begun)
        frame(connection);
    if (exchange->starved && exchange->session != NULL)
        rmi_session_wake(exchange->session);
    exchange->starved = false;
    if (connection->paused && exchange->arriving.length <= RMI_HTTP_MOST_WAITING / 2)
        connection->paused = false;
    pthread_mutex_unlock(&exchange->lock);
}

/* Returns false when the client is gone. */
static bool send_some(rmi_http_connection *connection)
{
    rmi_text *out = &connection->out;
    while (connection->out_at < out->length) {
        const ssize_t sent =
            transmit(connection, out->data + connection->out_at, out->length - connection->out_at);
        if (sent == AGAIN)
            return true;
        if (sent <= 0)
            return false;
        connection->out_at += (size_t)sent;
        connection->bytes_out += (uint64_t)sent;
        connection->progress = rmi_platform_now();
    }
    connection->out_at = out->length = 0;
    if (out->capacity > RMI_HTTP_MOST_WAITING) { /* after a large answer */
        rmi_text_clear(out);
        rmi_text_init(out, NULL);
    }
    return true;
}

/* The answer is sent: goes on to the next request, or begins to end. Returns false when the connection is closed. */
static bool end_request(rmi_http_connection *connection)
{
    rmi_text left = connection->left;
    const bool ends =
        connection->closes || !connection->completed || connection->switched || connection->read_ended;
    const bool more = !connection->completed || connection->switched;
    rmi_http_log(connection);
    connection->stage = ends ? RMI_HTTP_LINGERING : RMI_HTTP_HEAD;
    if (ends && (!more || connection->read_ended)) {
        rmi_http_connection_close(connection);
        return false;
    }
    if (ends) { /* closing at once would reset the connection, and the answer with it */
        if (connection->tls != NULL)
            (void)SSL_shutdown(connection->tls);
        (void)shutdown(connection->descriptor, SHUT_WR);
        connection->begun = rmi_platform_now();
        return true;
    }
    clear_request(connection);
    rmi_http_request_begin(&connection->request, &settings, connection);
    connection->begun = rmi_platform_now();
    rmi_text_init(&connection->left, NULL);
    if (left.length > 0)
        consume(connection, left.data, left.length);
    rmi_text_clear(&left);
    return true;
}

/* ---- Waiting */

static int64_t deadline_of(const rmi_http_connection *connection)
{
    const int64_t patience = rmi_http_options(connection->listener)->patience_ms * 1000000;
    const bool sends = connection->out.length > connection->out_at;
    if (connection->handshaking || connection->stage == RMI_HTTP_LINGERING)
        return connection->begun + patience;
    if (sends && connection->answer_sent)
        return connection->progress + SEND_FACTOR * patience;
    if (connection->stage == RMI_HTTP_HEAD && connection->request.head_bytes == 0)
        return connection->begun + patience * IDLE_FACTOR;
    if (!connection->in_session && !sends &&
        (!connection->completed || connection->switched)) /* a byte a ms is slow enough */
        return connection->begun + patience + (int64_t)connection->bytes_in * 1000000;
    return INT64_MAX;
}

/* While a session runs on a request that has come as a whole, the end of the client's side means that nobody waits. */
static bool hears_end(const rmi_http_connection *connection)
{
    return connection->stage == RMI_HTTP_REQUEST && connection->completed && connection->in_session;
}

/* Reading is given up only once something comes that is not wanted: most requests need no call of epoll_ctl. */
static void wait_for_more(rmi_http_connection *connection)
{
    const uint32_t lazy = connection->disturbed ? 0 : connection->interest & (EPOLLIN | EPOLLRDHUP);
    const bool sends = connection->out.length > connection->out_at;
    uint32_t interest =
        (wants_input(connection) ? EPOLLIN : 0u) | (hears_end(connection) ? EPOLLRDHUP : 0u) | lazy;
    if (sends || (connection->handshaking && SSL_want_write(connection->tls)))
        interest |= EPOLLOUT;
    rmi_http_watch(connection, interest);
    rmi_http_set_deadline(connection, deadline_of(connection));
}

void rmi_http_connection_pump(rmi_http_connection *connection)
{
    for (;;) {
        const bool was_paused = connection->paused;
        take_produced(connection);
        if (connection->out.failed || connection->left.failed || !send_some(connection)) {
            rmi_http_connection_close(connection);
            return;
        }
        const bool sent = connection->out.length == connection->out_at;
        if (was_paused && !connection->paused &&
            connection->tls != NULL) { /* TLS may hold bytes that epoll does not see */
            if (!read_some(connection))
                return;
            continue;
        }
        if (connection->stage == RMI_HTTP_REQUEST && sent && connection->answer_sent &&
            !connection->in_session) {
            if (!end_request(connection))
                return;
            continue;
        }
        if (sent && connection->stage == RMI_HTTP_REQUEST && rmi_http_has_produced(connection))
            continue;
        break;
    }
    wait_for_more(connection);
}

bool rmi_http_has_produced(rmi_http_connection *connection)
{
    rmi_http_exchange *exchange = &connection->exchange;
    pthread_mutex_lock(&exchange->lock);
    const bool has = (exchange->begun && exchange->produced.length > 0) ||
                     (exchange->finished && !connection->answer_sent);
    pthread_mutex_unlock(&exchange->lock);
    return has;
}

/* Returns false when the handshake has not ended, or failed: the connection is then closed. */
static bool shake_hands(rmi_http_connection *connection)
{
    ERR_clear_error();
    const ssize_t done = tls_result(connection, SSL_accept(connection->tls));
    connection->handshaking = done <= 0;
    if (done == 0 || done == BROKEN)
        rmi_http_connection_close(connection);
    else if (done == AGAIN)
        wait_for_more(connection);
    return done > 0;
}

void rmi_http_connection_ready(rmi_http_connection *connection, uint32_t revents)
{
    if ((revents & (EPOLLERR | EPOLLHUP)) != 0 || ((revents & EPOLLRDHUP) != 0 && hears_end(connection))) {
        rmi_http_connection_close(connection);
        return;
    }
    connection->disturbed = (revents & (EPOLLIN | EPOLLRDHUP)) != 0 && !wants_input(connection);
    if (connection->handshaking && !shake_hands(connection))
        return;
    if (read_some(connection))
        rmi_http_connection_pump(connection);
}

void rmi_http_connection_late(rmi_http_connection *connection)
{
    const bool begun = connection->stage == RMI_HTTP_HEAD && connection->request.head_bytes > 0;
    const bool in_body =
        connection->stage == RMI_HTTP_REQUEST && !connection->answer_sent && !connection->switched;
    if (!connection->handshaking && (begun || in_body)) {
        connection->stage = RMI_HTTP_REQUEST;
        connection->closes = true;
        rmi_http_refuse(connection, 408, RM_E_TIMEOUT, "the request did not come within %lld ms",
                        (long long)rmi_http_options(connection->listener)->patience_ms);
        rmi_http_connection_pump(connection);
        return;
    }
    rmi_http_connection_close(connection);
}
