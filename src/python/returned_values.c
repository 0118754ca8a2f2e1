/* Makes packets of the values that a node returns or yields. */
#include "base/alloc.h"
#include "python/convert/convert.h"
#include "python/python_node.h"
#include "python/arrays/tensor_type.h"

/* ---- One value */

static int port_number(rmi_state *state, PyObject *port, unsigned *number)
{
    PyObject *outputs = state->class->outputs;
    const Py_ssize_t count = PyTuple_GET_SIZE(outputs);
    if (port == Py_None)
        return 0;
    if (PyLong_Check(port)) {
        const long wanted = PyLong_AsLong(port);
        if (wanted >= 0 && wanted < count) {
            *number = (unsigned)wanted;
            return 0;
        }
        PyErr_Clear();
    }
    for (Py_ssize_t i = 0; i < count; i++)
        if (PyUnicode_Check(port) && PyUnicode_Compare(port, PyTuple_GET_ITEM(outputs, i)) == 0) {
            *number = (unsigned)i;
            return 0;
        }
    PyErr_Format(PyExc_ValueError, "a node of type %s has no output %R; its class names them: outputs = %R",
                 state->class->name, port, outputs);
    return -1;
}

/* Fills in what a Packet has beside its value. */
static int apply_packet(rmi_state *state, const rmi_py_packet *from, rm_packet *packet, unsigned *port,
                        rm_error *err)
{
    rm_value metadata = rm_null();
    if (port_number(state, from->port, port) != 0 ||
        rmi_seconds_to_ns(from->timestamp, &packet->timestamp) != 0)
        return rmi_python_failed(state->node, err);
    if (from->metadata == Py_None)
        return RM_OK;
    if (!PyDict_Check(from->metadata))
        return rm_error_set(err, RM_E_TYPE, "the metadata of a Packet is a dict, not a '%s'",
                            rmi_name_of_type(Py_TYPE(from->metadata)));
    PyObject *own =
        rmi_reachable(from->metadata, 1) ? rmi_copy(from->metadata, false) : Py_NewRef(from->metadata);
    const int rc = own != NULL ? rmi_to_plain(rm_node_allocator(state->node), own, &metadata, err)
                               : rmi_python_failed(state->node, err);
    if (rc == RM_OK)
        rm_packet_set_metadata(packet, metadata);
    Py_XDECREF(own);
    return rc;
}

int rmi_packet_of_object(rmi_state *state, PyObject *value, rm_packet *packet, unsigned *port, rm_error *err)
{
    const bool is_packet = Py_IS_TYPE(value, rmi_python_of_process()->packet_type);
    PyObject *inner = is_packet ? ((rmi_py_packet *)value)->value : value;
    *packet = rm_packet_of(rm_null());
    *port = 0;
    const Py_ssize_t held = !is_packet || Py_REFCNT(value) == 1; /* who keeps a Packet keeps its value */
    int rc = inner != NULL ? rmi_to_packet_value(inner, held, &packet->value, err) : RM_OK;
    if (rc == RM_OK && inner != NULL && rmi_tensor_check(inner))
        rmi_tensor_times(inner, &packet->timestamp, &packet->duration);
    if (rc == RM_OK && is_packet)
        rc = apply_packet(state, (rmi_py_packet *)value, packet, port, err);
    if (rc != RM_OK)
        rm_packet_clear(packet);
    return rc;
}

int rmi_emit_object(rmi_state *state, PyObject *value, rm_error *err)
{
    rm_packet packet;
    unsigned port = 0;
    if (state->closing != 0) /* nobody wants it */
        return RM_OK;
    const int rc = rmi_packet_of_object(state, value, &packet, &port, err);
    return rc == RM_OK ? rm_emit(state->node, port, packet) : rc;
}

/* ---- What a result is */

typedef enum shape { VALUE, NOTHING, AWAITABLE, ITERATOR, ASYNC_ITERATOR } shape;

/* We await a generator-based coroutine, and iterate over any other generator. */
static shape generator_shape(PyObject *generator)
{
    PyObject *code = rmi_generator_code(generator);
    const bool awaitable = (rmi_code_flags(code) & CO_ITERABLE_COROUTINE) != 0;
    Py_DECREF(code);
    return awaitable ? AWAITABLE : ITERATOR;
}

static shape shape_of(PyObject *result)
{
    enum {
        PLAIN = Py_TPFLAGS_LONG_SUBCLASS | Py_TPFLAGS_LIST_SUBCLASS | Py_TPFLAGS_TUPLE_SUBCLASS |
                Py_TPFLAGS_BYTES_SUBCLASS | Py_TPFLAGS_UNICODE_SUBCLASS | Py_TPFLAGS_DICT_SUBCLASS
    };
    PyTypeObject *type = Py_TYPE(result);
    if (result == Py_None)
        return NOTHING;
    if (PyType_FastSubclass(type, PLAIN))
        return VALUE;
    if (PyGen_CheckExact(result))
        return generator_shape(result);
    if (PyAsyncGen_CheckExact(result))
        return ASYNC_ITERATOR;
    return RMI_ASYNC_SLOT(type, unaryfunc, am_await) != NULL ? AWAITABLE : VALUE;
}

bool rmi_is_value(PyObject *result)
{
    return shape_of(result) == VALUE && !Py_IS_TYPE(result, rmi_python_of_process()->packet_type);
}

/* ---- Work */

/* A failure of the user's code; no failure where the code was told to end. */
static int work_failed(rmi_state *state, rm_error *err)
{
    if (state->closing == 0 || !PyErr_ExceptionMatches(PyExc_GeneratorExit))
        return rmi_python_failed(state->node, err);
    PyErr_Clear();
    return RM_OK;
}

/* Starts to run an asynchronous iterable in a task of its own. It shares the context of the task that gave it
 * (NULL: none did). Code of flush() runs in the node's own context. */
static int start_iteration(rmi_state *state, rmi_python_work *work, PyObject *iterable, PyObject *giver,
                           rm_error *err)
{
    PyObject *iterator = PyAsyncGen_CheckExact(iterable) ? Py_NewRef(iterable) : PyObject_GetAIter(iterable);
    PyObject *context = NULL;
    int rc = RM_OK;
    if (giver != NULL)
        context = PyObject_CallMethodNoArgs(giver, rmi_name(RMI_NAME_get_context));
    else if (state->flushing)
        context = Py_NewRef(state->context);
    if (iterator == NULL || PyErr_Occurred())
        rc = rmi_python_failed(state->node, err);
    else
        rc = rmi_iteration_start(state, work, iterator, context, err);
    Py_XDECREF(context);
    Py_XDECREF(iterator);
    return rc;
}

/* Iterates over a result. One with both kinds of iteration, as the stream itself, is iterated in the way of
 * its node. */
static int iterate(rmi_state *state, rmi_python_work *work, PyObject *result, PyObject *giver, rm_error *err)
{
    PyTypeObject *type = Py_TYPE(result);
    const bool asynchronous = RMI_ASYNC_SLOT(type, unaryfunc, am_aiter) != NULL;
    if (asynchronous && (state->class->is_async || RMI_TYPE_SLOT(type, getiterfunc, tp_iter) == NULL))
        return start_iteration(state, work, result, giver, err);
    work->iterator = PyObject_GetIter(result);
    return work->iterator != NULL ? RM_MORE : rmi_python_failed(state->node, err);
}

static int start_task(rmi_state *state, rmi_python_work *work, PyObject *awaitable, rm_error *err)
{
    PyObject *context = state->flushing ? state->context : NULL;
    if (PyCoro_CheckExact(awaitable)) {
        work->coroutine = rmi_item_coroutine_new(awaitable);
        work->task = work->coroutine != NULL ? rmi_task_new(state, work->coroutine, context) : NULL;
    } else
        work->task = rmi_task_new(state, awaitable, context);
    if (work->task == NULL)
        Py_CLEAR(work->coroutine);
    return work->task != NULL ? RM_MORE : rmi_python_failed(state->node, err);
}

/* Sorts a result (consumed) into the work, or emits it. `giver` is the task that gave it, or NULL. */
static int take_result(rmi_state *state, rmi_python_work *work, PyObject *result, PyObject *giver,
                       rm_error *err)
{
    const shape what = shape_of(result);
    const bool iterates = work->iterates || (work->drains && (PyIter_Check(result) || PyAIter_Check(result)));
    int rc = RM_MORE;
    work->gave_nothing = what == NOTHING;
    work->watched = false;
    if (what == AWAITABLE)
        rc = start_task(state, work, result, err);
    else if (what == ITERATOR)
        work->iterator = Py_NewRef(result);
    else if (what == ASYNC_ITERATOR)
        rc = start_iteration(state, work, result, giver, err);
    else if (iterates && what != NOTHING)
        rc = iterate(state, work, result, giver, err);
    else
        rc = what == NOTHING ? RM_OK : rmi_emit_object(state, result, err);
    Py_DECREF(result);
    return rc;
}

/* The next value of a generator: RM_MORE with *value owned, RM_OK at its end. */
static int next_value(rmi_state *state, rmi_python_work *work, PyObject **value, rm_error *err)
{
    *value = rmi_iterate_next(work->iterator);
    if (*value != NULL)
        return RM_MORE;
    Py_CLEAR(work->iterator);
    if (PyErr_Occurred() && PyErr_ExceptionMatches(PyExc_StopIteration))
        PyErr_Clear();
    return PyErr_Occurred() ? work_failed(state, err) : RM_OK;
}

static int emit_yielded(rmi_state *state, PyObject *value, rm_error *err)
{
    const int rc = rmi_emit_object(state, value, err);
    Py_DECREF(value);
    return rc == RM_OK ? RM_MORE : rc;
}

/* Goes on from a task that is done. */
static int take_task(rmi_state *state, rmi_python_work *work, rm_error *err)
{
    PyObject *task = work->task, *value = rmi_task_result(task);
    work->task = NULL;
    Py_CLEAR(work->coroutine);
    const int rc =
        value != NULL ? take_result(state, work, value, task, err) : rmi_python_failed(state->node, err);
    Py_DECREF(task);
    return rc;
}

/* RM_MORE from take_result says that the work goes on, unless it has an iteration, which has been run. */
static int go_on(rmi_state *state, rmi_python_work *work, int rc, rm_error *err)
{
    PyObject *value = NULL;
    while (rc == RM_MORE && work->iteration == NULL) {
        if (work->iterator != NULL) {
            rc = next_value(state, work, &value, err);
            return rc == RM_MORE ? emit_yielded(state, value, err) : rc;
        }
        if (work->task == NULL)
            return RM_OK;
        const int done = rmi_work_done(work);
        if (done <= 0)
            return done < 0 ? rmi_python_failed(state->node, err) : RM_PENDING;
        rc = take_task(state, work, err);
    }
    return rc;
}

int rmi_work_step(rmi_state *state, rmi_python_work *work, rm_error *err)
{
    return work->iteration != NULL ? rmi_iteration_step(state, work, err) : go_on(state, work, RM_MORE, err);
}

int rmi_work_start(rmi_state *state, rmi_python_work *work, PyObject *result, rm_error *err)
{
    if (result == NULL)
        return work_failed(state, err);
    return go_on(state, work, take_result(state, work, result, NULL, err), err);
}

/* Ends the work's task, and waits for that. */
static int end_now(rmi_state *state, rmi_python_work *work)
{
    return rmi_work_begin_end(state, work) == 0 ? rmi_task_end(state, work->task) : -1;
}

/* The run's caller waits in the place of a guest: RM_MORE calls the slot again. */
static int wait_for(rmi_state *state, rmi_python_work *work, int rc, rm_error *err)
{
    if (rc == RM_PENDING && state->guest != NULL)
        rc = rmi_work_watch(state, work) == 0 && rmi_task_finish(state, work->task) == 0
                 ? RM_MORE
                 : rmi_python_failed(state->node, err);
    while (rc == RM_PENDING) {
        if (rmi_task_finish(state, work->iteration != NULL ? work->iteration : work->task) == 0)
            rc = rmi_work_step(state, work, err);
        else { /* the call was asked to stop while it waited */
            rc = rmi_python_failed(state->node, err);
            if (end_now(state, work) != 0)
                PyErr_Clear();
        }
    }
    if (rc < 0)
        rmi_work_drop(state, work); /* a failed emit leaves the generator open */
    return rc;
}

int rmi_work_step_waiting(rmi_state *state, rmi_python_work *work, rm_error *err)
{
    return wait_for(state, work, rmi_work_step(state, work, err), err);
}

int rmi_work_start_waiting(rmi_state *state, rmi_python_work *work, PyObject *result, rm_error *err)
{
    return wait_for(state, work, rmi_work_start(state, work, result, err), err);
}

/* Stops asyncio from logging the exception of a task whose result nobody wants. */
static void forget_task(PyObject *task)
{
    PyObject *exception = PyErr_GetRaisedException();
    if (PyObject_SetAttrString(task, "_log_traceback", Py_False) != 0)
        PyErr_Clear(); /* the task is no future of asyncio */
    PyErr_SetRaisedException(exception);
}

void rmi_work_clear(rmi_python_work *work)
{
    if (work->task != NULL)
        forget_task(work->task);
    if (work->iteration != NULL)
        rmi_iteration_detach(work->iteration);
    Py_CLEAR(work->task);
    Py_CLEAR(work->coroutine);
    Py_CLEAR(work->iteration);
    Py_CLEAR(work->iterator);
}

void rmi_work_drop(rmi_state *state, rmi_python_work *work)
{
    rmi_python_work *kept = NULL;
    PyObject *exception = PyErr_GetRaisedException();
    if (work->iteration != NULL && rmi_work_begin_end(state, work) != 0)
        PyErr_Clear();
    if (work->iteration != NULL && rmi_task_done(work->task) == 0)
        kept = rmi_alloc_zeroed(rm_node_allocator(state->node), sizeof *kept);
    if (kept != NULL) {
        *kept = (rmi_python_work){.next = state->works,
                                  .task = work->task,
                                  .iteration = work->iteration,
                                  .watched = work->watched,
                                  .abandoned = true};
        state->works = kept;
        work->task = work->iteration = NULL;
    }
    rmi_work_clear(work);
    PyErr_SetRaisedException(exception);
}

bool rmi_has_task(const rmi_state *state, PyObject *task)
{
    bool found = state->work.task == task;
    for (const rmi_python_work *work = state->works; work != NULL; work = work->next)
        found |= work->task == task;
    return found;
}

int rmi_generator_close(PyObject *generator)
{
    PyObject *closed = PyGen_CheckExact(generator)
                           ? PyObject_CallMethodNoArgs(generator, rmi_name(RMI_NAME_close))
                           : Py_NewRef(Py_None);
    Py_XDECREF(closed);
    return closed == NULL ? -1 : 0;
}

int rmi_work_begin_end(rmi_state *state, rmi_python_work *work)
{
    if (work->iteration != NULL)
        return rmi_iteration_end(state, work);
    return work->task != NULL ? rmi_task_begin_cancel(work->task) : 0;
}

/* Closes a plain generator. Begins the end of a task, and puts it into the list `tasks`, which it makes when
 * needed. */
static int close_or_add(rmi_state *state, rmi_python_work *work, PyObject **tasks)
{
    if (work->task == NULL)
        return work->iterator != NULL ? rmi_generator_close(work->iterator) : 0;
    if (*tasks == NULL && (*tasks = PyList_New(0)) == NULL)
        return -1;
    if (rmi_task_done(work->task) == 0 && rmi_work_begin_end(state, work) != 0)
        return -1;
    return PyList_Append(*tasks, work->task);
}

/* Keeps the first of several failures. */
static int also_failed(rmi_state *state, int rc, rm_error *err)
{
    if (rc == RM_OK)
        return rmi_python_failed(state->node, err);
    PyErr_Clear();
    return rc;
}

int rmi_works_close(rmi_state *state, rm_error *err)
{
    PyObject *tasks = NULL;
    int rc = RM_OK;
    if (close_or_add(state, &state->work, &tasks) != 0)
        rc = also_failed(state, rc, err);
    rmi_work_clear(&state->work);
    for (rmi_python_work *work = state->works; work != NULL; work = work->next)
        if (close_or_add(state, work, &tasks) != 0)
            rc = also_failed(state, rc, err);
    if (tasks != NULL && rmi_tasks_end(state, tasks) != 0)
        rc = also_failed(state, rc, err);
    Py_XDECREF(tasks);
    while (state->works != NULL) {
        rmi_python_work *work = state->works;
        state->works = work->next;
        rmi_work_clear(work);
        rmi_free(rm_node_allocator(state->node), work, sizeof *work);
    }
    rmi_waiting(state, false);
    return rc;
}
