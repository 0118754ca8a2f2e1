/* The binary encoding in which values and packets cross between a pipeline and a node in a WebAssembly
 * module: docs/wasm-node.md has the bytes. Both sides use this code. Threads: one at a time for each
 * packer. */
#ifndef DATA_WIRE_WIRE_H
#define DATA_WIRE_WIRE_H

#include <string.h>

#include "base/check.h"
#include "remotemedia/remotemedia.h"

enum {
    RMI_WIRE_NULL,
    RMI_WIRE_FALSE,
    RMI_WIRE_TRUE,
    RMI_WIRE_INT,
    RMI_WIRE_FLOAT,
    RMI_WIRE_BIGINT,
    RMI_WIRE_STRING,
    RMI_WIRE_BYTES,
    RMI_WIRE_LIST,
    RMI_WIRE_MAP,
    RMI_WIRE_TENSOR,
    RMI_WIRE_TUPLE,
    RMI_WIRE_SET,
    RMI_WIRE_FROZENSET,
    RMI_WIRE_DICT, /* with keys that are not all strings */
    RMI_WIRE_BYTEARRAY,
    RMI_WIRE_TAGS
};
enum { RMI_WIRE_MAX_NESTING = 200, RMI_WIRE_ALIGNMENT = 16 };
/* A tensor's flags: it was a numpy array; its elements are in Fortran order. */
enum { RMI_WIRE_ARRAY = 1, RMI_WIRE_FORTRAN = 2 };

/* ---- What a call leaves behind ---- */

/* The version of the interface as a whole: the result of rm_node_interface. */
enum { RMI_NODE_INTERFACE = 1 };

/* In the guest's memory; never moves. Addresses, and the bytes at them. */
typedef struct rmi_exchange {
    uint32_t input, input_size;
    uint32_t output, output_length;
    uint32_t done;
    uint32_t error, error_length;
    uint32_t stream;
    double wait_ms;
} rmi_exchange;
_Static_assert(sizeof(rmi_exchange) == 40, "as docs/wasm-node.md has it");

/* rmi_exchange.stream: the guest waits in sched_yield for packets of its stream. The host then puts their
 * length in the input area here, or one of these: */
enum { RMI_STREAM_WAITS = 1, RMI_STREAM_ENDED = 0 };
#define RMI_STREAM_CLOSED UINT32_MAX /* nobody wants more of the node: its code shall end */

/* The events of a node, in the order in which they happened: docs/wasm-node.md. */
typedef enum rmi_event_kind {
    RMI_EMITTED = 1,
    RMI_SUSPENDED, /* the packet in process becomes pending */
    RMI_RESUMED,   /* later events belong to that packet */
    RMI_FINISHED,
    RMI_LOGGED,
    RMI_WANTS, /* it pulled and there is no packet */
} rmi_event_kind;

/* ---- Parts ---- */

/* Elements of a tensor, or bytes, that lie elsewhere than in their message: there the next byte follows. A
 * tensor's alignment counts from the message's first byte without the parts before. */
typedef struct rmi_wire_part {
    size_t at;        /* offset in the message, or in a buffer with several messages */
    const void *data; /* borrowed */
    size_t length;
} rmi_wire_part;
enum { RMI_WIRE_PART_LEAST = 65536 }; /* bytes; a writer leaves no smaller part where it is */

/* The parts of the messages that a writer makes. */
typedef struct rmi_wire_parts {
    rmi_wire_part *list; /* owned: rmi_wire_parts_clear */
    size_t count, capacity;
} rmi_wire_parts;
void rmi_wire_parts_clear(rmi_wire_parts *parts, const rm_allocator *allocator);

/* Finds the parts of a message for its reader. */
typedef struct rmi_wire_lender {
    /* The memory of the part of `length` bytes that belongs at offset `at` of the message; NULL: the bytes are in
     * the message. With `owner`, it gets what keeps the memory for a tensor, until `release`. */
    const void *(*find)(const struct rmi_wire_lender *lender, size_t at, size_t length, void **owner);
    void (*release)(void *owner);
} rmi_wire_lender;

/* ---- Writing ---- */

/* Bytes that grow, or memory of the caller. The latter never overflows: bytes without room are counted but
 * not written, so that `length` is the whole size. Tensors are aligned by their distance from the first
 * byte. */
typedef struct rmi_wire_writer {
    const rm_allocator *allocator;
    uint8_t *data; /* owned when it grows, until rmi_wire_clear; moves when it grows */
    size_t length; /* of the message so far; above `capacity`, the caller's memory is too small */
    size_t capacity;
    bool grows;
    bool any_order; /* the receiver knows RMI_WIRE_FORTRAN: such tensors keep their order, else C order */
    bool failed;    /* out of memory, or more than a size can count; later bytes are lost */
    /* Gets the elements of large contiguous tensors, which stay where they are: the value must live on. NULL:
     * all bytes are written. */
    rmi_wire_parts *parts;
} rmi_wire_writer;

void rmi_wire_init(rmi_wire_writer *packer, const rm_allocator *allocator);
/* Writes to `capacity` bytes at `data`, aligned to RMI_WIRE_ALIGNMENT where tensors are read in place. NULL
 * and 0: only counts. */
void rmi_wire_init_fixed(rmi_wire_writer *packer, void *data, size_t capacity);
void rmi_wire_clear(rmi_wire_writer *packer);
/* Whether all bytes were written. */
static inline bool rmi_wire_fits(const rmi_wire_writer *packer)
{
    return !packer->failed && packer->length <= packer->capacity;
}

uint8_t *rmi_wire_more(rmi_wire_writer *packer, size_t size);
/* Room for the next `size` bytes, which the caller fills in; NULL where there is none. */
static inline uint8_t *rmi_wire_room(rmi_wire_writer *packer, size_t size)
{
    const size_t at = packer->length;
    if (at > packer->capacity || size > packer->capacity - at)
        return rmi_wire_more(packer, size);
    RMI_CHECK(size == 0 || packer->data != NULL);
    packer->length = at + size;
    return packer->data + at;
}
static inline void rmi_wire_put(rmi_wire_writer *packer, const void *data, size_t size)
{
    uint8_t *to = size != 0 ? rmi_wire_room(packer, size) : NULL;
    if (to != NULL)
        memcpy(to, data, size);
}
static inline void rmi_wire_put_u32(rmi_wire_writer *packer, uint32_t number)
{
    rmi_wire_put(packer, &number, sizeof number);
}
static inline void rmi_wire_put_i64(rmi_wire_writer *packer, int64_t number)
{
    rmi_wire_put(packer, &number, sizeof number);
}
/* Writes a tag and `size` bytes. */
static inline void rmi_wire_put_tagged(rmi_wire_writer *packer, uint8_t tag, const void *data, size_t size)
{
    uint8_t *to = rmi_wire_room(packer, size + 1);
    if (to == NULL)
        return;
    *to = tag;
    if (size != 0)
        memcpy(to + 1, data, size);
}
/* Overwrites a number at offset `at`. */
static inline void rmi_wire_set_u32(rmi_wire_writer *packer, size_t at, uint32_t number)
{
    RMI_CHECK(packer->failed || (at <= packer->length && sizeof number <= packer->length - at));
    if (at <= packer->capacity && sizeof number <= packer->capacity - at)
        memcpy(packer->data + at, &number, sizeof number);
}

RM_MUST_CHECK int rmi_wire_write_slow(rmi_wire_writer *packer, rm_value value, unsigned depth, rm_error *err);
/* Appends `value`, which is inside `depth` containers of the same value. Objects that cannot pack themselves
 * are packed in their plain form. RM_E_LIMIT for nesting and sizes, RM_E_OUT_OF_MEMORY, or an object's
 * failure; bytes appended before a failure stay. Too small memory of the caller is no failure: see
 * rmi_wire_fits. */
RM_MUST_CHECK static inline int rmi_wire_write_nested(rmi_wire_writer *packer, rm_value value, unsigned depth,
                                                      rm_error *err)
{
    uint8_t *to = value.kind == RM_INT ? rmi_wire_room(packer, 1 + sizeof value.i) : NULL;
    if (to == NULL)
        return value.kind == RM_INT && !packer->failed ? RM_OK
                                                       : rmi_wire_write_slow(packer, value, depth, err);
    *to = RMI_WIRE_INT;
    memcpy(to + 1, &value.i, sizeof value.i);
    return RM_OK;
}
RM_MUST_CHECK static inline int rmi_wire_write(rmi_wire_writer *packer, rm_value value, rm_error *err)
{
    return rmi_wire_write_nested(packer, value, 0, err);
}
/* Writes seq, times and flags, the value, the metadata. */
RM_MUST_CHECK int rmi_wire_write_packet(rmi_wire_writer *packer, const rm_packet *packet, rm_error *err);
/* The exact size that rmi_wire_write writes at offset `at` of a message; an object may differ from call to
 * call. */
RM_MUST_CHECK int rmi_wire_size(rm_value value, size_t at, size_t *size, rm_error *err);

/* ---- Writing, for objects that pack themselves ---- */

/* A type of such objects: the size in its `base` marks it. */
typedef struct rmi_wire_writable_type {
    rm_object_type base; /* .size is sizeof(rmi_wire_writable_type) */
    int (*pack)(void *object, rmi_wire_writer *packer, unsigned depth, rm_error *err);
} rmi_wire_writable_type;

/* Writes a tag with a length or count; RM_E_LIMIT past 32 bits. */
RM_MUST_CHECK int rmi_wire_write_head(rmi_wire_writer *packer, uint8_t tag, size_t count, rm_error *err);
/* Writes a head and its bytes. */
RM_MUST_CHECK int rmi_wire_write_bytes(rmi_wire_writer *packer, uint8_t tag, const void *data, size_t length,
                                       rm_error *err);
/* Writes a tensor of any strides, with one copy; `flags` is RMI_WIRE_ARRAY or 0. */
RM_MUST_CHECK int rmi_wire_write_tensor(rmi_wire_writer *packer, const rm_tensor *view, uint8_t flags,
                                        rm_error *err);
/* Fills `err` and returns RM_E_LIMIT: a container inside RMI_WIRE_MAX_NESTING others. */
int rmi_wire_too_deep(rm_error *err);

/* ---- Reading ---- */

/* The memory that a sequence of values may still take while it is read. */
typedef struct rmi_wire_bound {
    size_t left; /* bytes */
    bool over;   /* a value would have taken more, and was refused */
} rmi_wire_bound;

RM_MUST_CHECK int rmi_wire_read_slow(const rm_allocator *allocator, const void *data, size_t length,
                                     size_t *offset, rmi_wire_bound *bound, rm_value *out, rm_error *err);
/* Reads the value at *offset of a message of `length` bytes, checks every byte, and moves *offset behind the
 * value. RM_E_VALUE for malformed bytes, RM_E_LIMIT for nesting, digits and sizes, with the offset in the
 * text. A kind that only Python has, at any depth, makes the whole value an object of rmi_wire_object_type;
 * else it is an ordinary value. *out is owned. `bound` (NULL: none) is checked before memory is allocated;
 * past it the value is RM_E_LIMIT. */
RM_MUST_CHECK static inline int rmi_wire_read_within(const rm_allocator *allocator, const void *data,
                                                     size_t length, size_t *offset, rmi_wire_bound *bound,
                                                     rm_value *out, rm_error *err)
{
    const size_t at = *offset;
    if (at > length || length - at < 1 + sizeof out->i || ((const uint8_t *)data)[at] != RMI_WIRE_INT)
        return rmi_wire_read_slow(allocator, data, length, offset, bound, out, err);
    *out = rm_int(0);
    memcpy(&out->i, (const uint8_t *)data + at + 1, sizeof out->i);
    *offset = at + 1 + sizeof out->i;
    return RM_OK;
}
RM_MUST_CHECK static inline int rmi_wire_read(const rm_allocator *allocator, const void *data, size_t length,
                                              size_t *offset, rm_value *out, rm_error *err)
{
    return rmi_wire_read_within(allocator, data, length, offset, NULL, out, err);
}
/* Reads a value whose large parts `lender` knows: a tensor keeps its part's memory, instead of copying it. */
RM_MUST_CHECK int rmi_wire_read_lent(const rm_allocator *allocator, const void *data, size_t length,
                                     size_t *offset, const rmi_wire_lender *lender, rm_value *out,
                                     rm_error *err);
/* Reads a packet as rmi_wire_read_within reads a value. *out is owned, and empty on failure. */
RM_MUST_CHECK int rmi_wire_read_packet(const rm_allocator *allocator, const void *data, size_t length,
                                       size_t *offset, rmi_wire_bound *bound, rm_packet *out, rm_error *err);
/* Copies the next `size` bytes; returns false where there are not so many. */
static inline bool rmi_wire_read_raw(const void *data, size_t length, size_t *offset, void *out, size_t size)
{
    if (*offset > length || size > length - *offset)
        return false;
    memcpy(out, (const uint8_t *)data + *offset, size);
    *offset += size;
    return true;
}

/* ---- Kinds that only Python has ---- */

/* A value of the kind that `tag` names, immutable:
 *   LIST, MAP            a list or map with other such objects inside (only as a whole value)
 *   TENSOR               a tensor that was a numpy array
 *   TUPLE, SET, FROZENSET  a list
 *   DICT                 a list, key and item in turns; Python can hash all keys, and all elements of sets
 *   BYTEARRAY            bytes */
typedef struct rmi_wire_object {
    const rm_allocator *allocator;
    uint32_t tag;
    bool given;       /* the first conversion takes over an array's memory: its only owner has allowed it */
    rm_value content; /* owned */
} rmi_wire_object;

/* The type of these objects. Their plain form is the same as that of the Python host's objects. */
extern const rmi_wire_writable_type rmi_wire_object_type;
/* The object in a value, borrowed; NULL: the value is something else. */
const rmi_wire_object *rmi_wire_object_of(rm_value value);
/* Makes an object of `content`, consumed. *out is owned. */
RM_MUST_CHECK int rmi_wire_object_new(const rm_allocator *allocator, uint32_t tag, rm_value content,
                                      rm_value *out, rm_error *err);

/* The failure with the same text inside and outside: RM_E_UNSUPPORTED for a Python object of a type. */
int rmi_unsupported_type(const char *type, const char *advice, rm_error *err);
/* The same for two keys of a dict, as Python shows them, that are one text in a map. */
int rmi_same_text(const char *one, const char *other, const char *type, rm_error *err);
#define RMI_SET_ADVICE "sorted(x, key=repr) makes it a list in an order that does not change"

#endif
