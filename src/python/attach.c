/* rm_python_attach: the resolver of a runtime. */
#include <string.h>

#include "base/alloc.h"
#include "python/python_node.h"

static int resolve(void *context, const rm_node_query *query, const rm_node_type **type, void **data,
                   const char **looked, rm_error *err)
{
    rmi_class *class = NULL;
    *looked = ""; /* nothing to add for another resolver's node */
    if (query->sandboxed)
        return RM_DONE;
    const int rc = rmi_class_resolve(context, query, &class, looked, err);
    if (rc == RM_OK) {
        *type = &class->type;
        *data = class;
    }
    return rc;
}

static void release_data(void *context, void *data)
{
    (void)context;
    rmi_class_free(data);
}

static int describe(void *context, const char *name, rm_value *list, rm_error *err)
{
    return rmi_describe(context, name, list, err);
}

static void interrupt(void *context)
{
    rmi_loading_interrupt(context);
}

static void host_free(void *context)
{
    rmi_host *host = context;
    const rm_allocator *allocator = host->allocator;
    if (host->prepared && !rmi_python_has_ended()) /* frees the references that other threads have given up */
        rmi_leave(rmi_enter());
    rmi_free_modules();
    for (size_t i = 0; i < host->path_count && host->paths != NULL; i++)
        rmi_free_text(allocator, host->paths[i]);
    rmi_free(allocator, host->paths, host->path_count * sizeof *host->paths);
    rmi_free_text(allocator, host->home);
    rmi_text_clear(&host->looked);
    rmi_free(allocator, host, sizeof *host);
}

static int copy_text(const rm_allocator *allocator, const char *text, char **out, rm_error *err)
{
    *out = rmi_copy_text(allocator, text);
    return *out != NULL ? RM_OK : rmi_out_of_memory(err);
}

static int copy_config(rmi_host *host, const rm_python_config *config, rm_error *err)
{
    int rc = RM_OK;
    if (config->size != sizeof *config)
        return rm_error_set(err, RM_E_USAGE, "rm_python_config.size is %u, not %zu", config->size,
                            sizeof *config);
    host->seed = config->seed;
    host->has_seed = config->has_seed;
    host->arrays = config->arrays;
    if (config->home != NULL)
        rc = copy_text(host->allocator, config->home, &host->home, err);
    size_t count = 0;
    while (config->paths != NULL && config->paths[count] != NULL)
        count++;
    if (rc != RM_OK || count == 0)
        return rc;
    host->paths = rmi_alloc_zeroed(host->allocator, count * sizeof *host->paths);
    if (host->paths == NULL)
        return rmi_out_of_memory(err);
    host->path_count = count;
    for (size_t i = 0; rc == RM_OK && i < count; i++)
        rc = copy_text(host->allocator, config->paths[i], &host->paths[i], err);
    return rc;
}

int rm_python_attach(rm_runtime *runtime, const rm_python_config *config, rm_error *err)
{
    const rm_allocator *allocator = rm_runtime_allocator(runtime);
    rmi_host *host = rmi_alloc_zeroed(allocator, sizeof *host);
    if (host == NULL)
        return rmi_out_of_memory(err);
    host->runtime = runtime;
    host->allocator = allocator;
    rmi_text_init(&host->looked, allocator);
    const rm_resolver resolver = {.size = sizeof resolver,
                                  .context = host,
                                  .resolve = resolve,
                                  .release_data = release_data,
                                  .describe = describe,
                                  .interrupt = interrupt,
                                  .free = host_free};
    int rc = config != NULL ? copy_config(host, config, err) : RM_OK;
    if (rc == RM_OK)
        rc = rm_runtime_add_resolver(runtime, &resolver, err);
    if (rc != RM_OK)
        host_free(host);
    return rc;
}
