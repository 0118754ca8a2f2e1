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
    bool takes_items, takes_stream; /* has process, which is given items or the stream */
    bool generates;                 /* has generate or is_source, and has no input here */
    bool pulls_process;             /* is_source: process(None) until it gives None */
    bool is_async;                  /* process may suspend */
    bool takes_arrays;              /* tensors reach it as numpy's arrays */
} rmi_class;

/* What a call of the user's code gave, on its way to packets. */
typedef struct rmi_python_work {
    struct rmi_python_work *next;
    uint64_t token;     /* of the packet that it belongs to, when pending */
    PyObject *task;     /* an asyncio task that is under way, or NULL */
    PyObject *iterator; /* what is being drained, or NULL */
    bool is_async;      /* the iterator is asynchronous */
    bool iterates;      /* any iterable is drained, not only a generator */
    bool drains;        /* so is any iterator */
    bool gave_nothing;  /* the last result was None */
    bool watched;       /* the task tells the node when it is done */
    bool abandoned;     /* nobody wants the result any more */
} rmi_python_work;

typedef struct rmi_python_stream rmi_python_stream;
struct rmi_thread;

typedef struct rmi_state {
    rm_node *node;
    const rmi_class *class;
    PyObject *instance;
    PyObject *function, *self; /* process(self, item); self NULL: process(item) */
    PyObject *flush;           /* the bound method, or NULL */
    PyObject *spare;           /* an int that nobody else holds, for the next item; or NULL */
    rmi_call call;
    bool flushing;
    bool started, ended;    /* the stream or the source has begun, has given all */
    rmi_python_work work;   /* not pending: what RM_MORE goes on with */
    rmi_python_work *works; /* pending ones, oldest first; owned */
    PyObject *waker;        /* tells the runtime that a task is done */
    struct rmi_state *next_waiting;
    bool waiting;              /* in the list of those with something pending */
    int64_t announced;         /* when poll asked to be called again */
    rmi_python_stream *stream; /* owned */
    rm_wait *wait;             /* what a poll in progress fills in */
    struct rmi_thread *thread; /* in which all code of the node runs; NULL: in that of the caller */
    unsigned batch, left;      /* values that a call in it may emit, and still may in this one */
    int64_t closing;           /* when the user's code was told that nobody wants its stream; 0: it was not */
} rmi_state;

/* ---- interrupt.c */
/* Brackets what may run user code in a slot: holds the GIL, and tells `interrupt` where the call is. */
PyGILState_STATE rmi_call_enter(rmi_state *state);
void rmi_call_leave(rmi_state *state, PyGILState_STATE held);
static inline bool rmi_call_interrupted(const rmi_state *state)
{
    return atomic_load_explicit(&state->call.interrupted, memory_order_relaxed);
}
/* The slot. Any thread, without the GIL. */
void rmi_interrupt(rm_node *node, void *state);
/* The same for code that runs while classes are looked for: brackets it, and tells it to stop. */
PyGILState_STATE rmi_loading_enter(rmi_host *host);
void rmi_loading_leave(rmi_host *host, PyGILState_STATE held);
void rmi_loading_interrupt(rmi_host *host);

/* ---- stream_thread.c */
/* What a slot does, with the GIL, between rmi_call_enter and rmi_call_leave. */
typedef int rmi_job(rmi_state *state, rm_error *err);
/* Runs the job of a slot: in the node's thread where it has one, else here. */
RM_MUST_CHECK int rmi_run(rmi_state *state, rmi_job *job, rm_error *err);
/* Gives the node a thread; RM_E_MISSING_FEATURE where there are none. */
RM_MUST_CHECK int rmi_thread_start(rmi_state *state, rm_error *err);
/* Ends it, between jobs. NULL is fine. */
void rmi_thread_end(rmi_state *state);
/* In the thread, in a job: the slot answers `rc` (a failure is in `err`, which is emptied). Returns when the thread is
 * to go on. */
void rmi_thread_park(rmi_state *state, int rc, rm_error *err);
/* Whether a job has parked and can go on. */
bool rmi_thread_parked(const rmi_state *state);
RM_MUST_CHECK int rmi_thread_resume(rmi_state *state, rm_error *err);
/* Ends a job that has parked: next(stream) raises GeneratorExit in it. One that goes on all the same is stuck, and a
 * failure; what it holds stays as it is. */
RM_MUST_CHECK int rmi_thread_unwind(rmi_state *state, rm_error *err);
bool rmi_thread_stuck(const rmi_state *state);
int rmi_thread_stuck_error(const rmi_state *state, rm_error *err);

/* ---- python_node.c */
/* The slots of a class: its type is filled in. */
void rmi_class_set_slots(rmi_class *class);

/* ---- process_items.c */
RM_MUST_CHECK int rmi_items_process_many(rm_node *node, void *state, unsigned port, rm_packet *batch,
                                         size_t n, size_t *done, rm_error *err);
RM_MUST_CHECK int rmi_items_more(rm_node *node, void *state, rm_error *err);
/* Calls the user's `process`. */
RM_MUST_CHECK PyObject *rmi_user_process(rmi_state *state, PyObject *item);
/* What `process` is given. A tensor knows the packet's times, and is no longer the packet's; nor is an object that is
 * none of Python's. */
RM_MUST_CHECK PyObject *rmi_item_of_packet(rm_packet *packet);
/* The same for this node, which may take tensors as numpy's arrays. */
RM_MUST_CHECK PyObject *rmi_item_for(rmi_state *state, rm_packet *packet);

/* ---- returned_values.c */
/* Sends `value` (borrowed) on: a Packet as it says, all else as it is, None as null. The caller holds one
 * reference and gives it up; who holds another may change the value, so that a copy is sent. */
RM_MUST_CHECK int rmi_emit_object(rmi_state *state, PyObject *value, rm_error *err);
/* The packet that carries `value`, in the same sense, and its port. */
RM_MUST_CHECK int rmi_packet_of_object(rmi_state *state, PyObject *value, rm_packet *packet, unsigned *port,
                                       rm_error *err);
/* Whether a result is one value that can be sent as it is: no None, Packet, generator, awaitable. */
bool rmi_is_value(PyObject *result);
/* Takes what the user's code returned (consumed) and goes on with it as rmi_work_step does. */
RM_MUST_CHECK int rmi_work_start(rmi_state *state, rmi_python_work *work, PyObject *result, rm_error *err);
/* RM_MORE: one value was emitted, there may be more; RM_PENDING: a task is under way; RM_OK: all done; or
 * a failure. */
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
/* Whether `task` is one of its works'. */
bool rmi_has_task(const rmi_state *state, PyObject *task);
/* Ends all work early: cancels tasks, closes generators. A failure of the user's code is in `err`. */
RM_MUST_CHECK int rmi_works_close(rmi_state *state, rm_error *err);
/* Closes a generator. */
RM_MUST_CHECK int rmi_generator_close(PyObject *generator);

/* ---- event_loop.c */
/* A task for `awaitable` (borrowed) that has run until it first waits. */
RM_MUST_CHECK PyObject *rmi_task_new(PyObject *awaitable);
/* A task for the next item of an asynchronous iterator; its result is the mark of the end when there is
 * none. */
RM_MUST_CHECK PyObject *rmi_task_next(PyObject *iterator);
/* 1: done, 0: under way. */
RM_MUST_CHECK int rmi_task_done(PyObject *task);
RM_MUST_CHECK PyObject *rmi_task_result(PyObject *task);
bool rmi_is_end(PyObject *result);
/* Runs the loop until the task is done; waits. */
RM_MUST_CHECK int rmi_task_finish(PyObject *task);
/* The same, for at most a second; then the task is cancelled, and that is a failure described in `err`. */
RM_MUST_CHECK int rmi_task_finish_soon(rmi_state *state, PyObject *task, const char *what, rm_error *err);
/* Cancels `task` and waits for its end, for at most a second. */
RM_MUST_CHECK int rmi_task_cancel(PyObject *task);
/* The same for a list of (task, asynchronous iterator to be closed), either None; for at most a second in all. */
RM_MUST_CHECK int rmi_tasks_cancel(PyObject *pairs);
/* A task that closes an asynchronous iterator. */
RM_MUST_CHECK PyObject *rmi_task_close(PyObject *iterator);
/* One turn of the loop without waiting; other nodes with something pending are woken where it matters to
 * them. */
RM_MUST_CHECK int rmi_loop_step(rmi_state *state);
/* After a call: what it did may be what another node's task waits for (an asyncio.Event, a Queue). */
void rmi_loop_after_call(void);
/* What `state` waits for now. */
RM_MUST_CHECK int rmi_loop_wait(rmi_state *state, rm_wait *wait);
/* Puts the state into the list of those with something pending, or takes it out. */
void rmi_waiting(rmi_state *state, bool waiting);
/* The task of a pending work tells state's node when it is done. */
RM_MUST_CHECK int rmi_work_watch(rmi_state *state, rmi_python_work *work);
/* Whether the calling thread is running the loop: its caller is code of a task. */
bool rmi_loop_runs_here(void);
/* Whether an exception can be set for `thread`, which stands in `frame` (NULL: not known): code of a task, and what is not
 * run by the loop at all; in the loop's own code it would lose what the loop was about to run. *of is set where it is a
 * task of some other state. */
bool rmi_loop_can_break(unsigned long thread, PyFrameObject *frame, rmi_state **of);
/* Makes a blocked loop look up; after an exception was set for its thread. */
void rmi_loop_wake(void);
/* A future of the loop; its result or exception is set by `rmi_future_set` (value NULL: the stream has
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
/* What a resolver does (node.h), without the GIL. */
RM_MUST_CHECK int rmi_class_resolve(rmi_host *host, const rm_node_query *query, rmi_class **out,
                                    const char **looked, rm_error *err);
void rmi_class_free(rmi_class *class);
/* The class that a node_type names; RM_DONE and text in host->looked: there is none. With the GIL. */
RM_MUST_CHECK int rmi_class_find(rmi_host *host, const char *node_type, PyObject **out, rm_error *err);

/* ---- class_params.c */
/* Checks the names of the parameters against the class' __init__, as far as it tells them. */
RM_MUST_CHECK int rmi_params_check(const rmi_class *class, rm_value params, rm_error *err);
/* The parameters of a class as a list of {"name", "type", "default", "required"}, owned. */
RM_MUST_CHECK rm_value rmi_params_describe(rmi_builder *b, PyObject *class);

/* ---- class_description.c */
RM_MUST_CHECK int rmi_describe(rmi_host *host, const char *name, rm_value *list, rm_error *err);

#endif
