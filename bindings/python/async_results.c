/* AsyncResults: what Pipeline.astream() returns. An asynchronous generator of the package waits for results, one by one;
 * those that are there already come without it. */
#include "platform/platform.h"
#include "run.h"

typedef struct async_results {
    PyObject_HEAD PyObject *generator;
    PyObject *place;     /* a list, in which the generator puts its run */
    rmi_run_object *run; /* NULL: not yet */
} async_results;

static async_results *self_of(PyObject *object)
{
    return (async_results *)object;
}

static PyObject *make(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *generator = NULL, *place = NULL;
    if (kwargs != NULL || !PyArg_ParseTuple(args, "OO!:AsyncResults", &generator, &PyList_Type, &place))
        return NULL;
    async_results *self = (async_results *)rmi_object_alloc(type, 0);
    if (self == NULL)
        return NULL;
    self->generator = Py_NewRef(generator);
    self->place = Py_NewRef(place);
    return (PyObject *)self;
}

/* The run, once the generator has opened it. */
static rmi_run_object *run_of(async_results *self)
{
    const rmi_extension *extension = rmi_extension_of(Py_TYPE((PyObject *)self));
    PyObject *run =
        self->run == NULL && PyList_GET_SIZE(self->place) > 0 ? PyList_GET_ITEM(self->place, 0) : NULL;
    if (run != NULL && extension != NULL && Py_IS_TYPE(run, extension->run_type))
        self->run = rmi_run_of(Py_NewRef(run));
    return self->run;
}

/* A result that is there already; NULL without an exception: there is none. */
static PyObject *take_one(rmi_run_object *run)
{
    rm_packet packet = rm_packet_of(rm_null());
    size_t sink = 0;
    if (run == NULL || run->pipeline == NULL || run->busy || run->forks != rmi_platform_forks() ||
        rm_pipeline_pull(run->pipeline, &sink, &packet, NULL) != RM_OK)
        return NULL;
    return rmi_run_result(run, sink, &packet);
}

/* What a method of the generator returned (consumed; NULL: it failed), without frames of ours in tracebacks. */
static PyObject *bare(PyObject *object, PyObject *made)
{
    const rmi_extension *extension = rmi_extension_of(Py_TYPE(object));
    PyObject *call = made != NULL && extension != NULL ? rmi_coroutine_new(extension, made) : NULL;
    Py_XDECREF(made);
    return call;
}

static PyObject *anext(PyObject *object)
{
    async_results *self = self_of(object);
    PyObject *value = take_one(run_of(self));
    unaryfunc wait = RMI_ASYNC_SLOT(Py_TYPE(self->generator), unaryfunc, am_anext);
    if (value != NULL)
        return rmi_ready_new(value);
    return PyErr_Occurred() ? NULL : bare(object, wait(self->generator));
}

/* Methods of an asynchronous generator. */
static PyObject *asend(PyObject *object, PyObject *value)
{
    return value == Py_None
               ? anext(object)
               : bare(object, PyObject_CallMethod(self_of(object)->generator, "asend", "O", value));
}

static PyObject *athrow(PyObject *object, PyObject *args)
{
    PyObject *method = PyObject_GetAttrString(self_of(object)->generator, "athrow");
    PyObject *made = method != NULL ? PyObject_CallObject(method, args) : NULL;
    Py_XDECREF(method);
    return bare(object, made);
}

static PyObject *aclose(PyObject *object, PyObject *unused)
{
    (void)unused;
    return bare(object, PyObject_CallMethodNoArgs(self_of(object)->generator, rmi_name(RMI_NAME_aclose)));
}

static int traverse(PyObject *object, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self_of(object)->generator);
    Py_VISIT(self_of(object)->place);
    Py_VISIT((PyObject *)self_of(object)->run);
    return 0;
}

static int clear(PyObject *object)
{
    Py_CLEAR(self_of(object)->generator);
    Py_CLEAR(self_of(object)->place);
    Py_CLEAR(self_of(object)->run);
    return 0;
}

static void dealloc(PyObject *object)
{
    PyObject_GC_UnTrack(object);
    (void)clear(object);
    rmi_object_free(object);
}

PyTypeObject *rmi_async_results_type_new(PyObject *module)
{
    static PyMethodDef methods[] = {
        {"asend", asend, METH_O, "asend(None): the next result."},
        {"athrow", athrow, METH_VARARGS, "Ends the run with an exception."},
        {"aclose", aclose, METH_NOARGS,
         "Ends the run: closes every node, and drops results that were not taken."},
        {NULL, NULL, 0, NULL}};
    PyType_Slot slots[] = {{Py_tp_doc, "The results of a run on the caller's event loop, as they come."},
                           {Py_tp_new, make},
                           {Py_am_aiter, PyObject_SelfIter},
                           {Py_am_anext, anext},
                           {Py_tp_methods, methods},
                           {Py_tp_traverse, traverse},
                           {Py_tp_clear, clear},
                           {Py_tp_dealloc, dealloc},
                           {0, NULL}};
    PyType_Spec spec = {.name = "remotemedia._runtime.AsyncResults",
                        .basicsize = sizeof(async_results),
                        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
                        .slots = slots};
    return (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, NULL);
}
