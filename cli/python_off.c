#include "cli/python.h"

int rmi_program_python(rm_runtime *runtime, const rm_python_config *config, rm_error *err)
{
    (void)runtime;
    if (config->paths != NULL || config->has_seed)
        return rm_error_set(err, RM_E_MISSING_FEATURE, "this build has no Python nodes (feature RM_PYTHON)");
    return RM_OK;
}

int rmi_program_python_finish(rm_error *err)
{
    (void)err;
    return RM_OK;
}

int rmi_program_become_python(const rmi_program *program, const char **arguments, rm_error *err)
{
    (void)program, (void)arguments;
    return rm_error_set(err, RM_E_MISSING_FEATURE, "this build has no Python (feature RM_PYTHON)");
}
