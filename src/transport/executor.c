#include "transport/executor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "platform/platform.h"

enum task_state { IDLE, QUEUED, RUNNING, WOKEN /* while it runs */ };

/* Threads beyond those asked for, for tasks that do not return; and ns without a task taken after which one is started. */
enum { MORE_THREADS = 64 };
static const int64_t stuck = 50000000;

struct rmi_executor {
    const rm_allocator *allocator;
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t work;
    rmi_task *first, *last; /* the queue */
    bool ends;
    unsigned most, started, idle; /* threads: how many there may be, are, and wait */
    pthread_t *threads;           /* room for `most` */
    uint64_t taken;               /* tasks so far */
    int64_t looks_at;             /* when the waiter looks whether a task was taken; INT64_MAX: none waits */
    uint64_t taken_before;        /* before that look */

    rmi_task *resting;
    pthread_t waiter;
    bool waits;
    int poke[2];            /* a pipe: something earlier or new is to be waited for */
    int64_t next_deadline;  /* that the waiter knows of */
    struct pollfd *watched; /* the pipe, then the descriptors of all tasks that rest */
    size_t capacity;
    uint64_t round;
};

/* ---- The queue */

static void poke(rmi_executor *executor)
{
    const ssize_t written = write(executor->poke[1], "", 1); /* a full pipe wakes the waiter as well */
    (void)written;
}

/* A task waits, and no thread is free for it: all may be held by tasks that do not return. */
static void look_later(rmi_executor *executor)
{
    if (executor->looks_at != INT64_MAX || executor->started == executor->most)
        return;
    executor->looks_at = rmi_platform_now() + stuck;
    executor->taken_before = executor->taken;
    poke(executor);
}

static void enqueue(rmi_executor *executor, rmi_task *task)
{
    task->next = NULL;
    if (executor->last != NULL)
        executor->last->next = task;
    else
        executor->first = task;
    executor->last = task;
    if (executor->idle == 0)
        look_later(executor);
    pthread_cond_signal(&executor->work);
}

static rmi_task *dequeue(rmi_executor *executor)
{
    rmi_task *task = executor->first;
    if (task == NULL)
        return NULL;
    executor->first = task->next;
    executor->taken++;
    if (executor->first == NULL)
        executor->last = NULL;
    else
        look_later(executor);
    return task;
}

/* Whether the task has to be queued. */
static bool mark_woken(rmi_task *task)
{
    int state = atomic_load(&task->state);
    while (state == IDLE || state == RUNNING)
        if (atomic_compare_exchange_weak(&task->state, &state, state == IDLE ? QUEUED : WOKEN))
            return state == IDLE;
    return false;
}

void rmi_task_wake(rmi_task *task)
{
    if (!mark_woken(task))
        return;
    pthread_mutex_lock(&task->executor->lock);
    enqueue(task->executor, task);
    pthread_mutex_unlock(&task->executor->lock);
}

/* ---- Tasks that rest */

static void unlist(rmi_executor *executor, rmi_task *task)
{
    if (!task->rest.listed)
        return;
    if (task->rest.before != NULL)
        task->rest.before->rest.behind = task->rest.behind;
    else
        executor->resting = task->rest.behind;
    if (task->rest.behind != NULL)
        task->rest.behind->rest.before = task->rest.before;
    task->rest.listed = false;
}

static void list(rmi_executor *executor, rmi_task *task)
{
    task->rest.before = NULL;
    task->rest.behind = executor->resting;
    if (executor->resting != NULL)
        executor->resting->rest.before = task;
    executor->resting = task;
    task->rest.listed = true;
}

void rmi_task_rest(rmi_task *task, int64_t deadline, const int *descriptors, size_t count)
{
    rmi_executor *executor = task->executor;
    pthread_mutex_lock(&executor->lock);
    unlist(executor, task);
    task->rest.deadline = deadline;
    task->rest.round = 0;
    task->rest.count = count < RMI_TASK_DESCRIPTORS ? count : RMI_TASK_DESCRIPTORS;
    if (task->rest.count > 0)
        memcpy(task->rest.descriptors, descriptors, task->rest.count * sizeof *descriptors);
    list(executor, task);
    if (count > 0 || deadline < executor->next_deadline)
        poke(executor);
    pthread_mutex_unlock(&executor->lock);
}

/* Gathers what to wait for; the number of descriptors. Without memory for all it waits for those that fit, and looks
 * again soon. */
static nfds_t gather(rmi_executor *executor)
{
    size_t count = 1, wanted = 1;
    for (const rmi_task *task = executor->resting; task != NULL; task = task->rest.behind)
        wanted += task->rest.count;
    const bool fits = rmi_grow(executor->allocator, (void **)&executor->watched, &executor->capacity, wanted,
                               sizeof *executor->watched, NULL) == RM_OK;
    executor->next_deadline = fits ? executor->looks_at : rmi_platform_now() + 10 * 1000 * 1000;
    executor->round++;
    executor->watched[0] = (struct pollfd){.fd = executor->poke[0], .events = POLLIN};
    for (rmi_task *task = executor->resting; task != NULL; task = task->rest.behind) {
        if (task->rest.deadline < executor->next_deadline)
            executor->next_deadline = task->rest.deadline;
        if (task->rest.count > executor->capacity - count)
            continue;
        task->rest.slot = count;
        task->rest.round = executor->round;
        for (size_t i = 0; i < task->rest.count; i++)
            executor->watched[count++] = (struct pollfd){.fd = task->rest.descriptors[i], .events = POLLIN};
    }
    return (nfds_t)count;
}

static bool is_due(const rmi_executor *executor, const rmi_task *task, int64_t now)
{
    bool due = task->rest.deadline <= now;
    for (size_t i = 0; task->rest.round == executor->round && i < task->rest.count; i++)
        due |= executor->watched[task->rest.slot + i].revents != 0;
    return due;
}

static void wake_due(rmi_executor *executor)
{
    const int64_t now = rmi_platform_now();
    rmi_task *next = NULL;
    for (rmi_task *task = executor->resting; task != NULL; task = next) {
        next = task->rest.behind;
        if (!is_due(executor, task, now))
            continue;
        unlist(executor, task);
        if (mark_woken(task))
            enqueue(executor, task);
    }
}

/* Milliseconds until the deadline, rounded up. */
static int until(int64_t deadline)
{
    const int64_t left = deadline - rmi_platform_now();
    if (deadline == INT64_MAX)
        return -1;
    return left <= 0 ? 0 : left > INT64_C(3600000000000) ? 3600000 : (int)((left + 999999) / 1000000);
}

static void *work(void *context);

/* Starts one more thread where tasks wait and none of them was taken since the last look. */
static void look(rmi_executor *executor)
{
    if (rmi_platform_now() < executor->looks_at)
        return;
    executor->looks_at = INT64_MAX;
    if (executor->first == NULL)
        return;
    if (executor->taken == executor->taken_before && executor->started < executor->most &&
        pthread_create(&executor->threads[executor->started], NULL, work, executor) == 0)
        executor->started++;
    look_later(executor);
}

static void *wait_for_tasks(void *context)
{
    rmi_executor *executor = context;
    char taken[64];
    pthread_mutex_lock(&executor->lock);
    while (!executor->ends) {
        const nfds_t count = gather(executor);
        const int timeout = until(executor->next_deadline);
        pthread_mutex_unlock(&executor->lock);
        const int ready = poll(executor->watched, count, timeout);
        if (ready < 0) /* interrupted: the answers are not filled in */
            executor->watched[0].revents = 0;
        while (executor->watched[0].revents != 0 &&
               read(executor->poke[0], taken, sizeof taken) == sizeof taken)
            ;
        pthread_mutex_lock(&executor->lock);
        wake_due(executor);
        look(executor);
    }
    pthread_mutex_unlock(&executor->lock);
    return NULL;
}

/* ---- The threads that run tasks */

static void *work(void *context)
{
    rmi_executor *executor = context;
    pthread_mutex_lock(&executor->lock);
    while (!executor->ends || executor->first != NULL) {
        rmi_task *task = dequeue(executor);
        if (task == NULL) {
            executor->idle++;
            pthread_cond_wait(&executor->work, &executor->lock);
            executor->idle--;
            continue;
        }
        unlist(executor, task);
        pthread_mutex_unlock(&executor->lock);
        atomic_store(&task->state, RUNNING);
        const bool goes_on = task->run(task);
        int state = RUNNING;
        const bool again = goes_on && !atomic_compare_exchange_strong(&task->state, &state, IDLE);
        pthread_mutex_lock(&executor->lock);
        if (again) {
            atomic_store(&task->state, QUEUED);
            enqueue(executor, task);
        }
    }
    pthread_mutex_unlock(&executor->lock);
    return NULL;
}

/* ---- Begin and end */

static int open_pipe(rmi_executor *executor, rm_error *err)
{
    if (pipe2(executor->poke, O_CLOEXEC | O_NONBLOCK) == 0)
        return RM_OK;
    executor->poke[0] = executor->poke[1] = -1;
    return rm_error_set(err, RM_E_IO, "no pipe for the server's threads: %s", strerror(errno));
}

static int start_threads(rmi_executor *executor, unsigned threads, rm_error *err)
{
    const unsigned most = threads + MORE_THREADS;
    executor->threads = rmi_alloc_zeroed(executor->allocator, most * sizeof *executor->threads);
    executor->most = executor->threads != NULL ? most : 0;
    if (executor->threads == NULL)
        return rmi_out_of_memory(err);
    int failed = 0;
    while (failed == 0 && executor->started < threads) {
        failed = pthread_create(&executor->threads[executor->started], NULL, work, executor);
        executor->started += failed == 0;
    }
    if (failed == 0) {
        failed = pthread_create(&executor->waiter, NULL, wait_for_tasks, executor);
        executor->waits = failed == 0;
    }
    return failed == 0 ? RM_OK : rm_error_set(err, RM_E_IO, "no thread for the server: %s", strerror(failed));
}

int rmi_executor_new(const rm_allocator *allocator, unsigned threads, rmi_executor **out, rm_error *err)
{
    rmi_executor *executor = rmi_alloc_zeroed(allocator, sizeof *executor);
    *out = executor;
    if (executor == NULL)
        return rmi_out_of_memory(err);
    executor->allocator = allocator;
    executor->next_deadline = executor->looks_at = INT64_MAX;
    pthread_mutex_init(&executor->lock, NULL);
    pthread_cond_init(&executor->work, NULL);
    int rc = open_pipe(executor, err);
    if (rc == RM_OK)
        rc = rmi_grow(allocator, (void **)&executor->watched, &executor->capacity, 16,
                      sizeof *executor->watched, err);
    if (rc == RM_OK)
        rc = start_threads(executor, threads, err);
    if (rc != RM_OK) {
        rmi_executor_free(executor);
        *out = NULL;
    }
    return rc;
}

void rmi_executor_free(rmi_executor *executor)
{
    if (executor == NULL)
        return;
    pthread_mutex_lock(&executor->lock);
    executor->ends = true;
    pthread_cond_broadcast(&executor->work);
    if (executor->waits)
        poke(executor);
    pthread_mutex_unlock(&executor->lock);
    if (executor->waits) /* first: it starts threads */
        pthread_join(executor->waiter, NULL);
    for (unsigned i = 0; i < executor->started; i++)
        pthread_join(executor->threads[i], NULL);
    for (int i = 0; i < 2; i++)
        if (executor->poke[i] >= 0)
            close(executor->poke[i]);
    pthread_cond_destroy(&executor->work);
    pthread_mutex_destroy(&executor->lock);
    rmi_free(executor->allocator, executor->watched, executor->capacity * sizeof *executor->watched);
    rmi_free(executor->allocator, executor->threads, executor->most * sizeof *executor->threads);
    rmi_free(executor->allocator, executor, sizeof *executor);
}
