/* Python nodes, in builds that have them; CMake chooses python_on.c or python_off.c. */
#ifndef CLI_PYTHON_H
#define CLI_PYTHON_H

#include "remotemedia/remotemedia.h"

/* Lets `runtime` find Python nodes. Without Python: RM_OK, since manifests that need it are refused by name,
 * or RM_E_MISSING_FEATURE where the configuration requests something. */
RM_MUST_CHECK int rmi_program_python(rm_runtime *runtime, const rm_python_config *config, rm_error *err);
/* rm_python_finish; RM_OK without Python. */
RM_MUST_CHECK int rmi_program_python_finish(rm_error *err);

#endif
