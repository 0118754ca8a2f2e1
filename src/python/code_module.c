/* Code in a manifest: the class or the functions that it defines, in a module of its own. The package's _code.py
 * makes the modules. */
#include <string.h>

#include "python/convert/convert.h"
#include "python/python_node.h"

static int code_error(rm_error *err, int code, const char *id, const char *what)
{
    (void)rm_error_set(err, code, "%s of node '%s' %s", "the parameter 'code'", id, what);
    rm_error_pointer(err, "/params/code");
    return code;
}

/* The module of _code.py; NULL without an exception where it is not there yet and `load` is false. Where it is
 * frozen, its package does not run for it, which would take longer. */
static PyObject *import_code(bool load)
{
    PyObject *name = PyUnicode_FromString("remotemedia._code"), *module = NULL;
    if (name != NULL)
        module = PyImport_GetModule(name);
    if (name != NULL && module == NULL && load && !PyErr_Occurred()) {
        const int frozen = PyImport_ImportFrozenModuleObject(name);
        if (frozen > 0)
            module = PyImport_GetModule(name);
        else if (frozen == 0)
            module = PyImport_Import(name);
    }
    Py_XDECREF(name);
    return module;
}

void rmi_code_show(void)
{
    PyObject *code = import_code(false), *done = NULL;
    if (code != NULL)
        done = PyObject_CallMethod(code, "show", NULL);
    PyErr_Clear();
    Py_XDECREF(done);
    Py_XDECREF(code);
}

void rmi_code_forget(rmi_class *class)
{
    if (class->module == NULL || rmi_python_has_ended())
        return;
    const PyGILState_STATE held = rmi_enter();
    PyObject *exception = PyErr_GetRaisedException(), *name = PyModule_GetNameObject(class->module);
    PyObject *code = name != NULL ? import_code(false) : NULL;
    PyObject *done = code != NULL ? PyObject_CallMethod(code, "forget", "O", name) : NULL;
    PyErr_Clear();
    if (rmi_python_of_process()->finished)
        rmi_forget_variables(class->module);
    Py_XDECREF(done);
    Py_XDECREF(code);
    Py_XDECREF(name);
    Py_CLEAR(class->module);
    PyErr_SetRaisedException(exception);
    rmi_leave(held);
}

/* Runs the text, which is Unicode whatever it says of its encoding. */
static PyObject *run(PyObject *module, const char *text)
{
    PyObject *space = PyModule_GetDict(module), *file = PyModule_GetFilenameObject(module), *code = NULL,
             *done = NULL;
    if (file != NULL && PyDict_SetItemString(space, "__builtins__", PyEval_GetBuiltins()) == 0)
        code = rmi_compile(text, file);
    if (code != NULL)
        done = PyEval_EvalCode(code, space, space);
    Py_XDECREF(code);
    Py_XDECREF(file);
    return done;
}

static int load(rmi_class *class, const char *id, const char *text)
{
    PyObject *makes = import_code(true), *done = NULL;
    if (makes != NULL)
        class->module = PyObject_CallMethod(makes, "make", "ss", id, text);
    if (class->module != NULL)
        done = run(class->module, text);
    const int rc = done != NULL ? 0 : -1;
    Py_XDECREF(done);
    Py_XDECREF(makes);
    return rc;
}

int rmi_code_find(rmi_class *class, const rm_node_query *query, rm_error *err)
{
    rm_value code = rm_null();
    size_t length = 0;
    if (!rm_map_get(query->params, "code", 4, &code)) {
        (void)code_error(err, RM_E_MISSING_PARAMETER, query->id, "is missing");
        rm_error_pointer(err, "/params");
        rm_error_hint(err, "it is the source text, which defines process(item) or a class Node");
        return RM_E_MISSING_PARAMETER;
    }
    const char *text = code.kind == RM_STRING ? rm_string_text(code, &length) : NULL;
    if (text == NULL || strlen(text) != length)
        return code_error(err, RM_E_TYPE, query->id, "must be a string of source text");
    if (load(class, query->id, text) != 0) {
        const int rc = rmi_python_failed(NULL, err);
        rm_error_pointer(err, "/params/code");
        return rc;
    }
    PyObject *module = class->module, *found = NULL;
    const int has_class = PyObject_GetOptionalAttrString(module, "Node", &found);
    if (has_class > 0 && PyType_Check(found)) {
        class->object = found;
        return RM_OK;
    }
    Py_XDECREF(found);
    class->object = Py_NewRef(module);
    class->is_module = true;
    if (PyObject_HasAttrString(module, "process") || PyObject_HasAttrString(module, "generate"))
        return RM_OK;
    return code_error(err, RM_E_VALUE, query->id, "defines neither process(item) nor a class Node");
}
