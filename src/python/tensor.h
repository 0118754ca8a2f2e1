/* remotemedia.Tensor and remotemedia.Packet, as C sees them. Threads and references: see host.h. */
#ifndef PYTHON_TENSOR_H
#define PYTHON_TENSOR_H

#include "python/host.h"

/* A tensor value (borrowed) as a Tensor over the same memory; times in ns or RM_NO_TIME. */
PyObject *rmi_tensor_to_python(rm_value tensor, int64_t timestamp, int64_t duration);
bool rmi_tensor_check(PyObject *object);
/* The value inside, borrowed. */
rm_value rmi_tensor_value(PyObject *tensor);
/* The times it carries: ns or RM_NO_TIME. */
void rmi_tensor_times(PyObject *tensor, int64_t *timestamp, int64_t *duration);
/* A Tensor over the memory of `source`, an object with a buffer; None stands for an argument that was not
 * given. */
PyObject *rmi_tensor_from_buffer(PyObject *source, PyObject *shape, PyObject *dtype, PyObject *sample_rate,
                                 PyObject *channel_layout);
/* The part [start, stop) along the first dimension. */
PyObject *rmi_tensor_part(PyObject *tensor, Py_ssize_t start, Py_ssize_t stop);

/* remotemedia.Packet: a value on its way out, with more said about it. Members are owned. */
typedef struct rmi_py_packet {
    PyObject_HEAD PyObject *value, *port, *timestamp, *metadata;
} rmi_py_packet;

/* Seconds (a number or None) as ns; -1 and an exception when they are none. */
int rmi_seconds_to_ns(PyObject *seconds, int64_t *ns);
PyObject *rmi_ns_to_seconds(int64_t ns);

/* The types; borrowed by the process' state for ever. */
PyTypeObject *rmi_tensor_type_new(PyObject *module);
PyTypeObject *rmi_packet_type_new(PyObject *module);

#endif
