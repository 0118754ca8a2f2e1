#include "cli/other_servers.h"

int rmi_program_remote(const rmi_setup *setup, rm_runtime *runtime, rm_error *err)
{
    (void)runtime;
    if (setup->remote_token_file == NULL && setup->remote_ca == NULL)
        return RM_OK;
    return rm_error_set(
        err, RM_E_MISSING_FEATURE,
        "--remote-token-file and --remote-ca need RM_GRPC_TRANSPORT, which this build does not have");
}
