/* DLPack: how array libraries hand their memory over (dmlc.github.io/dlpack). We know version 1.0, and the
 * structure before it, which has no version and cannot mark memory as read-only. */
#include <string.h>

#include <dlpack/dlpack.h>

#include "base/alloc.h"
#include "data/tensor.h"
#include "python/arrays/array.h"
#include "python/convert/convert.h"
#include "python/arrays/tensor_type.h"

static const char plain_name[] = "dltensor", used_plain_name[] = "used_dltensor";
static const char versioned_name[] = "dltensor_versioned", used_versioned_name[] = "used_dltensor_versioned";

/* Codes of DLPack 1.1, which our header does not have. */
enum {
    FLOAT8_E3M4 = 7,
    FLOAT8_E4M3,
    FLOAT8_E4M3B11FNUZ,
    FLOAT8_E4M3FN,
    FLOAT8_E4M3FNUZ,
    FLOAT8_E5M2,
    FLOAT8_E5M2FNUZ,
    FLOAT8_E8M0FNU
};

static const struct {
    uint8_t code, bits;
    rm_dtype dtype;
    const char *description; /* of opaque elements, as JSON */
} dtypes[] = {
    {kDLBool, 8, RM_BOOL8, NULL},
    {kDLInt, 8, RM_INT8, NULL},
    {kDLInt, 16, RM_INT16, NULL},
    {kDLInt, 32, RM_INT32, NULL},
    {kDLInt, 64, RM_INT64, NULL},
    {kDLUInt, 8, RM_UINT8, NULL},
    {kDLUInt, 16, RM_UINT16, NULL},
    {kDLUInt, 32, RM_UINT32, NULL},
    {kDLUInt, 64, RM_UINT64, NULL},
    {kDLFloat, 16, RM_FLOAT16, NULL},
    {kDLBfloat, 16, RM_BFLOAT16, NULL},
    {kDLFloat, 32, RM_FLOAT32, NULL},
    {kDLFloat, 64, RM_FLOAT64, NULL},
    {kDLComplex, 64, RM_COMPLEX64, NULL},
    {kDLComplex, 128, RM_COMPLEX128, NULL},
    {kDLComplex, 32, RM_OPAQUE, "\"complex32\""},
    {FLOAT8_E3M4, 8, RM_OPAQUE, "\"float8_e3m4\""},
    {FLOAT8_E4M3, 8, RM_OPAQUE, "\"float8_e4m3\""},
    {FLOAT8_E4M3B11FNUZ, 8, RM_OPAQUE, "\"float8_e4m3b11fnuz\""},
    {FLOAT8_E4M3FN, 8, RM_OPAQUE, "\"float8_e4m3fn\""},
    {FLOAT8_E4M3FNUZ, 8, RM_OPAQUE, "\"float8_e4m3fnuz\""},
    {FLOAT8_E5M2, 8, RM_OPAQUE, "\"float8_e5m2\""},
    {FLOAT8_E5M2FNUZ, 8, RM_OPAQUE, "\"float8_e5m2fnuz\""},
    {FLOAT8_E8M0FNU, 8, RM_OPAQUE, "\"float8_e8m0fnu\""},
};
enum { DTYPE_COUNT = sizeof dtypes / sizeof *dtypes };

/* ---- Memory of other libraries */

/* Keeps another library's memory, in one of the two forms, and the object that handed it over. */
typedef struct borrowed {
    DLManagedTensor *plain;
    DLManagedTensorVersioned *versioned;
    PyObject *lender; /* owned */
} borrowed;

static void borrowed_free(void *owner)
{
    borrowed *b = owner;
    if (!rmi_python_has_ended()) {
        const PyGILState_STATE held = rmi_enter(); /* the deleter gives up references to Python's objects */
        if (b->versioned != NULL && b->versioned->deleter != NULL)
            b->versioned->deleter(b->versioned);
        if (b->plain != NULL && b->plain->deleter != NULL)
            b->plain->deleter(b->plain);
        Py_XDECREF(b->lender);
        rmi_leave(held);
    }
    rmi_free(NULL, b, sizeof *b);
}

/* A user's name of a device. */
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

PyObject *rmi_tensor_lender(rm_value tensor)
{
    const borrowed *b = rmi_tensor_owner(tensor, borrowed_free);
    return b != NULL ? b->lender : NULL;
}

/* Raises an exception with the device's name for memory that the CPU cannot read. */
static int check_place(PyObject *source, long type, long number)
{
    if (type == kDLCPU || type == kDLCUDAHost || type == kDLROCMHost)
        return 0;
    PyErr_Format(
        PyExc_BufferError,
        "a '%s' in the memory of %s (device %ld:%ld) can only go from Python node to Python node; copy it to the "
        "CPU, for example with x.cpu()",
        rmi_name_of_type(Py_TYPE(source)), device_name(type), type, number);
    return -1;
}

static int check_device(PyObject *source)
{
    PyObject *device = PyObject_CallMethodNoArgs(source, rmi_name(RMI_NAME___dlpack_device__));
    long type = 0, number = 0;
    if (device != NULL && !PyTuple_Check(device))
        PyErr_SetString(PyExc_TypeError, "__dlpack_device__ must give a tuple of device type and number");
    const bool told =
        device != NULL && PyTuple_Check(device) && PyArg_ParseTuple(device, "ll", &type, &number);
    Py_XDECREF(device);
    return told ? check_place(source, type, number) : -1;
}

/* The capsule in the newest form that the producer knows. */
static PyObject *ask(PyObject *source)
{
    PyObject *method = PyObject_GetAttr(source, rmi_name(RMI_NAME___dlpack__)), *capsule = NULL, *none = NULL;
    PyObject *keywords = NULL;
    if (method != NULL)
        keywords = Py_BuildValue("{s:(ii)}", "max_version", DLPACK_MAJOR_VERSION, DLPACK_MINOR_VERSION);
    if (keywords != NULL && (none = PyTuple_New(0)) != NULL) {
        capsule = PyObject_Call(method, none, keywords);
        if (capsule == NULL && PyErr_ExceptionMatches(PyExc_TypeError)) { /* a producer without versions */
            PyErr_Clear();
            capsule = PyObject_CallNoArgs(method);
        }
    }
    Py_XDECREF(none);
    Py_XDECREF(keywords);
    Py_XDECREF(method);
    return capsule;
}

/* Takes the structure out of the capsule, and marks the capsule as used. */
static int take(PyObject *capsule, borrowed *b)
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
        b->versioned = managed;
        return 0;
    }
    if (!PyCapsule_IsValid(capsule, plain_name)) {
        PyErr_SetString(PyExc_BufferError, "__dlpack__ gave no capsule, or one that was used before");
        return -1;
    }
    b->plain = PyCapsule_GetPointer(capsule, plain_name);
    return PyCapsule_SetName(capsule, used_plain_name);
}

/* The place in `dtypes`, or DTYPE_COUNT. */
static size_t place_of(DLDataType type)
{
    size_t i = 0;
    while (i < DTYPE_COUNT && (dtypes[i].code != type.code || dtypes[i].bits != type.bits || type.lanes != 1))
        i++;
    return i;
}

/* DLPack counts strides in elements, as a tensor does. No strides: C order. */
static int describe(const DLTensor *from, int64_t *strides, rm_tensor *view)
{
    const size_t place = place_of(from->dtype);
    int64_t step = 1;
    *view = (rm_tensor){.dtype = place < DTYPE_COUNT ? dtypes[place].dtype : (rm_dtype)0,
                        .description = place < DTYPE_COUNT ? dtypes[place].description : NULL,
                        .item_size = from->dtype.bits / 8u,
                        .dimensions = from->ndim,
                        .shape = from->shape,
                        .strides = from->strides != NULL ? from->strides : strides,
                        .data = from->data == NULL ? NULL : (char *)from->data + from->byte_offset,
                        .read_only = true}; /* the lender holds the memory too */
    if (view->dtype == 0) {
        PyErr_Format(PyExc_BufferError, "an array of DLPack type %d with %d bits and %d lanes is no tensor",
                     from->dtype.code, from->dtype.bits, from->dtype.lanes);
        return -1;
    }
    if (from->ndim > 0 && from->shape == NULL) {
        PyErr_SetString(PyExc_BufferError, "an array with dimensions, but without a shape");
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

/* Consumes `b`. */
static int wrap(const rm_allocator *allocator, borrowed *b, rm_value *out)
{
    const DLTensor *from = b->versioned != NULL ? &b->versioned->dl_tensor : &b->plain->dl_tensor;
    int64_t strides[RM_MAX_DIMENSIONS];
    rm_tensor view;
    rm_error err = {0};
    if (check_place(b->lender, (long)from->device.device_type, from->device.device_id) != 0 ||
        describe(from, strides, &view) != 0) {
        PyObject *exception = PyErr_GetRaisedException();
        borrowed_free(b);
        PyErr_SetRaisedException(exception);
        return -1;
    }
    rm_value foreign = rm_null();
    int rc = rm_tensor_wrap(allocator, &view, b, borrowed_free, &foreign, &err);
    if (rc == RM_OK && rmi_tensor_is_aligned(&view))
        *out = rm_value_move(&foreign);
    else if (rc == RM_OK)
        rc = rmi_tensor_copy(allocator, foreign, out, &err);
    rm_value_clear(&foreign);
    if (rc == RM_OK)
        rc = rmi_tensor_plain_bools(allocator, out, &err);
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
    borrowed *b = capsule != NULL ? rmi_alloc_zeroed(NULL, sizeof *b) : NULL;
    int rc = -1;
    if (capsule != NULL && b == NULL)
        (void)PyErr_NoMemory();
    else if (capsule != NULL && take(capsule, b) == 0) {
        b->lender = Py_NewRef(source);
        rc = wrap(allocator, b, out);
    } else if (b != NULL)
        rmi_free(NULL, b, sizeof *b);
    Py_XDECREF(capsule);
    return rc;
}

/* ---- Memory for other libraries */

/* Keeps a Tensor, or the copy of one, while another library has its memory. */
typedef struct lent {
    union {
        DLManagedTensor plain;
        DLManagedTensorVersioned versioned;
    };
    PyObject *tensor; /* owned */
    bool writes;      /* counted among the Tensor's writers */
    int64_t shape_and_strides[];
} lent;

static size_t lent_size(const lent *l)
{
    const int32_t dimensions = rm_tensor_view(rmi_tensor_value(l->tensor)).dimensions;
    return sizeof *l + 2 * (size_t)dimensions * sizeof(int64_t);
}

static void lent_free(lent *l)
{
    if (rmi_python_has_ended())
        return; /* the interpreter has left the Tensor behind */
    const PyGILState_STATE held = rmi_enter();
    const size_t size = lent_size(l);
    if (l->writes)
        rmi_tensor_add_writers(l->tensor, -1);
    Py_DECREF(l->tensor);
    rmi_free(NULL, l, size);
    rmi_leave(held);
}

static void delete_plain(DLManagedTensor *managed)
{
    lent_free(managed->manager_ctx);
}

static void delete_versioned(DLManagedTensorVersioned *managed)
{
    lent_free(managed->manager_ctx);
}

static void capsule_free(PyObject *capsule)
{
    if (PyCapsule_IsValid(capsule, versioned_name))
        delete_versioned(PyCapsule_GetPointer(capsule, versioned_name));
    else if (PyCapsule_IsValid(capsule, plain_name))
        delete_plain(PyCapsule_GetPointer(capsule, plain_name));
}

static void fill(lent *l, const rm_tensor *view, size_t dtype, DLTensor *to)
{
    const size_t bytes = (size_t)view->dimensions * sizeof(int64_t);
    *to = (DLTensor){.data = view->data,
                     .device = {.device_type = kDLCPU},
                     .ndim = view->dimensions,
                     .dtype = {.code = dtypes[dtype].code, .bits = dtypes[dtype].bits, .lanes = 1},
                     .shape = l->shape_and_strides,
                     .strides = l->shape_and_strides + view->dimensions};
    if (bytes != 0) {
        memcpy(to->shape, view->shape, bytes);
        memcpy(to->strides, view->strides, bytes);
    }
}

/* Puts `tensor` (consumed) into a capsule. Without a version the caller passes only writable memory. */
static PyObject *hand_over(PyObject *tensor, bool versioned, bool is_copy)
{
    const rm_tensor view = rm_tensor_view(rmi_tensor_value(tensor));
    const bool writable = is_copy || rmi_tensor_is_writable(tensor);
    size_t dtype = 0;
    while (dtype < DTYPE_COUNT &&
           (dtypes[dtype].dtype != view.dtype ||
            (view.dtype == RM_OPAQUE && strcmp(dtypes[dtype].description, view.description) != 0)))
        dtype++;
    const size_t size = sizeof(lent) + 2 * (size_t)view.dimensions * sizeof(int64_t);
    lent *l = dtype < DTYPE_COUNT ? rmi_alloc_zeroed(NULL, size) : NULL;
    if (l == NULL) {
        if (dtype == DTYPE_COUNT)
            PyErr_Format(PyExc_BufferError, "DLPack has no type for elements of dtype %s",
                         view.dtype == RM_OPAQUE ? view.description : rm_dtype_name(view.dtype));
        else
            (void)PyErr_NoMemory();
        Py_DECREF(tensor);
        return NULL;
    }
    l->tensor = tensor;
    l->writes = writable;
    rmi_tensor_add_writers(tensor, writable);
    if (versioned) {
        l->versioned.version = (DLPackVersion){.major = DLPACK_MAJOR_VERSION, .minor = DLPACK_MINOR_VERSION};
        l->versioned.flags =
            (writable ? 0 : DLPACK_FLAG_BITMASK_READ_ONLY) | (is_copy ? DLPACK_FLAG_BITMASK_IS_COPIED : 0);
        l->versioned.manager_ctx = l;
        l->versioned.deleter = delete_versioned;
    } else {
        l->plain.manager_ctx = l;
        l->plain.deleter = delete_plain;
    }
    fill(l, &view, dtype, versioned ? &l->versioned.dl_tensor : &l->plain.dl_tensor);
    PyObject *capsule = versioned ? PyCapsule_New(&l->versioned, versioned_name, capsule_free)
                                  : PyCapsule_New(&l->plain, plain_name, capsule_free);
    if (capsule == NULL)
        lent_free(l);
    return capsule;
}

/* Raises an exception for arguments that we cannot honour. */
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
