/* What an embedder lets guests do, in the terms of WASI and the engine. */
#ifndef SANDBOX_POLICY_H
#define SANDBOX_POLICY_H

#include "sandbox/shared_engine.h"

/* Opens WASI with the policy's grants and environment; all else is in `config`. */
RM_MUST_CHECK int rmi_policy_wasi(const rm_sandbox_policy *policy, rmi_wasi_config *config, rmi_wasi **out,
                                  rm_error *err);
/* `rc` of making an instance, where it failed for the policy's limit of memory with that in `err`. Returns rc. */
int rmi_policy_failure(const rm_sandbox_limits *limits, int rc, rm_error *err);

#endif
