#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "graph/registry.h"
#include "transport/remote/attached.h"

enum { LONGEST_PATH = 4096 };
#define LIBRARY_FILE "libremotemedia_grpc.so"

struct rmi_remote_attached {
    const rm_allocator *allocator;
    rm_runtime *runtime;
    char *path, *token, *authorities; /* owned, or NULL */
    pthread_mutex_t lock;             /* of the rest */
    rmi_library *library;
    const rmi_remote_api *api;
    rmi_remote_client *client;
};

const rm_allocator *rmi_remote_allocator(const rmi_remote_attached *attached)
{
    return attached->allocator;
}

rm_runtime *rmi_remote_runtime(const rmi_remote_attached *attached)
{
    return attached->runtime;
}

const char *rmi_remote_token(const rmi_remote_attached *attached)
{
    return attached->token;
}

const char *rmi_remote_authorities(const rmi_remote_attached *attached)
{
    return attached->authorities;
}

/* ---- The shared object */

static int load(rmi_remote_attached *attached, rm_error *err)
{
    static const char *const near[] = {".", "../lib", "remotemedia/lib", NULL};
    char found[LONGEST_PATH];
    const char *path = attached->path;
    rmi_remote_entry *entry = NULL;
    if (path == NULL && rmi_find_beside("", near, LIBRARY_FILE, found, sizeof found))
        path = found;
    if (path == NULL)
        return rm_error_set(
            err, RM_E_MISSING_FEATURE,
            "a node on another server needs RM_GRPC_TRANSPORT, whose %s is not beside the program",
            LIBRARY_FILE);
    const int rc = rmi_library_open(attached->allocator, path, &attached->library, err);
    if (rc != RM_OK)
        return rc;
    if (!rmi_library_function(attached->library, RMI_REMOTE_ENTRY, &entry, sizeof entry) ||
        entry()->size != sizeof(rmi_remote_api)) {
        rmi_library_close(attached->library);
        attached->library = NULL;
        return rm_error_set(err, RM_E_UNSUPPORTED_VERSION, "%s is of another version of this program", path);
    }
    attached->api = entry();
    return RM_OK;
}

int rmi_remote_client_of(rmi_remote_attached *attached, const rmi_remote_api **api,
                         rmi_remote_client **client, rm_error *err)
{
    (void)pthread_mutex_lock(&attached->lock);
    int rc = attached->api == NULL ? load(attached, err) : RM_OK;
    if (rc == RM_OK && attached->api != NULL && attached->client == NULL)
        rc = attached->api->client_new(&attached->client, err);
    *api = attached->api;
    *client = attached->client;
    (void)pthread_mutex_unlock(&attached->lock);
    return rc;
}

/* ---- Begin and end */

static void free_attached(void *context)
{
    rmi_remote_attached *attached = context;
    if (attached->client != NULL)
        attached->api->client_free(attached->client);
    if (attached->library != NULL)
        rmi_library_close(attached->library);
    rmi_free_text(attached->allocator, attached->path);
    rmi_free_text(attached->allocator, attached->token);
    rmi_free_text(attached->allocator, attached->authorities);
    (void)pthread_mutex_destroy(&attached->lock);
    rmi_free(attached->allocator, attached, sizeof *attached);
}

static int keep(const rm_allocator *allocator, const char *text, char **to, rm_error *err)
{
    *to = text != NULL ? rmi_copy_text(allocator, text) : NULL;
    return text == NULL || *to != NULL ? RM_OK : rmi_out_of_memory(err);
}

int rm_remote_attach(rm_runtime *runtime, const rm_remote_config *config, rm_error *err)
{
    const rm_remote_config nothing = {.size = sizeof nothing};
    const rm_allocator *allocator = rm_runtime_allocator(runtime);
    config = config != NULL ? config : &nothing;
    if (config->size != sizeof *config)
        return rm_error_set(err, RM_E_USAGE, "rm_remote_config.size is %u, not %zu", config->size,
                            sizeof *config);
    if (!rmi_feature_available("RM_GRPC_TRANSPORT"))
        return rm_error_set(err, RM_E_MISSING_FEATURE,
                            "nodes on other servers need RM_GRPC_TRANSPORT, which this build does not have");
    if (runtime->remote != NULL)
        return rm_error_set(err, RM_E_USAGE, "nodes on other servers are attached already");
    rmi_remote_attached *attached = rmi_alloc_zeroed(allocator, sizeof *attached);
    if (attached == NULL)
        return rmi_out_of_memory(err);
    attached->allocator = allocator;
    attached->runtime = runtime;
    const int failure = pthread_mutex_init(&attached->lock, NULL);
    if (failure != 0) {
        rmi_free(allocator, attached, sizeof *attached);
        return rm_error_set(err, RM_E_INTERNAL, "no lock for other servers: %s", strerror(failure));
    }
    const rm_resolver resolver = {.size = sizeof resolver,
                                  .context = attached,
                                  .resolve = rmi_hosted_resolve,
                                  .release_data = rmi_hosted_release,
                                  .free = free_attached};
    int rc = keep(allocator, config->library, &attached->path, err);
    if (rc == RM_OK)
        rc = keep(allocator, config->token, &attached->token, err);
    if (rc == RM_OK)
        rc = keep(allocator, config->authorities, &attached->authorities, err);
    if (rc == RM_OK)
        rc = rm_runtime_add_type(runtime, &rmi_remote_pipeline_node, err);
    if (rc == RM_OK)
        rc = rmi_runtime_set_remote(runtime, &resolver, err);
    if (rc != RM_OK)
        free_attached(attached);
    return rc;
}
