/* Asynchronous iterators. One task runs an iterator from its first step to its last, and closes it; so a
 * timeout, a TaskGroup or a context variable's token may span the iterator's yields. The task's coroutine is an
 * `Iteration`, which asks the iterator for one value after the other. While a slot of the node lets it emit, it
 * emits them at once; else it holds a few for the node's next turn. When it may take no further value, the task
 * waits at its gate, which the node's next turn opens. The Iteration is also the future for which the task
 * waits there: opening the gate continues the task at once, without a turn of the loop. */
#include "base/alloc.h"
#include "platform/platform.h"
#include "python/convert/convert.h"
#include "python/iteration.h"

/* As many as the turns of a step of the loop; more only when the task is cancelled at its gate. */
enum { MOST_HELD = 16 };

/* ---- Values */

void rmi_iteration_drop_held(rmi_iteration *it)
{
    while (it->first < it->count)
        rm_packet_clear(&it->held[it->first++]);
    it->first = it->count = 0;
}

/* Sends held values as far as there is room. RM_MORE: there is not enough for all. */
static int send_held(rmi_iteration *it)
{
    rm_node *node = it->state->node;
    const size_t room = rm_node_room(node);
    size_t n = it->count - it->first, same = 1;
    int rc = RM_OK;
    n = n < room ? n : room;
    for (; rc == RM_OK && n > 0; n -= same, it->first += same) {
        rm_packet *next = &it->held[it->first];
        const uint32_t port = next->reserved;
        for (same = 1; same < n && next[same].reserved == port; same++)
            ;
        rc = rm_emit_many(node, port, next, same);
    }
    if (it->first < it->count)
        return rc == RM_OK ? RM_MORE : rc;
    it->first = it->count = 0;
    return rc;
}

/* Holds a packet (consumed) for `port`. */
static int hold(rmi_iteration *it, rm_packet *packet, unsigned port, rm_error *err)
{
    void *block = it->held;
    const int rc = it->count < it->capacity ? RM_OK
                                            : rmi_grow(rm_allocator_default(), &block, &it->capacity,
                                                       it->count + 1, sizeof *it->held, err);
    it->held = block;
    if (rc != RM_OK) {
        rm_packet_clear(packet);
        return rc;
    }
    packet->reserved = port;
    it->held[it->count++] = *packet;
    return RM_OK;
}

/* Keeps a value as the packet that it is at this moment; its owner may change it later. Whether the iterator
 * may go on; -1: the value cannot be sent. */
static int keep(rmi_iteration *it, PyObject *value)
{
    rm_error err = {0};
    rm_packet packet;
    unsigned port = 0;
    int rc = rmi_packet_of_object(it->state, value, &packet, &port, &err);
    if (rc == RM_OK)
        rc = hold(it, &packet, port, &err);
    if (rc != RM_OK) {
        rmi_python_raise(&err);
        it->failure = PyErr_GetRaisedException();
        return -1;
    }
    if (it->count - it->first == 1 && !it->state->polling)
        rmi_wake_node(it->state);
    return it->count < MOST_HELD;
}

/* Emits a value. A scalar may stay until the task waits, so that many leave at once; not where the stream's next
 * item may come in between. */
static int emit(rmi_iteration *it, PyObject *value)
{
    rmi_state *state = it->state;
    rm_packet packet = rm_packet_of(rm_null());
    state->left--;
    if (!state->class->takes_stream && rmi_scalar(value, &packet.value)) {
        it->rc = hold(it, &packet, 0, it->err);
    } else {
        it->rc = send_held(it);
        if (it->rc == RM_OK)
            it->rc = rmi_emit_object(state, value, it->err);
        if (rm_node_room(state->node) == 0)
            state->left = 0;
    }
    return it->rc == RM_OK ? state->left > 0 : -1;
}

int rmi_iteration_give(rmi_iteration *it, PyObject *value)
{
    int goes_on = -1;
    if (it->state != NULL)
        goes_on = it->err != NULL ? emit(it, value) : keep(it, value);
    Py_DECREF(value);
    return goes_on;
}

/* ---- The node's turn */

void rmi_iteration_may_emit(rmi_state *state, PyObject *iteration, rm_error *err)
{
    rmi_iteration *it = (rmi_iteration *)iteration;
    if (it == NULL)
        return;
    if (err != NULL) {
        const size_t room = rm_node_room(state->node);
        state->left = room < state->batch ? (unsigned)room : state->batch;
    }
    it->err = err;
}

int rmi_iteration_outcome(rmi_state *state, rmi_python_work *work, rm_error *err)
{
    rmi_iteration *it = (rmi_iteration *)work->iteration;
    const int rc = it->rc != RM_OK ? it->rc : send_held(it);
    if (rc != RM_OK)
        return rc;
    if (it->failure != NULL) {
        PyErr_SetRaisedException(it->failure);
        it->failure = NULL;
        return rmi_python_failed(state->node, err);
    }
    if (it->wakeup != NULL)
        return RM_MORE;
    const int done = rmi_task_done(work->task);
    if (done == 0)
        return RM_PENDING;
    PyObject *result = done > 0 ? rmi_task_result(work->task) : NULL;
    const int ended_with = result != NULL ? RM_OK : rmi_python_failed(state->node, err);
    Py_XDECREF(result);
    Py_CLEAR(work->task);
    Py_CLEAR(work->iteration);
    return ended_with;
}

int rmi_iteration_start(rmi_state *state, rmi_python_work *work, PyObject *iterator, PyObject *context,
                        rm_error *err)
{
    PyTypeObject *type = rmi_python_of_process()->iteration_type;
    rmi_iteration *it = (rmi_iteration *)rmi_object_alloc(type, 0);
    if (it == NULL)
        return rmi_python_failed(state->node, err);
    it->state = state;
    it->is_guest = state->guest != NULL;
    it->iterator = Py_NewRef(iterator);
    work->iteration = (PyObject *)it;
    rmi_iteration_may_emit(state, work->iteration, err);
    if (rmi_loop_enter(state) == 0) {
        it->loop = Py_NewRef(rmi_loop_of(state));
        work->task = rmi_task_new(state, work->iteration, context);
        rmi_loop_leave(state);
    }
    rmi_iteration_may_emit(state, work->iteration, NULL);
    if (work->task != NULL)
        return rmi_iteration_outcome(state, work, err);
    Py_CLEAR(work->iteration);
    return rmi_python_failed(state->node, err);
}

/* Lets the task go on from its gate, and emit. */
static int give_turn(rmi_state *state, rmi_python_work *work, rmi_iteration *it, rm_error *err)
{
    const int64_t started = rmi_platform_now();
    if (rmi_loop_catch_up(state) != 0 || rmi_loop_enter(state) != 0)
        return rmi_python_failed(state->node, err);
    rmi_iteration_may_emit(state, work->iteration, err);
    const int rc =
        it->wakeup == NULL || rmi_iteration_open_gate(it) == 0 ? RM_OK : rmi_python_failed(state->node, err);
    rmi_iteration_may_emit(state, work->iteration, NULL);
    rmi_loop_leave(state);
    rmi_adapt_batch(state, started);
    return rc;
}

int rmi_iteration_step(rmi_state *state, rmi_python_work *work, rm_error *err)
{
    rmi_iteration *it = (rmi_iteration *)work->iteration;
    int rc = it->rc != RM_OK ? it->rc : send_held(it);
    if (rc == RM_OK && it->failure == NULL && it->wakeup != NULL)
        rc = give_turn(state, work, it, err);
    return rc == RM_OK ? rmi_iteration_outcome(state, work, err) : rc;
}

void rmi_iteration_detach(PyObject *iteration)
{
    rmi_iteration *it = (rmi_iteration *)iteration;
    it->state = NULL;
    rmi_iteration_drop_held(it);
    Py_CLEAR(it->failure);
}

int rmi_iteration_end(rmi_state *state, rmi_python_work *work)
{
    rmi_iteration *it = (rmi_iteration *)work->iteration;
    rmi_iteration_detach(work->iteration);
    if (it->closing || it->iterator == NULL)
        return 0;
    it->closing = true;
    if (it->wakeup == NULL)
        return rmi_task_begin_cancel(work->task);
    if (rmi_loop_enter(state) != 0)
        return -1;
    const int rc = rmi_iteration_open_gate(it);
    rmi_loop_leave(state);
    return rc;
}
