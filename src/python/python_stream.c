/* Nodes that take the stream: the object that they iterate over. When a synchronous node asks for the next
 * item and there is none, its thread parks (stream_thread.c). Without threads, the nodes before it run inside
 * its call; where the runtime cannot do that, the node begins when its whole stream is there. */
#include <string.h>

#include "base/alloc.h"
#include "platform/platform.h"
#include "python/convert/convert.h"
#include "python/python_node.h"

struct rmi_python_stream {
    PyObject *object; /* the object that the user's code iterates over */
    PyObject *future; /* the future that an asynchronous node waits for, or NULL */
    rm_packet *ahead; /* packets that were taken before the user's code began: [first, count) */
    size_t first, count, capacity;
    bool ended, in_slot; /* no more packets will come; a slot of this node is running */
};

/* Values that a call may emit, to pay once for the switch to the user's code. A call that takes longer than
 * LONG_CALL_NS may emit only one the next time: others wait for the first value. */
enum { MOST_VALUES = 64, LONG_CALL_NS = 1000 * 1000 };
/* ns for which code that was told to end may still ask for items. */
static const int64_t patience = 1000000000;

typedef struct stream_object {
    PyObject_HEAD rmi_state *state; /* NULL once the node has been closed */
} stream_object;

/* ---- Packets */

static int pull_waiting(rmi_state *state, rm_packet *packet, rm_error *err)
{
    PyThreadState *released = PyEval_SaveThread(); /* other nodes run in rm_node_pull */
    const int rc = rm_node_pull(state->node, true, packet, err);
    PyEval_RestoreThread(released);
    return rc;
}

/* Called in the node's thread. RM_AGAIN: the code shall end. */
static int pull_parked(rmi_state *state, rm_packet *packet, rm_error *err)
{
    int rc = RM_AGAIN;
    while (rc == RM_AGAIN && state->closing == 0) {
        rmi_thread_park(state, RM_OK, NULL);
        if (state->closing == 0)
            rc = rm_node_pull(state->node, false, packet, err);
    }
    return rc;
}

/* RM_OK with *packet owned, RM_DONE, RM_AGAIN, or a failure. */
static int next_packet(rmi_state *state, bool wait, rm_packet *packet, rm_error *err)
{
    rmi_python_stream *stream = state->stream;
    int rc = RM_DONE;
    if (stream->first < stream->count) {
        *packet = stream->ahead[stream->first++];
        rm_node_set_current(state->node, packet);
        return RM_OK;
    }
    if (!stream->ended && !state->flushing && !state->call.is_close)
        rc = rm_node_pull(state->node, false, packet, err);
    if (rc == RM_AGAIN && wait)
        rc = state->thread != NULL ? pull_parked(state, packet, err) : pull_waiting(state, packet, err);
    stream->ended = stream->ended || rc == RM_DONE;
    return rc;
}

static int keep(rmi_state *state, const rm_packet *packet, rm_error *err)
{
    rmi_python_stream *stream = state->stream;
    void *block = stream->ahead;
    const int rc = rmi_grow(rm_node_allocator(state->node), &block, &stream->capacity, stream->count + 1,
                            sizeof *packet, err);
    stream->ahead = block;
    if (rc == RM_OK)
        stream->ahead[stream->count++] = *packet;
    else
        rm_packet_clear(&(rm_packet){.value = packet->value, .metadata = packet->metadata});
    return rc;
}

/* RM_OK: the user's code may begin; RM_AGAIN: not before the rest of the stream has come. */
static int prepare(rmi_state *state, rm_error *err)
{
    rmi_python_stream *stream = state->stream;
    rm_packet packet = rm_packet_of(rm_null());
    int rc = RM_OK;
    if (state->thread != NULL || rm_node_can_wait(state->node))
        return RM_OK;
    while (rc == RM_OK) {
        rc = rm_node_pull(state->node, false, &packet, err);
        if (rc == RM_OK)
            rc = keep(state, &packet, err);
    }
    stream->ended = rc == RM_DONE;
    return rc == RM_DONE ? RM_OK : rc;
}

static PyObject *item_of(rmi_state *state, rm_packet *packet)
{
    PyObject *item = rmi_item_for(state, packet);
    rm_packet_clear(packet);
    return item;
}

/* ---- The object */

/* Raises GeneratorExit, as a generator that is closed gets it. Code that still asks after `patience` stays
 * parked here. */
static PyObject *told_to_end(rmi_state *state)
{
    while (rmi_platform_now() - state->closing >= patience) {
        rm_error err = {0};
        const int rc = rmi_thread_stuck_error(state, &err);
        rmi_thread_park(state, rc, &err);
    }
    PyErr_SetNone(PyExc_GeneratorExit);
    return NULL;
}

/* Whether the caller may wait for the next item. Code in a slot of the node may; a coroutine may not, and
 * neither may a thread of the user's: the runtime works at the same time. */
static bool may_wait(rmi_state *state)
{
    rm_error err = {0};
    const bool runs_here = state->call.depth > 0 && state->call.thread == PyThread_get_thread_ident();
    if (runs_here && !rmi_loop_runs_here(state))
        return true;
    (void)rm_error_set(&err, RM_E_USAGE,
                       runs_here ? "the stream of node '%s' cannot be waited for in a coroutine"
                                 : "the stream of node '%s' can be read by its process() only",
                       rm_node_id(state->node));
    rm_error_hint(&err, runs_here ? "there it is read with `async for`"
                                  : "read it there, and hand the items to other threads");
    rmi_python_raise(&err);
    return false;
}

static PyObject *stream_next(PyObject *self)
{
    rmi_state *state = ((stream_object *)self)->state;
    rm_packet packet = rm_packet_of(rm_null());
    rm_error err = {0};
    if (state == NULL || !may_wait(state))
        return NULL;
    if (state->closing != 0)
        return told_to_end(state);
    int rc = next_packet(state, true, &packet, &err);
    if (rc == RM_OK)
        return item_of(state, &packet);
    if (rc == RM_AGAIN && state->closing != 0)
        return told_to_end(state);
    if (rc == RM_AGAIN && rm_node_can_wait(state->node)) { /* nobody wants more of this node */
        PyErr_SetNone(PyExc_GeneratorExit);
        return NULL;
    }
    if (rc == RM_AGAIN) {
        rc = rm_error_set(&err, RM_E_USAGE, "the stream of node '%s' cannot be waited for here",
                          rm_node_id(state->node));
        rm_error_hint(&err, "an asynchronous node reads it with `async for`");
    }
    if (rc < 0)
        rmi_python_raise(&err);
    return NULL;
}

/* A future for the next item; the node's next turn takes the item from the runtime. */
static PyObject *wait_for_item(rmi_state *state)
{
    PyObject *before = state->stream->future;
    const int over = before != NULL ? rmi_task_done(before) : 1; /* its task may have been cancelled */
    if (over < 0)
        return NULL;
    if (over == 0) {
        PyErr_Format(PyExc_RuntimeError,
                     "another task waits for the next item of the stream of node '%s' already",
                     rm_node_id(state->node));
        return NULL;
    }
    Py_XSETREF(state->stream->future, rmi_future_new(state));
    if (!state->stream->in_slot) /* another node's poll ran the task */
        rmi_wake_node(state);
    return Py_XNewRef(state->stream->future);
}

static PyObject *stream_anext(PyObject *self)
{
    rmi_state *state = ((stream_object *)self)->state;
    rm_packet packet = rm_packet_of(rm_null());
    rm_error err = {0};
    if (state == NULL)
        return rmi_ready_new(NULL);
    const int rc = state->stream->in_slot ? next_packet(state, false, &packet, &err) : RM_AGAIN;
    if (rc == RM_OK) {
        PyObject *item = item_of(state, &packet);
        return item != NULL ? rmi_ready_new(item) : NULL;
    }
    if (rc == RM_DONE)
        return rmi_ready_new(NULL);
    if (rc < 0) {
        rmi_python_raise(&err);
        return NULL;
    }
    return wait_for_item(state);
}

static void stream_dealloc(PyObject *self)
{
    rmi_object_free(self);
}

PyTypeObject *rmi_stream_type_new(PyObject *module)
{
    PyType_Slot slots[] = {{Py_tp_doc, "The items of a node's input."},
                           {Py_tp_iter, PyObject_SelfIter},
                           {Py_tp_iternext, stream_next},
                           {Py_am_aiter, PyObject_SelfIter},
                           {Py_am_anext, stream_anext},
                           {Py_tp_dealloc, stream_dealloc},
                           {0, NULL}};
    PyType_Spec spec = {.name = "_remotemedia.Stream",
                        .basicsize = sizeof(stream_object),
                        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                        .slots = slots};
    return (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, NULL);
}

/* ---- The slots */

static int make_stream(rmi_state *state, rm_error *err)
{
    PyTypeObject *type = rmi_python_of_process()->stream_type;
    state->stream = rmi_alloc_zeroed(rm_node_allocator(state->node), sizeof *state->stream);
    if (state->stream == NULL)
        return rmi_out_of_memory(err);
    state->stream->object = rmi_object_alloc(type, 0);
    if (state->stream->object == NULL)
        return rmi_python_failed(state->node, err);
    ((stream_object *)state->stream->object)->state = state;
    return RM_OK;
}

void rmi_stream_free(rmi_state *state)
{
    rmi_python_stream *stream = state->stream;
    if (stream == NULL)
        return;
    if (stream->object != NULL)
        ((stream_object *)stream->object)->state = NULL;
    Py_XDECREF(stream->object);
    Py_XDECREF(stream->future);
    while (stream->first < stream->count)
        rm_packet_clear(&stream->ahead[stream->first++]);
    const rm_allocator *allocator = rm_node_allocator(state->node);
    rmi_free(allocator, stream->ahead, stream->capacity * sizeof *stream->ahead);
    rmi_free(allocator, stream, sizeof *stream);
    state->stream = NULL;
}

static int begin(rmi_state *state, rm_error *err)
{
    state->started = true;
    state->work.drains = true;
    return rmi_work_start(state, &state->work, rmi_user_process(state, state->stream->object), err);
}

/* Gives an asynchronous node the item, or the end, that it waits for; false when there is neither. */
static bool feed(rmi_state *state, int *rc, rm_error *err)
{
    rmi_python_stream *stream = state->stream;
    rm_packet packet = rm_packet_of(rm_null());
    if (stream->future == NULL || rmi_task_done(stream->future) != 0) /* the task may have been cancelled */
        return false;
    const int got = next_packet(state, false, &packet, err);
    if (got == RM_AGAIN)
        return false;
    PyObject *item = got == RM_OK ? item_of(state, &packet) : NULL, *future = stream->future;
    stream->future = NULL;
    if (got < 0)
        *rc = got;
    else if ((got == RM_OK && item == NULL) || rmi_future_set(future, item) != 0)
        *rc = rmi_python_failed(state->node, err);
    Py_XDECREF(item);
    Py_DECREF(future);
    return true;
}

/* Runs the loop, with the node's iterator free to emit: it may take further items. */
static int turn(rmi_state *state, rm_error *err)
{
    rmi_python_work *work = &state->work;
    rmi_iteration_may_emit(state, work->iteration, err);
    const int rc = rmi_loop_step(state);
    rmi_iteration_may_emit(state, work->iteration, NULL);
    if (rc != 0 || rmi_is_broken(state))
        return rmi_python_failed(state->node, err);
    return work->iteration != NULL ? rmi_iteration_outcome(state, work, err)
                                   : rmi_work_step(state, work, err);
}

/* Continues the work until it emits, ends, or has to wait. */
static int run_async(rmi_state *state, int rc, rm_error *err)
{
    while (rc == RM_PENDING && feed(state, &rc, err)) {
        if (rc == RM_PENDING)
            rc = turn(state, err);
    }
    if (rc == RM_PENDING && state->stream->ended) /* no input will come to wake it */
        rc = rmi_work_step_waiting(state, &state->work, err);
    return rc;
}

/* RM_OK from the work: the user's code has ended, and wants no more input. */
static int answer(rmi_state *state, int rc)
{
    state->stream->in_slot = false;
    if (rc == RM_OK)
        state->ended = true;
    rmi_waiting(state, rc == RM_PENDING);
    return rc == RM_OK ? RM_DONE : rc;
}

/* Whether the call may emit another value; else other nodes get a turn first. */
static bool goes_on(rmi_state *state)
{
    if (state->thread == NULL || state->left <= 1)
        return false;
    state->left--;
    return true;
}

static int step_job(rmi_state *state, rm_error *err)
{
    int rc = RM_OK;
    if (state->stream == NULL)
        rc = make_stream(state, err);
    if (rc == RM_OK && state->ended)
        return RM_DONE;
    if (rc == RM_OK && !state->started && !state->class->is_async)
        rc = prepare(state, err);
    if (rc != RM_OK)
        return rc == RM_AGAIN ? RM_OK : rc;
    state->stream->in_slot = true;
    rc = state->started ? rmi_work_step(state, &state->work, err) : begin(state, err);
    while (rc == RM_MORE && goes_on(state))
        rc = rmi_work_step(state, &state->work, err);
    if (rc == RM_PENDING && (rc = run_async(state, rc, err)) == RM_PENDING &&
        rmi_work_watch(state, &state->work) != 0)
        rc = rmi_python_failed(state->node, err);
    return answer(state, rc);
}

void rmi_adapt_batch(rmi_state *state, int64_t started)
{
    if (rmi_platform_now() - started > LONG_CALL_NS)
        state->batch = 1;
    else if (state->batch < MOST_VALUES)
        state->batch *= 2;
}

int rmi_stream_call(rm_node *node, void *memory, rm_error *err)
{
    rmi_state *state = memory;
    (void)node;
    if (state->thread == NULL)
        return rmi_run(state, step_job, err);
    const int64_t started = rmi_platform_now();
    state->left = state->batch;
    const int rc = rmi_thread_parked(state) ? rmi_thread_resume(state, err) : rmi_run(state, step_job, err);
    rmi_adapt_batch(state, started);
    return rc;
}

int rmi_stream_poll(rmi_state *state, rm_error *err)
{
    int rc = RM_OK;
    if (!state->started || state->ended)
        return RM_OK;
    state->stream->in_slot = true;
    rc = rmi_work_step(state, &state->work, err); /* what it holds belongs to the item read last */
    if (rc == RM_PENDING)
        rc = turn(state, err);
    rc = answer(state, run_async(state, rc, err));
    if (rc == RM_PENDING &&
        (rmi_work_watch(state, &state->work) != 0 || rmi_loop_wait(state, state->wait) != 0))
        rc = rmi_python_failed(state->node, err);
    return rc;
}
