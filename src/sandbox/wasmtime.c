/* rmi_engine_api over wasmtime's C interface. A shared object of its own: it uses the public functions of the
 * runtime that loads it, and the rest of the runtime does not know wasmtime.
 *
 * Epochs interrupt a guest: when the epoch moves, every running instance asks what to do. No clock moves the
 * epoch; rmi_engine_api.interrupt does. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <wasm.h>
#include <wasmtime.h>

#include "base/alloc.h"
#include "sandbox/engine.h"

enum {
    MAX_SLOTS = 16,          /* arguments of a function */
    HOST_STACK = 256 << 10,  /* stack for imports and for entering a guest, beside the guest's own */
    MAX_TABLE = 1 << 16,     /* elements of a guest's table */
    MAX_INSTANCE = 4 << 20,  /* bytes of an instance's own bookkeeping */
    KEPT_RESIDENT = 1 << 16, /* bytes of a pooled memory that are zeroed instead of returned to the system */
};

struct rmi_engine {
    const rm_allocator *allocator;
    wasm_engine_t *engine;
    bool fuel;
    size_t stack_size;
    char key[160];
};

struct rmi_module {
    rmi_engine *engine;
    wasmtime_module_t *module;
    wasmtime_instance_pre_t *ready; /* imports resolved */
    uint64_t memory_size;           /* first size of the memory that it exports */
};

struct rmi_instance {
    rmi_module *module;
    wasmtime_store_t *store;
    wasmtime_context_t *context;
    wasmtime_instance_t instance;
    wasmtime_memory_t memory;
    rmi_function tick;
    bool has_memory, has_tick, ticks, ended; /* ticks: its tick function is running */
    rmi_instance_config config;
    rmi_end end; /* why it stopped, where the host stopped it */
};

/* ---- Errors */

/* Sets `err` to wasmtime's message without its backtrace; consumes `error`. */
static int failed(wasmtime_error_t *error, int code, const char *what, rm_error *err)
{
    wasm_name_t text = {0};
    wasmtime_error_message(error, &text);
    size_t length = text.size;
    const char *cause = memmem(text.data, text.size, "Caused by:", 10);
    const char *start = cause != NULL ? cause + 10 : text.data;
    length -= (size_t)(start - text.data);
    while (length > 0 && strchr(" \n0:", *start) != NULL)
        start++, length--;
    const char *line_end = memchr(start, '\n', length);
    if (line_end != NULL)
        length = (size_t)(line_end - start);
    (void)rm_error_set(err, code, "%s: %.*s", what, (int)(length < 400 ? length : 400), start);
    wasm_byte_vec_delete(&text);
    wasmtime_error_delete(error);
    return code;
}

static int out_of_memory(rm_error *err)
{
    return rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory");
}

/* ---- The engine */

/* The features of this processor that compiled code may use, a letter each. wasmtime checks all features when
 * it loads. */
static void describe_processor(char text[static 16])
{
    char *at = text;
#if defined(__x86_64__)
    const int has[] = {__builtin_cpu_supports("sse4.2"),   __builtin_cpu_supports("avx2"),
                       __builtin_cpu_supports("fma"),      __builtin_cpu_supports("bmi2"),
                       __builtin_cpu_supports("avx512vl"), __builtin_cpu_supports("avx512vbmi")};
    for (size_t i = 0; i < sizeof has / sizeof *has; i++)
        *at++ = has[i] ? (char)('a' + i) : '-';
#endif
    *at = '\0';
}

static void use_pool(wasm_config_t *config, uint32_t count)
{
    wasmtime_pooling_allocation_config_t *pool = wasmtime_pooling_allocation_config_new();
    wasmtime_pooling_allocation_config_total_core_instances_set(pool, count);
    wasmtime_pooling_allocation_config_total_memories_set(pool, count);
    wasmtime_pooling_allocation_config_total_tables_set(pool, count);
    wasmtime_pooling_allocation_config_table_elements_set(pool, MAX_TABLE);
    wasmtime_pooling_allocation_config_max_core_instance_size_set(pool, MAX_INSTANCE);
    wasmtime_pooling_allocation_config_linear_memory_keep_resident_set(pool, KEPT_RESIDENT);
    wasmtime_pooling_allocation_strategy_set(config, pool);
    wasmtime_pooling_allocation_config_delete(pool);
}

static wasm_engine_t *new_engine(const rmi_engine_config *wanted)
{
    wasm_config_t *config = wasm_config_new();
    if (config == NULL)
        return NULL;
    wasmtime_config_epoch_interruption_set(config, true);
    wasmtime_config_consume_fuel_set(config, wanted->fuel);
    wasmtime_config_max_wasm_stack_set(config, wanted->stack_size);
#ifdef WASMTIME_FEATURE_ASYNC
    wasmtime_config_async_stack_size_set(config,
                                         wanted->stack_size + HOST_STACK); /* if less, wasmtime aborts */
#endif
    wasmtime_config_memory_init_cow_set(config, true);
    wasmtime_config_wasm_memory64_set(config, false);
    wasmtime_config_wasm_multi_memory_set(config, false);
#ifdef WASMTIME_FEATURE_THREADS
    wasmtime_config_wasm_threads_set(config, false);
#endif
    if (wanted->pool > 0)
        use_pool(config, wanted->pool);
    return wasm_engine_new_with_config(config);
}

static void engine_free(rmi_engine *engine)
{
    if (engine == NULL)
        return;
    if (engine->engine != NULL)
        wasm_engine_delete(engine->engine);
    rmi_free(engine->allocator, engine, sizeof *engine);
}

static int engine_new(const rmi_engine_config *config, rmi_engine **out, rm_error *err)
{
    char processor[16];
    *out = NULL;
    rmi_engine *engine = rmi_alloc(config->allocator, sizeof *engine);
    if (engine == NULL)
        return out_of_memory(err);
    *engine =
        (rmi_engine){.allocator = config->allocator, .fuel = config->fuel, .stack_size = config->stack_size};
    describe_processor(processor);
    (void)snprintf(engine->key, sizeof engine->key, "wasmtime %s %s fuel=%d stack=%zu pool=%d",
                   WASMTIME_VERSION, processor, config->fuel, config->stack_size, config->pool > 0);
    engine->engine = new_engine(config);
    if (engine->engine == NULL) {
        engine_free(engine);
        return rm_error_set(err, RM_E_OUT_OF_MEMORY, "wasmtime cannot reserve what its engine needs");
    }
    *out = engine;
    return RM_OK;
}

static const char *engine_key(const rmi_engine *engine)
{
    return engine->key;
}

static void interrupt(rmi_engine *engine)
{
    wasmtime_engine_increment_epoch(engine->engine);
}

/* ---- Compiling */

static int compile(rmi_engine *engine, const uint8_t *wasm, size_t size, uint8_t **code, size_t *length,
                   rm_error *err)
{
    wasmtime_module_t *module = NULL;
    wasm_byte_vec_t bytes = {0};
    wasmtime_error_t *error = wasmtime_module_new(engine->engine, wasm, size, &module);
    if (error != NULL)
        return failed(error, RM_E_PARSE, "not a usable WebAssembly module", err);
    error = wasmtime_module_serialize(module, &bytes);
    wasmtime_module_delete(module);
    if (error != NULL)
        return failed(error, RM_E_INTERNAL, "the compiled module cannot be kept", err);
    *code = (uint8_t *)bytes.data; /* code_free passes it to wasm_byte_vec_delete */
    *length = bytes.size;
    return RM_OK;
}

static void code_free(uint8_t *code, size_t length)
{
    wasm_byte_vec_t bytes = {.size = length, .data = (char *)code};
    if (code != NULL)
        wasm_byte_vec_delete(&bytes);
}

/* ---- What guests import */

static wasm_valkind_t kind_of(char letter)
{
    return letter == 'i' ? WASM_I32 : letter == 'I' ? WASM_I64 : letter == 'f' ? WASM_F32 : WASM_F64;
}

static wasm_functype_t *type_of(const char *signature)
{
    wasm_valtype_t *kinds[MAX_SLOTS];
    wasm_valtype_vec_t arguments, results;
    const char *colon = strchr(signature, ':');
    const size_t count = (size_t)(colon - signature);
    for (size_t i = 0; i < count && i < MAX_SLOTS; i++)
        kinds[i] = wasm_valtype_new(kind_of(signature[i]));
    wasm_valtype_vec_new(&arguments, count, kinds);
    if (colon[1] != '\0')
        kinds[0] = wasm_valtype_new(kind_of(colon[1]));
    wasm_valtype_vec_new(&results, colon[1] != '\0', kinds);
    return wasm_functype_new(&arguments, &results);
}

static bool find_memory(rmi_instance *instance, wasmtime_caller_t *caller)
{
    wasmtime_extern_t found;
    if (instance->has_memory)
        return true;
    const bool is_there =
        caller != NULL
            ? wasmtime_caller_export_get(caller, "memory", 6, &found)
            : wasmtime_instance_export_get(instance->context, &instance->instance, "memory", 6, &found);
    if (!is_there)
        return false;
    instance->has_memory = found.kind == WASMTIME_EXTERN_MEMORY;
    if (instance->has_memory)
        instance->memory = found.of.memory;
    wasmtime_extern_delete(&found);
    return instance->has_memory;
}

static rmi_guest_memory memory_of(rmi_instance *instance)
{
    if (!instance->has_memory)
        return (rmi_guest_memory){0};
    return (rmi_guest_memory){wasmtime_memory_data(instance->context, &instance->memory),
                              wasmtime_memory_data_size(instance->context, &instance->memory)};
}

/* A wasmtime_func_unchecked_callback_t. */
static wasm_trap_t *call_import(void *env, wasmtime_caller_t *caller, wasmtime_val_raw_t *values,
                                size_t count)
{
    const rmi_import *called = env;
    const size_t arguments = (size_t)(strchr(called->signature, ':') - called->signature);
    rmi_instance *instance = wasmtime_context_get_data(wasmtime_caller_context(caller));
    rmi_slot slots[MAX_SLOTS], result = {.u64 = 0};
    (void)count;
    for (size_t i = 0; i < arguments; i++)
        slots[i].i64 = values[i].i64;
    (void)find_memory(instance, caller);
    if (called->call(instance->config.context, memory_of(instance), slots, &result) != 0) {
        instance->end = RMI_END_IMPORT;
        return wasmtime_trap_new("ended", 5);
    }
    values[0].i64 = result.i64;
    return NULL;
}

static int define_imports(const rmi_import *about, wasmtime_linker_t *linker, rm_error *err)
{
    for (; about->name != NULL; about++) {
        wasm_functype_t *type = type_of(about->signature);
        wasmtime_error_t *error = wasmtime_linker_define_func_unchecked(
            linker, about->module, strlen(about->module), about->name, strlen(about->name), type, call_import,
            (void *)about, NULL);
        wasm_functype_delete(type);
        if (error != NULL)
            return failed(error, RM_E_INTERNAL, about->name, err);
    }
    return RM_OK;
}

/* ---- Modules */

static void module_free(rmi_module *module)
{
    if (module == NULL)
        return;
    const rm_allocator *allocator = module->engine->allocator;
    if (module->ready != NULL)
        wasmtime_instance_pre_delete(module->ready);
    if (module->module != NULL)
        wasmtime_module_delete(module->module);
    rmi_free(allocator, module, sizeof *module);
}

static uint64_t exported_memory(const wasmtime_module_t *module)
{
    enum { PAGE = 1 << 16 };
    wasm_exporttype_vec_t exports;
    uint64_t size = 0;
    wasmtime_module_exports(module, &exports);
    for (size_t i = 0; i < exports.size; i++) {
        const wasm_memorytype_t *memory =
            wasm_externtype_as_memorytype_const(wasm_exporttype_type(exports.data[i]));
        if (memory != NULL)
            size = wasmtime_memorytype_minimum(memory) * PAGE;
    }
    wasm_exporttype_vec_delete(&exports);
    return size;
}

static int load(rmi_engine *engine, const char *path, const rmi_import *imports, rmi_module **out,
                rm_error *err)
{
    int rc = RM_OK;
    wasmtime_linker_t *linker = NULL;
    wasmtime_error_t *error = NULL;
    *out = NULL;
    rmi_module *module = rmi_alloc(engine->allocator, sizeof *module);
    if (module == NULL)
        return out_of_memory(err);
    *module = (rmi_module){.engine = engine};
    error = wasmtime_module_deserialize_file(engine->engine, path, &module->module);
    if (error != NULL) {
        rc = failed(error, RM_E_PARSE, "the compiled module cannot be loaded", err);
        goto done;
    }
    linker = wasmtime_linker_new(engine->engine);
    rc = define_imports(imports, linker, err);
    if (rc != RM_OK)
        goto done;
    error = wasmtime_linker_instantiate_pre(linker, module->module, &module->ready);
    if (error != NULL)
        rc = failed(error, RM_E_MISSING_FEATURE, "the module needs what a sandbox does not give", err);
    module->memory_size = exported_memory(module->module);
done:
    if (linker != NULL)
        wasmtime_linker_delete(linker);
    if (rc == RM_OK)
        *out = module;
    else
        module_free(module);
    return rc;
}

/* ---- Calls */

/* Fails where the thread has too little stack left. Asks for the stack's end once a thread: for the main
 * thread libc reads the list of all mappings, which takes over a millisecond where a pool has made many. */
static int check_stack(rmi_instance *instance, rm_error *err)
{
    static _Thread_local const char *stack_end;
    const char *here = __builtin_frame_address(0); /* a variable may lie elsewhere under AddressSanitizer */
    const size_t needed = instance->module->engine->stack_size + HOST_STACK;
    if (stack_end == NULL) {
        pthread_attr_t attributes;
        void *end = NULL;
        size_t size = 0;
        if (pthread_getattr_np(pthread_self(), &attributes) != 0)
            return rm_error_set(err, RM_E_INTERNAL, "the size of this thread's stack is not known");
        (void)pthread_attr_getstack(&attributes, &end, &size);
        (void)pthread_attr_destroy(&attributes);
        stack_end = end;
    }
    if (here > stack_end && (size_t)(here - stack_end) >= needed)
        return RM_OK;
    return rm_error_set(err, RM_E_LIMIT, "a sandbox needs %zu KiB of stack; this thread has %zu KiB left",
                        needed >> 10, here > stack_end ? (size_t)(here - stack_end) >> 10 : 0);
}

static wasmtime_error_t *epoch_moved(wasmtime_context_t *context, void *data, uint64_t *delta,
                                     wasmtime_update_deadline_kind_t *kind);

/* Calls the guest's tick function. The epoch may move meanwhile. wasmtime drops the callback while it runs
 * and would end the guest, so the callback is set again. */
static wasmtime_error_t *tick(rmi_instance *instance)
{
    wasmtime_val_raw_t value = {0};
    wasmtime_func_t callee;
    wasm_trap_t *trap = NULL;
    memcpy(&callee, instance->tick.words, sizeof callee);
    wasmtime_store_epoch_deadline_callback(instance->store, epoch_moved, instance, NULL);
    wasmtime_context_set_epoch_deadline(instance->context, 1);
    instance->ticks = true;
    wasmtime_error_t *error = wasmtime_func_call_unchecked(instance->context, &callee, &value, 1, &trap);
    instance->ticks = false;
    wasmtime_trap_code_t code = 0;
    if (trap == NULL)
        return error;
    if (wasmtime_trap_code(trap, &code) && code == WASMTIME_TRAP_CODE_OUT_OF_FUEL)
        instance->end = RMI_END_FUEL;
    wasm_trap_delete(trap);
    return wasmtime_error_new("the tick trapped");
}

/* A wasmtime_store_epoch_deadline_callback. */
static wasmtime_error_t *epoch_moved(wasmtime_context_t *context, void *data, uint64_t *delta,
                                     wasmtime_update_deadline_kind_t *kind)
{
    rmi_instance *instance = data;
    (void)context;
    *kind = WASMTIME_UPDATE_DEADLINE_CONTINUE;
    *delta = 1;
    const rmi_wish wish =
        instance->config.asks != NULL ? instance->config.asks(instance->config.context) : RMI_GO_ON;
    if (wish == RMI_TICK && instance->has_tick && !instance->ticks)
        return tick(instance);
    if (wish != RMI_END_IT)
        return NULL;
    instance->end = RMI_END_STOPPED;
    return wasmtime_error_new("stopped");
}

static const char *trap_text(wasmtime_trap_code_t code)
{
    static const char *const texts[] = {
        [WASMTIME_TRAP_CODE_MEMORY_OUT_OF_BOUNDS] = "it reached outside its memory",
        [WASMTIME_TRAP_CODE_TABLE_OUT_OF_BOUNDS] = "it reached outside its table",
        [WASMTIME_TRAP_CODE_INDIRECT_CALL_TO_NULL] = "it called a function that is not there",
        [WASMTIME_TRAP_CODE_BAD_SIGNATURE] = "it called a function by another signature",
        [WASMTIME_TRAP_CODE_INTEGER_OVERFLOW] = "an integer overflow",
        [WASMTIME_TRAP_CODE_BAD_CONVERSION_TO_INTEGER] = "a float that no integer can hold",
        [WASMTIME_TRAP_CODE_INTEGER_DIVISION_BY_ZERO] = "an integer division by zero",
        [WASMTIME_TRAP_CODE_UNREACHABLE_CODE_REACHED] = "it gave up (unreachable)",
    };
    return code < sizeof texts / sizeof *texts && texts[code] != NULL ? texts[code] : "a trap";
}

/* Finds out what ended the call; consumes `error` and `trap`, of which at most one is set. */
static int settle(rmi_instance *instance, wasmtime_error_t *error, wasm_trap_t *trap, rmi_end *end,
                  rm_error *err)
{
    wasmtime_trap_code_t code = WASMTIME_TRAP_CODE_UNREACHABLE_CODE_REACHED;
    *end = RMI_END_NONE;
    if (error == NULL && trap == NULL)
        return RM_OK;
    const bool has_code = trap != NULL && wasmtime_trap_code(trap, &code);
    if (trap != NULL)
        wasm_trap_delete(trap);
    instance->ended = true;
    *end = instance->end != RMI_END_NONE                           ? instance->end
           : has_code && code == WASMTIME_TRAP_CODE_OUT_OF_FUEL    ? RMI_END_FUEL
           : has_code && code == WASMTIME_TRAP_CODE_STACK_OVERFLOW ? RMI_END_STACK
                                                                   : RMI_END_TRAP;
    if (*end == RMI_END_TRAP && error != NULL)
        return failed(error, RM_E_VALUE, "the sandbox failed", err);
    if (error != NULL)
        wasmtime_error_delete(error);
    switch (*end) {
    case RMI_END_IMPORT:
    case RMI_END_STOPPED:
        return rm_error_set(err, RM_E_CANCELLED, "the sandbox was stopped");
    case RMI_END_FUEL:
        return rm_error_set(err, RM_E_LIMIT, "the sandbox has used up its fuel");
    case RMI_END_STACK:
        return rm_error_set(err, RM_E_LIMIT, "the sandbox has used up its stack of %zu KiB",
                            instance->module->engine->stack_size >> 10);
    default:
        return rm_error_set(err, RM_E_VALUE, "the code in the sandbox trapped: %s", trap_text(code));
    }
}

static int call(rmi_instance *instance, const rmi_function *function, rmi_slot *slots, rmi_end *end,
                rm_error *err)
{
    wasmtime_val_raw_t values[MAX_SLOTS];
    wasmtime_func_t callee;
    wasm_trap_t *trap = NULL;
    *end = RMI_END_NONE;
    if (instance->ended)
        return rm_error_set(err, RM_E_USAGE, "the sandbox has ended already");
    const int rc = check_stack(instance, err);
    if (rc != RM_OK)
        return rc;
    memcpy(&callee, function->words, sizeof callee);
    for (uint32_t i = 0; i < function->arguments; i++)
        values[i].i64 = slots[i].i64;
    const size_t room = function->arguments > 0 ? function->arguments : 1;
    wasmtime_error_t *error = wasmtime_func_call_unchecked(instance->context, &callee, values, room, &trap);
    slots[0].i64 = function->result != 0 ? values[0].i64 : 0;
    return settle(instance, error, trap, end, err);
}

/* ---- Instances */

static void instance_free(rmi_instance *instance)
{
    if (instance == NULL)
        return;
    if (instance->store != NULL)
        wasmtime_store_delete(instance->store);
    rmi_free(instance->module->engine->allocator, instance, sizeof *instance);
}

static int prepare_store(rmi_instance *instance, rm_error *err)
{
    const rmi_instance_config *config = &instance->config;
    rmi_engine *engine = instance->module->engine;
    instance->store = wasmtime_store_new(engine->engine, instance, NULL);
    if (instance->store == NULL)
        return out_of_memory(err);
    instance->context = wasmtime_store_context(instance->store);
    const int64_t memory =
        config->memory_size > 0 && config->memory_size < INT64_MAX ? (int64_t)config->memory_size : -1;
    wasmtime_store_limiter(instance->store, memory, MAX_TABLE, 1, 8, 1);
    wasmtime_context_set_epoch_deadline(instance->context, 1);
    wasmtime_store_epoch_deadline_callback(instance->store, epoch_moved, instance, NULL);
    wasmtime_error_t *error =
        engine->fuel ? wasmtime_context_set_fuel(instance->context, config->fuel) : NULL;
    return error == NULL ? RM_OK : failed(error, RM_E_INTERNAL, "fuel", err);
}

static int instantiate(rmi_module *module, const rmi_instance_config *config, rmi_instance **out,
                       rmi_end *end, rm_error *err)
{
    wasm_trap_t *trap = NULL;
    *end = RMI_END_NONE;
    *out = NULL;
    if (config->memory_size > 0 && config->memory_size < module->memory_size)
        return rm_error_set(err, RM_E_LIMIT,
                            "the limit of %llu bytes of memory is less than the sandbox starts with",
                            (unsigned long long)config->memory_size);
    rmi_instance *instance = rmi_alloc(module->engine->allocator, sizeof *instance);
    if (instance == NULL)
        return out_of_memory(err);
    *instance = (rmi_instance){.module = module, .config = *config};
    int rc = prepare_store(instance, err);
    if (rc == RM_OK)
        rc = check_stack(instance, err); /* a module may have a start function */
    if (rc == RM_OK) {
        wasmtime_error_t *error =
            wasmtime_instance_pre_instantiate(module->ready, instance->context, &instance->instance, &trap);
        rc = error != NULL && instance->end == RMI_END_NONE
                 ? failed(error, RM_E_LIMIT, "a sandbox cannot be made", err)
                 : settle(instance, error, trap, end, err);
    }
    if (rc == RM_OK) {
        (void)find_memory(instance, NULL);
        *out = instance;
    } else {
        instance_free(instance);
    }
    return rc;
}

static bool is_of(const wasm_functype_t *type, const char *signature)
{
    const wasm_valtype_vec_t *arguments = wasm_functype_params(type), *results = wasm_functype_results(type);
    const char *colon = strchr(signature, ':');
    const size_t count = (size_t)(colon - signature);
    bool same = arguments->size == count && results->size == (colon[1] != '\0');
    for (size_t i = 0; same && i < count; i++)
        same = wasm_valtype_kind(arguments->data[i]) == kind_of(signature[i]);
    return same && (results->size == 0 || wasm_valtype_kind(results->data[0]) == kind_of(colon[1]));
}

static int find(rmi_instance *instance, const char *name, const char *signature, rmi_function *out,
                rm_error *err)
{
    wasmtime_extern_t found;
    *out = (rmi_function){0};
    if (!wasmtime_instance_export_get(instance->context, &instance->instance, name, strlen(name), &found))
        return rm_error_set(err, RM_E_NOT_FOUND, "the module exports no '%s'", name);
    int rc = RM_OK;
    wasm_functype_t *type =
        found.kind == WASMTIME_EXTERN_FUNC ? wasmtime_func_type(instance->context, &found.of.func) : NULL;
    if (type == NULL || !is_of(type, signature)) {
        rc = rm_error_set(err, RM_E_TYPE, "the module's export '%s' is not the function it should be", name);
    } else {
        static_assert(sizeof found.of.func <= sizeof out->words, "room for wasmtime's handle");
        memcpy(out->words, &found.of.func, sizeof found.of.func);
        out->arguments = (uint32_t)(strchr(signature, ':') - signature);
        out->result = strchr(signature, ':')[1];
    }
    if (type != NULL)
        wasm_functype_delete(type);
    wasmtime_extern_delete(&found);
    return rc;
}

static void set_tick(rmi_instance *instance, const rmi_function *function)
{
    instance->tick = *function;
    instance->has_tick = true;
}

static uint64_t fuel_left(rmi_instance *instance)
{
    uint64_t left = 0;
    wasmtime_error_t *error = wasmtime_context_get_fuel(instance->context, &left);
    if (error != NULL)
        wasmtime_error_delete(error);
    return left;
}

/* ---- */

static const rmi_engine_api api = {
    .interface = RMI_ENGINE_INTERFACE,
    .name = "wasmtime " WASMTIME_VERSION,
    .engine_new = engine_new,
    .engine_free = engine_free,
    .engine_key = engine_key,
    .compile = compile,
    .code_free = code_free,
    .load = load,
    .module_free = module_free,
    .instantiate = instantiate,
    .instance_free = instance_free,
    .find = find,
    .call = call,
    .set_tick = set_tick,
    .memory = memory_of,
    .fuel_left = fuel_left,
    .interrupt = interrupt,
};

RM_API rmi_engine_entry rmi_engine_entry_v1;

const rmi_engine_api *rmi_engine_entry_v1(void)
{
    return &api;
}
