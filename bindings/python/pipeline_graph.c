/* What a picture of a pipeline needs: its nodes and connections. */
#include "extension.h"
#include "graph/graph.h"

static const char *kind_of(const rmi_graph_node *node)
{
    if (rmi_wants_sandbox(node->source))
        return "sandbox";
    return node->resolver == NULL ? "native" : "Python";
}

static PyObject *node_list(const rmi_graph *graph)
{
    PyObject *list = PyList_New(0);
    for (uint32_t i = 0; list != NULL && i < graph->node_count; i++) {
        const rmi_graph_node *node = &graph->nodes[i];
        PyObject *each = Py_BuildValue("(sss)", node->source->id, node->source->node_type, kind_of(node));
        if (each == NULL || PyList_Append(list, each) != 0)
            Py_CLEAR(list);
        Py_XDECREF(each);
    }
    return list;
}

static PyObject *connection_list(const rm_manifest *manifest)
{
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list != NULL && i < manifest->connection_count; i++) {
        const rmi_manifest_connection *at = &manifest->connections[i];
        PyObject *each = Py_BuildValue("(szsz)", at->from, at->from_port, at->to, at->to_port);
        if (each == NULL || PyList_Append(list, each) != 0)
            Py_CLEAR(list);
        Py_XDECREF(each);
    }
    return list;
}

PyObject *rmi_pipeline_graph(PyObject *object, PyObject *unused)
{
    const rmi_pipeline_object *self = (rmi_pipeline_object *)object;
    rmi_graph graph = {0};
    rm_error err = {0};
    PyObject *nodes = NULL, *connections = NULL, *made = NULL;
    (void)unused;
    int rc = rmi_graph_take(self->manifest, &graph, &err);
    if (rc == RM_OK) {
        nodes = node_list(&graph);
        connections = connection_list(self->manifest);
        rc = rmi_graph_keep(self->manifest, &graph, &err);
    } else {
        rmi_graph_free(&graph);
    }
    if (rc != RM_OK)
        (void)rmi_raise(self->extension, &err);
    else if (nodes != NULL && connections != NULL)
        made = Py_BuildValue("(sOO)", self->manifest->name, nodes, connections);
    Py_XDECREF(nodes);
    Py_XDECREF(connections);
    return made;
}
