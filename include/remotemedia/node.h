/* RemoteMedia: the interface for authors of nodes. One constant rm_node_type describes a node: validation,
 * help, documentation and the JSON Schema read it. docs/nodes.md shows how to write one. */
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
/* The format of tensors on a port; 0 means any. */
typedef struct rm_format {
    rm_dtype dtype;
    int32_t channels, sample_rate;
} rm_format;
/* Inputs and outputs are numbered from 0, each in the order of the table. Only the last input may be
 * variadic: each connection to it is a port of its own, numbered on from it in manifest order. */
typedef struct rm_port {
    const char *name; /* the name in a manifest's "id.name" */
    rm_direction direction;
    uint32_t kinds; /* RM_KIND_*. Inputs: no packet of another kind reaches process; outputs: documentation */
    bool optional, variadic; /* optional: may be unconnected although other inputs of the node are not */
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
    RM_PARAM_LIVE = 2, /* may change while running, between two calls: see set_param */
    RM_PARAM_PATH = 4, /* STRING: names a file or directory; "-" and "/dev/stdin" are standard input */
    /* With PATH: the node writes the file. No other may have it in the same run. "-" and "/dev/stdout" are standard
     * output */
    RM_PARAM_WRITES = 8,
};

typedef struct rm_param {
    const char *name, *text; /* its name in the manifest; one line with the unit */
    rm_param_type type;
    uint32_t flags;
    size_t offset; /* of the value in the state; filled in, range-checked, before open */
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
    /* Parameters are not checked against the table, nor written into the state; see rm_node_params. */
    RM_NODE_ANY_PARAMS = 1,
    /* Does something beyond its outputs (writes a file): documentation. */
    RM_NODE_SIDE_EFFECT = 4,
    /* generate may wait for the outside: its emissions are delivered before the next call. */
    RM_NODE_LIVE = 8,
    /* An item may take long: the runtime measures the calls, and gives few items to long ones. */
    RM_NODE_SLOW = 16,
    /* Its code waits for the next packet in the middle of `stream`, by rm_node_pull with `wait`. */
    RM_NODE_WAITS = 32,
};

/* The events for which a pending node waits. */
typedef struct rm_wait {
    int64_t deadline; /* monotonic ns at which to call poll again; INT64_MAX: none */
    int descriptor;   /* readable when poll should be called; -1: none, a wake ends the wait */
} rm_wait;

/* A node type: const, as long-lived as the program (or the plug-in).
 *
 * Threads: the calls for one node never overlap, but may come from different threads; only interrupt may come
 * at any time. Unless a comment says otherwise, a slot returns RM_OK, one of the RM_* codes that its comment
 * names, or a failure described in `err`, which is never NULL; the runtime adds node and item. A failing
 * process, more, stream, end, generate, poll, advance or flush fails an item, and the manifest's on_error
 * applies. RM_E_OUT_OF_MEMORY, RM_E_INTERNAL and RM_E_CANCELLED end the run. */
typedef struct rm_node_type {
    uint32_t abi_version;       /* RM_NODE_ABI_VERSION */
    uint32_t size;              /* sizeof(rm_node_type) */
    const char *name;           /* its name in a manifest's "node_type" */
    const char *const *aliases; /* ends with NULL; may be NULL */
    const char *summary;        /* one line for `nodes list` */
    const char *description;    /* paragraphs for `nodes info`; may be NULL */
    const rm_port *ports;   /* ends with {0}; NULL: one input "in" and one output "out" of any plain kind */
    const rm_param *params; /* ends with {0}; may be NULL */
    size_t state_size;      /* bytes; the runtime zeroes the state before open and frees it after close */
    uint32_t flags;         /* RM_NODE_* */
    uint32_t max_in_flight; /* packets pending at once, unless the manifest says otherwise; 0 means 1 */

    /* Optional. Checks what the table of parameters cannot say, when a manifest is checked: before any run, and
     * without a node. `state` is zeroed but for the parameters. The pointer of a failure is relative to the node
     * ("/params/x"). Not called for a parameter that changes while running. Any thread. */
    int (*check)(const void *state, rm_error *err);

    /* Optional. Prepares the state. A failing open releases everything itself: close is not called then. */
    int (*open)(rm_node *node, void *state, rm_error *err);
    /* Consumes `in`. A failure fails this item; with "retry" the runtime calls process again with the same
     * item, so a failing call leaves the state unchanged. RM_MORE: the item has more to emit, and `more` is
     * called before the next packet. RM_PENDING: the item's results follow from poll (rm_node_suspend was
     * called). RM_DONE: wants no more input; flush is still called. */
    int (*process)(rm_node *node, void *state, unsigned port, rm_packet in, rm_error *err);
    /* Instead of process, for nodes that do little work a packet. Takes the `n` >= 1 packets of `batch`, in
     * order, and consumes each that it counts in *done (at least one, unless it fails or returns RM_DONE). On
     * failure batch[*done] is the packet that failed and is consumed too. The runtime keeps the later packets
     * and may call again with them. RM_DONE: the last counted packet was the last one wanted. RM_MORE: it has
     * more to emit, and `more` is called. RM_PENDING: it is pending (rm_node_suspend was called while it was
     * the current one). Emitted packets have the seq that the node gives them: that of the packet from which
     * they derive. */
    int (*process_many)(rm_node *node, void *state, unsigned port, rm_packet *batch, size_t n, size_t *done,
                        rm_error *err);
    /* For a node whose process or process_many returns RM_MORE: emits the next packets of the same item, when
     * there is room for them. Returns as process. */
    int (*more)(rm_node *node, void *state, rm_error *err);
    /* Instead of process: takes the input as a stream, with rm_node_pull. Called when packets wait. RM_OK:
     * call again when more packets wait; RM_MORE: call again when there is room, whether packets wait or not;
     * RM_PENDING: poll or a wake continues; RM_DONE: wants no more input. After a failure it is not called
     * again: the stream ends there. */
    int (*stream)(rm_node *node, void *state, rm_error *err);
    /* Optional, with stream. The stream has ended: rm_node_pull returns RM_DONE, and emissions count as those
     * of flush. Called once. RM_MORE: stream is called again; else flush follows. */
    int (*end)(rm_node *node, void *state, rm_error *err);
    /* Optional, for a node without incoming connections in a run without input: emits the next packet or a
     * few. RM_OK or RM_MORE: call again; RM_DONE: that was all; RM_PENDING: call again after a poll or a
     * wake. A failure counts as an item. When on_error skips it, generate is called again: it must have moved
     * past the failure, or return RM_DONE. */
    int (*generate)(rm_node *node, void *state, rm_error *err);
    /* Required for RM_PENDING of process and more. Continues the work and emits finished results
     * (rm_node_resume names their packet). RM_PENDING: not finished, *wait says when to call again; RM_MORE:
     * call again at once; RM_OK: nothing is pending; RM_DONE: wants no more input. */
    int (*poll)(rm_node *node, void *state, rm_wait *wait, rm_error *err);
    /* Optional, for nodes with several inputs: no packet with a seq below `bound` will come. Called at the
     * end of a turn, not between the packets of a batch: process also sees the end of a seq by a higher one.
     * Emitted packets must have a seq below `bound`, non-decreasing. */
    int (*advance)(rm_node *node, void *state, int64_t bound, rm_error *err);
    /* Optional. All input has been processed: emits what the node has held back. RM_MORE: call again.
     * RM_PENDING, where it has poll: call again when poll has returned RM_OK. Once a run. */
    int (*flush)(rm_node *node, void *state, rm_error *err);
    /* Optional. The state has the new value of `param`, a parameter flagged RM_PARAM_LIVE. */
    int (*set_param)(rm_node *node, void *state, const rm_param *param, rm_error *err);
    /* Optional. Nobody wants the results of a pending packet: its timeout_ms has passed, or the node is
     * unwanted. Token 0: everything under way in a node without pending packets (a stream, a source). */
    void (*abandon)(rm_node *node, void *state, uint64_t token);
    /* Optional. Asks the call in progress to return soon with RM_E_CANCELLED (cancel or deadline). Any
     * thread, and several times; may come just after the call. */
    void (*interrupt)(rm_node *node, void *state);
    /* Optional. Releases everything that the state owns; the last call, exactly once after a successful open.
     * A failure fails the run; the other nodes are still closed. */
    int (*close)(rm_node *node, void *state, rm_error *err);
} rm_node_type;

/* ---- What a node may call ---------------------------------------------------------------------------------- */

/* Sends `packet`, consumed, out of output `port`. Only inside process, more, stream, end, generate, poll,
 * advance and flush. Missing seq, timestamp, duration and metadata are those of the packet in process. The
 * runtime records a failure: return its code unchanged. */
RM_API RM_MUST_CHECK int rm_emit(rm_node *node, unsigned port, rm_packet packet);
/* Sends `n` packets, whose content is consumed. All have their seq already (those of process_many, moved or
 * changed in place), or none has: then each is filled in as by rm_emit. The array stays the caller's. */
RM_API RM_MUST_CHECK int rm_emit_many(rm_node *node, unsigned port, rm_packet *packets, size_t n);
/* Sends `value`, consumed, out of port 0, with seq, times and metadata of the packet in process. */
RM_API RM_MUST_CHECK int rm_emit_value(rm_node *node, rm_value value);
/* In process_many: makes `packet` the one in process, to which later rm_emit calls and a failure belong.
 * Copies its seq and times and shares its metadata. */
RM_API void rm_node_set_current(rm_node *node, const rm_packet *packet);

/* The pending protocol. rm_node_suspend, called before process or more returns RM_PENDING, returns a token
 * for the packet in process (0 where none can be pending). Later, inside poll: rm_node_resume makes it the
 * packet in process again, to which rm_emit then belongs (results leave the node in the order of the
 * packets). rm_node_finish ends it, with RM_OK or with the failure `code` in `err` (emptied). Emissions for a
 * packet that is over are discarded, and finishing it does nothing. When rm_node_finish fails, the run has
 * ended: return its code. */
RM_API uint64_t rm_node_suspend(rm_node *node);
RM_API void rm_node_resume(rm_node *node, uint64_t token);
RM_API RM_MUST_CHECK int rm_node_finish(rm_node *node, uint64_t token, int code, rm_error *err);
/* The clock of rm_wait.deadline: monotonic, ns. Any thread. */
RM_API int64_t rm_clock_now(void);
/* Asks for a call of poll or generate. Any thread, until close returns. */
RM_API void rm_node_wake(rm_node *node);

/* For nodes with `stream`: takes the next packet of the stream; *packet is owned. RM_DONE: the stream has
 * ended. RM_AGAIN: no packet waits; with `wait`, the runtime first runs other nodes to get one, where it can.
 * RM_E_CANCELLED: the run has ended. */
RM_API RM_MUST_CHECK int rm_node_pull(rm_node *node, bool wait, rm_packet *packet, rm_error *err);
/* Whether a pull with `wait` can work in this run. It cannot where items are pushed from outside, nor, where
 * there are threads, in a pipeline with several streaming nodes (they could wait for one another). Where it
 * cannot, a node whose code cannot be suspended returns RM_OK from stream until `end` is called, and then
 * runs its code over the whole stream. */
RM_API bool rm_node_can_wait(const rm_node *node);
/* How many packets have room behind the node, up to 64. A call that emits many ends, with RM_MORE, when there
 * is none. */
RM_API size_t rm_node_room(const rm_node *node);

/* The id and the allocator are borrowed, and valid until after close. Messages go to the runtime's log, from
 * calls of the node. */
RM_API const char *rm_node_id(const rm_node *node);
RM_API const rm_allocator *rm_node_allocator(const rm_node *node);
RM_API void rm_node_log(rm_node *node, rm_log_level level, const char *format, ...) RM_PRINTF(3, 4);
/* Whether the call in progress has to stop. Long loops check it and return RM_E_CANCELLED
 * (rm_node_cancel_error fills in `err` and returns that code). rm_node_cancelled: any thread. */
RM_API bool rm_node_cancelled(const rm_node *node);
RM_API int rm_node_cancel_error(rm_node *node, rm_error *err);
/* The number of incoming connections, and the id (borrowed) of the node before input port `port`, NULL where
 * none is connected. Each connection to a variadic input is a port. */
RM_API size_t rm_node_input_count(const rm_node *node);
RM_API const char *rm_node_input_source(const rm_node *node, unsigned port);
/* The parameters of the manifest, with overrides (a map, or null), borrowed. */
RM_API rm_value rm_node_params(const rm_node *node);
/* The data that the resolver gave for this use of the type (see rm_resolver), borrowed; NULL for native
 * types. */
RM_API void *rm_node_type_data(const rm_node *node);
/* Whether `path` names standard input, or with `writes` standard output: "-", and the system's names. */
RM_API bool rm_is_standard_stream(const char *path, bool writes);
/* The run's standard input, for a node that is told to read it (a path of "-"): *descriptor is borrowed, and not
 * to be closed. RM_E_USAGE where the run has none to give, or another node has it already. */
RM_API RM_MUST_CHECK int rm_node_standard_input(rm_node *node, int *descriptor, rm_error *err);
/* The same for standard output. */
RM_API RM_MUST_CHECK int rm_node_standard_output(rm_node *node, int *descriptor, rm_error *err);
/* Waits until `descriptor` can be read (or written: a short text), or until `until` (of rm_clock_now; INT64_MAX: for
 * ever); -1: only for the time. For pipes, sockets and terminals, where a call may wait for ever. RM_E_CANCELLED: the call
 * in progress has to stop before. RM_DONE, at once, on hosts where nobody could end the wait. */
RM_API RM_MUST_CHECK int rm_node_wait(rm_node *node, int descriptor, bool writing, int64_t until,
                                      rm_error *err);
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
/* The samples of audio, for reading; RM_E_TYPE when `value` is no C-contiguous audio. */
RM_API RM_MUST_CHECK int rm_samples_of(rm_value value, rm_samples *out, rm_error *err);
/* Makes `value` contiguous and safe to change in place (a copy where needed), then gives its samples.
 * RM_E_TYPE when it is no audio. */
RM_API RM_MUST_CHECK int rm_samples_make_unique(const rm_allocator *allocator, rm_value *value,
                                                rm_samples *out, rm_error *err);
/* Makes float32 audio, zeroed, (frames, channels). *value is owned; *out borrows from it. `channel_layout` 0:
 * the usual one for the count. RM_E_USAGE for no channels or no sample rate. */
RM_API RM_MUST_CHECK int rm_samples_new(const rm_allocator *allocator, size_t frames, int32_t channels,
                                        int32_t sample_rate, uint64_t channel_layout, rm_value *value,
                                        rm_samples *out, rm_error *err);
/* The nanoseconds of `frames` at `sample_rate`, rounded down; exact up to 292 years, the longest time
 * beyond. */
RM_API int64_t rm_frames_to_ns(int64_t frames, int32_t sample_rate);

/* ---- Where node types come from ---------------------------------------------------------------------------- */

/* Adds one type, which must outlive the runtime. RM_E_DUPLICATE_ID when a name or alias is taken,
 * RM_E_UNSUPPORTED_VERSION for another ABI, RM_E_USAGE for a wrong table. */
RM_API RM_MUST_CHECK int rm_runtime_add_type(rm_runtime *runtime, const rm_node_type *type, rm_error *err);

/* The table of a plug-in, a shared object that exports RM_PLUGIN_ENTRY. It is const and lives as long as the
 * object is loaded. */
typedef struct rm_plugin {
    uint32_t abi_version; /* RM_NODE_ABI_VERSION */
    uint32_t size;        /* sizeof(rm_plugin) */
    const char *name, *version, *licence;
    const rm_node_type *const *types; /* ends with NULL */
} rm_plugin;
#define RM_PLUGIN_ENTRY "rm_plugin_entry_v1"
typedef const rm_plugin *rm_plugin_entry_function(void);
/* The function that a plug-in defines; this declaration exports it and checks its type. */
RM_API rm_plugin_entry_function rm_plugin_entry_v1;

/* One use of a node type in a manifest, for a resolver. All borrowed, for the call. */
typedef struct rm_node_query {
    const char *node_type, *id, *runtime_hint; /* hint: "auto" where the manifest gives none */
    rm_value params;
    bool is_streaming;
    bool is_source;           /* no incoming connection */
    const char *directory;    /* of the manifest's file; NULL where there is no file */
    bool sandboxed;           /* it has to run in a sandbox, whatever its type is */
    rm_sandbox_limits limits; /* the node's own; 0: none */
} rm_node_query;

/* Finds node types by name, after the native ones; Python is one. Threads: as for its runtime. */
typedef struct rm_resolver {
    uint32_t size; /* sizeof(rm_resolver) */
    void *context;
    /* RM_OK with *type (lives as long as *data) and *data (owned by the runtime, see release_data). RM_DONE:
     * not a type of this resolver; *looked (borrowed until the next call) says where it looked. Else a
     * failure, whose pointer is relative to the node ("/params/x"). */
    int (*resolve)(void *context, const rm_node_query *query, const rm_node_type **type, void **data,
                   const char **looked, rm_error *err);
    /* Optional. Releases the *data of a resolve. */
    void (*release_data)(void *context, void *data);
    /* Optional. Appends a map {"name", "summary", ...} for each type to `list`; `name` not NULL: only that
     * type, with all details, or RM_E_UNKNOWN_NODE_TYPE or RM_DONE. */
    int (*describe)(void *context, const char *name, rm_value *list, rm_error *err);
    /* Optional. Asks a resolve or describe in progress to end soon with RM_E_CANCELLED; later calls are not
     * affected. Returns at once. Any thread, and several times. */
    void (*interrupt)(void *context);
    /* Optional. Called by rm_runtime_free. */
    void (*free)(void *context);
} rm_resolver;
/* Adds a resolver (copied), after those that were added before. RM_E_UNSUPPORTED_VERSION for a wrong size. On
 * failure the context stays the caller's. */
RM_API RM_MUST_CHECK int rm_runtime_add_resolver(rm_runtime *runtime, const rm_resolver *resolver,
                                                 rm_error *err);

/* Makes {"name", "aliases", "summary", "description", "params", "ports"} of a native type. *out is owned. */
RM_API RM_MUST_CHECK int rm_node_type_describe(const rm_allocator *allocator, const rm_node_type *type,
                                               rm_value *out, rm_error *err);
/* The native type with a name or alias, or NULL; and the native type at an index, NULL past the end. */
RM_API const rm_node_type *rm_runtime_find_type(const rm_runtime *runtime, const char *name);
RM_API const rm_node_type *rm_runtime_type_at(const rm_runtime *runtime, size_t index);

#ifdef __cplusplus
}
#endif
#endif
