#include "wasm/snapshot.h"

#include <string.h>
#include <time.h>
#include <wasi/libc-environ.h>

#include "python/python_host.h"

/* wasi-libc has it, but not in a header: the mapped directories are looked up again at the next use. */
void __wasilibc_reset_preopens(void);

static int call(const char *function)
{
    PyObject *module = PyImport_ImportModule("_remotemedia_snapshot");
    PyObject *done = module != NULL ? PyObject_CallMethod(module, function, NULL) : NULL;
    const int rc = done == NULL ? -1 : 0;
    Py_XDECREF(done);
    Py_XDECREF(module);
    return rc;
}

/* ---- Before the image */

int rmi_snapshot_prepare(rm_error *err)
{
    const rmi_host host = {0};
    int rc = rmi_python_start(&host, err);
    if (rc != RM_OK)
        return rc;
    const PyGILState_STATE held = rmi_enter();
    if (call("prepare") != 0)
        rc = rmi_python_failed(NULL, err);
    rmi_leave(held);
    __wasilibc_deinitialize_environ();
    __wasilibc_reset_preopens();
    return rc;
}

/* ---- After the image */

/* The C library counts the process's time from its constructors, which ran before the image: the linker
 * replaces its functions by these (--wrap). */
clock_t __real___clock(void);
clock_t __wrap___clock(void);
clock_t __wrap_clock(void);
static clock_t resumed_at;

clock_t __wrap___clock(void)
{
    return __real___clock() - resumed_at;
}

clock_t __wrap_clock(void)
{
    return __wrap___clock();
}

static int put_variable(PyObject *variables, const char *text)
{
    const char *equals = strchr(text, '=');
    if (equals == NULL)
        return 0;
    PyObject *name = PyBytes_FromStringAndSize(text, equals - text), *value = PyBytes_FromString(equals + 1);
    const int rc =
        name != NULL && value != NULL && PyDict_SetDefault(variables, name, value) != NULL ? 0 : -1;
    Py_XDECREF(value);
    Py_XDECREF(name);
    return rc;
}

/* os.environ keeps its variables in posix.environ, so code that has imported either sees the new ones. */
static int refresh_environment(void)
{
    PyObject *posix = PyImport_ImportModule("posix");
    PyObject *variables = posix != NULL ? PyObject_GetAttrString(posix, "environ") : NULL;
    int rc = variables == NULL ? -1 : 0;
    if (rc == 0)
        PyDict_Clear(variables);
    for (char **at = __wasilibc_get_environ(); rc == 0 && at != NULL && *at != NULL; at++)
        rc = put_variable(variables, *at);
    Py_XDECREF(variables);
    Py_XDECREF(posix);
    return rc;
}

int rmi_snapshot_resume(rm_error *err)
{
    int rc = RM_OK;
    resumed_at = __real___clock();
    __wasilibc_maybe_reinitialize_environ_eagerly();
    const PyGILState_STATE held = rmi_enter();
    if (refresh_environment() != 0 || call("resume") != 0 || rmi_python_redirect_streams() != 0)
        rc = rmi_python_failed(NULL, err);
    rmi_leave(held);
    return rc;
}
