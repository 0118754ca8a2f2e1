/* The client of gRPC: one thread, which ends the operations of all streams. */
#include <pthread.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "transport/grpc_client/client_stream.h"

struct rmi_remote_client {
    grpc_completion_queue *queue;
    pthread_t thread;
};

grpc_completion_queue *rmi_client_queue(const rmi_remote_client *client)
{
    return client->queue;
}

static void *serve(void *context)
{
    const rmi_remote_client *client = context;
    for (;;) {
        const grpc_event event =
            grpc_completion_queue_next(client->queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
        if (event.type == GRPC_QUEUE_SHUTDOWN)
            return NULL;
        if (event.type == GRPC_OP_COMPLETE)
            ((rmi_client_event *)event.tag)->done(event.tag, event.success != 0);
    }
}

static int client_new(rmi_remote_client **out, rm_error *err)
{
    rmi_remote_client *made = calloc(1, sizeof *made);
    *out = NULL;
    if (made == NULL)
        return rmi_out_of_memory(err);
    grpc_init();
    made->queue = grpc_completion_queue_create_for_next(NULL);
    if (pthread_create(&made->thread, NULL, serve, made) == 0) {
        *out = made;
        return RM_OK;
    }
    grpc_completion_queue_shutdown(made->queue);
    (void)serve(made);
    grpc_completion_queue_destroy(made->queue);
    free(made);
    grpc_shutdown();
    return rm_error_set(err, RM_E_IO, "no thread for connections to other servers");
}

/* The operations of streams that were cancelled end first. */
static void client_free(rmi_remote_client *client)
{
    if (client == NULL)
        return;
    grpc_completion_queue_shutdown(client->queue);
    (void)pthread_join(client->thread, NULL);
    grpc_completion_queue_destroy(client->queue);
    free(client);
    grpc_shutdown();
}

static const rmi_remote_api api = {
    .size = sizeof api,
    .name = "gRPC",
    .client_new = client_new,
    .client_free = client_free,
    .open = rmi_client_stream_open,
    .send = rmi_client_stream_send,
    .finish = rmi_client_stream_finish,
    .next = rmi_client_stream_next,
    .free = rmi_client_stream_free,
};

RM_API const rmi_remote_api *rmi_grpc_remote_api(void);

const rmi_remote_api *rmi_grpc_remote_api(void)
{
    return &api;
}
