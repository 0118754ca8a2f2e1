/* The head of a request, as llhttp finds it in the bytes. */
#ifndef TRANSPORT_HTTP_HTTP_REQUEST_H
#define TRANSPORT_HTTP_HTTP_REQUEST_H

#include <llhttp.h>

#include "base/text.h"

enum {
    RMI_HTTP_MOST_HEAD = 16 << 10, /* bytes of target and headers */
    RMI_HTTP_LONGEST_TARGET = 4 << 10,
    RMI_HTTP_LONGEST_NAME = 48,
};

/* The headers that the server looks at. */
#define RMI_HTTP_HEADERS(X)                                \
    X(RMI_HTTP_ACCEPT, "accept")                           \
    X(RMI_HTTP_AUTHORIZATION, "authorization")             \
    X(RMI_HTTP_CONTENT_ENCODING, "content-encoding")       \
    X(RMI_HTTP_EXPECT, "expect")                           \
    X(RMI_HTTP_HOST, "host")                               \
    X(RMI_HTTP_ORIGIN, "origin")                           \
    X(RMI_HTTP_PREFLIGHT, "access-control-request-method") \
    X(RMI_HTTP_UPGRADE, "upgrade")                         \
    X(RMI_HTTP_WS_KEY, "sec-websocket-key")                \
    X(RMI_HTTP_WS_PROTOCOL, "sec-websocket-protocol")      \
    X(RMI_HTTP_WS_VERSION, "sec-websocket-version")

typedef enum rmi_http_header {
#define RMI_HTTP_NAME_(name, text) name,
    RMI_HTTP_HEADERS(RMI_HTTP_NAME_)
#undef RMI_HTTP_NAME_
        RMI_HTTP_HEADER_COUNT
} rmi_http_header;

typedef struct rmi_http_request {
    llhttp_t parser;                      /* its `data` is the connection */
    rmi_text head;                        /* the target, then values of headers, each with a NUL behind */
    size_t head_bytes;                    /* all that has come of the head */
    size_t value_start;                   /* in `head`: of the header that is being read */
    size_t values[RMI_HTTP_HEADER_COUNT]; /* the places in `head`; 0: there is none */
    char name[RMI_HTTP_LONGEST_NAME];     /* of the header that is being read; cut names are none of ours */
    size_t name_length;
    bool in_value;
    int wrong; /* the status for a head that is refused; 0: it is good */
} rmi_http_request;

/* Begins the next request of a connection; keeps nothing of the one before. */
void rmi_http_request_begin(rmi_http_request *request, const llhttp_settings_t *settings, void *connection);
void rmi_http_request_clear(rmi_http_request *request);

/* For the settings of the parser: each returns 0, or -1 with `wrong` set. */
int rmi_http_on_url(llhttp_t *parser, const char *data, size_t length);
int rmi_http_on_header_name(llhttp_t *parser, const char *data, size_t length);
int rmi_http_on_header_value(llhttp_t *parser, const char *data, size_t length);
int rmi_http_on_header_end(llhttp_t *parser);
/* The connection's request: the parser is inside. */
rmi_http_request *rmi_http_request_of(llhttp_t *parser);

/* The target ("/v1/run?arrays=list"), valid once the head has come. */
const char *rmi_http_target(const rmi_http_request *request);
/* The value of a header; NULL: there is none. Borrowed. */
const char *rmi_http_value(const rmi_http_request *request, rmi_http_header header);
/* Copies the path of the target, %XX decoded; false: it is too long, or has a bad % or a NUL. */
bool rmi_http_path(const rmi_http_request *request, char *path, size_t size);
/* Whether the query of the target is "key=value" at some place. */
bool rmi_http_query_has(const rmi_http_request *request, const char *pair);
/* Whether a list of values ("keep-alive, Upgrade") has `word`, in any case. */
bool rmi_http_list_has(const char *list, const char *word);
bool rmi_http_same_word(const char *a, const char *b, size_t length);

#endif
