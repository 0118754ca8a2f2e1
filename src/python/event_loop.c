/* Coroutines: one event loop a process. The nodes' polls run it, one turn at a time. The first awaitable sets
 * it up: a synchronous pipeline never loads asyncio. Where a run is a guest of its caller's own loop, that loop runs the
 * tasks between the run's steps, and nothing here waits: the guest (an object of the caller's) waits instead. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "platform/platform.h"
#include "python/convert/convert.h"
#include "python/python_node.h"

/* ---- The loop */

static int set_up_asyncio(rmi_python *python)
{
    PyObject *module = PyImport_ImportModule("remotemedia._loop");
    PyObject *asyncio = module != NULL ? PyImport_ImportModule("_asyncio") : NULL;
    if (asyncio != NULL) {
        python->set_running = PyObject_GetAttrString(asyncio, "_set_running_loop");
        python->get_running = PyObject_GetAttrString(asyncio, "_get_running_loop");
        python->current_task = PyObject_GetAttrString(asyncio, "current_task");
        python->swap_task = PyObject_GetAttrString(asyncio, "_swap_current_task");
        python->cancelled_error = PyObject_GetAttrString(module, "CancelledError");
        python->task_keywords = Py_BuildValue("(sss)", "loop", "eager_start", "context");
        python->task_type = PyErr_Occurred() ? NULL : PyObject_GetAttrString(asyncio, "Task");
    }
    Py_XDECREF(asyncio);
    if (python->task_type == NULL) {
        Py_XDECREF(module);
        return -1;
    }
    python->loop_module = module;
    return 0;
}

static int set_up_loop(rmi_python *python)
{
    if (python->task_type == NULL && set_up_asyncio(python) != 0)
        return -1;
    python->loop = PyObject_GetAttrString(python->loop_module, "loop");
    return python->loop != NULL ? 0 : -1;
}

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

int rmi_guest_join(rmi_state *state)
{
    PyObject *guest = NULL;
    if (PyContextVar_Get(rmi_python_of_process()->guest_variable, Py_None, &guest) != 0)
        return -1;
    if (guest == Py_None) {
        Py_DECREF(guest);
        return 0;
    }
    state->guest = guest;
    state->guest_loop = PyObject_GetAttr(guest, rmi_name(RMI_NAME_loop));
    return state->guest_loop != NULL ? 0 : -1;
}

void rmi_guest_leave(rmi_state *state)
{
    Py_CLEAR(state->guest_loop);
    Py_CLEAR(state->guest);
}

static int guest_enter(rmi_state *state)
{
    rmi_python *python = rmi_python_of_process();
    if (python->task_type == NULL && (no_async() || set_up_asyncio(python) != 0))
        return -1;
    if (state->guest_depth++ == 0) {
        state->has_tasks = true;
        rmi_context_leave(state);
    }
    return 0;
}

/* The loop in which the node's tasks run. */
static PyObject *loop_of(const rmi_state *state)
{
    return state->guest != NULL ? state->guest_loop : rmi_python_of_process()->loop;
}

PyObject *rmi_loop_of(const rmi_state *state)
{
    return Py_XNewRef(loop_of(state));
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

/* Makes `task` (None: none) the current one of the running loop (None: there is none), and returns the former one. */
static PyObject *swap_task(const rmi_python *python, PyObject *loop, PyObject *task)
{
    PyObject *arguments[3] = {NULL, loop, task};
    return loop == Py_None ? Py_NewRef(Py_None)
                           : PyObject_Vectorcall(python->swap_task, arguments + 1,
                                                 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
}

/* The application's loop and task, if one runs in this thread, are put aside. From 3.14 on a thread has one current task,
 * whatever its loops are. */
static int become_running(rmi_python *python)
{
    PyObject *done = NULL;
    python->outer_loop = PyObject_CallNoArgs(python->get_running);
    python->outer_task = python->outer_loop != NULL ? swap_task(python, python->outer_loop, Py_None) : NULL;
    if (python->outer_task != NULL)
        done = PyObject_CallOneArg(python->set_running, python->loop);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

static void cease_running(rmi_python *python)
{
    PyObject *outer = python->outer_loop, *task = python->outer_task;
    PyObject *done = PyObject_CallOneArg(python->set_running, outer != NULL ? outer : Py_None);
    if (done != NULL && task != NULL)
        Py_SETREF(done, swap_task(python, outer, task));
    python->outer_loop = python->outer_task = NULL;
    Py_XDECREF(task);
    Py_XDECREF(outer);
    Py_XDECREF(done);
}

/* One thread at a time uses the loop: others wait, without the GIL, until that thread has left it. Code that
 * the loop runs has contexts of its own. */
int rmi_loop_enter(rmi_state *state)
{
    rmi_python *python = rmi_python_of_process();
    const unsigned long thread = PyThread_get_thread_ident();
    if (state->guest != NULL)
        return guest_enter(state);
    if (python->loop == NULL && (no_async() || rmi_loop_check_policy(state) != 0 || set_up_loop(python) != 0))
        return -1;
    if (python->loop_depth > 0 && python->loop_owner == thread) {
        python->loop_depth++;
        return 0;
    }
    if (!PyThread_acquire_lock(python->loop_lock, NOWAIT_LOCK)) {
        Py_BEGIN_ALLOW_THREADS(void) PyThread_acquire_lock(python->loop_lock, WAIT_LOCK);
        Py_END_ALLOW_THREADS
    }
    python->loop_owner = thread;
    python->loop_depth = 1;
    state->has_tasks = true;
    rmi_context_leave(state);
    return become_running(python);
}

void rmi_loop_leave(rmi_state *state)
{
    rmi_python *python = rmi_python_of_process();
    if (state->guest != NULL) {
        if (--state->guest_depth == 0)
            rmi_context_enter(state);
        return;
    }
    if (--python->loop_depth > 0)
        return;
    PyObject *exception = PyErr_GetRaisedException();
    cease_running(python);
    PyErr_Clear();
    PyErr_SetRaisedException(exception);
    PyThread_release_lock(python->loop_lock);
    rmi_context_enter(state);
}

bool rmi_loop_runs_here(const rmi_state *state)
{
    const rmi_python *python = rmi_python_of_process();
    if (state->guest != NULL)
        return state->guest_depth > 0;
    return python->loop_depth > 0 && python->loop_owner == PyThread_get_thread_ident();
}

/* Calls a method of the loop. A method with an argument waits; that of a guest does not. */
static int call_loop(rmi_state *state, rmi_python_name name, PyObject *argument)
{
    if (state->guest != NULL) {
        PyObject *done = PyObject_CallMethodOneArg(state->guest, rmi_name(name), argument);
        Py_XDECREF(done);
        return done == NULL ? -1 : 0;
    }
    if (rmi_loop_enter(state) != 0)
        return -1;
    rmi_python *python = rmi_python_of_process();
    python->loop_waits += argument != NULL;
    state->finishing = argument != NULL;
    PyObject *done = argument != NULL ? PyObject_CallMethodOneArg(python->loop, rmi_name(name), argument)
                                      : PyObject_CallMethodNoArgs(python->loop, rmi_name(name));
    python->loop_waits -= argument != NULL;
    state->finishing = false;
    rmi_loop_leave(state);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

/* Whether an exception in `frame` does no harm to the loop: it runs a callback of the user's, or waits for
 * descriptors. */
static bool frame_can_break(PyObject *frame)
{
    PyObject *code = frame != NULL ? rmi_frame_code(frame) : NULL;
    if (code == NULL)
        return false;
    const char *file = PyUnicode_AsUTF8(rmi_code_file(code)), *name = PyUnicode_AsUTF8(rmi_code_name(code));
    PyErr_Clear();
    const bool selects = name != NULL && strcmp(name, "select") == 0;
    const bool can =
        (file != NULL && rmi_is_users(file)) || (selects && rmi_python_of_process()->loop_waits > 0);
    Py_DECREF(code);
    return can;
}

bool rmi_loop_can_break(unsigned long thread, PyObject *frame, rmi_state **of)
{
    const rmi_python *python = rmi_python_of_process();
    if (python->loop_depth == 0 || python->loop_owner != thread)
        return true;
    PyObject *task = PyObject_CallOneArg(python->current_task, python->loop);
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
    return in_task || frame_can_break(frame);
}

void rmi_loop_wake(void)
{
    PyObject *loop = rmi_python_of_process()->loop;
    PyObject *done = loop != NULL ? PyObject_CallMethodNoArgs(loop, rmi_name(RMI_NAME_wake)) : NULL;
    Py_XDECREF(done);
    rmi_drop_exception();
}

/* When the loop has something to do: monotonic ns; 0: at once; INT64_MAX: when a descriptor is ready. */
static int loop_deadline(int64_t *deadline)
{
    PyObject *when = PyObject_CallMethodNoArgs(rmi_python_of_process()->loop, rmi_name(RMI_NAME_deadline));
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

/* Wakes the waiting nodes, except `state`, whose next poll would be later than the loop's deadline. */
static int wake_others(const rmi_state *state)
{
    int64_t deadline = 0;
    if (loop_deadline(&deadline) != 0)
        return -1;
    for (rmi_state *other = rmi_python_of_process()->waiting; other != NULL; other = other->next_waiting)
        if (other != state && other->guest == NULL && other->announced > deadline) {
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
    const int rc = call_loop(state, RMI_NAME_step, NULL);
    state->polling = false;
    return rc != 0 ? -1 : wake_others(state);
}

int rmi_loop_catch_up(rmi_state *state)
{
    int64_t deadline = 0;
    if (state->guest != NULL)
        return 0;
    if (loop_deadline(&deadline) != 0)
        return -1;
    return deadline <= rmi_platform_now() ? rmi_loop_step(state) : 0;
}

void rmi_loop_after_call(void)
{
    const rmi_python *python = rmi_python_of_process();
    if (python->waiting != NULL && python->loop != NULL && python->loop_depth == 0 && wake_others(NULL) != 0)
        rmi_drop_exception();
}

int rmi_loop_wait(rmi_state *state, rm_wait *wait)
{
    rmi_python *python = rmi_python_of_process();
    *wait = (rm_wait){.deadline = INT64_MAX, .descriptor = -1};
    if (state->guest != NULL)
        return 0;
    if (loop_deadline(&wait->deadline) != 0)
        return -1;
    state->announced = wait->deadline;
    PyObject *descriptor = PyObject_CallMethodNoArgs(python->loop, rmi_name(RMI_NAME_descriptor));
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

/* ---- Tasks */

/* Task(coroutine, loop=loop, eager_start=True, context=context): a coroutine that never suspends is done when
 * this returns. Consumes `coroutine` and `context`. */
static PyObject *start_task(const rmi_state *state, PyObject *coroutine, PyObject *context)
{
    const rmi_python *python = rmi_python_of_process();
    PyObject *task = NULL;
    if (coroutine != NULL && context != NULL) {
        PyObject *arguments[5] = {NULL, coroutine, loop_of(state), Py_True, context};
        task = PyObject_Vectorcall(python->task_type, arguments + 1, 1 | PY_VECTORCALL_ARGUMENTS_OFFSET,
                                   python->task_keywords);
    }
    Py_XDECREF(context);
    Py_XDECREF(coroutine);
    return task;
}

PyObject *rmi_task_new(rmi_state *state, PyObject *awaitable, PyObject *context)
{
    const bool is_coroutine =
        PyCoro_CheckExact(awaitable) || Py_IS_TYPE(awaitable, rmi_python_of_process()->iteration_type);
    if (rmi_loop_enter(state) != 0)
        return NULL;
    PyObject *coroutine = is_coroutine ? Py_NewRef(awaitable)
                                       : PyObject_CallMethodOneArg(rmi_python_of_process()->loop_module,
                                                                   rmi_name(RMI_NAME_await_one), awaitable);
    PyObject *task =
        start_task(state, coroutine, context != NULL ? Py_NewRef(context) : PyContext_Copy(state->context));
    rmi_loop_leave(state);
    return task;
}

int rmi_task_done(PyObject *task)
{
    PyObject *done = PyObject_CallMethodNoArgs(task, rmi_name(RMI_NAME_done));
    const int is_done = done == NULL ? -1 : done == Py_True;
    Py_XDECREF(done);
    return is_done;
}

PyObject *rmi_task_result(PyObject *task)
{
    return PyObject_CallMethodNoArgs(task, rmi_name(RMI_NAME_result));
}

int rmi_task_finish(rmi_state *state, PyObject *task)
{
    const int done = rmi_task_done(task);
    return done != 0 ? (done < 0 ? -1 : 0) : call_loop(state, RMI_NAME_finish, task);
}

int rmi_task_finish_soon(rmi_state *state, PyObject *task, const char *what, rm_error *err)
{
    int done = rmi_task_done(task);
    if (done < 0 || (done == 0 && call_loop(state, RMI_NAME_finish_soon, task) != 0))
        return rmi_python_failed(state->node, err);
    if (state->guest != NULL)
        return RM_OK;
    if (done == 0 && (done = rmi_task_done(task)) > 0)
        return RM_OK;
    if (done == 0 && rmi_task_cancel(state, task) == 0)
        return rm_error_set(err, RM_E_TIMEOUT, "%s of node '%s' did not end within a second", what,
                            rm_node_id(state->node));
    return done > 0 ? RM_OK : rmi_python_failed(state->node, err);
}

int rmi_tasks_end(rmi_state *state, PyObject *tasks)
{
    return call_loop(state, RMI_NAME_end, tasks);
}

int rmi_task_end(rmi_state *state, PyObject *task)
{
    PyObject *tasks = Py_BuildValue("[O]", task);
    const int rc = tasks != NULL ? rmi_tasks_end(state, tasks) : -1;
    Py_XDECREF(tasks);
    return rc;
}

int rmi_task_begin_cancel(PyObject *task)
{
    PyObject *done = PyObject_CallMethodNoArgs(task, rmi_name(RMI_NAME_cancel));
    Py_XDECREF(done);
    return done != NULL ? 0 : -1;
}

int rmi_tasks_leave(rmi_state *state)
{
    return state->has_tasks ? call_loop(state, RMI_NAME_leave, state->waker) : 0;
}

int rmi_task_cancel(rmi_state *state, PyObject *task)
{
    return rmi_task_begin_cancel(task) == 0 ? rmi_task_end(state, task) : -1;
}

PyObject *rmi_future_new(const rmi_state *state)
{
    return PyObject_CallMethodNoArgs(loop_of(state), rmi_name(RMI_NAME_create_future));
}

int rmi_future_set(PyObject *future, PyObject *value)
{
    const int done = rmi_task_done(future); /* the task that waited may have been cancelled */
    if (done != 0)
        return done < 0 ? -1 : 0;
    PyObject *set = value != NULL ? PyObject_CallMethodOneArg(future, rmi_name(RMI_NAME_set_result), value)
                                  : PyObject_CallMethodOneArg(future, rmi_name(RMI_NAME_set_exception),
                                                              PyExc_StopAsyncIteration);
    Py_XDECREF(set);
    return set == NULL ? -1 : 0;
}

/* ---- Waker: what a task calls when it is done */

typedef struct waker_object {
    PyObject_HEAD rmi_state *state; /* NULL once the node has been closed */
} waker_object;

static PyObject *waker_call(PyObject *self, PyObject *args, PyObject *kwargs)
{
    rmi_state *state = ((waker_object *)self)->state;
    (void)args, (void)kwargs;
    if (state != NULL)
        rmi_wake_node(state);
    return Py_NewRef(Py_None);
}

/* fail(exception, task): SystemExit or KeyboardInterrupt has left `task` (None: a callback) of the node. A task
 * of an item fails the item itself. Returns whether a call of the node waits in the loop. */
static PyObject *waker_fail(PyObject *self, PyObject *args)
{
    rmi_state *state = ((waker_object *)self)->state;
    PyObject *exception = NULL, *task = NULL;
    if (!PyArg_ParseTuple(args, "OO", &exception, &task))
        return NULL;
    if (state == NULL || rmi_has_task(state, task))
        return Py_NewRef(Py_False);
    if (state->finishing)
        return Py_NewRef(Py_True);
    Py_XSETREF(state->broken, Py_NewRef(exception));
    rmi_wake_node(state);
    return Py_NewRef(Py_False);
}

static void waker_dealloc(PyObject *self)
{
    rmi_object_free(self);
}

PyTypeObject *rmi_waker_type_new(PyObject *module)
{
    static PyMethodDef methods[] = {{"fail", waker_fail, METH_VARARGS, NULL}, {NULL, NULL, 0, NULL}};
    PyType_Slot slots[] = {
        {Py_tp_call, waker_call}, {Py_tp_methods, methods}, {Py_tp_dealloc, waker_dealloc}, {0, NULL}};
    PyType_Spec spec = {.name = "_remotemedia.Waker",
                        .basicsize = sizeof(waker_object),
                        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                        .slots = slots};
    return (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, NULL);
}

PyObject *rmi_waker_new(rmi_state *state)
{
    PyTypeObject *type = rmi_python_of_process()->waker_type;
    waker_object *waker = (waker_object *)rmi_object_alloc(type, 0);
    if (waker != NULL)
        waker->state = state;
    return (PyObject *)waker;
}

void rmi_waker_detach(PyObject *waker)
{
    ((waker_object *)waker)->state = NULL;
}

int rmi_work_watch(rmi_state *state, rmi_python_work *work)
{
    if (work->watched)
        return 0;
    PyObject *done =
        PyObject_CallMethodOneArg(work->task, rmi_name(RMI_NAME_add_done_callback), state->waker);
    Py_XDECREF(done);
    work->watched = done != NULL;
    return done == NULL ? -1 : 0;
}

bool rmi_is_broken(rmi_state *state)
{
    if (state->broken == NULL)
        return false;
    PyErr_SetRaisedException(state->broken);
    state->broken = NULL;
    return true;
}
