/* The encoding between a pipeline and a node in a sandbox: what is read, written and read again has the same bytes, and gives the
 * same plain value. What only Python has is read into objects of rmi_wire_object, with no interpreter. */
#include <string.h>

#include "data/wire/wire.h"
#include "fuzz/fuzz.h"

/* What the first byte chooses. */
enum { PACKET = 1, ANY_ORDER = 2 };

static int pack(rmi_wire_writer *packer, const rm_packet *packet, unsigned choices, rm_error *err)
{
    packer->any_order = (choices & ANY_ORDER) != 0;
    const int rc = (choices & PACKET) != 0 ? rmi_wire_write_packet(packer, packet, err)
                                           : rmi_wire_write(packer, packet->value, err);
    return rc == RM_OK && packer->failed ? rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory") : rc;
}

static int unpack(const rm_allocator *allocator, const uint8_t *data, size_t length, unsigned choices,
                  rm_packet *out, rm_error *err)
{
    size_t offset = 0;
    *out = rm_packet_of(rm_null());
    const int rc = (choices & PACKET) != 0
                       ? rmi_wire_read_packet(allocator, data, length, &offset, NULL, out, err)
                       : rmi_wire_read(allocator, data, length, &offset, &out->value, err);
    rmf_require(rc != RM_OK || offset <= length, "it reads %zu of %zu bytes", offset, length);
    rmf_require(rc == RM_OK || out->value.kind == RM_NULL, "a value is left after a failure");
    return rc;
}

/* The size that is said in advance is the size, and memory that is too small is no failure. */
static int check_size(const rmi_wire_writer *packed, const rm_packet *packet, rm_error *err)
{
    size_t size = 0;
    uint8_t small[64];
    rmi_wire_writer fixed;
    int rc = rmi_wire_size(packet->value, 0, &size, err);
    rmf_require(rc == RM_OK || rc == RM_E_OUT_OF_MEMORY, "the size of what was packed is not known");
    rmi_wire_init_fixed(&fixed, small, sizeof small);
    fixed.any_order = packed->any_order;
    if (rc == RM_OK)
        rc = rmi_wire_write(&fixed, packet->value, err);
    if (rc == RM_OK && !packed->any_order)
        rmf_require(fixed.length == size, "it takes %zu bytes, and %zu were said", fixed.length, size);
    return rc;
}

static int plain(const rm_allocator *allocator, rm_value value, rm_value *out, rm_error *err)
{
    rm_value copy = rm_null();
    int rc = rm_value_for_branch(value, &copy, err);
    if (rc == RM_OK)
        rc = rm_value_to_plain(allocator, copy, out, err);
    rm_value_clear(&copy);
    return rc;
}

/* `first` is what was read. */
static int write_and_read(const rm_allocator *allocator, const rm_packet *first, unsigned choices,
                          rm_error *err)
{
    rmi_wire_writer once, twice;
    rm_packet second = rm_packet_of(rm_null());
    rm_value a = rm_null(), b = rm_null();
    rmi_wire_init(&once, allocator);
    rmi_wire_init(&twice, allocator);
    int rc = pack(&once, first, choices, err);
    rmf_require(rc == RM_OK || rc == RM_E_OUT_OF_MEMORY, "what was read cannot be packed: %s", err->message);
    if (rc == RM_OK)
        rc = check_size(&once, first, err);
    if (rc == RM_OK)
        rc = unpack(allocator, once.data, once.length, choices, &second, err);
    rmf_require(rc == RM_OK || rc == RM_E_OUT_OF_MEMORY, "what was packed cannot be read: %s", err->message);
    if (rc == RM_OK)
        rc = pack(&twice, &second, choices, err);
    if (rc == RM_OK)
        rmf_require(once.length == twice.length && memcmp(once.data, twice.data, once.length) == 0,
                    "the same value has other bytes");
    if (rc == RM_OK)
        rc = plain(allocator, first->value, &a, err);
    if (rc == RM_OK)
        rc = plain(allocator, second.value, &b, err);
    if (rc == RM_OK)
        rmf_require(rm_value_equal(a, b), "the plain value is another");
    rm_value_clear(&a);
    rm_value_clear(&b);
    rm_packet_clear(&second);
    rmi_wire_clear(&once);
    rmi_wire_clear(&twice);
    return rc;
}

int rmf_run(rmt_heap *heap, rmf_input input)
{
    const unsigned choices = rmf_u8(&input);
    const rm_allocator *allocator = &heap->allocator;
    rm_packet packet;
    rm_error err = {0};
    size_t length = 0;
    uint8_t *data = rmf_rest(&input, &length);
    int rc = unpack(allocator, data, length, choices, &packet, &err);
    if (rc == RM_OK)
        rc = write_and_read(allocator, &packet, choices, &err);
    rmf_require(rc == err.code, "it answers %d and says %d", rc, err.code);
    rm_error_clear(&err);
    rm_packet_clear(&packet);
    free(data);
    return rc;
}
