/* RemoteMedia: runs media and data pipelines. Programs that embed it include this header; authors of nodes
 * include node.h, which includes this one.
 *
 * Words in the comments: a function *borrows* its arguments, unless a comment says that it *consumes* one:
 * then the function takes it over, also on failure. The caller releases *owned* results. Functions that can
 * fail return RM_OK or a negative RM_E_* code and describe the failure in `err`, which belongs to the caller
 * and may be NULL; any of them can return RM_E_OUT_OF_MEMORY. Threads: an object may move between threads but
 * is used by one at a time, unless a comment says otherwise. */
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
/* The caller must use the result: a code that may be a failure, or an owned result. */
#define RM_MUST_CHECK __attribute__((warn_unused_result))
#else
#define RM_API
#define RM_PRINTF(text, arguments)
#define RM_MUST_CHECK
#endif

/* ---- Codes ------------------------------------------------------------------------------------------------- */

/* Return codes that are not failures. */
enum {
    RM_OK = 0,
    RM_MORE = 1,    /* call again without a packet: the item has more to emit */
    RM_PENDING = 2, /* the work goes on elsewhere, until a time or rm_node_wake */
    RM_DONE = 3,    /* no more packets are wanted, or none will come */
    RM_AGAIN = 4,   /* not now: a queue is full or empty */
};

/* Every failure: the code, and its name in error documents. Codes are negative, in this order from -1. */
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

/* The name of a code in error documents ("unknown_field"); "ok" for RM_OK, "unknown" for any other number.
 * Any thread. */
RM_API const char *rm_code_name(int code);

/* ---- Memory ------------------------------------------------------------------------------------------------ */

/* The host's memory. `resize` allocates (`block` NULL, `old_size` 0), resizes, or frees (`new_size` 0,
 * returns NULL). `old_size` is the size that the block has. A failing call returns NULL and leaves the block
 * unchanged. Blocks are aligned as malloc aligns. Threads: called from every thread that uses an object made
 * with it. Must outlive all blocks. */
typedef struct rm_allocator {
    void *context;
    void *(*resize)(void *context, void *block, size_t old_size, size_t new_size);
} rm_allocator;

/* The C library's allocator; lives as long as the program. NULL for an `rm_allocator *` means this one,
 * everywhere. */
RM_API const rm_allocator *rm_allocator_default(void);

/* ---- Values ------------------------------------------------------------------------------------------------ */

typedef enum rm_kind {
    RM_NULL,
    RM_BOOL,
    RM_INT,    /* int64_t */
    RM_FLOAT,  /* double */
    RM_BIGINT, /* an integer that int64_t cannot hold */
    RM_STRING, /* UTF-8, may contain NUL */
    RM_BYTES,
    RM_LIST,
    RM_MAP, /* string keys, in order of insertion */
    RM_TENSOR,
    RM_OBJECT, /* opaque to the runtime; has an rm_object_type */
    RM_KIND_COUNT
} rm_kind;

/* A value, passed as a struct. {0} is null. Scalars own nothing; the other kinds share one counted block,
 * which is immutable while it has several owners. Copying the struct adds no owner: use rm_value_retain for
 * that. Threads: the count is atomic; different owners may release from different threads. */
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

/* "null", "bool", "int" (also for RM_BIGINT), "float", "string", "bytes", "list", "map", "tensor",
 * "object". */
RM_API const char *rm_kind_name(rm_kind kind);
/* Adds an owner of the same content; never fails. */
RM_API rm_value rm_value_retain(rm_value value);
/* Drops one owner and leaves null; the last one frees the content. Clearing null does nothing. */
RM_API void rm_value_clear(rm_value *value);
/* Moves the content out of `value`, leaving null. */
static inline rm_value rm_value_move(rm_value *value)
{
    rm_value taken = *value;
    *value = rm_null();
    return taken;
}
/* Makes `value` (list, map, bytes, tensor) safe to change: replaces it by a shallow copy if it has other
 * owners. Does nothing for other kinds. A failure leaves it unchanged. */
RM_API RM_MUST_CHECK int rm_value_make_unique(const rm_allocator *allocator, rm_value *value, rm_error *err);
/* Whether the content is the same: 1 and 1.0 differ, 0.0 and -0.0 too, NaN equals NaN, maps compare in order,
 * tensors by dtype, shape and elements. Values nested deeper than 1,000 levels differ. */
RM_API bool rm_value_equal(rm_value a, rm_value b);

/* Makes a string of UTF-8; other bytes are RM_E_PARSE with the offset. *out is owned. */
RM_API RM_MUST_CHECK int rm_string_new(const rm_allocator *allocator, const char *text, size_t length,
                                       rm_value *out, rm_error *err);
/* The text, NUL-terminated, borrowed from the value; *length (may be NULL) is its bytes. NULL and 0 when
 * `value` is no string. */
RM_API const char *rm_string_text(rm_value value, size_t *length);
/* Makes bytes of a copy of `data`, or zeroed ones when `data` is NULL, for rm_bytes_data_mut. *out is
 * owned. */
RM_API RM_MUST_CHECK int rm_bytes_new(const rm_allocator *allocator, const void *data, size_t length,
                                      rm_value *out, rm_error *err);
/* The bytes, borrowed from the value; `length` may be NULL. NULL and 0 when `value` is no bytes. */
RM_API const uint8_t *rm_bytes_data(rm_value value, size_t *length);
/* The bytes for changes, borrowed; NULL also when `value` has other owners (rm_value_make_unique). */
RM_API uint8_t *rm_bytes_data_mut(rm_value value, size_t *length);
/* Reads an integer from decimal text ("-12"), RM_INT where it fits; over 4,300 digits RM_E_LIMIT. *out is
 * owned. */
RM_API RM_MUST_CHECK int rm_integer_parse(const rm_allocator *allocator, const char *text, size_t length,
                                          rm_value *out, rm_error *err);
/* Makes an integer of `length` little-endian bytes in two's complement, RM_INT where it fits. *out is
 * owned. */
RM_API RM_MUST_CHECK int rm_integer_from_bytes(const rm_allocator *allocator, const uint8_t *bytes,
                                               size_t length, rm_value *out, rm_error *err);
/* Writes an integer of any size as little-endian two's complement. Returns the bytes needed; writes nothing
 * when they are more than `capacity`. */
RM_API size_t rm_integer_to_bytes(rm_value value, uint8_t *bytes, size_t capacity);

/* Computes as Python does on int, bool, float and big integers: integers stay exact, a float operand gives a
 * float, `/` of integers gives an integer when it divides and a float otherwise, modulo has the sign of the
 * divisor. RM_E_ARITHMETIC for division by zero, RM_E_LIMIT past 4,300 digits, RM_E_TYPE for other kinds.
 * *out is owned. */
typedef enum rm_operation { RM_ADD, RM_SUBTRACT, RM_MULTIPLY, RM_DIVIDE, RM_POWER, RM_MODULO } rm_operation;
RM_API RM_MUST_CHECK int rm_number_compute(const rm_allocator *allocator, rm_operation operation, rm_value a,
                                           rm_value b, rm_value *out, rm_error *err);

/* Makes an empty list with room for `capacity` values. *out is owned. */
RM_API RM_MUST_CHECK int rm_list_new(const rm_allocator *allocator, size_t capacity, rm_value *out,
                                     rm_error *err);
/* Appends `item`, which is consumed. RM_E_USAGE when the list has other owners (rm_value_make_unique). */
RM_API RM_MUST_CHECK int rm_list_append(rm_value *list, rm_value item, rm_error *err);
/* The number of items; 0 when `list` is no list. */
RM_API size_t rm_list_length(rm_value list);
/* The item at an index, borrowed from the list; null past the end. */
RM_API rm_value rm_list_get(rm_value list, size_t index);

/* Makes an empty map with room for `capacity` entries. *out is owned. */
RM_API RM_MUST_CHECK int rm_map_new(const rm_allocator *allocator, size_t capacity, rm_value *out,
                                    rm_error *err);
/* Sets a key (UTF-8, checked) to `item`, which is consumed; an existing key keeps its place. RM_E_USAGE when
 * the map has other owners. */
RM_API RM_MUST_CHECK int rm_map_set(rm_value *map, const char *key, size_t key_length, rm_value item,
                                    rm_error *err);
/* The same with a string value as key, consumed; avoids copying a shared key. */
RM_API RM_MUST_CHECK int rm_map_set_key(rm_value *map, rm_value key, rm_value item, rm_error *err);
/* The number of entries; 0 when `map` is no map. */
RM_API size_t rm_map_length(rm_value map);
/* Finds the item of a key, borrowed; returns false, and null, where the key is missing or `map` is no map.
 * `item` may be NULL. */
RM_API bool rm_map_get(rm_value map, const char *key, size_t key_length, rm_value *item);
/* The entry at an index in insertion order; key (a string) and item are borrowed, and either may be NULL.
 * Returns false past the end. */
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
     * They pass through unchanged; nodes that compute refuse them. */
    RM_OPAQUE
} rm_dtype;
RM_API const char *rm_dtype_name(rm_dtype dtype); /* numpy's name: "float32"; or "opaque" */
RM_API size_t rm_dtype_size(rm_dtype dtype);      /* bytes an element; 0 for RM_OPAQUE */
/* The dtype with this name of rm_dtype_name; 0 where there is none. */
RM_API rm_dtype rm_dtype_from_name(const char *name);

enum { RM_MAX_DIMENSIONS = 64 };

/* The meaning of a tensor's elements. Audio has the shape (frames, channels). */
typedef enum rm_media_kind { RM_MEDIA_NONE, RM_MEDIA_AUDIO } rm_media_kind;
typedef struct rm_media {
    rm_media_kind kind;
    int32_t sample_rate;     /* audio: Hz */
    uint64_t channel_layout; /* audio: bit mask of RM_CHANNEL_*, in channel order; 0 if unknown */
} rm_media;
enum {
    RM_CHANNEL_FRONT_LEFT = 1,
    RM_CHANNEL_FRONT_RIGHT = 2,
    RM_CHANNEL_FRONT_CENTER = 4,
    RM_CHANNEL_LFE = 8,
    RM_CHANNEL_BACK_LEFT = 16,
    RM_CHANNEL_BACK_RIGHT = 32,
    RM_CHANNEL_FRONT_LEFT_OF_CENTER = 64,
    RM_CHANNEL_FRONT_RIGHT_OF_CENTER = 128,
    RM_CHANNEL_BACK_CENTER = 256,
    RM_CHANNEL_SIDE_LEFT = 512,
    RM_CHANNEL_SIDE_RIGHT = 1024
};

/* The layout of a tensor in memory. Borrowed from the tensor value that it was read from. */
typedef struct rm_tensor {
    void *data; /* the first element; read only when read_only, or when the value has other owners */
    rm_dtype dtype;
    size_t item_size; /* bytes an element; 0 is allowed in arguments, except for RM_OPAQUE */
    /* RM_OPAQUE: the element as JSON: numpy's letters (">f4" in quotes) or list of fields. Else NULL. */
    const char *description;
    int32_t dimensions;
    const int64_t *shape;
    const int64_t *strides; /* in elements, as in DLPack; may be negative; NULL only when dimensions is 0 */
    bool read_only;
    rm_media media;
} rm_tensor;

/* Makes a C-contiguous tensor, zeroed, aligned to 64 bytes. RM_E_LIMIT for more dimensions than
 * RM_MAX_DIMENSIONS and for sizes that do not fit memory, RM_E_VALUE for a negative size. *out is owned. */
RM_API RM_MUST_CHECK int rm_tensor_new(const rm_allocator *allocator, rm_dtype dtype, int32_t dimensions,
                                       const int64_t *shape, rm_value *out, rm_error *err);
/* Makes a tensor over memory of the caller, described by `view` (copied; without strides: C order).
 * `release(owner)` is called once, when the last value that shares the memory is gone, from any thread; or at
 * once when this function fails. `release` may be NULL. Errors as for rm_tensor_new, and RM_E_USAGE for
 * missing data. *out is owned. */
RM_API RM_MUST_CHECK int rm_tensor_wrap(const rm_allocator *allocator, const rm_tensor *view, void *owner,
                                        void (*release)(void *owner), rm_value *out, rm_error *err);
/* The layout of a tensor value, borrowed; all zero when `value` is no tensor. */
RM_API rm_tensor rm_tensor_view(rm_value value);
/* Makes a tensor with the dtype, shape and media of `view`, in C order or in Fortran order (the first
 * dimension runs fastest); ignores its data and strides. Zeroed, aligned to 64 bytes. Errors as for
 * rm_tensor_new. *out is owned. */
RM_API RM_MUST_CHECK int rm_tensor_new_like(const rm_allocator *allocator, const rm_tensor *view,
                                            bool fortran, rm_value *out, rm_error *err);
/* Makes the slice [start, start + count) along the first dimension, which shares the memory. RM_E_TYPE
 * without dimensions, RM_E_VALUE outside of the first one. *out is owned. */
RM_API RM_MUST_CHECK int rm_tensor_slice(const rm_allocator *allocator, rm_value tensor, int64_t start,
                                         int64_t count, rm_value *out, rm_error *err);
/* Makes a tensor that shares the memory of `tensor` in another layout (data, dtype, shape and strides of
 * `view`; no strides: C order): one channel, dimensions reordered, reversed, split or joined. RM_E_VALUE
 * where elements are outside of that memory. *out is owned. */
RM_API RM_MUST_CHECK int rm_tensor_share(const rm_allocator *allocator, rm_value tensor,
                                         const rm_tensor *view, rm_value *out, rm_error *err);
/* Sets the meaning of the elements. RM_E_USAGE when the tensor has other owners. */
RM_API RM_MUST_CHECK int rm_tensor_set_media(rm_value *tensor, rm_media media, rm_error *err);
RM_API size_t rm_tensor_count(rm_value tensor);       /* number of elements; 0 for no tensor */
RM_API size_t rm_tensor_bytes(rm_value tensor);       /* count times item_size */
RM_API bool rm_tensor_is_contiguous(rm_value tensor); /* in C order */
RM_API bool rm_tensor_is_fortran(rm_value tensor);    /* contiguous in Fortran order */
/* Gives `tensor` itself, shared, when it is C-contiguous, else a contiguous copy. *out is owned. */
RM_API RM_MUST_CHECK int rm_tensor_contiguous(const rm_allocator *allocator, rm_value tensor, rm_value *out,
                                              rm_error *err);

/* Adds a number to each element, or multiplies each by it, as numpy does with an array and a Python number:
 * the dtype stays, and integers wrap around; but integers and a float give float64. Results have the same
 * bits on every host. A tensor without other owners is changed in place; else *tensor is replaced by another
 * one, in Fortran order where it was, else in C order; media stay. Errors leave the elements unchanged:
 * RM_E_USAGE for other operations than RM_ADD and RM_MULTIPLY, RM_E_TYPE for bool and opaque elements and for
 * an operand that is no number, RM_E_VALUE for an integer that the elements cannot hold, RM_E_ARITHMETIC for
 * one that no float can hold. */
RM_API RM_MUST_CHECK int rm_tensor_compute(const rm_allocator *allocator, rm_operation operation,
                                           rm_value *tensor, rm_value operand, rm_error *err);

/* ---- Objects ----------------------------------------------------------------------------------------------- */

/* The functions for opaque references of one type. The table lives as long as the program. */
typedef struct rm_object_type {
    uint32_t size;    /* sizeof(rm_object_type) */
    const char *name; /* for messages */
    /* Releases the object: the last owner is gone. Any thread. */
    void (*release)(void *object);
    /* Optional. Makes a private copy for another branch; *out is owned. Without it branches share the
     * object. */
    int (*copy)(void *object, rm_value *out, rm_error *err);
    /* Converts the object to a plain value, for native nodes and for output. *out is owned. */
    int (*to_value)(void *object, const rm_allocator *allocator, rm_value *out, rm_error *err);
    /* Optional. The name of its type in its language, for messages; valid as long as the object. */
    const char *(*type_name)(void *object);
    /* Optional. The bytes that it holds, if they are many: queues are limited in bytes too. Any thread. */
    size_t (*bytes)(void *object);
} rm_object_type;

/* Makes an object of a reference, which is consumed: released by `type` on failure. *out is owned. */
RM_API RM_MUST_CHECK int rm_object_new(const rm_allocator *allocator, const rm_object_type *type,
                                       void *object, rm_value *out, rm_error *err);
/* The reference inside, borrowed, when `value` is an object of `type` (or of any type when NULL); else
 * NULL. */
RM_API void *rm_object_get(rm_value value, const rm_object_type *type);
/* The type of an object; NULL when `value` is no object. */
RM_API const rm_object_type *rm_object_type_of(rm_value value);
/* Converts every object in `value`, at any depth, to a plain value. RM_E_LIMIT for nesting, or the failure of
 * an object's to_value. *out is owned. */
RM_API RM_MUST_CHECK int rm_value_to_plain(const rm_allocator *allocator, rm_value value, rm_value *out,
                                           rm_error *err);
/* Makes a copy for another branch: objects by their `copy`, everything else shared. *out is owned. */
RM_API RM_MUST_CHECK int rm_value_for_branch(rm_value value, rm_value *out, rm_error *err);

/* ---- JSON -------------------------------------------------------------------------------------------------- */

enum {
    RM_JSON_RAW = 1,          /* reading: {"__numpy__": ...} is a plain map */
    RM_JSON_WHOLE_AS_INT = 2, /* writing: 5.0 prints as 5 */
    RM_JSON_PRETTY = 4,       /* writing: indented by two spaces */
    /* writing: tensors are nested lists (of numbers, booleans, [re, im], texts, dates, maps of a record's
     * fields); RM_E_UNSUPPORTED for other elements */
    RM_JSON_ARRAYS_AS_LISTS = 8,
};
/* Reads one JSON text. RM_E_PARSE has line and column, RM_E_LIMIT (nesting, digits) the place. *out is
 * owned. */
RM_API RM_MUST_CHECK int rm_json_parse(const rm_allocator *allocator, const char *text, size_t length,
                                       unsigned flags, rm_value *out, rm_error *err);
/* Writes `value`: shortest floats, exact integers, key order kept, UTF-8 unescaped. NaN and infinities print
 * as null and set *had_nan to true (may be NULL; it is never set to false). RM_E_UNSUPPORTED for bytes and
 * objects, RM_E_LIMIT for nesting. *text is owned, NUL-terminated: release with rm_text_free(allocator, text,
 * length). */
RM_API RM_MUST_CHECK int rm_json_write(const rm_allocator *allocator, rm_value value, unsigned flags,
                                       char **text, size_t *length, bool *had_nan, rm_error *err);
/* Frees a text of `length` bytes that was made with the same allocator; NULL is fine. */
RM_API void rm_text_free(const rm_allocator *allocator, char *text, size_t length);

/* ---- Errors ------------------------------------------------------------------------------------------------ */

/* A failure. Start with `rm_error err = {0};` and end with rm_error_clear. Texts that are too long are cut
 * with "...". */
struct rm_error {
    int code;          /* RM_E_*, or RM_OK */
    char message[512]; /* what is wrong, where, and what would be right */
    char hint[256];    /* a further suggestion; empty if there is none */
    char node[128];    /* id of the node that failed; empty if there is none */
    char pointer[256]; /* JSON pointer to the wrong place in the manifest; empty if none or the root */
    bool has_pointer;
    bool has_item;
    bool no_memory; /* memory ran out in other people's code (Python's MemoryError): an error like others */
    int64_t item;   /* index of the input item, when has_item */
    rm_value traceback; /* owned: list of {"file", "line", "function", "text"}, outermost first; or null */
    rm_value detail;    /* owned: string, the full text for a log (a whole traceback); null if none */
    void (*release)(rm_error *err); /* releases traceback and detail; set with them, else NULL */
};

/* Clears `err`, sets code and message, and returns `code`, so that failing is one statement. When `err` is
 * NULL, only returns `code`. Never allocates. The arguments may point into `err`. */
RM_API int rm_error_set(rm_error *err, int code, const char *format, ...) RM_PRINTF(3, 4);
/* Set the hint, or pointer and has_pointer, of a failure that is set already; nothing when `err` is NULL. */
RM_API void rm_error_hint(rm_error *err, const char *format, ...) RM_PRINTF(2, 3);
RM_API void rm_error_pointer(rm_error *err, const char *format, ...) RM_PRINTF(2, 3);
/* Empties `err` and releases its values; NULL is fine. */
RM_API void rm_error_clear(rm_error *err);
/* Moves `from` to `to`, which is cleared first; `from` is empty afterwards. `to` may be NULL: then only
 * clears `from`. */
RM_API void rm_error_move(rm_error *to, rm_error *from);
/* Makes {"code", "message", "node", "pointer", "item", "hint", "traceback"}, without unknown members. *out is
 * owned. */
RM_API RM_MUST_CHECK int rm_error_to_value(const rm_allocator *allocator, const rm_error *error,
                                           rm_value *out, rm_error *err);

/* ---- Packets ----------------------------------------------------------------------------------------------- */

#define RM_NO_TIME INT64_MIN
/* Packets that a flush emits have this seq plus the node's rank: its index in topological order. */
#define RM_SEQ_END ((int64_t)1 << 62)

enum { RM_PACKET_DISCONTINUITY = 1, RM_PACKET_END_OF_SEGMENT = 2, RM_PACKET_KEY_FRAME = 4 };

/* A value with its seq, times, flags and metadata: what moves between nodes. Start from rm_packet_of. */
typedef struct rm_packet {
    rm_value value;           /* owned */
    int64_t seq;              /* index of the input item that it derives from */
    int64_t timestamp;        /* nanoseconds, or RM_NO_TIME */
    int64_t duration;         /* nanoseconds, or RM_NO_TIME */
    struct rm_heap *metadata; /* owned: a map, or NULL; see rm_packet_metadata */
    uint32_t flags;           /* RM_PACKET_* */
    uint32_t reserved;
} rm_packet;

/* Makes a packet of `value`, which is consumed. */
static inline rm_packet rm_packet_of(rm_value value)
{
    return (rm_packet){.value = value, .seq = -1, .timestamp = RM_NO_TIME, .duration = RM_NO_TIME};
}
/* Releases value and metadata; seq and times stay readable. */
RM_API void rm_packet_clear(rm_packet *packet);
/* Moves value and metadata out; the rest is empty, but its seq and times stay readable. */
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
/* Called for each message; `node` is an id or NULL. Text is borrowed. Called by any thread that runs a
 * pipeline. */
typedef void rm_log_function(void *context, rm_log_level level, const char *node, const char *text);

typedef struct rm_config {
    uint32_t size;                 /* sizeof(rm_config) */
    const rm_allocator *allocator; /* NULL: the C library's */
    rm_log_function *log;          /* NULL: nothing is logged */
    void *log_context;
} rm_config;

/* The node types, allocator and log of pipelines. Outlives everything made from it. Threads: as other
 * objects, but pipelines of one runtime may run in different threads at once. */
typedef struct rm_runtime rm_runtime;
/* `config` may be NULL; its log_context must outlive the runtime. RM_E_UNSUPPORTED_VERSION for a wrong size.
 * *out is owned: rm_runtime_free. */
RM_API RM_MUST_CHECK int rm_runtime_new(const rm_config *config, rm_runtime **out, rm_error *err);
/* Frees the runtime, its resolvers and plug-ins; NULL is fine. */
RM_API void rm_runtime_free(rm_runtime *runtime);
/* Asks the code that a call in progress is loading (Python modules while a manifest is validated) to stop:
 * the call fails with RM_E_CANCELLED. A call that has just begun may miss the request: repeat it, every 10 ms
 * say, until the call has returned. Any thread, but no signal handler. `runtime` must live until this
 * returns, and nothing may be added to it meanwhile. */
RM_API void rm_runtime_interrupt(rm_runtime *runtime);
/* The allocator of the runtime, borrowed. */
RM_API const rm_allocator *rm_runtime_allocator(const rm_runtime *runtime);
/* Formats a message and gives it to the log function, if there is one; `node` may be NULL. */
RM_API void rm_runtime_log(const rm_runtime *runtime, rm_log_level level, const char *node,
                           const char *format, ...) RM_PRINTF(4, 5);
/* Adds the node types of a shared object (see node.h), all or none. rm_runtime_free unloads it.
 * RM_E_UNSUPPORTED_VERSION when it is no plug-in or made for another version, RM_E_DUPLICATE_ID when a name
 * is taken, RM_E_USAGE for a wrong table, RM_E_IO when it cannot be loaded. */
RM_API RM_MUST_CHECK int rm_runtime_load_plugin(rm_runtime *runtime, const char *path, rm_error *err);

/* The form in which a Python node gets arrays: remotemedia.Tensor, or numpy's arrays over the same memory. */
typedef enum rm_arrays { RM_ARRAYS_UNSAID, RM_ARRAYS_TENSOR, RM_ARRAYS_NUMPY } rm_arrays;

typedef struct rm_python_config {
    uint32_t size;            /* sizeof(rm_python_config) */
    const char *home;         /* directory with lib/python3.13; NULL: searched beside the program */
    const char *const *paths; /* NULL-terminated list of directories for the user's modules; may be NULL */
    int64_t seed;             /* for `random`, when has_seed */
    bool has_seed;
    rm_arrays arrays; /* for nodes whose manifest and class do not say; unsaid: Tensors */
} rm_python_config;
/* Lets `runtime` resolve Python node types. In libremotemedia_python. The interpreter starts with the first
 * Python node, once a process, and is never ended. An application that runs CPython 3.13 already shares its
 * interpreter with the nodes, and `home` is ignored. Functions of the runtime may be called with or without
 * the GIL. `config` (copied) may be NULL; RM_E_USAGE for a wrong size. */
RM_API RM_MUST_CHECK int rm_python_attach(rm_runtime *runtime, const rm_python_config *config, rm_error *err);

/* Ends the program's Python code as the end of a program in Python does, for the process is about to end: waits for
 * threads that are no daemons, calls the functions of `atexit`, writes the buffers of open files. rm_runtime_interrupt of
 * any runtime ends the waiting: then RM_E_CANCELLED with the names of threads and processes that have not ended, and
 * child processes of `multiprocessing` are terminated. Call it once, when every run has ended, without the GIL. Afterwards
 * the calling thread keeps the GIL, other threads run no Python code, and of this library the thread may call only functions
 * that free; rm_runtime_free also frees what variables of the user's modules hold. Does nothing where Python has not
 * started, and in the interpreter of an application, which ends it itself. */
RM_API RM_MUST_CHECK int rm_python_finish(rm_error *err);

/* The version as "1.2.3"; and {"version", "features": {...}, ...} as a value (*out is owned; `runtime` may be
 * NULL). */
RM_API const char *rm_version(void);
RM_API RM_MUST_CHECK int rm_version_info(const rm_runtime *runtime, rm_value *out, rm_error *err);

/* ---- Manifests --------------------------------------------------------------------------------------------- */

/* A parsed manifest, whose fields and ids are checked. Only rm_manifest_set_param changes it: any number of
 * pipelines may share it, also in different threads. Outlives its pipelines. */
typedef struct rm_manifest rm_manifest;
/* Parses a bare manifest or {"manifest": ..., "input_data": ...}, with warnings in the runtime's log. Errors
 * have the place in the text or the JSON pointer. *out is owned: rm_manifest_free. */
RM_API RM_MUST_CHECK int rm_manifest_parse(rm_runtime *runtime, const char *text, size_t length,
                                           rm_manifest **out, rm_error *err);
/* Parses the file `path`. RM_E_NOT_FOUND, RM_E_IO, or as rm_manifest_parse. *out is owned. */
RM_API RM_MUST_CHECK int rm_manifest_load(rm_runtime *runtime, const char *path, rm_manifest **out,
                                          rm_error *err);
/* Parses text that the caller has read from `path` (NULL: from no file): modules are looked for in its
 * folder. `input_flags` (RM_JSON_RAW) are the flags for reading `input_data`. *out is owned. */
RM_API RM_MUST_CHECK int rm_manifest_parse_with(rm_runtime *runtime, const char *text, size_t length,
                                                const char *path, unsigned input_flags, rm_manifest **out,
                                                rm_error *err);
/* Frees a manifest without open pipelines; NULL is fine. */
RM_API void rm_manifest_free(rm_manifest *manifest);
/* The `input_data` beside the manifest: a list, a map from source id to list, or null. Borrowed. */
RM_API rm_value rm_manifest_input(const rm_manifest *manifest);
/* Sets one parameter, in place of the manifest's, for pipelines that are opened later; `value` is consumed.
 * RM_E_UNKNOWN_NODE. Opening or rm_manifest_validate checks the parameter and the value. */
RM_API RM_MUST_CHECK int rm_manifest_set_param(rm_manifest *manifest, const char *node, const char *param,
                                               rm_value value, rm_error *err);
/* Checks all that can be checked without running: node types, parameters, ports, connections, cycles,
 * features, and the sources that `input_data` names. May load code of Python nodes; the manifest keeps what it
 * has loaded for the pipeline that is opened next. */
RM_API RM_MUST_CHECK int rm_manifest_validate(rm_manifest *manifest, rm_error *err);
/* Checks `items`, if they are a map from source id to list: every id must be a source of the manifest, else
 * RM_E_UNKNOWN_NODE. */
RM_API RM_MUST_CHECK int rm_manifest_check_input(const rm_manifest *manifest, rm_value items, rm_error *err);

typedef enum rm_diagram { RM_DIAGRAM_MERMAID, RM_DIAGRAM_DOT } rm_diagram;
/* Draws the graph of a manifest as text. Errors as for rm_manifest_validate. *text is owned:
 * rm_text_free(rm_runtime_allocator(runtime), text, length). */
RM_API RM_MUST_CHECK int rm_manifest_diagram(rm_manifest *manifest, rm_diagram format, char **text,
                                             size_t *length, rm_error *err);
/* Makes a JSON Schema (2020-12) of manifests, with the parameters of every native node type. *out is
 * owned. */
RM_API RM_MUST_CHECK int rm_runtime_schema(const rm_runtime *runtime, rm_value *out, rm_error *err);
/* Appends a map for each type to *list (a list without other owners, owned by the caller), as `nodes list`
 * shows them: {"name", "aliases", "summary", "kind": "native"|"python", ...}. With `name` only the types of
 * that name, with "params", "ports" and "description", native before Python; RM_E_UNKNOWN_NODE_TYPE with a
 * suggestion when there is none. A failure may leave appended maps. */
RM_API RM_MUST_CHECK int rm_runtime_describe_nodes(const rm_runtime *runtime, const char *name,
                                                   rm_value *list, rm_error *err);

/* ---- Pipelines --------------------------------------------------------------------------------------------- */

/* Gives the next input item: RM_OK with *item (which the runtime then owns) for *source (an id; NULL, as
 * preset: for every source); RM_AGAIN: none now, but later; RM_DONE: no more; or a failure, which fails the
 * run at that item. */
typedef int rm_input_function(void *context, const char **source, rm_value *item, rm_error *err);

/* One run of a manifest. */
typedef struct rm_pipeline rm_pipeline;

/* A descriptor of the caller's; `name` is what messages call it ("standard output"). */
typedef struct rm_caller_stream {
    const char *name;
    int descriptor;
    bool writes;
} rm_caller_stream;

typedef struct rm_pipeline_options {
    uint32_t size; /* sizeof(rm_pipeline_options); a smaller one, of an earlier header, leaves the rest 0 */
    int64_t timeout_ms;   /* of the whole run; 0: none */
    size_t queue_packets; /* limit of a connection that sets none; 0: the default, 64 */
    bool generate;        /* no input is coming: sources generate */
    bool may_block;       /* rm_run_step waits for pending nodes instead of returning RM_PENDING */
    bool measure;         /* measure the nanoseconds of each node, for rm_pipeline_metrics */
    /* Optional: gives input items, instead of rm_pipeline_push, so that streaming nodes get them live. Called
     * inside rm_run_step. */
    rm_input_function *input;
    void *input_context;
    /* Optional, with `input`: takes the results that there are (rm_pipeline_pull), then waits until there may
     * be more input or a pending node is due (rm_pipeline_wait). Called inside rm_run_step when a streaming
     * node waits in a pull and nothing else can be done. Without it (and without may_block, and without
     * threads) such a node gets its stream when all of it is there. A failure ends the run. */
    int (*wait)(void *context, rm_pipeline *pipeline, rm_error *err);
    void *wait_context;
    /* Optional: gets the pipeline before nodes are opened, so that rm_pipeline_cancel can end a slow opening
     * (no other function may be called with it yet), and NULL before it is freed because opening failed. */
    void (*opening)(void *context, rm_pipeline *pipeline);
    void *opening_context;
    /* Optional: lists of paths, ending with NULL, that the caller reads and writes itself during the run. Opening
     * fails with RM_E_VALUE where a node writes such a file or reads one of the latter; nodes among themselves are
     * checked always. */
    const char *const *reads, *const *writes;
    /* The descriptor that a node gets which is told to read standard input; -1: the run has none to give. */
    int standard_input;
    /* The descriptor that a node gets which is told to write standard output; 0: the run has none to give, as its
     * results go there; -1: standard output is closed. */
    int standard_output;
    /* Optional: descriptors that the caller reads and writes itself, ending with one without a name; a file behind them
     * is checked as those of `reads` and `writes` are. */
    const rm_caller_stream *streams;
    /* Optional: a folder in which the caller writes files SINK-NUMBER.npy, with the ids of nodes that have results. */
    const char *array_folder;
    /* Results may be objects, which then travel as they do between nodes; otherwise they are plain values. */
    bool object_results;
    /* Optional: an array with an element for each of `streams`. Opening sets the elements whose descriptor writes a
     * file that a node uses: opening then fails, and what the caller writes there would spoil that file. */
    bool *streams_in_use;
    /* Optional, for callers that wait in an event loop of their own: called when a node is woken or the run is cancelled, so
     * that a step may make progress. Any thread, also inside a step; must not call into the pipeline. */
    void (*woken)(void *context);
    void *woken_context;
} rm_pipeline_options;

/* Builds the graph of `manifest` (borrowed, must outlive it) and opens every node; when one fails, closes
 * those that are open. Code in the manifest is loaded for each pipeline; but the first one after
 * rm_manifest_validate takes what that has loaded, if no parameter and no node type was set since. `options` (copied) may be NULL; RM_E_USAGE when their size is not set. Errors as for
 * rm_manifest_validate, or of a node's open; RM_E_CANCELLED or RM_E_TIMEOUT. *out is owned:
 * rm_pipeline_free. */
RM_API RM_MUST_CHECK int rm_pipeline_open(rm_manifest *manifest, const rm_pipeline_options *options,
                                          rm_pipeline **out, rm_error *err);
/* Closes the nodes that are open and frees the pipeline; results that were not pulled are dropped. NULL is
 * fine. */
RM_API void rm_pipeline_free(rm_pipeline *pipeline);

/* Offers the next input item to the source `source` (NULL: to every source). RM_OK: `item` is consumed.
 * RM_AGAIN: a queue is full; RM_DONE: no source wants more. In both cases the caller keeps `item`; after
 * RM_AGAIN run a step, pull, push again. A failure consumes it: RM_E_UNKNOWN_NODE, RM_E_VALUE for a source
 * that only generates, RM_E_USAGE after rm_pipeline_finish. */
RM_API RM_MUST_CHECK int rm_pipeline_push(rm_pipeline *pipeline, const char *source, rm_value item,
                                          rm_error *err);
/* The same with times, flags and metadata; the pipeline sets the seq. Consumes the content of *packet as rm_pipeline_push
 * consumes `item`, and leaves it where the caller keeps the item. */
RM_API RM_MUST_CHECK int rm_pipeline_push_packet(rm_pipeline *pipeline, const char *source, rm_packet *packet,
                                                 rm_error *err);
/* Ends the input. Idempotent. */
RM_API RM_MUST_CHECK int rm_pipeline_finish(rm_pipeline *pipeline, rm_error *err);
/* Does a bounded amount of work. RM_OK: there is more; RM_AGAIN: it needs input, or room for results (pull);
 * RM_PENDING: nodes wait for a time or a wake; RM_DONE: all is done and every node closed. A failure ends the
 * run, and every node is closed; later calls are RM_E_USAGE. */
RM_API RM_MUST_CHECK int rm_run_step(rm_pipeline *pipeline, rm_error *err);
/* The deadline of RM_PENDING on the clock of rm_clock_now, ns; INT64_MAX if only a wake or a descriptor can
 * end the wait. */
RM_API int64_t rm_pipeline_next_deadline(const rm_pipeline *pipeline);
/* After RM_PENDING or RM_AGAIN: waits until a step may make progress, because a node is due or woken, the run
 * was cancelled or is out of time, or one of `descriptors` (up to 16, borrowed; the sources of the caller's
 * input) is readable. May return early. */
RM_API void rm_pipeline_wait(rm_pipeline *pipeline, const int *descriptors, size_t count);
/* Instead of rm_pipeline_wait, for callers that wait in an event loop of their own, beside `woken` and
 * rm_pipeline_next_deadline: stores the descriptors whose readability may let a step make progress, `capacity` at most,
 * borrowed, and returns their number. */
RM_API size_t rm_pipeline_descriptors(const rm_pipeline *pipeline, int *descriptors, size_t capacity);
/* Makes the next step look at every node that waits: one of those descriptors is readable. */
RM_API void rm_pipeline_poll(rm_pipeline *pipeline);
/* Takes the next result in (seq, sink) order: RM_OK: *packet is owned, *sink its index; RM_AGAIN: none yet;
 * RM_DONE: none will come. After a failed run it still gives the results from before the failure. */
RM_API RM_MUST_CHECK int rm_pipeline_pull(rm_pipeline *pipeline, size_t *sink, rm_packet *packet,
                                          rm_error *err);
/* The number of nodes whose results are reported, in manifest order. */
RM_API size_t rm_pipeline_sink_count(const rm_pipeline *pipeline);
/* The id of such a node, borrowed from the pipeline; NULL past the end. */
RM_API const char *rm_pipeline_sink_id(const rm_pipeline *pipeline, size_t sink);
/* Changes a parameter that may change while running ("live" in `nodes info`), between two steps: later
 * packets see the new value. `value` is consumed. RM_E_UNKNOWN_NODE, RM_E_UNKNOWN_PARAMETER, RM_E_USAGE (not
 * live, or the node is closed), or a wrong value: nothing has changed. A failure of the node's set_param
 * leaves the new value. */
RM_API RM_MUST_CHECK int rm_pipeline_set_param(rm_pipeline *pipeline, const char *node, const char *param,
                                               rm_value value, rm_error *err);
/* Asks the run to stop soon; rm_run_step then fails with RM_E_CANCELLED. Any thread; safe in a signal
 * handler. */
RM_API void rm_pipeline_cancel(rm_pipeline *pipeline);
/* The id of the node that is in a call now, borrowed from the pipeline, or NULL: to name a node that does not
 * stop. Any thread. */
RM_API const char *rm_pipeline_current_node(const rm_pipeline *pipeline);
/* The id of the node that has standard output (rm_pipeline_options.standard_output), borrowed, or NULL. */
RM_API const char *rm_pipeline_output_node(const rm_pipeline *pipeline);
/* Makes {"node_count", "source_count", "sink_count", "execution_order"}. *out is owned. */
RM_API RM_MUST_CHECK int rm_pipeline_graph_info(const rm_pipeline *pipeline, rm_value *out, rm_error *err);
/* Makes a list of error documents: the items that failed so far under on_error "collect". *out is owned. */
RM_API RM_MUST_CHECK int rm_pipeline_failures(const rm_pipeline *pipeline, rm_value *out, rm_error *err);
/* Makes {node id: {"in", "out", "dropped", "failed", "ns"}}. *out is owned. */
RM_API RM_MUST_CHECK int rm_pipeline_metrics(const rm_pipeline *pipeline, rm_value *out, rm_error *err);

/* Runs a manifest to its end over `input` (a list, a map from source id to list, or null: sources generate;
 * borrowed). `options` may be NULL; their input, wait and may_block are ignored. *outputs is {sink id:
 * [values]}, plain values only, and owned, also after a failure: the results from before it, or null when the
 * run did not start. */
RM_API RM_MUST_CHECK int rm_run(rm_manifest *manifest, const rm_pipeline_options *options, rm_value input,
                                rm_value *outputs, rm_error *err);

#ifdef __cplusplus
}
#endif
#include "remotemedia/remote.h"
#include "remotemedia/sandbox.h"
#endif
