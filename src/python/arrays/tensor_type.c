/* remotemedia.Tensor: a tensor value as an object with a buffer. memoryview and numpy see its memory
 * uncopied. */
#include <math.h>
#include <string.h>

#include "data/tensor.h"
#include "data/value.h"
#include "python/arrays/array.h"
#include "python/convert/convert.h"
#include "python/arrays/tensor_type.h"

typedef struct tensor_object {
    PyObject_VAR_HEAD rm_value value; /* owned */
    int64_t timestamp, duration;
    bool may_write;      /* into memory that no other value shares */
    Py_ssize_t writers;  /* buffers that can write */
    Py_ssize_t layout[]; /* shape, strides in bytes, as buffers have them */
} tensor_object;

static tensor_object *tensor_of(PyObject *object)
{
    return (tensor_object *)object;
}

bool rmi_tensor_check(PyObject *object)
{
    return Py_IS_TYPE(object, rmi_python_of_process()->tensor_type);
}

rm_value rmi_tensor_value(PyObject *tensor)
{
    return tensor_of(tensor)->value;
}

Py_ssize_t rmi_tensor_writers(PyObject *tensor)
{
    return tensor_of(tensor)->writers;
}

bool rmi_tensor_is_writable(PyObject *tensor)
{
    return rmi_tensor_may_be_writable(tensor) && rmi_tensor_is_unique(tensor_of(tensor)->value);
}

bool rmi_tensor_may_be_writable(PyObject *tensor)
{
    return tensor_of(tensor)->may_write && !rmi_value_is_branched(tensor_of(tensor)->value);
}

void rmi_tensor_freeze(PyObject *tensor)
{
    tensor_of(tensor)->may_write = false;
}

void rmi_tensor_add_writers(PyObject *tensor, int more)
{
    tensor_of(tensor)->writers += more;
}

int rmi_tensor_take(PyObject *tensor, Py_ssize_t held, rm_value *out, rm_error *err)
{
    if (rmi_memory_may_change(tensor, Py_REFCNT(tensor)))
        return rmi_tensor_copy(NULL, tensor_of(tensor)->value, out, err);
    if (Py_REFCNT(tensor) > held) /* other holders lose the right to write, whenever they look */
        rmi_value_mark_branched(tensor_of(tensor)->value);
    *out = rm_value_retain(tensor_of(tensor)->value);
    return RM_OK;
}

void rmi_tensor_times(PyObject *tensor, int64_t *timestamp, int64_t *duration)
{
    *timestamp = tensor_of(tensor)->timestamp;
    *duration = tensor_of(tensor)->duration;
}

PyObject *rmi_tensor_to_python(rm_value value, int64_t timestamp, int64_t duration)
{
    PyTypeObject *type = rmi_python_of_process()->tensor_type;
    const rm_tensor view = rm_tensor_view(value);
    tensor_object *made = (tensor_object *)rmi_object_alloc(type, 2 * (Py_ssize_t)view.dimensions);
    if (made == NULL)
        return NULL;
    const Py_ssize_t size = (Py_ssize_t)view.item_size;
    made->value = rm_value_retain(value);
    made->timestamp = timestamp;
    made->duration = duration;
    for (int32_t i = 0; i < view.dimensions; i++) {
        made->layout[i] = (Py_ssize_t)view.shape[i];
        made->layout[view.dimensions + i] = (Py_ssize_t)view.strides[i] * size;
    }
    return (PyObject *)made;
}

PyObject *rmi_tensor_of_packet(rm_packet *packet)
{
    PyObject *made = rmi_tensor_to_python(packet->value, packet->timestamp, packet->duration);
    if (made != NULL) {
        tensor_of(made)->may_write = true;
        rm_value_clear(&packet->value);
    }
    return made;
}

static void tensor_dealloc(PyObject *self)
{
    rm_value_clear(&tensor_of(self)->value);
    rmi_object_free(self);
}

static PyObject *tensor_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"source",         "shape",     "dtype",    "sample_rate",
                            "channel_layout", "timestamp", "duration", NULL};
    PyObject *source = NULL, *shape = Py_None, *dtype = Py_None, *rate = Py_None, *layout = Py_None;
    PyObject *timestamp = Py_None, *duration = Py_None;
    (void)type;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|OO$OOOO:Tensor", names, &source, &shape, &dtype, &rate,
                                     &layout, &timestamp, &duration))
        return NULL;
    PyObject *made = rmi_tensor_from_object(source, shape, dtype, rate, layout);
    if (made != NULL && (rmi_seconds_to_ns(timestamp, &tensor_of(made)->timestamp) != 0 ||
                         rmi_seconds_to_ns(duration, &tensor_of(made)->duration) != 0))
        Py_CLEAR(made);
    return made;
}

static PyObject *tensor_make(PyObject *type, PyObject *args, PyObject *kwargs)
{
    return tensor_new((PyTypeObject *)type, args, kwargs);
}

/* ---- The buffer */

/* The letters of module `struct`; numpy's ("Zf") for dtypes that `memoryview` does not know. */
static const char *const formats[RM_DTYPE_COUNT] = {
    [RM_BOOL8] = "?",   [RM_INT8] = "b",    [RM_INT16] = "h",      [RM_INT32] = "i",       [RM_INT64] = "q",
    [RM_UINT8] = "B",   [RM_UINT16] = "H",  [RM_UINT32] = "I",     [RM_UINT64] = "Q",      [RM_FLOAT16] = "e",
    [RM_FLOAT32] = "f", [RM_FLOAT64] = "d", [RM_COMPLEX64] = "Zf", [RM_COMPLEX128] = "Zd",
};

/* NULL where buffers have no format for the elements. */
static const char *format_of(const rm_tensor *view)
{
    return view->dtype < RM_DTYPE_COUNT ? formats[view->dtype] : NULL;
}

/* The part of the request that the layout cannot fulfil; NULL: none. */
static const char *unfit_layout(rm_value value, int flags)
{
    const bool c = rm_tensor_is_contiguous(value), fortran = rm_tensor_is_fortran(value);
    if ((flags & PyBUF_STRIDES) != PyBUF_STRIDES)
        return c ? NULL : "the tensor is not contiguous";
    if ((flags & PyBUF_ANY_CONTIGUOUS) == PyBUF_ANY_CONTIGUOUS && !c && !fortran)
        return "the tensor is not contiguous";
    if ((flags & PyBUF_C_CONTIGUOUS) == PyBUF_C_CONTIGUOUS && !c)
        return "the tensor is not in C order";
    if ((flags & PyBUF_F_CONTIGUOUS) == PyBUF_F_CONTIGUOUS && !fortran)
        return "the tensor is not in Fortran order";
    return NULL;
}

static int refuse_request(PyObject *self, int flags, const rm_tensor *view)
{
    const char *unfit = unfit_layout(tensor_of(self)->value, flags);
    if (flags & PyBUF_FORMAT && format_of(view) == NULL)
        PyErr_Format(PyExc_BufferError,
                     "a tensor of %s has no buffer format; remotemedia.Tensor(x, dtype='uint8') is its bytes",
                     view->dtype == RM_OPAQUE ? view->description : rm_dtype_name(view->dtype));
    else if (flags & PyBUF_WRITABLE && !rmi_tensor_is_writable(self))
        PyErr_SetString(PyExc_BufferError,
                        "the Tensor's memory is shared, so it cannot be written to; copy it: "
                        "bytearray(tensor), or numpy.array(tensor)");
    else if (unfit != NULL)
        PyErr_SetString(PyExc_BufferError, unfit);
    else
        return 0;
    return -1;
}

static int tensor_getbuffer(PyObject *self, Py_buffer *out, int flags)
{
    tensor_object *t = tensor_of(self);
    const rm_tensor view = rm_tensor_view(t->value);
    out->obj = NULL;
    if (refuse_request(self, flags, &view) != 0)
        return -1;
    out->itemsize = (Py_ssize_t)view.item_size;
    out->buf = view.data;
    out->len = (Py_ssize_t)rm_tensor_bytes(t->value);
    out->readonly = !rmi_tensor_is_writable(self);
    out->ndim = view.dimensions;
    out->format = flags & PyBUF_FORMAT ? (char *)(uintptr_t)format_of(&view) : NULL;
    out->shape = flags & PyBUF_ND ? t->layout : NULL;
    out->strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? t->layout + view.dimensions : NULL;
    out->suboffsets = NULL;
    out->internal = out->readonly ? NULL : t; /* counted */
    t->writers += !out->readonly;
    out->obj = Py_NewRef(self);
    return 0;
}

static void tensor_releasebuffer(PyObject *self, Py_buffer *buffer)
{
    tensor_of(self)->writers -= buffer->internal != NULL;
}

/* ---- As an array */

static PyObject *strides_in_bytes(PyObject *self, void *closure);
static PyObject *get_shape(PyObject *self, void *closure);

/* numpy's array interface: the address of the memory, with elements of no meaning. */
static PyObject *interface(PyObject *self)
{
    const rm_tensor view = rm_tensor_view(tensor_of(self)->value);
    PyObject *shape = get_shape(self, NULL), *strides = strides_in_bytes(self, NULL);
    PyObject *typestr = PyUnicode_FromFormat("|V%zu", view.item_size);
    PyObject *data = PyLong_FromVoidPtr(view.data);
    PyObject *made = NULL;
    if (shape != NULL && strides != NULL && typestr != NULL && data != NULL)
        made = Py_BuildValue("{s:i,s:O,s:O,s:O,s:(OO)}", "version", 3, "shape", shape, "strides", strides,
                             "typestr", typestr, "data", data, Py_True);
    Py_XDECREF(data);
    Py_XDECREF(typestr);
    Py_XDECREF(strides);
    Py_XDECREF(shape);
    return made;
}

static PyObject *tensor_array(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"dtype", "copy", NULL};
    const rm_tensor view = rm_tensor_view(tensor_of(self)->value);
    const char *description = view.dtype == RM_OPAQUE    ? view.description
                              : format_of(&view) == NULL ? rm_dtype_name(view.dtype)
                                                         : NULL;
    PyObject *dtype = Py_None, *copy = Py_None, *array = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|OO:__array__", names, &dtype, &copy))
        return NULL;
    PyObject *module = PyImport_ImportModule("remotemedia._arrays"), *memory = interface(self);
    if (module != NULL && memory != NULL)
        array = PyObject_CallMethod(module, "to_array", "OOzOO", self, memory, description, dtype, copy);
    Py_XDECREF(memory);
    Py_XDECREF(module);
    return array;
}

/* ---- Properties */

static PyObject *sizes(const Py_ssize_t *values, int32_t count)
{
    PyObject *tuple = PyTuple_New(count);
    for (int32_t i = 0; tuple != NULL && i < count; i++) {
        PyObject *value = PyLong_FromSsize_t(values[i]);
        if (value == NULL)
            Py_CLEAR(tuple);
        else
            PyTuple_SET_ITEM(tuple, i, value);
    }
    return tuple;
}

static PyObject *get_shape(PyObject *self, void *closure)
{
    (void)closure;
    return sizes(tensor_of(self)->layout, rm_tensor_view(tensor_of(self)->value).dimensions);
}

static PyObject *strides_in_bytes(PyObject *self, void *closure)
{
    (void)closure;
    const int32_t dimensions = rm_tensor_view(tensor_of(self)->value).dimensions;
    return sizes(tensor_of(self)->layout + dimensions, dimensions);
}

/* The name or the letters of the elements; records have neither. */
static PyObject *get_dtype(PyObject *self, void *closure)
{
    const rm_tensor view = rm_tensor_view(tensor_of(self)->value);
    (void)closure;
    if (view.dtype == RM_OPAQUE && view.description[0] == '"') /* no letters need escapes in JSON */
        return PyUnicode_FromStringAndSize(view.description + 1, (Py_ssize_t)strlen(view.description) - 2);
    return PyUnicode_FromString(rm_dtype_name(view.dtype));
}

static PyObject *get_ndim(PyObject *self, void *closure)
{
    (void)closure;
    return PyLong_FromLong(rm_tensor_view(tensor_of(self)->value).dimensions);
}

static PyObject *get_sample_rate(PyObject *self, void *closure)
{
    const rm_tensor view = rm_tensor_view(tensor_of(self)->value);
    (void)closure;
    return view.media.kind == RM_MEDIA_AUDIO ? PyLong_FromLong(view.media.sample_rate) : Py_NewRef(Py_None);
}

static PyObject *get_channels(PyObject *self, void *closure)
{
    const rm_tensor view = rm_tensor_view(tensor_of(self)->value);
    (void)closure;
    if (view.media.kind != RM_MEDIA_AUDIO || view.dimensions != 2)
        return Py_NewRef(Py_None);
    return PyLong_FromLongLong(view.shape[1]);
}

static PyObject *get_channel_layout(PyObject *self, void *closure)
{
    const rm_tensor view = rm_tensor_view(tensor_of(self)->value);
    (void)closure;
    if (view.media.kind != RM_MEDIA_AUDIO)
        return Py_NewRef(Py_None);
    return PyLong_FromUnsignedLongLong(view.media.channel_layout);
}

PyObject *rmi_ns_to_seconds(int64_t ns)
{
    return ns == RM_NO_TIME ? Py_NewRef(Py_None) : PyFloat_FromDouble((double)ns / 1e9);
}

int rmi_seconds_to_ns(PyObject *seconds, int64_t *ns)
{
    *ns = RM_NO_TIME;
    if (seconds == NULL || seconds == Py_None)
        return 0;
    const double value = PyFloat_AsDouble(seconds) * 1e9;
    if (PyErr_Occurred())
        return -1;
    if (!(fabs(value) < 9.2e18)) {
        PyErr_SetString(PyExc_ValueError, "a time in seconds must be finite and within 292 years");
        return -1;
    }
    *ns = llround(value);
    return 0;
}

static PyObject *get_timestamp(PyObject *self, void *closure)
{
    (void)closure;
    return rmi_ns_to_seconds(tensor_of(self)->timestamp);
}

static PyObject *get_duration(PyObject *self, void *closure)
{
    (void)closure;
    return rmi_ns_to_seconds(tensor_of(self)->duration);
}

static PyObject *tensor_repr(PyObject *self)
{
    PyObject *shape = get_shape(self, NULL), *dtype = get_dtype(self, NULL), *text = NULL;
    const rm_tensor view = rm_tensor_view(tensor_of(self)->value);
    if (shape != NULL && dtype != NULL && view.media.kind == RM_MEDIA_AUDIO)
        text = PyUnicode_FromFormat("Tensor(shape=%S, dtype=%U, sample_rate=%d)", shape, dtype,
                                    (int)view.media.sample_rate);
    else if (shape != NULL && dtype != NULL)
        text = PyUnicode_FromFormat("Tensor(shape=%S, dtype=%U)", shape, dtype);
    Py_XDECREF(dtype);
    Py_XDECREF(shape);
    return text;
}

/* ---- Elements */

static Py_ssize_t tensor_length(PyObject *self)
{
    if (rm_tensor_view(tensor_of(self)->value).dimensions == 0) {
        PyErr_SetString(PyExc_TypeError, "a Tensor without dimensions has no length");
        return -1;
    }
    return tensor_of(self)->layout[0];
}

/* numpy reads elements that `memoryview` cannot read. */
static PyObject *tensor_tolist(PyObject *self, PyObject *unused)
{
    const rm_tensor tensor = rm_tensor_view(tensor_of(self)->value);
    const bool is_simple = format_of(&tensor) != NULL && format_of(&tensor)[1] == '\0';
    PyObject *view = is_simple ? PyMemoryView_FromObject(self) : PyObject_CallMethod(self, "__array__", NULL);
    PyObject *list = view != NULL ? PyObject_CallMethod(view, "tolist", NULL) : NULL;
    (void)unused;
    Py_XDECREF(view);
    return list;
}

static PyObject *tensor_subscript(PyObject *self, PyObject *key)
{
    Py_ssize_t start, stop, step;
    const Py_ssize_t length = tensor_length(self);
    if (length < 0)
        return NULL;
    if (PySlice_Check(key)) {
        if (PySlice_Unpack(key, &start, &stop, &step) != 0)
            return NULL;
        (void)PySlice_AdjustIndices(length, &start, &stop, step);
        if (step == 1)
            return rmi_tensor_part(self, start, stop > start ? stop : start);
    }
    PyObject *view = PyMemoryView_FromObject(self);
    PyObject *element = view != NULL ? PyObject_GetItem(view, key) : NULL;
    Py_XDECREF(view);
    return element;
}

static PyGetSetDef tensor_properties[] = {
    {"shape", get_shape, NULL, "The size of each dimension; audio is (frames, channels).", NULL},
    {"strides", strides_in_bytes, NULL, "Bytes from one element to the next, for each dimension.", NULL},
    {"dtype", get_dtype, NULL, "The kind of element, as numpy spells it.", NULL},
    {"ndim", get_ndim, NULL, "How many dimensions there are.", NULL},
    {"sample_rate", get_sample_rate, NULL, "Frames a second, for audio; else None.", NULL},
    {"channels", get_channels, NULL, "How many channels, for audio; else None.", NULL},
    {"channel_layout", get_channel_layout, NULL, "Bit mask of the channels, for audio; 0 if not known.",
     NULL},
    {"timestamp", get_timestamp, NULL, "Where it stands in the stream, in seconds; None if not known.", NULL},
    {"duration", get_duration, NULL, "How long it lasts, in seconds; None if not known.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMethodDef tensor_methods[] = {
    {"from_buffer", RMI_METHOD(tensor_make), METH_VARARGS | METH_KEYWORDS | METH_CLASS,
     "from_buffer($type, source, shape=None, dtype=None, *, sample_rate=None, channel_layout=None, "
     "timestamp=None, duration=None)\n--\n\nA Tensor over the memory of `source`, which is not copied."},
    {"__array__", RMI_METHOD(tensor_array), METH_VARARGS | METH_KEYWORDS,
     "__array__($self, dtype=None, copy=None)\n--\n\nA numpy array over the same memory, read-only where that is shared."},
    {"__dlpack__", RMI_METHOD(rmi_tensor_dlpack), METH_VARARGS | METH_KEYWORDS,
     "__dlpack__($self, *, stream=None, max_version=None, dl_device=None, copy=None)\n--\n\n"
     "The memory for other array libraries: torch.from_dlpack(tensor)."},
    {"__dlpack_device__", rmi_tensor_dlpack_device, METH_NOARGS, "Where the memory is: (1, 0), the CPU's."},
    {"tolist", tensor_tolist, METH_NOARGS, "The elements as nested lists."},
    {NULL, NULL, 0, NULL},
};

PyTypeObject *rmi_tensor_type_new(PyObject *module)
{
    PyType_Slot slots[] = {
        {Py_tp_doc,
         "Tensor(source, shape=None, dtype=None, *, sample_rate=None, channel_layout=None,\n"
         "timestamp=None, duration=None)\n--\n\n"
         "Numbers in one block of memory: audio is (frames, channels) with a sample rate.\n\n"
         "source: anything with a buffer (bytes, array.array, memoryview, numpy's arrays), whose memory the\n"
         "    Tensor shares.\n"
         "shape: an int or a sequence of ints; as the source has it where it is left out.\n"
         "dtype: numpy's name, such as 'float32', 'int16' or 'bfloat16'; the source's where it is left out.\n"
         "sample_rate: frames a second, which makes it audio; shape (frames,) counts as one channel.\n"
         "channel_layout: a bit mask of loudspeakers, as in WAV files. timestamp, duration: seconds.\n"
         "Raises TypeError and ValueError where the memory cannot be seen so.\n\n"
         "numpy.asarray(t), memoryview(t) and torch.from_dlpack(t) have the same memory, without a copy. They can\n"
         "write to it only where no other node or caller has it. t[a:b] is a part along the first dimension."},
        {Py_tp_new, tensor_new},
        {Py_tp_dealloc, tensor_dealloc},
        {Py_tp_repr, tensor_repr},
        {Py_tp_getset, tensor_properties},
        {Py_tp_methods, tensor_methods},
        {Py_bf_getbuffer, tensor_getbuffer},
        {Py_bf_releasebuffer, tensor_releasebuffer},
        {Py_mp_length, tensor_length},
        {Py_sq_length, tensor_length},
        {Py_mp_subscript, tensor_subscript},
        {0, NULL},
    };
    PyType_Spec spec = {.name = "remotemedia.Tensor",
                        .basicsize = sizeof(tensor_object),
                        .itemsize = sizeof(Py_ssize_t),
                        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
                        .slots = slots};
    return (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, NULL);
}
