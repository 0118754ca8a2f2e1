/* Writes values as bytes. */
#include "data/wire/wire.h"

#include "base/alloc.h"
#include "data/blocks.h"
#include "data/integer.h"
#include "data/tensor.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers are packed as they lie in memory");

/* ---- The packer ---- */

void rmi_wire_init(rmi_wire_writer *packer, const rm_allocator *allocator)
{
    *packer = (rmi_wire_writer){.allocator = allocator, .grows = true};
}

void rmi_wire_init_fixed(rmi_wire_writer *packer, void *data, size_t capacity)
{
    *packer = (rmi_wire_writer){.data = data, .capacity = capacity};
}

void rmi_wire_clear(rmi_wire_writer *packer)
{
    if (packer->grows)
        rmi_free(packer->allocator, packer->data, packer->capacity);
    *packer = (rmi_wire_writer){.allocator = packer->allocator, .grows = packer->grows};
}

static bool grow(rmi_wire_writer *packer, size_t wanted)
{
    enum { SMALLEST = 256 };
    void *block = packer->data;
    const int rc = rmi_grow(packer->allocator, &block, &packer->capacity,
                            wanted > SMALLEST ? wanted : SMALLEST, 1, NULL);
    packer->data = block;
    return rc == RM_OK;
}

uint8_t *rmi_wire_more(rmi_wire_writer *packer, size_t size)
{
    const size_t at = packer->length;
    size_t wanted = 0;
    if (packer->failed || !rmi_add(at, size, &wanted) || (packer->grows && !grow(packer, wanted))) {
        packer->failed = true;
        return NULL;
    }
    RMI_CHECK(!packer->grows || wanted <= packer->capacity);
    packer->length = wanted;
    return packer->grows ? packer->data + at : NULL;
}

/* ---- Parts ---- */

int rmi_wire_too_deep(rm_error *err)
{
    return rm_error_set(err, RM_E_LIMIT, "a value is nested deeper than %d levels", RMI_WIRE_MAX_NESTING);
}

static int check_length(size_t length, rm_error *err)
{
    return length <= UINT32_MAX
               ? RM_OK
               : rm_error_set(err, RM_E_LIMIT, "a part of %zu bytes or items is too large for a packed value",
                              length);
}

int rmi_wire_write_head(rmi_wire_writer *packer, uint8_t tag, size_t count, rm_error *err)
{
    const uint32_t number = (uint32_t)count;
    const int rc = check_length(count, err);
    rmi_wire_put_tagged(packer, tag, &number, sizeof number);
    return rc;
}

int rmi_wire_write_bytes(rmi_wire_writer *packer, uint8_t tag, const void *data, size_t length, rm_error *err)
{
    const int rc = rmi_wire_write_head(packer, tag, length, err);
    if (rc == RM_OK)
        rmi_wire_put(packer, data, length);
    return rc;
}

static int pack_big_integer(rmi_wire_writer *packer, rm_value value, rm_error *err)
{
    if (!rmi_integer_fits_digits(value))
        return rmi_integer_too_long(err);
    const size_t size = rm_integer_to_bytes(value, NULL, 0);
    const int rc = rmi_wire_write_head(packer, RMI_WIRE_BIGINT, size, err);
    uint8_t *to = rc == RM_OK ? rmi_wire_room(packer, size) : NULL;
    if (to != NULL)
        (void)rm_integer_to_bytes(value, to, size);
    return rc;
}

/* ---- Tensors ---- */

/* Writes all that comes before the elements, of which there are *size bytes. */
static int pack_tensor_head(rmi_wire_writer *packer, const rm_tensor *view, uint8_t flags, size_t *size,
                            rm_error *err)
{
    const size_t described = view->description != NULL ? strlen(view->description) : 0;
    const uint8_t bytes[] = {RMI_WIRE_TENSOR, (uint8_t)view->dtype, (uint8_t)view->dimensions,
                             (uint8_t)view->media.kind, flags};
    size_t count = 0;
    int rc = check_length(described, err);
    if (rc == RM_OK)
        rc = check_length(view->item_size, err);
    if (rc != RM_OK)
        return rc;
    if (!rmi_tensor_measure(view->item_size, view->dimensions, view->shape, &count, size))
        return rm_error_set(err, RM_E_LIMIT, "a tensor of this shape does not fit memory");
    rmi_wire_put(packer, bytes, sizeof bytes);
    rmi_wire_put(packer, &view->media.sample_rate, sizeof view->media.sample_rate);
    rmi_wire_put(packer, &view->media.channel_layout, sizeof view->media.channel_layout);
    rmi_wire_put_u32(packer, (uint32_t)view->item_size);
    rmi_wire_put_u32(packer, (uint32_t)described);
    rmi_wire_put(packer, view->description, described);
    rmi_wire_put(packer, view->shape, (size_t)view->dimensions * sizeof *view->shape);
    rmi_wire_put_i64(packer, (int64_t)*size);
    if (packer->failed)
        return rmi_out_of_memory(err);
    const size_t gap = (0 - packer->length) % RMI_WIRE_ALIGNMENT;
    uint8_t *to = rmi_wire_room(packer, gap);
    if (to != NULL)
        memset(to, 0, gap);
    RMI_CHECK(packer->failed || packer->length % RMI_WIRE_ALIGNMENT == 0);
    return packer->failed ? rmi_out_of_memory(err) : RM_OK;
}

int rmi_wire_write_tensor(rmi_wire_writer *packer, const rm_tensor *view, uint8_t flags, rm_error *err)
{
    const bool fortran =
        packer->any_order && !rmi_tensor_is_in_order(view, false) && rmi_tensor_is_in_order(view, true);
    size_t size = 0;
    const int rc = pack_tensor_head(packer, view, flags | (fortran ? RMI_WIRE_FORTRAN : 0), &size, err);
    if (rc != RM_OK)
        return rc;
    uint8_t *to = rmi_wire_room(packer, size);
    if (to != NULL && fortran && size > 0)
        memcpy(to, view->data, size);
    else if (to != NULL)
        rmi_tensor_copy_elements(view, to);
    return packer->failed ? rmi_out_of_memory(err) : RM_OK;
}

void rmi_wire_parts_clear(rmi_wire_parts *parts, const rm_allocator *allocator)
{
    rmi_free(allocator, parts->list, parts->capacity * sizeof *parts->list);
    *parts = (rmi_wire_parts){0};
}

static bool is_part(const rmi_wire_writer *packer, const rm_tensor *view)
{
    size_t count = 0, size = 0;
    return packer->parts != NULL &&
           rmi_tensor_measure(view->item_size, view->dimensions, view->shape, &count, &size) &&
           size >= RMI_WIRE_PART_LEAST && rmi_tensor_is_in_order(view, false);
}

/* Writes a tensor without its elements, which become a part. */
static int pack_part(rmi_wire_writer *packer, const rm_tensor *view, rm_error *err)
{
    rmi_wire_parts *parts = packer->parts;
    void *block = parts->list;
    size_t size = 0;
    int rc = pack_tensor_head(packer, view, 0, &size, err);
    if (rc == RM_OK && parts->count == parts->capacity) {
        rc =
            rmi_grow(packer->allocator, &block, &parts->capacity, parts->count + 1, sizeof *parts->list, err);
        parts->list = block;
    }
    if (rc == RM_OK)
        parts->list[parts->count++] = (rmi_wire_part){packer->length, view->data, size};
    return rc;
}

/* ---- Containers ---- */

static int pack_list(rmi_wire_writer *packer, const rmi_list_block *list, unsigned depth, rm_error *err)
{
    if (depth >= RMI_WIRE_MAX_NESTING)
        return rmi_wire_too_deep(err);
    int rc = rmi_wire_write_head(packer, RMI_WIRE_LIST, list->length, err);
    for (size_t i = 0; rc == RM_OK && i < list->length; i++)
        rc = rmi_wire_write_nested(packer, list->items[i], depth + 1, err);
    return rc;
}

static int pack_map(rmi_wire_writer *packer, const rmi_map_block *map, unsigned depth, rm_error *err)
{
    if (depth >= RMI_WIRE_MAX_NESTING)
        return rmi_wire_too_deep(err);
    int rc = rmi_wire_write_head(packer, RMI_WIRE_MAP, map->length, err);
    for (size_t i = 0; rc == RM_OK && i < map->length; i++) {
        const rmi_string_block *key = rmi_string_of(map->entries[i].key);
        rc = check_length(key->length, err);
        if (rc != RM_OK)
            break;
        rmi_wire_put_u32(packer, (uint32_t)key->length);
        rmi_wire_put(packer, key->text, key->length);
        rc = rmi_wire_write_nested(packer, map->entries[i].item, depth + 1, err);
    }
    return rc;
}

static int pack_object(rmi_wire_writer *packer, rm_value value, unsigned depth, rm_error *err)
{
    const rm_object_type *type = rm_object_type_of(value);
    rm_value plain = rm_null();
    if (type->size == sizeof(rmi_wire_writable_type))
        return ((const rmi_wire_writable_type *)type)->pack(rm_object_get(value, type), packer, depth, err);
    rmi_wire_parts *const parts = packer->parts;
    packer->parts = NULL; /* the plain value does not live on */
    int rc = rm_value_to_plain(packer->allocator, value, &plain, err);
    if (rc == RM_OK)
        rc = rmi_wire_write_nested(packer, plain, depth, err);
    rm_value_clear(&plain);
    packer->parts = parts;
    return rc;
}

static int pack_block(rmi_wire_writer *packer, rm_heap *heap, unsigned depth, rm_error *err)
{
    switch (heap->kind) {
    case RM_BIGINT:
        return pack_big_integer(packer, rmi_value_of(heap), err);
    case RM_STRING:
        return rmi_wire_write_bytes(packer, RMI_WIRE_STRING, rmi_string_of(heap)->text,
                                    rmi_string_of(heap)->length, err);
    case RM_BYTES:
        return rmi_wire_write_bytes(packer, RMI_WIRE_BYTES, rmi_bytes_of(heap)->data,
                                    rmi_bytes_of(heap)->length, err);
    case RM_LIST:
        return pack_list(packer, rmi_list_of(heap), depth, err);
    case RM_MAP:
        return pack_map(packer, rmi_map_of(heap), depth, err);
    case RM_TENSOR:
        return is_part(packer, &rmi_tensor_of(heap)->view)
                   ? pack_part(packer, &rmi_tensor_of(heap)->view, err)
                   : rmi_wire_write_tensor(packer, &rmi_tensor_of(heap)->view, 0, err);
    case RM_OBJECT:
        return pack_object(packer, rmi_value_of(heap), depth, err);
    default:
        return rm_error_set(err, RM_E_INTERNAL, "a value of unknown kind %u", (unsigned)heap->kind);
    }
}

int rmi_wire_write_slow(rmi_wire_writer *packer, rm_value value, unsigned depth, rm_error *err)
{
    int rc = RM_OK;
    switch (value.kind) {
    case RM_NULL:
        rmi_wire_put_tagged(packer, RMI_WIRE_NULL, NULL, 0);
        break;
    case RM_BOOL:
        rmi_wire_put_tagged(packer, value.b ? RMI_WIRE_TRUE : RMI_WIRE_FALSE, NULL, 0);
        break;
    case RM_INT: /* only where there was no room */
        break;
    case RM_FLOAT:
        rmi_wire_put_tagged(packer, RMI_WIRE_FLOAT, &value.f, sizeof value.f);
        break;
    default:
        rc = pack_block(packer, value.heap, depth, err);
    }
    return rc == RM_OK && packer->failed ? rmi_out_of_memory(err) : rc;
}

/* ---- Whole messages ---- */

int rmi_wire_write_packet(rmi_wire_writer *packer, const rm_packet *packet, rm_error *err)
{
    uint8_t *to = rmi_wire_room(packer, 32);
    if (to != NULL) {
        const uint32_t words[2] = {packet->flags, 0};
        memcpy(to, &packet->seq, 8);
        memcpy(to + 8, &packet->timestamp, 8);
        memcpy(to + 16, &packet->duration, 8);
        memcpy(to + 24, words, 8);
    }
    int rc = rmi_wire_write(packer, packet->value, err);
    if (rc == RM_OK)
        rc = rmi_wire_write(packer, rm_packet_metadata(packet), err);
    return rc;
}

int rmi_wire_size(rm_value value, size_t at, size_t *size, rm_error *err)
{
    rmi_wire_writer counter;
    rmi_wire_init_fixed(&counter, NULL, 0);
    counter.length = at;
    const int rc = rmi_wire_write(&counter, value, err);
    *size = rc == RM_OK ? counter.length - at : 0;
    return rc;
}
