/* Converts arrays of numpy and other libraries to tensors, and numpy's scalars to numbers. */
#include <string.h>

#include "base/alloc.h"
#include "data/dtype_names.h"
#include "data/json/json_dtype.h"
#include "data/tensor.h"
#include "data/value.h"
#include "python/arrays/array.h"
#include "python/convert/convert.h"
#include "python/arrays/tensor_type.h"

/* ---- Recognising them */

static PyObject *in_module(PyObject *module, PyObject *name)
{
    PyObject *members = module != NULL && PyModule_CheckExact(module) ? PyModule_GetDict(module) : NULL;
    PyObject *found = members != NULL ? PyDict_GetItemWithError(members, name) : NULL;
    return found != NULL && PyType_Check(found) ? found : NULL;
}

PyTypeObject *rmi_class_of_module(const char *module, const char *name)
{
    PyObject *exception = PyErr_GetRaisedException(), *found = NULL;
    PyObject *imported = PyDict_GetItemString(PyImport_GetModuleDict(), module);
    PyObject *text = PyUnicode_FromString(name);
    if (text != NULL)
        found = in_module(imported, text);
    Py_XDECREF(text);
    PyErr_SetRaisedException(exception);
    return (PyTypeObject *)found;
}

/* numpy's class, kept once it is known: nobody can unload the module. A class made in Python is not numpy's,
 * whatever its name. */
static PyTypeObject *numpy_type(PyTypeObject **place, rmi_python_name name, const char *full_name)
{
    PyTypeObject *type = __atomic_load_n(place, __ATOMIC_ACQUIRE);
    if (type != NULL)
        return type;
    PyObject *exception = PyErr_GetRaisedException();
    PyObject *module = PyDict_GetItemWithError(PyImport_GetModuleDict(), rmi_name(RMI_NAME_numpy));
    PyObject *found = in_module(module, rmi_name(name));
    PyErr_SetRaisedException(exception);
    type = (PyTypeObject *)found;
    if (type == NULL || PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE) || !rmi_type_is_named(type, full_name))
        return NULL;
    __atomic_store_n(place, (PyTypeObject *)Py_NewRef((PyObject *)type), __ATOMIC_RELEASE);
    return type;
}

bool rmi_array_check(PyObject *object)
{
    PyTypeObject *type = numpy_type(&rmi_python_of_process()->array_type, RMI_NAME_ndarray, "numpy.ndarray");
    return type != NULL && PyObject_TypeCheck(object, type);
}

bool rmi_array_seen(PyObject *object)
{
    PyTypeObject *type = __atomic_load_n(&rmi_python_of_process()->array_type, __ATOMIC_ACQUIRE);
    return type != NULL && PyObject_TypeCheck(object, type);
}

PyObject *rmi_array_attribute(PyObject *array, rmi_python_name name)
{
    PyObject *found = rmi_type_member(rmi_python_of_process()->array_type, rmi_name(name));
    descrgetfunc get = found != NULL ? RMI_TYPE_SLOT(Py_TYPE(found), descrgetfunc, tp_descr_get) : NULL;
    PyObject *attribute = get != NULL ? get(found, array, (PyObject *)Py_TYPE(array)) : NULL;
    if (attribute == NULL && !PyErr_Occurred())
        PyErr_Format(PyExc_AttributeError, "numpy's ndarray has no %U", rmi_name(name));
    Py_XDECREF(found);
    return attribute;
}

size_t rmi_array_bytes(PyObject *array)
{
    PyObject *exception = PyErr_GetRaisedException(), *number = rmi_array_attribute(array, RMI_NAME_nbytes);
    const size_t bytes = number != NULL ? PyLong_AsSize_t(number) : 0;
    const bool failed = PyErr_Occurred() != NULL;
    Py_XDECREF(number);
    PyErr_SetRaisedException(exception);
    return failed ? 0 : bytes;
}

bool rmi_array_is_masked(PyObject *array)
{
    PyTypeObject *type = Py_IS_TYPE(array, rmi_python_of_process()->array_type)
                             ? NULL
                             : rmi_class_of_module("numpy.ma.core", "MaskedArray");
    return type != NULL && PyObject_TypeCheck(array, type);
}

bool rmi_array_scalar_check(PyObject *object)
{
    PyTypeObject *type = numpy_type(&rmi_python_of_process()->scalar_type, RMI_NAME_generic, "numpy.generic");
    return type != NULL && PyObject_TypeCheck(object, type);
}

static bool speaks_dlpack(PyObject *object)
{
    PyObject *method = NULL;
    (void)PyObject_GetOptionalAttr((PyObject *)Py_TYPE(object), rmi_name(RMI_NAME___dlpack__), &method);
    const bool speaks = method != NULL && method != Py_None;
    Py_XDECREF(method);
    PyErr_Clear();
    return speaks;
}

bool rmi_array_like(PyObject *object)
{
    return rmi_array_check(object) || speaks_dlpack(object);
}

/* ---- Arrays */

/* The content of ndarray.__array_struct__: numpy's array interface for C, which needs no header of numpy. */
typedef struct array_interface {
    int two, dimensions;
    char kind; /* of the elements, as in dtype.kind */
    int item_size, flags;
    const Py_intptr_t *shape, *strides; /* strides in bytes */
    void *data;
    PyObject *description;
} array_interface;
enum { IN_MACHINE_ORDER = 0x200, WRITEABLE = 0x400 };

void rmi_array_release(void *owner)
{
    if (rmi_python_has_ended())
        return; /* the interpreter has left the array behind */
    const PyGILState_STATE held = rmi_enter();
    Py_DECREF((PyObject *)owner);
    rmi_leave(held);
}

/* Describes an array as a tensor. false: its elements are no numbers, or do not lie as a tensor's can. */
static bool describe(const array_interface *interface, int64_t *shape, int64_t *strides, rm_tensor *view)
{
    const int size = interface->item_size;
    if ((interface->flags & IN_MACHINE_ORDER) == 0 || size <= 0 || interface->dimensions > RM_MAX_DIMENSIONS)
        return false;
    *view = (rm_tensor){.data = interface->data,
                        .dtype = rmi_element_number(interface->kind, (size_t)size),
                        .dimensions = interface->dimensions,
                        .shape = shape,
                        .strides = strides,
                        .read_only = (interface->flags & WRITEABLE) == 0};
    bool fits = view->dtype != 0 && rmi_tensor_is_aligned(view);
    for (int i = 0; fits && i < interface->dimensions; i++) {
        shape[i] = interface->shape[i];
        strides[i] = interface->strides[i] / size;
        fits = interface->strides[i] % size == 0;
    }
    return fits;
}

/* The fast way for most arrays. RM_DONE: not for this one. */
static int wrap_numbers(const rm_allocator *allocator, PyObject *array, rm_value *out, rm_error *err)
{
    int64_t shape[RM_MAX_DIMENSIONS], strides[RM_MAX_DIMENSIONS];
    rm_tensor view;
    PyObject *capsule = rmi_array_attribute(array, RMI_NAME___array_struct__);
    const array_interface *interface = capsule != NULL ? PyCapsule_GetPointer(capsule, NULL) : NULL;
    const bool is_one =
        interface != NULL && interface->two == 2 && describe(interface, shape, strides, &view);
    Py_XDECREF(capsule);
    if (PyErr_Occurred())
        return rmi_python_failed(NULL, err);
    if (!is_one)
        return RM_DONE;
    const int rc = rm_tensor_wrap(allocator, &view, Py_NewRef(array), rmi_array_release, out, err);
    return rc == RM_OK ? rmi_tensor_plain_bools(allocator, out, err) : rc;
}

/* Makes an RM_E_UNSUPPORTED of an exception that says why `array` is no tensor, with advice for arrays of other
 * libraries. A traceback would not help the user. */
static int unsupported(PyObject *array, rm_error *err)
{
    if (!PyErr_ExceptionMatches(PyExc_TypeError) && !PyErr_ExceptionMatches(PyExc_ValueError) &&
        !PyErr_ExceptionMatches(PyExc_BufferError) && !PyErr_ExceptionMatches(PyExc_RuntimeError))
        return rmi_python_failed(NULL, err);
    PyObject *exception = PyErr_GetRaisedException(), *text = rmi_text_of(exception);
    const char *advice = rmi_array_check(array) ? NULL : rmi_advice_by_class(array);
    (void)rm_error_set(err, RM_E_UNSUPPORTED, "%s",
                       text != NULL ? PyBytes_AS_STRING(text) : rmi_name_of_type(Py_TYPE(exception)));
    if (advice != NULL)
        rm_error_hint(err, "%s", advice);
    Py_XDECREF(text);
    Py_DECREF(exception);
    return RM_E_UNSUPPORTED;
}

/* The same for an exception of our package, which has two arguments: what is wrong, and a hint. */
static int refused(PyObject *array, rm_error *err)
{
    PyObject *exception = PyErr_GetRaisedException(), *arguments = PyException_GetArgs(exception);
    const char *message = NULL, *hint = NULL;
    if (Py_IS_TYPE(exception, (PyTypeObject *)PyExc_TypeError) &&
        PyArg_ParseTuple(arguments, "ss", &message, &hint)) {
        (void)rm_error_set(err, RM_E_UNSUPPORTED, "%s", message);
        rm_error_hint(err, "%s", hint);
        Py_DECREF(arguments);
        Py_DECREF(exception);
        return RM_E_UNSUPPORTED;
    }
    Py_DECREF(arguments);
    PyErr_SetRaisedException(exception);
    return unsupported(array, err);
}

/* For elements without a buffer's format: wraps their bytes, with a description of the dtype. */
static int described(const rm_allocator *allocator, PyObject *array, rm_value *out, rm_error *err)
{
    PyObject *module = PyImport_ImportModule("remotemedia._arrays");
    PyObject *pair = module != NULL ? PyObject_CallMethod(module, "as_bytes", "O", array) : NULL;
    PyObject *bytes = NULL;
    const char *description = NULL;
    int rc = RM_OK;
    if (pair == NULL || !PyArg_ParseTuple(pair, "Os", &bytes, &description) ||
        rmi_tensor_wrap_buffer(allocator, bytes, description, out) != 0)
        rc = refused(array, err);
    const rm_tensor view = rm_tensor_view(*out);
    if (rc == RM_OK && view.dtype == RM_OPAQUE)
        rc = rmi_json_check_dtype(allocator, view.description, view.item_size);
    if (rc == RM_E_OUT_OF_MEMORY)
        rc = rmi_out_of_memory(err);
    else if (rc != RM_OK && view.dtype == RM_OPAQUE) {
        rc = rm_error_set(err, RM_E_UNSUPPORTED, "elements of dtype %.200s are not known here", description);
        rm_error_hint(err, "x.tolist() makes it a list");
    }
    if (rc != RM_OK)
        rm_value_clear(out);
    Py_XDECREF(pair);
    Py_XDECREF(module);
    return rc;
}

static int array_to_value(const rm_allocator *allocator, PyObject *array, rm_value *out, rm_error *err)
{
    if (rmi_array_is_masked(array)) {
        (void)rm_error_set(err, RM_E_UNSUPPORTED, "a masked array is no tensor: its mask would be lost");
        rm_error_hint(err, "x.filled(value) makes it an array");
        return RM_E_UNSUPPORTED;
    }
    const int rc = wrap_numbers(allocator, array, out, err);
    if (rc != RM_DONE)
        return rc;
    const int wrapped = rmi_tensor_wrap_buffer(allocator, array, NULL, out);
    if (wrapped == 0)
        return RM_OK;
    if (wrapped < 0 && !PyErr_ExceptionMatches(PyExc_ValueError) &&
        !PyErr_ExceptionMatches(PyExc_BufferError))
        return rmi_python_failed(NULL, err);
    PyErr_Clear();
    return described(allocator, array, out, err);
}

int rmi_array_to_value(const rm_allocator *allocator, PyObject *array, Py_ssize_t held, rm_value *out,
                       rm_error *err)
{
    *out = rm_null();
    if (!RM_NATIVE_NUMPY)
        return rm_error_set(err, RM_E_MISSING_FEATURE,
                            "an array of type '%s' needs RM_NATIVE_NUMPY, which this build does not have",
                            rmi_name_of_type(Py_TYPE(array)));
    if (rmi_array_check(array))
        return array_to_value(allocator, array, out, err);
    const bool is_kept = Py_REFCNT(array) > held;
    if (rmi_tensor_from_dlpack(allocator, array, out) != 0)
        return unsupported(array, err);
    rm_value shared = is_kept ? rm_value_move(out) : rm_null();
    const int rc = is_kept ? rmi_tensor_copy(allocator, shared, out, err) : RM_OK;
    rm_value_clear(&shared);
    return rc;
}

PyObject *rmi_array_of_tensor(PyObject *tensor)
{
    if (tensor == NULL ||
        numpy_type(&rmi_python_of_process()->array_type, RMI_NAME_ndarray, "numpy.ndarray") == NULL)
        return tensor;
    PyObject *array = PyObject_CallMethodNoArgs(tensor, rmi_name(RMI_NAME___array__));
    if (array == NULL && PyErr_ExceptionMatches(PyExc_TypeError)) { /* a dtype that numpy does not know */
        PyErr_Clear();
        return tensor;
    }
    Py_DECREF(tensor);
    return array;
}

int rmi_numpy_needed(const char *what, rm_error *err)
{
    PyObject *numpy = RM_NATIVE_NUMPY ? PyImport_ImportModule("numpy") : NULL;
    const bool is_there = numpy != NULL;
    Py_XDECREF(numpy);
    if (is_there)
        return RM_OK;
    const bool is_broken = PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_ModuleNotFoundError);
    PyObject *exception = PyErr_GetRaisedException(), *why = is_broken ? rmi_text_of(exception) : NULL;
    (void)rm_error_set(err, RM_E_MISSING_FEATURE, "%s needs numpy (RM_NATIVE_NUMPY), which %s%s", what,
                       why != NULL ? "cannot be imported: " : "is not there",
                       why != NULL ? PyBytes_AS_STRING(why) : "");
    rm_error_hint(err,
                  "have it installed where Python finds it, or take a WASM file that has it; or have the "
                  "node take Tensors: \"arrays\": \"tensor\"");
    Py_XDECREF(why);
    Py_XDECREF(exception);
    return RM_E_MISSING_FEATURE;
}

static PyObject *array_for_node(PyObject *tensor)
{
    rm_error err = {0};
    if (rmi_python_of_process()->array_type != NULL || rmi_numpy_needed("an array as numpy's", &err) == RM_OK)
        return rmi_array_of_tensor(tensor);
    rmi_python_raise(&err);
    Py_DECREF(tensor);
    return NULL;
}

static int arrays_in_list(PyObject *list)
{
    int rc = 0;
    for (Py_ssize_t i = 0; rc == 0 && i < PyList_GET_SIZE(list); i++) {
        PyObject *made = rmi_arrays_in(Py_NewRef(PyList_GET_ITEM(list, i)));
        rc = made != NULL ? PyList_SetItem(list, i, made) : -1;
    }
    return rc;
}

static int arrays_in_dict(PyObject *dict)
{
    PyObject *key = NULL, *item = NULL;
    Py_ssize_t place = 0;
    int rc = 0;
    while (rc == 0 && PyDict_Next(dict, &place, &key, &item)) {
        PyObject *made = rmi_arrays_in(Py_NewRef(item));
        rc = made == NULL ? -1 : made != item ? PyDict_SetItem(dict, key, made) : 0;
        Py_XDECREF(made);
    }
    return rc;
}

PyObject *rmi_arrays_in(PyObject *value)
{
    int rc = 0;
    if (value == NULL)
        return NULL;
    if (rmi_tensor_check(value))
        return array_for_node(value);
    if (!PyList_CheckExact(value) && !PyDict_CheckExact(value))
        return value;
    if (Py_EnterRecursiveCall(" while a value was given to Python"))
        rc = -1;
    else {
        rc = PyList_CheckExact(value) ? arrays_in_list(value) : arrays_in_dict(value);
        Py_LeaveRecursiveCall();
    }
    if (rc != 0)
        Py_CLEAR(value);
    return value;
}
