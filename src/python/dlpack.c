/* DLPack: how array libraries hand their memory over (dmlc.github.io/dlpack, version 1.0, and what came before it, which
 * has no version and cannot say that memory is not to be written to). */
#include <string.h>

#include <dlpack/dlpack.h>

#include "base/alloc.h"
#include "data/blocks.h"
#include "python/array.h"
#include "python/convert.h"
#include "python/tensor.h"

static const char plain_name[] = "dltensor", used_plain_name[] = "used_dltensor";
static const char versioned_name[] = "dltensor_versioned", used_versioned_name[] = "used_dltensor_versioned";

static const struct {
    uint8_t code, bits;
    rm_dtype dtype;
} dtypes[] = {
    {kDLBool, 8, RM_BOOL8},     {kDLInt, 8, RM_INT8},           {kDLInt, 16, RM_INT16},
    {kDLInt, 32, RM_INT32},     {kDLInt, 64, RM_INT64},         {kDLUInt, 8, RM_UINT8},
    {kDLUInt, 16, RM_UINT16},   {kDLUInt, 32, RM_UINT32},       {kDLUInt, 64, RM_UINT64},
    {kDLFloat, 16, RM_FLOAT16}, {kDLBfloat, 16, RM_BFLOAT16},   {kDLFloat, 32, RM_FLOAT32},
    {kDLFloat, 64, RM_FLOAT64}, {kDLComplex, 64, RM_COMPLEX64}, {kDLComplex, 128, RM_COMPLEX128},
};
enum { DTYPE_COUNT = sizeof dtypes / sizeof *dtypes };

/* ---- What others hand over */

/* Keeps the memory: one of the two forms. */
typedef struct guest {
    DLManagedTensor *plain;
    DLManagedTensorVersioned *versioned;
} guest;

static void guest_free(void *owner)
{
    guest *g = owner;
    if (!rmi_python_has_ended()) {
        const PyGILState_STATE held = rmi_enter(); /* its deleter gives up references to Python's objects */
        if (g->versioned != NULL && g->versioned->deleter != NULL)
            g->versioned->deleter(g->versioned);
        if (g->plain != NULL && g->plain->deleter != NULL)
            g->plain->deleter(g->plain);
        rmi_leave(held);
    }
    rmi_free(NULL, g, sizeof *g);
}

/* The name of a device as its users know it. */
static const char *device_name(long device)
{
    switch (device) {
    case kDLCUDA:
    case kDLCUDAManaged:
        return "cuda";
    case kDLROCM:
        return "rocm";
    case kDLMetal:
        return "metal";
    case kDLVulkan:
        return "vulkan";
    case kDLOpenCL:
        return "opencl";
    case kDLOneAPI:
        return "oneapi";
    case kDLWebGPU:
        return "webgpu";
    default:
        return "device type";
    }
}

/* Memory that the CPU can read; else an exception that names where it is. */
static int check_device(PyObject *source)
{
    PyObject *device = PyObject_CallMethodNoArgs(source, rmi_name(RMI_NAME___dlpack_device__));
    long type = 0, number = 0;
    const bool told = device != NULL && PyArg_ParseTuple(device, "ll", &type, &number);
    Py_XDECREF(device);
    if (!told)
        return -1;
    if (type == kDLCPU || type == kDLCUDAHost || type == kDLROCMHost)
        return 0;
    PyErr_Format(
        PyExc_BufferError,
        "a '%s' in the memory of %s (device %ld:%ld) can only go from Python node to Python node; copy it to the "
        "CPU, for example with x.cpu()",
        Py_TYPE(source)->tp_name, device_name(type), type, number);
    return -1;
}

/* The capsule in the newest form that the producer knows. */
static PyObject *ask(PyObject *source)
{
    PyObject *method = PyObject_GetAttr(source, rmi_name(RMI_NAME___dlpack__)), *capsule = NULL;
    PyObject *keywords = Py_BuildValue("{s:(ii)}", "max_version", DLPACK_MAJOR_VERSION, DLPACK_MINOR_VERSION);
    PyObject *none = PyTuple_New(0);
    if (method != NULL && keywords != NULL && none != NULL) {
        capsule = PyObject_Call(method, none, keywords);
        if (capsule == NULL &&
            PyErr_ExceptionMatches(PyExc_TypeError)) { /* from before there were versions */
            PyErr_Clear();
            capsule = PyObject_CallNoArgs(method);
        }
    }
    Py_XDECREF(none);
    Py_XDECREF(keywords);
    Py_XDECREF(method);
    return capsule;
}

/* Takes the structure out of the capsule, which is then marked as used. */
static int take(PyObject *capsule, guest *g)
{
    if (PyCapsule_IsValid(capsule, versioned_name)) {
        DLManagedTensorVersioned *managed = PyCapsule_GetPointer(capsule, versioned_name);
        if (managed->version.major > DLPACK_MAJOR_VERSION) {
            PyErr_Format(PyExc_BufferError, "DLPack version %u is not known here; up to %d is",
                         managed->version.major, DLPACK_MAJOR_VERSION);
            return -1;
        }
        if (PyCapsule_SetName(capsule, used_versioned_name) != 0)
            return -1;
        g->versioned = managed;
        return 0;
    }
    if (!PyCapsule_IsValid(capsule, plain_name)) {
        PyErr_SetString(PyExc_BufferError, "__dlpack__ gave no capsule, or one that was used before");
        return -1;
    }
    g->plain = PyCapsule_GetPointer(capsule, plain_name);
    return PyCapsule_SetName(capsule, used_plain_name);
}

static rm_dtype dtype_of(DLDataType type)
{
    for (size_t i = 0; type.lanes == 1 && i < DTYPE_COUNT; i++)
        if (dtypes[i].code == type.code && dtypes[i].bits == type.bits)
            return dtypes[i].dtype;
    return (rm_dtype)0;
}

/* Strides are in elements in both; without any the elements are in C order. */
static int describe(const DLTensor *from, int64_t *strides, rm_tensor *view)
{
    int64_t step = 1;
    *view = (rm_tensor){.dtype = dtype_of(from->dtype),
                        .dimensions = from->ndim,
                        .shape = from->shape,
                        .strides = from->strides != NULL ? from->strides : strides,
                        .data = from->data == NULL ? NULL : (char *)from->data + from->byte_offset,
                        .read_only = true}; /* others hold the memory */
    if (view->dtype == 0) {
        PyErr_Format(PyExc_BufferError, "an array of DLPack type %d with %d bits and %d lanes is no tensor",
                     from->dtype.code, from->dtype.bits, from->dtype.lanes);
        return -1;
    }
    if (from->ndim < 0 || from->ndim > RM_MAX_DIMENSIONS) {
        PyErr_Format(PyExc_BufferError, "a tensor has 0 to %d dimensions, not %d", RM_MAX_DIMENSIONS,
                     from->ndim);
        return -1;
    }
    for (int32_t i = from->ndim; i > 0; i--) {
        strides[i - 1] = step;
        if (__builtin_mul_overflow(step, from->shape[i - 1] > 0 ? from->shape[i - 1] : 1, &step)) {
            PyErr_SetString(PyExc_BufferError, "a tensor of this shape does not fit memory");
            return -1;
        }
    }
    return 0;
}

/* Consumes `g`. */
static int wrap(const rm_allocator *allocator, guest *g, rm_value *out)
{
    int64_t strides[RM_MAX_DIMENSIONS];
    rm_tensor view;
    rm_error err = {0};
    if (describe(g->versioned != NULL ? &g->versioned->dl_tensor : &g->plain->dl_tensor, strides, &view) !=
        0) {
        PyObject *exception = PyErr_GetRaisedException();
        guest_free(g);
        PyErr_SetRaisedException(exception);
        return -1;
    }
    rm_value guests = rm_null();
    int rc = rm_tensor_wrap(allocator, &view, g, guest_free, &guests, &err);
    if (rc == RM_OK && rmi_tensor_is_aligned(&view))
        *out = rm_value_move(&guests);
    else if (rc == RM_OK)
        rc = rmi_tensor_copy(allocator, guests, out, &err);
    rm_value_clear(&guests);
    if (rc == RM_OK)
        return 0;
    rmi_python_raise(&err);
    return -1;
}

int rmi_tensor_from_dlpack(const rm_allocator *allocator, PyObject *source, rm_value *out)
{
    *out = rm_null();
    if (check_device(source) != 0)
        return -1;
    PyObject *capsule = ask(source);
    guest *g = capsule != NULL ? rmi_alloc_zeroed(NULL, sizeof *g) : NULL;
    int rc = -1;
    if (capsule != NULL && g == NULL)
        (void)PyErr_NoMemory();
    else if (capsule != NULL && take(capsule, g) == 0)
        rc = wrap(allocator, g, out);
    else if (g != NULL)
        rmi_free(NULL, g, sizeof *g);
    Py_XDECREF(capsule);
    return rc;
}

/* ---- What is handed over */

/* Keeps a Tensor, or the copy of one, while another library has its memory. */
typedef struct host {
    union {
        DLManagedTensor plain;
        DLManagedTensorVersioned versioned;
    };
    PyObject *tensor; /* owned */
    bool writes;      /* counted among the Tensor's writers */
    int64_t shape_and_strides[];
} host;

static size_t host_size(const host *h)
{
    const int32_t dimensions = rm_tensor_view(rmi_tensor_value(h->tensor)).dimensions;
    return sizeof *h + 2 * (size_t)dimensions * sizeof(int64_t);
}

static void host_free(host *h)
{
    if (rmi_python_has_ended())
        return; /* the Tensor is part of what the interpreter has left behind */
    const PyGILState_STATE held = rmi_enter();
    const size_t size = host_size(h);
    if (h->writes)
        rmi_tensor_add_writers(h->tensor, -1);
    Py_DECREF(h->tensor);
    rmi_free(NULL, h, size);
    rmi_leave(held);
}

static void delete_plain(DLManagedTensor *managed)
{
    host_free(managed->manager_ctx);
}

static void delete_versioned(DLManagedTensorVersioned *managed)
{
    host_free(managed->manager_ctx);
}

static void capsule_free(PyObject *capsule)
{
    if (PyCapsule_IsValid(capsule, versioned_name))
        delete_versioned(PyCapsule_GetPointer(capsule, versioned_name));
    else if (PyCapsule_IsValid(capsule, plain_name))
        delete_plain(PyCapsule_GetPointer(capsule, plain_name));
}

static void fill(host *h, const rm_tensor *view, size_t dtype, DLTensor *to)
{
    const size_t bytes = (size_t)view->dimensions * sizeof(int64_t);
    *to = (DLTensor){.data = view->data,
                     .device = {.device_type = kDLCPU},
                     .ndim = view->dimensions,
                     .dtype = {.code = dtypes[dtype].code, .bits = dtypes[dtype].bits, .lanes = 1},
                     .shape = h->shape_and_strides,
                     .strides = h->shape_and_strides + view->dimensions};
    if (bytes != 0) {
        memcpy(to->shape, view->shape, bytes);
        memcpy(to->strides, view->strides, bytes);
    }
}

/* `tensor` (consumed) in a capsule; without a version only memory that may be written to. */
static PyObject *hand_over(PyObject *tensor, bool versioned, bool is_copy)
{
    const rm_tensor view = rm_tensor_view(rmi_tensor_value(tensor));
    const bool writable = is_copy || rmi_tensor_is_writable(tensor);
    size_t dtype = 0;
    while (dtype < DTYPE_COUNT && dtypes[dtype].dtype != view.dtype)
        dtype++;
    const size_t size = sizeof(host) + 2 * (size_t)view.dimensions * sizeof(int64_t);
    host *h = dtype < DTYPE_COUNT ? rmi_alloc_zeroed(NULL, size) : NULL;
    if (h == NULL) {
        if (dtype == DTYPE_COUNT)
            PyErr_Format(PyExc_BufferError, "DLPack has no type for elements of dtype %s",
                         rm_dtype_name(view.dtype));
        else
            (void)PyErr_NoMemory();
        Py_DECREF(tensor);
        return NULL;
    }
    h->tensor = tensor;
    h->writes = writable;
    rmi_tensor_add_writers(tensor, writable);
    if (versioned) {
        h->versioned.version = (DLPackVersion){.major = DLPACK_MAJOR_VERSION, .minor = DLPACK_MINOR_VERSION};
        h->versioned.flags =
            (writable ? 0 : DLPACK_FLAG_BITMASK_READ_ONLY) | (is_copy ? DLPACK_FLAG_BITMASK_IS_COPIED : 0);
        h->versioned.manager_ctx = h;
        h->versioned.deleter = delete_versioned;
    } else {
        h->plain.manager_ctx = h;
        h->plain.deleter = delete_plain;
    }
    fill(h, &view, dtype, versioned ? &h->versioned.dl_tensor : &h->plain.dl_tensor);
    PyObject *capsule = versioned ? PyCapsule_New(&h->versioned, versioned_name, capsule_free)
                                  : PyCapsule_New(&h->plain, plain_name, capsule_free);
    if (capsule == NULL)
        host_free(h);
    return capsule;
}

/* The arguments that can be honoured. */
static int check_wishes(PyObject *stream, PyObject *version, PyObject *device, bool *versioned)
{
    long major = 0, minor = 0, type = kDLCPU, number = 0;
    if ((version != Py_None && !PyArg_ParseTuple(version, "ll", &major, &minor)) ||
        (device != Py_None && !PyArg_ParseTuple(device, "ll", &type, &number)))
        return -1;
    *versioned = major >= DLPACK_MAJOR_VERSION;
    if (stream == Py_None && type == kDLCPU)
        return 0;
    PyErr_SetString(PyExc_BufferError, stream != Py_None
                                           ? "a Tensor is in the CPU's memory, where there is no stream"
                                           : "a Tensor is in the CPU's memory, device (1, 0)");
    return -1;
}

PyObject *rmi_tensor_dlpack(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"stream", "max_version", "dl_device", "copy", NULL};
    PyObject *stream = Py_None, *version = Py_None, *device = Py_None, *copy = Py_None;
    bool versioned = false;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|$OOOO:__dlpack__", names, &stream, &version, &device,
                                     &copy) ||
        check_wishes(stream, version, device, &versioned) != 0)
        return NULL;
    const bool is_copy = copy == Py_True || (copy == Py_None && !versioned && !rmi_tensor_is_writable(self));
    if (!is_copy && !versioned && !rmi_tensor_is_writable(self)) {
        PyErr_SetString(PyExc_BufferError,
                        "this memory is shared and must not be written to, which DLPack can say from "
                        "version 1.0 on: max_version=(1, 0)");
        return NULL;
    }
    PyObject *tensor = is_copy ? rmi_memory_copy(self) : Py_NewRef(self);
    return tensor != NULL ? hand_over(tensor, versioned, is_copy) : NULL;
}

PyObject *rmi_tensor_dlpack_device(PyObject *self, PyObject *unused)
{
    (void)self, (void)unused;
    return Py_BuildValue("(ii)", kDLCPU, 0);
}
