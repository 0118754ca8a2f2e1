/* `_remotemedia.compute`: the native nodes' arithmetic on arrays, for the Python nodes of the same names. */
#include "data/value.h"
#include "python/arrays/array.h"
#include "python/convert/convert.h"
#include "python/arrays/tensor_type.h"

/* The item as a tensor that counts as shared: nothing changes it in place. */
static int take(PyObject *item, rm_value *tensor, rm_error *err)
{
    const int rc = rmi_to_plain(NULL, item, tensor, err);
    if (rc == RM_OK)
        rmi_value_mark_branched(*tensor);
    return rc;
}

static PyObject *compute(PyObject *module, PyObject *args)
{
    PyObject *item = NULL, *operand = NULL, *made = NULL;
    int multiplies = 0;
    rm_packet result = rm_packet_of(rm_null());
    rm_value number = rm_null();
    rm_error err = {0};
    (void)module;
    if (!PyArg_ParseTuple(args, "OOp:compute", &item, &operand, &multiplies))
        return NULL;
    if (!rmi_has_memory(item))
        return Py_NewRef(Py_NotImplemented);
    if (rmi_tensor_check(item))
        rmi_tensor_times(item, &result.timestamp, &result.duration);
    int rc = take(item, &result.value, &err);
    const bool passes = rc == RM_OK && rm_tensor_view(result.value).dtype == RM_BOOL8;
    if (rc == RM_OK && !passes)
        rc = rmi_to_plain(NULL, operand, &number, &err);
    if (rc == RM_OK && !passes)
        rc = rm_tensor_compute(NULL, multiplies ? RM_MULTIPLY : RM_ADD, &result.value, number, &err);
    if (rc != RM_OK)
        rmi_python_raise(&err);
    else if (passes)
        made = Py_NewRef(item);
    else
        made = rmi_tensor_of_packet(&result);
    if (made != NULL && !passes && rmi_array_check(item))
        made = rmi_array_of_tensor(made);
    rm_value_clear(&number);
    rm_packet_clear(&result);
    return made;
}

static PyMethodDef functions[] = {
    {"compute", compute, METH_VARARGS,
     "compute(item, operand, multiplies)\n\nWhat MultiplyNode and AddNode make of an array or a Tensor; NotImplemented "
     "for anything else."},
    {NULL, NULL, 0, NULL},
};

int rmi_compute_add(PyObject *module)
{
    return PyModule_AddFunctions(module, functions);
}
