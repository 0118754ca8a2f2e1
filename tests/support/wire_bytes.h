/* Shared by the tests of packed values; include cmocka.h first. */
#ifndef TESTS_SUPPORT_WIRE_BYTES_H
#define TESTS_SUPPORT_WIRE_BYTES_H

#include <stdlib.h>
#include <string.h>

#include "data/wire/wire.h"

/* The bytes of `value`; owned: rmi_wire_clear. */
static inline rmi_wire_writer packed(rm_value value)
{
    rmi_wire_writer packer;
    rmi_wire_init(&packer, NULL);
    assert_int_equal(rmi_wire_write(&packer, value, NULL), RM_OK);
    assert_true(rmi_wire_fits(&packer));
    return packer;
}

/* Reads a copy without a byte behind it, so that a sanitizer sees reads past the end. */
static inline int unpack(const rm_allocator *allocator, const void *data, size_t length, rm_value *out,
                         rm_error *err)
{
    uint8_t *exact = malloc(length != 0 ? length : 1);
    size_t offset = 0;
    assert_non_null(exact);
    if (length != 0)
        memcpy(exact, data, length);
    const int rc = rmi_wire_read(allocator, exact, length, &offset, out, err);
    if (rc == RM_OK)
        assert_true(offset <= length);
    else
        assert_int_equal(out->kind, RM_NULL);
    free(exact);
    return rc;
}

#endif
