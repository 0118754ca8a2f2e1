/* RemoteMedia: the interface for authors of nodes. One constant rm_node_type describes a node: validation,
 * help, documentation and the JSON Schema are read from it. docs/nodes.md walks through writing one. */
#ifndef REMOTEMEDIA_NODE_H
#define REMOTEMEDIA_NODE_H

#include "remotemedia/remotemedia.h"

#ifdef __cplusplus
extern "C" {
#endif

#define RM_NODE_ABI_VERSION 1u

/* Sets of kinds, for ports. */
enum {
    RM_KIND_NULL = 1 << RM_NULL,
    RM_KIND_BOOL = 1 << RM_BOOL,
    RM_KIND_INT = 1 << RM_INT | 1 << RM_BIGINT,
    RM_KIND_FLOAT = 1 << RM_FLOAT,
    RM_KIND_NUMBER = RM_KIND_INT | RM_KIND_FLOAT,
    RM_KIND_STRING = 1 << RM_STRING,
    RM_KIND_BYTES = 1 << RM_BYTES,
    RM_KIND_LIST = 1 << RM_LIST,
    RM_KIND_MAP = 1 << RM_MAP,
    RM_KIND_TENSOR = 1 << RM_TENSOR, /* any tensor, audio too */
    RM_KIND_AUDIO = 1 << 16,         /* a tensor with audio media, (frames, channels) */
    RM_KIND_OBJECT = 1 << RM_OBJECT, /* without it, objects reach the node as plain values */
    RM_KIND_PLAIN = (1 << RM_OBJECT) - 1,
    RM_KIND_ANY = RM_KIND_PLAIN | RM_KIND_OBJECT
};

typedef struct rm_node rm_node;

/* ---- Ports ------------------------------------------------------------------------------------------------- */

typedef enum rm_direction { RM_INPUT = 1, RM_OUTPUT } rm_direction;
/* What a tensor on a port must look like; 0 means any. */
typedef struct rm_format {
    rm_dtype dtype;
    int32_t channels, sample_rate;
} rm_format;
/* Inputs and outputs are numbered from 0, each in the order of the table. At most one input is variadic,
 * the last: each connection to it is a port of its own, numbered on from it in manifest order. */
typedef struct rm_port {
    const char *name; /* as a manifest writes it: "id.name" */
    rm_direction direction;
    uint32_t kinds; /* RM_KIND_*: no packet of another kind reaches process; documentation for outputs */
    bool optional, variadic; /* optional: may stay unconnected although the node has other connected inputs */
    rm_format format;
    const char *text;
} rm_port;

/* ---- Parameters -------------------------------------------------------------------------------------------- */

typedef enum rm_param_type {
    RM_PARAM_BOOL = 1, /* bool */
    RM_PARAM_INT64,    /* int64_t */
    RM_PARAM_FLOAT64,  /* double; integers are accepted */
    RM_PARAM_STRING,   /* const char *, NUL-terminated; lives until after close */
    RM_PARAM_ENUM,     /* int: the index in `choices` */
    RM_PARAM_NUMBER,   /* rm_value: int, float or big integer; lives until after close */
    RM_PARAM_VALUE,    /* rm_value of any kind; lives until after close */
} rm_param_type;

enum {
    RM_PARAM_REQUIRED = 1,
    RM_PARAM_LIVE = 2, /* may change while running, between two packets: see set_param */
    RM_PARAM_PATH = 4, /* STRING: names a file or directory */
};

typedef struct rm_param {
    const char *name, *text; /* as the manifest spells it; one line with the unit */
    rm_param_type type;
    uint32_t flags;
    size_t offset; /* where the value lies in the state; filled in, range-checked, before open */
    union {
        struct {
            bool fallback;
        } flag;
        struct {
            int64_t fallback, min, max;
        } i64; /* min == max == 0: any */
        struct {
            double fallback, min, max;
        } f64; /* min == max == 0: any finite */
        struct {
            const char *fallback;
        } text_value; /* fallback may be NULL */
        struct {
            const char *const *choices;
            int fallback;
        } choice; /* choices end with NULL */
        struct {
            const char *fallback_json;
        } value; /* NULL: null; for NUMBER and VALUE */
    };
} rm_param;

/* ---- Nodes ------------------------------------------------------------------------------------------------- */

enum {
    /* Parameters are not checked against the table; see rm_node_params. */
    RM_NODE_ANY_PARAMS = 1,
    /* Does something beyond its outputs (writes a file): documentation. */
    RM_NODE_SIDE_EFFECT = 4,
    /* generate may wait for the outside: what it emitted is delivered before the next call. */
    RM_NODE_LIVE = 8,
    /* An item may take long: its calls are timed, and get few items where those do. */
    RM_NODE_SLOW = 16,
    /* Its code waits for the next packet in the middle of `stream`, by rm_node_pull with `wait`. */
    RM_NODE_WAITS = 32,
};

/* What a pending node waits for. */
typedef struct rm_wait {
    int64_t deadline; /* monotonic ns at which to call poll again; INT64_MAX: none */
    int descriptor;   /* becomes readable when poll should be called; -1: none, a wake tells */
} rm_wait;

/* A node type: const, as long-lived as the program (or the plug-in). Threads: the calls for one node never
 * overlap, but may come from different threads; interrupt may come at any time. Answers: RM_OK, the RM_*
 * codes that a slot names, or a failure described in `err`. The runtime adds node and item. */
typedef struct rm_node_type {
    uint32_t abi_version;       /* RM_NODE_ABI_VERSION */
    uint32_t size;              /* sizeof(rm_node_type) */
    const char *name;           /* what a manifest writes in "node_type" */
    const char *const *aliases; /* ends with NULL; may be NULL */
    const char *summary;        /* one line for `nodes list` */
    const char *description;    /* paragraphs for `nodes info`; may be NULL */
    const rm_port *ports;   /* ends with {0}; NULL: one input "in" and one output "out" of any plain kind */
    const rm_param *params; /* ends with {0}; may be NULL */
    size_t state_size;      /* bytes; the runtime zeroes the state before open and frees it after close */
    uint32_t flags;         /* RM_NODE_* */
    uint32_t max_in_flight; /* packets that may be pending at once; 0 means 1 */

    /* Optional. Prepares the state; a failing open undoes its own work, since close is then not called. */
    int (*open)(rm_node *node, void *state, rm_error *err);
    /* Owns `in`, also when it fails; a failure counts against this item, as the manifest's on_error says
     * (with "retry" it is called again with the same item, so a failing call leaves the state as it was).
     * May answer RM_MORE (the item has more to emit: `more` is called before any further packet), RM_PENDING
     * (the item's results follow from poll) or RM_DONE (wants no more input; its flush still comes). */
    int (*process)(rm_node *node, void *state, unsigned port, rm_packet in, rm_error *err);
    /* Instead of process, for nodes that do little work a packet: takes the `n` >= 1 packets of `batch`, in
     * order, and owns each that it has counted in *done. On failure batch[*done] is the packet that failed:
     * it is consumed too, the later ones stay the runtime's, which may call again with them. RM_DONE:
     * batch[*done - 1] was the last one wanted. RM_MORE: batch[*done - 1] has more to emit: `more` is called.
     * RM_PENDING: batch[*done - 1] is pending (rm_node_suspend was called with it current); the later ones wait.
     * Emitted packets carry the seq that the node gives them: that of the packet they derive from. */
    int (*process_many)(rm_node *node, void *state, unsigned port, rm_packet *batch, size_t n, size_t *done,
                        rm_error *err);
    /* For a node whose process or process_many answers RM_MORE: emits the next packets of the same item, when
     * there is room for them. Answers as process does. */
    int (*more)(rm_node *node, void *state, rm_error *err);
    /* Instead of process: takes the input as a stream, with rm_node_pull. Called when packets wait. RM_OK: call
     * again when more wait; RM_MORE: call again when there is room, whether packets wait or not; RM_PENDING:
     * poll or a wake tells when to go on; RM_DONE: wants no more input. After a failure it is not called again:
     * a stream does not go on behind one. */
    int (*stream)(rm_node *node, void *state, rm_error *err);
    /* Optional, with stream: the stream has ended, rm_node_pull answers RM_DONE from here on, and what is
     * emitted counts as what flush emits. Called once; RM_MORE: stream is called again; otherwise flush follows. */
    int (*end)(rm_node *node, void *state, rm_error *err);
    /* Optional, for a node without incoming connections when a run has no input: emits the next packet or
     * few. RM_OK or RM_MORE: call again; RM_DONE: that was all; RM_PENDING: poll or a wake tells when to
     * call again. After a failure that on_error skips it is called again too, so it must have moved past
     * what failed, or answer RM_DONE. */
    int (*generate)(rm_node *node, void *state, rm_error *err);
    /* With RM_PENDING: continues the work, emits what is finished (rm_node_resume names the packet it
     * belongs to). RM_PENDING: not finished, *wait says when to come again; RM_OK: nothing is pending. */
    int (*poll)(rm_node *node, void *state, rm_wait *wait, rm_error *err);
    /* Optional, for nodes with several inputs: no packet with a seq below `bound` will come any more.
     * Called at the end of a turn, not between the packets of one: process sees a seq's end by a higher
     * one as well. What it emits must carry a seq below `bound`, non-decreasing. */
    int (*advance)(rm_node *node, void *state, int64_t bound, rm_error *err);
    /* Optional. All input has been processed: emits what is held back. RM_MORE: call again. Once a run. */
    int (*flush)(rm_node *node, void *state, rm_error *err);
    /* Optional. A parameter flagged RM_PARAM_LIVE has its new value in the state. */
    int (*set_param)(rm_node *node, void *state, const rm_param *param, rm_error *err);
    /* Optional. The result of a pending packet is not wanted any more: its timeout_ms has passed, or nobody wants what the
     * node emits. Token 0: all that is under way in a node without pending packets (a stream, a source). */
    void (*abandon)(rm_node *node, void *state, uint64_t token);
    /* Optional, any thread: the call in progress should stop soon (cancel or deadline), with
     * RM_E_CANCELLED. */
    void (*interrupt)(rm_node *node, void *state);
    /* Optional. Releases what the state holds; the last call, exactly once after a successful open. May
     * describe a failure, which fails the run without keeping other nodes from being closed. */
    int (*close)(rm_node *node, void *state, rm_error *err);
} rm_node_type;

/* ---- What a node may call ---------------------------------------------------------------------------------- */

/* Sends `packet` out of output `port`, consuming it on every path; only inside process, generate, poll,
 * advance and flush. Missing seq, timestamp, duration and metadata are taken from the packet in process. A
 * failure is recorded already: return its code unchanged. */
RM_API RM_MUST_CHECK int rm_emit(rm_node *node, unsigned port, rm_packet packet);
/* The same for `n` packets that carry their seq already (those of process_many, moved or changed in
 * place). */
RM_API RM_MUST_CHECK int rm_emit_many(rm_node *node, unsigned port, rm_packet *packets, size_t n);
/* Emits `value`, consumed, on port 0 with everything else from the packet in process. */
RM_API RM_MUST_CHECK int rm_emit_value(rm_node *node, rm_value value);
/* In process_many: names the packet that following rm_emit calls and a failure belong to; borrowed until
 * the next one. */
RM_API void rm_node_set_current(rm_node *node, const rm_packet *packet);

/* The pending protocol. rm_node_suspend, called before process answers RM_PENDING, gives the packet in
 * process a token. Later, inside poll: rm_node_resume makes it the packet in process again, so that
 * rm_emit belongs to it (results leave the node in the order of the packets); then rm_node_finish with
 * RM_OK or the failure in `err` (consumed) ends it. */
RM_API uint64_t rm_node_suspend(rm_node *node);
RM_API void rm_node_resume(rm_node *node, uint64_t token);
RM_API RM_MUST_CHECK int rm_node_finish(rm_node *node, uint64_t token, int code, rm_error *err);
/* The clock of rm_wait.deadline: monotonic, ns. Any thread. */
RM_API int64_t rm_clock_now(void);
/* poll or generate should be called again. Any thread. */
RM_API void rm_node_wake(rm_node *node);

/* For nodes with `stream`: the next packet of the stream, owned. RM_DONE: the stream has ended. RM_AGAIN: none
 * is waiting and none can be had now; with `wait` the runtime first runs the nodes before this one to get
 * one, where it can. */
RM_API RM_MUST_CHECK int rm_node_pull(rm_node *node, bool wait, rm_packet *packet, rm_error *err);
/* Whether a pull with `wait` can work in this run: not where items are pushed from outside, and where there are threads only
 * for the one streaming node of a pipeline (several could wait for one another). Without it, all of the stream must be waited for (RM_OK
 * from stream, until `end` is called) before code that cannot be suspended begins to take it. */
RM_API bool rm_node_can_wait(const rm_node *node);

RM_API const char *rm_node_id(const rm_node *node);
RM_API const rm_allocator *rm_node_allocator(const rm_node *node);
RM_API void rm_node_log(rm_node *node, rm_log_level level, const char *format, ...) RM_PRINTF(3, 4);
/* Long loops look here now and then, and return RM_E_CANCELLED (rm_node_cancel_error fills `err`). Any
 * thread. */
RM_API bool rm_node_cancelled(const rm_node *node);
RM_API int rm_node_cancel_error(rm_node *node, rm_error *err);
/* Which input ports are connected, and to the output of which node (id borrowed). Variadic ones count one
 * by one. */
RM_API size_t rm_node_input_count(const rm_node *node);
RM_API const char *rm_node_input_source(const rm_node *node, unsigned port);
/* The parameters as the manifest gives them (a map, or null), borrowed. */
RM_API rm_value rm_node_params(const rm_node *node);
/* What the resolver attached to this use of the type (see rm_resolver); NULL for native types. */
RM_API void *rm_node_type_data(const rm_node *node);
/* Whether the run has no input, so that sources generate. */
RM_API bool rm_node_generates(const rm_node *node);

/* ---- Audio samples ----------------------------------------------------------------------------------------- */

/* The interleaved samples of an audio value, C-contiguous; borrowed from it. */
typedef struct rm_samples {
    rm_dtype dtype;
    int32_t channels, sample_rate;
    uint64_t channel_layout;
    size_t frames, count; /* count = frames * channels */
    union {
        void *data;
        float *f32;
        int16_t *i16;
    };
} rm_samples;
/* Looks at audio without the right to change it; RM_E_TYPE when `value` is no contiguous audio. */
RM_API RM_MUST_CHECK int rm_samples_of(rm_value value, rm_samples *out, rm_error *err);
/* Makes `value` safe to change in place (a copy when shared), then looks at it. */
RM_API RM_MUST_CHECK int rm_samples_make_unique(const rm_allocator *allocator, rm_value *value,
                                                rm_samples *out, rm_error *err);
/* New float32 audio, zeroed, (frames, channels). *value is owned; *out borrows from it. `channel_layout`
 * 0: the usual one for the count. */
RM_API RM_MUST_CHECK int rm_samples_new(const rm_allocator *allocator, size_t frames, int32_t channels,
                                        int32_t sample_rate, uint64_t channel_layout, rm_value *value,
                                        rm_samples *out, rm_error *err);
/* Nanoseconds that `frames` last at `sample_rate`, rounded down; exact up to 292 years. */
RM_API int64_t rm_frames_to_ns(int64_t frames, int32_t sample_rate);

/* ---- Where node types come from ---------------------------------------------------------------------------- */

/* Adds one type; RM_E_DUPLICATE_ID when a name or alias is taken, RM_E_UNSUPPORTED_VERSION for another
 * ABI. */
RM_API RM_MUST_CHECK int rm_runtime_add_type(rm_runtime *runtime, const rm_node_type *type, rm_error *err);

/* A shared object exports this symbol; the table is const and lives as long as the object is loaded. */
typedef struct rm_plugin {
    uint32_t abi_version; /* RM_NODE_ABI_VERSION */
    uint32_t size;        /* sizeof(rm_plugin) */
    const char *name, *version, *licence;
    const rm_node_type *const *types; /* ends with NULL */
} rm_plugin;
#define RM_PLUGIN_ENTRY "rm_plugin_entry_v1"
typedef const rm_plugin *rm_plugin_entry_function(void);
/* What a plug-in defines; the declaration here exports it and checks its type. */
RM_API rm_plugin_entry_function rm_plugin_entry_v1;

/* One use of a node type in a manifest, for a resolver. All borrowed. */
typedef struct rm_node_query {
    const char *node_type, *id, *runtime_hint; /* hint: "auto" where the manifest gives none */
    rm_value params;
    bool is_streaming;
    bool is_source;           /* no incoming connection */
    const char *directory;    /* of the manifest's file; NULL where it came from none */
    bool sandboxed;           /* it is to run in a sandbox, whatever its type is */
    rm_sandbox_limits limits; /* the node's own; 0: none */
} rm_node_query;

/* Finds node types by name, after the native ones; Python is one. Threads: as the runtime that it was
 * added to. */
typedef struct rm_resolver {
    uint32_t size; /* sizeof(rm_resolver) */
    void *context;
    /* RM_OK with *type and *data (owned, see release_data); RM_DONE: not one of mine, *looked (borrowed
     * until the next call) says where I looked; else a failure, whose pointer is relative to the node
     * ("/params/x"). */
    int (*resolve)(void *context, const rm_node_query *query, const rm_node_type **type, void **data,
                   const char **looked, rm_error *err);
    void (*release_data)(void *context, void *data);
    /* Appends a map {"name", "summary", ...} a type to `list`; `name` not NULL: only that one, with all
     * details. */
    int (*describe)(void *context, const char *name, rm_value *list, rm_error *err);
    /* Optional. Any thread, and again and again: a resolve or describe in progress is to end soon, with
     * RM_E_CANCELLED. What begins later is not meant. Returns at once. */
    void (*interrupt)(void *context);
    void (*free)(void *context);
} rm_resolver;
RM_API RM_MUST_CHECK int rm_runtime_add_resolver(rm_runtime *runtime, const rm_resolver *resolver,
                                                 rm_error *err);

/* {"name", "aliases", "summary", "description", "params", "ports"} of a native type. *out is owned. */
RM_API RM_MUST_CHECK int rm_node_type_describe(const rm_allocator *allocator, const rm_node_type *type,
                                               rm_value *out, rm_error *err);
/* The native type of that name or alias, or NULL; by index, NULL past the end. */
RM_API const rm_node_type *rm_runtime_find_type(const rm_runtime *runtime, const char *name);
RM_API const rm_node_type *rm_runtime_type_at(const rm_runtime *runtime, size_t index);

#ifdef __cplusplus
}
#endif
#endif
