#include <string.h>

#include "base/alloc.h"
#include "data/blocks.h"
#include "data/tensor.h"

enum { ALIGNMENT = 64 };

/* ---- Element types ---- */

static const struct {
    const char *name;
    size_t size;
} dtypes[RM_DTYPE_COUNT] = {
    [RM_BOOL8] = {"bool", 1},      [RM_INT8] = {"int8", 1},           [RM_INT16] = {"int16", 2},
    [RM_INT32] = {"int32", 4},     [RM_INT64] = {"int64", 8},         [RM_UINT8] = {"uint8", 1},
    [RM_UINT16] = {"uint16", 2},   [RM_UINT32] = {"uint32", 4},       [RM_UINT64] = {"uint64", 8},
    [RM_FLOAT16] = {"float16", 2}, [RM_BFLOAT16] = {"bfloat16", 2},   [RM_FLOAT32] = {"float32", 4},
    [RM_FLOAT64] = {"float64", 8}, [RM_COMPLEX64] = {"complex64", 8}, [RM_COMPLEX128] = {"complex128", 16},
};

static bool is_dtype(rm_dtype dtype)
{
    return (int)dtype >= RM_BOOL8 && (int)dtype < RM_DTYPE_COUNT;
}

const char *rm_dtype_name(rm_dtype dtype)
{
    return is_dtype(dtype) ? dtypes[dtype].name : dtype == RM_OPAQUE ? "opaque" : "unknown";
}

size_t rm_dtype_size(rm_dtype dtype)
{
    return is_dtype(dtype) ? dtypes[dtype].size : 0;
}

rm_dtype rm_dtype_from_name(const char *name)
{
    for (int dtype = RM_BOOL8; dtype < RM_DTYPE_COUNT; dtype++) {
        if (strcmp(name, dtypes[dtype].name) == 0)
            return (rm_dtype)dtype;
    }
    return (rm_dtype)0;
}

/* ---- Sizes ---- */

bool rmi_tensor_measure(size_t item_size, int32_t dimensions, const int64_t *shape, size_t *count,
                        size_t *bytes)
{
    size_t factors = 1; /* without empty dimensions: even the shape of an empty tensor must be addressable */
    bool empty = false, fits = true;
    for (int32_t i = 0; i < dimensions; i++) {
        if (shape[i] == 0)
            empty = true;
        else
            fits =
                fits && (uint64_t)shape[i] <= SIZE_MAX && rmi_multiply(factors, (size_t)shape[i], &factors);
    }
    *count = empty ? 0 : factors;
    fits = fits && rmi_multiply(factors, item_size, bytes) && *bytes <= PTRDIFF_MAX;
    if (empty)
        *bytes = 0;
    return fits;
}

/* Fills in the size of an element and checks everything else; *bytes is the size of a contiguous tensor. */
static int check_layout(rm_tensor *view, size_t *bytes, rm_error *err)
{
    size_t count = 0;
    const int32_t dimensions = view->dimensions;
    const int64_t *shape = view->shape;
    if (is_dtype(view->dtype)) {
        view->item_size = rm_dtype_size(view->dtype);
        view->description = NULL;
    } else if (view->dtype != RM_OPAQUE) {
        return rm_error_set(err, RM_E_VALUE, "%d is no element type of tensors", (int)view->dtype);
    } else if (view->description == NULL) {
        return rm_error_set(err, RM_E_USAGE, "opaque elements need a description");
    }
    if (dimensions < 0 || dimensions > RM_MAX_DIMENSIONS)
        return rm_error_set(err, RM_E_LIMIT, "a tensor has 0 to %d dimensions, not %ld", RM_MAX_DIMENSIONS,
                            (long)dimensions);
    for (int32_t i = 0; i < dimensions; i++) {
        if (shape[i] < 0)
            return rm_error_set(err, RM_E_VALUE, "dimension %ld of a tensor is negative", (long)i);
    }
    if (!rmi_tensor_measure(view->item_size, dimensions, shape, &count, bytes))
        return rm_error_set(err, RM_E_LIMIT, "a tensor of this shape does not fit memory");
    return RM_OK;
}

/* The range of the elements, in bytes from the first: [*low, *high). Returns false where that cannot be
 * addressed. */
static bool measure_span(const rm_tensor *view, int64_t *low, int64_t *high)
{
    int64_t step = 0;
    *low = 0;
    *high = (int64_t)view->item_size;
    for (int32_t i = 0; i < view->dimensions; i++) {
        if (view->shape[i] == 0) {
            *low = *high = 0;
            return true;
        }
        int64_t *end = view->strides[i] < 0 ? low : high;
        if (__builtin_mul_overflow(view->shape[i] - 1, view->strides[i], &step) ||
            __builtin_mul_overflow(step, (int64_t)view->item_size, &step) ||
            __builtin_add_overflow(*end, step, end))
            return false;
    }
    return *low >= -PTRDIFF_MAX && *high <= PTRDIFF_MAX;
}

static void fill_strides(int32_t dimensions, const int64_t *shape, bool fortran, int64_t *strides)
{
    int64_t stride = 1;
    for (int32_t i = 0; i < dimensions; i++) {
        const int32_t at = fortran ? i : dimensions - 1 - i;
        strides[at] = stride;
        stride *= shape[at] != 0 ? shape[at] : 1; /* measured before: no overflow */
    }
}

/* Copies the strides of `view`, or the usual ones where it has none. A stride that leads nowhere may be any
 * number, even one that overflows: the usual one replaces it. */
static void copy_strides(const rm_tensor *view, bool fortran, int64_t *strides)
{
    bool empty = false;
    fill_strides(view->dimensions, view->shape, fortran, strides);
    for (int32_t i = 0; i < view->dimensions; i++)
        empty = empty || view->shape[i] == 0;
    for (int32_t i = 0; view->strides != NULL && !empty && i < view->dimensions; i++)
        strides[i] = view->shape[i] == 1 ? strides[i] : view->strides[i];
}

/* ---- Making ---- */

/* A block with room for the layout and `extra` bytes; shape, strides (NULL: by order) and description are
 * copied in. */
static rmi_tensor_block *new_block(const rm_allocator *allocator, const rm_tensor *view, bool fortran,
                                   size_t extra, rm_error *err)
{
    size_t layout = 2 * (size_t)view->dimensions * sizeof(int64_t), size = sizeof(rmi_tensor_block) + layout;
    size_t text = view->description != NULL ? strlen(view->description) + 1 : 0;
    rm_heap *heap = NULL;
    if (!rmi_add(size, extra, &size) || !rmi_add(size, text, &size))
        (void)rmi_out_of_memory(err);
    else
        heap = rmi_heap_new(allocator, RM_TENSOR, size, err);
    if (heap == NULL)
        return NULL;
    rmi_tensor_block *block = rmi_tensor_of(heap);
    block->view = *view;
    block->parent = NULL;
    block->owner = NULL;
    block->release = NULL;
    block->view.shape = view->dimensions != 0 ? block->layout : NULL;
    block->view.strides = view->dimensions != 0 ? block->layout + view->dimensions : NULL;
    if (view->dimensions != 0)
        memcpy(block->layout, view->shape, layout / 2);
    copy_strides(view, fortran, block->layout + view->dimensions);
    if (text != 0)
        block->view.description = memcpy((char *)block + size - text, view->description, text);
    return block;
}

int rmi_tensor_new_unset(const rm_allocator *allocator, const rm_tensor *wanted, bool fortran, rm_value *out,
                         rm_error *err)
{
    rm_tensor view = *wanted;
    size_t bytes = 0, extra = 0;
    *out = rm_null();
    view.strides = NULL;
    view.read_only = false;
    int rc = check_layout(&view, &bytes, err);
    if (rc != RM_OK)
        return rc;
    if (!rmi_add(bytes, ALIGNMENT, &extra))
        return rmi_out_of_memory(err);
    rmi_tensor_block *block = new_block(allocator, &view, fortran, extra, err);
    if (block == NULL)
        return RM_E_OUT_OF_MEMORY;
    unsigned char *data = (unsigned char *)(block->layout + 2 * view.dimensions);
    data += (ALIGNMENT - (uintptr_t)data % ALIGNMENT) % ALIGNMENT;
    block->view.data = data;
    *out = rmi_value_of(&block->head);
    return RM_OK;
}

int rm_tensor_new_like(const rm_allocator *allocator, const rm_tensor *wanted, bool fortran, rm_value *out,
                       rm_error *err)
{
    int rc = rmi_tensor_new_unset(allocator, wanted, fortran, out, err);
    if (rc == RM_OK)
        memset(rm_tensor_view(*out).data, 0, rm_tensor_bytes(*out));
    return rc;
}

int rm_tensor_new(const rm_allocator *allocator, rm_dtype dtype, int32_t dimensions, const int64_t *shape,
                  rm_value *out, rm_error *err)
{
    const rm_tensor view = {.dtype = dtype, .dimensions = dimensions, .shape = shape};
    return rm_tensor_new_like(allocator, &view, false, out, err);
}

int rm_tensor_wrap(const rm_allocator *allocator, const rm_tensor *described, void *owner,
                   void (*release)(void *owner), rm_value *out, rm_error *err)
{
    rm_tensor view = *described;
    size_t bytes = 0;
    int64_t low = 0, high = 0;
    rmi_tensor_block *block = NULL;
    *out = rm_null();
    int rc = check_layout(&view, &bytes, err);
    if (rc == RM_OK && view.data == NULL && bytes != 0)
        rc = rm_error_set(err, RM_E_USAGE, "a tensor over no memory");
    if (rc == RM_OK && view.dimensions != 0 && view.strides != NULL && !measure_span(&view, &low, &high))
        rc = rm_error_set(err, RM_E_LIMIT, "the strides of a tensor lead out of memory");
    if (rc == RM_OK) {
        block = new_block(allocator, &view, false, 0, err);
        rc = block == NULL ? RM_E_OUT_OF_MEMORY : RM_OK;
    }
    if (rc != RM_OK) {
        if (release != NULL)
            release(owner);
        return rc;
    }
    block->owner = owner;
    block->release = release;
    *out = rmi_value_of(&block->head);
    return RM_OK;
}

void rmi_tensor_release(rmi_tensor_block *tensor)
{
    if (tensor->parent != NULL) {
        rm_value parent = rmi_value_of(tensor->parent); /* never a slice: release goes no deeper */
        rm_value_clear(&parent);
    }
    if (tensor->release != NULL)
        tensor->release(tensor->owner);
}

/* A tensor with the layout of `view`, in the memory of `tensor`. */
static int new_part(const rm_allocator *allocator, rm_value tensor, const rm_tensor *view, rm_value *out,
                    rm_error *err)
{
    rmi_tensor_block *block = new_block(allocator, view, false, 0, err);
    if (block == NULL)
        return RM_E_OUT_OF_MEMORY;
    rm_heap *root = rmi_tensor_of(tensor.heap)->parent; /* never a part */
    block->parent = rm_value_retain(rmi_value_of(root != NULL ? root : tensor.heap)).heap;
    *out = rmi_value_of(&block->head);
    if (rmi_value_is_branched(tensor))
        rmi_value_mark_branched(*out);
    return RM_OK;
}

int rm_tensor_slice(const rm_allocator *allocator, rm_value tensor, int64_t start, int64_t count,
                    rm_value *out, rm_error *err)
{
    rm_tensor view = rm_tensor_view(tensor);
    int64_t shape[RM_MAX_DIMENSIONS];
    *out = rm_null();
    if (view.dimensions == 0)
        return rm_error_set(err, RM_E_TYPE, "a slice of %s without dimensions",
                            rm_kind_name((rm_kind)tensor.kind));
    if (start < 0 || count < 0 || start > view.shape[0] || count > view.shape[0] - start)
        return rm_error_set(err, RM_E_VALUE, "a slice from %lld of %lld does not lie in %lld",
                            (long long)start, (long long)count, (long long)view.shape[0]);
    memcpy(shape, view.shape, (size_t)view.dimensions * sizeof *shape);
    shape[0] = count;
    view.shape = shape;
    if (count != 0)
        view.data = (char *)view.data + start * view.strides[0] * (int64_t)view.item_size;
    return new_part(allocator, tensor, &view, out, err);
}

/* Whether all of `part` lies between the first and the last byte of `whole`. */
static bool lies_within(const rm_tensor *part, const rm_tensor *whole)
{
    int64_t low = 0, high = 0, part_low = 0, part_high = 0;
    if (!measure_span(whole, &low, &high) || !measure_span(part, &part_low, &part_high))
        return false;
    if (part_low == part_high)
        return true; /* no elements, nothing outside */
    const intptr_t apart = (intptr_t)((uintptr_t)part->data - (uintptr_t)whole->data);
    return !__builtin_add_overflow(part_low, (int64_t)apart, &part_low) &&
           !__builtin_add_overflow(part_high, (int64_t)apart, &part_high) && part_low >= low &&
           part_high <= high;
}

int rm_tensor_share(const rm_allocator *allocator, rm_value tensor, const rm_tensor *wanted, rm_value *out,
                    rm_error *err)
{
    const rm_tensor whole = rm_tensor_view(tensor);
    rm_tensor view = *wanted;
    int64_t strides[RM_MAX_DIMENSIONS];
    size_t bytes = 0;
    *out = rm_null();
    if (tensor.kind != RM_TENSOR)
        return rm_error_set(err, RM_E_TYPE, "%s is no tensor", rm_kind_name((rm_kind)tensor.kind));
    int rc = check_layout(&view, &bytes, err);
    if (rc != RM_OK)
        return rc;
    if (view.strides == NULL) {
        fill_strides(view.dimensions, view.shape, false, strides);
        view.strides = strides;
    }
    if (!lies_within(&view, &whole))
        return rm_error_set(err, RM_E_VALUE, "the layout has elements outside of the tensor's memory");
    view.read_only = view.read_only || whole.read_only;
    return new_part(allocator, tensor, &view, out, err);
}

/* ---- Looking ---- */

rm_tensor rm_tensor_view(rm_value value)
{
    return value.kind == RM_TENSOR ? rmi_tensor_of(value.heap)->view : (rm_tensor){0};
}

size_t rm_tensor_count(rm_value tensor)
{
    const rm_tensor view = rm_tensor_view(tensor);
    size_t count = 0, bytes = 0;
    if (tensor.kind == RM_TENSOR)
        (void)rmi_tensor_measure(view.item_size, view.dimensions, view.shape, &count, &bytes);
    return count;
}

size_t rm_tensor_bytes(rm_value tensor)
{
    return rm_tensor_count(tensor) *
           rm_tensor_view(tensor).item_size; /* measured when it was made: no overflow */
}

bool rmi_tensor_is_unique(rm_value tensor)
{
    const rmi_tensor_block *block = rmi_tensor_of(tensor.heap);
    for (int32_t i = 0; i < block->view.dimensions; i++) {
        if (block->view.strides[i] == 0 && block->view.shape[i] > 1)
            return false; /* an element seen in several places would be changed several times */
    }
    return rmi_owners(tensor) == 1 && !block->view.read_only &&
           (block->parent == NULL || rmi_owners(rmi_value_of(block->parent)) == 1);
}

int rm_tensor_set_media(rm_value *tensor, rm_media media, rm_error *err)
{
    if (tensor->kind != RM_TENSOR || rmi_owners(*tensor) != 1)
        return rm_error_set(err, RM_E_USAGE, "setting the media of %s that %s",
                            rm_kind_name((rm_kind)tensor->kind),
                            tensor->kind == RM_TENSOR ? "has other owners" : "is no tensor");
    rmi_tensor_of(tensor->heap)->view.media = media;
    return RM_OK;
}

bool rmi_tensor_is_in_order(const rm_tensor *view, bool fortran)
{
    int64_t expected = 1;
    bool in_order = true;
    for (int32_t i = 0; i < view->dimensions; i++) {
        const int32_t at = fortran ? i : view->dimensions - 1 - i;
        if (view->shape[at] == 0)
            return true;
        if (view->shape[at] != 1 && view->strides[at] != expected)
            in_order = false;
        expected *= view->shape[at];
    }
    return in_order;
}

static bool is_in_order(rm_value tensor, bool fortran)
{
    const rm_tensor view = rm_tensor_view(tensor);
    return tensor.kind == RM_TENSOR && rmi_tensor_is_in_order(&view, fortran);
}

bool rm_tensor_is_contiguous(rm_value tensor)
{
    return is_in_order(tensor, false);
}

bool rm_tensor_is_fortran(rm_value tensor)
{
    return is_in_order(tensor, true);
}

/* ---- Walking ---- */

void rmi_tensor_walk_start(rmi_tensor_walk *walk, const rm_tensor *view)
{
    size_t bytes = 0;
    *walk = (rmi_tensor_walk){.view = view, .at = view->data, .size = (int64_t)view->item_size};
    (void)rmi_tensor_measure(view->item_size, view->dimensions, view->shape, &walk->left, &bytes);
}

void rmi_tensor_walk_next(rmi_tensor_walk *walk)
{
    const rm_tensor *view = walk->view;
    if (--walk->left == 0)
        return;
    for (int32_t i = view->dimensions; i-- > 0;) {
        int64_t step = view->strides[i] * walk->size;
        if (++walk->index[i] < view->shape[i]) {
            walk->at += step;
            return;
        }
        walk->at -= step * (view->shape[i] - 1);
        walk->index[i] = 0;
    }
}

/* Copies `count` blocks of `size` bytes, `step` apart. */
static void copy_blocks(const char *from, ptrdiff_t step, size_t count, size_t size, unsigned char *to)
{
    switch (size) { /* a constant size costs an instruction or two */
    case 1:
        for (size_t i = 0; i < count; i++, from += step)
            to[i] = (unsigned char)*from;
        break;
    case 2:
        for (size_t i = 0; i < count; i++, from += step, to += 2)
            memcpy(to, from, 2);
        break;
    case 4:
        for (size_t i = 0; i < count; i++, from += step, to += 4)
            memcpy(to, from, 4);
        break;
    case 8:
        for (size_t i = 0; i < count; i++, from += step, to += 8)
            memcpy(to, from, 8);
        break;
    default:
        for (size_t i = 0; i < count; i++, from += step, to += size)
            memcpy(to, from, size);
    }
}

void rmi_tensor_copy_elements(const rm_tensor *view, void *to)
{
    rm_tensor rows = *view;
    rmi_tensor_walk walk;
    unsigned char *next = to;
    size_t count = 0, bytes = 0, size = view->item_size;
    int64_t run = 1;
    (void)rmi_tensor_measure(size, view->dimensions, view->shape, &count, &bytes);
    /* The last dimensions without gaps form one block; the dimension before them, blocks at a distance. */
    while (bytes != 0 && rows.dimensions > 0 &&
           (rows.shape[rows.dimensions - 1] == 1 || rows.strides[rows.dimensions - 1] == run))
        run *= rows.shape[--rows.dimensions];
    size *= (size_t)run;
    if (bytes == 0)
        return;
    if (rows.dimensions == 0) {
        memcpy(to, view->data, bytes);
        return;
    }
    rows.dimensions--;
    const size_t blocks = (size_t)view->shape[rows.dimensions];
    const ptrdiff_t step = (ptrdiff_t)(view->strides[rows.dimensions] * (int64_t)view->item_size);
    for (rmi_tensor_walk_start(&walk, &rows); walk.left != 0; rmi_tensor_walk_next(&walk)) {
        copy_blocks(walk.at, step, blocks, size, next);
        next += blocks * size;
    }
}

int rmi_tensor_copy(const rm_allocator *allocator, rm_value tensor, rm_value *out, rm_error *err)
{
    const rm_tensor view = rm_tensor_view(tensor);
    const int rc = rmi_tensor_new_unset(allocator, &view, false, out, err);
    if (rc == RM_OK)
        rmi_tensor_copy_elements(&view, rmi_tensor_of(out->heap)->view.data);
    return rc;
}

int rm_tensor_contiguous(const rm_allocator *allocator, rm_value tensor, rm_value *out, rm_error *err)
{
    *out = rm_null();
    if (tensor.kind != RM_TENSOR)
        return rm_error_set(err, RM_E_TYPE, "%s is no tensor", rm_kind_name((rm_kind)tensor.kind));
    if (!rm_tensor_is_contiguous(tensor))
        return rmi_tensor_copy(allocator, tensor, out, err);
    *out = rm_value_retain(tensor);
    return RM_OK;
}

void *rmi_tensor_owner(rm_value tensor, void (*release)(void *owner))
{
    const rmi_tensor_block *block = rmi_tensor_of(tensor.heap);
    if (block->parent != NULL)
        block = rmi_tensor_of(block->parent);
    return block->release == release ? block->owner : NULL;
}
