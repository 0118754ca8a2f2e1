/* Python nodes, in builds that have them; CMake chooses python_on.c or python_off.c. */
#ifndef CLI_PYTHON_H
#define CLI_PYTHON_H

#include "cli/program.h"

/* Lets `runtime` find Python nodes. Without Python: RM_OK, since manifests that need it are refused by name,
 * or RM_E_MISSING_FEATURE where the configuration requests something. */
RM_MUST_CHECK int rmi_program_python(rm_runtime *runtime, const rm_python_config *config, rm_error *err);
/* rm_python_finish; RM_OK without Python. */
RM_MUST_CHECK int rmi_program_python_finish(rm_error *err);
/* Replaces the program by the bundled python3.13, which gets the program's standard input and output. Room for
 * the interpreter's name is at arguments[0]. Returns only where that fails, with the reason in *err. */
RM_MUST_CHECK int rmi_program_become_python(const rmi_program *program, const char **arguments,
                                            rm_error *err);

#endif
