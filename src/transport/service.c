#include "transport/service.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "platform/platform.h"
#include "transport/descriptors.h"

/* Descriptors that are kept for connections and for what sessions open. */
enum { RESERVE = 32 };

struct rmi_service {
    rm_runtime *runtime;
    const rm_allocator *allocator;
    rmi_executor *executor;
    rmi_service_options options;
    pthread_mutex_t lock;
    pthread_cond_t empty;
    pthread_mutex_t loading; /* held by the session that loads code */
    rmi_watchdog *watchdog;
    /* Under `lock` */
    rmi_session *first; /* the list of sessions */
    size_t sessions;
    bool draining;
    uint64_t opened;
};

/* The watchdog's: stops sessions whose time is over, on whatever thread they are. */
static int64_t look(void *context)
{
    rmi_service *service = context;
    const int64_t now = rmi_platform_now();
    int64_t next = INT64_MAX;
    bool loading = false;
    pthread_mutex_lock(&service->lock);
    for (rmi_session *session = service->first; session != NULL;
         session = rmi_session_place(session)->behind) {
        const int64_t at = rmi_session_look(session, now, &loading);
        next = at < next ? at : next;
    }
    pthread_mutex_unlock(&service->lock);
    if (loading) /* may wait for Python's lock */
        rm_runtime_interrupt(service->runtime);
    return next;
}

int rmi_service_new(rm_runtime *runtime, const rmi_service_options *options, rmi_service **out, rm_error *err)
{
    const rm_allocator *allocator = rm_runtime_allocator(runtime);
    rmi_service *service = rmi_alloc_zeroed(allocator, sizeof *service);
    pthread_condattr_t monotonic;
    *out = service;
    if (service == NULL)
        return rmi_out_of_memory(err);
    service->runtime = runtime;
    service->allocator = allocator;
    service->options = *options;
    pthread_mutex_init(&service->lock, NULL);
    pthread_mutex_init(&service->loading, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&service->empty, &monotonic);
    pthread_condattr_destroy(&monotonic);
    const unsigned threads = options->threads > 0 ? options->threads : (unsigned)rmi_platform_cpu_count();
    rmi_raise_descriptor_limit();
    int rc = rmi_executor_new(allocator, threads > 0 ? threads : 1, &service->executor, err);
    if (rc == RM_OK)
        rc = rmi_watchdog_start(allocator, look, service, &service->watchdog, err);
    if (rc != RM_OK) {
        rmi_service_free(service);
        *out = NULL;
    }
    return rc;
}

void rmi_service_free(rmi_service *service)
{
    if (service == NULL)
        return;
    rmi_watchdog_stop(service->watchdog);
    rmi_executor_free(service->executor);
    pthread_mutex_destroy(&service->loading);
    pthread_cond_destroy(&service->empty);
    pthread_mutex_destroy(&service->lock);
    rmi_free(service->allocator, service, sizeof *service);
}

rm_runtime *rmi_service_runtime(const rmi_service *service)
{
    return service->runtime;
}

const char *rmi_service_files(const rmi_service *service)
{
    return service->options.files;
}

/* ---- Who may call */

static bool same_token(const char *given, size_t length, const char *token)
{
    unsigned char difference = 0;
    if (strlen(token) != length)
        return false;
    for (size_t i = 0; i < length; i++)
        difference |= (unsigned char)(given[i] ^ token[i]);
    return difference == 0;
}

size_t rmi_service_identity(const rmi_service *service, const char *header, size_t length)
{
    static const char scheme[] = "Bearer ";
    const size_t skipped = sizeof scheme - 1;
    size_t found = 0;
    if (service->options.tokens == NULL)
        return 1;
    if (header == NULL || length < skipped || memcmp(header, scheme, skipped) != 0)
        return 0;
    for (size_t i = 0; service->options.tokens[i] != NULL; i++)
        if (same_token(header + skipped, length - skipped, service->options.tokens[i]) && found == 0)
            found = i + 1;
    return found;
}

bool rmi_service_authorized(const rmi_service *service, const char *header, size_t length)
{
    return rmi_service_identity(service, header, length) != 0;
}

/* ---- Sessions */

static int admit(rmi_service *service, uint64_t *number, rm_error *err)
{
    int rc = RM_OK;
    *number = 0;
    pthread_mutex_lock(&service->lock);
    if (service->draining)
        rc = rm_error_set(err, RM_E_LIMIT, "the server is about to end and takes no more sessions");
    else if (service->options.most_sessions > 0 && service->sessions >= service->options.most_sessions)
        rc = rm_error_set(err, RM_E_LIMIT, "there are %zu sessions, which is the server's limit",
                          service->sessions);
    else if (!rmi_has_descriptors(RESERVE))
        rc = rm_error_set(err, RM_E_LIMIT, "the server has no descriptors left for a session");
    else
        service->sessions++;
    if (rc == RM_OK)
        *number = ++service->opened;
    pthread_mutex_unlock(&service->lock);
    return rc;
}

static void enter(rmi_service *service, rmi_session *session)
{
    rmi_session_link *place = rmi_session_place(session);
    pthread_mutex_lock(&service->lock);
    place->behind = service->first;
    if (service->first != NULL)
        rmi_session_place(service->first)->before = session;
    service->first = session;
    pthread_mutex_unlock(&service->lock);
}

/* A session that has ended, or never began, is found by nobody. */
static void unlist(void *context, rmi_session *session)
{
    rmi_service *service = context;
    rmi_session_link *place = rmi_session_place(session);
    pthread_mutex_lock(&service->lock);
    if (place->before != NULL)
        rmi_session_place(place->before)->behind = place->behind;
    else if (service->first == session)
        service->first = place->behind;
    if (place->behind != NULL)
        rmi_session_place(place->behind)->before = place->before;
    *place = (rmi_session_link){NULL, NULL};
    pthread_mutex_unlock(&service->lock);
}

/* NULL: the session was not made. */
static void leave(rmi_service *service, rmi_session *session)
{
    if (session != NULL)
        unlist(service, session);
    rmi_session_free(session); /* its nodes are closed before it counts as gone */
    pthread_mutex_lock(&service->lock);
    if (--service->sessions == 0)
        pthread_cond_broadcast(&service->empty);
    pthread_mutex_unlock(&service->lock);
}

int rmi_service_attach(rmi_service *service, uint64_t number, size_t identity, void (*woken)(void *context),
                       void *context, rmi_attachment **out, rm_error *err)
{
    int rc = RM_E_NOT_FOUND;
    *out = NULL;
    pthread_mutex_lock(&service->lock);
    for (rmi_session *session = service->first; session != NULL && rc == RM_E_NOT_FOUND;
         session = rmi_session_place(session)->behind)
        if (rmi_session_number(session) == number && rmi_session_identity(session) == identity)
            rc = rmi_attachment_new(session, woken, context, out, err);
    pthread_mutex_unlock(&service->lock);
    return rc != RM_E_NOT_FOUND ? rc
                                : rm_error_set(err, rc, "this client has no such session, or it has ended");
}

int rmi_service_open(rmi_service *service, rm_manifest *manifest, const rmi_session_options *options,
                     const rmi_client *client, void *context, rmi_session **out, rm_error *err)
{
    rmi_session_options limited = *options;
    const int64_t most = service->options.session_timeout_ms;
    if (most > 0 && (limited.timeout_ms == 0 || limited.timeout_ms > most))
        limited.timeout_ms = most;
    limited.untrusted = service->options.untrusted && !options->own;
    limited.sandbox = service->options.sandbox && limited.untrusted;
    limited.loading = limited.sandbox ? NULL : &service->loading; /* sandboxes stop by themselves */
    limited.watchdog = service->watchdog;
    limited.leave = unlist;
    limited.leave_context = service;
    int rc = admit(service, &limited.number, err);
    if (rc != RM_OK) {
        if (!options->own)
            rm_manifest_free(manifest);
        return rc;
    }
    rc = rmi_session_new(service->executor, service->runtime, manifest, &limited, client, context, out, err);
    if (rc != RM_OK) {
        leave(service, NULL);
        return rc;
    }
    enter(service, *out);
    if (limited.timeout_ms > 0)
        rmi_watchdog_poke(service->watchdog);
    return rc;
}

void rmi_service_close(rmi_service *service, rmi_session *session)
{
    if (session != NULL)
        leave(service, session);
}

/* ---- Its end */

void rmi_service_drain(rmi_service *service)
{
    pthread_mutex_lock(&service->lock);
    service->draining = true;
    pthread_mutex_unlock(&service->lock);
}

void rmi_service_stop_sessions(rmi_service *service)
{
    pthread_mutex_lock(&service->lock);
    for (rmi_session *session = service->first; session != NULL; session = rmi_session_place(session)->behind)
        rmi_session_stop(session, "the server ends, and did not wait any longer for the run to end");
    pthread_mutex_unlock(&service->lock);
}

bool rmi_service_draining(const rmi_service *service)
{
    rmi_service *locked = (rmi_service *)service;
    pthread_mutex_lock(&locked->lock);
    const bool draining = locked->draining;
    pthread_mutex_unlock(&locked->lock);
    return draining;
}

size_t rmi_service_sessions(const rmi_service *service)
{
    rmi_service *locked = (rmi_service *)service;
    pthread_mutex_lock(&locked->lock);
    const size_t sessions = locked->sessions;
    pthread_mutex_unlock(&locked->lock);
    return sessions;
}

bool rmi_service_wait(rmi_service *service, int64_t deadline)
{
    const struct timespec until = {deadline / 1000000000, deadline % 1000000000};
    int rc = 0;
    pthread_mutex_lock(&service->lock);
    while (service->sessions > 0 && rc == 0)
        rc = pthread_cond_timedwait(&service->empty, &service->lock, &until);
    const bool empty = service->sessions == 0;
    pthread_mutex_unlock(&service->lock);
    return empty;
}
