/* The module `_remotemedia`: the C part of the package `remotemedia`. */
#include "python/run_loop.h"
#include "python/arrays/tensor_type.h"

static int add_types(PyObject *module, rmi_python *python)
{
    const struct {
        PyTypeObject **place;
        PyTypeObject *(*make)(PyObject *module);
        const char *name;
    } types[] = {
        {&python->tensor_type, rmi_tensor_type_new, "Tensor"},
        {&python->packet_type, rmi_packet_type_new, "Packet"},
        {&python->stream_type, rmi_stream_type_new, "Stream"},
        {&python->ready_type, rmi_ready_type_new, "Ready"},
        {&python->waker_type, rmi_waker_type_new, "Waker"},
        {&python->iteration_type, rmi_iteration_type_new, "Iteration"},
        {&python->run_loop_type, rmi_run_loop_type_new, "RunLoop"},
        {&python->item_coroutine_type, rmi_item_coroutine_type_new, "ItemCoroutine"},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if ((*types[i].place = types[i].make(module)) == NULL ||
            PyModule_AddObjectRef(module, types[i].name, (PyObject *)*types[i].place) != 0)
            return -1;
    return 0;
}

PyObject *rmi_module_new(void)
{
    static PyModuleDef definition = {
        PyModuleDef_HEAD_INIT,
        .m_name = "_remotemedia",
        .m_doc = "The runtime's side of `remotemedia`.",
        .m_size = -1,
    };
    rmi_python *python = rmi_python_of_process();
    PyObject *module = PyModule_Create(&definition);
    if (module == NULL)
        return NULL;
    python->error = PyErr_NewExceptionWithDoc("_remotemedia.Error", "A failure of the runtime.", NULL, NULL);
    python->interrupted = PyErr_NewExceptionWithDoc("_remotemedia.Interrupted", "The run was told to stop.",
                                                    PyExc_BaseException, NULL);
    python->node_variable = PyContextVar_New("_remotemedia.node", NULL);
    python->loop_variable = PyContextVar_New("_remotemedia.loop", NULL);
    if (python->loop_variable == NULL || PyModule_AddObjectRef(module, "loop", python->loop_variable) != 0 ||
        python->node_variable == NULL || PyModule_AddObjectRef(module, "node", python->node_variable) != 0 ||
        python->error == NULL || python->interrupted == NULL || add_types(module, python) != 0 ||
        rmi_compute_add(module) != 0 || PyModule_AddObjectRef(module, "Error", python->error) != 0 ||
        PyModule_AddObjectRef(module, "Interrupted", python->interrupted) != 0)
        Py_CLEAR(module);
    return module;
}
