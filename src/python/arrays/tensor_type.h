/* remotemedia.Tensor and remotemedia.Packet, as C sees them. Threads and references: see python_host.h. */
#ifndef PYTHON_ARRAYS_TENSOR_TYPE_H
#define PYTHON_ARRAYS_TENSOR_TYPE_H

#include "python/python_host.h"

/* Makes a Tensor over the memory of a tensor value (borrowed); times in ns or RM_NO_TIME. */
RM_MUST_CHECK PyObject *rmi_tensor_to_python(rm_value tensor, int64_t timestamp, int64_t duration);
/* Makes a Tensor of a packet, which gives its value away. The Tensor may write to memory that nobody else
 * holds. */
RM_MUST_CHECK PyObject *rmi_tensor_of_packet(rm_packet *packet);
bool rmi_tensor_check(PyObject *object);
/* The value inside, borrowed. */
rm_value rmi_tensor_value(PyObject *tensor);
/* The value for a further owner; a copy where somebody may still write to the memory. Holders of the Tensor
 * beyond `held` references lose the right to write. *out is owned. */
RM_MUST_CHECK int rmi_tensor_take(PyObject *tensor, Py_ssize_t held, rm_value *out, rm_error *err);
/* The Tensor's times: ns or RM_NO_TIME. */
void rmi_tensor_times(PyObject *tensor, int64_t *timestamp, int64_t *duration);
/* The number of buffers that can write to the memory. Whether a further one is possible: at once; or after
 * others have given the memory up. */
Py_ssize_t rmi_tensor_writers(PyObject *tensor);
bool rmi_tensor_is_writable(PyObject *tensor);
bool rmi_tensor_may_be_writable(PyObject *tensor);
/* Refuses further writable buffers. */
void rmi_tensor_freeze(PyObject *tensor);
/* Counts a writer (1, or -1 at its end) other than a buffer of the Tensor. */
void rmi_tensor_add_writers(PyObject *tensor, int more);

/* ---- tensor_new.c */
/* Makes a Tensor over the memory of `source`, an array or another object with a buffer. None: the argument
 * was not given. */
RM_MUST_CHECK PyObject *rmi_tensor_from_object(PyObject *source, PyObject *shape, PyObject *dtype,
                                               PyObject *sample_rate, PyObject *channel_layout);
/* The part [start, stop) along the first dimension. */
RM_MUST_CHECK PyObject *rmi_tensor_part(PyObject *tensor, Py_ssize_t start, Py_ssize_t stop);
/* Makes a tensor value over the memory of an object with a buffer; `description` (may be NULL) describes the
 * elements. Copies elements that do not lie as a tensor's can. 1: the elements have no dtype; -1: an
 * exception. *out is owned. */
RM_MUST_CHECK int rmi_tensor_wrap_buffer(const rm_allocator *allocator, PyObject *source,
                                         const char *description, rm_value *out);
/* Whether the elements are aligned for C. */
bool rmi_tensor_is_aligned(const rm_tensor *view);
/* The object whose buffer a tensor value lies over, borrowed; NULL: none. */
RM_MUST_CHECK PyObject *rmi_tensor_source(rm_value tensor);

/* ---- dlpack.c */
/* The object of another library that owns the memory, borrowed; NULL: none. */
PyObject *rmi_tensor_lender(rm_value tensor);
/* Makes a tensor over the memory from `__dlpack__` of `source`. *out is owned. */
RM_MUST_CHECK int rmi_tensor_from_dlpack(const rm_allocator *allocator, PyObject *source, rm_value *out);
/* The methods __dlpack__ and __dlpack_device__ of a Tensor. */
PyObject *rmi_tensor_dlpack(PyObject *self, PyObject *args, PyObject *kwargs);
PyObject *rmi_tensor_dlpack_device(PyObject *self, PyObject *unused);

/* remotemedia.Packet: a value to emit, with its port, times or metadata. Members are owned. */
typedef struct rmi_py_packet {
    PyObject_HEAD PyObject *value, *port, *timestamp, *metadata;
} rmi_py_packet;

/* Seconds (a number or None) as ns; -1 and an exception when they are none. */
RM_MUST_CHECK int rmi_seconds_to_ns(PyObject *seconds, int64_t *ns);
RM_MUST_CHECK PyObject *rmi_ns_to_seconds(int64_t ns);

/* The types; the process' state borrows them for ever. */
RM_MUST_CHECK PyTypeObject *rmi_tensor_type_new(PyObject *module);
RM_MUST_CHECK PyTypeObject *rmi_packet_type_new(PyObject *module);

#endif
