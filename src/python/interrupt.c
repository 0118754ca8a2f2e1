/* Stops calls. In Python's main thread a signal's handler raises `Interrupted`; the signal also ends blocking
 * calls such as time.sleep. Python runs handlers in no other thread: there the exception is set for the
 * thread, and raised at its next bytecode. */
#include "base/spin.h"
#include "platform/platform.h"
#include "python/python_node.h"

/* ns: code that catches the exception, or cleans up, has this time until the next one; a node's close has
 * this time until the first. */
static const long long patience = 1000000000;

/* ---- The call */

static PyGILState_STATE enter(rmi_call *call)
{
    const PyGILState_STATE held = rmi_enter();
    rmi_python *python = rmi_python_of_process();
    rmi_spin_lock(&call->guard);
    call->thread = PyThread_get_thread_ident();
    const bool first = call->depth++ == 0;
    rmi_spin_unlock(&call->guard);
    if (first) {
        call->around = rmi_loop_of_thread(call->thread);
        call->next = python->calls;
        python->calls = call;
    }
    if (first && call->state != NULL) {
        call->state->woken = false;
        rmi_context_enter(call->state);
    }
    return held;
}

static void remove_call(rmi_call *call)
{
    rmi_call **link = &rmi_python_of_process()->calls;
    while (*link != call)
        link = &(*link)->next;
    *link = call->next;
}

static void leave(rmi_call *call, PyGILState_STATE held)
{
    rmi_child_check();
    const bool last = call->depth == 1;
    if (last && call->state != NULL && call->state->thread == NULL)
        rmi_context_leave(call->state);
    if (last)
        remove_call(call);
    rmi_spin_lock(&call->guard);
    if (--call->depth == 0 && atomic_load(&call->interrupted)) { /* it must not reach a later call */
        if (call->has_exception)
            (void)PyThreadState_SetAsyncExc(call->thread, NULL);
        call->has_exception = false;
        atomic_store(&call->interrupted, false);
        atomic_store(&call->asked, 0);
        atomic_store(&call->raised, 0);
    }
    rmi_spin_unlock(&call->guard);
    if (call->state != NULL)
        rmi_loop_after_call(call->state);
    rmi_leave(held);
}

PyGILState_STATE rmi_call_enter(rmi_state *state)
{
    return enter(&state->call);
}

void rmi_call_leave(rmi_state *state, PyGILState_STATE held)
{
    leave(&state->call, held);
}

PyGILState_STATE rmi_loading_enter(rmi_host *host)
{
    return enter(&host->loading);
}

void rmi_loading_leave(rmi_host *host, PyGILState_STATE held)
{
    leave(&host->loading, held);
}

void rmi_finishing_enter(void)
{
    (void)enter(&rmi_python_of_process()->finishing);
}

void rmi_finishing_leave(void)
{
    rmi_python *python = rmi_python_of_process();
    leave(&python->finishing, PyGILState_LOCKED);
    while (atomic_load(&python->interrupters) != 0) { /* they wait for the GIL, and somebody waits for them */
        Py_BEGIN_ALLOW_THREADS Py_END_ALLOW_THREADS
    }
}

/* ---- Runs that it makes */

void rmi_inner_run_begin(rmi_inner_run *run, rm_pipeline *pipeline)
{
    rmi_call *call = rmi_python_of_process()->calls;
    const unsigned long here = call != NULL ? PyThread_get_thread_ident() : 0;
    while (call != NULL && call->thread != here)
        call = call->next;
    *run = (rmi_inner_run){.pipeline = pipeline, .call = call};
    if (call == NULL)
        return;
    rmi_spin_lock(&call->guard);
    run->outer = call->inner;
    call->inner = run;
    rmi_spin_unlock(&call->guard);
}

void rmi_inner_run_end(rmi_inner_run *run)
{
    rmi_call *call = run->call;
    if (call == NULL)
        return;
    rmi_spin_lock(&call->guard);
    rmi_inner_run **link = &call->inner;
    while (*link != run)
        link = &(*link)->outer;
    *link = run->outer;
    rmi_spin_unlock(&call->guard);
}

/* Called with the guard held. The runs end, which counts as the first exception of the call. */
static void cancel_inner_runs(rmi_call *call)
{
    for (const rmi_inner_run *run = call->inner; run != NULL; run = run->outer)
        rm_pipeline_cancel(run->pipeline);
    if (call->inner != NULL && atomic_load(&call->raised) == 0)
        atomic_store(&call->raised, rmi_platform_now());
}

/* ---- Interrupting it */

/* Whether the call shall get an exception now; notes the time. */
static bool due(rmi_call *call)
{
    const long long now = rmi_platform_now(), raised = atomic_load(&call->raised);
    if (!atomic_load(&call->interrupted))
        return false;
    if (raised != 0 ? now - raised < patience : call->is_close && now - atomic_load(&call->asked) < patience)
        return false;
    atomic_store(&call->raised, now);
    return true;
}

/* Whether the code in the call may get the exception. The nodes of a run share one event loop, so the code may be a
 * task of another node: it gets the exception only if that node was asked to stop. */
static bool can_break(const rmi_call *call, PyObject *frame)
{
    rmi_state *of = call->state;
    if (of == NULL)
        return true;
    const bool runs_no_loop = rmi_loop_of_thread(call->thread) == call->around;
    return (runs_no_loop || rmi_loop_can_break(call->thread, frame, &of)) && rm_node_cancelled(of->node);
}

/* Sets the exception for a thread that runs no handlers. Waits for the GIL as long as other code keeps it. */
static void set_exception(rmi_call *call)
{
    const PyGILState_STATE held = rmi_enter();
    PyObject *frame = rmi_frame_of(call->thread); /* while we hold the GIL no call begins or ends */
    const bool breakable = can_break(call, frame);
    Py_XDECREF(frame);
    rmi_spin_lock(&call->guard);
    if (call->depth > 0 && breakable && due(call)) {
        call->has_exception = true;
        (void)PyThreadState_SetAsyncExc(call->thread, rmi_python_of_process()->interrupted);
    }
    rmi_spin_unlock(&call->guard);
    rmi_loops_wake();
    rmi_leave(held);
}

/* The caller repeats it until the call ends: a signal that came just before a blocking call does no harm. */
static void interrupt(rmi_call *call)
{
    if (!rmi_spin_try(&call->guard))
        return; /* the call is just beginning or ending; without threads, this code interrupts exactly that */
    const bool running = call->depth > 0;
    const bool by_signal = running && call->thread == rmi_python_of_process()->signal_thread;
    if (running)
        cancel_inner_runs(call);
    if (running && !atomic_load(&call->interrupted)) {
        atomic_store(&call->asked, rmi_platform_now());
        atomic_store(&call->interrupted, true);
    }
    if (by_signal)
        rmi_platform_break_call(call->thread);
    else if (running)
        atomic_fetch_add(&rmi_python_of_process()->interrupters, 1);
    rmi_spin_unlock(&call->guard);
    if (running && !by_signal) {
        set_exception(call);
        atomic_fetch_sub(&rmi_python_of_process()->interrupters, 1);
    }
}

void rmi_interrupt(rm_node *node, void *memory)
{
    rmi_state *state = memory;
    (void)node;
    interrupt(&state->call);
}

void rmi_loading_interrupt(rmi_host *host)
{
    interrupt(&host->loading);
    interrupt(&rmi_python_of_process()->finishing);
}

/* ---- The handler */

static PyObject *on_signal(PyObject *self, PyObject *args)
{
    rmi_python *python = rmi_python_of_process();
    rmi_call *call = python->calls;
    PyObject *frame = PyTuple_GET_SIZE(args) == 2 ? PyTuple_GET_ITEM(args, 1) : Py_None;
    (void)self;
    frame = PyFrame_Check(frame) ? frame : NULL;
    for (; call != NULL; call = call->next)
        if (call->thread == python->signal_thread && can_break(call, frame) && due(call)) {
            PyErr_SetNone(python->interrupted);
            return NULL;
        }
    return Py_NewRef(Py_None);
}

int rmi_interrupt_install(void)
{
    static PyMethodDef handler = {"interrupt", on_signal, METH_VARARGS, NULL};
    const int number = rmi_platform_break_signal();
    PyObject *module = number != 0 ? PyImport_ImportModule("_signal") : NULL;
    PyObject *function = module != NULL ? PyCFunction_New(&handler, NULL) : NULL;
    PyObject *before =
        function != NULL ? PyObject_CallMethod(module, "signal", "iO", number, function) : NULL;
    if (before != NULL)
        rmi_python_of_process()->signal_thread = PyThread_get_thread_ident();
    else if (PyErr_ExceptionMatches(PyExc_ValueError)) /* this is not the main thread */
        PyErr_Clear();
    Py_XDECREF(before);
    Py_XDECREF(function);
    Py_XDECREF(module);
    return PyErr_Occurred() ? -1 : 0;
}
