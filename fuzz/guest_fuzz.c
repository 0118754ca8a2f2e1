/* A node in a sandbox whose module does anything: the host's side of docs/wasm-node.md over an engine that is none. Each call of the
 * guest takes its answer from the input: what it returns, what lies in its exchange area and its memory, whether it waits in
 * the middle or ends. The pipeline around it must stay whole. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "data/wire/wire.h"
#include "fuzz/fuzz.h"
#include "sandbox/compiled_modules.h"
#include "sandbox/shared_engine.h"
#include "sandbox/wasi/wasi_state.h"

enum { MEMORY = 1 << 16, EXCHANGE = 64, INPUT = 1024, INPUT_SIZE = 4096, OUTPUT = 1 << 15, ERROR = 3 << 14 };
enum { INSTANCES = 6, CALLS = 200, YIELDS = 4, STEPS = 300, IDLE = 20, PULLS = 8 };

/* What a call does, a bit each of the byte that it begins with. */
enum {
    EMITS = 1,       /* bytes lie in the output area */
    FAILS = 2,       /* it answers a code below 0, with an error document */
    ANSWERS = 4,     /* it answers what the input says, not 0 */
    COUNTS = 8,      /* `done` is what the input says, not all packets */
    WAITS = 16,      /* in sched_yield, before it answers */
    SCRIBBLES = 32,  /* all of the exchange area is the input's */
    ENDS = 64,       /* the instance ends instead */
    SAYS_WHEN = 128, /* `wait_ms` is what the input says */
};

static const char *const names[] = {
    "rm_node_interface", "rm_node_reserve", "rm_node_exchange", "rm_node_open",
    "rm_node_process",   "_initialize",     "rm_node_describe", "rm_node_more",
    "rm_node_generate",  "rm_node_poll",    "rm_node_end",      "rm_node_advance",
    "rm_node_flush",     "rm_node_abandon", "rm_node_close",    "rm_node_interrupt"};
enum { INTERFACE, RESERVE, AREA, OPEN, PROCESS, INITIALIZE, DESCRIBE, NAMES = sizeof names / sizeof *names };

struct rmi_instance {
    rmi_wasi *wasi;
    uint8_t *memory;
};

/* What is left of the input, and what it began with. */
static struct script {
    rmf_input input;
    uint16_t exports; /* which of `names` there are, a bit each */
    unsigned instances, calls;
} script;

/* ---- The engine */

static int engine_new(const rmi_engine_config *config, rmi_engine **out, rm_error *err)
{
    (void)config, (void)err;
    *out = (rmi_engine *)&script; /* something to point at */
    return RM_OK;
}

static const char *engine_key(const rmi_engine *engine)
{
    (void)engine;
    return "fuzz";
}

static void engine_free(rmi_engine *engine)
{
    (void)engine;
}

static void module_free(rmi_module *module)
{
    (void)module;
}

static int instantiate(rmi_module *module, const rmi_instance_config *config, rmi_instance **out,
                       rmi_end *end, rm_error *err)
{
    (void)module;
    if (script.input.left == 0 || script.instances++ == INSTANCES) {
        *end = RMI_END_TRAP;
        return rm_error_set(err, RM_E_VALUE, "it does not start");
    }
    rmi_instance *made = malloc(sizeof *made);
    rmf_require(made != NULL, "no memory for an instance");
    *made = (rmi_instance){.wasi = config->context, .memory = calloc(1, MEMORY)};
    rmf_require(made->memory != NULL, "no memory for a guest");
    *out = made;
    return RM_OK;
}

static void instance_free(rmi_instance *instance)
{
    free(instance->memory);
    free(instance);
}

static int find(rmi_instance *instance, const char *name, const char *signature, rmi_function *out,
                rm_error *err)
{
    (void)instance, (void)signature;
    for (size_t i = 0; i < NAMES; i++) {
        if (strcmp(names[i], name) != 0 || (script.exports >> i & 1) == 0)
            continue;
        *out = (rmi_function){.words = {i}};
        return RM_OK;
    }
    return rm_error_set(err, RM_E_NOT_FOUND, "there is no %s", name);
}

static rmi_guest_memory memory_of(rmi_instance *instance)
{
    return (rmi_guest_memory){.data = instance->memory, .size = MEMORY};
}

static void set_tick(rmi_instance *instance, const rmi_function *function)
{
    (void)instance, (void)function;
}

static uint64_t fuel_left(rmi_instance *instance)
{
    (void)instance;
    return 1;
}

static void interrupt(rmi_engine *engine)
{
    (void)engine;
}

/* ---- What its functions do */

/* Bytes of the input, with their length before them, at an address. Returns the length. */
static uint32_t put_bytes(rmi_instance *instance, uint32_t at)
{
    const uint16_t wanted = rmf_u16(&script.input);
    uint32_t length = 0;
    for (; length < wanted && at + length < MEMORY && script.input.left > 0; length++)
        instance->memory[at + length] = rmf_u8(&script.input);
    return length;
}

/* Waits for packets. false: its call is to end. */
static bool yield(rmi_instance *instance, rmi_exchange *area)
{
    rmi_slot result = {0};
    bool goes_on = true;
    for (unsigned i = 0, times = rmf_u8(&script.input) % YIELDS; goes_on && i <= times; i++) {
        area->stream = RMI_STREAM_WAITS;
        memcpy(instance->memory + EXCHANGE, area, sizeof *area);
        goes_on = rmi_preview1_sched_yield(instance->wasi, memory_of(instance), NULL, &result) == 0;
        memcpy(area, instance->memory + EXCHANGE, sizeof *area);
        if (area->stream > area->input_size && area->stream < MEMORY / 4)
            area->input_size = area->stream; /* it asks for more room */
    }
    area->stream = 0;
    return goes_on;
}

static int end_it(rmi_end *end, rm_error *err)
{
    static const struct {
        rmi_end why;
        int code;
    } ends[] = {{RMI_END_TRAP, RM_E_VALUE},
                {RMI_END_FUEL, RM_E_LIMIT},
                {RMI_END_STACK, RM_E_LIMIT},
                {RMI_END_IMPORT, RM_E_CANCELLED},
                {RMI_END_STOPPED, RM_E_CANCELLED}};
    const uint8_t which = rmf_u8(&script.input) % (sizeof ends / sizeof *ends);
    *end = ends[which].why;
    return rm_error_set(err, ends[which].code, "its instance has ended");
}

/* One of the node's own functions. */
static int act(rmi_instance *instance, uint64_t which, rmi_slot *slots, rmi_end *end, rm_error *err)
{
    const unsigned does = rmf_u8(&script.input);
    rmi_exchange area = {.input = INPUT, .input_size = INPUT_SIZE, .output = OUTPUT, .error = ERROR};
    if ((does & ENDS) != 0 || script.input.left == 0)
        return end_it(end, err);
    if (which == PROCESS)
        memcpy(&area.done, instance->memory + INPUT, sizeof area.done); /* the number of packets */
    if ((does & WAITS) != 0 && !yield(instance, &area))
        return end_it(end, err);
    slots[0].i32 = (does & ANSWERS) != 0 ? (int8_t)rmf_u8(&script.input) : RM_OK;
    if ((does & EMITS) != 0)
        area.output_length = put_bytes(instance, OUTPUT);
    if ((does & FAILS) != 0) {
        slots[0].i32 = -1 - rmf_u8(&script.input) % 32;
        area.error_length = put_bytes(instance, ERROR);
    }
    if ((does & COUNTS) != 0)
        area.done = rmf_u8(&script.input);
    if ((does & SAYS_WHEN) != 0) {
        const uint64_t bits = rmf_u64(&script.input);
        memcpy(&area.wait_ms, &bits, sizeof area.wait_ms);
    }
    memcpy(instance->memory + EXCHANGE, &area, sizeof area);
    for (size_t i = 0; (does & SCRIBBLES) != 0 && i < sizeof area; i++)
        instance->memory[EXCHANGE + i] = rmf_u8(&script.input);
    return RM_OK;
}

static int call(rmi_instance *instance, const rmi_function *function, rmi_slot *slots, rmi_end *end,
                rm_error *err)
{
    rmi_exchange area = {.input = INPUT, .input_size = INPUT_SIZE};
    if (script.calls++ == CALLS)
        return end_it(end, err);
    switch (function->words[0]) {
    case INTERFACE:
        slots[0].i32 = RMI_NODE_INTERFACE;
        return RM_OK;
    case AREA:
        memcpy(instance->memory + EXCHANGE, &area, sizeof area);
        slots[0].u32 = (script.exports & 1u << INITIALIZE) != 0 ? EXCHANGE : rmf_u16(&script.input);
        return RM_OK;
    case RESERVE:
        area.input_size = slots[0].u32;
        memcpy(instance->memory + EXCHANGE, &area, sizeof area);
        slots[0].i32 = area.input_size < OUTPUT - INPUT ? 0 : -1;
        return RM_OK;
    case INITIALIZE:
        return RM_OK;
    default:
        return act(instance, function->words[0], slots, end, err);
    }
}

static const rmi_engine_api api = {.interface = RMI_ENGINE_INTERFACE,
                                   .name = "fuzz",
                                   .engine_new = engine_new,
                                   .engine_free = engine_free,
                                   .engine_key = engine_key,
                                   .module_free = module_free,
                                   .instantiate = instantiate,
                                   .instance_free = instance_free,
                                   .find = find,
                                   .call = call,
                                   .set_tick = set_tick,
                                   .memory = memory_of,
                                   .fuel_left = fuel_left,
                                   .interrupt = interrupt};

/* ---- The pipeline around it */

#define NODE(MORE)                                                                             \
    "{\"version\": \"v1\", \"metadata\": {\"name\": \"t\"}, \"nodes\": [{\"id\": \"g\", " MORE \
    "}], \"connections\": []}"
#define IN_FRONT(MORE)                                                                                          \
    "{\"version\": \"v1\", \"metadata\": {\"name\": \"t\"}, \"nodes\": [{\"id\": \"p\", \"node_type\": "        \
    "\"PassThrough\"}, {\"id\": \"g\", " MORE                                                                   \
    "}, {\"id\": \"q\", \"node_type\": \"PassThrough\"}], \"connections\": [{\"from\": \"p\", \"to\": \"g\"}, " \
    "{\"from\": \"g\", \"to\": \"q\"}]}"
static const char *const manifests[] = {
    NODE("\"node_type\": \"wasm:m.wasm\""),
    NODE("\"node_type\": \"wasm:m.wasm\", \"is_streaming\": true"),
    IN_FRONT("\"node_type\": \"wasm:m.wasm\", \"params\": {\"x\": [1, {\"y\": 2.5}]}"),
    IN_FRONT("\"node_type\": \"wasm:m.wasm\", \"is_streaming\": true, \"max_in_flight\": 3"),
    IN_FRONT("\"node_type\": \"wasm:m.wasm\", \"on_error\": \"skip\""),
    IN_FRONT("\"node_type\": \"wasm:m.wasm\", \"on_error\": {\"policy\": \"retry\"}"),
    NODE("\"node_type\": \"C\", \"runtime_hint\": \"cpython_wasm\""),
    IN_FRONT("\"node_type\": \"C\", \"runtime_hint\": \"cpython_wasm\", \"is_streaming\": true"),
    NODE("\"node_type\": \"Take\", \"params\": {\"count\": 3}, \"execution\": {\"placement\": \"sandbox\"}"),
    IN_FRONT(
        "\"node_type\": \"Batch\", \"params\": {\"size\": 2}, \"execution\": {\"placement\": \"sandbox\"}"),
};
static const char *const files[] = {"m.wasm", "remotemedia_reactor_numpy_snapshot.wasm",
                                    "remotemedia_reactor_lite.wasm"};

/* A folder with files of these names, which nobody reads. */
static char folder[64];

static void remove_folder(void)
{
    char path[128];
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        (void)unlink(path);
    }
    (void)rmdir(folder);
}

static void make_folder(void)
{
    char path[128];
    const char *temporary = getenv("TMPDIR");
    if (folder[0] != '\0')
        return;
    (void)snprintf(folder, sizeof folder, "%.40s/fuzz-guest-XXXXXX", temporary != NULL ? temporary : "/tmp");
    rmf_require(mkdtemp(folder) != NULL, "cannot make %s", folder);
    (void)atexit(remove_folder);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        const int made = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        rmf_require(made >= 0, "cannot make %s", path);
        (void)close(made);
    }
}

/* The modules as if they were loaded; freed with the sandbox. */
static int load_all(rm_sandbox *sandbox, rm_error *err)
{
    for (size_t i = 0; i < 2 * sizeof files / sizeof *files; i++) {
        char path[128];
        rmi_source from = {.file = -1, .copy = -1};
        (void)snprintf(path, sizeof path, "%s/%s", folder, files[i / 2]);
        const size_t length = strlen(path) + 1;
        rmi_loaded *made = rmi_alloc(sandbox->allocator, sizeof *made + length);
        if (made == NULL)
            return rmi_out_of_memory(err);
        *made = (rmi_loaded){
            .next = sandbox->loaded, .module = (rmi_module *)&script, .fuel = i % 2 == 1, .is_still = true};
        memcpy(made->path, path, length);
        sandbox->loaded = made;
        const int rc = rmi_source_open(&from, path, engine_key(NULL), err);
        memcpy(made->identity, from.identity, sizeof made->identity);
        rmi_source_close(&from);
        if (rc != RM_OK)
            return rc;
    }
    return RM_OK;
}

static int make_sandbox(const rm_allocator *allocator, rm_sandbox **out, rm_error *err)
{
    const rm_sandbox_config config = {.size = sizeof config, .allocator = allocator, .modules = folder};
    const int rc = rm_sandbox_new(&config, out, err);
    if (rc != RM_OK)
        return rc;
    (*out)->api = &api;
    return load_all(*out, err);
}

static void take_results(rm_pipeline *pipeline)
{
    rm_packet packet;
    size_t sink = 0;
    for (int i = 0; i < PULLS && rm_pipeline_pull(pipeline, &sink, &packet, NULL) == RM_OK; i++) {
        rm_value plain = rm_null();
        if (rm_value_to_plain(NULL, packet.value, &plain, NULL) == RM_OK)
            rm_value_clear(&plain);
        rm_packet_clear(&packet);
    }
}

/* Gives `items` items, cancels before step `cancels`. */
static void run_some(rm_pipeline *pipeline, unsigned items, unsigned cancels, rm_error *err)
{
    int rc = RM_OK;
    for (int step = 0, idle = 0; step < STEPS && idle < IDLE && rc >= RM_OK && rc != RM_DONE; step++) {
        if (items > 0 && rm_pipeline_push(pipeline, NULL, rm_int((int64_t)items), err) != RM_AGAIN)
            items--;
        else if (items == 0)
            rc = rm_pipeline_finish(pipeline, err);
        if ((unsigned)step + 1 == cancels)
            rm_pipeline_cancel(pipeline);
        rc = rm_run_step(pipeline, err);
        idle = rc == RM_PENDING || rc == RM_AGAIN ? idle + 1 : 0;
        take_results(pipeline);
    }
}

static rm_sandbox_policy read_policy(rmf_input *input)
{
    const unsigned limits = rmf_u8(input);
    return (rm_sandbox_policy){.limits = {.memory_bytes = (limits & 1) != 0 ? MEMORY : 0,
                                          .fuel = (limits & 2) != 0 ? 1000 : 0,
                                          .output_bytes = (limits & 4) != 0 ? 100 : 0,
                                          .log_bytes = (limits & 8) != 0 ? 50 : 0,
                                          .timeout_ms = (limits & 16) != 0 ? 60000 : 0}};
}

int rmf_run(rmt_heap *heap, rmf_input input)
{
    const rm_config config = {.size = sizeof config, .allocator = &heap->allocator};
    const char *text = manifests[rmf_u8(&input) % (sizeof manifests / sizeof *manifests)];
    const rm_sandbox_policy policy = read_policy(&input);
    const unsigned items = rmf_u8(&input) % 16, cancels = rmf_u8(&input);
    const rm_pipeline_options options = {
        .size = sizeof options, .queue_packets = 1 + items % 4, .generate = items == 0};
    rm_runtime *runtime = NULL;
    rm_sandbox *sandbox = NULL;
    rm_manifest *manifest = NULL;
    rm_pipeline *pipeline = NULL;
    rm_error err = {0};
    make_folder();
    char beside[sizeof folder + 2];
    (void)snprintf(beside, sizeof beside, "%s/m", folder);
    script = (struct script){.exports = (uint16_t)(rmf_u16(&input) | ((1u << INITIALIZE) - 1))};
    script.input = input;
    int rc = make_sandbox(&heap->allocator, &sandbox, &err);
    if (rc == RM_OK)
        rc = rm_runtime_new(&config, &runtime, &err);
    if (rc == RM_OK)
        rc = rm_sandbox_attach(sandbox, runtime, &policy, NULL, &err);
    if (rc == RM_OK)
        rc = rm_manifest_parse_with(runtime, text, strlen(text), beside, 0, &manifest, &err);
    if (rc == RM_OK)
        rc = rm_manifest_validate(manifest, &err);
    if (rc == RM_OK)
        rc = rm_pipeline_open(manifest, &options, &pipeline, &err);
    if (rc == RM_OK)
        run_some(pipeline, items, cancels, &err);
    rm_pipeline_free(pipeline);
    rm_manifest_free(manifest);
    rm_runtime_free(runtime);
    rm_sandbox_free(sandbox);
    rm_error_clear(&err);
    return RM_OK; /* what happens depends on the time, too */
}
