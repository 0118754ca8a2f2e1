/* Asynchronous nodes: packets whose results come later. */
#include <string.h>

#include "base/alloc.h"
#include "python/convert/convert.h"
#include "python/python_node.h"

/* Moves the work of the packet in process behind the pending ones. */
static int suspend(rmi_state *state, rm_error *err)
{
    rmi_python_work *work = NULL, **last = &state->works;
    if (rmi_work_watch(state, &state->work) != 0) {
        const int rc = rmi_python_failed(state->node, err);
        rmi_work_drop(state, &state->work);
        return rc;
    }
    if ((work = rmi_alloc_zeroed(rm_node_allocator(state->node), sizeof *work)) == NULL) {
        rmi_work_drop(state, &state->work);
        return rmi_out_of_memory(err);
    }
    *work = state->work;
    memset(&state->work, 0, sizeof state->work);
    work->token = rm_node_suspend(state->node);
    while (*last != NULL)
        last = &(*last)->next;
    *last = work;
    rmi_waiting(state, true);
    return RM_PENDING;
}

/* Runs the loop for all items of a call, since that costs much. Code that only makes coroutines is in the node's context. */
static bool enter_loop(rmi_state *state)
{
    const bool entered = rmi_loop_enter(state) == 0;
    if (entered)
        rmi_context_enter(state);
    else
        rmi_drop_exception(); /* the first task fails for the same cause, or has been interrupted */
    return entered;
}

/* Handles the code of a step of the item in process. */
static int settle(rmi_state *state, int rc, rm_error *err)
{
    if (rc == RM_PENDING)
        return suspend(state, err);
    if (rc < 0)
        rmi_work_drop(state, &state->work);
    return rc;
}

int rmi_async_process_many(rm_node *node, void *memory, unsigned port, rm_packet *batch, size_t n,
                           size_t *done, rm_error *err)
{
    rmi_state *state = memory;
    int rc = RM_OK;
    size_t i = 0;
    (void)port;
    const PyGILState_STATE held = rmi_call_enter(state);
    rmi_work_drop(state, &state->work); /* left from an item that nobody wants */
    const bool entered = enter_loop(state);
    for (; i < n && rc == RM_OK && (i == 0 || !rmi_call_interrupted(state)); i++) {
        rm_node_set_current(node, &batch[i]);
        PyObject *item = rmi_item_for(state, &batch[i]);
        rm_packet_clear(&batch[i]);
        rc = rmi_work_start(state, &state->work, item != NULL ? rmi_user_process(state, item) : NULL, err);
        Py_XDECREF(item);
    }
    rc = settle(state, rc, err);
    if (entered)
        rmi_loop_leave(state);
    *done = rc < 0 && i > 0 ? i - 1 : i;
    rmi_call_leave(state, held);
    return rc;
}

int rmi_async_more(rm_node *node, void *memory, rm_error *err)
{
    rmi_state *state = memory;
    (void)node;
    const PyGILState_STATE held = rmi_call_enter(state);
    const int rc = settle(state, rmi_work_step(state, &state->work, err), err);
    rmi_call_leave(state, held);
    return rc;
}

/* ---- Abandoned works */

/* Continues the end of an abandoned work. True when it has ended. */
static bool is_over(rmi_python_work *work)
{
    if (work->task != NULL && rmi_work_done(work) == 0)
        return false;
    PyObject *result =
        work->task != NULL ? rmi_task_result(work->task) : NULL; /* else asyncio logs its failure */
    PyErr_Clear();
    Py_XDECREF(result);
    if (work->iterator != NULL && rmi_generator_close(work->iterator) != 0)
        PyErr_Clear(); /* nobody wants the failure */
    rmi_work_clear(work);
    return true;
}

/* Whether the work of a pending packet can only wait: most can, where many are under way. */
static bool waits(const rmi_state *state, const rmi_python_work *work)
{
    return state->broken == NULL && !work->abandoned && work->task != NULL && work->iteration == NULL &&
           work->watched && rmi_work_done(work) == 0;
}

/* Continues the work of one pending packet. True when the work has ended. *more: it has more values at once;
 * *failed: rm_node_finish failed with this code. */
static bool advance(rmi_state *state, rmi_python_work *work, bool *more, int *failed)
{
    rm_error err = {0};
    if (work->abandoned)
        return is_over(work);
    rm_node_resume(state->node, work->token);
    int rc = rmi_is_broken(state) ? rmi_python_failed(state->node, &err) : rmi_work_step(state, work, &err);
    if (rc == RM_PENDING && rmi_work_watch(state, work) != 0)
        rc = rmi_python_failed(state->node, &err);
    if (rc == RM_PENDING)
        return false;
    if (rc == RM_MORE) {
        *more = true;
        return false;
    }
    *failed = rm_node_finish(state->node, work->token, rc, &err);
    if (work->task == NULL) {
        rmi_work_clear(work);
        return true;
    }
    work->abandoned = true; /* a value could not be sent, or another task of the node has failed */
    if (rmi_work_begin_end(state, work) != 0)
        PyErr_Clear();
    return is_over(work);
}

int rmi_async_poll(rmi_state *state, rm_error *err)
{
    rmi_python_work **link = &state->works;
    bool more = false;
    int rc = RM_OK;
    if (*link != NULL && rmi_loop_step(state) != 0)
        rc = rmi_python_failed(state->node, err);
    while (rc == RM_OK && *link != NULL) {
        rmi_python_work *work = *link;
        if (waits(state, work) || !advance(state, work, &more, &rc)) {
            link = &work->next;
            continue;
        }
        *link = work->next;
        rmi_free(rm_node_allocator(state->node), work, sizeof *work);
    }
    if (rc == RM_OK && state->works == NULL)
        rmi_waiting(state, false);
    else if (rc == RM_OK) {
        rc = more ? RM_MORE : RM_PENDING;
        if (rmi_loop_wait(state, state->wait) != 0)
            rc = rmi_python_failed(state->node, err);
    }
    return rc;
}

void rmi_async_abandon(rm_node *node, void *memory, uint64_t token)
{
    rmi_state *state = memory;
    (void)node;
    const PyGILState_STATE held = rmi_call_enter(state);
    for (rmi_python_work *work = state->works; work != NULL; work = work->next) {
        if (work->token != token || work->abandoned)
            continue;
        work->abandoned = true;
        if (rmi_work_begin_end(state, work) != 0 || (work->task != NULL && rmi_work_watch(state, work) != 0))
            PyErr_Clear();
        if (work->task == NULL)
            (void)is_over(work); /* poll removes it */
    }
    rmi_call_leave(state, held);
}
