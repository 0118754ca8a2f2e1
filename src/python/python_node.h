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
    PyObject *object;  /* the class; for code that defines `process`: the module that it made */
    PyObject *outputs; /* tuple of the output ports' names */
    char *name;        /* as the manifest writes the type */
    rm_port *ports;
    size_t port_count;
    bool is_module, is_code;        /* code in the manifest, which defines functions, or anything */
    bool takes_items, takes_stream; /* has process, which takes items or the stream */
    bool generates;                 /* has generate or is_source, and no input in this pipeline */
    bool pulls_process;             /* is_source: call process(None) until it returns None */
    bool is_async;                  /* process is asynchronous */
    bool takes_arrays;              /* it gets tensors as numpy's arrays */
} rmi_class;

/* The result of a call of the user's code, on its way to packets. */
typedef struct rmi_python_work {
    struct rmi_python_work *next;
    uint64_t token;     /* of its packet, when pending */
    PyObject *task;     /* the asyncio task in progress, or NULL */
    PyObject *iterator; /* the iterator that is being drained, or NULL */
    bool is_async;      /* the iterator is asynchronous */
    bool iterates;      /* drains any iterable, not only a generator */
    bool drains;        /* drains any iterator */
    bool gave_nothing;  /* the last result was None */
    bool watched;       /* the task wakes the node when it is done */
    bool abandoned;     /* nobody wants the result */
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
    struct rmi_state *next_waiting;
    bool waiting;              /* in the list of nodes with pending work */
    int64_t announced;         /* the time at which poll asked to be called again */
    rmi_python_stream *stream; /* owned */
    rm_wait *wait;             /* filled in by a poll in progress */
    struct rmi_thread *thread; /* the thread for all code of the node; NULL: the caller's */
    unsigned batch, left;      /* values that a call in it may emit; those left in this call */
    int64_t closing;           /* when the user's code was told that its stream is unwanted; 0: not yet */
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

/* ---- event_loop.c */
/* Makes a task for `awaitable` (borrowed) and runs it until it first waits. */
RM_MUST_CHECK PyObject *rmi_task_new(PyObject *awaitable);
/* Makes a task for the next item of an asynchronous iterator. Its result is the end mark when there is no
 * item. */
RM_MUST_CHECK PyObject *rmi_task_next(PyObject *iterator);
/* 1: done, 0: in progress. */
RM_MUST_CHECK int rmi_task_done(PyObject *task);
RM_MUST_CHECK PyObject *rmi_task_result(PyObject *task);
bool rmi_is_end(PyObject *result);
/* Runs the loop, and waits, until the task is done. */
RM_MUST_CHECK int rmi_task_finish(PyObject *task);
/* The same for at most a second; then cancels the task and fails with `err`. */
RM_MUST_CHECK int rmi_task_finish_soon(rmi_state *state, PyObject *task, const char *what, rm_error *err);
/* Cancels `task` and waits for its end, for at most a second. */
RM_MUST_CHECK int rmi_task_cancel(PyObject *task);
/* The same for a list of (task, asynchronous iterator to close), of which either may be None; at most a
 * second in all. */
RM_MUST_CHECK int rmi_tasks_cancel(PyObject *pairs);
/* A task that closes an asynchronous iterator. */
RM_MUST_CHECK PyObject *rmi_task_close(PyObject *iterator);
/* At the end of the program: cancels the tasks that are left, and closes asynchronous generators. */
RM_MUST_CHECK int rmi_loop_shut_down(void);
/* Runs one turn of the loop without waiting; then wakes other nodes with pending work for which the loop has
 * something sooner. */
RM_MUST_CHECK int rmi_loop_step(rmi_state *state);
/* Called after a call of user code: the call may have set what another node's task waits for (an
 * asyncio.Event, a Queue). */
void rmi_loop_after_call(void);
/* Fills in what `state` waits for. */
RM_MUST_CHECK int rmi_loop_wait(rmi_state *state, rm_wait *wait);
/* Puts the state into the list of nodes with pending work, or takes it out. */
void rmi_waiting(rmi_state *state, bool waiting);
/* Makes the task of a pending work wake the node when the task is done. */
RM_MUST_CHECK int rmi_work_watch(rmi_state *state, rmi_python_work *work);
/* Whether the calling thread runs the loop: code of a task called it. */
bool rmi_loop_runs_here(void);
/* Whether an exception may be set for `thread`, which is in `frame` (NULL: not known). It may in code of a
 * task and in code that the loop does not run. In the loop's own code the loop would lose the callbacks that
 * it was about to run. Sets *of to the state that owns the running task, where that is known. */
bool rmi_loop_can_break(unsigned long thread, PyFrameObject *frame, rmi_state **of);
/* Wakes a blocked loop, after an exception was set for its thread. */
void rmi_loop_wake(void);
/* Makes a future of the loop. `rmi_future_set` sets its result or exception (value NULL: the stream has
 * ended). */
RM_MUST_CHECK PyObject *rmi_future_new(void);
RM_MUST_CHECK int rmi_future_set(PyObject *future, PyObject *value);
RM_MUST_CHECK PyTypeObject *rmi_waker_type_new(PyObject *module);
void rmi_waker_detach(PyObject *waker);
RM_MUST_CHECK int rmi_async_process_many(rm_node *node, void *state, unsigned port, rm_packet *batch,
                                         size_t n, size_t *done, rm_error *err);
RM_MUST_CHECK int rmi_async_more(rm_node *node, void *state, rm_error *err);
/* The job of poll. */
RM_MUST_CHECK int rmi_async_poll(rmi_state *state, rm_error *err);
void rmi_async_abandon(rm_node *node, void *state, uint64_t token);

/* ---- python_stream.c */
RM_MUST_CHECK PyTypeObject *rmi_stream_type_new(PyObject *module);
RM_MUST_CHECK PyTypeObject *rmi_ready_type_new(PyObject *module);
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

/* ---- class_params.c */
/* Checks the names of the parameters against the class' __init__, as far as its signature is known. */
RM_MUST_CHECK int rmi_params_check(const rmi_class *class, rm_value params, rm_error *err);
/* The parameters of a class as a list of {"name", "type", "default", "required"}, owned. */
RM_MUST_CHECK rm_value rmi_params_describe(rmi_builder *b, PyObject *class);

/* ---- class_description.c */
RM_MUST_CHECK int rmi_describe(rmi_host *host, const char *name, rm_value *list, rm_error *err);

#endif
