#include "cli/remote.h"

int rmi_program_remote(rm_runtime *runtime, rm_error *err)
{
    return rm_remote_attach(runtime, NULL, err);
}
