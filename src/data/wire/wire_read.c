/* Reads values from bytes. The bytes come from a guest that may be hostile: everything is checked, and no
 * memory is allocated for more than the bytes can hold. */
#include "base/alloc.h"
#include "base/text.h"
#include "data/blocks.h"
#include "data/integer.h"
#include "data/keys.h"
#include "data/json/json.h"
#include "data/json/json_dtype.h"
#include "data/wire/wire.h"
#include "data/tensor.h"

enum { LONGEST_DESCRIPTION = 65536 };

typedef struct wire_reader {
    const rm_allocator *allocator;
    const uint8_t *data;
    size_t length, at;
    size_t owed;                   /* the least bytes that the missing items of open containers take */
    unsigned depth;                /* containers around the value */
    rmi_wire_bound *bound;         /* NULL: none */
    const rmi_wire_lender *lender; /* NULL: all parts are in the message */
    rmi_keys *keys;
    rm_error *err;
} wire_reader;

/* The memory of a wrapper of a value, beside its content. */
enum { WRAPPER = 128, TENSOR = 512 };

/* ---- Parts ---- */

static int fail(const wire_reader *r, size_t at, const char *what)
{
    return rm_error_set(r->err, RM_E_VALUE, "a packed value %s at byte %zu", what, at);
}

static int ends_early(const wire_reader *r)
{
    return rm_error_set(r->err, RM_E_VALUE, "a packed value ends too early, at byte %zu", r->length);
}

/* Checks the bound before `size` bytes and `count` times `each` are allocated. */
static int charge(const wire_reader *r, size_t size, size_t count, size_t each)
{
    rmi_wire_bound *bound = r->bound;
    if (bound == NULL)
        return RM_OK;
    if (size <= bound->left && count <= (bound->left - size) / each) {
        bound->left -= size + count * each;
        return RM_OK;
    }
    bound->over = true;
    return rm_error_set(r->err, RM_E_LIMIT, "a packed value takes more memory than it may, at byte %zu",
                        r->at);
}

static inline bool take(wire_reader *r, void *out, size_t size)
{
    if (size > r->length - r->at)
        return false;
    memcpy(out, r->data + r->at, size);
    r->at += size;
    return true;
}

/* Replaces *out by an object of rmi_wire_object_type with this content. */
static int wrap(const wire_reader *r, uint32_t tag, rm_value *out)
{
    const int rc = charge(r, WRAPPER, 0, 1);
    return rc == RM_OK ? rmi_wire_object_new(r->allocator, tag, rm_value_move(out), out, r->err) : rc;
}

/* Takes a length and that many bytes, which stay in place. */
static int take_bytes(wire_reader *r, const uint8_t **bytes, size_t *length)
{
    uint32_t number = 0;
    if (!take(r, &number, sizeof number) || number > r->length - r->at)
        return ends_early(r);
    *bytes = r->data + r->at;
    *length = number;
    r->at += number;
    return RM_OK;
}

/* The part of `length` bytes that belongs at offset `at`; NULL: the bytes are in the message. `owner` as in
 * rmi_wire_lender. */
static const uint8_t *find_part(const wire_reader *r, size_t at, size_t length, void **owner)
{
    return r->lender != NULL && length >= RMI_WIRE_PART_LEAST ? r->lender->find(r->lender, at, length, owner)
                                                              : NULL;
}

static int take_blob(wire_reader *r, rm_value *out)
{
    const uint8_t *bytes = NULL;
    uint32_t number = 0;
    size_t length = 0;
    if (r->length - r->at >= sizeof number) {
        memcpy(&number, r->data + r->at, sizeof number);
        bytes = find_part(r, r->at + sizeof number, number, NULL);
        length = number;
    }
    int rc = RM_OK;
    if (bytes != NULL)
        r->at += sizeof number;
    else
        rc = take_bytes(r, &bytes, &length);
    if (rc == RM_OK)
        rc = charge(r, sizeof(rmi_bytes_block), length, 1);
    return rc == RM_OK ? rm_bytes_new(r->allocator, bytes, length, out, r->err) : rc;
}

/* Takes a count of items of at least `smallest` bytes each: no more items than the bytes left can hold, minus
 * those that the outer containers need. */
static int take_count(wire_reader *r, size_t smallest, size_t *count)
{
    const size_t at = r->at;
    uint32_t number = 0;
    if (!take(r, &number, sizeof number))
        return ends_early(r);
    const size_t left = r->length - r->at;
    if (left < r->owed || number > (left - r->owed) / smallest)
        return rm_error_set(r->err, RM_E_VALUE,
                            "a packed value promises %lu items where there cannot be so many, at byte %zu",
                            (unsigned long)number, at);
    *count = number;
    r->owed += number * smallest;
    return RM_OK;
}

/* Takes a text, which stays in place. */
static int take_utf8(wire_reader *r, const char **text, size_t *length)
{
    const uint8_t *bytes = NULL;
    const int rc = take_bytes(r, &bytes, length);
    if (rc != RM_OK)
        return rc;
    *text = (const char *)bytes;
    const size_t bad = rmi_utf8_check(*text, *length);
    if (bad != *length)
        return fail(r, (size_t)(bytes - r->data) + bad, "has text that is not UTF-8");
    return charge(r, sizeof(rmi_string_block) + 1, *length, 1);
}

static int take_text(wire_reader *r, rm_value *out)
{
    const char *text = NULL;
    size_t length = 0;
    const int rc = take_utf8(r, &text, &length);
    return rc == RM_OK ? rmi_string_new_unchecked(r->allocator, text, length, out, r->err) : rc;
}

/* *out is owned. */
static int take_key(wire_reader *r, rm_heap **out)
{
    const char *text = NULL;
    size_t length = 0;
    const int rc = take_utf8(r, &text, &length);
    if (rc != RM_OK)
        return rc;
    *out = rmi_keys_take(r->keys, rmi_key_place(text, length, RMI_KEPT_KEYS), r->allocator, text, length,
                         r->err);
    return *out != NULL ? RM_OK : RM_E_OUT_OF_MEMORY;
}

static int take_integer(wire_reader *r, rm_value *out)
{
    const uint8_t *bytes = NULL;
    size_t length = 0;
    int rc = take_bytes(r, &bytes, &length);
    if (rc == RM_OK)
        rc = charge(r, sizeof(rmi_bigint_block) + sizeof(uint64_t), length, 1);
    if (rc == RM_OK)
        rc = rm_integer_from_bytes(r->allocator, bytes, length, out, r->err);
    if (rc != RM_OK || out->kind != RM_BIGINT || rmi_integer_fits_digits(*out))
        return rc;
    rm_value_clear(out);
    return rm_error_set(r->err, RM_E_LIMIT, "an integer has more than %d digits, at byte %zu",
                        RMI_INTEGER_MAX_DIGITS, (size_t)(bytes - r->data));
}

/* ---- Tensors ---- */

/* The fixed part, as it lies in the message. */
typedef struct tensor_head {
    uint8_t dtype, dimensions, media, flags;
    int32_t sample_rate;
    uint64_t channel_layout;
    uint32_t item_size;
} tensor_head;

static int check_head(const wire_reader *r, const tensor_head *head, size_t at)
{
    const size_t size = rm_dtype_size((rm_dtype)head->dtype);
    if (size == 0 && head->dtype != RM_OPAQUE)
        return fail(r, at, "has a tensor of an unknown dtype");
    if (head->item_size == 0 || (size != 0 && head->item_size != size))
        return fail(r, at, "has a tensor whose elements are not of their dtype's size");
    if (head->dimensions > RM_MAX_DIMENSIONS)
        return fail(r, at, "has a tensor of too many dimensions");
    if (head->media > RM_MEDIA_AUDIO ||
        (head->media == RM_MEDIA_AUDIO && (head->dimensions != 2 || head->sample_rate <= 0)))
        return fail(r, at, "has a tensor that is no media it could be");
    return (head->flags & ~(RMI_WIRE_ARRAY | RMI_WIRE_FORTRAN)) != 0
               ? fail(r, at, "has a tensor with unknown flags")
               : RM_OK;
}

static int take_head(wire_reader *r, tensor_head *head)
{
    const size_t at = r->at;
    if (!take(r, head, 4) || !take(r, &head->sample_rate, sizeof head->sample_rate) ||
        !take(r, &head->channel_layout, sizeof head->channel_layout) ||
        !take(r, &head->item_size, sizeof head->item_size))
        return ends_early(r);
    return check_head(r, head, at);
}

/* The elements of a JSON description must have the size that the tensor says. */
static int check_description(const wire_reader *r, size_t at, const rmi_text *text, size_t item_size)
{
    const int rc = text->length != 0 && strlen(text->data) == text->length
                       ? rmi_json_check_dtype(r->allocator, text->data, item_size)
                       : RM_E_VALUE;
    if (rc == RM_E_OUT_OF_MEMORY)
        return rmi_out_of_memory(r->err);
    return rc == RM_OK ? RM_OK
                       : fail(r, at, "has a tensor whose elements are not what their description says");
}

/* Takes the description into `text`, which stays empty where the elements have a dtype. */
static int take_description(wire_reader *r, const tensor_head *head, rmi_text *text)
{
    const uint8_t *bytes = NULL;
    size_t length = 0;
    const int rc = take_bytes(r, &bytes, &length);
    const size_t at = rc == RM_OK ? (size_t)(bytes - r->data) : 0;
    if (rc != RM_OK)
        return rc;
    if (head->dtype != RM_OPAQUE)
        return length != 0 ? fail(r, at, "has a tensor with a description that its dtype does not need")
                           : RM_OK;
    if (length > LONGEST_DESCRIPTION)
        return rm_error_set(r->err, RM_E_LIMIT, "a dtype's description has at most %d bytes, at byte %zu",
                            LONGEST_DESCRIPTION, at);
    rmi_text_append(text, (const char *)bytes, length);
    return text->failed ? rmi_out_of_memory(r->err) : check_description(r, at, text, head->item_size);
}

/* Takes the shape and the size of the elements, *bytes; they may be a part. */
static int take_layout(wire_reader *r, const tensor_head *head, int64_t *shape, size_t *bytes)
{
    const size_t at = r->at;
    size_t count = 0;
    uint64_t length = 0;
    if (!take(r, shape, (size_t)head->dimensions * sizeof *shape) || !take(r, &length, sizeof length))
        return ends_early(r);
    for (int i = 0; i < head->dimensions; i++)
        if (shape[i] < 0)
            return fail(r, at, "has a tensor with a negative dimension");
    if (!rmi_tensor_measure(head->item_size, head->dimensions, shape, &count, bytes))
        return rm_error_set(r->err, RM_E_LIMIT, "a tensor of this shape does not fit memory, at byte %zu",
                            at);
    if (length != *bytes)
        return fail(r, at, "has a tensor with more or fewer bytes than its shape needs");
    const size_t gap = (0 - r->at) % RMI_WIRE_ALIGNMENT, left = r->length - r->at;
    if (gap > left || (*bytes > left - gap && find_part(r, r->at + gap, *bytes, NULL) == NULL))
        return ends_early(r);
    for (size_t i = 0; i < gap; i++)
        if (r->data[r->at + i] != 0)
            return fail(r, r->at + i, "has something else than zeros before a tensor's elements");
    r->at += gap;
    return RM_OK;
}

/* Takes the elements of a tensor like `view`: a copy, or the memory of a part. */
static int take_elements(wire_reader *r, rm_tensor *view, bool fortran, size_t bytes, rm_value *out)
{
    void *owner = NULL;
    const uint8_t *part = find_part(r, r->at, bytes, fortran ? NULL : &owner);
    if (owner != NULL) {
        view->data = (void *)(uintptr_t)part;
        return rm_tensor_wrap(r->allocator, view, owner, r->lender->release, out, r->err);
    }
    int rc = charge(r, 0, bytes, 1);
    if (rc == RM_OK)
        rc = rmi_tensor_new_unset(r->allocator, view, fortran, out, r->err);
    if (rc != RM_OK)
        return rc;
    if (bytes != 0)
        memcpy(rm_tensor_view(*out).data, part != NULL ? part : r->data + r->at, bytes);
    if (part == NULL)
        r->at += bytes;
    return RM_OK;
}

static int take_tensor(wire_reader *r, rm_value *out)
{
    int64_t shape[RM_MAX_DIMENSIONS];
    tensor_head head = {0};
    rmi_text text;
    size_t bytes = 0;
    rmi_text_init(&text, r->allocator);
    int rc = take_head(r, &head);
    if (rc == RM_OK)
        rc = take_description(r, &head, &text);
    if (rc == RM_OK)
        rc = take_layout(r, &head, shape, &bytes);
    if (rc == RM_OK)
        rc = charge(r, TENSOR + text.length, 0, 1);
    if (rc == RM_OK) {
        rm_tensor view = {.dtype = (rm_dtype)head.dtype,
                          .item_size = head.item_size,
                          .description = text.data,
                          .dimensions = head.dimensions,
                          .shape = shape};
        if (head.media == RM_MEDIA_AUDIO)
            view.media = (rm_media){RM_MEDIA_AUDIO, head.sample_rate, head.channel_layout};
        rc = take_elements(r, &view, head.flags & RMI_WIRE_FORTRAN, bytes, out);
    }
    if (rc == RM_OK && (head.flags & RMI_WIRE_ARRAY))
        rc = wrap(r, RMI_WIRE_TENSOR, out);
    rmi_text_clear(&text);
    return rc;
}

/* ---- Containers ---- */

static int take_value(wire_reader *r, rm_value *out);

/* Whether Python can hash the value: only such values are in sets or are keys. */
static bool can_be_hashed(rm_value value)
{
    const rmi_wire_object *packed = rmi_wire_object_of(value);
    if (value.kind == RM_OBJECT && packed->tag == RMI_WIRE_TUPLE) {
        bool can = true;
        for (size_t i = 0; can && i < rm_list_length(packed->content); i++)
            can = can_be_hashed(rm_list_get(packed->content, i));
        return can;
    }
    if (value.kind == RM_OBJECT)
        return packed->tag == RMI_WIRE_FROZENSET;
    return value.kind != RM_LIST && value.kind != RM_MAP;
}

/* Takes `count` values. Those at even places must be hashable where `keys`, all of them where `all_keys`. */
static int take_items(wire_reader *r, size_t count, bool keys, bool all_keys, rm_value *out)
{
    int rc = charge(r, sizeof(rmi_list_block), count, sizeof(rm_value));
    if (rc == RM_OK)
        rc = rm_list_new(r->allocator, count, out, r->err);
    for (size_t i = 0; rc == RM_OK && i < count; i++) {
        const size_t at = r->at;
        rm_value item = rm_null();
        r->owed--;
        rc = take_value(r, &item);
        if (rc == RM_OK && (all_keys || (keys && i % 2 == 0)) && !can_be_hashed(item)) {
            rm_value_clear(&item);
            rc = fail(r, at, "has a key or an element of a set that cannot be one");
        }
        if (rc == RM_OK)
            rmi_list_put(rmi_list_of(out->heap), item);
    }
    return rc;
}

static int take_list(wire_reader *r, uint8_t tag, rm_value *out)
{
    const bool is_dict = tag == RMI_WIRE_DICT;
    const bool is_set = tag == RMI_WIRE_SET || tag == RMI_WIRE_FROZENSET;
    size_t count = 0;
    int rc = take_count(r, is_dict ? 2 : 1, &count);
    if (rc == RM_OK)
        rc = take_items(r, is_dict ? count * 2 : count, is_dict, is_set, out);
    return rc == RM_OK && tag != RMI_WIRE_LIST ? wrap(r, tag, out) : rc;
}

static int take_map(wire_reader *r, rm_value *out)
{
    enum { SMALLEST = 5 }; /* an empty key and null */
    size_t count = 0;
    int rc = take_count(r, SMALLEST, &count);
    if (rc == RM_OK) /* an entry has up to three places in the index */
        rc = charge(r, sizeof(rmi_map_block), count, sizeof(rmi_map_entry) + 3 * sizeof(rmi_map_bucket));
    if (rc == RM_OK)
        rc = rm_map_new(r->allocator, count, out, r->err);
    for (size_t i = 0; rc == RM_OK && i < count; i++) {
        const size_t at = r->at;
        rm_heap *key = NULL;
        rm_value item = rm_null();
        r->owed -= SMALLEST;
        rc = take_key(r, &key);
        if (rc != RM_OK)
            break;
        rc = take_value(r, &item); /* null on failure */
        rmi_map_put(rmi_map_of(out->heap), key, item);
        if (rc == RM_OK && rm_map_length(*out) != i + 1)
            rc = fail(r, at, "has a key twice");
    }
    return rc;
}

static int take_container(wire_reader *r, uint8_t tag, rm_value *out)
{
    if (r->depth == RMI_WIRE_MAX_NESTING)
        return rm_error_set(r->err, RM_E_LIMIT, "a value is nested deeper than %d levels, at byte %zu",
                            RMI_WIRE_MAX_NESTING, r->at - 1);
    r->depth++;
    const int rc = tag == RMI_WIRE_MAP ? take_map(r, out) : take_list(r, tag, out);
    r->depth--;
    return rc;
}

static int take_content(wire_reader *r, uint8_t tag, rm_value *out)
{
    int rc = RM_OK;
    switch (tag) {
    case RMI_WIRE_NULL:
        return RM_OK;
    case RMI_WIRE_FALSE:
    case RMI_WIRE_TRUE:
        *out = rm_bool(tag == RMI_WIRE_TRUE);
        return RM_OK;
    case RMI_WIRE_INT:
    case RMI_WIRE_FLOAT:
        *out = (rm_value){.kind = tag == RMI_WIRE_INT ? RM_INT : RM_FLOAT};
        return take(r, &out->bits, sizeof out->bits) ? RM_OK : ends_early(r);
    case RMI_WIRE_BIGINT:
        return take_integer(r, out);
    case RMI_WIRE_STRING:
        return take_text(r, out);
    case RMI_WIRE_BYTES:
    case RMI_WIRE_BYTEARRAY:
        rc = take_blob(r, out);
        if (rc == RM_OK && tag == RMI_WIRE_BYTEARRAY)
            rc = wrap(r, tag, out);
        return rc;
    case RMI_WIRE_TENSOR:
        return take_tensor(r, out);
    default:
        return tag < RMI_WIRE_TAGS ? take_container(r, tag, out) : fail(r, r->at - 1, "has an unknown tag");
    }
}

/* Takes one value; *out is null on failure. */
static int take_value(wire_reader *r, rm_value *out)
{
    *out = rm_null();
    if (r->at == r->length)
        return ends_early(r);
    const int rc = take_content(r, r->data[r->at++], out);
    if (rc != RM_OK && out->kind != RM_NULL)
        rm_value_clear(out);
    return rc;
}

/* ---- Whole messages ---- */

static int read_whole(wire_reader *r, size_t *offset, rm_value *out)
{
    rmi_keys keys;
    *out = rm_null();
    r->at = *offset;
    if (r->at > r->length)
        return ends_early(r);
    keys.kept = 0;
    r->keys = &keys;
    int rc = take_value(r, out);
    rmi_keys_clear(&keys);
    r->keys = NULL;
    if (rc == RM_OK && out->kind != RM_OBJECT && rmi_may_hold_object(*out)) {
        const uint32_t tag = out->kind == RM_LIST ? RMI_WIRE_LIST : RMI_WIRE_MAP;
        rc = wrap(r, tag, out);
    }
    if (rc == RM_OK)
        *offset = r->at;
    else
        rm_value_clear(out);
    return rc;
}

int rmi_wire_read_slow(const rm_allocator *allocator, const void *data, size_t length, size_t *offset,
                       rmi_wire_bound *bound, rm_value *out, rm_error *err)
{
    wire_reader r = {.allocator = allocator, .data = data, .length = length, .bound = bound, .err = err};
    return read_whole(&r, offset, out);
}

int rmi_wire_read_lent(const rm_allocator *allocator, const void *data, size_t length, size_t *offset,
                       const rmi_wire_lender *lender, rm_value *out, rm_error *err)
{
    wire_reader r = {.allocator = allocator, .data = data, .length = length, .lender = lender, .err = err};
    return read_whole(&r, offset, out);
}

int rmi_wire_read_packet(const rm_allocator *allocator, const void *data, size_t length, size_t *offset,
                         rmi_wire_bound *bound, rm_packet *out, rm_error *err)
{
    const wire_reader r = {.length = length, .err = err};
    size_t at = *offset;
    uint32_t zero = 0;
    rm_value metadata = rm_null();
    *out = rm_packet_of(rm_null());
    rm_packet packet = *out;
    if (!rmi_wire_read_raw(data, length, &at, &packet.seq, sizeof packet.seq) ||
        !rmi_wire_read_raw(data, length, &at, &packet.timestamp, sizeof packet.timestamp) ||
        !rmi_wire_read_raw(data, length, &at, &packet.duration, sizeof packet.duration) ||
        !rmi_wire_read_raw(data, length, &at, &packet.flags, sizeof packet.flags) ||
        !rmi_wire_read_raw(data, length, &at, &zero, sizeof zero))
        return ends_early(&r);
    int rc = rmi_wire_read_within(allocator, data, length, &at, bound, &packet.value, err);
    const size_t place = at;
    if (rc == RM_OK)
        rc = rmi_wire_read_within(allocator, data, length, &at, bound, &metadata, err);
    if (rc == RM_OK && metadata.kind != RM_NULL && metadata.kind != RM_MAP)
        rc = fail(&r, place, "has metadata that is no plain map");
    if (rc != RM_OK) {
        rm_value_clear(&metadata);
        rm_packet_clear(&packet);
        return rc;
    }
    rm_packet_set_metadata(&packet, metadata);
    *out = packet;
    *offset = at;
    return RM_OK;
}
