/* The functions that a node calls, as its host implements them: a pipeline (pipeline_host.c), or the caller
 * of a standalone node. node_api.c calls this table; remotemedia/node.h has the contract of each function. */
#ifndef EXEC_NODE_HOST_H
#define EXEC_NODE_HOST_H

#include "remotemedia/node.h"

typedef struct rmi_node_host {
    /* Consumes the packets, also on failure. */
    int (*emit)(rm_node *node, unsigned port, rm_packet *packets, size_t n);
    uint64_t (*suspend)(rm_node *node);
    void (*resume)(rm_node *node, uint64_t token);
    /* `err` is not NULL, and is emptied. */
    int (*finish)(rm_node *node, uint64_t token, int code, rm_error *err);
    int (*pull)(rm_node *node, bool wait, rm_packet *packet, rm_error *err);
    bool (*can_wait)(const rm_node *node);
    size_t (*room)(const rm_node *node);
    void (*log)(rm_node *node, rm_log_level level, const char *text);
    int (*standard_input)(rm_node *node, int *descriptor, rm_error *err);
    int (*standard_output)(rm_node *node, int *descriptor, rm_error *err);
    int (*wait)(rm_node *node, int descriptor, bool writing, int64_t until, rm_error *err);
} rmi_node_host;

#endif
