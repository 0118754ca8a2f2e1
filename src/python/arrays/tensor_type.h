/* remotemedia.Tensor and remotemedia.Packet, as C sees them. Threads and references: see python_host.h. */
#ifndef PYTHON_ARRAYS_TENSOR_TYPE_H
#define PYTHON_ARRAYS_TENSOR_TYPE_H

#include "python/python_host.h"

/* A tensor value (borrowed) as a Tensor over the same memory; times in ns or RM_NO_TIME. */
RM_MUST_CHECK PyObject *rmi_tensor_to_python(rm_value tensor, int64_t timestamp, int64_t duration);
/* The Tensor of a packet, which gives its value away: memory that nobody else holds may be written to. */
RM_MUST_CHECK PyObject *rmi_tensor_of_packet(rm_packet *packet);
bool rmi_tensor_check(PyObject *object);
/* The value inside, borrowed. */
rm_value rmi_tensor_value(PyObject *tensor);
/* The value for one more owner; a copy where somebody may still write to the memory. Who holds the Tensor beyond `held`
 * references cannot write to it any more. *out is owned. */
RM_MUST_CHECK int rmi_tensor_take(PyObject *tensor, Py_ssize_t held, rm_value *out, rm_error *err);
/* The times it carries: ns or RM_NO_TIME. */
void rmi_tensor_times(PyObject *tensor, int64_t *timestamp, int64_t *duration);
/* How many buffers there are through which the memory may be written to; whether a further one could be had now, or when
 * others have given the memory up. */
Py_ssize_t rmi_tensor_writers(PyObject *tensor);
bool rmi_tensor_is_writable(PyObject *tensor);
bool rmi_tensor_may_be_writable(PyObject *tensor);
/* No further one can be had. */
void rmi_tensor_freeze(PyObject *tensor);
/* One more or one less, from elsewhere than its buffer. */
void rmi_tensor_add_writers(PyObject *tensor, int more);

/* ---- tensor_new.c */
/* A Tensor over the memory of `source`, an array or another object with a buffer; None stands for an argument that was
 * not given. */
RM_MUST_CHECK PyObject *rmi_tensor_from_object(PyObject *source, PyObject *shape, PyObject *dtype,
                                               PyObject *sample_rate, PyObject *channel_layout);
/* The part [start, stop) along the first dimension. */
RM_MUST_CHECK PyObject *rmi_tensor_part(PyObject *tensor, Py_ssize_t start, Py_ssize_t stop);
/* The memory of an object with a buffer as a tensor value, its elements as `description` (may be NULL) says; copied where
 * they do not lie as a tensor's can. 1: it has a buffer, but elements without a dtype; -1: an exception. *out is owned. */
RM_MUST_CHECK int rmi_tensor_wrap_buffer(const rm_allocator *allocator, PyObject *source,
                                         const char *description, rm_value *out);
/* Whether the elements lie where C may read them one by one. */
bool rmi_tensor_is_aligned(const rm_tensor *view);
/* The object whose buffer a tensor value lies over, borrowed; NULL: none. */
RM_MUST_CHECK PyObject *rmi_tensor_source(rm_value tensor);

/* ---- dlpack.c */
/* The object of another library whose memory it is, borrowed; NULL: none. */
PyObject *rmi_tensor_lender(rm_value tensor);
/* The memory that `__dlpack__` of `source` hands over. *out is owned. */
RM_MUST_CHECK int rmi_tensor_from_dlpack(const rm_allocator *allocator, PyObject *source, rm_value *out);
/* The methods __dlpack__ and __dlpack_device__ of a Tensor. */
PyObject *rmi_tensor_dlpack(PyObject *self, PyObject *args, PyObject *kwargs);
PyObject *rmi_tensor_dlpack_device(PyObject *self, PyObject *unused);

/* remotemedia.Packet: a value on its way out, with more said about it. Members are owned. */
typedef struct rmi_py_packet {
    PyObject_HEAD PyObject *value, *port, *timestamp, *metadata;
} rmi_py_packet;

/* Seconds (a number or None) as ns; -1 and an exception when they are none. */
RM_MUST_CHECK int rmi_seconds_to_ns(PyObject *seconds, int64_t *ns);
RM_MUST_CHECK PyObject *rmi_ns_to_seconds(int64_t ns);

/* The types; borrowed by the process' state for ever. */
RM_MUST_CHECK PyTypeObject *rmi_tensor_type_new(PyObject *module);
RM_MUST_CHECK PyTypeObject *rmi_packet_type_new(PyObject *module);

#endif
