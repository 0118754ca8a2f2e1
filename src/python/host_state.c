/* The state of Python in this process: one interpreter, because extension modules such as numpy cannot be loaded twice. */
#include <stdatomic.h>
#include <string.h>

#include "base/alloc.h"
#include "platform/platform.h"
#include "python/python_host.h"

enum { DEFERRED = 256, KEPT_BOXES = 64 };

/* CPython exists once in a process; so does this state, our only global one. */
static struct process {
    rmi_python python;
    atomic_int started; /* 0, 1: being started, 2 */
    atomic_bool ours;   /* an application has not started it */
    /* References that threads without the GIL have given up. */
    atomic_flag deferring;
    atomic_size_t deferred_count;
    PyObject *deferred[DEFERRED];
    /* Blocks of object values, all of one size; guarded by the GIL. */
    void *boxes[KEPT_BOXES];
    size_t box_count, box_size;
} process = {.deferring = ATOMIC_FLAG_INIT};

rmi_python *rmi_python_of_process(void)
{
    return &process.python;
}

bool rmi_python_is_ours(void)
{
    return atomic_load(&process.started) == 2 && atomic_load(&process.ours);
}

bool rmi_python_has_ended(void)
{
    return atomic_load_explicit(&process.started, memory_order_relaxed) == 2 && !Py_IsInitialized();
}

/* ---- References */

static size_t take_deferred(PyObject **taken)
{
    while (atomic_flag_test_and_set_explicit(&process.deferring, memory_order_acquire))
        ;
    const size_t count = atomic_load_explicit(&process.deferred_count, memory_order_relaxed);
    memcpy(taken, process.deferred, count * sizeof *taken);
    atomic_store_explicit(&process.deferred_count, 0, memory_order_relaxed);
    atomic_flag_clear_explicit(&process.deferring, memory_order_release);
    return count;
}

static void release_deferred(void)
{
    PyObject *taken[DEFERRED];
    const size_t count = take_deferred(taken);
    for (size_t i = 0; i < count; i++)
        Py_DECREF(taken[i]);
}

PyGILState_STATE rmi_enter(void)
{
    const PyGILState_STATE held = rmi_has_gil() ? PyGILState_LOCKED : PyGILState_Ensure();
    process.python.entries += held == PyGILState_UNLOCKED;
    if (atomic_load_explicit(&process.deferred_count, memory_order_relaxed) != 0)
        release_deferred();
    return held;
}

void rmi_leave(PyGILState_STATE held)
{
    if (held == PyGILState_UNLOCKED)
        PyGILState_Release(held);
}

static bool defer(PyObject *object)
{
    while (atomic_flag_test_and_set_explicit(&process.deferring, memory_order_acquire))
        ;
    const size_t count = atomic_load_explicit(&process.deferred_count, memory_order_relaxed);
    const bool fits = count < DEFERRED;
    if (fits) {
        process.deferred[count] = object;
        atomic_store_explicit(&process.deferred_count, count + 1, memory_order_relaxed);
    }
    atomic_flag_clear_explicit(&process.deferring, memory_order_release);
    return fits;
}

void rmi_release(PyObject *object)
{
    if (object == NULL || rmi_python_has_ended())
        return;
    if (rmi_has_gil()) {
        Py_DECREF(object);
    } else if (!defer(object)) {
        const PyGILState_STATE held = rmi_enter();
        Py_DECREF(object);
        rmi_leave(held);
    }
}

/* ---- Blocks of object values */

static void *box_resize(void *context, void *block, size_t old_size, size_t new_size)
{
    const rm_allocator *under = rm_allocator_default();
    (void)context;
    if ((block == NULL) == (new_size == 0) || !rmi_has_gil())
        return under->resize(under->context, block, old_size, new_size);
    if (block == NULL && new_size == process.box_size && process.box_count > 0)
        return process.boxes[--process.box_count];
    if (new_size == 0 && old_size == process.box_size && process.box_count < KEPT_BOXES) {
        process.boxes[process.box_count++] = block;
        return NULL;
    }
    if (process.box_size == 0)
        process.box_size = new_size;
    return under->resize(under->context, block, old_size, new_size);
}

const rm_allocator rmi_box_allocator = {.context = NULL, .resize = box_resize};

/* ---- Starting */

static int intern_names(void)
{
    static const char *const names[] = {
#define NAME_TEXT(name) #name,
        RMI_PYTHON_NAMES(NAME_TEXT)
#undef NAME_TEXT
    };
    for (size_t i = 0; i < RMI_NAME_COUNT; i++)
        if ((process.python.names[i] = PyUnicode_InternFromString(names[i])) == NULL)
            return -1;
    return 0;
}

/* In a forked process: the thread that had the lock is gone. */
static void unlock(void)
{
    atomic_flag_clear(&process.deferring);
}

int rmi_python_set_up(void)
{
    rmi_python *python = &process.python;
    if (intern_names() != 0)
        return -1;
    PyObject *library = PySys_GetObject("_stdlib_dir");
    python->library = PyUnicode_FromFormat(library != NULL ? "%S/" : "/", library);
    python->paths = PyDict_New();
    python->module = PyImport_ImportModule("_remotemedia");
    if (python->library == NULL || python->paths == NULL || python->module == NULL)
        return -1;
    rmi_platform_in_child(unlock);
    return rmi_interrupt_install() == 0 ? rmi_child_install() : -1;
}

int rmi_python_adopt(void)
{
    PyObject *module = rmi_api_load() == 0 ? rmi_module_new() : NULL;
    int rc = module == NULL ? -1 : PyDict_SetItemString(PyImport_GetModuleDict(), "_remotemedia", module);
    Py_XDECREF(module);
    return rc == 0 ? rmi_python_set_up() : -1;
}

int rmi_python_start(const rmi_host *host, rm_error *err)
{
    int expected = 0;
    while (!atomic_compare_exchange_weak(&process.started, &expected, 1)) {
        if (expected == 2)
            return RM_OK;
        expected = 0;
    }
    bool ours = false;
    const int rc = rmi_interpreter_begin(host, &ours, err);
    atomic_store(&process.ours, ours);
    atomic_store(&process.started, rc == RM_OK ? 2 : 0);
    return rc;
}
