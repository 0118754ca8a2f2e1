/* There are no signals. */
#include "platform/platform.h"

int rmi_platform_nudge_signal(void)
{
    return 0;
}

void rmi_platform_nudge(uintptr_t thread)
{
    (void)thread;
}
