/* Items and results as values of the runtime. */
#include "extension.h"
#include "python/arrays/array.h"
#include "python/arrays/tensor_type.h"
#include "python/convert/convert.h"

/* A read-only array over the same memory. */
static PyObject *read_only(PyObject *array)
{
    PyObject *made = PyObject_CallMethod(array, "view", NULL);
    PyObject *method = made != NULL ? rmi_array_attribute(made, RMI_NAME_setflags) : NULL;
    PyObject *done = method != NULL ? PyObject_CallOneArg(method, Py_False) : NULL; /* write */
    if (done == NULL)
        Py_CLEAR(made);
    Py_XDECREF(done);
    Py_XDECREF(method);
    return made;
}

/* The caller and his iterator hold the item, and we do; nobody else gives it up. */
enum { NOBODY_ELSE = 1 };

static int failed(rm_error *err)
{
    rmi_python_raise(err);
    return -1;
}

static int object_value(PyObject *item, rm_value *out)
{
    rm_error err = {0};
    if (rmi_tensor_check(item))
        return rmi_to_packet_value(item, NOBODY_ELSE, out, &err) == RM_OK ? 0 : failed(&err);
    const bool shares = rmi_array_check(item) && rmi_memory_may_change(item, NOBODY_ELSE);
    PyObject *own = shares ? read_only(item) : Py_NewRef(item);
    const rm_object_type *type = shares ? &rmi_callers_object.base : &rmi_python_object.base;
    if (own == NULL)
        return -1;
    return rm_object_new(&rmi_box_allocator, type, own, out, &err) == RM_OK ? 0 : failed(&err);
}

int rmi_input_value(PyObject *item, rm_value *out)
{
    return rmi_scalar(item, out) ? 0 : object_value(item, out);
}

PyObject *rmi_output_object(rm_packet *packet, rm_arrays arrays)
{
    if (packet->value.kind < RM_BIGINT)
        return rmi_to_python(packet->value);
    if (packet->value.kind == RM_TENSOR) {
        PyObject *tensor = rmi_tensor_of_packet(packet);
        return arrays == RM_ARRAYS_NUMPY ? rmi_arrays_in(tensor) : tensor;
    }
    if (packet->value.kind == RM_OBJECT)
        return rmi_take_object(&packet->value);
    PyObject *made = rmi_to_python(packet->value);
    return arrays == RM_ARRAYS_NUMPY ? rmi_arrays_in(made) : made;
}
