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
                            Py_TYPE(from->metadata)->tp_name);
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
    PyCodeObject *code = PyGen_GetCode((PyGenObject *)generator);
    const bool awaitable = (code->co_flags & CO_ITERABLE_COROUTINE) != 0;
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
    return type->tp_as_async != NULL && type->tp_as_async->am_await != NULL ? AWAITABLE : VALUE;
}

bool rmi_is_value(PyObject *result)
{
    return shape_of(result) == VALUE && !Py_IS_TYPE(result, rmi_python_of_process()->packet_type);
}

/* Iterates over a result. One with both kinds of iteration, as the stream itself, is iterated in the way of
 * its node. */
static int open_iterable(const rmi_state *state, rmi_python_work *work, PyObject *result)
{
    const PyTypeObject *type = Py_TYPE(result);
    const bool asynchronous = type->tp_as_async != NULL && type->tp_as_async->am_aiter != NULL;
    work->is_async = asynchronous && (state->class->is_async || type->tp_iter == NULL);
    work->iterator = work->is_async ? PyObject_GetAIter(result) : PyObject_GetIter(result);
    return work->iterator == NULL ? -1 : 0;
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

/* Sorts a result (consumed) into the work, or emits it. RM_MORE: the work goes on. */
static int take_result(rmi_state *state, rmi_python_work *work, PyObject *result, rm_error *err)
{
    const shape what = shape_of(result);
    const bool iterate = work->iterates || (work->drains && (PyIter_Check(result) || PyAIter_Check(result)));
    int rc = RM_MORE;
    work->gave_nothing = what == NOTHING;
    work->watched = false;
    if (what == AWAITABLE)
        work->task = rmi_task_new(result);
    else if (what == ITERATOR || what == ASYNC_ITERATOR) {
        work->iterator = Py_NewRef(result);
        work->is_async = what == ASYNC_ITERATOR;
    } else if (iterate && what != NOTHING)
        rc = open_iterable(state, work, result) == 0 ? RM_MORE : rmi_python_failed(state->node, err);
    else
        rc = what == NOTHING ? RM_OK : rmi_emit_object(state, result, err);
    if (what == AWAITABLE && work->task == NULL)
        rc = rmi_python_failed(state->node, err);
    Py_DECREF(result);
    return rc;
}

/* The next value of a generator: RM_MORE with *value owned, RM_OK at its end. */
static int next_value(rmi_state *state, rmi_python_work *work, PyObject **value, rm_error *err)
{
    *value = Py_TYPE(work->iterator)->tp_iternext(work->iterator);
    if (*value != NULL)
        return RM_MORE;
    Py_CLEAR(work->iterator);
    if (PyErr_Occurred() && PyErr_ExceptionMatches(PyExc_StopIteration))
        PyErr_Clear();
    return PyErr_Occurred() ? work_failed(state, err) : RM_OK;
}

/* The result of a task that is done: RM_MORE with *value owned, RM_OK at the end of an iteration. */
static int task_value(rmi_state *state, rmi_python_work *work, PyObject **value, rm_error *err)
{
    *value = rmi_task_result(work->task);
    Py_CLEAR(work->task);
    if (*value == NULL) {
        Py_CLEAR(work->iterator);
        return rmi_python_failed(state->node, err);
    }
    if (work->iterator == NULL || !rmi_is_end(*value))
        return RM_MORE;
    Py_CLEAR(*value);
    Py_CLEAR(work->iterator);
    return RM_OK;
}

static int emit_yielded(rmi_state *state, PyObject *value, rm_error *err)
{
    const int rc = rmi_emit_object(state, value, err);
    Py_DECREF(value);
    return rc == RM_OK ? RM_MORE : rc;
}

int rmi_work_step(rmi_state *state, rmi_python_work *work, rm_error *err)
{
    PyObject *value = NULL;
    int rc = RM_MORE;
    while (work->task != NULL || work->iterator != NULL) {
        if (work->task == NULL && work->is_async) {
            work->watched = false;
            if ((work->task = rmi_task_next(work->iterator)) == NULL)
                return rmi_python_failed(state->node, err);
        }
        if (work->task != NULL) {
            const int done = rmi_task_done(work->task);
            if (done <= 0)
                return done < 0 ? rmi_python_failed(state->node, err) : RM_PENDING;
            rc = task_value(state, work, &value, err);
        } else
            rc = next_value(state, work, &value, err);
        if (rc != RM_MORE)
            return rc;
        if (work->iterator != NULL)
            return emit_yielded(state, value, err);
        if ((rc = take_result(state, work, value, err)) != RM_MORE) /* the value of an awaitable */
            return rc;
    }
    return RM_OK;
}

int rmi_work_start(rmi_state *state, rmi_python_work *work, PyObject *result, rm_error *err)
{
    if (result == NULL)
        return work_failed(state, err);
    const int rc = take_result(state, work, result, err);
    return rc == RM_MORE ? rmi_work_step(state, work, err) : rc;
}

static int wait_for(rmi_state *state, rmi_python_work *work, int rc, rm_error *err)
{
    while (rc == RM_PENDING) {
        if (rmi_task_finish(work->task) == 0)
            rc = rmi_work_step(state, work, err);
        else {
            rc = rmi_python_failed(state->node, err);
            if (rmi_task_cancel(work->task) != 0) /* the call was asked to stop while it waited */
                PyErr_Clear();
        }
    }
    if (rc < 0)
        rmi_work_clear(work); /* a failed emit leaves the generator open */
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
    Py_CLEAR(work->task);
    Py_CLEAR(work->iterator);
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

/* Closes a plain generator. Puts a task or an asynchronous iterator, whose end takes time, into the list
 * `pairs`, which it makes when needed. */
static int close_or_add(rmi_python_work *work, PyObject **pairs)
{
    PyObject *iterator = work->is_async ? work->iterator : NULL;
    if (work->task == NULL && iterator == NULL)
        return work->iterator != NULL ? rmi_generator_close(work->iterator) : 0;
    if (*pairs == NULL && (*pairs = PyList_New(0)) == NULL)
        return -1;
    PyObject *pair =
        PyTuple_Pack(2, work->task != NULL ? work->task : Py_None, iterator != NULL ? iterator : Py_None);
    const int rc = pair != NULL ? PyList_Append(*pairs, pair) : -1;
    Py_XDECREF(pair);
    return rc;
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
    PyObject *pairs = NULL;
    int rc = RM_OK;
    if (close_or_add(&state->work, &pairs) != 0)
        rc = also_failed(state, rc, err);
    rmi_work_clear(&state->work);
    for (rmi_python_work *work = state->works; work != NULL; work = work->next)
        if (close_or_add(work, &pairs) != 0)
            rc = also_failed(state, rc, err);
    if (pairs != NULL && rmi_tasks_cancel(pairs) != 0)
        rc = also_failed(state, rc, err);
    Py_XDECREF(pairs);
    while (state->works != NULL) {
        rmi_python_work *work = state->works;
        state->works = work->next;
        rmi_work_clear(work);
        rmi_free(rm_node_allocator(state->node), work, sizeof *work);
    }
    rmi_waiting(state, false);
    return rc;
}
