/* What the limited API does not have (api.h); compiled for it only. */
#include "python/python_host.h"

/* ---- Loading */

static rmi_api api;

const rmi_api *rmi_api_of_process(void)
{
    return &api;
}

/* All or none of them are there: versions of CPython have them, other interpreters do not. */
static int check_functions(void)
{
    if (PyContext_CopyCurrent != NULL && PyContext_Copy != NULL && PyContext_Enter != NULL &&
        PyContext_Exit != NULL && PyContextVar_New != NULL && PyContextVar_Get != NULL &&
        PyContextVar_Set != NULL && PyContextVar_Reset != NULL)
        return 0;
    PyErr_SetString(PyExc_ImportError,
                    "this Python has no C functions for contexts (PyContext_Enter and others)");
    return -1;
}

static int load_types(void)
{
    const struct {
        PyTypeObject **place;
        const char *module, *name;
    } types[] = {
        {&api.function, "types", "FunctionType"},
        {&api.method, "types", "MethodType"},
        {&api.generator, "types", "GeneratorType"},
        {&api.coroutine, "types", "CoroutineType"},
        {&api.async_generator, "types", "AsyncGeneratorType"},
        {&api.frame, "types", "FrameType"},
        {&api.context, "_contextvars", "Context"},
        {&api.ordered_dict, "_collections", "OrderedDict"},
    };
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < sizeof types / sizeof *types; i++) {
        PyObject *module = PyImport_ImportModule(types[i].module);
        *types[i].place =
            module != NULL ? (PyTypeObject *)PyObject_GetAttrString(module, types[i].name) : NULL;
        rc = *types[i].place != NULL ? 0 : -1;
        Py_XDECREF(module);
    }
    return rc;
}

static int load_functions(void)
{
    PyObject *gc = PyImport_ImportModule("gc"), *builtins = PyImport_ImportModule("builtins"),
             *frames = PySys_GetObject("_current_frames");
    api.current_frames = Py_XNewRef(frames);
    api.get_hooks = Py_XNewRef(PySys_GetObject("get_asyncgen_hooks"));
    api.set_hooks = Py_XNewRef(PySys_GetObject("set_asyncgen_hooks"));
    api.get_objects = gc != NULL ? PyObject_GetAttrString(gc, "get_objects") : NULL;
    api.get_referents = gc != NULL ? PyObject_GetAttrString(gc, "get_referents") : NULL;
    api.compile = builtins != NULL ? PyObject_GetAttrString(builtins, "compile") : NULL;
    api.type_names = PyDict_New();
    Py_XDECREF(builtins);
    Py_XDECREF(gc);
    if ((frames == NULL || api.get_hooks == NULL || api.set_hooks == NULL) && !PyErr_Occurred())
        PyErr_SetString(PyExc_ImportError,
                        "this Python has no sys._current_frames or sys.set_asyncgen_hooks");
    return PyErr_Occurred() ? -1 : 0;
}

int rmi_api_load(void)
{
    return check_functions() == 0 && load_types() == 0 ? load_functions() : -1;
}

/* ---- Attributes that are fields elsewhere */

PyObject *rmi_held(PyObject *object, const char *name)
{
    PyObject *found = PyObject_GetAttrString(object, name);
    if (found == NULL)
        PyErr_Clear();
    else
        Py_DECREF(found); /* the object still holds it */
    return found != Py_None ? found : NULL;
}

int rmi_held_number(PyObject *object, const char *name)
{
    PyObject *found = PyObject_GetAttrString(object, name);
    const long number = found != NULL ? PyLong_AsLong(found) : 0;
    PyErr_Clear();
    Py_XDECREF(found);
    return (int)number;
}

/* dont_inherit: flags of the code that runs at the moment are not for this text. */
PyObject *rmi_compile(const char *text, PyObject *file)
{
    return PyObject_CallFunction(api.compile, "sOsii", text, file, "exec", 0, 1);
}

/* ---- Types */

/* Python code makes types with one function to free their instances, as it makes classes of exceptions. */
static bool is_of_python(PyTypeObject *type)
{
    PyTypeObject *error = (PyTypeObject *)rmi_python_of_process()->error;
    return error != NULL && PyType_GetSlot(type, Py_tp_dealloc) == PyType_GetSlot(error, Py_tp_dealloc);
}

static PyObject *name_of(PyTypeObject *type)
{
    return is_of_python(type) ? PyType_GetName(type) : PyType_GetFullyQualifiedName(type);
}

const char *rmi_name_of_type(PyTypeObject *type)
{
    PyObject *exception = PyErr_GetRaisedException(), *name = name_of(type);
    PyObject *kept = name != NULL ? PyDict_GetItemWithError(api.type_names, name) : NULL;
    if (kept == NULL && name != NULL && PyDict_SetItem(api.type_names, name, name) == 0)
        kept = name;
    const char *text = kept != NULL ? PyUnicode_AsUTF8(kept) : NULL;
    Py_XDECREF(name);
    PyErr_SetRaisedException(exception);
    return text != NULL ? text : "?";
}

bool rmi_type_is_named(PyTypeObject *type, const char *name)
{
    PyObject *full = name_of(type);
    const bool is = full != NULL && PyUnicode_EqualToUTF8(full, name);
    PyErr_Clear();
    Py_XDECREF(full);
    return is;
}

PyObject *rmi_type_member(PyTypeObject *type, PyObject *name)
{
    PyObject *members = PyObject_GetAttrString((PyObject *)type, "__dict__");
    PyObject *found = members != NULL ? PyObject_GetItem(members, name) : NULL;
    if (found == NULL && PyErr_ExceptionMatches(PyExc_KeyError))
        PyErr_Clear();
    Py_XDECREF(members);
    return found;
}

static bool is_slot_of(PyObject *value, PyTypeObject *type)
{
    return Py_IS_TYPE(value, &PyMemberDescr_Type) && rmi_held(value, "__objclass__") == (PyObject *)type;
}

PyObject *rmi_slot_after(PyTypeObject *type, Py_ssize_t *place)
{
    PyObject *members = PyObject_GetAttrString((PyObject *)type, "__dict__"), *found = NULL;
    const int has = members != NULL ? PyMapping_HasKeyString(members, "__slots__") : 0;
    PyObject *values = has > 0 ? PyMapping_Values(members) : NULL;
    for (; found == NULL && values != NULL && *place < PyList_GET_SIZE(values); ++*place)
        if (is_slot_of(PyList_GET_ITEM(values, *place), type))
            found = PyList_GET_ITEM(values, *place);
    PyErr_Clear();
    Py_XDECREF(values);
    Py_XDECREF(members);
    return found;
}

PyObject *rmi_slot_get(PyObject *slot, PyObject *object)
{
    descrgetfunc get = RMI_TYPE_SLOT(Py_TYPE(slot), descrgetfunc, tp_descr_get);
    return get(slot, object, (PyObject *)Py_TYPE(object));
}

int rmi_slot_set(PyObject *slot, PyObject *object, PyObject *value)
{
    descrsetfunc set = RMI_TYPE_SLOT(Py_TYPE(slot), descrsetfunc, tp_descr_set);
    return set(slot, object, value);
}

bool rmi_has_dict(PyTypeObject *type)
{
    return rmi_held_number((PyObject *)type, "__dictoffset__") != 0;
}

PyObject *rmi_module_of_type(PyTypeObject *type, PyModuleDef *definition)
{
    for (; type != NULL; type = PyType_GetSlot(type, Py_tp_base)) {
        PyObject *module = PyType_GetModule(type);
        PyErr_Clear();
        if (module != NULL && PyModule_GetDef(module) == definition)
            return module;
    }
    PyErr_SetString(PyExc_TypeError, "the class is none of the module");
    return NULL;
}

/* ---- Objects */

bool rmi_view_is_read_only(PyObject *view)
{
    return rmi_held(view, "readonly") != Py_False;
}

/* All views of a buffer hold one object, which comes first among what a view refers to. */
bool rmi_view_is_shared(PyObject *view)
{
    PyObject *referents = PyObject_CallOneArg(api.get_referents, view);
    const bool is = referents == NULL || PyList_GET_SIZE(referents) == 0 ||
                    Py_REFCNT(PyList_GET_ITEM(referents, 0)) > 2; /* the view's and the list's */
    PyErr_Clear();
    Py_XDECREF(referents);
    return is;
}

PyObject *rmi_frame_of(unsigned long thread)
{
    PyObject *frames = PyObject_CallNoArgs(api.current_frames), *number = PyLong_FromUnsignedLong(thread);
    PyObject *frame = frames != NULL && number != NULL ? PyDict_GetItemWithError(frames, number) : NULL;
    Py_XINCREF(frame);
    PyErr_Clear();
    Py_XDECREF(number);
    Py_XDECREF(frames);
    return frame;
}

static PyObject *hook_at(PyObject *hooks, Py_ssize_t place)
{
    PyObject *hook = PyTuple_GetItem(hooks, place);
    return hook != Py_None ? Py_XNewRef(hook) : NULL;
}

static PyObject *or_none(PyObject *hook)
{
    return hook != NULL ? hook : Py_None;
}

int rmi_swap_generator_hooks(rmi_generator_hooks *hooks)
{
    PyObject *former = PyObject_CallNoArgs(api.get_hooks), *done = NULL;
    if (former != NULL)
        done = PyObject_CallFunctionObjArgs(api.set_hooks, or_none(hooks->firstiter),
                                            or_none(hooks->finalizer), NULL);
    if (done != NULL) {
        Py_XDECREF(hooks->firstiter);
        Py_XDECREF(hooks->finalizer);
        *hooks = (rmi_generator_hooks){hook_at(former, 0), hook_at(former, 1)};
    }
    Py_XDECREF(former);
    Py_XDECREF(done);
    return done != NULL ? 0 : -1;
}

int rmi_ordered_set(PyObject *dict, PyObject *key, PyObject *value)
{
    return RMI_TYPE_SLOT(api.ordered_dict, objobjargproc, mp_ass_subscript)(dict, key, value);
}

void rmi_each_object(int (*look)(PyObject *object, void *context), void *context)
{
    PyObject *objects = PyObject_CallNoArgs(api.get_objects);
    for (Py_ssize_t i = 0; objects != NULL && i < PyList_GET_SIZE(objects); i++)
        if (!look(PyList_GET_ITEM(objects, i), context))
            break;
    PyErr_Clear();
    Py_XDECREF(objects);
}
