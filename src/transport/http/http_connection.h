/* A connection of a client: its socket, the request that is being served, and the answer.
 *
 * One thread, the listener's, owns all connections. A session (transport/session.h) shares only the exchange with it, under the
 * exchange's lock: the body that has arrived, and what is to be sent. Each side waits for the other when too much is there. */
#ifndef TRANSPORT_HTTP_HTTP_CONNECTION_H
#define TRANSPORT_HTTP_HTTP_CONNECTION_H

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>

#include "transport/http/http_rates.h"
#include "transport/http/http_request.h"
#include "transport/listener.h"

enum {
    RMI_HTTP_READ = 16 << 10,          /* bytes of one read */
    RMI_HTTP_MOST_WAITING = 128 << 10, /* bytes that wait for a side before the other one has to wait */
};

typedef struct rmi_http_listener rmi_http_listener;
typedef struct rmi_http_connection rmi_http_connection;

/* What serves a request. The listener's thread calls all of them; any but `begin` may be NULL. */
typedef struct rmi_http_handler {
    size_t state_size;
    /* The head has come, and the body is to follow; may answer. */
    void (*begin)(rmi_http_connection *connection);
    /* Bytes of the body, which are borrowed; may answer. */
    void (*body)(rmi_http_connection *connection, const char *data, size_t length);
    /* All of the body has come; may answer. */
    void (*complete)(rmi_http_connection *connection);
    /* Bytes of the other protocol that the connection speaks after an upgrade. */
    void (*upgraded)(rmi_http_connection *connection, const char *data, size_t length);
    /* The session has ended, for a protocol that says goodbye. */
    void (*farewell)(rmi_http_connection *connection);
    /* Frees what the state owns; no session uses it any more. */
    void (*free)(rmi_http_connection *connection);
} rmi_http_handler;

/* How an answer's body is sent. */
typedef enum rmi_http_framing {
    RMI_HTTP_WHOLE,   /* once all of it is there, with its length */
    RMI_HTTP_CHUNKED, /* as it comes */
    RMI_HTTP_RAW,     /* as it comes, without any frame: after an upgrade, and for HTTP/1.0 */
} rmi_http_framing;

/* What the session and the listener's thread share; `lock` guards all of it. */
typedef struct rmi_http_exchange {
    pthread_mutex_t lock;
    rmi_session *session; /* NULL: there is none, or it has ended */
    rmi_text arriving;    /* what the session has not taken yet */
    bool arrived;         /* no more will come */
    rmi_text produced;    /* of the answer, not framed yet */
    int status;           /* of the answer; 0: not known yet */
    const char *type;     /* its content type, a literal */
    rmi_http_framing framing;
    bool begun;    /* what is produced may be sent */
    bool finished; /* all of it is produced */
    bool starved;  /* the session waits for room */
    const char *
        violation; /* what is wrong with the bytes of the body, to be told in the place of the next item; a literal */
} rmi_http_exchange;

typedef enum rmi_http_stage {
    RMI_HTTP_HEAD,      /* a request is awaited, or its head is coming */
    RMI_HTTP_REQUEST,   /* it is being served */
    RMI_HTTP_LINGERING, /* the answer is sent, and what still comes is thrown away */
    RMI_HTTP_GONE,      /* the socket is closed; a session may still have to end */
} rmi_http_stage;

struct rmi_http_connection {
    rmi_http_listener *listener;
    rmi_http_connection *before, *behind; /* in the listener's list */
    rmi_http_connection *next_posted;     /* under the listener's lock */
    bool posted, ended_posted;            /* under the listener's lock */
    int descriptor;
    SSL *tls; /* owned; NULL: none */
    bool handshaking;
    bool disturbed;    /* something came that was not wanted: epoll shall tell of nothing else */
    uint32_t interest; /* what epoll waits for */
    char client[64];   /* its address */

    rmi_http_stage stage;
    rmi_http_request request;
    rmi_text left;   /* what came behind the request that is being served */
    bool completed;  /* the request has come as a whole */
    bool switched;   /* the connection speaks another protocol */
    bool read_ended; /* the client sends no more */
    bool paused;     /* reading, until the session has taken something */
    bool muted;      /* the other protocol has said goodbye: nothing more is sent */
    bool broken;     /* what comes is no HTTP, and is thrown away */

    const rmi_http_handler *handler;
    void *state;     /* of the handler; owned */
    size_t pipeline; /* the index of the named one; SIZE_MAX: none */
    rmi_http_exchange exchange;
    rmi_http_progress progress_of; /* of the session */
    bool in_session;               /* a session was opened, and has not been seen to end */

    rmi_text out; /* bytes for the socket */
    size_t out_at;
    bool head_sent, answer_sent, closes;
    bool bodyless;     /* HEAD: no body is sent */
    const char *allow; /* for 405 */

    int64_t begun, progress, deadline; /* monotonic ns; progress: something was sent; INT64_MAX: none */
    uint64_t bytes_in, bytes_out;
};

/* ---- The socket */

/* Takes a socket. NULL without memory; the socket is the caller's then. */
rmi_http_connection *rmi_http_connection_new(rmi_http_listener *listener, int descriptor, SSL *tls);
/* Something can be read or written, or `revents` tells that the client is gone. */
void rmi_http_connection_ready(rmi_http_connection *connection, uint32_t revents);
/* Sends what is there, goes on to the next request, and waits for the rest. */
void rmi_http_connection_pump(rmi_http_connection *connection);
/* Its deadline is over. */
void rmi_http_connection_late(rmi_http_connection *connection);
/* Ends it: cancels the session, closes the socket. Frees the connection where no session uses it. */
void rmi_http_connection_close(rmi_http_connection *connection);
/* The session has ended. */
void rmi_http_connection_session_ended(rmi_http_connection *connection);
/* Whether something waits to be sent that is not in `out` yet. */
bool rmi_http_has_produced(rmi_http_connection *connection);
/* Whether a request is being served or an answer is not sent yet. */
bool rmi_http_connection_is_busy(const rmi_http_connection *connection);

/* ---- Answers; the listener's thread */

/* Answers with an error document. */
void rmi_http_fail(rmi_http_connection *connection, int status, const rm_error *error);
/* The same, with a text. */
void rmi_http_refuse(rmi_http_connection *connection, int status, int code, const char *format, ...)
    RM_PRINTF(4, 5);
/* Answers with what is in `body`, which is consumed. `type` is a literal. */
void rmi_http_answer(rmi_http_connection *connection, int status, const char *type, rmi_text *body);
/* Appends the error document of `error`, without the closing brace. */
RM_MUST_CHECK int rmi_http_append_error(rmi_text *text, const rm_error *error, rm_error *err);
/* The head of the answer goes into `out`. Under the exchange's lock. */
void rmi_http_put_head(rmi_http_connection *connection);

/* ---- Routes */

/* Looks who calls and what for, and chooses the handler, or refuses. */
void rmi_http_route(rmi_http_connection *connection);

extern const rmi_http_handler rmi_http_run, rmi_http_stream, rmi_http_websocket;

#endif
