/* CPython inside. One interpreter a process, started by the first Python node and never ended; a file each:
 *   host_state.c   the state, threads that enter             search_path.c    where modules of the user lie
 *   api.h          Python's API in its versions              older_api.c, limited_api.c  what some of them lack
 *   interp.c       the interpreter of the program            paths.c          where its library lies
 *   attach.c       the resolver of a runtime                 find_class.c     from a name to a class
 *   code_module.c  code in the manifest
 *   class_description.c, class_params.c  what the class's docstring and __init__ say
 *   python_node.c  open, flush, close                        process_items.c  process, item after item
 *   generate.c     nodes that generate                       python_stream.c  nodes that take the stream
 *   coroutines.c   nodes whose results come later            event_loop.c     their polls run the loop
 *   run_loop.c     which loop a run has                      tasks.c, item_coroutine.c  tasks of nodes
 *   async_iteration.c, iteration_coroutine.c  asynchronous iterators, a task each
 *   ready.c        values that need no waiting             context.c        context variables of nodes
 *   stream_thread.c  threads of streaming nodes              interrupt.c      stopping a call
 *   returned_values.c  values that a node gives              exceptions.c     exceptions as errors
 *   module.c, packet_type.c  what Python code sees           exit.c           os._exit
 *   keyboard_interrupt.c  interrupts that Python code asks for
 *   finish.c       the end of the program                    child.c          processes that nodes fork
 *   signals.c      the program's signals, as nodes see them
 * In convert/: to_python.c converts plain values to objects, to_value.c objects to plain values, to_wire.c
 * objects to bytes, from_wire.c bytes to Python's own types; copy.c copies objects for branches, and
 * copyable.c knows which objects it can copy; advice.c says how the user can convert others.
 * In arrays/: array.c has arrays of numpy and others; dlpack.c the structures in which libraries exchange
 * them; scalars.c numpy's numbers; tensor_type.c and tensor_new.c remotemedia.Tensor; compute.c arithmetic for the package;
 * memory_owners.c finds out who may change an array's memory.
 * Unless a comment says otherwise, the caller of a function holds the GIL (between rmi_enter and rmi_leave),
 * PyObject results are new references, and NULL or -1 means that a Python exception is set. */
#ifndef PYTHON_PYTHON_HOST_H
#define PYTHON_PYTHON_HOST_H

#include <stdatomic.h>

#include "base/text.h"
#include "python/api.h"
#include "remotemedia/node.h"

/* The deepest nesting of values: the same limit as for JSON. */
enum { RMI_PYTHON_DEPTH = 200, RMI_PYTHON_KEYS = 256 };

/* Names that are looked up often, interned. */
/* clang-format off */
#define RMI_PYTHON_NAMES(X) \
    X(process) X(initialize) X(cleanup) X(flush) X(generate) X(name) X(is_streaming) X(is_source) \
    X(max_in_flight) X(outputs) X(done) X(result) X(close) X(cancel) X(add_done_callback) X(step) \
    X(finish) X(deadline) X(descriptor) X(wake) X(await_one) X(set_result) X(end) X(aclose) X(athrow) \
    X(set_exception) X(create_future) X(finish_soon) X(throw) X(call_soon) X(get_context) X(leave) X(__init__) \
    X(__dataclass_fields__) \
    X(__dlpack__) X(__dlpack_device__) X(numpy) X(ndarray) X(generic) X(base) X(flags) X(writeable) \
    X(setflags) X(nbytes) X(__copy__) X(__array_struct__) X(tensor) X(__array__) X(arrays) X(loop) X(hooks) \
    X(take) X(give) X(settle)
/* clang-format on */
typedef enum rmi_python_name {
#define RMI_NAME_INDEX_(name) RMI_NAME_##name,
    RMI_PYTHON_NAMES(RMI_NAME_INDEX_)
#undef RMI_NAME_INDEX_
        RMI_NAME_COUNT
} rmi_python_name;

struct rmi_state;

/* A run that code of a call makes in the call's thread. It is cancelled when the call is asked to stop. */
typedef struct rmi_inner_run {
    rm_pipeline *pipeline;
    struct rmi_call *call; /* NULL: none is in progress in this thread */
    struct rmi_inner_run *outer;
} rmi_inner_run;

/* A call in progress, as another thread needs it to interrupt the call. */
typedef struct rmi_call {
    atomic_flag guard;                 /* held for a few instructions at a time */
    unsigned long thread;              /* the thread that the call runs in; guarded */
    unsigned depth;                    /* 0: no call; guarded */
    atomic_bool interrupted;           /* the call was asked to stop */
    bool is_close;                     /* a close: it gets a second before the first exception */
    bool has_exception;                /* an exception was set for the thread */
    atomic_llong asked, raised;        /* ns: first request to stop, last exception; 0: not yet */
    struct rmi_call *next;             /* the call that began before this one; guarded by the GIL */
    struct rmi_state *state;           /* the node's; NULL: a call that loads code */
    const struct rmi_run_loop *around; /* whose code ran in the thread when the call began; or NULL */
    rmi_inner_run *inner;              /* list of runs in progress, the innermost first; guarded */
} rmi_call;

/* The state of Python in this process. */
typedef struct rmi_python {
    PyObject *module; /* _remotemedia */
    PyTypeObject *tensor_type, *packet_type, *stream_type, *ready_type, *waker_type, *iteration_type,
        *run_loop_type, *item_coroutine_type;
    PyTypeObject *array_type, *scalar_type; /* numpy's, after the first array; before it NULL */
    PyObject *error;                        /* an error of the runtime on its way through Python */
    PyObject *interrupted;                  /* the exception class that ends a call from outside */
    PyObject *names[RMI_NAME_COUNT];
    /* Keys of maps that were used lately: ASCII strings by their letters, and interned ones with their
     * text. */
    PyObject *keys[RMI_PYTHON_KEYS];
    struct {
        PyObject *key;
        rm_value text;
    } texts[RMI_PYTHON_KEYS];
    /* Directories, ending with a slash: frames in the standard library's are not the user's, nor those in our package's
     * where that lies in a directory (else NULL). */
    PyObject *library, *package;
    PyObject *paths; /* {directory: as the user wrote it} */
    /* asyncio; set at the first coroutine. */
    PyObject *loop_module, *task_type, *task_keywords, *set_running, *get_running, *current_task, *swap_task,
        *cancelled_error;
    /* The context variable whose value is the guest, or the RunLoop, of the run that is opened, or None. */
    PyObject *loop_variable;
    PyObject *node_variable;          /* the context variable whose value is the node's waker */
    struct rmi_run_loop *shared_loop; /* of runs that have none of their own; NULL before the first of them */
    struct rmi_run_loop
        *entered; /* list of loops whose code runs, in all threads; a thread's innermost comes first */
    struct rmi_state *waiting;   /* list of nodes with pending work */
    unsigned long signal_thread; /* in which Python runs signal handlers; 0: ours is not installed */
    PyObject *int_handler;       /* SIGINT's, as Python code sees it; NULL: an application's interpreter */
    rmi_call *calls;             /* in progress, in all threads; the innermost of a thread comes first */
    rmi_call finishing;          /* the call of rm_python_finish */
    uint64_t entries;            /* how often a thread has taken the GIL for code of ours */
    atomic_uint interrupters;    /* threads that are about to take the GIL to interrupt a call */
    bool in_environment,
        includes_base;     /* a virtual environment; with the packages of the Python that made it */
    bool keeps_exceptions; /* an error's detail is the exception itself: the run's caller is Python code */
    bool finished;         /* rm_python_finish has returned: its thread keeps the GIL */
    bool ends_here;        /* a node's code has forked this process: it has no run to return to */
} rmi_python;

/* ---- host_state.c */
/* The process's state. Its members are set once the interpreter has started. */
rmi_python *rmi_python_of_process(void);
static inline PyObject *rmi_name(rmi_python_name name)
{
    return rmi_python_of_process()->names[name];
}
/* Starts the interpreter unless it runs already. Any thread, without the GIL. */
struct rmi_host;
RM_MUST_CHECK int rmi_python_start(const struct rmi_host *host, rm_error *err);
/* Adds the module `_remotemedia` to the interpreter that runs, and fills in the process's state. */
RM_MUST_CHECK int rmi_python_adopt(void);
/* Fills in the process's state, once the module can be imported. */
RM_MUST_CHECK int rmi_python_set_up(void);
/* Whether the interpreter runs and was started here, not by an application. Any thread. */
bool rmi_python_is_ours(void);
/* Whether an application has finalized its own interpreter: nobody may then touch anything of Python. Any
 * thread. */
bool rmi_python_has_ended(void);
/* The calling thread takes the GIL (nested calls are cheap) and gives it back. */
PyGILState_STATE rmi_enter(void);
void rmi_leave(PyGILState_STATE held);
/* Gives up a reference (NULL: none). Any thread, with or without the GIL; without it, the reference may be
 * freed later. */
void rmi_release(PyObject *object);
/* Memory for object values: blocks are kept for the next one. */
extern const rm_allocator rmi_box_allocator;

/* ---- interp.c; the extension module of the Python package has a function of its own */
/* Starts an interpreter, which is *ours, or adopts the application's. Without the GIL, or with an application's. */
RM_MUST_CHECK int rmi_interpreter_begin(const struct rmi_host *host, bool *ours, rm_error *err);
/* Makes standard error the output of Python code, and gives it empty input. */
RM_MUST_CHECK int rmi_python_redirect_streams(void);

/* ---- run_loop.c */
/* An event loop for one run: the value of the process's loop_variable while the run is opened. */
RM_MUST_CHECK PyObject *rmi_run_loop_new(void);

/* ---- ready.c */
RM_MUST_CHECK PyTypeObject *rmi_ready_type_new(PyObject *module);
/* The awaitable for a value (consumed); NULL: for the end of an iteration. */
RM_MUST_CHECK PyObject *rmi_ready_new(PyObject *value);

/* ---- interrupt.c */
/* Installs the signal that ends blocking calls of Python code, where that is possible; else does nothing. */
RM_MUST_CHECK int rmi_interrupt_install(void);
/* Begins and ends a part of a run that takes long. */
void rmi_inner_run_begin(rmi_inner_run *run, rm_pipeline *pipeline);
void rmi_inner_run_end(rmi_inner_run *run);

/* ---- signals.c */
/* Lets Python code see and set the handlers of the signals that the program has taken. */
RM_MUST_CHECK int rmi_signals_install(void);
/* In a forked process: SIGINT's handler is Python's own. */
RM_MUST_CHECK int rmi_signals_in_child(void);

/* ---- child.c */
/* Prepares for processes that nodes fork. */
RM_MUST_CHECK int rmi_child_install(void);
/* Ends the process that a node's code has forked, with Python's exit functions. An exception that is set counts as one
 * that nobody handles. */
_Noreturn void rmi_child_end(void);
/* To be called where the code of a node has come back, before anything happens that others can see. */
static inline void rmi_child_check(void)
{
    if (rmi_python_of_process()->ends_here)
        rmi_child_end();
}

/* ---- finish.c */
/* Waits for threads, calls exit functions, writes the buffers of files. What rm_runtime_interrupt has ended is appended to
 * `left`. */
void rmi_run_exit_functions(rmi_text *left);

/* After rm_python_finish, in its thread: frees what modules of the user hold. */
void rmi_free_modules(void);
/* Sets the variables of a module to None, the last one first, except functions, classes and modules. So an object goes
 * while what it uses is still there; a collection of garbage would know no order. */
void rmi_forget_variables(PyObject *module);

/* ---- exit.c */
/* Makes os._exit raise SystemExit, except in forked processes. */
RM_MUST_CHECK int rmi_exit_install(void);

/* ---- keyboard_interrupt.c */
/* Makes the interrupts for which Python code asks raise KeyboardInterrupt. */
RM_MUST_CHECK int rmi_keyboard_interrupt_install(void);

/* ---- paths.c */
/* What rm_python_attach was given, and what the resolver needs. */
typedef struct rmi_host {
    rm_runtime *runtime;
    const rm_allocator *allocator;
    char *home;   /* NULL: beside the program */
    char **paths; /* path_count of them */
    size_t path_count;
    int64_t seed;
    bool has_seed, prepared; /* prepared: paths are on sys.path, random is seeded */
    rm_arrays arrays;        /* for nodes that do not choose */
    rmi_text looked;
    const char *beside; /* during a resolve: the manifest's directory, or NULL */
    rmi_call loading;   /* a resolve or describe */
} rmi_host;
/* Fills `config` with every path, so that nothing is searched for. Before the interpreter runs. */
struct PyConfig;
RM_MUST_CHECK int rmi_paths_configure(const rmi_host *host, struct PyConfig *config, rm_error *err);
/* In a virtual environment with a Python: does what the module `site`, whose own code does not run, would do with
 * sys.prefix and its own prefixes. */
RM_MUST_CHECK int rmi_paths_enter_environment(void);

/* ---- search_path.c */
/* Puts the host's directories before all others, and seeds `random` where the host has a seed; once a
 * host. */
RM_MUST_CHECK int rmi_paths_prepare(rmi_host *host);
/* Puts the manifest's directory behind all others: a file beside it never hides a module of Python's. */
RM_MUST_CHECK int rmi_paths_beside(const char *directory);
/* The file of a frame as the user names it: "DIR/x.py" for a file in a directory that the user gave as
 * DIR. */
RM_MUST_CHECK PyObject *rmi_paths_as_given(PyObject *file);

/* ---- exceptions.c */
/* Describes the exception that is set, and clears it. Returns the code: RM_E_PYTHON, with the user's frames;
 * RM_E_CANCELLED where the call was interrupted. `node` may be NULL. */
int rmi_python_failed(rm_node *node, rm_error *err);
/* Drops the exception that is set, if one is. A KeyboardInterrupt is raised again by the next Python code: a signal came
 * while code of ours ran, which is not what it was meant for. */
void rmi_drop_exception(void);
/* Whether a file is the user's, or of a package that the user installed. */
bool rmi_is_users(const char *file);
/* The text of an object for C, as bytes, with NULs and lone surrogates escaped. NULL without an exception: it
 * has no text. */
RM_MUST_CHECK PyObject *rmi_text_of(PyObject *object);
/* Raises an error of ours (cleared) as a `_remotemedia.Error`. rmi_python_failed makes the same code and text
 * of it again. */
void rmi_python_raise(rm_error *err);

/* ---- code_module.c */
/* Gives the lines of all code in manifests to linecache. No exception is set before or after. */
void rmi_code_show(void);

/* ---- module.c */
/* The module `_remotemedia`. The process's state keeps its types. */
RM_MUST_CHECK PyObject *rmi_module_new(void);
/* compute.c: adds the function `compute` to the module. */
RM_MUST_CHECK int rmi_compute_add(PyObject *module);
/* The one cast of a function: by its flags, Python calls a method with keywords through its real type. */
#define RMI_METHOD(function) ((PyCFunction)(void *)(function))

#endif
