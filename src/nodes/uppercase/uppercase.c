/* UppercaseTransform: text in capitals, as Python's str.upper() gives it. */
#include <string.h>

#include "nodes/process_many.h"
#include "nodes/uppercase/table.h"

enum { MAX_GROWTH = 3 }; /* a character's capitals take at most three times its bytes */

struct uppercase {
    char *buffer; /* for the text being made; kept for the next item */
    size_t capacity;
};

/* The character at `text`, which is UTF-8, and its bytes in *length. */
static uint32_t decode(const unsigned char *text, size_t *length)
{
    const uint32_t head = text[0];
    *length = head < 0x80 ? 1 : head < 0xe0 ? 2 : head < 0xf0 ? 3 : 4;
    if (*length == 1)
        return head;
    uint32_t code = head & (0x7fu >> *length);
    for (size_t i = 1; i < *length; i++)
        code = code << 6 | (text[i] & 0x3fu);
    return code;
}

static size_t encode(uint32_t code, char *out)
{
    const size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char heads[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = length - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (code & 0x3f));
        code >>= 6;
    }
    out[0] = (char)(heads[length] | code);
    return length;
}

static const char *special_of(uint32_t code)
{
    size_t low = 0, high = rmi_upper_special_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (rmi_upper_specials[middle].code == code)
            return rmi_upper_specials[middle].text;
        if (rmi_upper_specials[middle].code < code)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static uint32_t simple_of(uint32_t code)
{
    size_t low = 0, high = rmi_upper_range_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const rmi_upper_range *range = &rmi_upper_ranges[middle];
        if (code > range->last)
            low = middle + 1;
        else if (code < range->first)
            high = middle;
        else
            return (code - range->first) % range->step == 0 ? (uint32_t)((int64_t)code + range->delta) : code;
    }
    return code;
}

/* Writes the capitals of `text` to `out`, which has room for MAX_GROWTH times as much; returns the bytes. */
static size_t upper(const char *text, size_t length, char *out)
{
    size_t used = 0;
    for (size_t i = 0, step; i < length; i += step) {
        const uint32_t code = decode((const unsigned char *)text + i, &step);
        const char *special = code < 0x80 ? NULL : special_of(code);
        if (code < 0x80) {
            out[used++] = (char)(code >= 'a' && code <= 'z' ? code - 32 : code);
        } else if (special != NULL) {
            const size_t bytes = strlen(special);
            memcpy(out + used, special, bytes);
            used += bytes;
        } else {
            used += encode(simple_of(code), out + used);
        }
    }
    return used;
}

static int uppercase_one(rm_node *node, struct uppercase *u, rm_value *value, rm_error *err)
{
    size_t length = 0;
    rm_value result = rm_null();
    const char *text = rm_string_text(*value, &length);
    if (length > SIZE_MAX / MAX_GROWTH)
        return rm_error_set(err, RM_E_LIMIT, "a text of %zu bytes is too long", length);
    if (length * MAX_GROWTH > u->capacity) {
        char *grown = rmi_node_resize(node, u->buffer, u->capacity, length * MAX_GROWTH, err);
        if (grown == NULL)
            return RM_E_OUT_OF_MEMORY;
        u->buffer = grown;
        u->capacity = length * MAX_GROWTH;
    }
    const size_t used = length > 0 ? upper(text, length, u->buffer) : 0;
    int rc = rm_string_new(rm_node_allocator(node), used > 0 ? u->buffer : "", used, &result, err);
    if (rc == RM_OK) {
        rm_value_clear(value);
        *value = result;
    }
    return rc;
}

static int uppercase_process_many(rm_node *node, void *state, unsigned port, rm_packet *batch, size_t n,
                                  size_t *done, rm_error *err)
{
    int rc = RM_OK;
    size_t i = 0;
    (void)port;
    while (i < n && (rc = uppercase_one(node, state, &batch[i].value, err)) == RM_OK)
        i++;
    return rmi_batch_end(node, batch, i, i, done, rc, err);
}

static int uppercase_close(rm_node *node, void *state, rm_error *err)
{
    struct uppercase *u = state;
    (void)err;
    rmi_node_free(node, u->buffer, u->capacity);
    return RM_OK;
}

static const rm_port uppercase_ports[] = {
    {.name = "in", .direction = RM_INPUT, .kinds = RM_KIND_STRING, .text = "Text"},
    {.name = "out", .direction = RM_OUTPUT, .kinds = RM_KIND_STRING, .text = "The text in capitals"},
    {0},
};

const rm_node_type rmi_node_uppercase = {
    .abi_version = RM_NODE_ABI_VERSION,
    .size = sizeof(rm_node_type),
    .name = "UppercaseTransform",
    .summary = "Turns text into capitals",
    .description =
        "Every script that has capitals is covered, as by Python's str.upper(): one character may become "
        "several. An item that is not a string is an error.",
    .ports = uppercase_ports,
    .state_size = sizeof(struct uppercase),
    .process_many = uppercase_process_many,
    .close = uppercase_close,
};
