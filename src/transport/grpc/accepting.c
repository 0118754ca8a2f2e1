#include "transport/grpc/accepting.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "platform/platform.h"

enum { MOST_SOCKETS = 8, LOOKS = 20, FIRST_DESCRIPTORS = 4096 };
/* ns between two looks at a connection that waits, and between two attempts to listen again. */
static const int64_t pause_ns = 50000000;

struct rmi_accepting {
    int port;
    bool (*renew)(void *context);
    void *context;
    rmi_wake *wake;
    pthread_t thread;
    atomic_bool ends;
    int sockets[MOST_SOCKETS];
    size_t count;
};

static int port_of(int descriptor)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address = {.v6 = {.sin6_family = AF_UNSPEC}};
    socklen_t length = sizeof address;
    if (getsockname(descriptor, &address.any, &length) != 0)
        return -1;
    if (address.any.sa_family == AF_INET)
        return ntohs(address.v4.sin_port);
    return address.any.sa_family == AF_INET6 ? ntohs(address.v6.sin6_port) : -1;
}

/* Those sockets are C-core's, which does not tell them. */
static void find_sockets(rmi_accepting *a)
{
    struct rlimit limit;
    const bool known = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < FIRST_DESCRIPTORS;
    const int end = known ? (int)limit.rlim_cur : FIRST_DESCRIPTORS;
    a->count = 0;
    for (int descriptor = 0; descriptor < end && a->count < MOST_SOCKETS; descriptor++) {
        int listens = 0;
        socklen_t length = sizeof listens;
        if (getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) == 0 && listens != 0 &&
            port_of(descriptor) == a->port)
            a->sockets[a->count++] = descriptor;
    }
}

static bool any_waits(const rmi_accepting *a)
{
    struct pollfd all[MOST_SOCKETS];
    for (size_t i = 0; i < a->count; i++)
        all[i] = (struct pollfd){.fd = a->sockets[i], .events = POLLIN};
    return a->count > 0 && poll(all, (nfds_t)a->count, 0) > 0;
}

/* Returns whether to go on. */
static bool pause_for(const rmi_accepting *a, int64_t ns)
{
    (void)rmi_wake_wait(a->wake, NULL, 0, rmi_platform_now() + ns);
    return !atomic_load(&a->ends);
}

static void renew(rmi_accepting *a)
{
    for (size_t i = 0; i < a->count; i++)
        (void)shutdown(a->sockets[i], SHUT_RDWR); /* nobody shall wait for an answer there */
    while (!a->renew(a->context) && pause_for(a, pause_ns))
        ;
    find_sockets(a);
}

static void *watch(void *context)
{
    rmi_accepting *a = context;
    while (!atomic_load(&a->ends)) {
        (void)rmi_wake_wait(a->wake, a->sockets, a->count, INT64_MAX);
        int looks = 0;
        while (looks < LOOKS && pause_for(a, pause_ns) && any_waits(a))
            looks++;
        if (looks == LOOKS)
            renew(a);
    }
    return NULL;
}

int rmi_accepting_start(int port, bool (*renew_function)(void *context), void *context, rmi_accepting **out,
                        rm_error *err)
{
    rmi_accepting *a = calloc(1, sizeof *a);
    *out = NULL;
    if (a == NULL)
        return rmi_out_of_memory(err);
    a->port = port;
    a->renew = renew_function;
    a->context = context;
    find_sockets(a);
    int rc = rmi_wake_new(NULL, &a->wake, err);
    if (rc == RM_OK && pthread_create(&a->thread, NULL, watch, a) != 0) {
        rc = rm_error_set(err, RM_E_IO, "no thread for the server");
        rmi_wake_free(a->wake);
    }
    if (rc == RM_OK)
        *out = a;
    else
        free(a);
    return rc;
}

void rmi_accepting_stop(rmi_accepting *a)
{
    if (a == NULL)
        return;
    atomic_store(&a->ends, true);
    rmi_wake_raise(a->wake);
    pthread_join(a->thread, NULL);
    rmi_wake_free(a->wake);
    free(a);
}
