/* Reads a manifest for a runtime: from a text or a file, in the runtime's memory, with warnings in its
 * log. */
#include "graph/graph.h"
#include "graph/registry.h"
#include "manifest/manifest.h"
#include "platform/platform.h"

static void warn(void *context, const rmi_noted *noted)
{
    const rm_runtime *runtime = context;
    if (noted->count > 1)
        rm_runtime_log(runtime, RM_LOG_WARNING, noted->node,
                       "'%s' has no effect in this build (node '%s' and %zu more)", noted->field, noted->node,
                       noted->count - 1);
    else
        rm_runtime_log(runtime, RM_LOG_WARNING, noted->node, "'%s' has no effect in this build",
                       noted->field);
}

static int parse(rm_runtime *runtime, const char *text, size_t length, rmi_manifest_options options,
                 rm_manifest **out, rm_error *err)
{
    options.noted = warn;
    options.context = runtime;
    int rc = rmi_manifest_parse(runtime->allocator, text, length, &options, out, err);
    if (rc == RM_OK)
        (*out)->runtime = runtime;
    return rc;
}

int rm_manifest_parse_with(rm_runtime *runtime, const char *text, size_t length, const char *path,
                           unsigned input_flags, rm_manifest **out, rm_error *err)
{
    const rmi_manifest_options options = {.path = path, .input_flags = input_flags};
    return parse(runtime, text, length, options, out, err);
}

int rmi_manifest_parse_one_node(rm_runtime *runtime, const char *text, size_t length, const char *path,
                                rm_manifest **out, rm_error *err)
{
    const rmi_manifest_options options = {.path = path, .is_one_node = true};
    return parse(runtime, text, length, options, out, err);
}

int rm_manifest_parse(rm_runtime *runtime, const char *text, size_t length, rm_manifest **out, rm_error *err)
{
    return rm_manifest_parse_with(runtime, text, length, NULL, 0, out, err);
}

int rm_manifest_load(rm_runtime *runtime, const char *path, rm_manifest **out, rm_error *err)
{
    char *text = NULL;
    size_t length = 0;
    *out = NULL;
    int rc = rmi_platform_read_file(runtime->allocator, path, RMI_MANIFEST_LARGEST, &text, &length, err);
    if (rc != RM_OK)
        return rc;
    rc = rm_manifest_parse_with(runtime, text, length, path, 0, out, err);
    rm_text_free(runtime->allocator, text, length);
    return rc;
}
