/* What a node that runs elsewhere was told, and the pipeline that runs there. */
#ifndef TRANSPORT_REMOTE_PLAN_H
#define TRANSPORT_REMOTE_PLAN_H

#include "graph/graph.h"
#include "remotemedia/node.h"

enum { RMI_MOST_HOPS = 8, RMI_IN_FLIGHT = 16 };

/* A pipeline with one input and what comes out of it. A node more acknowledges items: it is a source, which gets a packet at the
 * beginning and one with each item, and the first output node. Results come in the order of packets, and then of output nodes. So
 * what it gives for a packet shows that the results of the item before have come, and that the item has not failed. */
typedef struct rmi_remote_work {
    rm_value manifest;             /* owned; with the acknowledging node */
    const char **sources;          /* owned array, its texts are the manifest's; ends with NULL */
    const char **sinks;            /* likewise; the first one acknowledges */
    size_t source_count, capacity; /* capacity: of both arrays */
    char *acknowledging;           /* owned */
} rmi_remote_work;

/* Takes a manifest (consumed) apart. RM_E_UNSUPPORTED for a field that the protocol cannot carry; pointers are relative to
 * the manifest. rmi_remote_work_free also after a failure. */
RM_MUST_CHECK int rmi_remote_work_make(const rm_allocator *allocator, rm_value manifest,
                                       rmi_remote_work *work, rm_error *err);
void rmi_remote_work_free(const rm_allocator *allocator, rmi_remote_work *work);
/* The same of a single node as the graph has it, for another server (`there`) or for this one. */
RM_MUST_CHECK int rmi_remote_work_of_node(const rmi_graph *graph, uint32_t node, bool there,
                                          rmi_remote_work *work, rm_error *err);
/* The node that runs when no server answers; the number of nodes: there is none. */
uint32_t rmi_remote_fallback_of(const rmi_graph *graph, uint32_t node);

typedef enum rmi_balancing { RMI_FAILOVER, RMI_ROUND_ROBIN, RMI_LEAST_LOADED } rmi_balancing;
extern const char *const rmi_balancings[];

typedef struct rmi_remote_plan {
    const char **endpoints; /* owned array; its texts live as long as the parameters; ends with NULL */
    size_t endpoint_count;
    rmi_balancing balancing;
    int64_t retries, backoff_ms; /* without an answer in between; 0: none */
    int64_t breaker_failures, breaker_reset_ms;
    int64_t timeout_ms; /* for the next answer; 0: none */
    unsigned most_hops;
    const char *token, *authorities_file; /* borrowed; NULL: none */
    bool keeps_nothing;                   /* the pipeline has nothing left when its input ends */
    rmi_remote_work there;
    rmi_remote_work here; /* for when no endpoint answers */
    bool has_here;
    const char *directory; /* for Python modules of `here`; borrowed or NULL */
} rmi_remote_plan;

/* The parameters of RemotePipelineNode. */
typedef struct rmi_remote_params {
    rm_value endpoints, manifest, retry, breaker;
    int balancing;
    int64_t timeout_ms, most_hops;
    const char *token, *authorities_file;
} rmi_remote_params;

/* A plan as it is where nothing is said; it owns nothing. */
rmi_remote_plan rmi_remote_plan_preset(void);
/* Reads parameters; a failure has a pointer "/params/...". rmi_remote_plan_free also after a failure. */
RM_MUST_CHECK int rmi_remote_plan_read(const rm_allocator *allocator, const rmi_remote_params *params,
                                       rmi_remote_plan *plan, rm_error *err);
void rmi_remote_plan_free(const rm_allocator *allocator, rmi_remote_plan *plan);
/* Whether a text is HOST:PORT. */
bool rmi_is_endpoint(const char *text);

#endif
