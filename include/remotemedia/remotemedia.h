/* RemoteMedia: runs media and data pipelines. This is the header for programs that embed it; authors of
 * nodes include node.h, which includes this one.
 *
 * Words used in every comment: an argument is *borrowed* unless it is said to be *consumed*; what is
 * consumed is given away on failure too. *Owned* results are the caller's to release. Functions that can
 * fail return RM_OK or a negative RM_E_* code and describe the failure in `err`, which belongs to the
 * caller and may be NULL. Threads: objects may move between threads but are used by one at a time, unless
 * a function says otherwise. */
#ifndef REMOTEMEDIA_REMOTEMEDIA_H
#define REMOTEMEDIA_REMOTEMEDIA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define RM_API __attribute__((visibility("default")))
#define RM_PRINTF(text, arguments) __attribute__((format(printf, text, arguments)))
/* The caller looks at the result: a code that may be a failure, or what the caller is to release. */
#define RM_MUST_CHECK __attribute__((warn_unused_result))
#else
#define RM_API
#define RM_PRINTF(text, arguments)
#define RM_MUST_CHECK
#endif

/* ---- Codes ------------------------------------------------------------------------------------------------- */

/* Not failures: what a call may answer besides RM_OK. */
enum {
    RM_OK = 0,
    RM_MORE = 1,    /* call again without a packet: there is more to emit */
    RM_PENDING = 2, /* the work goes on elsewhere; rm_node_wake tells when to look again */
    RM_DONE = 3,    /* nothing more is wanted, or nothing more will come */
    RM_AGAIN = 4,   /* not now: a queue is full or empty */
};

/* Every failure: the code, and how error documents spell it. Codes are negative, in this order from -1. */
#define RM_ERROR_CODES(X)                                                                          \
    X(RM_E_OUT_OF_MEMORY, "out_of_memory") /* an allocation failed */                              \
    X(RM_E_INTERNAL, "internal")           /* a defect of the runtime */                           \
    X(RM_E_USAGE, "usage")                 /* a function or the program was called wrongly */      \
    X(RM_E_IO, "io")                       /* reading or writing failed */                         \
    X(RM_E_NOT_FOUND, "not_found")         /* a file or directory does not exist */                \
    X(RM_E_PARSE, "parse")                 /* malformed JSON, bad UTF-8, bad media file */         \
    X(RM_E_LIMIT, "limit")                 /* nesting, size, digits */                             \
    X(RM_E_TYPE, "type")                   /* a value of the wrong kind */                         \
    X(RM_E_VALUE, "value")                 /* the right kind, but out of range or senseless */     \
    X(RM_E_MISSING_FIELD, "missing_field")                                                         \
    X(RM_E_UNKNOWN_FIELD, "unknown_field")                                                         \
    X(RM_E_MISSING_PARAMETER, "missing_parameter")                                                 \
    X(RM_E_UNKNOWN_PARAMETER, "unknown_parameter")                                                 \
    X(RM_E_UNSUPPORTED_VERSION, "unsupported_version") /* manifest or plug-in version */           \
    X(RM_E_DUPLICATE_ID, "duplicate_id")                                                           \
    X(RM_E_UNKNOWN_NODE_TYPE, "unknown_node_type")                                                 \
    X(RM_E_UNKNOWN_NODE, "unknown_node") /* a connection or input names no node */                 \
    X(RM_E_UNKNOWN_PORT, "unknown_port")                                                           \
    X(RM_E_DUPLICATE_CONNECTION, "duplicate_connection")                                           \
    X(RM_E_CYCLE, "cycle")                                                                         \
    X(RM_E_MISSING_FEATURE, "missing_feature")       /* this build or host lacks it */             \
    X(RM_E_MISSING_CAPABILITY, "missing_capability") /* this machine lacks it */                   \
    X(RM_E_ARITHMETIC, "arithmetic")                 /* division by zero and the like */           \
    X(RM_E_PYTHON, "python")                         /* an exception in Python code */             \
    X(RM_E_UNSUPPORTED, "unsupported")               /* a value that cannot cross or be printed */ \
    X(RM_E_CIRCULAR, "circular")                     /* a container that holds itself */           \
    X(RM_E_TIMEOUT, "timeout")                                                                     \
    X(RM_E_CANCELLED, "cancelled")

enum {
    RM_ERROR_FIRST_ = 0,
#define RM_ERROR_POSITIVE_(name, text) name##_POSITIVE_,
    RM_ERROR_CODES(RM_ERROR_POSITIVE_)
#undef RM_ERROR_POSITIVE_
};
enum {
#define RM_ERROR_NEGATIVE_(name, text) name = -(int)name##_POSITIVE_,
    RM_ERROR_CODES(RM_ERROR_NEGATIVE_)
#undef RM_ERROR_NEGATIVE_
};

/* The spelling of a code in error documents ("unknown_field"); "ok" for RM_OK, "unknown" for what is none. */
RM_API const char *rm_code_name(int code);

/* ---- Memory ------------------------------------------------------------------------------------------------ */

/* The host's memory. `resize` behaves as Lua's: `old_size` is what `block` was last given (0 for NULL);
 * new_size 0 frees and returns NULL; a failing call returns NULL and leaves the block as it was. Blocks
 * are aligned as malloc aligns. Threads: called from every thread that uses an object made with it. Must
 * outlive all it allocated. */
typedef struct rm_allocator {
    void *context;
    void *(*resize)(void *context, void *block, size_t old_size, size_t new_size);
} rm_allocator;

/* The C library's allocator; lives for ever. NULL for an `rm_allocator *` means this one, everywhere. */
RM_API const rm_allocator *rm_allocator_default(void);

/* ---- Values ------------------------------------------------------------------------------------------------ */

typedef enum rm_kind {
    RM_NULL,
    RM_BOOL,
    RM_INT,    /* int64_t */
    RM_FLOAT,  /* double */
    RM_BIGINT, /* an integer outside int64_t */
    RM_STRING, /* UTF-8, may contain NUL */
    RM_BYTES,
    RM_LIST,
    RM_MAP, /* string keys, in order of insertion */
    RM_TENSOR,
    RM_OBJECT, /* opaque to the runtime; has an rm_object_type */
    RM_KIND_COUNT
} rm_kind;

/* A value, handed over by value. {0} is null. Scalars own nothing; the other kinds share one counted,
 * immutable block, so that a copied struct is a second name for the same reference: use rm_value_retain
 * for a second owner. Threads: the count is atomic; different owners may release from different threads. */
typedef struct rm_value {
    uint32_t kind; /* rm_kind */
    uint32_t reserved;
    union {
        bool b;
        int64_t i;
        double f;
        struct rm_heap *heap;
        uint64_t bits;
    };
} rm_value;

typedef struct rm_error rm_error;

static inline rm_value rm_null(void)
{
    return (rm_value){.kind = RM_NULL};
}
static inline rm_value rm_bool(bool b)
{
    return (rm_value){.kind = RM_BOOL, .bits = b ? 1u : 0u};
}
static inline rm_value rm_int(int64_t i)
{
    return (rm_value){.kind = RM_INT, .i = i};
}
static inline rm_value rm_float(double f)
{
    return (rm_value){.kind = RM_FLOAT, .f = f};
}
static inline bool rm_value_is_heap(rm_value v)
{
    return v.kind >= RM_BIGINT;
}

/* "null", "bool", "int", "float", "int" for big ones, "string", "bytes", "list", "map", "tensor",
 * "object". */
RM_API const char *rm_kind_name(rm_kind kind);
/* One more owner of the same content; never fails. */
RM_API rm_value rm_value_retain(rm_value value);
/* Gives up one ownership and leaves null behind; clearing null is free. */
RM_API void rm_value_clear(rm_value *value);
/* Takes the content out of `value`, leaving null. */
static inline rm_value rm_value_move(rm_value *value)
{
    rm_value taken = *value;
    *value = rm_null();
    return taken;
}
/* Makes `value` (list, map, bytes, tensor) safe to change: a shallow copy when someone else holds it too. */
RM_API RM_MUST_CHECK int rm_value_make_unique(const rm_allocator *allocator, rm_value *value, rm_error *err);
/* Same content: 1 and 1.0 differ, 0.0 and -0.0 too, NaN equals NaN, maps compare in order, tensors by
 * dtype, shape and elements. What is nested deeper than 1,000 levels counts as different. */
RM_API bool rm_value_equal(rm_value a, rm_value b);

/* A string from UTF-8; bytes that are not UTF-8 are RM_E_PARSE with the offset. *out is owned. */
RM_API RM_MUST_CHECK int rm_string_new(const rm_allocator *allocator, const char *text, size_t length,
                                       rm_value *out, rm_error *err);
/* The text, NUL-terminated, borrowed from the value; *length may be NULL. `value` must be a string. */
RM_API const char *rm_string_text(rm_value value, size_t *length);
/* Bytes; *out is owned. `data` may be NULL to get zeroed memory for rm_bytes_data_mut. */
RM_API RM_MUST_CHECK int rm_bytes_new(const rm_allocator *allocator, const void *data, size_t length,
                                      rm_value *out, rm_error *err);
RM_API const uint8_t *rm_bytes_data(rm_value value, size_t *length);
/* The same, to be changed; NULL when `value` has other owners (rm_value_make_unique). Borrowed. */
RM_API uint8_t *rm_bytes_data_mut(rm_value value, size_t *length);
/* An integer from decimal text ("-12"), RM_INT where it fits; over 4,300 digits RM_E_LIMIT. *out is owned. */
RM_API RM_MUST_CHECK int rm_integer_parse(const rm_allocator *allocator, const char *text, size_t length,
                                          rm_value *out, rm_error *err);
/* An integer from `length` little-endian bytes in two's complement, RM_INT where it fits. *out is owned. */
RM_API RM_MUST_CHECK int rm_integer_from_bytes(const rm_allocator *allocator, const uint8_t *bytes,
                                               size_t length, rm_value *out, rm_error *err);
/* Writes a big integer as little-endian two's complement and returns the bytes needed; writes only if they
 * fit. */
RM_API size_t rm_integer_to_bytes(rm_value value, uint8_t *bytes, size_t capacity);

/* Python's arithmetic on int, bool, float and big integers: integers stay exact, a float operand gives a
 * float, `/` of integers gives an integer when it divides and a float otherwise, modulo has the sign of
 * the divisor. RM_E_ARITHMETIC for division by zero, RM_E_LIMIT past 4,300 digits, RM_E_TYPE for other
 * kinds. *out is owned. */
typedef enum rm_operation { RM_ADD, RM_SUBTRACT, RM_MULTIPLY, RM_DIVIDE, RM_POWER, RM_MODULO } rm_operation;
RM_API RM_MUST_CHECK int rm_number_compute(const rm_allocator *allocator, rm_operation operation, rm_value a,
                                           rm_value b, rm_value *out, rm_error *err);

/* A list with room for `capacity` values. *out is owned. */
RM_API RM_MUST_CHECK int rm_list_new(const rm_allocator *allocator, size_t capacity, rm_value *out,
                                     rm_error *err);
/* Appends `item`, which is consumed. The list must have one owner (rm_value_make_unique), else RM_E_USAGE. */
RM_API RM_MUST_CHECK int rm_list_append(rm_value *list, rm_value item, rm_error *err);
RM_API size_t rm_list_length(rm_value list);
/* Borrowed from the list; null past the end. */
RM_API rm_value rm_list_get(rm_value list, size_t index);

/* A map with room for `capacity` entries. *out is owned. */
RM_API RM_MUST_CHECK int rm_map_new(const rm_allocator *allocator, size_t capacity, rm_value *out,
                                    rm_error *err);
/* Sets a key (UTF-8, checked) to `item`, which is consumed; a key that is there keeps its place. One owner
 * only. */
RM_API RM_MUST_CHECK int rm_map_set(rm_value *map, const char *key, size_t key_length, rm_value item,
                                    rm_error *err);
/* The same with a key that is a string value, consumed; avoids copying a shared key. */
RM_API RM_MUST_CHECK int rm_map_set_key(rm_value *map, rm_value key, rm_value item, rm_error *err);
RM_API size_t rm_map_length(rm_value map);
/* Borrowed; false and null where the key is missing or `map` is no map. `item` may be NULL. */
RM_API bool rm_map_get(rm_value map, const char *key, size_t key_length, rm_value *item);
/* The entry at a place in insertion order; key (a string) and item are borrowed. false past the end. */
RM_API bool rm_map_at(rm_value map, size_t index, rm_value *key, rm_value *item);

/* ---- Tensors ----------------------------------------------------------------------------------------------- */

typedef enum rm_dtype {
    RM_BOOL8 = 1,
    RM_INT8,
    RM_INT16,
    RM_INT32,
    RM_INT64,
    RM_UINT8,
    RM_UINT16,
    RM_UINT32,
    RM_UINT64,
    RM_FLOAT16,
    RM_BFLOAT16,
    RM_FLOAT32,
    RM_FLOAT64,
    RM_COMPLEX64,
    RM_COMPLEX128,
    RM_DTYPE_COUNT,
    /* Bytes that only their description explains: records, texts, dates, numbers in the other byte order.
     * They travel unchanged; nodes that compute refuse them. */
    RM_OPAQUE
} rm_dtype;
RM_API const char *rm_dtype_name(rm_dtype dtype); /* as numpy spells it: "float32"; or "opaque" */
RM_API size_t rm_dtype_size(rm_dtype dtype);      /* bytes an element; 0 for RM_OPAQUE */
/* The dtype that rm_dtype_name calls so; 0 where there is none. */
RM_API rm_dtype rm_dtype_from_name(const char *name);

enum { RM_MAX_DIMENSIONS = 64 };

/* What the elements of a tensor mean. Audio is (frames, channels). */
typedef enum rm_media_kind { RM_MEDIA_NONE, RM_MEDIA_AUDIO } rm_media_kind;
typedef struct rm_media {
    rm_media_kind kind;
    int32_t sample_rate;     /* audio: Hz */
    uint64_t channel_layout; /* audio: bit mask of RM_CHANNEL_*, in channel order; 0 if not known */
} rm_media;
enum {
    RM_CHANNEL_FRONT_LEFT = 1,
    RM_CHANNEL_FRONT_RIGHT = 2,
    RM_CHANNEL_FRONT_CENTER = 4,
    RM_CHANNEL_LFE = 8,
    RM_CHANNEL_BACK_LEFT = 16,
    RM_CHANNEL_BACK_RIGHT = 32,
    RM_CHANNEL_SIDE_LEFT = 512,
    RM_CHANNEL_SIDE_RIGHT = 1024
};

/* How a tensor lies in memory. Borrowed from the tensor value that it was read from. */
typedef struct rm_tensor {
    void *data; /* the first element; read only when read_only, or when the value has other owners */
    rm_dtype dtype;
    size_t item_size; /* bytes an element; may be 0 in what is handed over, but for RM_OPAQUE */
    /* RM_OPAQUE: what an element is, as JSON: numpy's letters (">f4" in quotes) or list of fields. Else NULL. */
    const char *description;
    int32_t dimensions;
    const int64_t *shape;
    const int64_t *strides; /* in elements, as DLPack's; may be negative; never NULL unless dimensions is 0 */
    bool read_only;
    rm_media media;
} rm_tensor;

/* A new C-contiguous tensor, zeroed, aligned to 64 bytes. Sizes are checked (RM_E_LIMIT). *out is owned. */
RM_API RM_MUST_CHECK int rm_tensor_new(const rm_allocator *allocator, rm_dtype dtype, int32_t dimensions,
                                       const int64_t *shape, rm_value *out, rm_error *err);
/* A tensor over memory of someone else, described by `view` (copied; without strides: in C order).
 * `release(owner)` is called once when the last value that shares the memory is gone, from whichever thread;
 * also when this function fails. `release` may be NULL. *out is owned. */
RM_API RM_MUST_CHECK int rm_tensor_wrap(const rm_allocator *allocator, const rm_tensor *view, void *owner,
                                        void (*release)(void *owner), rm_value *out, rm_error *err);
/* The layout of a tensor value; all zero when `value` is no tensor. */
RM_API rm_tensor rm_tensor_view(rm_value value);
/* A new tensor as `view` describes it, in C order or in Fortran order (the first dimension runs fastest);
 * its data and strides are not looked at. Zeroed, aligned to 64 bytes. *out is owned. */
RM_API RM_MUST_CHECK int rm_tensor_new_like(const rm_allocator *allocator, const rm_tensor *view,
                                            bool fortran, rm_value *out, rm_error *err);
/* [start, start + count) along the first dimension, sharing the memory. *out is owned. */
RM_API RM_MUST_CHECK int rm_tensor_slice(const rm_allocator *allocator, rm_value tensor, int64_t start,
                                         int64_t count, rm_value *out, rm_error *err);
/* The same memory in another layout (data, dtype, shape and strides of `view`; no strides: C order) within that of
 * `tensor`, else RM_E_VALUE: one channel, dimensions reordered, reversed, split or joined. *out is owned. */
RM_API RM_MUST_CHECK int rm_tensor_share(const rm_allocator *allocator, rm_value tensor,
                                         const rm_tensor *view, rm_value *out, rm_error *err);
/* Sets what the elements mean; the value must have one owner, else RM_E_USAGE. */
RM_API RM_MUST_CHECK int rm_tensor_set_media(rm_value *tensor, rm_media media, rm_error *err);
RM_API size_t rm_tensor_count(rm_value tensor); /* elements; 0 when it is no tensor */
RM_API size_t rm_tensor_bytes(rm_value tensor); /* what the elements take in a row: count times item_size */
RM_API bool rm_tensor_is_contiguous(rm_value tensor); /* in C order */
RM_API bool rm_tensor_is_fortran(rm_value tensor);    /* contiguous in Fortran order */
/* *out (owned) is `tensor` itself when C-contiguous, else a contiguous copy. */
RM_API RM_MUST_CHECK int rm_tensor_contiguous(const rm_allocator *allocator, rm_value tensor, rm_value *out,
                                              rm_error *err);

/* Adds a number to each element, or multiplies each by it (RM_ADD, RM_MULTIPLY; else RM_E_USAGE), as numpy does with an
 * array and a number of Python's: the dtype stays, and integers wrap around; only integers and a float give float64.
 * RM_E_VALUE for an integer that the elements cannot hold, RM_E_TYPE for bool and opaque ones. Results are the same bits on
 * every host. *tensor gets its elements changed in place where it is alone, else it becomes another tensor, in C order or,
 * where it was, in Fortran order; media stay. It keeps its elements on failure. */
RM_API RM_MUST_CHECK int rm_tensor_compute(const rm_allocator *allocator, rm_operation operation,
                                           rm_value *tensor, rm_value operand, rm_error *err);

/* ---- Objects ----------------------------------------------------------------------------------------------- */

/* What the runtime must know of opaque references of one type. The table lives as long as the program. */
typedef struct rm_object_type {
    uint32_t size;    /* sizeof(rm_object_type) */
    const char *name; /* for messages */
    /* The last owner is gone. Any thread. */
    void (*release)(void *object);
    /* Optional. A private copy for another branch; *out is owned; without it branches share the object. */
    int (*copy)(void *object, rm_value *out, rm_error *err);
    /* The same thing as a plain value, for native nodes and for output. *out is owned. */
    int (*to_value)(void *object, const rm_allocator *allocator, rm_value *out, rm_error *err);
    /* Optional. Its type as its language names it, for messages; valid while the object is. */
    const char *(*type_name)(void *object);
    /* Optional. Bytes that it holds, where they are many: queues are limited in bytes too. Any thread. */
    size_t (*bytes)(void *object);
} rm_object_type;

/* Wraps a reference, which is consumed (released on failure). *out is owned. */
RM_API RM_MUST_CHECK int rm_object_new(const rm_allocator *allocator, const rm_object_type *type,
                                       void *object, rm_value *out, rm_error *err);
/* The reference inside, borrowed, when `value` is an object of `type` (or of any type when NULL); else
 * NULL. */
RM_API void *rm_object_get(rm_value value, const rm_object_type *type);
RM_API const rm_object_type *rm_object_type_of(rm_value value);
/* `value` with every object in it, at any depth, made plain; *out is owned. */
RM_API RM_MUST_CHECK int rm_value_to_plain(const rm_allocator *allocator, rm_value value, rm_value *out,
                                           rm_error *err);
/* A copy for another branch: objects by their `copy`, everything else shared. *out is owned. */
RM_API RM_MUST_CHECK int rm_value_for_branch(rm_value value, rm_value *out, rm_error *err);

/* ---- JSON -------------------------------------------------------------------------------------------------- */

enum {
    RM_JSON_RAW = 1,          /* reading: {"__numpy__": ...} is a plain map */
    RM_JSON_WHOLE_AS_INT = 2, /* writing: 5.0 prints as 5 */
    RM_JSON_PRETTY = 4,       /* writing: indented by two spaces */
    /* writing: tensors are nested lists (of numbers, booleans, [re, im], texts, dates, maps of a record's
     * fields); RM_E_UNSUPPORTED for elements that are none of these */
    RM_JSON_ARRAYS_AS_LISTS = 8,
};
/* Reads one JSON text. Errors give line and column (RM_E_PARSE) or the place (RM_E_LIMIT). *out is owned. */
RM_API RM_MUST_CHECK int rm_json_parse(const rm_allocator *allocator, const char *text, size_t length,
                                       unsigned flags, rm_value *out, rm_error *err);
/* Writes `value`: shortest floats, exact integers, key order kept, UTF-8 unescaped. NaN and infinities
 * print as null and set *had_nan to true (may be NULL; it is never set to false). *text is owned, NUL-
 * terminated: release with rm_text_free(allocator, text, length). */
RM_API RM_MUST_CHECK int rm_json_write(const rm_allocator *allocator, rm_value value, unsigned flags,
                                       char **text, size_t *length, bool *had_nan, rm_error *err);
RM_API void rm_text_free(const rm_allocator *allocator, char *text, size_t length);

/* ---- Errors ------------------------------------------------------------------------------------------------ */

/* What went wrong. Start with `rm_error err = {0};` and end with rm_error_clear. Texts too long are cut
 * with "...". */
struct rm_error {
    int code;          /* RM_E_*, or RM_OK */
    char message[512]; /* what is wrong, where, and what would be right */
    char hint[256];    /* a further suggestion; empty if there is none */
    char node[128];    /* id of the node that failed; empty if there is none */
    char pointer[256]; /* JSON pointer to the offending place in the manifest; empty if none or the root */
    bool has_pointer;
    bool has_item;
    bool no_memory; /* memory ran out in other people's code (Python's MemoryError): an error like others */
    int64_t item;   /* index of the input item, when has_item */
    rm_value traceback; /* owned: list of {"file", "line", "function", "text"}, outermost first; or null */
    rm_value detail;    /* owned: string, the full text for a log (a whole traceback); null if none */
    void (*release)(rm_error *err); /* gives up traceback and detail; set with them, else NULL */
};

/* Fills code and message (a former content is cleared) and returns `code`, so that failing is one
 * statement. */
RM_API int rm_error_set(rm_error *err, int code, const char *format, ...) RM_PRINTF(3, 4);
RM_API void rm_error_hint(rm_error *err, const char *format, ...) RM_PRINTF(2, 3);
RM_API void rm_error_pointer(rm_error *err, const char *format, ...) RM_PRINTF(2, 3);
RM_API void rm_error_clear(rm_error *err);
/* Moves `from` over `to`, clearing what `to` held; `from` is empty afterwards. `to` may be NULL. */
RM_API void rm_error_move(rm_error *to, rm_error *from);
/* {"code", "message", "node", "pointer", "item", "hint", "traceback"}, absent where unknown. *out is
 * owned. */
RM_API RM_MUST_CHECK int rm_error_to_value(const rm_allocator *allocator, const rm_error *error,
                                           rm_value *out, rm_error *err);

/* ---- Packets ----------------------------------------------------------------------------------------------- */

#define RM_NO_TIME INT64_MIN
/* Packets that a flush emits have this seq plus the node's place in topological order. */
#define RM_SEQ_END ((int64_t)1 << 62)

enum { RM_PACKET_DISCONTINUITY = 1, RM_PACKET_END_OF_SEGMENT = 2, RM_PACKET_KEY_FRAME = 4 };

/* What flows through a connection. Start from rm_packet_of. */
typedef struct rm_packet {
    rm_value value;           /* owned */
    int64_t seq;              /* index of the input item that it derives from */
    int64_t timestamp;        /* nanoseconds, or RM_NO_TIME */
    int64_t duration;         /* nanoseconds, or RM_NO_TIME */
    struct rm_heap *metadata; /* owned: a map, or NULL; see rm_packet_metadata */
    uint32_t flags;           /* RM_PACKET_* */
    uint32_t reserved;
} rm_packet;

/* A packet around `value`, which is consumed. */
static inline rm_packet rm_packet_of(rm_value value)
{
    return (rm_packet){.value = value, .seq = -1, .timestamp = RM_NO_TIME, .duration = RM_NO_TIME};
}
/* Releases value and metadata; seq and times stay readable. */
RM_API void rm_packet_clear(rm_packet *packet);
/* Takes value and metadata out; what is left is empty, but its seq and times stay readable. */
static inline rm_packet rm_packet_move(rm_packet *packet)
{
    rm_packet taken = *packet;
    packet->value = rm_null();
    packet->metadata = NULL;
    return taken;
}
/* The metadata as a map value, borrowed; null if there is none. */
static inline rm_value rm_packet_metadata(const rm_packet *packet)
{
    return packet->metadata ? (rm_value){.kind = RM_MAP, .heap = packet->metadata} : rm_null();
}
/* Replaces the metadata by `map`, which is consumed: a map, or null for none. */
RM_API void rm_packet_set_metadata(rm_packet *packet, rm_value map);

/* ---- Runtime ----------------------------------------------------------------------------------------------- */

typedef enum rm_log_level { RM_LOG_ERROR, RM_LOG_WARNING, RM_LOG_INFO, RM_LOG_DEBUG } rm_log_level;
/* Called for each message; `node` is an id or NULL. Text is borrowed. Any thread that runs a pipeline. */
typedef void rm_log_function(void *context, rm_log_level level, const char *node, const char *text);

typedef struct rm_config {
    uint32_t size;                 /* sizeof(rm_config) */
    const rm_allocator *allocator; /* NULL: the C library's */
    rm_log_function *log;          /* NULL: nothing is logged */
    void *log_context;
} rm_config;

/* Knows the node types; pipelines are made from it. Outlives what was made from it. */
typedef struct rm_runtime rm_runtime;
/* `config` may be NULL. *out is owned: rm_runtime_free. */
RM_API RM_MUST_CHECK int rm_runtime_new(const rm_config *config, rm_runtime **out, rm_error *err);
RM_API void rm_runtime_free(rm_runtime *runtime);
/* Asks the code that a call in progress is loading (Python modules while a manifest is validated) to stop: the call
 * fails with RM_E_CANCELLED. One that has just begun may miss it: ask again, every 10 ms say, until the call has
 * returned. Any thread, but no signal handler; `runtime` lives until this returns, and nothing is added to it
 * meanwhile. */
RM_API void rm_runtime_interrupt(rm_runtime *runtime);
RM_API const rm_allocator *rm_runtime_allocator(const rm_runtime *runtime);
RM_API void rm_runtime_log(const rm_runtime *runtime, rm_log_level level, const char *node,
                           const char *format, ...) RM_PRINTF(4, 5);
/* Adds the node types of a shared object (see node.h). Never unloaded before rm_runtime_free. */
RM_API RM_MUST_CHECK int rm_runtime_load_plugin(rm_runtime *runtime, const char *path, rm_error *err);

/* How a Python node is given arrays: as remotemedia.Tensor, or as numpy's over the same memory. */
typedef enum rm_arrays { RM_ARRAYS_UNSAID, RM_ARRAYS_TENSOR, RM_ARRAYS_NUMPY } rm_arrays;

typedef struct rm_python_config {
    uint32_t size;            /* sizeof(rm_python_config) */
    const char *home;         /* directory that has lib/python3.13; NULL: found beside the program */
    const char *const *paths; /* NULL-terminated list of directories for the user's modules; may be NULL */
    int64_t seed;             /* for `random`, when has_seed */
    bool has_seed;
    rm_arrays arrays; /* for nodes whose manifest and class do not say; unsaid: as Tensors */
} rm_python_config;
/* Lets `runtime` resolve Python node types. In libremotemedia_python. The interpreter starts with the
 * first Python node, once a process, and is never ended; where the application runs CPython 3.13 already,
 * that one is used, and `home` is not. Functions of the runtime may be called with its GIL held or
 * without. `config` (copied) may be NULL. */
RM_API RM_MUST_CHECK int rm_python_attach(rm_runtime *runtime, const rm_python_config *config, rm_error *err);

/* The version as "1.2.3"; {"version", "features": {...}, ...} as a value (*out is owned). */
RM_API const char *rm_version(void);
RM_API RM_MUST_CHECK int rm_version_info(const rm_runtime *runtime, rm_value *out, rm_error *err);

/* ---- Manifests --------------------------------------------------------------------------------------------- */

/* A parsed, checked manifest: its fields, types and ids are right. Immutable: shared by any number of
 * pipelines. */
typedef struct rm_manifest rm_manifest;
/* Parses a bare manifest or {"manifest": ..., "input_data": ...}. *out is owned: rm_manifest_free. */
RM_API RM_MUST_CHECK int rm_manifest_parse(rm_runtime *runtime, const char *text, size_t length,
                                           rm_manifest **out, rm_error *err);
RM_API RM_MUST_CHECK int rm_manifest_load(rm_runtime *runtime, const char *path, rm_manifest **out,
                                          rm_error *err);
/* The same from text that the caller has read from `path` (NULL: from nowhere): modules are looked for
 * beside it. `input_flags` (RM_JSON_RAW) is how `input_data` is read. */
RM_API RM_MUST_CHECK int rm_manifest_parse_with(rm_runtime *runtime, const char *text, size_t length,
                                                const char *path, unsigned input_flags, rm_manifest **out,
                                                rm_error *err);
RM_API void rm_manifest_free(rm_manifest *manifest);
/* The `input_data` beside the manifest: a list, a map from source id to list, or null. Borrowed. */
RM_API rm_value rm_manifest_input(const rm_manifest *manifest);
/* Overrides one parameter before a pipeline is opened; `value` is consumed. An unknown node is
 * RM_E_UNKNOWN_NODE. */
RM_API RM_MUST_CHECK int rm_manifest_set_param(rm_manifest *manifest, const char *node, const char *param,
                                               rm_value value, rm_error *err);
/* All that can be checked without running: node types, parameters, ports, connections, cycles, features, and which
 * sources `input_data` names. */
RM_API RM_MUST_CHECK int rm_manifest_validate(rm_manifest *manifest, rm_error *err);
/* Whether `items`, where they are a map from source id to list, name sources of the manifest: else
 * RM_E_UNKNOWN_NODE. */
RM_API RM_MUST_CHECK int rm_manifest_check_input(const rm_manifest *manifest, rm_value items, rm_error *err);

typedef enum rm_diagram { RM_DIAGRAM_MERMAID, RM_DIAGRAM_DOT } rm_diagram;
/* The graph of a valid manifest as text. *text is owned: rm_text_free(allocator, text, length). */
RM_API RM_MUST_CHECK int rm_manifest_diagram(rm_manifest *manifest, rm_diagram format, char **text,
                                             size_t *length, rm_error *err);
/* A JSON Schema (2020-12) of manifests, with the parameters of every native node type. *out is owned. */
RM_API RM_MUST_CHECK int rm_runtime_schema(const rm_runtime *runtime, rm_value *out, rm_error *err);
/* Appends to *list (a list, owned by the caller) what `nodes list` shows: {"name", "aliases", "summary",
 * "kind": "native"|"python", ...} a type; with `name` only that one, with "params", "ports" and
 * "description", native before Python. RM_E_UNKNOWN_NODE_TYPE with a suggestion when there is none. */
RM_API RM_MUST_CHECK int rm_runtime_describe_nodes(const rm_runtime *runtime, const char *name,
                                                   rm_value *list, rm_error *err);

/* ---- Pipelines --------------------------------------------------------------------------------------------- */

/* Gives the next input item: RM_OK with *item (owned by the caller) for *source (an id; NULL, as preset:
 * for every source); RM_AGAIN: none now, but later; RM_DONE: no more; or a failure, which ends the run. */
typedef int rm_input_function(void *context, const char **source, rm_value *item, rm_error *err);

typedef struct rm_pipeline rm_pipeline;

typedef struct rm_pipeline_options {
    uint32_t size;        /* sizeof(rm_pipeline_options) */
    int64_t timeout_ms;   /* for the whole run; 0: none */
    size_t queue_packets; /* limit of a connection that sets none; 0: the default, 64 */
    bool generate;        /* no input is coming: sources generate */
    bool may_block;       /* rm_run_step may wait for pending nodes instead of answering RM_PENDING */
    bool measure;         /* count nanoseconds a node, for rm_pipeline_metrics */
    /* Optional: where input items come from instead of rm_pipeline_push, so that streaming nodes see
     * theirs live. */
    rm_input_function *input;
    void *input_context;
    /* Optional, with `input`: waits until there may be more input or a pending node is due
     * (rm_pipeline_wait), after taking what results there are. Called inside rm_run_step when a streaming
     * node needs an item and none can be had; without it (and without may_block, and without threads) such a
     * node gets its stream when all of it is there. A failure ends the run. */
    int (*wait)(void *context, rm_pipeline *pipeline, rm_error *err);
    void *wait_context;
    /* Optional: told the pipeline before nodes are opened, so that rm_pipeline_cancel can end a slow
     * opening (nothing else may be done with it yet), and NULL before it is freed because opening failed. */
    void (*opening)(void *context, rm_pipeline *pipeline);
    void *opening_context;
} rm_pipeline_options;

/* Builds the graph of `manifest` (borrowed, must outlive it) and opens every node; when one fails, those
 * opened are closed. `options` may be NULL. *out is owned: rm_pipeline_free. */
RM_API RM_MUST_CHECK int rm_pipeline_open(rm_manifest *manifest, const rm_pipeline_options *options,
                                          rm_pipeline **out, rm_error *err);
/* Closes what is open and frees; pending results are dropped. */
RM_API void rm_pipeline_free(rm_pipeline *pipeline);

/* Offers the next input item to the source `source` (NULL: to every source). RM_OK: `item` was consumed.
 * RM_AGAIN: the queue is full and `item` is still the caller's; run a step, pull, push again. RM_DONE: no
 * source wants more (item kept). */
RM_API RM_MUST_CHECK int rm_pipeline_push(rm_pipeline *pipeline, const char *source, rm_value item,
                                          rm_error *err);
/* No more input will come. Idempotent. */
RM_API RM_MUST_CHECK int rm_pipeline_finish(rm_pipeline *pipeline, rm_error *err);
/* Does a bounded amount of work. RM_OK: there is more; RM_AGAIN: it needs input, or room for results
 * (pull); RM_PENDING: nodes wait for time or wake; RM_DONE: all is done and every node closed; an error:
 * the run failed. */
RM_API RM_MUST_CHECK int rm_run_step(rm_pipeline *pipeline, rm_error *err);
/* RM_PENDING's deadline on the monotonic clock, ns; INT64_MAX if only a wake or a descriptor can end the
 * wait. */
RM_API int64_t rm_pipeline_next_deadline(const rm_pipeline *pipeline);
/* After RM_PENDING or RM_AGAIN: waits until a step may get further, because a node is due or woken, the
 * run was cancelled or is out of time, or one of `descriptors` (up to 16, borrowed; where the caller's
 * input comes from) is readable. */
RM_API void rm_pipeline_wait(rm_pipeline *pipeline, const int *descriptors, size_t count);
/* Takes the next result in (seq, sink) order: RM_OK and *packet is owned, *sink its index; RM_AGAIN: none
 * yet; RM_DONE: none will come. After a failed run it still gives what was emitted before. */
RM_API RM_MUST_CHECK int rm_pipeline_pull(rm_pipeline *pipeline, size_t *sink, rm_packet *packet,
                                          rm_error *err);
RM_API size_t rm_pipeline_sink_count(const rm_pipeline *pipeline);
/* Borrowed; NULL past the end. */
RM_API const char *rm_pipeline_sink_id(const rm_pipeline *pipeline, size_t sink);
/* Changes a parameter that may change while running ("live" in `nodes info`), between two steps: packets
 * that are taken from then on see the new value. `value` is consumed; nothing changes on failure. */
RM_API RM_MUST_CHECK int rm_pipeline_set_param(rm_pipeline *pipeline, const char *node, const char *param,
                                               rm_value value, rm_error *err);
/* Asks the run to stop soon; it then fails with RM_E_CANCELLED. Any thread; safe in a signal handler. */
RM_API void rm_pipeline_cancel(rm_pipeline *pipeline);
/* The node that is in a call right now, or NULL; for telling which one does not stop. Any thread. */
RM_API const char *rm_pipeline_current_node(const rm_pipeline *pipeline);
/* {"node_count", "source_count", "sink_count", "execution_order"}. *out is owned. */
RM_API RM_MUST_CHECK int rm_pipeline_graph_info(const rm_pipeline *pipeline, rm_value *out, rm_error *err);
/* Items that failed under on_error "collect" so far: a list of error documents. *out is owned. */
RM_API RM_MUST_CHECK int rm_pipeline_failures(const rm_pipeline *pipeline, rm_value *out, rm_error *err);
/* {node id: {"in", "out", "dropped", "failed", "ns"}}. *out is owned. */
RM_API RM_MUST_CHECK int rm_pipeline_metrics(const rm_pipeline *pipeline, rm_value *out, rm_error *err);

/* Runs a manifest to its end over `input` (a list, a map from source id to list, or null: sources
 * generate; borrowed). *outputs (owned) is {sink id: [values]}, plain values only; also after a failure:
 * what was emitted before. */
RM_API RM_MUST_CHECK int rm_run(rm_manifest *manifest, const rm_pipeline_options *options, rm_value input,
                                rm_value *outputs, rm_error *err);

#ifdef __cplusplus
}
#endif
#include "remotemedia/sandbox.h"
#endif
