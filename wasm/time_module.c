/* The parts that Python's module `time` lacks in WASI, where the C library has no clock for a thread and no
 * time zones. The linker redirects the module's first step to this file (--wrap). */
#include <Python.h>
#include <string.h>
#include <time.h>

#include "wasm/time_zone.h"

PyObject *__real_PyInit_time(void);
PyObject *__wrap_PyInit_time(void);

enum { SLOTS = 8 };

/* Sets the tuples and numbers of the zone: by the clock in January and in July, as CPython does. */
static int set_zone(PyObject *module)
{
    const int64_t year = (365 * 24 + 6) * INT64_C(3600);
    const int64_t january = (int64_t)time(NULL) / year * year;
    rmi_local_type standard = rmi_time_zone_at(january), summer = rmi_time_zone_at(january + year / 2);
    if (standard.offset > summer.offset) { /* south of the equator */
        const rmi_local_type other = standard;
        standard = summer;
        summer = other;
    }
    PyObject *names = Py_BuildValue("(ss)", standard.name, summer.name);
    const int rc =
        PyModule_AddIntConstant(module, "timezone", -standard.offset) != 0 ||
                PyModule_AddIntConstant(module, "altzone", -summer.offset) != 0 ||
                PyModule_AddIntConstant(module, "daylight", standard.offset != summer.offset) != 0 ||
                PyModule_AddObjectRef(module, "tzname", names) != 0
            ? -1
            : 0;
    Py_XDECREF(names);
    return rc;
}

static PyObject *tzset(PyObject *module, PyObject *unused)
{
    (void)unused;
    rmi_time_zone_read();
    return set_zone(module) == 0 ? Py_NewRef(Py_None) : NULL;
}

static PyMethodDef functions[] = {
    {"tzset", tzset, METH_NOARGS, "tzset()\n\nReads the environment variable TZ again."},
    {0},
};

/* Adds the clocks of the thread: there is one thread, so its time is the process's. */
static int add(PyObject *module)
{
    static const char *const same[][2] = {{"thread_time", "process_time"},
                                          {"thread_time_ns", "process_time_ns"}};
    int rc = PyModule_AddFunctions(module, functions);
    for (size_t i = 0; rc == 0 && i < sizeof same / sizeof *same; i++) {
        PyObject *function = PyObject_GetAttrString(module, same[i][1]);
        rc = PyModule_AddObjectRef(module, same[i][0], function);
        Py_XDECREF(function);
    }
    return rc;
}

/* The module's own steps, then `add`. */
PyObject *__wrap_PyInit_time(void)
{
    static PyModuleDef_Slot slots[SLOTS];
    PyModuleDef *definition = (PyModuleDef *)__real_PyInit_time();
    if (definition == NULL || definition->m_slots == slots)
        return (PyObject *)definition;
    size_t count = 0;
    while (definition->m_slots[count].slot != 0)
        if (++count > SLOTS - 2)
            return PyErr_Format(PyExc_SystemError, "the module time has more steps than known");
    memcpy(slots, definition->m_slots, count * sizeof *slots);
    slots[count] = (PyModuleDef_Slot){Py_mod_exec, (void *)add};
    slots[count + 1] = (PyModuleDef_Slot){0, NULL};
    definition->m_slots = slots;
    return (PyObject *)definition;
}
