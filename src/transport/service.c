#include "transport/service.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "platform/platform.h"

struct rmi_service {
    rm_runtime *runtime;
    const rm_allocator *allocator;
    rmi_executor *executor;
    rmi_service_options options;
    pthread_mutex_t lock;
    pthread_cond_t empty;
    size_t sessions; /* under `lock` */
    bool draining;   /* under `lock` */
    uint64_t opened; /* under `lock` */
};

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
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&service->empty, &monotonic);
    pthread_condattr_destroy(&monotonic);
    const unsigned threads = options->threads > 0 ? options->threads : (unsigned)rmi_platform_cpu_count();
    const int rc = rmi_executor_new(allocator, threads > 0 ? threads : 1, &service->executor, err);
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
    rmi_executor_free(service->executor);
    pthread_cond_destroy(&service->empty);
    pthread_mutex_destroy(&service->lock);
    rmi_free(service->allocator, service, sizeof *service);
}

rm_runtime *rmi_service_runtime(const rmi_service *service)
{
    return service->runtime;
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

bool rmi_service_authorized(const rmi_service *service, const char *header, size_t length)
{
    static const char scheme[] = "Bearer ";
    const size_t skipped = sizeof scheme - 1;
    bool found = false;
    if (service->options.tokens == NULL)
        return true;
    if (header == NULL || length < skipped || memcmp(header, scheme, skipped) != 0)
        return false;
    for (size_t i = 0; service->options.tokens[i] != NULL; i++)
        found |= same_token(header + skipped, length - skipped, service->options.tokens[i]);
    return found;
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
    else
        service->sessions++;
    if (rc == RM_OK)
        *number = ++service->opened;
    pthread_mutex_unlock(&service->lock);
    return rc;
}

static void leave(rmi_service *service)
{
    pthread_mutex_lock(&service->lock);
    if (--service->sessions == 0)
        pthread_cond_broadcast(&service->empty);
    pthread_mutex_unlock(&service->lock);
}

int rmi_service_open(rmi_service *service, rm_manifest *manifest, const rmi_session_options *options,
                     const rmi_client *client, void *context, rmi_session **out, rm_error *err)
{
    rmi_session_options limited = *options;
    const int64_t most = service->options.session_timeout_ms;
    if (most > 0 && (limited.timeout_ms == 0 || limited.timeout_ms > most))
        limited.timeout_ms = most;
    limited.untrusted = service->options.untrusted && !options->own;
    int rc = admit(service, &limited.number, err);
    if (rc != RM_OK) {
        if (!options->own)
            rm_manifest_free(manifest);
        return rc;
    }
    rc = rmi_session_new(service->executor, service->runtime, manifest, &limited, client, context, out, err);
    if (rc != RM_OK)
        leave(service);
    return rc;
}

void rmi_service_close(rmi_service *service, rmi_session *session)
{
    if (session == NULL)
        return;
    rmi_session_free(session);
    leave(service);
}

/* ---- Its end */

void rmi_service_drain(rmi_service *service)
{
    pthread_mutex_lock(&service->lock);
    service->draining = true;
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
