/* Who may call what. */
#include <stdlib.h>
#include <string.h>

#include "transport/http/http_listener.h"
#include "transport/http/http_pages.h"

enum { LONGEST_PATH = 1024 };

typedef struct route {
    const char *path; /* the whole path; or what stands behind the name, with `named` */
    const char *methods;
    bool named;          /* "/v1/pipelines/NAME..." */
    bool probed;         /* needs no token: probes, and a page without any data */
    rmi_http_page *page; /* makes the answer; NULL: `handler` does */
    const rmi_http_handler *handler;
} route;

static const route routes[] = {
    {"/healthz", "GET, HEAD", .probed = true, .page = rmi_http_healthz},
    {"/readyz", "GET, HEAD", .probed = true, .page = rmi_http_readyz},
    {"/v1/version", "GET, HEAD", .page = rmi_http_version_page},
    {"/v1/pipelines", "GET, HEAD", .page = rmi_http_pipelines_page},
    {"/v1/status", "GET, HEAD", .page = rmi_http_status_page},
    {"/metrics", "GET, HEAD", .page = rmi_http_metrics_page},
    {"/openapi.json", "GET, HEAD", .page = rmi_http_openapi_page},
    {"/", "GET, HEAD", .probed = true, .page = rmi_http_front_page},
    {"/v1/run", "POST", .handler = &rmi_http_run},
    {":run", "POST", .named = true, .handler = &rmi_http_run},
    {":stream", "POST", .named = true, .handler = &rmi_http_stream},
    {"", "GET", .named = true, .handler = &rmi_http_websocket},
};

/* ---- Where the request goes */

static const char named_prefix[] = "/v1/pipelines/";

/* Cuts "NAME:run" in two; the name stays in `path`. */
static const char *cut_action(char *path)
{
    static const char *const actions[] = {":run", ":stream", NULL};
    const size_t length = strlen(path);
    for (const char *const *action = actions; *action != NULL; action++) {
        const size_t size = strlen(*action);
        if (length > size && strcmp(path + length - size, *action) == 0) {
            path[length - size] = '\0';
            return *action;
        }
    }
    return "";
}

static const route *find_route(char *path, const char **name)
{
    const size_t prefix = sizeof named_prefix - 1;
    const bool named = strncmp(path, named_prefix, prefix) == 0 && path[prefix] != '\0';
    const char *rest = named ? cut_action(path + prefix) : path;
    *name = named ? path + prefix : NULL;
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
        if (routes[i].named == named && strcmp(routes[i].path, rest) == 0)
            return &routes[i];
    return NULL;
}

/* ---- Who may call */

/* Whether the host in the header names this machine: a page of a stranger, whose name leads here, has another one. */
static bool names_this_machine(const char *host)
{
    static const char *const names[] = {"127.", "localhost", "[::1]", NULL};
    for (const char *const *name = names; *name != NULL; name++) {
        const size_t length = strlen(*name);
        if (strlen(host) >= length && rmi_http_same_word(host, *name, length) &&
            (name == names || host[length] == '\0' || host[length] == ':'))
            return strspn(host, "0123456789.:") == strlen(host) || name != names;
    }
    return false;
}

/* Pages of other origins may call only where --cors says so. */
static bool may_origin_call(const rmi_http_connection *connection)
{
    const char *origin = rmi_http_value(&connection->request, RMI_HTTP_ORIGIN);
    const char *host = rmi_http_value(&connection->request, RMI_HTTP_HOST);
    const char *allowed = rmi_http_options(connection->listener)->cors_origin;
    const char *scheme = connection->tls != NULL ? "https://" : "http://";
    if (origin == NULL)
        return true;
    if (allowed != NULL && (strcmp(allowed, "*") == 0 || strcmp(allowed, origin) == 0))
        return true;
    return host != NULL && strncmp(origin, scheme, strlen(scheme)) == 0 &&
           strcmp(origin + strlen(scheme), host) == 0;
}

/* A page's WebSocket has no headers of its own: there the token may be a protocol, "bearer.TOKEN". */
static bool has_token_as_protocol(const rmi_http_connection *connection)
{
    static const char prefix[] = "bearer.", scheme[] = "Bearer ";
    const char *list = rmi_http_value(&connection->request, RMI_HTTP_WS_PROTOCOL);
    char header[1024];
    while (list != NULL && *list != '\0') {
        list += strspn(list, " \t,");
        const size_t length = strcspn(list, " \t,");
        if (length >= sizeof prefix && length < sizeof header - sizeof scheme &&
            strncmp(list, prefix, sizeof prefix - 1) == 0) {
            const size_t token = length - (sizeof prefix - 1);
            memcpy(header, scheme, sizeof scheme - 1);
            memcpy(header + sizeof scheme - 1, list + sizeof prefix - 1, token);
            return rmi_service_authorized(rmi_http_service(connection->listener), header,
                                          sizeof scheme - 1 + token);
        }
        list += length;
    }
    return false;
}

static bool is_authorized(const rmi_http_connection *connection)
{
    const char *header = rmi_http_value(&connection->request, RMI_HTTP_AUTHORIZATION);
    if (header == NULL && has_token_as_protocol(connection))
        return true;
    return rmi_service_authorized(rmi_http_service(connection->listener), header,
                                  header != NULL ? strlen(header) : 0);
}

/* Answers and returns false where the request may not go on. */
static bool admit(rmi_http_connection *connection)
{
    const bool keeps = !connection->closes;
    connection->closes = true; /* after what follows */
    const rmi_http_request *request = &connection->request;
    const char *host = rmi_http_value(request, RMI_HTTP_HOST);
    const char *encoding = rmi_http_value(request, RMI_HTTP_CONTENT_ENCODING);
    const char *expect = rmi_http_value(request, RMI_HTTP_EXPECT);
    if (host == NULL && request->parser.http_minor > 0)
        rmi_http_refuse(connection, 400, RM_E_PARSE, "the request has no header Host");
    else if (request->parser.http_major != 1)
        rmi_http_refuse(connection, 400, RM_E_PARSE, "the server speaks HTTP/1.1");
    else if (host != NULL && rmi_http_is_local(connection->listener) && !names_this_machine(host))
        rmi_http_refuse(connection, 403, RM_E_VALUE,
                        "the server serves this machine only, and '%.100s' is not its name", host);
    else if (!may_origin_call(connection))
        rmi_http_refuse(connection, 403, RM_E_VALUE,
                        "pages of other origins may not call; --cors ORIGIN allows it");
    else if (encoding != NULL && strcmp(encoding, "identity") != 0)
        rmi_http_refuse(connection, 415, RM_E_UNSUPPORTED, "Content-Encoding '%.100s' is not supported",
                        encoding);
    else if (expect != NULL && !rmi_http_list_has(expect, "100-continue"))
        rmi_http_refuse(connection, 417, RM_E_UNSUPPORTED, "Expect '%.100s' is not supported", expect);
    else
        connection->closes = !keeps;
    return !connection->exchange.finished;
}

/* ---- To the handler */

static bool method_is(const rmi_http_connection *connection, const route *found)
{
    return rmi_http_list_has(found->methods, llhttp_method_name(connection->request.parser.method));
}

static void answer_page(rmi_http_connection *connection, rmi_http_page *page)
{
    rmi_text body;
    const char *type = "application/json";
    rmi_text_init(&body, NULL);
    const int status = page(connection->listener, &body, &type);
    rmi_http_answer(connection, status, type, &body);
}

static void start_handler(rmi_http_connection *connection, const rmi_http_handler *handler)
{
    connection->state = calloc(1, handler->state_size);
    if (connection->state == NULL) {
        rmi_http_refuse(connection, 503, RM_E_OUT_OF_MEMORY, "out of memory");
        return;
    }
    connection->handler = handler;
    handler->begin(connection);
    const bool waits = rmi_http_value(&connection->request, RMI_HTTP_EXPECT) != NULL;
    if (waits && !connection->exchange.finished && connection->request.parser.http_minor > 0)
        rmi_text_append_c(&connection->out, "HTTP/1.1 100 Continue\r\n\r\n");
}

static void serve_route(rmi_http_connection *connection, const route *found, const char *name)
{
    const rmi_pipelines *pipelines = rmi_http_options(connection->listener)->pipelines;
    if (name != NULL && (connection->pipeline = rmi_pipelines_find(pipelines, name)) == SIZE_MAX) {
        rmi_http_refuse(connection, 404, RM_E_NOT_FOUND, "there is no pipeline '%.200s'", name);
        return;
    }
    if (!method_is(connection, found)) {
        connection->allow = found->methods;
        rmi_http_refuse(connection, 405, RM_E_USAGE, "%s is not for this path; it has %s",
                        llhttp_method_name(connection->request.parser.method), found->methods);
        return;
    }
    if (found->page != NULL)
        answer_page(connection, found->page);
    else if (rmi_http_draining(connection->listener))
        rmi_http_refuse(connection, 503, RM_E_LIMIT, "the server is about to end and takes no more sessions");
    else
        start_handler(connection, found->handler);
}

static void answer_preflight(rmi_http_connection *connection)
{
    rmi_text none;
    rmi_text_init(&none, NULL);
    rmi_http_answer(connection, 204, NULL, &none);
}

void rmi_http_route(rmi_http_connection *connection)
{
    const rmi_http_request *request = &connection->request;
    char path[LONGEST_PATH];
    const char *name = NULL;
    if (!admit(connection))
        return;
    const bool good = rmi_http_path(request, path, sizeof path);
    const route *found = good ? find_route(path, &name) : NULL;
    const bool probed = found != NULL && found->probed;
    if (request->parser.method == HTTP_OPTIONS && rmi_http_value(request, RMI_HTTP_PREFLIGHT) != NULL &&
        rmi_http_options(connection->listener)->cors_origin != NULL)
        answer_preflight(connection);
    else if (!probed && !is_authorized(connection)) /* strangers learn nothing */
        rmi_http_refuse(connection, 401, RM_E_USAGE, "a token is needed: Authorization: Bearer TOKEN");
    else if (!good)
        rmi_http_refuse(connection, 400, RM_E_PARSE, "the path of the request has a wrong %% or is too long");
    else if (found == NULL)
        rmi_http_refuse(connection, 404, RM_E_NOT_FOUND,
                        "there is nothing at '%.200s'; /openapi.json lists all that there is", path);
    else
        serve_route(connection, found, name);
}
