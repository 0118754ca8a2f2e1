/* Checks that a dict can be written as a manifest: errors have the place of what cannot. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "extension.h"
#include "manifest/fields.h"
#include "python/convert/convert.h"

/* A container on the way to the present value. */
typedef struct level {
    const struct level *above;
    PyObject *container;    /* borrowed */
    const rmi_place *place; /* of the container; NULL: the whole manifest */
    size_t depth;
} level;

/* Pointers end at this depth: "/nodes/0/params/NAME" and some more. */
enum { DEEPEST_POINTER = 12, DEPTH_OF_PARAM = 4 };

/* The place at `deepest`, or a place around it. */
static const rmi_place *place_at(const level *at, size_t deepest)
{
    while (at->depth > deepest)
        at = at->above;
    return at->place;
}

static int refused(const level *at, size_t deepest, int code, const char *what, const char *hint,
                   rm_error *err)
{
    char pointer[256];
    const rmi_place *place = place_at(at, deepest);
    rmi_place_print(place, pointer, sizeof pointer);
    if (place == NULL)
        code = RM_E_PARSE; /* of manifests, also without a pointer */
    (void)rmi_manifest_error(err, code, "%s: %s", place != NULL ? pointer : "the top level", what);
    if (hint[0] != '\0')
        rm_error_hint(err, "%s", hint);
    rmi_manifest_error_place(err, place);
    return code;
}

/* ---- Values without others inside */

static int check_number(double number, const level *at, rm_error *err)
{
    if (isfinite(number))
        return RM_OK;
    return refused(at, DEEPEST_POINTER, RM_E_VALUE,
                   isnan(number) ? "JSON has no word for nan" : "JSON has no word for infinity",
                   "give a finite number, None or a text", err);
}

/* Other values are right where they have a plain form that JSON has, too. */
static int check_other(PyObject *object, const level *at, rm_error *err)
{
    rm_value value = rm_null();
    rm_error inner = {0};
    char *text = NULL;
    size_t length = 0;
    int rc = rmi_to_plain(NULL, object, &value, &inner);
    if (rc == RM_OK && value.kind == RM_FLOAT)
        rc = check_number(value.f, at, err);
    else if (rc == RM_OK && value.kind == RM_BYTES)
        rc = refused(at, DEEPEST_POINTER, RM_E_UNSUPPORTED, "JSON has no word for bytes",
                     "base64.b64encode(x).decode() makes them a string", err);
    else if (rc != RM_OK || (rc = rm_json_write(NULL, value, 0, &text, &length, NULL, &inner)) != RM_OK)
        rc = refused(at, DEEPEST_POINTER, rc, inner.message, inner.hint, err);
    rm_text_free(NULL, text, length);
    rm_value_clear(&value);
    rm_error_clear(&inner);
    return rc;
}

/* ---- Containers */

static int check(PyObject *object, const rmi_place *place, const level *above, rm_error *err);

static int enter(const level *at, rm_error *err)
{
    for (const level *outer = at->above; outer != NULL; outer = outer->above)
        if (outer->container == at->container)
            return refused(at, DEPTH_OF_PARAM, RM_E_CIRCULAR, "circular reference: a container holds itself",
                           "a manifest is a tree", err);
    if (at->depth > RMI_PYTHON_DEPTH)
        return refused(at, DEPTH_OF_PARAM, RM_E_LIMIT, "nested too deep", "at most 200 levels fit", err);
    return RM_OK;
}

static int check_key(PyObject *key, const char **text, const level *at, rm_error *err)
{
    char what[160];
    if (PyUnicode_Check(key)) {
        *text = PyUnicode_AsUTF8(key);
        if (*text != NULL)
            return RM_OK;
        PyErr_Clear();
        return refused(at, DEEPEST_POINTER, RM_E_UNSUPPORTED, "a key has a lone surrogate",
                       "use a key of Unicode text", err);
    }
    (void)snprintf(what, sizeof what, "a key is of type '%.80s'", rmi_name_of_type(Py_TYPE(key)));
    return refused(at, DEEPEST_POINTER, RM_E_TYPE, what,
                   "keys are strings: {str(k): v for k, v in x.items()}", err);
}

static int check_dict(const level *at, rm_error *err)
{
    PyObject *key = NULL, *item = NULL;
    Py_ssize_t at_entry = 0;
    int rc = RM_OK;
    while (rc == RM_OK && PyDict_Next(at->container, &at_entry, &key, &item)) {
        rmi_place place = {.above = at->place, .key = NULL};
        Py_INCREF(item);
        rc = check_key(key, &place.key, at, err);
        if (rc == RM_OK)
            rc = check(item, &place, at, err);
        Py_DECREF(item);
    }
    return rc;
}

static int check_sequence(const level *at, rm_error *err)
{
    const bool is_list = PyList_Check(at->container);
    int rc = RM_OK;
    for (Py_ssize_t i = 0; rc == RM_OK && i < Py_SIZE(at->container); i++) {
        const rmi_place place = {.above = at->place, .index = (size_t)i};
        PyObject *item =
            Py_NewRef(is_list ? PyList_GET_ITEM(at->container, i) : PyTuple_GET_ITEM(at->container, i));
        rc = check(item, &place, at, err);
        Py_DECREF(item);
    }
    return rc;
}

/* Names the node whose dict is at this level. */
static void add_node(const level *at, rm_error *err)
{
    const char *list = at->depth == 2 ? at->above->place->key : NULL;
    PyObject *id = list != NULL && strcmp(list, "nodes") == 0 && PyDict_Check(at->container)
                       ? PyDict_GetItemString(at->container, "id")
                       : NULL;
    if (id != NULL && PyUnicode_Check(id))
        rmi_manifest_error_node(err, PyUnicode_AsUTF8(id));
    PyErr_Clear();
}

/* Unicode text, integers of 64 bits, a bool and None are right everywhere. */
static bool is_simple(PyObject *object)
{
    rm_value value = rm_null();
    if (!PyUnicode_CheckExact(object))
        return !PyFloat_CheckExact(object) && rmi_scalar(object, &value);
    const bool is_unicode = PyUnicode_AsUTF8(object) != NULL;
    PyErr_Clear();
    return is_unicode;
}

static int check(PyObject *object, const rmi_place *place, const level *above, rm_error *err)
{
    const level at = {above, object, place, above != NULL ? above->depth + 1 : 0};
    const bool is_dict = PyDict_Check(object);
    if (is_simple(object))
        return RM_OK;
    if (PyFloat_CheckExact(object))
        return check_number(PyFloat_AS_DOUBLE(object), &at, err);
    if (!is_dict && !PyList_Check(object) && !PyTuple_Check(object))
        return check_other(object, &at, err);
    int rc = enter(&at, err);
    if (rc == RM_OK)
        rc = is_dict ? check_dict(&at, err) : check_sequence(&at, err);
    if (rc != RM_OK)
        add_node(&at, err);
    return rc;
}

int rmi_manifest_values_check(PyObject *manifest, rm_error *err)
{
    return check(manifest, NULL, NULL, err);
}

PyObject *rmi_manifest_check(PyObject *module, PyObject *manifest)
{
    rm_error err = {0};
    if (rmi_manifest_values_check(manifest, &err) != RM_OK)
        return (void)rmi_raise(PyModule_GetState(module), &err), NULL;
    return Py_NewRef(Py_None);
}
