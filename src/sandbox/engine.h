/* A WebAssembly engine, as the runtime sees one: load a module, instantiate it with limits and imports, call it, stop
 * it. The one implementation is wasmtime.c, in a shared object of its own that is loaded when it is first needed, so that
 * a program which sandboxes nothing does not pay for it.
 *
 * Threads: engine and modules may be used from any thread at once; an instance by one thread at a time. Calls run on
 * the caller's stack. */
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

/* The memory of an instance. Borrowed, until code of the guest runs again: it may grow and move then. */
typedef struct rmi_guest_memory {
    uint8_t *data;
    size_t size;
} rmi_guest_memory;

/* `length` bytes at a guest's address, or NULL where any of them lies outside its memory. Every address that comes from a
 * guest goes through here. */
static inline void *rmi_guest_range(rmi_guest_memory memory, uint32_t address, uint64_t length)
{
    return address <= memory.size && length <= memory.size - address ? memory.data + address : NULL;
}

/* A function that the guest imports. `args` and `result` are as the signature says. 0, or not 0 to end the guest's call:
 * it then fails with RM_E_CANCELLED and leaves it to the context to know why. `memory` is of size 0 where the guest exports
 * none. Must not call into the instance. */
typedef int rmi_import_function(void *context, rmi_guest_memory memory, const rmi_slot *args,
                                rmi_slot *result);

typedef struct rmi_import {
    const char *module, *name;
    const char
        *signature; /* of "iIfF" (i32, i64, f32, f64) an argument, then ':' and the result's, or nothing */
    rmi_import_function *call;
} rmi_import;

typedef struct rmi_engine rmi_engine;
typedef struct rmi_module rmi_module;
typedef struct rmi_instance rmi_instance;

typedef struct rmi_engine_config {
    const rm_allocator *allocator; /* of the engine's own small structs; NULL: the C library's */
    bool fuel;                     /* instructions are counted, so that a limit on them is exact */
    size_t stack_size; /* bytes of stack that a guest's calls may use; callers have twice as much */
    uint32_t pool;     /* instances that share a pool; 0: none, each has its memory reserved singly */
} rmi_engine_config;

/* What is to become of a guest that is interrupted. */
typedef enum rmi_wish {
    RMI_GO_ON,
    RMI_TICK,   /* its tick function is called, where it has one, and it goes on */
    RMI_END_IT, /* its call ends with RM_E_CANCELLED */
} rmi_wish;

typedef struct rmi_instance_config {
    void *context;        /* that imports are called with */
    uint64_t memory_size; /* bytes its memory may grow to; 0: all that 32 bits reach */
    uint64_t fuel;        /* instructions it may execute, with an engine that counts them */
    /* Asked when rmi_engine_api.interrupt was called, on the thread that runs the guest. May be NULL. */
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
    /* All that compiled code depends on but the module: version, processor, settings. Borrowed. */
    const char *(*engine_key)(const rmi_engine *engine);

    /* Compiles a module to code that `load` takes; *code is owned: code_free. RM_E_PARSE for what is no module. */
    int (*compile)(rmi_engine *engine, const uint8_t *wasm, size_t size, uint8_t **code, size_t *length,
                   rm_error *err);
    void (*code_free)(uint8_t *code, size_t length);
    /* Loads code that `compile` made for this engine_key. The file is mapped: it must not change, and must come from
     * nobody else. `imports` (borrowed, as long as the module; ends with {0}) is all that its guests may call; RM_E_MISSING_FEATURE names
     * what else it needs. */
    int (*load)(rmi_engine *engine, const char *path, const rmi_import *imports, rmi_module **out,
                rm_error *err);
    void (*module_free)(rmi_module *module);
    /* Runs the module's start function, where it has one: *end as for `call`. RM_E_LIMIT also where memory_size is less than the
     * memory that the module exports has at the start. */
    int (*instantiate)(rmi_module *module, const rmi_instance_config *config, rmi_instance **out,
                       rmi_end *end, rm_error *err);
    void (*instance_free)(rmi_instance *instance);
    /* RM_E_NOT_FOUND when there is no such function, RM_E_TYPE when its signature is another. */
    int (*find)(rmi_instance *instance, const char *name, const char *signature, rmi_function *out,
                rm_error *err);
    /* `slots` are the arguments, and the result in slots[0] (room for at least one). On failure *end tells why; the instance must
     * not be called again. */
    int (*call)(rmi_instance *instance, const rmi_function *function, rmi_slot *slots, rmi_end *end,
                rm_error *err);
    /* The function, of signature ":", that RMI_TICK calls in the middle of whatever the guest is doing. */
    void (*set_tick)(rmi_instance *instance, const rmi_function *function);
    rmi_guest_memory (*memory)(rmi_instance *instance);
    /* What is left; 0 without an engine that counts. */
    uint64_t (*fuel_left)(rmi_instance *instance);
    /* Has every instance that runs ask what to do. Any thread; safe in a signal handler. */
    void (*interrupt)(rmi_engine *engine);
} rmi_engine_api;

/* Where the program that compiles (compiler.c) finds the file for its code. */
enum { RMI_COMPILER_CODE = 3 };

/* What the shared object exports, and the name of that function. */
typedef const rmi_engine_api *rmi_engine_entry(void);
#define RMI_ENGINE_ENTRY "rmi_engine_entry_v1"

#endif
