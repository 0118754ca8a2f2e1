/* A manifest as data: every field is checked by itself; src/graph checks what depends on other nodes or
 * types. */
#ifndef MANIFEST_MANIFEST_H
#define MANIFEST_MANIFEST_H

#include <stdatomic.h>

#include "base/arena.h"
#include "data/json/json.h"
#include "remotemedia/remotemedia.h"

typedef enum rmi_on_error { RMI_ON_ERROR_FAIL, RMI_ON_ERROR_SKIP, RMI_ON_ERROR_COLLECT } rmi_on_error;
typedef enum rmi_placement {
    RMI_PLACE_LOCAL,
    RMI_PLACE_REMOTE,
    RMI_PLACE_PREFER_LOCAL,
    RMI_PLACE_PREFER_REMOTE,
    RMI_PLACE_AUTO,
    RMI_PLACE_SANDBOX
} rmi_placement;

typedef struct rmi_manifest_override {
    const char *name;
    rm_value value; /* owned by the manifest */
    struct rmi_manifest_override *next;
} rmi_manifest_override;

/* The limits of a node in a sandbox; 0: the embedder's limit. */
typedef struct rmi_node_limits {
    int64_t memory_bytes, timeout_ms, fuel, output_bytes, log_bytes;
} rmi_node_limits;

/* One entry of "nodes"; its pointer is "/nodes/<index>". Texts live in the manifest's arena or document. */
typedef struct rmi_manifest_node {
    const char *id, *node_type, *runtime_hint; /* hint: "auto" unless given */
    yyjson_val *params;                        /* an object, or NULL */
    rmi_manifest_override *overrides; /* by rm_manifest_set_param; each replaces or adds a parameter */
    bool is_streaming, is_output_node;
    int arrays;               /* an rm_arrays less 1; -1 unless given */
    const char *host;         /* NULL unless given */
    rmi_placement placement;  /* RMI_PLACE_AUTO unless given */
    const char *fallback;     /* "execution": an id, or NULL */
    yyjson_val *capabilities; /* only its form is checked here; the machine is checked by src/graph */
    rmi_on_error on_error;
    int64_t retry_attempts, retry_backoff_ms; /* attempts after the first; 0: none */
    int64_t timeout_ms;                       /* for one item; 0: none */
    int64_t max_in_flight;                    /* 0: the type's */
    rmi_node_limits limits;
} rmi_manifest_node;

/* The requirements in "capabilities": read with rmi_fields_read and rmi_capabilities_shape. */
typedef struct rmi_capabilities {
    const char *gpu_type; /* NULL: no GPU is asked for */
    bool gpu_required;
    double gpu_memory_gb, memory_gb; /* 0: any */
    int64_t cores;                   /* 0: any */
    const char *arch;                /* NULL: any */
} rmi_capabilities;

/* A node's id in sorted order; `head` is its first bytes as a number, which decides most comparisons. */
typedef struct rmi_manifest_id {
    uint64_t head;
    const char *id;
    size_t index;
} rmi_manifest_id;

/* One entry of "connections"; its pointer is "/connections/<index>". */
typedef struct rmi_manifest_connection {
    const char *from, *from_port, *to, *to_port; /* ports: NULL where only the id is given */
    int64_t queue_packets, queue_bytes;          /* 0 unless given */
} rmi_manifest_connection;

struct rm_manifest {
    rm_runtime *runtime; /* the runtime with its node types; src/graph fills it in */
    rmi_arena arena;
    rmi_json_document *document;
    const char *name, *description; /* metadata */
    yyjson_val *features;           /* "runtime": a list of strings, or NULL */
    rmi_manifest_node *nodes;
    size_t node_count;
    rmi_manifest_connection *connections;
    size_t connection_count;
    rm_value input;             /* input_data, or null */
    const rmi_manifest_id *ids; /* sorted; NULL where there are few */
    bool is_one_node;           /* as in its options */
    unsigned hops;              /* servers that the run has come through */
    atomic_bool place_said;     /* the warning about hosts without effect has been logged */
    /* The graph that rm_manifest_validate has made, owned, until a pipeline takes it or a parameter changes; else
     * NULL. src/graph fills in both. */
    _Atomic(struct rmi_graph *) validated;
    void (*graph_free)(struct rmi_graph *graph);
    const char
        *directory; /* of the manifest's file, where modules are looked for; NULL if parsed from memory */
};

enum { RMI_MANIFEST_LARGEST = 64 << 20 }; /* bytes of text */

/* A field without effect that a manifest uses. */
typedef struct rmi_noted {
    const char *field;
    const char *node; /* the first node that has it, or NULL */
    size_t count;
} rmi_noted;

typedef struct rmi_manifest_options {
    const char *path;     /* of the file that the text is from; NULL or "-": none */
    unsigned input_flags; /* flags for reading input_data: RM_JSON_* */
    bool is_one_node;     /* made for its first node: messages name places inside that node */
    void (*noted)(void *context, const rmi_noted *noted); /* called for each such field */
    void *context;
} rmi_manifest_options;

/* Reads a manifest. Its runtime stays NULL. *out is owned: rm_manifest_free. */
RM_MUST_CHECK int rmi_manifest_parse(const rm_allocator *allocator, const char *text, size_t length,
                                     const rmi_manifest_options *options, rm_manifest **out, rm_error *err);

/* The index of a node, or SIZE_MAX. */
size_t rmi_manifest_find(const rm_manifest *manifest, const char *id);

#endif
