/* The life of a runtime: memory, logs, plug-ins. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "graph/registry.h"

int rm_runtime_new(const rm_config *config, rm_runtime **out, rm_error *err)
{
    const rm_config given = config != NULL ? *config : (rm_config){.size = sizeof given};
    const rm_allocator *allocator = given.allocator != NULL ? given.allocator : rm_allocator_default();
    rm_runtime *runtime = NULL;
    int rc = RM_OK;
    *out = NULL;
    if (given.size != sizeof given) {
        rc = rm_error_set(err, RM_E_UNSUPPORTED_VERSION, "rm_config has %u bytes, this library's %zu",
                          given.size, sizeof given);
        goto done;
    }
    runtime = rmi_alloc_zeroed(allocator, sizeof *runtime);
    if (runtime == NULL) {
        rc = rmi_out_of_memory(err);
        goto done;
    }
    *runtime = (rm_runtime){.allocator = allocator, .log = given.log, .log_context = given.log_context};
    rc = rmi_runtime_add_types(runtime, rmi_native_types, NULL, err);
done:
    if (rc != RM_OK) {
        rm_runtime_free(runtime);
        runtime = NULL;
    }
    *out = runtime;
    return rc;
}

static void free_resolver(const rm_allocator *allocator, rm_resolver *resolver)
{
    if (resolver != NULL && resolver->free != NULL)
        resolver->free(resolver->context);
    rmi_free(allocator, resolver, sizeof *resolver);
}

void rm_runtime_free(rm_runtime *runtime)
{
    if (runtime == NULL)
        return;
    const rm_allocator *allocator = runtime->allocator;
    free_resolver(allocator, runtime->remote);
    for (size_t i = runtime->resolver_count; i-- > 0;)
        free_resolver(allocator, runtime->resolvers[i]);
    for (size_t i = runtime->plugin_count; i-- > 0;)
        rmi_library_close(runtime->plugins[i]);
    rmi_free(allocator, runtime->resolvers, runtime->resolver_capacity * sizeof(rm_resolver *));
    rmi_free(allocator, runtime->plugins, runtime->plugin_capacity * sizeof(rmi_library *));
    rmi_free(allocator, runtime->types, runtime->type_capacity * sizeof(const rm_node_type *));
    rmi_free(allocator, runtime->names, runtime->name_capacity * sizeof *runtime->names);
    rmi_free(allocator, runtime, sizeof *runtime);
}

int rmi_runtime_set_remote(rm_runtime *runtime, const rm_resolver *resolver, rm_error *err)
{
    runtime->remote = rmi_alloc(runtime->allocator, sizeof *runtime->remote);
    if (runtime->remote == NULL)
        return rmi_out_of_memory(err);
    *runtime->remote = *resolver;
    return RM_OK;
}

void rm_runtime_interrupt(rm_runtime *runtime)
{
    for (size_t i = 0; i < runtime->resolver_count; i++) {
        const rm_resolver *resolver = runtime->resolvers[i];
        if (resolver->interrupt != NULL)
            resolver->interrupt(resolver->context);
    }
}

const rm_allocator *rm_runtime_allocator(const rm_runtime *runtime)
{
    return runtime->allocator;
}

void rm_runtime_log(const rm_runtime *runtime, rm_log_level level, const char *node, const char *format, ...)
{
    char text[1024], *whole = text;
    va_list arguments;
    if (runtime->log == NULL)
        return;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length < 0)
        return;
    size_t size = (size_t)length + 1;
    if (size > sizeof text) {
        whole = rmi_alloc(runtime->allocator, size);
        if (whole != NULL) {
            va_start(arguments, format);
            (void)vsnprintf(whole, size, format, arguments);
            va_end(arguments);
        }
    }
    runtime->log(runtime->log_context, level, node, whole != NULL ? whole : text);
    if (whole != text)
        rmi_free(runtime->allocator, whole, size);
}

/* Calls the plug-in's entry and checks the table that it returns. */
static int read_plugin(rmi_library *library, const char *path, const rm_plugin **out, rm_error *err)
{
    rm_plugin_entry_function *entry = NULL;
    *out = NULL;
    if (!rmi_library_function(library, RM_PLUGIN_ENTRY, &entry, sizeof entry))
        return rm_error_set(err, RM_E_UNSUPPORTED_VERSION,
                            "plug-in %s: it does not export " RM_PLUGIN_ENTRY
                            ", so it is no plug-in, or one for another version",
                            path);
    const rm_plugin *plugin = entry();
    if (plugin == NULL || plugin->types == NULL)
        return rm_error_set(err, RM_E_USAGE, "plug-in %s: " RM_PLUGIN_ENTRY " gave no table of node types",
                            path);
    if (plugin->abi_version != RM_NODE_ABI_VERSION)
        return rm_error_set(err, RM_E_UNSUPPORTED_VERSION,
                            "plug-in %s: made for version %u of the node interface; this runtime has %u",
                            path, plugin->abi_version, RM_NODE_ABI_VERSION);
    if (plugin->size != sizeof *plugin)
        return rm_error_set(err, RM_E_UNSUPPORTED_VERSION,
                            "plug-in %s: its rm_plugin has %u bytes, this runtime's %zu", path, plugin->size,
                            sizeof *plugin);
    *out = plugin;
    return RM_OK;
}

int rm_runtime_load_plugin(rm_runtime *runtime, const char *path, rm_error *err)
{
    rmi_library *library = NULL;
    const rm_plugin *plugin = NULL;
    char owner[256];
    void *grown = runtime->plugins;
    int rc = rmi_grow(runtime->allocator, &grown, &runtime->plugin_capacity, runtime->plugin_count + 1,
                      sizeof(rmi_library *), err);
    runtime->plugins = grown;
    if (rc == RM_OK)
        rc = rmi_library_open(runtime->allocator, path, &library, err);
    if (rc != RM_OK)
        return rc;
    rc = read_plugin(library, path, &plugin, err);
    (void)snprintf(owner, sizeof owner, "plug-in %s", path);
    if (rc == RM_OK && plugin != NULL)
        rc = rmi_runtime_add_types(runtime, plugin->types, owner, err);
    if (rc == RM_OK)
        runtime->plugins[runtime->plugin_count++] = library;
    else
        rmi_library_close(library);
    return rc;
}
