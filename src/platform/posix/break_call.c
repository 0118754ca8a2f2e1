#include "platform/posix/break_call.h"

#include <pthread.h>
#include <signal.h>

#include "platform/platform.h"

/* Safe to use: a process without a handler ignores it. */
enum { NUDGE = SIGURG };

/* Empty: a blocking call ends with EINTR because a handler exists. */
static void on_nudge(int number)
{
    (void)number;
}

int rmi_platform_break_signal(void)
{
    struct sigaction action;
    const bool free = sigaction(NUDGE, NULL, &action) == 0 &&
                      (action.sa_handler == SIG_DFL || action.sa_handler == on_nudge);
    return free ? NUDGE : 0;
}

void rmi_platform_let_calls_break(void)
{
    const struct sigaction action = {.sa_handler = on_nudge};
    if (rmi_platform_break_signal() != 0)
        (void)sigaction(NUDGE, &action, NULL);
}

void rmi_platform_break_call(uintptr_t thread)
{
    (void)pthread_kill((pthread_t)thread, NUDGE);
}
