/* remotemedia.Packet: a node returns or yields one to give a value a port, times or metadata. */
#include "python/convert/convert.h"
#include "python/arrays/tensor_type.h"
#include <stddef.h>

static PyObject *packet_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"value", "port", "timestamp", "metadata", NULL};
    PyObject *value = NULL, *port = Py_None, *timestamp = Py_None, *metadata = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|$OOO:Packet", names, &value, &port, &timestamp,
                                     &metadata))
        return NULL;
    rmi_py_packet *made = (rmi_py_packet *)rmi_object_alloc(type, 0);
    if (made == NULL)
        return NULL;
    made->value = Py_NewRef(value);
    made->port = Py_NewRef(port);
    made->timestamp = Py_NewRef(timestamp);
    made->metadata = Py_NewRef(metadata);
    return (PyObject *)made;
}

static int packet_clear(PyObject *self)
{
    rmi_py_packet *packet = (rmi_py_packet *)self;
    Py_CLEAR(packet->value);
    Py_CLEAR(packet->port);
    Py_CLEAR(packet->timestamp);
    Py_CLEAR(packet->metadata);
    return 0;
}

static int packet_traverse(PyObject *self, visitproc visit, void *arg)
{
    rmi_py_packet *packet = (rmi_py_packet *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(packet->value);
    Py_VISIT(packet->port);
    Py_VISIT(packet->timestamp);
    Py_VISIT(packet->metadata);
    return 0;
}

static void packet_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    (void)packet_clear(self);
    rmi_object_free(self);
}

static PyMemberDef packet_members[] = {
    {"value", Py_T_OBJECT_EX, offsetof(rmi_py_packet, value), 0, "What is sent; None is sent as null."},
    {"port", Py_T_OBJECT_EX, offsetof(rmi_py_packet, port), 0,
     "The output's number or name; None is the first."},
    {"timestamp", Py_T_OBJECT_EX, offsetof(rmi_py_packet, timestamp), 0,
     "Seconds; None takes over the input's."},
    {"metadata", Py_T_OBJECT_EX, offsetof(rmi_py_packet, metadata), 0,
     "A dict; None takes over the input's."},
    {NULL, 0, 0, 0, NULL},
};

PyTypeObject *rmi_packet_type_new(PyObject *module)
{
    PyType_Slot slots[] = {
        {Py_tp_doc, "Packet(value, *, port=None, timestamp=None, metadata=None)\n--\n\n"
                    "A value on its way out of a node, with its output, time or metadata.\n\n"
                    "value: what is sent; None too. port: the output's name or number; None is the first.\n"
                    "timestamp: seconds. metadata: a dict. Without them those of the node's input stay."},
        {Py_tp_new, packet_new},
        {Py_tp_dealloc, packet_dealloc},
        {Py_tp_traverse, packet_traverse},
        {Py_tp_clear, packet_clear},
        {Py_tp_members, packet_members},
        {0, NULL},
    };
    PyType_Spec spec = {.name = "remotemedia.Packet",
                        .basicsize = sizeof(rmi_py_packet),
                        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
                        .slots = slots};
    return (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, NULL);
}
