/* Tensors made in Python: over the memory of any object with a buffer. */
#include <string.h>

#include "base/alloc.h"
#include "python/convert.h"
#include "python/tensor.h"

/* Keeps the exporting object's memory where it is. */
typedef struct keeper {
    Py_buffer buffer;
} keeper;

static void keeper_free(void *owner)
{
    const PyGILState_STATE held = rmi_enter();
    PyBuffer_Release(&((keeper *)owner)->buffer);
    rmi_leave(held);
    rmi_free(NULL, owner, sizeof(keeper));
}

/* The dtype of a buffer's format, or 0; letters of native size are told apart by the item's. */
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
    return (rm_dtype)0;
}

static int dtype_named(PyObject *name, rm_dtype *out)
{
    PyObject *text = PyObject_Str(name);
    const char *wanted = text != NULL ? PyUnicode_AsUTF8(text) : NULL;
    *out = (rm_dtype)0;
    for (int dtype = 1; wanted != NULL && dtype < RM_DTYPE_COUNT; dtype++)
        if (strcmp(rm_dtype_name((rm_dtype)dtype), wanted) == 0)
            *out = (rm_dtype)dtype;
    if (wanted != NULL && *out == 0)
        PyErr_Format(PyExc_ValueError,
                     "unknown dtype '%s'; one of the names that numpy uses, such as 'float32'", wanted);
    Py_XDECREF(text);
    return *out == 0 ? -1 : 0;
}

/* Shape and strides as the buffer has them; strides counted in elements. */
static int layout_of_buffer(const Py_buffer *buffer, int64_t *shape, int64_t *strides)
{
    if (buffer->ndim > RM_MAX_DIMENSIONS) {
        PyErr_Format(PyExc_ValueError, "a Tensor has at most %d dimensions", RM_MAX_DIMENSIONS);
        return -1;
    }
    for (int i = 0; i < buffer->ndim; i++) {
        shape[i] = buffer->shape[i];
        strides[i] = buffer->strides[i] / buffer->itemsize;
        if (buffer->strides[i] % buffer->itemsize != 0) {
            PyErr_SetString(PyExc_ValueError, "the buffer's strides are no multiples of its items' size");
            return -1;
        }
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
    int64_t step = 1;
    for (Py_ssize_t i = length; !PyErr_Occurred() && i > 0; i--) {
        strides[i - 1] = step;
        step *= sizes[i - 1] > 0 ? sizes[i - 1] : 1;
    }
    *dimensions = (int32_t)length;
    return PyErr_Occurred() ? -1 : 0;
}

/* Describes the buffer's memory as the caller wants it seen. */
static int describe(const Py_buffer *buffer, PyObject *shape, PyObject *dtype, int64_t *sizes,
                    int64_t *strides, rm_tensor *view)
{
    view->data = buffer->buf;
    view->read_only = buffer->readonly != 0;
    view->shape = sizes;
    view->strides = strides;
    view->dimensions = buffer->ndim;
    view->dtype = dtype_of_format(buffer->format, buffer->itemsize);
    if (dtype != Py_None && dtype_named(dtype, &view->dtype) != 0)
        return -1;
    if (view->dtype == 0) {
        PyErr_Format(PyExc_ValueError, "a buffer of format '%s' cannot be a Tensor", buffer->format);
        return -1;
    }
    const Py_ssize_t size = (Py_ssize_t)rm_dtype_size(view->dtype);
    if (shape == Py_None && size == buffer->itemsize)
        return layout_of_buffer(buffer, sizes, strides);
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

/* With a sample rate it is audio: one dimension is one channel. */
static int make_audio(PyObject *sample_rate, PyObject *channel_layout, int64_t *sizes, int64_t *strides,
                      rm_tensor *view)
{
    const long rate = PyLong_AsLong(sample_rate);
    if (rate == -1 && PyErr_Occurred())
        return -1;
    if (rate <= 0 || rate > INT32_MAX || view->dimensions < 1 || view->dimensions > 2) {
        PyErr_SetString(PyExc_ValueError, rate <= 0 || rate > INT32_MAX
                                              ? "sample_rate must be a positive number of Hz"
                                              : "audio is (frames, channels)");
        return -1;
    }
    if (view->dimensions == 1) {
        sizes[1] = 1;
        strides[1] = 1;
        view->dimensions = 2;
    }
    view->media.kind = RM_MEDIA_AUDIO;
    view->media.sample_rate = (int32_t)rate;
    if (channel_layout != Py_None)
        view->media.channel_layout = PyLong_AsUnsignedLongLong(channel_layout);
    return PyErr_Occurred() ? -1 : 0;
}

PyObject *rmi_tensor_from_buffer(PyObject *source, PyObject *shape, PyObject *dtype, PyObject *sample_rate,
                                 PyObject *channel_layout)
{
    int64_t sizes[RM_MAX_DIMENSIONS + 1], strides[RM_MAX_DIMENSIONS + 1];
    rm_tensor view = {0};
    rm_value value = rm_null();
    rm_error err = {0};
    PyObject *made = NULL;
    keeper *kept = rmi_alloc_zeroed(NULL, sizeof *kept);
    if (kept == NULL)
        return PyErr_NoMemory();
    if (PyObject_GetBuffer(source, &kept->buffer, PyBUF_FULL_RO) != 0) {
        rmi_free(NULL, kept, sizeof *kept);
        return NULL;
    }
    if (describe(&kept->buffer, shape, dtype, sizes, strides, &view) != 0 ||
        (sample_rate != Py_None && make_audio(sample_rate, channel_layout, sizes, strides, &view) != 0)) {
        keeper_free(kept);
        return NULL;
    }
    if (rm_tensor_wrap(NULL, &view, kept, keeper_free, &value, &err) != RM_OK)
        rmi_python_raise(&err);
    else
        made = rmi_tensor_to_python(value, RM_NO_TIME, RM_NO_TIME);
    rm_value_clear(&value);
    return made;
}

PyObject *rmi_tensor_part(PyObject *tensor, Py_ssize_t start, Py_ssize_t stop)
{
    rm_value part = rm_null();
    rm_error err = {0};
    PyObject *made = NULL;
    if (rm_tensor_slice(NULL, rmi_tensor_value(tensor), start, stop - start, &part, &err) != RM_OK)
        rmi_python_raise(&err);
    else
        made = rmi_tensor_to_python(part, RM_NO_TIME, RM_NO_TIME);
    rm_value_clear(&part);
    return made;
}
