/* A WebAssembly engine, as the runtime sees one: load a module, instantiate it with limits and imports, call
 * it, stop it. The one implementation is wasmtime.c. It is a shared object of its own, loaded at its first
 * use: a program without sandboxes does not pay for it.
 *
 * Threads: engine and modules may be used from any thread at once; an instance by one thread at a time. Calls
 * run on the caller's stack. */
#ifndef SANDBOX_ENGINE_H
#define SANDBOX_ENGINE_H

#include "remotemedia/remotemedia.h"

/* An argument or a result of a function. */
typedef union rmi_slot {
    int32_t i32;
    uint32_t u32;
    int64_t i64;
    uint64_t u64;
    float f32;
    double f64;
} rmi_slot;

/* The memory of an instance. Borrowed until code of the guest runs again: the memory may then grow and
 * move. */
typedef struct rmi_guest_memory {
    uint8_t *data;
    size_t size;
} rmi_guest_memory;

/* Returns `length` bytes at a guest's address; NULL where any of them lies outside its memory. Every address
 * that a guest gives is checked here. */
static inline void *rmi_guest_range(rmi_guest_memory memory, uint32_t address, uint64_t length)
{
    return address <= memory.size && length <= memory.size - address ? memory.data + address : NULL;
}

/* A function that the guest imports. `args` and `result` are as the signature says. Returns 0; another value
 * ends the guest's call with RM_E_CANCELLED, and only the context knows why. `memory` has size 0 where the
 * guest exports none. Must not call into the instance. */
typedef int rmi_import_function(void *context, rmi_guest_memory memory, const rmi_slot *args,
                                rmi_slot *result);

typedef struct rmi_import {
    const char *module, *name;
    const char
        *signature; /* a letter of "iIfF" (i32, i64, f32, f64) an argument, ':', the result's or nothing */
    rmi_import_function *call;
} rmi_import;

typedef struct rmi_engine rmi_engine;
typedef struct rmi_module rmi_module;
typedef struct rmi_instance rmi_instance;

typedef struct rmi_engine_config {
    const rm_allocator *allocator; /* for the engine's own small structs; NULL: the C library's */
    bool fuel;                     /* counts instructions: a limit on them is exact */
    size_t stack_size; /* bytes of stack that a guest's calls may use; the calling thread has twice as much */
    uint32_t pool;     /* instances that share a pool; 0: no pool, each instance reserves its own memory */
} rmi_engine_config;

/* What an interrupted guest shall do. */
typedef enum rmi_wish {
    RMI_GO_ON,
    RMI_TICK,   /* the engine calls its tick function, where it has one; it goes on */
    RMI_END_IT, /* its call ends with RM_E_CANCELLED */
} rmi_wish;

typedef struct rmi_instance_config {
    void *context;        /* the imports' first argument */
    uint64_t memory_size; /* bytes that its memory may grow to; 0: all that 32 bits reach */
    uint64_t fuel;        /* instructions it may execute, with an engine that counts them */
    /* The thread that runs the guest calls it after rmi_engine_api.interrupt. May be NULL. */
    rmi_wish (*asks)(void *context);
} rmi_instance_config;

/* Why a call failed, beside the code. */
typedef enum rmi_end {
    RMI_END_NONE,
    RMI_END_IMPORT,  /* an import ended it (RM_E_CANCELLED) */
    RMI_END_STOPPED, /* `asks` said so (RM_E_CANCELLED) */
    RMI_END_FUEL,    /* its fuel is used up (RM_E_LIMIT) */
    RMI_END_STACK,   /* its stack was not large enough (RM_E_LIMIT) */
    RMI_END_TRAP,    /* unreachable, a wild address, a division by zero, ... (RM_E_VALUE) */
} rmi_end;

/* An export that can be called; part of the instance. */
typedef struct rmi_function {
    uint64_t words[4];
    uint32_t arguments;
    char result; /* as in a signature; 0: none */
} rmi_function;

enum { RMI_ENGINE_INTERFACE = 1 };

typedef struct rmi_engine_api {
    uint32_t interface; /* RMI_ENGINE_INTERFACE */
    const char *name;   /* with its version */

    int (*engine_new)(const rmi_engine_config *config, rmi_engine **out, rm_error *err);
    void (*engine_free)(rmi_engine *engine); /* after all modules; NULL is fine */
    /* All that compiled code depends on beside the module: version, processor, settings. Borrowed. */
    const char *(*engine_key)(const rmi_engine *engine);

    /* Compiles a module to code for `load`. The caller frees *code with code_free. RM_E_PARSE: `wasm` is no
     * module. */
    int (*compile)(rmi_engine *engine, const uint8_t *wasm, size_t size, uint8_t **code, size_t *length,
                   rm_error *err);
    void (*code_free)(uint8_t *code, size_t length);
    /* Loads code that `compile` made for this engine_key. The file is mapped: it must not change, and nobody
     * else may have written it. Guests may call only `imports` (borrowed as long as the module lives; ends
     * with {0}). RM_E_MISSING_FEATURE names an import that is not there. */
    int (*load)(rmi_engine *engine, const char *path, const rmi_import *imports, rmi_module **out,
                rm_error *err);
    void (*module_free)(rmi_module *module);
    /* Makes an instance and runs the module's start function, where it has one: *end as for `call`.
     * RM_E_LIMIT also where memory_size is less than the memory that the module exports has at the start. */
    int (*instantiate)(rmi_module *module, const rmi_instance_config *config, rmi_instance **out,
                       rmi_end *end, rm_error *err);
    void (*instance_free)(rmi_instance *instance);
    /* RM_E_NOT_FOUND: there is no such function. RM_E_TYPE: it has another signature. */
    int (*find)(rmi_instance *instance, const char *name, const char *signature, rmi_function *out,
                rm_error *err);
    /* `slots` has the arguments, and then the result in slots[0] (room for at least one). After a failure,
     * for which *end gives the reason, the instance must not be called again. */
    int (*call)(rmi_instance *instance, const rmi_function *function, rmi_slot *slots, rmi_end *end,
                rm_error *err);
    /* Sets the function, of signature ":", that RMI_TICK calls in the middle of other code of the guest. */
    void (*set_tick)(rmi_instance *instance, const rmi_function *function);
    rmi_guest_memory (*memory)(rmi_instance *instance);
    /* The fuel that is left; 0 with an engine that does not count. */
    uint64_t (*fuel_left)(rmi_instance *instance);
    /* Makes every running instance call `asks`. Any thread; safe in a signal handler. */
    void (*interrupt)(rmi_engine *engine);
} rmi_engine_api;

/* Where the program that compiles (compiler.c) finds the file for its code. */
enum { RMI_COMPILER_CODE = 3 };

/* The function that the shared object exports, and its name. */
typedef const rmi_engine_api *rmi_engine_entry(void);
#define RMI_ENGINE_ENTRY "rmi_engine_entry_v1"

#endif
