#include "interruptible.h"

#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A signal handler gets no argument. Only the main thread changes these. */
static _Atomic(rmi_interruptible *) current;
static struct sigaction former;

static void handle(int number, siginfo_t *info, void *machine)
{
    const rmi_interruptible *inner = atomic_load(&current);
    if (inner != NULL)
        inner->stop(inner->context);
    if (former.sa_flags & SA_SIGINFO)
        former.sa_sigaction(number, info, machine);
    else
        former.sa_handler(number);
}

static bool is_main_thread(void)
{
    return syscall(SYS_gettid) == getpid();
}

static bool is_ours(const struct sigaction *action)
{
    return (action->sa_flags & SA_SIGINFO) && action->sa_sigaction == handle;
}

/* Whether somebody handles the signal, whom our handler can call. */
static bool is_handled(const struct sigaction *action)
{
    return (action->sa_flags & SA_SIGINFO) ||
           (action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN);
}

void rmi_interruptible_begin(rmi_interruptible *self)
{
    struct sigaction there;
    self->is_active = self->is_outermost = false;
    if (!is_main_thread() || sigaction(SIGINT, NULL, &there) != 0 || !is_handled(&there))
        return;
    self->is_active = true;
    self->outer = atomic_exchange(&current, self);
    if (is_ours(&there))
        return;
    struct sigaction ours = there;
    ours.sa_flags |= SA_SIGINFO;
    ours.sa_sigaction = handle;
    former = there;
    self->is_outermost = sigaction(SIGINT, &ours, NULL) == 0;
}

void rmi_interruptible_end(rmi_interruptible *self)
{
    struct sigaction there;
    if (!self->is_active)
        return;
    /* Code that ran meanwhile may have set another handler, which stays. */
    if (self->is_outermost && sigaction(SIGINT, NULL, &there) == 0 && is_ours(&there))
        (void)sigaction(SIGINT, &former, NULL);
    atomic_store(&current, self->outer);
}
