#include <pthread.h>
#include <signal.h>

#include "platform/platform.h"

/* Nobody misses this one: without a handler it is ignored. */
enum { NUDGE = SIGURG };

int rmi_platform_nudge_signal(void)
{
    struct sigaction action;
    const bool free = sigaction(NUDGE, NULL, &action) == 0 && action.sa_handler == SIG_DFL;
    return free ? NUDGE : 0;
}

void rmi_platform_nudge(uintptr_t thread)
{
    (void)pthread_kill((pthread_t)thread, NUDGE);
}
