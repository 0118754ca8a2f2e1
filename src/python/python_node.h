/* One Python node: what its class is (rmi_class, made by the resolver) and how its instance stands
 * (rmi_state). Threads and references: see python_host.h. */
#ifndef PYTHON_PYTHON_NODE_H
#define PYTHON_PYTHON_NODE_H

#include "data/builder.h"
#include "python/python_host.h"

/* One use of a class in a manifest: what the resolver attaches. Members are owned. */
typedef struct rmi_class {
    rm_node_type type; /* made for this class: its ports, its slots */
    rmi_host *host;    /* borrowed */
    PyObject *object;  /* the class; for code that defines `process`: its module */
    PyObject *module;  /* of code in the manifest; else NULL */
    PyObject *outputs; /* tuple of the output ports' names */
    char *name;        /* as the manifest writes the type */
    rm_port *ports;
    size_t port_count;
    bool is_module;                 /* code in the manifest, which defines functions */
    bool takes_items, takes_stream; /* has process, which takes items or the stream */
    bool generates;                 /* has generate or is_source, and no input in this pipeline */
    bool pulls_process;             /* is_source: call process(None) until it returns None */
    bool is_async;                  /* process is asynchronous */
    bool takes_arrays;              /* it gets tensors as numpy's arrays */
} rmi_class;

/* The result of a call of the user's code, on its way to packets. */
typedef struct rmi_python_work {
    struct rmi_python_work *next;
    uint64_t token;      /* of its packet, when pending */
    PyObject *task;      /* the asyncio task in progress, or NULL */
    PyObject *coroutine; /* of the task, where it is an ItemCoroutine; else NULL */
    PyObject *iteration; /* the coroutine of the task, where it runs an asynchronous iterator; else NULL */
    PyObject *iterator;  /* the iterator that is being drained, or NULL */
    bool iterates;       /* drains any iterable, not only a generator */
    bool drains;         /* drains any iterator */
    bool gave_nothing;   /* the last result was None */
    bool watched;        /* the task wakes the node when it is done */
    bool abandoned;      /* nobody wants the result */
} rmi_python_work;

typedef struct rmi_python_stream rmi_python_stream;
struct rmi_thread;

typedef struct rmi_state {
    rm_node *node;
    const rmi_class *class;
    PyObject *instance;
    PyObject *function, *self; /* process(self, item); self NULL: process(item) */
    PyObject *flush;           /* the bound method, or NULL */
    PyObject *spare;           /* an int that nobody else holds, to be reused for the next item; or NULL */
    rmi_call call;
    bool flushing;
    bool started, ended;    /* the stream or the source has begun, has ended */
    rmi_python_work work;   /* not pending: the work that RM_MORE continues */
    rmi_python_work *works; /* pending ones, oldest first; owned */
    PyObject *waker;        /* tasks call it when they are done */
    PyObject *broken;       /* the exception that has left a task of the node's, or NULL */
    struct rmi_state *next_waiting;
    bool waiting;              /* in the list of nodes with pending work */
    int64_t announced;         /* the time at which poll asked to be called again */
    rmi_python_stream *stream; /* owned */
    rm_wait *wait;             /* filled in by a poll in progress */
    struct rmi_thread *thread; /* the thread for all code of the node; NULL: the caller's */
    /* Values that one call may emit, in a thread or from an asynchronous iterator; those left in this call. */
    unsigned batch, left;
    PyObject *context;            /* the node's context variables; owned */
    bool in_context;              /* the thread that runs its code has entered it */
    bool has_tasks;               /* it has run code in the loop, which may have made tasks */
    bool polling;                 /* its poll runs the loop */
    bool finishing;               /* a call of it waits in the loop */
    struct rmi_run_loop *loop;    /* the run's; NULL: the run is a guest */
    PyObject *guest, *guest_loop; /* the run is a guest of its caller's loop; else NULL */
    unsigned guest_depth;         /* parts of the slot that run code of the loop */
    bool woken;                   /* the guest knows that the node has something to do; until its next slot */
    int64_t closing;              /* when the user's code was told that its stream is unwanted; 0: not yet */
} rmi_state;

/* ---- interrupt.c */
/* Begins and ends a part of a slot that may run user code: takes the GIL, and notes the call for
 * `interrupt`. */
PyGILState_STATE rmi_call_enter(rmi_state *state);
void rmi_call_leave(rmi_state *state, PyGILState_STATE held);
static inline bool rmi_call_interrupted(const rmi_state *state)
{
    return atomic_load_explicit(&state->call.interrupted, memory_order_relaxed);
}
/* The slot. Any thread, without the GIL. */
void rmi_interrupt(rm_node *node, void *state);
/* The same three for code that runs while a class is looked for. */
PyGILState_STATE rmi_loading_enter(rmi_host *host);
void rmi_loading_leave(rmi_host *host, PyGILState_STATE held);
void rmi_loading_interrupt(rmi_host *host);
/* The same for the end of the program, which any runtime's interrupt ends. Afterwards the thread keeps the GIL: threads
 * of Python's that are left do nothing more. */
void rmi_finishing_enter(void);
void rmi_finishing_leave(void);

/* ---- context.c */
/* Copies the caller's context for the node. Without the GIL. */
RM_MUST_CHECK int rmi_context_new(rmi_state *state, rm_error *err);
void rmi_context_free(rmi_state *state);
/* Enters and leaves the node's context; keeps an exception that is set. */
void rmi_context_enter(rmi_state *state);
void rmi_context_leave(rmi_state *state);

/* ---- stream_thread.c */
/* The work of a slot, with the GIL, between rmi_call_enter and rmi_call_leave. */
typedef int rmi_job(rmi_state *state, rm_error *err);
/* Runs the job of a slot in the node's thread where it has one, else here. */
RM_MUST_CHECK int rmi_run(rmi_state *state, rmi_job *job, rm_error *err);
/* Gives the node a thread; RM_E_MISSING_FEATURE where there are none. */
RM_MUST_CHECK int rmi_thread_start(rmi_state *state, rm_error *err);
/* Ends it, between jobs. NULL is fine. */
void rmi_thread_end(rmi_state *state);
/* Called in the thread, in a job: makes the slot return `rc` (a failure is in `err`, which is emptied).
 * Returns when the thread gets its next turn. */
void rmi_thread_park(rmi_state *state, int rc, rm_error *err);
/* Whether a job has parked. */
bool rmi_thread_parked(const rmi_state *state);
RM_MUST_CHECK int rmi_thread_resume(rmi_state *state, rm_error *err);
/* Ends a job that has parked: next(stream) raises GeneratorExit in it. A job that asks for items all the same
 * is stuck, which is a failure; its thread and its objects stay. */
RM_MUST_CHECK int rmi_thread_unwind(rmi_state *state, rm_error *err);
bool rmi_thread_stuck(const rmi_state *state);
int rmi_thread_stuck_error(const rmi_state *state, rm_error *err);

/* ---- python_node.c */
/* Fills in the slots of the class' node type. */
void rmi_class_set_slots(rmi_class *class);

/* ---- process_items.c */
RM_MUST_CHECK int rmi_items_process_many(rm_node *node, void *state, unsigned port, rm_packet *batch,
                                         size_t n, size_t *done, rm_error *err);
RM_MUST_CHECK int rmi_items_more(rm_node *node, void *state, rm_error *err);
/* Calls the user's `process`. */
RM_MUST_CHECK PyObject *rmi_user_process(rmi_state *state, PyObject *item);
/* The item for `process`. A Tensor gets the packet's times. The packet gives away a tensor, and an object
 * that is not Python's. */
RM_MUST_CHECK PyObject *rmi_item_of_packet(rm_packet *packet);
/* The same, with tensors as numpy's arrays where the node takes those. */
RM_MUST_CHECK PyObject *rmi_item_for(rmi_state *state, rm_packet *packet);

/* ---- returned_values.c */
/* Emits `value` (borrowed): a Packet with its port, times and so on; None as null. The caller holds one
 * reference and gives it up. A further holder may change the value: then a copy is emitted. */
RM_MUST_CHECK int rmi_emit_object(rmi_state *state, PyObject *value, rm_error *err);
/* Makes the packet that rmi_emit_object would emit, and gives its port. */
RM_MUST_CHECK int rmi_packet_of_object(rmi_state *state, PyObject *value, rm_packet *packet, unsigned *port,
                                       rm_error *err);
/* Whether a result is a value to emit as it is: not None, a Packet, a generator or an awaitable. */
bool rmi_is_value(PyObject *result);
/* Takes the result of the user's code (consumed), then continues as rmi_work_step. */
RM_MUST_CHECK int rmi_work_start(rmi_state *state, rmi_python_work *work, PyObject *result, rm_error *err);
/* RM_MORE: it emitted one value, and there may be more; RM_PENDING: a task is in progress; RM_OK: all done;
 * or a failure. */
RM_MUST_CHECK int rmi_work_step(rmi_state *state, rmi_python_work *work, rm_error *err);
/* The same, but waits for tasks: RM_MORE, RM_OK or a failure. */
RM_MUST_CHECK int rmi_work_step_waiting(rmi_state *state, rmi_python_work *work, rm_error *err);
RM_MUST_CHECK int rmi_work_start_waiting(rmi_state *state, rmi_python_work *work, PyObject *result,
                                         rm_error *err);
void rmi_work_clear(rmi_python_work *work);
/* Ends a work that nobody wants any more, and clears it. What cannot end at once goes on among state->works. */
void rmi_work_drop(rmi_state *state, rmi_python_work *work);
/* Begins the end of the work's task, without waiting for it. */
RM_MUST_CHECK int rmi_work_begin_end(rmi_state *state, rmi_python_work *work);
static inline bool rmi_work_is_idle(const rmi_python_work *work)
{
    return work->task == NULL && work->iterator == NULL;
}
/* Whether `task` belongs to one of the state's works. */
bool rmi_has_task(const rmi_state *state, PyObject *task);
/* Ends all work early: cancels tasks, closes generators. A failure of the user's code goes to `err`. */
RM_MUST_CHECK int rmi_works_close(rmi_state *state, rm_error *err);
/* Closes a generator. */
RM_MUST_CHECK int rmi_generator_close(PyObject *generator);

/* ---- run_loop.c */
/* Gives the node the loop of its run, or makes it a guest of the loop of the run's caller. */
RM_MUST_CHECK int rmi_loop_join(rmi_state *state);
/* Its end; the last node's waits, for at most a second, for what nodes have left to the loop. */
void rmi_loop_part(rmi_state *state);

/* ---- event_loop.c */
/* Refuses an event loop policy that is not asyncio's own: the runtime's loop ignores it. */
RM_MUST_CHECK int rmi_loop_check_policy(const rmi_state *state);
/* The loop in which the node's tasks run; borrowed. */
PyObject *rmi_loop_of(const rmi_state *state);
/* Wakes the node from code of its tasks. */
void rmi_wake_node(rmi_state *state);
/* The calling thread begins and ends to run code of the loop; an exception that is set is kept. */
RM_MUST_CHECK int rmi_loop_enter(rmi_state *state);
void rmi_loop_leave(rmi_state *state);
/* Makes a task for `awaitable` (borrowed) and runs it until it first waits: in `context` (borrowed), or, where
 * that is NULL, in a copy of the node's. */
RM_MUST_CHECK PyObject *rmi_task_new(rmi_state *state, PyObject *awaitable, PyObject *context);
/* 1: done, 0: in progress. */
RM_MUST_CHECK int rmi_task_done(PyObject *task);
RM_MUST_CHECK PyObject *rmi_task_result(PyObject *task);
/* Runs the loop, and waits, until the task is done. A guest only notes that somebody has to wait for the task. */
RM_MUST_CHECK int rmi_task_finish(rmi_state *state, PyObject *task);
/* The same for at most a second; then cancels the task and fails with `err`. */
RM_MUST_CHECK int rmi_task_finish_soon(rmi_state *state, PyObject *task, const char *what, rm_error *err);
/* Cancels `task` and waits for its end, for at most a second. */
RM_MUST_CHECK int rmi_task_cancel(rmi_state *state, PyObject *task);
/* Ends what the node's code has left in the loop, as asyncio.run does at its end. */
RM_MUST_CHECK int rmi_tasks_leave(rmi_state *state);
/* Tells a task to end, without waiting. */
RM_MUST_CHECK int rmi_task_begin_cancel(PyObject *task);
/* Waits for the end of a task, or of a list of tasks, that were told to end; at most a second in all. */
RM_MUST_CHECK int rmi_task_end(rmi_state *state, PyObject *task);
RM_MUST_CHECK int rmi_tasks_end(rmi_state *state, PyObject *tasks);
/* Runs one turn of the loop without waiting; then wakes other nodes with pending work for which the loop has
 * something sooner. */
RM_MUST_CHECK int rmi_loop_step(rmi_state *state);
/* Runs a step if the loop has something that is due: for a task that goes on without waiting. */
RM_MUST_CHECK int rmi_loop_catch_up(rmi_state *state);
/* Called after a call of user code: the call may have set what another node's task waits for (an
 * asyncio.Event, a Queue). */
void rmi_loop_after_call(const rmi_state *state);
/* Fills in what `state` waits for. */
RM_MUST_CHECK int rmi_loop_wait(rmi_state *state, rm_wait *wait);
/* Puts the state into the list of nodes with pending work, or takes it out. */
void rmi_waiting(rmi_state *state, bool waiting);
/* 1: the task of a work is done, 0: it is in progress. */
RM_MUST_CHECK int rmi_work_done(const rmi_python_work *work);
/* Makes the task of a pending work wake the node when the task is done. */
RM_MUST_CHECK int rmi_work_watch(rmi_state *state, rmi_python_work *work);
/* Whether the calling thread runs the loop: code of a task called it. */
bool rmi_loop_runs_here(const rmi_state *state);
/* The loop whose code a thread runs, the innermost; NULL: none. */
const struct rmi_run_loop *rmi_loop_of_thread(unsigned long thread);
/* Whether an exception may be set for `thread`, which is in `frame` (NULL: not known). It may in code of a
 * task and in code that the loop does not run. In the loop's own code the loop would lose the callbacks that
 * it was about to run. Sets *of to the state that owns the running task, where that is known. */
bool rmi_loop_can_break(unsigned long thread, PyObject *frame, rmi_state **of);
/* Wakes blocked loops, after an exception was set for its thread. */
void rmi_loops_wake(void);
/* Makes a future of the loop. `rmi_future_set` sets its result or exception (value NULL: the stream has
 * ended). */
RM_MUST_CHECK PyObject *rmi_future_new(const rmi_state *state);
RM_MUST_CHECK int rmi_future_set(PyObject *future, PyObject *value);
RM_MUST_CHECK PyTypeObject *rmi_waker_type_new(PyObject *module);
/* What a task calls when it is done. The node's context has it, too, as the value of a variable. */
RM_MUST_CHECK PyObject *rmi_waker_new(rmi_state *state);
void rmi_waker_detach(PyObject *waker);
/* Wakes its node; an exception that is set is kept. */
void rmi_waker_wake(PyObject *waker);
/* Whether SystemExit or KeyboardInterrupt has left a task that belongs to the node and to no item; then it is
 * set. */
bool rmi_is_broken(rmi_state *state);
RM_MUST_CHECK int rmi_async_process_many(rm_node *node, void *state, unsigned port, rm_packet *batch,
                                         size_t n, size_t *done, rm_error *err);
RM_MUST_CHECK int rmi_async_more(rm_node *node, void *state, rm_error *err);
/* The job of poll. */
RM_MUST_CHECK int rmi_async_poll(rmi_state *state, rm_error *err);
void rmi_async_abandon(rm_node *node, void *state, uint64_t token);

/* ---- item_coroutine.c */
RM_MUST_CHECK PyTypeObject *rmi_item_coroutine_type_new(PyObject *module);
/* Makes the coroutine of a task from the user's (borrowed). */
RM_MUST_CHECK PyObject *rmi_item_coroutine_new(PyObject *coroutine);
/* Makes it wake a node at its end. Its task is done once that step of the task has returned. */
void rmi_item_coroutine_watch(PyObject *object, PyObject *waker);
bool rmi_item_coroutine_ended(PyObject *object);

/* ---- async_iteration.c */
RM_MUST_CHECK PyTypeObject *rmi_iteration_type_new(PyObject *module);
/* Makes the task that runs an asynchronous iterator (borrowed), and lets it emit; returns as rmi_work_step.
 * `context`: as for rmi_task_new. */
RM_MUST_CHECK int rmi_iteration_start(rmi_state *state, rmi_python_work *work, PyObject *iterator,
                                      PyObject *context, rm_error *err);
/* Emits what the iterator has given since, and lets it emit more. Returns as rmi_work_step. */
RM_MUST_CHECK int rmi_iteration_step(rmi_state *state, rmi_python_work *work, rm_error *err);
/* The same after the loop has run, without a further turn for the iterator. */
RM_MUST_CHECK int rmi_iteration_outcome(rmi_state *state, rmi_python_work *work, rm_error *err);
/* Lets an iteration (NULL: none) emit from the loop, with failures in `err`, until called with NULL. */
void rmi_iteration_may_emit(rmi_state *state, PyObject *iteration, rm_error *err);
/* Begins its end: closes the iterator where it stands at a yield, else cancels what it waits for. */
RM_MUST_CHECK int rmi_iteration_end(rmi_state *state, rmi_python_work *work);
/* Drops its values, and takes no further ones. */
void rmi_iteration_detach(PyObject *iteration);

/* ---- python_stream.c */
/* How many values the next call may emit, after one that began at `started`. */
void rmi_adapt_batch(rmi_state *state, int64_t started);
RM_MUST_CHECK PyTypeObject *rmi_stream_type_new(PyObject *module);
RM_MUST_CHECK int rmi_stream_call(rm_node *node, void *state, rm_error *err);
/* The job of poll. */
RM_MUST_CHECK int rmi_stream_poll(rmi_state *state, rm_error *err);
void rmi_stream_free(rmi_state *state);

/* ---- generate.c */
RM_MUST_CHECK int rmi_source_generate(rm_node *node, void *state, rm_error *err);
/* The job of poll. */
RM_MUST_CHECK int rmi_source_poll(rmi_state *state, rm_error *err);

/* ---- find_class.c */
/* Resolves a node (node.h). Without the GIL. */
RM_MUST_CHECK int rmi_class_resolve(rmi_host *host, const rm_node_query *query, rmi_class **out,
                                    const char **looked, rm_error *err);
void rmi_class_free(rmi_class *class);
/* Finds the class that a node_type names. RM_DONE: there is none; host->looked says where it looked. With the
 * GIL. */
RM_MUST_CHECK int rmi_class_find(rmi_host *host, const char *node_type, PyObject **out, rm_error *err);

/* ---- code_module.c */
/* Runs the parameter `code` in a module of its own, and finds the class or the functions in it. With the GIL. */
RM_MUST_CHECK int rmi_code_find(rmi_class *class, const rm_node_query *query, rm_error *err);
/* Takes the class' module, if it has one, out of sys.modules. With or without the GIL. */
void rmi_code_forget(rmi_class *class);

/* ---- class_params.c */
/* Checks the names of the parameters against the class' __init__, as far as its signature is known. */
RM_MUST_CHECK int rmi_params_check(const rmi_class *class, rm_value params, rm_error *err);
/* The parameters of a class as a list of {"name", "type", "default", "required"}, owned. */
RM_MUST_CHECK rm_value rmi_params_describe(rmi_builder *b, PyObject *class);

/* ---- class_description.c */
RM_MUST_CHECK int rmi_describe(rmi_host *host, const char *name, rm_value *list, rm_error *err);

#endif
