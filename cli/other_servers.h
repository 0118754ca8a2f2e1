/* Nodes on other servers, in builds that have them; CMake chooses remote_on.c or remote_off.c. */
#ifndef CLI_OTHER_SERVERS_H
#define CLI_OTHER_SERVERS_H

#include "cli/setup.h"

/* Lets `runtime` run nodes on other servers, with the token and the authorities that the options name. Without RM_GRPC_TRANSPORT:
 * RM_OK, since manifests that need it are refused by name; an error where an option was given. */
RM_MUST_CHECK int rmi_program_remote(const rmi_setup *setup, rm_runtime *runtime, rm_error *err);

#endif
