/* Nodes on other servers, in builds that have them; CMake chooses remote_on.c or remote_off.c. */
#ifndef CLI_OTHER_SERVERS_H
#define CLI_OTHER_SERVERS_H

#include "remotemedia/remotemedia.h"

/* Lets `runtime` run nodes on other servers. Without RM_GRPC_TRANSPORT: RM_OK, since manifests that need it are refused by
 * name. */
RM_MUST_CHECK int rmi_program_remote(rm_runtime *runtime, rm_error *err);

#endif
