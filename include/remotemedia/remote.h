/* RemoteMedia: nodes on other servers. Included by remotemedia.h. Natively only, in builds with RM_GRPC_TRANSPORT; docs/remote.md
 * says what it does. */
#ifndef REMOTEMEDIA_REMOTE_H
#define REMOTEMEDIA_REMOTE_H

#include "remotemedia/remotemedia.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rm_remote_config {
    uint32_t size;       /* sizeof(rm_remote_config) */
    const char *library; /* libremotemedia_grpc.so; NULL: searched beside the program */
    const char *token;   /* for servers that a node's "host" names; NULL: none */
    const char *
        authorities; /* PEM: TLS for those servers, whose certificates these sign; "": the system's; NULL: no TLS */
} rm_remote_config;

/* Lets `runtime` run nodes on other servers: those with a "host" or the placement "remote", and the node type
 * RemotePipelineNode. Nothing is loaded before a run has such a node. `config` (copied) may be NULL.
 * RM_E_MISSING_FEATURE in other builds. */
RM_API RM_MUST_CHECK int rm_remote_attach(rm_runtime *runtime, const rm_remote_config *config, rm_error *err);

#ifdef __cplusplus
}
#endif
#endif
