/* The context variables of a node. All synchronous code of the node runs in one context, and each of its tasks
 * starts with a copy. Coroutines of `initialize`, `flush` and `cleanup` run in the node's context itself. */
#include "python/python_node.h"

/* Makes the context, in which tasks find the waker of their node. */
static int make(rmi_state *state)
{
    state->context = PyContext_CopyCurrent();
    state->waker = rmi_waker_new(state);
    if (state->context == NULL || state->waker == NULL || PyContext_Enter(state->context) != 0)
        return -1;
    PyObject *token = PyContextVar_Set(rmi_python_of_process()->node_variable, state->waker);
    Py_XDECREF(token);
    return PyContext_Exit(state->context) != 0 || token == NULL ? -1 : 0;
}

int rmi_context_new(rmi_state *state, rm_error *err)
{
    const PyGILState_STATE held = rmi_enter();
    const int rc =
        make(state) == 0 && rmi_loop_join(state) == 0 ? RM_OK : rmi_python_failed(state->node, err);
    rmi_leave(held);
    return rc;
}

void rmi_context_free(rmi_state *state)
{
    if (state->waker != NULL)
        rmi_waker_detach(state->waker);
    Py_CLEAR(state->waker);
    Py_CLEAR(state->broken);
    rmi_context_leave(state);
    Py_CLEAR(state->context);
    rmi_loop_part(state);
}

void rmi_context_enter(rmi_state *state)
{
    if (state->context == NULL || state->in_context)
        return;
    state->in_context = PyContext_Enter(state->context) == 0;
    if (!state->in_context)
        PyErr_Clear();
}

void rmi_context_leave(rmi_state *state)
{
    if (!state->in_context)
        return;
    PyObject *exception = PyErr_GetRaisedException();
    if (PyContext_Exit(state->context) != 0)
        PyErr_Clear(); /* code in C has entered another one */
    state->in_context = false;
    PyErr_SetRaisedException(exception);
}
