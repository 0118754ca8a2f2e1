/* A node in a WebAssembly module, in C without a C library: this is docs/wasm-node.md, the rest is what the node does.
 *
 *   clang --target=wasm32 -O2 -nostdlib -Wl,--no-entry gain.c -o gain.wasm
 *
 * The one file of a module includes it and defines `node`. All that a function gets is borrowed and gone when it returns.
 * What the host writes is taken on trust. Streams and results that come later are not here. */
#ifndef NODE_H
#define NODE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- Answers */

enum { NODE_OK, NODE_MORE, NODE_PENDING, NODE_DONE };
enum { /* failures, as docs/errors.md has them */
       NODE_E_OUT_OF_MEMORY = -1,
       NODE_E_INTERNAL = -2,
       NODE_E_USAGE = -3,
       NODE_E_IO = -4,
       NODE_E_NOT_FOUND = -5,
       NODE_E_PARSE = -6,
       NODE_E_LIMIT = -7,
       NODE_E_TYPE = -8,
       NODE_E_VALUE = -9,
       NODE_E_MISSING_PARAMETER = -12,
       NODE_E_UNKNOWN_PARAMETER = -13,
       NODE_E_ARITHMETIC = -23,
       NODE_E_UNSUPPORTED = -25
};

/* ---- Values */

typedef enum node_kind {
    NODE_NULL = 0,
    NODE_BOOL = 1,
    NODE_INT = 3,
    NODE_FLOAT = 4,
    NODE_BIGINT = 5,
    NODE_STRING = 6,
    NODE_BYTES = 7,
    NODE_LIST = 8,
    NODE_MAP = 9,
    NODE_TENSOR = 10
} node_kind;

typedef enum node_dtype {
    NODE_BOOL8 = 1,
    NODE_INT8,
    NODE_INT16,
    NODE_INT32,
    NODE_INT64,
    NODE_UINT8,
    NODE_UINT16,
    NODE_UINT32,
    NODE_UINT64,
    NODE_FLOAT16,
    NODE_BFLOAT16,
    NODE_FLOAT32,
    NODE_FLOAT64,
    NODE_COMPLEX64,
    NODE_COMPLEX128,
    NODE_OPAQUE = 17
} node_dtype;

/* Elements in C order. Audio has `media` 1, the shape (frames, channels) and a sample rate. */
typedef struct node_tensor {
    uint8_t dtype, dimensions, media, flags;
    int32_t sample_rate;
    uint64_t channel_layout;
    uint32_t item_size;        /* bytes an element */
    uint32_t description_size; /* of opaque elements */
    const char *description;
    const void *shape; /* an int64_t a dimension, not aligned: node_shape */
    uint64_t size;     /* bytes in all */
    const void *data;  /* aligned to 16 bytes */
} node_tensor;

typedef struct node_value {
    node_kind kind;
    bool truth;          /* NODE_BOOL */
    uint32_t count;      /* bytes of a string, bytes or a big integer; items of a list or map */
    int64_t integer;     /* NODE_INT */
    double number;       /* NODE_FLOAT, and of NODE_INT the nearest one */
    const uint8_t *data; /* of a string (no NUL behind it), bytes, a big integer */
    node_tensor tensor;
    const uint8_t *start, *items; /* where it is encoded; where its items are */
} node_value;

typedef struct node_packet {
    int64_t seq, timestamp, duration; /* nanoseconds; INT64_MIN: none */
    uint32_t flags;
    node_value value, metadata;
} node_packet;

/* ---- What a node is */

/* What is not needed is left out. Functions answer NODE_OK, NODE_DONE or what node_fail answers; process, more and flush
 * also NODE_MORE. */
typedef struct node_type {
    const char *const *inputs, *const *outputs; /* names, the last NULL; without: "in", "out" */
    bool variadic; /* the last input is: each connection to it is a port of its own */
    /* Reads the parameters, a map or null. Called to check a manifest, and again before the first packet. */
    int (*configure)(const node_value *params, const node_value *config);
    int (*open)(void);
    int (*process)(uint32_t port, const node_packet *packet);
    int (*more)(void);     /* after NODE_MORE: the rest of that packet's results */
    int (*generate)(void); /* in a run without input: the next results */
    int (*flush)(void);    /* all input has been processed */
    void (*close)(void);
} node_type;

extern const node_type node;

/* ---- Memory */

/* Copying with WebAssembly's own instructions; the compiler calls these, too. */
__attribute__((target("bulk-memory"))) void *memcpy(void *to, const void *from, size_t size)
{
    return __builtin_memcpy(to, from, size);
}

__attribute__((target("bulk-memory"))) void *memmove(void *to, const void *from, size_t size)
{
    return __builtin_memmove(to, from, size);
}

__attribute__((target("bulk-memory"))) void *memset(void *to, int byte, size_t size)
{
    return __builtin_memset(to, byte, size);
}

static inline uint32_t node_length(const char *text)
{
    uint32_t length = 0;
    while (text[length] != '\0')
        length++;
    return length;
}

static inline bool node_is(const uint8_t *data, uint32_t size, const char *text)
{
    uint32_t i = 0;
    while (i < size && text[i] != '\0' && (char)data[i] == text[i])
        i++;
    return i == size && text[i] == '\0';
}

/* Blocks are powers of two; one that is freed is used again for its size. */
static struct node_free_block {
    struct node_free_block *next;
} *node_free_blocks[32];

static inline uint32_t node_class(uint32_t size)
{
    return size <= 16 ? 4 : 32 - (uint32_t)__builtin_clz(size - 1);
}

/* Aligned to 16 bytes and not zeroed. NULL: there is no more memory. */
static inline void *node_alloc(uint32_t size)
{
    enum { PAGE = 65536, LARGEST = 31 };
    extern unsigned char __heap_base;
    static uint32_t next;
    const uint32_t class = node_class(size);
    if (class > LARGEST)
        return NULL;
    struct node_free_block *block = node_free_blocks[class];
    if (block != NULL) {
        node_free_blocks[class] = block->next;
        return block;
    }
    if (next == 0)
        next = ((uint32_t)&__heap_base + 15) & ~UINT32_C(15);
    const uint64_t end = (uint64_t)next + (UINT32_C(1) << class);
    const uint32_t there = __builtin_wasm_memory_size(0), wanted = (uint32_t)((end + PAGE - 1) / PAGE);
    if (end > UINT32_MAX || (wanted > there && __builtin_wasm_memory_grow(0, wanted - there) == SIZE_MAX))
        return NULL;
    block = (struct node_free_block *)(uintptr_t)next;
    next = (uint32_t)end;
    return block;
}

/* `size` is what it was asked for with. */
static inline void node_free(void *at, uint32_t size)
{
    struct node_free_block *block = at;
    if (at == NULL)
        return;
    block->next = node_free_blocks[node_class(size)];
    node_free_blocks[node_class(size)] = block;
}

/* ---- Reading values */

static inline uint32_t node_take_u32(const uint8_t **at)
{
    uint32_t number;
    memcpy(&number, *at, sizeof number);
    *at += sizeof number;
    return number;
}

static inline void node_take(const uint8_t **at, void *to, size_t size)
{
    memcpy(to, *at, size);
    *at += size;
}

static inline const uint8_t *node_read_tensor(const uint8_t *at, node_tensor *t)
{
    node_take(&at, t, 4);
    node_take(&at, &t->sample_rate, sizeof t->sample_rate);
    node_take(&at, &t->channel_layout, sizeof t->channel_layout);
    t->item_size = node_take_u32(&at);
    t->description_size = node_take_u32(&at);
    t->description = (const char *)at;
    t->shape = at += t->description_size;
    at += (size_t)t->dimensions * sizeof(int64_t);
    node_take(&at, &t->size, sizeof t->size);
    t->data = at += -(uintptr_t)at % 16; /* the areas are aligned as well */
    return at + t->size;
}

/* Reads the value at `at`, but not the items of a list or map. */
static inline void node_read(const uint8_t *at, node_value *out)
{
    *out = (node_value){.start = at, .kind = *at == 2 ? NODE_BOOL : (node_kind)*at, .truth = *at == 2};
    at++;
    switch (out->kind) {
    case NODE_INT:
        node_take(&at, &out->integer, sizeof out->integer);
        out->number = (double)out->integer;
        break;
    case NODE_FLOAT:
        node_take(&at, &out->number, sizeof out->number);
        break;
    case NODE_BIGINT:
    case NODE_STRING:
    case NODE_BYTES:
        out->count = node_take_u32(&at);
        out->data = at;
        break;
    case NODE_LIST:
    case NODE_MAP:
        out->count = node_take_u32(&at);
        out->items = at;
        break;
    case NODE_TENSOR:
        (void)node_read_tensor(at, &out->tensor);
        break;
    default:
        break;
    }
}

/* Goes over the whole value at `at`, and puts it as it is where that is wanted; answers where it ends. */
static const uint8_t *node_walk(const uint8_t *at, bool put);

/* The items of a list, or the entries of a map:
 *   for (node_items items = node_items_of(&value); node_next(&items);)
 *       ... items.item, and of a map items.key with items.key_size bytes */
typedef struct node_items {
    const uint8_t *key;
    uint32_t key_size, left;
    node_value item;
    bool has_keys;
    const uint8_t *at; /* what comes next */
} node_items;

static inline node_items node_items_of(const node_value *value)
{
    return (node_items){.left = value->items != NULL ? value->count : 0,
                        .has_keys = value->kind == NODE_MAP,
                        .at = value->items};
}

static inline bool node_next(node_items *items)
{
    if (items->left == 0)
        return false;
    items->left--;
    if (items->has_keys) {
        items->key_size = node_take_u32(&items->at);
        items->key = items->at;
        items->at += items->key_size;
    }
    node_read(items->at, &items->item);
    items->at = node_walk(items->at, false);
    return true;
}

/* The item of a map; false where it has none of that key, or is no map. */
static inline bool node_get(const node_value *map, const char *key, node_value *out)
{
    if (map->kind != NODE_MAP)
        return false;
    for (node_items items = node_items_of(map); node_next(&items);)
        if (node_is(items.key, items.key_size, key)) {
            *out = items.item;
            return true;
        }
    return false;
}

static inline bool node_is_number(const node_value *value)
{
    return value->kind == NODE_INT || value->kind == NODE_FLOAT;
}

static inline int64_t node_shape(const node_tensor *tensor, uint32_t dimension)
{
    int64_t size;
    memcpy(&size, (const uint8_t *)tensor->shape + dimension * sizeof size, sizeof size);
    return size;
}

static inline const char *node_kind_name(const node_value *value)
{
    static const char *const names[] = {"null",   "bool",  "bool", "int", "float", "a big integer",
                                        "string", "bytes", "list", "map", "tensor"};
    if (value->kind == NODE_TENSOR && value->tensor.media == 1)
        return "audio";
    return value->kind <= NODE_TENSOR ? names[value->kind] : "something of Python's own";
}

/* ---- The areas */

static struct node_exchange {
    uint32_t input, input_size, output, output_size, done, error, error_size, unused;
    double wait_ms;
} node_exchange;

typedef struct node_buffer {
    uint8_t *data;
    uint32_t length, capacity;
    bool failed; /* there was no memory; what was put since is lost */
} node_buffer;

/* Everything that is put goes where node_target points. */
static struct node_state {
    node_buffer output, error;
    node_buffer *target;
    const node_packet *packet; /* in process */
    bool emitting;             /* an event lacks its metadata yet */
    bool open;
} node_state;

/* Room for `size` bytes; NULL: there is none. */
static inline uint8_t *node_room(uint32_t size)
{
    node_buffer *to = node_state.target;
    const uint64_t wanted = (uint64_t)to->length + size;
    if (!to->failed && wanted > to->capacity) {
        uint8_t *grown = wanted <= UINT32_MAX / 2 ? node_alloc((uint32_t)wanted) : NULL;
        to->failed = grown == NULL;
        if (grown != NULL) {
            if (to->length > 0)
                memcpy(grown, to->data, to->length);
            node_free(to->data, to->capacity);
            to->data = grown;
            to->capacity = UINT32_C(1) << node_class((uint32_t)wanted); /* all that the block has */
        }
    }
    if (to->failed)
        return NULL;
    uint8_t *room = to->data + to->length;
    to->length += size;
    return room;
}

/* ---- Putting values */

static inline void node_put(const void *data, uint32_t size)
{
    uint8_t *room = node_room(size);
    if (room != NULL)
        memcpy(room, data, size);
}

static inline void node_put_head(uint8_t tag, uint32_t count)
{
    node_put(&tag, 1);
    node_put(&count, sizeof count);
}

static inline void node_put_null(void)
{
    node_put(&(uint8_t){0}, 1);
}

static inline void node_put_bool(bool truth)
{
    node_put(&(uint8_t){truth ? 2 : 1}, 1);
}

static inline void node_put_int(int64_t integer)
{
    node_put(&(uint8_t){NODE_INT}, 1);
    node_put(&integer, sizeof integer);
}

static inline void node_put_float(double number)
{
    node_put(&(uint8_t){NODE_FLOAT}, 1);
    node_put(&number, sizeof number);
}

static inline void node_put_string(const void *utf8, uint32_t size)
{
    node_put_head(NODE_STRING, size);
    node_put(utf8, size);
}

static inline void node_put_text(const char *text)
{
    node_put_string(text, node_length(text));
}

/* Then `count` values are put. */
static inline void node_put_list(uint32_t count)
{
    node_put_head(NODE_LIST, count);
}

/* Then `count` times: node_put_key, a value. */
static inline void node_put_map(uint32_t count)
{
    node_put_head(NODE_MAP, count);
}

static inline void node_put_key(const char *key)
{
    const uint32_t size = node_length(key);
    node_put(&size, sizeof size);
    node_put(key, size);
}

/* A tensor of the dtype, the shape and the media of `like`; answers the room for its elements, to be filled before anything
 * else is put. NULL: there is no memory. */
static inline void *node_put_tensor(const node_tensor *like)
{
    static const uint8_t zeros[16];
    node_put(&(uint8_t){NODE_TENSOR}, 1);
    node_put(like, 4);
    node_put(&like->sample_rate, sizeof like->sample_rate);
    node_put(&like->channel_layout, sizeof like->channel_layout);
    node_put(&like->item_size, sizeof like->item_size);
    node_put(&like->description_size, sizeof like->description_size);
    node_put(like->description, like->description_size);
    node_put(like->shape, like->dimensions * (uint32_t)sizeof(int64_t));
    node_put(&like->size, sizeof like->size);
    node_put(zeros, -node_state.target->length % 16);
    return like->size <= UINT32_MAX ? node_room((uint32_t)like->size) : NULL;
}

static __attribute__((noinline)) const uint8_t *node_walk_tensor(const uint8_t *at, bool put)
{
    node_tensor tensor;
    const uint8_t *end = node_read_tensor(at, &tensor);
    void *room = put ? node_put_tensor(&tensor) : NULL; /* its padding depends on its place */
    if (room != NULL)
        memcpy(room, tensor.data, (uint32_t)tensor.size);
    return end;
}

static const uint8_t *node_walk(const uint8_t *at, bool put)
{
    const uint8_t *start = at;
    const uint8_t tag = *at++;
    if (tag == NODE_TENSOR)
        return node_walk_tensor(at, put);
    if (tag == NODE_INT || tag == NODE_FLOAT)
        at += 8;
    if (tag < NODE_BIGINT) {
        if (put)
            node_put(start, (uint32_t)(at - start));
        return at;
    }
    const bool nests = tag == NODE_LIST || tag == NODE_MAP;
    uint32_t count = node_take_u32(&at);
    at += nests ? 0 : count;
    if (put)
        node_put(start, (uint32_t)(at - start));
    for (; nests && count > 0; count--) {
        start = at;
        at += tag == NODE_MAP ? sizeof(uint32_t) + node_take_u32(&(const uint8_t *){at}) : 0;
        if (put)
            node_put(start, (uint32_t)(at - start));
        at = node_walk(at, put);
    }
    return at;
}

/* Something that was read, as it is. */
static inline void node_put_value(const node_value *value)
{
    (void)node_walk(value->start, true);
}

/* ---- Emitting, failing, logging */

static inline void node_end_event(void)
{
    if (node_state.emitting && node_state.packet != NULL)
        node_put_value(&node_state.packet->metadata);
    else if (node_state.emitting)
        node_put_null();
    node_state.emitting = false;
}

/* The value that is put next leaves at output `port`, with the times and metadata of the packet in process. */
static inline void node_emit(uint32_t port)
{
    const node_packet *from = node_state.packet;
    const int64_t none[] = {-1, INT64_MIN, INT64_MIN};
    node_end_event();
    const uint32_t head[] = {1, port}, flags[] = {from != NULL ? from->flags : 0, 0};
    node_put(head, sizeof head);
    node_put(from != NULL ? &from->seq : none, sizeof none);
    node_put(flags, sizeof flags);
    node_state.emitting = true;
}

/* Fills the error: `text` and further texts, the last NULL, make the message. `pointer` may be NULL. */
__attribute__((sentinel)) static inline int node_fail_at(int code, const char *pointer, const char *text, ...)
{
    va_list texts;
    node_buffer *before = node_state.target;
    node_state.target = &node_state.error;
    node_state.error.length = 0;
    node_put_map(pointer != NULL ? 2 : 1);
    if (pointer != NULL) {
        node_put_key("pointer");
        node_put_text(pointer);
    }
    node_put_key("message");
    node_put_text("");
    const uint32_t start = node_state.error.length;
    va_start(texts, text);
    for (; text != NULL; text = va_arg(texts, const char *))
        node_put(text, node_length(text));
    va_end(texts);
    const uint32_t length = node_state.error.length - start;
    if (node_state.error.failed)
        node_state.error.length = 0;
    else
        memcpy(node_state.error.data + start - sizeof length, &length, sizeof length);
    node_state.error.failed = false;
    node_state.target = before;
    return code;
}

/* return node_fail(NODE_E_VALUE, "what is wrong", ", what would be right"); */
#define node_fail(code, ...) node_fail_at(code, NULL, __VA_ARGS__, NULL)

typedef enum node_level { NODE_ERROR, NODE_WARNING, NODE_INFO, NODE_DEBUG } node_level;

/* A line in the log of the run. Not between node_emit and its value. */
static inline void node_log(node_level level, const char *text)
{
    const uint32_t head[] = {5, level};
    node_end_event();
    node_put(head, sizeof head);
    node_put_text(text);
}

/* ---- Parameters */

/* Fails for a parameter that is none of `names`, whose last is NULL. */
static inline int node_only_params(const node_value *params, const char *const *names)
{
    if (params->kind != NODE_MAP)
        return NODE_OK;
    for (node_items items = node_items_of(params); node_next(&items);) {
        const char *const *name = names;
        char key[64] = "/params/";
        while (*name != NULL && !node_is(items.key, items.key_size, *name))
            name++;
        if (*name != NULL)
            continue;
        const uint32_t size = items.key_size < sizeof key - 9 ? items.key_size : (uint32_t)sizeof key - 9;
        memcpy(key + 8, items.key, size);
        key[8 + size] = '\0';
        return node_fail_at(NODE_E_UNKNOWN_PARAMETER, key, "unknown parameter '", key + 8, "'", NULL);
    }
    return NODE_OK;
}

/* Leaves *out as it is where the parameter is missing. `pointer` is "/params/NAME". */
static inline int node_number_param(const node_value *params, const char *pointer, double *out)
{
    node_value value;
    if (!node_get(params, pointer + 8, &value))
        return NODE_OK;
    if (!node_is_number(&value))
        return node_fail_at(NODE_E_TYPE, pointer, "parameter '", pointer + 8, "' must be a number, not ",
                            node_kind_name(&value), NULL);
    *out = value.number;
    return NODE_OK;
}

/* ---- The exports */

#define NODE_EXPORT(name) __attribute__((export_name("rm_node_" name))) int32_t

static inline void node_begin(void)
{
    node_state.target = &node_state.output;
    node_state.output.length = node_state.error.length = 0;
    node_state.output.failed = node_state.emitting = false;
    node_state.packet = NULL;
    node_exchange.done = 0;
}

static inline int node_no_memory(void)
{
    return node_fail(NODE_E_OUT_OF_MEMORY, "out of memory");
}

static inline int32_t node_end(int rc)
{
    node_end_event();
    if (node_state.output.failed) {
        node_state.output.length = 0;
        rc = node_no_memory();
    }
    node_exchange.output = (uint32_t)node_state.output.data;
    node_exchange.output_size = node_state.output.length;
    node_exchange.error = (uint32_t)node_state.error.data;
    node_exchange.error_size = rc < 0 ? node_state.error.length : 0;
    return rc;
}

static inline const uint8_t *node_input(uint32_t length)
{
    return length <= node_exchange.input_size ? (const uint8_t *)node_exchange.input : NULL;
}

NODE_EXPORT("interface") node_export_interface(void)
{
    return 1;
}

NODE_EXPORT("exchange") node_export_exchange(void)
{
    return (int32_t)&node_exchange;
}

NODE_EXPORT("reserve") node_export_reserve(uint32_t size)
{
    static uint32_t capacity;
    if (size <= capacity)
        return NODE_OK;
    node_free((void *)node_exchange.input, capacity);
    void *area = node_alloc(size);
    capacity = area != NULL ? UINT32_C(1) << node_class(size) : 0;
    node_exchange.input = (uint32_t)area;
    node_exchange.input_size = capacity;
    return area != NULL ? NODE_OK : NODE_E_OUT_OF_MEMORY;
}

static inline int node_configure(uint32_t length)
{
    node_value config, params = {0};
    const uint8_t *at = node_input(length);
    if (at == NULL || length == 0)
        return node_fail(NODE_E_USAGE, "there is no configuration in the input area");
    node_read(at, &config);
    (void)node_get(&config, "params", &params);
    return node.configure != NULL ? node.configure(&params, &config) : NODE_OK;
}

static inline uint32_t node_put_ports(const char *key, const char *const *names, const char *preset)
{
    const char *const one[] = {preset, NULL};
    uint32_t count = 0;
    for (names = names != NULL ? names : one; names[count] != NULL; count++)
        ;
    node_put_key(key);
    node_put_list(count);
    for (uint32_t i = 0; i < count; i++)
        node_put_text(names[i]);
    return count;
}

NODE_EXPORT("describe") node_export_describe(uint32_t length)
{
    node_begin();
    const int rc = node_configure(length);
    if (rc != NODE_OK)
        return node_end(rc);
    node_put_map(6);
    (void)node_put_ports("inputs", node.inputs, "in");
    (void)node_put_ports("outputs", node.outputs, "out");
    node_put_key("variadic");
    node_put_bool(node.variadic);
    node_put_key("process");
    node_put_bool(node.process != NULL);
    node_put_key("generates");
    node_put_bool(node.generate != NULL);
    node_put_key("flush");
    node_put_bool(node.flush != NULL);
    return node_end(NODE_OK);
}

NODE_EXPORT("open") node_export_open(uint32_t length)
{
    node_begin();
    int rc = node_configure(length);
    if (rc == NODE_OK && node.open != NULL)
        rc = node.open();
    node_state.open = rc == NODE_OK;
    return node_end(rc);
}

static inline const uint8_t *node_read_packet(const uint8_t *at, node_packet *packet)
{
    node_take(&at, &packet->seq, sizeof packet->seq);
    node_take(&at, &packet->timestamp, sizeof packet->timestamp);
    node_take(&at, &packet->duration, sizeof packet->duration);
    packet->flags = node_take_u32(&at);
    (void)node_take_u32(&at);
    node_read(at, &packet->value);
    node_read(node_walk(at, false), &packet->metadata);
    return node_walk(packet->metadata.start, false);
}

/* One packet; what could not be emitted for want of memory is its failure. */
static inline int node_process_one(uint32_t port, const node_packet *packet)
{
    const uint32_t start = node_state.output.length;
    node_state.packet = packet;
    const int rc = node.process(port, packet);
    node_end_event();
    if (!node_state.output.failed)
        return rc;
    node_state.output.failed = false;
    node_state.output.length = start;
    return node_no_memory();
}

NODE_EXPORT("process") node_export_process(uint32_t port, uint32_t length)
{
    uint32_t ports = node.inputs == NULL;
    int rc = NODE_OK;
    const uint8_t *at = node_input(length);
    node_begin();
    while (node.inputs != NULL && node.inputs[ports] != NULL)
        ports++;
    if (!node_state.open || node.process == NULL || at == NULL || length < 8 ||
        (port >= ports && !node.variadic))
        return node_end(node_fail(NODE_E_USAGE, "rm_node_process makes no sense here"));
    const uint32_t count = node_take_u32(&at);
    for (at += 4; rc == NODE_OK && node_exchange.done < count;) {
        node_packet packet;
        at = node_read_packet(at, &packet);
        rc = node_process_one(port, &packet);
        node_exchange.done += rc >= 0;
    }
    node_state.packet = NULL;
    return node_end(rc);
}

static inline int32_t node_call(int (*function)(void), int without)
{
    node_begin();
    if (!node_state.open)
        return node_end(node_fail(NODE_E_USAGE, "there is no node; rm_node_open makes one"));
    return node_end(function != NULL ? function() : without);
}

NODE_EXPORT("more") node_export_more(void)
{
    return node_call(node.more, NODE_OK);
}

NODE_EXPORT("generate") node_export_generate(void)
{
    return node_call(node.generate, NODE_DONE);
}

NODE_EXPORT("flush") node_export_flush(void)
{
    return node_call(node.flush, NODE_OK);
}

NODE_EXPORT("close") node_export_close(void)
{
    node_begin();
    if (node_state.open && node.close != NULL)
        node.close();
    node_state.open = false;
    return node_end(NODE_OK);
}

#endif
