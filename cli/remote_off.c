#include "cli/other_servers.h"

int rmi_program_remote(rm_runtime *runtime, rm_error *err)
{
    (void)runtime, (void)err;
    return RM_OK;
}
