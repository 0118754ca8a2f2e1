/* The event loops of runs. A run whose caller has made a RunLoop for it has a loop of its own, so that a coroutine in it may
 * run another pipeline, and wait for a thread that does; all other runs of the process share one. A run takes its loop
 * when it meets its first awaitable: a synchronous pipeline never loads asyncio. Loops are kept for the next run. */
#include "python/run_loop.h"

/* ---- asyncio */

int rmi_asyncio_set_up(void)
{
    rmi_python *python = rmi_python_of_process();
    if (python->task_type != NULL)
        return 0;
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

/* ---- What runs in a thread: a loop, its task, its hooks. An application's, or another run's, are put aside. */

/* Makes `task` (None: none) the current one of the running loop (None: there is none), and returns the former one. */
static PyObject *swap_task(const rmi_python *python, PyObject *loop, PyObject *task)
{
    PyObject *arguments[3] = {NULL, loop, task};
    return loop == Py_None ? Py_NewRef(Py_None)
                           : PyObject_Vectorcall(python->swap_task, arguments + 1,
                                                 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
}

/* Hooks belong to the thread. */
static int set_hooks(rmi_run_loop *loop)
{
    PyObject *const hooks = loop->hooks;
    loop->outer_hooks =
        (rmi_generator_hooks){Py_NewRef(PyTuple_GET_ITEM(hooks, 0)), Py_NewRef(PyTuple_GET_ITEM(hooks, 1))};
    loop->has_hooks = rmi_swap_generator_hooks(&loop->outer_hooks) == 0;
    if (!loop->has_hooks) {
        Py_CLEAR(loop->outer_hooks.firstiter);
        Py_CLEAR(loop->outer_hooks.finalizer);
    }
    return loop->has_hooks ? 0 : -1;
}

static void restore_hooks(rmi_run_loop *loop)
{
    if (!loop->has_hooks)
        return;
    if (rmi_swap_generator_hooks(&loop->outer_hooks) != 0)
        PyErr_Clear();
    loop->has_hooks = false;
    Py_CLEAR(loop->outer_hooks.firstiter);
    Py_CLEAR(loop->outer_hooks.finalizer);
}

/* From 3.14 on a thread has one current task, whatever its loops are. */
static int become_running(rmi_run_loop *loop)
{
    const rmi_python *python = rmi_python_of_process();
    PyObject *done = NULL;
    loop->outer_loop = PyObject_CallNoArgs(python->get_running);
    if (loop->outer_loop != NULL)
        loop->outer_task = swap_task(python, loop->outer_loop, Py_None);
    if (loop->outer_task != NULL && set_hooks(loop) == 0)
        done = PyObject_CallOneArg(python->set_running, loop->loop);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

static void cease_running(rmi_run_loop *loop)
{
    const rmi_python *python = rmi_python_of_process();
    PyObject *done = NULL;
    if (loop->outer_loop != NULL)
        done = PyObject_CallOneArg(python->set_running, loop->outer_loop);
    if (done != NULL && loop->outer_task != NULL)
        Py_SETREF(done, swap_task(python, loop->outer_loop, loop->outer_task));
    Py_XDECREF(done);
    PyErr_Clear();
    restore_hooks(loop);
    Py_CLEAR(loop->outer_task);
    Py_CLEAR(loop->outer_loop);
}

/* ---- Entering */

static int take_lock(rmi_run_loop *loop)
{
    if (loop->lock == NULL && (loop->lock = PyThread_allocate_lock()) == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    if (!PyThread_acquire_lock(loop->lock, NOWAIT_LOCK)) {
        Py_BEGIN_ALLOW_THREADS(void) PyThread_acquire_lock(loop->lock, WAIT_LOCK);
        Py_END_ALLOW_THREADS
    }
    return 0;
}

static int take_loop(rmi_run_loop *loop)
{
    if (loop->loop != NULL)
        return 0;
    loop->loop = PyObject_CallMethodNoArgs(rmi_python_of_process()->loop_module, rmi_name(RMI_NAME_take));
    loop->hooks = loop->loop != NULL ? PyObject_GetAttr(loop->loop, rmi_name(RMI_NAME_hooks)) : NULL;
    return loop->hooks != NULL ? 0 : -1;
}

int rmi_run_loop_enter(rmi_run_loop *loop)
{
    rmi_python *python = rmi_python_of_process();
    if (rmi_run_loop_runs_here(loop)) {
        loop->depth++;
        return 1;
    }
    if (take_lock(loop) != 0)
        return -1;
    loop->thread = PyThread_get_thread_ident();
    loop->depth = 1;
    loop->next = python->entered;
    python->entered = loop;
    if (take_loop(loop) == 0 && become_running(loop) == 0)
        return 0;
    (void)rmi_run_loop_leave(loop);
    return -1;
}

bool rmi_run_loop_leave(rmi_run_loop *loop)
{
    rmi_run_loop **link = &rmi_python_of_process()->entered;
    if (--loop->depth > 0)
        return false;
    PyObject *exception = PyErr_GetRaisedException();
    cease_running(loop);
    PyErr_SetRaisedException(exception);
    while (*link != loop)
        link = &(*link)->next;
    *link = loop->next;
    PyThread_release_lock(loop->lock);
    return true;
}

/* ---- The nodes of a run */

static int join(rmi_state *state, PyObject *wanted)
{
    rmi_python *python = rmi_python_of_process();
    if (wanted == Py_None && python->shared_loop == NULL)
        python->shared_loop = (rmi_run_loop *)rmi_run_loop_new();
    PyObject *loop = wanted != Py_None ? wanted : (PyObject *)python->shared_loop;
    if (loop == NULL)
        return -1;
    state->loop = (rmi_run_loop *)Py_NewRef(loop);
    state->loop->nodes++;
    return 0;
}

int rmi_loop_join(rmi_state *state)
{
    const rmi_python *python = rmi_python_of_process();
    PyObject *wanted = NULL;
    int rc = PyContextVar_Get(python->loop_variable, Py_None, &wanted);
    if (rc == 0 && (wanted == Py_None || Py_IS_TYPE(wanted, python->run_loop_type)))
        rc = join(state, wanted);
    else if (rc == 0) {
        state->guest = Py_NewRef(wanted);
        state->guest_loop = PyObject_GetAttr(wanted, rmi_name(RMI_NAME_loop));
        rc = state->guest_loop != NULL ? 0 : -1;
    }
    Py_XDECREF(wanted);
    return rc;
}

/* Keeps the loop for the next run, after what the nodes have left to it: generators that have to be closed. */
static void give_back(rmi_run_loop *loop)
{
    PyObject *exception = PyErr_GetRaisedException(), *done = NULL;
    if (rmi_run_loop_enter(loop) >= 0) {
        done = PyObject_CallMethodNoArgs(loop->loop, rmi_name(RMI_NAME_settle));
        (void)rmi_run_loop_leave(loop);
    }
    rmi_drop_exception();
    Py_XDECREF(done);
    Py_CLEAR(loop->hooks);
    PyObject *given = loop->loop;
    loop->loop = NULL;
    done = PyObject_CallMethodOneArg(rmi_python_of_process()->loop_module, rmi_name(RMI_NAME_give), given);
    rmi_drop_exception();
    Py_XDECREF(done);
    Py_DECREF(given);
    PyErr_SetRaisedException(exception);
}

void rmi_loop_part(rmi_state *state)
{
    rmi_run_loop *loop = state->loop;
    state->loop = NULL;
    if (loop != NULL && --loop->nodes == 0 && loop->loop != NULL)
        give_back(loop);
    Py_XDECREF((PyObject *)loop);
    Py_CLEAR(state->guest_loop);
    Py_CLEAR(state->guest);
}

/* ---- RunLoop: names the loop of a run, in the context in which its nodes are opened */

static void run_loop_dealloc(PyObject *self)
{
    rmi_run_loop *loop = (rmi_run_loop *)self;
    Py_CLEAR(loop->hooks);
    Py_CLEAR(loop->loop);
    if (loop->lock != NULL)
        PyThread_free_lock(loop->lock);
    rmi_object_free(self);
}

PyTypeObject *rmi_run_loop_type_new(PyObject *module)
{
    PyType_Slot slots[] = {
        {Py_tp_doc, "The event loop of a run."}, {Py_tp_dealloc, run_loop_dealloc}, {0, NULL}};
    PyType_Spec spec = {.name = "_remotemedia.RunLoop",
                        .basicsize = sizeof(rmi_run_loop),
                        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                        .slots = slots};
    return (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, NULL);
}

PyObject *rmi_run_loop_new(void)
{
    return rmi_object_alloc(rmi_python_of_process()->run_loop_type, 0);
}
