/* Makes Tensors in Python over the memory of any object with a buffer. */
#include <string.h>

#include "base/alloc.h"
#include "data/tensor.h"
#include "python/arrays/array.h"
#include "python/convert/convert.h"
#include "python/arrays/tensor_type.h"

/* Holds the buffer: the exporting object must not move its memory. */
typedef struct keeper {
    Py_buffer buffer;
} keeper;

static void keeper_free(void *owner)
{
    if (rmi_python_has_ended()) { /* the buffer ended with the interpreter; frees the keeper */
        rmi_free(NULL, owner, sizeof(keeper));
        return;
    }
    const PyGILState_STATE held = rmi_enter();
    PyBuffer_Release(&((keeper *)owner)->buffer);
    rmi_leave(held);
    rmi_free(NULL, owner, sizeof(keeper));
}

/* The dtype of a buffer's format, or 0. The item's size decides for letters with a native size. Some libraries
 * write a dtype's name: bfloat16 has no letter. */
static rm_dtype dtype_of_format(const char *format, Py_ssize_t size)
{
    static const struct {
        const char *format;
        Py_ssize_t size;
        rm_dtype dtype;
    } known[] = {
        {"?", 1, RM_BOOL8},        {"b", 1, RM_INT8},    {"B", 1, RM_UINT8},   {"c", 1, RM_UINT8},
        {"h", 2, RM_INT16},        {"H", 2, RM_UINT16},  {"i", 4, RM_INT32},   {"I", 4, RM_UINT32},
        {"l", 8, RM_INT64},        {"l", 4, RM_INT32},   {"L", 8, RM_UINT64},  {"L", 4, RM_UINT32},
        {"q", 8, RM_INT64},        {"Q", 8, RM_UINT64},  {"n", 8, RM_INT64},   {"N", 8, RM_UINT64},
        {"e", 2, RM_FLOAT16},      {"f", 4, RM_FLOAT32}, {"d", 8, RM_FLOAT64}, {"Zf", 8, RM_COMPLEX64},
        {"Zd", 16, RM_COMPLEX128},
    };
    if (format == NULL)
        return RM_UINT8;
    if (*format == '@' || *format == '=' || *format == '<')
        format++;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].size == size && strcmp(known[i].format, format) == 0)
            return known[i].dtype;
    const rm_dtype named = rm_dtype_from_name(format);
    return (Py_ssize_t)rm_dtype_size(named) == size ? named : (rm_dtype)0;
}

static int dtype_named(PyObject *name, rm_dtype *out)
{
    PyObject *text = PyObject_Str(name);
    Py_ssize_t length = 0;
    const char *wanted = text != NULL ? PyUnicode_AsUTF8AndSize(text, &length) : NULL;
    const bool is_name = wanted != NULL && strlen(wanted) == (size_t)length;
    *out = is_name ? rm_dtype_from_name(wanted) : (rm_dtype)0;
    if (wanted != NULL && *out == 0)
        PyErr_Format(PyExc_ValueError,
                     "unknown dtype '%U'; one of the names that numpy uses, such as 'float32'", text);
    Py_XDECREF(text);
    return *out == 0 ? -1 : 0;
}

bool rmi_tensor_is_aligned(const rm_tensor *view)
{
    const bool is_complex =
        view->dtype == RM_COMPLEX64 || view->dtype == RM_COMPLEX128; /* aligned as its parts */
    const size_t size = rm_dtype_size(view->dtype) / (is_complex ? 2 : 1);
    return size == 0 || (uintptr_t)view->data % size == 0;
}

/* Strides of elements in C order. */
static void fill_strides(const int64_t *sizes, int64_t dimensions, int64_t *strides)
{
    int64_t step = 1;
    for (int64_t i = dimensions; i > 0; i--) {
        strides[i - 1] = step;
        if (__builtin_mul_overflow(step, sizes[i - 1] > 0 ? sizes[i - 1] : 1, &step))
            step = 0; /* only an empty tensor can be so large */
    }
}

/* The buffer's shape and strides, in elements. *fits: each stride is a whole number of elements. */
static int layout_of_buffer(const Py_buffer *buffer, int64_t *shape, int64_t *strides, bool *fits)
{
    const Py_ssize_t size = buffer->itemsize > 0 ? buffer->itemsize : 1;
    *fits = *fits && buffer->suboffsets == NULL;
    if (buffer->ndim > RM_MAX_DIMENSIONS) {
        PyErr_Format(PyExc_ValueError, "a Tensor has at most %d dimensions, not %d", RM_MAX_DIMENSIONS,
                     buffer->ndim);
        return -1;
    }
    for (int i = 0; i < buffer->ndim; i++)
        shape[i] = buffer->shape[i];
    fill_strides(shape, buffer->ndim, strides);
    for (int i = 0; buffer->strides != NULL && i < buffer->ndim; i++) {
        strides[i] = buffer->strides[i] / size;
        *fits = *fits && buffer->strides[i] % size == 0;
    }
    return 0;
}

/* The sizes that `shape` names, one of which may be -1; strides in C order. */
static int layout_of_shape(PyObject *shape, int64_t count, int64_t *sizes, int64_t *strides,
                           int32_t *dimensions)
{
    PyObject *list = PyLong_Check(shape) ? PyTuple_Pack(1, shape) : PySequence_Tuple(shape);
    const Py_ssize_t length = list != NULL ? PyTuple_GET_SIZE(list) : 0;
    int64_t product = 1, open = -1;
    if (list != NULL && length > RM_MAX_DIMENSIONS)
        PyErr_Format(PyExc_ValueError, "a Tensor has at most %d dimensions", RM_MAX_DIMENSIONS);
    for (Py_ssize_t i = 0; !PyErr_Occurred() && i < length; i++) {
        sizes[i] = PyLong_AsLongLong(PyTuple_GET_ITEM(list, i));
        if (sizes[i] == -1 && !PyErr_Occurred() && open < 0)
            open = i;
        else if (!PyErr_Occurred() && (sizes[i] < 0 || __builtin_mul_overflow(product, sizes[i], &product)))
            PyErr_SetString(PyExc_ValueError, "a size in the shape is negative or too large");
    }
    if (!PyErr_Occurred() && open >= 0 && product > 0 && count % product == 0) {
        sizes[open] = count / product;
        product = count;
    }
    if (!PyErr_Occurred() && (product != count || (open >= 0 && sizes[open] < 0)))
        PyErr_Format(PyExc_ValueError, "the shape does not fit %lld elements", (long long)count);
    Py_XDECREF(list);
    if (!PyErr_Occurred())
        fill_strides(sizes, length, strides);
    *dimensions = (int32_t)length;
    return PyErr_Occurred() ? -1 : 0;
}

/* Describes the buffer's memory with the caller's shape and dtype. 1: the elements have no dtype. */
static int describe(const Py_buffer *buffer, PyObject *shape, PyObject *dtype, int64_t *sizes,
                    int64_t *strides, rm_tensor *view, bool *fits)
{
    view->data = buffer->buf;
    view->read_only = buffer->readonly != 0;
    view->shape = sizes;
    view->strides = strides;
    view->dimensions = buffer->ndim;
    view->dtype = dtype_of_format(buffer->format, buffer->itemsize);
    if (dtype != Py_None && dtype_named(dtype, &view->dtype) != 0)
        return -1;
    if (view->dtype == 0)
        return 1;
    const Py_ssize_t size = (Py_ssize_t)rm_dtype_size(view->dtype);
    if (shape == Py_None && size == buffer->itemsize)
        return layout_of_buffer(buffer, sizes, strides, fits);
    if (!PyBuffer_IsContiguous(buffer, 'C') || buffer->len % size != 0) {
        PyErr_Format(PyExc_ValueError, "a buffer of %zd bytes that is %scontiguous cannot be seen as %s",
                     buffer->len, PyBuffer_IsContiguous(buffer, 'C') ? "" : "not ",
                     rm_dtype_name(view->dtype));
        return -1;
    }
    if (shape != Py_None)
        return layout_of_shape(shape, buffer->len / size, sizes, strides, &view->dimensions);
    view->dimensions = 1;
    sizes[0] = buffer->len / size;
    strides[0] = 1;
    return 0;
}

/* ---- Values */

/* Makes a tensor over the buffer of `kept` (consumed); a copy where the elements do not lie as a tensor's
 * can. */
static int value_over(const rm_allocator *allocator, keeper *kept, const rm_tensor *view, bool fits,
                      rm_value *out)
{
    rm_error err = {0};
    int rc = RM_OK;
    if (fits && rmi_tensor_is_aligned(view)) {
        rc = rm_tensor_wrap(allocator, view, kept, keeper_free, out, &err);
    } else {
        rc = rm_tensor_new_like(allocator, view, false, out, &err);
        if (rc == RM_OK &&
            PyBuffer_ToContiguous(rm_tensor_view(*out).data, &kept->buffer, kept->buffer.len, 'C') != 0)
            rc = rmi_python_failed(NULL, &err);
        keeper_free(kept);
    }
    if (rc == RM_OK)
        rc = rmi_tensor_plain_bools(allocator, out, &err);
    if (rc == RM_OK)
        return 0;
    rm_value_clear(out);
    rmi_python_raise(&err);
    return -1;
}

/* Without PyBUF_FORMAT in `flags` also elements that have no format. */
static keeper *keep_buffer(PyObject *source, int flags)
{
    keeper *kept = rmi_alloc_zeroed(NULL, sizeof *kept);
    if (kept == NULL)
        return (void)PyErr_NoMemory(), NULL;
    if (PyObject_GetBuffer(source, &kept->buffer, flags) == 0)
        return kept;
    rmi_free(NULL, kept, sizeof *kept);
    return NULL;
}

int rmi_tensor_wrap_buffer(const rm_allocator *allocator, PyObject *source, const char *description,
                           rm_value *out)
{
    int64_t sizes[RM_MAX_DIMENSIONS + 1], strides[RM_MAX_DIMENSIONS + 1];
    rm_tensor view = {0};
    bool fits = true;
    *out = rm_null();
    keeper *kept = keep_buffer(source, PyBUF_FULL_RO);
    if (kept == NULL)
        return -1;
    int rc = describe(&kept->buffer, Py_None, Py_None, sizes, strides, &view, &fits);
    if (rc == 1 && description != NULL) {
        const bool is_bfloat16 = strcmp(description, rm_dtype_name(RM_BFLOAT16)) == 0 &&
                                 (size_t)kept->buffer.itemsize == rm_dtype_size(RM_BFLOAT16);
        view.dtype = is_bfloat16 ? RM_BFLOAT16 : RM_OPAQUE;
        view.description = description;
        view.item_size = (size_t)kept->buffer.itemsize;
        rc = layout_of_buffer(&kept->buffer, sizes, strides, &fits);
    }
    if (rc == 0)
        return value_over(allocator, kept, &view, fits, out);
    keeper_free(kept);
    return rc;
}

/* The value of an object's buffer, with the arguments of Tensor(). */
static int value_of_buffer(PyObject *source, PyObject *shape, PyObject *dtype, rm_value *out)
{
    int64_t sizes[RM_MAX_DIMENSIONS + 1], strides[RM_MAX_DIMENSIONS + 1];
    rm_tensor view = {0};
    bool fits = true;
    keeper *kept = keep_buffer(source, dtype != Py_None ? PyBUF_INDIRECT : PyBUF_FULL_RO);
    if (kept == NULL)
        return -1;
    const int rc = describe(&kept->buffer, shape, dtype, sizes, strides, &view, &fits);
    if (rc == 0)
        return value_over(NULL, kept, &view, fits, out);
    if (rc == 1)
        PyErr_Format(PyExc_ValueError, "a buffer of format '%s' cannot be a Tensor", kept->buffer.format);
    keeper_free(kept);
    return -1;
}

/* What numpy makes of an object that is no array, but has an array; else the object itself. */
static PyObject *array_in(PyObject *source)
{
    PyObject *type = (PyObject *)Py_TYPE(source);
    if (PyObject_CheckBuffer(source) || rmi_array_like(source) ||
        (!PyObject_HasAttrString(type, "__array__") && !PyObject_HasAttrString(type, "__array_interface__")))
        return Py_NewRef(source);
    PyObject *numpy = PyImport_ImportModule("numpy");
    PyObject *array = numpy != NULL ? PyObject_CallMethod(numpy, "asarray", "O", source) : NULL;
    Py_XDECREF(numpy);
    return array;
}

/* Arrays without a new shape or dtype go another way: they may have elements without a format, or no
 * buffer. */
static int value_of_object(PyObject *source, PyObject *shape, PyObject *dtype, rm_value *out)
{
    const bool is_array = rmi_array_like(source);
    rm_error err = {0};
    *out = rm_null();
    if (!is_array && !PyObject_CheckBuffer(source)) {
        PyErr_Format(PyExc_TypeError,
                     "an array or a bytes-like object is required, not '%s'; array.array('f', x) and "
                     "numpy.array(x) make arrays of numbers",
                     rmi_name_of_type(Py_TYPE(source)));
        return -1;
    }
    if (shape != Py_None || dtype != Py_None || !is_array)
        return value_of_buffer(source, shape, dtype, out);
    /* Any number of holders is fine here: the Tensor is checked again when it is emitted. */
    const int rc = rmi_tensor_check(source) ? rmi_tensor_take(source, PY_SSIZE_T_MAX, out, &err)
                                            : rmi_array_to_value(NULL, source, PY_SSIZE_T_MAX, out, &err);
    if (rc == RM_OK)
        return 0;
    rmi_python_raise(&err);
    return -1;
}

/* ---- Audio */

/* With a sample rate it is audio: one dimension is one channel. */
static int make_audio(PyObject *sample_rate, PyObject *channel_layout, rm_value *value)
{
    const long rate = PyLong_AsLong(sample_rate);
    rm_tensor view = rm_tensor_view(*value);
    rm_error err = {0};
    if (rate == -1 && PyErr_Occurred())
        return -1;
    if (rate <= 0 || rate > INT32_MAX || view.dimensions < 1 || view.dimensions > 2) {
        PyErr_SetString(PyExc_ValueError, rate <= 0 || rate > INT32_MAX
                                              ? "sample_rate must be a positive number of Hz"
                                              : "audio is (frames, channels)");
        return -1;
    }
    const int64_t sizes[2] = {view.shape[0], view.dimensions == 2 ? view.shape[1] : 1};
    const int64_t strides[2] = {view.strides[0], view.dimensions == 2 ? view.strides[1] : 1};
    view.shape = sizes;
    view.strides = strides;
    view.dimensions = 2;
    rm_media media = {.kind = RM_MEDIA_AUDIO, .sample_rate = (int32_t)rate};
    if (channel_layout != Py_None)
        media.channel_layout = PyLong_AsUnsignedLongLong(channel_layout);
    if (PyErr_Occurred())
        return -1;
    rm_value audio = rm_null();
    int rc = rm_tensor_share(NULL, *value, &view, &audio, &err);
    if (rc == RM_OK)
        rc = rm_tensor_set_media(&audio, media, &err);
    rm_value_clear(value);
    *value = audio;
    if (rc == RM_OK)
        return 0;
    rmi_python_raise(&err);
    return -1;
}

/* ---- Tensors */

PyObject *rmi_tensor_from_object(PyObject *source, PyObject *shape, PyObject *dtype, PyObject *sample_rate,
                                 PyObject *channel_layout)
{
    rm_value value = rm_null();
    PyObject *made = NULL, *array = array_in(source);
    if (array != NULL && value_of_object(array, shape, dtype, &value) == 0 &&
        (sample_rate == Py_None || make_audio(sample_rate, channel_layout, &value) == 0))
        made = rmi_tensor_to_python(value, RM_NO_TIME, RM_NO_TIME);
    rm_value_clear(&value);
    Py_XDECREF(array);
    return made;
}

PyObject *rmi_tensor_source(rm_value tensor)
{
    PyObject *array = rmi_tensor_owner(tensor, rmi_array_release);
    const keeper *kept = array == NULL ? rmi_tensor_owner(tensor, keeper_free) : NULL;
    return kept != NULL ? kept->buffer.obj : array;
}

PyObject *rmi_tensor_part(PyObject *tensor, Py_ssize_t start, Py_ssize_t stop)
{
    rm_value part = rm_null(), own = rm_null();
    rm_error err = {0};
    PyObject *made = NULL;
    int rc = rm_tensor_slice(NULL, rmi_tensor_value(tensor), start, stop - start, &part, &err);
    if (rc == RM_OK && rmi_tensor_writers(tensor) > 0) { /* the part would not know these writers */
        rc = rmi_tensor_copy(NULL, part, &own, &err);
        rm_value_clear(&part);
        part = own;
    }
    if (rc != RM_OK)
        rmi_python_raise(&err);
    else
        made = rmi_tensor_to_python(part, RM_NO_TIME, RM_NO_TIME);
    rm_value_clear(&part);
    return made;
}
