/* Nodes that generate: `generate()`, or `process(None)` until it returns None. */
#include "python/convert/convert.h"
#include "python/python_node.h"

/* Calls the user's code for the first, or the next, time. */
static int begin(rmi_state *state, rm_error *err)
{
    const bool pulls = state->class->pulls_process;
    PyObject *result = pulls ? rmi_user_process(state, Py_None)
                             : PyObject_CallMethodNoArgs(state->instance, rmi_name(RMI_NAME_generate));
    state->started = true;
    state->work.iterates = !pulls;
    return rmi_work_start(state, &state->work, result, err);
}

/* One step: RM_OK (call again), RM_PENDING, RM_DONE or a failure. */
static int step(rmi_state *state, rm_error *err)
{
    const bool pulls = state->class->pulls_process;
    const bool idle = state->work.task == NULL && state->work.iterator == NULL;
    if (state->ended)
        return RM_DONE;
    int rc = !state->started || (pulls && idle) ? begin(state, err) : rmi_work_step(state, &state->work, err);
    if (rc == RM_OK && (!pulls || state->work.gave_nothing))
        state->ended = true;
    if (rc == RM_MORE || rc == RM_OK)
        return state->ended ? RM_DONE : RM_OK;
    return rc;
}

int rmi_source_generate(rm_node *node, void *memory, rm_error *err)
{
    rmi_state *state = memory;
    const PyGILState_STATE held = rmi_call_enter(state);
    int rc = step(state, err);
    if (rc == RM_PENDING) {
        rmi_waiting(state, true);
        if (rmi_work_watch(state, &state->work) != 0)
            rc = rmi_python_failed(node, err);
    }
    rmi_call_leave(state, held);
    return rc;
}

int rmi_source_poll(rmi_state *state, rm_error *err)
{
    rm_node *node = state->node;
    int rc = RM_OK;
    if (state->work.task != NULL)
        rc = rmi_loop_step(state) != 0 || rmi_is_broken(state) ? rmi_python_failed(node, err)
                                                               : step(state, err);
    if (rc == RM_PENDING &&
        (rmi_work_watch(state, &state->work) != 0 || rmi_loop_wait(state, state->wait) != 0))
        rc = rmi_python_failed(node, err);
    if (rc != RM_PENDING)
        rmi_waiting(state, false);
    return rc == RM_DONE ? RM_OK : rc; /* the next call of generate returns RM_DONE */
}
