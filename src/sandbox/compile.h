/* Compiles modules in a process of its own: nothing can interrupt the engine's compiler, and a malicious
 * module can keep it busy for hours. */
#ifndef SANDBOX_COMPILE_H
#define SANDBOX_COMPILE_H

#include "sandbox/shared_engine.h"

/* Compiles the module in the file `wasm` into the empty file `code`, both open and seekable. `name` is for
 * errors. RM_E_PARSE: the file is no module. RM_E_LIMIT: compiling took longer than the sandbox allows.
 * RM_E_CANCELLED: the caller's patience was lost. The compiler has ended in every case. */
RM_MUST_CHECK int rmi_compile_module(const rm_sandbox *sandbox, const rmi_engine_config *config,
                                     const char *engine_key, const char *name, int wasm, int code,
                                     const rmi_patience *patience, rm_error *err);

#endif
