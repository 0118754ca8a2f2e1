/* What a runtime has for nodes on other servers. */
#ifndef TRANSPORT_REMOTE_ATTACHED_H
#define TRANSPORT_REMOTE_ATTACHED_H

#include "transport/remote/plan.h"
#include "transport/remote/remote_api.h"

typedef struct rmi_remote_attached rmi_remote_attached;

const rm_allocator *rmi_remote_allocator(const rmi_remote_attached *attached);
rm_runtime *rmi_remote_runtime(const rmi_remote_attached *attached);
/* For servers that "host" names; NULL: none. */
const char *rmi_remote_token(const rmi_remote_attached *attached);
const char *rmi_remote_authorities(const rmi_remote_attached *attached);
/* Loads the protocol's shared object and starts its thread, at the first call. Any thread. Both are borrowed. */
RM_MUST_CHECK int rmi_remote_client_of(rmi_remote_attached *attached, const rmi_remote_api **api,
                                       rmi_remote_client **client, rm_error *err);

/* ---- hosted.c: a node that "host" or its placement puts elsewhere. For the resolver. */

/* The data of such a node's type. */
typedef struct rmi_hosted rmi_hosted;
const rmi_remote_plan *rmi_hosted_plan(const rmi_hosted *hosted);
RM_MUST_CHECK int rmi_hosted_resolve(void *context, const rm_node_query *query, const rm_node_type **type,
                                     void **data, const char **looked, rm_error *err);
void rmi_hosted_release(void *context, void *data);

/* ---- remote_node.c */

/* RemotePipelineNode; and the slots of hosted nodes. */
extern const rm_node_type rmi_remote_pipeline_node;
void rmi_hosted_set_slots(rm_node_type *type);

#endif
