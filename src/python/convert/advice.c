/* How an object without a plain form becomes one: expressions in `x`, the object. tests/e2e/test_hints.py
 * and tests/libraries/arrays.py try what they say. */
#include <string.h>

#include "data/wire/wire.h"
#include "python/arrays/tensor_type.h"
#include "python/convert/convert.h"
#include "python/convert/copyable.h"

/* By class; derived classes follow the same advice. */
static const struct {
    const char *package, *type, *advice; /* the first and the last part of the class's full name */
} of_classes[] = {
    {"", "set", RMI_SET_ADVICE},
    {"", "frozenset", RMI_SET_ADVICE},
    {"", "complex", "[x.real, x.imag] makes it a list"},
    {"", "generator", "list(x) makes it a list; a node emits each item with yield"},
    {"", "coroutine", "await it, in an async node"},
    {"", "function", "call it"},
    {"", "method", "call it"},
    {"", "builtin_function_or_method", "call it"},
    {"", "type", "x.__name__ makes it a string"},
    {"", "module", "x.__name__ makes it a string"},
    {"", "slice", "[x.start, x.stop, x.step] makes it a list"},
    {"", "BaseException", "str(x) makes it a string"},
    {"remotemedia", "Packet", "x.value is its value; a node emits a Packet by itself"},
    {"array", "array", "x.tolist() makes it a list"},
    {"decimal", "Decimal", "str(x) makes it a string, float(x) a number"},
    {"fractions", "Fraction", "str(x) makes it a string, float(x) a number"},
    {"datetime", "date", "x.isoformat() makes it a string"},
    {"datetime", "time", "x.isoformat() makes it a string"},
    {"datetime", "timedelta", "x.total_seconds() makes it a number"},
    {"datetime", "tzinfo", "str(x) makes it a string"},
    {"uuid", "UUID", "str(x) makes it a string"},
    {"pathlib", "PurePath", "str(x) makes it a string"},
    {"ipaddress", "_IPAddressBase", "str(x) makes it a string"},
    {"enum", "Enum", "x.name makes it a string, x.value is what it stands for"},
    {"re", "Pattern", "x.pattern makes it a string"},
    {"re", "Match", "x.group() makes it a string"},
    {"itertools", "count", "list(itertools.islice(x, 10)) makes it a list of the first ten"},
    {"itertools", "cycle", "list(itertools.islice(x, 10)) makes it a list of the first ten"},
    {"itertools", "repeat", "list(itertools.islice(x, 10)) makes it a list of the first ten"},
    {"_io", "BytesIO", "x.getvalue() makes it bytes"},
    {"_io", "StringIO", "x.getvalue() makes it a string"},
    {"_io", "_IOBase", "x.read() makes it a string or bytes"},
    {"_ctypes", "_SimpleCData", "x.value is a plain value"},
    {"_ctypes", "Structure", "{name: getattr(x, name) for name, *_ in x._fields_} makes it a dict"},
    {"numpy", "complexfloating", "[float(x.real), float(x.imag)] makes it a list"},
    {"ml_dtypes", "complex32", "[float(x.real), float(x.imag)] makes it a list"},
    {"ml_dtypes", "bcomplex32", "[float(x.real), float(x.imag)] makes it a list"},
    {"numpy", "datetime64", "str(x) makes it a string"},
    {"numpy", "timedelta64", "x.astype('int64') makes it a number"},
    {"numpy", "void", "x.item() makes it a tuple or bytes, numpy.asarray(x) an array"},
    {"numpy", "dtype", "str(x) makes it a string"},
    {"pandas", "NAType", "None says the same"},
    {"pandas", "Period", "str(x) makes it a string"},
    {"pandas", "Interval", "[x.left, x.right] makes it a list"},
    {"pandas", "DataFrame", "x.to_dict('list') makes it a dict of lists, x.to_numpy() an array"},
    {"pandas", "Categorical", "x.tolist() makes it a list"},
    {"pandas", "Series", "x.tolist() makes it a list, x.to_numpy() an array"},
    {"pandas", "Index", "x.tolist() makes it a list, x.to_numpy() an array"},
    {"xarray", "DataArray", "x.to_numpy() makes it an array, x.to_dict() a dict"},
    {"xarray", "Dataset", "x.to_dict() makes it a dict"},
    {"jax", "PRNGKeyArray", "jax.random.key_data(x) makes it an array"},
    {"torch", "Tensor", "x.detach().cpu() makes it one that can be sent"},
    {"cupy", "ndarray", "x.get() makes it an array"},
    {"cv2", "UMat", "x.get() makes it an array"},
};

/* By what the class has, the first that fits. */
static const struct {
    const char *first, *second, *advice; /* second: NULL, or a further attribute */
} of_attributes[] = {
    {"__dataclass_fields__", NULL, "dataclasses.asdict(x) makes it a dict"},
    {"__attrs_attrs__", NULL, "attrs.asdict(x) makes it a dict"},
    {"__struct_fields__", NULL, "msgspec.structs.asdict(x) makes it a dict"},
    {"model_dump", NULL, "x.model_dump() makes it a dict"},
    {"as_py", NULL, "x.as_py() makes it a value of Python's"},
    {"to_pylist", NULL, "x.to_pylist() makes it a list"},
    {"to_dicts", NULL, "x.to_dicts() makes it a list of dicts"},
    {"to_list", NULL, "x.to_list() makes it a list"},
    {"to_ndarray", NULL, "x.to_ndarray() makes it an array"},
    {"toarray", NULL, "x.toarray() makes it an array"},
    {"to_numpy", NULL, "x.to_numpy() makes it an array"},
    {"__array__", NULL, "numpy.asarray(x) makes it an array"},
    {"__array_interface__", NULL, "numpy.asarray(x) makes it an array"},
    {"keys", "__getitem__", "dict(x) makes it a dict"},
    {"__await__", NULL, "await it, in an async node"},
    {"__anext__", NULL, "[item async for item in x] makes it a list, in an async node"},
    {"__iter__", "__next__", "list(x) makes it a list"},
};

static bool has(PyTypeObject *type, const char *name)
{
    PyObject *text = PyUnicode_FromString(name);
    const bool found = text != NULL && rmi_class_has(type, text);
    Py_XDECREF(text);
    PyErr_Clear();
    return found;
}

static const char *by_name(PyTypeObject *type)
{
    PyObject *full = PyType_GetFullyQualifiedName(type);
    const char *name = full != NULL ? PyUnicode_AsUTF8(full) : NULL, *advice = NULL;
    const char *dot = name != NULL ? strchr(name, '.') : NULL,
               *last = dot != NULL ? strrchr(name, '.') + 1 : name;
    const size_t package = dot != NULL ? (size_t)(dot - name) : 0;
    for (size_t i = 0; name != NULL && advice == NULL && i < sizeof of_classes / sizeof *of_classes; i++)
        if (strcmp(of_classes[i].type, last) == 0 && strlen(of_classes[i].package) == package &&
            strncmp(of_classes[i].package, name, package) == 0)
            advice = of_classes[i].advice;
    PyErr_Clear();
    Py_XDECREF(full);
    return advice;
}

/* For objects with a buffer. */
static const char *of_buffer(PyObject *object)
{
    rm_value tensor = rm_null();
    const bool fits = rmi_tensor_wrap_buffer(NULL, object, NULL, &tensor) == 0;
    rm_value_clear(&tensor);
    PyErr_Clear();
    return fits ? "remotemedia.Tensor(x) makes it a tensor, bytes(x) bytes" : "bytes(x) makes it bytes";
}

const char *rmi_advice_by_class(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    PyObject *classes = rmi_type_mro(type);
    const char *advice = NULL;
    for (Py_ssize_t i = 0; advice == NULL && classes != NULL && i < PyTuple_GET_SIZE(classes); i++)
        advice = by_name((PyTypeObject *)PyTuple_GET_ITEM(classes, i));
    for (size_t i = 0; advice == NULL && i < sizeof of_attributes / sizeof *of_attributes; i++)
        if (has(type, of_attributes[i].first) &&
            (of_attributes[i].second == NULL || has(type, of_attributes[i].second)))
            advice = of_attributes[i].advice;
    return advice;
}

static const char *advice_for(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    const char *advice = rmi_advice_by_class(object);
    if (advice != NULL)
        return advice;
    if (PyObject_CheckBuffer(object))
        return of_buffer(object);
    if (has(type, "__iter__") && has(type, "__len__"))
        return "list(x) makes it a list";
    if (rmi_has_dict(type))
        return "vars(x) makes it a dict of its attributes";
    return "return a dict, list, string or number made from it";
}

int rmi_unsupported(PyObject *object, rm_error *err)
{
    return rmi_unsupported_type(rmi_name_of_type(Py_TYPE(object)), advice_for(object), err);
}
