/* A Python node's life: open, items, flush, close. */
#include <string.h>

#include "base/alloc.h"
#include "platform/platform.h"
#include "python/convert/convert.h"
#include "python/python_node.h"

/* ---- Open */

/* The parameters as keyword arguments. Code without a class gets them as `params`. */
static PyObject *keywords_of(rmi_state *state, bool without_code)
{
    const rm_value params = rm_node_params(state->node);
    PyObject *keywords = params.kind == RM_MAP ? rmi_to_python(params) : PyDict_New();
    if (keywords != NULL && without_code && PyDict_DelItemString(keywords, "code") != 0)
        PyErr_Clear();
    return keywords;
}

static PyObject *construct(rmi_state *state)
{
    const rmi_class *class = state->class;
    PyObject *keywords = keywords_of(state, class->module != NULL), *made = NULL, *none = NULL;
    if (keywords != NULL && class->is_module) {
        made =
            PyObject_SetAttrString(class->object, "params", keywords) == 0 ? Py_NewRef(class->object) : NULL;
    } else if (keywords != NULL && (none = PyTuple_New(0)) != NULL) {
        made = PyObject_Call(class->object, none, keywords);
    }
    const bool own = made != NULL && class->is_module && PyObject_HasAttrString(made, "name");
    PyObject *id = made != NULL ? PyUnicode_FromString(rm_node_id(state->node)) : NULL;
    if (id != NULL && !own && PyObject_SetAttr(made, rmi_name(RMI_NAME_name), id) != 0)
        PyErr_Clear(); /* a class may forbid new attributes */
    Py_XDECREF(id);
    Py_XDECREF(none);
    Py_XDECREF(keywords);
    return made;
}

/* The method `name` of the instance; *found NULL where it has none. */
static int method(rmi_state *state, rmi_python_name name, PyObject **found)
{
    return PyObject_GetOptionalAttr(state->instance, rmi_name(name), found) < 0 ? -1 : 0;
}

/* Waits for a hook. A cleanup has a second, as pending tasks have when a run ends. */
static int await_hook(rmi_state *state, PyObject *awaitable, bool is_cleanup, rm_error *err)
{
    PyObject *task = rmi_task_new(state, awaitable, state->context), *awaited = NULL;
    int rc = task == NULL ? rmi_python_failed(state->node, err) : RM_OK;
    if (rc == RM_OK && is_cleanup)
        rc = rmi_task_finish_soon(state, task, "cleanup()", err);
    else if (rc == RM_OK && rmi_task_finish(state, task) != 0) {
        rc = rmi_python_failed(state->node, err);
        if (rmi_task_cancel(state, task) != 0) /* the call was asked to stop while it waited */
            PyErr_Clear();
    }
    const bool goes_on =
        rc == RM_OK && state->guest != NULL && rmi_task_done(task) == 0; /* the guest has it */
    if (rc == RM_OK && !goes_on && (awaited = rmi_task_result(task)) == NULL)
        rc = rmi_python_failed(state->node, err);
    Py_XDECREF(awaited);
    Py_XDECREF(task);
    return rc;
}

/* Calls an optional method without arguments and waits for it when it is asynchronous. */
static int call_hook(rmi_state *state, rmi_python_name name, rm_error *err)
{
    PyObject *hook = NULL, *result = NULL;
    int rc = RM_OK;
    if (method(state, name, &hook) != 0)
        return rmi_python_failed(state->node, err);
    if (hook != NULL && hook != Py_None) {
        result = PyObject_CallNoArgs(hook);
        if (result == NULL)
            rc = rmi_python_failed(state->node, err);
        else if (PyCoro_CheckExact(result) || PyObject_HasAttrString(result, "__await__"))
            rc = await_hook(state, result, name == RMI_NAME_cleanup, err);
    }
    Py_XDECREF(result);
    Py_XDECREF(hook);
    return rc;
}

/* Finds `process`. Calls a plain function with the instance: cheaper than a bound method. */
static int find_process(rmi_state *state)
{
    const rmi_class *class = state->class;
    PyObject *found = NULL;
    if (method(state, RMI_NAME_process, &found) != 0)
        return -1;
    if (found == NULL && (class->takes_items || class->takes_stream || class->pulls_process)) {
        PyErr_Format(PyExc_TypeError, "calling %s gave an object of type '%s', which has no process(item)",
                     class->name, rmi_name_of_type(Py_TYPE(state->instance)));
        return -1;
    }
    if (found != NULL && PyMethod_Check(found) && rmi_method_self(found) == state->instance) {
        state->function = Py_NewRef(rmi_method_function(found));
        state->self = Py_NewRef(state->instance);
        Py_DECREF(found);
    } else
        state->function = found;
    return method(state, RMI_NAME_flush, &state->flush);
}

static void release_all(rmi_state *state)
{
    rmi_stream_free(state);
    rmi_work_clear(&state->work);
    Py_CLEAR(state->flush);
    Py_CLEAR(state->function);
    Py_CLEAR(state->self);
    Py_CLEAR(state->instance);
    Py_CLEAR(state->spare);
    rmi_context_free(state);
}

static int open_job(rmi_state *state, rm_error *err)
{
    int rc = RM_OK;
    state->instance = construct(state);
    if (state->instance == NULL || find_process(state) != 0)
        rc = rmi_python_failed(state->node, err);
    if (rc == RM_OK)
        rc = call_hook(state, RMI_NAME_initialize, err);
    if (rc == RM_OK && state->class->is_async && rmi_loop_check_policy(state) != 0)
        rc = rmi_python_failed(state->node, err);
    if (rc != RM_OK)
        release_all(state);
    return rc;
}

/* Whether the user's code may have to wait in the middle for the next item. */
static bool needs_thread(const rmi_state *state)
{
    const rmi_class *class = state->class;
    const bool streams =
        class->takes_stream && !class->is_async && !(class->generates && rm_node_generates(state->node));
    return streams && rmi_platform_has_threads();
}

static int node_open(rm_node *node, void *memory, rm_error *err)
{
    rmi_state *state = memory;
    int rc = RM_OK;
    state->node = node;
    state->call.state = state;
    state->class = rm_node_type_data(node);
    state->batch = 1;
    rc = rmi_context_new(state, err);
    if (rc == RM_OK && needs_thread(state))
        rc = rmi_thread_start(state, err);
    if (rc == RM_OK)
        rc = rmi_run(state, open_job, err);
    if (rc != RM_OK) {
        rmi_thread_end(state);
        const PyGILState_STATE held = rmi_enter();
        rmi_context_free(state);
        rmi_leave(held);
    }
    return rc;
}

/* ---- Flush and close */

/* Ends the unwanted rest of an item or a source, then calls the user's flush. */
static int begin_flush(rmi_state *state, rm_error *err)
{
    PyObject *flush = state->flush;
    state->flushing = true;
    int rc = rmi_works_close(state, err);
    if (rc == RM_OK && rmi_is_broken(state))
        rc = rmi_python_failed(state->node, err);
    if (rc != RM_OK || flush == NULL || flush == Py_None)
        return rc;
    state->work = (rmi_python_work){0};
    return rmi_work_start_waiting(state, &state->work, PyObject_CallNoArgs(flush), err);
}

static int flush_job(rmi_state *state, rm_error *err)
{
    return state->flushing ? rmi_work_step_waiting(state, &state->work, err) : begin_flush(state, err);
}

static int node_flush(rm_node *node, void *memory, rm_error *err)
{
    rmi_state *state = memory;
    (void)node;
    const int rc = rmi_thread_unwind(state, err);
    return rc == RM_OK ? rmi_run(state, flush_job, err) : rc;
}

/* Keeps the first of several failures. */
static int first_failure(int rc, rm_error *err, int next, rm_error *more)
{
    if (next == RM_OK || rc != RM_OK) {
        rm_error_clear(more);
        return rc;
    }
    rm_error_move(err, more);
    return next;
}

static void flush_output(void)
{
    PyObject *errors = PySys_GetObject("stderr");
    PyObject *done = errors != NULL && errors != Py_None
                         ? PyObject_CallMethodNoArgs(errors, rmi_name(RMI_NAME_flush))
                         : NULL;
    Py_XDECREF(done);
    PyErr_Clear();
}

static int close_job(rmi_state *state, rm_error *err)
{
    rm_error more = {0};
    if (rmi_thread_stuck(state)) /* its code still uses the work */
        state->work = (rmi_python_work){0};
    int rc = rmi_works_close(state, err);
    rc = first_failure(rc, err, call_hook(state, RMI_NAME_cleanup, &more), &more);
    if (rmi_tasks_leave(state) != 0)
        rc = first_failure(rc, err, rmi_python_failed(state->node, &more), &more);
    release_all(state);
    flush_output();
    return rc;
}

static int node_close(rm_node *node, void *memory, rm_error *err)
{
    rmi_state *state = memory;
    rm_error more = {0};
    (void)node;
    state->call.is_close = true;
    int rc = rmi_thread_unwind(state, err);
    if (rc == RM_OK && rmi_thread_stuck(state)) /* a failure of flush may not have counted */
        rc = rmi_thread_stuck_error(state, err);
    rc = first_failure(rc, err, rmi_run(state, close_job, &more), &more);
    rmi_thread_end(state);
    return rc;
}

/* ---- The slots */

static int node_poll(rm_node *node, void *memory, rm_wait *wait, rm_error *err)
{
    rmi_state *state = memory;
    rmi_job *job = state->class->takes_stream ? rmi_stream_poll : rmi_async_poll;
    if (state->class->generates && rm_node_generates(node))
        job = rmi_source_poll;
    state->wait = wait;
    return rmi_run(state, job, err);
}

void rmi_class_set_slots(rmi_class *class)
{
    rm_node_type *type = &class->type;
    type->abi_version = RM_NODE_ABI_VERSION;
    type->size = sizeof *type;
    type->name = class->name;
    type->ports = class->ports;
    type->state_size = sizeof(rmi_state);
    type->flags = RM_NODE_ANY_PARAMS | RM_NODE_SLOW;
    type->open = node_open;
    type->flush = node_flush;
    type->interrupt = rmi_interrupt;
    type->close = node_close;
    if (class->generates) {
        type->flags |= RM_NODE_LIVE;
        type->generate = rmi_source_generate;
        type->poll = node_poll;
    }
    if (class->takes_stream) {
        type->stream = rmi_stream_call;
        type->end = rmi_stream_call;
        type->poll = node_poll;
        type->flags |= class->is_async ? 0 : RM_NODE_WAITS;
    } else if (class->takes_items && class->is_async) {
        type->process_many = rmi_async_process_many;
        type->more = rmi_async_more;
        type->poll = node_poll;
        type->abandon = rmi_async_abandon;
    } else if (class->takes_items) {
        type->process_many = rmi_items_process_many;
        type->more = rmi_items_more;
    }
}
