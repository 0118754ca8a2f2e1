/* Bools of other libraries: any byte but 0 may mean true there, only 1 does here. */
#include "data/tensor.h"

/* Whether each byte is 0 or 1. */
static bool are_plain(const unsigned char *bytes, size_t count)
{
    unsigned char all = 0;
    for (size_t i = 0; i < count; i++)
        all |= bytes[i];
    return all <= 1;
}

static bool have_plain_bools(const rm_tensor *view)
{
    rmi_tensor_walk walk;
    rmi_tensor_walk_start(&walk, view);
    if (rmi_tensor_is_in_order(view, false) || rmi_tensor_is_in_order(view, true))
        return are_plain(view->data, walk.left);
    while (walk.left != 0 && are_plain((const unsigned char *)walk.at, 1))
        rmi_tensor_walk_next(&walk);
    return walk.left == 0;
}

int rmi_tensor_plain_bools(const rm_allocator *allocator, rm_value *tensor, rm_error *err)
{
    const rm_tensor view = rm_tensor_view(*tensor);
    rm_value own = rm_null();
    if (view.dtype != RM_BOOL8 || have_plain_bools(&view))
        return RM_OK;
    const int rc = rmi_tensor_copy(allocator, *tensor, &own, err);
    if (rc == RM_OK) {
        unsigned char *bytes = rm_tensor_view(own).data;
        const size_t count = rm_tensor_bytes(own);
        for (size_t i = 0; i < count; i++)
            bytes[i] = bytes[i] != 0;
    }
    rm_value_clear(tensor);
    *tensor = own;
    return rc;
}
