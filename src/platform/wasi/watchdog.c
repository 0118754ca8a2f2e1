/* There are no threads: deadlines take effect between items, and inside one only by the host. */
#include "platform/platform.h"

int rmi_watchdog_start(const rm_allocator *allocator, int64_t (*function)(void *context), void *context,
                       rmi_watchdog **out, rm_error *err)
{
    (void)allocator, (void)function, (void)context;
    *out = NULL;
    return rm_error_set(err, RM_E_MISSING_FEATURE, "a WASM host has no threads for deadlines");
}

void rmi_watchdog_poke(rmi_watchdog *watchdog)
{
    (void)watchdog;
}

void rmi_watchdog_stop(rmi_watchdog *watchdog)
{
    (void)watchdog;
}
