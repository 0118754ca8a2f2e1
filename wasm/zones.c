/* Finds the zones inside, and the module _zones: what zoneinfo asks for them (python/wasi/zoneinfo.*.py). */
#include "wasm/zones.h"

#include <string.h>

#include "wasm/modules.h"

const unsigned char *rmi_zone_find(const char *name, size_t *size)
{
    size_t low = 0, high = rmi_zone_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = strcmp(name, rmi_zone_rows[middle].name);
        if (order == 0) {
            *size = rmi_zone_rows[middle].size;
            return rmi_zone_bytes + rmi_zone_rows[middle].offset;
        }
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

static PyObject *find(PyObject *module, PyObject *key)
{
    size_t size = 0;
    (void)module;
    const char *name = PyUnicode_AsUTF8(key);
    const unsigned char *bytes = name != NULL ? rmi_zone_find(name, &size) : NULL;
    if (bytes != NULL)
        return PyBytes_FromStringAndSize((const char *)bytes, (Py_ssize_t)size);
    return name != NULL ? Py_NewRef(Py_None) : NULL;
}

static PyObject *names(PyObject *module, PyObject *unused)
{
    PyObject *all = PyList_New(0);
    int rc = all == NULL ? -1 : 0;
    (void)module, (void)unused;
    for (size_t i = 0; rc == 0 && i < rmi_zone_count; i++) {
        PyObject *name = PyUnicode_FromString(rmi_zone_rows[i].name);
        rc = name == NULL ? -1 : PyList_Append(all, name);
        Py_XDECREF(name);
    }
    if (rc != 0)
        Py_CLEAR(all);
    return all;
}

static PyMethodDef functions[] = {
    {"find", find, METH_O, "find(name)\n\nThe file of a zone, or None."},
    {"names", names, METH_NOARGS, "names()\n\nAll names."},
    {0},
};

static PyModuleDef definition = {PyModuleDef_HEAD_INIT, .m_name = "_zones", .m_methods = functions};

PyObject *rmi_zones_module(void)
{
    return PyModuleDef_Init(&definition);
}
