/* The listener for HTTP: one thread that owns all connections. */
#include "transport/http/http_listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "platform/platform.h"
#include "transport/http/access_log.h"
#include "transport/http/tls.h"

enum { EVENTS = 64, BACKLOG = 1024, ACCEPTS = 64 };
static const int64_t patience_with_sessions = 5000000000; /* ns */

struct rmi_http_listener {
    rmi_service *service;
    rmi_listener_options options; /* its texts are borrowed */
    rmi_http_counters counters;
    rmi_http_rates *rates; /* owned */
    rmi_access_log *log;   /* owned; NULL: none */
    SSL_CTX *tls;          /* owned; NULL: none */
    bool local;
    int socket, epoll, event;
    int spare; /* a descriptor that is given up for a moment to refuse a client when there is no other */
    pthread_t thread;
    bool runs;

    /* Of the thread. */
    rmi_http_connection *connections;
    size_t kept; /* connections that are not freed */
    int64_t next_deadline;

    pthread_mutex_t lock; /* of the rest */
    pthread_cond_t quiet;
    rmi_http_connection *first_posted, *last_posted;
    bool asked, is_quiet; /* asked: somebody waits until nothing is busy */
    bool stopping;
};

rmi_service *rmi_http_service(const rmi_http_listener *listener)
{
    return listener->service;
}

const rmi_listener_options *rmi_http_options(const rmi_http_listener *listener)
{
    return &listener->options;
}

rmi_http_counters *rmi_http_counters_of(rmi_http_listener *listener)
{
    return &listener->counters;
}

rmi_http_rates *rmi_http_rates_of(rmi_http_listener *listener)
{
    return listener->rates;
}

bool rmi_http_draining(const rmi_http_listener *listener)
{
    return rmi_service_draining(listener->service);
}

bool rmi_http_is_local(const rmi_http_listener *listener)
{
    return listener->local;
}

/* ---- For other threads */

static void poke(const rmi_http_listener *listener)
{
    const uint64_t one = 1;
    const ssize_t written =
        write(listener->event, &one, sizeof one); /* fails only where it is raised already */
    (void)written;
}

void rmi_http_post(rmi_http_connection *connection, bool ended)
{
    rmi_http_listener *listener = connection->listener;
    pthread_mutex_lock(&listener->lock);
    const bool first = listener->first_posted == NULL;
    connection->ended_posted |= ended;
    if (!connection->posted) {
        connection->posted = true;
        connection->next_posted = NULL;
        if (first)
            listener->first_posted = connection;
        else
            listener->last_posted->next_posted = connection;
        listener->last_posted = connection;
        if (first)
            poke(listener);
    }
    pthread_mutex_unlock(&listener->lock);
}

/* The next connection that was posted, or NULL. */
static rmi_http_connection *take_posted(rmi_http_listener *listener, bool *ended)
{
    pthread_mutex_lock(&listener->lock);
    rmi_http_connection *connection = listener->first_posted;
    if (connection != NULL) {
        listener->first_posted = connection->next_posted;
        *ended = connection->ended_posted;
        connection->posted = connection->ended_posted = false;
    }
    pthread_mutex_unlock(&listener->lock);
    return connection;
}

static void serve_posted(rmi_http_listener *listener)
{
    bool ended = false;
    for (rmi_http_connection *connection; (connection = take_posted(listener, &ended)) != NULL;) {
        if (ended)
            rmi_http_connection_session_ended(connection);
        else if (connection->stage != RMI_HTTP_GONE)
            rmi_http_connection_pump(connection);
    }
}

/* ---- For connections */

void rmi_http_list(rmi_http_connection *connection)
{
    rmi_http_listener *listener = connection->listener;
    connection->before = NULL;
    connection->behind = listener->connections;
    if (listener->connections != NULL)
        listener->connections->before = connection;
    listener->connections = connection;
    listener->counters.connections++;
    listener->kept++;
}

void rmi_http_unlist(rmi_http_connection *connection)
{
    rmi_http_listener *listener = connection->listener;
    if (connection->before != NULL)
        connection->before->behind = connection->behind;
    else
        listener->connections = connection->behind;
    if (connection->behind != NULL)
        connection->behind->before = connection->before;
    listener->counters.connections--;
}

void rmi_http_freed(rmi_http_listener *listener)
{
    listener->kept--;
}

void rmi_http_watch(rmi_http_connection *connection, uint32_t interest)
{
    struct epoll_event event = {.events = interest, .data.ptr = connection};
    if (interest != connection->interest)
        (void)epoll_ctl(connection->listener->epoll, EPOLL_CTL_MOD, connection->descriptor, &event);
    connection->interest = interest;
}

void rmi_http_set_deadline(rmi_http_connection *connection, int64_t deadline)
{
    rmi_http_listener *listener = connection->listener;
    connection->deadline = deadline;
    if (deadline < listener->next_deadline)
        listener->next_deadline = deadline;
}

void rmi_http_log(rmi_http_connection *connection)
{
    rmi_http_listener *listener = connection->listener;
    const int64_t now = rmi_platform_now();
    const bool sent = connection->head_sent;
    pthread_mutex_lock(&connection->exchange.lock);
    const int status = sent ? connection->exchange.status : 0;
    pthread_mutex_unlock(&connection->exchange.lock);
    rmi_http_count_request(&listener->counters, status, now - connection->begun);
    if (listener->log == NULL)
        return;
    const rmi_access_line line = {
        .protocol = connection->switched ? "websocket" : "http",
        .client = connection->client,
        .method = connection->request.wrong != 0 ? "" : llhttp_method_name(connection->request.parser.method),
        .target = rmi_http_target(&connection->request),
        .status = status,
        .bytes_in = connection->bytes_in,
        .bytes_out = connection->bytes_out,
        .ns = now - connection->begun,
    };
    if (!rmi_access_log_put(listener->log, &line))
        rmi_http_count(&listener->counters.log_lost, 1);
}

/* ---- Clients that come */

static void name_client(const struct sockaddr_storage *address, char *name, size_t size)
{
    char host[INET6_ADDRSTRLEN] = "?";
    uint16_t port = 0;
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)address;
        (void)inet_ntop(AF_INET, &in->sin_addr, host, sizeof host);
        port = in->sin_port;
    } else if (address->ss_family == AF_INET6) {
        const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)address;
        (void)inet_ntop(AF_INET6, &in->sin6_addr, host, sizeof host);
        port = in->sin6_port;
    }
    (void)snprintf(name, size, strchr(host, ':') != NULL ? "[%s]:%u" : "%s:%u", host, ntohs(port));
}

static void set_up_socket(int descriptor)
{
    const int on = 1, idle = 30, interval = 10,
              count = 3; /* a client that vanished is noticed after a minute */
    (void)setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    (void)setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    (void)setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
    (void)setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
}

/* Without memory the client is dropped. */
static void take_client(rmi_http_listener *listener, int descriptor, const struct sockaddr_storage *address)
{
    SSL *tls = listener->tls != NULL ? rmi_tls_accept(listener->tls, descriptor) : NULL;
    const bool ready = listener->tls == NULL || tls != NULL;
    rmi_http_connection *connection = ready ? rmi_http_connection_new(listener, descriptor, tls) : NULL;
    if (connection == NULL) {
        SSL_free(tls);
        (void)close(descriptor);
        return;
    }
    set_up_socket(descriptor);
    name_client(address, connection->client, sizeof connection->client);
    rmi_http_list(connection);
    rmi_http_count(&listener->counters.accepted, 1);
    connection->interest = EPOLLIN | EPOLLRDHUP;
    struct epoll_event event = {.events = connection->interest, .data.ptr = connection};
    if (epoll_ctl(listener->epoll, EPOLL_CTL_ADD, descriptor, &event) != 0) {
        rmi_http_connection_close(connection);
        return;
    }
    rmi_http_connection_ready(connection, EPOLLIN); /* often the request has come already */
}

/* Takes the client with the spare descriptor, and drops it: otherwise the socket stays ready, and the loop runs hot. */
static void drop_client(rmi_http_listener *listener)
{
    rmi_http_count(&listener->counters.refused_descriptors, 1);
    if (listener->spare >= 0)
        (void)close(listener->spare);
    const int descriptor = accept4(listener->socket, NULL, NULL, SOCK_CLOEXEC);
    if (descriptor >= 0)
        (void)close(descriptor);
    listener->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void take_clients(rmi_http_listener *listener)
{
    for (int i = 0; i < ACCEPTS; i++) {
        struct sockaddr_storage address = {0};
        socklen_t length = sizeof address;
        const int descriptor =
            accept4(listener->socket, (struct sockaddr *)&address, &length, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (descriptor >= 0)
            take_client(listener, descriptor, &address);
        else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            drop_client(listener);
        else if (errno != ECONNABORTED && errno != EINTR)
            return;
    }
}

/* ---- The loop */

static void serve_deadlines(rmi_http_listener *listener)
{
    const int64_t now = rmi_platform_now();
    if (now < listener->next_deadline)
        return;
    listener->next_deadline = INT64_MAX;
    rmi_http_connection *behind = NULL;
    for (rmi_http_connection *connection = listener->connections; connection != NULL; connection = behind) {
        behind = connection->behind;
        if (connection->deadline <= now)
            rmi_http_connection_late(connection);
        else if (connection->deadline < listener->next_deadline)
            listener->next_deadline = connection->deadline;
    }
}

/* Answers who waits until nothing is busy. Connections between two requests are closed once somebody asks. */
static void answer_waiting(rmi_http_listener *listener)
{
    bool busy = false;
    pthread_mutex_lock(&listener->lock);
    const bool asked = listener->asked;
    pthread_mutex_unlock(&listener->lock);
    for (const rmi_http_connection *connection = listener->connections; asked && !busy && connection != NULL;
         connection = connection->behind)
        busy = rmi_http_connection_is_busy(connection);
    if (!asked || busy)
        return;
    pthread_mutex_lock(&listener->lock);
    listener->is_quiet = true;
    pthread_cond_broadcast(&listener->quiet);
    pthread_mutex_unlock(&listener->lock);
}

static bool stops(rmi_http_listener *listener)
{
    pthread_mutex_lock(&listener->lock);
    const bool stopping = listener->stopping;
    pthread_mutex_unlock(&listener->lock);
    return stopping;
}

static int timeout_of(const rmi_http_listener *listener)
{
    const int64_t left = listener->next_deadline - rmi_platform_now();
    if (listener->next_deadline == INT64_MAX)
        return -1;
    return left <= 0 ? 0 : left > INT64_C(60000000000) ? 60000 : (int)((left + 999999) / 1000000);
}

static void serve_event(rmi_http_listener *listener, const struct epoll_event *event)
{
    uint64_t count = 0;
    if (event->data.ptr == listener)
        take_clients(listener);
    else if (event->data.ptr != &listener->event)
        rmi_http_connection_ready(event->data.ptr, event->events);
    else if (read(listener->event, &count, sizeof count) > 0)
        serve_posted(listener);
}

/* A session's end is served with the events, and may free a connection; so events of one round are of connections that are
 * there: those that posted come in the next round. */
static void *serve(void *context)
{
    rmi_http_listener *listener = context;
    struct epoll_event events[EVENTS];
    while (!stops(listener)) {
        const int count = epoll_wait(listener->epoll, events, EVENTS, timeout_of(listener));
        bool posted = false;
        for (int i = 0; i < count; i++) {
            posted |= events[i].data.ptr == &listener->event;
            if (events[i].data.ptr != &listener->event)
                serve_event(listener, &events[i]);
        }
        if (posted)
            serve_event(listener, &(struct epoll_event){.data.ptr = &listener->event});
        serve_deadlines(listener);
        answer_waiting(listener);
    }
    return NULL;
}

/* ---- Begin and end */

static rmi_http_listener *of(rmi_listener *listener)
{
    return (rmi_http_listener *)listener;
}

/* The service takes no more sessions, which the probes tell; who asks for something else is refused. */
static void drain(rmi_listener *drained)
{
    poke(of(drained));
}

static bool wait_until(rmi_listener *drained, int64_t deadline)
{
    rmi_http_listener *listener = of(drained);
    const struct timespec until = {deadline / 1000000000, deadline % 1000000000};
    int rc = 0;
    pthread_mutex_lock(&listener->lock);
    listener->asked = true;
    listener->is_quiet = false;
    poke(listener);
    while (!listener->is_quiet && rc == 0)
        rc = pthread_cond_timedwait(&listener->quiet, &listener->lock, &until);
    const bool quiet = listener->is_quiet;
    listener->asked = false;
    pthread_mutex_unlock(&listener->lock);
    return quiet;
}

static void close_descriptor(int descriptor)
{
    if (descriptor >= 0)
        (void)close(descriptor);
}

/* After the thread has ended: closes what is left, and waits for sessions that are cancelled. false: some do not end. */
static bool close_connections(rmi_http_listener *listener)
{
    const int64_t deadline = rmi_platform_now() + patience_with_sessions;
    struct pollfd posted = {.fd = listener->event, .events = POLLIN};
    uint64_t count = 0;
    while (listener->connections != NULL)
        rmi_http_connection_close(listener->connections);
    serve_posted(listener);
    while (listener->kept > 0 && rmi_platform_now() < deadline) {
        if (poll(&posted, 1, 100) > 0 && read(listener->event, &count, sizeof count) > 0)
            serve_posted(listener);
    }
    return listener->kept == 0;
}

static void stop(rmi_listener *stopped)
{
    rmi_http_listener *listener = of(stopped);
    if (listener == NULL)
        return;
    pthread_mutex_lock(&listener->lock);
    listener->stopping = true;
    pthread_mutex_unlock(&listener->lock);
    if (listener->runs) {
        poke(listener);
        pthread_join(listener->thread, NULL);
        if (!close_connections(listener))
            return; /* a node does not return, and its session still uses the listener: the process ends without it */
    }
    close_descriptor(listener->socket);
    close_descriptor(listener->epoll);
    close_descriptor(listener->event);
    close_descriptor(listener->spare);
    SSL_CTX_free(listener->tls);
    rmi_access_log_close(listener->log);
    rmi_http_rates_free(listener->rates);
    pthread_cond_destroy(&listener->quiet);
    pthread_mutex_destroy(&listener->lock);
    free(listener);
}

/* Cuts "[::1]:80" and "localhost:80"; false: there is no port, or it is too long. */
static bool cut_address(const char *address, char *host, size_t size, const char **port)
{
    const char *colon = strrchr(address, ':');
    if (colon == NULL || (size_t)(colon - address) >= size)
        return false;
    const bool brackets = address[0] == '[' && colon > address + 1 && colon[-1] == ']';
    const size_t length = (size_t)(colon - address) - (brackets ? 2 : 0);
    memcpy(host, address + (brackets ? 1 : 0), length);
    host[length] = '\0';
    *port = colon + 1;
    return strlen(*port) > 0 && strlen(*port) <= 5 && strspn(*port, "0123456789") == strlen(*port) &&
           strtol(*port, NULL, 10) <= UINT16_MAX;
}

static bool is_local(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return (ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24) == 127;
    return address->sa_family == AF_INET6 &&
           IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
}

static int bind_to(rmi_http_listener *listener, const struct addrinfo *found, int *port)
{
    const int on = 1;
    struct sockaddr_storage bound = {0};
    socklen_t length = sizeof bound;
    listener->socket = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener->socket < 0)
        return -1;
    (void)setsockopt(listener->socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener->socket, found->ai_addr, found->ai_addrlen) != 0 ||
        listen(listener->socket, BACKLOG) != 0 ||
        getsockname(listener->socket, (struct sockaddr *)&bound, &length) != 0)
        return -1;
    *port = ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port
                                              : ((struct sockaddr_in *)&bound)->sin_port);
    listener->local = is_local(found->ai_addr);
    return 0;
}

static int listen_on(rmi_http_listener *listener, const char *address, int *port, rm_error *err)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    const char *service = NULL;
    char host[256];
    if (!cut_address(address, host, sizeof host, &service))
        return rm_error_set(err, RM_E_USAGE, "'%s' is no HOST:PORT with a port up to 65535", address);
    const int failed = getaddrinfo(host[0] != '\0' ? host : NULL, service, &hints, &found);
    if (failed != 0)
        return rm_error_set(err, RM_E_IO, "cannot listen on '%s': %s", address, gai_strerror(failed));
    const int rc = bind_to(listener, found, port) == 0
                       ? RM_OK
                       : rm_error_set(err, RM_E_IO, "cannot listen on '%s': %s", address, strerror(errno));
    freeaddrinfo(found);
    return rc;
}

static int open_loop(rmi_http_listener *listener, rm_error *err)
{
    listener->epoll = epoll_create1(EPOLL_CLOEXEC);
    listener->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    listener->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    struct epoll_event clients = {.events = EPOLLIN, .data.ptr = listener};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &listener->event};
    if (listener->epoll < 0 || listener->event < 0 ||
        epoll_ctl(listener->epoll, EPOLL_CTL_ADD, listener->socket, &clients) != 0 ||
        epoll_ctl(listener->epoll, EPOLL_CTL_ADD, listener->event, &event) != 0)
        return rm_error_set(err, RM_E_IO, "cannot wait for clients: %s", strerror(errno));
    const int failed = pthread_create(&listener->thread, NULL, serve, listener);
    listener->runs = failed == 0;
    return failed == 0 ? RM_OK : rm_error_set(err, RM_E_IO, "no thread for the server: %s", strerror(failed));
}

static int start(rmi_service *service, const rmi_listener_options *options, rmi_listener **out, int *port,
                 rm_error *err)
{
    rmi_http_listener *listener = calloc(1, sizeof *listener);
    pthread_condattr_t monotonic;
    *out = (rmi_listener *)listener;
    if (listener == NULL)
        return rmi_out_of_memory(err);
    listener->service = service;
    listener->options = *options;
    listener->socket = listener->epoll = listener->event = listener->spare = -1;
    listener->next_deadline = INT64_MAX;
    pthread_mutex_init(&listener->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&listener->quiet, &monotonic);
    pthread_condattr_destroy(&monotonic);
    int rc =
        options->access_log != NULL ? rmi_access_log_open(options->access_log, &listener->log, err) : RM_OK;
    if (rc == RM_OK)
        rc = rmi_http_rates_new(options->pipelines, &listener->rates, err);
    if (rc == RM_OK && options->certificates != NULL)
        rc = rmi_tls_context(options, &listener->tls, err);
    if (rc == RM_OK)
        rc = listen_on(listener, options->address, port, err);
    if (rc == RM_OK)
        rc = open_loop(listener, err);
    if (rc != RM_OK) {
        stop(*out);
        *out = NULL;
    }
    return rc;
}

static const rmi_listener_api api = {sizeof api, "HTTP", start, drain, wait_until, stop};

RM_API const rmi_listener_api *rmi_http_listener_api(void);

const rmi_listener_api *rmi_http_listener_api(void)
{
    return &api;
}
