/* A WASI program cannot fork, has no child processes and no signals. */
#include "platform/platform.h"

unsigned rmi_platform_forks(void)
{
    return 0;
}

void rmi_platform_in_child(void (*function)(void))
{
    (void)function;
}

void rmi_platform_hide(int descriptor)
{
    (void)descriptor;
}

void rmi_platform_unhide(int descriptor)
{
    (void)descriptor;
}

bool rmi_platform_took_signals(void)
{
    return false;
}

void rmi_platform_take_back_signal(int number)
{
    (void)number;
}

bool rmi_platform_is_interrupt(int number)
{
    (void)number;
    return false;
}

void rmi_platform_end_children(void)
{
}
