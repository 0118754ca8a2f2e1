/* Parameters of Python classes, read from __init__ directly: `inspect` takes long to load. */
#include <string.h>

#include "base/suggest.h"
#include "manifest/fields.h"
#include "python/convert/convert.h"
#include "python/python_node.h"

/* The parameters of __init__. */
typedef struct signature {
    PyObject *function; /* owned; NULL: the signature is not known, or takes nothing */
    PyObject *names;    /* owned: tuple; by name go [1, positional) and the `keywords` after them */
    Py_ssize_t positional, keywords;
    bool known, open; /* open: takes any other keyword */
} signature;

static bool takes_nothing(PyObject *class)
{
    PyTypeObject *type = (PyTypeObject *)class, *object = &PyBaseObject_Type;
    return RMI_TYPE_SLOT(type, initproc, tp_init) == RMI_TYPE_SLOT(object, initproc, tp_init) &&
           RMI_TYPE_SLOT(type, newfunc, tp_new) == RMI_TYPE_SLOT(object, newfunc, tp_new);
}

static void read_signature(PyObject *class, signature *s)
{
    memset(s, 0, sizeof *s);
    PyObject *init = PyObject_GetAttr(class, rmi_name(RMI_NAME___init__));
    PyErr_Clear();
    s->known = takes_nothing(class);
    if (init != NULL && PyFunction_Check(init)) {
        PyObject *code = rmi_function_code(init);
        s->names = rmi_code_variables(code);
        s->positional = rmi_code_arguments(code);
        s->keywords = rmi_code_keywords(code);
        s->open = (rmi_code_flags(code) & CO_VARKEYWORDS) != 0;
        s->known = s->names != NULL;
        s->function = Py_NewRef(init);
    }
    Py_XDECREF(init);
}

static void signature_clear(signature *s)
{
    Py_CLEAR(s->function);
    Py_CLEAR(s->names);
}

static Py_ssize_t parameter_count(const signature *s)
{
    return s->positional > 0 ? s->positional - 1 + s->keywords : s->keywords;
}

static PyObject *parameter_name(const signature *s, Py_ssize_t i)
{
    return PyTuple_GET_ITEM(s->names, s->positional > 0 ? i + 1 : i);
}

/* The default of parameter `i`, borrowed; NULL: it must be given. */
static PyObject *parameter_default(const signature *s, Py_ssize_t i)
{
    PyObject *defaults = rmi_function_defaults(s->function),
             *more = rmi_function_keyword_defaults(s->function);
    const Py_ssize_t place = s->positional > 0 ? i + 1 : i;
    if (place >= s->positional)
        return more != NULL ? PyDict_GetItem(more, parameter_name(s, i)) : NULL;
    const Py_ssize_t without = s->positional - (defaults != NULL ? PyTuple_GET_SIZE(defaults) : 0);
    return place >= without ? PyTuple_GET_ITEM(defaults, place - without) : NULL;
}

static bool has_parameter(const signature *s, const char *name, size_t length)
{
    if (strlen(name) != length)
        return false;
    for (Py_ssize_t i = 0; i < parameter_count(s); i++)
        if (PyUnicode_CompareWithASCIIString(parameter_name(s, i), name) == 0)
            return true;
    return false;
}

static int unknown(const signature *s, const char *type, const char *name, rm_error *err)
{
    const rmi_place params = {.key = "params"}, place = {.above = &params, .key = name};
    rmi_suggestion near = rmi_suggest_for(name);
    for (Py_ssize_t i = 0; i < parameter_count(s); i++)
        rmi_suggest_offer(&near, PyUnicode_AsUTF8(parameter_name(s, i)));
    (void)rm_error_set(err, RM_E_UNKNOWN_PARAMETER, "unknown parameter '%s' of %s%s%s%s", name, type,
                       near.best ? "; did you mean '" : "", near.best ? near.best : "",
                       near.best ? "'?" : "");
    if (parameter_count(s) == 0)
        rm_error_hint(err, "%s takes no parameters", type);
    rmi_manifest_error_place(err, &place);
    return RM_E_UNKNOWN_PARAMETER;
}

static int check_given(const rmi_class *class, const signature *s, rm_value params, const char *type,
                       rm_error *err)
{
    rm_value key, item;
    for (size_t i = 0; !s->open && rm_map_at(params, i, &key, &item); i++) {
        size_t length = 0;
        const char *name = rm_string_text(key, &length);
        char room[128];
        if (!has_parameter(s, name, length) && !(class->module != NULL && strcmp(name, "code") == 0))
            return unknown(s, type, rmi_text_without_nul(name, length, room, sizeof room), err);
    }
    return RM_OK;
}

static int check_required(const signature *s, rm_value params, const char *type, rm_error *err)
{
    for (Py_ssize_t i = 0; i < parameter_count(s); i++) {
        const char *name = PyUnicode_AsUTF8(parameter_name(s, i));
        if (parameter_default(s, i) != NULL || (name != NULL && rm_map_get(params, name, strlen(name), NULL)))
            continue;
        (void)rm_error_set(err, RM_E_MISSING_PARAMETER, "%s needs the parameter '%s'", type,
                           name ? name : "");
        rm_error_pointer(err, "/params");
        return RM_E_MISSING_PARAMETER;
    }
    return RM_OK;
}

/* The first parameter that the class refuses: a pair (name, what it must be); None where it refuses none; NULL
 * where it has no opinion. */
static PyObject *refused_by_class(const rmi_class *class, rm_value params)
{
    PyObject *wrong = NULL, *given = NULL, *pair = NULL;
    if (params.kind == RM_MAP && PyObject_GetOptionalAttrString(class->object, "_wrong_param", &wrong) > 0)
        given = rmi_to_python(params);
    if (given != NULL)
        pair = PyObject_CallFunctionObjArgs(wrong, given, NULL);
    Py_XDECREF(given);
    Py_XDECREF(wrong);
    PyErr_Clear();
    return pair;
}

/* The types that @remotemedia.node has read from annotations. */
static int check_types(const rmi_class *class, rm_value params, const char *type, rm_error *err)
{
    const char *name = NULL, *must = NULL;
    PyObject *pair = refused_by_class(class, params);
    int rc = RM_OK;
    if (pair != NULL && PyTuple_Check(pair) && PyArg_ParseTuple(pair, "ss", &name, &must)) {
        const rmi_place above = {.key = "params"}, place = {.above = &above, .key = name};
        rc = rm_error_set(err, RM_E_TYPE, "the parameter '%s' of %s %s", name, type, must);
        rmi_manifest_error_place(err, &place);
    }
    PyErr_Clear();
    Py_XDECREF(pair);
    return rc;
}

int rmi_params_check(const rmi_class *class, rm_value params, rm_error *err)
{
    signature s;
    const char *type = rmi_name_of_type((PyTypeObject *)class->object);
    read_signature(class->object, &s);
    int rc = s.known ? check_given(class, &s, params, type, err) : RM_OK;
    if (rc == RM_OK && s.known)
        rc = check_required(&s, params, type, err);
    if (rc == RM_OK)
        rc = check_types(class, params, type, err);
    signature_clear(&s);
    PyErr_Clear();
    return rc;
}

/* ---- Description */

/* Puts nothing for a value that is no text. */
static void put_text(rmi_builder *b, rm_value *map, const char *key, PyObject *text)
{
    Py_ssize_t length = 0;
    const char *utf8 = text != NULL && PyUnicode_Check(text) ? PyUnicode_AsUTF8AndSize(text, &length) : NULL;
    PyErr_Clear();
    if (utf8 != NULL)
        rmi_build_put(b, map, key, rmi_build_string_of(b, utf8, (size_t)length));
}

/* The annotation as text: a class' name, or the text in the source. */
static void put_type(rmi_builder *b, rm_value *map, const signature *s, PyObject *name)
{
    PyObject *annotations = rmi_function_annotations(s->function);
    PyObject *annotation = annotations != NULL ? PyDict_GetItem(annotations, name) : NULL;
    PyObject *text = NULL;
    if (annotation != NULL)
        text =
            PyType_Check(annotation) ? PyType_GetName((PyTypeObject *)annotation) : PyObject_Str(annotation);
    put_text(b, map, "type", text);
    Py_XDECREF(text);
    PyErr_Clear();
}

static rm_value describe_one(rmi_builder *b, const signature *s, Py_ssize_t i)
{
    PyObject *name = parameter_name(s, i), *fallback = parameter_default(s, i);
    rm_value map = rmi_build_map(b), value = rm_null();
    put_text(b, &map, "name", name);
    put_type(b, &map, s, name);
    if (fallback == NULL)
        rmi_build_put(b, &map, "required", rm_bool(true));
    else if (rmi_to_plain(b->allocator, fallback, &value, NULL) == RM_OK)
        rmi_build_put(b, &map, "default", value);
    return map;
}

rm_value rmi_params_describe(rmi_builder *b, PyObject *class)
{
    signature s;
    read_signature(class, &s);
    rm_value list = rmi_build_list(b);
    for (Py_ssize_t i = 0; s.names != NULL && i < parameter_count(&s); i++)
        rmi_build_add(b, &list, describe_one(b, &s, i));
    signature_clear(&s);
    PyErr_Clear();
    return list;
}
