#include "cli/report.h"

rmi_exit rmi_command_serve(rmi_program *program, int argc, char **argv)
{
    rm_error err = {0};
    (void)argc, (void)argv;
    (void)rm_error_set(&err, RM_E_MISSING_FEATURE, "`serve` needs RM_SERVE, which this build does not have");
    const rmi_exit code = rmi_report_failure(program, &err, RMI_EXIT_USAGE);
    rm_error_clear(&err);
    return code;
}
