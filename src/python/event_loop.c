/* Coroutines: the nodes' polls run the loop of their run, one turn at a time. Where a run is a guest of its caller's own
 * loop, that loop runs the tasks between the run's steps, and nothing here waits: the guest (an object of the caller's)
 * waits instead. */
#include <math.h>
#include <string.h>

#include "platform/platform.h"
#include "python/run_loop.h"

/* The resolver has refused nodes whose functions are asynchronous; other nodes may still return an
 * awaitable. */
static bool no_async(void)
{
    rm_error err = {0};
    if (RM_PYTHON_ASYNC)
        return false;
    (void)rm_error_set(&err, RM_E_MISSING_FEATURE,
                       "awaiting needs async nodes (RM_PYTHON_ASYNC), which this build does not have");
    rmi_python_raise(&err);
    return true;
}

/* Without the module before it. */
static const char *last_name(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot != NULL ? dot + 1 : name;
}

int rmi_loop_check_policy(const rmi_state *state)
{
    PyObject *key = PyUnicode_FromString("asyncio.events"), *policy = NULL, *module = NULL;
    PyObject *events = key != NULL ? PyImport_GetModule(key) : NULL;
    PyTypeObject *type = NULL;
    rm_error err = {0};
    if (state->guest == NULL && events != NULL &&
        PyObject_GetOptionalAttrString(events, "_event_loop_policy", &policy) > 0 && policy != Py_None) {
        type = Py_TYPE(policy);
        module = PyObject_GetAttrString((PyObject *)type, "__module__");
    }
    const char *name = module != NULL && PyUnicode_Check(module) ? PyUnicode_AsUTF8(module) : NULL;
    if (name != NULL && strncmp(name, "asyncio.", strlen("asyncio.")) != 0) {
        (void)rm_error_set(&err, RM_E_PYTHON,
                           "the event loop policy %s.%s has no effect in node '%s': the runtime has one loop "
                           "for all asynchronous nodes",
                           name, last_name(rmi_name_of_type(type)), rm_node_id(state->node));
        rm_error_hint(&err, "leave the policy (uvloop.install() sets one) as it is; in a synchronous node it "
                            "serves asyncio.run()");
        rmi_python_raise(&err);
    }
    Py_XDECREF(module);
    Py_XDECREF(policy);
    Py_XDECREF(events);
    Py_XDECREF(key);
    return PyErr_Occurred() ? -1 : 0;
}

/* ---- Guests of the caller's loop, which runs already, in this thread */

static int guest_enter(rmi_state *state)
{
    if (rmi_python_of_process()->task_type == NULL && (no_async() || rmi_asyncio_set_up() != 0))
        return -1;
    if (state->guest_depth++ == 0) {
        state->has_tasks = true;
        rmi_context_leave(state);
    }
    return 0;
}

PyObject *rmi_loop_of(const rmi_state *state)
{
    return state->guest != NULL ? state->guest_loop : state->loop->loop;
}

/* Wakes the node: code outside of its slots has something for it. */
void rmi_wake_node(rmi_state *state)
{
    if (state->guest == NULL || !state->woken)
        rm_node_wake(state->node);
    if (state->guest == NULL || state->woken)
        return;
    state->woken = true;
    PyObject *exception = PyErr_GetRaisedException();
    PyObject *done = PyObject_CallMethodNoArgs(state->guest, rmi_name(RMI_NAME_wake));
    Py_XDECREF(done);
    rmi_drop_exception();
    PyErr_SetRaisedException(exception);
}

/* ---- Running the loop */

/* Code that the loop runs has contexts of its own. */
int rmi_loop_enter(rmi_state *state)
{
    rmi_run_loop *loop = state->loop;
    if (state->guest != NULL)
        return guest_enter(state);
    if (loop->loop == NULL && (no_async() || rmi_loop_check_policy(state) != 0 || rmi_asyncio_set_up() != 0))
        return -1;
    const int rc = rmi_run_loop_enter(loop);
    if (rc == 0) {
        state->has_tasks = true;
        rmi_context_leave(state);
    }
    return rc < 0 ? -1 : 0;
}

void rmi_loop_leave(rmi_state *state)
{
    const bool left = state->guest != NULL ? --state->guest_depth == 0 : rmi_run_loop_leave(state->loop);
    if (left)
        rmi_context_enter(state);
}

bool rmi_loop_runs_here(const rmi_state *state)
{
    return state->guest != NULL ? state->guest_depth > 0 : rmi_run_loop_runs_here(state->loop);
}

int rmi_loop_call(rmi_state *state, rmi_python_name name, PyObject *argument)
{
    if (state->guest != NULL) {
        PyObject *done = PyObject_CallMethodOneArg(state->guest, rmi_name(name), argument);
        Py_XDECREF(done);
        return done == NULL ? -1 : 0;
    }
    if (rmi_loop_enter(state) != 0)
        return -1;
    rmi_run_loop *loop = state->loop;
    loop->waits += argument != NULL;
    state->finishing = argument != NULL;
    PyObject *done = argument != NULL ? PyObject_CallMethodOneArg(loop->loop, rmi_name(name), argument)
                                      : PyObject_CallMethodNoArgs(loop->loop, rmi_name(name));
    loop->waits -= argument != NULL;
    state->finishing = false;
    rmi_loop_leave(state);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

/* Whether an exception in `frame` does no harm to the loop: it runs a callback of the user's, or waits for
 * descriptors. */
static bool frame_can_break(const rmi_run_loop *loop, PyObject *frame)
{
    PyObject *code = frame != NULL ? rmi_frame_code(frame) : NULL;
    if (code == NULL)
        return false;
    const char *file = PyUnicode_AsUTF8(rmi_code_file(code)), *name = PyUnicode_AsUTF8(rmi_code_name(code));
    PyErr_Clear();
    const bool selects = name != NULL && strcmp(name, "select") == 0;
    const bool can = (file != NULL && rmi_is_users(file)) || (selects && loop->waits > 0);
    Py_DECREF(code);
    return can;
}

/* Whether a task is about to give the loop its next step: an exception there would lose it. */
static bool is_in_call_soon(PyObject *frame)
{
    enum { DEPTH = 4 }; /* what call_soon calls */
    PyObject *place = Py_XNewRef(frame), *code = NULL, *back = NULL;
    bool found = false;
    for (int i = 0; i < DEPTH && !found && place != NULL && PyFrame_Check(place); i++) {
        code = rmi_frame_code(place);
        const char *name = code != NULL ? PyUnicode_AsUTF8(rmi_code_name(code)) : NULL;
        found = name != NULL && strcmp(name, "call_soon") == 0;
        back = PyObject_GetAttrString(place, "f_back");
        PyErr_Clear();
        Py_XDECREF(code);
        Py_SETREF(place, back);
    }
    Py_XDECREF(place);
    return found;
}

const rmi_run_loop *rmi_loop_of_thread(unsigned long thread)
{
    const rmi_run_loop *loop = rmi_python_of_process()->entered;
    while (loop != NULL && loop->thread != thread)
        loop = loop->next;
    return loop;
}

bool rmi_loop_can_break(unsigned long thread, PyObject *frame, rmi_state **of)
{
    const rmi_python *python = rmi_python_of_process();
    const rmi_run_loop *loop = rmi_loop_of_thread(thread);
    if (loop == NULL || loop->loop == NULL)
        return true;
    PyObject *task = PyObject_CallOneArg(python->current_task, loop->loop);
    PyErr_Clear();
    const bool in_task = task != NULL && task != Py_None;
    rmi_state *told = NULL, *owner = NULL;
    for (rmi_state *state = python->waiting; in_task && state != NULL; state = state->next_waiting) {
        if (rmi_has_task(state, task))
            owner = state;
        if (rm_node_cancelled(state->node))
            told = state;
    }
    if (owner != NULL || told != NULL) /* a task without an owner most likely belongs to a cancelled node */
        *of = owner != NULL ? owner : told;
    Py_XDECREF(task);
    return in_task ? !is_in_call_soon(frame) : frame_can_break(loop, frame);
}

static void wake(const rmi_run_loop *loop)
{
    if (loop == NULL || loop->loop == NULL)
        return;
    PyObject *done = PyObject_CallMethodNoArgs(loop->loop, rmi_name(RMI_NAME_wake));
    Py_XDECREF(done);
    rmi_drop_exception();
}

void rmi_loops_wake(void)
{
    const rmi_python *python = rmi_python_of_process();
    for (const rmi_run_loop *loop = python->entered; loop != NULL; loop = loop->next)
        wake(loop);
    for (const rmi_state *state = python->waiting; state != NULL; state = state->next_waiting)
        wake(state->loop);
}

/* When the loop has something to do: monotonic ns; 0: at once; INT64_MAX: when a descriptor is ready. */
static int loop_deadline(const rmi_run_loop *loop, int64_t *deadline)
{
    PyObject *when = PyObject_CallMethodNoArgs(loop->loop, rmi_name(RMI_NAME_deadline));
    *deadline = INT64_MAX;
    if (when == NULL)
        return -1;
    if (when != Py_None) {
        const double ns = ceil(PyFloat_AsDouble(when) * 1e9);
        *deadline = ns < 9.2e18 ? (int64_t)ns : INT64_MAX;
    }
    Py_DECREF(when);
    return PyErr_Occurred() ? -1 : 0;
}

/* Wakes the nodes that wait for the loop, except `state`, whose next poll would be later than the loop's deadline. */
static int wake_others(const rmi_run_loop *loop, const rmi_state *state)
{
    int64_t deadline = 0;
    if (loop_deadline(loop, &deadline) != 0)
        return -1;
    for (rmi_state *other = rmi_python_of_process()->waiting; other != NULL; other = other->next_waiting)
        if (other != state && other->loop == loop && other->announced > deadline) {
            other->announced = deadline;
            rm_node_wake(other->node);
        }
    return 0;
}

int rmi_loop_step(rmi_state *state)
{
    if (state->guest != NULL)
        return 0;
    state->polling = true;
    const int rc = rmi_loop_call(state, RMI_NAME_step, NULL);
    state->polling = false;
    return rc != 0 ? -1 : wake_others(state->loop, state);
}

int rmi_loop_catch_up(rmi_state *state)
{
    int64_t deadline = 0;
    if (state->guest != NULL)
        return 0;
    if (loop_deadline(state->loop, &deadline) != 0)
        return -1;
    return deadline <= rmi_platform_now() ? rmi_loop_step(state) : 0;
}

void rmi_loop_after_call(const rmi_state *state)
{
    const rmi_run_loop *loop = state->loop;
    if (rmi_python_of_process()->waiting != NULL && loop != NULL && loop->loop != NULL && loop->depth == 0 &&
        wake_others(loop, NULL) != 0)
        rmi_drop_exception();
}

int rmi_loop_wait(rmi_state *state, rm_wait *wait)
{
    *wait = (rm_wait){.deadline = INT64_MAX, .descriptor = -1};
    if (state->guest != NULL)
        return 0;
    if (loop_deadline(state->loop, &wait->deadline) != 0)
        return -1;
    state->announced = wait->deadline;
    PyObject *descriptor = PyObject_CallMethodNoArgs(state->loop->loop, rmi_name(RMI_NAME_descriptor));
    wait->descriptor = descriptor != NULL ? (int)PyLong_AsLong(descriptor) : -1;
    Py_XDECREF(descriptor);
    return PyErr_Occurred() ? -1 : 0;
}

void rmi_waiting(rmi_state *state, bool waiting)
{
    rmi_python *python = rmi_python_of_process();
    if (state->waiting == waiting)
        return;
    state->waiting = waiting;
    state->announced = 0; /* the scheduler makes the first poll without a wake */
    if (waiting) {
        state->next_waiting = python->waiting;
        python->waiting = state;
        return;
    }
    rmi_state **link = &python->waiting;
    while (*link != state)
        link = &(*link)->next_waiting;
    *link = state->next_waiting;
}
