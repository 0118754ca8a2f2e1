/* Asynchronous nodes: packets whose results come later. */
#include <string.h>

#include "base/alloc.h"
#include "python/convert.h"
#include "python/state.h"

/* Moves the work of the packet in process behind the pending ones. */
static int suspend(rmi_state *state, rm_error *err)
{
    rmi_work *work = rmi_alloc_zeroed(rm_node_allocator(state->node), sizeof *work), **last = &state->works;
    if (work == NULL) {
        rmi_work_clear(&state->work);
        return rmi_out_of_memory(err);
    }
    *work = state->work;
    memset(&state->work, 0, sizeof state->work);
    work->token = rm_node_suspend(state->node);
    while (*last != NULL)
        last = &(*last)->next;
    *last = work;
    rmi_waiting(state, true);
    if (work->task != NULL && rmi_task_watch(state, work->task) != 0)
        return rmi_python_failed(state->node, err);
    return RM_PENDING;
}

int rmi_async_process_many(rm_node *node, void *memory, unsigned port, rm_packet *run, size_t n, size_t *done,
                           rm_error *err)
{
    rmi_state *state = memory;
    int rc = RM_OK;
    size_t i = 0;
    (void)port;
    const PyGILState_STATE held = rmi_call_enter(state);
    if (n == 0)
        rc = rmi_work_step(state, &state->work, err);
    for (; i < n && rc == RM_OK && (i == 0 || !rmi_call_interrupted(state)); i++) {
        rm_node_set_current(node, &run[i]);
        PyObject *item = rmi_item_for(state, &run[i]);
        rm_packet_clear(&run[i]);
        rc = rmi_work_start(state, &state->work, item != NULL ? rmi_user_process(state, item) : NULL, err);
        Py_XDECREF(item);
    }
    if (rc == RM_PENDING)
        rc = suspend(state, err);
    else if (rc < 0)
        rmi_work_clear(&state->work);
    *done = rc < 0 && i > 0 ? i - 1 : i;
    rmi_call_leave(state, held);
    return rc;
}

/* Goes on with one pending packet; true when it is over and done with. *more: it has more to give at once. */
static bool advance(rmi_state *state, rmi_work *work, bool *more)
{
    rm_error err = {0};
    PyObject *before = work->task;
    if (work->abandoned) {
        if (work->task != NULL && rmi_task_done(work->task) == 0)
            return false;
        rmi_work_clear(work);
        PyErr_Clear();
        return true;
    }
    rm_node_resume(state->node, work->token);
    int rc = rmi_work_step(state, work, &err);
    if (rc == RM_PENDING && work->task != before && rmi_task_watch(state, work->task) != 0)
        rc = rmi_python_failed(state->node, &err);
    if (rc == RM_PENDING)
        return false;
    if (rc == RM_MORE) {
        *more = true;
        return false;
    }
    (void)rm_node_finish(state->node, work->token, rc, &err);
    rmi_work_clear(work);
    return true;
}

int rmi_async_poll(rm_node *node, void *memory, rm_wait *wait, rm_error *err)
{
    rmi_state *state = memory;
    rmi_work **link = &state->works;
    bool more = false;
    int rc = RM_OK;
    const PyGILState_STATE held = rmi_call_enter(state);
    if (*link != NULL && rmi_loop_step(state) != 0)
        rc = rmi_python_failed(node, err);
    while (rc == RM_OK && *link != NULL) {
        rmi_work *work = *link;
        if (!advance(state, work, &more)) {
            link = &work->next;
            continue;
        }
        *link = work->next;
        rmi_free(rm_node_allocator(node), work, sizeof *work);
    }
    if (rc == RM_OK && state->works == NULL)
        rmi_waiting(state, false);
    else if (rc == RM_OK) {
        rc = more ? RM_MORE : RM_PENDING;
        if (rmi_loop_wait(state, wait) != 0)
            rc = rmi_python_failed(node, err);
    }
    rmi_call_leave(state, held);
    return rc;
}

void rmi_async_abandon(rm_node *node, void *memory, uint64_t token)
{
    rmi_state *state = memory;
    (void)node;
    const PyGILState_STATE held = rmi_call_enter(state);
    for (rmi_work *work = state->works; work != NULL; work = work->next) {
        if (work->token != token)
            continue;
        work->abandoned = true;
        PyObject *done = work->task != NULL ? PyObject_CallMethod(work->task, "cancel", NULL) : NULL;
        Py_XDECREF(done);
        PyErr_Clear();
    }
    rmi_call_leave(state, held);
}
