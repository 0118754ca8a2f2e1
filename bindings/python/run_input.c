/* Items from iterables. Where reading an item may have an effect that the caller sees, the results so far come first, as
 * with generators: so one item is read at a time, except from lists, tuples and ranges. */
#include <string.h>

#include "extension.h"

enum { BATCH = 64 };

/* Whether reading an item has no effect that the caller could see: a list, a tuple, a range, or an iterator of one. */
static bool is_inert(PyObject *iterable, PyObject *iterator)
{
    if (iterable != iterator)
        return PyList_CheckExact(iterable) || PyTuple_CheckExact(iterable) ||
               Py_IS_TYPE(iterable, &PyRange_Type);
    return Py_IS_TYPE(iterator, &PyListIter_Type) || Py_IS_TYPE(iterator, &PyTupleIter_Type) ||
           Py_IS_TYPE(iterator, &PyRangeIter_Type);
}

static int add_source(rmi_run_input *input, PyObject *name, PyObject *iterable)
{
    rmi_source *source = &input->sources[input->count++];
    *source = (rmi_source){.iterator = PyObject_GetIter(iterable)};
    if (source->iterator == NULL && PyErr_ExceptionMatches(PyExc_TypeError) &&
        RMI_ASYNC_SLOT(Py_TYPE(iterable), unaryfunc, am_aiter) != NULL)
        PyErr_SetString(PyExc_TypeError, "an asynchronous iterable needs an event loop: arun() or astream()");
    if (name != NULL)
        source->name = PyUnicode_Check(name)
                           ? PyUnicode_AsUTF8String(name)
                           : (PyErr_SetString(PyExc_TypeError, "a source's id must be a str"), NULL);
    if (source->iterator != NULL && !is_inert(iterable, source->iterator))
        input->batch = 1;
    return source->iterator == NULL || (name != NULL && source->name == NULL) ? -1 : 0;
}

static int start(rmi_run_input *input, size_t sources)
{
    *input = (rmi_run_input){.batch = BATCH};
    input->sources = PyMem_Calloc(sources > 0 ? sources : 1, sizeof *input->sources);
    if (input->sources == NULL)
        PyErr_NoMemory();
    return input->sources != NULL ? 0 : -1;
}

/* A dict of a mapping that is none: what collections.abc.Mapping knows. Owned. */
static PyObject *dict_of(PyObject *mapping)
{
    PyObject *dict = PyDict_New();
    if (dict != NULL && PyDict_Update(dict, mapping) != 0)
        Py_CLEAR(dict);
    return dict;
}

int rmi_run_input_open(rmi_run_input *input, PyObject *items, size_t ahead)
{
    enum { IS_MAPPING = 1 << 6 }; /* Py_TPFLAGS_MAPPING, which the limited API does not name */
    PyObject *name = NULL, *iterable = NULL;
    Py_ssize_t place = 0;
    if (!PyDict_Check(items) && (PyType_GetFlags(Py_TYPE(items)) & IS_MAPPING) != 0) {
        PyObject *dict = dict_of(items);
        const int made = dict != NULL ? rmi_run_input_open(input, dict, ahead) : -1;
        Py_XDECREF(dict);
        return made;
    }
    int rc = start(input, PyDict_Check(items) ? (size_t)PyDict_GET_SIZE(items) : 1);
    if (rc == 0 && !PyDict_Check(items))
        rc = add_source(input, NULL, items);
    else
        while (rc == 0 && PyDict_Next(items, &place, &name, &iterable))
            rc = add_source(input, name, iterable);
    if (ahead > 0)
        input->batch = ahead;
    return rc;
}

int rmi_run_input_open_value(rmi_run_input *input, rm_value items)
{
    const bool is_map = items.kind == RM_MAP;
    int rc = start(input, is_map ? rm_map_length(items) : 1);
    rm_value name = rm_null(), list = items;
    for (size_t i = 0; rc == 0 && (is_map ? rm_map_at(items, i, &name, &list) : i == 0); i++) {
        rmi_source *source = &input->sources[input->count++];
        *source = (rmi_source){.list = list};
        if (is_map && (source->name = PyBytes_FromString(rm_string_text(name, NULL))) == NULL)
            rc = -1;
    }
    return rc;
}

void rmi_run_input_close(rmi_run_input *input)
{
    for (size_t i = 0; i < input->count; i++) {
        Py_CLEAR(input->sources[i].iterator);
        Py_CLEAR(input->sources[i].name);
    }
    PyMem_Free(input->sources);
    input->sources = NULL;
    input->count = 0;
    input->is_over = true;
    if (input->has_refused)
        rm_value_clear(&input->refused);
    input->has_refused = false;
}

/* The source whose turn it is; NULL: all are at their end. */
static rmi_source *current(rmi_run_input *input)
{
    if (input->has_refused)
        return &input->sources[input->next];
    for (size_t i = 0; i < input->count; i++) {
        rmi_source *source = &input->sources[(input->next + i) % input->count];
        if (source->iterator != NULL || source->place < rm_list_length(source->list)) {
            input->next = (input->next + i) % input->count;
            return source;
        }
    }
    return NULL;
}

/* 1: *value is the next item; 0: the source is at its end. */
static int read_item(rmi_source *source, rm_value *value)
{
    PyObject *item = NULL;
    if (source->iterator == NULL) {
        *value = rm_value_retain(rm_list_get(source->list, source->place++));
        return 1;
    }
    if ((item = PyIter_Next(source->iterator)) == NULL) {
        Py_CLEAR(source->iterator);
        return PyErr_Occurred() ? -1 : 0;
    }
    const int rc = rmi_input_value(item, value);
    Py_DECREF(item);
    return rc == 0 ? 1 : -1;
}

/* Offers an item, which is consumed unless it is refused. */
static int push(rmi_run_input *input, rmi_source *source, rm_pipeline *pipeline, rm_value value,
                rm_error *err)
{
    const char *name = source->name != NULL ? PyBytes_AS_STRING(source->name) : NULL;
    const int rc = rm_pipeline_push(pipeline, name, value, err);
    input->has_refused = rc == RM_AGAIN;
    if (rc == RM_AGAIN) {
        input->refused = value;
    } else if (rc == RM_DONE) { /* nobody wants more */
        rm_value_clear(&value);
        Py_CLEAR(source->iterator);
        source->list = rm_null();
    } else if (rc == RM_OK) {
        input->given++;
        if (++input->next >= input->count)
            input->next = 0;
    }
    return rc;
}

int rmi_run_input_feed(rmi_run_input *input, const rmi_extension *extension, rm_pipeline *pipeline,
                       size_t *count, rm_error *err)
{
    int rc = RM_OK;
    for (*count = 0; *count < input->batch && rc >= 0 && rc != RM_AGAIN && !input->is_over;) {
        rmi_source *source = current(input);
        if (source == NULL) {
            input->is_over = true;
            rc = rm_pipeline_finish(pipeline, err);
            break;
        }
        rm_value value = input->refused;
        const int read = input->has_refused ? 1 : read_item(source, &value);
        if (read < 0)
            return -1;
        if (read > 0)
            rc = push(input, source, pipeline, value, err);
        *count += read > 0 && rc == RM_OK;
    }
    return rc < 0 ? rmi_raise(extension, err) : 0;
}
