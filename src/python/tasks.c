/* Tasks of nodes: they run in the loop of the run, or as a guest's in its caller's. A task that is done wakes its node. */
#include "python/run_loop.h"

/* Task(coroutine, loop=loop, eager_start=True, context=context): a coroutine that never suspends is done when
 * this returns. Consumes `coroutine` and `context`. */
static PyObject *start_task(const rmi_state *state, PyObject *coroutine, PyObject *context)
{
    const rmi_python *python = rmi_python_of_process();
    PyObject *task = NULL;
    if (coroutine != NULL && context != NULL) {
        PyObject *arguments[5] = {NULL, coroutine, rmi_loop_of(state), Py_True, context};
        task = PyObject_Vectorcall(python->task_type, arguments + 1, 1 | PY_VECTORCALL_ARGUMENTS_OFFSET,
                                   python->task_keywords);
    }
    Py_XDECREF(context);
    Py_XDECREF(coroutine);
    return task;
}

PyObject *rmi_task_new(rmi_state *state, PyObject *awaitable, PyObject *context)
{
    const rmi_python *python = rmi_python_of_process();
    const bool is_coroutine = PyCoro_CheckExact(awaitable) ||
                              Py_IS_TYPE(awaitable, python->item_coroutine_type) ||
                              Py_IS_TYPE(awaitable, python->iteration_type);
    if (rmi_loop_enter(state) != 0)
        return NULL;
    PyObject *coroutine = is_coroutine ? Py_NewRef(awaitable)
                                       : PyObject_CallMethodOneArg(python->loop_module,
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
    return done != 0 ? (done < 0 ? -1 : 0) : rmi_loop_call(state, RMI_NAME_finish, task);
}

int rmi_task_finish_soon(rmi_state *state, PyObject *task, const char *what, rm_error *err)
{
    int done = rmi_task_done(task);
    if (done < 0 || (done == 0 && rmi_loop_call(state, RMI_NAME_finish_soon, task) != 0))
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
    return rmi_loop_call(state, RMI_NAME_end, tasks);
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
    return state->has_tasks ? rmi_loop_call(state, RMI_NAME_leave, state->waker) : 0;
}

int rmi_task_cancel(rmi_state *state, PyObject *task)
{
    return rmi_task_begin_cancel(task) == 0 ? rmi_task_end(state, task) : -1;
}

PyObject *rmi_future_new(const rmi_state *state)
{
    return PyObject_CallMethodNoArgs(rmi_loop_of(state), rmi_name(RMI_NAME_create_future));
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

void rmi_waker_wake(PyObject *waker)
{
    rmi_state *state = ((waker_object *)waker)->state;
    if (state != NULL)
        rmi_wake_node(state);
}

static PyObject *waker_call(PyObject *self, PyObject *args, PyObject *kwargs)
{
    (void)args, (void)kwargs;
    rmi_waker_wake(self);
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

int rmi_work_done(const rmi_python_work *work)
{
    return work->coroutine != NULL ? rmi_item_coroutine_ended(work->coroutine) : rmi_task_done(work->task);
}

int rmi_work_watch(rmi_state *state, rmi_python_work *work)
{
    if (work->watched)
        return 0;
    if (work->coroutine != NULL) {
        rmi_item_coroutine_watch(work->coroutine, state->waker);
        work->watched = true;
        return 0;
    }
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
