/* What the tests of packed values share; cmocka.h comes before it. */
#ifndef TESTS_SUPPORT_PACKED_H
#define TESTS_SUPPORT_PACKED_H

#include <stdlib.h>
#include <string.h>

#include "data/packed.h"

/* The bytes of `value`; owned: rmi_packer_clear. */
static inline rmi_packer packed(rm_value value)
{
    rmi_packer packer;
    rmi_packer_init(&packer, NULL);
    assert_int_equal(rmi_pack(&packer, value, NULL), RM_OK);
    assert_true(rmi_packer_fits(&packer));
    return packer;
}

/* Unpacks all of a copy that has not a byte more, so that a sanitizer sees what is read behind it. */
static inline int unpack(const rm_allocator *allocator, const void *data, size_t length, rm_value *out,
                         rm_error *err)
{
    uint8_t *exact = malloc(length != 0 ? length : 1);
    size_t offset = 0;
    assert_non_null(exact);
    if (length != 0)
        memcpy(exact, data, length);
    const int rc = rmi_unpack(allocator, exact, length, &offset, out, err);
    if (rc == RM_OK)
        assert_true(offset <= length);
    else
        assert_int_equal(out->kind, RM_NULL);
    free(exact);
    return rc;
}

#endif
