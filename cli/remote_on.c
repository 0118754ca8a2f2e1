#include "cli/other_servers.h"

int rmi_program_remote(rm_runtime *runtime, rm_error *err)
{
    return rm_remote_attach(runtime, NULL, err);
}
