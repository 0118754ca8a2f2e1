/* Threads of nodes. The code of a synchronous streaming node asks for the next item in the middle of its
 * work. Where the platform has threads, that code runs in a thread of the node. The thread parks there while
 * the slot returns, and the next call of the slot resumes it: either the thread runs or its caller. All code
 * of the node, from __init__ to cleanup, runs in this thread, since objects such as a connection of sqlite3
 * belong to a thread. */
#include "base/alloc.h"
#include "platform/platform.h"
#include "python/python_node.h"

struct rmi_thread {
    rmi_handover *handover;
    rmi_job *job;   /* the thread's next job, or NULL */
    rm_error error; /* of the slot that returns next */
    int rc;         /* the code of that slot */
    bool parked;    /* a job waits in the middle */
    bool stuck;     /* that job will not end */
    bool ending;
};

/* ---- In the thread */

static void run_job(rmi_state *state)
{
    struct rmi_thread *thread = state->thread;
    rmi_job *job = thread->job;
    thread->job = NULL;
    (void)rmi_call_enter(state);
    const int rc = job(state, &thread->error);
    rmi_call_leave(state, PyGILState_LOCKED);
    thread->rc = rc;
}

/* Parks, without the GIL, until the next turn. */
static void give_back(struct rmi_thread *thread)
{
    PyThreadState *released = PyEval_SaveThread();
    rmi_handover_park(thread->handover);
    PyEval_RestoreThread(released);
}

/* `threading.current_thread().name` is the node's id. */
static void name_thread(const rmi_state *state)
{
    PyObject *module = PyImport_ImportModule("threading");
    PyObject *current = module != NULL ? PyObject_CallMethod(module, "current_thread", NULL) : NULL;
    PyObject *name = current != NULL ? PyUnicode_FromString(rm_node_id(state->node)) : NULL;
    if (name != NULL)
        (void)PyObject_SetAttr(current, rmi_name(RMI_NAME_name), name);
    PyErr_Clear();
    Py_XDECREF(name);
    Py_XDECREF(current);
    Py_XDECREF(module);
}

static void run_jobs(void *argument)
{
    rmi_state *state = argument;
    struct rmi_thread *thread = state->thread;
    const PyGILState_STATE held = PyGILState_Ensure();
    rmi_context_enter(state); /* for as long as the thread lives */
    name_thread(state);
    while (!thread->ending) {
        run_job(state);
        give_back(thread);
    }
    PyGILState_Release(held);
}

void rmi_thread_park(rmi_state *state, int rc, rm_error *err)
{
    struct rmi_thread *thread = state->thread;
    thread->rc = rc;
    if (rc < 0)
        rm_error_move(&thread->error, err);
    thread->parked = true;
    rmi_call_leave(state, PyGILState_LOCKED);
    give_back(thread);
    while (thread->job != NULL) { /* the parked job is stuck: other jobs run on top of it */
        run_job(state);
        give_back(thread);
    }
    (void)rmi_call_enter(state);
    thread->parked = false;
}

/* ---- The caller */

/* Resumes the thread until it parks or its job has ended. */
static int give_turn(struct rmi_thread *thread, rm_error *err)
{
    PyThreadState *released = rmi_has_gil() ? PyEval_SaveThread() : NULL;
    (void)rmi_handover_resume(thread->handover);
    if (released != NULL)
        PyEval_RestoreThread(released);
    if (thread->rc < 0)
        rm_error_move(err, &thread->error);
    return thread->rc;
}

int rmi_run(rmi_state *state, rmi_job *job, rm_error *err)
{
    if (rmi_python_has_ended()) /* nothing is left to run */
        return RM_OK;
    if (state->thread != NULL) {
        state->thread->job = job;
        return give_turn(state->thread, err);
    }
    const PyGILState_STATE held = rmi_call_enter(state);
    const int rc = job(state, err);
    rmi_call_leave(state, held);
    return rc;
}

int rmi_thread_stuck_error(const rmi_state *state, rm_error *err)
{
    const int rc = rm_error_set(
        err, RM_E_TIMEOUT, "process() of node '%s' did not end within a second after its stream was closed",
        rm_node_id(state->node));
    rm_error_hint(err, "next(stream) raises GeneratorExit then; who catches it cleans up and returns");
    return rc;
}

bool rmi_thread_stuck(const rmi_state *state)
{
    return state->thread != NULL && state->thread->stuck;
}

bool rmi_thread_parked(const rmi_state *state)
{
    return state->thread != NULL && state->thread->parked && !state->thread->stuck;
}

int rmi_thread_resume(rmi_state *state, rm_error *err)
{
    return give_turn(state->thread, err);
}

int rmi_thread_unwind(rmi_state *state, rm_error *err)
{
    if (!rmi_thread_parked(state) || rmi_python_has_ended())
        return RM_OK;
    state->closing = rmi_platform_now();
    const int rc = give_turn(state->thread, err);
    state->thread->stuck = state->thread->parked;
    state->closing = 0;
    return rc < 0 ? rc : RM_OK;
}

int rmi_thread_start(rmi_state *state, rm_error *err)
{
    const rm_allocator *allocator = rm_node_allocator(state->node);
    struct rmi_thread *thread = rmi_alloc_zeroed(allocator, sizeof *thread);
    if (thread == NULL)
        return rmi_out_of_memory(err);
    const int rc = rmi_handover_new(allocator, run_jobs, state, &thread->handover, err);
    if (rc == RM_OK)
        state->thread = thread;
    else
        rmi_free(allocator, thread, sizeof *thread);
    return rc;
}

/* A stuck thread stays, with the objects that its code holds. */
void rmi_thread_end(rmi_state *state)
{
    struct rmi_thread *thread = state->thread;
    if (thread == NULL)
        return;
    if (!thread->stuck && !rmi_python_has_ended()) {
        thread->ending = true;
        (void)give_turn(thread, NULL);
    }
    rmi_handover_free(thread->handover);
    state->thread = NULL;
    rmi_free(rm_node_allocator(state->node), thread, sizeof *thread);
}
