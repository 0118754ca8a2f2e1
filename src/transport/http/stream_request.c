/* POST ...:stream: lines of JSON in, results out as they come: lines, or Server-Sent Events. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "data/json/json.h"
#include "transport/http/http_session.h"

/* The session's task uses it, but for `most`. */
typedef struct line_stream {
    rmi_json_reader *json; /* owned */
    rmi_text lines;        /* taken from the exchange; from `at` on they are still to be read */
    size_t at;
    bool events; /* Server-Sent Events */
    bool begun;
    rmi_json_style style;
    uint64_t line;    /* of the body, for messages */
    size_t scanned;   /* from `at` on: bytes without the end of a line */
    rm_error failure; /* what the client has sent is at fault, and ended the input; code 0: it is not */
} line_stream;

/* ---- Results out; under the exchange's lock */

static void begin_answer(rmi_http_connection *connection)
{
    rmi_http_exchange *exchange = &connection->exchange;
    line_stream *s = connection->state;
    if (s->begun)
        return;
    s->begun = true;
    exchange->status = 200;
    exchange->type = s->events ? "text/event-stream" : "application/jsonl";
    exchange->framing = RMI_HTTP_CHUNKED;
    exchange->begun = true;
}

/* Puts the words around a line that begins at `before` in the text. */
static void begin_line(rmi_text *text, const line_stream *s, const char *event)
{
    if (s->events)
        rmi_text_printf(text, "event: %s\ndata: ", event);
}

static void end_line(rmi_text *text, const line_stream *s)
{
    rmi_text_append_c(text, s->events ? "\n\n" : "\n");
}

static int put_result(rmi_http_connection *connection, const char *sink, const rm_packet *packet,
                      rm_error *err)
{
    line_stream *s = connection->state;
    rmi_text *text = &connection->exchange.produced;
    begin_answer(connection);
    begin_line(text, s, "result");
    rmi_http_put_place(text, sink, packet);
    rmi_text_append_c(text, "\"value\":");
    const int rc = rmi_json_append(text, packet->value, &s->style, NULL, err);
    rmi_text_append_c(text, "}");
    end_line(text, s);
    return rc == RM_OK && text->failed ? rmi_out_of_memory(err) : rc;
}

static int take_result(void *context, const rmi_session *session, size_t sink, rm_packet *packet,
                       rm_error *err)
{
    return rmi_http_give(context, session, sink, packet, put_result, err);
}

/* The last line says how the run ended: without it the answer is not whole. */
static void put_end(rmi_http_connection *connection, const rm_pipeline *pipeline, int code,
                    const rm_error *error)
{
    line_stream *s = connection->state;
    rmi_text *text = &connection->exchange.produced;
    const rmi_json_style style = {0};
    rm_value failures = rm_null();
    begin_line(text, s, code == RM_OK ? "end" : "error");
    if (code == RM_OK)
        rmi_text_append_c(text, "{\"status\":\"success\"");
    else if (rmi_http_append_error(text, error, NULL) != RM_OK)
        text->failed = true;
    if (pipeline != NULL && rm_pipeline_failures(pipeline, &failures, NULL) == RM_OK &&
        rm_list_length(failures) > 0) {
        rmi_text_append_c(text, ",\"failed\":");
        text->failed |= rmi_json_append(text, failures, &style, NULL, NULL) != RM_OK;
    }
    rmi_http_put_counts(text, connection);
    end_line(text, s);
    rm_value_clear(&failures);
}

static void ended(void *context, rmi_session *session, int code, rm_error *err)
{
    rmi_http_connection *connection = context;
    rmi_http_exchange *exchange = &connection->exchange;
    line_stream *s = connection->state;
    const rm_pipeline *pipeline = rmi_session_pipeline(session);
    if (code == RM_OK && s->failure.code != RM_OK) {
        code = s->failure.code;
        rm_error_move(err, &s->failure);
    }
    if (code != RM_OK && !s->begun) {
        rmi_http_fail(connection, rmi_http_status_of(connection, err, pipeline != NULL), err);
    } else {
        pthread_mutex_lock(&exchange->lock);
        begin_answer(connection);
        put_end(connection, pipeline, code, err);
        pthread_mutex_unlock(&exchange->lock);
    }
    rmi_http_session_done(connection, session, code);
}

/* ---- Items in */

/* Takes what has arrived. RM_OK: something has; RM_AGAIN or RM_DONE: nothing, or nothing more. */
static int take_arrived(rmi_http_connection *connection, rm_error *err)
{
    rmi_http_exchange *exchange = &connection->exchange;
    line_stream *s = connection->state;
    int rc = RM_OK;
    if (s->at > 0) {
        memmove(s->lines.data, s->lines.data + s->at, s->lines.length - s->at);
        s->lines.length -= s->at;
        s->at = 0;
    }
    pthread_mutex_lock(&exchange->lock);
    const size_t arrived = exchange->arriving.length;
    const bool many = arrived > RMI_HTTP_MOST_WAITING;
    if (arrived > 0)
        rmi_text_append(&s->lines, exchange->arriving.data, arrived);
    else if (exchange->violation != NULL)
        rc = rm_error_set(err, RM_E_PARSE, "%s", exchange->violation);
    else
        rc = exchange->arrived ? RM_DONE : RM_AGAIN;
    if (s->lines.failed || exchange->arriving.failed)
        rc = rmi_out_of_memory(err);
    exchange->arriving.length = 0;
    pthread_mutex_unlock(&exchange->lock);
    if (many) /* reading goes on */
        rmi_http_post(connection, false);
    return rc;
}

static bool is_blank(const char *text, size_t length)
{
    size_t i = 0;
    while (i < length && (text[i] == ' ' || text[i] == '\t' || text[i] == '\r'))
        i++;
    return i == length;
}

static int read_line(rmi_http_connection *connection, const char *line, size_t length, rm_packet *packet,
                     rm_error *err)
{
    line_stream *s = connection->state;
    rm_error cause = {0};
    const int rc = rmi_json_reader_read(s->json, line, length, &packet->value, &cause);
    connection->progress_of.items += rc == RM_OK;
    if (rc < 0) {
        (void)rm_error_set(err, rc, "line %" PRIu64 " of the body%s%s: %s", s->line,
                           cause.pointer[0] != '\0' ? " at " : "", cause.pointer, cause.message);
        err->has_item = true;
        err->item = (int64_t)connection->progress_of.items;
    }
    rm_error_clear(&cause);
    return rc;
}

/* A line that does not end within the limit of messages. */
static int check_length(const rmi_http_connection *connection, const line_stream *s, size_t length,
                        rm_error *err)
{
    const size_t most = rmi_http_options(connection->listener)->most_message;
    if (length <= most)
        return RM_OK;
    return rm_error_set(err, RM_E_LIMIT,
                        "line %" PRIu64 " of the body is longer than %zu bytes, which the server takes",
                        s->line + 1, most);
}

/* The next line that has come as a whole; RM_AGAIN or RM_DONE: there is none. The last one may lack its end. */
static int next_line(rmi_http_connection *connection, const char **line, size_t *length, rm_error *err)
{
    line_stream *s = connection->state;
    for (;;) {
        const char *begin = s->lines.data != NULL ? s->lines.data + s->at : "";
        const size_t there = s->lines.length - s->at;
        const char *end = there > s->scanned ? memchr(begin + s->scanned, '\n', there - s->scanned) : NULL;
        *line = begin;
        *length = end != NULL ? (size_t)(end - begin) : there;
        int rc = check_length(connection, s, *length, err);
        if (rc == RM_OK && end != NULL)
            s->at += *length + 1;
        s->scanned = end != NULL ? 0 : there;
        if (rc != RM_OK || end != NULL)
            return rc;
        rc = take_arrived(connection, err);
        if (rc == RM_DONE && s->lines.length > 0) {
            *line = s->lines.data;
            s->at = s->lines.length;
            s->scanned = 0;
            return RM_OK;
        }
        if (rc != RM_OK)
            return rc;
    }
}

static int next_item(rmi_http_connection *connection, rm_packet *packet, rm_error *err)
{
    line_stream *s = connection->state;
    const char *line = NULL;
    size_t length = 0;
    int rc;
    do {
        rc = next_line(connection, &line, &length, err);
        s->line += rc == RM_OK;
    } while (rc == RM_OK && is_blank(line, length));
    return rc == RM_OK ? read_line(connection, line, length, packet, err) : rc;
}

/* A failure ends the input: the results of the items before it come first. */
static int input(void *context, const char **source, rm_packet *packet, rm_error *err)
{
    rmi_http_connection *connection = context;
    rmi_http_exchange *exchange = &connection->exchange;
    line_stream *s = connection->state;
    (void)source;
    (void)err;
    if (!s->begun) { /* the nodes are open */
        pthread_mutex_lock(&exchange->lock);
        begin_answer(connection);
        pthread_mutex_unlock(&exchange->lock);
        rmi_http_post(connection, false);
    }
    if (s->failure.code != RM_OK)
        return RM_DONE;
    const int rc = next_item(connection, packet, &s->failure);
    return rc < 0 ? RM_DONE : rc;
}

static const rmi_client client = {input, take_result, ended};

/* ---- The request */

static void begin(rmi_http_connection *connection)
{
    line_stream *s = connection->state;
    const char *accept = rmi_http_value(&connection->request, RMI_HTTP_ACCEPT);
    rm_error err = {0};
    rmi_text_init(&s->lines, NULL);
    s->events = rmi_http_list_has(accept, "text/event-stream");
    if (rmi_http_query_has(&connection->request, "arrays=list"))
        s->style.flags = RM_JSON_ARRAYS_AS_LISTS;
    if (rmi_json_reader_new(NULL, 0, &s->json, &err) != RM_OK)
        rmi_http_fail(connection, 503, &err);
    else
        (void)!rmi_http_open(connection, NULL, false, &client, rmi_http_fail);
    rm_error_clear(&err);
}

static void body(rmi_http_connection *connection, const char *data, size_t length)
{
    rmi_http_exchange *exchange = &connection->exchange;
    pthread_mutex_lock(&exchange->lock);
    const bool first = exchange->arriving.length == 0;
    rmi_text_append(&exchange->arriving, data, length);
    if (first && exchange->session != NULL)
        rmi_session_wake(exchange->session);
    pthread_mutex_unlock(&exchange->lock);
}

static void complete(rmi_http_connection *connection)
{
    rmi_http_exchange *exchange = &connection->exchange;
    pthread_mutex_lock(&exchange->lock);
    exchange->arrived = true;
    if (exchange->session != NULL)
        rmi_session_wake(exchange->session);
    pthread_mutex_unlock(&exchange->lock);
}

static void release(rmi_http_connection *connection)
{
    line_stream *s = connection->state;
    if (s == NULL)
        return;
    rmi_json_reader_free(s->json);
    rmi_text_clear(&s->lines);
    rm_error_clear(&s->failure);
}

const rmi_http_handler rmi_http_stream = {
    .state_size = sizeof(line_stream),
    .begin = begin,
    .body = body,
    .complete = complete,
    .free = release,
};
