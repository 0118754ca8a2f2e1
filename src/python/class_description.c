/* What `nodes` shows of Python's node types: docstrings and signatures. */
#include <string.h>

#include "python/convert/convert.h"
#include "python/python_node.h"

/* The docstring as (summary, description); NULL when there is none. */
static PyObject *read_docstring(PyObject *class)
{
    PyObject *doc = PyObject_GetAttrString(class, "__doc__"), *parts = NULL;
    PyObject *module =
        doc != NULL && PyUnicode_Check(doc) ? PyImport_ImportModule("remotemedia._text") : NULL;
    if (module != NULL)
        parts = PyObject_CallMethod(module, "describe", "O", doc);
    Py_XDECREF(module);
    Py_XDECREF(doc);
    PyErr_Clear();
    return parts;
}

static void put_docstring(rmi_builder *b, rm_value *map, PyObject *class, bool details)
{
    const char *summary = "", *description = "";
    Py_ssize_t summary_length = 0, length = 0;
    PyObject *parts = read_docstring(class);
    if (parts != NULL && !PyArg_ParseTuple(parts, "s#s#", &summary, &summary_length, &description, &length))
        PyErr_Clear();
    rmi_build_put(b, map, "summary", rmi_build_string_of(b, summary, (size_t)summary_length));
    if (details && length > 0)
        rmi_build_put(b, map, "description", rmi_build_string_of(b, description, (size_t)length));
    Py_XDECREF(parts);
}

static int describe_class(rmi_host *host, const char *name, PyObject *class, bool details, rm_value *list,
                          rm_error *err)
{
    rmi_builder b = rmi_builder_start(host->allocator, err);
    rm_value map = rmi_build_map(&b);
    rmi_build_text(&b, &map, "name", name);
    put_docstring(&b, &map, class, details);
    if (details)
        rmi_build_put(&b, &map, "params", rmi_params_describe(&b, class));
    rmi_build_text(&b, &map, "kind", "python");
    rmi_build_add(&b, list, map);
    return b.rc;
}

/* The node type `Python` has no class; one in the package says what there is to say. */
static int describe_named(rmi_host *host, const char *name, rm_value *list, rm_error *err)
{
    PyObject *class = NULL;
    const char *stands_for = strcmp(name, "Python") == 0 ? "remotemedia._text:Python" : name;
    int rc = rmi_class_find(host, stands_for, &class, err);
    if (rc == RM_OK && class != NULL && PyType_Check(class))
        rc = describe_class(host, name, class, true, list, err);
    Py_XDECREF(class);
    return rc == RM_DONE ? RM_OK : rc;
}

static int describe_all(rmi_host *host, rm_value *list, rm_error *err)
{
    PyObject *nodes = PyImport_ImportModule("remotemedia.nodes");
    PyObject *names = nodes != NULL ? PyObject_GetAttrString(nodes, "__all__") : NULL;
    PyObject *text = PyImport_ImportModule("remotemedia._text");
    PyObject *code = text != NULL ? PyObject_GetAttrString(text, "Python") : NULL;
    int rc = names == NULL || code == NULL ? rmi_python_failed(NULL, err)
                                           : describe_class(host, "Python", code, false, list, err);
    for (Py_ssize_t i = 0; rc == RM_OK && names != NULL && i < PyList_GET_SIZE(names); i++) {
        PyObject *class = PyObject_GetAttr(nodes, PyList_GET_ITEM(names, i));
        rc = class == NULL
                 ? rmi_python_failed(NULL, err)
                 : describe_class(host, PyUnicode_AsUTF8(PyList_GET_ITEM(names, i)), class, false, list, err);
        Py_XDECREF(class);
    }
    Py_XDECREF(code);
    Py_XDECREF(text);
    Py_XDECREF(names);
    Py_XDECREF(nodes);
    return rc;
}

int rmi_describe(rmi_host *host, const char *name, rm_value *list, rm_error *err)
{
    int rc = rmi_python_start(host, err);
    if (rc != RM_OK)
        return rc;
    const PyGILState_STATE held = rmi_loading_enter(host);
    if (rmi_paths_prepare(host) != 0)
        rc = rmi_python_failed(NULL, err);
    else
        rc = name != NULL ? describe_named(host, name, list, err) : describe_all(host, list, err);
    rmi_loading_leave(host, held);
    return rc;
}
