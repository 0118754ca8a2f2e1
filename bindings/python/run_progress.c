/* A run's progress bar: how many items are done, told to what has update(count) and close(), as tqdm has. */
#include "extension.h"

int rmi_run_progress_open(rmi_run_progress *progress, PyObject *wanted, PyObject *items)
{
    *progress = (rmi_run_progress){0};
    if (wanted == NULL || wanted == Py_None || wanted == Py_False)
        return 0;
    PyObject *module = PyImport_ImportModule("remotemedia._progress");
    if (module != NULL)
        progress->bar = PyObject_CallMethod(module, "bar", "OO", wanted, items != NULL ? items : Py_None);
    Py_XDECREF(module);
    return progress->bar != NULL ? 0 : -1;
}

static int move_to(rmi_run_progress *progress, int64_t done)
{
    if (done <= progress->done)
        return 0;
    PyObject *told = PyObject_CallMethod(progress->bar, "update", "L", (long long)(done - progress->done));
    progress->done = done;
    Py_XDECREF(told);
    return told != NULL ? 0 : -1;
}

int rmi_run_progress_note(rmi_run_progress *progress, const rm_packet *result)
{
    if (progress->bar == NULL || result->seq < 0 || result->seq >= RM_SEQ_END)
        return 0;
    return move_to(progress, result->seq + 1);
}

void rmi_run_progress_close(rmi_run_progress *progress, int64_t items)
{
    PyObject *exception = PyErr_GetRaisedException(), *bar = progress->bar;
    int rc = 0;
    if (bar == NULL) {
        PyErr_SetRaisedException(exception);
        return;
    }
    if (items > 0)
        rc = move_to(progress, items);
    if (rc != 0)
        PyErr_WriteUnraisable(bar);
    progress->bar = NULL;
    PyObject *told = PyObject_CallMethod(bar, "close", NULL);
    if (told == NULL)
        PyErr_WriteUnraisable(bar);
    Py_XDECREF(told);
    Py_DECREF(bar);
    PyErr_SetRaisedException(exception);
}
