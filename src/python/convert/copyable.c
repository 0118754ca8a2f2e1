#include "python/convert/copyable.h"

#include <string.h>

#include "python/arrays/array.h"

/* ---- Classes */

/* Whether Python code made the class. All such classes have one function to free their instances. */
static bool is_of_python(PyTypeObject *type)
{
    PyTypeObject *error = (PyTypeObject *)rmi_python_of_process()->error;
    return RMI_TYPE_SLOT(type, destructor, tp_dealloc) == RMI_TYPE_SLOT(error, destructor, tp_dealloc);
}

/* The class of C code that the layout comes from. */
static PyTypeObject *base_of(PyTypeObject *type)
{
    while (is_of_python(type))
        type = RMI_TYPE_SLOT(type, PyTypeObject *, tp_base);
    return type;
}

bool rmi_class_has(PyTypeObject *type, PyObject *name)
{
    PyObject *classes = rmi_type_mro(type), *found = NULL;
    for (Py_ssize_t i = 0; found == NULL && classes != NULL && i < PyTuple_GET_SIZE(classes); i++)
        found = rmi_type_member((PyTypeObject *)PyTuple_GET_ITEM(classes, i), name);
    PyErr_Clear();
    Py_XDECREF(found);
    return found != NULL;
}

static rmi_content content_of_base(PyTypeObject *base)
{
    static const struct {
        PyTypeObject *type; /* or, where C has no such object, the name */
        const char *name;
        rmi_content content;
    } bases[] = {
        {&PyList_Type, NULL, RMI_CONTENT_LIST},
        {&PyTuple_Type, NULL, RMI_CONTENT_TUPLE},
        {&PyDict_Type, NULL, RMI_CONTENT_DICT},
        {&PySet_Type, NULL, RMI_CONTENT_SET},
        {&PyByteArray_Type, NULL, RMI_CONTENT_BYTEARRAY},
        {NULL, "collections.defaultdict", RMI_CONTENT_DEFAULT_DICT},
        {NULL, "collections.deque", RMI_CONTENT_DEQUE},
        {NULL, "array.array", RMI_CONTENT_ARRAY},
        {NULL, "types.SimpleNamespace", RMI_CONTENT_FIELDS},
    };
    if (base == rmi_ordered_dict_type())
        return RMI_CONTENT_ORDERED_DICT;
    for (size_t i = 0; i < sizeof bases / sizeof *bases; i++)
        if (bases[i].type != NULL ? base == bases[i].type : rmi_type_is_named(base, bases[i].name))
            return bases[i].content;
    return RMI_CONTENT_NONE;
}

/* The content of a class of Python code. NONE for a class with a finalizer, or with a metaclass other than
 * ABCMeta (an enum, for example). */
static rmi_content content_of_class(PyTypeObject *type)
{
    PyTypeObject *base = base_of(type);
    const bool is_simple =
        Py_IS_TYPE((PyObject *)type, &PyType_Type) || rmi_type_is_named(Py_TYPE((PyObject *)type), "ABCMeta");
    if (!is_simple ||
        RMI_TYPE_SLOT(type, destructor, tp_finalize) != RMI_TYPE_SLOT(base, destructor, tp_finalize))
        return RMI_CONTENT_NONE;
    if (base == &PyBaseObject_Type)
        return rmi_class_has(type, rmi_name(RMI_NAME___dataclass_fields__)) ? RMI_CONTENT_FIELDS
                                                                            : RMI_CONTENT_NONE;
    const rmi_content content = content_of_base(base);
    return content == RMI_CONTENT_ARRAY ? RMI_CONTENT_NONE : content;
}

rmi_content rmi_content_of(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    if (type == &PyDict_Type)
        return RMI_CONTENT_DICT;
    if (type == &PyList_Type)
        return RMI_CONTENT_LIST;
    if (type == &PyTuple_Type)
        return RMI_CONTENT_TUPLE;
    if (rmi_has_memory(object))
        return RMI_CONTENT_MEMORY;
    return is_of_python(type) ? content_of_class(type) : content_of_base(type);
}

/* ---- Making them */

/* Makes an object with __new__ and __init__ of the class of C code only. `argument` NULL: without
 * arguments. */
static PyObject *make(PyTypeObject *type, PyTypeObject *base, PyObject *argument, PyObject *second)
{
    PyObject *none = PyTuple_New(0),
             *made = none != NULL ? RMI_TYPE_SLOT(base, newfunc, tp_new)(type, none, NULL) : NULL;
    PyObject *arguments = second != NULL     ? PyTuple_Pack(2, argument, second)
                          : argument != NULL ? PyTuple_Pack(1, argument)
                                             : Py_XNewRef(none);
    if (made != NULL &&
        (arguments == NULL || RMI_TYPE_SLOT(base, initproc, tp_init)(made, arguments, NULL) != 0))
        Py_CLEAR(made);
    Py_XDECREF(arguments);
    Py_XDECREF(none);
    return made;
}

/* An attribute of the class of C code, not that of the object's own class. */
static PyObject *attribute_of_base(PyObject *object, PyTypeObject *base, const char *name)
{
    PyObject *text = PyUnicode_FromString(name);
    PyObject *found = text != NULL ? rmi_type_member(base, text) : NULL;
    descrgetfunc get = found != NULL ? RMI_TYPE_SLOT(Py_TYPE(found), descrgetfunc, tp_descr_get) : NULL;
    PyObject *value = get != NULL ? get(found, object, (PyObject *)base) : NULL;
    if (value == NULL && !PyErr_Occurred())
        PyErr_Format(PyExc_SystemError, "%s has no %s", rmi_name_of_type(base), name);
    Py_XDECREF(text);
    Py_XDECREF(found);
    return value;
}

PyTypeObject *rmi_content_base(PyObject *object)
{
    return base_of(Py_TYPE(object));
}

int rmi_deque_append(PyObject *deque, PyObject *element)
{
    PyObject *method = attribute_of_base(deque, base_of(Py_TYPE(deque)), "append");
    PyObject *done = method != NULL ? PyObject_CallOneArg(method, element) : NULL;
    const int rc = done != NULL ? 0 : -1;
    Py_XDECREF(done);
    Py_XDECREF(method);
    return rc;
}

PyObject *rmi_content_new(PyObject *like, rmi_content content)
{
    PyTypeObject *type = Py_TYPE(like), *base = base_of(type);
    PyObject *detail = NULL, *nothing = NULL, *made = NULL;
    if (content == RMI_CONTENT_DEFAULT_DICT) {
        detail = attribute_of_base(like, base, "default_factory");
        made = detail != NULL ? make(type, base, detail, NULL) : NULL;
    } else if (content == RMI_CONTENT_DEQUE) {
        detail = attribute_of_base(like, base, "maxlen");
        nothing = PyTuple_New(0);
        made = detail != NULL && nothing != NULL ? make(type, base, nothing, detail) : NULL;
    } else
        made = make(type, base, NULL, NULL);
    Py_XDECREF(nothing);
    Py_XDECREF(detail);
    return made;
}

PyObject *rmi_content_tuple(PyObject *like, PyObject *elements)
{
    if (PyTuple_CheckExact(like))
        return Py_NewRef(elements);
    PyObject *arguments = PyTuple_Pack(1, elements);
    PyObject *made = arguments != NULL
                         ? RMI_TYPE_SLOT(&PyTuple_Type, newfunc, tp_new)(Py_TYPE(like), arguments, NULL)
                         : NULL;
    Py_XDECREF(arguments);
    return made;
}

PyObject *rmi_content_copy(PyObject *object, rmi_content content)
{
    PyTypeObject *type = Py_TYPE(object), *base = base_of(type);
    if (content == RMI_CONTENT_SET)
        return make(type, base, object, NULL); /* copies the hashes too */
    if (content == RMI_CONTENT_ARRAY) {
        PyObject *method = attribute_of_base(object, base, "__copy__");
        PyObject *made = method != NULL ? PyObject_CallNoArgs(method) : NULL;
        Py_XDECREF(method);
        return made;
    }
    PyObject *bytes = PyBytes_FromStringAndSize(PyByteArray_AS_STRING(object), PyByteArray_GET_SIZE(object));
    PyObject *made = bytes != NULL ? make(type, base, bytes, NULL) : NULL;
    Py_XDECREF(bytes);
    return made;
}

/* ---- Attributes */

bool rmi_content_has_attributes(PyObject *object)
{
    return is_of_python(Py_TYPE(object)) || rmi_content_of(object) == RMI_CONTENT_FIELDS;
}

PyObject *rmi_content_dict(PyObject *object)
{
    return rmi_has_dict(Py_TYPE(object)) ? PyObject_GenericGetDict(object, NULL) : NULL;
}

PyObject *rmi_slots_next(rmi_slots *slots)
{
    PyObject *found = NULL;
    while (found == NULL && is_of_python(slots->type)) {
        found = rmi_slot_after(slots->type, &slots->place);
        if (found == NULL)
            *slots = (rmi_slots){.type = RMI_TYPE_SLOT(slots->type, PyTypeObject *, tp_base)};
    }
    return found;
}
