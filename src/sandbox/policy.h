/* What an embedder lets guests do, in the terms of WASI and the engine. */
#ifndef SANDBOX_POLICY_H
#define SANDBOX_POLICY_H

#include "sandbox/shared_engine.h"

/* Opens WASI with the policy's grants and environment; all else is in `config`. */
int rmi_policy_wasi(const rm_sandbox_policy *policy, rmi_wasi_config *config, rmi_wasi **out, rm_error *err);

#endif
