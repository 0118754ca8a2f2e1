/* Looking into a run and changing it between two steps: packets at ports, and nodes that are left out. */
#ifndef EXEC_PROBE_H
#define EXEC_PROBE_H

#include "remotemedia/remotemedia.h"

/* What a node does with its input: bypassed nodes pass it on to their first output, disabled ones drop it. */
typedef enum rmi_node_state { RMI_NODE_ENABLED, RMI_NODE_BYPASSED, RMI_NODE_DISABLED } rmi_node_state;

/* A port of a node, by its number in its direction. */
typedef struct rmi_port_place {
    uint32_t node; /* by its place in the manifest */
    bool in;
    bool any; /* all ports of that direction; `port` is then 0 */
    uint32_t port;
} rmi_port_place;

typedef struct rmi_probe {
    /* A packet is about to be given to the node, or has been emitted. May change its value (owned) and metadata. false: it
     * is dropped, which is the caller's. Called inside rm_run_step and rmi_pipeline_publish. */
    bool (*packet)(void *context, rmi_port_place place, rm_packet *packet);
    void *context;
} rmi_probe;

/* All of these are called where rm_run_step is, but not inside it. */

/* `probe` is borrowed; NULL: none. */
void rmi_pipeline_set_probe(rm_pipeline *pipeline, const rmi_probe *probe);
/* Whether the probe sees the packets of a node. Others cost nothing. */
void rmi_pipeline_probe_node(rm_pipeline *pipeline, uint32_t node, bool probed);
/* RM_E_UNKNOWN_NODE, or RM_E_VALUE for a port that there is not; `port` "" is any. */
RM_MUST_CHECK int rmi_pipeline_find_port(const rm_pipeline *pipeline, const char *node, const char *port,
                                         bool in, rmi_port_place *out, rm_error *err);
/* Borrowed. */
const char *rmi_pipeline_node_id(const rm_pipeline *pipeline, uint32_t node);
const char *rmi_pipeline_port_name(const rm_pipeline *pipeline, rmi_port_place place);
uint32_t rmi_pipeline_node_count(const rm_pipeline *pipeline);
/* RM_E_UNKNOWN_NODE; RM_E_VALUE for a node that cannot be left out: one that generates or reads its own stream. */
RM_MUST_CHECK int rmi_pipeline_set_state(rm_pipeline *pipeline, const char *node, rmi_node_state state,
                                         rm_error *err);
/* Puts a packet in at a port: as the next input of the node, or as if the node had emitted it. RM_OK consumes its content;
 * RM_AGAIN: there is no room yet; RM_E_USAGE: nothing may come there any more. */
RM_MUST_CHECK int rmi_pipeline_publish(rm_pipeline *pipeline, rmi_port_place place, rm_packet *packet,
                                       rm_error *err);

#endif
