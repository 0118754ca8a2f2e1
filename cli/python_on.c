#include "cli/python.h"

int rmi_program_python(rm_runtime *runtime, const rm_python_config *config, rm_error *err)
{
    return rm_python_attach(runtime, config, err);
}

int rmi_program_python_finish(rm_error *err)
{
    return rm_python_finish(err);
}
