/* A program gets only signals that it raises itself. With the C library's emulation, which Python needs,
 * raising one calls its handler at once. */
#include "platform/platform.h"

enum { NUDGE = 23 }; /* SIGURG, as elsewhere */

int raise(int number) __attribute__((weak));

int rmi_platform_break_signal(void)
{
    return raise != NULL ? NUDGE : 0;
}

void rmi_platform_break_call(uintptr_t thread)
{
    (void)thread;
    if (raise != NULL)
        (void)raise(NUDGE);
}
