/* The heads and the errors of answers. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "data/json/json.h"
#include "transport/http/http_listener.h"

static const struct {
    int status;
    const char *reason;
} reasons[] = {
    {101, "Switching Protocols"},
    {200, "OK"},
    {204, "No Content"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {426, "Upgrade Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
};

static const char *reason_of(int status)
{
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Unknown";
}

static void put_date(rmi_text *out)
{
    static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const time_t now = time(NULL);
    struct tm t;
    if (gmtime_r(&now, &t) != NULL)
        rmi_text_printf(out, "Date: %.3s, %02d %.3s %d %02d:%02d:%02d GMT\r\n",
                        days + 3 * (ptrdiff_t)t.tm_wday, t.tm_mday, months + 3 * (ptrdiff_t)t.tm_mon,
                        t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
}

static void put_cors(rmi_http_connection *connection)
{
    const char *origin = rmi_http_value(&connection->request, RMI_HTTP_ORIGIN);
    const char *allowed = rmi_http_options(connection->listener)->cors_origin;
    rmi_text *out = &connection->out;
    if (allowed == NULL || origin == NULL)
        return;
    rmi_text_printf(out, "Access-Control-Allow-Origin: %s\r\nVary: Origin\r\n", allowed);
    if (rmi_http_value(&connection->request, RMI_HTTP_PREFLIGHT) != NULL)
        rmi_text_append_c(out, "Access-Control-Allow-Methods: GET, POST\r\n"
                               "Access-Control-Allow-Headers: Authorization, Content-Type\r\n"
                               "Access-Control-Max-Age: 600\r\n");
}

void rmi_http_put_head(rmi_http_connection *connection)
{
    rmi_http_exchange *exchange = &connection->exchange;
    rmi_text *out = &connection->out;
    connection->head_sent = true;
    if (exchange->framing == RMI_HTTP_RAW && exchange->status == 101)
        return; /* the upgrade has sent its own */
    if (exchange->framing == RMI_HTTP_CHUNKED && connection->request.parser.http_minor == 0) {
        exchange->framing = RMI_HTTP_RAW;
        connection->closes = true;
    }
    if (rmi_http_draining(connection->listener) || (exchange->finished && !connection->completed))
        connection->closes = true;
    rmi_text_printf(out, "HTTP/1.1 %d %s\r\n", exchange->status, reason_of(exchange->status));
    put_date(out);
    if (exchange->type != NULL)
        rmi_text_printf(out, "Content-Type: %s\r\n", exchange->type);
    if (exchange->framing == RMI_HTTP_CHUNKED)
        rmi_text_append_c(out, "Transfer-Encoding: chunked\r\n");
    else if (exchange->framing == RMI_HTTP_WHOLE && exchange->status != 204)
        rmi_text_printf(out, "Content-Length: %zu\r\n", exchange->produced.length);
    rmi_text_append_c(out, "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n");
    if (exchange->status == 401)
        rmi_text_append_c(out, "WWW-Authenticate: Bearer\r\n");
    if (exchange->status == 429 || exchange->status == 503)
        rmi_text_append_c(out, "Retry-After: 1\r\n");
    if (exchange->status == 426)
        rmi_text_append_c(out, "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n");
    if (connection->allow != NULL)
        rmi_text_printf(out, "Allow: %s\r\n", connection->allow);
    put_cors(connection);
    if (connection->closes)
        rmi_text_append_c(out, "Connection: close\r\n");
    else if (connection->request.parser.http_minor == 0)
        rmi_text_append_c(out, "Connection: keep-alive\r\n");
    rmi_text_append_c(out, "\r\n");
}

void rmi_http_answer(rmi_http_connection *connection, int status, const char *type, rmi_text *body)
{
    rmi_http_exchange *exchange = &connection->exchange;
    pthread_mutex_lock(&exchange->lock);
    exchange->status = status;
    exchange->type = type;
    exchange->framing = RMI_HTTP_WHOLE;
    rmi_text_clear(&exchange->produced);
    exchange->produced = *body;
    exchange->finished = true;
    connection->out.failed |= body->failed; /* closes the connection */
    pthread_mutex_unlock(&exchange->lock);
    rmi_text_init(body, NULL);
}

int rmi_http_append_error(rmi_text *text, const rm_error *error, rm_error *err)
{
    rm_value document = rm_null();
    const rmi_json_style style = {0};
    int rc = rm_error_to_value(NULL, error, &document, err);
    rmi_text_append_c(text, "{\"status\":\"error\",\"error\":");
    if (rc == RM_OK)
        rc = rmi_json_append(text, document, &style, NULL, err);
    rm_value_clear(&document);
    return rc;
}

void rmi_http_fail(rmi_http_connection *connection, int status, const rm_error *error)
{
    rmi_text body;
    rmi_text_init(&body, NULL);
    if (rmi_http_append_error(&body, error, NULL) != RM_OK)
        body.failed = true;
    rmi_text_append_c(&body, "}\n");
    rmi_http_answer(connection, status, "application/json", &body);
}

void rmi_http_refuse(rmi_http_connection *connection, int status, int code, const char *format, ...)
{
    rm_error err = {0};
    char message[sizeof err.message];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    (void)rm_error_set(&err, code, "%s", message);
    rmi_http_fail(connection, status, &err);
    rm_error_clear(&err);
}
