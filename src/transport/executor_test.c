/* Tasks: each runs after every wake, on one thread at a time, and after its deadline or its descriptor. */
#include <pthread.h>
#include <unistd.h>

#include "platform/platform.h"
#include "tests/support/node_test.h"
#include "transport/executor.h"

enum { TASKS = 50, WAKES = 2000, WAKERS = 4 };

/* Counts its runs; `gate` tells the test about each. */
typedef struct counter {
    rmi_task task;
    atomic_int inside, runs, overlaps;
    int64_t rest_until;
    int descriptor;
    int last; /* the run after which it ends; 0: never */
    rmi_wake *gate;
} counter;

static bool count(rmi_task *task)
{
    counter *c = (counter *)task;
    if (atomic_fetch_add(&c->inside, 1) != 0)
        atomic_fetch_add(&c->overlaps, 1);
    const int runs = atomic_fetch_add(&c->runs, 1) + 1;
    const bool ends = runs == c->last;
    if (!ends && (c->rest_until != 0 || c->descriptor > 0))
        rmi_task_rest(task, c->rest_until != 0 ? c->rest_until : INT64_MAX, &c->descriptor,
                      c->descriptor > 0 ? 1 : 0);
    c->rest_until = 0;
    atomic_fetch_sub(&c->inside, 1);
    rmi_wake_raise(c->gate);
    return !ends;
}

static rmi_executor *started(unsigned threads)
{
    rmi_executor *executor = NULL;
    assert_int_equal(rmi_executor_new(NULL, threads, &executor, NULL), RM_OK);
    return executor;
}

static void wait_for_runs(counter *c, int runs)
{
    while (atomic_load(&c->runs) < runs)
        (void)rmi_wake_wait(c->gate, NULL, 0, INT64_MAX);
}

static void *wake_all(void *context)
{
    counter *counters = context;
    for (int i = 0; i < WAKES; i++)
        rmi_task_wake(&counters[i % TASKS].task);
    return NULL;
}

static void no_task_runs_twice_at_once(void **unused)
{
    rmi_executor *executor = started(3);
    rmi_wake *gate = NULL;
    static counter counters[TASKS];
    pthread_t threads[WAKERS];
    (void)unused;
    assert_int_equal(rmi_wake_new(NULL, &gate, NULL), RM_OK);
    for (int i = 0; i < TASKS; i++)
        counters[i] = (counter){.task = {.executor = executor, .run = count}, .gate = gate};
    for (int i = 0; i < WAKERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, wake_all, counters), 0);
    for (int i = 0; i < WAKERS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < TASKS; i++) { /* a wake now is followed by a run from here on */
        const int before = atomic_load(&counters[i].runs);
        rmi_task_wake(&counters[i].task);
        wait_for_runs(&counters[i], before + 1);
        assert_int_equal(atomic_load(&counters[i].overlaps), 0);
    }
    rmi_executor_free(executor);
    rmi_wake_free(gate);
}

static void a_deadline_ends_the_rest(void **unused)
{
    rmi_executor *executor = started(1);
    counter c = {.task = {.executor = executor, .run = count}};
    (void)unused;
    assert_int_equal(rmi_wake_new(NULL, &c.gate, NULL), RM_OK);
    const int64_t deadline = rmi_platform_now() + 5000000;
    c.rest_until = deadline;
    rmi_task_wake(&c.task);
    wait_for_runs(&c, 2);
    assert_true(rmi_platform_now() >= deadline);
    rmi_executor_free(executor);
    rmi_wake_free(c.gate);
}

static void a_descriptor_ends_the_rest(void **unused)
{
    rmi_executor *executor = started(2);
    int ends[2];
    (void)unused;
    assert_int_equal(pipe(ends), 0);
    counter c = {.task = {.executor = executor, .run = count}, .descriptor = ends[0], .last = 2};
    assert_int_equal(rmi_wake_new(NULL, &c.gate, NULL), RM_OK);
    rmi_task_wake(&c.task);
    wait_for_runs(&c, 1);
    assert_int_equal(write(ends[1], "x", 1), 1);
    wait_for_runs(&c, 2);
    rmi_executor_free(executor);
    rmi_wake_free(c.gate);
    close(ends[0]);
    close(ends[1]);
}

/* Does not return before it is told. */
typedef struct holder {
    rmi_task task;
    rmi_wake *may_return;
} holder;

static bool hold(rmi_task *task)
{
    (void)rmi_wake_wait(((holder *)task)->may_return, NULL, 0, INT64_MAX);
    return false;
}

static void tasks_that_do_not_return_hold_up_no_other(void **unused)
{
    rmi_executor *executor = started(1);
    holder holders[3];
    counter c = {.task = {.executor = executor, .run = count}, .last = 1};
    (void)unused;
    assert_int_equal(rmi_wake_new(NULL, &c.gate, NULL), RM_OK);
    for (int i = 0; i < 3; i++) {
        holders[i] = (holder){.task = {.executor = executor, .run = hold}};
        assert_int_equal(rmi_wake_new(NULL, &holders[i].may_return, NULL), RM_OK);
        rmi_task_wake(&holders[i].task);
    }
    rmi_task_wake(&c.task);
    wait_for_runs(&c, 1);
    for (int i = 0; i < 3; i++)
        rmi_wake_raise(holders[i].may_return);
    rmi_executor_free(executor);
    for (int i = 0; i < 3; i++)
        rmi_wake_free(holders[i].may_return);
    rmi_wake_free(c.gate);
}

RMT_MAIN(no_task_runs_twice_at_once, a_deadline_ends_the_rest, a_descriptor_ends_the_rest,
         tasks_that_do_not_return_hold_up_no_other)
