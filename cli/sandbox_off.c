#include "cli/report.h"
#include "cli/sandboxed_run.h"

int rmi_program_sandbox(rmi_setup *setup, rm_runtime *runtime, rm_error *err)
{
    (void)setup, (void)runtime, (void)err;
    return RM_OK;
}

void rmi_program_sandbox_free(rmi_setup *setup)
{
    (void)setup;
}

rmi_exit rmi_run_sandboxed(rmi_program *program, rmi_run_options *options, int argc, char **argv)
{
    rm_error err = {0};
    (void)options, (void)argc, (void)argv;
    (void)rm_error_set(&err, RM_E_MISSING_FEATURE,
                       "--sandbox needs RM_WASMTIME_RUNTIME, which this build does not have");
    const rmi_exit code = rmi_report_failure(program, &err, RMI_EXIT_MANIFEST);
    rm_error_clear(&err);
    return code;
}
