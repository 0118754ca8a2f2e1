/* Every field of a manifest, with its text for the JSON Schema. */
#include <stddef.h>

#include "manifest/fields.h"
#include "manifest/manifest.h"

#define NODE(member) offsetof(rmi_manifest_node, member)
#define CONNECTION(member) offsetof(rmi_manifest_connection, member)
#define CAPABILITY(member) offsetof(rmi_capabilities, member)
#define MANIFEST(member) offsetof(struct rm_manifest, member)
#define YEAR_MS INT64_C(31622400000)
#define MOST_IN_FLIGHT 4096
#define LARGEST_QUEUE (INT64_C(1) << 40)

static const char *const versions[] = {"v1", NULL};
static const char *const targets[] = {"wasm32-wasi", "wasm32-wasip1", "native", NULL};
static const char *const hints[] = {"auto", "cpython", "cpython_wasm", "rust_python", NULL};
static const char *const gpu_types[] = {"cuda", "rocm", "metal", "vulkan", "any", NULL};
static const char *const on_errors[] = {"fail", "skip", "collect", NULL}; /* as rmi_on_error */
static const char *const arrays[] = {"tensor", "numpy", NULL}; /* as rm_arrays, but for the first */
static const char *const placements[] = {"local",   "remote", "prefer_local", "prefer_remote", "auto",
                                         "sandbox", NULL}; /* as rmi_placement */

static const rmi_field metadata[] = {
    {"name", "What the pipeline is called", .type = RMI_FIELD_TEXT, .flags = RMI_FIELD_REQUIRED,
     .offset = MANIFEST(name), .length = {1, 255}},
    {"description", "What it does", .type = RMI_FIELD_TEXT, .flags = RMI_FIELD_NULLABLE,
     .offset = MANIFEST(description)},
    {"created_at", "When it was written, ISO 8601", .type = RMI_FIELD_TEXT,
     .flags = RMI_FIELD_NULLABLE | RMI_FIELD_UNSTORED},
    {"auto_negotiate", "Accepted; formats travel with the data", .type = RMI_FIELD_BOOL,
     .flags = RMI_FIELD_NO_EFFECT | RMI_FIELD_UNSTORED},
    {.flags = RMI_FIELD_OTHERS}, /* other keys are for the manifest's author and readers */
};

static const rmi_field gpu[] = {
    {"type", "Kind of GPU", .type = RMI_FIELD_WORD, .flags = RMI_FIELD_REQUIRED,
     .offset = CAPABILITY(gpu_type), .choices = gpu_types},
    {"min_memory_gb", "Memory of the GPU, GB", .type = RMI_FIELD_NUMBER, .flags = RMI_FIELD_NULLABLE,
     .offset = CAPABILITY(gpu_memory_gb)},
    {"required", "false: the node also runs without it; default true", .type = RMI_FIELD_BOOL,
     .offset = CAPABILITY(gpu_required)},
    {0},
};

static const rmi_field cpu[] = {
    {"cores", "At least so many", .type = RMI_FIELD_INT, .flags = RMI_FIELD_NULLABLE,
     .offset = CAPABILITY(cores), .range = {1, INT32_MAX}},
    {"arch", "Architecture, as x86_64 or aarch64", .type = RMI_FIELD_TEXT, .flags = RMI_FIELD_NULLABLE,
     .offset = CAPABILITY(arch)},
    {0},
};

const rmi_field rmi_capabilities_shape[] = {
    {"gpu", "The GPU it needs", .type = RMI_FIELD_OBJECT, .flags = RMI_FIELD_NULLABLE, .shape = gpu},
    {"cpu", "The processor it needs", .type = RMI_FIELD_OBJECT, .flags = RMI_FIELD_NULLABLE, .shape = cpu},
    {"memory_gb", "Memory of the machine, GB", .type = RMI_FIELD_NUMBER, .flags = RMI_FIELD_NULLABLE,
     .offset = CAPABILITY(memory_gb)},
    {0},
};

static const rmi_field execution[] = {
    {"placement", "Where the node runs; remote and sandbox need a build that has them",
     .type = RMI_FIELD_CHOICE, .offset = NODE(placement), .choices = placements},
    {"reason", "Why, for readers", .type = RMI_FIELD_TEXT, .flags = RMI_FIELD_NULLABLE | RMI_FIELD_UNSTORED},
    {"fallback", "Id of the node that runs here instead when no server answers", .type = RMI_FIELD_TEXT,
     .flags = RMI_FIELD_NULLABLE, .offset = NODE(fallback)},
    {0},
};

static const rmi_field retry[] = {
    {"attempts", "Further attempts after the first one failed; 0: none", .type = RMI_FIELD_INT,
     .flags = RMI_FIELD_REQUIRED, .offset = NODE(retry_attempts), .range = {0, 1000000}},
    {"backoff_ms", "Pause before each further attempt, ms", .type = RMI_FIELD_INT,
     .offset = NODE(retry_backoff_ms), .range = {0, YEAR_MS}},
    {0},
};

static const rmi_field limits[] = {
    {"memory_bytes", "Memory of its sandbox, bytes", .type = RMI_FIELD_INT,
     .offset = NODE(limits.memory_bytes), .range = {1, INT64_C(1) << 32}},
    {"timeout_ms", "Time in its calls, all together, ms", .type = RMI_FIELD_INT,
     .offset = NODE(limits.timeout_ms), .range = {1, YEAR_MS}},
    {"fuel", "WebAssembly instructions, all together", .type = RMI_FIELD_INT, .offset = NODE(limits.fuel),
     .range = {1, INT64_MAX}},
    {"output_bytes", "What it may emit, all together, bytes", .type = RMI_FIELD_INT,
     .offset = NODE(limits.output_bytes), .range = {1, INT64_MAX}},
    {"log_bytes", "What it may log a second, bytes; more is dropped", .type = RMI_FIELD_INT,
     .offset = NODE(limits.log_bytes), .range = {1, INT64_MAX}},
    {0},
};

static const rmi_field node[] = {
    {"id", "Names the node: in connections, results and errors", .type = RMI_FIELD_TEXT,
     .flags = RMI_FIELD_REQUIRED | RMI_FIELD_ID, .offset = NODE(id), .length = {1, 0}},
    {"node_type", "Native node, class in remotemedia.nodes, module:Class, Python, or wasm:FILE",
     .type = RMI_FIELD_TEXT, .flags = RMI_FIELD_REQUIRED, .offset = NODE(node_type), .length = {1, 0}},
    {"params", "The node's parameters", .type = RMI_FIELD_MAP, .flags = RMI_FIELD_NULLABLE,
     .offset = NODE(params)},
    {"is_streaming", "The Python node takes the stream, not items", .type = RMI_FIELD_BOOL,
     .offset = NODE(is_streaming)},
    {"is_output_node", "Its results are reported although it is not a sink", .type = RMI_FIELD_BOOL,
     .offset = NODE(is_output_node)},
    {"arrays",
     "How a Python node gets arrays: as remotemedia.Tensor (the default), or as numpy's over the same memory",
     .type = RMI_FIELD_CHOICE, .offset = NODE(arrays), .choices = arrays},
    {"capabilities", "What the machine must have", .type = RMI_FIELD_PART, .flags = RMI_FIELD_NULLABLE,
     .offset = NODE(capabilities), .shape = rmi_capabilities_shape},
    {"host", "host:port that runs the node; needs a build with RM_GRPC_TRANSPORT", .type = RMI_FIELD_TEXT,
     .flags = RMI_FIELD_NULLABLE, .offset = NODE(host)},
    {"runtime_hint",
     "cpython, rust_python: the Python class, also where a native node has the name; cpython_wasm: that, in a sandbox",
     .type = RMI_FIELD_WORD, .flags = RMI_FIELD_NULLABLE, .offset = NODE(runtime_hint), .choices = hints},
    {"execution", "Where it runs", .type = RMI_FIELD_OBJECT, .flags = RMI_FIELD_NULLABLE, .shape = execution},
    {"fast_path", "Accepted, without effect", .type = RMI_FIELD_BOOL,
     .flags = RMI_FIELD_NO_EFFECT | RMI_FIELD_UNSTORED},
    {"python_deps", "Accepted, without effect: packages are not installed", .type = RMI_FIELD_TEXTS,
     .flags = RMI_FIELD_NULLABLE | RMI_FIELD_NO_EFFECT | RMI_FIELD_UNSTORED},
    {"media_capabilities", "Accepted, without effect: formats travel with the data", .type = RMI_FIELD_MAP,
     .flags = RMI_FIELD_NULLABLE | RMI_FIELD_NO_EFFECT | RMI_FIELD_UNSTORED},
    {"on_error", "What an item that fails does: fail the run, be skipped, or be collected in \"failed\"",
     .type = RMI_FIELD_CHOICE, .offset = NODE(on_error), .choices = on_errors},
    {"retry", "Trying an item again when it failed", .type = RMI_FIELD_OBJECT, .shape = retry},
    {"timeout_ms", "Longest time for one item, ms; 0: any", .type = RMI_FIELD_INT, .offset = NODE(timeout_ms),
     .range = {0, YEAR_MS}},
    {"limits", "What its sandbox may use, where it runs in one", .type = RMI_FIELD_OBJECT, .shape = limits},
    {"max_in_flight", "How many items may be pending in the node at once; else its type says",
     .type = RMI_FIELD_INT, .offset = NODE(max_in_flight), .range = {1, MOST_IN_FLIGHT}},
    {0},
};

static const rmi_field queue[] = {
    {"packets", "How many packets may wait", .type = RMI_FIELD_INT, .offset = CONNECTION(queue_packets),
     .range = {1, INT64_C(1) << 20}},
    {"bytes", "How many bytes may wait", .type = RMI_FIELD_INT, .offset = CONNECTION(queue_bytes),
     .range = {1, LARGEST_QUEUE}},
    {0},
};

static const rmi_field connection[] = {
    {"from", "id or id.port of the node that sends", .type = RMI_FIELD_TEXT, .flags = RMI_FIELD_REQUIRED,
     .offset = CONNECTION(from), .length = {1, 0}},
    {"to", "id or id.port of the node that receives", .type = RMI_FIELD_TEXT, .flags = RMI_FIELD_REQUIRED,
     .offset = CONNECTION(to), .length = {1, 0}},
    {"queue", "Limits of what waits in this connection", .type = RMI_FIELD_OBJECT, .shape = queue},
    {0},
};

static const rmi_field python_env[] = {
    {"python_version", "Version of Python", .type = RMI_FIELD_TEXT,
     .flags = RMI_FIELD_NULLABLE | RMI_FIELD_UNSTORED},
    {"scope", "Where packages are installed", .type = RMI_FIELD_TEXT,
     .flags = RMI_FIELD_NULLABLE | RMI_FIELD_UNSTORED},
    {"extra_deps", "Packages", .type = RMI_FIELD_TEXTS, .flags = RMI_FIELD_NULLABLE | RMI_FIELD_UNSTORED},
    {0},
};

static const rmi_field runtime[] = {
    {"target", "What it was written for; it runs on every host alike", .type = RMI_FIELD_WORD,
     .flags = RMI_FIELD_NULLABLE | RMI_FIELD_UNSTORED, .choices = targets},
    {"min_version", "Version of the former runtime; without effect", .type = RMI_FIELD_TEXT,
     .flags = RMI_FIELD_NULLABLE | RMI_FIELD_UNSTORED, .length = {1, 0}},
    {"features", "Features that the build must have, as `remotemedia version` names them",
     .type = RMI_FIELD_TEXTS, .flags = RMI_FIELD_NULLABLE, .offset = MANIFEST(features)},
    {0},
};

static const rmi_manifest_node plain_node = {
    .runtime_hint = "auto", .arrays = -1, .placement = RMI_PLACE_AUTO};

static const rmi_list nodes = {
    .shape = node,
    .item_size = sizeof(rmi_manifest_node),
    .count_offset = MANIFEST(node_count),
    .initial = &plain_node,
    .shortest = 1,
    .too_short = "Manifest must contain at least one node",
    .items_are_nodes = true,
};

static const rmi_list connections = {
    .shape = connection,
    .item_size = sizeof(rmi_manifest_connection),
    .count_offset = MANIFEST(connection_count),
};

const rmi_field rmi_manifest_shape[] = {
    {"version", "Version of the manifest's format", .type = RMI_FIELD_WORD,
     .flags = RMI_FIELD_REQUIRED | RMI_FIELD_UNSTORED, .choices = versions},
    {"metadata", "About the pipeline", .type = RMI_FIELD_OBJECT, .flags = RMI_FIELD_REQUIRED,
     .shape = metadata},
    {"nodes", "What works on the items", .type = RMI_FIELD_LIST, .flags = RMI_FIELD_REQUIRED,
     .offset = MANIFEST(nodes), .list = &nodes},
    {"connections", "Where the items go", .type = RMI_FIELD_LIST, .offset = MANIFEST(connections),
     .list = &connections},
    {"python_env", "Accepted, without effect: the runtime has one Python", .type = RMI_FIELD_OBJECT,
     .flags = RMI_FIELD_NULLABLE | RMI_FIELD_NO_EFFECT, .shape = python_env},
    {"runtime", "What it needs of a runtime", .type = RMI_FIELD_OBJECT, .flags = RMI_FIELD_NULLABLE,
     .shape = runtime},
    {0},
};
