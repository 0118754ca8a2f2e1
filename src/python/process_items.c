/* Items of synchronous nodes: a batch of packets through the user's `process`. */
#include "python/arrays/array.h"
#include "python/convert/convert.h"
#include "python/python_node.h"
#include "python/arrays/tensor_type.h"

PyObject *rmi_user_process(rmi_state *state, PyObject *item)
{
    PyObject *arguments[3] = {NULL, state->self, item};
    if (state->self != NULL)
        return PyObject_Vectorcall(state->function, arguments + 1, 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    arguments[1] = item;
    return PyObject_Vectorcall(state->function, arguments + 1, 1 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
}

PyObject *rmi_item_of_packet(rm_packet *packet)
{
    if (packet->value.kind < RM_TENSOR)
        return rmi_to_python(packet->value);
    return packet->value.kind == RM_TENSOR ? rmi_tensor_of_packet(packet) : rmi_take_object(&packet->value);
}

PyObject *rmi_item_for(rmi_state *state, rm_packet *packet)
{
    const bool is_plain =
        packet->value.kind != RM_OBJECT; /* an object of another Python node stays as that node made it */
    PyObject *item = rmi_item_of_packet(packet);
    return state->class->takes_arrays && is_plain ? rmi_arrays_in(item) : item;
}

/* ---- Integers */

static inline PyObject *item_of(rmi_state *state, rm_packet *packet)
{
    PyObject *spare = state->spare;
    if (packet->value.kind != RM_INT || !rmi_reuse_int(spare, packet->value.i))
        return rmi_item_for(state, packet);
    state->spare = NULL;
    return spare;
}

/* Gives up the caller's reference; keeps an int that nobody else holds as the spare. Others always hold
 * Python's small ints. */
static inline void give_up(rmi_state *state, PyObject *object)
{
    int64_t value;
    if (RMI_REUSES_INTS && state->spare == NULL && Py_REFCNT(object) == 1 && PyLong_CheckExact(object) &&
        rmi_compact_int(object, &value))
        state->spare = object;
    else
        Py_DECREF(object);
}

/* ---- A batch */

/* A batch. Results replace packets in their places: packets[base, end) are to be emitted. */
typedef struct item_batch {
    rm_packet *packets;
    size_t base, end;
    vectorcallfunc call; /* of the user's function, or NULL */
    bool has_self;
} item_batch;

static int send(rmi_state *state, item_batch *b, size_t next)
{
    const int rc = rm_emit_many(state->node, 0, b->packets + b->base, b->end - b->base);
    b->base = b->end = next;
    return rc;
}

/* Handles a result that is not simply a value: emits the results before it, then those that it gives. */
static int special_result(rmi_state *state, item_batch *b, size_t i, PyObject *result, rm_error *err)
{
    int rc = send(state, b, i + 1);
    if (rc != RM_OK) {
        Py_DECREF(result);
        return rc;
    }
    rm_node_set_current(state->node, &b->packets[i]);
    rm_packet_clear(&b->packets[i]);
    return rmi_work_start_waiting(state, &state->work, result, err);
}

/* Replaces the packet's value by the result. `item` (consumed) is the argument of process. */
static int take_value(rmi_state *state, rm_packet *packet, PyObject *item, PyObject *result, rm_error *err)
{
    unsigned port = 0;
    rm_packet made;
    const bool same_box = packet->value.kind == RM_OBJECT && result == item;
    const bool is_callers = same_box && rm_object_get(packet->value, &rmi_callers_object.base) != NULL;
    const bool keeps_box =
        is_callers || (same_box && !rmi_reachable(item, 3)); /* held by the box, `item` and `result` */
    Py_DECREF(item);
    if (keeps_box)
        return RM_OK;
    rm_value_clear(&packet->value);
    const int rc = rmi_packet_of_object(state, result, &made, &port, err);
    if (rc == RM_OK) {
        packet->value = made.value;
        packet->timestamp = made.timestamp != RM_NO_TIME ? made.timestamp : packet->timestamp;
        packet->duration = made.duration != RM_NO_TIME ? made.duration : packet->duration;
    }
    return rc;
}

/* Takes the result of process for a packet; consumes `item` and `result`. RM_OK, RM_MORE or a failure. */
static int take_result(rmi_state *state, item_batch *b, size_t i, PyObject *item, PyObject *result,
                       rm_error *err)
{
    rm_packet *packet = &b->packets[i];
    rm_value value;
    int rc = RM_OK;
    if (result == NULL) {
        rc = rmi_python_failed(state->node, err);
    } else if (rmi_scalar(result, &value) && result != Py_None) {
        if (packet->value.kind >= RM_BIGINT)
            rm_value_clear(&packet->value);
        packet->value = value;
    } else if (result == Py_None) {
        rm_packet_clear(packet);
        give_up(state, item);
        return RM_OK;
    } else if (!rmi_is_value(result)) {
        Py_DECREF(item);
        return special_result(state, b, i, result, err);
    } else {
        rc = take_value(state, packet, item, result, err);
        item = NULL;
    }
    if (rc != RM_OK)
        rm_packet_clear(packet);
    else if (b->end++ != i)
        b->packets[b->end - 1] = *packet; /* closes the gaps of dropped packets */
    if (item != NULL)
        give_up(state, item);
    if (result != NULL)
        give_up(state, result);
    return rc;
}

/* Calls process for one packet. */
static int process_one(rmi_state *state, item_batch *b, size_t i, rm_error *err)
{
    PyObject *item = item_of(state, &b->packets[i]);
    if (item == NULL) {
        rm_packet_clear(&b->packets[i]);
        return rmi_python_failed(state->node, err);
    }
    PyObject *arguments[3] = {NULL, b->has_self ? state->self : item, item};
    const size_t count = (b->has_self ? 2 : 1) | PY_VECTORCALL_ARGUMENTS_OFFSET;
    PyObject *result = b->call != NULL ? b->call(state->function, arguments + 1, count, NULL)
                                       : PyObject_Vectorcall(state->function, arguments + 1, count, NULL);
    rmi_child_check();
    return take_result(state, b, i, item, result, err);
}

/* Continues the generator that an earlier packet returned. */
int rmi_items_more(rm_node *node, void *memory, rm_error *err)
{
    rmi_state *state = memory;
    (void)node;
    const PyGILState_STATE held = rmi_call_enter(state);
    const int rc = rmi_work_step_waiting(state, &state->work, err);
    rmi_call_leave(state, held);
    return rc;
}

int rmi_items_process_many(rm_node *node, void *memory, unsigned port, rm_packet *batch, size_t n,
                           size_t *done, rm_error *err)
{
    rmi_state *state = memory;
    item_batch b = {.packets = batch, .has_self = state->self != NULL};
    int rc = RM_OK, sent;
    (void)node, (void)port;
    const PyGILState_STATE held = rmi_call_enter(state);
    size_t i = 0;
    rmi_work_drop(state, &state->work); /* left from an item that nobody wants */
    b.call = rmi_vectorcall_of(state->function);
    for (; i < n && rc == RM_OK && (i == 0 || !rmi_call_interrupted(state)); i++)
        rc = process_one(state, &b, i, err);
    sent = b.end > b.base ? send(state, &b, 0) : RM_OK;
    if (sent != RM_OK && rc >= 0)
        rc = sent;
    *done = rc < 0 ? i - 1 : i;
    rmi_call_leave(state, held);
    return rc;
}
