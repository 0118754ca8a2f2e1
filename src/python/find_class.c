/* Finds the class for a name in a manifest, and makes its node type. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/suggest.h"
#include "graph/registry.h"
#include "python/arrays/array.h"
#include "python/convert/convert.h"
#include "python/python_node.h"

/* ---- Finding the class */

static PyObject *bare_name(rmi_host *host, const char *name)
{
    PyObject *nodes = PyImport_ImportModule("remotemedia.nodes"), *found = NULL;
    PyObject *text = PyUnicode_FromString(name);
    if (nodes != NULL && text != NULL && name[0] != '_')
        (void)PyObject_GetOptionalAttr(nodes, text, &found);
    if (found != NULL && !PyType_Check(found))
        Py_CLEAR(found); /* a module, a helper: nothing to run */
    rmi_text_append_c(&host->looked, "remotemedia.nodes");
    Py_XDECREF(text);
    Py_XDECREF(nodes);
    return found;
}

/* Whether the exception that is set means only that `module`, or a package around it, does not exist. */
static bool is_missing(const char *module)
{
    if (!PyErr_ExceptionMatches(PyExc_ModuleNotFoundError))
        return false;
    PyObject *exception = PyErr_GetRaisedException(), *name = PyObject_GetAttrString(exception, "name");
    const char *text = name != NULL && PyUnicode_Check(name) ? PyUnicode_AsUTF8(name) : NULL;
    const size_t length = text != NULL ? strlen(text) : 0;
    const bool missing =
        length > 0 && strncmp(module, text, length) == 0 && (module[length] == '\0' || module[length] == '.');
    Py_XDECREF(name);
    PyErr_SetRaisedException(exception);
    return missing;
}

static void tell_where(rmi_host *host, const char *module)
{
    rmi_text_printf(&host->looked, "Python module '%s' in ", module);
    for (size_t i = 0; i < host->path_count; i++)
        rmi_text_printf(&host->looked, "%s, ", host->paths[i]);
    if (host->beside != NULL)
        rmi_text_printf(&host->looked, "%s (beside the manifest), ", host->beside);
    rmi_text_append_c(&host->looked, host->path_count > 0 || host->beside != NULL
                                         ? "and Python's own path"
                                         : "Python's own path (--path DIR adds a directory)");
}

/* The class `path` ("Outer.Inner") in a module. */
static int class_in(PyObject *module, const char *node_type, const char *path, PyObject **out, rm_error *err)
{
    PyObject *dotted = PyUnicode_FromString(path), *dot = PyUnicode_FromString(".");
    PyObject *parts = dotted != NULL && dot != NULL ? PyUnicode_Split(dotted, dot, -1) : NULL;
    PyObject *at = Py_NewRef(module), *next = NULL;
    for (Py_ssize_t i = 0; parts != NULL && at != NULL && i < PyList_GET_SIZE(parts); i++) {
        (void)PyObject_GetOptionalAttr(at, PyList_GET_ITEM(parts, i), &next);
        Py_SETREF(at, next);
    }
    int rc = RM_OK;
    if (PyErr_Occurred()) {
        rc = rmi_python_failed(NULL, err);
    } else if (at == NULL) {
        rmi_suggestion near = rmi_suggest_for(path);
        PyObject *key = NULL, *item = NULL;
        Py_ssize_t place = 0, length = 0;
        while (PyModule_Check(module) && PyDict_Next(PyModule_GetDict(module), &place, &key, &item))
            if (PyType_Check(item) && PyUnicode_Check(key) && rmi_ascii(key, &length) != NULL)
                rmi_suggest_offer(&near, PyUnicode_AsUTF8(key));
        rc = rm_error_set(err, RM_E_UNKNOWN_NODE_TYPE, "unknown node type '%s': the module has no '%s'%s%s%s",
                          node_type, path, near.best ? "; did you mean '" : "", near.best ? near.best : "",
                          near.best ? "'?" : "");
    }
    Py_XDECREF(parts);
    Py_XDECREF(dot);
    Py_XDECREF(dotted);
    if (rc == RM_OK)
        *out = at;
    else
        Py_XDECREF(at);
    return rc;
}

static int name_in_module(rmi_host *host, const char *node_type, const char *colon, PyObject **out,
                          rm_error *err)
{
    const size_t length = (size_t)(colon - node_type);
    char module_name[256];
    if (length == 0 || length >= sizeof module_name || colon[1] == '\0')
        return rm_error_set(err, RM_E_UNKNOWN_NODE_TYPE,
                            "'%s' is no node type; a Python class is module:Class", node_type);
    memcpy(module_name, node_type, length);
    module_name[length] = '\0';
    PyObject *module = PyImport_ImportModule(module_name);
    if (module == NULL && is_missing(module_name)) {
        PyErr_Clear();
        tell_where(host, module_name);
        return RM_DONE;
    }
    if (module == NULL)
        return rmi_python_failed(NULL, err);
    const int rc = class_in(module, node_type, colon + 1, out, err);
    Py_DECREF(module);
    return rc;
}

int rmi_class_find(rmi_host *host, const char *node_type, PyObject **out, rm_error *err)
{
    const char *colon = strchr(node_type, ':');
    *out = NULL;
    if (colon != NULL)
        return name_in_module(host, node_type, colon, out, err);
    *out = bare_name(host, node_type);
    if (*out != NULL)
        return RM_OK;
    return PyErr_Occurred() ? rmi_python_failed(NULL, err) : RM_DONE;
}

/* ---- What the class is */

static bool is_true(PyObject *object, rmi_python_name name)
{
    PyObject *value = NULL;
    (void)PyObject_GetOptionalAttr(object, rmi_name(name), &value);
    const bool truth = value != NULL && PyObject_IsTrue(value) == 1;
    Py_XDECREF(value);
    PyErr_Clear();
    return truth;
}

/* The function behind the attribute, or NULL; *has: there is such an attribute that can be called. The
 * base class' own `process` does not count. */
static PyObject *function_of(const rmi_class *class, rmi_python_name name, bool *has)
{
    PyObject *found = NULL, *function = NULL, *abstract = NULL;
    (void)PyObject_GetOptionalAttr(class->object, rmi_name(name), &found);
    PyErr_Clear();
    *has = found != NULL && PyCallable_Check(found);
    if (*has && PyObject_GetOptionalAttrString(found, "_not_defined", &abstract) > 0 && abstract == Py_True)
        *has = false; /* an object may have an answer of its own for any name */
    PyErr_Clear();
    if (*has)
        function = PyMethod_Check(found) ? rmi_method_function(found) : found;
    function = function != NULL && PyFunction_Check(function) ? Py_NewRef(function) : NULL;
    Py_XDECREF(abstract);
    Py_XDECREF(found);
    return function;
}

static bool suspends(PyObject *function)
{
    const int flags = function != NULL ? rmi_code_flags(rmi_function_code(function)) : 0;
    return (flags & (CO_COROUTINE | CO_ASYNC_GENERATOR | CO_ITERABLE_COROUTINE)) != 0;
}

/* Refuses async functions in a build without RM_PYTHON_ASYNC. There a plain function fails when it returns an
 * awaitable. */
static int check_async(const rmi_class *class, const rm_node_query *query, rm_error *err)
{
    static const rmi_python_name names[] = {RMI_NAME_process, RMI_NAME_generate, RMI_NAME_initialize,
                                            RMI_NAME_flush, RMI_NAME_cleanup};
    bool has = false, is_async = false;
    for (size_t i = 0; i < sizeof names / sizeof *names && !RM_PYTHON_ASYNC && !is_async; i++) {
        PyObject *function = function_of(class, names[i], &has);
        is_async = suspends(function);
        Py_XDECREF(function);
    }
    if (!is_async)
        return RM_OK;
    (void)rm_error_set(err, RM_E_MISSING_FEATURE,
                       "node '%s': '%s' has async methods, which need RM_PYTHON_ASYNC; this build does not "
                       "have it",
                       query->id, query->node_type);
    rm_error_pointer(err, "/node_type");
    return RM_E_MISSING_FEATURE;
}

static int look_at(rmi_class *class, const rm_node_query *query, rm_error *err)
{
    bool has_process = false, has_generate = false;
    PyObject *process = function_of(class, RMI_NAME_process, &has_process);
    PyObject *generate = function_of(class, RMI_NAME_generate, &has_generate);
    const bool pulls = has_process && !has_generate && is_true(class->object, RMI_NAME_is_source);
    const bool is_class = class->is_module || PyType_Check(class->object);
    class->takes_stream =
        has_process && (query->is_streaming || is_true(class->object, RMI_NAME_is_streaming));
    class->takes_items = has_process && !class->takes_stream;
    class->generates = (has_generate || pulls) && (query->is_source || !has_process);
    class->pulls_process = pulls;
    class->is_async = suspends(process);
    Py_XDECREF(process);
    Py_XDECREF(generate);
    if (is_class && (has_process || has_generate))
        return RM_OK;
    return rm_error_set(err, RM_E_UNKNOWN_NODE_TYPE,
                        "'%s' is no node type: it is not a class with a method "
                        "process(item) or generate()",
                        query->node_type);
}

/* ---- Its type */

static int bad_attribute(rm_error *err, const char *name, const char *must)
{
    return rm_error_set(err, RM_E_TYPE, "the class attribute '%s' must be %s", name, must);
}

static int read_outputs(rmi_class *class, rm_error *err)
{
    PyObject *outputs = NULL;
    if (!class->is_module)
        (void)PyObject_GetOptionalAttr(class->object, rmi_name(RMI_NAME_outputs), &outputs);
    PyErr_Clear();
    class->outputs = outputs != NULL && !PyUnicode_Check(outputs) ? PySequence_Tuple(outputs)
                                                                  : Py_BuildValue("(s)", "out");
    const bool text = outputs != NULL && PyUnicode_Check(outputs);
    Py_XDECREF(outputs);
    PyErr_Clear();
    if (class->outputs == NULL || text || PyTuple_GET_SIZE(class->outputs) == 0 ||
        PyTuple_GET_SIZE(class->outputs) > 64)
        return bad_attribute(err, "outputs", "a tuple of 1 to 64 names");
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(class->outputs); i++) {
        PyObject *name = PyTuple_GET_ITEM(class->outputs, i);
        Py_ssize_t length = 0;
        const char *utf8 = PyUnicode_Check(name) ? PyUnicode_AsUTF8AndSize(name, &length) : NULL;
        PyErr_Clear();
        if (length == 0 || strlen(utf8) != (size_t)length)
            return bad_attribute(err, "outputs", "a tuple of names");
    }
    return RM_OK;
}

static int make_ports(rmi_class *class, rm_error *err)
{
    const size_t outputs = (size_t)PyTuple_GET_SIZE(class->outputs);
    class->port_count = outputs + 2;
    class->ports = rmi_alloc_zeroed(class->host->allocator, class->port_count * sizeof *class->ports);
    if (class->ports == NULL)
        return rmi_out_of_memory(err);
    rm_port *port = class->ports;
    if (class->takes_items || class->takes_stream)
        *port++ = (rm_port){.name = "in", .direction = RM_INPUT, .kinds = RM_KIND_ANY};
    for (size_t i = 0; i < outputs; i++)
        *port++ = (rm_port){.name = PyUnicode_AsUTF8(PyTuple_GET_ITEM(class->outputs, (Py_ssize_t)i)),
                            .direction = RM_OUTPUT,
                            .kinds = RM_KIND_ANY};
    return RM_OK;
}

static int read_max_in_flight(rmi_class *class, rm_error *err)
{
    PyObject *value = NULL;
    (void)PyObject_GetOptionalAttr(class->object, rmi_name(RMI_NAME_max_in_flight), &value);
    PyErr_Clear();
    if (value == NULL)
        return RM_OK;
    const long most = PyLong_Check(value) ? PyLong_AsLong(value) : -1;
    Py_DECREF(value);
    PyErr_Clear();
    if (most < 1 || most > 65536)
        return bad_attribute(err, "max_in_flight", "an integer from 1 to 65536");
    class->type.max_in_flight = (uint32_t)most;
    return RM_OK;
}

/* The class' attribute `arrays`, if it is a string: a class may use the name for something else. */
static int read_class_arrays(const rmi_class *class, rm_arrays *out, rm_error *err)
{
    PyObject *value = NULL;
    int rc = RM_OK;
    (void)PyObject_GetOptionalAttr(class->object, rmi_name(RMI_NAME_arrays), &value);
    PyErr_Clear();
    if (value != NULL && PyUnicode_CheckExact(value)) {
        if (PyUnicode_EqualToUTF8(value, "numpy"))
            *out = RM_ARRAYS_NUMPY;
        else if (PyUnicode_EqualToUTF8(value, "tensor"))
            *out = RM_ARRAYS_TENSOR;
        else
            rc = bad_attribute(err, "arrays", "'numpy' or 'tensor'");
    }
    Py_XDECREF(value);
    return rc;
}

/* How the node gets arrays: the manifest decides, else its class, else the run. A manifest or class that asks
 * for numpy's is an error without numpy, before anything runs; a run's default is not, since it may have no
 * array. */
static int read_arrays(rmi_class *class, const rm_node_query *query, rm_error *err)
{
    rm_arrays arrays = ((const rmi_node_query *)query)->arrays;
    const char *field = "/arrays";
    int rc = RM_OK;
    if (arrays == RM_ARRAYS_UNSAID) {
        rc = read_class_arrays(class, &arrays, err);
        field = class->module != NULL ? "/params/code" : "/node_type";
    }
    class->takes_arrays = (arrays != RM_ARRAYS_UNSAID ? arrays : class->host->arrays) == RM_ARRAYS_NUMPY;
    if (rc != RM_OK || arrays != RM_ARRAYS_NUMPY)
        return rc;
    char what[200];
    (void)snprintf(what, sizeof what, "node '%.120s': arrays as numpy's", query->id);
    rc = rmi_numpy_needed(what, err);
    if (rc != RM_OK)
        rm_error_pointer(err, "%s", field);
    return rc;
}

static int make_type(rmi_class *class, const rm_node_query *query, rm_error *err)
{
    int rc = look_at(class, query, err);
    if (rc == RM_OK)
        rc = check_async(class, query, err);
    if (rc == RM_OK && !class->is_module)
        rc = rmi_params_check(class, query->params, err);
    if (rc == RM_OK)
        rc = read_outputs(class, err);
    if (rc == RM_OK)
        rc = make_ports(class, err);
    if (rc == RM_OK)
        rc = read_max_in_flight(class, err);
    if (rc == RM_OK)
        rc = read_arrays(class, query, err);
    if (rc != RM_OK)
        return rc;
    class->name = rmi_copy_text(class->host->allocator, query->node_type);
    if (class->name == NULL)
        return rmi_out_of_memory(err);
    rmi_class_set_slots(class);
    return RM_OK;
}

static void class_free(rmi_class *class)
{
    const rm_allocator *allocator = class->host->allocator;
    rmi_free(allocator, class->ports, class->port_count * sizeof *class->ports);
    rmi_free_text(allocator, class->name);
    rmi_free(allocator, class, sizeof *class);
}

void rmi_class_free(rmi_class *class)
{
    rmi_code_forget(class);
    rmi_release(class->object);
    rmi_release(class->outputs);
    class_free(class);
}

int rmi_class_resolve(rmi_host *host, const rm_node_query *query, rmi_class **out, const char **looked,
                      rm_error *err)
{
    int rc = rmi_python_start(host, err);
    if (rc != RM_OK)
        return rc;
    rmi_class *class = rmi_alloc_zeroed(host->allocator, sizeof *class);
    if (class == NULL)
        return rmi_out_of_memory(err);
    class->host = host;
    rmi_text_clear(&host->looked);
    rmi_text_init(&host->looked, host->allocator);
    const PyGILState_STATE held = rmi_loading_enter(host);
    host->beside = query->directory;
    if (rmi_paths_prepare(host) != 0 || rmi_paths_beside(host->beside) != 0)
        rc = rmi_python_failed(NULL, err);
    if (rc == RM_OK)
        rc = strcmp(query->node_type, "Python") == 0
                 ? rmi_code_find(class, query, err)
                 : rmi_class_find(host, query->node_type, &class->object, err);
    if (rc == RM_OK)
        rc = make_type(class, query, err);
    if (rc == RM_OK)
        *out = class;
    else
        rmi_class_free(class);
    *looked = host->looked.data;
    rmi_loading_leave(host, held);
    return rc;
}
