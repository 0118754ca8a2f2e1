/* The features of this build: each is a macro, 0 or 1, and reported under its own name. */
#include <string.h>

#include "base/alloc.h"
#include "data/builder.h"
#include "graph/registry.h"

#ifndef RM_VERSION
#define RM_VERSION "0.1.0"
#endif
#ifndef RM_PYTHON
#define RM_PYTHON 0
#endif
#ifndef RM_PYTHON_ASYNC
#define RM_PYTHON_ASYNC 0
#endif
#ifndef RM_NATIVE_NUMPY
#define RM_NATIVE_NUMPY 0
#endif
#ifndef RM_GRPC_TRANSPORT
#define RM_GRPC_TRANSPORT 0
#endif
#ifndef RM_WASMTIME_RUNTIME
#define RM_WASMTIME_RUNTIME 0
#endif

const rmi_feature rmi_features[] = {
    {"RM_PYTHON", RM_PYTHON},
    {"RM_PYTHON_ASYNC", RM_PYTHON_ASYNC},
    {"RM_NATIVE_NUMPY", RM_NATIVE_NUMPY},
    {"RM_GRPC_TRANSPORT", RM_GRPC_TRANSPORT},
    {"RM_WASMTIME_RUNTIME", RM_WASMTIME_RUNTIME},
    {NULL, false},
};

bool rmi_feature_available(const char *name)
{
    const rmi_feature *feature = rmi_features;
    while (feature->name != NULL && strcmp(feature->name, name) != 0)
        feature++;
    return feature->name != NULL && feature->available;
}

const char *rm_version(void)
{
    return RM_VERSION;
}

int rm_version_info(const rm_runtime *runtime, rm_value *out, rm_error *err)
{
    rmi_builder b = rmi_builder_start(runtime != NULL ? rm_runtime_allocator(runtime) : NULL, err);
    rm_value info = rmi_build_map(&b), features = rmi_build_map(&b);
    for (const rmi_feature *feature = rmi_features; feature->name != NULL; feature++)
        rmi_build_put(&b, &features, feature->name, rm_bool(feature->available));
    rmi_build_text(&b, &info, "version", rm_version());
    rmi_build_put(&b, &info, "node_abi", rm_int(RM_NODE_ABI_VERSION));
    rmi_build_text(&b, &info, "architecture", rmi_platform_architecture());
    rmi_build_put(&b, &info, "features", features);
    return rmi_build_end(&b, &info, out);
}
