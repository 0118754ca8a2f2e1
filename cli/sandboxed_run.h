/* Sandboxes, in builds that have them; CMake chooses sandbox_on.c or sandbox_off.c. */
#ifndef CLI_SANDBOXED_RUN_H
#define CLI_SANDBOXED_RUN_H

#include "cli/run.h"

/* Lets `runtime` run nodes in sandboxes, as the options say. Without sandboxes: RM_OK, since manifests that need one are
 * refused by name. */
RM_MUST_CHECK int rmi_program_sandbox(rmi_setup *setup, rm_runtime *runtime, rm_error *err);
/* Call it after the runtime is freed. */
void rmi_program_sandbox_free(rmi_setup *setup);
/* `run --sandbox`: the whole command, with these words, in a sandbox. */
rmi_exit rmi_run_sandboxed(rmi_program *program, rmi_run_options *options, int argc, char **argv);

#endif
