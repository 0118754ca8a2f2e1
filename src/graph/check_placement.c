/* Whether a manifest and its nodes may run here: what they require of the build, the host, the placement and
 * the machine. */
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "graph/build.h"
#include "platform/platform.h"

/* Fills in node and pointer of an error about a field of a node. Returns code. */
static int at_field(rm_error *err, int code, const rmi_manifest_node *node, uint32_t index, const char *field)
{
    rmi_manifest_error_node(err, node->id);
    rm_error_pointer(err, "/nodes/%u/%s", index, field);
    return code;
}

static int missing_feature(rm_error *err, const char *id, const char *what, const char *feature)
{
    return rmi_manifest_error(
        err, RM_E_MISSING_FEATURE, "node '%s': %s needs %s, which this %s", id, what, feature,
        rmi_feature_available(feature) ? "program did not attach" : "build does not have");
}

/* The runtime can run nodes on other servers. */
static int check_host(rm_manifest *manifest, uint32_t index, rm_error *err)
{
    const rmi_manifest_node *node = &manifest->nodes[index];
    if (node->host != NULL)
        return RM_OK;
    if (node->placement == RMI_PLACE_PREFER_REMOTE && !atomic_exchange(&manifest->place_said, true))
        rm_runtime_log(manifest->runtime, RM_LOG_WARNING, node->id, "runs here: it has no host");
    if (node->placement != RMI_PLACE_REMOTE)
        return RM_OK;
    (void)rmi_manifest_error(err, RM_E_MISSING_FIELD, "node '%s': placement 'remote' needs a host", node->id);
    return at_field(err, RM_E_MISSING_FIELD, node, index, "execution/placement");
}

static int check_remote(rm_manifest *manifest, uint32_t index, rm_error *err)
{
    const rmi_manifest_node *node = &manifest->nodes[index];
    bool local_will_do = node->placement == RMI_PLACE_PREFER_LOCAL ||
                         node->placement == RMI_PLACE_PREFER_REMOTE || node->placement == RMI_PLACE_LOCAL;
    bool unused = node->placement == RMI_PLACE_PREFER_REMOTE || node->host != NULL;
    if (manifest->runtime->remote != NULL)
        return check_host(manifest, index, err);
    if (node->placement == RMI_PLACE_REMOTE)
        return at_field(err, missing_feature(err, node->id, "placement 'remote'", "RM_GRPC_TRANSPORT"), node,
                        index, "execution/placement");
    if (node->host != NULL && !local_will_do)
        return at_field(err, missing_feature(err, node->id, "'host'", "RM_GRPC_TRANSPORT"), node, index,
                        "host");
    if (unused && !atomic_exchange(&manifest->place_said, true))
        rm_runtime_log(manifest->runtime, RM_LOG_WARNING, node->id,
                       "runs here: this %s RM_GRPC_TRANSPORT to run it elsewhere",
                       rmi_feature_available("RM_GRPC_TRANSPORT") ? "program did not attach"
                                                                  : "build has no");
    return RM_OK;
}

/* Returns the field by which the node asks for a sandbox; *what is its value in words. */
static const char *sandbox_field(const rmi_manifest_node *node, const char **what)
{
    if (node->placement == RMI_PLACE_SANDBOX) {
        *what = "placement 'sandbox'";
        return "execution/placement";
    }
    if (rmi_type_module(node->node_type) != NULL) {
        *what = "a node_type 'wasm:FILE'";
        return "node_type";
    }
    *what = "runtime_hint 'cpython_wasm'";
    return "runtime_hint";
}

static int check_sandbox(const rm_manifest *manifest, uint32_t index, rm_error *err)
{
    const rmi_manifest_node *node = &manifest->nodes[index];
    const char *what = NULL;
    if (!rmi_wants_sandbox(node) || manifest->runtime->has_sandbox)
        return RM_OK;
    const char *field = sandbox_field(node, &what);
    if (!rmi_feature_available("RM_WASMTIME_RUNTIME"))
        return at_field(err, missing_feature(err, node->id, what, "RM_WASMTIME_RUNTIME"), node, index, field);
    (void)rmi_manifest_error(
        err, RM_E_MISSING_FEATURE,
        "node '%s': %s needs a sandbox (RM_WASMTIME_RUNTIME), which this program did not attach", node->id,
        what);
    return at_field(err, RM_E_MISSING_FEATURE, node, index, field);
}

/* One name for each architecture. */
static const char *architecture(const char *name)
{
    static const char *const same[][2] = {
        {"amd64", "x86_64"}, {"x86-64", "x86_64"}, {"x64", "x86_64"}, {"arm64", "aarch64"}};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        if (strcmp(name, same[i][0]) == 0)
            return same[i][1];
    }
    return name;
}

static int check_machine(rm_manifest *manifest, uint32_t index, rm_error *err)
{
    const rmi_manifest_node *node = &manifest->nodes[index];
    rmi_manifest_reader reader = {.arena = &manifest->arena};
    rmi_capabilities needs = {.gpu_required = true};
    size_t cores = rmi_platform_cpu_count();
    double memory = rmi_platform_memory_gb();
    const char *here = rmi_platform_architecture();
    int rc = rmi_fields_read(&reader, rmi_capabilities_shape, node->capabilities, NULL, &needs, err);
    if (rc != RM_OK)
        return rc;
    if (needs.gpu_type != NULL && needs.gpu_required) {
        (void)rmi_manifest_error(err, RM_E_MISSING_CAPABILITY,
                                 "node '%s' requires a GPU (%s); this build can use none", node->id,
                                 needs.gpu_type);
        return at_field(err, RM_E_MISSING_CAPABILITY, node, index, "capabilities/gpu");
    }
    if ((uint64_t)needs.cores > cores) {
        (void)rmi_manifest_error(err, RM_E_MISSING_CAPABILITY,
                                 "node '%s' requires %lld CPU cores; this machine has %zu", node->id,
                                 (long long)needs.cores, cores);
        return at_field(err, RM_E_MISSING_CAPABILITY, node, index, "capabilities/cpu/cores");
    }
    if (needs.arch != NULL && strcmp(architecture(needs.arch), architecture(here)) != 0) {
        (void)rmi_manifest_error(err, RM_E_MISSING_CAPABILITY,
                                 "node '%s' requires the architecture %s; this machine is %s", node->id,
                                 needs.arch, here);
        return at_field(err, RM_E_MISSING_CAPABILITY, node, index, "capabilities/cpu/arch");
    }
    if (needs.memory_gb > ceil(memory)) { /* the kernel keeps a part of the machine's memory */
        (void)rmi_manifest_error(err, RM_E_MISSING_CAPABILITY,
                                 "node '%s' requires %g GB of memory; this machine has %.1f GB", node->id,
                                 needs.memory_gb, memory);
        return at_field(err, RM_E_MISSING_CAPABILITY, node, index, "capabilities/memory_gb");
    }
    return RM_OK;
}

static int check_fallback(const rm_manifest *manifest, uint32_t index, rm_error *err)
{
    const rmi_manifest_node *node = &manifest->nodes[index];
    if (rmi_manifest_find(manifest, node->fallback) != SIZE_MAX)
        return RM_OK;
    const char *near = rmi_manifest_near_id(manifest, node->fallback);
    (void)rmi_manifest_error(err, RM_E_UNKNOWN_NODE, "node '%s' falls back to unknown node '%s'%s%s%s",
                             node->id, node->fallback, near != NULL ? "; did you mean '" : "",
                             near != NULL ? near : "", near != NULL ? "'?" : "");
    return at_field(err, RM_E_UNKNOWN_NODE, node, index, "execution/fallback");
}

/* The features of the former runtime's manifests, and the feature that stands for each here; NULL: every
 * build has it. */
static const struct {
    const char *name, *feature;
} former_features[] = {
    {"rust-only", NULL},
    {"native", NULL},
    {"wasm", NULL},
    {"python", "RM_PYTHON"},
    {"python-async", "RM_PYTHON_ASYNC"},
    {"numpy", "RM_NATIVE_NUMPY"},
    {"native-numpy", "RM_NATIVE_NUMPY"},
    {"grpc-transport", "RM_GRPC_TRANSPORT"},
    {"wasmtime-runtime", "RM_WASMTIME_RUNTIME"},
};

static bool has_feature(const char *name)
{
    for (size_t i = 0; i < sizeof former_features / sizeof *former_features; i++) {
        if (strcmp(name, former_features[i].name) == 0)
            return former_features[i].feature == NULL || rmi_feature_available(former_features[i].feature);
    }
    return rmi_feature_available(name);
}

/* Checks the features that the whole manifest requires in "runtime". */
static int check_features(const rm_manifest *manifest, rm_error *err)
{
    size_t index, count;
    yyjson_val *item;
    yyjson_arr_foreach(manifest->features, index, count, item)
    {
        char room[128];
        const char *name =
            rmi_text_without_nul(yyjson_get_str(item), yyjson_get_len(item), room, sizeof room);
        if (has_feature(name))
            continue;
        (void)rmi_manifest_error(err, RM_E_MISSING_FEATURE,
                                 "the manifest requires the feature '%s', which this build does not have",
                                 name);
        rm_error_pointer(err, "/runtime/features/%zu", index);
        rm_error_hint(err, "`remotemedia version` lists the features of this build");
        return RM_E_MISSING_FEATURE;
    }
    return RM_OK;
}

int rmi_graph_check_placement(rm_manifest *manifest, const rmi_graph *graph, rm_error *err)
{
    int rc = check_features(manifest, err);
    for (uint32_t i = 0; i < graph->node_count && rc == RM_OK; i++) {
        const rmi_manifest_node *node = &manifest->nodes[i];
        if (node->fallback != NULL)
            rc = check_fallback(manifest, i, err);
        if (rc == RM_OK && (node->host != NULL || node->placement != RMI_PLACE_AUTO))
            rc = check_remote(manifest, i, err);
        if (rc == RM_OK)
            rc = check_sandbox(manifest, i, err);
        if (rc == RM_OK && node->capabilities != NULL && !rmi_wants_remote(manifest->runtime, node))
            rc = check_machine(manifest, i, err);
    }
    return rc;
}
