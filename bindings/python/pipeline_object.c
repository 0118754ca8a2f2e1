/* Pipeline: a manifest that was checked, ready to run any number of times. */
#include <string.h>

#include "documentation.h"
#include "extension.h"
#include "python/convert/convert.h"

static rmi_pipeline_object *self_of(PyObject *object)
{
    return (rmi_pipeline_object *)object;
}

/* ---- Making it */

static int read_arrays(PyObject *word, rm_arrays *out)
{
    if (word == NULL || word == Py_None || (PyUnicode_Check(word) && PyUnicode_EqualToUTF8(word, "tensor")))
        *out = RM_ARRAYS_UNSAID;
    else if (PyUnicode_Check(word) && PyUnicode_EqualToUTF8(word, "numpy"))
        *out = RM_ARRAYS_NUMPY;
    else {
        PyErr_Format(PyExc_ValueError, "arrays must be 'tensor' or 'numpy', not %R", word);
        return -1;
    }
    return 0;
}

/* Its runtime, in the sandbox (NULL or None: in none). */
static int take_runtime(rmi_pipeline_object *self, PyObject *sandbox)
{
    if (sandbox == NULL || sandbox == Py_None)
        return rmi_runtime_take(self->extension, self->arrays, &self->runtime);
    if (!PyObject_TypeCheck(sandbox, self->extension->sandbox_type)) {
        PyErr_Format(PyExc_TypeError, "sandbox must be a remotemedia.Sandbox, not %R", sandbox);
        return -1;
    }
    if (rmi_sandbox_runtime_new((rmi_sandbox_object *)sandbox, self->arrays, &self->runtime) != 0)
        return -1;
    self->sandbox = (rmi_sandbox_object *)Py_NewRef(sandbox);
    return 0;
}

static rmi_pipeline_object *new_object(PyTypeObject *type, PyObject *arrays, PyObject *held,
                                       PyObject *sandbox)
{
    rmi_extension *extension = rmi_extension_of(type);
    rmi_pipeline_object *self = extension != NULL ? (rmi_pipeline_object *)rmi_object_alloc(type, 0) : NULL;
    if (self == NULL)
        return NULL;
    self->extension = extension;
    self->held = Py_XNewRef(held);
    self->opening = PyThread_allocate_lock();
    if (self->opening == NULL)
        PyErr_NoMemory();
    if (self->opening == NULL || read_arrays(arrays, &self->arrays) != 0 || take_runtime(self, sandbox) != 0)
        Py_CLEAR(self);
    return self;
}

/* Checks the manifest that was parsed; consumes `self` where that failed. */
static PyObject *checked(rmi_pipeline_object *self, int rc, rm_error *err)
{
    if (rc == RM_OK)
        rc = self->sandbox == NULL ? rm_manifest_validate(self->manifest, err)
                                   : rmi_sandboxed_validate(self->runtime, self->manifest, err);
    const bool interrupted = self->sandbox != NULL && PyErr_CheckSignals() != 0;
    if (rc == RM_OK && !interrupted)
        return (PyObject *)self;
    if (interrupted)
        rm_error_clear(err);
    else
        (void)rmi_raise(self->extension, err);
    Py_DECREF(self);
    return NULL;
}

static PyObject *from_json(PyObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"text", "arrays", "sandbox", "_held", NULL};
    const char *text = NULL;
    Py_ssize_t length = 0;
    PyObject *arrays = NULL, *held = NULL, *sandbox = NULL;
    rm_error err = {0};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "s#|$OOO:from_json", names, &text, &length, &arrays,
                                     &sandbox, &held))
        return NULL;
    rmi_pipeline_object *self = new_object((PyTypeObject *)type, arrays, held, sandbox);
    if (self == NULL)
        return NULL;
    const int rc = rm_manifest_parse(self->runtime, text, (size_t)length, &self->manifest, &err);
    return checked(self, rc, &err);
}

static PyObject *from_file(PyObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"path", "arrays", "sandbox", NULL};
    PyObject *path = NULL, *arrays = NULL, *sandbox = NULL;
    rm_error err = {0};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O&|$OO:from_file", names, PyUnicode_FSConverter, &path,
                                     &arrays, &sandbox))
        return NULL;
    rmi_pipeline_object *self = new_object((PyTypeObject *)type, arrays, NULL, sandbox);
    PyObject *made = NULL;
    if (self != NULL)
        made = checked(self, rm_manifest_load(self->runtime, PyBytes_AS_STRING(path), &self->manifest, &err),
                       &err);
    Py_DECREF(path);
    return made;
}

/* The manifest as JSON. */
static int write_manifest(PyObject *manifest, char **text, size_t *length, rm_error *err)
{
    rm_value value = rm_null();
    int rc = rmi_manifest_values_check(manifest, err);
    if (rc == RM_OK)
        rc = rmi_to_plain(NULL, manifest, &value, err);
    if (rc == RM_OK)
        rc = rm_json_write(NULL, value, 0, text, length, NULL, err);
    rm_value_clear(&value);
    return rc;
}

static PyObject *from_dict(PyObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"manifest", "arrays", "sandbox", "_held", "_file", NULL};
    PyObject *manifest = NULL, *arrays = NULL, *held = NULL, *sandbox = NULL;
    PyObject *file = NULL; /* bytes: modules beside it can be imported */
    char *text = NULL;
    size_t length = 0;
    rm_error err = {0};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!|$OOOS:from_dict", names, &PyDict_Type, &manifest,
                                     &arrays, &sandbox, &held, &file))
        return NULL;
    rmi_pipeline_object *self = new_object((PyTypeObject *)type, arrays, held, sandbox);
    if (self == NULL)
        return NULL;
    int rc = write_manifest(manifest, &text, &length, &err);
    if (rc == RM_OK)
        rc = rm_manifest_parse_with(self->runtime, text, length, file != NULL ? PyBytes_AsString(file) : NULL,
                                    0, &self->manifest, &err);
    rm_text_free(NULL, text, length);
    return checked(self, rc, &err);
}

/* ---- Runs */

enum { MOST_AHEAD = 65536 };

static char *run_names[] = {"input", "timeout", "metrics", "progress", NULL};

static PyObject *run(PyObject *object, PyObject *args, PyObject *kwargs)
{
    rmi_run_options options = {.items = Py_None, .timeout = Py_None, .ahead = RMI_GREEDY};
    int measures = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O$OpO:run", run_names, &options.items, &options.timeout,
                                     &measures, &options.progress))
        return NULL;
    options.measures = measures != 0;
    PyObject *made = rmi_run_new(self_of(object), &options);
    PyObject *results = made != NULL ? rmi_run_collect(made) : NULL;
    Py_XDECREF(made);
    return results;
}

static PyObject *stream(PyObject *object, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"input", "timeout", "metrics", "ahead", "progress", NULL};
    rmi_run_options options = {.items = Py_None, .timeout = Py_None};
    int measures = 0, ahead = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O$OpiO:stream", names, &options.items, &options.timeout,
                                     &measures, &ahead, &options.progress))
        return NULL;
    if (ahead < 0 || ahead > MOST_AHEAD)
        return PyErr_Format(PyExc_ValueError, "ahead must be from 0 to %d", MOST_AHEAD);
    options.measures = measures != 0;
    options.ahead = (size_t)ahead;
    return rmi_run_new(self_of(object), &options);
}

/* A run for a caller with an event loop. Items that are None are pushed. */
static PyObject *start(PyObject *object, PyObject *args)
{
    rmi_run_options options = {.timeout = Py_None};
    int measures = 0, pushes = 0;
    if (!PyArg_ParseTuple(args, "OpOpOO:_start", &options.items, &pushes, &options.timeout, &measures,
                          &options.guest, &options.progress))
        return NULL;
    options.measures = measures != 0;
    if (pushes)
        options.items = NULL;
    return rmi_run_new(self_of(object), &options);
}

static PyObject *diagram(PyObject *object, PyObject *args)
{
    rmi_pipeline_object *self = self_of(object);
    const char *word = "mermaid";
    char *text = NULL;
    size_t length = 0;
    rm_error err = {0};
    if (!PyArg_ParseTuple(args, "|s:diagram", &word))
        return NULL;
    const bool is_dot = strcmp(word, "dot") == 0;
    if (!is_dot && strcmp(word, "mermaid") != 0)
        return PyErr_Format(PyExc_ValueError, "format must be 'mermaid' or 'dot', not '%s'", word);
    if (rm_manifest_diagram(self->manifest, is_dot ? RM_DIAGRAM_DOT : RM_DIAGRAM_MERMAID, &text, &length,
                            &err) != RM_OK) {
        (void)rmi_raise(self->extension, &err);
        return NULL;
    }
    PyObject *made = PyUnicode_FromStringAndSize(text, (Py_ssize_t)length);
    rm_text_free(rm_runtime_allocator(self->runtime), text, length);
    return made;
}

static PyObject *or_none(PyObject *found)
{
    return Py_NewRef(found != NULL ? found : Py_None);
}

static PyObject *metrics(PyObject *object, void *unused)
{
    (void)unused;
    return or_none(self_of(object)->metrics);
}

static PyObject *failures(PyObject *object, void *unused)
{
    (void)unused;
    return or_none(self_of(object)->failures);
}

static PyObject *graph(PyObject *object, void *unused)
{
    (void)unused;
    return or_none(self_of(object)->graph);
}

/* ---- The type */

static int traverse(PyObject *object, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self_of(object)->held);
    Py_VISIT((PyObject *)self_of(object)->sandbox);
    Py_VISIT(self_of(object)->metrics);
    Py_VISIT(self_of(object)->failures);
    return 0;
}

static int clear(PyObject *object)
{
    Py_CLEAR(self_of(object)->held);
    Py_CLEAR(self_of(object)->metrics);
    Py_CLEAR(self_of(object)->failures);
    Py_CLEAR(self_of(object)->graph);
    return 0;
}

static void dealloc(PyObject *object)
{
    rmi_pipeline_object *self = self_of(object);
    PyObject_GC_UnTrack(object);
    if (self->sandbox != NULL)
        rmi_sandbox_runtime_free(self->sandbox, self->runtime, self->manifest);
    else {
        rm_manifest_free(self->manifest);
        if (self->runtime != NULL)
            rmi_runtime_give_back(self->extension, self->arrays, self->runtime);
    }
    Py_CLEAR(self->sandbox);
    if (self->opening != NULL)
        PyThread_free_lock(self->opening);
    (void)clear(object);
    rmi_object_free(object);
}

PyTypeObject *rmi_pipeline_type_new(PyObject *module)
{
    enum { WITH_WORDS = METH_VARARGS | METH_KEYWORDS };
    static PyMethodDef methods[] = {
        {"from_json", RMI_METHOD(from_json), WITH_WORDS | METH_CLASS, RMI_FROM_JSON_DOC},
        {"from_file", RMI_METHOD(from_file), WITH_WORDS | METH_CLASS, RMI_FROM_FILE_DOC},
        {"from_dict", RMI_METHOD(from_dict), WITH_WORDS | METH_CLASS, RMI_FROM_DICT_DOC},
        {"run", RMI_METHOD(run), WITH_WORDS, RMI_RUN_DOC},
        {"stream", RMI_METHOD(stream), WITH_WORDS, RMI_STREAM_DOC},
        {"_start", start, METH_VARARGS, NULL},
        {"_graph", rmi_pipeline_graph, METH_NOARGS, NULL},
        {"diagram", diagram, METH_VARARGS, RMI_DIAGRAM_DOC},
        {NULL, NULL, 0, NULL}};
    static PyGetSetDef members[] = {{"metrics", metrics, NULL, RMI_METRICS_DOC, NULL},
                                    {"graph_info", graph, NULL, RMI_GRAPH_INFO_DOC, NULL},
                                    {"failures", failures, NULL, RMI_FAILURES_DOC, NULL},
                                    {NULL, NULL, NULL, NULL, NULL}};
    PyType_Slot slots[] = {{Py_tp_methods, methods},   {Py_tp_getset, members}, {Py_tp_dealloc, dealloc},
                           {Py_tp_traverse, traverse}, {Py_tp_clear, clear},    {0, NULL}};
    PyType_Spec spec = {.name = "remotemedia._runtime.Pipeline",
                        .basicsize = sizeof(rmi_pipeline_object),
                        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC |
                                 Py_TPFLAGS_DISALLOW_INSTANTIATION,
                        .slots = slots};
    return (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, NULL);
}
