/* Ctrl-C while the main thread is in code that asks nobody: code in a sandbox. */
#ifndef INTERRUPTIBLE_H
#define INTERRUPTIBLE_H

#include <signal.h>
#include <stdbool.h>

/* From begin to end a SIGINT calls `stop(context)`, then the handler that was there (Python's). Lives in the caller's
 * stack frame; nothing happens in other threads, or where the signal is ignored or ends the process. */
typedef struct rmi_interruptible {
    void (*stop)(void *context); /* in the signal handler */
    void *context;
    struct rmi_interruptible *outer;
    bool is_active, is_outermost;
} rmi_interruptible;

/* `self` has `stop` and `context`. */
void rmi_interruptible_begin(rmi_interruptible *self);
void rmi_interruptible_end(rmi_interruptible *self);

#endif
