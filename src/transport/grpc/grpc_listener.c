/* The listener for gRPC, on the C-core. */
#include <grpc/grpc_security.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "transport/descriptors.h"
#include "transport/grpc/accepting.h"
#include "transport/grpc/core_log.h"
#include "transport/grpc/grpc_listener.h"

enum {
    THREADS = 2,
    WAITING_CALLS = 64,     /* calls that can come in before one of them is looked at */
    SERVER_DESCRIPTORS = 16 /* that a new server needs, with some connections */
};

/* C-core's server: another one takes its place where it takes no connections any more. */
typedef struct core_server {
    rmi_grpc_event stopped;
    rmi_listener *listener;
    grpc_server *server;        /* owned */
    struct core_server *former; /* owned */
} core_server;

struct rmi_listener {
    rmi_service *service;
    core_server *server; /* owned; under the lock, once there are threads */
    rmi_listener_options options;
    char *address; /* owned: with the port in use */
    rmi_accepting *accepting;
    grpc_completion_queue *queue;
    pthread_t threads[THREADS];
    unsigned started;
    atomic_bool stopping;
    pthread_mutex_t lock; /* of the rest */
    pthread_cond_t quiet;
    size_t calls;   /* that are not freed yet */
    size_t accepts; /* servers that have not stopped */
    bool runs;      /* the server was started; not under the lock */
};

rmi_service *rmi_grpc_listener_service(const rmi_listener *listener)
{
    return listener->service;
}

size_t rmi_grpc_listener_most_message(const rmi_listener *listener)
{
    return listener->options.most_message;
}

/* ---- Calls that come */

static void request_call(rmi_listener *listener);

static void requested(rmi_grpc_event *event, bool ok)
{
    rmi_grpc_call *call = (rmi_grpc_call *)event;
    if (!ok) { /* the server ends */
        rmi_grpc_drop(call);
        return;
    }
    request_call(call->listener);
    rmi_grpc_begin(call);
    rmi_grpc_drop(call);
}

void rmi_grpc_call_freed(rmi_listener *listener)
{
    pthread_mutex_lock(&listener->lock);
    if (--listener->calls == 0)
        pthread_cond_broadcast(&listener->quiet);
    pthread_mutex_unlock(&listener->lock);
}

/* Without memory one call fewer can wait. */
static void request_call(rmi_listener *listener)
{
    rmi_grpc_call *call = atomic_load(&listener->stopping) ? NULL : calloc(1, sizeof *call);
    if (call == NULL)
        return;
    pthread_mutex_lock(&listener->lock);
    listener->calls++;
    grpc_server *server = listener->server->server;
    pthread_mutex_unlock(&listener->lock);
    call->listener = listener;
    call->references = 1;
    pthread_mutex_init(&call->lock, NULL);
    call->requested.done = requested;
    grpc_call_details_init(&call->details);
    grpc_metadata_array_init(&call->metadata);
    if (grpc_server_request_call(server, &call->call, &call->details, &call->metadata, listener->queue,
                                 listener->queue, &call->requested) != GRPC_CALL_OK)
        rmi_grpc_drop(call);
}

/* false: the queue has been shut down. */
static bool serve_next(const rmi_listener *listener)
{
    const grpc_event event =
        grpc_completion_queue_next(listener->queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
    if (event.type == GRPC_OP_COMPLETE)
        ((rmi_grpc_event *)event.tag)->done(event.tag, event.success != 0);
    return event.type != GRPC_QUEUE_SHUTDOWN;
}

static void *serve(void *context)
{
    while (serve_next(context))
        ;
    return NULL;
}

/* ---- Begin and end */

static void stopped(rmi_grpc_event *event, bool ok)
{
    rmi_listener *listener = ((core_server *)event)->listener;
    (void)ok;
    pthread_mutex_lock(&listener->lock);
    listener->accepts--;
    pthread_cond_broadcast(&listener->quiet);
    pthread_mutex_unlock(&listener->lock);
}

static void shut_down(core_server *server)
{
    server->stopped.done = stopped;
    grpc_server_shutdown_and_notify(server->server, server->listener->queue, &server->stopped);
}

static void drain(rmi_listener *listener)
{
    if (atomic_exchange(&listener->stopping, true))
        return;
    rmi_accepting_stop(listener->accepting);
    listener->accepting = NULL;
    shut_down(listener->server);
}

static bool wait_until(rmi_listener *listener, int64_t deadline)
{
    const struct timespec until = {deadline / 1000000000, deadline % 1000000000};
    int rc = 0;
    pthread_mutex_lock(&listener->lock);
    while ((listener->accepts > 0 || listener->calls > 0) && rc == 0)
        rc = pthread_cond_timedwait(&listener->quiet, &listener->lock, &until);
    const bool quiet = listener->accepts == 0 && listener->calls == 0;
    pthread_mutex_unlock(&listener->lock);
    return quiet;
}

/* Sessions may still answer calls that were cancelled. */
static void wait_for_calls(rmi_listener *listener)
{
    pthread_mutex_lock(&listener->lock);
    while (listener->accepts > 0 || listener->calls > 0) {
        if (listener->started > 0) {
            pthread_cond_wait(&listener->quiet, &listener->lock);
            continue;
        }
        pthread_mutex_unlock(&listener->lock); /* no thread could be started */
        (void)serve_next(listener);
        pthread_mutex_lock(&listener->lock);
    }
    pthread_mutex_unlock(&listener->lock);
}

static void free_servers(core_server *server)
{
    while (server != NULL) {
        core_server *former = server->former;
        grpc_server_destroy(server->server);
        free(server);
        server = former;
    }
}

static void stop(rmi_listener *listener)
{
    if (listener == NULL)
        return;
    if (listener->runs) {
        drain(listener);
        for (core_server *server = listener->server; server != NULL; server = server->former)
            grpc_server_cancel_all_calls(server->server);
        wait_for_calls(listener);
    }
    if (listener->queue != NULL)
        grpc_completion_queue_shutdown(listener->queue);
    if (listener->queue != NULL && listener->started == 0)
        (void)serve(listener);
    for (unsigned i = 0; i < listener->started; i++)
        pthread_join(listener->threads[i], NULL);
    free_servers(listener->server);
    if (listener->queue != NULL)
        grpc_completion_queue_destroy(listener->queue);
    pthread_cond_destroy(&listener->quiet);
    pthread_mutex_destroy(&listener->lock);
    free(listener->address);
    free(listener);
    grpc_shutdown();
    rmi_grpc_log_into(NULL);
}

/* NULL: the key or a certificate is none. Owned. */
static grpc_server_credentials *credentials_of(const rmi_listener_options *options)
{
    if (options->certificates == NULL)
        return grpc_insecure_server_credentials_create();
    grpc_ssl_pem_key_cert_pair pair = {.private_key = options->key, .cert_chain = options->certificates};
    return grpc_ssl_server_credentials_create_ex(
        options->client_ca, &pair, 1,
        options->client_ca != NULL ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                                   : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE,
        NULL);
}

/* Makes a server that listens on `address`, and starts it. NULL: it cannot, or there is no memory. Owned. */
static core_server *new_server(rmi_listener *listener, const char *address, int *port)
{
    grpc_arg arguments[] = {
        {.type = GRPC_ARG_INTEGER,
         .key = GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH,
         .value.integer = (int)listener->options.most_message},
        {.type = GRPC_ARG_INTEGER, .key = GRPC_ARG_ALLOW_REUSEPORT, .value.integer = 0},
    };
    const grpc_channel_args all = {sizeof arguments / sizeof *arguments, arguments};
    core_server *made = calloc(1, sizeof *made);
    if (made == NULL)
        return NULL;
    made->listener = listener;
    made->server = grpc_server_create(&all, NULL);
    grpc_server_register_completion_queue(made->server, listener->queue, NULL);
    grpc_server_credentials *credentials = credentials_of(&listener->options);
    *port = credentials != NULL ? grpc_server_add_http2_port(made->server, address, credentials) : 0;
    grpc_server_credentials_release(credentials);
    if (*port == 0) {
        grpc_server_destroy(made->server);
        free(made);
        return NULL;
    }
    grpc_server_start(made->server);
    return made;
}

/* Takes the server's place; what it does ends by itself. */
static void set_server(rmi_listener *listener, core_server *server)
{
    pthread_mutex_lock(&listener->lock);
    server->former = listener->server;
    listener->server = server;
    listener->accepts++;
    pthread_mutex_unlock(&listener->lock);
    if (server->former != NULL)
        shut_down(server->former);
    for (int i = 0; i < WAITING_CALLS; i++)
        request_call(listener);
}

static bool renew(void *context)
{
    rmi_listener *listener = context;
    int port = 0;
    core_server *server =
        rmi_has_descriptors(SERVER_DESCRIPTORS) ? new_server(listener, listener->address, &port) : NULL;
    if (server == NULL)
        return false;
    rm_runtime_log(rmi_service_runtime(listener->service), RM_LOG_WARNING, NULL,
                   "gRPC took no connections any more, as descriptors had run out; it listens again");
    set_server(listener, server);
    return true;
}

static int listen_on(rmi_listener *listener, int *port, rm_error *err)
{
    const rmi_listener_options *options = &listener->options;
    const char *colon = strrchr(options->address, ':');
    listener->queue = grpc_completion_queue_create_for_next(NULL);
    core_server *server = new_server(listener, options->address, port);
    if (server == NULL)
        return rm_error_set(err, RM_E_IO, "cannot listen on '%s': in use, or no address of this machine%s",
                            options->address, options->certificates != NULL ? ", or wrong certificates" : "");
    listener->runs = true;
    const int length = colon != NULL ? (int)(colon - options->address) : 0;
    if (asprintf(&listener->address, "%.*s:%d", length, options->address, *port) < 0) {
        listener->address = NULL;
        listener->server = server;
        listener->accepts = 1;
        return rmi_out_of_memory(err);
    }
    set_server(listener, server);
    return RM_OK;
}

static int start(rmi_service *service, const rmi_listener_options *options, rmi_listener **out, int *port,
                 rm_error *err)
{
    rmi_listener *listener = calloc(1, sizeof *listener);
    pthread_condattr_t monotonic;
    *out = listener;
    if (listener == NULL)
        return rmi_out_of_memory(err);
    rmi_grpc_log_into(rmi_service_runtime(service));
    grpc_init();
    listener->service = service;
    listener->options = *options;
    pthread_mutex_init(&listener->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&listener->quiet, &monotonic);
    pthread_condattr_destroy(&monotonic);
    int rc = listen_on(listener, port, err);
    for (unsigned i = 0; rc == RM_OK && i < THREADS; i++) {
        if (pthread_create(&listener->threads[i], NULL, serve, listener) != 0)
            rc = rm_error_set(err, RM_E_IO, "no thread for the server");
        else
            listener->started++;
    }
    if (rc == RM_OK)
        rc = rmi_accepting_start(*port, renew, listener, &listener->accepting, err);
    if (rc != RM_OK) {
        stop(listener);
        *out = NULL;
    }
    return rc;
}

static const rmi_listener_api api = {sizeof api, "gRPC", start, drain, wait_until, stop};

RM_API const rmi_listener_api *rmi_grpc_listener_api(void);

const rmi_listener_api *rmi_grpc_listener_api(void)
{
    return &api;
}
