/* The context variables of a node. All synchronous code of the node runs in one context, and each of its tasks
 * starts with a copy. Coroutines of `initialize`, `flush` and `cleanup` run in the node's context itself. */
#include "python/python_node.h"

int rmi_context_new(rmi_state *state, rm_error *err)
{
    const PyGILState_STATE held = rmi_enter();
    state->context = PyContext_CopyCurrent();
    const int rc = state->context != NULL ? RM_OK : rmi_python_failed(state->node, err);
    rmi_leave(held);
    return rc;
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
