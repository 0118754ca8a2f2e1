/* Runs tasks on a few threads: a task runs when something has woken it, on one thread at a time. One more thread waits for
 * deadlines and descriptors on behalf of tasks that rest, and starts a thread where tasks that do not return hold all others:
 * up to 64 of them. */
#ifndef TRANSPORT_EXECUTOR_H
#define TRANSPORT_EXECUTOR_H

#include <stdatomic.h>

#include "remotemedia/remotemedia.h"

typedef struct rmi_executor rmi_executor;
typedef struct rmi_task rmi_task;

enum { RMI_TASK_DESCRIPTORS = 8 };

/* The owner embeds it, zeroed but for `executor` and `run`, and keeps it until it has ended. The other fields are the
 * executor's. */
struct rmi_task {
    rmi_executor *executor;
    bool (*run)(
        rmi_task
            *task); /* false: the task has ended, and `run` may have freed it; nothing wakes it any more */

    atomic_int state;
    rmi_task *next; /* in the queue */
    struct {
        rmi_task *before, *behind; /* in the list of tasks that rest */
        int64_t deadline;
        int descriptors[RMI_TASK_DESCRIPTORS];
        size_t count, slot; /* the place of the first one among those that are waited for */
        uint64_t round;     /* in which they are */
        bool listed;
    } rest;
};

/* Starts `threads` (at least 1) threads and the waiting one. *out is owned. */
RM_MUST_CHECK int rmi_executor_new(const rm_allocator *allocator, unsigned threads, rmi_executor **out,
                                   rm_error *err);
/* Ends the threads; no task may be queued or resting any more. NULL is fine. */
void rmi_executor_free(rmi_executor *executor);

/* Makes the task run soon; once more where it is running. Any thread. */
void rmi_task_wake(rmi_task *task);
/* Called in `run`, before it returns true: also `deadline` (monotonic ns, INT64_MAX: none) and a
 * readable descriptor wake it. Any wake ends the rest. */
void rmi_task_rest(rmi_task *task, int64_t deadline, const int *descriptors, size_t count);

#endif
