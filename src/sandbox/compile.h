/* Compiling: a process of its own does it, since the engine's compiler cannot be interrupted, and a module may be made to
 * keep it busy for hours. */
#ifndef SANDBOX_COMPILE_H
#define SANDBOX_COMPILE_H

#include "sandbox/shared_engine.h"

/* Compiles the module in the file `wasm` into the empty file `code`, both open and seekable. `name` is for errors. RM_E_PARSE for what is no
 * module, RM_E_LIMIT when it takes longer than the sandbox allows, RM_E_CANCELLED when patience is lost; the compiler is
 * gone then. */
RM_MUST_CHECK int rmi_compile(const rm_sandbox *sandbox, const rmi_engine_config *config,
                              const char *engine_key, const char *name, int wasm, int code,
                              const rmi_patience *patience, rm_error *err);

#endif
