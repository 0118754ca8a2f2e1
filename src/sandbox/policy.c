#include "sandbox/policy.h"

#include "base/alloc.h"

int rmi_policy_wasi(const rm_sandbox_policy *policy, rmi_wasi_config *config, rmi_wasi **out, rm_error *err)
{
    size_t size = 0;
    if (!rmi_multiply(policy->grant_count + 1, sizeof(rmi_grant), &size))
        return rmi_out_of_memory(err);
    rmi_grant *grants = rmi_alloc_zeroed(config->allocator, size);
    if (grants == NULL)
        return rmi_out_of_memory(err);
    for (size_t i = 0; i < policy->grant_count; i++) {
        const rm_sandbox_grant *from = &policy->grants[i];
        grants[i] = (rmi_grant){.host = from->path,
                                .guest = from->guest != NULL ? from->guest : from->path,
                                .rights = RMI_GRANT_READ | (from->write ? RMI_GRANT_WRITE : 0u),
                                .is_file = from->is_file};
    }
    config->env = policy->environment;
    config->grants = grants;
    config->grant_count = policy->grant_count;
    const int rc = rmi_wasi_new(config, out, err);
    rmi_free(config->allocator, grants, size);
    return rc;
}
